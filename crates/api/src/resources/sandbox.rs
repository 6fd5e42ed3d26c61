//! `sandbox`: the clock, simulated calls and the reset of a sandbox network.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::resources::call_facts;
use crate::routes::{Routes, get, post};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use trunkline_domain::call::Outcome;
use trunkline_domain::money::Money;
use trunkline_domain::problem::{NOT_A_NUMBER, Problems};
use trunkline_network::Submission;
use trunkline_network::sandbox::{
    self, Clock, ClockChange, MAX_ADVANCE_SECONDS, MAX_CALLS, MAX_DAYS, STORE_BATCH_SIZE,
    SimulationRequest, SimulationSummary,
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/sandbox", get(show))
        .route("/trunkline/sandbox/clock", post(set_clock))
        .route("/trunkline/sandbox/calls", post(simulate_calls))
        .route("/trunkline/sandbox/reset", post(reset))
}

async fn show(request: ApiRequest) -> Response<Body> {
    let result = request.read_one(sandbox::get_clock).await;
    request.respond(ResourceKind::Unversioned, result.map(render_clock))
}

async fn set_clock(mut request: ApiRequest) -> Response<Body> {
    let result = match read_clock(&mut request) {
        Ok(change) => {
            request.write(move |unit, context| sandbox::set_clock(unit, context, change)).await
        }
        Err(error) => Err(error),
    };
    request.respond_ok(ResourceKind::Unversioned, result.map(render_clock))
}

async fn simulate_calls(mut request: ApiRequest) -> Response<Body> {
    let result = match read_simulation(&mut request) {
        Ok(simulation) => store_calls(&request, simulation).await,
        Err(error) => Err(error),
    };
    request.respond(ResourceKind::Unversioned, result)
}

/// Simulates calls and stores them in batches, so that other writers are not blocked for long.
async fn store_calls(
    request: &ApiRequest,
    simulation: Submission<SimulationRequest>,
) -> Result<Object, ApiError> {
    let calls = request.read(|unit, context| sandbox::plan_calls(unit, context, simulation))?;
    let calls = Arc::new(calls);
    let mut summary = SimulationSummary::default();
    for from in (0..calls.count()).step_by(STORE_BATCH_SIZE) {
        let calls = Arc::clone(&calls);
        let batch = request.write(move |unit, context| {
            sandbox::store_calls(unit, context, &calls, from..from + STORE_BATCH_SIZE)
        });
        summary.add(batch.await?);
    }
    Ok(render_summary(calls.count(), &summary))
}

fn read_simulation(request: &mut ApiRequest) -> Result<Submission<SimulationRequest>, ApiError> {
    let body = request.take_body()?;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let defaults = SimulationRequest::default();
    let mut integer =
        |name, min, max, default| reader.integer(name, min, max).flatten().unwrap_or(default);
    let change = SimulationRequest {
        calls: integer("calls", 1, MAX_CALLS, defaults.calls),
        seed: integer("seed", 0, u32::MAX, defaults.seed),
        days: integer("days", 1, MAX_DAYS, defaults.days),
        campaign: reader.optional_id("advertiser_campaign").flatten(),
    };
    reader.finish();
    Ok(Submission { change, problems })
}

fn render_summary(calls: usize, summary: &SimulationSummary) -> Object {
    let outcomes = Outcome::ALL.map(Outcome::as_str).into_iter();
    let outcomes =
        outcomes.map(|outcome| (outcome, summary.by_outcome.get(outcome).copied().unwrap_or(0)));
    let render_sums = |sums: &BTreeMap<&str, Money>| -> Object {
        sums.iter()
            .map(|(currency, total)| ((*currency).to_owned(), total.to_json_number().into()))
            .collect()
    };
    let outcomes: Object =
        outcomes.map(|(outcome, calls)| (outcome.to_owned(), calls.into())).collect();
    Object::from_iter([
        ("calls".to_owned(), calls.into()),
        ("stored".to_owned(), summary.stored.into()),
        ("known".to_owned(), summary.duplicates.into()),
        ("connected".to_owned(), summary.connected().into()),
        ("by_outcome".to_owned(), outcomes.into()),
        ("advertiser_payin".to_owned(), render_sums(&summary.payin).into()),
        ("affiliate_payout".to_owned(), render_sums(&summary.payout).into()),
    ])
}

async fn reset(request: ApiRequest) -> Response<Body> {
    let result = request.write(sandbox::reset).await;
    request.respond_ok(ResourceKind::Unversioned, result.map(|()| Object::new()))
}

fn read_clock(request: &mut ApiRequest) -> Result<Submission<Option<ClockChange>>, ApiError> {
    let body = request.take_body()?;
    let zone = request.network.time_zone;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let advance = read_advance(&mut reader);
    let now = match reader.value("now") {
        None => None,
        Some(Value::Null) => Some(ClockChange::Release),
        Some(_) => call_facts::read_timestamp(&mut reader, "now", zone).map(ClockChange::Set),
    };
    if advance.is_some() && reader.is_present("now") {
        reader.error("advance", "can't be given with now");
    }
    reader.finish();
    Ok(Submission { change: now.or(advance), problems })
}

/// Reads `advance`: an integer of seconds, possibly negative.
fn read_advance(reader: &mut ObjectReader<'_>) -> Option<ClockChange> {
    let message = match reader.value("advance")? {
        Value::Number(value) => match value.to_string().parse::<i64>() {
            Ok(seconds) if seconds > MAX_ADVANCE_SECONDS => {
                format!("must be less than or equal to {MAX_ADVANCE_SECONDS}")
            }
            Ok(seconds) if seconds < -MAX_ADVANCE_SECONDS => {
                format!("must be greater than or equal to -{MAX_ADVANCE_SECONDS}")
            }
            Ok(seconds) => return Some(ClockChange::Advance(seconds)),
            Err(_) => "must be an integer".to_owned(),
        },
        _ => NOT_A_NUMBER.to_owned(),
    };
    reader.error("advance", message);
    None
}

fn render_clock(clock: Clock) -> Object {
    Object::from_iter([
        ("sandbox".to_owned(), true.into()),
        ("clock".to_owned(), json!({"now": clock.now.to_string(), "frozen": clock.frozen})),
    ])
}
