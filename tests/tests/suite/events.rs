//! What happens in a network, as it is told: at once, in order, without a gap, to each what is theirs.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use trunkline_tests::body::{affiliate_campaign_path, campaign_path, relationship_path};
use trunkline_tests::{Client, Server, assert_same};

/// A live campaign 12 of advertiser 354 with a cap of 4 calls, and an approved affiliate 976.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let cap = json!({"budget_amount": 4, "budget_currency": "USD", "reset_period": "Ongoing",
        "starts_at": "2014-04-17T00:00:00Z", "time_zone": "UTC"});
    let more = json!({"auto_approve": "All", "timezone": "UTC",
        "budget_activities": {"periodic_call_cap_alert": cap}});
    network.has_live_campaign("354", "12", more);
    network.has_applied("354", "12", "976");
    (server, network)
}

fn call(network: &Client, id: &str) {
    let call = json!({"call": {
        "external_call_unique_id": id,
        "start_time": "2200-01-01 12:00:00 +0000",
        "advertiser_campaign_id_from_network": "12",
        "affiliate_id_from_network": "976",
        "calling_phone_number": "8057089876",
        "duration_in_seconds": 90,
        "connect_duration_in_seconds": 60,
    }});
    network.post("/calls", call).expect(201);
}

#[test]
fn what_happens_is_told_at_once() {
    let (_server, network) = world();
    let mut stream = network.listen("", &[]);
    call(&network, "1");
    let told = stream.hears();
    assert_eq!(told.kind, "transaction.created");
    assert_eq!(told.body["type"], "transaction.created");
    assert!(told.body["timestamp"].as_str().is_some_and(|it| it.ends_with('Z')), "{told:?}");
    let data = &told.body["data"];
    assert_eq!((&data["advertiser_campaign"], &data["affiliate"]), (&json!("12"), &json!("976")));
    assert_same(&data["advertiser_payin"]["amount"], &json!(7));
    assert_same(&data["affiliate_payout"]["amount"], &json!(4.5));
    network.post(&format!("{}/archive", campaign_path("354", "12")), json!({})).expect(200);
    let told = stream.hears();
    assert_eq!(told.kind, "campaign.status_changed");
    let expected = json!({"advertiser_campaign": "12", "from": "Activated", "to": "Archived"});
    assert_same(&told.body["data"], &expected);
}

#[test]
fn every_status_of_an_affiliate_campaign_is_told_cascades_too() {
    let (_server, network) = world();
    let mut stream = network.listen("?types=affiliate_campaign.status_changed", &[]);
    let mut told = || {
        let told = stream.hears();
        assert_eq!(told.kind, "affiliate_campaign.status_changed");
        let data = told.body["data"].clone();
        assert_eq!(data["advertiser_campaign"], "12");
        format!("{}: {} to {}", data["affiliate"], data["from"], data["to"])
    };
    network.has_applied("354", "12", "977");
    assert_eq!(told(), r#""977": null to "Approved""#);
    let place = affiliate_campaign_path("354", "12", "977");
    network.put(&place, json!({"status": "Suspended"})).expect(200);
    assert_eq!(told(), r#""977": "Approved" to "Suspended""#);
    // The same again changes nothing, and a call is of another type.
    network.put(&place, json!({"status": "Suspended"})).expect(200);
    call(&network, "1");
    network.put(&relationship_path("354", "976"), json!({"status": "Declined"})).expect(200);
    assert_eq!(told(), r#""976": "Approved" to "Suspended""#);
}

#[test]
fn a_stream_goes_on_where_it_was_cut_off_without_a_gap() {
    let (server, network) = world();
    let calls = 120;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let network = server.network();
            std::thread::spawn(move || {
                for at in 0..calls / 4 {
                    call(&network, &format!("{writer}-{at}"));
                }
            })
        })
        .collect();
    // While they write, it is cut off after every few events, and comes back by header or query.
    let (mut last, mut heard, mut ids) = ("0".to_owned(), BTreeSet::new(), Vec::new());
    let mut turn = 0;
    while heard.len() < calls {
        let query = format!("?types=transaction.created&last_event_id={last}");
        let mut stream = if turn % 2 == 0 {
            network.listen("?types=transaction.created", &[("Last-Event-ID", &last)])
        } else {
            network.listen(&query, &[])
        };
        turn += 1;
        for _ in 0..7.min(calls - heard.len()) {
            let told = stream.hears();
            let id = told.body["data"]["transaction_id"].as_str().expect("an id").to_owned();
            assert!(heard.insert(id), "told twice: {told:?}");
            ids.push(told.id.parse::<i64>().expect("a number"));
            last = told.id;
        }
    }
    assert!(ids.is_sorted(), "{ids:?}");
    for writer in writers {
        writer.join().expect("every call was taken");
    }
    // What is yet to happen cannot be skipped: a stream that names a later event hears the next.
    let mut stream = network.listen("?last_event_id=999999999", &[]);
    call(&network, "last");
    assert_eq!(stream.hears().kind, "transaction.created");
}

/// Everything that a client hears from the start, up to a suspension.
fn hear_all(client: &Client) -> Vec<(String, Value)> {
    let mut stream = client.listen("?last_event_id=0", &[]);
    let mut heard: Vec<(String, Value)> = Vec::new();
    while heard.last().is_none_or(|(_, data)| data["to"] != "Suspended") {
        let told = stream.hears();
        heard.push((told.kind, told.body["data"].clone()));
    }
    heard
}

#[test]
fn each_hears_what_is_theirs() {
    let (server, network) = world();
    network.has_live_campaign("355", "13", json!({"auto_approve": "All"}));
    network.has_applied("355", "13", "978");
    for at in 0..4 {
        call(&network, &at.to_string());
    }
    let place = affiliate_campaign_path("354", "12", "976");
    network.put(&place, json!({"status": "Suspended"})).expect(200);
    let kinds = |heard: &[(String, Value)]| -> Vec<String> {
        heard.iter().map(|(kind, _)| kind.clone()).collect()
    };
    let whole = hear_all(&network);
    let alerts = whole.iter().filter(|(kind, _)| kind == "budget.alert");
    assert_eq!(alerts.count(), 3, "75, 90 and 100 %");
    let advertiser = server.advertiser("354");
    let heard = hear_all(&advertiser);
    // All but what is of advertiser 355.
    assert_eq!(heard.len(), whole.len() - 2, "{:?} of {:?}", kinds(&heard), kinds(&whole));
    for (kind, data) in &heard {
        let payin = data.get("advertiser_payin").is_some();
        assert_eq!(payin, kind == "transaction.created", "{data}");
        assert!(data.get("affiliate_payout").is_none() && data.get("margin").is_none(), "{data}");
    }
    let affiliate = server.affiliate("976");
    let heard = hear_all(&affiliate);
    let mut expected = vec!["affiliate_campaign.status_changed"];
    expected.extend(["transaction.created"; 4]);
    expected.push("affiliate_campaign.status_changed");
    assert_eq!(kinds(&heard), expected);
    for (kind, data) in &heard {
        let payout = data.get("affiliate_payout").is_some();
        assert_eq!(payout, kind == "transaction.created", "{data}");
        let hidden = ["advertiser_payin", "margin", "calling_phone_number"];
        assert!(hidden.iter().all(|name| data.get(name).is_none()), "{data}");
    }
    // By the query alone, as a browser's EventSource has it.
    let by_query = format!("?last_event_id=0&oauth_token={}", affiliate.token());
    let mut stream = affiliate.with_token(None).listen(&by_query, &[]);
    assert_eq!(stream.hears().kind, "affiliate_campaign.status_changed");
}

#[test]
fn streams_are_bounded_and_end_with_the_server() {
    let (mut server, network) = world();
    let mut streams: Vec<_> = (0..20).map(|_| network.listen("", &[])).collect();
    let refused = network.extensions().get("/events");
    refused.refused(429, "TooManyRequests");
    assert_eq!(refused.header("retry-after"), Some("15"));
    server.observer().listen("", &[]);
    let wrong = network.extensions().get("/events?types=call.made&last_event_id=x");
    let list = ["is not included in the list"];
    wrong.invalid(&json!({"types": list, "last_event_id": ["is not a number"]}));
    // A server that is asked to stop does not wait for those who listen.
    assert!(server.stop());
    for stream in &mut streams {
        assert_eq!(stream.next_event(), None);
    }
}

#[test]
fn another_process_is_heard_too() {
    let (server, network) = world();
    let mut stream = network.listen("", &[]);
    let other = server.beside_with(&[]);
    call(&other.network(), "1");
    assert_eq!(stream.hears().kind, "transaction.created");
}
