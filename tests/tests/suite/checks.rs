//! `conditions/check` and `checks/<campaign>`: what is wrong before it matters.

use serde_json::{Value, json};
use trunkline_tests::body::{self, campaign_path, connect};
use trunkline_tests::{Client, Server, assert_same};

fn check(network: &Client, condition: &str, campaign: Option<&str>) -> Value {
    let body = json!({"condition": condition, "advertiser_campaign": campaign});
    network.extensions().post("/conditions/check", body).body(200)
}

#[test]
fn a_good_condition_is_put_in_words() {
    let server = Server::start();
    let network = server.network();
    let checked = check(&network, "MOBILE  AND duration > 60.", None);
    assert_same(
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
fn a_bad_condition_is_told_where() {
    let server = Server::start();
    let network = server.network();
    let checked = check(&network, "mobile and fast", None);
    assert_eq!(checked["valid"], false);
    assert_eq!(checked["errors"][0]["column"], 12);
    let said = checked["errors"][0]["message"].as_str().expect("a message");
    assert!(said.starts_with("expected "), "{said}");
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
    blank.invalid(&json!({"condition": ["can't be blank"]}));
}

#[test]
fn the_language_reads_as_it_is_documented() {
    let server = Server::start();
    let network = server.network();
    let normalized = |condition: &str| check(&network, condition, None)["normalized"].clone();
    // `not` binds tightest, then `and`, then `or`.
    assert_eq!(
        normalized("not mobile and repeat or landline"),
        normalized("((not mobile) and repeat) or landline")
    );
    assert_ne!(normalized("not (mobile and repeat)"), normalized("not mobile and repeat"));
    // Times.
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
        // What is printed reads as the same.
        let printed = checked["normalized"].as_str().expect("a condition");
        assert_eq!(normalized(printed), checked["normalized"], "{condition}");
    }
}

#[test]
fn what_the_campaign_does_not_have_is_a_warning() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    let checked = check(&network, "in_region[West]", Some("12"));
    assert_eq!(checked["valid"], true);
    assert_same(&checked["warnings"], &json!(["there is no region named 'West'"]));
    let missing = json!({"condition": "mobile", "advertiser_campaign": "13"});
    network.extensions().post("/conditions/check", missing).refused(404, "RecordNotFound");
}

#[test]
fn checks_finds_what_is_wrong_with_a_campaign() {
    let server = Server::start();
    let network = server.network();
    let findings = |id: &str| {
        let found = network.extensions().get(&format!("/checks/{id}")).body(200);
        let found = found.as_array().expect("a list").clone();
        for finding in &found {
            for name in ["severity", "at", "message"] {
                assert!(finding[name].is_string(), "{finding}");
            }
        }
        found
    };
    network.has_live_campaign("1", "good", json!({}));
    assert_eq!(findings("good"), Vec::<Value>::new());
    let menu = json!({"node_type": "Menu", "prompt": "Press 1.", "children": [connect()]});
    let dead = json!({"node_type": "Condition", "condition": "mobile and not mobile", "children": [connect(), connect()]});
    for (number, wrong) in [
        json!({"advertiser_payin": body::base(7.0, "in_region[West]")}),
        json!({"ivr_tree": {"root": menu}, "advertiser_payin": body::base(7.0, "pressed[2]")}),
        json!({"ivr_tree": {"root": dead}}),
        json!({"advertiser_payin": body::base(7.0, "mobile or not mobile")}),
        json!({"advertiser_payin": body::base(7.0, "repeat and not repeat")}),
        json!({"affiliate_payout": body::base(70.0, "")}),
        json!({"affiliate_payout": body::base(4.5, "duration > 60")}),
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
    network.extensions().get("/checks/none").refused(404, "RecordNotFound");
}

#[test]
fn an_advertiser_checks_its_own() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    network.has_campaign("2", "13", json!({}));
    let advertiser = server.advertiser("1").extensions();
    advertiser.get("/checks/12").expect(200);
    assert!([403, 404].contains(&advertiser.get("/checks/13").status));
    network.get(&campaign_path("1", "12")).expect(200);
}
