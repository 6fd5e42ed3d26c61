//! `calls` of the extensions: starts live calls and applies events to them.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_reader::{ObjectReader, ReadContext, TEXT_LIMIT};
use crate::object_response::Object;
use crate::resources::{call_facts, call_log};
use crate::routes::{Routes, get, post};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trunkline_domain::call::{CallFacts, MeasuredDurations};
use trunkline_domain::id::CallId;
use trunkline_domain::ivr::run::{Action, Event};
use trunkline_domain::phone::normalize_destination;
use trunkline_domain::problem::{BLANK, INVALID, NOT_LISTED, Problems};
use trunkline_domain::timezone::TimeZoneName;
use trunkline_network::live_calls::{
    self, CallEvent, CallEventReport, CallInstructions, StartCallParams,
};
use trunkline_network::{Context, Error, Submission, UnitOfWork, call_ids};

/// Maximum length of a zip code, in characters (ASCII).
const MAX_ZIP_CHARACTERS: usize = 10;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/calls", get(call_log::list).post(start))
        .route("/trunkline/calls/{id}", get(call_log::show))
        .route("/trunkline/calls/{id}/events", post(post_event))
        .route("/trunkline/calls/by_external_id/{id}/events", post(post_event_by_external_id))
}

async fn start(mut request: ApiRequest) -> Response<Body> {
    let result = start_call(&mut request).await;
    request.respond(ResourceKind::Unversioned, result.map(render))
}

async fn start_call(request: &mut ApiRequest) -> Result<CallInstructions, ApiError> {
    let key = request.idempotency_key()?;
    let body = request.take_body()?;
    let zone = request.network.time_zone;
    let latest = call_facts::latest_time(&request.app, &request.network);
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let change = read_start(ObjectReader::new(&body, read_context), (zone, latest));
    let submitted = Submission { change, problems };
    let params = StartCallParams {
        complete_call_id: call_facts::generate_call_id(&request.app),
        time_limit: time_limit(request),
    };
    request
        .write(move |unit, context| {
            live_calls::start(unit, context, submitted, params, key.as_ref())
        })
        .await
}

/// Reads the facts of a call at its start. The properties of an ended call, such as its duration,
/// are ignored. The start must not be after `latest`.
fn read_start(
    mut reader: ObjectReader<'_>,
    (zone, latest): (TimeZoneName, Timestamp),
) -> live_calls::IncomingCall {
    let call = live_calls::IncomingCall {
        campaign: reader.optional_id("advertiser_campaign").flatten(),
        affiliate: reader.optional_id("affiliate").flatten(),
        promo_number: reader.phone("promo_number").flatten(),
        external_id: reader.optional_id("external_call_unique_id").flatten(),
        facts: CallFacts {
            start_time: call_facts::read_past_timestamp(&mut reader, "start_time", zone, latest),
            custom_data: reader.custom_data(),
            ..call_facts::read_caller_facts(&mut reader)
        },
    };
    reader.finish();
    call
}

fn time_limit(request: &ApiRequest) -> SignedDuration {
    let time_limit = SignedDuration::try_from(request.app.limits.max_call_time);
    time_limit.unwrap_or(SignedDuration::MAX)
}

async fn post_event(Path(id): Path<String>, mut request: ApiRequest) -> Response<Body> {
    let result = match call_log::parse_call_id(&id) {
        Ok(id) => apply_call_event(&mut request, move |_, _| Ok(id)).await,
        Err(error) => Err(error.into()),
    };
    request.respond_ok(ResourceKind::Unversioned, result.map(render))
}

async fn post_event_by_external_id(
    Path(id): Path<String>,
    mut request: ApiRequest,
) -> Response<Body> {
    let advertiser = request.parameter("advertiser").map(str::to_owned);
    let find = move |unit: &mut UnitOfWork<'_>, context: &Context| {
        call_ids::resolve(unit, context, &id, advertiser.as_deref())
    };
    let result = apply_call_event(&mut request, find).await;
    request.respond_ok(ResourceKind::Unversioned, result.map(render))
}

/// Applies the event in the request's body to the call that `find` returns.
async fn apply_call_event(
    request: &mut ApiRequest,
    find: impl FnOnce(&mut UnitOfWork<'_>, &Context) -> Result<CallId, Error> + Send + 'static,
) -> Result<CallInstructions, ApiError> {
    let body = request.take_body()?;
    let zone = request.network.time_zone;
    let latest = call_facts::latest_time(&request.app, &request.network);
    let time_limit = time_limit(request);
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let event = read_event(&mut reader);
    let change = CallEventReport {
        at: call_facts::read_past_timestamp(&mut reader, "at", zone, latest),
        event_id: reader.optional_id("event_id").flatten(),
        measured: read_measured(&mut reader, event.as_ref()),
        sequence: reader.integer("sequence", 0, u32::MAX).flatten(),
        event,
    };
    reader.finish();
    let submitted = Submission { change, problems };
    request
        .write(move |unit, context| {
            let id = find(unit, context)?;
            live_calls::apply_event(unit, context, id, submitted, time_limit)
        })
        .await
}

/// Reads the durations of a `connected` or `hung_up`.
fn read_measured(reader: &mut ObjectReader<'_>, event: Option<&CallEvent>) -> MeasuredDurations {
    let has_durations = matches!(
        event,
        Some(
            CallEvent::Event(Event::HungUp | Event::Connected | Event::ConnectedTo(_))
                | CallEvent::DestinationHungUp
        )
    );
    if !has_durations {
        return MeasuredDurations::default();
    }
    let mut seconds = |name| reader.integer(name, 0, call_facts::MAX_CALL_SECONDS).flatten();
    let measured = MeasuredDurations {
        duration: seconds("duration"),
        connect_duration: seconds("connect_duration"),
    };
    let pair = measured.duration.zip(measured.connect_duration);
    if pair.is_some_and(|(total, connected)| connected > total) {
        reader.error("connect_duration", "must be less than or equal to duration");
    }
    measured
}

/// Reads `event` and the properties that belong to it.
fn read_event(reader: &mut ObjectReader<'_>) -> Option<CallEvent> {
    let name = match reader.value("event") {
        Some(Value::String(text)) => text.as_str(),
        None | Some(Value::Null) => {
            reader.error("event", BLANK);
            return None;
        }
        Some(_) => "",
    };
    let event = match name {
        "key" => Event::Key(read_key(reader)?),
        "zip" => Event::Zip(read_zip(reader)?),
        "digits" => Event::Digits(read_digits(reader)?),
        "silence" => Event::Silence,
        "connected" => read_connected(reader)?,
        "busy" => Event::Busy,
        "no_answer" => Event::NoAnswer,
        "failed" => Event::Failed,
        "hung_up" => return read_hung_up(reader),
        "prompt_finished" => return Some(CallEvent::PromptFinished),
        "alive" => return Some(CallEvent::Alive),
        "recording" => return read_recording(reader),
        "sms_sent" => return Some(CallEvent::SmsSent),
        "sms_failed" => return Some(CallEvent::SmsFailed),
        _ => {
            reader.error("event", NOT_LISTED);
            return None;
        }
    };
    Some(CallEvent::Event(event))
}

/// Reads the number that answered, where several rang.
fn read_connected(reader: &mut ObjectReader<'_>) -> Option<Event> {
    let is_given = reader.is_present("destination_phone_number");
    let number = reader.optional_id("destination_phone_number");
    match number.flatten() {
        Some(number) => Some(Event::ConnectedTo(normalize_destination(&number))),
        None if is_given && reader.problems.has_problem("destination_phone_number") => None,
        None => Some(Event::Connected),
    }
}

/// Reads the side that hung up (`by`). The caller is the default.
fn read_hung_up(reader: &mut ObjectReader<'_>) -> Option<CallEvent> {
    match reader.value("by") {
        None | Some(Value::Null) => Some(CallEvent::Event(Event::HungUp)),
        Some(Value::String(by)) if by == "caller" => Some(CallEvent::Event(Event::HungUp)),
        Some(Value::String(by)) if by == "destination" => Some(CallEvent::DestinationHungUp),
        Some(_) => {
            reader.error("by", NOT_LISTED);
            None
        }
    }
}

fn read_recording(reader: &mut ObjectReader<'_>) -> Option<CallEvent> {
    let seconds = reader.integer("seconds", 0, call_facts::MAX_CALL_SECONDS).flatten();
    let url = reader.text("url", TEXT_LIMIT).flatten().filter(|url| !url.is_empty());
    if url.is_none() {
        reader.error("url", BLANK);
    }
    Some(CallEvent::Recording { url: url?, seconds })
}

fn read_key(reader: &mut ObjectReader<'_>) -> Option<char> {
    let key = match reader.value("key") {
        None | Some(Value::Null) => {
            reader.error("key", BLANK);
            return None;
        }
        Some(value) => call_facts::parse_key(value),
    };
    if key.is_none() {
        reader.error("key", INVALID);
    }
    key
}

fn read_zip(reader: &mut ObjectReader<'_>) -> Option<String> {
    let zip = match reader.value("zip") {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        None | Some(Value::Null) => String::new(),
        Some(_) => "?".to_owned(),
    };
    let is_zip_char = |c: char| c.is_ascii_alphanumeric() || c == ' ' || c == '-';
    if zip.is_empty() {
        reader.error("zip", BLANK);
        return None;
    }
    if zip.len() > MAX_ZIP_CHARACTERS || !zip.chars().all(is_zip_char) {
        reader.error("zip", INVALID);
        return None;
    }
    Some(zip)
}

/// Reads the digits that the caller entered, optionally with the finishing key.
fn read_digits(reader: &mut ObjectReader<'_>) -> Option<String> {
    match reader.value("digits") {
        None | Some(Value::Null) => {
            reader.error("digits", BLANK);
            None
        }
        Some(Value::String(text)) if text.trim().is_empty() => {
            reader.error("digits", BLANK);
            None
        }
        Some(value) => {
            let digits = call_facts::parse_digits(value);
            if digits.is_none() {
                reader.error("digits", INVALID);
            }
            digits
        }
    }
}

fn render(instructions: CallInstructions) -> Object {
    let CallInstructions { id, outcome, reason, actions } = instructions;
    Object::from_iter([
        ("id".to_owned(), id.get().into()),
        ("outcome".to_owned(), json!(outcome)),
        ("reason".to_owned(), json!(reason)),
        ("actions".to_owned(), actions.into_iter().map(render_action).collect()),
    ])
}

fn render_action(action: Action) -> Value {
    match action {
        Action::Say(prompt) => json!({"say": prompt}),
        Action::Gather { keys, finish, timeout } => json!({"gather": {
            "keys": keys,
            "finish": finish,
            "timeout": timeout,
            "barge_in": true,
        }}),
        Action::Dial {
            number,
            country_code,
            extension,
            timeout,
            caller_id,
            record,
            whisper,
            accept,
            also,
        } => {
            let render_other = |(country_code, number): (String, String)| json!({"number": number, "country_code": country_code});
            json!({"dial": {
                "number": number,
                "country_code": country_code,
                "extension": extension,
                "timeout": timeout,
                "caller_id": caller_id,
                "record": record,
                "whisper": whisper,
                "accept": accept,
                "also": also.into_iter().map(render_other).collect::<Vec<_>>(),
            }})
        }
        Action::SendSms { copy, delay, sender } => {
            json!({"send_sms": {"copy": copy, "delay": delay, "sender": sender}})
        }
        Action::Hangup => json!({"hangup": {}}),
    }
}
