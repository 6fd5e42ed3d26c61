//! `/calls`: ingests calls that were routed elsewhere, one in a JSON body or many as NDJSON.

mod body_reader;
mod ndjson;

use crate::api_request::ApiRequest;
use crate::errors::{ApiError, json_response};
use crate::object_reader::{Ignored, ObjectReader, ReadContext, TEXT_LIMIT};
use crate::object_response::Object;
use crate::resources::call_batcher;
use crate::resources::call_facts::{self, MAX_CALL_SECONDS};
use crate::routes::{Routes, post};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::PoisonError;
use trunkline_domain::call::{CallDirection, CallFacts, Outcome};
use trunkline_domain::party::CustomData;
use trunkline_domain::phone::normalize_destination;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_domain::timezone::TimeZoneName;
use trunkline_network::calls::{self, IngestOutcome, IngestStatus, ReportedCall, SubmittedCall};
use trunkline_network::{Context, Submission, UnitOfWork};

/// Response header of a rejected call.
const OUTCOME_HEADER: HeaderName = HeaderName::from_static("trunkline-outcome");
/// Maximum number of custom data entries of one call.
const MAX_CUSTOM_DATA_ENTRIES: usize = 200;

pub(super) fn routes() -> Routes {
    Routes::new().route("/api/calls", post(create).put(create))
}

async fn create(mut request: ApiRequest) -> Response<Body> {
    if let Some(body) = request.ndjson_body.take() {
        // Checked before the body is read, whose lines may take any time.
        if let Err(error) = request.context.principal.ensure_can_report_calls() {
            return ApiError::UseCase(error).into_response(&request.app);
        }
        let body = body.into_inner().unwrap_or_else(PoisonError::into_inner);
        return ndjson::ingest_lines(request, body);
    }
    let response = match ingest_call(&mut request).await {
        Ok(outcome) => respond(&outcome),
        Err(error) => error.into_response(&request.app),
    };
    request.add_ignored_header(response)
}

/// Responds with the `complete_call_id`, and with a header if the call was rejected.
fn respond(outcome: &IngestOutcome) -> Response<Body> {
    let (status, call_id) = status_and_call_id(outcome);
    let mut response = json_response(status, &json!({"cuid": call_id}));
    if let Some(reason) = outcome.rejection {
        let text = format!("{}; reason={}", Outcome::Rejected.as_str(), reason.as_str());
        // Both parts are ASCII words.
        if let Ok(value) = HeaderValue::try_from(text) {
            response.headers_mut().insert(OUTCOME_HEADER, value);
        }
    }
    response
}

/// Ingests the call of a JSON body. Without an idempotency key it shares a transaction with calls
/// of other requests.
async fn ingest_call(request: &mut ApiRequest) -> Result<IngestOutcome, ApiError> {
    let body = request.take_body()?;
    let key = request.idempotency_key()?;
    let time_zone = request.network.time_zone;
    let latest = call_facts::latest_time(&request.app, &request.network);
    let submitted = read_body(&body, (time_zone, latest), &mut request.ignored);
    let reported_call = ReportedCall::new(submitted, call_facts::generate_call_id(&request.app));
    match key {
        None => {
            let ApiRequest { app, context, credential_guard, .. } = request;
            let ingest = call_batcher::ingest_call(app, context, credential_guard, reported_call);
            Ok(ingest.await?)
        }
        Some(key) => {
            let ingest = move |unit: &mut UnitOfWork<'_>, context: &Context| {
                calls::ingest_call(unit, context, reported_call, Some(&key))
            };
            request.write(ingest).await
        }
    }
}

/// Returns the status of an ingested call (201 if it is new, 202 if it was stored before) and its
/// `complete_call_id`.
fn status_and_call_id(outcome: &IngestOutcome) -> (StatusCode, &str) {
    match &outcome.status {
        IngestStatus::Created(call_id) => (StatusCode::CREATED, call_id),
        IngestStatus::Duplicate(call_id) => (StatusCode::ACCEPTED, call_id),
    }
}

/// Reads the body of a call. Times without a zone are in the given zone, and the start must not be after
/// the given time.
fn read_body(
    body: &Object,
    times: (TimeZoneName, Timestamp),
    ignored: &mut Ignored,
) -> Submission<SubmittedCall> {
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored };
    let mut reader = ObjectReader::new(body, read_context);
    let mut call = match reader.object("call") {
        Some(Some(map)) => read_call(ObjectReader::new(map, reader.child("call")), times),
        absent_or_null => {
            // An invalid value is a problem already.
            if absent_or_null.is_some() || !reader.is_present("call") {
                reader.error("call", BLANK);
            }
            SubmittedCall::default()
        }
    };
    call.facts.custom_data = read_custom_data(&mut reader);
    call.fingerprint_input = call.canonical_bytes();
    reader.finish();
    Submission { change: call, problems }
}

/// Reads `custom_data`: an array of names and values.
pub(super) fn read_custom_data(reader: &mut ObjectReader<'_>) -> Option<CustomData> {
    let entries = reader.array("custom_data", MAX_CUSTOM_DATA_ENTRIES, read_custom_data_entry);
    entries.map(CustomData::from_iter)
}

fn read_custom_data_entry(
    value: &Value,
    read_context: ReadContext<'_>,
) -> Option<(String, String)> {
    let mut reader = ObjectReader::from_value(value, read_context)?;
    let name = reader.name("name");
    if !reader.is_present("name") {
        reader.error("name", BLANK);
    }
    if !reader.is_present("value") {
        reader.error("value", BLANK);
    }
    let value = reader.optional_id("value");
    reader.finish();
    Some((name?, value.flatten()?))
}

fn read_call(
    mut reader: ObjectReader<'_>,
    (time_zone, latest): (TimeZoneName, Timestamp),
) -> SubmittedCall {
    let keys = call_facts::read_keypresses(&mut reader);
    let start_time = call_facts::read_past_timestamp(&mut reader, "start_time", time_zone, latest);
    let duration = reader.integer("duration_in_seconds", 0, MAX_CALL_SECONDS).flatten();
    let facts = CallFacts {
        duration: call_facts::read_duration(&mut reader, time_zone, start_time, duration),
        connect_duration: reader
            .integer("connect_duration_in_seconds", 0, MAX_CALL_SECONDS)
            .flatten(),
        sms_sent: reader.boolean("sms_sent").flatten(),
        ..call_facts::read_caller_facts(&mut reader)
    };
    if let (Some(duration), Some(connect_duration)) = (facts.duration, facts.connect_duration)
        && connect_duration > duration
    {
        let message = "must be less than or equal to duration_in_seconds";
        reader.error("connect_duration_in_seconds", message);
    }
    let call = SubmittedCall {
        external_id: reader.id("external_call_unique_id"),
        start_time,
        campaign: reader.id("advertiser_campaign_id_from_network"),
        affiliate: reader.optional_id("affiliate_id_from_network").flatten(),
        promo_number: reader.phone("promo_number").flatten(),
        destination_phone_number: reader
            .phone_text("destination_phone_number")
            .flatten()
            .map(|text| normalize_destination(&text)),
        direction: reader
            .enum_value_or_default("call_direction", CallDirection::parse)
            .unwrap_or_default(),
        facts,
        keys,
        digits: Vec::new(),
        recording_url: reader
            .text("recording_url", TEXT_LIMIT)
            .flatten()
            .filter(|url| !url.is_empty()),
        fingerprint_input: Vec::new(),
    };
    reader.finish();
    call
}
