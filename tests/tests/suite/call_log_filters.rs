//! Filters of `GET calls`.

use serde_json::{Value, json};
use trunkline_tests::body::affiliate_campaign_path;
use trunkline_tests::{Client, Server};

/// Creates two advertisers with a live campaign each and an affiliate with a promo number, and reports four
/// calls. Call `live` is in progress.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let more = json!({"auto_approve": "All", "timezone": "UTC"});
    network.has_live_campaign("354", "12", more.clone());
    network.has_live_campaign("355", "13", more);
    network.has_applied("354", "12", "976");
    network.has_affiliate("977");
    server.add_numbers(&["8005550100"]);
    let numbers = format!("{}/promo_numbers", affiliate_campaign_path("354", "12", "976"));
    network.post(&numbers, json!({"description": "Ad", "media_type": "Radio"})).expect(201);
    network.report_call(
        "a",
        json!({"promo_number": "8005550100",
        "connect_duration_in_seconds": 60}),
    );
    network.report_call(
        "b",
        json!({"start_time": "2200-01-02 07:59:59 +0000",
        "connect_duration_in_seconds": 0}),
    );
    network.report_call(
        "c",
        json!({"advertiser_campaign_id_from_network": "13",
        "calling_phone_number": "2125550123", "start_time": "2200-01-02 08:00:00 +0000"}),
    );
    network.report_call("d", json!({"affiliate_id_from_network": "977"}));
    network.extensions().post("/calls", json!({"advertiser_campaign": "12"})).expect(201);
    (server, network)
}

/// External ids of the calls that match a query; `live` is the call in progress.
fn found(client: &Client, query: &str) -> Vec<String> {
    let calls = client.extensions().get(&format!("/calls?{query}")).body(200);
    let id = |call: &Value| match &call["external_call_unique_id"] {
        Value::String(id) => id.clone(),
        _ => "live".to_owned(),
    };
    calls.as_array().expect("a list").iter().map(id).collect()
}

#[test]
fn calls_are_found_by_each_filter() {
    let (_server, network) = world();
    for (query, expected) in [
        ("", vec!["a", "b", "c", "d", "live"]),
        ("external_call_unique_id=b", vec!["b"]),
        ("external_call_unique_id=none", vec![]),
        ("calling_phone_number=212-555-0123", vec!["c"]),
        ("calling_phone_number=%2B12125550123", vec!["c"]),
        ("promo_number=8005550100", vec!["a"]),
        ("promo_number=8005550199", vec![]),
        ("advertiser=355", vec!["c"]),
        ("advertiser=none", vec![]),
        ("advertiser_campaign=12", vec!["a", "b", "d", "live"]),
        ("affiliate=976", vec!["a"]),
        ("affiliate=none", vec![]),
        ("outcome=connected", vec!["a", "c"]),
        ("outcome=ended", vec!["b"]),
        ("outcome=turned_away", vec!["d"]),
        ("reason=affiliate_not_approved", vec!["d"]),
        ("reason=over_cap", vec![]),
        ("live=true", vec!["live"]),
        ("live=false", vec!["a", "b", "c", "d"]),
        // Days of the network's zone, Pacific.
        ("day=2200-01-01", vec!["a", "b", "d"]),
        ("day=2200-01-02", vec!["c"]),
        ("from=2200-01-02", vec!["c"]),
        ("to=2200-01-01&live=false", vec!["a", "b", "d"]),
        ("from=2200-01-01&to=2200-01-02", vec!["a", "b", "c", "d"]),
        ("from=2200-01-02T07:59:59Z&to=2200-01-02T07:59:59Z", vec!["b"]),
        ("advertiser_campaign=12&outcome=ended&day=2200-01-01", vec!["b"]),
        ("advertiser=355&outcome=ended", vec![]),
        ("advertiser=354&limit=1", vec!["a"]),
    ] {
        assert_eq!(found(&network, query), expected, "{query}");
    }
}

#[test]
fn unknown_and_repeated_filters_are_rejected_at_their_name() {
    let (_server, network) = world();
    for (query, errors) in [
        ("colour=red", json!({"colour": ["is not a filter of calls"]})),
        ("live=true&live=true", json!({"live": ["is given twice"]})),
        ("live=maybe", json!({"live": ["is invalid"]})),
        ("outcome=lost", json!({"outcome": ["is invalid"]})),
        ("reason=none", json!({"reason": ["is invalid"]})),
        ("day=soon", json!({"day": ["is invalid"]})),
        ("day=2200-01-01&from=2200-01-01", json!({"from": ["must not be given with day"]})),
        ("from=2200-01-02&to=2200-01-01", json!({"to": ["must not be earlier than from"]})),
        ("calling_phone_number=x", json!({"calling_phone_number": ["is invalid"]})),
        ("promo_number=x", json!({"promo_number": ["is invalid"]})),
    ] {
        network.extensions().get(&format!("/calls?{query}")).assert_invalid(&errors);
    }
}

#[test]
fn parties_find_their_own_calls_only() {
    let (server, _network) = world();
    let advertiser = server.advertiser("354");
    assert_eq!(found(&advertiser, "live=false"), ["a", "b", "d"]);
    assert_eq!(found(&advertiser, "external_call_unique_id=c"), [""; 0]);
    assert_eq!(found(&advertiser, "calling_phone_number=8057089876"), ["a", "b", "d"]);
    let affiliate = server.affiliate("976");
    assert_eq!(found(&affiliate, ""), ["a"]);
    assert_eq!(found(&affiliate, "external_call_unique_id=a"), ["a"]);
    // An affiliate cannot find out who called.
    assert_eq!(found(&affiliate, "calling_phone_number=8057089876"), [""; 0]);
}
