//! Calls under way: they start, things happen to them, and at their end they are settled, once, by
//! the terms that were in force at their start.

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

/// How long after its start something can happen to a call.
const MAX_EVENT_DELAY: SignedDuration = SignedDuration::from_hours(31 * 24);

/// A call that comes in now.
#[derive(Debug, Clone, Default)]
pub struct Incoming {
    /// The network's id of the campaign; the promo number's, when it is not said.
    pub campaign: Option<String>,
    /// The network's id of the affiliate that brings it; the promo number's, when it is not said.
    pub affiliate: Option<String>,
    /// The promo number it comes in by.
    pub promo_number: Option<PhoneNumber>,
    /// What is known of it; it starts now unless that is said.
    pub facts: CallFacts,
}

/// What a call that starts is given.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// Its complete_call_id.
    pub name: String,
    /// How long it may be left hanging.
    pub time_limit: SignedDuration,
}

/// What an edge is told: what to do next, or how the call went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Orders {
    /// The call, ours.
    pub id: i64,
    /// How it went; `None` while it is under way.
    pub outcome: Option<Outcome>,
    /// Why it was turned away.
    pub reason: Option<TurnedAway>,
    /// What to do, in order.
    pub actions: Vec<Action>,
}

/// What an edge heard.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// Something that moves the call.
    Event(Event),
    /// The destination hung up.
    DestinationHungUp,
    /// What was to be said has been said.
    PromptFinished,
}

/// An edge tells what happened to a call.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Told {
    /// What; `None` when that cannot be read.
    pub happening: Option<Happening>,
    /// When, to the second; now, when it is not said.
    pub at: Option<Timestamp>,
    /// Its number; the next one, when it is not said.
    #[serde(skip)]
    pub sequence: Option<u32>,
}

/// Starts a call. The same key within 24 hours gets the first answer again.
pub fn start(
    session: &mut Session<'_>,
    context: &Context,
    submitted: Submitted<Incoming>,
    fresh: Fresh,
    key: Option<&IdempotencyKey>,
) -> Result<Orders, Error> {
    if let Some(kept) = stored_answer(session, context, key)? {
        return Ok(kept);
    }
    let Submitted { change: told, mut problems } = submitted;
    let named = told.campaign.is_some() || told.promo_number.is_some();
    if !named && !problems.has("advertiser_campaign") && !problems.has("promo_number") {
        problems.at("advertiser_campaign").add(BLANK);
    }
    if let Some(data) = &told.facts.custom_data {
        let fields = session.custom_data_fields(context.caller.network_id)?;
        problems.at("custom_data").merge(check_custom_data(data, None, &fields));
    }
    problems.or(())?;
    let parties = resolve_parties(session, context, &told)?;
    context.caller.ensure_can_write_party(PartyKind::Advertiser, parties.campaign.advertiser_id)?;
    let start = told.facts.start_time.unwrap_or(context.now);
    let lookups = &mut BatchLookups::default();
    let current = lookups.terms_at(session, parties.campaign.id, end_of_second(start))?;
    let current = current.as_deref();
    let turned_away = check_admission(
        session,
        lookups,
        &mut PendingWrites::for_call_at(start),
        &parties,
        (current, start, true),
    )?;
    let mut facts = told.facts;
    facts.start_time = Some(start);
    let terms = current.map(|current| &current.terms);
    facts.repeat = is_repeat_caller(session, lookups, parties.campaign.id, terms, &facts, start)?;
    // Nothing was sent to this caller before the call.
    facts.sms_sent = Some(false);
    let facts = parties.fill_in_facts(facts);
    let call = Call {
        id: 0,
        network_id: context.caller.network_id,
        campaign_id: parties.campaign.id,
        affiliate_id: parties.affiliate.as_ref().map(|affiliate| affiliate.id),
        promo_number_id: parties.promo_number.as_ref().map(|number| number.id),
        external_id: fresh.name.clone(),
        complete_call_id: fresh.name,
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
    let orders = store_started_call(session, context, &parties, terms, call, fresh.time_limit)?;
    store_answer(session, context, key, &orders)?;
    Ok(orders)
}

fn resolve_parties(
    session: &mut Session<'_>,
    context: &Context,
    told: &Incoming,
) -> Result<CallParties, Error> {
    let (affiliate, number) = (told.affiliate.as_deref(), told.promo_number.as_ref());
    match (&told.campaign, number) {
        (None, Some(number)) => {
            CallParties::resolve_by_promo_number(session, context, affiliate, number)
        }
        (campaign, number) => {
            let campaign = campaign.as_deref().unwrap_or_default();
            CallParties::resolve(session, context, campaign, affiliate, number)
        }
    }
}

/// Stores a call that starts, counts it, and sends it into its tree. One that is turned away, or
/// that its tree ends at once, is over.
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
    // The name is the call's own, so no request can be taken for it.
    call.id = session.insert_call(&call, &[])?;
    if let Some(live) = &live {
        // Sweeps go by the system's clock, whatever a sandbox's says.
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

/// Takes what happened to a call. The same again, under the same number, gets the same answer;
/// what is refused moves nothing.
pub fn hear(
    session: &mut Session<'_>,
    context: &Context,
    id: i64,
    submitted: Submitted<Told>,
) -> Result<Orders, Error> {
    let Submitted { change: told, mut problems } = submitted;
    let seen = crate::call_log::get(session, context, id)?.record;
    context.caller.ensure_can_write_party(PartyKind::Advertiser, seen.advertiser_id)?;
    if told.happening.is_none() && problems.is_empty() {
        problems.at("event").add(BLANK);
    }
    let told_again = json!(told);
    if let Some(sequence) = told.sequence.filter(|_| told.happening.is_some())
        && let Some((known, answer)) = session.call_event(id, sequence)?
    {
        if known != told_again {
            problems.at("sequence").add("was used for another event");
        }
        let answer = problems.or(answer)?;
        let read = serde_json::from_value(answer);
        return read.map_err(|error| Error::Internal(format!("call event: {error}")));
    }
    let Some(mut live) = seen.live else {
        if !problems.has("event") {
            problems.at("event").add("cannot happen: the call is over");
        }
        return Err(problems.into());
    };
    let mut call = seen.call;
    let sequence = event_sequence(&told, &live, &mut problems);
    let at = event_time(context, &told, &live, call.start_time, &mut problems);
    let terms = terms_of(session, &call)?;
    let flow = Flow { terms: &terms, facts: &call.heard.facts };
    let actions =
        told.happening.and_then(|it| apply_to_ivr(&mut live, flow, it, at, &mut problems));
    let actions = problems.or(actions.unwrap_or_default())?;
    live.sequence = Some(sequence);
    let outcome = if live.outcome().is_some() {
        Some(end_call(session, context, &mut call, &terms, live)?)
    } else {
        session.update_live_call(call.id, &live)?;
        None
    };
    let orders = Orders { id, outcome, reason: None, actions };
    session.insert_call_event(id, sequence, at, &told_again, &json!(orders))?;
    Ok(orders)
}

/// An event's number: the first is 0 or 1, and then each follows the one before it.
fn event_sequence(told: &Told, live: &Live, problems: &mut Problems) -> u32 {
    let next = live.sequence.map_or(1, |last| last.saturating_add(1));
    let said = told.sequence.unwrap_or(next);
    let first = live.sequence.is_none() && said == 0;
    if said != next && !first {
        problems.at("sequence").add(format!("is out of order: the next one is {next}"));
    }
    said
}

/// When an event happened. A time that is told to the second may be any moment in it, so one within
/// the second of the event before it is as late as that.
fn event_time(
    context: &Context,
    told: &Told,
    live: &Live,
    start: Timestamp,
    problems: &mut Problems,
) -> Timestamp {
    let before = live.heard_at;
    let at = told.at.unwrap_or(context.now.max(before));
    if at.as_second() < before.as_second() {
        problems.at("at").add("must not be before the event before it");
    }
    if at.duration_since(start) > MAX_EVENT_DELAY {
        problems.at("at").add("must be within 31 days of the start");
    }
    at.max(before)
}

fn apply_to_ivr(
    live: &mut Live,
    flow: Flow<'_>,
    it: Happening,
    at: Timestamp,
    problems: &mut Problems,
) -> Option<Vec<Action>> {
    let moved = match it {
        Happening::Event(event) => live.hear(flow, event, at),
        Happening::DestinationHungUp if live.connected_at.is_none() => {
            problems.at("event").add("cannot happen now: no destination has answered");
            return None;
        }
        Happening::DestinationHungUp => live.hear(flow, Event::HungUp, at),
        Happening::PromptFinished => live.finish_speaking(at).map(|()| Vec::new()),
    };
    match moved {
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

/// A call that was under way is over: stored as it went, and settled.
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

/// Settles a call that is over, and tells of its end.
fn settle_ended_call(
    session: &mut Session<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    settlement_context: &SettlementContext<'_>,
    call: &Call,
) -> Result<Outcome, Error> {
    let row = post_settlement(session, context, writes, settlement_context, (call, None))?;
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

/// Calls that were left hanging: network and our id, at most `limit`.
pub fn overdue(
    session: &mut Session<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<(i64, i64)>, Error> {
    Ok(session.overdue_calls(now, limit)?)
}

/// Ends a call that was left hanging, as if it had been hung up at the last thing that was heard of
/// it. Does nothing when it is over by now, whoever ended it.
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
