//! Evaluates every example of a condition in the source documents on three calls: one on which it
//! is true, one on which it is false, and one on which it is unknown.

use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_domain::call::{CallFacts, EvaluationContext, IvrFacts};
use trunkline_domain::campaign::Terms;
use trunkline_domain::condition::{Condition, Key};
use trunkline_domain::hours::{DayHours, WeeklyHours};
use trunkline_domain::region::{NamedRegion, Region, RegionType};

/// Terms of the campaign in the source documents: two named regions, open from 9:00 to 21:00 except
/// on weekends.
fn terms() -> Terms {
    let states = |name: &str, codes: &[&str]| NamedRegion {
        name: name.to_owned(),
        regions: codes
            .iter()
            .map(|code| Region { region_type: RegionType::State, value: (*code).to_owned() })
            .collect(),
    };
    let open = DayHours { open: Some(32_400), close: Some(75_600), closed: Some(false) };
    let closed = DayHours { closed: Some(true), ..open };
    let mut terms = Terms::new(Timestamp::UNIX_EPOCH);
    terms.named_regions =
        vec![states("West Coast", &["CA", "OR", "WA"]), states("East Coast", &["NY", "NJ"])];
    terms.hours = Some(WeeklyHours { days: [open, open, open, open, open, closed, closed] });
    terms
}

fn key(text: &str) -> Key {
    match text {
        "W" => Key::Wrong,
        "N" => Key::None,
        digit => Key::Digit(digit.parse().expect("a key")),
    }
}

/// Evaluates a condition on facts as JSON. `pressed` has the keys of the menus passed so far.
/// `over`, if present, means that no further menu follows; its value is true if the call was
/// connected.
fn value(text: &str, facts: &Value) -> Option<bool> {
    let condition = Condition::parse(text).expect("a condition");
    let pressed = facts["pressed"].as_str().unwrap_or_default();
    let pressed: Vec<Key> = pressed.split_terminator(' ').map(key).collect();
    let over = facts["over"].as_bool();
    let facts: CallFacts = serde_json::from_value(facts.clone()).expect("facts");
    let ivr_facts = IvrFacts {
        pressed_keys: &pressed,
        passed_sms_promo: true,
        connected: over,
        ..IvrFacts::default()
    };
    let terms = terms();
    let known = EvaluationContext { facts: &facts, terms: &terms, ivr_facts };
    let value = condition.expr().evaluate(&known);
    assert_eq!(condition.expr().explain(&known).value, value, "{text}");
    value
}

/// (Condition, facts on which it is true, facts on which it is false) triples. Without facts, each
/// condition is unknown.
fn examples() -> Vec<(&'static str, Value, Value)> {
    let durations =
        |met: u32, not_met: u32| (json!({"duration": met}), json!({"duration": not_met}));
    let times = [
        ("duration > 2 min 30 sec", durations(151, 150)),
        ("duration >= 1 min 30 sec", durations(90, 89)),
        ("duration > 60", durations(61, 60)),
        ("duration < 90", durations(89, 90)),
        ("duration <= 90 sec", durations(90, 91)),
        ("duration = 1 min", durations(60, 61)),
        ("duration >= 2 hours", durations(7_200, 7_199)),
        ("duration > 90 secs", durations(91, 90)),
        ("duration > 90 seconds", durations(91, 90)),
        ("duration > 2 mins", durations(121, 120)),
        ("duration > 2 minutes", durations(121, 120)),
        ("duration > 1 hr", durations(3_601, 3_600)),
        ("duration > 1 hour.", durations(3_601, 3_600)),
    ];
    let mut all: Vec<_> =
        times.into_iter().map(|(text, (met, not_met))| (text, met, not_met)).collect();
    all.extend(flags());
    all.extend(keys());
    all.extend(texts());
    all
}

fn flags() -> Vec<(&'static str, Value, Value)> {
    let mobile = json!({"phone_type": "mobile"});
    let landline = json!({"phone_type": "landline"});
    let region = |code: &str| json!({"region": code, "country": "US"});
    // Local time in Los Angeles: a Thursday at 9:00:00 and at 8:59:59, and a Saturday.
    let at = |timestamp: &str| json!({"start_time": timestamp});
    let opening = at("2015-05-14T16:00:00Z");
    let before = at("2015-05-14T15:59:59Z");
    let saturday = at("2015-05-16T19:00:00Z");
    vec![
        (
            "connect_duration >= 1 min 30 sec",
            json!({"connect_duration": 90}),
            json!({"over": false, "connect_duration": 100}),
        ),
        ("repeat", json!({"repeat": true}), json!({"repeat": false})),
        ("mobile", mobile.clone(), landline.clone()),
        ("landline", landline, mobile),
        ("sms_sent", json!({"sms_sent": true}), json!({"sms_sent": false})),
        ("during_hours", opening.clone(), before),
        ("during_hours", opening, saturday),
        ("in_region", region("NJ"), region("NV")),
        ("in_region[West Coast]", region("WA"), region("NY")),
        (
            "mobile and duration > 60",
            json!({"phone_type": "mobile", "duration": 75}),
            json!({"duration": 60}),
        ),
        (
            "duration >= 1 min 30 sec and (in_region[West Coast] or pressed[1 2]) and not repeat",
            json!({"duration": 90, "pressed": "1 2", "repeat": false}),
            json!({"repeat": true}),
        ),
        ("not repeat", json!({"repeat": false}), json!({"repeat": true})),
    ]
}

fn keys() -> Vec<(&'static str, Value, Value)> {
    let pressed = |keys: &str| json!({"pressed": keys});
    vec![
        ("pressed[2]", pressed("2"), pressed("1")),
        ("pressed[1 1 2]", pressed("1 1 2"), pressed("1 2")),
        ("pressed[a 1]", pressed("1 3"), pressed("W")),
        ("pressed[b 2]", pressed("9 2"), json!({"pressed": "2", "over": true})),
        ("pressed[1 2]", pressed("1 2"), pressed("2")),
        ("pressed[W]", pressed("W"), pressed("N")),
        ("pressed[N]", pressed("N"), json!({"over": true})),
    ]
}

fn texts() -> Vec<(&'static str, Value, Value)> {
    let channel = |text: &str| json!({"custom_data": {"channel": text}});
    let no_channel = json!({"custom_data": {}});
    let affiliate = |name: Value| json!({"affiliate_name": name});
    let media = |text: &str| json!({"media_type": text});
    let number = |text: &str| json!({"promo_number_description": text});
    vec![
        (r#"custom_data[channel] = "Online""#, channel("Online"), channel("online")),
        (r#"custom_data[channel] != "Online""#, no_channel.clone(), channel("Online")),
        (r#"custom_data[channel] contains "line""#, channel("OFFLINE"), no_channel.clone()),
        ("custom_data[channel] present", channel(""), no_channel),
        (r#"affiliate_name = "Ann""#, affiliate(json!("Ann")), affiliate(json!("Bob"))),
        (r#"affiliate_name != "Ann""#, affiliate(json!("Bob")), affiliate(json!("Ann"))),
        (r#"affiliate_name contains "nn""#, affiliate(json!("ANNE")), affiliate(json!("Bob"))),
        ("affiliate_name present", affiliate(json!("")), affiliate(Value::Null)),
        (r#"media_type = "Offline: In-Call""#, media("Offline: In‐Call"), media("Online")),
        (r#"media_type != "Online""#, media("Radio"), media("Online")),
        (r#"media_type contains "online""#, media("Online: Display"), media("Radio")),
        ("media_type present", media("Radio"), json!({"media_type": null})),
        (r#"promo_number_description = "a""#, number("a"), number("b")),
        (r#"promo_number_description != "a""#, number("b"), number("a")),
        (r#"promo_number_description contains "a""#, number("BAD"), number("b")),
        (
            "promo_number_description present",
            number("a"),
            json!({"promo_number_description": null}),
        ),
    ]
}

#[test]
fn examples_evaluate_to_true_false_and_unknown() {
    for (text, met, not_met) in examples() {
        assert_eq!(value(text, &met), Some(true), "{text} on {met}");
        assert_eq!(value(text, &not_met), Some(false), "{text} on {not_met}");
        assert_eq!(value(text, &json!({})), None, "{text}");
        let opposite = format!("not ({})", text.trim_end_matches('.'));
        assert_eq!(value(&opposite, &met), Some(false), "{opposite} on {met}");
        assert_eq!(value(&opposite, &json!({})), None, "{opposite}");
    }
}

#[test]
fn empty_condition_is_true_on_every_call() {
    for text in ["", " ", "."] {
        assert_eq!(value(text, &json!({})), Some(true));
    }
}
