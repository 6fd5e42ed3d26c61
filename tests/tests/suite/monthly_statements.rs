//! Statements: a month's amounts by campaign and currency.

use serde_json::{Value, json};
use trunkline_tests::body::affiliate_campaign_path;
use trunkline_tests::{Client, Server, assert_json_eq};

fn payin_of(amount: f64, currency: &str) -> Value {
    json!({"policies": [{"type": "Base", "amount": amount, "currency": currency, "condition": "duration > 60"}]})
}

/// Creates campaign 12 of advertiser 354 in dollars, and 13 with payin in pounds and payout in dollars;
/// affiliate 976 is in both. The network is in the Pacific time zone.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let more = |payin, payout| {
        json!({"auto_approve": "All", "timezone": "UTC",
        "advertiser_payin": payin, "affiliate_payout": payout})
    };
    network.has_live_campaign("354", "12", more(payin_of(7.1, "USD"), payin_of(4.25, "USD")));
    network.has_live_campaign("354", "13", more(payin_of(5.0, "GBP"), payin_of(3.0, "USD")));
    network.has_applied("354", "12", "976");
    network.post(&affiliate_campaign_path("354", "13", "976"), json!({})).expect(201);
    (server, network)
}

fn report_call(network: &Client, id: &str, campaign: &str, start: &str, seconds: u32) {
    let more = json!({"advertiser_campaign_id_from_network": campaign, "start_time": start,
        "duration_in_seconds": seconds, "affiliate_id_from_network": "976"});
    network.report_call(id, more);
}

fn line(campaign: &str, rest: &Value) -> Value {
    let mut line = json!({"advertiser_campaign_id_from_network": campaign,
        "advertiser_campaign_name": format!("Campaign {campaign}")});
    let more = rest.as_object().unwrap().clone();
    line.as_object_mut().unwrap().extend(more);
    line
}

/// Totals of a currency: calls, paid calls, amount, corrections and their difference.
fn totals(currency: &str, calls: (u32, u32), amount: f64, corrections: (u32, f64)) -> Value {
    json!({"currency": currency, "calls": calls.0, "paid_calls": calls.1, "amount": amount,
        "corrections": {"count": corrections.0, "difference": corrections.1}})
}

#[test]
fn monthly_statement_adds_up() {
    let (server, network) = world();
    report_call(&network, "1", "12", "2200-03-01 00:00:00 -0800", 90);
    report_call(&network, "2", "12", "2200-03-31 23:59:59 -0700", 90);
    report_call(&network, "3", "12", "2200-03-15", 30);
    report_call(&network, "4", "13", "2200-03-15", 90);
    // Calls of the adjacent months in the network's time zone.
    report_call(&network, "5", "12", "2200-02-28 23:59:59 -0800", 90);
    report_call(&network, "6", "12", "2200-04-01 00:00:00 -0700", 90);
    // A rejected call: in the currency of the terms.
    network.has_affiliate("977");
    network
        .report_call("7", json!({"affiliate_id_from_network": "977", "start_time": "2200-03-15"}));
    // The first call is corrected twice, the third once.
    let row = |index: usize| network.ledger()[index]["transaction_id"].clone();
    let fix = |row: &Value, body: Value| {
        let body = trunkline_tests::body::merged(body, json!({"reason": "Told wrong."}));
        network.post_correction(row, body).body(201)["transaction_id"].clone()
    };
    let second = fix(&row(0), json!({"call": {"duration": 10}}));
    fix(&second, json!({"advertiser_payin": 0.05, "affiliate_payout": 9.99}));
    fix(&row(2), json!({"call": {"duration": 61}}));
    let extensions = network.extensions();
    let statement = extensions.get("/statements/advertisers/354?month=2200-03").body(200);
    let usd = totals("USD", (4, 3), 14.25, (3, 0.05));
    let gbp = totals("GBP", (1, 1), 5.0, (0, 0.0));
    assert_json_eq(
        &statement,
        &json!({
            "advertiser_id_from_network": "354", "advertiser_name": "Advertiser 354",
            "month": "2200-03",
            "lines": [line("12", &usd), line("13", &gbp)],
            "totals": [usd, gbp],
        }),
    );
    let statement = extensions.get("/statements/affiliates/976?month=2200-03").body(200);
    let twelve = totals("USD", (3, 3), 18.49, (3, 9.99));
    let thirteen = totals("USD", (1, 1), 3.0, (0, 0.0));
    assert_json_eq(
        &statement,
        &json!({
            "affiliate_id_from_network": "976", "affiliate_name": "Affiliate 976",
            "month": "2200-03",
            "lines": [line("12", &twelve), line("13", &thirteen)],
            "totals": [totals("USD", (4, 4), 21.49, (3, 9.99))],
        }),
    );
    // Parties and observers read the statement.
    for (client, path) in [
        (server.affiliate("976"), "/statements/affiliates/976?month=2200-03"),
        (server.observer(), "/statements/affiliates/976.json?month=2200-03"),
    ] {
        assert_eq!(client.extensions().get(path).body(200), statement);
    }
    let advertiser = server.advertiser("354").extensions();
    let csv = advertiser.get("/statements/advertisers/354.csv?month=2200-03").expect(200);
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(
        csv.text(),
        "month,advertiser_campaign_id_from_network,advertiser_campaign_name,currency,calls,paid_calls,\
         amount,corrections,corrections_difference\n\
         2200-03,12,Campaign 12,USD,4,3,14.25,3,0.05\n\
         2200-03,13,Campaign 13,GBP,1,1,5.00,0,0.00\n"
    );
    let february = advertiser.get("/statements/advertisers/354?month=2200-02").body(200);
    assert_json_eq(&february["totals"], &json!([totals("USD", (1, 1), 7.1, (0, 0.0))]));
    let empty = advertiser.get("/statements/advertisers/354?month=2199-03").body(200);
    assert_json_eq(&json!([empty["lines"], empty["totals"]]), &json!([[], []]));
}

#[test]
fn reversed_payin_is_a_negative_difference() {
    let (_server, network) = world();
    report_call(&network, "1", "12", "2200-03-15", 90);
    report_call(&network, "2", "12", "2001-01-01", 90);
    let row = network.ledger()[0]["transaction_id"].clone();
    network.post_correction(&row, json!({"reason": "Short.", "call": {"duration": 1}})).expect(201);
    let extensions = network.extensions();
    let statement = extensions.get("/statements/advertisers/354?month=2200-03").body(200);
    assert_json_eq(&statement["totals"], &json!([totals("USD", (1, 0), 0.0, (1, -7.1))]));
    let csv = extensions.get("/statements/advertisers/354.csv?month=2200-03").expect(200).text();
    assert!(csv.ends_with("2200-03,12,Campaign 12,USD,1,0,0.00,1,-7.10\n"), "{csv}");
    // A call before the campaign existed has no terms.
    let statement = extensions.get("/statements/advertisers/354?month=2001-01").body(200);
    let none = json!({"currency": null, "calls": 1, "paid_calls": 0, "amount": 0,
        "corrections": {"count": 0, "difference": 0}});
    assert_json_eq(&statement["totals"], &json!([none]));
}

#[test]
fn statement_needs_a_month_and_is_scoped_to_the_viewer() {
    let (server, network) = world();
    network.has_advertiser("355");
    let extensions = network.extensions();
    let send = |query: &str| extensions.get(&format!("/statements/advertisers/354{query}"));
    send("").assert_invalid(&json!({"month": ["can't be blank"]}));
    send(".csv?month=").assert_invalid(&json!({"month": ["can't be blank"]}));
    for odd in [
        "2026",
        "2026-13",
        "2026-00",
        "26-01",
        "2026-1",
        "2026-11-01",
        "soon",
        "9999-01",
        "+026-11",
        "1969-12",
    ] {
        send(&format!("?month={odd}")).assert_invalid(&json!({"month": ["is invalid"]}));
    }
    for last in ["9998-12", "1970-01"] {
        send(&format!("?month={last}")).expect(200);
    }
    let advertiser = server.advertiser("354");
    let affiliate = server.affiliate("976");
    for (client, path) in [
        (&advertiser, "/statements/advertisers/355"),
        (&advertiser, "/statements/affiliates/976"),
        (&affiliate, "/statements/advertisers/354.csv"),
        (&network, "/statements/advertisers/976"),
        (&network, "/statements/affiliates/354.xml"),
    ] {
        client.extensions().get(path).assert_error(404, "RecordNotFound");
    }
}
