//! Budgets: totals of a period and rejected calls.

use serde_json::{Value, json};
use trunkline_tests::body::campaign_path;
use trunkline_tests::{Client, Server, assert_json_eq};

/// Creates a live campaign with budgets that pays 7.50 for calls longer than a minute.
fn world(budgets: Value) -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let payin = json!({"policies": [{"type": "Base", "amount": 7.5, "currency": "USD", "condition": "duration > 60"}]});
    let terms = json!({
        "timezone": "UTC", "auto_approve": "All", "advertiser_payin": payin,
        "budget_activities": budgets,
    });
    network.has_live_campaign("354", "12", terms);
    network.has_applied("354", "12", "976");
    (server, network)
}

fn budget(period: &str, amount: f64, enforce: bool) -> Value {
    json!({
        "reset_period": period, "starts_at": "2020-01-01T00:00:00Z", "budget_currency": "USD",
        "time_zone": "UTC", "budget_amount": amount, "enforce": enforce,
    })
}

/// Reports a call that starts at this time.
fn report_call(network: &Client, id: u32, start: &str, seconds: u32) {
    let call = json!({
        "external_call_unique_id": id,
        "start_time": start,
        "advertiser_campaign_id_from_network": "12",
        "affiliate_id_from_network": "976",
        "duration_in_seconds": seconds,
    });
    network.post("/calls", json!({"call": call})).expect(201);
}

/// Dry-runs a call at this time.
fn dry_run(network: &Client, start: &str) -> Value {
    let call = json!({"start_time": start, "duration": 90});
    let body = json!({"advertiser_campaign": "12", "affiliate": "976", "call": call});
    network.extensions().post("/dry_run", body).body(200)
}

#[test]
fn budget_counts_calls_of_its_period() {
    let budgets = json!({
        "budget_cap_alert": budget("Ongoing", 1000.0, false),
        "periodic_call_cap_alert": budget("Daily", 4.0, false),
    });
    let (_server, network) = world(budgets);
    report_call(&network, 1, "2200-01-01T00:00:00Z", 90);
    report_call(&network, 2, "2200-01-01T23:59:59Z", 30);
    report_call(&network, 3, "2200-01-02T00:00:00Z", 90);
    let budgets_at = |start: &str| dry_run(&network, start)["budgets"].clone();
    let expected = |total: f64, calls: u32, would_alert: Value| {
        json!([
            {"kind": "budget_cap_alert", "total": total, "amount": 1000.0, "would_alert": []},
            {"kind": "call_cap_alert", "total": calls, "amount": 4.0, "would_alert": would_alert},
        ])
    };
    assert_json_eq(&budgets_at("2200-01-01T12:00:00Z"), &expected(15.0, 2, json!([75])));
    assert_json_eq(&budgets_at("2200-01-02T12:00:00Z"), &expected(15.0, 1, json!([])));
    assert_json_eq(&budgets_at("2200-01-03T12:00:00Z"), &expected(15.0, 0, json!([])));
    let current = network.get(&campaign_path("354", "12")).body(200);
    let totals = &current["current_terms"]["budget_activities"];
    // An Ongoing budget still counts the calls; the Daily one has no call today.
    assert_json_eq(&totals["budget_cap_alert"]["total_amount"], &json!(15.0));
    assert_json_eq(&totals["periodic_call_cap_alert"]["total_amount"], &json!(0.0));
}

#[test]
fn enforced_cap_rejects_calls_from_its_limit_on() {
    let budgets = json!({"periodic_call_cap_alert": budget("Daily", 2.0, true)});
    let (_server, network) = world(budgets);
    let day = "2200-01-01T12:00:00Z";
    assert_eq!(dry_run(&network, day)["outcome"], "connected");
    for id in 1..=3 {
        report_call(&network, id, day, 90);
    }
    let turned = dry_run(&network, day);
    assert_eq!(
        (&turned["outcome"], &turned["reason"]),
        (&json!("turned_away"), &json!("over_cap"))
    );
    assert_json_eq(&turned["budgets"][0]["total"], &json!(2.0));
    assert_eq!(dry_run(&network, "2200-01-02T12:00:00Z")["outcome"], "connected");
}
