//! Promo numbers: taken from the network's inventory, for a campaign or an affiliate in it.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Server, assert_same};

fn stocked(numbers: &[&str]) -> (Server, Client, String) {
    let server = Server::start();
    let network = server.network();
    server.stock(numbers);
    network.has_live_campaign("1", "12", json!({"max_promo_numbers": 2}));
    let path = format!("{}/promo_numbers", campaign_path("1", "12"));
    (server, network, path)
}

fn radio() -> Value {
    json!({"description": "Radio spot", "media_type": "Radio"})
}

#[test]
fn a_number_is_taken_read_changed_and_given_back() {
    let (_server, network, path) = stocked(&["8005550101"]);
    network.get(&path).is(200, &json!([]));
    let new = json!({
        "description": "Radio spot", "media_type": "Radio", "id_from_network": 77,
        "custom_data": {"channel": "Radio"},
    });
    let taken = network.post(&format!("{path}.json"), new).body(201);
    let mut names: Vec<&String> = taken.as_object().unwrap().keys().collect();
    names.sort();
    let expected = [
        "custom_data",
        "description",
        "id",
        "id_from_network",
        "media_type",
        "object_url",
        "promo_number",
    ];
    assert_eq!(names, expected);
    assert_eq!(taken["id_from_network"], "77");
    let number = taken["promo_number"].as_str().expect("a number");
    for said in [number, "8005550101", "800-555-0101", "%2B18005550101"] {
        network.get(&format!("{path}/{said}")).is(200, &taken);
    }
    network.get(&path).is(200, &json!([taken]));
    let member = format!("{path}/{number}");
    let changed = network.put(&member, json!({"description": "TV"})).body(200);
    assert_eq!((&changed["description"], &changed["media_type"]), (&json!("TV"), &json!("Radio")));
    network.delete(&member).is(200, &json!({}));
    network.delete(&member).is(200, &json!({}));
    network.get(&member).refused(404, "RecordNotFound");
    network.put(&member, json!({"description": "TV"})).refused(404, "RecordNotFound");
    // It is free again.
    network.post(&path, radio()).expect(201);
}

#[test]
fn a_description_and_a_media_type_are_required() {
    let (_server, network, path) = stocked(&["8005550101"]);
    let blank = json!(["can't be blank"]);
    network.post(&path, json!({})).invalid(&json!({"description": blank, "media_type": blank}));
    let wrong = json!({"description": "", "media_type": null, "custom_data": {"colour": "red"}});
    network.post(&path, wrong).invalid(&json!({
        "description": blank,
        "media_type": blank,
        "custom_data": {"colour": ["is not a custom data field of this network"]},
    }));
    network.get(&path).is(200, &json!([]));
    let taken = network.post(&path, radio()).body(201);
    let member = format!("{path}/{}", taken["promo_number"].as_str().unwrap());
    network.put(&member, json!({"description": null})).invalid(&json!({"description": blank}));
}

#[test]
fn the_limit_is_the_campaigns() {
    let (_server, network, path) = stocked(&["8005550101", "8005550102", "8005550103"]);
    network.post(&path, radio()).expect(201);
    network.post(&path, radio()).expect(201);
    let refused = network.post(&path, radio()).body(403);
    assert!(refused["errors"].is_object(), "{refused}");
    assert_eq!(network.get(&path).body(200).as_array().map(Vec::len), Some(2));
    // A higher one counts once it is live.
    network.put(&campaign_path("1", "12"), json!({"max_promo_numbers": 3})).expect(200);
    assert_eq!(network.post(&path, radio()).status, 403);
    network.go_live("1", "12");
    network.post(&path, radio()).expect(201);
}

#[test]
fn an_empty_inventory_is_403_and_so_is_an_area_code_it_does_not_have() {
    let (_server, network, path) = stocked(&["8055550101", "8005550101"]);
    let local = |prefix: Value| {
        let mut new = radio();
        new["local_center"] = json!({"tn_prefix": prefix});
        network.post(&path, new)
    };
    assert_eq!(local(json!("212")).status, 403);
    let invalid = json!({"local_center": {"tn_prefix": ["is invalid"]}});
    local(json!("21")).invalid(&invalid);
    local(json!("abc")).invalid(&invalid);
    let taken = local(json!(805)).body(201);
    assert!(taken["promo_number"].as_str().is_some_and(|it| it.contains("805")), "{taken}");
    network.post(&path, radio()).expect(201);
    network.put(&campaign_path("1", "12"), json!({"max_promo_numbers": 9})).expect(200);
    network.go_live("1", "12");
    assert_eq!(network.post(&path, radio()).status, 403);
}

#[test]
fn an_idempotency_key_gets_the_first_answer_again() {
    let (server, network, path) = stocked(&["8005550101", "8005550102"]);
    let post = |client: &Client, key: &str, body: &Value| {
        client.request("POST", &path).header("Idempotency-Key", key).json(body).send()
    };
    let first = post(&network, "one", &radio()).body(201);
    for _ in 0..3 {
        post(&network, "one", &radio()).is(201, &first);
    }
    // For something else it is refused, and so is nothing else.
    let other = json!({"description": "TV", "media_type": "TV"});
    let refused = post(&network, "one", &other);
    assert!((400..500).contains(&refused.status), "{}", refused.text());
    let second = post(&network, "two", &radio()).body(201);
    assert_ne!(first["promo_number"], second["promo_number"]);
    // A refusal is not kept: the same key may try again.
    assert_eq!(post(&network, "three", &radio()).status, 403);
    let member = format!("{path}/{}", second["promo_number"].as_str().unwrap());
    network.delete(&member).expect(200);
    post(&network, "three", &radio()).expect(201);
    // Somebody else's key is another.
    network.delete(&member).expect(200);
    post(&server.advertiser("1"), "one", &radio()).expect(201);
}

#[test]
fn without_a_key_each_post_takes_another() {
    let (_server, network, path) = stocked(&["8005550101", "8005550102"]);
    let first = network.post(&path, radio()).body(201);
    let second = network.post(&path, radio()).body(201);
    assert_ne!(first["promo_number"], second["promo_number"]);
    assert_ne!(first["id_from_network"], second["id_from_network"]);
    let taken = json!({"id_from_network": ["has already been taken"]});
    let member = format!("{path}/{}", second["promo_number"].as_str().unwrap());
    network.put(&member, json!({"id_from_network": first["id_from_network"]})).invalid(&taken);
}

#[test]
fn an_affiliates_own_numbers_need_an_approved_affiliate_campaign() {
    let (server, network, campaigns) = stocked(&["8005550101", "8005550102"]);
    network.has_applied("1", "12", "222");
    let place = affiliate_campaign_path("1", "12", "222");
    let path = format!("{place}/promo_numbers");
    for status in ["Applied", "Declined", "Approved", "Suspended"] {
        if status != "Applied" {
            network.put(&place, json!({"status": status})).expect(200);
        }
        let answer = network.post(&path, radio());
        assert_eq!(answer.status == 201, status == "Approved", "{status}: {}", answer.text());
        assert!([201, 403].contains(&answer.status));
    }
    let own = network.get(&path).body(200);
    assert_eq!(own.as_array().map(Vec::len), Some(1));
    // The campaign's own numbers are others.
    network.get(&campaigns).is(200, &json!([]));
    let number = own[0]["promo_number"].as_str().unwrap();
    network.get(&format!("{campaigns}/{number}")).refused(404, "RecordNotFound");
    let affiliate = server.affiliate("222");
    affiliate.get(&path).is(200, &own);
    network.has_affiliate("223");
    let nobody = affiliate_campaign_path("1", "12", "223");
    let said = network.get(&format!("{nobody}/promo_numbers")).refused(404, "RecordNotFound");
    let chain = "Could not find AffiliateCampaign for affiliate 223, advertiser campaign 12 and advertiser 1";
    assert_eq!(said, chain);
}

#[test]
fn an_affiliate_takes_numbers_where_it_is_approved() {
    let (server, network, _) = stocked(&["8005550101"]);
    network.has_applied("1", "12", "222");
    let place = affiliate_campaign_path("1", "12", "222");
    network.put(&place, json!({"status": "Approved"})).expect(200);
    let affiliate = server.affiliate("222");
    let taken = affiliate.post(&format!("{place}/promo_numbers"), radio()).body(201);
    assert_same(&network.get(&format!("{place}/promo_numbers")).body(200), &json!([taken]));
}
