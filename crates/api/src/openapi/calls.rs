//! Reported calls: calls that another system routed.

use super::operation::Operation;
use super::schema::{
    MAX_CALL_SECONDS, NamedSchemas, keypresses, nullable_caller_id, nullable_destination,
    nullable_external_id, nullable_phone_number, nullable_phone_type, nullable_text, request_array,
    request_boolean, request_call_time, request_integer, request_object, required_call_time,
    required_external_id, response_object, with_example,
};
use serde_json::{Value, json};

fn call_schema() -> Value {
    let seconds = |description: &str| request_integer(0, MAX_CALL_SECONDS, description);
    let text = |description: &str| nullable_text(10_000, description);
    json!({
        "type": "object",
        "required": ["external_call_unique_id", "start_time", "advertiser_campaign_id_from_network"],
        "properties": {
            "external_call_unique_id": required_external_id("The reporter's id of the call, unique for the campaign's advertiser."),
            "start_time": required_call_time("Start of the call."),
            "end_time": request_call_time("End of the call, not before `start_time`. It determines the duration if that is omitted, and must agree with it otherwise."),
            "advertiser_campaign_id_from_network": required_external_id("External id of the advertiser campaign."),
            "destination_phone_number": nullable_destination("Number, extension or SIP user that the call was routed to."),
            "calling_phone_number": nullable_caller_id("Number of the caller. Any other text, such as `anonymous`, is an unknown caller. Absent if it is withheld."),
            "call_direction": {"type": ["string", "null"], "pattern": "^\\s*([Ii][Nn][Bb][Oo][Uu][Nn][Dd]|[Oo][Uu][Tt][Bb][Oo][Uu][Nn][Dd])\\s*$", "description": "`inbound`, the default, or `outbound`, in any case. An outbound call is stored and never paid."},
            "duration_in_seconds": seconds("Total duration in seconds."),
            "connect_duration_in_seconds": seconds("Connected duration in seconds; not more than the total. A positive value means that the call was connected, 0 that it was not, independent of the campaign's IVR tree."),
            "keypresses": keypresses("Pressed keys, in order. They determine the path, not whether the call was connected."),
            "phone_type": nullable_phone_type(),
            "shared_caller_id": request_boolean("Several callers share the number, so none of them counts as a repeat caller."),
            "country": text("Country by ISO 3166-1 code or English name; `UK` too. It takes precedence over a location that contradicts it."),
            "region": text("State or province by code or name: `CA`, `Ontario`. It takes precedence over the postal code and the number."),
            "city": text("City."),
            "zip": text("Postal code. It takes precedence over the location of the number."),
            "repeat": request_boolean("The caller has called the campaign recently. Looked up if it is omitted."),
            "sms_sent": request_boolean("A text message was sent. It counts in conditions only if the keys lead past an SmsPromo node, or end before they could."),
            "promo_number": nullable_phone_number("The dialled promo number, which must belong to the campaign."),
            "recording_url": text("Address of the call's recording. It is fetched, and never shown. The same call again with another address is the same call."),
            "affiliate_id_from_network": nullable_external_id("External id of the affiliate that brought the call. Default: the promo number's affiliate."),
        },
    })
}

pub(super) fn schemas() -> NamedSchemas {
    let call_request = request_object(
        json!({
            "call": call_schema(),
            "custom_data": request_array(json!({
                "type": "object",
                "required": ["name", "value"],
                "properties": {"name": {"type": "string", "format": "partner-name", "maxLength": 255, "description": "Partner name of the custom data field."}, "value": nullable_external_id("The value. An empty one is ignored.")},
            }), 200, "Custom data of the call."),
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
        report_operation(Operation::post("/api/calls", "reportCall", "Report a call")),
        report_operation(Operation::put(
            "/api/calls",
            "reportCallByPut",
            "Report a call, as by POST",
        )),
    ]
}

fn report_operation(operation: Operation) -> Operation {
    operation.description("Reports a call that another system routed. Its reported facts take precedence over the IVR tree. It is priced once, by the terms that were current at its start. A rejected call is stored, too: the response header `Trunkline-Outcome` (the properties `outcome` and `reason` of a line) contains the reason. The same call again gets 202 and is not stored; another call with a used id gets 409. A body of type `application/x-ndjson` contains one call per line; the response has one line per call with its `status`. An invalid line does not affect the others.")
            .parameter("Idempotency-Key")
            .request_body("CallRequest", call_example())
            .response_without_etag("201", "The call was stored.", "CallReceipt")
            .response_without_etag("202", "The call was already stored.", "CallReceipt")
            .response_header("201", "Trunkline-Outcome")
            .response_header("202", "Trunkline-Outcome")
            .error_response("409", "Conflict")
            .json_lines("One call per line, as the JSON request.", "One result per line: `{\"cuid\": …, \"status\": 201}`, with `outcome` and `reason` for a rejected call; or `errors` and `status`.")
}
