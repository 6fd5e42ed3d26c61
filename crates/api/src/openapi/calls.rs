//! Reported calls: calls that another system routed.

use super::operation::Operation;
use super::schema::{NamedSchemas, request_object, response_object, with_example};
use serde_json::{Value, json};

fn call_schema() -> Value {
    let seconds = |description: &str| json!({"type": ["integer", "null"], "minimum": 0, "maximum": 2_678_400, "description": description});
    let text = |description: &str| json!({"type": ["string", "null"], "maxLength": 255, "description": description});
    let flag = |description: &str| json!({"type": ["boolean", "null"], "description": description});
    let number = |description: &str| json!({"type": ["string", "null"], "pattern": "^[2-9][0-9]{9}$", "description": description});
    json!({
        "type": "object",
        "required": ["external_call_unique_id", "start_time", "advertiser_campaign_id_from_network"],
        "properties": {
            "external_call_unique_id": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[A-Za-z0-9-]+$", "description": "The reporter's id of the call, unique in the network."},
            "start_time": {"type": "string", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$", "description": "`2015-05-13 07:45:08 -0800` or ISO 8601; in the network's time zone if it has no offset. Digits alone, as a number or as text, are seconds or milliseconds since 1970."},
            "end_time": {"type": ["string", "null"], "pattern": "^2100-01-0[1-9]$", "description": "In the same formats; not before `start_time`. It determines the duration if that is omitted, and must agree with it otherwise."},
            "advertiser_campaign_id_from_network": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[A-Za-z0-9]+$"},
            "destination_phone_number": number("Number that the call was routed to."),
            "calling_phone_number": number("Number of the caller; absent if it is withheld."),
            "call_direction": text("Accepted for compatibility and ignored."),
            "duration_in_seconds": seconds("Total duration in seconds."),
            "connect_duration_in_seconds": seconds("Connected duration in seconds; not more than the total."),
            "keypresses": {"type": "array", "maxItems": 1000, "items": {"type": "string", "pattern": "^[0-9*#]$"}, "description": "Pressed keys, in order."},
            "phone_type": {"type": ["string", "null"], "enum": ["mobile", "landline", null]},
            "shared_caller_id": {"type": ["boolean", "null"], "description": "Several callers share the number, so none of them counts as a repeat caller."},
            "country": text("ISO 3166-1 alpha-2."),
            "region": text("State or province, `CA`."),
            "city": text("City."),
            "zip": text("Postal code."),
            "repeat": flag("The caller has called the campaign recently. Looked up if it is omitted."),
            "sms_sent": flag("A text message was sent."),
            "promo_number": number("The dialled promo number, which must belong to the campaign."),
            "affiliate_id_from_network": {"type": ["string", "null"], "maxLength": 255, "description": "External id of the affiliate that brought the call. Default: the promo number's affiliate."},
        },
    })
}

pub(super) fn schemas() -> NamedSchemas {
    let call_request = request_object(
        json!({
            "call": call_schema(),
            "custom_data": {"type": "array", "maxItems": 200, "items": {
                "type": "object",
                "required": ["name", "value"],
                "properties": {"name": {"type": "string", "format": "partner-name"}, "value": {"type": "string", "minLength": 1, "maxLength": 255}},
            }},
        }),
        &["call"],
    );
    let call_receipt = response_object(
        json!({"cuid": {"type": "string", "description": "The `complete_call_id` of the call."}}),
        &[],
    );
    vec![("CallRequest", with_example(call_request, call_example())), ("CallReceipt", call_receipt)]
}

fn call_example() -> Value {
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
        Operation::post("/api/calls", "reportCall", "Report a call")
            .description("Reports a call that another system routed. It is priced once, by the terms that were current at its start. The same call again gets 202 and is not stored; another call with a used id gets 409. A body of type `application/x-ndjson` contains one call per line; the response has one line per call with its `status`. An invalid line does not affect the others.")
            .parameter("Idempotency-Key")
            .request_body("CallRequest", call_example())
            .response_without_etag("201", "The call was stored.", "CallReceipt")
            .response_without_etag("202", "The call was already stored.", "CallReceipt")
            .error_response("409", "Conflict"),
    ]
}
