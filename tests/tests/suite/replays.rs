//! Replays: past calls priced with other terms.

use serde_json::{Value, json};
use trunkline_tests::body::campaign_path;
use trunkline_tests::{Client, Server, assert_json_eq};

fn base(amount: f64, condition: &str) -> Value {
    json!({"policies": [{"type": "Base", "amount": amount, "currency": "USD", "condition": condition}]})
}

/// Creates a live campaign that pays 7.00 in and 4.50 out for calls longer than a minute, with an approved
/// affiliate.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let terms = json!({
        "timezone": "UTC",
        "auto_approve": "All",
        "advertiser_payin": base(7.0, "duration > 60"),
        "affiliate_payout": base(4.5, "duration > 60"),
    });
    network.has_live_campaign("354", "12", terms);
    network.has_applied("354", "12", "976");
    (server, network)
}

fn report_call(network: &Client, id: &str, start: &str, seconds: u32, affiliate: Value) -> String {
    let call = json!({
        "external_call_unique_id": id,
        "start_time": start,
        "advertiser_campaign_id_from_network": "12",
        "affiliate_id_from_network": affiliate,
        "duration_in_seconds": seconds,
    });
    let response = network.post("/calls", json!({"call": call})).body(201);
    response["cuid"].as_str().expect("a name").to_owned()
}

fn replay(network: &Client, from: &str, to: &str) -> Value {
    let body = json!({"advertiser_campaign": "12", "from": from, "to": to});
    network.extensions().post("/replay", body).body(200)
}

fn usd(amount: f64) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

#[test]
fn replay_with_equal_terms_matches_and_other_terms_list_changes() {
    let (_server, network) = world();
    let long = report_call(&network, "1", "2200-01-01 23:59:59 +0000", 90, json!("976"));
    report_call(&network, "2", "2200-01-01 12:00:00 +0000", 30, json!("976"));
    report_call(&network, "3", "2200-01-02 00:00:00 +0000", 75, Value::Null);
    let unchanged = replay(&network, "2200-01-01", "2200-01-02");
    let sums = json!({
        "advertiser_payin": usd(14.0), "affiliate_payout": usd(4.5), "margin": usd(9.5),
    });
    let expected = json!({
        "calls": 3, "current": sums, "future": sums, "changed": [], "changed_total": 0,
    });
    assert_json_eq(&unchanged, &expected);

    let stricter = json!({"affiliate_payout": base(4.5, "duration > 80"), "advertiser_payin": base(8.0, "duration > 80")});
    network.put(&campaign_path("354", "12"), stricter).expect(200);
    let changed = replay(&network, "2200-01-01", "2200-01-02");
    assert_json_eq(&changed["current"], &sums);
    let future =
        json!({"advertiser_payin": usd(8.0), "affiliate_payout": usd(4.5), "margin": usd(3.5)});
    assert_json_eq(&changed["future"], &future);
    assert_eq!(changed["changed_total"], 2);
    let first = &changed["changed"][0];
    assert_eq!(first["complete_call_id"], long);
    assert_json_eq(&first["current"]["advertiser_payin"], &usd(7.0));
    assert_json_eq(&first["future"]["advertiser_payin"], &usd(8.0));
    assert_json_eq(&changed["changed"][1]["current"]["affiliate_payout"], &Value::Null);

    let one_day = replay(&network, "2200-01-02", "2200-01-02");
    assert_eq!(one_day["calls"], 1);
    let a_minute = replay(&network, "2200-01-01T12:00:00Z", "2200-01-01T12:00:00Z");
    assert_eq!(a_minute["calls"], 1);
    assert_eq!(replay(&network, "2199-01-01", "2199-12-31")["calls"], 0);
}

#[test]
fn impossible_replay_is_explained() {
    let (server, network) = world();
    let replay = network.extensions();
    replay.post("/replay", json!({})).assert_invalid(&json!({
        "advertiser_campaign": ["can't be blank"], "from": ["can't be blank"], "to": ["can't be blank"],
    }));
    let wrong = json!({"advertiser_campaign": "12", "from": "yesterday", "to": "2026-13-01"});
    replay
        .post("/replay", wrong)
        .assert_invalid(&json!({"from": ["is invalid"], "to": ["is invalid"]}));
    let backwards = json!({"advertiser_campaign": "12", "from": "2026-01-02", "to": "2026-01-01"});
    replay.post("/replay", backwards).assert_invalid(&json!({"to": ["must not be before from"]}));
    let body = json!({"advertiser_campaign": "99", "from": "2026-01-01", "to": "2026-01-02"});
    replay.post("/replay", body).assert_error(404, "RecordNotFound");
    let body = json!({"advertiser_campaign": "12", "from": "2026-01-01", "to": "2026-01-02"});
    let affiliate = server.affiliate("976");
    affiliate.extensions().post("/replay", body).assert_error(403, "UnauthorizedOperation");
}
