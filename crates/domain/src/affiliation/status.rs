//! Where an affiliate campaign stands.

use serde::{Deserialize, Serialize};

/// Where an affiliate campaign stands (seeds/000, "One of: Applied, Approved, Suspended, Declined").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AffiliateCampaignStatus {
    /// Waits for the network's decision.
    Applied,
    /// May promote; reads `Approved_NotActive` while the campaign is not Activated.
    Approved,
    /// May not promote for now.
    Suspended,
    /// Was refused.
    Declined,
}

impl AffiliateCampaignStatus {
    /// Every status, in the documents' order.
    pub const ALL: [Self; 4] = [Self::Applied, Self::Approved, Self::Suspended, Self::Declined];

    /// The wire's word, campaign Activated or not left aside.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "Applied",
            Self::Approved => "Approved",
            Self::Suspended => "Suspended",
            Self::Declined => "Declined",
        }
    }

    /// The wire's word; an approved one of a campaign that is not Activated is `Approved_NotActive`.
    pub fn reads(self, campaign_is_active: bool) -> &'static str {
        match self {
            Self::Approved if !campaign_is_active => "Approved_NotActive",
            status => status.as_str(),
        }
    }

    /// Reads the wire's word. `Approved_NotActive` is what an approved one reads as, so it means
    /// Approved when it is sent back.
    pub fn parse(word: &str) -> Option<Self> {
        if word == "Approved_NotActive" {
            return Some(Self::Approved);
        }
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}
