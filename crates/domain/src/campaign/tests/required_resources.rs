use crate::campaign::{Terms, missing_resources};
use crate::condition::Condition;
use crate::hours::WeeklyHours;
use crate::ivr::{IvrNode, KeypressFailover};
use crate::sample::{
    condition_node, connect, end_call, menu, sms_promo, states, tree, verify_location,
};
use jiff::Timestamp;

fn missing_in(terms: &Terms, condition: &str) -> Vec<String> {
    missing_resources(Condition::parse(condition).unwrap().expr(), terms)
}

fn terms() -> Terms {
    Terms::new(Timestamp::UNIX_EPOCH)
}

#[test]
fn terms_without_resources_are_never_missing() {
    let condition = "duration > 60 and connect_duration < 5 and repeat and mobile and landline \
                     and custom_data[x] present and affiliate_name = \"a\" and during_hours";
    assert!(missing_in(&terms(), condition).is_empty());
    assert!(missing_in(&terms(), "").is_empty());
}

#[test]
fn named_regions_are_required_by_name() {
    let none = missing_in(&terms(), "in_region or in_region[West Coast]");
    assert_eq!(none, ["there are no named regions", "there is no region named 'West Coast'"]);
    let mut terms = terms();
    terms.named_regions = vec![states("West Coast", &["CA"]), states(" Mid\u{2010}West ", &["OH"])];
    assert!(missing_in(&terms, "in_region and not in_region[ West Coast ]").is_empty());
    assert_eq!(missing_in(&terms, "in_region[west coast]").len(), 1);
    // Conditions are normalized, and so are the names in them.
    for name in ["Mid-West", "Mid\u{2010}West", "Mid\u{2212}West"] {
        assert!(missing_in(&terms, &format!("in_region[{name}]")).is_empty(), "{name}");
    }
}

#[test]
fn missing_resource_is_listed_once() {
    let found = missing_in(&terms(), "in_region[A] or in_region[A] or not in_region[A]");
    assert_eq!(found, ["there is no region named 'A'"]);
}

#[test]
fn during_hours_requires_hours_or_operation_around_the_clock() {
    for (operating_24_7, hours, message) in [
        (None, None, None),
        (Some(true), None, None),
        (Some(false), Some(WeeklyHours::default()), None),
        (Some(false), None, Some("there are no hours")),
    ] {
        let terms = Terms { operating_24_7, hours, ..terms() };
        assert_eq!(missing_in(&terms, "during_hours").first().map(String::as_str), message);
    }
}

#[test]
fn sms_sent_requires_an_sms_promo_node() {
    let mut terms = terms();
    assert_eq!(missing_in(&terms, "sms_sent"), ["there is no SmsPromo node"]);
    terms.ivr_tree = tree(menu(vec![end_call(), sms_promo(end_call())]));
    assert!(missing_in(&terms, "sms_sent").is_empty());
}

#[track_caller]
fn assert_pressed(root: &IvrNode, possible: &[&str], impossible: &[&str]) {
    let terms = Terms { ivr_tree: tree(root.clone()), ..terms() };
    for keys in possible {
        assert_eq!(missing_in(&terms, keys), [""; 0], "{keys}");
    }
    for keys in impossible {
        assert_eq!(missing_in(&terms, keys), [format!("there is no menu for '{keys}'")]);
    }
}

#[test]
fn pressed_keys_require_a_path_of_menus() {
    // Key 1 connects. Key 2 asks for the location and leads to a menu with keys 1–3, of which key 3
    // leads to a menu with one key.
    let third = menu(vec![end_call()]);
    let second = verify_location(menu(vec![
        end_call(),
        end_call(),
        condition_node("mobile", end_call(), third),
    ]));
    assert_pressed(
        &menu(vec![connect(""), second]),
        &[
            "pressed[1]",
            "pressed[2]",
            "pressed[W]",
            "pressed[N]",
            "pressed[2 1]",
            "pressed[2 W]",
            "pressed[2 3 1]",
            "pressed[2 3 N]",
            "pressed[b 2]",
            "pressed[b 3 c 1]",
            "pressed[c 1]",
            "pressed[c 1 a 2]",
        ],
        &[
            "pressed[3]",
            "pressed[1 1]",
            "pressed[2 4]",
            "pressed[2 1 1]",
            "pressed[2 3 2]",
            "pressed[2 3 1 1]",
            "pressed[W 1]",
            "pressed[N 1]",
            "pressed[d 1]",
            "pressed[a 1 c 1]",
        ],
    );
}

#[test]
fn menus_in_both_branches_of_a_condition_count() {
    let root = condition_node(
        "mobile",
        menu(vec![end_call()]),
        menu(vec![end_call(), menu(vec![end_call()])]),
    );
    assert_pressed(
        &root,
        &["pressed[1]", "pressed[2]", "pressed[2 1]", "pressed[b 1]"],
        &["pressed[1 1]", "pressed[3]"],
    );
}

#[test]
fn failover_child_is_reached_by_a_wrong_key_only() {
    let mut failover = menu(vec![end_call()]);
    failover.keypress_failover_type = Some(KeypressFailover::Wrong);
    assert_pressed(
        &menu(vec![failover, end_call(), end_call()]),
        &["pressed[1]", "pressed[2]", "pressed[W 1]", "pressed[N]"],
        &["pressed[3]", "pressed[1 1]", "pressed[N 1]"],
    );
}

#[test]
fn terms_without_ivr_tree_have_no_menu() {
    assert_eq!(missing_in(&terms(), "pressed[1]"), ["there is no menu for 'pressed[1]'"]);
}
