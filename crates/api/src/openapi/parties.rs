//! Advertisers and affiliates.

use super::network::users_property;
use super::operation::Operation;
use super::schema::{
    NamedSchemas, enumeration, enumeration_with_default, external_id, nullable_external_id,
    nullable_phone_number, nullable_text, object_id, object_url, request_object,
    required_external_id, required_text, response_external_id, response_object, schema_reference,
    with_example,
};
use super::users::user_example;
use serde_json::{Value, json};
use trunkline_domain::party::{MAX_NAME_CHARS, MAX_SITES_PER_PARTY, PartyKind, PartyStatus};

/// Names that differ between advertisers and affiliates.
struct PartyNames {
    kind: PartyKind,
    /// Property of the approval status.
    status: &'static str,
    collection: &'static str,
    member: &'static str,
    /// Path parameter.
    parameter: &'static str,
}

const ADVERTISER: PartyNames = PartyNames {
    kind: PartyKind::Advertiser,
    status: "approval_status",
    collection: "/api/advertisers",
    member: "/api/advertisers/{advertiser}",
    parameter: "advertiser",
};

const AFFILIATE: PartyNames = PartyNames {
    kind: PartyKind::Affiliate,
    status: "status",
    collection: "/api/affiliates",
    member: "/api/affiliates/{affiliate}",
    parameter: "affiliate",
};

fn approval_statuses() -> Vec<&'static str> {
    PartyStatus::ALL.into_iter().map(PartyStatus::as_str).collect()
}

fn sites_example() -> Value {
    json!([
        {"id_from_network": "33567", "name": "http://www.surfoz.au"},
        {"id_from_network": "44920", "name": "http://www.blogspot.com/surfoz"},
    ])
}

fn request_properties(names: &PartyNames) -> Value {
    let mut properties = json!({
        "id_from_network": external_id("External id, unique among parties of this kind in the network. A POST to the collection may omit it: it is then generated, if the network allows that."),
        "name": required_text("Display name, unique (ignoring case) among parties of this kind in the network. Required for a new party."),
        names.status: enumeration_with_default(&approval_statuses(), "Approved", "Approval by the network."),
        "sites": {
            "type": "array",
            "description": "The complete set of sites; at least 1, each `id_from_network` once. Default at creation: one site with the id and name of the party.",
            "minItems": 1,
            "maxItems": MAX_SITES_PER_PARTY,
            "items": schema_reference("SiteRequest"),
        },
        "users": users_property(),
        "custom_data": schema_reference("CustomDataRequest"),
    });
    if names.kind == PartyKind::Advertiser {
        properties["web_integration_phone_number"] = nullable_phone_number(
            "Number on the advertiser's web site that promo numbers replace.",
        );
        properties["default_creative_id_from_network"] =
            nullable_external_id("External id of the default creative.");
        properties["oauth_refresh_token"] = nullable_text(4_000, "Reserved; stored and returned.");
    }
    properties
}

fn response_properties(names: &PartyNames) -> Value {
    let party = names.kind.as_str();
    let mut properties = json!({
        "id": object_id(&format!("the {party}")),
        "id_from_network": response_external_id("External id."),
        "object_url": object_url(&format!("the {party}")),
        "name": {"type": "string"},
        names.status: enumeration(&approval_statuses(), "Approval by the network."),
    });
    if names.kind == PartyKind::Advertiser {
        properties["web_integration_phone_number"] =
            json!({"type": ["string", "null"], "description": "Digits only."});
        properties["default_creative_id_from_network"] = json!({"type": ["string", "null"]});
        properties["oauth_refresh_token"] = json!({"type": ["string", "null"]});
    }
    properties["sites"] =
        json!({"type": "array", "minItems": 1, "items": schema_reference("Site")});
    properties["users"] = json!({"type": "array", "items": schema_reference("User")});
    properties["custom_data"] = schema_reference("CustomData");
    properties
}

fn request_example(names: &PartyNames) -> Value {
    match names.kind {
        PartyKind::Affiliate => json!({
            "name": "Surf Oz Magazine",
            "status": "Approved",
            "id_from_network": "222",
            "users": [user_example()],
            "sites": sites_example(),
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

fn response_example(names: &PartyNames) -> Value {
    match names.kind {
        PartyKind::Affiliate => json!({
            "id": 19,
            "id_from_network": "222",
            "object_url": "https://network.example/ps/19/dashboards/ui",
            "name": "Surf Oz Magazine",
            "status": "Approved",
            "sites": sites_example(),
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

pub(super) fn schemas() -> NamedSchemas {
    let site_request = request_object(
        json!({
            "id_from_network": required_external_id("External id of the site (PID), unique in the party."),
            "name": nullable_text(MAX_NAME_CHARS, "Name of the site, often its address."),
        }),
        &["id_from_network"],
    );
    let site = response_object(
        json!({"id_from_network": response_external_id("External id of the site (PID)."), "name": {"type": ["string", "null"]}}),
        &[],
    );
    let mut schemas = vec![("SiteRequest", site_request), ("Site", site)];
    let components = [
        (ADVERTISER, "AdvertiserRequest", "Advertiser"),
        (AFFILIATE, "AffiliateRequest", "Affiliate"),
    ];
    for (names, request, response) in components {
        let request_schema = request_object(request_properties(&names), &[]);
        let response_schema = response_object(response_properties(&names), &[]);
        schemas.push((request, with_example(request_schema, request_example(&names))));
        schemas.push((response, with_example(response_schema, response_example(&names))));
    }
    schemas
}

const WRITES: &str = "Creates or updates the party. An absent property keeps its value; a property that is present replaces the stored value completely, so `users` and `sites` are complete sets. `null` clears an optional property. Repeating the request changes nothing.";

pub(super) fn advertiser_operations() -> Vec<Operation> {
    operations(&ADVERTISER)
}

pub(super) fn affiliate_operations() -> Vec<Operation> {
    operations(&AFFILIATE)
}

fn operations(names: &PartyNames) -> Vec<Operation> {
    let class = names.kind.class_name();
    let operation_id = |verb: &str| format!("{verb}{class}");
    let request = format!("{class}Request");
    let party = names.kind.as_str();
    let update_example = || json!({"name": "Updated Surf Oz Magazine"});
    let with_link = |create: Operation| {
        let created = json!({names.parameter: "$response.body#/id_from_network"});
        create.link("201", &operation_id("get"), created)
    };
    vec![
        Operation::get(names.collection, &format!("list{class}s"), &format!("List {party}s"))
            .description("The parties that the credential may read.")
            .paged_list_response(class),
        with_link(
            Operation::post(names.collection, &operation_id("create"), &format!("Create an {party}"))
                .description(WRITES)
                .request_body(&request, request_example(names))
                .write_response(class),
        ),
        Operation::get(names.member, &operation_id("get"), &format!("Read an {party}"))
            .object_response("200", "The party.", class),
        Operation::post(names.member, &operation_id("post"), &format!("Create or update an {party} by id"))
            .description(&format!("{WRITES} An `id_from_network` in the body takes precedence over the path."))
            .request_body(&request, request_example(names))
            .write_response(class),
        Operation::put(names.member, &operation_id("put"), &format!("Update or create an {party} by id"))
            .description(&format!("{WRITES} An `id_from_network` in the body takes precedence over the path."))
            .request_body(&request, update_example())
            .write_response(class),
        Operation::delete(names.member, &operation_id("delete"), &format!("Delete an {party}"))
            .description("Has no effect when there is no such party. A party with campaigns cannot be deleted: 403 `UnauthorizedOperation`. Users without another role are deleted with it.")
            .parameter("If-Match")
            .object_response("200", "The party does not exist.", "Empty"),
    ]
}
