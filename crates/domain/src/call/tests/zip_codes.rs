//! A postal code given on the way says where the caller is, from then on.

use crate::call::{CallFacts, Decision, Gate, PhoneType, decide};
use crate::campaign::Terms;
use crate::ivr::run::{self, Action, Doing, Event, Flow, Position};
use crate::ivr::{IvrNode, NodeKind};
use crate::money::Currency;
use crate::region::RegionType;
use crate::sample::{
    connect, menu, node, pricing, region, sms_promo, states, tree, verify_location, when,
};

const OPEN: Gate = Gate { turned_away: None, by_affiliate: true };

fn asking(root: IvrNode) -> Terms {
    let canada = region("Canada", &[(RegionType::Country, "CA")]);
    let mut terms = Terms::new(jiff::Timestamp::UNIX_EPOCH);
    terms.named_regions = vec![states("West", &["CA", "OR", "WA"]), canada];
    terms.advertiser_payin =
        pricing(Currency::Usd, &[("7", "in_region[West]"), ("1", "not in_region[Canada]")]);
    terms.ivr_tree = tree(root);
    terms
}

fn by_region() -> IvrNode {
    when("in_region[West]", connect("8005550101"), connect("8005550102"))
}

fn go(root: IvrNode, facts: &CallFacts) -> Decision {
    decide(&asking(root), facts, &[], OPEN)
}

fn given(zip: &str) -> CallFacts {
    CallFacts { zip: Some(zip.to_owned()), ..CallFacts::default() }
}

fn counted(call: &Decision) -> [Option<&str>; 3] {
    [call.zip.as_deref(), call.region.as_deref(), call.country.as_deref()]
}

#[test]
fn a_code_given_counts_in_later_conditions_and_in_pricing() {
    for (zip, counts, destination, policies) in [
        ("93101", [Some("93101"), Some("CA"), Some("US")], "8005550101", "base+bonus1"),
        ("10001", [Some("10001"), Some("NY"), Some("US")], "8005550102", ""),
        ("k1a0b1", [Some("K1A 0B1"), Some("ON"), Some("CA")], "8005550102", ""),
        ("88888", [Some("88888"), None, None], "8005550102", ""),
    ] {
        let call = go(verify_location(by_region()), &given(zip));
        assert_eq!(counted(&call), counts);
        assert_eq!(call.destination_phone_number.as_deref(), Some(destination), "{zip}");
        assert_eq!(call.advertiser_payin.unwrap().matching_policies, policies, "{zip}");
    }
}

#[test]
fn what_is_no_code_counts_like_silence_and_the_call_goes_on() {
    for zip in ["9310", "931011", "", "abcde"] {
        let call = go(verify_location(by_region()), &given(zip));
        assert_eq!(counted(&call), [Some(zip), None, None]);
        assert_eq!(call.destination_phone_number.as_deref(), Some("8005550102"), "{zip}");
        assert_eq!(call.path[1].condition.as_ref().unwrap().value, None, "{zip}");
    }
}

#[test]
fn a_code_that_was_never_asked_for_says_nothing_of_the_region() {
    let call = go(by_region(), &given("93101"));
    assert_eq!(counted(&call), [Some("93101"), None, None]);
    assert_eq!(call.path[0].condition.as_ref().unwrap().value, None);
}

#[test]
fn a_region_that_is_known_is_not_asked_for_and_stays() {
    let facts = CallFacts { region: Some("NY".to_owned()), ..given("93101") };
    let call = go(verify_location(by_region()), &facts);
    assert_eq!(counted(&call), [Some("93101"), Some("NY"), None]);
    assert_eq!(call.destination_phone_number.as_deref(), Some("8005550102"));
}

#[test]
fn a_code_overrules_the_country_of_an_area_code_that_serves_several_provinces() {
    let facts = CallFacts { country: Some("CA".to_owned()), ..given("93101") };
    let call = go(verify_location(by_region()), &facts);
    assert_eq!(counted(&call), [Some("93101"), Some("CA"), Some("US")]);
}

#[test]
fn a_caller_is_asked_once() {
    let terms = asking(verify_location(verify_location(by_region())));
    let facts = CallFacts::default();
    let flow = Flow { terms: &terms, facts: &facts };
    let asked = run::start(flow).position;
    assert_eq!(asked.doing, Doing::AskZip);
    let zip = run::advance(flow, asked.clone(), &Event::Zip("93101".to_owned())).unwrap();
    assert_eq!((zip.position.doing, zip.position.at), (Doing::Dialling, vec![0, 0, 0]));
    let silence = run::advance(flow, asked, &Event::Silence).unwrap();
    assert_eq!((silence.position.doing, silence.position.at), (Doing::AskZip, vec![0]));
}

#[test]
fn a_position_that_was_stored_knows_the_code_and_the_text_message() {
    let both = when("in_region[West] and sms_sent", connect("8005550101"), connect("8005550102"));
    let terms = asking(verify_location(sms_promo(menu(vec![both]))));
    let facts = CallFacts { phone_type: Some(PhoneType::Mobile), ..CallFacts::default() };
    let flow = Flow { terms: &terms, facts: &facts };
    let mut position = run::start(flow).position;
    for event in [Event::Zip("93101".to_owned()), Event::Key('9'), Event::Key('1')] {
        let stored = serde_json::to_string(&position).unwrap();
        position = serde_json::from_str(&stored).unwrap();
        position = run::advance(flow, position, &event).unwrap().position;
    }
    assert_eq!(position.at, [0, 0, 0, 0], "the way of met");
}

#[test]
fn positions_stored_before_codes_were_kept_are_read() {
    let old = r#"{"at":[0],"doing":"ask_zip","pressed":[],"sms_sent":false}"#;
    let position: Position = serde_json::from_str(old).unwrap();
    assert_eq!(position.zip, None);
    assert_eq!(serde_json::to_string(&position).unwrap(), old);
}

#[test]
fn a_question_that_is_passed_by_takes_back_nothing_said_before_it() {
    let blank = node(NodeKind::VerifyLocation { prompt: " ".to_owned() }, vec![connect("1")]);
    let terms = asking(menu(vec![blank]));
    let facts = CallFacts { region: Some("CA".to_owned()), ..CallFacts::default() };
    let flow = Flow { terms: &terms, facts: &facts };
    let start = run::start(flow);
    assert_eq!(start.actions[0], Action::Say("Choose.".to_owned()));
    let moved = run::advance(flow, start.position, &Event::Key('1')).unwrap();
    assert_eq!(moved.passed[0].prompt, "");
    assert!(matches!(moved.actions.as_slice(), [Action::Dial { .. }]));
}
