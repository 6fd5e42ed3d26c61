//! `calls` of the extensions: live calls start, and things happen to them.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading};
use crate::incoming::Incoming;
use crate::reply::Object;
use crate::resources::{call_log, facts};
use crate::routes::{Routes, get, post};
use crate::versions::Kind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use jiff::SignedDuration;
use serde_json::{Value, json};
use trunkline_domain::call::CallFacts;
use trunkline_domain::ivr::run::{Action, Event};
use trunkline_domain::problem::{BLANK, INVALID, NOT_LISTED, Problems};
use trunkline_domain::timezone::ZoneName;
use trunkline_network::Submitted;
use trunkline_network::live_calls::{self, Fresh, Happening, Orders, Told};

/// Characters of a zip code.
const ZIP: usize = 10;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/calls", get(call_log::list).post(start))
        .route("/trunkline/calls/{id}", get(call_log::show))
        .route("/trunkline/calls/{id}/events", post(hear))
}

async fn start(mut incoming: Incoming) -> Response<Body> {
    let result = start_one(&mut incoming).await;
    incoming.reply(Kind::Plain, result.map(render))
}

async fn start_one(incoming: &mut Incoming) -> Result<Orders, Refusal> {
    let key = incoming.idempotency_key()?;
    let body = incoming.take_body()?;
    let zone = incoming.network.time_zone;
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let change = read_start(Fields::new(&body, reading), zone);
    let submitted = Submitted { change, problems };
    let time_limit = SignedDuration::try_from(incoming.app.limits.call_time);
    let fresh = Fresh {
        name: facts::name_of_call(&incoming.app),
        time_limit: time_limit.unwrap_or(SignedDuration::MAX),
    };
    incoming
        .write(move |session, context| {
            live_calls::start(session, context, submitted, fresh, key.as_ref())
        })
        .await
}

/// What is known of a call that starts. How it goes is heard later, so what a call that is over is
/// told with is ignored.
fn read_start(mut fields: Fields<'_>, zone: ZoneName) -> live_calls::Incoming {
    let incoming = live_calls::Incoming {
        campaign: fields.optional_id("advertiser_campaign").flatten(),
        affiliate: fields.optional_id("affiliate").flatten(),
        promo_number: fields.phone("promo_number").flatten(),
        facts: CallFacts {
            start_time: facts::read_time(&mut fields, "start_time", zone),
            custom_data: fields.custom_data(),
            ..facts::read_caller(&mut fields)
        },
    };
    fields.finish();
    incoming
}

async fn hear(Path(id): Path<String>, mut incoming: Incoming) -> Response<Body> {
    let result = hear_one(&id, &mut incoming).await;
    incoming.reply_ok(Kind::Plain, result.map(render))
}

async fn hear_one(id: &str, incoming: &mut Incoming) -> Result<Orders, Refusal> {
    let id = call_log::number(id)?;
    let body = incoming.take_body()?;
    let zone = incoming.network.time_zone;
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let change = Told {
        happening: read_happening(&mut fields),
        at: facts::read_time(&mut fields, "at", zone),
        sequence: fields.whole("sequence", 0, u32::MAX).flatten(),
    };
    fields.finish();
    let submitted = Submitted { change, problems };
    incoming.write(move |session, context| live_calls::hear(session, context, id, submitted)).await
}

/// `event`, with what belongs to it.
fn read_happening(fields: &mut Fields<'_>) -> Option<Happening> {
    let said = match fields.value("event") {
        Some(Value::String(said)) => said.as_str(),
        None | Some(Value::Null) => {
            fields.wrong("event", BLANK);
            return None;
        }
        Some(_) => "",
    };
    let event = match said {
        "key" => Event::Key(read_key(fields)?),
        "zip" => Event::Zip(read_zip(fields)?),
        "silence" => Event::Silence,
        "connected" => Event::Connected,
        "busy" => Event::Busy,
        "no_answer" => Event::NoAnswer,
        "hung_up" => return read_hung_up(fields),
        "prompt_finished" => return Some(Happening::PromptFinished),
        _ => {
            fields.wrong("event", NOT_LISTED);
            return None;
        }
    };
    Some(Happening::Event(event))
}

/// Who hung up: either side, where that is not said.
fn read_hung_up(fields: &mut Fields<'_>) -> Option<Happening> {
    match fields.value("by") {
        None | Some(Value::Null) => Some(Happening::Event(Event::HungUp)),
        Some(Value::String(by)) if by == "caller" => Some(Happening::Event(Event::HungUp)),
        Some(Value::String(by)) if by == "destination" => Some(Happening::DestinationHungUp),
        Some(_) => {
            fields.wrong("by", NOT_LISTED);
            None
        }
    }
}

fn read_key(fields: &mut Fields<'_>) -> Option<char> {
    let said = match fields.value("key") {
        None | Some(Value::Null) => {
            fields.wrong("key", BLANK);
            return None;
        }
        Some(said) => facts::read_one_key(said),
    };
    if said.is_none() {
        fields.wrong("key", INVALID);
    }
    said
}

fn read_zip(fields: &mut Fields<'_>) -> Option<String> {
    let said = match fields.value("zip") {
        Some(Value::String(said)) => said.trim().to_owned(),
        Some(Value::Number(said)) => said.to_string(),
        None | Some(Value::Null) => String::new(),
        Some(_) => "?".to_owned(),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || c == ' ' || c == '-';
    if said.is_empty() {
        fields.wrong("zip", BLANK);
        return None;
    }
    if said.len() > ZIP || !said.chars().all(fits) {
        fields.wrong("zip", INVALID);
        return None;
    }
    Some(said)
}

fn render(orders: Orders) -> Object {
    let Orders { id, outcome, reason, actions } = orders;
    Object::from_iter([
        ("id".to_owned(), id.into()),
        ("outcome".to_owned(), json!(outcome)),
        ("reason".to_owned(), json!(reason)),
        ("actions".to_owned(), actions.into_iter().map(render_action).collect()),
    ])
}

fn render_action(action: Action) -> Value {
    match action {
        Action::Say(prompt) => json!({"say": prompt}),
        Action::Gather { keys, timeout } => json!({"gather": {"keys": keys, "timeout": timeout}}),
        Action::Dial { number, country_code } => {
            json!({"dial": {"number": number, "country_code": country_code}})
        }
        Action::SendSms { copy, delay, sender } => {
            json!({"send_sms": {"copy": copy, "delay": delay, "sender": sender}})
        }
        Action::Hangup => json!({"hangup": {}}),
    }
}
