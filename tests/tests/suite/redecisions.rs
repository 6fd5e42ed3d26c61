//! Redecisions: stored calls decided again by what is known today.

use serde_json::{Value, json};
use trunkline_tests::body::{base_policy, campaign_path};
use trunkline_tests::{Client, Server, assert_json_eq, execute_sql};

/// Creates a live campaign 12 that pays 7.00 in and 4.50 out for new callers, with an approved
/// affiliate 976.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let terms = json!({
        "timezone": "UTC",
        "auto_approve": "All",
        "advertiser_payin": base_policy(7.0, "not repeat"),
        "affiliate_payout": base_policy(4.5, "not repeat"),
        "budget_activities": {"budget_cap_alert": {"reset_period": "Ongoing",
            "starts_at": "2020-01-01", "budget_currency": "USD", "time_zone": "UTC",
            "budget_amount": 100}},
    });
    network.has_live_campaign("354", "12", terms);
    network.has_applied("354", "12", "976");
    (server, network)
}

/// Reports a call of affiliate 976. Returns its `complete_call_id`.
fn report(network: &Client, id: &str, start: &str) -> String {
    network.report_call(id, json!({"start_time": start, "affiliate_id_from_network": "976"}))
}

fn redecide(network: &Client, more: Value) -> trunkline_tests::Response {
    let body = json!({"advertiser_campaign": "12", "from": "2199-12-31", "to": "2200-01-31"});
    network.extensions().post("/redecide", trunkline_tests::body::merged(body, more))
}

fn total(network: &Client) -> Value {
    let campaign = network.get(&campaign_path("354", "12")).body(200);
    campaign["current_terms"]["budget_activities"]["budget_cap_alert"]["total_amount"].clone()
}

fn usd(amount: f64) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

#[test]
fn call_reported_late_makes_a_repeat_caller() {
    let (server, network) = world();
    let second = report(&network, "1", "2200-01-02 10:00:00 +0000");
    report(&network, "2", "2200-01-02 09:00:00 +0000");
    assert_json_eq(&total(&network), &json!(14));
    let forecast = redecide(&network, json!({})).body(200);
    let sums =
        json!({"advertiser_payin": usd(14.0), "affiliate_payout": usd(9.0), "margin": usd(5.0)});
    let decided =
        json!({"advertiser_payin": usd(7.0), "affiliate_payout": usd(4.5), "margin": usd(2.5)});
    assert_json_eq(&forecast["current"], &sums);
    assert_json_eq(&forecast["decided"], &decided);
    assert_json_eq(&json!([forecast["calls"], forecast["changed_total"]]), &json!([2, 1]));
    assert_eq!(forecast["audit_id"], Value::Null);
    let changed = &forecast["changed"][0];
    assert_eq!(changed["complete_call_id"], second);
    assert_eq!(changed["because"], json!(["repeat: false → true"]));
    assert_json_eq(&changed["decided"]["advertiser_payin"], &usd(0.0));
    assert_eq!(network.ledger().len(), 2, "nothing was written");
    redecide(&network, json!({"apply": true}))
        .assert_invalid(&json!({"reason": ["can't be blank"]}));

    let applied = redecide(&network, json!({"apply": true, "reason": "Reported late."})).body(201);
    assert_json_eq(&total(&network), &json!(7));
    let rows = network.ledger();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[2]["transaction_id"], applied["changed"][0]["transaction_id"]);
    assert_eq!(rows[2]["corrects_transaction_id"], rows[0]["transaction_id"]);
    assert_eq!(rows[2]["repeat_calling_phone_number"], "Yes");
    assert_eq!(redecide(&network, json!({})).body(200)["changed_total"], 0);
    // Undone as a whole.
    let revert = format!("/audit/{}/revert", applied["audit_id"]);
    let entry = network.extensions().post(&revert, json!({})).body(201);
    assert_json_eq(&json!([entry["after"]["corrected"], entry["after"]["left"]]), &json!([1, 0]));
    assert_json_eq(&total(&network), &json!(14));
    assert_eq!(network.ledger()[3]["repeat_calling_phone_number"], "No");
    // The row has been corrected since: a second revert leaves it.
    let entry = network.extensions().post(&revert, json!({})).body(201);
    assert_json_eq(&json!([entry["after"]["corrected"], entry["after"]["left"]]), &json!([0, 1]));
    let checked = trunkline_tests::run(&["database", "check", "--database", server.database()]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn manual_amounts_and_rejections_stay() {
    let (_server, network) = world();
    report(&network, "1", "2200-01-02 10:00:00 +0000");
    let id = network.ledger()[0]["transaction_id"].clone();
    let body = json!({"reason": "Goodwill.", "advertiser_payin": 5});
    network.post_correction(&id, body).expect(201);
    report(&network, "2", "2200-01-02 09:00:00 +0000");
    let applied = redecide(&network, json!({"apply": true, "reason": "Late."})).body(201);
    assert_json_eq(&applied["changed"][0]["decided"]["advertiser_payin"], &usd(5.0));
    assert_json_eq(&applied["changed"][0]["decided"]["affiliate_payout"], &usd(0.0));
    assert_json_eq(&total(&network), &json!(12));
}

#[test]
fn only_the_network_redecides_valid_ranges() {
    let (server, network) = world();
    for client in [server.advertiser("354"), server.affiliate("976"), server.observer()] {
        redecide(&client, json!({})).assert_error(403, "UnauthorizedOperation");
    }
    redecide(&network, json!({"advertiser_campaign": "99"})).assert_error(404, "RecordNotFound");
    redecide(&network, json!({"from": "2200-02-01"}))
        .assert_invalid(&json!({"to": ["must not be before from"]}));
    network.extensions().post("/redecide", json!({"apply": "maybe"})).assert_invalid(&json!({
        "advertiser_campaign": ["can't be blank"], "from": ["can't be blank"],
        "to": ["can't be blank"], "apply": ["is invalid"]}));
    let empty = redecide(&network, json!({"apply": true, "reason": "None."})).body(201);
    assert_json_eq(&json!([empty["calls"], empty["changed_total"]]), &json!([0, 0]));
}

#[test]
fn replay_looks_repeat_callers_up_by_the_terms_tried() {
    let (_server, network) = world();
    let days = |days: u32| json!({"repeat_days": days});
    network.put(&campaign_path("354", "12"), days(5)).expect(200);
    network.go_live("354", "12");
    report(&network, "1", "2200-01-02 10:00:00 +0000");
    report(&network, "2", "2200-01-12 10:00:00 +0000");
    assert_json_eq(&total(&network), &json!(14));
    network.put(&campaign_path("354", "12"), days(30)).expect(200);
    let body = json!({"advertiser_campaign": "12", "from": "2200-01-01", "to": "2200-01-31"});
    let replay = network.extensions().post("/replay", body).body(200);
    assert_json_eq(&replay["current"]["advertiser_payin"], &usd(14.0));
    assert_json_eq(&replay["future"]["advertiser_payin"], &usd(7.0));
    assert_eq!(replay["changed_total"], 1);
}

#[test]
fn call_is_decided_by_an_area_code_that_was_added_later() {
    let (mut server, network) = world();
    let file = std::env::temp_dir().join(format!("area-codes-{}.csv", std::process::id()));
    std::fs::write(&file, "836,US,NY\n").expect("the file is written");
    let region = json!([{"name": "Here", "regions": [{"region_type": "State", "value": "NY"}]}]);
    let terms = json!({"named_regions": region, "advertiser_payin": base_policy(7.0, "in_region")});
    network.put(&campaign_path("354", "12"), terms).expect(200);
    network.go_live("354", "12");
    network.report_call("1", json!({"calling_phone_number": "+18365550123"}));
    let row = network.ledger().remove(0);
    assert_eq!((&row["region"], &row["advertiser_payin_localized"]), (&json!(""), &json!("0.00")));
    assert_eq!(redecide(&network, json!({})).body(200)["changed_total"], 0);
    server.restart_with(&["--area-codes", file.to_str().expect("a path")]);
    let network = server.network();
    let applied = redecide(&network, json!({"apply": true, "reason": "A new code."})).body(201);
    let changed = &applied["changed"][0];
    let because = json!(["country: unknown → US", "region: unknown → NY"]);
    assert_eq!(changed["because"], because);
    assert_json_eq(&changed["decided"]["advertiser_payin"], &usd(7.0));
    let row = network.ledger().pop().expect("a row");
    assert_eq!(
        (&row["region"], &row["advertiser_payin_localized"]),
        (&json!("NY"), &json!("7.00"))
    );
    assert_json_eq(&total(&network), &json!(7));
    std::fs::remove_file(&file).expect("the file is removed");
}

#[test]
fn call_that_was_turned_away_stays_turned_away() {
    let (_server, network) = world();
    let outcome = |id: &str| {
        let path = format!("/calls?external_call_unique_id={id}");
        let call = network.extensions().get(&path).body(200)[0].clone();
        (call["outcome"].clone(), call["reason"].clone())
    };
    network.has_affiliate("977");
    let more = json!({"affiliate_id_from_network": "977", "connect_duration_in_seconds": 60});
    network.report_call("1", more);
    let turned_away = (json!("turned_away"), json!("affiliate_not_approved"));
    assert_eq!(outcome("1"), turned_away);
    // What is known today would let it in, and makes it a repeat caller.
    let path = trunkline_tests::body::affiliate_campaign_path("354", "12", "977");
    network.post(&path, json!({"status": "Applied"})).expect(201);
    report(&network, "2", "2200-01-01 11:00:00 +0000");
    let applied = redecide(&network, json!({"apply": true, "reason": "Try."})).body(201);
    assert_eq!(applied["changed"][0]["because"], json!(["repeat: false → true"]));
    assert_eq!(applied["changed"][0]["decided"]["outcome"], "turned_away");
    assert_eq!(outcome("1"), turned_away);
    assert_json_eq(&total(&network), &json!(7));
}

/// Adds `count` rows to the ledger that copy the row of the only call.
fn copy_ledger_row(server: &Server, count: u32) {
    let sql = format!(
        "INSERT INTO transactions (id, network_id, call_id, campaign_id, advertiser_id, affiliate_id,
             corrects_id, start_time, payin_currency, payin, payin_delta, payout_currency, payout,
             payout_delta, body, created_at)
         WITH RECURSIVE numbers (number) AS (
             SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {count}
         )
         SELECT t.id + number, t.network_id, t.call_id, t.campaign_id, t.advertiser_id,
             t.affiliate_id, NULL, t.start_time, t.payin_currency, t.payin, t.payin_delta,
             t.payout_currency, t.payout, t.payout_delta, t.body, t.created_at
         FROM (SELECT * FROM transactions ORDER BY id LIMIT 1) t CROSS JOIN numbers"
    );
    execute_sql(server.database(), &sql);
}

#[test]
fn range_with_more_than_100000_calls_is_rejected_before_any_is_decided() {
    let (server, network) = world();
    report(&network, "1", "2200-01-02 10:00:00 +0000");
    assert_json_eq(&redecide(&network, json!({})).body(200)["calls"], &json!(1));
    copy_ledger_row(&server, 100_000);
    let problem = json!({"to": ["spans more than 100000 calls"]});
    redecide(&network, json!({})).assert_invalid(&problem);
    let apply = json!({"apply": true, "reason": "Too many."});
    redecide(&network, apply.clone()).assert_invalid(&problem);
    // A range beside the calls is not affected.
    let empty = json!({"from": "2200-01-03", "to": "2200-01-31"});
    assert_json_eq(&redecide(&network, empty).body(200)["calls"], &json!(0));
}
