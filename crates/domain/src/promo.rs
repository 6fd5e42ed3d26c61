//! Promo numbers: the advertised phone numbers. The dialled number determines a call's campaign.

use crate::id::{AffiliateId, CampaignId, NetworkId, PromoNumberId};
use crate::party::CustomData;
use crate::phone::PhoneNumber;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Kind of a promo number, as the client said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PromoType {
    /// Number of a place.
    Local,
    /// Number of a mobile network.
    Mobile,
}

impl PromoType {
    /// The wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "Local",
            Self::Mobile => "Mobile",
        }
    }

    /// Parses the wire value.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Local, Self::Mobile].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Number of the network's inventory that is assigned to a campaign or an affiliate campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromoNumber {
    /// Row id; 0 until stored.
    pub id: PromoNumberId,
    /// Network that the number belongs to.
    pub network_id: NetworkId,
    /// Advertiser campaign that the number is assigned to.
    pub campaign_id: CampaignId,
    /// Affiliate, if the number is assigned to an affiliate campaign.
    pub affiliate_id: Option<AffiliateId>,
    /// External id, unique in the network.
    #[serde(rename = "id_from_network", alias = "external_id")]
    pub external_id: String,
    /// Number that callers dial.
    pub number: PhoneNumber,
    /// Purpose of the number, free text.
    pub description: String,
    /// Medium in which the number is advertised, such as `Online: Display`.
    pub media_type: String,
    /// Kind of number.
    #[serde(default)]
    pub promo_type: Option<PromoType>,
    /// Id of the advertising account that shows the number.
    #[serde(default)]
    pub adwords_account_id: Option<String>,
    /// Custom data that calls to the number inherit.
    pub custom_data: CustomData,
    /// Time of the assignment.
    pub created_at: Timestamp,
}

/// Holding of a promo number: who had it during a time, and how it was advertised then. A call is
/// attributed by the holding at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromoNumberHolding {
    /// Id of the promo number.
    pub promo_number_id: PromoNumberId,
    /// Number that callers dial.
    pub number: PhoneNumber,
    /// Advertiser campaign that held the number.
    pub campaign_id: CampaignId,
    /// Affiliate that held the number, if it was assigned to an affiliate campaign.
    pub affiliate_id: Option<AffiliateId>,
    /// Purpose of the number, free text.
    pub description: String,
    /// Medium in which the number was advertised.
    pub media_type: String,
    /// Custom data that calls to the number inherited.
    pub custom_data: CustomData,
}
