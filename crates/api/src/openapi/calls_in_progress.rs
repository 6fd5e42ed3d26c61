//! Calls in progress.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, enumeration, external_id, iso_timestamp, nullable, object_id, request_array,
    request_object, response_external_id, response_object, schema_reference, with_description,
    with_example,
};
use serde_json::{Value, json};
use trunkline_network::calls_in_progress::MAX_CALLS_IN_PROGRESS;

/// Query parameters of both operations.
const PARAMETERS: [&str; 4] = [
    "calls_in_progress_organization_type",
    "calls_in_progress_id",
    "calls_in_progress_transaction_id",
    "calls_in_progress_external_unique_id",
];

/// Query parameters of the list alone.
const LIST_PARAMETERS: [&str; 3] = [
    "calls_in_progress_calling_phone_number",
    "calls_in_progress_destination_phone_number",
    "calls_in_progress_call_status",
];

/// Builds the parameter components.
pub(super) fn parameters() -> Value {
    let parameter = |name: &str, description: &str, schema: Value| {
        let is_required = ["organization_type", "id"].contains(&name);
        json!({"name": name, "in": "query", "required": is_required, "description": description, "schema": schema})
    };
    let text = || json!({"type": "string"});
    let number = || json!({"type": "string", "format": "phone-number", "maxLength": 40});
    json!({
        "calls_in_progress_organization_type": parameter("organization_type", "Type of the organization whose calls are meant.", json!({"type": "string", "enum": ["Network", "Advertiser"]})),
        "calls_in_progress_id": parameter("id", "Id of the network; external id of the advertiser, else its `id`.", json!({"type": "string", "minLength": 1})),
        "calls_in_progress_transaction_id": parameter("transaction_id", "Only the call with this `transaction_id`.", text()),
        "calls_in_progress_external_unique_id": parameter("external_unique_id", "Only calls with this external id.", text()),
        "calls_in_progress_calling_phone_number": parameter("calling_phone_number", "Only calls from this number. Given together with `destination_phone_number`.", number()),
        "calls_in_progress_destination_phone_number": parameter("destination_phone_number", "Only calls to this destination. Given together with `calling_phone_number`.", json!({"type": "string"})),
        "calls_in_progress_call_status": parameter("call_status", "`all`: calls in the IVR tree and those that ring, too. Default: only connected ones.", json!({"type": "string", "enum": ["bridged", "all"]})),
    })
}

fn call_schema() -> Value {
    let text = |description: &str| json!({"type": ["string", "null"], "description": description});
    let id = |object: &str| object_id(object);
    let key = |n: u8| {
        text(&format!("What counted at menu {n}: a digit, `W` (wrong keys) or `N` (no key)."))
    };
    response_object(
        json!({
            "transaction_id": response_external_id("The `complete_call_id`, until the call is settled."),
            "call_record_id": response_external_id("The `complete_call_id`."),
            "call_status": enumeration(&["bridged", "ringing", "ivr"], "`bridged`: caller and destination are connected; `ringing`: the destination rings; `ivr`: the caller is in the IVR tree."),
            "external_unique_id": text("External id that a client gave the call."),
            "calling_phone_number": text("Number of the caller in E.164 format."),
            "destination_phone_number": text("Destination that rings or answered: a number in E.164 format, else a text."),
            "called_phone_number": text("Promo number in E.164 format."),
            "bridge_start_time": iso_timestamp("Time of the connection, in the network's time zone."),
            "start_time": iso_timestamp("Start of the call."),
            "phone_type": text("`Mobile`, `Landline` or `Voip`."),
            "advertiser_campaign_country": text("Country of the campaign."),
            "advertiser_campaign_id": id("the campaign"),
            "advertiser_campaign_id_from_network": response_external_id("External id of the campaign."),
            "advertiser_campaign_name": {"type": "string"},
            "advertiser_id": id("the advertiser"),
            "advertiser_id_from_network": response_external_id("External id of the advertiser."),
            "advertiser_name": {"type": "string"},
            "affiliate_campaign_id_from_network": text("External id of the affiliate campaign."),
            "affiliate_id": nullable(id("the affiliate"), "Id of the affiliate."),
            "affiliate_id_from_network": text("External id of the affiliate."),
            "affiliate_name": text("Name of the affiliate."),
            "city": text("City of the caller."),
            "region": text("State or province of the caller."),
            "qualified_regions": {"type": "string", "description": "Named regions of the campaign that contain the caller, comma-separated."},
            "zip_code": text("Postal code of the caller."),
            "verified_zip_code": text("Postal code that the caller entered."),
            "media_type": text("Medium of the promo number."),
            "promo_number_description": text("Description of the promo number."),
            "promo_number_id": nullable(id("the promo number"), "Id of the promo number."),
            "keypress_1": key(1),
            "keypress_2": key(2),
            "keypress_3": key(3),
            "keypress_4": key(4),
            "custom_data": {
                "type": "object",
                "additionalProperties": response_object(json!({
                    "value": {"type": "string"},
                    "source": text("Source of the value: `Api`, `VirtualLine` (the promo number), `AffiliateCampaign`, `Affiliate`, `AdvertiserCampaign` or `Advertiser`."),
                }), &[]),
            },
        }),
        &[],
    )
}

fn update_example() -> Value {
    json!({"call_in_progress": {"external_unique_id": "mycalls00001", "custom_data": [{"name": "channel", "value": "Radio"}]}})
}

pub(super) fn schemas() -> NamedSchemas {
    let entry = json!({
        "type": "object",
        "required": ["name", "value"],
        "properties": {
            "name": {"type": "string", "format": "partner-name", "maxLength": 255, "description": "Partner name of the custom data field."},
            "value": external_id("The value. An empty one is ignored."),
        },
    });
    let change = request_object(
        json!({
            "external_unique_id": external_id("External id of the call, unique for the campaign's advertiser."),
            "custom_data": request_array(entry, 200, "Values of custom data fields. Other fields keep their values."),
        }),
        &[],
    );
    let update = request_object(json!({"call_in_progress": change}), &["call_in_progress"]);
    let calls = json!({"type": "array", "items": schema_reference("CallInProgress")});
    let calls = with_description(calls, "The calls, the one that was connected last first.");
    vec![
        ("CallInProgress", call_schema()),
        ("CallsInProgress", response_object(json!({"current_calls": calls}), &[])),
        ("CallInProgressUpdate", with_example(update, update_example())),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    const UPDATE: &str = "/api/calls_in_progress";
    let list = Operation::get(
        "/api/calls_in_progress/current_calls",
        "listCallsInProgress",
        "List calls in progress",
    )
    .description(&format!("Live calls, at most {MAX_CALLS_IN_PROGRESS}. An ended call is no longer among them. Affiliates get 403."));
    let list = with_parameters(list, &PARAMETERS);
    let list = with_parameters(list, &LIST_PARAMETERS);
    vec![
        list.object_response("200", "The calls.", "CallsInProgress"),
        update_operation(Operation::post(
            UPDATE,
            "updateCallInProgress",
            "Change a call in progress",
        )),
        update_operation(Operation::put(
            UPDATE,
            "updateCallInProgressByPut",
            "Change a call in progress, as by POST",
        )),
    ]
}

fn with_parameters(operation: Operation, components: &[&str]) -> Operation {
    components.iter().fold(operation, |operation, component| operation.parameter(component))
}

fn update_operation(operation: Operation) -> Operation {
    with_parameters(operation, &PARAMETERS)
        .description("Gives the call that `transaction_id` or `external_unique_id` names an external id, and values of custom data fields, which are facts of the call from now on. The response is 404 when there is no such call in progress, and 409 when another call of the advertiser has the external id.")
        .request_body("CallInProgressUpdate", update_example())
        .response_without_etag("202", "The call after the change.", "CallsInProgress")
        .error_response("409", "Conflict")
}
