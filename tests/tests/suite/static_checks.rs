//! `conditions/check` and `checks/<campaign>`: static analysis of conditions and campaigns.

use serde_json::{Value, json};
use trunkline_tests::body::{self, campaign_path, connect_node};
use trunkline_tests::{Client, Server, assert_json_eq};

fn check(network: &Client, condition: &str, campaign: Option<&str>) -> Value {
    let body = json!({"condition": condition, "advertiser_campaign": campaign});
    network.extensions().post("/conditions/check", body).body(200)
}

#[test]
fn valid_condition_is_described() {
    let server = Server::start();
    let network = server.network();
    let checked = check(&network, "MOBILE  AND duration > 60.", None);
    assert_json_eq(
        &checked,
        &json!({
            "valid": true,
            "normalized": "mobile and duration > 60",
            "in_words": "the caller is on a mobile phone and the call lasts longer than 1 minute",
            "errors": [],
            "warnings": [],
        }),
    );
}

#[test]
fn invalid_condition_is_reported_with_its_column() {
    let server = Server::start();
    let network = server.network();
    let checked = check(&network, "mobile and fast", None);
    assert_eq!(checked["valid"], false);
    assert_eq!(checked["errors"][0]["column"], 12);
    let message = checked["errors"][0]["message"].as_str().expect("a message");
    assert!(message.starts_with("expected "), "{message}");
    for condition in [
        "(",
        "not",
        "duration >",
        "pressed[0]",
        "pressed[]",
        "in_region[",
        "a".repeat(5_000).as_str(),
    ] {
        let checked = check(&network, condition, None);
        assert_eq!(checked["valid"], false, "{condition}");
        assert!(checked["errors"][0]["column"].is_i64(), "{checked}");
    }
    let blank = network.extensions().post("/conditions/check", json!({}));
    blank.assert_invalid(&json!({"condition": ["can't be blank"]}));
}

#[test]
fn documented_conditions_parse_and_print() {
    let server = Server::start();
    let network = server.network();
    let normalized = |condition: &str| check(&network, condition, None)["normalized"].clone();
    // `not` binds tightest, then `and`, then `or`.
    assert_eq!(
        normalized("not mobile and repeat or landline"),
        normalized("((not mobile) and repeat) or landline")
    );
    assert_ne!(normalized("not (mobile and repeat)"), normalized("not mobile and repeat"));
    // Times of day.
    for (one, other) in [
        ("duration > 90", "duration > 1 min 30 sec"),
        ("duration > 90 sec", "duration > 1 minute 30 seconds"),
        ("duration >= 7200", "duration >= 2 hours"),
        ("connect_duration = 5400", "connect_duration = 1 hr 30 mins"),
    ] {
        assert_eq!(normalized(one), normalized(other), "{one}");
    }
    for condition in [
        "",
        "repeat",
        "sms_sent",
        "during_hours",
        "in_region[West Coast]",
        "pressed[2]",
        "pressed[1 1 2]",
        "pressed[b 2]",
        "pressed[W]",
        "pressed[N]",
        "custom_data[channel] = \"Radio\"",
        "affiliate_name != \"Surf Oz\"",
        "media_type contains \"TV\"",
        "promo_number_description present",
        "((((mobile))))",
    ] {
        let checked = check(&network, condition, None);
        assert_eq!(checked["valid"], true, "{condition}: {checked}");
        // The printed condition parses to the same condition.
        let printed = checked["normalized"].as_str().expect("a condition");
        assert_eq!(normalized(printed), checked["normalized"], "{condition}");
    }
}

#[test]
fn condition_on_missing_campaign_parts_is_a_warning() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    let checked = check(&network, "in_region[West]", Some("12"));
    assert_eq!(checked["valid"], true);
    assert_json_eq(&checked["warnings"], &json!(["there is no region named 'West'"]));
    let missing = json!({"condition": "mobile", "advertiser_campaign": "13"});
    network.extensions().post("/conditions/check", missing).assert_error(404, "RecordNotFound");
}

#[test]
fn campaign_check_lists_all_findings() {
    let server = Server::start();
    let network = server.network();
    let findings = |id: &str| {
        let all_findings = network.extensions().get(&format!("/checks/{id}")).body(200);
        let all_findings = all_findings.as_array().expect("a list").clone();
        for finding in &all_findings {
            for name in ["severity", "at", "message"] {
                assert!(finding[name].is_string(), "{finding}");
            }
        }
        all_findings
    };
    network.has_live_campaign("1", "good", json!({}));
    assert_eq!(findings("good"), Vec::<Value>::new());
    let menu = json!({"node_type": "Menu", "prompt": "Press 1.", "children": [connect_node()]});
    let dead = json!({"node_type": "Condition", "condition": "mobile and not mobile", "children": [connect_node(), connect_node()]});
    for (number, wrong) in [
        json!({"advertiser_payin": body::base_policy(7.0, "in_region[West]")}),
        json!({"ivr_tree": {"root": menu}, "advertiser_payin": body::base_policy(7.0, "pressed[2]")}),
        json!({"ivr_tree": {"root": dead}}),
        json!({"advertiser_payin": body::base_policy(7.0, "mobile or not mobile")}),
        json!({"advertiser_payin": body::base_policy(7.0, "repeat and not repeat")}),
        json!({"affiliate_payout": body::base_policy(70.0, "")}),
        json!({"affiliate_payout": body::base_policy(4.5, "duration > 60")}),
        json!({"affiliate_payout": {"policies": [
            {"type": "Base", "amount": 4, "currency": "USD", "condition": "mobile"},
            {"type": "Bonus", "amount": 1, "currency": "USD", "condition": "not mobile"},
        ]}}),
    ]
    .into_iter()
    .enumerate()
    {
        let id = number.to_string();
        network.has_campaign("1", &id, wrong.clone());
        assert!(!findings(&id).is_empty(), "nothing is found in {wrong}");
    }
    network.extensions().get("/checks/none").assert_error(404, "RecordNotFound");
}

#[test]
fn advertiser_checks_its_own_campaigns() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    network.has_campaign("2", "13", json!({}));
    let advertiser = server.advertiser("1").extensions();
    advertiser.get("/checks/12").expect(200);
    assert!([403, 404].contains(&advertiser.get("/checks/13").status));
    network.get(&campaign_path("1", "12")).expect(200);
}
