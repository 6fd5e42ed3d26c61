//! Live calls: start, events, and end. An ended call is settled once, by the terms that were in
//! force at its start.

use crate::batch_lookups::BatchLookups;
use crate::call_parties::CallParties;
use crate::calls::{check_admission, count_toward_call_budgets, end_of_second, is_repeat_caller};
use crate::events::EventAudience;
use crate::idempotency::{IdempotencyKey, store_answer, stored_answer};
use crate::pending_writes::PendingWrites;
use crate::settlement::{SettlementContext, post_settlement};
use crate::{Actor, Caller, Context, Error, Session, Submitted};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trunkline_domain::call::{Call, CallFacts, Heard, Live, Outcome, TurnedAway};
use trunkline_domain::campaign::Terms;
use trunkline_domain::ivr::run::{Action, Event, Flow};
use trunkline_domain::party::{PartyKind, check_custom_data};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, Problems};

/// Maximum time between the start of a call and an event of it.
const MAX_EVENT_OFFSET: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Call that is about to start, as the API client reports it.
#[derive(Debug, Clone, Default)]
pub struct Incoming {
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

/// Server-side parameters of a call that starts.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// `complete_call_id` of the call.
    pub name: String,
    /// Time after which the call is ended if no event ended it.
    pub time_limit: SignedDuration,
}

/// Instructions to the telephony edge: the next actions, or the outcome of an ended call.
/// Serialized answers are stored, so that a repeated event gets the same answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Orders {
    /// Id of the call.
    pub id: i64,
    /// Outcome; `None` while the call is live.
    pub outcome: Option<Outcome>,
    /// Reason for turning the call away.
    pub reason: Option<TurnedAway>,
    /// Actions to perform, in order.
    pub actions: Vec<Action>,
}

/// Event of a live call that the telephony edge reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
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
pub struct Told {
    /// Event; `None` if the request does not contain a valid one.
    pub happening: Option<Happening>,
    /// Time of the event, to the second; now by default.
    pub at: Option<Timestamp>,
    /// Sequence number of the event; the next number by default.
    #[serde(skip)]
    pub sequence: Option<u32>,
}

/// Starts a call. A request with the same idempotency key within 24 hours gets the first answer
/// again.
pub fn start(
    session: &mut Session<'_>,
    context: &Context,
    submitted: Submitted<Incoming>,
    params: Fresh,
    key: Option<&IdempotencyKey>,
) -> Result<Orders, Error> {
    if let Some(answer) = stored_answer(session, context, key)? {
        return Ok(answer);
    }
    let Submitted { change: incoming, mut problems } = submitted;
    let names_campaign = incoming.campaign.is_some() || incoming.promo_number.is_some();
    if !names_campaign && !problems.has("advertiser_campaign") && !problems.has("promo_number") {
        problems.at("advertiser_campaign").add(BLANK);
    }
    if let Some(data) = &incoming.facts.custom_data {
        let fields = session.custom_data_fields(context.caller.network_id)?;
        problems.at("custom_data").merge(check_custom_data(data, None, &fields));
    }
    problems.or(())?;
    let parties = resolve_parties(session, context, &incoming)?;
    context.caller.ensure_can_write_party(PartyKind::Advertiser, parties.campaign.advertiser_id)?;
    let start = incoming.facts.start_time.unwrap_or(context.now);
    let lookups = &mut BatchLookups::default();
    let current = lookups.terms_at(session, parties.campaign.id, end_of_second(start))?;
    let current = current.as_deref();
    let writes = &mut PendingWrites::for_call_at(start);
    let turned_away = check_admission(session, lookups, writes, &parties, current, start, true)?;
    let mut facts = incoming.facts;
    facts.start_time = Some(start);
    let terms = current.map(|current| &current.terms);
    facts.repeat = is_repeat_caller(session, lookups, parties.campaign.id, terms, &facts, start)?;
    // No text message was sent to this caller before the call.
    facts.sms_sent = Some(false);
    let facts = parties.fill_in_facts(facts);
    let call = Call {
        id: 0,
        network_id: context.caller.network_id,
        campaign_id: parties.campaign.id,
        affiliate_id: parties.affiliate.as_ref().map(|affiliate| affiliate.id),
        promo_number_id: parties.promo_number.as_ref().map(|number| number.id),
        external_id: params.name.clone(),
        complete_call_id: params.name,
        terms_id: current.map(|current| current.id),
        start_time: start,
        heard: Heard {
            facts,
            keys: Vec::new(),
            events: Vec::new(),
            turned_away,
            by_affiliate: parties.affiliate.is_some(),
            destination_phone_number: None,
        },
        created_at: context.now,
        ended_at: None,
    };
    let instructions =
        store_started_call(session, context, &parties, terms, call, params.time_limit)?;
    store_answer(session, context, key, &instructions)?;
    Ok(instructions)
}

fn resolve_parties(
    session: &mut Session<'_>,
    context: &Context,
    incoming: &Incoming,
) -> Result<CallParties, Error> {
    let affiliate = incoming.affiliate.as_deref();
    match (&incoming.campaign, incoming.promo_number.as_ref()) {
        (None, Some(number)) => {
            CallParties::resolve_by_promo_number(session, context, affiliate, number)
        }
        (campaign, number) => {
            let campaign = campaign.as_deref().unwrap_or_default();
            CallParties::resolve(session, context, campaign, affiliate, number)
        }
    }
}

/// Stores a call that starts, adds it to the budgets and starts its IVR tree. A call that was
/// turned away, or that the tree ends at once, is stored as ended and settled.
fn store_started_call(
    session: &mut Session<'_>,
    context: &Context,
    parties: &CallParties,
    terms: Option<&Terms>,
    mut call: Call,
    time_limit: SignedDuration,
) -> Result<Orders, Error> {
    let reason = call.heard.turned_away;
    let start = call.start_time;
    let started = terms.filter(|_| reason.is_none()).map(|terms| {
        let facts = &call.heard.facts;
        Live::start(Flow { terms, facts }, start)
    });
    let (live, actions) = match started {
        Some((live, actions)) if live.outcome().is_none() => (Some(live), actions),
        Some((live, actions)) => {
            live.close(start, &mut call.heard);
            (None, actions)
        }
        None => {
            call.heard.facts.duration = Some(0);
            call.heard.facts.connect_duration = Some(0);
            (None, vec![Action::Hangup])
        }
    };
    if live.is_none() {
        call.ended_at = Some(start);
    }
    // The server generates the external id of a live call, so no later request can repeat it and no
    // fingerprint is needed.
    call.id = session.insert_call(&call, &[])?;
    if let Some(live) = &live {
        // Time limits use the system clock, also in a sandbox.
        let deadline = context.system_now.saturating_add(time_limit).unwrap_or(Timestamp::MAX);
        session.insert_live_call(&call, live, deadline)?;
    }
    let mut writes = PendingWrites::for_call_at(start);
    count_toward_call_budgets(session, context, &mut writes, parties, terms, &call)?;
    let affiliate = parties.affiliate.as_ref().map(|affiliate| affiliate.id_from_network.as_str());
    let settlement_context = SettlementContext { campaign: &parties.campaign, terms, affiliate };
    writes.push_event(
        "call.started",
        audience_of(&settlement_context, &call),
        event_data(&settlement_context, &call),
    );
    let outcome = match live {
        Some(_) => None,
        None => Some(settle_ended_call(session, context, &mut writes, &settlement_context, &call)?),
    };
    writes.write(session, context)?;
    Ok(Orders { id: call.id, outcome, reason, actions })
}

/// Applies an event to a live call. The same event with the same sequence number gets the same
/// answer again. A rejected event changes nothing.
pub fn hear(
    session: &mut Session<'_>,
    context: &Context,
    id: i64,
    submitted: Submitted<Told>,
) -> Result<Orders, Error> {
    let Submitted { change: report, mut problems } = submitted;
    let record = crate::call_log::get(session, context, id)?.record;
    context.caller.ensure_can_write_party(PartyKind::Advertiser, record.advertiser_id)?;
    if report.happening.is_none() && problems.is_empty() {
        problems.at("event").add(BLANK);
    }
    let report_json = json!(report);
    if let Some(sequence) = report.sequence.filter(|_| report.happening.is_some())
        && let Some((stored, answer)) = session.call_event(id, sequence)?
    {
        if stored != report_json {
            problems.at("sequence").add("was used for another event");
        }
        let answer = problems.or(answer)?;
        let instructions = serde_json::from_value(answer);
        return instructions.map_err(|error| {
            Error::Internal(format!("cannot parse a stored answer to a call event: {error}"))
        });
    }
    let Some(mut live) = record.live else {
        if !problems.has("event") {
            problems.at("event").add("cannot happen: the call is over");
        }
        return Err(problems.into());
    };
    let mut call = record.call;
    let sequence = event_sequence(&report, &live, &mut problems);
    let at = event_time(context, &report, &live, call.start_time, &mut problems);
    let terms = terms_of(session, &call)?;
    let flow = Flow { terms: &terms, facts: &call.heard.facts };
    let actions =
        report.happening.and_then(|event| apply_to_ivr(&mut live, flow, event, at, &mut problems));
    let actions = problems.or(actions.unwrap_or_default())?;
    live.sequence = Some(sequence);
    let outcome = if live.outcome().is_some() {
        Some(end_call(session, context, &mut call, &terms, live)?)
    } else {
        session.update_live_call(call.id, &live)?;
        None
    };
    let instructions = Orders { id, outcome, reason: None, actions };
    session.insert_call_event(id, sequence, at, &report_json, &json!(instructions))?;
    Ok(instructions)
}

/// Checks and returns an event's sequence number. The first is 0 or 1; each later one is the
/// previous plus 1.
fn event_sequence(report: &Told, live: &Live, problems: &mut Problems) -> u32 {
    let next = live.sequence.map_or(1, |last| last.saturating_add(1));
    let sequence = report.sequence.unwrap_or(next);
    let is_first = live.sequence.is_none() && sequence == 0;
    if sequence != next && !is_first {
        problems.at("sequence").add(format!("is out of order: the next one is {next}"));
    }
    sequence
}

/// Checks and returns the time of an event. Times are reported with a resolution of one second, so
/// an event within the second of the previous event gets the time of that event.
fn event_time(
    context: &Context,
    report: &Told,
    live: &Live,
    start: Timestamp,
    problems: &mut Problems,
) -> Timestamp {
    let previous = live.heard_at;
    let at = report.at.unwrap_or(context.now.max(previous));
    if at.as_second() < previous.as_second() {
        problems.at("at").add("must not be before the event before it");
    }
    if at.duration_since(start) > MAX_EVENT_OFFSET {
        problems.at("at").add("must be within 31 days of the start");
    }
    at.max(previous)
}

fn apply_to_ivr(
    live: &mut Live,
    flow: Flow<'_>,
    event: Happening,
    at: Timestamp,
    problems: &mut Problems,
) -> Option<Vec<Action>> {
    let result = match event {
        Happening::Event(event) => live.hear(flow, event, at),
        Happening::DestinationHungUp if live.connected_at.is_none() => {
            problems.at("event").add("cannot happen now: no destination has answered");
            return None;
        }
        Happening::DestinationHungUp => live.hear(flow, Event::HungUp, at),
        Happening::PromptFinished => live.finish_speaking(at).map(|()| Vec::new()),
    };
    match result {
        Ok(actions) => Some(actions),
        Err(_) => {
            problems.at("event").add("cannot happen now");
            None
        }
    }
}

fn terms_of(session: &mut Session<'_>, call: &Call) -> Result<Terms, Error> {
    let terms = match call.terms_id {
        Some(id) => session.terms_by_id(id)?,
        None => None,
    };
    terms.ok_or_else(|| Error::Internal(format!("live call {} has no terms", call.id)))
}

/// Stores a live call as ended, and settles it.
fn end_call(
    session: &mut Session<'_>,
    context: &Context,
    call: &mut Call,
    terms: &Terms,
    live: Live,
) -> Result<Outcome, Error> {
    call.ended_at = Some(live.heard_at);
    live.close(call.start_time, &mut call.heard);
    session.update_call(call)?;
    session.delete_live_call(call.id)?;
    let missing = || Error::Internal(format!("call {} has no campaign", call.id));
    let campaign = session.campaign_by_id(call.campaign_id)?.ok_or_else(missing)?;
    let affiliate = match call.affiliate_id {
        Some(id) => session.party_by_id(id)?,
        None => None,
    };
    let affiliate = affiliate.as_ref().map(|affiliate| affiliate.id_from_network.as_str());
    let settlement_context =
        SettlementContext { campaign: &campaign, terms: Some(terms), affiliate };
    let mut writes = PendingWrites::for_call_at(call.start_time);
    let outcome = settle_ended_call(session, context, &mut writes, &settlement_context, call)?;
    writes.write(session, context)?;
    Ok(outcome)
}

/// Settles an ended call and adds its `call.ended` event.
fn settle_ended_call(
    session: &mut Session<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    settlement_context: &SettlementContext<'_>,
    call: &Call,
) -> Result<Outcome, Error> {
    let row = post_settlement(session, context, writes, settlement_context, call, None)?;
    let missing = || Error::Internal(format!("call {} was not settled", call.id));
    let settlement = &writes.transaction(row).ok_or_else(missing)?.settlement;
    let outcome = settlement.outcome;
    let mut data = event_data(settlement_context, call);
    data["ended_at"] = json!(call.ended_at.map(|at| at.to_string()));
    data["outcome"] = json!(outcome);
    data["reason"] = json!(settlement.reason);
    data["duration"] = json!(call.heard.facts.duration);
    data["connect_duration"] = json!(settlement.connect_duration);
    writes.push_event("call.ended", audience_of(settlement_context, call), data);
    Ok(outcome)
}

fn event_data(settlement_context: &SettlementContext<'_>, call: &Call) -> Value {
    json!({
        "call_id": call.id,
        "complete_call_id": call.complete_call_id,
        "advertiser_campaign": settlement_context.campaign.id_from_network,
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

/// Returns at most `limit` live calls that exceeded their time limit: network id and call id.
pub fn overdue(
    session: &mut Session<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<(i64, i64)>, Error> {
    Ok(session.overdue_calls(now, limit)?)
}

/// Ends a call that exceeded its time limit, as if the caller had hung up at the time of the last
/// event. Does nothing if the call has ended already.
pub fn give_up(
    session: &mut Session<'_>,
    now: Timestamp,
    (network_id, id): (i64, i64),
) -> Result<(), Error> {
    if !session.is_overdue(id, now)? {
        return Ok(());
    }
    let caller = Caller { network_id, actor: Actor::CommandLine, grants: Vec::new() };
    let clock = session.network(network_id)?.map_or(now, |network| network.now(now));
    let request_id = "time limit".to_owned();
    let context = Context { caller, now: clock, system_now: now, request_id };
    let missing = || Error::Internal(format!("live call {id} cannot be found"));
    let mut call = session.call_by_id(network_id, id)?.ok_or_else(missing)?;
    let mut live = session.live_call(id)?.ok_or_else(missing)?;
    let terms = terms_of(session, &call)?;
    let flow = Flow { terms: &terms, facts: &call.heard.facts };
    let at = live.heard_at;
    live.hear(flow, Event::HungUp, at).map_err(|error| Error::Internal(error.to_string()))?;
    end_call(session, &context, &mut call, &terms, live)?;
    Ok(())
}
