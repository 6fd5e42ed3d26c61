//! Affiliate campaigns: applications, and status transitions by the network.

use super::{AffiliateCampaignStatus, RelationshipStatus};
use crate::campaign::AutoApprove;
use crate::id::{AffiliateCampaignId, AffiliateId, CampaignId, NetworkId};
use crate::party::{CustomData, PartyStatus};
use jiff::Timestamp;

/// Participation of an affiliate in an advertiser campaign. There is at most one for each pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffiliateCampaign {
    /// Id.
    pub id: AffiliateCampaignId,
    /// Network that the affiliate campaign belongs to.
    pub network_id: NetworkId,
    /// Advertiser campaign.
    pub campaign_id: CampaignId,
    /// Affiliate.
    pub affiliate_id: AffiliateId,
    /// External id of the affiliate.
    pub external_affiliate_id: String,
    /// External id, unique in the network.
    pub external_id: String,
    /// Stored status.
    pub status: AffiliateCampaignStatus,
    /// Custom data that calls through the affiliate campaign inherit.
    pub custom_data: CustomData,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// Facts that decide an affiliate's application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Application {
    /// Relationship between the advertiser and the affiliate, if there is one.
    pub relationship: Option<RelationshipStatus>,
    /// Setting of the campaign.
    pub auto_approve: AutoApprove,
    /// Status of the affiliate.
    pub affiliate: PartyStatus,
}

/// Decides the status of an application. The first matching rule applies:
///
/// 1. An Approved relationship approves.
/// 2. Any other relationship declines.
/// 3. `auto_approve` All approves.
/// 4. Otherwise the status is Applied.
///
/// Rule 1 includes `auto_approve` Approved_Affiliates, which approves Approved affiliates with an
/// Approved relationship.
pub fn decide_application(application: Application) -> AffiliateCampaignStatus {
    match (application.relationship, application.auto_approve) {
        (Some(RelationshipStatus::Approved), _) => AffiliateCampaignStatus::Approved,
        (Some(_), _) => AffiliateCampaignStatus::Declined,
        (None, AutoApprove::All) => AffiliateCampaignStatus::Approved,
        (None, AutoApprove::None | AutoApprove::ApprovedAffiliates) => {
            AffiliateCampaignStatus::Applied
        }
    }
}

/// Result of a PUT that requests a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AffiliateCampaignTransition {
    /// The affiliate campaign has the requested status already.
    Unchanged,
    /// The status changes.
    To(AffiliateCampaignStatus),
    /// The transition is not allowed.
    NotAllowed,
}

/// Decides the result of a status requested by the network:
///
/// | from \ requested | Applied | Approved | Suspended | Declined |
/// |---|---|---|---|---|
/// | Applied | unchanged | changes | – | changes |
/// | Approved | – | unchanged | changes | – |
/// | Suspended | – | changes | unchanged | changes |
/// | Declined | – | changes | – | unchanged |
pub fn transition(
    from: AffiliateCampaignStatus,
    requested: AffiliateCampaignStatus,
) -> AffiliateCampaignTransition {
    use AffiliateCampaignStatus::{Applied, Approved, Declined, Suspended};
    match (from, requested) {
        _ if from == requested => AffiliateCampaignTransition::Unchanged,
        (Applied, Approved | Declined)
        | (Approved, Suspended)
        | (Suspended, Approved | Declined)
        | (Declined, Approved) => AffiliateCampaignTransition::To(requested),
        _ => AffiliateCampaignTransition::NotAllowed,
    }
}
