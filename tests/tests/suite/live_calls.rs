//! Live calls: driven event by event and settled at their end.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, campaign_path, dial_action};
use trunkline_tests::{Client, Response, Server, assert_json_eq};

fn connect_to(number: &str) -> Value {
    json!({"node_type": "Connect", "destination_phone_number": number})
}

fn policies(amounts: &[(&str, f64, &str)]) -> Value {
    let policy = |(kind, amount, condition): &(&str, f64, &str)| json!({"type": kind, "amount": amount, "currency": "USD", "condition": condition});
    json!({"policies": amounts.iter().map(policy).collect::<Vec<_>>()})
}

fn tree() -> Value {
    json!({"root": {"node_type": "Menu", "prompt": "Choose.", "children": [
        connect_to("8005550101"),
        {"node_type": "SmsPromo", "prompt": "Press 9 for a text.", "sms_promo_copy": "Half price",
            "sms_promo_sender": "8005550100", "children": [connect_to("8005550102")]},
        {"node_type": "VerifyLocation", "prompt": "Your zip?", "children": [connect_to("8005550103")]},
        {"node_type": "EndCall", "prompt": "Bye."},
    ]}})
}

/// Creates a live campaign 12 of advertiser 354 with a menu, and an approved affiliate 976 with a promo
/// number of its own.
fn world_with(more: Value) -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let mut campaign = json!({
        "auto_approve": "All", "timezone": "UTC", "ivr_tree": tree(),
        "advertiser_payin": policies(&[("Base", 7.0, "duration > 60")]),
        "affiliate_payout": policies(&[("Base", 4.5, "connect_duration >= 30"),
            ("Bonus", 2.0, "pressed[1] and not repeat"), ("Bonus", 0.25, "sms_sent")]),
        "budget_activities": {"budget_cap_alert": ongoing(1_000_000)},
    });
    for (name, value) in more.as_object().expect("properties") {
        campaign[name] = value.clone();
    }
    network.has_live_campaign("354", "12", campaign);
    network.has_applied("354", "12", "976");
    server.add_numbers(&["8005550100"]);
    let numbers = format!("{}/promo_numbers", affiliate_campaign_path("354", "12", "976"));
    network.post(&numbers, json!({"description": "Ad", "media_type": "Radio"})).expect(201);
    (server, network)
}

fn world() -> (Server, Client) {
    world_with(json!({}))
}

fn ongoing(amount: u32) -> Value {
    json!({"reset_period": "Ongoing", "starts_at": "2020-01-01", "budget_currency": "USD",
        "time_zone": "UTC", "budget_amount": amount})
}

/// Total payin so far.
fn total_payin(network: &Client) -> Value {
    let campaign = network.get(&campaign_path("354", "12")).body(200);
    campaign["current_terms"]["budget_activities"]["budget_cap_alert"]["total_amount"].clone()
}

const START_TIME: &str = "2200-01-01T12:00:00Z";

fn time_after(second: u32) -> String {
    format!("2200-01-01T12:{:02}:{:02}Z", second / 60, second % 60)
}

fn merged(base: Value, more: Value) -> Value {
    let mut base = base;
    for (name, value) in more.as_object().expect("properties") {
        base[name] = value.clone();
    }
    base
}

fn post_call(client: &Client, more: Value) -> Response {
    let call = json!({"advertiser_campaign": "12", "affiliate": "976", "phone_type": "mobile",
        "calling_phone_number": "8057089876", "start_time": START_TIME});
    client.extensions().post("/calls", merged(call, more))
}

fn start_call(client: &Client, more: Value) -> i64 {
    post_call(client, more).body(201)["id"].as_i64().expect("an id")
}

fn send_event(client: &Client, id: i64, event: Value) -> Response {
    client.extensions().post(&format!("/calls/{id}/events"), event)
}

fn get_call(client: &Client, id: i64) -> Value {
    client.extensions().get(&format!("/calls/{id}")).body(200)
}

/// Sends events, each with its properties and its second. Returns the last response.
fn send_events(client: &Client, id: i64, events: &[(Value, u32)]) -> Value {
    let mut last = Value::Null;
    for (sequence, (event, second)) in (1..).zip(events) {
        let event = merged(event.clone(), json!({"at": time_after(*second), "sequence": sequence}));
        last = send_event(client, id, event).body(200);
    }
    last
}

fn keypress(key: &str) -> Value {
    json!({"event": "key", "key": key})
}

#[test]
fn call_runs_through_its_menu_and_is_settled_once() {
    let (server, network) = world();
    let first = post_call(&network, json!({})).body(201);
    let id = first["id"].as_i64().expect("an id");
    let menu = json!([{"say": "Choose."}, {"gather": {"keys": 1, "finish": null, "timeout": 10, "barge_in": true}}]);
    assert_json_eq(&first, &json!({"id": id, "outcome": null, "reason": null, "actions": menu}));
    let live = get_call(&network, id);
    assert_json_eq(&live["live"]["doing"], &json!("menu"));
    assert_json_eq(&live["transaction_id"], &Value::Null);
    let silent =
        send_event(&network, id, json!({"event": "silence", "at": time_after(10)})).body(200);
    assert_json_eq(&silent["actions"], &menu);
    let dial = json!([dial_action("8005550101", json!({"caller_id": "+18057089876"}))]);
    let event = merged(keypress("1"), json!({"at": time_after(12)}));
    assert_json_eq(&send_event(&network, id, event).body(200)["actions"], &dial);
    let event = json!({"event": "connected", "at": time_after(20)});
    assert_json_eq(&send_event(&network, id, event).body(200)["actions"], &json!([]));
    assert_json_eq(&total_payin(&network), &json!(0));
    let over = json!({"event": "hung_up", "by": "destination", "at": time_after(80)});
    let end = send_event(&network, id, over).body(200);
    assert_json_eq(&end, &json!({"id": id, "outcome": "connected", "reason": null, "actions": []}));
    assert_json_eq(&total_payin(&network), &json!(7));
    let current = get_call(&network, id);
    for (name, value) in [
        ("outcome", json!("connected")),
        ("duration", json!(80)),
        ("connect_duration", json!(60)),
        ("keypresses", json!(["1"])),
        ("advertiser_campaign", json!("12")),
        ("affiliate", json!("976")),
        ("calling_phone_number", json!("8057089876")),
        ("destination_phone_number", json!("8005550101")),
        ("ended_at", json!("2200-01-01 04:01:20 -0800")),
        ("live", Value::Null),
    ] {
        assert_json_eq(&current[name], &value);
    }
    let events = server.events();
    let kinds: Vec<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    let of_call = |kind: &&&str| kind.starts_with("call.") || kind.starts_with("transaction.");
    let kinds: Vec<&str> = kinds.iter().filter(of_call).copied().collect();
    assert_eq!(kinds, ["call.started", "transaction.created", "call.ended"]);
    let settled = events.iter().find(|(kind, _)| kind == "transaction.created");
    let payout = &settled.expect("a transaction").1["affiliate_payout"];
    let paid = json!({"amount": 6.5, "currency": "USD", "matching_policies": "base+bonus1"});
    assert_json_eq(payout, &paid);
}

/// A live call has the same result as the same call reported as a whole.
#[test]
fn every_end_has_its_outcome_and_amounts() {
    let (_server, network) = world();
    let connected = |second| (json!({"event": "connected"}), second);
    let hung_up = |second| (json!({"event": "hung_up", "by": "caller"}), second);
    let wrong = |second| (keypress("7"), second);
    let silence = |second| (json!({"event": "silence"}), second);
    // (events, outcome, payin, keys, last actions)
    let hangup = json!([{"hangup": {}}]);
    let bye = json!([{"say": "Bye."}, {"hangup": {}}]);
    let table = [
        (vec![hung_up(3)], "abandoned", 0, "", json!([])),
        (vec![(keypress("4"), 5)], "ended", 0, "4", bye),
        (vec![wrong(1), silence(11), wrong(12), silence(70)], "ended", 7, "77", hangup.clone()),
        (vec![(keypress("1"), 1), hung_up(70)], "abandoned", 7, "1", json!([])),
        (vec![(keypress("1"), 1), (json!({"event": "busy"}), 2)], "ended", 0, "1", hangup.clone()),
        (vec![(keypress("1"), 1), (json!({"event": "no_answer"}), 99)], "ended", 7, "1", hangup),
        (vec![(keypress("1"), 1), connected(2), hung_up(2)], "connected", 0, "1", json!([])),
        (vec![(keypress("2"), 1), hung_up(5)], "abandoned", 0, "2", json!([])),
        (
            vec![(keypress("2"), 1), (keypress("9"), 2), connected(5), hung_up(90)],
            "connected",
            7,
            "29",
            json!([]),
        ),
        (
            vec![(keypress("2"), 1), silence(9), connected(10), hung_up(70)],
            "connected",
            7,
            "2",
            json!([]),
        ),
        // The third child asks the caller to confirm California.
        (
            vec![(keypress("3"), 1), (keypress("1"), 3), connected(9), hung_up(80)],
            "connected",
            7,
            "3",
            json!([]),
        ),
    ];
    let mut sum = 0;
    for (number, (events, outcome, payin, keys, actions)) in table.into_iter().enumerate() {
        let caller = format!("805708{number:04}");
        let id = start_call(&network, json!({"calling_phone_number": caller}));
        let last = send_events(&network, id, &events);
        assert_eq!(last["outcome"], outcome, "{events:?}");
        assert_json_eq(&last["actions"], &actions);
        sum += payin;
        assert_json_eq(&total_payin(&network), &json!(sum));
        let current = get_call(&network, id);
        assert_eq!(current["outcome"], outcome);
        assert_eq!(current["sms_sent"], keys == "29");
        // The key that answers the offer is not recorded as a menu key.
        let pressed = keys.strip_suffix('9').unwrap_or(keys).chars();
        let pressed: Vec<String> = pressed.map(|key| key.to_string()).collect();
        assert_json_eq(&current["keypresses"], &json!(pressed));
        assert!(current["transaction_id"].is_string() && current["live"].is_null());
    }
}

#[test]
fn zip_code_is_requested_if_the_region_is_unknown() {
    let (_server, network) = world();
    let id = start_call(&network, json!({"calling_phone_number": null}));
    let prompted = send_event(&network, id, keypress("3")).body(200);
    let five = json!([{"say": "Your zip?"}, {"gather": {"keys": 5, "finish": null, "timeout": 10, "barge_in": true}}]);
    assert_json_eq(&prompted["actions"], &five);
    send_event(&network, id, json!({"event": "zip"}))
        .assert_invalid(&json!({"zip": ["can't be blank"]}));
    send_event(&network, id, json!({"event": "zip", "zip": "9410!"}))
        .assert_invalid(&json!({"zip": ["is invalid"]}));
    let dial = json!([dial_action("8005550103", json!({}))]);
    let resolved = send_event(&network, id, json!({"event": "zip", "zip": "94105"})).body(200);
    assert_json_eq(&resolved["actions"], &dial);
    assert_eq!(get_call(&network, id)["zip"], "94105");
}

#[test]
fn repeated_event_gets_the_same_response_and_others_are_rejected() {
    let (_server, network) = world();
    let id = start_call(&network, json!({}));
    let rejected = |event: Value, errors: Value| {
        let before = get_call(&network, id);
        send_event(&network, id, event).assert_invalid(&errors);
        assert_json_eq(&get_call(&network, id), &before);
    };
    let not_now = || json!({"event": ["cannot happen now"]});
    rejected(json!({}), json!({"event": ["can't be blank"]}));
    rejected(json!({"event": "dance"}), json!({"event": ["is not included in the list"]}));
    rejected(json!({"event": "key"}), json!({"key": ["can't be blank"]}));
    rejected(keypress("11"), json!({"key": ["is invalid"]}));
    rejected(
        json!({"event": "hung_up", "by": "x"}),
        json!({"by": ["is not included in the list"]}),
    );
    rejected(json!({"event": "connected"}), not_now());
    rejected(json!({"event": "zip", "zip": "94105"}), not_now());
    let nobody = json!({"event": ["cannot happen now: no destination has answered"]});
    rejected(json!({"event": "hung_up", "by": "destination"}), nobody);
    let early = json!({"at": ["must not be before the event before it"]});
    rejected(merged(keypress("1"), json!({"at": "2200-01-01T11:59:59Z"})), early.clone());
    let skipped = json!({"sequence": ["is out of order: the next one is 1"]});
    rejected(merged(keypress("1"), json!({"sequence": 2})), skipped);
    let all = json!({"event": "busy", "sequence": 9, "at": "2200-01-01T11:00:00Z"});
    rejected(
        all,
        json!({"event": ["cannot happen now"], "at": ["must not be before the event before it"],
        "sequence": ["is out of order: the next one is 1"]}),
    );
    rejected(
        json!({"event": "busy", "sequence": -1, "at": "soon"}),
        json!({"event": ["cannot happen now"], "at": ["is invalid"],
            "sequence": ["must be greater than or equal to 0"]}),
    );
    let first = merged(keypress("1"), json!({"sequence": 0, "at": time_after(5)}));
    let answered = send_event(&network, id, first.clone()).body(200);
    assert_json_eq(&send_event(&network, id, first.clone()).body(200), &answered);
    let other = json!({"sequence": ["was used for another event"]});
    rejected(merged(keypress("2"), json!({"sequence": 0, "at": time_after(5)})), other.clone());
    rejected(merged(first.clone(), json!({"at": time_after(6)})), other);
    rejected(json!({"event": "connected", "at": time_after(4)}), early);
    // An event without a sequence number is the next one.
    send_event(&network, id, json!({"event": "connected", "at": time_after(6)})).expect(200);
    let end = json!({"event": "hung_up", "at": time_after(99), "sequence": 2});
    let ended = send_event(&network, id, end.clone()).body(200);
    assert_eq!(ended["outcome"], "connected");
    // After the end repeated events get their response again, and new ones change nothing.
    assert_json_eq(&send_event(&network, id, end).body(200), &ended);
    assert_json_eq(&send_event(&network, id, first).body(200), &answered);
    let over = json!({"event": ["cannot happen: the call is over"]});
    rejected(json!({"event": "busy", "at": time_after(100)}), over.clone());
    rejected(json!({"event": "silence", "at": time_after(100), "sequence": 3}), over);
    let again = json!({"event": "hung_up", "at": time_after(100), "sequence": 3});
    assert_json_eq(&send_event(&network, id, again).body(200), &ended);
    assert_json_eq(&total_payin(&network), &json!(7));
    let nowhere = send_event(&network, id + 1, json!({"event": "silence"}));
    nowhere.assert_error(404, "RecordNotFound");
    network.extensions().post("/calls/x/events", json!({})).assert_error(404, "RecordNotFound");
}

#[test]
fn prompt_is_finished_once_without_effect() {
    let (_server, network) = world();
    let id = start_call(&network, json!({}));
    let finished = json!({"event": "prompt_finished"});
    let response = send_event(&network, id, finished.clone()).body(200);
    assert_json_eq(&response["actions"], &json!([]));
    send_event(&network, id, finished).assert_invalid(&json!({"event": ["cannot happen now"]}));
    assert_eq!(get_call(&network, id)["live"]["doing"], "menu");
}

#[test]
fn promo_number_determines_campaign_and_affiliate() {
    let (_server, network) = world();
    let call = json!({"promo_number": "800-555-0100", "start_time": START_TIME});
    let created = network.extensions().post("/calls", call).body(201);
    let current = get_call(&network, created["id"].as_i64().expect("an id"));
    assert_eq!(
        (&current["advertiser_campaign"], &current["affiliate"]),
        (&json!("12"), &json!("976"))
    );
    assert_eq!(current["promo_number"], "8005550100");
    let nobodys = json!({"promo_number": "8005550199"});
    network.extensions().post("/calls", nobodys).assert_error(404, "RecordNotFound");
    post_call(&network, json!({"advertiser_campaign": "99"})).assert_error(404, "RecordNotFound");
    post_call(&network, json!({"affiliate": "99"})).assert_error(404, "RecordNotFound");
    let blank = json!({"advertiser_campaign": ["can't be blank"]});
    network.extensions().post("/calls", json!({})).assert_invalid(&blank);
    post_call(
        &network,
        json!({"start_time": "soon", "phone_type": "fax", "custom_data": {"colour": "red"}}),
    )
    .assert_invalid(
        &json!({"start_time": ["is invalid"], "phone_type": ["is not included in the list"],
            "custom_data": {"colour": ["is not a custom data field of this network"]}}),
    );
}

#[test]
fn rejected_call_ends_immediately() {
    let (server, network) = world();
    network.has_campaign("354", "13", json!({}));
    let away =
        post_call(&network, json!({"advertiser_campaign": "13", "affiliate": null})).body(201);
    let hangup = json!([{"hangup": {}}]);
    let id = &away["id"];
    assert_json_eq(
        &away,
        &json!({"id": id, "outcome": "turned_away", "reason": "not_live", "actions": hangup}),
    );
    network.has_affiliate("977");
    let away = post_call(&network, json!({"affiliate": "977"})).body(201);
    assert_eq!(away["reason"], "affiliate_not_approved");
    let id = away["id"].as_i64().expect("an id");
    let current = get_call(&network, id);
    assert_json_eq(&current["duration"], &json!(0));
    assert_eq!(current["outcome"], "turned_away");
    assert!(current["transaction_id"].is_string());
    send_event(&network, id, json!({"event": "hung_up"})).expect(200);
    send_event(&network, id, json!({"event": "connected"})).expect(403);
    let ended = server.events().into_iter().filter(|(kind, _)| kind == "call.ended").count();
    assert_eq!(ended, 2);
}

#[test]
fn ivr_tree_may_end_a_call_without_events() {
    let goodbye = json!({"root": {"node_type": "EndCall", "prompt": "Closed."}});
    let (_server, network) = world_with(
        json!({"ivr_tree": goodbye, "affiliate_payout": policies(&[("Base", 1.0, "")])}),
    );
    let response = post_call(&network, json!({})).body(201);
    let actions = json!([{"say": "Closed."}, {"hangup": {}}]);
    assert_eq!(response["outcome"], "ended");
    assert_json_eq(&response["actions"], &actions);
    let current = get_call(&network, response["id"].as_i64().expect("an id"));
    assert_json_eq(&current["duration"], &json!(0));
}

#[test]
fn calls_are_scoped_to_the_viewer() {
    let (server, network) = world();
    network.has_live_campaign("355", "14", json!({"timezone": "UTC"}));
    let brought = start_call(&network, json!({}));
    let direct = start_call(&network, json!({"affiliate": null}));
    let over = start_call(&network, json!({}));
    send_events(&network, over, &[(json!({"event": "hung_up"}), 4)]);
    let others = start_call(&network, json!({"advertiser_campaign": "14", "affiliate": null}));
    let ids = |client: &Client, query: &str| -> Vec<i64> {
        let listed = client.extensions().get(&format!("/calls{query}")).body(200);
        let listed = listed.as_array().expect("a list").clone();
        for item in &listed {
            let id = item["id"].as_i64().expect("an id");
            assert_json_eq(item, &get_call(client, id));
        }
        listed.iter().filter_map(|item| item["id"].as_i64()).collect()
    };
    assert_eq!(ids(&network, ""), [brought, direct, over, others]);
    assert_eq!(ids(&network, "?live=true"), [brought, direct, others]);
    assert_eq!(ids(&network, "?live=false"), [over]);
    assert_eq!(ids(&network, "?advertiser_campaign=12&live=true"), [brought, direct]);
    assert!(ids(&network, "?advertiser_campaign=99").is_empty());
    assert_eq!(ids(&network, &format!("?limit=2&start_after_id={brought}")), [direct, over]);
    network.extensions().get("/calls?live=maybe").assert_invalid(&json!({"live": ["is invalid"]}));
    let page = network.extensions().get("/calls?limit=2");
    assert!(page.header("link").is_some_and(|link| link.contains("start_after_id")));
    let advertiser = server.advertiser("354");
    assert_eq!(ids(&advertiser, ""), [brought, direct, over]);
    assert_eq!(ids(&advertiser, "?live=true"), [brought, direct]);
    assert!(ids(&advertiser, "?advertiser_campaign=14").is_empty());
    advertiser.extensions().get(&format!("/calls/{others}")).assert_error(404, "RecordNotFound");
    send_event(&advertiser, others, json!({"event": "silence"}))
        .assert_error(404, "RecordNotFound");
    // The affiliate starts and drives its own call.
    let own_call = start_call(&advertiser, json!({}));
    send_event(&advertiser, own_call, json!({"event": "silence"})).expect(200);
    post_call(&advertiser, json!({"advertiser_campaign": "14"}))
        .assert_error(404, "RecordNotFound");
    // An affiliate reads its own calls without the caller's number.
    let affiliate = server.affiliate("976");
    assert_eq!(ids(&affiliate, ""), [brought, over, own_call]);
    assert_eq!(ids(&affiliate, "?advertiser_campaign=12&live=false"), [over]);
    let current = get_call(&affiliate, brought);
    assert!(current.get("calling_phone_number").is_none() && current.get("custom_data").is_none());
    affiliate.extensions().get(&format!("/calls/{direct}")).assert_error(404, "RecordNotFound");
    send_event(&affiliate, direct, json!({"event": "silence"})).assert_error(404, "RecordNotFound");
    send_event(&affiliate, brought, json!({"event": "silence"}))
        .assert_error(403, "UnauthorizedOperation");
    post_call(&affiliate, json!({})).assert_error(403, "UnauthorizedOperation");
    post_call(&server.observer(), json!({})).assert_error(403, "UnauthorizedOperation");
}

#[test]
fn terms_that_go_live_during_a_call_do_not_affect_it() {
    let (_server, network) = world();
    let id = start_call(&network, json!({}));
    let dearer = json!({"advertiser_payin": policies(&[("Base", 100.0, "")]),
        "affiliate_payout": policies(&[("Base", 1.0, "")]),
        "ivr_tree": {"root": connect_to("8005550109")}});
    network.put(&campaign_path("354", "12"), dearer).expect(200);
    network.go_live("354", "12");
    let events =
        [(keypress("1"), 1), (json!({"event": "connected"}), 2), (json!({"event": "hung_up"}), 99)];
    send_events(&network, id, &events);
    assert_json_eq(&total_payin(&network), &json!(7));
    assert_eq!(get_call(&network, id)["destination_phone_number"], "8005550101");
}

#[test]
fn repeated_start_with_the_same_key_is_the_same_call() {
    let (server, network) = world();
    let send = |client: &Client, key: &str, body: &Value| {
        client
            .extensions()
            .request("POST", "/calls")
            .header("Idempotency-Key", key)
            .json(body)
            .send()
    };
    let call = json!({"advertiser_campaign": "12"});
    let first = send(&network, "k1", &call).body(201);
    assert_json_eq(&send(&network, "k1", &call).body(201), &first);
    let other = json!({"advertiser_campaign": "12", "phone_type": "mobile"});
    send(&network, "k1", &other).assert_error(403, "UnauthorizedOperation");
    assert_ne!(send(&network, "k2", &call).body(201)["id"], first["id"]);
    // Keys are scoped to the credential.
    assert_ne!(send(&server.advertiser("354"), "k1", &call).body(201)["id"], first["id"]);
    let listed = network.extensions().get("/calls").body(200);
    assert_eq!(listed.as_array().map(Vec::len), Some(3));
    send(&network, &"k".repeat(300), &call).assert_error(400, "BadRequest");
}
