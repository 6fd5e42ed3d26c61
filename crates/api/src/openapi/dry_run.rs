//! Dry runs: simulation of one call to a campaign.

use super::live_calls::{REASONS, end_schema};
use super::operation::Operation;
use super::schema::{
    MAX_CALL_SECONDS, NamedSchemas, enumeration, enumeration_or_null, keypresses, nullable,
    nullable_caller_id, nullable_external_id, nullable_phone_number, nullable_phone_type,
    nullable_text, request_boolean, request_call_time, request_integer, request_object,
    required_external_id, response_object, schema_reference, with_example,
};
use serde_json::{Value, json};

fn call_facts_schema() -> Value {
    let text = |description: &str| nullable_text(10_000, description);
    let seconds = |description: &str| request_integer(0, MAX_CALL_SECONDS, description);
    json!({
        "type": ["object", "null"],
        "description": "Known facts of the call. An absent fact is unknown.",
        "properties": {
            "calling_phone_number": nullable_caller_id("Number of the caller. Any other text, such as `anonymous`, is an unknown caller. Absent if it is withheld."),
            "start_time": request_call_time("Start of the call. Default: now."),
            "custom_data": schema_reference("CustomDataRequest"),
            "keypresses": keypresses("Pressed keys, in order. If a menu needs a key and none is left, the caller hangs up there."),
            "digits": {"type": ["array", "null"], "maxItems": 1_000, "items": {"type": ["string", "integer"], "pattern": "^[0-9*#]+$", "maxLength": 33, "minimum": 0}, "description": "Answers to NumberQuestions, in order. If none is left, the caller hangs up there."},
            "dials": {"type": ["array", "null"], "maxItems": 1_000, "items": enumeration(&["connected", "busy", "no_answer", "failed"], "Result of dialling."), "description": "Results of dialling, in order. Default: each is `connected`."},
            "duration": seconds("Total duration in seconds."),
            "connect_duration": seconds("Connected duration in seconds; 0 for a call that was not connected. Not more than the total."),
            "phone_type": nullable_phone_type(),
            "shared_caller_id": request_boolean("Several callers share the number, so none of them counts as a repeat caller."),
            "country": text("Country by ISO 3166-1 code or English name; `UK` too. It takes precedence over a location that contradicts it."),
            "region": text("State or province by code or name: `CA`, `Ontario`. It takes precedence over the postal code and the number."),
            "city": text("City."),
            "zip": text("Postal code. It takes precedence over the location of the number. Without it the caller confirms the location that a VerifyLocation node offers."),
            "repeat": request_boolean("The caller has called the campaign recently. Looked up if it is omitted."),
            "sms_sent": request_boolean("The caller accepts the offered text message. It counts only if the call passes an SmsPromo node."),
            "promo_number": nullable_phone_number("The dialled promo number, which must belong to the campaign."),
        },
    })
}

fn explanation_schema() -> Value {
    json!({
        "type": "object",
        "required": ["text", "value", "op", "terms", "fact"],
        "properties": {
            "text": {"type": "string", "description": "Normalized text of the condition."},
            "value": {"type": ["boolean", "null"], "description": "Result; `null` if it is unknown."},
            "op": enumeration(&["and", "or", "not", "term"], "Operator, or a single term."),
            "terms": {"type": "array", "items": schema_reference("Explanation")},
            "fact": {"description": "Fact that the term depends on: `{\"duration\": 75}`; `null` is an unknown value."},
        },
    })
}

fn price_schema() -> Value {
    let policy = json!({
        "type": "object",
        "required": ["type", "amount", "met", "paid", "condition"],
        "properties": {
            "type": enumeration(&["Base", "Bonus"], "Type of the policy."),
            "amount": {"type": "number", "minimum": 0},
            "met": {"type": ["boolean", "null"], "description": "Result of the condition. `null` means unknown and is not paid."},
            "paid": {"type": "boolean", "description": "The policy is paid. A bonus is paid only if the base is met."},
            "condition": nullable(schema_reference("Explanation"), "Evaluation of the condition; `null` if there is none."),
        },
    });
    json!({
        "type": ["object", "null"],
        "required": ["amount", "currency", "matching_policies", "policies"],
        "properties": {
            "amount": {"type": "number", "minimum": 0, "description": "Sum of the paid policies."},
            "currency": enumeration(&["USD", "GBP", "EUR"], "Currency of all policies."),
            "matching_policies": {"type": "string", "description": "Paid policies: `base+bonus1`; empty if none is paid."},
            "policies": {"type": "array", "items": policy},
        },
    })
}

fn node_visit_schema() -> Value {
    json!({
        "type": "object",
        "required": ["at", "node_type", "prompt", "key", "condition"],
        "properties": {
            "at": {"type": "array", "items": {"type": "integer", "minimum": 0}, "description": "Position of the node: child indices from the root."},
            "node_type": {"type": "string"},
            "prompt": {"type": "string", "description": "Spoken text."},
            "key": {"type": ["string", "null"], "description": "Final key press: 1–9, W (wrong key) or N (no key)."},
            "condition": nullable(schema_reference("Explanation"), "Evaluation of the condition; `null` if there is none."),
            "digits": {"type": "string", "description": "Answer to a NumberQuestion, in its normalized form. Absent if there is none."},
            "dials": {"type": "array", "items": dial_schema(), "description": "Destinations that were dialled at the node. Absent if there are none."},
        },
    })
}

fn dial_schema() -> Value {
    json!({
        "type": "object",
        "required": ["destination_phone_number", "result"],
        "properties": {
            "destination_phone_number": {"type": "string"},
            "result": enumeration_or_null(&["connected", "busy", "no_answer", "failed"], "Result; `null` if it is not known, or if another destination that rang at the same time answered."),
        },
    })
}

/// Schema of a dry run's result.
pub(super) fn result_schema() -> Value {
    let budget = json!({
        "type": "object",
        "required": ["kind", "total", "amount", "would_alert"],
        "properties": {
            "kind": enumeration(&["budget_cap_alert", "call_cap_alert", "concurrent_call_cap_alert"], "Kind of the budget."),
            "total": {"type": "number", "description": "Total of the current period before the call."},
            "amount": {"type": "number"},
            "would_alert": {"type": "array", "items": {"type": "integer", "enum": [75, 90, 100]}},
        },
    });
    response_object(
        json!({
            "outcome": enumeration(&["connected", "ended", "abandoned", "turned_away"], "Outcome of the call."),
            "reason": enumeration_or_null(&REASONS, "Reason of the rejection; `null` if the call is not rejected."),
            "end": end_schema("End of the call; `null` if it was rejected, and for a simulated call that was connected."),
            "path": {"type": "array", "items": node_visit_schema()},
            "destination_phone_number": {"type": ["string", "null"], "description": "Number that the caller was connected to."},
            "advertiser_payin": price_schema(),
            "affiliate_payout": price_schema(),
            "margin": {"type": ["object", "null"], "description": "Payin minus payout; `null` if their currencies differ."},
            "budgets": {"type": "array", "items": budget},
            "warnings": {"type": "array", "items": {"type": "string"}},
        }),
        &[],
    )
}

pub(super) fn schemas() -> NamedSchemas {
    let dry_run_request = request_object(
        json!({
            "advertiser_campaign": required_external_id("External id of the campaign."),
            "affiliate": nullable_external_id("External id of the affiliate that brings the call; `null` for none."),
            "terms": enumeration_or_null(&["current", "future"], "Terms to apply. Default: `current`."),
            "call": call_facts_schema(),
        }),
        &["advertiser_campaign"],
    );
    vec![
        ("DryRunRequest", with_example(dry_run_request, request_example())),
        ("DryRun", result_schema()),
        ("Explanation", explanation_schema()),
    ]
}

fn request_example() -> Value {
    json!({
        "advertiser_campaign": "12",
        "affiliate": null,
        "terms": "future",
        "call": {"calling_phone_number": "8057089876", "keypresses": ["1"], "duration": 90},
    })
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/trunkline/dry_run", "dryRun", "Simulate a call to a campaign")
            .description("Stores nothing. Executes the IVR tree, determines payin and payout, and explains them. Future terms are treated as if they were live. Earlier calls of the caller and the current totals of budgets are taken into account.")
            .request_body("DryRunRequest", request_example())
            .object_response("200", "The result of the simulation.", "DryRun"),
    ]
}
