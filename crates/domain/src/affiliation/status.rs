//! Status of an affiliate campaign.

use serde::{Deserialize, Serialize};

/// Status of an affiliate campaign (affiliate campaigns document of 2018-11-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AffiliateCampaignStatus {
    /// Application without a decision.
    Applied,
    /// The affiliate may promote the campaign. The wire value is `Approved_NotActive` while the
    /// advertiser campaign is not Activated.
    Approved,
    /// The affiliate temporarily may not promote the campaign.
    Suspended,
    /// The application was rejected.
    Declined,
}

impl AffiliateCampaignStatus {
    /// All statuses, in the order of the source documents.
    pub const ALL: [Self; 4] = [Self::Applied, Self::Approved, Self::Suspended, Self::Declined];

    /// The stored value. It does not depend on the status of the advertiser campaign.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "Applied",
            Self::Approved => "Approved",
            Self::Suspended => "Suspended",
            Self::Declined => "Declined",
        }
    }

    /// The wire value. An Approved affiliate campaign of a campaign that is not Activated is
    /// `Approved_NotActive`.
    pub fn display_status(self, campaign_is_active: bool) -> &'static str {
        match self {
            Self::Approved if !campaign_is_active => "Approved_NotActive",
            status => status.as_str(),
        }
    }

    /// Parses the wire value. `Approved_NotActive` is accepted as Approved, so that clients can
    /// send back what a response contained.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "Approved_NotActive" {
            return Some(Self::Approved);
        }
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}
