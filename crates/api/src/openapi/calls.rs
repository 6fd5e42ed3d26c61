//! Calls that come in.

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, request};
use serde_json::{Value, json};

fn call() -> Value {
    let seconds = |about: &str| json!({"type": ["integer", "null"], "minimum": 0, "maximum": 2_678_400, "description": about});
    let text =
        |about: &str| json!({"type": ["string", "null"], "maxLength": 255, "description": about});
    let flag = |about: &str| json!({"type": ["boolean", "null"], "description": about});
    let number = |about: &str| json!({"type": ["string", "null"], "pattern": "^[2-9][0-9]{9}$", "description": about});
    json!({
        "type": "object",
        "required": ["external_call_unique_id", "start_time", "advertiser_campaign_id_from_network"],
        "properties": {
            "external_call_unique_id": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[A-Za-z0-9-]+$", "description": "The sender's own id, unique in the network."},
            "start_time": {"type": "string", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$", "description": "`2015-05-13 07:45:08 -0800`, ISO 8601, or without a zone in the network's. Digits alone, as a number or as text, are seconds or milliseconds since 1970."},
            "end_time": {"type": ["string", "null"], "pattern": "^2100-01-0[1-9]$", "description": "As `start_time`, and not before it; gives the duration where that is not said, and has to agree with it where it is."},
            "advertiser_campaign_id_from_network": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[A-Za-z0-9]+$"},
            "destination_phone_number": number("Where it was routed to."),
            "calling_phone_number": number("The caller; absent for a withheld number."),
            "call_direction": text("Kept by nobody; senders send it."),
            "duration_in_seconds": seconds("In all."),
            "connect_duration_in_seconds": seconds("Connected; not more than the duration."),
            "keypresses": {"type": "array", "maxItems": 1000, "items": {"type": "string", "pattern": "^[0-9*#]$"}, "description": "In order."},
            "phone_type": {"type": ["string", "null"], "enum": ["mobile", "landline", null]},
            "shared_caller_id": {"type": ["boolean", "null"], "description": "Whether several callers share the number: then nobody counts as a repeat caller."},
            "country": text("ISO 3166-1 alpha-2."),
            "region": text("State or province, `CA`."),
            "city": text("City."),
            "zip": text("Postal code."),
            "repeat": flag("Whether the caller has called lately; else looked up."),
            "sms_sent": flag("Whether a text message was sent."),
            "promo_number": number("The promo number dialled, one of the campaign's."),
            "affiliate_id_from_network": {"type": ["string", "null"], "maxLength": 255, "description": "Who brought it; else the promo number says."},
        },
    })
}

pub(super) fn schemas() -> Schemas {
    let said = request(
        "A call that came in",
        json!({
            "call": call(),
            "custom_data": {"type": "array", "maxItems": 200, "items": {
                "type": "object",
                "required": ["name", "value"],
                "properties": {"name": {"type": "string", "format": "partner-name"}, "value": {"type": "string", "minLength": 1, "maxLength": 255}},
            }},
        }),
        &["call"],
    );
    let shown = answer(
        "A call's name",
        json!({"cuid": {"type": "string", "description": "The call's complete_call_id."}}),
        &[],
    );
    vec![("CallRequest", example(said, sample())), ("CallTaken", shown)]
}

fn sample() -> Value {
    json!({
        "call": {
            "external_call_unique_id": "call-1",
            "start_time": "2026-11-20",
            "advertiser_campaign_id_from_network": "12",
            "calling_phone_number": "8057089876",
            "duration_in_seconds": 90,
            "connect_duration_in_seconds": 60,
        },
    })
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/api/calls", "takeCall", "Take a call in")
            .about("A call that was routed elsewhere. It is decided once, by the terms that were current at its start. The same call again is 202 and stores nothing; another call under a used id is 409. A body of `application/x-ndjson` takes a call a line, and answers a line each with its `status`; one bad line does not spoil the rest.")
            .with("Idempotency-Key")
            .takes("CallRequest", sample())
            .tells("201", "Stored.", "CallTaken")
            .tells("202", "Known already.", "CallTaken")
            .refuses("409", "Conflict"),
    ]
}
