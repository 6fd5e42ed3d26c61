//! `calls_in_progress`: live calls as clients of call-time integrations read and change them.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::resources::calls;
use crate::routes::{Routes, get, post};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};
use trunkline_domain::call::{CallFacts, PhoneType, ZipCode};
use trunkline_domain::ivr::run::NodeState;
use trunkline_domain::party::CustomDataSource;
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, INVALID, NOT_LISTED, Problems};
use trunkline_domain::timezone::{TimeZoneName, format_iso8601};
use trunkline_network::calls_in_progress::{
    self, CallInProgress, CallInProgressChange, CallOrganization, CallSelector,
    CallsInProgressQuery, normalize_number,
};
use trunkline_network::{Error, Submission};

/// Number of the properties `keypress_1`, `keypress_2`, ….
const SHOWN_KEYPRESSES: usize = 4;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/api/calls_in_progress/current_calls", get(list))
        .route("/api/calls_in_progress", post(update).put(update))
}

async fn list(request: ApiRequest) -> Response<Body> {
    let zone = request.network.time_zone;
    let calls = read_query(&request).and_then(|query| {
        request.read(|unit, context| calls_in_progress::list(unit, context, &query))
    });
    let object = calls.map(|calls| render_list(&calls, zone));
    request.respond(ResourceKind::Unversioned, object)
}

async fn update(mut request: ApiRequest) -> Response<Body> {
    let zone = request.network.time_zone;
    let call = update_call(&mut request).await;
    let object = call.map(|call| render_list(&[call], zone));
    request.respond_accepted(ResourceKind::Unversioned, object)
}

async fn update_call(request: &mut ApiRequest) -> Result<CallInProgress, ApiError> {
    let query = CallsInProgressQuery { includes_unconnected: true, ..read_query(request)? };
    let body = request.take_body()?;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = match reader.object("call_in_progress") {
        Some(Some(map)) => {
            let mut child = ObjectReader::new(map, reader.child("call_in_progress"));
            let change = CallInProgressChange {
                external_id: child.id("external_unique_id"),
                custom_data: calls::read_custom_data(&mut child).unwrap_or_default(),
            };
            child.finish();
            change
        }
        absent_or_null => {
            // An invalid value is a problem already.
            if absent_or_null.is_some() || !reader.is_present("call_in_progress") {
                reader.error("call_in_progress", BLANK);
            }
            CallInProgressChange::default()
        }
    };
    reader.finish();
    let submitted = Submission { change, problems };
    request
        .write(move |unit, context| calls_in_progress::update(unit, context, &query, submitted))
        .await
}

/// Reads the query parameters. An empty one counts as absent.
fn read_query(request: &ApiRequest) -> Result<CallsInProgressQuery, ApiError> {
    let mut problems = Problems::new();
    let parameter = |name| request.parameter(name).filter(|value| !value.is_empty());
    let id = parameter("id");
    if id.is_none() {
        problems.property("id").add(BLANK);
    }
    let organization = match parameter("organization_type") {
        Some("Network") => Some(CallOrganization::Network),
        Some("Advertiser") => id.map(|id| CallOrganization::Advertiser(id.to_owned())),
        other => {
            let message = if other.is_some() { NOT_LISTED } else { BLANK };
            problems.property("organization_type").add(message);
            None
        }
    };
    let includes_unconnected = match parameter("call_status") {
        None | Some("bridged") => false,
        Some("all") => true,
        Some(_) => {
            problems.property("call_status").add(NOT_LISTED);
            false
        }
    };
    let selector = match (parameter("transaction_id"), parameter("external_unique_id")) {
        (Some(id), _) => CallSelector::CompleteCallId(id.to_owned()),
        (None, Some(id)) => CallSelector::ExternalId(id.to_owned()),
        (None, None) => read_numbers(parameter, &mut problems),
    };
    let query = organization.map(|organization| CallsInProgressQuery {
        organization,
        selector,
        includes_unconnected,
    });
    let query = problems.into_result(query).map_err(Error::from)?;
    let query = query.ok_or_else(|| Error::Internal("a query without problems is empty".into()))?;
    let network = request.context.principal.network_id.to_string();
    if query.organization == CallOrganization::Network && id != Some(network.as_str()) {
        let id = id.unwrap_or_default();
        return Err(Error::NotFound(format!("Network {id}")).into());
    }
    Ok(query)
}

/// Reads the two numbers of a call, which are given together or not at all.
fn read_numbers<'a>(
    parameter: impl Fn(&'static str) -> Option<&'a str>,
    problems: &mut Problems,
) -> CallSelector {
    const NUMBERS: [&str; 2] = ["calling_phone_number", "destination_phone_number"];
    let [caller, destination] = NUMBERS.map(&parameter);
    if caller.is_none() && destination.is_none() {
        return CallSelector::All;
    }
    for (name, value) in NUMBERS.into_iter().zip([caller, destination]) {
        if value.is_none() {
            problems.property(name).add(BLANK);
        }
    }
    match (caller.map(PhoneNumber::parse), destination) {
        (Some(None), _) => problems.property(NUMBERS[0]).add(INVALID),
        (Some(Some(caller)), Some(destination)) => {
            return CallSelector::Numbers { caller, destination: normalize_number(destination) };
        }
        _ => {}
    }
    CallSelector::All
}

fn render_list(calls: &[CallInProgress], zone: TimeZoneName) -> Object {
    let calls: Value = calls.iter().map(|call| Value::Object(render(call, zone))).collect();
    Object::from_iter([("current_calls".to_owned(), calls)])
}

/// Renders a call with the properties of the vendor's example, in its order. What is not known is
/// null.
fn render(call: &CallInProgress, zone: TimeZoneName) -> Object {
    let stored = &call.record.call;
    let facts = &stored.recorded.facts;
    let affiliate = call.affiliate.as_deref();
    let entered_zip = call.live.position.zip.as_ref().map(ZipCode::as_str);
    let number = |number: &Option<PhoneNumber>| json!(number.as_ref().map(PhoneNumber::e164));
    let mut object = Object::from_iter([
        ("transaction_id".to_owned(), json!(stored.complete_call_id)),
        ("call_record_id".to_owned(), json!(stored.complete_call_id)),
        ("call_status".to_owned(), json!(call_status(call))),
        ("external_unique_id".to_owned(), json!(call.external_id())),
        ("calling_phone_number".to_owned(), number(&facts.calling_phone_number)),
        ("destination_phone_number".to_owned(), json!(call.destination())),
        ("called_phone_number".to_owned(), number(&call.record.promo_number)),
        (
            "bridge_start_time".to_owned(),
            json!(call.live.connected_at.map(|at| format_iso8601(at, zone))),
        ),
        ("start_time".to_owned(), json!(format_iso8601(stored.start_time, zone))),
        ("phone_type".to_owned(), json!(facts.phone_type.map(phone_type))),
        ("advertiser_campaign_country".to_owned(), json!(call.campaign_country)),
        ("advertiser_campaign_id".to_owned(), json!(call.campaign.id)),
        ("advertiser_campaign_id_from_network".to_owned(), json!(call.campaign.external_id)),
        ("advertiser_campaign_name".to_owned(), json!(call.campaign.name)),
        ("advertiser_id".to_owned(), json!(call.advertiser.id)),
        ("advertiser_id_from_network".to_owned(), json!(call.advertiser.external_id)),
        ("advertiser_name".to_owned(), json!(call.advertiser.name)),
        (
            "affiliate_campaign_id_from_network".to_owned(),
            json!(call.affiliate_campaign_external_id),
        ),
        ("affiliate_id".to_owned(), json!(affiliate.map(|party| party.id))),
        ("affiliate_id_from_network".to_owned(), json!(affiliate.map(|party| &party.external_id))),
        ("affiliate_name".to_owned(), json!(affiliate.map(|party| &party.name))),
        ("city".to_owned(), json!(facts.city)),
        ("region".to_owned(), json!(call.decision.region)),
        ("qualified_regions".to_owned(), json!(call.decision.qualified_regions.join(", "))),
        ("zip_code".to_owned(), json!(call.decision.zip)),
        ("verified_zip_code".to_owned(), json!(entered_zip)),
        ("media_type".to_owned(), json!(facts.media_type.clone().flatten())),
        (
            "promo_number_description".to_owned(),
            json!(facts.promo_number_description.clone().flatten()),
        ),
        ("promo_number_id".to_owned(), json!(stored.promo_number_id)),
    ]);
    for index in 0..SHOWN_KEYPRESSES {
        let key = call.decision.pressed_keys.get(index).map(ToString::to_string);
        object.insert(format!("keypress_{}", index + 1), json!(key));
    }
    object.insert("custom_data".to_owned(), Value::Object(render_custom_data(facts)));
    object
}

fn render_custom_data(facts: &CallFacts) -> Object {
    let item = |(name, value): (&String, &String)| {
        let source = facts.custom_data_source(name).map(CustomDataSource::as_str);
        (name.clone(), json!({"value": value, "source": source}))
    };
    facts.custom_data.iter().flatten().map(item).collect()
}

fn call_status(call: &CallInProgress) -> &'static str {
    match call.live.position.state {
        NodeState::Connected => "bridged",
        NodeState::Dialling => "ringing",
        _ => "ivr",
    }
}

fn phone_type(phone_type: PhoneType) -> &'static str {
    match phone_type {
        PhoneType::Mobile => "Mobile",
        PhoneType::Landline => "Landline",
        PhoneType::Voip => "Voip",
    }
}
