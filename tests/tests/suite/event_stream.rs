//! The event stream: immediate, ordered, without gaps, and scoped to the viewer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use trunkline_tests::body::{affiliate_campaign_path, campaign_path, relationship_path};
use trunkline_tests::{Client, Server, assert_json_eq, body};

/// Creates a live campaign 12 of advertiser 354 with a cap of 4 calls, and an approved affiliate 976.
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

fn report_call(network: &Client, id: &str) {
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
fn events_are_streamed_immediately() {
    let (_server, network) = world();
    let mut stream = network.open_event_stream("", &[]);
    report_call(&network, "1");
    let event = stream.expect_event();
    assert_eq!(event.kind, "transaction.created");
    assert_eq!(event.body["type"], "transaction.created");
    assert!(event.body["timestamp"].as_str().is_some_and(|item| item.ends_with('Z')), "{event:?}");
    let data = &event.body["data"];
    assert_eq!((&data["advertiser_campaign"], &data["affiliate"]), (&json!("12"), &json!("976")));
    assert_json_eq(&data["advertiser_payin"]["amount"], &json!(7));
    assert_json_eq(&data["affiliate_payout"]["amount"], &json!(4.5));
    network.post(&format!("{}/archive", campaign_path("354", "12")), json!({})).expect(200);
    let event = stream.expect_event();
    assert_eq!(event.kind, "campaign.status_changed");
    let expected = json!({"advertiser_campaign": "12", "from": "Activated", "to": "Archived"});
    assert_json_eq(&event.body["data"], &expected);
}

#[test]
fn status_changes_and_cascades_emit_events() {
    let (_server, network) = world();
    let mut stream = network.open_event_stream("?types=affiliate_campaign.status_changed", &[]);
    let mut next_status = || {
        let event = stream.expect_event();
        assert_eq!(event.kind, "affiliate_campaign.status_changed");
        let data = event.body["data"].clone();
        assert_eq!(data["advertiser_campaign"], "12");
        format!("{}: {} to {}", data["affiliate"], data["from"], data["to"])
    };
    network.has_applied("354", "12", "977");
    assert_eq!(next_status(), r#""977": null to "Approved""#);
    let path = affiliate_campaign_path("354", "12", "977");
    network.put(&path, json!({"status": "Suspended"})).expect(200);
    assert_eq!(next_status(), r#""977": "Approved" to "Suspended""#);
    // Repeating a status emits nothing. The stream filters calls out by type.
    network.put(&path, json!({"status": "Suspended"})).expect(200);
    report_call(&network, "1");
    network.put(&relationship_path("354", "976"), json!({"status": "Declined"})).expect(200);
    assert_eq!(next_status(), r#""976": "Approved" to "Suspended""#);
}

#[test]
fn interrupted_stream_resumes_without_gaps() {
    let (server, network) = world();
    let calls = 120;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let network = server.network();
            std::thread::spawn(move || {
                for at in 0..calls / 4 {
                    report_call(&network, &format!("{writer}-{at}"));
                }
            })
        })
        .collect();
    // The stream is closed after every few events during the writes, and resumed by header or query.
    let mut last = "0".to_owned();
    let mut received = BTreeSet::new();
    let mut ids = Vec::new();
    let mut attempt = 0;
    while received.len() < calls {
        let query = format!("?types=transaction.created&last_event_id={last}");
        let mut stream = if attempt % 2 == 0 {
            network.open_event_stream("?types=transaction.created", &[("Last-Event-ID", &last)])
        } else {
            network.open_event_stream(&query, &[])
        };
        attempt += 1;
        for _ in 0..7.min(calls - received.len()) {
            let event = stream.expect_event();
            let id = event.body["data"]["transaction_id"].as_str().expect("an id").to_owned();
            assert!(received.insert(id), "streamed twice: {event:?}");
            ids.push(event.id.parse::<i64>().expect("a number"));
            last = event.id;
        }
    }
    assert!(ids.is_sorted(), "{ids:?}");
    for writer in writers {
        writer.join().expect("every call was accepted");
    }
    // Future events cannot be skipped: a stream that resumes after a future event gets the next one.
    let mut stream = network.open_event_stream("?last_event_id=999999999", &[]);
    report_call(&network, "last");
    assert_eq!(stream.expect_event().kind, "transaction.created");
}

/// Events from the start of the stream up to a suspension.
fn read_until_suspension(client: &Client) -> Vec<(String, Value)> {
    let mut stream = client.open_event_stream("?last_event_id=0", &[]);
    let mut received: Vec<(String, Value)> = Vec::new();
    while received.last().is_none_or(|(_, data)| data["to"] != "Suspended") {
        let event = stream.expect_event();
        received.push((event.kind, event.body["data"].clone()));
    }
    received
}

#[test]
fn events_are_scoped_to_the_viewer() {
    let (server, network) = world();
    network.has_live_campaign("355", "13", json!({"auto_approve": "All"}));
    network.has_applied("355", "13", "978");
    for at in 0..4 {
        report_call(&network, &at.to_string());
    }
    let path = affiliate_campaign_path("354", "12", "976");
    network.put(&path, json!({"status": "Suspended"})).expect(200);
    let kinds = |received: &[(String, Value)]| -> Vec<String> {
        received.iter().map(|(kind, _)| kind.clone()).collect()
    };
    let whole = read_until_suspension(&network);
    let alerts = whole.iter().filter(|(kind, _)| kind == "budget.alert");
    assert_eq!(alerts.count(), 3, "75, 90 and 100 %");
    let advertiser = server.advertiser("354");
    let received = read_until_suspension(&advertiser);
    // All events except those of advertiser 355.
    assert_eq!(received.len(), whole.len() - 2, "{:?} of {:?}", kinds(&received), kinds(&whole));
    for (kind, data) in &received {
        let payin = data.get("advertiser_payin").is_some();
        assert_eq!(payin, kind == "transaction.created", "{data}");
        assert!(data.get("affiliate_payout").is_none() && data.get("margin").is_none(), "{data}");
    }
    let affiliate = server.affiliate("976");
    let received = read_until_suspension(&affiliate);
    let mut expected = vec!["affiliate_campaign.status_changed"];
    expected.extend(["transaction.created"; 4]);
    expected.push("affiliate_campaign.status_changed");
    assert_eq!(kinds(&received), expected);
    for (kind, data) in &received {
        let payout = data.get("affiliate_payout").is_some();
        assert_eq!(payout, kind == "transaction.created", "{data}");
        let hidden = ["advertiser_payin", "margin", "calling_phone_number"];
        assert!(hidden.iter().all(|name| data.get(name).is_none()), "{data}");
    }
    // A browser's EventSource can only set the query.
    let by_query = format!("?last_event_id=0&oauth_token={}", affiliate.token());
    let mut stream = affiliate.with_token(None).open_event_stream(&by_query, &[]);
    assert_eq!(stream.expect_event().kind, "affiliate_campaign.status_changed");
}

/// An affiliate hears of the status of campaigns that it runs, and of no others.
#[test]
fn affiliates_hear_of_campaigns_that_they_run() {
    let (server, network) = world();
    network.has_live_campaign("355", "13", json!({}));
    let affiliate = server.affiliate("976");
    let mut stream = affiliate.open_event_stream("", &[]);
    network.post("/advertisers/355/advertiser_campaigns/13/archive", json!({})).expect(200);
    network.post("/advertisers/354/advertiser_campaigns/12/archive", json!({})).expect(200);
    let event = stream.expect_event();
    assert_eq!(event.kind, "campaign.status_changed");
    let expected = json!({"advertiser_campaign": "12", "from": "Activated", "to": "Archived"});
    assert_json_eq(&event.body["data"], &expected);
}

#[test]
fn stream_count_is_limited_and_streams_end_at_shutdown() {
    let (mut server, network) = world();
    let mut streams: Vec<_> = (0..20).map(|_| network.open_event_stream("", &[])).collect();
    let rejected = network.extensions().get("/events");
    rejected.assert_error(429, "TooManyRequests");
    assert_eq!(rejected.header("retry-after"), Some("15"));
    server.observer().open_event_stream("", &[]);
    let wrong = network.extensions().get("/events?types=call.made&last_event_id=x");
    let list = ["is not included in the list"];
    wrong.assert_invalid(&json!({"types": list, "last_event_id": ["is not a number"]}));
    // Shutdown does not wait for open streams.
    assert!(server.stop());
    for stream in &mut streams {
        assert_eq!(stream.next_event(), None);
    }
}

#[test]
fn events_of_another_process_are_streamed() {
    let (server, network) = world();
    let mut stream = network.open_event_stream("", &[]);
    let other = Server::builder().same_database(&server).start();
    report_call(&other.network(), "1");
    assert_eq!(stream.expect_event().kind, "transaction.created");
}

/// Each poll of a stream checks the credential in the snapshot that has the events.
#[test]
fn stream_gets_no_event_after_its_credential_ended() {
    let (server, network) = world();
    network.put("/network", json!({"users": [body::user("7"), body::user("8")]})).expect(200);
    let basic = |address: &str| {
        server.set_password(address, "correct horse");
        let encoded = STANDARD.encode(format!("{address}:correct horse"));
        server.anon().with_token(Some(&format!("Basic {encoded}")))
    };
    // A session that its user ends, a password that changes, and users who are removed.
    let by_password = basic("user7@example.com");
    let of_removed_user = basic("user8@example.com");
    let cookie = server.sign_in("user7@example.com");
    let with_cookie = [("Cookie", cookie.as_str())];
    let mut session = server.anon().open_event_stream("", &with_cookie);
    let mut streams = [&by_password, &of_removed_user].map(|user| user.open_event_stream("", &[]));
    report_call(&network, "1");
    for stream in streams.iter_mut().chain([&mut session]) {
        assert_eq!(stream.expect_event().kind, "transaction.created");
    }
    let sign_out = server.anon().absolute_paths().request("POST", "/logout");
    sign_out.header("Cookie", &cookie).send().expect(303);
    network.put("/network", json!({"users": [body::user("7")]})).expect(200);
    server.set_password("user7@example.com", "another horse");
    report_call(&network, "2");
    assert_eq!(session.next_event(), None);
    for stream in &mut streams {
        assert_eq!(stream.next_event(), None);
    }
}
