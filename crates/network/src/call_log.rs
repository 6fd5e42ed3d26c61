//! Call log: live and ended calls that the principal may see.

use crate::{Context, Error, Page, UnitOfWork};
use jiff::Timestamp;
use trunkline_domain::call::{Outcome, RejectionReason};
use trunkline_domain::id::{CallId, PartyId};
use trunkline_domain::party::PartyKind;
use trunkline_domain::phone::PhoneNumber;
use trunkline_store::{CallRecord, CallRowFilter, CallScope};

/// Filter of a call list: calls that match all of the given fields.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// Sender's id of the call.
    pub external_id: Option<String>,
    /// Number of the caller.
    pub caller: Option<PhoneNumber>,
    /// Promo number that the caller dialled.
    pub promo_number: Option<PhoneNumber>,
    /// External id of an advertiser.
    pub advertiser: Option<String>,
    /// External id of a campaign.
    pub campaign: Option<String>,
    /// External id of an affiliate.
    pub affiliate: Option<String>,
    /// Outcome.
    pub outcome: Option<Outcome>,
    /// Reason for turning the call away.
    pub reason: Option<RejectionReason>,
    /// `true` for live calls only, `false` for ended calls only.
    pub live: Option<bool>,
    /// `true` for connected calls of which no end was reported, so that their duration is not known.
    pub is_incomplete: bool,
    /// Earliest start.
    pub from: Option<Timestamp>,
    /// End of the starts, exclusive.
    pub before: Option<Timestamp>,
}

/// Resolves a filter; `None` if it names an object that does not exist.
fn resolve_filter(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    filter: &CallFilter,
) -> Result<Option<CallRowFilter>, Error> {
    let network = context.principal.network_id;
    let mut party = |kind, id: &Option<String>| match id {
        None => Ok::<_, Error>(Some(None)),
        Some(id) => Ok(unit.party(network, kind, id)?.map(|party| Some(party.id))),
    };
    let advertiser = party(PartyKind::Advertiser, &filter.advertiser)?;
    let affiliate = party(PartyKind::Affiliate, &filter.affiliate)?;
    let (Some(advertiser), Some(affiliate)) = (advertiser, affiliate) else {
        return Ok(None);
    };
    let e164 =
        |number: &Option<PhoneNumber>| number.as_ref().map(|number| number.e164().to_owned());
    Ok(Some(CallRowFilter {
        campaign_id: None,
        live: filter.live,
        advertiser_id: advertiser.map(PartyId::as_advertiser),
        affiliate_id: affiliate.map(PartyId::as_affiliate),
        external_id: filter.external_id.clone(),
        caller: e164(&filter.caller),
        promo_number: e164(&filter.promo_number),
        outcome: filter.outcome,
        reason: filter.reason,
        is_incomplete: filter.is_incomplete,
        from: filter.from,
        before: filter.before,
    }))
}

/// Call, and how much of it the principal may see.
#[derive(Debug, Clone, PartialEq)]
pub struct VisibleCall {
    /// Call record.
    pub record: CallRecord,
    /// `true` if all of the call is visible. An affiliate sees neither the calling number nor the
    /// custom data of the calls that it is credited with.
    pub is_complete: bool,
}

/// Returns one page of the calls that the principal may see: all of the network, those of an
/// advertiser's campaigns, or those that an affiliate is credited with.
pub fn list(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    filter: &CallFilter,
    page: Page,
) -> Result<Vec<VisibleCall>, Error> {
    let network = context.principal.network_id;
    let Some(mut listed) = resolve_filter(unit, context, filter)? else { return Ok(Vec::new()) };
    let mut only_campaign = None;
    if let Some(id) = &filter.campaign {
        let Some(campaign) = unit.campaign(network, id)? else { return Ok(Vec::new()) };
        listed.campaign_id = Some(campaign.id);
        only_campaign = Some(campaign);
    }
    let affiliate_ids = context.principal.affiliate_ids();
    let mut scope = CallScope { affiliate_ids, ..CallScope::default() };
    match only_campaign {
        Some(campaign)
            if context.principal.can_view(PartyKind::Advertiser, campaign.advertiser_id) =>
        {
            scope.campaign_id = Some(campaign.id);
        }
        None if context.principal.can_view_network() => scope.network_id = Some(network),
        None => scope.advertiser_ids = context.principal.advertiser_ids(),
        Some(_) => {}
    }
    if listed.caller.is_some() {
        // An affiliate does not see the numbers of its callers, so it cannot search for them either.
        scope.affiliate_ids.clear();
    }
    let ids = unit.call_ids(&scope, &listed, page)?;
    let found = unit.call_records(network, &ids)?;
    Ok(found.into_iter().map(|record| to_visible(context, record)).collect())
}

/// Returns one call by its id.
pub fn get(unit: &mut UnitOfWork<'_>, context: &Context, id: CallId) -> Result<VisibleCall, Error> {
    let missing = || Error::NotFound(format!("Call {id}"));
    let found = unit.call_record(context.principal.network_id, id)?.ok_or_else(missing)?;
    is_visible(context, &found).then(|| to_visible(context, found)).ok_or_else(missing)
}

/// Tests if the principal may see a call.
pub(crate) fn is_visible(context: &Context, record: &CallRecord) -> bool {
    let affiliate = record.call.affiliate_id;
    context.principal.can_view(PartyKind::Advertiser, record.advertiser_id)
        || affiliate.is_some_and(|id| context.principal.can_view(PartyKind::Affiliate, id))
}

fn to_visible(context: &Context, record: CallRecord) -> VisibleCall {
    let whole = context.principal.can_view(PartyKind::Advertiser, record.advertiser_id);
    VisibleCall { record, is_complete: whole }
}
