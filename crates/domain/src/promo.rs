//! Promo numbers: the numbers that are advertised, and by which a call finds its campaign.

use crate::party::CustomData;
use crate::phone::PhoneNumber;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A number taken from the network's inventory for a campaign or an affiliate campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromoNumber {
    /// Ours; 0 until stored.
    pub id: i64,
    /// The network it belongs to.
    pub network_id: i64,
    /// The advertiser campaign, ours.
    pub campaign_id: i64,
    /// The affiliate, ours, when it belongs to an affiliate campaign.
    pub affiliate_id: Option<i64>,
    /// The network's own id, unique in the network.
    pub id_from_network: String,
    /// The number that callers dial.
    pub number: PhoneNumber,
    /// What it is used for.
    pub description: String,
    /// Where it is advertised.
    pub media_type: String,
    /// Values that calls to it carry.
    pub custom_data: CustomData,
    /// When it was taken.
    pub created_at: Timestamp,
}
