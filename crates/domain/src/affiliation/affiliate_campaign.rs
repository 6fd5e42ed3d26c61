//! An affiliate's place in an advertiser's campaign, and the rules of applying.

use super::{AffiliateCampaignStatus, RelationshipStatus};
use crate::campaign::AutoApprove;
use crate::party::{CustomData, PartyStatus};
use jiff::Timestamp;

/// One for each advertiser campaign and affiliate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffiliateCampaign {
    /// Ours; 0 until stored.
    pub id: i64,
    /// The network it belongs to.
    pub network_id: i64,
    /// The advertiser campaign, ours.
    pub campaign_id: i64,
    /// The affiliate, ours.
    pub affiliate_id: i64,
    /// The affiliate, the network's.
    pub affiliate_id_from_network: String,
    /// The network's own id, unique in the network.
    pub id_from_network: String,
    /// Where it stands.
    pub status: AffiliateCampaignStatus,
    /// Values that calls through it carry.
    pub custom_data: CustomData,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What an application is decided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Application {
    /// The pair's relationship, if there is one.
    pub relationship: Option<RelationshipStatus>,
    /// The campaign's own setting.
    pub auto_approve: AutoApprove,
    /// The affiliate's own status.
    pub affiliate: PartyStatus,
}

/// Where an application ends up, in this order: an Approved relationship approves; any other
/// relationship declines; `auto_approve` All approves; else it stays Applied.
/// (Approved_Affiliates approves an Approved affiliate with an Approved relationship, which the
/// first rule has done already.)
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

/// The answer to a PUT that asks for a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// It holds already.
    Stays,
    /// It changes.
    To(AffiliateCampaignStatus),
    /// Not from here.
    Refused,
}

/// The network's decisions:
///
/// | from \ asked | Applied | Approved | Suspended | Declined |
/// |---|---|---|---|---|
/// | Applied | stays | moves | – | moves |
/// | Approved | – | stays | moves | – |
/// | Suspended | – | moves | stays | moves |
/// | Declined | – | moves | – | stays |
pub fn transition(from: AffiliateCampaignStatus, asked: AffiliateCampaignStatus) -> Move {
    use AffiliateCampaignStatus::{Applied, Approved, Declined, Suspended};
    match (from, asked) {
        _ if from == asked => Move::Stays,
        (Applied, Approved | Declined)
        | (Approved, Suspended)
        | (Suspended, Approved | Declined)
        | (Declined, Approved) => Move::To(asked),
        _ => Move::Refused,
    }
}
