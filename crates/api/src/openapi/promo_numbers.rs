//! Promo numbers, of a campaign and of an affiliate in it.

use super::operation::Operation;
use super::shapes::{
    Schemas, answer, example, name, network_id, object_url, our_id, reference, request,
    shown_network_id,
};
use serde_json::{Value, json};

/// The routes of one owner's promo numbers.
struct Routes {
    list: &'static str,
    member: &'static str,
    list_by_id: &'static str,
    member_by_id: &'static str,
    id: &'static str,
    whose: &'static str,
}

const CAMPAIGN: Routes = Routes {
    list: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/promo_numbers",
    member: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/promo_numbers/{number}",
    list_by_id: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/promo_numbers_by_id",
    member_by_id: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/promo_numbers_by_id/{id}",
    id: "Campaign",
    whose: "a campaign",
};

const AFFILIATE: Routes = Routes {
    list: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates/{affiliate}/affiliate_campaigns/promo_numbers",
    member: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates/{affiliate}/affiliate_campaigns/promo_numbers/{number}",
    list_by_id: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates/{affiliate}/affiliate_campaigns/promo_numbers_by_id",
    member_by_id: "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates/{affiliate}/affiliate_campaigns/promo_numbers_by_id/{id}",
    id: "Affiliate",
    whose: "an affiliate campaign",
};

fn said() -> Value {
    json!({
        "description": "Front page of the August issue",
        "media_type": "Offline newspaper",
        "local_center": {"tn_prefix": "805"},
    })
}

fn shown() -> Value {
    json!({
        "id": 4,
        "id_from_network": "77",
        "promo_number": "8055550142",
        "description": "Front page of the August issue",
        "media_type": "Offline newspaper",
        "object_url": "https://network.example/a_campaigns/promo_numbers/1",
        "custom_data": {},
    })
}

pub(super) fn schemas() -> Schemas {
    let local_center = json!({
        "type": ["object", "null"],
        "description": "Where the number should be; looked at when it is taken.",
        "properties": {"tn_prefix": {
            "type": ["string", "null"],
            "pattern": "^[0-9]{3}$",
            "description": "An area code. 403 when the inventory has none of it.",
        }},
    });
    let properties = json!({
        "description": name("What it is used for."),
        "media_type": name("Where it is advertised."),
        "id_from_network": network_id("The network's id, unique in the network; made up when none is said."),
        "custom_data": reference("CustomDataRequest"),
        "local_center": local_center,
    });
    let take =
        request("A promo number to take", properties.clone(), &["description", "media_type"]);
    let change = request("A promo number, in part", properties, &[]);
    let answered = answer(
        "Promo number",
        json!({
            "id": our_id("the promo number"),
            "id_from_network": shown_network_id("The network's id."),
            "promo_number": {"type": "string", "pattern": "^[0-9]{7,15}$", "description": "Digits alone."},
            "description": {"type": "string"},
            "media_type": {"type": "string"},
            "object_url": object_url("the campaign's promo numbers"),
            "custom_data": reference("CustomData"),
        }),
        &[],
    );
    vec![
        ("PromoNumberRequest", example(take, said())),
        ("PromoNumberUpdate", example(change, json!({"description": "Back page"}))),
        ("PromoNumber", example(answered, shown())),
    ]
}

const TAKES: &str = "Takes a number from the network's inventory. Not idempotent by itself: each takes another one. 403 over the limit of `max_promo_numbers`, and when the inventory is empty. An affiliate campaign must be Approved.";

pub(super) fn operations() -> Vec<Operation> {
    let mut operations = of(&CAMPAIGN);
    operations.extend(of(&AFFILIATE));
    operations
}

fn of(routes: &Routes) -> Vec<Operation> {
    let Routes { list, member, list_by_id, member_by_id, id, whose } = routes;
    let all = format!("List promo numbers of {whose}");
    let take = format!("Take a promo number for {whose}");
    let named = |verb: &str, by: &str| format!("{verb}{id}PromoNumber{by}");
    let by_id = "From 2018-05-01; works on every version.";
    let created = |parameter: &str, property: &str, link: &str, operation: Operation| {
        let mut parameters = json!({
            "advertiser": "$request.path.advertiser",
            "campaign": "$request.path.campaign",
            parameter: format!("$response.body#/{property}"),
        });
        if *id == "Affiliate" {
            parameters["affiliate"] = json!("$request.path.affiliate");
        }
        operation.leads_to("201", link, parameters)
    };
    let taking = |route: &'static str, by: &str, about: &str| {
        Operation::post(route, &named("take", by), &take)
            .about(about)
            .with("Idempotency-Key")
            .takes("PromoNumberRequest", said())
            .answers("201", "The number that was taken.", "PromoNumber")
    };
    let mut operations = vec![
        Operation::get(list, &named("list", "s"), &all).lists("PromoNumber"),
        created("number", "promo_number", &named("get", ""), taking(list, "", TAKES)),
        Operation::get(list_by_id, &named("list", "sById"), &format!("{all}, by the other path"))
            .about(by_id)
            .lists("PromoNumber"),
        created("id", "id_from_network", &named("get", "ById"), taking(list_by_id, "ById", TAKES)),
    ];
    operations.extend(one(member, whose, "", "", &named));
    operations.extend(one(member_by_id, whose, "ById", " by its id", &named));
    operations
}

fn one(
    route: &'static str,
    whose: &str,
    by: &str,
    suffix: &str,
    named: &dyn Fn(&str, &str) -> String,
) -> Vec<Operation> {
    let text = |verb: &str| format!("{verb} a promo number of {whose}{suffix}");
    vec![
        Operation::get(route, &named("get", by), &text("Read"))
            .answers("200", "As it is now.", "PromoNumber"),
        Operation::put(route, &named("put", by), &text("Change"))
            .about("Changes what is said; the number stays. There is no creating here: 404 when there is none.")
            .takes("PromoNumberUpdate", json!({"description": "Back page"}))
            .writes("PromoNumber"),
        Operation::delete(route, &named("delete", by), &text("Give back"))
            .about("The number goes back to the inventory. Does nothing when there is none.")
            .answers("200", "Gone.", "Empty"),
    ]
}
