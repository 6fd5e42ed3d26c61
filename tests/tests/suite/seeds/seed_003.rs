//! seeds/003: relationships ("auto-approve"), 2016-05-01.

use serde_json::json;
use trunkline_tests::{Client, Server, body, fixture};

const VERSION: &str = "2016-05-01";
const PATH: &str = "/advertisers/1/affiliates/222.json";

fn advertiser_1() -> (Server, Client) {
    let server = Server::of_the_seeds();
    let network = server.network().on(VERSION);
    network.has_advertiser("1");
    network.has_affiliate("222");
    network.has_affiliate("34518");
    (server, network)
}

#[test]
fn seed_003_create_a_relationship() {
    let (_server, network) = advertiser_1();
    network.get(PATH).refused(404, "RecordNotFound");
    let request = fixture("003/create_relationship_request");
    let created = fixture("003/create_relationship_response");
    network.post(PATH, request.clone()).is(201, &created);
    network.post(PATH, request).is(201, &created);
    network.get(PATH).is(200, &fixture("003/get_relationship_response"));
}

#[test]
fn seed_003_read_a_single_relationship() {
    let (_server, network) = advertiser_1();
    network.post(PATH, fixture("003/create_relationship_request")).expect(201);
    network.get(PATH).is(200, &fixture("003/get_relationship_response"));
}

#[test]
fn seed_003_read_all_relationships() {
    let (_server, network) = advertiser_1();
    network.get("/advertisers/1/affiliates.json").is(200, &json!([]));
    for affiliate in ["222", "34518"] {
        let path = format!("{}.json", body::relationship_path("1", affiliate));
        network.post(&path, fixture("003/create_relationship_request")).expect(201);
    }
    let listed = fixture("003/list_relationships_response");
    network.get("/advertisers/1/affiliates.json").is(200, &listed);
}

/// "the create and update commands will act as 'create or update'"
#[test]
fn seed_003_update_a_relationship() {
    let (_server, network) = advertiser_1();
    let request = fixture("003/update_relationship_request");
    let updated = fixture("003/update_relationship_response");
    network.put(PATH, request.clone()).is(200, &updated);
    network.put(PATH, json!({"status": "Pending"})).is(200, &updated);
    network.put(PATH, request).is(200, &updated);
    network.get(PATH).is(200, &fixture("003/get_relationship_response"));
}

#[test]
fn seed_003_delete_a_relationship() {
    let (_server, network) = advertiser_1();
    network.post(PATH, fixture("003/create_relationship_request")).expect(201);
    let deleted = network.delete(PATH).expect(200);
    assert!(["", "{}"].contains(&deleted.text().as_str()));
    network.get(PATH).refused(404, "RecordNotFound");
    network.delete(PATH).expect(200);
}
