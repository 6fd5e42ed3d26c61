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
pub enum CampaignAction {
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
pub enum CampaignTransition {
    /// The campaign has the requested status already.
    Unchanged,
    /// The status changes.
    To(CampaignStatus),
    /// The action is not allowed in the current status.
    NotAllowed,
}

/// Decides the result of an action:
///
/// | from \ action | go_live | archive | unarchive |
/// |---|---|---|---|
/// | Entry | Activated | – | – |
/// | Activated | stays (future terms still go live) | Archived | – |
/// | Paused | Activated | Archived | stays |
/// | Archived | – (Activated before 2016-02-01) | stays | Paused |
pub fn transition(from: CampaignStatus, action: CampaignAction) -> CampaignTransition {
    use CampaignStatus::{Activated, Archived, Entry, Paused};
    match (action, from) {
        (CampaignAction::GoLive { .. }, Activated)
        | (CampaignAction::Archive, Archived)
        | (CampaignAction::Unarchive, Paused) => CampaignTransition::Unchanged,
        (CampaignAction::GoLive { .. }, Entry | Paused)
        | (CampaignAction::GoLive { from_archive: true }, Archived) => {
            CampaignTransition::To(Activated)
        }
        (CampaignAction::Archive, Activated | Paused) => CampaignTransition::To(Archived),
        (CampaignAction::Unarchive, Archived) => CampaignTransition::To(Paused),
        (CampaignAction::GoLive { from_archive: false }, Archived)
        | (CampaignAction::Archive, Entry)
        | (CampaignAction::Unarchive, Entry | Activated) => CampaignTransition::NotAllowed,
    }
}
