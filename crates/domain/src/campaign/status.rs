//! Status of a campaign and its transitions.

use serde::{Deserialize, Serialize};

/// Status of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CampaignStatus {
    /// Was never live.
    Entry,
    /// Accepts calls.
    Activated,
    /// Does not accept calls: was unarchived, or its `pause_date` has passed.
    Paused,
    /// Does not accept calls and must be unarchived before it can go live.
    Archived,
}

impl CampaignStatus {
    /// All statuses.
    pub const ALL: [Self; 4] = [Self::Entry, Self::Activated, Self::Paused, Self::Archived];

    /// The wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entry => "Entry",
            Self::Activated => "Activated",
            Self::Paused => "Paused",
            Self::Archived => "Archived",
        }
    }

    /// Parses the wire value.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Action of a client that changes the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Makes the future terms current and activates the campaign.
    GoLive {
        /// True if an archived campaign may go live directly. This is the rule of API versions
        /// before 2016-02-01, which have no unarchive.
        from_archive: bool,
    },
    /// Archives the campaign.
    Archive,
    /// Moves an archived campaign to Paused.
    Unarchive,
}

/// Result of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The campaign has the requested status already.
    Stays,
    /// The status changes.
    To(CampaignStatus),
    /// The action is not allowed in the current status.
    Refused,
}

/// Decides the result of an action:
///
/// | from \ action | go_live | archive | unarchive |
/// |---|---|---|---|
/// | Entry | Activated | – | – |
/// | Activated | stays (future terms still go live) | Archived | – |
/// | Paused | Activated | Archived | stays |
/// | Archived | – (Activated before 2016-02-01) | stays | Paused |
pub fn transition(from: CampaignStatus, action: Action) -> Outcome {
    use CampaignStatus::{Activated, Archived, Entry, Paused};
    match (action, from) {
        (Action::GoLive { .. }, Activated)
        | (Action::Archive, Archived)
        | (Action::Unarchive, Paused) => Outcome::Stays,
        (Action::GoLive { .. }, Entry | Paused)
        | (Action::GoLive { from_archive: true }, Archived) => Outcome::To(Activated),
        (Action::Archive, Activated | Paused) => Outcome::To(Archived),
        (Action::Unarchive, Archived) => Outcome::To(Paused),
        (Action::GoLive { from_archive: false }, Archived)
        | (Action::Archive, Entry)
        | (Action::Unarchive, Entry | Activated) => Outcome::Refused,
    }
}
