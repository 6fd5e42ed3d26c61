//! Where a campaign stands, and what may be asked of it.

use serde::{Deserialize, Serialize};

/// Where a campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CampaignStatus {
    /// Never live.
    Entry,
    /// Takes calls.
    Activated,
    /// Not for now: unarchived, or past its expiration.
    Paused,
    /// Put away.
    Archived,
}

impl CampaignStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Entry, Self::Activated, Self::Paused, Self::Archived];

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entry => "Entry",
            Self::Activated => "Activated",
            Self::Paused => "Paused",
            Self::Archived => "Archived",
        }
    }

    /// Reads the wire's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// What may be asked of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Make the future terms current and take calls. `from_archive` as before 2016-02-01, when
    /// there was no unarchive.
    GoLive {
        /// Whether an archived campaign may go live at once.
        from_archive: bool,
    },
    /// Put away.
    Archive,
    /// Take out again, paused.
    Unarchive,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It holds already.
    Stays,
    /// It changes.
    To(CampaignStatus),
    /// Not from here.
    Refused,
}

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
