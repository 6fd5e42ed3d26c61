//! External ids of objects that a path names by their row ids.

use super::UnitOfWork;
use crate::Error;
use crate::sql::Value;
use trunkline_domain::id::NetworkId;
use trunkline_domain::party::PartyKind;

/// Kind of object that a segment of a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathObject {
    /// Advertiser.
    Advertiser,
    /// Affiliate.
    Affiliate,
    /// Advertiser campaign.
    Campaign,
    /// Affiliate campaign.
    AffiliateCampaign,
    /// Promo number.
    PromoNumber,
}

impl PathObject {
    fn table(self) -> &'static str {
        match self {
            Self::Advertiser | Self::Affiliate => "parties",
            Self::Campaign => "campaigns",
            Self::AffiliateCampaign => "affiliate_campaigns",
            Self::PromoNumber => "promo_numbers",
        }
    }

    fn party_kind(self) -> Option<PartyKind> {
        match self {
            Self::Advertiser => Some(PartyKind::Advertiser),
            Self::Affiliate => Some(PartyKind::Affiliate),
            Self::Campaign | Self::AffiliateCampaign | Self::PromoNumber => None,
        }
    }
}

impl UnitOfWork<'_> {
    /// External id of the object of a network with a row id. `None` if there is no such object, or if
    /// an object of the same kind has the decimal text of the id as its external id.
    pub fn external_id_of(
        &mut self,
        network: NetworkId,
        object: PathObject,
        id: i64,
    ) -> Result<Option<String>, Error> {
        let table = object.table();
        let text = id.to_string();
        let kind = object.party_kind().map(PartyKind::as_str);
        let (of_kind, values): (_, Vec<&dyn Value>) = match &kind {
            Some(kind) => (" AND kind = ?4", vec![&network, &id, &text, kind]),
            None => ("", vec![&network, &id, &text]),
        };
        self.query_first(
            &format!(
                "SELECT id_from_network FROM {table} WHERE id = ?2 AND network_id = ?1{of_kind}
                 AND NOT EXISTS (SELECT 1 FROM {table}
                     WHERE network_id = ?1{of_kind} AND id_from_network = ?3)"
            ),
            values.as_slice(),
            |row| row.get(0),
        )
    }
}
