//! Calls by the ids that edges gave them.

use crate::call_events::CallInstructions;
use crate::call_log::is_visible;
use crate::{Context, Error, Page, UnitOfWork};
use trunkline_domain::call::{CallFacts, Outcome};
use trunkline_domain::campaign::Campaign;
use trunkline_domain::id::{AdvertiserId, CallId, CampaignId};
use trunkline_domain::ivr::run::{Action, IvrContext, start};
use trunkline_domain::party::PartyKind;
use trunkline_store::{CallRecord, CallRowFilter, CallScope};

/// Number of calls of one external id that are looked at: one for each advertiser.
const MAX_CALLS_OF_ID: u32 = 100;

/// Returns the call with an external id of the campaign's advertiser.
pub(crate) fn find_by_external_id(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    campaign: &Campaign,
    external_id: &str,
) -> Result<Option<CallRecord>, Error> {
    let mut found = records(unit, context, Some(campaign.advertiser_id), external_id)?;
    Ok(found.pop())
}

fn records(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: Option<AdvertiserId>,
    external_id: &str,
) -> Result<Vec<CallRecord>, Error> {
    let network = context.principal.network_id;
    let scope = CallScope { network_id: Some(network), ..CallScope::default() };
    let filter = CallRowFilter {
        external_id: Some(external_id.to_owned()),
        advertiser_id,
        ..CallRowFilter::default()
    };
    let page = Page { after: 0, limit: MAX_CALLS_OF_ID, max_bytes: usize::MAX };
    let ids = unit.call_ids(&scope, &filter, page)?;
    Ok(unit.call_records(network, &ids)?)
}

/// Returns the live calls that a client gave an external id after their start.
fn renamed_records(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: Option<AdvertiserId>,
    external_id: &str,
) -> Result<Vec<CallRecord>, Error> {
    let network = context.principal.network_id;
    let ids = unit.live_calls_by_external_id(network, external_id)?;
    let mut found = unit.call_records(network, &ids)?;
    found.retain(|record| advertiser_id.is_none_or(|id| record.advertiser_id == id));
    Ok(found)
}

/// Answers the repeated start of a call with its first instructions.
///
/// # Errors
///
/// [`Error::Conflict`] if the id was used for a call of another campaign or caller.
pub(crate) fn first_instructions(
    unit: &mut UnitOfWork<'_>,
    record: CallRecord,
    campaign: CampaignId,
    facts: &CallFacts,
) -> Result<CallInstructions, Error> {
    let call = record.call;
    let recorded = &call.recorded;
    let is_same = call.campaign_id == campaign
        && recorded.facts.calling_phone_number == facts.calling_phone_number;
    if !is_same {
        let id = &call.external_id;
        let message = format!("external_call_unique_id {id} was used for another call");
        return Err(Error::Conflict(message));
    }
    let reason = recorded.rejection;
    let terms = match call.terms_id.filter(|_| reason.is_none()) {
        Some(id) => unit.terms_by_id(id)?,
        None => None,
    };
    let actions = match &terms {
        Some(terms) => start(IvrContext { terms, facts: &recorded.facts }).actions,
        None => vec![Action::Hangup],
    };
    let outcome = reason.map(|_| Outcome::Rejected);
    Ok(CallInstructions { id: call.id, outcome, reason, actions })
}

/// Returns the id of the call with an external id, of the given advertiser or of the only one that uses
/// it. The id is the one of the call's start, else the one that a client gave the live call later.
///
/// # Errors
///
/// [`Error::NotFound`] if there is none that the principal may see. [`Error::Conflict`] if several
/// advertisers use the id.
pub fn resolve(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    external_id: &str,
    advertiser: Option<&str>,
) -> Result<CallId, Error> {
    let missing = || Error::NotFound(format!("Call with external_call_unique_id {external_id}"));
    let advertiser_id = match advertiser {
        // No id contains U+0000, and PostgreSQL rejects it in a text.
        Some(id) if id.contains('\0') => return Err(missing()),
        Some(id) => {
            let party = unit.party(context.principal.network_id, PartyKind::Advertiser, id)?;
            Some(party.ok_or_else(missing)?.id.as_advertiser())
        }
        None => None,
    };
    let mut found = records(unit, context, advertiser_id, external_id)?;
    found.retain(|record| is_visible(context, record));
    if found.is_empty() {
        found = renamed_records(unit, context, advertiser_id, external_id)?;
        found.retain(|record| is_visible(context, record));
    }
    let call = found.pop().ok_or_else(missing)?;
    if !found.is_empty() {
        let message = format!(
            "external_call_unique_id {external_id} is used by several advertisers: add ?advertiser="
        );
        return Err(Error::Conflict(message));
    }
    Ok(call.call.id)
}
