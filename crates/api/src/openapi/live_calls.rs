//! Live calls, and the call object.

use super::operation::Operation;
use super::schema::{
    MAX_CALL_SECONDS, NamedSchemas, enumeration, enumeration_or_null, legacy_timestamp, nullable,
    nullable_caller_id, nullable_external_id, nullable_phone_number, nullable_phone_type,
    nullable_text, object_id, request_boolean, request_call_time, request_integer, request_object,
    response_external_id, response_object, schema_reference, with_example,
};
use serde_json::{Value, json};
use trunkline_domain::call::CallEnd;

/// Outcomes of a call.
pub(super) const OUTCOMES: [&str; 4] = ["connected", "ended", "abandoned", "turned_away"];
/// Reasons of a rejection.
pub(super) const REASONS: [&str; 5] =
    ["not_live", "advertiser_not_approved", "affiliate_not_approved", "not_inbound", "over_cap"];
const EVENTS: [&str; 14] = [
    "key",
    "digits",
    "silence",
    "zip",
    "connected",
    "busy",
    "no_answer",
    "failed",
    "hung_up",
    "prompt_finished",
    "alive",
    "recording",
    "sms_sent",
    "sms_failed",
];

fn text(description: &str) -> Value {
    nullable_text(10_000, description)
}

fn start_request() -> Value {
    let properties = json!({
        "advertiser_campaign": nullable_external_id("External id of the campaign. Default: the promo number's campaign. Required without `promo_number`."),
        "affiliate": nullable_external_id("External id of the affiliate that brings the call. Default: the promo number's affiliate."),
        "promo_number": nullable_phone_number("The dialled promo number. It determines campaign and affiliate. Required without `advertiser_campaign`."),
        "calling_phone_number": nullable_caller_id("Number of the caller. Any other text, such as `anonymous`, is an unknown caller. Absent if it is withheld."),
        "external_call_unique_id": nullable_external_id("The edge's own id of the call, unique for the advertiser. Starting it again returns the same call."),
        "start_time": request_call_time("Start of the call. Default: now."),
        "phone_type": nullable_phone_type(),
        "shared_caller_id": request_boolean("Several callers share the number, so none of them counts as a repeat caller."),
        "country": text("Country by ISO 3166-1 code or English name; `UK` too. It takes precedence over a location that contradicts it."),
        "region": text("State or province by code or name: `CA`, `Ontario`. It takes precedence over the postal code and the number."),
        "city": text("City."),
        "zip": text("Postal code. It takes precedence over the location of the number."),
        "repeat": request_boolean("The caller has called the campaign recently. Looked up if it is omitted."),
        "custom_data": schema_reference("CustomDataRequest"),
    });
    let start_request = request_object(properties, &[]);
    with_example(start_request, start_example())
}

fn start_example() -> Value {
    json!({"advertiser_campaign": "12", "calling_phone_number": "8057089876", "phone_type": "mobile"})
}

fn event_request() -> Value {
    let event_request = request_object(
        json!({
            "event": enumeration(&EVENTS, "Type of the event. `prompt_finished` reports that the prompts have been played; it does not change the state of the call."),
            "key": {"type": ["string", "integer", "null"], "pattern": "^[0-9*#]$", "minimum": 0, "maximum": 9, "description": "Pressed key. Required for the event `key`."},
            "zip": {"type": ["string", "integer", "null"], "pattern": r"^\s*[0-9A-Za-z -]{1,10}\s*$", "minimum": 0, "description": "Entered postal code. Required for the event `zip`."},
            "digits": {"type": ["string", "integer", "null"], "pattern": r"^\s*[0-9*#]{1,33}\s*$", "minimum": 0, "description": "Entered digits, with or without the finishing key. Required for the event `digits`."},
            "destination_phone_number": {"type": ["string", "integer", "null"], "maxLength": 255, "description": "Number that answered, for the event `connected` where several rang. Default: the first one."},
            "by": enumeration_or_null(&["caller", "destination"], "Side that hung up, for the event `hung_up`. `destination` is valid only after it has answered."),
            "at": request_call_time("Time of the event, not before that of the previous event. Default: now."),
            "event_id": nullable_external_id("The edge's own id of the event, unique in the call. Repeating it returns the same response again, even after the end of the call."),
            "duration": request_integer(0, MAX_CALL_SECONDS, "Total duration in seconds, as measured by the edge; for `hung_up` and `connected`. It takes precedence over the times of the events."),
            "connect_duration": request_integer(0, MAX_CALL_SECONDS, "Connected duration in seconds, as measured by the edge; for `hung_up` and `connected`. A positive one means that the call was connected."),
            "url": {"type": ["string", "null"], "maxLength": 10_000, "description": "Address of the recording. Required for the event `recording`."},
            "seconds": request_integer(0, MAX_CALL_SECONDS, "Length of the recording in seconds."),
            "sequence": request_integer(0, u32::MAX, "Sequence number: the first is 0 or 1, each following one is higher by 1. Default: the next number. Repeating a number with the same event returns the same response again, even after the end of the call."),
        }),
        &["event"],
    );
    with_example(event_request, json!({"event": "key", "key": "1", "sequence": 1}))
}

fn action_schema() -> Value {
    let single_property = |name: &str, schema: Value| {
        json!({
            "type": "object",
            "required": [name],
            "properties": {name: schema},
            "additionalProperties": false,
        })
    };
    let integer =
        |description: &str| json!({"type": "integer", "minimum": 0, "description": description});
    let optional_text =
        |description: &str| json!({"type": ["string", "null"], "description": description});
    let gather = response_object(
        json!({
            "keys": integer("Maximum number of keys."),
            "finish": optional_text("Key that ends the input before the maximum is reached; `null` for none."),
            "timeout": integer("Seconds to wait."),
            "barge_in": {"type": "boolean", "description": "True: a key ends the prompts before."},
        }),
        &[],
    );
    let number = json!({"type": "string", "description": "National number, digits only."});
    let other = response_object(json!({"number": number, "country_code": {"type": "string"}}), &[]);
    let dial = response_object(
        json!({
            "number": number,
            "country_code": {"type": "string"},
            "extension": optional_text("Extension to dial after the destination has answered; `,` is a pause."),
            "timeout": {"type": ["integer", "null"], "minimum": 1, "description": "Seconds to ring; `null` is up to the edge."},
            "caller_id": optional_text("Caller id to show; `null` if the caller is not known."),
            "record": {"type": "boolean", "description": "The conversation is to be recorded."},
            "whisper": optional_text("Text that the destination hears before the caller."),
            "accept": {"type": "boolean", "description": "The destination has to accept the call with a key."},
            "also": {"type": "array", "items": other, "description": "Destinations to ring at the same time."},
        }),
        &[],
    );
    let send = response_object(
        json!({"copy": {"type": "string"}, "delay": integer("Delay after the end of the call in seconds."), "sender": {"type": ["string", "null"]}}),
        &[],
    );
    json!({"oneOf": [
        single_property("say", json!({"type": "string"})),
        single_property("gather", gather),
        single_property("dial", dial),
        single_property("send_sms", send),
        single_property("hangup", json!({"type": "object", "additionalProperties": false})),
    ]})
}

fn outcome_schema(description: &str) -> Value {
    enumeration_or_null(&OUTCOMES, description)
}

fn reason_schema() -> Value {
    enumeration_or_null(&REASONS, "Reason of the rejection; `null` if the call was not rejected.")
}

/// Schema of the end of a call.
pub(super) fn end_schema(description: &str) -> Value {
    enumeration_or_null(&CallEnd::ALL.map(CallEnd::as_str), description)
}

fn instructions() -> Value {
    let instructions = response_object(
        json!({
            "id": object_id("the call"),
            "outcome": outcome_schema("Outcome of the call; `null` while it is in progress."),
            "reason": reason_schema(),
            "actions": {"type": "array", "items": action_schema(), "description": "Actions to carry out, in order."},
        }),
        &[],
    );
    let actions = json!([{"say": "For tickets, press 1."}, {"gather": {"keys": 1, "finish": null, "timeout": 10, "barge_in": true}}]);
    with_example(
        instructions,
        json!({"id": 7, "outcome": null, "reason": null, "actions": actions}),
    )
}

fn live_state() -> Value {
    let states = [
        "menu",
        "any_key_press",
        "yes_or_no",
        "number_question",
        "confirmation",
        "sms_offer",
        "zip",
        "ringing",
        "talking",
    ];
    let state = response_object(
        json!({
            "at": {"type": "array", "items": {"type": "integer", "minimum": 0}, "description": "Current node: child indices from the root."},
            "doing": enumeration(&states, "State of the node."),
            "sequence": {"type": ["integer", "null"], "description": "Sequence number of the last event."},
            "heard_at": legacy_timestamp("Time of the last event."),
            "connected_at": legacy_timestamp("Time when the destination answered."),
        }),
        &[],
    );
    nullable(state, "State of a call in progress; `null` after its end.")
}

fn call_schema() -> Value {
    let seconds = |description: &str| json!({"type": ["integer", "null"], "minimum": 0, "description": description});
    let flag = |description: &str| json!({"type": ["boolean", "null"], "description": description});
    let optional =
        |description: &str| json!({"type": ["string", "null"], "description": description});
    response_object(
        json!({
            "id": object_id("the call"),
            "complete_call_id": {"type": "string", "description": "Public id of the call; the `cuid` of a report."},
            "external_call_unique_id": optional("The sender's id of the call; `null` if it has none."),
            "advertiser_campaign": response_external_id("External id of the campaign."),
            "affiliate": optional("External id of the affiliate that brought the call."),
            "promo_number": optional("The dialled promo number, while the campaign has it."),
            "start_time": legacy_timestamp("Start of the call."),
            "ended_at": legacy_timestamp("End of the call; `null` while it is in progress."),
            "outcome": outcome_schema("Outcome of the call; `null` while it is in progress."),
            "reason": reason_schema(),
            "end": end_schema("End of the call; `null` while it is in progress, if it was rejected, and for calls that were stored before ends were recorded."),
            "duration": seconds("Total duration in seconds."),
            "connect_duration": seconds("Connected duration in seconds."),
            "keypresses": {"type": "array", "items": {"type": "string"}, "description": "Pressed keys, in order."},
            "phone_type": enumeration_or_null(&["mobile", "landline", "voip"], "Type of the caller's phone."),
            "country": optional("ISO 3166-1 alpha-2."),
            "region": optional("State or province, `CA`."),
            "city": optional("City."),
            "zip": optional("Postal code."),
            "repeat": flag("The caller had called the campaign recently."),
            "sms_sent": flag("A text message was sent."),
            "destination_phone_number": optional("Number that was dialled. Absent for affiliates."),
            "calling_phone_number": optional("Number of the caller. Absent for affiliates."),
            "calling_phone_number_text": optional("Caller id that is no phone number. Absent for affiliates."),
            "custom_data": {"type": ["object", "null"], "additionalProperties": {"type": "string"}, "description": "Custom data of the call. Absent for affiliates."},
            "transaction_id": optional("Newest transaction of the call, after it was settled."),
            "live": live_state(),
        }),
        &[
            "destination_phone_number",
            "calling_phone_number",
            "calling_phone_number_text",
            "custom_data",
        ],
    )
}

pub(super) fn schemas() -> NamedSchemas {
    vec![
        ("LiveCallRequest", start_request()),
        ("LiveCallEventRequest", event_request()),
        ("CallInstructions", instructions()),
        ("Call", call_schema()),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    let id = json!({"id": "$response.body#/id"});
    vec![
        Operation::get("/trunkline/calls", "listCalls", "List calls")
            .description("Calls in progress and ended calls, live or reported. The network reads all calls; an advertiser, the calls of its campaigns; an affiliate, the calls that it brought.")
            .parameter("calls_with_external_id")
            .parameter("calls_of_caller")
            .parameter("calls_to_promo_number")
            .parameter("calls_of_advertiser")
            .parameter("calls_of_campaign")
            .parameter("calls_of_affiliate")
            .parameter("calls_with_outcome")
            .parameter("calls_with_reason")
            .parameter("calls_live")
            .parameter("calls_incomplete")
            .parameter("calls_of_day")
            .parameter("calls_from")
            .parameter("calls_to")
            .paged_list_response("Call"),
        Operation::post("/trunkline/calls", "startCall", "Start a live call")
            .description("Admits or rejects the call and returns the first actions. A rejected call has ended. For credentials of the network and of the campaign's advertiser.")
            .parameter("Idempotency-Key")
            .request_body("LiveCallRequest", start_example())
            .object_response("201", "The actions to carry out.", "CallInstructions")
            .error_response("409", "Conflict")
            .link("201", "getCall", id.clone())
            .link("201", "reportCallEvent", id),
        Operation::get("/trunkline/calls/{id}", "getCall", "Read a call")
            .object_response("200", "The call.", "Call"),
        Operation::post("/trunkline/calls/{id}/events", "reportCallEvent", "Report an event of a live call")
            .description("Changes the state of the call and returns the next actions. At its end the call is priced, once, by the terms that were in force at its start. A rejected event does not change the state.")
            .request_body("LiveCallEventRequest", json!({"event": "key", "key": "1"}))
            .object_response("200", "The actions to carry out.", "CallInstructions"),
        Operation::post("/trunkline/calls/by_external_id/{id}/events", "reportCallEventByExternalId", "Report an event of a live call by the edge's id")
            .description("Like `reportCallEvent`; `id` is the `external_call_unique_id` of the start. 409 if several advertisers use it and `advertiser` is not given.")
            .parameter("call_of_advertiser")
            .request_body("LiveCallEventRequest", json!({"event": "alive"}))
            .object_response("200", "The actions to carry out.", "CallInstructions")
            .error_response("409", "Conflict"),
    ]
}
