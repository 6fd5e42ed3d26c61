//! IVR trees: the parameters of each node, and problems reported at their node.

use serde_json::{Value, json};
use trunkline_tests::body::{self, campaign_path, connect_node};
use trunkline_tests::{Client, Response, Server, assert_json_eq};

fn unconfigured_campaign() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    (server, network)
}

fn put_tree(network: &Client, root: &Value) -> Response {
    let tree = json!({"root": root, "record_calls": true});
    network.put(&campaign_path("1", "12"), json!({"ivr_tree": tree}))
}

/// Asserts the problems of a rejected tree; the body repeats them under `error`.
#[track_caller]
fn assert_tree_problems(response: &Response, problems: &Value) {
    let problems = json!({"ivr_tree": problems});
    response.assert_json(403, &json!({"errors": problems, "error": problems}));
}

#[test]
fn every_node_is_returned_as_written() {
    let (_server, network) = unconfigured_campaign();
    let roots = [
        json!({"node_type": "Menu", "prompt": "Press 1.", "children": [connect_node(), connect_node()]}),
        connect_node(),
        json!({"node_type": "EndCall", "prompt": "Good bye."}),
        json!({
            "node_type": "SmsPromo", "prompt": "Press 1 for a text.", "sms_promo_copy": "Hello",
            "sms_promo_delay": 1800, "sms_promo_sender": "12345", "children": [connect_node()],
        }),
        json!({"node_type": "Condition", "condition": "mobile or landline.", "children": [connect_node(), connect_node()]}),
        json!({"node_type": "VerifyLocation", "prompt": "Where are you?", "children": [connect_node()]}),
    ];
    for root in roots {
        let current = put_tree(&network, &root).body(200);
        let tree = json!({"root": root, "record_calls": true});
        assert_json_eq(&current["future_terms"]["ivr_tree"], &tree);
    }
}

#[test]
fn problems_are_reported_at_their_node() {
    let (_server, network) = unconfigured_campaign();
    let empty = json!(["cannot be empty"]);
    let menu = |children: Vec<Value>| json!({"node_type": "Menu", "prompt": "Press a key.", "children": children});
    let mute = json!({"node_type": "Menu", "children": [connect_node()]});
    assert_tree_problems(&put_tree(&network, &mute), &json!({"prompt": empty}));
    let response = put_tree(&network, &menu(vec![mute.clone()]));
    assert_tree_problems(&response, &json!({"children": [{"0": {"prompt": empty}}]}));
    let response = put_tree(
        &network,
        &menu(vec![connect_node(), menu(vec![connect_node(), connect_node(), mute.clone()])]),
    );
    let deep = json!({"children": [{"1": {"children": [{"2": {"prompt": empty}}]}}]});
    assert_tree_problems(&response, &deep);
    // All problems are reported in one response.
    let sms = json!({"node_type": "SmsPromo", "sms_promo_delay": 7, "children": [connect_node()]});
    let response = put_tree(&network, &menu(vec![mute, connect_node(), sms])).body(403);
    let children = response["errors"]["ivr_tree"]["children"].as_array().expect("children");
    let child_property = |key: &str| children.iter().find_map(|child| child.get(key)).cloned();
    assert_json_eq(&child_property("0").unwrap(), &json!({"prompt": empty}));
    assert!(child_property("1").is_none());
    let sms = child_property("2").unwrap();
    assert_json_eq(&sms["prompt"], &empty);
    assert_json_eq(&sms["sms_promo_copy"], &empty);
    assert!(sms["sms_promo_delay"].is_array(), "{sms}");
    assert_json_eq(&response["error"], &json!({"ivr_tree": response["errors"]["ivr_tree"]}));
}

#[test]
fn tree_problems_are_reported_with_other_problems() {
    let (_server, network) = unconfigured_campaign();
    let body = json!({
        "name": "",
        "timezone": "Mars",
        "ivr_tree": {"root": {"node_type": "Menu", "prompt": "", "children": [connect_node()]}},
    });
    let tree = json!({"prompt": ["cannot be empty"]});
    network.put(&campaign_path("1", "12"), body).assert_json(
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
fn node_types_limit_their_children() {
    let (_server, network) = unconfigured_campaign();
    let node = |kind: &str, children: usize| {
        json!({
            "node_type": kind, "prompt": "Hello", "sms_promo_copy": "Hello", "condition": "mobile",
            "destination_phone_number": "8004377950", "children": vec![connect_node(); children],
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
            let response = put_tree(&network, &node(kind, children));
            if (least..=most).contains(&children) {
                response.expect(200);
            } else {
                let problems = response.body(403)["errors"]["ivr_tree"]["children"].clone();
                assert!(problems.is_array(), "{kind} with {children}: {problems}");
            }
        }
    }
    let unknown = put_tree(&network, &json!({"node_type": "Conference"}));
    assert_tree_problems(&unknown, &json!({"node_type": ["is not included in the list"]}));
}

#[test]
fn unknown_node_parameters_are_ignored_and_reported() {
    let (_server, network) = unconfigured_campaign();
    let root = json!({
        "node_type": "Menu", "prompt": "Press 1.", "destination_phone_number": "8004377950",
        "children": [body::merged(connect_node(), json!({"condition": ""}))],
    });
    let response = put_tree(&network, &root).expect(200);
    let ignored = response.header("trunkline-ignored").expect("something was ignored");
    let mut ignored: Vec<&str> = ignored.split(',').map(str::trim).collect();
    ignored.sort_unstable();
    assert_eq!(ignored, ["condition", "destination_phone_number"]);
    let expected = json!({"node_type": "Menu", "prompt": "Press 1.", "children": [connect_node()]});
    assert_json_eq(&response.json()["future_terms"]["ivr_tree"]["root"], &expected);
}

#[test]
fn sms_delay_is_one_of_five_values() {
    let (_server, network) = unconfigured_campaign();
    let node = |delay: Value| {
        json!({
            "node_type": "SmsPromo", "prompt": "Press 1.", "sms_promo_copy": "Hello",
            "sms_promo_delay": delay, "children": [connect_node()],
        })
    };
    for delay in [1, 1800, 86400, 604_800, 2_592_000] {
        put_tree(&network, &node(json!(delay))).expect(200);
    }
    for delay in [json!(0), json!(2), json!(-1), json!("soon"), json!({})] {
        assert_eq!(put_tree(&network, &node(delay)).status, 403);
    }
}

#[test]
fn node_conditions_cannot_use_durations() {
    let (_server, network) = unconfigured_campaign();
    let node = |condition: Value| json!({"node_type": "Condition", "condition": condition, "children": [connect_node(), connect_node()]});
    for condition in ["duration > 60", "mobile and connect_duration >= 1 min"] {
        let response = put_tree(&network, &node(json!(condition))).body(403);
        assert!(response["errors"]["ivr_tree"]["condition"].is_array(), "{response}");
    }
    assert_tree_problems(
        &put_tree(&network, &node(json!(""))),
        &json!({"condition": ["cannot be empty"]}),
    );
    let response = put_tree(&network, &node(json!("mobile and"))).body(403);
    let message = response["errors"]["ivr_tree"]["condition"][0].as_str().expect("a message");
    assert!(message.starts_with("is invalid at column "), "{message}");
}

#[test]
fn destination_numbers_follow_their_country() {
    let (_server, network) = unconfigured_campaign();
    let dial = |number: Value, country: Value| {
        let more = json!({"destination_phone_number": number, "destination_country_code": country});
        put_tree(&network, &body::merged(connect_node(), more))
    };
    let current = dial(json!("800-437-7950"), json!("1")).body(200);
    let root = &current["future_terms"]["ivr_tree"]["root"];
    assert_eq!(root["destination_phone_number"], "8004377950");
    let current = dial(json!(8004377950_u64), json!(1)).body(200);
    let root = &current["future_terms"]["ivr_tree"]["root"];
    assert_eq!(root["destination_phone_number"], "8004377950");
    assert_eq!(root["destination_country_code"], "1");
    // The country code defaults to "1".
    let root = json!({"node_type": "Connect", "destination_phone_number": "8004377950"});
    let current = put_tree(&network, &root).body(200);
    assert_eq!(current["future_terms"]["ivr_tree"]["root"]["destination_country_code"], "1");
    // In Entry the destination may be missing.
    dial(json!(""), json!("")).expect(200);
    assert_tree_problems(
        &dial(json!("12"), json!("1")),
        &json!({"destination_phone_number": ["is invalid"]}),
    );
}

#[test]
fn policy_condition_error_has_its_position() {
    let (_server, network) = unconfigured_campaign();
    let put = |condition: &str| {
        let text = json!({"advertiser_payin": body::base_policy(7.0, condition)});
        network.put(&campaign_path("1", "12"), text)
    };
    let message =
        "is invalid at column 12: expected a comparison (>, >=, <, <=, =) after 'duration'";
    let policies = json!({"policies": [{"condition": [message]}]});
    put("mobile and duration 60").assert_invalid(&json!({"advertiser_payin": policies}));
    for (condition, column) in [("mobile and", 11), ("(mobile", 8), ("mobile)", 7), ("fast", 1)] {
        let response = put(condition).body(403);
        let text = &response["errors"]["advertiser_payin"]["policies"][0]["condition"][0];
        let text = text.as_str().expect("a message");
        assert!(
            text.starts_with(&format!("is invalid at column {column}:")),
            "{condition}: {text}"
        );
    }
    // A valid condition is returned as written.
    for condition in [
        "",
        "  NOT mobile",
        "duration>90",
        "(repeat) and In_Region [ West Coast ].",
        "pressed[a 1]",
    ] {
        let current = put(condition).body(200);
        let policy = &current["future_terms"]["advertiser_payin"]["policies"][0];
        assert_eq!(policy["condition"], condition);
    }
}
