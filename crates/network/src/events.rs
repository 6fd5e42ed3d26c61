//! What happens in a network, told to those who listen: written in the unit of work that made it
//! happen, so that nothing is told that did not happen, and nothing that did is left out. What each
//! event tells is in `docs/events.md`.

use crate::{Caller, Context, Error, Page, Session, outbox};
use serde_json::Value;
use trunkline_domain::event::BUDGET_ALERT;
use trunkline_domain::party::PartyKind;
use trunkline_store::{EventRecord, IdsWanted, NewEvent};

/// What an advertiser's own events don't tell it, at any depth.
const NOT_FOR_ADVERTISERS: [&str; 2] = ["affiliate_payout", "margin"];
/// What an affiliate's own events don't tell it, at any depth.
const NOT_FOR_AFFILIATES: [&str; 4] =
    ["advertiser_payin", "margin", "calling_phone_number", "destination_phone_number"];

/// EventAudience business an event is, besides the network's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventAudience {
    /// The advertiser, ours.
    pub(crate) advertiser: Option<i64>,
    /// The affiliate, ours.
    pub(crate) affiliate: Option<i64>,
}

/// Writes an event, and what is to be sent of it. `data` is all that is told of it; what a party may
/// not see is left out when it is told.
pub(crate) fn emit(
    session: &mut Session<'_>,
    context: &Context,
    kind: &str,
    audience: EventAudience,
    data: Value,
) -> Result<(), Error> {
    let event = new_event(context, 0, kind, audience, data);
    let id = session.insert_event(&event, context.system_now)?;
    outbox::enqueue_deliveries(session, context, std::iter::once((id, kind)))
}

/// As [`emit`], for many events of a kind at once, in their order.
pub(crate) fn emit_all(
    session: &mut Session<'_>,
    context: &Context,
    kind: &str,
    events: Vec<(EventAudience, Value)>,
) -> Result<(), Error> {
    let wanted = IdsWanted { events: events.len(), ..IdsWanted::default() };
    let first = session.next_ids(wanted)?.event;
    let events = (first..).zip(events);
    let events = events.map(|(id, (audience, data))| new_event(context, id, kind, audience, data));
    let events: Vec<NewEvent<'_>> = events.collect();
    session.insert_events(&events, context.system_now)?;
    outbox::enqueue_deliveries(session, context, events.iter().map(|event| (event.id, kind)))
}

fn new_event<'k>(
    context: &Context,
    id: i64,
    kind: &'k str,
    audience: EventAudience,
    data: Value,
) -> NewEvent<'k> {
    NewEvent {
        id,
        network_id: context.caller.network_id,
        at: context.now,
        kind,
        advertiser_id: audience.advertiser,
        affiliate_id: audience.affiliate,
        data: data.to_string(),
    }
}

/// A page of events.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// What the caller may know of them.
    pub found: Vec<EventRecord>,
    /// The last one looked at, whoever's it is; where the next page goes on.
    pub last: i64,
    /// Whether the page was full.
    pub more: bool,
}

/// A page of what happened after an event, as the caller may know it.
pub fn after(session: &mut Session<'_>, context: &Context, page: Page) -> Result<EventPage, Error> {
    let events = session.events(context.caller.network_id, page)?;
    let last = events.last().map_or(page.after, |event| event.id);
    let more = events.len() == page.limit as usize;
    let known = |mut event: EventRecord| {
        for name in hidden_properties(&context.caller, &event)? {
            redact(&mut event.data, name);
        }
        Some(event)
    };
    Ok(EventPage { found: events.into_iter().filter_map(known).collect(), last, more })
}

/// Where a listener goes on: after the event that it names, but not after what is yet to happen;
/// without a name, after the newest.
pub fn start(
    session: &mut Session<'_>,
    context: &Context,
    named: Option<i64>,
) -> Result<i64, Error> {
    let newest = session.last_event(context.caller.network_id)?;
    Ok(named.map_or(newest, |named| named.min(newest)))
}

/// What of an event the caller may not know; `None` when it is none of their business. Somebody
/// with places on both sides knows what either knows.
fn hidden_properties(caller: &Caller, event: &EventRecord) -> Option<Vec<&'static str>> {
    if caller.sees_network() {
        return Some(Vec::new());
    }
    let is_own = |kind, id: Option<i64>| id.is_some_and(|id| caller.sees(kind, id));
    let advertiser = is_own(PartyKind::Advertiser, event.advertiser_id);
    let affiliate = is_own(PartyKind::Affiliate, event.affiliate_id) && event.kind != BUDGET_ALERT;
    match (advertiser, affiliate) {
        (false, false) => None,
        (true, false) => Some(NOT_FOR_ADVERTISERS.to_vec()),
        (false, true) => Some(NOT_FOR_AFFILIATES.to_vec()),
        (true, true) => {
            let both = |name: &&str| NOT_FOR_AFFILIATES.contains(name);
            Some(NOT_FOR_ADVERTISERS.into_iter().filter(both).collect())
        }
    }
}

fn redact(value: &mut Value, name: &str) {
    match value {
        Value::Object(map) => {
            map.shift_remove(name);
            map.values_mut().for_each(|value| redact(value, name));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| redact(value, name)),
        _ => {}
    }
}
