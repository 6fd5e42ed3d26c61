//! Tests of postal codes entered during a call.

use crate::call::{Admission, CallFacts, Decision, PhoneType, decide};
use crate::campaign::Terms;
use crate::ivr::run::{self, Action, Event, IvrContext, NodeState, Position};
use crate::ivr::{IvrNode, NodeKind};
use crate::money::Currency;
use crate::region::RegionType;
use crate::sample::{
    condition_node, connect, menu, node, pricing, region, sms_promo, states, tree, verify_location,
};

const ADMITTED: Admission = Admission { rejection: None, by_affiliate: true };

fn terms_with_tree(root: IvrNode) -> Terms {
    let canada = region("Canada", &[(RegionType::Country, "CA")]);
    let mut terms = Terms::new(jiff::Timestamp::UNIX_EPOCH);
    terms.named_regions = vec![states("West", &["CA", "OR", "WA"]), canada];
    terms.advertiser_payin =
        pricing(Currency::Usd, &[("7", "in_region[West]"), ("1", "not in_region[Canada]")]);
    terms.ivr_tree = tree(root);
    terms
}

fn region_branch() -> IvrNode {
    condition_node("in_region[West]", connect("8005550101"), connect("8005550102"))
}

fn decide_in_tree(root: IvrNode, facts: &CallFacts) -> Decision {
    decide(&terms_with_tree(root), facts, &[], ADMITTED)
}

fn facts_with_zip(zip: &str) -> CallFacts {
    CallFacts { zip: Some(zip.to_owned()), ..CallFacts::default() }
}

fn evaluated_location(call: &Decision) -> [Option<&str>; 3] {
    [call.zip.as_deref(), call.region.as_deref(), call.country.as_deref()]
}

#[test]
fn entered_code_determines_later_conditions_and_pricing() {
    for (zip, location, destination, policies) in [
        ("93101", [Some("93101"), Some("CA"), Some("US")], "8005550101", "base+bonus1"),
        ("10001", [Some("10001"), Some("NY"), Some("US")], "8005550102", ""),
        ("k1a0b1", [Some("K1A 0B1"), Some("ON"), Some("CA")], "8005550102", ""),
        ("88888", [Some("88888"), None, None], "8005550102", ""),
    ] {
        let call = decide_in_tree(verify_location(region_branch()), &facts_with_zip(zip));
        assert_eq!(evaluated_location(&call), location);
        assert_eq!(call.destination_phone_number.as_deref(), Some(destination), "{zip}");
        assert_eq!(call.advertiser_payin.unwrap().matching_policies, policies, "{zip}");
    }
}

#[test]
fn invalid_code_is_treated_as_silence() {
    for zip in ["9310", "931011", "", "abcde"] {
        let call = decide_in_tree(verify_location(region_branch()), &facts_with_zip(zip));
        assert_eq!(evaluated_location(&call), [Some(zip), None, None]);
        assert_eq!(call.destination_phone_number.as_deref(), Some("8005550102"), "{zip}");
        assert_eq!(call.path[1].condition.as_ref().unwrap().value, None, "{zip}");
    }
}

#[test]
fn code_without_verify_location_does_not_determine_the_region() {
    let call = decide_in_tree(region_branch(), &facts_with_zip("93101"));
    assert_eq!(evaluated_location(&call), [Some("93101"), None, None]);
    assert_eq!(call.path[0].condition.as_ref().unwrap().value, None);
}

#[test]
fn known_region_skips_verify_location() {
    let facts = CallFacts { region: Some("NY".to_owned()), ..facts_with_zip("93101") };
    let call = decide_in_tree(verify_location(region_branch()), &facts);
    assert_eq!(evaluated_location(&call), [Some("93101"), Some("NY"), None]);
    assert_eq!(call.destination_phone_number.as_deref(), Some("8005550102"));
}

#[test]
fn entered_code_overrides_the_country_of_a_shared_area_code() {
    let facts = CallFacts { country: Some("CA".to_owned()), ..facts_with_zip("93101") };
    let call = decide_in_tree(verify_location(region_branch()), &facts);
    assert_eq!(evaluated_location(&call), [Some("93101"), Some("CA"), Some("US")]);
}

#[test]
fn location_is_asked_once() {
    let terms = terms_with_tree(verify_location(verify_location(region_branch())));
    let facts = CallFacts::default();
    let ivr_context = IvrContext { terms: &terms, facts: &facts };
    let waiting = run::start(ivr_context).position;
    assert_eq!(waiting.state, NodeState::ZipCodeEntry);
    let zip = run::advance(ivr_context, waiting.clone(), &Event::Zip("93101".to_owned())).unwrap();
    assert_eq!((zip.position.state, zip.position.path), (NodeState::Dialling, vec![0, 0, 0]));
    let silence = run::advance(ivr_context, waiting, &Event::Silence).unwrap();
    assert_eq!((silence.position.state, silence.position.path), (NodeState::ZipCodeEntry, vec![0]));
}

#[test]
fn stored_position_keeps_the_code_and_the_text_message() {
    let both = condition_node(
        "in_region[West] and sms_sent",
        connect("8005550101"),
        connect("8005550102"),
    );
    let terms = terms_with_tree(verify_location(sms_promo(menu(vec![both]))));
    let facts = CallFacts { phone_type: Some(PhoneType::Mobile), ..CallFacts::default() };
    let ivr_context = IvrContext { terms: &terms, facts: &facts };
    let mut position = run::start(ivr_context).position;
    for event in [Event::Zip("93101".to_owned()), Event::Key('9'), Event::Key('1')] {
        let stored = serde_json::to_string(&position).unwrap();
        position = serde_json::from_str(&stored).unwrap();
        position = run::advance(ivr_context, position, &event).unwrap().position;
    }
    assert_eq!(position.path, [0, 0, 0, 0], "the first child of the condition");
}

#[test]
fn positions_without_a_code_are_deserialized() {
    let old = r#"{"at":[0],"doing":"ask_zip","pressed":[],"sms_sent":false}"#;
    let position: Position = serde_json::from_str(old).unwrap();
    assert_eq!(position.zip, None);
    assert_eq!(serde_json::to_string(&position).unwrap(), old);
}

#[test]
fn skipped_verify_location_plays_nothing() {
    let blank = node(NodeKind::VerifyLocation { prompt: " ".to_owned() }, vec![connect("1")]);
    let terms = terms_with_tree(menu(vec![blank]));
    let facts = CallFacts { region: Some("CA".to_owned()), ..CallFacts::default() };
    let ivr_context = IvrContext { terms: &terms, facts: &facts };
    let start = run::start(ivr_context);
    assert_eq!(start.actions[0], Action::Say("Choose.".to_owned()));
    let transition = run::advance(ivr_context, start.position, &Event::Key('1')).unwrap();
    assert_eq!(transition.visited_nodes[0].prompt, "");
    assert!(matches!(transition.actions.as_slice(), [Action::Dial { .. }]));
}
