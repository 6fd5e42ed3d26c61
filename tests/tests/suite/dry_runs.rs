//! Dry runs: simulated calls that store nothing and explain each amount.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Server, assert_json_eq};

fn policies(amounts: &[(&str, f64, &str)]) -> Value {
    let policy = |(kind, amount, condition): &(&str, f64, &str)| json!({"type": kind, "amount": amount, "currency": "USD", "condition": condition});
    json!({"policies": amounts.iter().map(policy).collect::<Vec<_>>()})
}

fn connect_to(number: &str) -> Value {
    json!({"node_type": "Connect", "destination_phone_number": number})
}

/// Creates a campaign with a menu, a region and two prices, and an approved affiliate 976.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let campaign = json!({
        "name": "Tickets",
        "advertiser_payin": policies(&[("Base", 7.0, "duration > 60")]),
        "affiliate_payout": policies(&[("Base", 4.5, ""), ("Bonus", 2.0, "in_region[West] and pressed[1]")]),
        "named_regions": [{"name": "West", "regions": [{"region_type": "State", "value": "CA"}]}],
        "budget_activities": {"call_cap_alert": {"reset_period": "Daily", "starts_at": "2026-01-01",
            "budget_currency": "USD", "time_zone": "UTC", "budget_amount": 1}},
        "ivr_tree": {"root": {"node_type": "Menu", "prompt": "Press 1.",
            "children": [connect_to("8005550101"), connect_to("8005550102")]}},
    });
    network.put("/advertisers/354", json!({"name": "A"})).expect(200);
    network.put("/affiliates/976", json!({"name": "F"})).expect(200);
    network.put(&campaign_path("354", "12"), campaign).expect(200);
    let path = affiliate_campaign_path("354", "12", "976");
    network.put(&path, json!({})).expect(200);
    network.put(&path, json!({"status": "Approved"})).expect(200);
    (server, network)
}

fn dry_run(client: &Client, terms: &str, affiliate: Value, call: Value) -> Value {
    let body =
        json!({"advertiser_campaign": "12", "affiliate": affiliate, "terms": terms, "call": call});
    client.extensions().post("/dry_run", body).body(200)
}

#[test]
fn future_terms_are_tried_before_go_live() {
    let (_server, network) = world();
    let call = json!({"calling_phone_number": "8057089876", "keypresses": ["1"], "duration": 90});
    let response = dry_run(&network, "future", json!("976"), call.clone());
    assert_eq!(response["outcome"], "connected");
    assert_eq!(response["destination_phone_number"], "8005550101");
    assert_json_eq(&response["path"][0]["at"], &json!([]));
    assert_eq!(response["path"][0]["key"], "1");
    assert_eq!(response["advertiser_payin"]["matching_policies"], "base");
    assert_eq!(response["affiliate_payout"]["matching_policies"], "base+bonus1");
    assert_json_eq(&response["affiliate_payout"]["amount"], &json!(6.5));
    assert_json_eq(&response["margin"], &json!({"amount": 0.5, "currency": "USD"}));
    let why = &response["advertiser_payin"]["policies"][0]["condition"];
    assert_json_eq(&why["fact"], &json!({"duration": 90}));
    let budget =
        json!([{"kind": "call_cap_alert", "total": 0, "amount": 1, "would_alert": [75, 90, 100]}]);
    assert_json_eq(&response["budgets"], &budget);
    // Without current terms every call is rejected.
    let now = dry_run(&network, "current", json!("976"), call);
    assert_eq!((&now["outcome"], &now["reason"]), (&json!("turned_away"), &json!("not_live")));
    assert_eq!(now["advertiser_payin"], Value::Null);
}

#[test]
fn unknown_facts_pay_nothing_and_are_explained() {
    let (_server, network) = world();
    let response = dry_run(&network, "future", json!("976"), json!({"keypresses": ["1"]}));
    let base = &response["advertiser_payin"]["policies"][0];
    assert_eq!((&base["met"], &base["paid"]), (&Value::Null, &json!(false)));
    assert_json_eq(&base["condition"]["fact"], &json!({"duration": null}));
    let bonus = &response["affiliate_payout"]["policies"][1];
    assert_eq!((&bonus["met"], &bonus["paid"]), (&Value::Null, &json!(false)));
    let abandoned = dry_run(&network, "future", json!(null), json!({"duration": 90}));
    assert_eq!(abandoned["outcome"], "abandoned");
    assert_eq!(abandoned["affiliate_payout"], Value::Null);
}

#[test]
fn live_campaign_admits_approved_affiliates() {
    let (server, network) = world();
    network.post(&format!("{}/go_live", campaign_path("354", "12")), json!({})).expect(200);
    network.put("/affiliates/975", json!({"name": "Other"})).expect(200);
    let call = json!({"keypresses": ["2"], "duration": 30});
    let response = dry_run(&network, "current", json!("976"), call.clone());
    assert_eq!(response["destination_phone_number"], "8005550102");
    let away = dry_run(&network, "current", json!("975"), call.clone());
    assert_eq!(away["reason"], "affiliate_not_approved");
    // An affiliate sees its payout only.
    let payout_view = dry_run(&server.affiliate("976"), "current", json!("976"), call);
    assert_eq!(payout_view["advertiser_payin"], Value::Null);
    assert_json_eq(&payout_view["affiliate_payout"]["amount"], &json!(4.5));
    let log = network.audit_entries(None).len();
    dry_run(&network, "current", json!("976"), json!({}));
    assert_eq!(network.audit_entries(None).len(), log, "nothing is stored");
}

#[test]
fn all_problems_of_a_dry_run_are_reported() {
    let (_server, network) = world();
    let send = |body: Value| network.extensions().post("/dry_run", body);
    send(
        json!({"terms": "past", "call": {"duration": -1, "keypresses": ["12"], "phone_type": "fax",
        "start_time": "yesterday", "calling_phone_number": true}}),
    )
    .assert_invalid(&json!({
        "terms": ["is not included in the list"],
        "call": {
            "keypresses": [["is invalid"]],
            "calling_phone_number": ["is invalid"],
            "start_time": ["is invalid"],
            "duration": ["must be greater than or equal to 0"],
            "phone_type": ["is not included in the list"],
        },
        "advertiser_campaign": ["can't be blank"],
    }));
    let longer =
        json!({"advertiser_campaign": "12", "call": {"duration": 5, "connect_duration": 6}});
    send(longer).assert_invalid(
        &json!({"call": {"connect_duration": ["must be less than or equal to duration"]}}),
    );
    send(json!({"advertiser_campaign": "99"})).assert_error(404, "RecordNotFound");
    send(json!({"advertiser_campaign": "12", "affiliate": "1"}))
        .assert_error(404, "RecordNotFound");
}

#[test]
fn missing_custom_data_is_unknown() {
    let (_server, network) = world();
    let terms =
        json!({"advertiser_payin": policies(&[("Base", 7.0, "not custom_data[channel] = \"x\"")])});
    network.put(&campaign_path("354", "12"), terms).expect(200);
    let met = |call: Value| {
        let response = dry_run(&network, "future", Value::Null, call);
        response["advertiser_payin"]["policies"][0]["met"].clone()
    };
    assert_eq!(met(json!({})), Value::Null);
    assert_eq!(met(json!({"custom_data": {}})), true);
    assert_eq!(met(json!({"custom_data": {"channel": "x"}})), false);
    let call = json!({"custom_data": {"colour": "red"}});
    let body = json!({"advertiser_campaign": "12", "terms": "future", "call": call});
    network.extensions().post("/dry_run", body).assert_invalid(&json!({"call": {
        "custom_data": {"colour": ["is not a custom data field of this network"]},
    }}));
}
