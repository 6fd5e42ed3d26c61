//! Affiliate campaigns: one for each advertiser campaign and affiliate.

use super::operation::Operation;
use super::shapes::{
    Schemas, answer, example, network_id, object_url, or_null, our_id, reference, request,
    shown_network_id, word,
};
use super::{ivr, pricing};
use serde_json::{Value, json};

const LIST: &str =
    "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliate_campaigns";
const OLD_LIST: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates";
const MEMBER: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates/{affiliate}/affiliate_campaigns";
const MEMBER_BY_ID: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates/{affiliate}/affiliate_campaigns/{id}";

fn shown_example() -> Value {
    json!({
        "id": 1,
        "id_from_network": "11",
        "affiliate_id_from_network": "976",
        "status": "Approved_NotActive",
        "object_url": "https://network.example/p_campaigns/terms/2/1",
        "max_promo_numbers": 10,
        "current_terms": {
            "advertiser_payin": pricing::shown(),
            "pricing_type": "Fixed",
            "ivr_tree": ivr::tree(),
            "affiliate_payout": pricing::shown(),
        },
        "custom_data": {"channel": "Online lead"},
    })
}

fn written(statuses: &[&str], about: &str) -> Value {
    request(
        "An affiliate campaign to write",
        json!({
            "status": word(statuses, about),
            "id_from_network": network_id("The network's id, unique in the network; made up when it is new and none is said. Before 2016-07-01: `affiliate_campaign_id_from_network`."),
            "custom_data": reference("CustomDataRequest"),
        }),
        &[],
    )
}

pub(super) fn schemas() -> Schemas {
    let all = ["Applied", "Approved", "Approved_NotActive", "Suspended", "Declined"];
    let terms = answer(
        "Terms of an affiliate campaign",
        json!({
            "advertiser_payin": or_null(reference("Pricing"), "What the advertiser pays; not shown to affiliates."),
            "pricing_type": {"const": "Fixed"},
            "ivr_tree": or_null(reference("IvrTree"), "What callers meet."),
            "affiliate_payout": or_null(reference("Pricing"), "What the affiliate gets."),
        }),
        &["advertiser_payin"],
    );
    let shown = answer(
        "Affiliate campaign",
        json!({
            "id": our_id("the affiliate campaign"),
            "id_from_network": shown_network_id("The network's id."),
            "affiliate_id_from_network": shown_network_id("The network's id of the affiliate."),
            "status": word(&all, "Approved reads Approved_NotActive while the advertiser campaign is not Activated."),
            "object_url": object_url("the affiliate campaign"),
            "max_promo_numbers": {"type": "integer", "minimum": 0, "description": "The campaign's."},
            "current_terms": or_null(terms, "The campaign's, its future ones while it was never live."),
            "custom_data": reference("CustomData"),
        }),
        &[],
    );
    let apply = written(&["Applied"], "An application: nothing else can be asked for.");
    let decide = written(
        &all,
        "Where it goes: Applied → Approved, Declined; Approved → Suspended; Suspended → Approved, Declined; Declined → Approved. The same again changes nothing.",
    );
    let applied = json!({"status": "Applied", "id_from_network": "2234", "custom_data": {"channel": "Offline lead"}});
    vec![
        ("ApplicationRequest", example(apply, applied)),
        ("AffiliateCampaignRequest", example(decide, json!({"status": "Approved"}))),
        ("AffiliateCampaign", example(shown, shown_example())),
    ]
}

const APPLY: &str = "Applies. A relationship that is Approved approves it at once, any other declines it; then the campaign's `auto_approve` decides, else it stays Applied. Posting to one that exists changes no status, except that a Declined one applies again. Any status but Applied is refused with the transition and, beside `errors`, a `status`.";
const DECIDE: &str = "Moves it to another status, or creates it by the rules of POST, answering 200. A transition that there is not is refused, with the status asked for beside `errors`. Only on AffiliateEnabled campaigns.";
const BY_ID: &str = " The id at the end of the path must be its own: 404 when it is another's.";

pub(super) fn operations() -> Vec<Operation> {
    let mut operations = vec![
        Operation::get(LIST, "listAffiliateCampaigns", "List a campaign's affiliate campaigns")
            .lists("AffiliateCampaign"),
        Operation::get(
            OLD_LIST,
            "listAffiliateCampaignsOlder",
            "List a campaign's affiliate campaigns, by the older path",
        )
        .about("What versions before 2016-07-01 document; it works on every version.")
        .older()
        .lists("AffiliateCampaign"),
    ];
    operations.extend(member(MEMBER, "AffiliateCampaign", ""));
    operations.extend(member(MEMBER_BY_ID, "AffiliateCampaignById", BY_ID));
    operations
}

fn member(route: &'static str, id: &str, by_id: &str) -> Vec<Operation> {
    let named = |verb: &str| format!("{verb}{id}");
    let suffix = if by_id.is_empty() { "" } else { " by its id" };
    let text = |summary: &str| format!("{summary}{suffix}");
    vec![
        Operation::get(route, &named("get"), &text("Read an affiliate campaign"))
            .about(&format!("As it is now.{by_id}"))
            .answers("200", "As it is now.", "AffiliateCampaign"),
        Operation::post(route, &named("post"), &text("Apply to a campaign"))
            .about(&format!("{APPLY}{by_id}"))
            .may_take("ApplicationRequest", json!({"status": "Applied"}))
            .writes("AffiliateCampaign"),
        Operation::put(route, &named("put"), &text("Move an affiliate campaign"))
            .about(&format!("{DECIDE}{by_id}"))
            .takes("AffiliateCampaignRequest", json!({"status": "Approved"}))
            .writes("AffiliateCampaign"),
        Operation::delete(
            route,
            &named("delete"),
            &text("Refused: affiliate campaigns cannot be deleted"),
        )
        .about("Always 403 `UnauthorizedOperation`, or 404 when there is none."),
    ]
}
