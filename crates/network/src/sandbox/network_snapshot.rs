//! Snapshot of a network for the call simulator: its live campaigns, their affiliates and promo
//! numbers.

use super::require_sandbox;
use crate::{Context, Error, UnitOfWork};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::ops::Range;
use trunkline_domain::campaign::{Campaign, CampaignStatus, Terms};
use trunkline_domain::id::AffiliateId;
use trunkline_domain::party::{CustomDataField, DataType};
use trunkline_domain::phone::PhoneNumber;

/// Maximum number of campaigns in one simulation.
const MAX_CAMPAIGNS: u32 = 100;
/// Maximum number of affiliates of each campaign.
const MAX_AFFILIATES_PER_CAMPAIGN: u32 = 50;
/// Maximum number of promo numbers of each campaign.
const MAX_PROMO_NUMBERS_PER_CAMPAIGN: u32 = 200;
/// Maximum number of custom data fields.
const MAX_CUSTOM_DATA_FIELDS: usize = 10;

/// Campaigns and custom data fields of a network.
#[derive(Debug, Default)]
pub(super) struct NetworkSnapshot {
    pub(super) campaigns: Vec<CampaignSnapshot>,
    pub(super) fields: Vec<CustomDataField>,
}

/// Live campaign.
#[derive(Debug)]
pub(super) struct CampaignSnapshot {
    /// External id.
    pub(super) id: String,
    pub(super) terms: Terms,
    pub(super) zone: TimeZone,
    /// Range of start times of its calls, in seconds since 1970.
    pub(super) seconds: Range<i64>,
    pub(super) affiliates: Vec<AffiliateSnapshot>,
    /// Promo numbers of the campaign itself.
    pub(super) numbers: Vec<PromoNumberSnapshot>,
}

/// Affiliate that is approved for a campaign.
#[derive(Debug)]
pub(super) struct AffiliateSnapshot {
    /// External id.
    pub(super) id: String,
    /// Time of the approval, in seconds since 1970.
    pub(super) since: i64,
    pub(super) numbers: Vec<PromoNumberSnapshot>,
}

/// Promo number.
#[derive(Debug)]
pub(super) struct PromoNumberSnapshot {
    pub(super) number: PhoneNumber,
    /// Time of its assignment, in seconds since 1970.
    pub(super) since: i64,
}

/// Loads the current network, or only one campaign of it. Calls start within the last `days` days,
/// after the campaign's first go_live and before its pause date.
///
/// # Errors
///
/// [`Error::Invalid`] if no campaign was live in this time.
pub(super) fn load(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    campaign: Option<&str>,
    days: u32,
) -> Result<NetworkSnapshot, Error> {
    let network = require_sandbox(unit, context)?.id;
    let campaigns = match campaign {
        None => unit.activated_campaigns(network, MAX_CAMPAIGNS)?,
        Some(id) => {
            let found = unit.campaign(network, id)?;
            let missing = || Error::NotFound(format!("AdvertiserCampaign {id}"));
            let live = Some(found.ok_or_else(missing)?);
            live.into_iter()
                .filter(|campaign| campaign.status == CampaignStatus::Activated)
                .collect()
        }
    };
    let mut snapshot =
        NetworkSnapshot { campaigns: Vec::new(), fields: unit.custom_data_fields(network)? };
    snapshot.fields.retain(|field| field.data_type != DataType::Date);
    snapshot.fields.truncate(MAX_CUSTOM_DATA_FIELDS);
    let days = SignedDuration::from_hours(24 * i64::from(days));
    let earliest = context.now.saturating_sub(days).unwrap_or(Timestamp::MIN);
    for campaign in campaigns {
        snapshot.campaigns.extend(load_campaign(unit, campaign, earliest..context.now)?);
    }
    if !snapshot.campaigns.is_empty() {
        return Ok(snapshot);
    }
    let message = match campaign {
        Some(_) => "was not live before the current time of the sandbox",
        None => "no campaign was live before the current time of the sandbox",
    };
    Err(Error::invalid_property("advertiser_campaign", message))
}

/// Loads a campaign; `None` if it was not live within a time.
fn load_campaign(
    unit: &mut UnitOfWork<'_>,
    campaign: Campaign,
    time: Range<Timestamp>,
) -> Result<Option<CampaignSnapshot>, Error> {
    let Some(first) = unit.first_live_at(campaign.id)? else { return Ok(None) };
    let Some(current) = campaign.current_terms else { return Ok(None) };
    let pause = current.terms.pause_date.unwrap_or(time.end);
    let seconds = time.start.max(first).as_second()..time.end.min(pause).as_second();
    if seconds.is_empty() {
        return Ok(None);
    }
    let promo_numbers =
        unit.promo_numbers_of_campaign(campaign.id, MAX_PROMO_NUMBERS_PER_CAMPAIGN)?;
    let numbers = |affiliate: Option<AffiliateId>| {
        let assigned =
            promo_numbers.iter().filter(|promo_number| promo_number.affiliate_id == affiliate);
        let snapshots = assigned.map(|promo_number| PromoNumberSnapshot {
            number: promo_number.number.clone(),
            since: promo_number.created_at.as_second(),
        });
        snapshots.collect::<Vec<_>>()
    };
    let approved = match current.terms.is_affiliate_enabled() {
        true => unit.approved_affiliates(campaign.id, MAX_AFFILIATES_PER_CAMPAIGN)?,
        false => Vec::new(),
    };
    let affiliates = approved.into_iter().map(|affiliate| AffiliateSnapshot {
        id: affiliate.external_id,
        since: affiliate.approved_at.as_second(),
        numbers: numbers(Some(affiliate.id)),
    });
    Ok(Some(CampaignSnapshot {
        affiliates: affiliates.collect(),
        numbers: numbers(None),
        zone: current.terms.timezone.to_time_zone(),
        id: campaign.external_id,
        terms: current.terms,
        seconds,
    }))
}
