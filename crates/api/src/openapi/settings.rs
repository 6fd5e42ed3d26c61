//! Settings of the network.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, boolean, enumeration, request_boolean, request_integer, request_object,
    response_object, with_example,
};
use serde_json::{Value, json};
use trunkline_domain::party::{
    MAX_CALLERS_PER_HOUR, MAX_NUMBER_QUARANTINE_DAYS, MAX_PROMPT_CHARS, MAX_RECORDING_DAYS,
};

const CURRENCIES: [&str; 3] = ["USD", "GBP", "EUR"];
const TIME_ZONE: &str = "Time zone of the timestamps in responses, of days, and of times without a zone: a Rails or an IANA name.";
const CURRENCY: &str = "Currency of sums, and of revenue without a policy.";
const GENERATES_IDS: &str = "Generates external ids for objects that are created without one.";
const QUARANTINE: &str = "Days for which a released promo number is not assigned again.";
const CALLER_ID: &str = "Affiliates see the caller's number in transactions.";
const RECORDINGS: &str = "Affiliates can play the recordings of their calls.";
const RECORDING_DAYS: &str = "Days after the start of a call for which its recording is kept.";
const RECORDED: &str = "Text that is spoken at the beginning of a recorded call.";
const UNASSIGNED: &str = "Text that is spoken when the dialled number is not assigned.";
const CALLERS: &str = "Maximum number of calls of one caller in an hour; `null` means no maximum.";

fn settings_example() -> Value {
    json!({
        "time_zone": "Pacific Time (US & Canada)",
        "currency": "USD",
        "auto_generate_ids": true,
        "number_quarantine_days": 30,
        "affiliates_see_caller_id": false,
        "affiliates_hear_recordings": false,
        "recording_days": 365,
        "recorded_prompt": "This call may be recorded.",
        "unassigned_number_prompt": "The number you have dialed is not in service.",
        "callers_per_hour": null,
    })
}

fn not_null(mut schema: Value) -> Value {
    if let Some(types) = schema["type"].as_array_mut() {
        types.retain(|name| name != "null");
    }
    schema
}

fn prompt(description: &str) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": MAX_PROMPT_CHARS, "pattern": "\\S", "description": description})
}

fn integer(minimum: u32, maximum: u32, description: &str) -> Value {
    json!({"type": "integer", "minimum": minimum, "maximum": maximum, "description": description})
}

pub(super) fn schemas() -> NamedSchemas {
    let request = request_object(
        json!({
            "time_zone": {"type": "string", "format": "time-zone", "description": TIME_ZONE},
            "currency": enumeration(&CURRENCIES, CURRENCY),
            "auto_generate_ids": not_null(request_boolean(GENERATES_IDS)),
            "number_quarantine_days": not_null(request_integer(0, MAX_NUMBER_QUARANTINE_DAYS, QUARANTINE)),
            "affiliates_see_caller_id": not_null(request_boolean(CALLER_ID)),
            "affiliates_hear_recordings": not_null(request_boolean(RECORDINGS)),
            "recording_days": not_null(request_integer(1, MAX_RECORDING_DAYS, RECORDING_DAYS)),
            "recorded_prompt": prompt(RECORDED),
            "unassigned_number_prompt": prompt(UNASSIGNED),
            "callers_per_hour": request_integer(1, MAX_CALLERS_PER_HOUR, CALLERS),
        }),
        &[],
    );
    let mut callers = integer(1, MAX_CALLERS_PER_HOUR, CALLERS);
    callers["type"] = json!(["integer", "null"]);
    let response = response_object(
        json!({
            "time_zone": {"type": "string", "description": TIME_ZONE},
            "currency": enumeration(&CURRENCIES, CURRENCY),
            "auto_generate_ids": boolean(GENERATES_IDS),
            "number_quarantine_days": integer(0, MAX_NUMBER_QUARANTINE_DAYS, QUARANTINE),
            "affiliates_see_caller_id": boolean(CALLER_ID),
            "affiliates_hear_recordings": boolean(RECORDINGS),
            "recording_days": integer(1, MAX_RECORDING_DAYS, RECORDING_DAYS),
            "recorded_prompt": {"type": "string", "description": RECORDED},
            "unassigned_number_prompt": {"type": "string", "description": UNASSIGNED},
            "callers_per_hour": callers,
        }),
        &[],
    );
    vec![
        ("SettingsRequest", with_example(request, json!({"number_quarantine_days": 45}))),
        ("Settings", with_example(response, settings_example())),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    const PATH: &str = "/trunkline/settings";
    vec![
        Operation::get(PATH, "getSettings", "Read the settings of the network").object_response(
            "200",
            "The settings.",
            "Settings",
        ),
        Operation::put(PATH, "putSettings", "Update the settings of the network")
            .description("An absent property keeps its value. Requires the role Super or Manager.")
            .request_body("SettingsRequest", json!({"number_quarantine_days": 45}))
            .write_response("Settings"),
    ]
}
