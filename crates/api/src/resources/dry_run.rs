//! `dry_run`: simulates a call through a campaign without storing it.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::resources::{call_facts, decision};
use crate::routes::{Routes, post};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::http::Response;
use serde_json::{Map, Value};
use trunkline_domain::call::CallFacts;
use trunkline_domain::problem::Problems;
use trunkline_domain::timezone::TimeZoneName;
use trunkline_network::Submission;
use trunkline_network::dry_run::{self, DryRun, DryRunRequest, TermsSelector};

pub(super) fn routes() -> Routes {
    Routes::new().route("/trunkline/dry_run", post(dry_run_call))
}

async fn dry_run_call(mut request: ApiRequest) -> Response<Body> {
    let result = simulate_call(&mut request).map(|run| decision::render(&run));
    request.respond_ok(ResourceKind::Unversioned, result)
}

fn simulate_call(request: &mut ApiRequest) -> Result<DryRun, ApiError> {
    let body = request.take_body()?;
    let zone = request.network.time_zone;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let mut simulated_call = DryRunRequest {
        campaign: reader.id("advertiser_campaign"),
        affiliate: reader.optional_id("affiliate").flatten(),
        terms: reader
            .enum_value_or_default("terms", |word| match word {
                "current" => Some(TermsSelector::Current),
                "future" => Some(TermsSelector::Future),
                _ => None,
            })
            .unwrap_or_default(),
        ..DryRunRequest::default()
    };
    if let Some(Some(map)) = reader.object("call") {
        read_call(map, reader.child("call"), zone, &mut simulated_call);
    }
    reader.finish();
    let submitted = Submission { change: simulated_call, problems };
    request.read(|unit, context| dry_run::dry_run(unit, context, submitted))
}

/// Reads the facts of a call. An absent fact is unknown.
fn read_call(
    object: &Map<String, Value>,
    read_context: ReadContext<'_>,
    zone: TimeZoneName,
    simulated_call: &mut DryRunRequest,
) {
    let mut reader = ObjectReader::new(object, read_context);
    simulated_call.promo_number = reader.phone("promo_number").flatten();
    simulated_call.keys = call_facts::read_keypresses(&mut reader);
    simulated_call.digits = call_facts::read_digit_answers(&mut reader);
    simulated_call.dials = call_facts::read_dial_results(&mut reader);
    simulated_call.facts = CallFacts {
        start_time: call_facts::read_timestamp(&mut reader, "start_time", zone),
        duration: reader.integer("duration", 0, call_facts::MAX_CALL_SECONDS).flatten(),
        connect_duration: reader
            .integer("connect_duration", 0, call_facts::MAX_CALL_SECONDS)
            .flatten(),
        sms_sent: reader.boolean("sms_sent").flatten(),
        custom_data: reader.custom_data(),
        ..call_facts::read_caller_facts(&mut reader)
    };
    let CallFacts { duration, connect_duration, .. } = simulated_call.facts;
    if duration.zip(connect_duration).is_some_and(|(duration, connected)| connected > duration) {
        reader.error("connect_duration", "must be less than or equal to duration");
    }
    reader.finish();
}
