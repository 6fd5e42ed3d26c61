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

#[test]
fn budget_in_another_currency_is_rejected_where_it_is_written() {
    let (_server, network) = world(json!({}));
    let euros = |enforce: bool| {
        let mut budget = budget("Ongoing", 15.0, enforce);
        budget["budget_currency"] = "EUR".into();
        json!({"budget_cap_alert": budget})
    };
    let euro_payin =
        json!({"policies": [{"type": "Base", "amount": 1, "currency": "EUR", "condition": ""}]});
    let at_budget = json!({"errors": {"budget_activities": {"budget_cap_alert": {
        "budget_currency": ["must be USD, the currency of the payin"]}}}});
    let path = campaign_path("354", "12");
    let rejected = network.put(&path, json!({"budget_activities": euros(true)}));
    rejected.assert_json(403, &at_budget);
    // A draft may hold one that is not enforced.
    network.put(&path, json!({"budget_activities": euros(false)})).expect(200);
    let findings = network.extensions().get("/checks/12").body(200);
    let finding = json!({"severity": "error",
        "at": "budget_activities.budget_cap_alert.budget_currency",
        "message": "must be USD, the currency of the payin"});
    assert!(findings.as_array().expect("a list").contains(&finding), "{findings}");
    network.post(&format!("{path}/go_live"), json!({})).assert_json(403, &at_budget);
    // Both at once agree.
    let both = json!({"budget_activities": euros(true), "advertiser_payin": euro_payin});
    network.put(&path, both).expect(200);
    network.go_live("354", "12");
    // A payin in another currency than the enforced budget.
    let dollars = json!({"advertiser_payin": {"policies": [
        {"type": "Base", "amount": 1, "currency": "USD", "condition": ""}]}});
    let at_payin =
        json!({"errors": {"advertiser_payin": ["must be in EUR, as the enforced budget"]}});
    network.put(&path, dollars.clone()).assert_json(403, &at_payin);
    // The currency of a number of calls means nothing.
    let calls = json!({"budget_activities": {"budget_cap_alert": null, "periodic_call_cap_alert": {
        "reset_period": "Daily", "starts_at": "2020-01-01", "budget_currency": "GBP",
        "time_zone": "UTC", "budget_amount": 5, "enforce": true}}});
    network.put(&path, calls).expect(200);
    network.put(&path, dollars).expect(200);
    network.go_live("354", "12");
}

#[test]
fn number_of_calls_is_a_whole_number() {
    let (_server, network) = world(json!({}));
    let path = campaign_path("354", "12");
    let both = json!({"budget_activities": {
        "periodic_call_cap_alert": budget("Daily", 2.5, false),
        "concurrent_call_cap_alert": {"budget_amount": "1.5"},
    }});
    let integer = json!({"budget_amount": ["must be an integer"]});
    let problems = json!({"errors": {"budget_activities": {
        "periodic_call_cap_alert": integer, "concurrent_call_cap_alert": integer}}});
    network.put(&path, both).assert_json(403, &problems);
    let whole = json!({"budget_activities": {
        "periodic_call_cap_alert": budget("Daily", 2.0, false),
        "concurrent_call_cap_alert": {"budget_amount": "1.0"},
        "budget_cap_alert": budget("Daily", 2.5, false),
    }});
    network.put(&path, whole).expect(200);
}

#[test]
fn enforcement_survives_a_write_that_does_not_name_it() {
    let caps = json!({
        "periodic_call_cap_alert": budget("Daily", 2.0, true),
        "concurrent_call_cap_alert": {"budget_amount": 3, "enforce": true},
    });
    let (_server, network) = world(caps);
    let mut old = budget("Daily", 4.0, true);
    old.as_object_mut().expect("an object").remove("enforce");
    let body = json!({"budget_activities": {"call_cap_alert": old}});
    let path = campaign_path("354", "12");
    network.with_version("2015-05-01").put(&path, body).expect(200);
    let budgets = || network.get(&path).body(200)["future_terms"]["budget_activities"].clone();
    assert_eq!(budgets()["periodic_call_cap_alert"]["enforce"], true);
    assert_json_eq(&budgets()["periodic_call_cap_alert"]["budget_amount"], &json!(4.0));
    assert_eq!(budgets()["concurrent_call_cap_alert"]["enforce"], true);
    // `false` switches it off.
    let off =
        json!({"budget_activities": {"periodic_call_cap_alert": budget("Daily", 4.0, false)}});
    network.put(&path, off).expect(200);
    assert!(budgets()["periodic_call_cap_alert"].get("enforce").is_none());
}
