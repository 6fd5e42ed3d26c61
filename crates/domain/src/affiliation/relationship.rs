//! Advertiser–affiliate relationships ("auto-approve", seeds/003).

use super::AffiliateCampaignStatus;
use serde::{Deserialize, Serialize};

/// How an advertiser stands to an affiliate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RelationshipStatus {
    /// Under discussion.
    Pending,
    /// Applications are approved.
    Approved,
    /// Stopped for now.
    Suspended,
    /// Refused.
    Declined,
    /// Ended.
    Deactivated,
}

impl RelationshipStatus {
    /// Every status, in the documents' order.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Approved, Self::Suspended, Self::Declined, Self::Deactivated];

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Approved => "Approved",
            Self::Suspended => "Suspended",
            Self::Declined => "Declined",
            Self::Deactivated => "Deactivated",
        }
    }

    /// Reads the wire's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// A stored relationship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relationship {
    /// Our id of the affiliate.
    pub affiliate_id: i64,
    /// The network's id of the affiliate.
    pub affiliate_id_from_network: String,
    /// How they stand.
    pub status: RelationshipStatus,
}

/// What writing a relationship does to one affiliate campaign of the pair.
///
/// | relationship | Applied | Approved | Suspended | Declined |
/// |---|---|---|---|---|
/// | Approved | Approved | – | – | – |
/// | any other | Declined | Suspended | – | – |
pub fn cascade(
    relationship: RelationshipStatus,
    affiliate_campaign: AffiliateCampaignStatus,
) -> Option<AffiliateCampaignStatus> {
    use AffiliateCampaignStatus::{Applied, Approved, Declined, Suspended};
    match (relationship, affiliate_campaign) {
        (RelationshipStatus::Approved, Applied) => Some(Approved),
        (RelationshipStatus::Approved, _) | (_, Suspended | Declined) => None,
        (_, Applied) => Some(Declined),
        (_, Approved) => Some(Suspended),
    }
}
