//! Advertiser campaigns, and what is done with them.

use super::operation::Operation;
use super::shapes::{
    Schemas, answer, example, name, network_id, object_url, or_null, our_id, reference, request,
    shown_network_id, word,
};
use super::terms;
use serde_json::{Map, Value, json};

const COLLECTION: &str = "/api/advertisers/{advertiser}/advertiser_campaigns";
const MEMBER: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}";
const STATUSES: [&str; 4] = ["Entry", "Activated", "Paused", "Archived"];

fn campaign() -> Value {
    let mut said = json!({"name": "PostSeason Promotion 11"});
    if let (Some(map), Value::Object(terms)) = (said.as_object_mut(), terms::said_example()) {
        map.extend(terms);
    }
    said
}

fn new_campaign() -> Value {
    let mut said = campaign();
    said["id_from_network"] = json!("fJauFbSEGHKw8ADEGv");
    said
}

pub(super) fn schemas() -> Schemas {
    let mut properties = Map::from_iter([
        (
            "id_from_network".to_owned(),
            network_id(
                "The network's id, unique in the network. In a POST to the collection it may be left out: then one is made up, where the network allows it.",
            ),
        ),
        ("name".to_owned(), name("What people know it by. Required when it is new.")),
        ("custom_data".to_owned(), reference("CustomDataRequest")),
    ]);
    properties.extend(terms::said());
    let properties = Value::Object(properties);
    let all = request("An advertiser campaign to write", properties.clone(), &["name"]);
    let part = request("An advertiser campaign, in part", properties, &[]);
    let shown = answer(
        "Advertiser campaign",
        json!({
            "id": our_id("the campaign"),
            "id_from_network": shown_network_id("The network's id."),
            "name": {"type": "string"},
            "status": word(&STATUSES, "Entry: never live. Paused: unarchived, or past its expiration."),
            "object_url": object_url("the campaign"),
            "current_terms": or_null(reference("Terms"), "What holds for calls; null before it was ever live."),
            "future_terms": or_null(reference("Terms"), "What was written since, and waits for go_live; null when nothing does."),
            "custom_data": reference("CustomData"),
        }),
        &[],
    );
    let timeout = json!({"timeout": {"type": ["integer", "null"], "minimum": 2, "maximum": 60, "description": "Seconds to wait for it to be live. Here it is live at once: the number is only checked."}});
    vec![
        ("CampaignRequest", example(all, campaign())),
        ("CampaignUpdate", example(part, json!({"ivr_tree": super::ivr::tree()}))),
        ("Campaign", shown),
        ("GoLiveRequest", example(request("go_live", timeout, &[]), json!({"timeout": 10}))),
        ("QuickStats", stats()),
    ]
}

fn stats() -> Value {
    let days = json!({
        "type": "object",
        "required": ["call_count", "call_avg_total_duration"],
        "additionalProperties": false,
        "properties": {
            "call_count": {"type": "integer", "minimum": 0},
            "call_avg_total_duration": {"type": "number", "minimum": 0, "description": "Seconds."},
        },
    });
    let stats = json!({"today": days, "last_7days": days, "last_30days": days});
    let inner = answer("Statistics", stats, &[]);
    let none = json!({"call_count": 0, "call_avg_total_duration": 0.0});
    let shown = answer("Quick statistics", json!({"stats": inner}), &[]);
    example(shown, json!({"stats": {"today": none, "last_7days": none, "last_30days": none}}))
}

const WRITES: &str = "Terms are staged: a write goes to `future_terms`, which start as a copy of the current ones, and `go_live` moves them to `current_terms`. A write merges by top-level property, so the IVR tree may be sent alone. An `id_from_network` in the body takes precedence over the path's.";

pub(super) fn operations() -> Vec<Operation> {
    let created = json!({
        "advertiser": "$request.path.advertiser",
        "campaign": "$response.body#/id_from_network",
    });
    let mut operations = vec![
        Operation::get(COLLECTION, "listCampaigns", "List an advertiser's campaigns")
            .about("Every one that the credential sees.")
            .lists("Campaign"),
        Operation::post(COLLECTION, "createCampaign", "Create an advertiser campaign")
            .about(WRITES)
            .takes("CampaignRequest", new_campaign())
            .writes("Campaign")
            .leads_to("201", "getCampaign", created.clone())
            .leads_to("201", "goLive", created),
        Operation::get(MEMBER, "getCampaign", "Read an advertiser campaign").answers(
            "200",
            "As it is now.",
            "Campaign",
        ),
        Operation::post(MEMBER, "postCampaign", "Create or update an advertiser campaign by id")
            .about(WRITES)
            .takes("CampaignRequest", campaign())
            .writes("Campaign"),
        Operation::put(MEMBER, "putCampaign", "Update or create an advertiser campaign by id")
            .about(WRITES)
            .takes("CampaignUpdate", json!({"ivr_tree": super::ivr::tree()}))
            .writes("Campaign"),
        Operation::delete(MEMBER, "deleteCampaign", "Refused: campaigns cannot be deleted")
            .about("Always 403 `UnauthorizedOperation`, or 404 when there is no such campaign."),
    ];
    operations.extend(actions());
    operations
}

fn actions() -> Vec<Operation> {
    const GO_LIVE: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/go_live";
    const ARCHIVE: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/archive";
    const UNARCHIVE: &str =
        "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/unarchive";
    const STATS: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/quick_stats";
    let done = "Done, or so already.";
    vec![
        Operation::post(GO_LIVE, "goLive", "Make a campaign live")
            .about("Checks the future terms for completeness, answering every problem, and moves them to `current_terms` in one step. Without future terms it makes the campaign live again. An archived one has to be unarchived first (from 2016-02-01 on).")
            .may_take("GoLiveRequest", json!({"timeout": 10}))
            .answers("200", done, "Empty"),
        Operation::get(GO_LIVE, "goLiveByGet", "Make a campaign live, before 2018-05-01")
            .about("Only on versions before 2018-05-01; from then on it is 405.")
            .older()
            .with("timeout")
            .answers("200", done, "Empty"),
        Operation::post(ARCHIVE, "archiveCampaign", "Archive a campaign")
            .about("One that was never live can't be archived: 403.")
            .answers("200", done, "Empty"),
        Operation::get(ARCHIVE, "archiveCampaignByGet", "Archive a campaign, before 2018-05-01")
            .about("Only on versions before 2018-05-01; from then on it is 405.")
            .older()
            .answers("200", done, "Empty"),
        Operation::post(UNARCHIVE, "unarchiveCampaign", "Unarchive a campaign")
            .about("It is Paused then.")
            .answers("200", done, "Empty"),
        Operation::get(STATS, "quickStats", "Read a campaign's quick statistics")
            .about("Calls and their mean duration, in days of the campaign's time zone.")
            .answers("200", "The numbers.", "QuickStats"),
    ]
}
