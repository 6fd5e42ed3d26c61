//! Live calls: start, events, and end. An ended call is settled once, by the terms that were in
//! force at its start.

use crate::batch_lookups::BatchLookups;
use crate::budgets::{self, AdmissionRequest, BudgetStatus};
use crate::call_parties::{CallAddress, CallMoment, CallParties};
use crate::calls::{check_admission, count_toward_call_budgets, end_of_second, is_repeat_caller};
use crate::events::EventAudience;
use crate::idempotency::{IdempotencyKey, store_answer, stored_answer};
use crate::pending_writes::PendingWrites;
use crate::settlement::{SettlementContext, post_settlement};
use crate::{Actor, Context, Error, Principal, Submission, UnitOfWork, unknown_area_codes};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trunkline_domain::call::{
    Call, CallDirection, CallEnd, CallFacts, LiveCall, Outcome, RecordedFacts, RejectionReason,
};
use trunkline_domain::campaign::Terms;
use trunkline_domain::id::CallId;
use trunkline_domain::ivr::dialling::is_ringing;
use trunkline_domain::ivr::run::{Action, Event, IvrContext, NodeState};
use trunkline_domain::party::{PartyKind, check_custom_data};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_store::{AnsweredEvent, OverdueCall};

/// Maximum time between the start of a call and an event of it.
const MAX_EVENT_OFFSET: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Call that is about to start, as the API client reports it.
#[derive(Debug, Clone, Default)]
pub struct IncomingCall {
    /// External id of the campaign; by default the promo number's campaign.
    pub campaign: Option<String>,
    /// External id of the affiliate that is credited with the call; by default the promo number's
    /// affiliate.
    pub affiliate: Option<String>,
    /// Promo number that the caller dialled.
    pub promo_number: Option<PhoneNumber>,
    /// Reported facts. Without a `start_time` the call starts now.
    pub facts: CallFacts,
}

impl IncomingCall {
    /// Returns the moment of the call's start.
    fn moment(&self, now: Timestamp) -> CallMoment {
        self.facts.start_time.map_or(CallMoment::current(now), CallMoment::reported)
    }

    /// Returns the campaign, affiliate and promo number that the call names.
    fn address(&self) -> CallAddress<'_> {
        CallAddress {
            campaign: self.campaign.as_deref(),
            affiliate: self.affiliate.as_deref(),
            promo_number: self.promo_number.as_ref(),
        }
    }
}

/// Server-side parameters of a call that starts.
#[derive(Debug, Clone)]
pub struct StartCallParams {
    /// `complete_call_id` of the call.
    pub complete_call_id: String,
    /// Time after which the call is ended if no event ended it.
    pub time_limit: SignedDuration,
}

/// Instructions to the telephony edge: the next actions, or the outcome of an ended call.
/// Serialized answers are stored, so that a repeated event gets the same answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallInstructions {
    /// Id of the call.
    pub id: CallId,
    /// Outcome; `None` while the call is live.
    pub outcome: Option<Outcome>,
    /// Reason for turning the call away.
    pub reason: Option<RejectionReason>,
    /// Actions to perform, in order.
    pub actions: Vec<Action>,
}

/// Event of a live call that the telephony edge reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEvent {
    /// Input to the IVR tree.
    Event(Event),
    /// The destination hung up.
    DestinationHungUp,
    /// The edge has played a prompt to its end.
    PromptFinished,
}

/// Event report of the telephony edge. Its serialization is stored and compared with a repeated
/// report.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CallEventReport {
    /// Event; `None` if the request does not contain a valid one.
    #[serde(rename = "happening")]
    pub event: Option<CallEvent>,
    /// Time of the event, to the second; now by default.
    pub at: Option<Timestamp>,
    /// Sequence number of the event; the next number by default.
    #[serde(skip)]
    pub sequence: Option<u32>,
}

/// Adds a problem if a starting call names neither a campaign nor a promo number.
fn require_campaign(incoming: &IncomingCall, problems: &mut Problems) {
    let is_named = incoming.campaign.is_some()
        || incoming.promo_number.is_some()
        || problems.has_problem("advertiser_campaign")
        || problems.has_problem("promo_number");
    if !is_named {
        problems.property("advertiser_campaign").add(BLANK);
    }
}

/// Starts a call. A request with the same idempotency key within 24 hours gets the first answer
/// again.
pub fn start(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    submitted: Submission<IncomingCall>,
    params: StartCallParams,
    key: Option<&IdempotencyKey>,
) -> Result<CallInstructions, Error> {
    if let Some(answer) = stored_answer(unit, context, key)? {
        return Ok(answer);
    }
    let Submission { change: incoming, mut problems } = submitted;
    require_campaign(&incoming, &mut problems);
    if let Some(data) = &incoming.facts.custom_data {
        let fields = unit.custom_data_fields(context.principal.network_id)?;
        problems.property("custom_data").merge(check_custom_data(data, None, &fields));
    }
    problems.into_result(())?;
    let moment = incoming.moment(context.now);
    let lookups = &mut BatchLookups::at(moment);
    let parties = CallParties::resolve(unit, context, lookups, incoming.address(), moment)?.value;
    context
        .principal
        .ensure_can_write_party(PartyKind::Advertiser, parties.campaign.advertiser_id)?;
    let start = incoming.facts.start_time.unwrap_or(context.now);
    let current = lookups.terms_at(unit, parties.campaign.id, end_of_second(start))?;
    let current = current.as_deref();
    let writes = &mut PendingWrites::for_call_at(start);
    let request = AdmissionRequest::Live;
    let rejection = check_admission(unit, writes, &parties, current, start, request)?;
    let mut facts = incoming.facts;
    facts.start_time = Some(start);
    let terms = current.map(|current| &current.terms);
    facts.repeat_is_reported = facts.repeat.is_some();
    facts.repeat =
        Some(is_repeat_caller(unit, lookups, parties.campaign.id, terms, &facts, start)?);
    // No text message was sent to this caller before the call.
    facts.sms_sent = Some(false);
    let facts = parties.fill_in_facts(facts).with_order_seed(&params.complete_call_id);
    unknown_area_codes::count_call(&facts);
    let call = Call {
        id: CallId::UNASSIGNED,
        network_id: context.principal.network_id,
        campaign_id: parties.campaign.id,
        affiliate_id: parties.affiliate_id(),
        promo_number_id: parties.promo_number.as_ref().map(|held| held.promo_number_id),
        external_id: params.complete_call_id.clone(),
        complete_call_id: params.complete_call_id,
        terms_id: current.map(|current| current.id),
        start_time: start,
        recorded: RecordedFacts {
            facts,
            keys: Vec::new(),
            digits: Vec::new(),
            events: Vec::new(),
            rejection: rejection.as_ref().map(|rejection| rejection.reason),
            by_affiliate: parties.affiliate.is_some(),
            destination_phone_number: None,
            is_reported: false,
            direction: CallDirection::Inbound,
            end: None,
        },
        created_at: context.now,
        ended_at: None,
    };
    let exhausted = rejection.map(|rejection| rejection.exhausted).unwrap_or_default();
    let started = StartedCall { parties: &parties, terms, call, exhausted: &exhausted };
    let instructions = store_started_call(unit, context, started, params.time_limit)?;
    store_answer(unit, context, key, &instructions)?;
    Ok(instructions)
}

/// Call that starts, with its parties and the terms in force.
struct StartedCall<'a> {
    parties: &'a CallParties,
    terms: Option<&'a Terms>,
    call: Call,
    /// Budgets that turned the call away.
    exhausted: &'a [BudgetStatus],
}

/// Stores a call that starts, adds it to the budgets and starts its IVR tree. A call that was
/// rejected, or that the tree ends at once, is stored as ended and settled.
fn store_started_call(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    started: StartedCall<'_>,
    time_limit: SignedDuration,
) -> Result<CallInstructions, Error> {
    let StartedCall { parties, terms, mut call, exhausted } = started;
    let reason = call.recorded.rejection;
    let start = call.start_time;
    let started = terms.filter(|_| reason.is_none()).map(|terms| {
        let facts = &call.recorded.facts;
        LiveCall::start(IvrContext { terms, facts }, start)
    });
    let (live, actions) = match started {
        Some((mut live, actions)) if live.outcome().is_none() => {
            live.set_server_time(context.now);
            (Some(live), actions)
        }
        Some((live, actions)) => {
            live.finish_into(start, None, &mut call.recorded);
            (None, actions)
        }
        None => {
            call.recorded.facts.duration = Some(0);
            call.recorded.facts.connect_duration = Some(0);
            (None, vec![Action::Hangup])
        }
    };
    if live.is_none() {
        call.ended_at = Some(start);
    }
    // The server generates the external id of a live call, so no later request can repeat it and no
    // fingerprint is needed.
    call.id = unit.insert_call(&call, &[])?;
    if let Some(live) = &live {
        // Time limits use the system clock, also in a sandbox.
        let deadline = context.system_now.saturating_add(time_limit).unwrap_or(Timestamp::MAX);
        unit.insert_live_call(&call, live, deadline, terms.and_then(budgets::max_payin))?;
    }
    let mut writes = PendingWrites::for_call_at(start);
    budgets::push_rejection_alerts(unit, context, &mut writes, &parties.campaign, exhausted)?;
    count_toward_call_budgets(unit, context, &mut writes, parties, terms, &call)?;
    let affiliate = parties.affiliate.as_ref().map(|affiliate| affiliate.external_id.as_str());
    let settlement_context = SettlementContext { campaign: &parties.campaign, terms, affiliate };
    writes.push_event(
        "call.started",
        audience_of(&settlement_context, &call),
        event_data(&settlement_context, &call),
    );
    let outcome = match live {
        Some(_) => None,
        None => Some(settle_ended_call(unit, context, &mut writes, &settlement_context, &call)?),
    };
    writes.write(unit, context)?;
    Ok(CallInstructions { id: call.id, outcome, reason, actions })
}

/// Applies an event to a live call. The same event with the same sequence number gets the same
/// answer again. A rejected event changes nothing.
pub fn apply_event(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: CallId,
    submitted: Submission<CallEventReport>,
) -> Result<CallInstructions, Error> {
    let Submission { change: report, mut problems } = submitted;
    let record = crate::call_log::get(unit, context, id)?.record;
    context.principal.ensure_can_write_party(PartyKind::Advertiser, record.advertiser_id)?;
    if report.event.is_none() && problems.is_empty() {
        problems.property("event").add(BLANK);
    }
    let report_json = json!(report);
    if let Some(sequence) = report.sequence.filter(|_| report.event.is_some())
        && let Some(AnsweredEvent { event, answer }) = unit.call_event(id, sequence)?
    {
        if event != report_json {
            problems.property("sequence").add("was used for another event");
        }
        let answer = problems.into_result(answer)?;
        let instructions = serde_json::from_value(answer);
        return instructions.map_err(|error| {
            Error::Internal(format!("cannot parse a stored answer to a call event: {error}"))
        });
    }
    let Some(mut live) = record.live else {
        if !problems.has_problem("event") {
            problems.property("event").add("cannot happen: the call is over");
        }
        return Err(problems.into());
    };
    let mut call = record.call;
    let sequence = event_sequence(&report, &live, &mut problems);
    let at = event_time(context, &report, &live, call.start_time, &mut problems);
    let terms = terms_of(unit, &call)?;
    let ivr_context = IvrContext { terms: &terms, facts: &call.recorded.facts };
    let hang_up = match &report.event {
        Some(CallEvent::DestinationHungUp) => Some(CallEnd::DestinationHungUp),
        Some(CallEvent::Event(Event::HungUp)) => Some(CallEnd::CallerHungUp),
        _ => None,
    };
    let actions = report
        .event
        .and_then(|event| apply_to_ivr(&mut live, ivr_context, event, at, &mut problems));
    let actions = problems.into_result(actions.unwrap_or_default())?;
    live.sequence = Some(sequence);
    let outcome = if live.outcome().is_some() {
        Some(end_call(unit, context, &mut call, &terms, (live, hang_up))?)
    } else {
        unit.update_live_call(call.id, &live)?;
        None
    };
    let instructions = CallInstructions { id, outcome, reason: None, actions };
    unit.insert_call_event(id, sequence, at, &report_json, &json!(instructions))?;
    Ok(instructions)
}

/// Checks and returns an event's sequence number. The first is 0 or 1; each later one is the
/// previous plus 1.
fn event_sequence(report: &CallEventReport, live: &LiveCall, problems: &mut Problems) -> u32 {
    let next = live.sequence.map_or(1, |last| last.saturating_add(1));
    let sequence = report.sequence.unwrap_or(next);
    let is_first = live.sequence.is_none() && sequence == 0;
    if sequence != next && !is_first {
        problems.property("sequence").add(format!("is out of order: the next one is {next}"));
    }
    sequence
}

/// Checks and returns the time of an event. Times are reported with a resolution of one second, so
/// an event within the second of the previous event gets the time of that event.
fn event_time(
    context: &Context,
    report: &CallEventReport,
    live: &LiveCall,
    start: Timestamp,
    problems: &mut Problems,
) -> Timestamp {
    let previous = live.last_event_at;
    let at = report.at.unwrap_or_else(|| live.time_of_event(context.now));
    if at.as_second() < previous.as_second() {
        problems.property("at").add("must not be before the event before it");
    }
    if at.duration_since(start) > MAX_EVENT_OFFSET {
        problems.property("at").add("must be within 31 days of the start");
    }
    at.max(previous)
}

fn apply_to_ivr(
    live: &mut LiveCall,
    ivr_context: IvrContext<'_>,
    event: CallEvent,
    at: Timestamp,
    problems: &mut Problems,
) -> Option<Vec<Action>> {
    if let CallEvent::Event(Event::ConnectedTo(number)) = &event
        && live.position.state == NodeState::Dialling
        && !is_ringing(ivr_context, &live.position, number)
    {
        problems.property("destination_phone_number").add("is not ringing");
        return None;
    }
    let result = match event {
        CallEvent::Event(event) => live.apply_event(ivr_context, event, at),
        CallEvent::DestinationHungUp if live.connected_at.is_none() => {
            problems.property("event").add("cannot happen now: no destination has answered");
            return None;
        }
        CallEvent::DestinationHungUp => live.apply_event(ivr_context, Event::HungUp, at),
        CallEvent::PromptFinished => live.finish_prompt(at).map(|()| Vec::new()),
    };
    match result {
        Ok(actions) => Some(actions),
        Err(_) => {
            problems.property("event").add("cannot happen now");
            None
        }
    }
}

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
fn end_call(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    call: &mut Call,
    terms: &Terms,
    (live, hang_up): (LiveCall, Option<CallEnd>),
) -> Result<Outcome, Error> {
    call.ended_at = Some(live.last_event_at);
    live.finish_into(call.start_time, hang_up, &mut call.recorded);
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
fn settle_ended_call(
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

fn event_data(settlement_context: &SettlementContext<'_>, call: &Call) -> Value {
    json!({
        "call_id": call.id.to_string(),
        "complete_call_id": call.complete_call_id,
        "advertiser_campaign": settlement_context.campaign.external_id,
        "affiliate": settlement_context.affiliate,
        "start_time": call.start_time.to_string(),
    })
}

fn audience_of(settlement_context: &SettlementContext<'_>, call: &Call) -> EventAudience {
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
