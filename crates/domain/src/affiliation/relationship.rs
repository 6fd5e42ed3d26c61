//! Advertiser–affiliate relationships (advertiser–affiliate relationships document of 2016-05-01).

use super::AffiliateCampaignStatus;
use crate::id::{AffiliateId, RelationshipId};
use serde::{Deserialize, Serialize};

/// Status of a relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RelationshipStatus {
    /// Not decided yet.
    Pending,
    /// Applications of the affiliate are approved automatically.
    Approved,
    /// Temporarily stopped.
    Suspended,
    /// Rejected.
    Declined,
    /// Ended.
    Deactivated,
}

impl RelationshipStatus {
    /// All statuses, in the order of the source documents.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Approved, Self::Suspended, Self::Declined, Self::Deactivated];

    /// The wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Approved => "Approved",
            Self::Suspended => "Suspended",
            Self::Declined => "Declined",
            Self::Deactivated => "Deactivated",
        }
    }

    /// Parses the wire value.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Relationship of an advertiser, as seen from the advertiser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relationship {
    /// Id.
    pub id: RelationshipId,
    /// Affiliate.
    pub affiliate_id: AffiliateId,
    /// External id of the affiliate.
    pub external_affiliate_id: String,
    /// Status.
    pub status: RelationshipStatus,
}

/// Returns the new status of an affiliate campaign after its advertiser and affiliate got a
/// relationship status. `None` means that the status does not change.
///
/// | relationship | Applied | Approved | Suspended | Declined |
/// |---|---|---|---|---|
/// | Approved | Approved | – | – | – |
/// | any other | Declined | Suspended | – | – |
pub fn cascaded_status(
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
