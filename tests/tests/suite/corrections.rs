//! Corrections of transactions: the replacing row and the totals that follow from it.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, base_policy, campaign_path};
use trunkline_tests::{Client, Server, assert_json_eq};

/// Creates a live campaign 12 of advertiser 354 that pays for calls longer than a minute, with a budget
/// and an approved affiliate 976.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let more = json!({
        "auto_approve": "All",
        "timezone": "UTC",
        "advertiser_payin": base_policy(7.0, "duration > 60"),
        "affiliate_payout": base_policy(4.5, "duration > 60 and in_region"),
        "named_regions": [{"name": "West", "regions": [{"region_type": "State", "value": "CA"}]}],
        "budget_activities": {"budget_cap_alert": {"reset_period": "Ongoing",
            "starts_at": "2026-01-01", "budget_currency": "USD", "time_zone": "UTC",
            "budget_amount": 100}},
    });
    network.has_live_campaign("354", "12", more);
    network.has_applied("354", "12", "976");
    (server, network)
}

fn by_affiliate() -> Value {
    json!({"affiliate_id_from_network": "976"})
}

fn budget(network: &Client) -> Value {
    let campaign = network.get(&campaign_path("354", "12")).body(200);
    let budgets = &campaign["current_terms"]["budget_activities"];
    budgets["budget_cap_alert"]["total_amount"].clone()
}

/// Payin and payout of a row.
fn amounts(row: &Value) -> (&str, &str) {
    let amount = |name: &str| row[name].as_str().expect("an amount");
    (amount("advertiser_payin_localized"), amount("affiliate_payout_localized"))
}

#[test]
fn corrected_facts_are_repriced_and_totals_are_adjusted() {
    let (_server, network) = world();
    network.report_call("1", by_affiliate());
    let old = network.ledger().remove(0);
    assert_eq!(amounts(&old), ("7.00", "4.50"));
    // The terms have changed since; the terms of the call still price it.
    network
        .put(&campaign_path("354", "12"), json!({"advertiser_payin": base_policy(50.0, "")}))
        .expect(200);
    network.go_live("354", "12");
    assert_json_eq(&budget(&network), &json!(7));
    let body = json!({"reason": "The sender's clock was wrong.", "call": {"duration": 45}});
    let new = network.post_correction(&old["transaction_id"], body).body(201);
    assert_eq!(new["reason"], "The sender's clock was wrong.");
    assert_eq!(amounts(&new), ("0.00", "0.00"));
    assert_eq!(new["payin_conditions"], "{duration > 60}");
    assert_json_eq(&new["duration"], &json!(45));
    for same in ["complete_call_id", "start_time_utc", "region", "affiliate_name"] {
        assert_eq!(new[same], old[same], "{same}");
    }
    assert_eq!(new["corrects_transaction_id"], old["transaction_id"]);
    assert_ne!(new["corrected_at"], "");
    assert_json_eq(&budget(&network), &json!(0));
    // The old row does not change. The new one follows it and shows no reason.
    let mut listed = new.clone();
    listed.as_object_mut().unwrap().shift_remove("reason");
    assert_eq!(network.ledger(), [old.clone(), listed]);
    let repeated = json!({"reason": "It was right.", "call": {"duration": 90}});
    let third = network.post_correction(&new["transaction_id"], repeated).body(201);
    assert_eq!(amounts(&third), ("7.00", "4.50"));
    assert_eq!(third["corrects_transaction_id"], new["transaction_id"]);
    assert_json_eq(&budget(&network), &json!(7));
    // Only the newest row of a call can be corrected.
    for (row, by) in [(&old, &new), (&new, &third)] {
        let body = json!({"reason": "Once more.", "call": {"duration": 10}});
        let message = network
            .post_correction(&row["transaction_id"], body)
            .assert_error(403, "UnauthorizedOperation");
        let row = &row["transaction_id"];
        let by = &by["transaction_id"];
        let expected = format!("transaction {row} was corrected by transaction {by} already");
        assert_eq!(message, expected.replace('"', ""));
    }
}

#[test]
fn manual_amounts_hold_until_the_call_is_repriced() {
    let (_server, network) = world();
    network.report_call("1", by_affiliate());
    let first = network.ledger().remove(0)["transaction_id"].clone();
    let body = json!({"reason": "Goodwill.", "affiliate_payout": 6.25});
    let second = network.post_correction(&first, body).body(201);
    assert_eq!(amounts(&second), ("7.00", "6.25"));
    assert_eq!(second["margin_localized"], "0.75");
    let body = json!({"reason": "And for the advertiser.", "advertiser_payin": 5});
    let third = network.post_correction(&second["transaction_id"], body).body(201);
    assert_eq!(amounts(&third), ("5.00", "6.25"));
    assert_eq!(third["margin_localized"], "-1.25");
    assert_json_eq(&budget(&network), &json!(5));
    // A manual amount overrides the amount that the facts result in.
    let body = json!({"reason": "Short.", "call": {"duration": 30}, "affiliate_payout": "1.5"});
    let fourth = network.post_correction(&third["transaction_id"], body).body(201);
    assert_eq!(amounts(&fourth), ("0.00", "1.50"));
    assert_json_eq(&budget(&network), &json!(0));
    // Repricing with unchanged facts discards the manual amounts.
    let body = json!({"reason": "Back.", "call": {}});
    let fifth = network.post_correction(&fourth["transaction_id"], body).body(201);
    assert_eq!(amounts(&fifth), ("0.00", "0.00"));
    assert_json_eq(&fifth["duration"], &json!(30));
    let path = format!("/transactions/{}/explanation", fourth["transaction_id"].as_str().unwrap());
    let why = network.extensions().get(&path).body(200);
    assert_json_eq(&why["affiliate_payout"]["amount"], &json!(1.5));
    assert_eq!(why["affiliate_payout"]["matching_policies"], "");
    assert_json_eq(
        &why["correction"],
        &json!({"corrects_transaction_id": third["transaction_id"],
        "reason": "Short.", "advertiser_payin_is_set": false, "affiliate_payout_is_set": true}),
    );
}

#[test]
fn rejected_call_can_be_paid_by_correction() {
    let (_server, network) = world();
    network.has_affiliate("977");
    network.report_call("1", json!({"affiliate_id_from_network": "977"}));
    network.report_call("2", json!({}));
    network.report_call("3", json!({"start_time": "2001-01-01"}));
    let rows = network.ledger();
    assert_eq!(amounts(&rows[0]), ("", ""));
    let both = json!({"reason": "Ours.", "advertiser_payin": 3, "affiliate_payout": 2});
    let paid = network.post_correction(&rows[0]["transaction_id"], both.clone()).body(201);
    assert_eq!(amounts(&paid), ("3.00", "2.00"));
    assert_json_eq(&budget(&network), &json!(10));
    let none = network
        .post_correction(&paid["transaction_id"], json!({"reason": "Not ours.", "call": {}}))
        .body(201);
    assert_eq!(amounts(&none), ("", ""));
    assert_json_eq(&budget(&network), &json!(7));
    // Recomputed totals agree.
    let mut budgets =
        network.get(&campaign_path("354", "12")).body(200)["current_terms"]["budget_activities"]
            .clone();
    budgets["budget_cap_alert"]["starts_at"] = json!("2026-01-02");
    network.put(&campaign_path("354", "12"), json!({"budget_activities": budgets})).expect(200);
    network.go_live("354", "12");
    assert_json_eq(&budget(&network), &json!(7));
    let not_agreed = json!(["is not agreed by the terms that priced this call"]);
    network
        .post_correction(&rows[1]["transaction_id"], both.clone())
        .assert_invalid(&json!({"affiliate_payout": not_agreed}));
    network
        .post_correction(&rows[2]["transaction_id"], both)
        .assert_invalid(&json!({"advertiser_payin": not_agreed, "affiliate_payout": not_agreed}));
}

#[test]
fn corrected_caller_number_updates_region_and_repeat_caller() {
    let (_server, network) = world();
    network.report_call(
        "1",
        json!({"calling_phone_number": "2125550100", "start_time": "2199-12-31"}),
    );
    network.report_call("2", by_affiliate());
    let row = network.ledger().remove(1);
    assert_eq!((&row["region"], &row["repeat_calling_phone_number"]), (&json!("CA"), &json!("No")));
    let body = json!({"reason": "Misheard.", "call": {"calling_phone_number": "212-555-0100"}});
    let moved = network.post_correction(&row["transaction_id"], body).body(201);
    assert_eq!(moved["calling_phone_number"], "212-555-0100");
    assert_eq!(
        (&moved["region"], &moved["repeat_calling_phone_number"]),
        (&json!("NY"), &json!("Yes"))
    );
    assert_eq!(amounts(&moved), ("7.00", "0.00"), "out of the region");
    let facts = json!({"calling_phone_number": null, "region": "CA", "phone_type": "landline",
        "city": "Ojai", "zip": "93023", "keypresses": ["3"], "custom_data": {"channel": "TV"},
        "connect_duration": 80, "sms_sent": true, "repeat": false});
    let message = network
        .post_correction(&moved["transaction_id"], json!({"reason": "All of it.", "call": facts}))
        .body(201);
    for (column, value) in [
        ("calling_phone_number", json!("")),
        ("region", json!("CA")),
        ("mobile", json!("Landline")),
        ("city", json!("Ojai")),
        ("verified_zip", json!("93023")),
        ("keypresses", json!("3")),
        ("connect_duration", json!(80)),
        ("opt_in_SMS", json!(1)),
        ("repeat_calling_phone_number", json!("No")),
    ] {
        assert_json_eq(&message[column], &value);
    }
    let custom_data = |row: &Value| {
        let id = row["transaction_id"].as_str().expect("an id");
        let query = format!("?transaction_id={id}&include_columns=custom_data");
        network.get(&network.ledger_path(&query)).body(200)[0]["custom_data"].clone()
    };
    let channel = json!([
        {"name": "channel", "data_type": "Short Text", "source": "Api", "value": "TV"}]);
    assert_json_eq(&custom_data(&message), &channel);
    let facts = json!({"region": null, "duration": null, "phone_type": null, "repeat": null,
        "custom_data": null, "connect_duration": null, "keypresses": null, "sms_sent": null});
    let unknown = network
        .post_correction(&message["transaction_id"], json!({"reason": "Who knows.", "call": facts}))
        .body(201);
    assert_json_eq(&custom_data(&unknown), &json!([]));
    assert_eq!(amounts(&unknown), ("0.00", "0.00"));
    assert_eq!(unknown["payin_conditions"], "{duration > 60}");
    for (column, value) in [
        // The postal code still tells the region.
        ("region", json!("CA")),
        ("mobile", json!("")),
        ("duration", json!(null)),
        ("connect_duration", json!(null)),
        ("keypresses", json!("")),
        ("opt_in_SMS", json!(null)),
        ("repeat_calling_phone_number", json!("")),
    ] {
        assert_json_eq(&unknown[column], &value);
    }
}

#[test]
fn all_problems_of_a_correction_are_reported() {
    let (_server, network) = world();
    network.report_call("1", by_affiliate());
    let id = network.ledger()[0]["transaction_id"].clone();
    let wrong =
        |body: Value, errors: Value| network.post_correction(&id, body).assert_invalid(&errors);
    wrong(
        json!({}),
        json!({"reason": ["can't be blank"],
        "base": ["must contain call, advertiser_payin or affiliate_payout"]}),
    );
    wrong(
        json!({"reason": " ", "advertiser_payin": -1, "affiliate_payout": "lots",
            "call": {"start_time": "2026-01-01", "external_call_unique_id": "2", "advertiser_campaign": null,
                "promo_number": "x", "colour": "red", "duration": -1,
                "phone_type": "fax", "keypresses": ["12"], "calling_phone_number": true,
                "custom_data": {"colour": "red"}, "repeat": "often"}}),
        json!({
            "reason": ["can't be blank"],
            "call": {
                "start_time": ["cannot be corrected"],
                "external_call_unique_id": ["cannot be corrected"],
                "colour": ["cannot be corrected"],
                "advertiser_campaign": ["can't be blank"],
                "promo_number": ["is invalid"],
                "keypresses": [["is invalid"]],
                "phone_type": ["is not included in the list"],
                "calling_phone_number": ["is invalid"],
                "duration": ["must be greater than or equal to 0"],
                "repeat": ["is invalid"],
                "custom_data": {"colour": ["is not a custom data field of this network"]},
            },
            "advertiser_payin": ["must be greater than or equal to 0"],
            "affiliate_payout": ["is not a number"],
        }),
    );
    wrong(
        json!({"reason": "Mistyped.", "advertiser_payout": 3, "advertiser_payin": 3}),
        json!({"advertiser_payout": ["cannot be corrected"]}),
    );
    wrong(
        json!({"reason": "x".repeat(1001), "advertiser_payin": 1.234, "affiliate_payout": 1_000_001}),
        json!({"reason": ["is too long (maximum is 1000 characters)"],
            "advertiser_payin": ["has too many decimal places (maximum is 2)"],
            "affiliate_payout": ["must be less than or equal to 1000000"]}),
    );
    wrong(
        json!({"reason": "Longer.", "call": {"connect_duration": 91}}),
        json!({"call": {"connect_duration": ["must be less than or equal to duration"]}}),
    );
    for nothing in [
        json!({"call": {}}),
        json!({"call": {"duration": 90}}),
        json!({"advertiser_payin": 7.0, "affiliate_payout": "4.50"}),
    ] {
        let mut body = nothing;
        body["reason"] = json!("Just so.");
        wrong(body, json!({"base": ["changes nothing"]}));
    }
    let extensions = network.extensions();
    for missing in ["99", "0", "x", "-1"] {
        let path = format!("/transactions/{missing}/corrections");
        let body = json!({"reason": "r", "advertiser_payin": 1});
        extensions.post(&path, body).assert_error(404, "RecordNotFound");
        let path = format!("/transactions/{missing}/explanation");
        extensions.get(&path).assert_error(404, "RecordNotFound");
    }
    assert_eq!(network.ledger().len(), 1, "nothing was written");
}

#[test]
fn correction_is_logged_notified_and_idempotent_by_key() {
    let (server, network) = world();
    network.report_call("1", by_affiliate());
    let id = network.ledger()[0]["transaction_id"].as_str().unwrap().to_owned();
    let path = format!("/transactions/{id}/corrections");
    let extensions = network.extensions();
    let body = json!({"reason": "Short.", "call": {"duration": 45}});
    let send = |key: &str, body: &Value| {
        extensions.request("POST", &path).header("Idempotency-Key", key).json(body).send()
    };
    let first = send("k", &body).body(201);
    assert_eq!(send("k", &body).body(201), first);
    assert_eq!(network.ledger().len(), 2);
    let other = json!({"reason": "Other.", "call": {"duration": 46}});
    send("k", &other).assert_error(403, "UnauthorizedOperation");
    // Without a key it is a second correction of a row that is already corrected.
    extensions.post(&path, body).assert_error(403, "UnauthorizedOperation");
    let log = network.audit_entries(Some(&format!("transaction:{id}")));
    assert_eq!(log.len(), 1);
    assert_eq!(log[0]["action"], "correct");
    assert_eq!(log[0]["before"]["payin"]["amount"], "7");
    assert_eq!(log[0]["after"]["payin"]["amount"], "0");
    assert_eq!(log[0]["after"]["correction"]["reason"], "Short.");
    let undo = extensions.post(&format!("/audit/{}/revert", log[0]["id"]), json!({}));
    undo.expect(403);
    let mut corrected = server.events();
    corrected.retain(|(kind, _)| kind == "transaction.corrected");
    assert_eq!(corrected.len(), 1);
    let data = &corrected[0].1;
    assert_eq!(data["transaction_id"], first["transaction_id"]);
    assert_eq!(data["corrects_transaction_id"], id);
    assert_json_eq(&data["advertiser_payin"]["amount"], &json!(0));
    assert_json_eq(&data["duration"], &json!(45));
}

#[test]
fn only_the_network_corrects_and_parties_see_their_side_of_the_explanation() {
    let (server, network) = world();
    network.has_advertiser("355");
    network.has_affiliate("975");
    network.report_call("1", by_affiliate());
    let id = network.ledger()[0]["transaction_id"].clone();
    let body = json!({"reason": "Mine.", "affiliate_payout": 100, "advertiser_payin": 1});
    let advertiser = server.advertiser("354");
    let affiliate = server.affiliate("976");
    for client in [&advertiser, &affiliate, &server.observer()] {
        client.post_correction(&id, body.clone()).assert_error(403, "UnauthorizedOperation");
    }
    let id = network.post_correction(&id, body).body(201)["transaction_id"].clone();
    let path = format!("/transactions/{}/explanation", id.as_str().unwrap());
    let explain = |client: &Client| client.extensions().get(&path).body(200);
    let whole = explain(&network);
    let pays = explain(&advertiser);
    let earns = explain(&affiliate);
    assert_eq!(explain(&server.observer()), whole);
    let call = json!({"calling_phone_number": "8057089876", "duration": 90,
        "start_time": "2200-01-01 12:00:00 +0000", "repeat": false});
    let question = json!({"advertiser_campaign": "12", "affiliate": "976", "call": call});
    let dry = network.extensions().post("/dry_run", question).body(200);
    for part in ["outcome", "reason", "path", "destination_phone_number", "warnings"] {
        assert_eq!(whole[part], dry[part], "{part}");
    }
    assert_eq!(whole["affiliate_payout"]["policies"], dry["affiliate_payout"]["policies"]);
    assert_json_eq(&whole["affiliate_payout"]["amount"], &json!(100));
    assert_json_eq(&whole["margin"], &json!({"amount": -99, "currency": "USD"}));
    assert_json_eq(
        &whole["budgets"],
        &json!([{"kind": "budget_cap_alert", "total": 1, "amount": 100,
        "would_alert": []}]),
    );
    assert_json_eq(&whole["correction"]["advertiser_payin_is_set"], &json!(true));
    assert_eq!(
        (&pays["path"], &pays["advertiser_payin"]),
        (&whole["path"], &whole["advertiser_payin"])
    );
    assert_eq!(pays["affiliate_payout"], Value::Null);
    assert_json_eq(&pays["correction"]["affiliate_payout_is_set"], &json!(false));
    assert_json_eq(&pays["margin"], &Value::Null);
    assert_eq!(earns["affiliate_payout"], whole["affiliate_payout"]);
    for hidden in ["advertiser_payin", "margin", "destination_phone_number"] {
        assert_eq!(earns[hidden], Value::Null, "{hidden}");
    }
    assert_json_eq(&json!([earns["path"], earns["budgets"]]), &json!([[], []]));
    assert_json_eq(&earns["correction"]["advertiser_payin_is_set"], &json!(false));
    for client in [server.advertiser("355"), server.affiliate("975")] {
        client.extensions().get(&path).assert_error(404, "RecordNotFound");
    }
    // An affiliate without an affiliate campaign gets 404.
    let location = affiliate_campaign_path("354", "12", "975");
    network.put(&location, json!({})).expect(200);
    server.affiliate("975").extensions().get(&path).assert_error(404, "RecordNotFound");
}

#[test]
fn concurrent_corrections_of_a_row_leave_one() {
    let (_server, network) = world();
    network.report_call("1", by_affiliate());
    let id = network.ledger()[0]["transaction_id"].clone();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=8)
            .map(|amount| {
                let network = &network;
                let id = &id;
                let body = json!({"reason": "Mine.", "advertiser_payin": 10 + amount});
                scope.spawn(move || network.post_correction(id, body).status)
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    let rows = network.ledger();
    assert_eq!(rows.len(), 2);
    let amount: f64 = rows[1]["advertiser_payin_localized"].as_str().unwrap().parse().unwrap();
    assert_json_eq(&budget(&network), &json!(amount));
}
