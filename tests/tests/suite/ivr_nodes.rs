//! The newer IVR nodes, from the tree to the bill: dry runs, live calls, bad input.

use serde_json::{Value, json};
use trunkline_tests::body::{campaign_path, dial_action, merged};
use trunkline_tests::{Client, Server, assert_json_eq};

const START_TIME: &str = "2200-01-01T12:00:00Z";
const CALLER: &str = "8057089876";

fn connect_to(number: &str) -> Value {
    json!({"node_type": "Connect", "destination_phone_number": number})
}

fn group(numbers: &[&str], more: Value) -> Value {
    let destination = |number: &&str| json!({"ring_group_number": number});
    let destinations: Vec<Value> = numbers.iter().map(destination).collect();
    let group = json!({"node_type": "RingGroup", "ring_group_connect_timeout": 20,
        "ring_group_destinations": destinations});
    merged(group, more)
}

fn policies(condition: &str) -> Value {
    let policy = json!({"type": "Base", "amount": 7, "currency": "USD", "condition": condition});
    json!({"policies": [policy]})
}

/// A tree with one node of each of the newer types.
fn tree() -> Value {
    let failover = json!({"node_type": "Failover", "destination_phone_number": "8005550102"});
    let sales = merged(
        connect_to("8005550101"),
        json!({"destination_extension": "42#", "connect_timeout": 15, "children": [failover]}),
    );
    let question = json!({"node_type": "NumberQuestion", "prompt": "Your store?",
    "number_question_type": "Digits", "caller_response_custom_data_partner_name": "channel",
    "confirm_response_enabled": true, "custom_error_prompt_text": "Digits, please.",
    "children": [
        {"node_type": "DynamicRoute", "dynamic_route_destination": "channel",
            "children": [group(&["8005550103", "8005550104", "8005550105"],
                json!({"max_simultaneous_calls": 2, "call_acceptance": true}))]},
        {"node_type": "EndCall", "prompt": "No store.", "keypress_failover_type": "None"},
    ]});
    json!({"whisper_prompt_text": "A ticket caller.", "root":
    {"node_type": "AnyKeyPress", "prompt": "Are you a person?", "children": [
        {"node_type": "YesOrNo", "prompt": "Do you know us?", "children": [sales, question]},
        {"node_type": "EndCall", "prompt": "Good bye."},
    ]}})
}

fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let campaign = json!({
        "campaign_type": "AffiliateEnabled", "ivr_tree": tree(),
        "advertiser_payin": policies("connect_duration > 30 and pressed[1] or pressed[2]"),
        "affiliate_payout": policies("connect_duration > 30"),
    });
    network.has_live_campaign("354", "12", campaign);
    (server, network)
}

fn dry_run(client: &Client, call: Value) -> Value {
    let body = json!({"advertiser_campaign": "12", "affiliate": null, "call": call});
    client.extensions().post("/dry_run", body).body(200)
}

/// Returns the path of a dry run as node types, with the key, digits and dials of each.
fn path(run: &Value) -> Vec<String> {
    let step = |step: &Value| {
        let mut text = step["node_type"].as_str().unwrap_or_default().to_owned();
        for name in ["key", "digits"] {
            if let Some(input) = step[name].as_str() {
                text = format!("{text} {input}");
            }
        }
        for dial in step["dials"].as_array().into_iter().flatten() {
            let number = dial["destination_phone_number"].as_str().unwrap_or_default();
            text = format!("{text} {number}:{}", dial["result"].as_str().unwrap_or("-"));
        }
        text
    };
    run["path"].as_array().expect("a path").iter().map(step).collect()
}

/// Calls with their keys, digits and dials, and the last node, outcome, end and destination of each.
type Case = (Value, &'static [&'static str], &'static str, Value, Value);

fn cases() -> Vec<Case> {
    let call = |keys: Value, digits: Value, dials: Value| json!({"keypresses": keys, "digits": digits, "dials": dials, "connect_duration": 60, "duration": 90});
    let connected = |number: &str| (Value::Null, json!(number));
    let case = |call, steps: &'static [&'static str], (end, destination): (Value, Value)| {
        let outcome = if destination.is_null() { "ended" } else { "connected" };
        (call, steps, outcome, end, destination)
    };
    let none = json!([]);
    vec![
        case(
            call(json!(["5", "1"]), none.clone(), none.clone()),
            &["AnyKeyPress", "YesOrNo 1", "Connect 8005550101:connected"],
            connected("8005550101"),
        ),
        case(
            call(json!(["5", "1"]), none.clone(), json!(["busy", "connected"])),
            &[
                "AnyKeyPress",
                "YesOrNo 1",
                "Connect 8005550101:busy",
                "Failover 8005550102:connected",
            ],
            connected("8005550102"),
        ),
        case(
            call(json!(["5", "1"]), none.clone(), json!(["no_answer", "failed"])),
            &[
                "AnyKeyPress",
                "YesOrNo 1",
                "Connect 8005550101:no_answer",
                "Failover 8005550102:failed",
            ],
            (json!("failed"), Value::Null),
        ),
        case(
            call(json!(["5", "9", "2"]), json!(["8005550199"]), none.clone()),
            &[
                "AnyKeyPress",
                "YesOrNo 2",
                "NumberQuestion 8005550199",
                "DynamicRoute 8005550199:connected",
            ],
            connected("8005550199"),
        ),
        case(
            call(json!(["5", "2"]), json!(["77"]), json!(["busy", "connected"])),
            &[
                "AnyKeyPress",
                "YesOrNo 2",
                "NumberQuestion 77",
                "DynamicRoute",
                "RingGroup 8005550103:busy 8005550104:busy 8005550105:connected",
            ],
            connected("8005550105"),
        ),
        case(
            call(json!(["5", "9", "0", "7"]), none.clone(), none.clone()),
            &["AnyKeyPress", "YesOrNo W"],
            (json!("ivr_hung_up"), Value::Null),
        ),
        case(
            call(none.clone(), none.clone(), none),
            &["AnyKeyPress", "EndCall"],
            (json!("ivr_hung_up"), Value::Null),
        ),
    ]
}

#[test]
fn dry_runs_follow_keys_digits_and_dials() {
    let (_server, network) = world();
    for (call, steps, outcome, end, destination) in cases() {
        let run = dry_run(&network, call.clone());
        assert_eq!(path(&run), steps, "{call}");
        assert_eq!(run["outcome"], outcome, "{call}");
        assert_json_eq(&run["end"], &end);
        assert_json_eq(&run["destination_phone_number"], &destination);
    }
}

#[test]
fn invalid_dials_and_digits_are_rejected_at_their_place() {
    let (_server, network) = world();
    let call = json!({"dials": ["connected", "rings"], "digits": ["1", "x", "1".repeat(34)]});
    let body = json!({"advertiser_campaign": "12", "call": call});
    network.extensions().post("/dry_run", body).assert_invalid(&json!({"call": {
        "dials": [{}, ["is not included in the list"]],
        "digits": [{}, ["is invalid"], ["is invalid"]],
    }}));
}

fn send(client: &Client, id: &Value, event: Value) -> Value {
    client.extensions().post(&format!("/calls/{id}/events"), event).body(200)
}

fn start(client: &Client) -> Value {
    let call = json!({"advertiser_campaign": "12", "calling_phone_number": CALLER,
        "start_time": START_TIME});
    client.extensions().post("/calls", call).body(201)["id"].clone()
}

#[test]
fn live_call_fails_over_and_is_paid_for_the_leg_that_answered() {
    let (_server, network) = world();
    let id = start(&network);
    let at = |second: u32| format!("2200-01-01T12:{:02}:{:02}Z", second / 60, second % 60);
    send(&network, &id, json!({"event": "key", "key": "#", "at": at(5)}));
    let dialled = send(&network, &id, json!({"event": "key", "key": "1", "at": at(10)}));
    let caller_id = format!("+1{CALLER}");
    let whisper = "A ticket caller.";
    let expected = dial_action(
        "8005550101",
        json!({"extension": "42#", "timeout": 15, "caller_id": caller_id, "whisper": whisper}),
    );
    assert_json_eq(&dialled["actions"], &json!([expected]));
    let dialled = send(&network, &id, json!({"event": "busy", "at": at(20)}));
    let failover = dial_action("8005550102", json!({"caller_id": caller_id, "whisper": whisper}));
    assert_json_eq(&dialled["actions"], &json!([failover]));
    send(&network, &id, json!({"event": "connected", "at": at(30)}));
    send(&network, &id, json!({"event": "hung_up", "at": at(90)}));
    let call = network.extensions().get(&format!("/calls/{id}")).body(200);
    assert_eq!(call["outcome"], "connected");
    assert_eq!(call["destination_phone_number"], "8005550102");
    assert_json_eq(&call["connect_duration"], &json!(60));
    assert_json_eq(&call["keypresses"], &json!(["1"]));
    let transaction = call["transaction_id"].as_str().expect("a transaction");
    let why = network.extensions().get(&format!("/transactions/{transaction}/explanation"));
    let why = why.body(200);
    assert_json_eq(&why["advertiser_payin"]["amount"], &json!(7.0));
    assert_eq!(
        path(&why),
        ["AnyKeyPress", "YesOrNo 1", "Connect 8005550101:busy", "Failover 8005550102:connected"]
    );
}

#[test]
fn live_call_answers_a_question_and_reaches_one_of_a_group() {
    let (_server, network) = world();
    let id = start(&network);
    send(&network, &id, json!({"event": "key", "key": "1"}));
    let asked = send(&network, &id, json!({"event": "key", "key": "2"}));
    let gather = json!({"gather": {"keys": 32, "finish": "#", "timeout": 10, "barge_in": true}});
    assert_json_eq(&asked["actions"], &json!([{"say": "Your store?"}, gather]));
    let wrong = send(&network, &id, json!({"event": "digits", "digits": "7*7"}));
    let again = json!([{"say": "Digits, please."}, {"say": "Your store?"}, gather]);
    assert_json_eq(&wrong["actions"], &again);
    let asked = send(&network, &id, json!({"event": "digits", "digits": "77#"}));
    assert!(asked["actions"][0]["say"].as_str().expect("a text").contains("77"), "{asked}");
    let rings = send(&network, &id, json!({"event": "key", "key": "1"}));
    let dial = &rings["actions"][0]["dial"];
    assert_eq!(dial["number"], "8005550103");
    assert_json_eq(&dial["also"], &json!([{"number": "8005550104", "country_code": "1"}]));
    assert_json_eq(&dial["accept"], &json!(true));
    assert_json_eq(&dial["timeout"], &json!(20));
    let unknown = json!({"event": "connected", "destination_phone_number": "8005550109"});
    network
        .extensions()
        .post(&format!("/calls/{id}/events"), unknown)
        .assert_invalid(&json!({"destination_phone_number": ["is not ringing"]}));
    let event = json!({"event": "connected", "destination_phone_number": "+18005550104"});
    send(&network, &id, event);
    send(&network, &id, json!({"event": "hung_up"}));
    let call = network.extensions().get(&format!("/calls/{id}")).body(200);
    assert_eq!(call["destination_phone_number"], "8005550104");
}

#[test]
fn parameters_of_the_nodes_are_checked() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("354", "12", json!({}));
    let put =
        |root: Value| network.put(&campaign_path("354", "12"), json!({"ivr_tree": {"root": root}}));
    let problems = |root: Value| put(root).body(403)["errors"]["ivr_tree"].clone();
    let with_letters = merged(connect_to("8005550101"), json!({"destination_extension": "12a"}));
    assert_json_eq(&problems(with_letters), &json!({"destination_extension": ["is invalid"]}));
    let numbers = vec!["8005550101"; 101];
    assert!(problems(group(&numbers, json!({})))["ring_group_destinations"].is_array());
    put(group(&numbers[..100], json!({"max_simultaneous_calls": 10}))).expect(200);
    let found = problems(group(
        &["8005550101"],
        json!({"max_simultaneous_calls": 11, "distribution_method": "Any",
            "ring_group_connect_timeout": 4}),
    ));
    let mut found: Vec<&String> = found.as_object().expect("problems").keys().collect();
    found.sort_unstable();
    assert_eq!(
        found,
        ["distribution_method", "max_simultaneous_calls", "ring_group_connect_timeout"]
    );
    let unknown = json!({"node_type": "NumberQuestion", "prompt": "?",
        "number_question_type": "Colour", "children": [connect_to("8005550101")]});
    assert_json_eq(
        &problems(unknown),
        &json!({"number_question_type": ["is not included in the list"]}),
    );
    // The extension of a Connect abroad, whose Failover has its country code by default.
    let abroad = json!({"node_type": "Connect", "destination_phone_number": "2071838750",
        "destination_country_code": "44", "children": [
            {"node_type": "Failover", "destination_phone_number": "2071838751"}]});
    let shown = put(abroad).body(200);
    let failover = &shown["future_terms"]["ivr_tree"]["root"]["children"][0];
    assert_eq!(failover["destination_country_code"], "44");
}
