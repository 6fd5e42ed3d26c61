//! Redecision of stored calls.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, request_boolean, request_object, request_timestamp, required_external_id,
    response_object, schema_reference, with_example,
};
use serde_json::{Value, json};

pub(super) fn schemas() -> NamedSchemas {
    let request = request_object(
        json!({
            "advertiser_campaign": required_external_id("External id of the campaign."),
            "from": request_timestamp("First day in the campaign's time zone, or a time."),
            "to": request_timestamp("Last day in the campaign's time zone, or a time."),
            "apply": request_boolean("Write a correction for each call that is decided differently."),
            "reason": {"type": ["string", "null"], "minLength": 1, "maxLength": 1000, "pattern": r"^\s*\S", "description": "Reason of the corrections. Required to apply."},
        }),
        &["advertiser_campaign", "from", "to"],
    );
    let changed_call = json!({
        "type": "object",
        "required": ["complete_call_id", "transaction_id", "current", "decided", "because"],
        "additionalProperties": false,
        "properties": {
            "complete_call_id": {"type": "string"},
            "transaction_id": {"type": "string", "description": "The newest row of the call, after the request."},
            "current": schema_reference("ReplayCallResult"),
            "decided": schema_reference("ReplayCallResult"),
            "because": {"type": "array", "items": {"type": "string"}, "description": "Differences, such as `region: unknown → NY`."},
        },
    });
    let result = response_object(
        json!({
            "calls": {"type": "integer", "description": "Number of calls."},
            "current": schema_reference("ReplayTotals"),
            "decided": schema_reference("ReplayTotals"),
            "changed": {"type": "array", "maxItems": 1000, "items": changed_call, "description": "The first 1,000 calls that are decided differently."},
            "changed_total": {"type": "integer", "description": "Number of calls that are decided differently."},
            "audit_id": {"type": ["integer", "null"], "format": "int64", "description": "Audit entry by which all corrections can be reverted; `null` if nothing was applied."},
        }),
        &[],
    );
    vec![("RedecideRequest", with_example(request, request_example())), ("Redecision", result)]
}

fn request_example() -> Value {
    json!({"advertiser_campaign": "12", "from": "2026-11-01", "to": "2026-11-20"})
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/trunkline/redecide", "redecideCalls", "Decide stored calls again")
            .description("Decides the calls of a range of days again, by the terms of their start and by what is known today: area codes, calls reported late, corrected facts. Manual amounts stay; rejected calls stay rejected, connected calls stay connected; caps are not checked. At most 100,000 calls. Without `apply` nothing is stored. With it, each call that is decided differently gets a correction, all in one transaction; reverting the audit entry reverts all that were not corrected since. For credentials of the network.")
            .request_body("RedecideRequest", request_example())
            .object_response("200", "The results; nothing was stored.", "Redecision")
            .object_response("201", "The results; the corrections are stored.", "Redecision"),
    ]
}
