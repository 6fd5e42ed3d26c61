//! `conditions/check` and `checks/<advertiser_campaign>`: validation of a condition, and static
//! analysis of a campaign.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_reader::{ObjectReader, ReadContext, TEXT_LIMIT};
use crate::object_response::Object;
use crate::routes::{Routes, get, post};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::{Value, json};
use trunkline_domain::campaign::Campaign;
use trunkline_domain::findings::Finding;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_network::conditions::{self, CheckResult};
use trunkline_network::{PathObject, with_internal_ids};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/conditions/check", post(check_condition))
        .route("/trunkline/checks/{campaign}", get(check_campaign))
}

async fn check_condition(mut request: ApiRequest) -> Response<Body> {
    let result = validate_condition(&mut request);
    request.respond_ok(ResourceKind::Unversioned, result)
}

fn validate_condition(request: &mut ApiRequest) -> Result<Object, ApiError> {
    let body = request.take_body()?;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let condition = reader.text("condition", TEXT_LIMIT).flatten();
    if condition.is_none() && !reader.problems.has_problem("condition") {
        reader.error("condition", BLANK);
    }
    let campaign = reader.optional_id("advertiser_campaign").flatten();
    reader.finish();
    let condition = problems.into_result(condition.unwrap_or_default());
    let condition = condition.map_err(|problems| ApiError::UseCase(problems.into()))?;
    let checked = request
        .read(|unit, context| conditions::check(unit, context, &condition, campaign.as_deref()))?;
    let report = match checked {
        CheckResult::Valid { normalized, in_words, warnings } => json!({
            "valid": true,
            "normalized": normalized,
            "in_words": in_words,
            "errors": [],
            "warnings": warnings,
        }),
        CheckResult::Invalid(error) => json!({
            "valid": false,
            "normalized": null,
            "in_words": null,
            "errors": [{"column": error.column, "message": error.message}],
            "warnings": [],
        }),
    };
    Ok(into_object(report))
}

async fn check_campaign(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    let result = find_findings(&id, &request).await;
    let findings =
        result.map(|findings| findings.iter().map(|finding| into_object(json!(finding))).collect());
    request.respond_array(ResourceKind::Unversioned, findings)
}

async fn find_findings(id: &str, request: &ApiRequest) -> Result<Vec<Finding>, ApiError> {
    let campaign = request.read(|unit, context| {
        with_internal_ids(unit, context, [(PathObject::Campaign, id)], |unit, [id]| {
            conditions::find_campaign(unit, context, id)
        })
    })?;
    match Campaign::latest_terms(&campaign) {
        Some(terms) => {
            let tenant = request.context.principal.tenant();
            Ok(request.app.work_limits.analyze(tenant, terms.clone()).await?)
        }
        None => Ok(Vec::new()),
    }
}

fn into_object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}
