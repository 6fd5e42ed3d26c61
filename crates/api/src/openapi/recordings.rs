//! Recordings of calls.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, legacy_timestamp, request_integer, request_object, response_object, with_example,
};
use crate::recording_links::LINK_SECONDS;
use serde_json::json;

const RECORDING: &str = "/trunkline/calls/{id}/recording";

pub(super) fn schemas() -> NamedSchemas {
    let [min, max] = LINK_SECONDS;
    let mut seconds = request_integer(min, max, "Lifetime of the link in seconds.");
    seconds["type"] = json!(["integer", "string"]);
    let request = request_object(json!({"seconds": seconds}), &["seconds"]);
    let mut expiry =
        legacy_timestamp("Time after which the link is rejected, in the network's time zone.");
    expiry["type"] = json!("string");
    let link = response_object(
        json!({
            "url": {"type": "string", "format": "uri", "minLength": 1, "description": "The link. It needs no credential."},
            "expires_at": expiry,
        }),
        &[],
    );
    vec![
        ("RecordingLinkRequest", with_example(request, json!({"seconds": 3600}))),
        ("RecordingLink", link),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    let links = "/trunkline/calls/{id}/recording/links";
    vec![
        Operation::get(RECORDING, "getRecording", "Hear the recording of a call")
            .description("The call is named by its `complete_call_id` or its id. The network and the call's advertiser may hear it, its affiliate if the setting `affiliates_hear_recordings` allows it. `Range` selects a part.")
            .sound_response()
            .error_response("410", "Gone"),
        Operation::delete(RECORDING, "deleteRecording", "Delete the recording of a call")
            .description("Requires the role Manager or Super on the network. The address that was reported is not fetched again. Has no effect if there is no recording.")
            .object_response("200", "There is no recording any more.", "Empty"),
        Operation::post(links, "createRecordingLink", "Create a link to the recording of a call")
            .description("The link needs no credential until it ends. Requires write access to the call's advertiser or affiliate.")
            .request_body("RecordingLinkRequest", json!({"seconds": 3600}))
            .response_without_etag("201", "The link.", "RecordingLink")
            .error_response("410", "Gone"),
        Operation::get("/trunkline/recordings/{token}", "getRecordingByLink", "Hear a recording by a link")
            .description("Needs no credential: the link is signed.")
            .without_security()
            .sound_response()
            .error_response("410", "Gone"),
    ]
}
