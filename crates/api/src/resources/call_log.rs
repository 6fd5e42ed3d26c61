//! Lists and shows calls, live and ended ones.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::list_response::ListPage;
use crate::object_response::Object;
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use trunkline_domain::call::{Call, LiveCall, Outcome, RejectionReason, Settlement, ZipCode};
use trunkline_domain::id::CallId;
use trunkline_domain::ivr::run::NodeState;
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{INVALID, Problems};
use trunkline_domain::timezone::{TimeZoneName, format_legacy, parse_timestamp};
use trunkline_network::Error;
use trunkline_network::call_log::{self, CallFilter, VisibleCall};

pub(super) async fn list(request: ApiRequest) -> Response<Body> {
    let filter = match read_filter(&request) {
        Ok(filter) => filter,
        Err(problems) => {
            return request
                .respond(ResourceKind::Unversioned, Err(ApiError::UseCase(problems.into())));
        }
    };
    let zone = request.network.time_zone;
    request
        .respond_list(ResourceKind::Unversioned, move |unit, context, page| {
            let calls = call_log::list(unit, context, &filter, page)?;
            let next_cursor = calls.last().map(|call| call.record.call.id.get());
            Ok(ListPage {
                objects: calls.into_iter().map(|call| render(call, zone)).collect(),
                next_cursor,
            })
        })
        .await
}

/// Query parameters of the list.
const PARAMETERS: [&str; 16] = [
    "external_call_unique_id",
    "calling_phone_number",
    "promo_number",
    "advertiser",
    "advertiser_campaign",
    "affiliate",
    "outcome",
    "reason",
    "live",
    "incomplete",
    "day",
    "from",
    "to",
    "limit",
    "start_after_id",
    "oauth_token",
];

fn read_filter(request: &ApiRequest) -> Result<CallFilter, Problems> {
    let mut problems = Problems::new();
    for (index, (name, _)) in request.query.iter().enumerate() {
        if !PARAMETERS.contains(&name.as_str()) {
            problems.property(name).add("is not a filter of calls");
        } else if request.query.iter().take(index).any(|(earlier, _)| earlier == name) {
            problems.property(name).add("is given twice");
        }
    }
    let (from, before) = read_days(request, &mut problems);
    let filter = CallFilter {
        external_id: request.parameter("external_call_unique_id").map(str::to_owned),
        caller: read_parameter(request, "calling_phone_number", PhoneNumber::parse, &mut problems),
        promo_number: read_parameter(request, "promo_number", PhoneNumber::parse, &mut problems),
        advertiser: request.parameter("advertiser").map(str::to_owned),
        campaign: request.parameter("advertiser_campaign").map(str::to_owned),
        affiliate: request.parameter("affiliate").map(str::to_owned),
        outcome: read_parameter(request, "outcome", Outcome::parse, &mut problems),
        reason: read_parameter(request, "reason", RejectionReason::parse, &mut problems),
        live: read_parameter(request, "live", |text| text.parse().ok(), &mut problems),
        is_incomplete: read_parameter(request, "incomplete", parse_flag, &mut problems)
            .unwrap_or_default(),
        from,
        before,
    };
    problems.into_result(filter)
}

fn read_parameter<T>(
    request: &ApiRequest,
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
    problems: &mut Problems,
) -> Option<T> {
    let parsed = parse(request.parameter(name)?);
    if parsed.is_none() {
        problems.property(name).add(INVALID);
    }
    parsed
}

fn parse_flag(text: &str) -> Option<bool> {
    match text {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// Reads `day`, or else `from` and `to`: days or times in the network's zone, the last one included.
/// Returns the earliest start and the end of the starts, exclusive.
fn read_days(
    request: &ApiRequest,
    problems: &mut Problems,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let zone = request.network.time_zone;
    if request.parameter("day").is_some() {
        for name in ["from", "to"].into_iter().filter(|name| request.parameter(name).is_some()) {
            problems.property(name).add("must not be given with day");
        }
    }
    let mut read = |names: [&str; 2], is_end| {
        let name = names.into_iter().find(|name| request.parameter(name).is_some())?;
        read_parameter(request, name, |text| parse_timestamp(text, zone, is_end), problems)
    };
    let from = read(["day", "from"], false);
    let last = read(["day", "to"], true);
    if from.zip(last).is_some_and(|(from, last)| last < from) {
        problems.property("to").add("must not be earlier than from");
    }
    // Times have a resolution of one second, and the last second is included.
    (from, last.map(|last| last.saturating_add(1.second()).unwrap_or(Timestamp::MAX)))
}

pub(super) async fn show(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    let zone = request.network.time_zone;
    let result = request.read(|unit, context| call_log::get(unit, context, parse_call_id(&id)?));
    request.respond(ResourceKind::Unversioned, result.map(|call| render(call, zone)))
}

/// Parses the id of a call in a path.
pub(super) fn parse_call_id(id: &str) -> Result<CallId, Error> {
    id.parse().map_err(|_| Error::NotFound(format!("Call {id}")))
}

fn render(call: VisibleCall, zone: TimeZoneName) -> Object {
    let VisibleCall { record, is_complete: is_full } = call;
    let Call { recorded, complete_call_id, external_id, start_time, ended_at, id, .. } =
        record.call;
    // A call without an id of its sender has its complete id.
    let external_id = Some(external_id).filter(|id| *id != complete_call_id);
    let keys = match &record.live {
        Some(live) => live.keys.clone(),
        None => recorded.keys,
    };
    let keys: Vec<String> = keys.iter().map(char::to_string).collect();
    let facts = recorded.facts;
    let settled = record.latest_transaction.as_ref().map(|(_, settlement)| settlement);
    let outcome = settled.map(|settlement| settlement.outcome);
    let entered_zip = record.live.as_ref().and_then(|live| live.position.zip.as_ref());
    let zip = settled
        .and_then(|settlement| settlement.zip.as_deref())
        .or(entered_zip.map(ZipCode::as_str))
        .or(facts.zip.as_deref());
    let zip_location = zip.and_then(ZipCode::parse).and_then(|zip| zip.location());
    let place = facts.caller_location(zip_location);
    let region = settled.map_or(place.region, |settlement| settlement.region.as_deref());
    let settled_value = |read: fn(&Settlement) -> Value| settled.map_or(Value::Null, read);
    let mut object = Object::from_iter([
        ("id".to_owned(), id.get().into()),
        ("complete_call_id".to_owned(), complete_call_id.into()),
        ("external_call_unique_id".to_owned(), json!(external_id)),
        ("advertiser_campaign".to_owned(), record.campaign_external_id.into()),
        ("affiliate".to_owned(), record.affiliate_external_id.into()),
        (
            "promo_number".to_owned(),
            json!(record.promo_number.map(|number| number.compact().to_owned())),
        ),
        ("start_time".to_owned(), format_legacy(start_time, zone).into()),
        ("ended_at".to_owned(), json!(ended_at.map(|at| format_legacy(at, zone)))),
        ("outcome".to_owned(), json!(outcome)),
        ("reason".to_owned(), json!(recorded.rejection)),
        ("end".to_owned(), settled_value(|settlement| json!(settlement.end))),
        ("duration".to_owned(), json!(facts.duration)),
        (
            "connect_duration".to_owned(),
            settled_value(|settlement| json!(settlement.connect_duration)),
        ),
        ("keypresses".to_owned(), json!(keys)),
        ("phone_type".to_owned(), json!(facts.phone_type)),
        ("country".to_owned(), json!(place.country)),
        ("region".to_owned(), json!(region)),
        ("city".to_owned(), json!(facts.city)),
        ("zip".to_owned(), json!(zip)),
        ("repeat".to_owned(), json!(facts.repeat)),
        ("sms_sent".to_owned(), settled_value(|settlement| json!(settlement.sms_sent))),
    ]);
    if is_full {
        let destination = settled_value(|settlement| json!(settlement.destination_phone_number));
        object.insert("destination_phone_number".to_owned(), destination);
        let calling_number = facts.calling_phone_number.as_ref().map(PhoneNumber::compact);
        object.insert("calling_phone_number".to_owned(), json!(calling_number));
        object
            .insert("calling_phone_number_text".to_owned(), json!(facts.calling_phone_number_text));
        object.insert("custom_data".to_owned(), json!(facts.custom_data));
    }
    let transaction = record.latest_transaction.map(|(id, _)| id.to_string());
    object.insert("transaction_id".to_owned(), json!(transaction));
    object.insert("live".to_owned(), json!(record.live.map(|live| render_live(live, zone))));
    object
}

/// Renders the position of a live call.
fn render_live(live: LiveCall, zone: TimeZoneName) -> Value {
    let state = match live.position.state {
        NodeState::Menu(_) => "menu",
        NodeState::AnyKeyPress => "any_key_press",
        NodeState::YesOrNo(_) => "yes_or_no",
        NodeState::NumberQuestion(_) => "number_question",
        NodeState::Confirmation(_) => "confirmation",
        NodeState::SmsOffer => "sms_offer",
        NodeState::LocationCheck(_) | NodeState::ZipCodeEntry => "zip",
        NodeState::Dialling => "ringing",
        NodeState::Connected => "talking",
        NodeState::Ended { .. } => "over",
    };
    json!({
        "at": live.position.path,
        "doing": state,
        "sequence": live.sequence,
        "heard_at": format_legacy(live.last_event_at, zone),
        "connected_at": live.connected_at.map(|at| format_legacy(at, zone)),
    })
}
