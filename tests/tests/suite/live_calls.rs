//! Live calls: driven event by event over the wire, and settled at their end.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, campaign_path};
use trunkline_tests::{Answer, Client, Server, assert_same};

fn connect(number: &str) -> Value {
    json!({"node_type": "Connect", "destination_phone_number": number})
}

fn policies(amounts: &[(&str, f64, &str)]) -> Value {
    let policy = |(kind, amount, condition): &(&str, f64, &str)| json!({"type": kind, "amount": amount, "currency": "USD", "condition": condition});
    json!({"policies": amounts.iter().map(policy).collect::<Vec<_>>()})
}

fn tree() -> Value {
    json!({"root": {"node_type": "Menu", "prompt": "Choose.", "children": [
        connect("8005550101"),
        {"node_type": "SmsPromo", "prompt": "Press 9 for a text.", "sms_promo_copy": "Half price",
            "sms_promo_sender": "8005550100", "children": [connect("8005550102")]},
        {"node_type": "VerifyLocation", "prompt": "Your zip?", "children": [connect("8005550103")]},
        {"node_type": "EndCall", "prompt": "Bye."},
    ]}})
}

/// A live campaign 12 of advertiser 354 with a menu, and an approved affiliate 976 with a promo
/// number of its own.
fn world_of(more: Value) -> (Server, Client) {
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
    server.stock(&["8005550100"]);
    let numbers = format!("{}/promo_numbers", affiliate_campaign_path("354", "12", "976"));
    network.post(&numbers, json!({"description": "Ad", "media_type": "Radio"})).expect(201);
    (server, network)
}

fn world() -> (Server, Client) {
    world_of(json!({}))
}

fn ongoing(amount: u32) -> Value {
    json!({"reset_period": "Ongoing", "starts_at": "2020-01-01", "budget_currency": "USD",
        "time_zone": "UTC", "budget_amount": amount})
}

/// What the advertiser was charged so far.
fn earned(network: &Client) -> Value {
    let campaign = network.get(&campaign_path("354", "12")).body(200);
    campaign["current_terms"]["budget_activities"]["budget_cap_alert"]["total_amount"].clone()
}

const START: &str = "2200-01-01T12:00:00Z";

fn at(second: u32) -> String {
    format!("2200-01-01T12:{:02}:{:02}Z", second / 60, second % 60)
}

fn with(base: Value, more: Value) -> Value {
    let mut base = base;
    for (name, value) in more.as_object().expect("properties") {
        base[name] = value.clone();
    }
    base
}

fn start(client: &Client, more: Value) -> Answer {
    let call = json!({"advertiser_campaign": "12", "affiliate": "976", "phone_type": "mobile",
        "calling_phone_number": "8057089876", "start_time": START});
    client.extensions().post("/calls", with(call, more))
}

fn begin(client: &Client, more: Value) -> i64 {
    start(client, more).body(201)["id"].as_i64().expect("an id")
}

fn tell(client: &Client, id: i64, event: Value) -> Answer {
    client.extensions().post(&format!("/calls/{id}/events"), event)
}

fn show(client: &Client, id: i64) -> Value {
    client.extensions().get(&format!("/calls/{id}")).body(200)
}

/// Drives a call by `(event and what belongs to it, second)`; returns the last answer.
fn drive(client: &Client, id: i64, events: &[(Value, u32)]) -> Value {
    let mut last = Value::Null;
    for (sequence, (event, second)) in (1..).zip(events) {
        let event = with(event.clone(), json!({"at": at(*second), "sequence": sequence}));
        last = tell(client, id, event).body(200);
    }
    last
}

fn key(key: &str) -> Value {
    json!({"event": "key", "key": key})
}

#[test]
fn a_call_goes_through_its_menu_and_is_settled_once() {
    let (server, network) = world();
    let first = start(&network, json!({})).body(201);
    let id = first["id"].as_i64().expect("an id");
    let menu = json!([{"say": "Choose."}, {"gather": {"keys": 1, "timeout": 10}}]);
    assert_same(&first, &json!({"id": id, "outcome": null, "reason": null, "actions": menu}));
    let live = show(&network, id);
    assert_same(&live["live"]["doing"], &json!("menu"));
    assert_same(&live["transaction_id"], &Value::Null);
    let silent = tell(&network, id, json!({"event": "silence", "at": at(10)})).body(200);
    assert_same(&silent["actions"], &menu);
    let dial = json!([{"dial": {"number": "8005550101", "country_code": "1"}}]);
    let event = with(key("1"), json!({"at": at(12)}));
    assert_same(&tell(&network, id, event).body(200)["actions"], &dial);
    let event = json!({"event": "connected", "at": at(20)});
    assert_same(&tell(&network, id, event).body(200)["actions"], &json!([]));
    assert_same(&earned(&network), &json!(0));
    let over = json!({"event": "hung_up", "by": "destination", "at": at(80)});
    let end = tell(&network, id, over).body(200);
    assert_same(&end, &json!({"id": id, "outcome": "connected", "reason": null, "actions": []}));
    assert_same(&earned(&network), &json!(7));
    let shown = show(&network, id);
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
        assert_same(&shown[name], &value);
    }
    let told = server.told();
    let kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    let of_call = |kind: &&&str| kind.starts_with("call.") || kind.starts_with("transaction.");
    let kinds: Vec<&str> = kinds.iter().filter(of_call).copied().collect();
    assert_eq!(kinds, ["call.started", "transaction.created", "call.ended"]);
    let settled = told.iter().find(|(kind, _)| kind == "transaction.created");
    let payout = &settled.expect("a transaction").1["affiliate_payout"];
    let paid = json!({"amount": 6.5, "currency": "USD", "matching_policies": "base+bonus1"});
    assert_same(payout, &paid);
}

/// However a call goes, it comes to what the same call comes to that is told whole.
#[test]
fn every_end_has_its_outcome_and_its_money() {
    let (_server, network) = world();
    let connected = |second| (json!({"event": "connected"}), second);
    let hung_up = |second| (json!({"event": "hung_up", "by": "caller"}), second);
    let wrong = |second| (key("7"), second);
    let silence = |second| (json!({"event": "silence"}), second);
    // (events, outcome, payin, keys, last actions)
    let hangup = json!([{"hangup": {}}]);
    let bye = json!([{"say": "Bye."}, {"hangup": {}}]);
    let table = [
        (vec![hung_up(3)], "abandoned", 0, "", json!([])),
        (vec![(key("4"), 5)], "ended", 0, "4", bye),
        (vec![wrong(1), silence(11), wrong(12), silence(70)], "ended", 7, "77", hangup.clone()),
        (vec![(key("1"), 1), hung_up(70)], "abandoned", 7, "1", json!([])),
        (vec![(key("1"), 1), (json!({"event": "busy"}), 2)], "ended", 0, "1", hangup.clone()),
        (vec![(key("1"), 1), (json!({"event": "no_answer"}), 99)], "ended", 7, "1", hangup),
        (vec![(key("1"), 1), connected(2), hung_up(2)], "connected", 0, "1", json!([])),
        (vec![(key("2"), 1), hung_up(5)], "abandoned", 0, "2", json!([])),
        (
            vec![(key("2"), 1), (key("9"), 2), connected(5), hung_up(90)],
            "connected",
            7,
            "29",
            json!([]),
        ),
        (
            vec![(key("2"), 1), silence(9), connected(10), hung_up(70)],
            "connected",
            7,
            "2",
            json!([]),
        ),
        (vec![(key("3"), 1), connected(9), hung_up(80)], "connected", 7, "3", json!([])),
    ];
    let mut sum = 0;
    for (number, (events, outcome, payin, keys, actions)) in table.into_iter().enumerate() {
        let caller = format!("805708{number:04}");
        let id = begin(&network, json!({"calling_phone_number": caller}));
        let last = drive(&network, id, &events);
        assert_eq!(last["outcome"], outcome, "{events:?}");
        assert_same(&last["actions"], &actions);
        sum += payin;
        assert_same(&earned(&network), &json!(sum));
        let shown = show(&network, id);
        assert_eq!(shown["outcome"], outcome);
        assert_eq!(shown["sms_sent"], keys == "29");
        // The answer to an offer is none of the menus' keys.
        let pressed = keys.strip_suffix('9').unwrap_or(keys).chars();
        let pressed: Vec<String> = pressed.map(|key| key.to_string()).collect();
        assert_same(&shown["keypresses"], &json!(pressed));
        assert!(shown["transaction_id"].is_string() && shown["live"].is_null());
    }
}

#[test]
fn a_zip_is_asked_for_where_the_place_is_not_known() {
    let (_server, network) = world();
    let id = begin(&network, json!({"calling_phone_number": null}));
    let asked = tell(&network, id, key("3")).body(200);
    let five = json!([{"say": "Your zip?"}, {"gather": {"keys": 5, "timeout": 10}}]);
    assert_same(&asked["actions"], &five);
    tell(&network, id, json!({"event": "zip"})).invalid(&json!({"zip": ["can't be blank"]}));
    tell(&network, id, json!({"event": "zip", "zip": "9410!"}))
        .invalid(&json!({"zip": ["is invalid"]}));
    let dial = json!([{"dial": {"number": "8005550103", "country_code": "1"}}]);
    let given = tell(&network, id, json!({"event": "zip", "zip": "94105"})).body(200);
    assert_same(&given["actions"], &dial);
    assert_eq!(show(&network, id)["zip"], "94105");
}

#[test]
fn the_same_event_again_gets_the_same_answer_and_no_other_moves_anything() {
    let (_server, network) = world();
    let id = begin(&network, json!({}));
    let refused = |event: Value, errors: Value| {
        let before = show(&network, id);
        tell(&network, id, event).invalid(&errors);
        assert_same(&show(&network, id), &before);
    };
    let not_now = || json!({"event": ["cannot happen now"]});
    refused(json!({}), json!({"event": ["can't be blank"]}));
    refused(json!({"event": "dance"}), json!({"event": ["is not included in the list"]}));
    refused(json!({"event": "key"}), json!({"key": ["can't be blank"]}));
    refused(key("11"), json!({"key": ["is invalid"]}));
    refused(json!({"event": "hung_up", "by": "x"}), json!({"by": ["is not included in the list"]}));
    refused(json!({"event": "connected"}), not_now());
    refused(json!({"event": "zip", "zip": "94105"}), not_now());
    let nobody = json!({"event": ["cannot happen now: no destination has answered"]});
    refused(json!({"event": "hung_up", "by": "destination"}), nobody);
    let early = json!({"at": ["must not be before the event before it"]});
    refused(with(key("1"), json!({"at": "2200-01-01T11:59:59Z"})), early.clone());
    let skipped = json!({"sequence": ["is out of order: the next one is 1"]});
    refused(with(key("1"), json!({"sequence": 2})), skipped);
    let all = json!({"event": "busy", "sequence": 9, "at": "2200-01-01T11:00:00Z"});
    refused(
        all,
        json!({"event": ["cannot happen now"], "at": ["must not be before the event before it"],
        "sequence": ["is out of order: the next one is 1"]}),
    );
    refused(
        json!({"event": "busy", "sequence": -1, "at": "soon"}),
        json!({"event": ["cannot happen now"], "at": ["is invalid"],
            "sequence": ["must be greater than or equal to 0"]}),
    );
    let first = with(key("1"), json!({"sequence": 0, "at": at(5)}));
    let answered = tell(&network, id, first.clone()).body(200);
    assert_same(&tell(&network, id, first.clone()).body(200), &answered);
    let other = json!({"sequence": ["was used for another event"]});
    refused(with(key("2"), json!({"sequence": 0, "at": at(5)})), other.clone());
    refused(with(first.clone(), json!({"at": at(6)})), other);
    refused(json!({"event": "connected", "at": at(4)}), early);
    // Without a number it is the next one.
    tell(&network, id, json!({"event": "connected", "at": at(6)})).expect(200);
    let end = json!({"event": "hung_up", "at": at(99), "sequence": 2});
    let ended = tell(&network, id, end.clone()).body(200);
    assert_eq!(ended["outcome"], "connected");
    // After the end: what was told is answered as it was, and nothing happens any more.
    assert_same(&tell(&network, id, end).body(200), &ended);
    assert_same(&tell(&network, id, first).body(200), &answered);
    let over = json!({"event": ["cannot happen: the call is over"]});
    refused(json!({"event": "hung_up", "at": at(100)}), over.clone());
    refused(json!({"event": "hung_up", "at": at(100), "sequence": 3}), over);
    assert_same(&earned(&network), &json!(7));
    let nowhere = tell(&network, id + 1, json!({"event": "silence"}));
    nowhere.refused(404, "RecordNotFound");
    network.extensions().post("/calls/x/events", json!({})).refused(404, "RecordNotFound");
}

#[test]
fn a_prompt_is_finished_once_and_moves_nothing() {
    let (_server, network) = world();
    let id = begin(&network, json!({}));
    let finished = json!({"event": "prompt_finished"});
    let answer = tell(&network, id, finished.clone()).body(200);
    assert_same(&answer["actions"], &json!([]));
    tell(&network, id, finished).invalid(&json!({"event": ["cannot happen now"]}));
    assert_eq!(show(&network, id)["live"]["doing"], "menu");
}

#[test]
fn a_promo_number_alone_finds_campaign_and_affiliate() {
    let (_server, network) = world();
    let call = json!({"promo_number": "800-555-0100", "start_time": START});
    let made = network.extensions().post("/calls", call).body(201);
    let shown = show(&network, made["id"].as_i64().expect("an id"));
    assert_eq!((&shown["advertiser_campaign"], &shown["affiliate"]), (&json!("12"), &json!("976")));
    assert_eq!(shown["promo_number"], "8005550100");
    let nobodys = json!({"promo_number": "8005550199"});
    network.extensions().post("/calls", nobodys).refused(404, "RecordNotFound");
    start(&network, json!({"advertiser_campaign": "99"})).refused(404, "RecordNotFound");
    start(&network, json!({"affiliate": "99"})).refused(404, "RecordNotFound");
    let blank = json!({"advertiser_campaign": ["can't be blank"]});
    network.extensions().post("/calls", json!({})).invalid(&blank);
    start(
        &network,
        json!({"start_time": "soon", "phone_type": "fax", "custom_data": {"colour": "red"}}),
    )
    .invalid(&json!({"start_time": ["is invalid"], "phone_type": ["is not included in the list"],
            "custom_data": {"colour": ["is not a custom data field of this network"]}}));
}

#[test]
fn who_is_turned_away_is_over_at_once() {
    let (server, network) = world();
    network.has_campaign("354", "13", json!({}));
    let away = start(&network, json!({"advertiser_campaign": "13", "affiliate": null})).body(201);
    let hangup = json!([{"hangup": {}}]);
    let id = &away["id"];
    assert_same(
        &away,
        &json!({"id": id, "outcome": "turned_away", "reason": "not_live", "actions": hangup}),
    );
    network.has_affiliate("977");
    let away = start(&network, json!({"affiliate": "977"})).body(201);
    assert_eq!(away["reason"], "affiliate_not_approved");
    let id = away["id"].as_i64().expect("an id");
    let shown = show(&network, id);
    assert_same(&shown["duration"], &json!(0));
    assert_eq!(shown["outcome"], "turned_away");
    assert!(shown["transaction_id"].is_string());
    tell(&network, id, json!({"event": "hung_up"})).expect(403);
    let ended = server.told().into_iter().filter(|(kind, _)| kind == "call.ended").count();
    assert_eq!(ended, 2);
}

#[test]
fn a_tree_may_end_a_call_before_anything_happens() {
    let goodbye = json!({"root": {"node_type": "EndCall", "prompt": "Closed."}});
    let (_server, network) =
        world_of(json!({"ivr_tree": goodbye, "affiliate_payout": policies(&[("Base", 1.0, "")])}));
    let answer = start(&network, json!({})).body(201);
    let actions = json!([{"say": "Closed."}, {"hangup": {}}]);
    assert_eq!(answer["outcome"], "ended");
    assert_same(&answer["actions"], &actions);
    let shown = show(&network, answer["id"].as_i64().expect("an id"));
    assert_same(&shown["duration"], &json!(0));
}

#[test]
fn calls_are_listed_to_whose_they_are() {
    let (server, network) = world();
    network.has_live_campaign("355", "14", json!({"timezone": "UTC"}));
    let brought = begin(&network, json!({}));
    let direct = begin(&network, json!({"affiliate": null}));
    let over = begin(&network, json!({}));
    drive(&network, over, &[(json!({"event": "hung_up"}), 4)]);
    let others = begin(&network, json!({"advertiser_campaign": "14", "affiliate": null}));
    let ids = |client: &Client, query: &str| -> Vec<i64> {
        let listed = client.extensions().get(&format!("/calls{query}")).body(200);
        let listed = listed.as_array().expect("a list").clone();
        for it in &listed {
            let id = it["id"].as_i64().expect("an id");
            assert_same(it, &show(client, id));
        }
        listed.iter().filter_map(|it| it["id"].as_i64()).collect()
    };
    assert_eq!(ids(&network, ""), [brought, direct, over, others]);
    assert_eq!(ids(&network, "?live=true"), [brought, direct, others]);
    assert_eq!(ids(&network, "?live=false"), [over]);
    assert_eq!(ids(&network, "?advertiser_campaign=12&live=true"), [brought, direct]);
    assert!(ids(&network, "?advertiser_campaign=99").is_empty());
    assert_eq!(ids(&network, &format!("?limit=2&start_after_id={brought}")), [direct, over]);
    network.extensions().get("/calls?live=maybe").invalid(&json!({"live": ["is invalid"]}));
    let page = network.extensions().get("/calls?limit=2");
    assert!(page.header("link").is_some_and(|link| link.contains("start_after_id")));
    let advertiser = server.advertiser("354");
    assert_eq!(ids(&advertiser, ""), [brought, direct, over]);
    assert_eq!(ids(&advertiser, "?live=true"), [brought, direct]);
    assert!(ids(&advertiser, "?advertiser_campaign=14").is_empty());
    advertiser.extensions().get(&format!("/calls/{others}")).refused(404, "RecordNotFound");
    tell(&advertiser, others, json!({"event": "silence"})).refused(404, "RecordNotFound");
    // It starts and drives its own.
    let own = begin(&advertiser, json!({}));
    tell(&advertiser, own, json!({"event": "silence"})).expect(200);
    start(&advertiser, json!({"advertiser_campaign": "14"})).refused(404, "RecordNotFound");
    // An affiliate reads what it brought, without the callers.
    let affiliate = server.affiliate("976");
    assert_eq!(ids(&affiliate, ""), [brought, over, own]);
    assert_eq!(ids(&affiliate, "?advertiser_campaign=12&live=false"), [over]);
    let shown = show(&affiliate, brought);
    assert!(shown.get("calling_phone_number").is_none() && shown.get("custom_data").is_none());
    affiliate.extensions().get(&format!("/calls/{direct}")).refused(404, "RecordNotFound");
    tell(&affiliate, direct, json!({"event": "silence"})).refused(404, "RecordNotFound");
    tell(&affiliate, brought, json!({"event": "silence"})).refused(403, "UnauthorizedOperation");
    start(&affiliate, json!({})).refused(403, "UnauthorizedOperation");
    start(&server.observer(), json!({})).refused(403, "UnauthorizedOperation");
}

#[test]
fn terms_that_go_live_during_a_call_do_not_change_it() {
    let (_server, network) = world();
    let id = begin(&network, json!({}));
    let dearer = json!({"advertiser_payin": policies(&[("Base", 100.0, "")]),
        "affiliate_payout": policies(&[("Base", 1.0, "")]),
        "ivr_tree": {"root": connect("8005550109")}});
    network.put(&campaign_path("354", "12"), dearer).expect(200);
    network.go_live("354", "12");
    let events =
        [(key("1"), 1), (json!({"event": "connected"}), 2), (json!({"event": "hung_up"}), 99)];
    drive(&network, id, &events);
    assert_same(&earned(&network), &json!(7));
    assert_eq!(show(&network, id)["destination_phone_number"], "8005550101");
}

#[test]
fn a_start_told_again_by_its_key_is_the_same_call() {
    let (server, network) = world();
    let ask = |client: &Client, key: &str, body: &Value| {
        client
            .extensions()
            .request("POST", "/calls")
            .header("Idempotency-Key", key)
            .json(body)
            .send()
    };
    let call = json!({"advertiser_campaign": "12"});
    let first = ask(&network, "k1", &call).body(201);
    assert_same(&ask(&network, "k1", &call).body(201), &first);
    let other = json!({"advertiser_campaign": "12", "phone_type": "mobile"});
    ask(&network, "k1", &other).refused(403, "UnauthorizedOperation");
    assert_ne!(ask(&network, "k2", &call).body(201)["id"], first["id"]);
    // A key is its credential's own.
    assert_ne!(ask(&server.advertiser("354"), "k1", &call).body(201)["id"], first["id"]);
    let listed = network.extensions().get("/calls").body(200);
    assert_eq!(listed.as_array().map(Vec::len), Some(3));
    ask(&network, &"k".repeat(300), &call).refused(400, "BadRequest");
}
