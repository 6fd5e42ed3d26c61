//! Affiliates document of 2018-11-01.

use super::without;
use serde_json::{Value, json};
use trunkline_tests::{Client, Server, assert_json_eq, body, fixture};

const VERSION: &str = "2018-11-01";
const PATH: &str = "/affiliates/222.json";

/// An affiliate as the document shows it, plus the values that the server chooses. The document's phone
/// numbers have typographic hyphens; the response has plain ones, under both names.
fn shown(mut affiliate: Value, id: &Value) -> Value {
    affiliate["id"] = id.clone();
    affiliate["object_url"] = format!("https://invoca.net/ps/{id}/dashboards/ui").into();
    affiliate["users"][0]["phone_number"] = "805-708-9876".into();
    affiliate["users"][0]["contact_phone_number"] = "805-708-9876".into();
    affiliate
}

/// Creates affiliate 222 as the document's GET shows it.
fn create_affiliate_222() -> (Server, Client) {
    let server = Server::builder().document_base_url().start();
    let network = server.network().with_version(VERSION);
    network.post(PATH, fixture("affiliates_2018_11_01/get_affiliate_response")).expect(201);
    // "can_login_via_platform": true
    server.set_password("user@example.com", "correct horse battery staple");
    (server, network)
}

#[test]
fn list_affiliates() {
    let (_server, network) = create_affiliate_222();
    let response = network.get("/affiliates.json").body(200);
    let list = fixture("affiliates_2018_11_01/list_affiliates_response");
    assert_json_eq(&response, &json!([shown(list[0].clone(), &response[0]["id"])]));
}

#[test]
fn get_an_affiliate() {
    let (_server, network) = create_affiliate_222();
    let response = network.get(PATH).body(200);
    assert!(response["id"].is_i64());
    assert_json_eq(
        &response,
        &shown(fixture("affiliates_2018_11_01/get_affiliate_response"), &response["id"]),
    );
}

#[test]
fn delete_an_affiliate() {
    let (_server, network) = create_affiliate_222();
    let deleted = fixture("affiliates_2018_11_01/delete_affiliate_response");
    network.delete(PATH).assert_json(200, &deleted);
    let message = network.get(PATH).assert_error(404, "RecordNotFound");
    assert_eq!(message, "Could not find Affiliate 222");
    network.delete(PATH).assert_json(200, &deleted);
}

/// "you are not allowed to delete if one or more campaigns exist for this affiliate"
#[test]
fn delete_of_an_affiliate_with_campaigns_is_rejected() {
    let (_server, network) = create_affiliate_222();
    network.has_campaign("1", "12", json!({}));
    network.post(&body::affiliate_campaign_path("1", "12", "222"), json!({})).expect(201);
    let message = network.delete(PATH).assert_error(403, "UnauthorizedOperation");
    assert!(message.contains("cannot be deleted because one or more campaigns exist"), "{message}");
    network.get(PATH).expect(200);
}

#[test]
fn create_an_affiliate_with_users() {
    let server = Server::builder().document_base_url().start();
    let network = server.network().with_version(VERSION);
    let request = fixture("affiliates_2018_11_01/create_affiliate_request");
    let response = network.post("/affiliates.json", request.clone()).body(201);
    let mut expected = shown(request, &response["id"]);
    // Numeric ids of the request are strings in the response.
    expected["users"][0]["id_from_network"] = "123".into();
    expected["sites"][0]["id_from_network"] = "33567".into();
    expected["sites"][1]["id_from_network"] = "44920".into();
    expected["users"][0]["oauth_refresh_token"] = Value::Null;
    expected["users"][0]["can_login_via_platform"] = false.into();
    assert_json_eq(&response, &expected);
    network.get(PATH).assert_json(200, &expected);
}

#[test]
fn update_an_affiliate() {
    let (_server, network) = create_affiliate_222();
    let before = network.get(PATH).body(200);
    let request = fixture("affiliates_2018_11_01/update_affiliate_request");
    let response = network.put(PATH, request.clone()).body(200);
    assert_json_eq(&response, &body::merged(before, request));
    network.get(PATH).assert_json(200, &response);
}

#[test]
fn custom_data_on_an_affiliate() {
    let (_server, network) = create_affiliate_222();
    let before = network.get(PATH).body(200);
    let request = fixture("affiliates_2018_11_01/custom_data_request");
    let response = network.put(PATH, request.clone()).body(200);
    assert_json_eq(&response, &body::merged(before, request));
}

/// "the create and update commands both expect the full set of affiliate sites and users each
/// time": missing elements are removed, and an absent set does not change.
#[test]
fn sites_and_users_are_full_sets() {
    let (_server, network) = create_affiliate_222();
    let before = network.get(PATH).body(200);
    let site = json!({"id_from_network": "44920", "name": "http://www.blogspot.com/surfoz"});
    let response = network.put(PATH, json!({"sites": [site]})).body(200);
    assert_json_eq(&response["sites"], &json!([site]));
    assert_json_eq(&without(response, "sites"), &without(before.clone(), "sites"));
    let response = network.put(PATH, json!({"users": []})).body(200);
    assert_json_eq(&response["users"], &json!([]));
}
