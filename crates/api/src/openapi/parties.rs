//! Advertisers and affiliates.

use super::network::users;
use super::operation::Operation;
use super::shapes::{
    Schemas, answer, example, name, network_id, object_url, optional_network_id, our_id, phone,
    reference, request, shown_network_id, text, word,
};
use super::users::user_example;
use serde_json::{Value, json};
use trunkline_domain::party::{NAME_LIMIT, PartyKind, PartyStatus, SITE_LIMIT};

/// The words of one kind of party.
struct Words {
    kind: PartyKind,
    status: &'static str,
    collection: &'static str,
    member: &'static str,
    parameter: &'static str,
}

const ADVERTISER: Words = Words {
    kind: PartyKind::Advertiser,
    status: "approval_status",
    collection: "/api/advertisers",
    member: "/api/advertisers/{advertiser}",
    parameter: "advertiser",
};

const AFFILIATE: Words = Words {
    kind: PartyKind::Affiliate,
    status: "status",
    collection: "/api/affiliates",
    member: "/api/affiliates/{affiliate}",
    parameter: "affiliate",
};

fn statuses() -> Vec<&'static str> {
    PartyStatus::ALL.into_iter().map(PartyStatus::as_str).collect()
}

fn sites() -> Value {
    json!([
        {"id_from_network": "33567", "name": "http://www.surfoz.au"},
        {"id_from_network": "44920", "name": "http://www.blogspot.com/surfoz"},
    ])
}

fn said(words: &Words) -> Value {
    let mut properties = json!({
        "id_from_network": network_id("The network's id, unique among those of its kind. In a POST to the collection it may be left out: then one is made up, where the network allows it."),
        "name": name("Unique among those of its kind in the network, whatever the case of its letters. Required when it is new."),
        words.status: word(&statuses(), "Whether the network works with it; Approved by default."),
        "sites": {
            "type": "array",
            "description": "The full set of sites: 1 or more, each `id_from_network` once. When none is given at creation, one is made with the party's own id and name.",
            "minItems": 1,
            "maxItems": SITE_LIMIT,
            "items": reference("SiteRequest"),
        },
        "users": users(),
        "custom_data": reference("CustomDataRequest"),
    });
    if words.kind == PartyKind::Advertiser {
        properties["web_integration_phone_number"] =
            phone("The number on the advertiser's web site that promo numbers replace.");
        properties["default_creative_id_from_network"] =
            optional_network_id("The network's id of the creative used by default.");
        properties["oauth_refresh_token"] = text(4_000, "Reserved: kept and returned.");
    }
    properties
}

fn shown(words: &Words) -> Value {
    let word_of = words.kind.word();
    let mut properties = json!({
        "id": our_id(&format!("the {word_of}")),
        "id_from_network": shown_network_id("The network's id."),
        "object_url": object_url(&format!("the {word_of}")),
        "name": {"type": "string"},
        words.status: word(&statuses(), "Whether the network works with it."),
    });
    if words.kind == PartyKind::Advertiser {
        properties["web_integration_phone_number"] =
            json!({"type": ["string", "null"], "description": "Digits alone."});
        properties["default_creative_id_from_network"] = json!({"type": ["string", "null"]});
        properties["oauth_refresh_token"] = json!({"type": ["string", "null"]});
    }
    properties["sites"] = json!({"type": "array", "minItems": 1, "items": reference("Site")});
    properties["users"] = json!({"type": "array", "items": reference("User")});
    properties["custom_data"] = reference("CustomData");
    properties
}

fn request_example(words: &Words) -> Value {
    match words.kind {
        PartyKind::Affiliate => json!({
            "name": "Surf Oz Magazine",
            "status": "Approved",
            "id_from_network": "222",
            "users": [user_example()],
            "sites": sites(),
            "custom_data": {"channel": "Offline lead"},
        }),
        PartyKind::Advertiser => json!({
            "name": "Post Season Tickets",
            "approval_status": "Approved",
            "id_from_network": "354",
            "web_integration_phone_number": "800-437-7950",
            "users": [user_example()],
            "custom_data": {"channel": "Online lead"},
        }),
    }
}

fn shown_example(words: &Words) -> Value {
    match words.kind {
        PartyKind::Affiliate => json!({
            "id": 19,
            "id_from_network": "222",
            "object_url": "https://network.example/ps/19/dashboards/ui",
            "name": "Surf Oz Magazine",
            "status": "Approved",
            "sites": sites(),
            "users": [],
            "custom_data": {"channel": "Online lead"},
        }),
        PartyKind::Advertiser => json!({
            "id": 7,
            "id_from_network": "354",
            "object_url": "https://network.example/as/7/dashboards/ui",
            "name": "Post Season Tickets",
            "approval_status": "Approved",
            "web_integration_phone_number": "8004377950",
            "default_creative_id_from_network": null,
            "oauth_refresh_token": null,
            "sites": [{"id_from_network": "354", "name": "Post Season Tickets"}],
            "users": [],
            "custom_data": {},
        }),
    }
}

pub(super) fn schemas() -> Schemas {
    let site_request = request(
        "A site to write",
        json!({
            "id_from_network": network_id("The site's id (PID), unique in the party."),
            "name": text(NAME_LIMIT, "What it is called, often its address."),
        }),
        &["id_from_network"],
    );
    let site = answer(
        "Site",
        json!({"id_from_network": shown_network_id("The site's id (PID)."), "name": {"type": ["string", "null"]}}),
        &[],
    );
    let mut schemas = vec![("SiteRequest", site_request), ("Site", site)];
    let names = [
        (ADVERTISER, "AdvertiserRequest", "AdvertiserUpdate", "Advertiser"),
        (AFFILIATE, "AffiliateRequest", "AffiliateUpdate", "Affiliate"),
    ];
    for (words, written, updated, read) in names {
        let title = |what: &str| format!("{}, {what}", words.kind.class());
        let all = request(&title("to write"), said(&words), &["name"]);
        let part = request(&title("in part"), said(&words), &[]);
        let answered = answer(words.kind.class(), shown(&words), &[]);
        schemas.push((written, example(all, request_example(&words))));
        schemas.push((updated, example(part, json!({"name": "Updated Surf Oz Magazine"}))));
        schemas.push((read, example(answered, shown_example(&words))));
    }
    schemas
}

const WRITES: &str = "Creates it, or updates the one there is. A property that is absent stays as it is; one that is present replaces what was there whole, so `users` and `sites` are full sets. `null` clears what is optional. The same request again changes nothing.";

pub(super) fn advertisers() -> Vec<Operation> {
    operations(&ADVERTISER)
}

pub(super) fn affiliates() -> Vec<Operation> {
    operations(&AFFILIATE)
}

fn operations(words: &Words) -> Vec<Operation> {
    let class = words.kind.class();
    let id = |verb: &str| format!("{verb}{class}");
    let (schema, plural) = (class, format!("list{class}s"));
    let (request, update) = (format!("{class}Request"), format!("{class}Update"));
    let a = format!("an {}", words.kind.word());
    let name_update = || json!({"name": "Updated Surf Oz Magazine"});
    let link = |get: Operation| {
        let created = json!({words.parameter: "$response.body#/id_from_network"});
        get.leads_to("201", &id("get"), created)
    };
    vec![
        Operation::get(words.collection, &plural, &format!("List {}s", words.kind.word()))
            .about("Every one that the credential sees.")
            .lists(schema),
        link(
            Operation::post(words.collection, &id("create"), &format!("Create {a}"))
                .about(WRITES)
                .takes(&request, request_example(words))
                .writes(schema),
        ),
        Operation::get(words.member, &id("get"), &format!("Read {a}"))
            .answers("200", "As it is now.", schema),
        Operation::post(words.member, &id("post"), &format!("Create or update {a} by id"))
            .about(&format!("{WRITES} An `id_from_network` in the body takes precedence over the path's."))
            .takes(&request, request_example(words))
            .writes(schema),
        Operation::put(words.member, &id("put"), &format!("Update or create {a} by id"))
            .about(&format!("{WRITES} An `id_from_network` in the body takes precedence over the path's."))
            .takes(&update, name_update())
            .writes(schema),
        Operation::delete(words.member, &id("delete"), &format!("Delete {a}"))
            .about("Does nothing when there is none. With one or more campaigns it is refused: 403 `UnauthorizedOperation`. Users that only it had go with it.")
            .with("If-Match")
            .answers("200", "Gone.", "Empty"),
    ]
}
