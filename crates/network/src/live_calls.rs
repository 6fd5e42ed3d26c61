//! Live calls: start, events, and end. An ended call is settled once, by the terms that were in
//! force at its start.

use crate::batch_lookups::BatchLookups;
use crate::budgets::{self, AdmissionRequest, BudgetStatus};
use crate::call_ids::{find_by_external_id, first_instructions};
use crate::call_parties::{CallAddress, CallMoment, CallParties};
use crate::calls::{check_admission, count_toward_call_budgets, end_of_second, is_repeat_caller};
use crate::idempotency::{IdempotencyKey, store_answer, stored_answer};
use crate::live_call_ends::{audience_of, end_call, event_data, settle_ended_call, terms_of};
use crate::pending_writes::PendingWrites;
use crate::settlement::SettlementContext;
use crate::{Context, Error, Submission, UnitOfWork};
use crate::{late_call_events, recordings, unknown_area_codes};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use trunkline_domain::call::{Call, CallDirection, CallEnd, CallFacts, LiveCall, RecordedFacts};
use trunkline_domain::campaign::Terms;
use trunkline_domain::id::CallId;
use trunkline_domain::ivr::CallerIdSetting;
use trunkline_domain::ivr::dialling::is_ringing;
use trunkline_domain::ivr::run::{Action, Event, IvrContext, NodeState};
use trunkline_domain::party::{PartyKind, check_custom_data};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, Problems};

pub use crate::call_events::{CallEvent, CallEventReport, CallInstructions};
pub use crate::live_call_ends::{overdue_calls, time_out};

/// Time after which a call ends whose edge has reported that it is alive and then falls silent.
const HEARTBEAT_TIMEOUT: SignedDuration = SignedDuration::from_mins(5);
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
    /// Id that the edge gave the call, unique for the advertiser.
    pub external_id: Option<String>,
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

/// Adds the problems of a starting call: it names neither a campaign nor a promo number, or its custom
/// data is invalid.
fn check_start(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    incoming: &IncomingCall,
    mut problems: Problems,
) -> Result<(), Error> {
    let is_named = incoming.campaign.is_some()
        || incoming.promo_number.is_some()
        || problems.has_problem("advertiser_campaign")
        || problems.has_problem("promo_number");
    if !is_named {
        problems.property("advertiser_campaign").add(BLANK);
    }
    if let Some(data) = &incoming.facts.custom_data {
        let fields = unit.custom_data_fields(context.principal.network_id)?;
        problems.property("custom_data").merge(check_custom_data(data, None, &fields));
    }
    Ok(problems.into_result(())?)
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
    let Submission { change: incoming, problems } = submitted;
    check_start(unit, context, &incoming, problems)?;
    let moment = incoming.moment(context.now);
    let lookups = &mut BatchLookups::at(moment);
    let parties = CallParties::resolve(unit, context, lookups, incoming.address(), moment)?.value;
    context
        .principal
        .ensure_can_write_party(PartyKind::Advertiser, parties.campaign.advertiser_id)?;
    if let Some(id) = &incoming.external_id
        && let Some(record) = find_by_external_id(unit, context, &parties.campaign, id)?
    {
        return first_instructions(unit, record, parties.campaign.id, &incoming.facts);
    }
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
        external_id: incoming.external_id.unwrap_or_else(|| params.complete_call_id.clone()),
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
    let (live, mut actions) = match started {
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
    if let Some(terms) = terms {
        let held = parties.promo_number.as_ref().map(|held| &held.number);
        show_promo_number(&mut actions, terms, held);
    }
    if live.is_none() {
        call.ended_at = Some(start);
    }
    // A live call has no fingerprint: a later report of the call under its external id is the same call.
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

/// Applies an event to a live call. The same event with the same sequence number or the same id of the
/// edge gets the same answer again. A rejected event changes nothing. `time_limit` is the time after
/// which the call is ended if no further event arrives.
pub fn apply_event(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: CallId,
    submitted: Submission<CallEventReport>,
    time_limit: SignedDuration,
) -> Result<CallInstructions, Error> {
    let Submission { change: report, mut problems } = submitted;
    let record = crate::call_log::get(unit, context, id)?.record;
    context.principal.ensure_can_write_party(PartyKind::Advertiser, record.advertiser_id)?;
    if report.event.is_none() && problems.is_empty() {
        problems.property("event").add(BLANK);
    }
    if let Some(answer) = late_call_events::find_answer(unit, id, &report, &mut problems)? {
        return Ok(problems.into_result(answer)?);
    }
    let Some(mut live) = record.live.clone() else {
        return late_call_events::apply(unit, context, &record, (report, problems));
    };
    let report_json = json!(report);
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
    let recording_url = match &report.event {
        Some(CallEvent::Recording { url, .. }) => Some(url.clone()),
        _ => None,
    };
    live.measured.update(report.measured);
    let actions = report
        .event
        .and_then(|event| apply_to_ivr(&mut live, ivr_context, event, at, &mut problems));
    let mut actions = problems.into_result(actions.unwrap_or_default())?;
    let promo_number = record.promo_number.as_ref();
    show_promo_number(&mut actions, &terms, promo_number);
    if let Some(url) = recording_url {
        recordings::store_url(unit, context, id, &url)?;
    }
    live.sequence = Some(sequence);
    let outcome = if live.outcome().is_some() {
        Some(end_call(unit, context, &mut call, &terms, (live, hang_up))?)
    } else {
        let limit = if live.has_heartbeat { time_limit.min(HEARTBEAT_TIMEOUT) } else { time_limit };
        let deadline = context.system_now.saturating_add(limit).unwrap_or(Timestamp::MAX);
        unit.update_live_call(call.id, &live, deadline)?;
        None
    };
    let instructions = CallInstructions { id, outcome, reason: None, actions };
    unit.insert_call_event(id, sequence, at, &report_json, &json!(instructions))?;
    Ok(instructions)
}

/// Shows the promo number to the destination, if the tree says so.
fn show_promo_number(actions: &mut [Action], terms: &Terms, promo_number: Option<&PhoneNumber>) {
    let setting = terms.ivr_tree.as_ref().and_then(|tree| tree.caller_id.as_ref());
    if setting.is_none_or(|shown| shown.setting != CallerIdSetting::Promo) {
        return;
    }
    for action in actions {
        if let Action::Dial { caller_id, .. } = action {
            *caller_id = promo_number.map(|number| number.e164().to_owned());
        }
    }
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
        CallEvent::Alive => {
            live.has_heartbeat = true;
            live.last_event_at = at;
            Ok(Vec::new())
        }
        CallEvent::Recording { .. } | CallEvent::SmsSent | CallEvent::SmsFailed => {
            live.last_event_at = at;
            Ok(Vec::new())
        }
    };
    match result {
        Ok(actions) => Some(actions),
        Err(_) => {
            problems.property("event").add("cannot happen now");
            None
        }
    }
}
