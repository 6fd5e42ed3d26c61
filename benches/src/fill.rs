//! Fills large databases through the store, which is faster than a million requests.

use crate::server::{Server, sqlite_url};
use serde_json::{Value, json};
use std::error::Error;
use std::path::Path;
use trunkline_domain::affiliation::{AffiliateCampaign, AffiliateCampaignStatus};
use trunkline_domain::campaign::Campaign;
use trunkline_domain::id::{AffiliateCampaignId, NetworkId, PartyId};
use trunkline_domain::party::{AdvertiserProfile, CustomData, Party, PartyKind, PartyStatus, Site};
use trunkline_store::{Error as StoreError, Store, UnitOfWork};

/// Objects stored in one transaction.
const BATCH_SIZE: u64 = 10_000;

/// Stores affiliates with the external ids 1 to `count`.
pub(crate) fn insert_affiliates(database: &Path, count: u64) -> Result<(), Box<dyn Error>> {
    let store = Store::open(&sqlite_url(database))?;
    in_batches(&store, count, |unit, number| {
        unit.insert_party(&affiliate(number))?;
        Ok(())
    })?;
    store.close();
    Ok(())
}

/// Runs `insert` for each number from 1 to `count`, [`BATCH_SIZE`] in a transaction.
fn in_batches(
    store: &Store,
    count: u64,
    insert: impl Fn(&mut UnitOfWork<'_>, u64) -> Result<(), StoreError> + Clone + Send + 'static,
) -> Result<(), StoreError> {
    let mut next = 1;
    while next <= count {
        let last = count.min(next + BATCH_SIZE - 1);
        let insert = insert.clone();
        store.write_blocking(move |unit| {
            (next..=last).try_for_each(|number| insert(unit, number))
        })?;
        next = last + 1;
    }
    Ok(())
}

fn affiliate(number: u64) -> Party {
    Party {
        id: PartyId::UNASSIGNED,
        network_id: NetworkId::new(1),
        kind: PartyKind::Affiliate,
        external_id: number.to_string(),
        name: format!("Affiliate {number}"),
        status: PartyStatus::Approved,
        sites: vec![Site {
            external_id: number.to_string(),
            name: Some(format!("http://www.example.com/{number}")),
        }],
        profile: AdvertiserProfile::default(),
        custom_data: CustomData::from_iter([("channel".to_owned(), "Online lead".to_owned())]),
        members: Vec::new(),
        created_at: jiff::Timestamp::UNIX_EPOCH,
        updated_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// Creates campaign 1 of advertiser 1, with regions, menus and bonuses, puts it live and adds affiliate 1.
pub(crate) fn create_campaign(server: &Server) -> Result<(), Box<dyn Error>> {
    let connect =
        |number: &str| json!({"node_type": "Connect", "destination_phone_number": number});
    let campaign = json!({
        "name": "Bench", "timezone": "UTC", "auto_approve": "All",
        "named_regions": [{"name": "West Coast", "regions": [
            {"region_type": "State", "value": "CA"}, {"region_type": "State", "value": "OR"},
            {"region_type": "State", "value": "WA"}]}],
        "advertiser_payin": policies(&[("Base", 9.0, "duration >= 1 min 30 sec and (in_region[West Coast] or pressed[1 2]) and not repeat"), ("Bonus", 2.0, "mobile")]),
        "affiliate_payout": policies(&[("Base", 4.5, "duration > 60"), ("Bonus", 2.75, "in_region")]),
        "ivr_tree": {"root": {"node_type": "Menu", "prompt": "Press 1 or 2.", "children": [
            {"node_type": "Menu", "prompt": "Again.", "children": [connect("8005550101"), connect("8005550102")]},
            connect("8005550103")]}},
    });
    server.send("PUT", "/advertisers/1", &json!({"name": "A"}))?;
    server.send("PUT", "/affiliates/1", &json!({"name": "Affiliate 1"}))?;
    server.send("PUT", "/advertisers/1/advertiser_campaigns/1", &campaign)?;
    server.send("POST", "/advertisers/1/advertiser_campaigns/1/go_live", &json!({}))?;
    let application = "/advertisers/1/advertiser_campaigns/1/affiliates/1/affiliate_campaigns";
    server.send("PUT", application, &json!({}))?;
    Ok(())
}

/// Builds a payin or payout from policies of type, amount in US dollars and condition.
pub(crate) fn policies(amounts: &[(&str, f64, &str)]) -> Value {
    let policy = |(kind, amount, condition): &(&str, f64, &str)| json!({"type": kind, "amount": amount, "currency": "USD", "condition": condition});
    json!({"policies": amounts.iter().map(policy).collect::<Vec<_>>()})
}

/// Copies of campaign 1 to store. Their external ids are `prefix` and a number from 1 to `count`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CampaignCopies<'a> {
    /// External id of the advertiser, which must exist.
    pub(crate) advertiser: &'a str,
    /// Prefix of the external ids.
    pub(crate) prefix: &'a str,
    /// Number of copies.
    pub(crate) count: u64,
    /// True if affiliate 1 applies to each copy.
    pub(crate) with_affiliate: bool,
}

/// Stores live copies of campaign 1.
pub(crate) fn insert_campaign_copies(
    database: &Path,
    copies: CampaignCopies<'_>,
) -> Result<(), Box<dyn Error>> {
    let store = Store::open(&sqlite_url(database))?;
    let (advertiser, affiliate, template) = store.read(|unit| {
        let advertiser = unit.party(NetworkId::new(1), PartyKind::Advertiser, copies.advertiser)?;
        let affiliate = unit.party(NetworkId::new(1), PartyKind::Affiliate, "1")?;
        Ok::<_, StoreError>((advertiser, affiliate, unit.campaign(NetworkId::new(1), "1")?))
    })?;
    let (advertiser, affiliate) = advertiser.zip(affiliate).ok_or("no advertiser or affiliate")?;
    let template = template.ok_or("no campaign 1")?;
    let current = template.current_terms.clone().ok_or("campaign 1 is not live")?;
    let prefix = copies.prefix.to_owned();
    let with_affiliate = copies.with_affiliate;
    in_batches(&store, copies.count, move |unit, number| {
        let id_from_network = format!("{prefix}{number}");
        let name = format!("Bench {id_from_network}");
        let campaign = Campaign {
            advertiser_id: advertiser.id.as_advertiser(),
            external_id: id_from_network.clone(),
            name,
            ..template.clone()
        };
        let campaign_id = unit.insert_campaign(&campaign)?;
        unit.activate_terms(campaign_id, current.terms.clone(), current.went_live_at)?;
        if with_affiliate {
            unit.insert_affiliate_campaign(&AffiliateCampaign {
                id: AffiliateCampaignId::UNASSIGNED,
                network_id: NetworkId::new(1),
                campaign_id,
                affiliate_id: affiliate.id.as_affiliate(),
                external_affiliate_id: affiliate.external_id.clone(),
                external_id: id_from_network,
                status: AffiliateCampaignStatus::Applied,
                custom_data: CustomData::default(),
                created_at: current.went_live_at,
                updated_at: current.went_live_at,
            })?;
        }
        Ok(())
    })?;
    store.close();
    Ok(())
}
