//! seeds/002: affiliates, 2018-11-01.

use super::without;
use serde_json::{Value, json};
use trunkline_tests::{Client, Server, assert_same, body, fixture};

const VERSION: &str = "2018-11-01";
const PATH: &str = "/affiliates/222.json";

/// An affiliate as the document shows it, with what only the server knows. The document's
/// numbers have typographic hyphens, which come back as plain ones, under both names.
fn shown(mut affiliate: Value, id: &Value) -> Value {
    affiliate["id"] = id.clone();
    affiliate["object_url"] = format!("https://invoca.net/ps/{id}/dashboards/ui").into();
    affiliate["users"][0]["phone_number"] = "805-708-9876".into();
    affiliate["users"][0]["contact_phone_number"] = "805-708-9876".into();
    affiliate
}

/// Affiliate 222 as the document's GET shows it: written as it is read.
fn surf_oz() -> (Server, Client) {
    let server = Server::of_the_seeds();
    let network = server.network().on(VERSION);
    network.post(PATH, fixture("002/get_affiliate_response")).expect(201);
    // "can_login_via_platform": true
    server.set_password("user@example.com", "correct horse battery staple");
    (server, network)
}

#[test]
fn seed_002_read_all_affiliates() {
    let (_server, network) = surf_oz();
    let answer = network.get("/affiliates.json").body(200);
    let list = fixture("002/list_affiliates_response");
    assert_same(&answer, &json!([shown(list[0].clone(), &answer[0]["id"])]));
}

#[test]
fn seed_002_read_a_specific_affiliate() {
    let (_server, network) = surf_oz();
    let answer = network.get(PATH).body(200);
    assert!(answer["id"].is_i64());
    assert_same(&answer, &shown(fixture("002/get_affiliate_response"), &answer["id"]));
}

#[test]
fn seed_002_delete_a_single_affiliate() {
    let (_server, network) = surf_oz();
    let deleted = fixture("002/delete_affiliate_response");
    network.delete(PATH).is(200, &deleted);
    let said = network.get(PATH).refused(404, "RecordNotFound");
    assert_eq!(said, "Could not find Affiliate 222");
    network.delete(PATH).is(200, &deleted);
}

/// "you are not allowed to delete if one or more campaigns exist for this affiliate"
#[test]
fn seed_002_delete_an_affiliate_with_campaigns() {
    let (_server, network) = surf_oz();
    network.has_campaign("1", "12", json!({}));
    network.post(&body::affiliate_campaign_path("1", "12", "222"), json!({})).expect(201);
    let said = network.delete(PATH).refused(403, "UnauthorizedOperation");
    assert!(said.contains("cannot be deleted because one or more campaigns exist"), "{said}");
    network.get(PATH).expect(200);
}

#[test]
fn seed_002_create_an_affiliate_with_users() {
    let server = Server::of_the_seeds();
    let network = server.network().on(VERSION);
    let request = fixture("002/create_affiliate_request");
    let answer = network.post("/affiliates.json", request.clone()).body(201);
    let mut expected = shown(request, &answer["id"]);
    // Ids that are numbers in the request are strings in the answer.
    expected["users"][0]["id_from_network"] = "123".into();
    expected["sites"][0]["id_from_network"] = "33567".into();
    expected["sites"][1]["id_from_network"] = "44920".into();
    expected["users"][0]["oauth_refresh_token"] = Value::Null;
    expected["users"][0]["can_login_via_platform"] = false.into();
    assert_same(&answer, &expected);
    network.get(PATH).is(200, &expected);
}

#[test]
fn seed_002_update_a_single_affiliate() {
    let (_server, network) = surf_oz();
    let before = network.get(PATH).body(200);
    let request = fixture("002/update_affiliate_request");
    let answer = network.put(PATH, request.clone()).body(200);
    assert_same(&answer, &body::with(before, request));
    network.get(PATH).is(200, &answer);
}

#[test]
fn seed_002_custom_data_on_an_affiliate() {
    let (_server, network) = surf_oz();
    let before = network.get(PATH).body(200);
    let request = fixture("002/custom_data_request");
    let answer = network.put(PATH, request.clone()).body(200);
    assert_same(&answer, &body::with(before, request));
}

/// "the create and update commands both expect the full set of affiliate sites and users each
/// time": whoever is left out is removed, and what is not there at all stays.
#[test]
fn seed_002_sites_and_users_are_full_sets() {
    let (_server, network) = surf_oz();
    let before = network.get(PATH).body(200);
    let site = json!({"id_from_network": "44920", "name": "http://www.blogspot.com/surfoz"});
    let answer = network.put(PATH, json!({"sites": [site]})).body(200);
    assert_same(&answer["sites"], &json!([site]));
    assert_same(&without(answer, "sites"), &without(before.clone(), "sites"));
    let answer = network.put(PATH, json!({"users": []})).body(200);
    assert_same(&answer["users"], &json!([]));
}
