//! What imagined calls are made of: the live campaigns of a network, and who brings them calls.

use super::require_sandbox;
use crate::{Context, Error, Session};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::ops::Range;
use trunkline_domain::campaign::{Campaign, CampaignStatus, Terms};
use trunkline_domain::party::{CustomDataField, DataType};
use trunkline_domain::phone::PhoneNumber;

/// Campaigns that calls are imagined for at once.
const MAX_CAMPAIGNS: u32 = 100;
/// Affiliates of each that bring calls.
const MAX_AFFILIATES_PER_CAMPAIGN: u32 = 50;
/// Promo numbers of each that are dialled.
const MAX_PROMO_NUMBERS_PER_CAMPAIGN: u32 = 200;
/// Custom data fields that calls have values of.
const MAX_CUSTOM_DATA_FIELDS: usize = 10;

/// A network, as far as its imagined callers know it.
#[derive(Debug, Default)]
pub(super) struct NetworkSnapshot {
    pub(super) campaigns: Vec<CampaignSnapshot>,
    pub(super) fields: Vec<CustomDataField>,
}

/// A campaign that is live.
#[derive(Debug)]
pub(super) struct CampaignSnapshot {
    /// The network's id.
    pub(super) id: String,
    pub(super) terms: Terms,
    pub(super) zone: TimeZone,
    /// When it may be called, in seconds since 1970.
    pub(super) seconds: Range<i64>,
    pub(super) affiliates: Vec<AffiliateSnapshot>,
    /// The campaign's own.
    pub(super) numbers: Vec<PromoNumberSnapshot>,
}

/// An affiliate that is approved for a campaign.
#[derive(Debug)]
pub(super) struct AffiliateSnapshot {
    /// The network's id.
    pub(super) id: String,
    /// Since when, in seconds since 1970.
    pub(super) since: i64,
    pub(super) numbers: Vec<PromoNumberSnapshot>,
}

/// A promo number.
#[derive(Debug)]
pub(super) struct PromoNumberSnapshot {
    pub(super) number: PhoneNumber,
    /// Since when it is a promo number, in seconds since 1970.
    pub(super) since: i64,
}

/// The network as it is now; of one campaign, where that is named. Calls lie in the `days` before
/// now, from the campaign's first go_live on, and before it pauses.
pub(super) fn load(
    session: &mut Session<'_>,
    context: &Context,
    campaign: Option<&str>,
    days: u32,
) -> Result<NetworkSnapshot, Error> {
    let network = require_sandbox(session, context)?.id;
    let campaigns = match campaign {
        None => session.activated_campaigns(network, MAX_CAMPAIGNS)?,
        Some(id) => {
            let found = session.campaign(network, id)?;
            let missing = || Error::NotFound(format!("AdvertiserCampaign {id}"));
            let live = Some(found.ok_or_else(missing)?);
            live.into_iter().filter(|it| it.status == CampaignStatus::Activated).collect()
        }
    };
    let mut snapshot =
        NetworkSnapshot { campaigns: Vec::new(), fields: session.custom_data_fields(network)? };
    snapshot.fields.retain(|field| field.data_type != DataType::Date);
    snapshot.fields.truncate(MAX_CUSTOM_DATA_FIELDS);
    let days = SignedDuration::from_hours(24 * i64::from(days));
    let earliest = context.now.saturating_sub(days).unwrap_or(Timestamp::MIN);
    for campaign in campaigns {
        snapshot.campaigns.extend(load_campaign(session, campaign, earliest..context.now)?);
    }
    if !snapshot.campaigns.is_empty() {
        return Ok(snapshot);
    }
    let message = match campaign {
        Some(_) => "has not been live before the sandbox's now",
        None => "no campaign has been live before the sandbox's now",
    };
    Err(Error::at("advertiser_campaign", message))
}

/// A campaign, unless it was never live in a time.
fn load_campaign(
    session: &mut Session<'_>,
    campaign: Campaign,
    time: Range<Timestamp>,
) -> Result<Option<CampaignSnapshot>, Error> {
    let Some(first) = session.first_live_at(campaign.id)? else { return Ok(None) };
    let Some(current) = campaign.current else { return Ok(None) };
    let pause = current.terms.pause_date.unwrap_or(time.end);
    let seconds = time.start.max(first).as_second()..time.end.min(pause).as_second();
    if seconds.is_empty() {
        return Ok(None);
    }
    let numbers_of =
        session.promo_numbers_of_campaign(campaign.id, MAX_PROMO_NUMBERS_PER_CAMPAIGN)?;
    let numbers = |affiliate: Option<i64>| {
        let own = numbers_of.iter().filter(|it| it.affiliate_id == affiliate);
        let seen = own.map(|it| PromoNumberSnapshot {
            number: it.number.clone(),
            since: it.created_at.as_second(),
        });
        seen.collect::<Vec<_>>()
    };
    let approved = match current.terms.is_affiliate_enabled() {
        true => session.approved_affiliates(campaign.id, MAX_AFFILIATES_PER_CAMPAIGN)?,
        false => Vec::new(),
    };
    let affiliates = approved.into_iter().map(|(affiliate_id, id, since)| AffiliateSnapshot {
        id,
        since: since.as_second(),
        numbers: numbers(Some(affiliate_id)),
    });
    Ok(Some(CampaignSnapshot {
        affiliates: affiliates.collect(),
        numbers: numbers(None),
        zone: current.terms.timezone.zone(),
        id: campaign.id_from_network,
        terms: current.terms,
        seconds,
    }))
}
