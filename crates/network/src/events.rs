//! Events of a network. An event is written in the transaction of the change that it describes, so
//! each committed change has its event and no event describes a change that was rolled back.
//! `docs/events.md` lists the properties of each kind.

use crate::{Context, Error, Page, Principal, UnitOfWork, outbox};
use serde_json::Value;
use trunkline_domain::event::{BUDGET_ALERT, CAMPAIGN_STATUS_CHANGED};
use trunkline_domain::id::{AdvertiserId, AffiliateId, EventId};
use trunkline_domain::party::PartyKind;
use trunkline_store::{EventRecord, IdCounts, NewEvent};

/// Properties that are removed, at any depth, from the events that an advertiser receives.
const NOT_FOR_ADVERTISERS: [&str; 2] = ["affiliate_payout", "margin"];
/// Properties that are removed, at any depth, from the events that an affiliate receives.
const NOT_FOR_AFFILIATES: [&str; 4] =
    ["advertiser_payin", "margin", "calling_phone_number", "destination_phone_number"];

/// Parties that may see an event, besides the network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventAudience {
    /// Id of the advertiser.
    pub(crate) advertiser: Option<AdvertiserId>,
    /// Id of the affiliate.
    pub(crate) affiliate: Option<AffiliateId>,
}

/// Writes an event and enqueues its webhook deliveries. `data` is complete; properties that a party
/// may not see are removed when the event is read.
pub(crate) fn emit(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: &str,
    audience: EventAudience,
    data: Value,
) -> Result<(), Error> {
    let event = new_event(context, EventId::UNASSIGNED, kind, audience, data);
    let id = unit.insert_event(&event, context.system_now)?;
    outbox::enqueue_deliveries(unit, context, std::iter::once((id, kind)))
}

/// Writes several events of one kind, in the given order, with one statement per table.
pub(crate) fn emit_all(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: &str,
    events: Vec<(EventAudience, Value)>,
) -> Result<(), Error> {
    let needed = IdCounts { events: events.len(), ..IdCounts::default() };
    let first = unit.reserve_ids(needed)?.event;
    let events = events.into_iter().enumerate();
    let events = events.map(|(index, (audience, data))| {
        new_event(context, first.offset(index), kind, audience, data)
    });
    let events: Vec<NewEvent<'_>> = events.collect();
    unit.insert_events(&events, context.system_now)?;
    outbox::enqueue_deliveries(unit, context, events.iter().map(|event| (event.id, kind)))
}

fn new_event<'k>(
    context: &Context,
    id: EventId,
    kind: &'k str,
    audience: EventAudience,
    data: Value,
) -> NewEvent<'k> {
    NewEvent {
        id,
        network_id: context.principal.network_id,
        at: context.now,
        kind,
        advertiser_id: audience.advertiser,
        affiliate_id: audience.affiliate,
        data: data.to_string(),
    }
}

/// One page of events.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// Events that the principal may see, redacted.
    pub events: Vec<EventRecord>,
    /// Id of the last event that was examined, visible or not: the cursor of the next page.
    pub last_examined_id: EventId,
    /// `true` if the page was full, so that there may be more.
    pub is_full: bool,
}

/// Returns the page of events after an event that the principal may see, redacted.
pub fn list_after(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    page: Page,
) -> Result<EventPage, Error> {
    let events = unit.events(context.principal.network_id, page)?;
    let last = events.last().map_or(EventId::new(page.after), |event| event.id);
    let more = events.len() == page.limit as usize;
    let run_campaigns = run_campaigns(unit, context, &events)?;
    let redacted = |mut event: EventRecord| {
        let runs_campaign = campaign_of_status_change(&event)
            .is_some_and(|campaign| run_campaigns.iter().any(|run| run == campaign));
        for name in hidden_properties(&context.principal, &event, runs_campaign)? {
            redact(&mut event.data, name);
        }
        Some(event)
    };
    Ok(EventPage {
        events: events.into_iter().filter_map(redacted).collect(),
        last_examined_id: last,
        is_full: more,
    })
}

/// Returns the event after which a stream resumes: the given one, but at most the newest event;
/// without one, the newest event.
pub fn resume_position(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    last_received: Option<EventId>,
) -> Result<EventId, Error> {
    let newest = unit.last_event_id(context.principal.network_id)?;
    Ok(last_received.map_or(newest, |id| id.min(newest)))
}

/// Returns the external id of the campaign whose status an event is about.
fn campaign_of_status_change(event: &EventRecord) -> Option<&str> {
    let data = (event.kind == CAMPAIGN_STATUS_CHANGED).then_some(&event.data)?;
    data.get("advertiser_campaign")?.as_str()
}

/// Returns the external ids of those campaigns whose status changed in one of the events, and in which an
/// affiliate of the principal is approved.
fn run_campaigns(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    events: &[EventRecord],
) -> Result<Vec<String>, Error> {
    let affiliates = context.principal.affiliate_ids();
    let campaigns: Vec<&str> = events.iter().filter_map(campaign_of_status_change).collect();
    if affiliates.is_empty() || campaigns.is_empty() || context.principal.can_view_network() {
        return Ok(Vec::new());
    }
    let network = context.principal.network_id;
    Ok(unit.campaigns_with_approved_affiliates(network, &campaigns, &affiliates)?)
}

/// Returns the properties to remove from an event for a principal; `None` if the principal may not
/// see the event. A principal with grants on both sides sees what either side sees. `runs_campaign` is true
/// for a status change of a campaign that an affiliate of the principal runs.
fn hidden_properties(
    principal: &Principal,
    event: &EventRecord,
    runs_campaign: bool,
) -> Option<Vec<&'static str>> {
    if principal.can_view_network() {
        return Some(Vec::new());
    }
    let advertiser =
        event.advertiser_id.is_some_and(|id| principal.can_view(PartyKind::Advertiser, id));
    let is_own_of_affiliate = event.kind != BUDGET_ALERT
        && event.affiliate_id.is_some_and(|id| principal.can_view(PartyKind::Affiliate, id));
    let affiliate = is_own_of_affiliate || runs_campaign;
    match (advertiser, affiliate) {
        (false, false) => None,
        (true, false) => Some(NOT_FOR_ADVERTISERS.to_vec()),
        (false, true) => Some(NOT_FOR_AFFILIATES.to_vec()),
        (true, true) => {
            let hidden_from_both = |name: &&str| NOT_FOR_AFFILIATES.contains(name);
            Some(NOT_FOR_ADVERTISERS.into_iter().filter(hidden_from_both).collect())
        }
    }
}

/// Removes a property from a JSON value, at any depth.
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
