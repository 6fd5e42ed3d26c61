//! Corrections that move a call to another campaign, affiliate or promo number.

use serde_json::{Value, json};
use trunkline_tests::body::{base_policy, campaign_path};
use trunkline_tests::{Client, Server, assert_json_eq};

/// Creates live campaigns 12 of advertiser 354 and 13 of advertiser 355, which pay 7 and 9 in, 4 and
/// 5 out, each with a budget; affiliates 976 and 977.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    for (advertiser, campaign, payin, payout) in [("354", "12", 7.0, 4.0), ("355", "13", 9.0, 5.0)]
    {
        let terms = json!({
            "auto_approve": "All",
            "advertiser_payin": base_policy(payin, ""),
            "affiliate_payout": base_policy(payout, ""),
            "budget_activities": {"budget_cap_alert": {"reset_period": "Ongoing",
                "starts_at": "2020-01-01", "budget_currency": "USD", "time_zone": "UTC",
                "budget_amount": 100}},
        });
        network.has_live_campaign(advertiser, campaign, terms);
        network.has_applied(advertiser, campaign, "976");
    }
    network.has_affiliate("977");
    (server, network)
}

fn total(network: &Client, advertiser: &str, campaign: &str) -> Value {
    let campaign = network.get(&campaign_path(advertiser, campaign)).body(200);
    campaign["current_terms"]["budget_activities"]["budget_cap_alert"]["total_amount"].clone()
}

/// Result, amounts and parties of a row.
fn summary(row: &Value) -> Value {
    let names = [
        "call_result_description_detail",
        "advertiser_payin_localized",
        "affiliate_payout_localized",
        "advertiser_id_from_network",
        "affiliate_id_from_network",
    ];
    names.iter().map(|name| row[*name].clone()).collect()
}

fn party_ledger(client: &Client, party: &str) -> Vec<Value> {
    let rows = client.get(&format!("/{party}")).body(200);
    rows.as_array().expect("a list").clone()
}

#[test]
fn moved_call_leaves_one_row_to_each_party() {
    let (server, network) = world();
    network.report_call("1", json!({"affiliate_id_from_network": "976"}));
    let first = network.ledger()[0]["transaction_id"].clone();
    // The affiliate never applied to the campaign: statuses are not asked.
    let body = json!({"reason": "It was the other campaign's.",
        "call": {"advertiser_campaign": "13", "affiliate": "977"}});
    let new = network.post_correction(&first, body).body(201);
    let rows = network.ledger();
    assert_eq!(rows.len(), 3);
    assert_eq!(summary(&rows[0]), json!(["Connected", "7.00", "4.00", "354", "976"]));
    assert_eq!(summary(&rows[1]), json!(["Moved", "0.00", "0.00", "354", "976"]));
    assert_eq!(summary(&rows[2]), json!(["Connected", "9.00", "5.00", "355", "977"]));
    assert_eq!(rows[1]["corrects_transaction_id"], first);
    assert_eq!(rows[2]["corrects_transaction_id"], rows[1]["transaction_id"]);
    assert_eq!(new["transaction_id"], rows[2]["transaction_id"]);
    assert_json_eq(&total(&network, "354", "12"), &json!(0));
    assert_json_eq(&total(&network, "355", "13"), &json!(9));
    let counts = [
        (server.advertiser("354"), "advertisers/transactions/354", 2),
        (server.affiliate("976"), "affiliates/transactions/976", 2),
        (server.advertiser("355"), "advertisers/transactions/355", 1),
        (server.affiliate("977"), "affiliates/transactions/977", 1),
    ];
    for (client, path, count) in counts {
        assert_eq!(party_ledger(&client, path).len(), count, "{path}");
    }
    let events = server.events().into_iter().filter(|(kind, _)| kind == "transaction.corrected");
    let events: Vec<Value> = events.map(|(_, data)| data).collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[1]["corrects_transaction_id"], rows[1]["transaction_id"]);
    assert_eq!(events[1]["advertiser_campaign"], "13");
    // A further correction is decided by the terms of the new campaign; moving back restores it.
    let body = json!({"reason": "Longer.", "call": {"duration": 120}});
    let longer = network.post_correction(&new["transaction_id"], body).body(201);
    assert_eq!(summary(&longer), json!(["Connected", "9.00", "5.00", "355", "977"]));
    let body =
        json!({"reason": "Back.", "call": {"advertiser_campaign": "12", "affiliate": "976"}});
    let back = network.post_correction(&longer["transaction_id"], body).body(201);
    assert_eq!(summary(&back), json!(["Connected", "7.00", "4.00", "354", "976"]));
    assert_json_eq(&total(&network, "354", "12"), &json!(7));
    assert_json_eq(&total(&network, "355", "13"), &json!(0));
    let checked = trunkline_tests::run(&["database", "check", "--database", server.database()]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn affiliate_and_promo_number_can_be_corrected() {
    let (server, network) = world();
    server.add_numbers(&["8005550142"]);
    let path =
        "/advertisers/354/advertiser_campaigns/12/affiliates/976/affiliate_campaigns/promo_numbers";
    let number =
        network.post(path, json!({"description": "Spring", "media_type": "Radio"})).body(201);
    network.report_call("1", json!({}));
    let first = network.ledger()[0]["transaction_id"].clone();
    let body =
        json!({"reason": "It rang there.", "call": {"promo_number": number["promo_number"]}});
    let new = network.post_correction(&first, body).body(201);
    assert_eq!(summary(&new), json!(["Connected", "7.00", "4.00", "354", "976"]));
    assert_eq!(new["media_type"], "Radio");
    assert_eq!(network.ledger().len(), 3);
    let body = json!({"reason": "Nobody's.", "call": {"affiliate": null}});
    let none = network.post_correction(&new["transaction_id"], body).body(201);
    assert_eq!(none["affiliate_id_from_network"], "");
    assert_eq!(none["affiliate_payout_localized"], "");
    assert_eq!(none["media_type"], "");
    for unknown in [json!({"affiliate": "999"}), json!({"advertiser_campaign": "999"})] {
        let body = json!({"reason": "Unknown.", "call": unknown});
        network.post_correction(&none["transaction_id"], body).assert_error(404, "RecordNotFound");
    }
    let same = json!({"reason": "Same.", "call": {"advertiser_campaign": "12"}});
    network
        .post_correction(&none["transaction_id"], same)
        .assert_invalid(&json!({"base": ["changes nothing"]}));
}
