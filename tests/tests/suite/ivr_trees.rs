//! IVR trees: what each node takes, and problems that sit at their node.

use serde_json::{Value, json};
use trunkline_tests::body::{self, campaign_path, connect};
use trunkline_tests::{Answer, Client, Server, assert_same};

fn bare() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    (server, network)
}

fn put(network: &Client, root: &Value) -> Answer {
    let tree = json!({"root": root, "record_calls": true});
    network.put(&campaign_path("1", "12"), json!({"ivr_tree": tree}))
}

/// A refusal of the tree: the problems, and the same under `error`.
#[track_caller]
fn refused(answer: &Answer, problems: &Value) {
    let problems = json!({"ivr_tree": problems});
    answer.is(403, &json!({"errors": problems, "error": problems}));
}

#[test]
fn every_node_is_returned_as_it_was_given() {
    let (_server, network) = bare();
    let roots = [
        json!({"node_type": "Menu", "prompt": "Press 1.", "children": [connect(), connect()]}),
        connect(),
        json!({"node_type": "EndCall", "prompt": "Good bye."}),
        json!({
            "node_type": "SmsPromo", "prompt": "Press 1 for a text.", "sms_promo_copy": "Hello",
            "sms_promo_delay": 1800, "sms_promo_sender": "12345", "children": [connect()],
        }),
        json!({"node_type": "Condition", "condition": "mobile or landline.", "children": [connect(), connect()]}),
        json!({"node_type": "VerifyLocation", "prompt": "Where are you?", "children": [connect()]}),
    ];
    for root in roots {
        let shown = put(&network, &root).body(200);
        let tree = json!({"root": root, "record_calls": true});
        assert_same(&shown["future_terms"]["ivr_tree"], &tree);
    }
}

#[test]
fn problems_sit_at_their_node() {
    let (_server, network) = bare();
    let empty = json!(["cannot be empty"]);
    let menu = |children: Vec<Value>| json!({"node_type": "Menu", "prompt": "Press a key.", "children": children});
    let mute = json!({"node_type": "Menu", "children": [connect()]});
    refused(&put(&network, &mute), &json!({"prompt": empty}));
    let answer = put(&network, &menu(vec![mute.clone()]));
    refused(&answer, &json!({"children": [{"0": {"prompt": empty}}]}));
    let answer =
        put(&network, &menu(vec![connect(), menu(vec![connect(), connect(), mute.clone()])]));
    let deep = json!({"children": [{"1": {"children": [{"2": {"prompt": empty}}]}}]});
    refused(&answer, &deep);
    // All at once.
    let sms = json!({"node_type": "SmsPromo", "sms_promo_delay": 7, "children": [connect()]});
    let answer = put(&network, &menu(vec![mute, connect(), sms])).body(403);
    let children = answer["errors"]["ivr_tree"]["children"].as_array().expect("children");
    let at = |key: &str| children.iter().find_map(|child| child.get(key)).cloned();
    assert_same(&at("0").unwrap(), &json!({"prompt": empty}));
    assert!(at("1").is_none());
    let sms = at("2").unwrap();
    assert_same(&sms["prompt"], &empty);
    assert_same(&sms["sms_promo_copy"], &empty);
    assert!(sms["sms_promo_delay"].is_array(), "{sms}");
    assert_same(&answer["error"], &json!({"ivr_tree": answer["errors"]["ivr_tree"]}));
}

#[test]
fn a_tree_problem_is_reported_beside_the_others() {
    let (_server, network) = bare();
    let body = json!({
        "name": "",
        "timezone": "Mars",
        "ivr_tree": {"root": {"node_type": "Menu", "prompt": "", "children": [connect()]}},
    });
    let tree = json!({"prompt": ["cannot be empty"]});
    network.put(&campaign_path("1", "12"), body).is(
        403,
        &json!({
            "errors": {
                "name": ["can't be blank"],
                "timezone": ["is not included in the list"],
                "ivr_tree": tree,
            },
            "error": {"ivr_tree": tree},
        }),
    );
}

#[test]
fn each_type_has_its_number_of_children() {
    let (_server, network) = bare();
    let node = |kind: &str, children: usize| {
        json!({
            "node_type": kind, "prompt": "Hello", "sms_promo_copy": "Hello", "condition": "mobile",
            "destination_phone_number": "8004377950", "children": vec![connect(); children],
        })
    };
    for (kind, least, most) in [
        ("Menu", 1, 9),
        ("Connect", 0, 0),
        ("EndCall", 0, 0),
        ("SmsPromo", 1, 1),
        ("Condition", 2, 2),
        ("VerifyLocation", 1, 1),
    ] {
        for children in 0..=10 {
            let answer = put(&network, &node(kind, children));
            if (least..=most).contains(&children) {
                answer.expect(200);
            } else {
                let problems = answer.body(403)["errors"]["ivr_tree"]["children"].clone();
                assert!(problems.is_array(), "{kind} with {children}: {problems}");
            }
        }
    }
    let unknown = put(&network, &json!({"node_type": "Conference"}));
    refused(&unknown, &json!({"node_type": ["is not included in the list"]}));
}

#[test]
fn a_parameter_that_its_type_does_not_have_is_ignored_and_named() {
    let (_server, network) = bare();
    let root = json!({
        "node_type": "Menu", "prompt": "Press 1.", "destination_phone_number": "8004377950",
        "children": [body::with(connect(), json!({"condition": ""}))],
    });
    let answer = put(&network, &root).expect(200);
    let ignored = answer.header("trunkline-ignored").expect("something was ignored");
    let mut ignored: Vec<&str> = ignored.split(',').map(str::trim).collect();
    ignored.sort_unstable();
    assert_eq!(ignored, ["condition", "destination_phone_number"]);
    let expected = json!({"node_type": "Menu", "prompt": "Press 1.", "children": [connect()]});
    assert_same(&answer.json()["future_terms"]["ivr_tree"]["root"], &expected);
}

#[test]
fn sms_delays_are_one_of_five() {
    let (_server, network) = bare();
    let node = |delay: Value| {
        json!({
            "node_type": "SmsPromo", "prompt": "Press 1.", "sms_promo_copy": "Hello",
            "sms_promo_delay": delay, "children": [connect()],
        })
    };
    for delay in [1, 1800, 86400, 604_800, 2_592_000] {
        put(&network, &node(json!(delay))).expect(200);
    }
    for delay in [json!(0), json!(2), json!(-1), json!("soon"), json!({})] {
        assert_eq!(put(&network, &node(delay)).status, 403);
    }
}

#[test]
fn conditions_of_nodes_know_nothing_of_durations() {
    let (_server, network) = bare();
    let node = |condition: Value| json!({"node_type": "Condition", "condition": condition, "children": [connect(), connect()]});
    for condition in ["duration > 60", "mobile and connect_duration >= 1 min"] {
        let answer = put(&network, &node(json!(condition))).body(403);
        assert!(answer["errors"]["ivr_tree"]["condition"].is_array(), "{answer}");
    }
    refused(&put(&network, &node(json!(""))), &json!({"condition": ["cannot be empty"]}));
    let answer = put(&network, &node(json!("mobile and"))).body(403);
    let said = answer["errors"]["ivr_tree"]["condition"][0].as_str().expect("a message");
    assert!(said.starts_with("is invalid at column "), "{said}");
}

#[test]
fn destinations_are_dialled_by_their_country() {
    let (_server, network) = bare();
    let dial = |number: Value, country: Value| {
        let more = json!({"destination_phone_number": number, "destination_country_code": country});
        put(&network, &body::with(connect(), more))
    };
    let shown = dial(json!("800-437-7950"), json!("1")).body(200);
    let root = &shown["future_terms"]["ivr_tree"]["root"];
    assert_eq!(root["destination_phone_number"], "8004377950");
    let shown = dial(json!(8004377950_u64), json!(1)).body(200);
    let root = &shown["future_terms"]["ivr_tree"]["root"];
    assert_eq!(root["destination_phone_number"], "8004377950");
    assert_eq!(root["destination_country_code"], "1");
    // "1" is the default.
    let root = json!({"node_type": "Connect", "destination_phone_number": "8004377950"});
    let shown = put(&network, &root).body(200);
    assert_eq!(shown["future_terms"]["ivr_tree"]["root"]["destination_country_code"], "1");
    // A destination that is not known yet is allowed in Entry.
    dial(json!(""), json!("")).expect(200);
    refused(&dial(json!("12"), json!("1")), &json!({"destination_phone_number": ["is invalid"]}));
}

#[test]
fn a_policys_condition_says_where_it_is_wrong() {
    let (_server, network) = bare();
    let put = |condition: &str| {
        let said = json!({"advertiser_payin": body::base(7.0, condition)});
        network.put(&campaign_path("1", "12"), said)
    };
    let message =
        "is invalid at column 12: expected a comparison (>, >=, <, <=, =) after 'duration'";
    let policies = json!({"policies": [{"condition": [message]}]});
    put("mobile and duration 60").invalid(&json!({"advertiser_payin": policies}));
    for (condition, column) in [("mobile and", 11), ("(mobile", 8), ("mobile)", 7), ("fast", 1)] {
        let answer = put(condition).body(403);
        let said = &answer["errors"]["advertiser_payin"]["policies"][0]["condition"][0];
        let said = said.as_str().expect("a message");
        assert!(
            said.starts_with(&format!("is invalid at column {column}:")),
            "{condition}: {said}"
        );
    }
    // What reads is returned as it was written.
    for condition in [
        "",
        "  NOT mobile",
        "duration>90",
        "(repeat) and In_Region [ West Coast ].",
        "pressed[a 1]",
    ] {
        let shown = put(condition).body(200);
        let policy = &shown["future_terms"]["advertiser_payin"]["policies"][0];
        assert_eq!(policy["condition"], condition);
    }
}
