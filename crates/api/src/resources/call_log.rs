//! Calls as they are shown, live ones and those that are over.

use crate::errors::Refusal;
use crate::incoming::Incoming;
use crate::list::Part;
use crate::reply::Object;
use crate::versions::Kind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::{Value, json};
use trunkline_domain::call::{Call, Live, Settlement};
use trunkline_domain::ivr::run::{Doing, Event};
use trunkline_domain::problem::{INVALID, Problems};
use trunkline_domain::timezone::{ZoneName, stamp};
use trunkline_network::Error;
use trunkline_network::call_log::{self, CallFilter, SeenCall};

pub(super) async fn list(incoming: Incoming) -> Response<Body> {
    let filter = match filter(&incoming) {
        Ok(filter) => filter,
        Err(problems) => {
            return incoming.reply(Kind::Plain, Err(Refusal::Refused(problems.into())));
        }
    };
    let zone = incoming.network.time_zone;
    incoming.reply_list(Kind::Plain, move |session, context, page| {
        let found = call_log::list(session, context, &filter, page)?;
        let last = found.last().map(|it| it.record.call.id);
        Ok(Part { objects: found.into_iter().map(|it| render(it, zone)).collect(), last })
    })
}

fn filter(incoming: &Incoming) -> Result<CallFilter, Problems> {
    let mut problems = Problems::new();
    let live = match incoming.parameter("live") {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => {
            problems.at("live").add(INVALID);
            None
        }
    };
    let campaign = incoming.parameter("advertiser_campaign").map(str::to_owned);
    problems.or(CallFilter { campaign, live })
}

pub(super) async fn show(Path(id): Path<String>, incoming: Incoming) -> Response<Body> {
    let zone = incoming.network.time_zone;
    let found = incoming.read(|session, context| call_log::get(session, context, number(&id)?));
    incoming.reply(Kind::Plain, found.map(|it| render(it, zone)))
}

/// Our id in a path.
pub(super) fn number(id: &str) -> Result<i64, Error> {
    id.parse().map_err(|_| Error::NotFound(format!("Call {id}")))
}

fn render(it: SeenCall, zone: ZoneName) -> Object {
    let SeenCall { record, whole } = it;
    let Call { heard, complete_call_id, start_time, ended_at, id, .. } = record.call;
    let (keys, zip) = match &record.live {
        Some(live) => (live.keys.clone(), given_zip(&live.events)),
        None => (heard.keys, given_zip(&heard.events)),
    };
    let keys: Vec<String> = keys.iter().map(char::to_string).collect();
    let facts = heard.facts;
    let settled = record.settled.as_ref().map(|(_, settlement)| settlement);
    let outcome = settled.map(|it| it.outcome);
    let region = settled.map_or(facts.region.as_ref(), |it| it.region.as_ref());
    let of = |read: fn(&Settlement) -> Value| settled.map_or(Value::Null, read);
    let mut shown = Object::from_iter([
        ("id".to_owned(), id.into()),
        ("complete_call_id".to_owned(), complete_call_id.into()),
        ("advertiser_campaign".to_owned(), record.campaign.into()),
        ("affiliate".to_owned(), record.affiliate.into()),
        ("promo_number".to_owned(), json!(record.promo_number.map(|it| it.digits().to_owned()))),
        ("start_time".to_owned(), stamp(start_time, zone).into()),
        ("ended_at".to_owned(), json!(ended_at.map(|at| stamp(at, zone)))),
        ("outcome".to_owned(), json!(outcome)),
        ("reason".to_owned(), json!(heard.turned_away)),
        ("duration".to_owned(), json!(facts.duration)),
        ("connect_duration".to_owned(), of(|it| json!(it.connect_duration))),
        ("keypresses".to_owned(), json!(keys)),
        ("phone_type".to_owned(), json!(facts.phone_type)),
        ("country".to_owned(), json!(facts.country)),
        ("region".to_owned(), json!(region)),
        ("city".to_owned(), json!(facts.city)),
        ("zip".to_owned(), json!(zip.or(facts.zip))),
        ("repeat".to_owned(), json!(facts.repeat)),
        ("sms_sent".to_owned(), of(|it| json!(it.sms_sent))),
    ]);
    if whole {
        let destination = of(|it| json!(it.destination_phone_number));
        shown.insert("destination_phone_number".to_owned(), destination);
        let caller = facts.calling_phone_number.map(|it| it.digits().to_owned());
        shown.insert("calling_phone_number".to_owned(), json!(caller));
        shown.insert("custom_data".to_owned(), json!(facts.custom_data));
    }
    let transaction = record.settled.map(|(id, _)| id.to_string());
    shown.insert("transaction_id".to_owned(), json!(transaction));
    shown.insert("live".to_owned(), json!(record.live.map(|live| render_live(live, zone))));
    shown
}

/// The zip code that the caller gave on the way.
fn given_zip(events: &[Event]) -> Option<String> {
    events.iter().rev().find_map(|event| match event {
        Event::Zip(zip) => Some(zip.clone()),
        _ => None,
    })
}

/// Where a call is that is under way.
fn render_live(live: Live, zone: ZoneName) -> Value {
    let doing = match live.position.doing {
        Doing::Menu { .. } => "menu",
        Doing::OfferSms => "sms_offer",
        Doing::AskZip => "zip",
        Doing::Dialling => "ringing",
        Doing::Talking => "talking",
        Doing::Over { .. } => "over",
    };
    json!({
        "at": live.position.at,
        "doing": doing,
        "sequence": live.sequence,
        "heard_at": stamp(live.heard_at, zone),
        "connected_at": live.connected_at.map(|at| stamp(at, zone)),
    })
}
