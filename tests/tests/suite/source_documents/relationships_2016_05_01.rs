//! Advertiser–affiliate relationships document of 2016-05-01.

use serde_json::json;
use trunkline_tests::{Client, Server, body, fixture};

const VERSION: &str = "2016-05-01";
const PATH: &str = "/advertisers/1/affiliates/222.json";

fn create_advertiser_1() -> (Server, Client) {
    let server = Server::builder().document_base_url().start();
    let network = server.network().with_version(VERSION);
    network.has_advertiser("1");
    network.has_affiliate("222");
    network.has_affiliate("34518");
    (server, network)
}

#[test]
fn create_a_relationship() {
    let (_server, network) = create_advertiser_1();
    network.get(PATH).assert_error(404, "RecordNotFound");
    let request = fixture("relationships_2016_05_01/create_relationship_request");
    let created = fixture("relationships_2016_05_01/create_relationship_response");
    network.post(PATH, request.clone()).assert_json(201, &created);
    network.post(PATH, request).assert_json(201, &created);
    network
        .get(PATH)
        .assert_json(200, &fixture("relationships_2016_05_01/get_relationship_response"));
}

#[test]
fn get_a_relationship() {
    let (_server, network) = create_advertiser_1();
    network.post(PATH, fixture("relationships_2016_05_01/create_relationship_request")).expect(201);
    network
        .get(PATH)
        .assert_json(200, &fixture("relationships_2016_05_01/get_relationship_response"));
}

#[test]
fn list_relationships() {
    let (_server, network) = create_advertiser_1();
    network.get("/advertisers/1/affiliates.json").assert_json(200, &json!([]));
    for affiliate in ["222", "34518"] {
        let path = format!("{}.json", body::relationship_path("1", affiliate));
        network
            .post(&path, fixture("relationships_2016_05_01/create_relationship_request"))
            .expect(201);
    }
    let listed = fixture("relationships_2016_05_01/list_relationships_response");
    network.get("/advertisers/1/affiliates.json").assert_json(200, &listed);
}

/// "the create and update commands will act as 'create or update'"
#[test]
fn update_a_relationship() {
    let (_server, network) = create_advertiser_1();
    let request = fixture("relationships_2016_05_01/update_relationship_request");
    let updated = fixture("relationships_2016_05_01/update_relationship_response");
    network.put(PATH, request.clone()).assert_json(200, &updated);
    network.put(PATH, json!({"status": "Pending"})).assert_json(200, &updated);
    network.put(PATH, request).assert_json(200, &updated);
    network
        .get(PATH)
        .assert_json(200, &fixture("relationships_2016_05_01/get_relationship_response"));
}

#[test]
fn delete_a_relationship() {
    let (_server, network) = create_advertiser_1();
    network.post(PATH, fixture("relationships_2016_05_01/create_relationship_request")).expect(201);
    let deleted = network.delete(PATH).expect(200);
    assert!(["", "{}"].contains(&deleted.text().as_str()));
    network.get(PATH).assert_error(404, "RecordNotFound");
    network.delete(PATH).expect(200);
}
