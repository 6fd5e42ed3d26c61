//! Events that are repeated, or that are reported after the end of their call.

use crate::call_events::{CallEvent, CallEventReport, CallInstructions};
use crate::corrections::{self, CorrectionChange, FactsChange};
use crate::{Context, Error, Grant, Principal, Scope, Submission, UnitOfWork, recordings};
use jiff::SignedDuration;
use serde_json::{Value, json};
use trunkline_domain::call::{CallEnd, MeasuredDurations, Outcome};
use trunkline_domain::id::CallId;
use trunkline_domain::ivr::run::{Action, Event};
use trunkline_domain::party::Role;
use trunkline_domain::problem::Problems;
use trunkline_store::{AnsweredEvent, CallRecord};

/// Time after the end of a call in which a reported end corrects it.
const CORRECTION_PERIOD: SignedDuration = SignedDuration::from_hours(24);

/// Returns the stored answer to an event with the same sequence number or the same id of the edge.
pub(crate) fn find_answer(
    unit: &mut UnitOfWork<'_>,
    id: CallId,
    report: &CallEventReport,
    problems: &mut Problems,
) -> Result<Option<CallInstructions>, Error> {
    if report.event.is_none() {
        return Ok(None);
    }
    let event = json!(report);
    let parse = |answer: Value| {
        serde_json::from_value(answer).map(Some).map_err(|error| {
            Error::Internal(format!("cannot parse a stored answer to a call event: {error}"))
        })
    };
    if let Some(event_id) = &report.event_id
        && let Some(AnsweredEvent { event: stored, answer }) =
            unit.call_event_with_id(id, event_id)?
    {
        if stored["happening"] != event["happening"] {
            problems.property("event_id").add("was used for another event");
        }
        return parse(answer);
    }
    if let Some(sequence) = report.sequence
        && let Some(AnsweredEvent { event: stored, answer }) = unit.call_event(id, sequence)?
    {
        if stored != event {
            problems.property("sequence").add("was used for another event");
        }
        return parse(answer);
    }
    Ok(None)
}

/// Applies an event that is reported after the end of its call. A hang-up and a notice change nothing,
/// and `alive` is answered with a hang-up. Measured durations correct a call whose end was not reported.
pub(crate) fn apply(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    record: &CallRecord,
    (report, mut problems): (CallEventReport, Problems),
) -> Result<CallInstructions, Error> {
    let is_hang_up = matches!(
        &report.event,
        Some(CallEvent::Event(Event::HungUp) | CallEvent::DestinationHungUp)
    );
    let is_accepted = is_hang_up || report.event.as_ref().is_some_and(CallEvent::is_notice);
    if !is_accepted && !problems.has_problem("event") {
        problems.property("event").add("cannot happen: the call is over");
    }
    problems.into_result(())?;
    let event = json!(report);
    let settled = record.latest_transaction.as_ref().map(|(_, settlement)| settlement);
    let actions = match &report.event {
        Some(CallEvent::Alive) => vec![Action::Hangup],
        _ => Vec::new(),
    };
    if is_hang_up {
        correct(unit, context, record, report.measured)?;
    }
    if let Some(CallEvent::Recording { url, .. }) = &report.event {
        recordings::store_url(unit, context, record.call.id, url)?;
    }
    let instructions = CallInstructions {
        id: record.call.id,
        outcome: settled.map(|settlement| settlement.outcome),
        reason: record.call.recorded.rejection,
        actions,
    };
    if report.event_id.is_some() {
        let next = unit.last_call_event(record.call.id)?.map_or(1, |last| last.saturating_add(1));
        let at = report.at.unwrap_or(context.now);
        unit.insert_call_event(record.call.id, next, at, &event, &json!(instructions))?;
    }
    Ok(instructions)
}

/// Corrects a connected call that exceeded its time limit, once its durations are known.
fn correct(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    record: &CallRecord,
    measured: MeasuredDurations,
) -> Result<(), Error> {
    let Some((transaction, settlement)) = &record.latest_transaction else { return Ok(()) };
    let is_incomplete = settlement.end == Some(CallEnd::TimeLimit)
        && settlement.outcome == Outcome::Connected
        && settlement.connect_duration.is_none();
    let is_late = record
        .call
        .ended_at
        .is_some_and(|ended| context.now.duration_since(ended) > CORRECTION_PERIOD);
    let Some(connected) = measured.connect_duration.filter(|_| is_incomplete && !is_late) else {
        return Ok(());
    };
    let facts = FactsChange {
        duration: measured.duration.map(Some),
        connect_duration: Some(Some(connected)),
        ..FactsChange::default()
    };
    let change = CorrectionChange {
        reason: Some("the end of the call was reported after its time limit".to_owned()),
        facts: Some(facts),
        ..CorrectionChange::default()
    };
    // An edge may not correct calls in general.
    let grants = vec![Grant { scope: Scope::Network, role: Role::Super }];
    let principal = Principal { grants, ..context.principal.clone() };
    let context = Context { principal, ..context.clone() };
    let submitted = Submission { change, problems: Problems::new() };
    corrections::correct(unit, &context, &transaction.to_string(), submitted, None)?;
    Ok(())
}
