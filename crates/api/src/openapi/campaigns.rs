//! Advertiser campaigns: writes, status changes, quick statistics.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, enumeration, external_id, nullable, object_id, object_url, request_integer,
    request_object, required_text, response_external_id, response_object, schema_reference,
    with_example,
};
use super::terms;
use serde_json::{Map, Value, json};

const COLLECTION: &str = "/api/advertisers/{advertiser}/advertiser_campaigns";
const MEMBER: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}";
const STATUSES: [&str; 4] = ["Entry", "Activated", "Paused", "Archived"];

fn campaign_example() -> Value {
    let mut campaign = json!({"name": "PostSeason Promotion 11"});
    if let (Some(map), Value::Object(terms)) = (campaign.as_object_mut(), terms::request_example())
    {
        map.extend(terms);
    }
    campaign
}

fn new_campaign_example() -> Value {
    let mut campaign = campaign_example();
    campaign["id_from_network"] = json!("fJauFbSEGHKw8ADEGv");
    campaign
}

pub(super) fn schemas() -> NamedSchemas {
    let mut properties = Map::from_iter([
        (
            "id_from_network".to_owned(),
            external_id(
                "External id, unique in the network. A POST to the collection may omit it: it is then generated, if the network allows that.",
            ),
        ),
        ("name".to_owned(), required_text("Display name. Required for a new campaign.")),
        ("custom_data".to_owned(), schema_reference("CustomDataRequest")),
    ]);
    properties.extend(terms::request_properties());
    let properties = Value::Object(properties);
    let request = request_object(properties, &[]);
    let campaign = response_object(
        json!({
            "id": object_id("the campaign"),
            "id_from_network": response_external_id("External id."),
            "name": {"type": "string"},
            "status": enumeration(&STATUSES, "Entry: never live. Paused: unarchived, or expired."),
            "object_url": object_url("the campaign"),
            "current_terms": nullable(schema_reference("Terms"), "Terms in force; `null` before the first `go_live`."),
            "future_terms": nullable(schema_reference("Terms"), "Terms written since the last `go_live`; `null` when there are none."),
            "custom_data": schema_reference("CustomData"),
        }),
        &[],
    );
    let go_live = json!({"timeout": request_integer(2, 60, "Seconds to wait until the campaign is live. Trunkline makes it live at once and only validates the number.")});
    vec![
        ("CampaignRequest", with_example(request, campaign_example())),
        ("Campaign", campaign),
        ("GoLiveRequest", with_example(request_object(go_live, &[]), json!({"timeout": 10}))),
        ("QuickStats", quick_stats()),
    ]
}

fn quick_stats() -> Value {
    let period = json!({
        "type": "object",
        "required": ["call_count", "call_avg_total_duration"],
        "additionalProperties": false,
        "properties": {
            "call_count": {"type": "integer", "minimum": 0},
            "call_avg_total_duration": {"type": "number", "minimum": 0, "description": "Mean duration in seconds of the calls whose duration is known."},
        },
    });
    let periods = json!({"today": period, "last_7days": period, "last_30days": period});
    let stats = response_object(periods, &[]);
    let none = json!({"call_count": 0, "call_avg_total_duration": 0.0});
    let response = response_object(json!({"stats": stats}), &[]);
    with_example(
        response,
        json!({"stats": {"today": none, "last_7days": none, "last_30days": none}}),
    )
}

const WRITES: &str = "Terms are staged: a write changes `future_terms`, which start as a copy of the current ones, and `go_live` moves them to `current_terms`. A write merges by top-level property, so the IVR tree can be sent alone. An `id_from_network` in the body takes precedence over the path.";

pub(super) fn operations() -> Vec<Operation> {
    let created_campaign = json!({
        "advertiser": "$request.path.advertiser",
        "campaign": "$response.body#/id_from_network",
    });
    let mut operations = vec![
        Operation::get(COLLECTION, "listCampaigns", "List an advertiser's campaigns")
            .description("The campaigns that the credential may read.")
            .paged_list_response("Campaign"),
        Operation::post(COLLECTION, "createCampaign", "Create an advertiser campaign")
            .description(WRITES)
            .request_body("CampaignRequest", new_campaign_example())
            .write_response("Campaign")
            .link("201", "getCampaign", created_campaign.clone())
            .link("201", "goLive", created_campaign),
        Operation::get(MEMBER, "getCampaign", "Read an advertiser campaign").object_response(
            "200",
            "The campaign.",
            "Campaign",
        ),
        Operation::post(MEMBER, "postCampaign", "Create or update an advertiser campaign by id")
            .description(WRITES)
            .request_body("CampaignRequest", campaign_example())
            .write_response("Campaign"),
        Operation::put(MEMBER, "putCampaign", "Update or create an advertiser campaign by id")
            .description(WRITES)
            .request_body("CampaignRequest", json!({"ivr_tree": super::ivr::tree_example()}))
            .write_response("Campaign"),
        Operation::delete(MEMBER, "deleteCampaign", "Delete a campaign (always rejected)")
            .description("Campaigns cannot be deleted. The response is 403 `UnauthorizedOperation`, or 404 when there is no such campaign."),
    ];
    operations.extend(action_operations());
    operations
}

fn action_operations() -> Vec<Operation> {
    const GO_LIVE: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/go_live";
    const ARCHIVE: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/archive";
    const UNARCHIVE: &str =
        "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/unarchive";
    const STATS: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/quick_stats";
    let done = "Done, or no change was necessary.";
    vec![
        Operation::post(GO_LIVE, "goLive", "Make a campaign live")
            .description("Checks that the future terms are complete, reports every problem, and moves the terms to `current_terms` in one step. Without future terms it makes a paused campaign live again. An archived campaign must be unarchived first (from 2016-02-01 on).")
            .optional_request_body("GoLiveRequest", json!({"timeout": 10}))
            .object_response("200", done, "Empty"),
        Operation::get(GO_LIVE, "goLiveByGet", "Make a campaign live, before 2018-05-01")
            .description("Only on versions before 2018-05-01; later versions respond with 405.")
            .deprecated()
            .parameter("timeout")
            .object_response("200", done, "Empty"),
        Operation::post(ARCHIVE, "archiveCampaign", "Archive a campaign")
            .description("A campaign that was never live cannot be archived: 403.")
            .object_response("200", done, "Empty"),
        Operation::get(ARCHIVE, "archiveCampaignByGet", "Archive a campaign, before 2018-05-01")
            .description("Only on versions before 2018-05-01; later versions respond with 405.")
            .deprecated()
            .object_response("200", done, "Empty"),
        Operation::post(UNARCHIVE, "unarchiveCampaign", "Unarchive a campaign")
            .description("Its status becomes Paused.")
            .object_response("200", done, "Empty"),
        Operation::get(STATS, "quickStats", "Read a campaign's quick statistics")
            .description("Number of calls and their mean duration, by days of the campaign's time zone.")
            .object_response("200", "The statistics.", "QuickStats"),
    ]
}
