//! Tests of the decision of calls.

mod area_codes;
mod live_calls;
mod places;
mod properties;
mod reported_calls;
mod stored_json;
mod verify_location;
mod zip_codes;

use super::*;
use crate::campaign::{Policy, PolicyType, Pricing, Terms};
use crate::condition::{Condition, Key};
use crate::ivr::{IvrNode, IvrTree, NodeKind};
use crate::money::{Currency, Money};
use crate::phone::PhoneNumber;
use crate::problem::Problems;
use crate::region::{NamedRegion, Region, RegionType};
use std::collections::{BTreeMap, BTreeSet};

const ADMITTED: Admission = Admission { rejection: None, by_affiliate: true };

fn node(kind: NodeKind, children: Vec<IvrNode>) -> IvrNode {
    IvrNode { kind, children, keypress_failover_type: None }
}

fn connect(number: &str) -> IvrNode {
    let kind = NodeKind::Connect {
        prompt: String::new(),
        destination_phone_number: number.to_owned(),
        destination_country_code: "1".to_owned(),
        destination_extension: None,
        connect_timeout: None,
    };
    node(kind, Vec::new())
}

fn menu(children: Vec<IvrNode>) -> IvrNode {
    node(NodeKind::Menu { prompt: "Press a key".to_owned() }, children)
}

fn when(condition: &str, met: IvrNode, not_met: IvrNode) -> IvrNode {
    let condition = Some(Condition::parse(condition).unwrap());
    node(NodeKind::Condition { condition }, vec![met, not_met])
}

fn pricing(policies: &[(&str, &str)]) -> Pricing {
    let policy = |(index, (amount, condition)): (usize, &(&str, &str))| Policy {
        kind: if index == 0 { PolicyType::Base } else { PolicyType::Bonus },
        amount: Money::parse(amount).unwrap(),
        currency: Currency::Usd,
        condition: Condition::parse(condition).unwrap(),
    };
    let policies = policies.iter().enumerate().map(policy).collect();
    Pricing::new(policies, &mut Problems::new()).unwrap()
}

fn terms(root: IvrNode) -> Terms {
    let mut terms = Terms::new(jiff::Timestamp::UNIX_EPOCH);
    terms.ivr_tree =
        Some(IvrTree { root, record_calls: false, caller_id: None, whisper_prompt_text: None });
    terms.advertiser_payin = Some(pricing(&[("7", "duration > 2 min 30 sec")]));
    terms.affiliate_payout = Some(pricing(&[("4.50", ""), ("2.75", "duration > 60")]));
    terms
}

fn lasting(seconds: u32) -> CallFacts {
    CallFacts { duration: Some(seconds), ..CallFacts::default() }
}

fn amount(payment: Option<&Payment>) -> String {
    payment
        .map(|payment| format!("{} {}", payment.amount, payment.matching_policies))
        .unwrap_or_default()
}

#[test]
fn call_pays_base_and_bonuses() {
    let terms = terms(connect("8004377950"));
    for (seconds, payin, payout) in [
        (30, "0.00 ", "4.50 base"),
        (61, "0.00 ", "7.25 base+bonus1"),
        (151, "7.00 base", "7.25 base+bonus1"),
    ] {
        let call = decide(&terms, &lasting(seconds), &[], ADMITTED);
        assert_eq!(call.outcome, Outcome::Connected);
        assert_eq!(call.destination_phone_number.as_deref(), Some("8004377950"));
        assert_eq!(amount(call.advertiser_payin.as_ref()), payin);
        assert_eq!(amount(call.affiliate_payout.as_ref()), payout);
    }
}

#[test]
fn unknown_fact_pays_nothing_and_bonus_requires_its_base() {
    let mut terms = terms(connect("8004377950"));
    let call = decide(&terms, &CallFacts::default(), &[], ADMITTED);
    let payin = call.advertiser_payin.unwrap();
    assert_eq!((payin.policies[0].met, payin.policies[0].paid), (None, false));
    terms.affiliate_payout = Some(pricing(&[("4.50", "mobile"), ("2.75", "duration > 60")]));
    let call = decide(&terms, &lasting(90), &[], ADMITTED);
    let payout = call.affiliate_payout.unwrap();
    assert_eq!((payout.policies[1].met, payout.policies[1].paid), (Some(true), false));
    assert_eq!(payout.amount, Money::ZERO);
}

#[test]
fn direct_call_has_no_payout_and_rejected_call_pays_nothing() {
    let terms = terms(connect("8004377950"));
    let direct = Admission { rejection: None, by_affiliate: false };
    assert_eq!(decide(&terms, &lasting(90), &[], direct).affiliate_payout, None);
    let rejected = Admission { rejection: Some(RejectionReason::NotLive), by_affiliate: true };
    let call = decide(&terms, &lasting(90), &[], rejected);
    assert_eq!((call.outcome, call.reason), (Outcome::Rejected, Some(RejectionReason::NotLive)));
    assert!(call.path.is_empty() && call.advertiser_payin.is_none());
}

#[test]
fn keys_select_menu_choices_and_wrong_keys_replay_the_menu() {
    let terms = terms(menu(vec![connect("8005550101"), menu(vec![connect("8005550102")])]));
    let decide_keys = |keys: &str| {
        let keys: Vec<char> = keys.chars().collect();
        let call = decide(&terms, &lasting(90), &keys, ADMITTED);
        let keys: Vec<Option<Key>> = call.path.iter().map(|step| step.key).collect();
        (call.outcome, call.destination_phone_number.unwrap_or_default(), keys)
    };
    let digit = |digit| Some(Key::Digit(digit));
    assert_eq!(
        decide_keys("1"),
        (Outcome::Connected, "8005550101".to_owned(), vec![digit(1), None])
    );
    let nested_keys = vec![digit(2), digit(1), None];
    assert_eq!(
        decide_keys("21"),
        (Outcome::Connected, "8005550102".to_owned(), nested_keys.clone())
    );
    assert_eq!(decide_keys("87721").0, Outcome::Connected, "three wrong keys, then the right ones");
    assert_eq!(decide_keys("8772*1"), (Outcome::Connected, "8005550102".to_owned(), nested_keys));
    assert_eq!(decide_keys("8777"), (Outcome::Ended, String::new(), vec![Some(Key::Wrong)]));
    assert_eq!(decide_keys("2"), (Outcome::Abandoned, String::new(), vec![digit(2), None]));
}

#[test]
fn unconnected_call_has_no_connect_duration() {
    let mut terms = terms(menu(vec![connect("8005550101")]));
    terms.advertiser_payin = Some(pricing(&[("7", "connect_duration > 10")]));
    let facts = CallFacts { connect_duration: Some(60), ..lasting(90) };
    let payin =
        |keys: &[char]| decide(&terms, &facts, keys, ADMITTED).advertiser_payin.unwrap().amount;
    assert_eq!(payin(&['1']), Money::parse("7").unwrap());
    assert_eq!(payin(&[]), Money::ZERO);
}

#[test]
fn unknown_node_condition_selects_the_second_child_with_an_explanation() {
    let terms = terms(when("mobile", connect("8005550101"), connect("8005550102")));
    let facts = |phone_type| CallFacts { phone_type, ..lasting(90) };
    let decide_for = |phone_type| decide(&terms, &facts(phone_type), &[], ADMITTED);
    let destination = |call: &Decision| call.destination_phone_number.clone().unwrap();
    assert_eq!(destination(&decide_for(Some(PhoneType::Mobile))), "8005550101");
    assert_eq!(destination(&decide_for(Some(PhoneType::Landline))), "8005550102");
    let unknown = decide_for(None);
    assert_eq!(destination(&unknown), "8005550102");
    let explanation = unknown.path[0].condition.as_ref().unwrap();
    assert_eq!((explanation.value, explanation.text.as_str()), (None, "mobile"));
}

#[test]
fn region_is_inferred_from_the_area_code() {
    let mut terms = terms(when("in_region[West]", connect("8005550101"), connect("8005550102")));
    let region = |region_type, value: &str| Region { region_type, value: value.to_owned() };
    terms.named_regions = vec![NamedRegion {
        name: "West".to_owned(),
        regions: vec![
            region(RegionType::State, "CA"),
            region(RegionType::City, "Portland, OR"),
            region(RegionType::Country, "Canada"),
        ],
    }];
    let in_west = |number: &str| {
        let number = PhoneNumber::parse(number);
        let facts =
            CallFacts { calling_phone_number: number, ..lasting(90) }.with_derived_locations();
        let path = decide(&terms, &facts, &[], ADMITTED).path;
        path[0].condition.as_ref().unwrap().value
    };
    assert_eq!(in_west("8057089876"), Some(true), "California");
    assert_eq!(in_west("4165550100"), Some(true), "Ontario, Canada");
    assert_eq!(in_west("2125550100"), Some(false), "New York");
    assert_eq!(in_west("5035550100"), None, "Oregon, possibly Portland");
    assert_eq!(in_west("8005550100"), None, "toll-free");
}

#[test]
fn shared_or_withheld_numbers_cannot_repeat() {
    for (number, shared, can_repeat) in [
        (Some("8057089876"), None, true),
        (Some("8057089876"), Some(false), true),
        (Some("8057089876"), Some(true), false),
        (Some("+266696687"), None, false),
        (Some("0000000000"), Some(false), false),
        (None, None, false),
        (None, Some(false), false),
    ] {
        let calling_phone_number = number.and_then(PhoneNumber::parse);
        let facts =
            CallFacts { calling_phone_number, shared_caller_id: shared, ..CallFacts::default() };
        assert_eq!(facts.identifies_caller(), can_repeat, "{number:?} {shared:?}");
    }
}

#[test]
fn facts_stored_before_a_field_existed_are_deserialized() {
    let mut json = serde_json::to_value(lasting(90)).unwrap();
    json.as_object_mut().unwrap().remove("shared_caller_id");
    assert_eq!(serde_json::from_value::<CallFacts>(json).unwrap(), lasting(90));
}

#[test]
fn area_code_table_covers_all_states_and_provinces() {
    let mut codes = BTreeSet::new();
    let mut regions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (location, location_codes) in area_code::table_lines() {
        regions.entry(location.country).or_default().extend(location.region);
        for code in location_codes {
            assert!(code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
            assert!(codes.insert(code), "{code} occurs twice");
        }
    }
    // 50 states, the District of Columbia and 5 territories. Canada: only provinces with a code of
    // their own; 902 and 782 are shared by two provinces, 867 by three territories.
    assert_eq!(regions["US"].len(), 56);
    assert_eq!(regions["CA"].len(), 8);
    for region in regions["US"].iter().chain(&regions["CA"]) {
        assert!(crate::region::find_state(region).is_some(), "{region}");
    }
    assert!(codes.len() > 400);
}
