//! Ends of live calls: settlement, and the time limit.

use crate::events::EventAudience;
use crate::pending_writes::PendingWrites;
use crate::settlement::{SettlementContext, post_settlement};
use crate::{Actor, Context, Error, Principal, UnitOfWork};
use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_domain::call::{Call, CallEnd, LiveCall, MeasuredDurations, Outcome};
use trunkline_domain::campaign::Terms;
use trunkline_domain::ivr::run::{Event, IvrContext};
use trunkline_domain::phone::normalize_destination;
use trunkline_store::{CallRecord, OverdueCall};

/// Returns the terms of a live call.
pub(crate) fn terms_of(unit: &mut UnitOfWork<'_>, call: &Call) -> Result<Terms, Error> {
    let terms = match call.terms_id {
        Some(id) => unit.terms_by_id(id)?,
        None => None,
    };
    terms.ok_or_else(|| Error::Internal(format!("live call {} has no terms", call.id)))
}

/// Stores a live call as ended, and settles it. `hang_up` is the cause of its end, if its tree did
/// not.
pub(crate) fn end_call(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    call: &mut Call,
    terms: &Terms,
    (live, hang_up): (LiveCall, Option<CallEnd>),
) -> Result<Outcome, Error> {
    call.ended_at = Some(live.last_event_at);
    live.finish_into(call.start_time, hang_up, &mut call.recorded);
    store_end(unit, context, call, terms)
}

/// Stores a call whose end is recorded, and settles it.
fn store_end(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    call: &mut Call,
    terms: &Terms,
) -> Result<Outcome, Error> {
    unit.update_call(call)?;
    unit.delete_live_call(call.id)?;
    let missing = || Error::Internal(format!("call {} has no campaign", call.id));
    let campaign = unit.campaign_by_id(call.campaign_id)?.ok_or_else(missing)?;
    let affiliate = match call.affiliate_id {
        Some(id) => unit.party_by_id(id.into())?,
        None => None,
    };
    let affiliate = affiliate.as_ref().map(|affiliate| affiliate.external_id.as_str());
    let settlement_context =
        SettlementContext { campaign: &campaign, terms: Some(terms), affiliate };
    let mut writes = PendingWrites::for_call_at(call.start_time);
    let outcome = settle_ended_call(unit, context, &mut writes, &settlement_context, call)?;
    writes.write(unit, context)?;
    Ok(outcome)
}

/// Settles an ended call and adds its `call.ended` event.
pub(crate) fn settle_ended_call(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    settlement_context: &SettlementContext<'_>,
    call: &Call,
) -> Result<Outcome, Error> {
    let row = post_settlement(unit, context, writes, settlement_context, call, None)?;
    let missing = || Error::Internal(format!("call {} was not settled", call.id));
    let settlement = &writes.transaction(row).ok_or_else(missing)?.settlement;
    let outcome = settlement.outcome;
    let mut data = event_data(settlement_context, call);
    data["ended_at"] = json!(call.ended_at.map(|at| at.to_string()));
    data["outcome"] = json!(outcome);
    data["reason"] = json!(settlement.reason);
    data["end"] = json!(settlement.end);
    data["duration"] = json!(call.recorded.facts.duration);
    data["connect_duration"] = json!(settlement.connect_duration);
    writes.push_event("call.ended", audience_of(settlement_context, call), data);
    Ok(outcome)
}

pub(crate) fn event_data(settlement_context: &SettlementContext<'_>, call: &Call) -> Value {
    json!({
        "call_id": call.id.to_string(),
        "complete_call_id": call.complete_call_id,
        "advertiser_campaign": settlement_context.campaign.external_id,
        "affiliate": settlement_context.affiliate,
        "start_time": call.start_time.to_string(),
    })
}

pub(crate) fn audience_of(
    settlement_context: &SettlementContext<'_>,
    call: &Call,
) -> EventAudience {
    EventAudience {
        advertiser: Some(settlement_context.campaign.advertiser_id),
        affiliate: call.affiliate_id,
    }
}

/// Returns at most `limit` live calls that exceeded their time limit.
pub fn overdue_calls(
    unit: &mut UnitOfWork<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<OverdueCall>, Error> {
    Ok(unit.overdue_calls(now, limit)?)
}

/// Ends a call that exceeded its time limit, as if the caller had hung up at the time of the last
/// event. Does nothing if the call has ended already.
pub fn time_out(
    unit: &mut UnitOfWork<'_>,
    now: Timestamp,
    overdue: OverdueCall,
) -> Result<(), Error> {
    let OverdueCall { network_id, call_id: id } = overdue;
    if !unit.is_overdue(id, now)? {
        return Ok(());
    }
    let principal = Principal { network_id, actor: Actor::CommandLine, grants: Vec::new() };
    let clock = unit.network(network_id)?.map_or(now, |network| network.now(now));
    let request_id = "time limit".to_owned();
    let warnings = crate::Warnings::default();
    let internal_id_use = crate::InternalIdUse::default();
    let context =
        Context { principal, now: clock, system_now: now, request_id, warnings, internal_id_use };
    let missing = || Error::Internal(format!("live call {id} cannot be found"));
    let mut call = unit.call_by_id(network_id, id)?.ok_or_else(missing)?;
    let mut live = unit.live_call(id)?.ok_or_else(missing)?;
    let terms = terms_of(unit, &call)?;
    let ivr_context = IvrContext { terms: &terms, facts: &call.recorded.facts };
    let at = live.last_event_at;
    live.apply_event(ivr_context, Event::HungUp, at)
        .map_err(|error| Error::Internal(error.to_string()))?;
    end_call(unit, &context, &mut call, &terms, (live, Some(CallEnd::TimeLimit)))?;
    Ok(())
}

/// Ends a live call with the facts of a report of the whole call.
pub(crate) fn end_with_report(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    record: CallRecord,
    reported: (MeasuredDurations, Option<&str>),
) -> Result<(), Error> {
    let (measured, destination) = reported;
    let Some(mut live) = record.live else { return Ok(()) };
    let mut call = record.call;
    let terms = terms_of(unit, &call)?;
    let ivr_context = IvrContext { terms: &terms, facts: &call.recorded.facts };
    let at = live.last_event_at;
    live.apply_event(ivr_context, Event::HungUp, at)
        .map_err(|error| Error::Internal(error.to_string()))?;
    let sms_sent = live.position.sms_sent;
    live.measured.update(measured);
    live.finish_into(call.start_time, Some(CallEnd::Unknown), &mut call.recorded);
    call.recorded.take_as_reported(Some(sms_sent));
    call.recorded.destination_phone_number = destination.map(normalize_destination);
    let seconds = call.recorded.facts.duration.unwrap_or(0);
    let end = call.start_time.saturating_add(jiff::SignedDuration::from_secs(seconds.into()));
    call.ended_at = end.ok();
    store_end(unit, context, &mut call, &terms)?;
    Ok(())
}
