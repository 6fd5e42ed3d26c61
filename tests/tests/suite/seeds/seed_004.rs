//! seeds/004: advertiser campaigns, 2015-05-01.

use super::without;
use serde_json::{Value, json};
use trunkline_tests::{Client, Server, assert_same, body, fixture, patched};

const VERSION: &str = "2015-05-01";
const ADVERTISER: &str = "cFUyYnFHyiYA42TrpM";
const CAMPAIGN: &str = "fJauFbSEGHKw8ADEGv";

fn server() -> (Server, Client) {
    let server = Server::of_the_seeds();
    let network = server.network().on(VERSION);
    network.has_advertiser(ADVERTISER);
    network.has_advertiser("2");
    (server, network)
}

fn path() -> String {
    format!("{}.json", body::campaign_path(ADVERTISER, CAMPAIGN))
}

/// The document says "TBD" for every region's text; the contract, the region in words.
fn regions_in_words(terms: &mut Value) {
    let words = [("CA", "California"), ("OR", "Oregon"), ("WA", "Washington"), ("NY", "New York")];
    for named in terms["named_regions"].as_array_mut().unwrap() {
        for region in named["regions"].as_array_mut().unwrap() {
            let found = words.iter().find(|(value, _)| region["value"] == *value);
            region["text"] = found.map_or("New Jersey", |(_, text)| text).into();
        }
    }
}

/// Campaign 100 of advertiser 2 as the document shows it: one set of terms that went live, and
/// one with budgets that waits. Where the document contradicts itself the contract decides: a
/// campaign that has been live is not in Entry, and has a go_live_date; May is summer time.
fn campaign_100(network: &Client) -> Value {
    let mut shown = fixture("004/get_campaign_response");
    let path = body::campaign_path("2", "100");
    let head = json!({"name": shown["name"], "max_promo_numbers": shown["max_promo_numbers"]});
    let current = body::with(shown["current_terms"].clone(), head);
    network.post(&path, current).expect(201);
    network.go_live("2", "100");
    let future = without(shown["future_terms"].clone(), "expiration_date");
    let pause = json!({"pause_date": "2015-05-18T23:59:59-07:00"});
    network.put(&path, body::with(future, pause)).expect(200);
    shown["future_terms"]["expiration_date"] = "2015-05-18T23:59:59-07:00".into();
    shown["status"] = "Activated".into();
    regions_in_words(&mut shown["current_terms"]);
    regions_in_words(&mut shown["future_terms"]);
    shown
}

const MADE_UP: [&str; 6] = [
    "/current_terms/id",
    "/current_terms/go_live_date",
    "/current_terms/created_at",
    "/current_terms/updated_at",
    "/future_terms/created_at",
    "/future_terms/updated_at",
];

/// `2015-05-13 07:45:08 -0800`
fn is_a_time_stamp(value: &Value) -> bool {
    let said = value.as_str().unwrap_or_default();
    let shape: String = said.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    ["0000-00-00 00:00:00 -0000", "0000-00-00 00:00:00 +0000"].contains(&shape.as_str())
}

#[test]
fn seed_004_read_campaign_100_of_advertiser_2() {
    let (_server, network) = server();
    let shown = campaign_100(&network);
    let answer = network.get("/advertisers/2/advertiser_campaigns/100.json").body(200);
    assert_same(&answer, &patched(&shown, &answer, &MADE_UP));
    let id = answer["current_terms"]["id"].as_str().unwrap();
    assert!(id.parse::<u64>().is_ok(), "current_terms.id is a decimal string: {id}");
    for pointer in MADE_UP.iter().skip(1) {
        assert!(is_a_time_stamp(answer.pointer(pointer).unwrap()), "{pointer}");
    }
}

#[test]
fn seed_004_read_all_campaigns_of_advertiser_2() {
    let (_server, network) = server();
    let list = "/advertisers/2/advertiser_campaigns.json";
    network.get(list).is(200, &json!([]));
    let shown = campaign_100(&network);
    let answer = network.get(list).body(200);
    assert_same(&answer, &json!([patched(&shown, &answer[0], &MADE_UP)]));
}

/// The answer to the document's big example: its terms wait to go live, with their words.
fn created(answer: &Value) -> Value {
    let request = fixture("004/create_campaign_request");
    let terms = without(without(request, "name"), "max_promo_numbers");
    let mut terms = body::with(
        terms,
        json!({
            "id": "",
            "pricing_type": "Fixed",
            "auto_approve": "None",
            "visibility": "All",
            "go_live_date": null,
            "expiration_date": null,
            "created_at": answer["future_terms"]["created_at"],
            "updated_at": answer["future_terms"]["updated_at"],
        }),
    );
    let payin = json!({
        "min": 7, "max": 7, "currency": "USD",
        "pricing": "$7.00 per call if duration > 2 min 30 sec",
        "range": "$7.00 per call",
    });
    let payout = json!({
        "min": 4.5, "max": 7.25, "currency": "USD",
        "pricing": "Base: $4.50 per call Bonus: $2.75 per call if duration > 60",
        "range": "$4.50 - $7.25 per call",
    });
    body::merge(&mut terms["advertiser_payin"], &payin);
    body::merge(&mut terms["affiliate_payout"], &payout);
    regions_in_words(&mut terms);
    json!({
        "current_terms": null,
        "future_terms": terms,
        "status": "Entry",
        "name": "PostSeason Promotion 11 fJauFbSEGHKw8ADEGv",
        "max_promo_numbers": 6,
    })
}

#[test]
fn seed_004_create_a_campaign() {
    let (_server, network) = server();
    let request = fixture("004/create_campaign_request");
    let answer = network.post(&path(), request).body(201);
    assert_same(&answer, &created(&answer));
    network.get(&path()).is(200, &answer);
}

/// "POST to non-existing Advertiser Campaign … in the Demo Network": the host names the network,
/// the path does not.
#[test]
fn seed_004_create_a_campaign_on_a_vanity_host() {
    let (_server, network) = server();
    let vanity = format!("/api/{VERSION}{}", path());
    let request = fixture("004/create_campaign_request");
    let answer = network.anywhere().post(&vanity, request).body(201);
    assert_same(&answer, &created(&answer));
    network.anywhere().get(&vanity).is(200, &answer);
}

/// `curl -XPOST -H "ContentType: application/json" -u 'login:pass' … -d '…'`: curl calls what it
/// sends a form, and the document's page lost the spaces of the time zone's name.
#[test]
fn seed_004_curl_with_a_login_and_password() {
    let (server, network) = server();
    let people = json!({"users": [body::user("login")]});
    network.put("/network", people).expect(200);
    server.set_password("userlogin@example.com", "pass");
    network.has_advertiser("advertiser_id");
    let path = "/advertisers/advertiser_id/advertiser_campaigns/445566.json";
    let request = fixture("004/curl_request");
    let answer = server
        .anon()
        .anywhere()
        .request("POST", &format!("/api/{VERSION}{path}"))
        .header("Authorization", "Basic dXNlcmxvZ2luQGV4YW1wbGUuY29tOnBhc3M=")
        .header("ContentType", "application/json")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .bytes(request.to_string().as_bytes())
        .send();
    // "condition" is a parameter that a Connect does not have.
    assert_eq!(answer.header("trunkline-ignored"), Some("condition"));
    let answer = answer.body(201);
    assert_eq!(answer["name"], "NFLCampaign");
    let terms = &answer["future_terms"];
    assert_eq!(terms["timezone"], "Pacific Time (US & Canada)");
    assert_eq!(terms["url"], request["url"]);
    assert_same(&terms["hours"], &request["hours"]);
    let connect = json!({
        "node_type": "Connect",
        "destination_phone_number": "8052844300",
        "destination_country_code": "1",
        "prompt": "",
    });
    assert_same(&terms["ivr_tree"], &json!({"root": connect, "record_calls": true}));
    network.get(path).is(200, &answer);
}

/// "With an existing advertiser, the IVR tree may be updated independently of other attributes."
#[test]
fn seed_004_the_ivr_tree_may_be_sent_alone() {
    let (_server, network) = server();
    let before = network.post(&path(), fixture("004/create_campaign_request")).body(201);
    let tree = fixture("004/curl_request")["ivr_tree"].clone();
    let after = network.put(&path(), json!({"ivr_tree": tree})).body(200);
    assert_eq!(after["future_terms"]["ivr_tree"]["root"]["node_type"], "Connect");
    let touched = ["/future_terms/ivr_tree", "/future_terms/updated_at"];
    assert_same(&after, &patched(&before, &after, &touched));
}

/// "You are not allowed to delete campaigns."
#[test]
fn seed_004_delete_is_not_allowed() {
    let (_server, network) = server();
    network.post(&path(), fixture("004/create_campaign_request")).expect(201);
    network.delete(&path()).refused(403, "UnauthorizedOperation");
    network.get(&path()).expect(200);
}
