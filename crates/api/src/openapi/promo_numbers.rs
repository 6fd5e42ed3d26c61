//! Promo numbers of advertiser campaigns and of affiliate campaigns.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, external_id, nullable_external_id, object_id, object_url, request_object,
    required_text, response_external_id, response_object, schema_reference, with_example,
};
use serde_json::{Value, json};

/// Routes and names for the promo numbers of one kind of owner.
struct OwnerRoutes {
    list: &'static str,
    member: &'static str,
    list_by_id: &'static str,
    member_by_id: &'static str,
    /// Prefix of the operation ids' object.
    id_prefix: &'static str,
    /// Owner with its article.
    owner: &'static str,
}

const CAMPAIGN: OwnerRoutes = OwnerRoutes {
    list: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/promo_numbers",
    member: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/promo_numbers/{number}",
    list_by_id: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/promo_numbers_by_id",
    member_by_id: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/promo_numbers_by_id/{id}",
    id_prefix: "Campaign",
    owner: "a campaign",
};

const AFFILIATE: OwnerRoutes = OwnerRoutes {
    list: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates/{affiliate}/affiliate_campaigns/promo_numbers",
    member: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates/{affiliate}/affiliate_campaigns/promo_numbers/{number}",
    list_by_id: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates/{affiliate}/affiliate_campaigns/promo_numbers_by_id",
    member_by_id: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates/{affiliate}/affiliate_campaigns/promo_numbers_by_id/{id}",
    id_prefix: "Affiliate",
    owner: "an affiliate campaign",
};

const PROMO_TYPE: &str = "Kind of number, as the client said it. It does not select the number. Shown from 2017-02-01 on.";
const ADWORDS_ACCOUNT_ID: &str =
    "Id of the advertising account that shows the number. Shown from 2017-09-01 on.";

fn request_example() -> Value {
    json!({
        "description": "Front page of the August issue",
        "media_type": "Offline newspaper",
        "promo_type": "Local",
        "local_center": {"tn_prefix": "805"},
    })
}

fn response_example() -> Value {
    json!({
        "id": 4,
        "id_from_network": "77",
        "promo_number": "8055550142",
        "description": "Front page of the August issue",
        "media_type": "Offline newspaper",
        "promo_type": "Local",
        "adwords_account_id": null,
        "object_url": "https://network.example/a_campaigns/promo_numbers/1",
        "custom_data": {},
    })
}

pub(super) fn schemas() -> NamedSchemas {
    let local_center = json!({
        "type": ["object", "null"],
        "description": "Wished location of the number, used when it is assigned.",
        "properties": {"tn_prefix": {
            "type": ["string", "integer", "null"],
            "pattern": "^([0-9]{3})?$",
            "minimum": 100,
            "maximum": 999,
            "description": "Area code. The response is 403 when the inventory has no such number.",
        }},
    });
    let properties = json!({
        "description": required_text("Purpose of the number."),
        "media_type": required_text("Medium of the advertisement."),
        "id_from_network": external_id("External id, unique in the network. Generated if it is omitted."),
        "promo_type": {"type": ["string", "null"], "enum": ["Local", "Mobile", null], "description": PROMO_TYPE},
        "adwords_account_id": nullable_external_id(ADWORDS_ACCOUNT_ID),
        "custom_data": schema_reference("CustomDataRequest"),
        "local_center": local_center,
    });
    let create = request_object(properties.clone(), &["description", "media_type"]);
    let mut properties = properties;
    properties["destination_advertiser_id_from_network"] = external_id(
        "External id of the advertiser to move the number to. Required together with the campaign.",
    );
    properties["destination_advertiser_campaign_id_from_network"] =
        external_id("External id of the campaign to move the number to.");
    properties["destination_affiliate_id_from_network"] = external_id(
        "External id of the affiliate to move the number to. Without it the number moves to the campaign itself.",
    );
    let update = request_object(properties, &[]);
    let promo_number = response_object(
        json!({
            "id": object_id("the promo number"),
            "id_from_network": response_external_id("External id."),
            "promo_number": {"type": "string", "pattern": r"^([0-9]{10}|\+[0-9]{8,15})$", "description": "10 digits for a North American number, otherwise E.164."},
            "description": {"type": "string"},
            "media_type": {"type": "string"},
            "promo_type": {"type": ["string", "null"], "enum": ["Local", "Mobile", null], "description": PROMO_TYPE},
            "adwords_account_id": {"type": ["string", "null"], "description": ADWORDS_ACCOUNT_ID},
            "object_url": object_url("the campaign's promo numbers"),
            "custom_data": schema_reference("CustomData"),
        }),
        &[],
    );
    vec![
        ("PromoNumberRequest", with_example(create, request_example())),
        ("PromoNumberUpdate", with_example(update, json!({"description": "Back page"}))),
        ("PromoNumber", with_example(promo_number, response_example())),
    ]
}

const ASSIGNS: &str = "Assigns a number from the network's inventory. Without an `Idempotency-Key`, each request assigns another number. The number that has been free the longest is assigned. The response is 403 when `max_promo_numbers` is reached or no number is free: a released one is not for `number_quarantine_days` (a setting). An affiliate campaign must be Approved.";

pub(super) fn operations() -> Vec<Operation> {
    let mut operations = owner_operations(&CAMPAIGN);
    operations.extend(owner_operations(&AFFILIATE));
    operations
}

fn owner_operations(routes: &OwnerRoutes) -> Vec<Operation> {
    let OwnerRoutes { list, member, list_by_id, member_by_id, id_prefix, owner } = routes;
    let list_summary = format!("List promo numbers of {owner}");
    let create_summary = format!("Assign a promo number to {owner}");
    let operation_id = |verb: &str, suffix: &str| format!("{verb}{id_prefix}PromoNumber{suffix}");
    let by_id = "Documented from 2018-05-01 on. Works on every version.";
    let with_link = |parameter: &str, property: &str, link: &str, operation: Operation| {
        let mut parameters = json!({
            "advertiser": "$request.path.advertiser",
            "campaign": "$request.path.campaign",
            parameter: format!("$response.body#/{property}"),
        });
        if *id_prefix == "Affiliate" {
            parameters["affiliate"] = json!("$request.path.affiliate");
        }
        operation.link("201", link, parameters)
    };
    let create = |route: &'static str, suffix: &str, description: &str| {
        Operation::post(route, &operation_id("assign", suffix), &create_summary)
            .description(description)
            .parameter("Idempotency-Key")
            .request_body("PromoNumberRequest", request_example())
            .object_response("201", "The assigned number.", "PromoNumber")
    };
    let mut operations = vec![
        Operation::get(list, &operation_id("list", "s"), &list_summary)
            .paged_list_response("PromoNumber"),
        with_link("number", "promo_number", &operation_id("get", ""), create(list, "", ASSIGNS)),
        Operation::get(
            list_by_id,
            &operation_id("list", "sById"),
            &format!("{list_summary} (path for ids)"),
        )
        .description(by_id)
        .paged_list_response("PromoNumber"),
        with_link(
            "id",
            "id_from_network",
            &operation_id("get", "ById"),
            create(list_by_id, "ById", ASSIGNS),
        ),
    ];
    operations.extend(member_operations(member, owner, "", "", &operation_id));
    operations.extend(member_operations(member_by_id, owner, "ById", " by its id", &operation_id));
    operations
}

fn member_operations(
    route: &'static str,
    owner: &str,
    id_suffix: &str,
    summary_suffix: &str,
    operation_id: &dyn Fn(&str, &str) -> String,
) -> Vec<Operation> {
    let summary = |verb: &str| format!("{verb} a promo number of {owner}{summary_suffix}");
    vec![
        Operation::get(route, &operation_id("get", id_suffix), &summary("Read"))
            .object_response("200", "The promo number.", "PromoNumber"),
        Operation::put(route, &operation_id("put", id_suffix), &summary("Update"))
            .description("Changes the given properties; the number itself cannot change. The `destination_*` properties move it to another campaign or affiliate: calls from now on are those of the new holder. The response is 404 when there is no such promo number.")
            .request_body("PromoNumberUpdate", json!({"description": "Back page"}))
            .write_response("PromoNumber"),
        Operation::delete(route, &operation_id("delete", id_suffix), &summary("Release"))
            .description("Returns the number to the inventory. It still attributes earlier calls, and it is assigned again after `number_quarantine_days` (a setting) at the earliest. Has no effect when there is no such promo number.")
            .object_response("200", "The promo number does not exist.", "Empty"),
    ]
}
