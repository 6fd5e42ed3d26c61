//! `conditions/check` and `checks/<advertiser_campaign>`: what is wrong before it matters.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading, TEXT_LIMIT};
use crate::incoming::Incoming;
use crate::reply::Object;
use crate::routes::{Routes, get, post};
use crate::versions::Kind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::{Value, json};
use trunkline_domain::campaign::Campaign;
use trunkline_domain::findings::findings;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_network::conditions::{self, Checked};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/conditions/check", post(check_condition))
        .route("/trunkline/checks/{campaign}", get(check_campaign))
}

async fn check_condition(mut incoming: Incoming) -> Response<Body> {
    let result = check(&mut incoming);
    incoming.reply_ok(Kind::Plain, result)
}

fn check(incoming: &mut Incoming) -> Result<Object, Refusal> {
    let body = incoming.take_body()?;
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let condition = fields.text("condition", TEXT_LIMIT).flatten();
    if condition.is_none() && !fields.problems.has("condition") {
        fields.wrong("condition", BLANK);
    }
    let campaign = fields.optional_id("advertiser_campaign").flatten();
    fields.finish();
    let condition = problems.or(condition.unwrap_or_default());
    let condition = condition.map_err(|problems| Refusal::Refused(problems.into()))?;
    let checked = incoming.read(|session, context| {
        conditions::check(session, context, &condition, campaign.as_deref())
    })?;
    let value = match checked {
        Checked::Valid { normalized, in_words, warnings } => json!({
            "valid": true,
            "normalized": normalized,
            "in_words": in_words,
            "errors": [],
            "warnings": warnings,
        }),
        Checked::Invalid(error) => json!({
            "valid": false,
            "normalized": null,
            "in_words": null,
            "errors": [{"column": error.column, "message": error.message}],
            "warnings": [],
        }),
    };
    Ok(object(value))
}

async fn check_campaign(Path(id): Path<String>, incoming: Incoming) -> Response<Body> {
    let found = incoming.read(|session, context| conditions::of_network(session, context, &id));
    let findings = found.map(|campaign| {
        let terms = Campaign::terms_written(&campaign);
        let found = terms.map(findings).unwrap_or_default();
        found.iter().map(|finding| object(json!(finding))).collect()
    });
    incoming.reply_all(Kind::Plain, findings)
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}
