//! Promo numbers: allocated from the network's inventory to a campaign or an affiliate campaign.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Server, assert_json_eq};

fn world_with_numbers(numbers: &[&str]) -> (Server, Client, String) {
    let server = Server::start();
    let network = server.network();
    server.add_numbers(numbers);
    network.has_live_campaign("1", "12", json!({"max_promo_numbers": 2}));
    let path = format!("{}/promo_numbers", campaign_path("1", "12"));
    (server, network, path)
}

fn promo_number_body() -> Value {
    json!({"description": "Radio spot", "media_type": "Radio"})
}

#[test]
fn number_is_allocated_read_changed_and_released() {
    let (_server, network, path) = world_with_numbers(&["8005550101"]);
    network.get(&path).assert_json(200, &json!([]));
    let new = json!({
        "description": "Radio spot", "media_type": "Radio", "id_from_network": 77,
        "custom_data": {"channel": "Radio"},
    });
    let allocated = network.post(&format!("{path}.json"), new).body(201);
    let mut names: Vec<&String> = allocated.as_object().unwrap().keys().collect();
    names.sort();
    let expected = [
        "adwords_account_id",
        "custom_data",
        "description",
        "id",
        "id_from_network",
        "media_type",
        "object_url",
        "promo_number",
        "promo_type",
    ];
    assert_eq!(names, expected);
    assert_eq!(allocated["id_from_network"], "77");
    let number = allocated["promo_number"].as_str().expect("a number");
    for message in [number, "8005550101", "800-555-0101", "%2B18005550101"] {
        network.get(&format!("{path}/{message}")).assert_json(200, &allocated);
    }
    network.get(&path).assert_json(200, &json!([allocated]));
    let member = format!("{path}/{number}");
    let changed = network.put(&member, json!({"description": "TV"})).body(200);
    assert_eq!((&changed["description"], &changed["media_type"]), (&json!("TV"), &json!("Radio")));
    network.delete(&member).assert_json(200, &json!({}));
    network.delete(&member).assert_json(200, &json!({}));
    network.get(&member).assert_error(404, "RecordNotFound");
    network.put(&member, json!({"description": "TV"})).assert_error(404, "RecordNotFound");
    // The number is available again after its quarantine.
    assert_eq!(network.post(&path, promo_number_body()).status, 403);
    network.extensions().put("/settings", json!({"number_quarantine_days": 0})).expect(200);
    network.post(&path, promo_number_body()).expect(201);
}

#[test]
fn description_and_media_type_are_required() {
    let (_server, network, path) = world_with_numbers(&["8005550101"]);
    let blank = json!(["can't be blank"]);
    network
        .post(&path, json!({}))
        .assert_invalid(&json!({"description": blank, "media_type": blank}));
    let wrong = json!({"description": "", "media_type": null, "custom_data": {"colour": "red"}});
    network.post(&path, wrong).assert_invalid(&json!({
        "description": blank,
        "media_type": blank,
        "custom_data": {"colour": ["is not a custom data field of this network"]},
    }));
    network.get(&path).assert_json(200, &json!([]));
    let allocated = network.post(&path, promo_number_body()).body(201);
    let member = format!("{path}/{}", allocated["promo_number"].as_str().unwrap());
    network
        .put(&member, json!({"description": null}))
        .assert_invalid(&json!({"description": blank}));
}

#[test]
fn promo_number_limit_is_set_by_the_campaign() {
    let (_server, network, path) = world_with_numbers(&["8005550101", "8005550102", "8005550103"]);
    network.post(&path, promo_number_body()).expect(201);
    network.post(&path, promo_number_body()).expect(201);
    let rejected = network.post(&path, promo_number_body()).body(403);
    assert!(rejected["errors"].is_object(), "{rejected}");
    assert_eq!(network.get(&path).body(200).as_array().map(Vec::len), Some(2));
    // A higher limit applies once it is live.
    network.put(&campaign_path("1", "12"), json!({"max_promo_numbers": 3})).expect(200);
    assert_eq!(network.post(&path, promo_number_body()).status, 403);
    network.go_live("1", "12");
    network.post(&path, promo_number_body()).expect(201);
}

#[test]
fn empty_inventory_and_missing_area_code_are_403() {
    let (_server, network, path) = world_with_numbers(&["8055550101", "8005550101"]);
    let local = |prefix: Value| {
        let mut new = promo_number_body();
        new["local_center"] = json!({"tn_prefix": prefix});
        network.post(&path, new)
    };
    assert_eq!(local(json!("212")).status, 403);
    let invalid = json!({"local_center": {"tn_prefix": ["is invalid"]}});
    local(json!("21")).assert_invalid(&invalid);
    local(json!("abc")).assert_invalid(&invalid);
    let allocated = local(json!(805)).body(201);
    assert!(
        allocated["promo_number"].as_str().is_some_and(|item| item.contains("805")),
        "{allocated}"
    );
    network.post(&path, promo_number_body()).expect(201);
    network.put(&campaign_path("1", "12"), json!({"max_promo_numbers": 9})).expect(200);
    network.go_live("1", "12");
    assert_eq!(network.post(&path, promo_number_body()).status, 403);
}

#[test]
fn idempotency_key_replays_the_first_response() {
    let (server, network, path) = world_with_numbers(&["8005550101", "8005550102"]);
    network.extensions().put("/settings", json!({"number_quarantine_days": 0})).expect(200);
    let post = |client: &Client, key: &str, body: &Value| {
        client.request("POST", &path).header("Idempotency-Key", key).json(body).send()
    };
    let first = post(&network, "one", &promo_number_body()).body(201);
    for _ in 0..3 {
        post(&network, "one", &promo_number_body()).assert_json(201, &first);
    }
    // The same key with another body is rejected and allocates nothing.
    let other = json!({"description": "TV", "media_type": "TV"});
    let rejected = post(&network, "one", &other);
    assert!((400..500).contains(&rejected.status), "{}", rejected.text());
    let second = post(&network, "two", &promo_number_body()).body(201);
    assert_ne!(first["promo_number"], second["promo_number"]);
    // An error response is not stored for the key: the client may retry with it.
    assert_eq!(post(&network, "three", &promo_number_body()).status, 403);
    let member = format!("{path}/{}", second["promo_number"].as_str().unwrap());
    network.delete(&member).expect(200);
    post(&network, "three", &promo_number_body()).expect(201);
    // Keys are scoped to the credential.
    network.delete(&member).expect(200);
    post(&server.advertiser("1"), "one", &promo_number_body()).expect(201);
}

#[test]
fn post_without_a_key_allocates_another_number() {
    let (_server, network, path) = world_with_numbers(&["8005550101", "8005550102"]);
    let first = network.post(&path, promo_number_body()).body(201);
    let second = network.post(&path, promo_number_body()).body(201);
    assert_ne!(first["promo_number"], second["promo_number"]);
    assert_ne!(first["id_from_network"], second["id_from_network"]);
    let allocated = json!({"id_from_network": ["has already been taken"]});
    let member = format!("{path}/{}", second["promo_number"].as_str().unwrap());
    network
        .put(&member, json!({"id_from_network": first["id_from_network"]}))
        .assert_invalid(&allocated);
}

#[test]
fn affiliate_numbers_need_an_approved_affiliate_campaign() {
    let (server, network, campaigns) = world_with_numbers(&["8005550101", "8005550102"]);
    network.has_applied("1", "12", "222");
    let affiliate_path = affiliate_campaign_path("1", "12", "222");
    let path = format!("{affiliate_path}/promo_numbers");
    for status in ["Applied", "Declined", "Approved", "Suspended"] {
        if status != "Applied" {
            network.put(&affiliate_path, json!({"status": status})).expect(200);
        }
        let response = network.post(&path, promo_number_body());
        assert_eq!(response.status == 201, status == "Approved", "{status}: {}", response.text());
        assert!([201, 403].contains(&response.status));
    }
    let campaign_numbers = network.get(&path).body(200);
    assert_eq!(campaign_numbers.as_array().map(Vec::len), Some(1));
    // The numbers of the campaign itself are separate.
    network.get(&campaigns).assert_json(200, &json!([]));
    let number = campaign_numbers[0]["promo_number"].as_str().unwrap();
    network.get(&format!("{campaigns}/{number}")).assert_error(404, "RecordNotFound");
    let affiliate = server.affiliate("222");
    affiliate.get(&path).assert_json(200, &campaign_numbers);
    network.has_affiliate("223");
    let nobody = affiliate_campaign_path("1", "12", "223");
    let message =
        network.get(&format!("{nobody}/promo_numbers")).assert_error(404, "RecordNotFound");
    let chain = "Could not find AffiliateCampaign for affiliate 223, advertiser campaign 12 and advertiser 1";
    assert_eq!(message, chain);
}

#[test]
fn affiliate_allocates_numbers_where_it_is_approved() {
    let (server, network, _) = world_with_numbers(&["8005550101"]);
    network.has_applied("1", "12", "222");
    let affiliate_path = affiliate_campaign_path("1", "12", "222");
    network.put(&affiliate_path, json!({"status": "Approved"})).expect(200);
    let affiliate = server.affiliate("222");
    let allocated =
        affiliate.post(&format!("{affiliate_path}/promo_numbers"), promo_number_body()).body(201);
    assert_json_eq(
        &network.get(&format!("{affiliate_path}/promo_numbers")).body(200),
        &json!([allocated]),
    );
}

#[test]
fn promo_type_and_adwords_account_are_kept_cleared_and_undone() {
    let (_server, network, path) = world_with_numbers(&["8005550101", "8005550102"]);
    let plain = network.post(&path, promo_number_body()).body(201);
    assert_eq!((&plain["promo_type"], &plain["adwords_account_id"]), (&json!(null), &json!(null)));
    let mut body = promo_number_body();
    body["promo_type"] = json!("Local");
    body["adwords_account_id"] = json!(7_784_567_890_i64);
    let created = network.post(&format!("{path}_by_id"), body).body(201);
    let named = |number: &Value| {
        json!([number["promo_type"], number["adwords_account_id"], number["description"]])
    };
    assert_eq!(named(&created), json!(["Local", "7784567890", "Radio spot"]));
    let member = format!("{path}_by_id/{}", created["id_from_network"].as_str().unwrap());
    // What a write leaves out stays, and what was read can be sent back.
    let changed = network.put(&member, json!({"description": "TV", "promo_type": "Mobile"}));
    assert_eq!(named(&changed.body(200)), json!(["Mobile", "7784567890", "TV"]));
    let read = network.get(&member).body(200);
    network.put(&member, read.clone()).assert_json(200, &read);
    let number = format!("promo_number:{}", created["promo_number"].as_str().unwrap());
    let change = network.audit_entries(Some(&number)).pop().expect("an entry");
    let revert = format!("/audit/{}/revert", change["id"]);
    network.extensions().post(&revert, json!({})).expect(201);
    assert_eq!(
        named(&network.get(&member).body(200)),
        json!(["Local", "7784567890", "Radio spot"])
    );
    let cleared = json!({"promo_type": null, "adwords_account_id": null});
    assert_eq!(named(&network.put(&member, cleared).body(200)), json!([null, null, "Radio spot"]));
    let not_listed = json!({"promo_type": ["is not included in the list"]});
    network.put(&member, json!({"promo_type": "Fax"})).assert_invalid(&not_listed);
    let oldest = network.with_version("2016-12-01").get(&member).body(200);
    assert!(oldest.get("promo_type").is_none() && oldest.get("adwords_account_id").is_none());
    let older = network.with_version("2017-02-01").get(&member).body(200);
    assert!(older.get("promo_type").is_some() && older.get("adwords_account_id").is_none());
}
