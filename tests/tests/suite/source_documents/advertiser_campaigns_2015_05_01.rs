//! Advertiser campaigns document of 2015-05-01.

use super::without;
use serde_json::{Value, json};
use trunkline_tests::{Client, Server, assert_json_eq, body, fixture, with_values_from};

const VERSION: &str = "2015-05-01";
const ADVERTISER: &str = "cFUyYnFHyiYA42TrpM";
const CAMPAIGN: &str = "fJauFbSEGHKw8ADEGv";

fn server_with_advertiser() -> (Server, Client) {
    let server = Server::builder().document_base_url().start();
    let network = server.network().with_version(VERSION);
    network.has_advertiser(ADVERTISER);
    network.has_advertiser("2");
    (server, network)
}

fn path() -> String {
    format!("{}.json", body::campaign_path(ADVERTISER, CAMPAIGN))
}

/// Fills in descriptions of regions: the document says "TBD" and the contract defines the text.
fn set_region_descriptions(terms: &mut Value) {
    let descriptions =
        [("CA", "California"), ("OR", "Oregon"), ("WA", "Washington"), ("NY", "New York")];
    for named in terms["named_regions"].as_array_mut().unwrap() {
        for region in named["regions"].as_array_mut().unwrap() {
            let description = descriptions.iter().find(|(value, _)| region["value"] == *value);
            region["text"] = description.map_or("New Jersey", |(_, text)| text).into();
        }
    }
}

/// Creates campaign 100 of advertiser 2 as the document shows it: one set of terms that went live, and one
/// with budgets that is staged. Where the document contradicts itself the contract decides: a campaign that
/// has been live is not in Entry and has a go_live_date, and May has daylight saving time.
fn campaign_100(network: &Client) -> Value {
    let mut displayed = fixture("advertiser_campaigns_2015_05_01/get_campaign_response");
    let path = body::campaign_path("2", "100");
    let head =
        json!({"name": displayed["name"], "max_promo_numbers": displayed["max_promo_numbers"]});
    let current = body::merged(displayed["current_terms"].clone(), head);
    network.post(&path, current).expect(201);
    network.go_live("2", "100");
    let future = without(displayed["future_terms"].clone(), "expiration_date");
    let pause = json!({"pause_date": "2015-05-18T23:59:59-07:00"});
    network.put(&path, body::merged(future, pause)).expect(200);
    displayed["future_terms"]["expiration_date"] = "2015-05-18T23:59:59-07:00".into();
    displayed["status"] = "Activated".into();
    set_region_descriptions(&mut displayed["current_terms"]);
    set_region_descriptions(&mut displayed["future_terms"]);
    displayed
}

const CHOSEN_BY_SERVER: [&str; 6] = [
    "/current_terms/id",
    "/current_terms/go_live_date",
    "/current_terms/created_at",
    "/current_terms/updated_at",
    "/future_terms/created_at",
    "/future_terms/updated_at",
];

/// `true` for a timestamp such as `2015-05-13 07:45:08 -0800`.
fn is_timestamp(value: &Value) -> bool {
    let message = value.as_str().unwrap_or_default();
    let shape: String = message.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    ["0000-00-00 00:00:00 -0000", "0000-00-00 00:00:00 +0000"].contains(&shape.as_str())
}

#[test]
fn get_campaign_100_of_advertiser_2() {
    let (_server, network) = server_with_advertiser();
    let current = campaign_100(&network);
    let response = network.get("/advertisers/2/advertiser_campaigns/100.json").body(200);
    assert_json_eq(&response, &with_values_from(&current, &response, &CHOSEN_BY_SERVER));
    let id = response["current_terms"]["id"].as_str().unwrap();
    assert!(id.parse::<u64>().is_ok(), "current_terms.id is a decimal string: {id}");
    for pointer in CHOSEN_BY_SERVER.iter().skip(1) {
        assert!(is_timestamp(response.pointer(pointer).unwrap()), "{pointer}");
    }
}

#[test]
fn list_campaigns_of_advertiser_2() {
    let (_server, network) = server_with_advertiser();
    let list = "/advertisers/2/advertiser_campaigns.json";
    network.get(list).assert_json(200, &json!([]));
    let current = campaign_100(&network);
    let response = network.get(list).body(200);
    assert_json_eq(
        &response,
        &json!([with_values_from(&current, &response[0], &CHOSEN_BY_SERVER)]),
    );
}

/// Response to the document's create example: its terms are staged, with descriptions.
fn created_response(response: &Value) -> Value {
    let request = fixture("advertiser_campaigns_2015_05_01/create_campaign_request");
    let terms = without(without(request, "name"), "max_promo_numbers");
    let mut terms = body::merged(
        terms,
        json!({
            "id": "",
            "pricing_type": "Fixed",
            "auto_approve": "None",
            "visibility": "All",
            "go_live_date": null,
            "expiration_date": null,
            "created_at": response["future_terms"]["created_at"],
            "updated_at": response["future_terms"]["updated_at"],
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
    set_region_descriptions(&mut terms);
    json!({
        "current_terms": null,
        "future_terms": terms,
        "status": "Entry",
        "name": "PostSeason Promotion 11 fJauFbSEGHKw8ADEGv",
        "max_promo_numbers": 6,
    })
}

#[test]
fn create_a_campaign() {
    let (_server, network) = server_with_advertiser();
    let request = fixture("advertiser_campaigns_2015_05_01/create_campaign_request");
    let response = network.post(&path(), request).body(201);
    assert_json_eq(&response, &created_response(&response));
    network.get(&path()).assert_json(200, &response);
}

/// "POST to non-existing Advertiser Campaign … in the Demo Network": the host names the network, and the
/// path does not.
#[test]
fn create_a_campaign_on_a_vanity_host() {
    let (_server, network) = server_with_advertiser();
    let vanity = format!("/api/{VERSION}{}", path());
    let request = fixture("advertiser_campaigns_2015_05_01/create_campaign_request");
    let response = network.absolute_paths().post(&vanity, request).body(201);
    assert_json_eq(&response, &created_response(&response));
    network.absolute_paths().get(&vanity).assert_json(200, &response);
}

/// `curl -XPOST -H "ContentType: application/json" -u 'login:pass' … -d '…'`: curl sends the content type of a
/// form, and the document's page lost the spaces in the name of the time zone.
#[test]
fn curl_with_a_login_and_password() {
    let (server, network) = server_with_advertiser();
    let people = json!({"users": [body::user("login")]});
    network.put("/network", people).expect(200);
    server.set_password("userlogin@example.com", "pass");
    network.has_advertiser("advertiser_id");
    let path = "/advertisers/advertiser_id/advertiser_campaigns/445566.json";
    let request = fixture("advertiser_campaigns_2015_05_01/curl_request");
    let response = server
        .anon()
        .absolute_paths()
        .request("POST", &format!("/api/{VERSION}{path}"))
        .header("Authorization", "Basic dXNlcmxvZ2luQGV4YW1wbGUuY29tOnBhc3M=")
        .header("ContentType", "application/json")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .bytes(request.to_string().as_bytes())
        .send();
    // A Connect node has no parameter "condition".
    assert_eq!(response.header("trunkline-ignored"), Some("condition"));
    let response = response.body(201);
    assert_eq!(response["name"], "NFLCampaign");
    let terms = &response["future_terms"];
    assert_eq!(terms["timezone"], "Pacific Time (US & Canada)");
    assert_eq!(terms["url"], request["url"]);
    assert_json_eq(&terms["hours"], &request["hours"]);
    let connect = json!({
        "node_type": "Connect",
        "destination_phone_number": "8052844300",
        "destination_country_code": "1",
        "prompt": "",
    });
    assert_json_eq(&terms["ivr_tree"], &json!({"root": connect, "record_calls": true}));
    network.get(path).assert_json(200, &response);
}

/// "With an existing advertiser, the IVR tree may be updated independently of other attributes."
#[test]
fn ivr_tree_may_be_sent_alone() {
    let (_server, network) = server_with_advertiser();
    let before = network
        .post(&path(), fixture("advertiser_campaigns_2015_05_01/create_campaign_request"))
        .body(201);
    let tree = fixture("advertiser_campaigns_2015_05_01/curl_request")["ivr_tree"].clone();
    let after = network.put(&path(), json!({"ivr_tree": tree})).body(200);
    assert_eq!(after["future_terms"]["ivr_tree"]["root"]["node_type"], "Connect");
    let touched = ["/future_terms/ivr_tree", "/future_terms/updated_at"];
    assert_json_eq(&after, &with_values_from(&before, &after, &touched));
}

/// "You are not allowed to delete campaigns."
#[test]
fn delete_is_not_allowed() {
    let (_server, network) = server_with_advertiser();
    network
        .post(&path(), fixture("advertiser_campaigns_2015_05_01/create_campaign_request"))
        .expect(201);
    network.delete(&path()).assert_error(403, "UnauthorizedOperation");
    network.get(&path()).expect(200);
}
