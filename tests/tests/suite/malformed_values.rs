//! Malformed values at every position of every body: each is accepted or rejected with a validation error,
//! never with a 5xx, and a rejected one changes nothing.

use serde_json::{Value, json};
use trunkline_tests::body::{self, affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Server};

/// Malformed and unusual JSON values.
fn malformed_values() -> Vec<Value> {
    let number = |text: &str| serde_json::from_str(text).expect("a JSON number");
    vec![
        Value::Null,
        json!(true),
        json!(""),
        json!(" "),
        json!("\u{FEFF}\u{202E}\u{1F600}"),
        json!("<script>alert(1)</script>"),
        json!("'; DROP TABLE parties; --"),
        json!("x".repeat(300)),
        json!(-1),
        number("1e400"),
        number("-1e-400"),
        number("123456789012345678901234567890.5"),
        json!([]),
        json!([[], {}, null, 7]),
        json!({}),
        json!({"name": {"id_from_network": []}, "children": [7]}),
    ]
}

/// JSON pointers of all values in a body, outermost first.
fn json_pointers(value: &Value, pointers: &str, matches: &mut Vec<String>) {
    if !pointers.is_empty() {
        matches.push(pointers.to_owned());
    }
    match value {
        Value::Object(map) => {
            for (name, below) in map {
                json_pointers(below, &format!("{pointers}/{name}"), matches);
            }
        }
        Value::Array(items) => {
            for (index, below) in items.iter().enumerate() {
                json_pointers(below, &format!("{pointers}/{index}"), matches);
            }
        }
        _ => {}
    }
}

/// Puts every malformed value at every position of a valid body.
fn try_at_every_position(client: &Client, method: &str, path: &str, read: &str, good: &Value) {
    let mut pointers = Vec::new();
    json_pointers(good, "", &mut pointers);
    for location in pointers {
        for odd in malformed_values() {
            let mut body = good.clone();
            *body.pointer_mut(&location).expect("a place of the body") = odd.clone();
            let before = client.get(read).text();
            let response = client.request(method, path).json(&body).send();
            let context = format!("{odd} at {location} of {path}: {}", response.text());
            match response.status {
                200 | 201 => {}
                403 => {
                    let message = response.json();
                    let errors = message["errors"].as_object().expect("errors");
                    assert!(!errors.is_empty(), "{context}");
                    assert_eq!(client.get(read).text(), before, "{context}");
                }
                _ => panic!("{context}"),
            }
        }
    }
}

#[test]
fn malformed_values_in_parties_are_handled() {
    let server = Server::start();
    let network = server.network();
    for (path, good) in [
        ("/affiliates/222", body::full_affiliate("222")),
        ("/advertisers/1", body::full_advertiser("1")),
    ] {
        network.put(path, good.clone()).expect(200);
        try_at_every_position(&network, "PUT", path, path, &good);
    }
    let user = json!({"user": body::full_user("7")});
    network.put("/advertisers/1/users/7", user.clone()).expect(200);
    try_at_every_position(
        &network,
        "PUT",
        "/advertisers/1/users/7",
        "/advertisers/1/users/7",
        &user,
    );
}

#[test]
fn malformed_values_in_the_network_and_custom_data_fields_are_handled() {
    let server = Server::start();
    let network = server.network();
    let good = json!({"name": "Demo", "users": [body::full_user("1")]});
    try_at_every_position(&network, "POST", "/network", "/network", &good);
    let good = json!({
        "partner_name": "colour", "friendly_name": "Colour", "data_type": "category",
        "field_values": ["red"],
    });
    let path = "/custom_data_fields/colour";
    network.put(path, good.clone()).expect(200);
    try_at_every_position(&network, "PUT", path, path, &good);
}

#[test]
fn malformed_values_in_prices_and_hours_are_handled() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    let path = campaign_path("1", "12");
    network.put(&path, body::full_campaign("12")).expect(200);
    let full = body::full_campaign("12");
    let mut good = json!({});
    for name in [
        "id_from_network",
        "name",
        "description",
        "url",
        "timezone",
        "operating_24_7",
        "campaign_type",
        "max_promo_numbers",
        "default_creative_id_from_network",
        "advertiser_payin",
        "affiliate_payout",
        "auto_approve",
        "visibility",
        "campaign_language",
        "campaign_country",
        "pause_date",
        "custom_data",
        "budget_activities",
    ] {
        good[name] = full[name].clone();
    }
    good["hours"] = json!({"monday_open": 0, "monday_close": "3600", "monday_closed": false});
    try_at_every_position(&network, "PUT", &path, &path, &good);
}

#[test]
fn malformed_values_in_ivr_tree_and_regions_are_handled() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    let path = campaign_path("1", "12");
    let sms = json!({
        "node_type": "SmsPromo", "prompt": "Press 1.", "sms_promo_copy": "Hello",
        "sms_promo_delay": 1, "sms_promo_sender": "12345", "children": [body::connect_node()],
    });
    let group = json!({
        "node_type": "RingGroup", "prompt": "", "ring_group_connect_timeout": 20,
        "ring_group_destinations": [{"ring_group_number": "8004377950", "description": "One"}],
    });
    let condition = json!({
        "node_type": "Condition", "condition": "mobile", "children": [sms, group],
    });
    let tree = json!({
        "root": {"node_type": "Menu", "prompt": "Press 1.", "children": [condition]},
        "record_calls": true,
        "caller_id": {"setting": "partial", "mask": "805"},
    });
    let regions = json!([{"name": "West", "regions": [{"region_type": "State", "value": "CA"}]}]);
    let good = json!({"name": "NFL", "ivr_tree": tree, "named_regions": regions});
    network.put(&path, good.clone()).expect(200);
    try_at_every_position(&network, "PUT", &path, &path, &good);
}

#[test]
fn malformed_values_in_affiliate_campaigns_and_promo_numbers_are_handled() {
    let server = Server::start();
    let network = server.network();
    server.add_numbers(&["8005550101"]);
    network.has_campaign("1", "12", json!({}));
    network.has_applied("1", "12", "222");
    let path = affiliate_campaign_path("1", "12", "222");
    let good = json!({
        "status": "Applied", "id_from_network": "2234", "custom_data": {"channel": "Radio"},
    });
    try_at_every_position(&network, "PUT", &path, &path, &good);
    try_at_every_position(&network, "POST", &path, &path, &good);
    let good = json!({
        "description": "Radio", "media_type": "Radio", "id_from_network": "own",
        "custom_data": {"channel": "Radio"}, "local_center": {"tn_prefix": "800"},
    });
    let numbers = format!("{}/promo_numbers", campaign_path("1", "12"));
    network.post(&numbers, good.clone()).expect(201);
    let path = format!("{numbers}/8005550101");
    try_at_every_position(&network, "PUT", &path, &path, &good);
    try_at_every_position(&network, "POST", &numbers, &numbers, &good);
}

#[test]
fn malformed_values_in_dry_run_and_checks_are_handled() {
    let server = Server::start();
    let network = server.network().extensions();
    let good = json!({"condition": "mobile", "advertiser_campaign": null});
    let mut pointers = Vec::new();
    json_pointers(&good, "", &mut pointers);
    for path in pointers {
        for odd in malformed_values() {
            let mut body = good.clone();
            *body.pointer_mut(&path).expect("a place of the body") = odd.clone();
            let response = network.post("/conditions/check", body);
            assert!(
                [200, 403, 404].contains(&response.status),
                "{odd} at {path}: {}",
                response.text()
            );
        }
    }
}
