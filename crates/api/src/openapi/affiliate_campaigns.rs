//! Affiliate campaigns: the participation of an affiliate in an advertiser campaign.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, enumeration, enumeration_or_null, external_id, nullable, object_id, object_url,
    request_object, response_external_id, response_object, schema_reference, with_example,
};
use super::{ivr, pricing};
use serde_json::{Value, json};

const LIST: &str =
    "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliate_campaigns";
const OLD_LIST: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates";
const MEMBER: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates/{affiliate}/affiliate_campaigns";
const MEMBER_BY_ID: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates/{affiliate}/affiliate_campaigns/{id}";

fn affiliate_campaign_example() -> Value {
    json!({
        "id": 1,
        "id_from_network": "11",
        "affiliate_id_from_network": "976",
        "status": "Approved_NotActive",
        "object_url": "https://network.example/p_campaigns/terms/2/1",
        "max_promo_numbers": 10,
        "current_terms": {
            "advertiser_payin": pricing::response_example(),
            "pricing_type": "Fixed",
            "ivr_tree": ivr::tree_example(),
            "affiliate_payout": pricing::response_example(),
        },
        "custom_data": {"channel": "Online lead"},
    })
}

fn request_schema(statuses: &[&str], status_description: &str) -> Value {
    request_object(
        json!({
            "status": enumeration_or_null(statuses, status_description),
            "id_from_network": external_id("External id, unique in the network. Generated for a new one when it is omitted. Before 2016-07-01: `affiliate_campaign_id_from_network`."),
            "custom_data": schema_reference("CustomDataRequest"),
        }),
        &[],
    )
}

pub(super) fn schemas() -> NamedSchemas {
    let statuses = ["Applied", "Approved", "Approved_NotActive", "Suspended", "Declined"];
    let terms = response_object(
        json!({
            "advertiser_payin": nullable(schema_reference("Pricing"), "Price that the advertiser pays. Absent for affiliates."),
            "pricing_type": enumeration(&["Fixed"], "Type of the pricing."),
            "ivr_tree": nullable(schema_reference("IvrTree"), "IVR tree of the calls."),
            "affiliate_payout": nullable(schema_reference("Pricing"), "Price that the affiliate receives."),
        }),
        &["advertiser_payin"],
    );
    let affiliate_campaign = response_object(
        json!({
            "id": object_id("the affiliate campaign"),
            "id_from_network": response_external_id("External id."),
            "affiliate_id_from_network": response_external_id("External id of the affiliate."),
            "status": enumeration(&statuses, "Approved is returned as Approved_NotActive while the advertiser campaign is not Activated."),
            "object_url": object_url("the affiliate campaign"),
            "max_promo_numbers": {"type": "integer", "minimum": 0, "description": "Limit of the advertiser campaign."},
            "current_terms": nullable(terms, "Terms of the advertiser campaign: the current ones, or the future ones if it was never live."),
            "custom_data": schema_reference("CustomData"),
        }),
        &[],
    );
    let application = request_schema(&["Applied"], "An application; the only accepted status.");
    let update = request_schema(
        &statuses,
        "New status. Transitions: Applied → Approved, Declined; Approved → Suspended; Suspended → Approved, Declined; Declined → Approved. The current status changes nothing.",
    );
    let application_example = json!({"status": "Applied", "id_from_network": "2234", "custom_data": {"channel": "Offline lead"}});
    vec![
        ("ApplicationRequest", with_example(application, application_example)),
        ("AffiliateCampaignRequest", with_example(update, json!({"status": "Approved"}))),
        ("AffiliateCampaign", with_example(affiliate_campaign, affiliate_campaign_example())),
    ]
}

const APPLY: &str = "Applies to the campaign. If the advertiser has a relationship with the affiliate, an Approved one approves the application at once and any other declines it. Without a relationship, the campaign's `auto_approve` decides; otherwise the application stays Applied. For an existing affiliate campaign the status stays, except that a Declined one applies again. A status other than Applied is rejected; the response names the transition and has a `status` beside `errors`.";
const UPDATE: &str = "Changes the status, or creates the affiliate campaign by the rules of POST, with status 200. An unknown transition is rejected, with the requested `status` beside `errors`. Only on AffiliateEnabled campaigns.";
const BY_ID: &str = " The id at the end of the path must be the external id of this affiliate campaign; otherwise the response is 404.";

pub(super) fn operations() -> Vec<Operation> {
    let mut operations = vec![
        Operation::get(LIST, "listAffiliateCampaigns", "List a campaign's affiliate campaigns")
            .paged_list_response("AffiliateCampaign"),
        Operation::get(
            OLD_LIST,
            "listAffiliateCampaignsOlder",
            "List a campaign's affiliate campaigns, by the older path",
        )
        .description(
            "The path that versions before 2016-07-01 document. It works on every version.",
        )
        .deprecated()
        .paged_list_response("AffiliateCampaign"),
    ];
    operations.extend(member_operations(MEMBER, "AffiliateCampaign", ""));
    operations.extend(member_operations(MEMBER_BY_ID, "AffiliateCampaignById", BY_ID));
    operations
}

fn member_operations(route: &'static str, object: &str, by_id: &str) -> Vec<Operation> {
    let operation_id = |verb: &str| format!("{verb}{object}");
    let suffix = if by_id.is_empty() { "" } else { " by its id" };
    let full_summary = |summary: &str| format!("{summary}{suffix}");
    vec![
        Operation::get(route, &operation_id("get"), &full_summary("Read an affiliate campaign"))
            .description(&format!("Reads the current state.{by_id}"))
            .object_response("200", "The affiliate campaign.", "AffiliateCampaign"),
        Operation::post(route, &operation_id("post"), &full_summary("Apply to a campaign"))
            .description(&format!("{APPLY}{by_id}"))
            .optional_request_body("ApplicationRequest", json!({"status": "Applied"}))
            .write_response("AffiliateCampaign"),
        Operation::put(route, &operation_id("put"), &full_summary("Change an affiliate campaign"))
            .description(&format!("{UPDATE}{by_id}"))
            .request_body("AffiliateCampaignRequest", json!({"status": "Approved"}))
            .write_response("AffiliateCampaign"),
        Operation::delete(
            route,
            &operation_id("delete"),
            &full_summary("Delete an affiliate campaign (always rejected)"),
        )
        .description("Affiliate campaigns cannot be deleted. The response is 403 `UnauthorizedOperation`, or 404 when there is none."),
    ]
}
