//! Tests of VerifyLocation nodes, step by step, and of their decision afterwards.

use crate::call::{
    Admission, CallDirection, CallEnd, CallFacts, Decision, LiveCall, Outcome, RecordedFacts,
    decide, price_call,
};
use crate::campaign::Terms;
use crate::ivr::run::{Action, Event, IvrContext, NodeState};
use crate::ivr::{IvrNode, NodeKind};
use crate::money::Currency;
use crate::phone::PhoneNumber;
use crate::sample::{condition_node, connect, menu, node, pricing, states, tree, verify_location};
use jiff::Timestamp;

const IN_CALIFORNIA: &str = "8005550101";
const ELSEWHERE: &str = "8005550102";

fn verify(prompt: &str, child: IvrNode) -> IvrNode {
    node(NodeKind::VerifyLocation { prompt: prompt.to_owned() }, vec![child])
}

fn terms_of(root: IvrNode) -> Terms {
    let mut terms = Terms::new(Timestamp::UNIX_EPOCH);
    terms.ivr_tree = tree(root);
    terms.named_regions = vec![states("California", &["CA"])];
    terms.advertiser_payin = pricing(Currency::Usd, &[("7", "in_region[California]")]);
    terms
}

fn branch() -> IvrNode {
    condition_node("in_region[California]", connect(IN_CALIFORNIA), connect(ELSEWHERE))
}

fn caller(number: &str) -> CallFacts {
    let calling_phone_number = PhoneNumber::parse(number);
    CallFacts { calling_phone_number, ..CallFacts::default() }.with_derived_locations()
}

fn say(text: &str) -> Action {
    Action::Say(text.to_owned())
}

fn gather(finish: Option<char>) -> Action {
    Action::Gather { keys: 5, finish, timeout: 10 }
}

/// Starts a call and applies events. Returns the actions of each step and the destination.
fn run_live(terms: &Terms, facts: &CallFacts, events: &[Event]) -> (Vec<Vec<Action>>, LiveCall) {
    let ivr_context = IvrContext { terms, facts };
    let (mut live, actions) = LiveCall::start(ivr_context, Timestamp::UNIX_EPOCH);
    let mut steps = vec![actions];
    for event in events {
        let stored = serde_json::to_string(&live).unwrap();
        live = serde_json::from_str(&stored).unwrap();
        let at = live.last_event_at;
        steps.push(live.apply_event(ivr_context, event.clone(), at).unwrap());
    }
    (steps, live)
}

fn dialled(actions: &[Action]) -> Option<&str> {
    actions.iter().find_map(|action| match action {
        Action::Dial { number, .. } => Some(number.as_str()),
        _ => None,
    })
}

#[test]
fn guess_is_confirmed_or_replaced_by_a_code() {
    let zip = |text: &str| Event::Zip(text.to_owned());
    let digits = |text: &str| Event::Digits(text.to_owned());
    let (california, new_york, nowhere) = ("8055550123", "2125550123", "8005550123");
    for (number, events, destination) in [
        // Confirmed.
        (california, vec![Event::Key('1')], Some(IN_CALIFORNIA)),
        (california, vec![digits("1")], Some(IN_CALIFORNIA)),
        (california, vec![digits("1#")], Some(IN_CALIFORNIA)),
        (new_york, vec![Event::Key('1')], Some(ELSEWHERE)),
        (california, vec![Event::Silence, Event::Key('1')], Some(IN_CALIFORNIA)),
        // Replaced.
        (california, vec![zip("10001")], Some(ELSEWHERE)),
        (new_york, vec![zip("93101")], Some(IN_CALIFORNIA)),
        (new_york, vec![digits("93101")], Some(IN_CALIFORNIA)),
        (new_york, vec![digits("93101#")], Some(IN_CALIFORNIA)),
        (new_york, vec![Event::Key('5'), zip("93101")], Some(IN_CALIFORNIA)),
        (nowhere, vec![zip("93101")], Some(IN_CALIFORNIA)),
        (nowhere, vec![Event::Silence, zip("k1a0b1")], Some(ELSEWHERE)),
        // One silence, another key or a code that is none asks again.
        (california, vec![Event::Silence], None),
        (california, vec![Event::Key('2')], None),
        (california, vec![Event::Key('#')], None),
        (california, vec![zip("9310")], None),
        (california, vec![zip("88888")], None),
        (nowhere, vec![Event::Key('1')], None),
        (nowhere, vec![digits("1")], None),
        // After two of them the guess stands, or the place stays unknown.
        (california, vec![Event::Silence, Event::Silence], Some(IN_CALIFORNIA)),
        (california, vec![Event::Key('2'), zip("9310")], Some(IN_CALIFORNIA)),
        (new_york, vec![zip("88888"), Event::Silence], Some(ELSEWHERE)),
        (nowhere, vec![Event::Silence, Event::Key('1')], Some(ELSEWHERE)),
    ] {
        let terms = terms_of(verify("Where are you?", branch()));
        let facts = caller(number);
        let (steps, live) = run_live(&terms, &facts, &events);
        let case = format!("{number} {events:?}");
        let finish = (number != nowhere).then_some('#');
        let question = vec![say("Where are you?"), gather(finish)];
        assert_eq!(steps[0], question, "{case}");
        let last = steps.last().unwrap();
        assert_eq!(dialled(last), destination, "{case}");
        if destination.is_none() {
            assert_eq!(*last, question, "{case}");
        }
        assert!(live.keys.is_empty() && live.position.pressed_keys.is_empty(), "{case}");
    }
}

#[test]
fn reported_region_or_zip_is_not_asked() {
    let terms = terms_of(verify("Where are you?", branch()));
    for (region, zip, destination) in [
        (Some("CA"), None, IN_CALIFORNIA),
        (Some("New York"), None, ELSEWHERE),
        (None, Some("93101"), IN_CALIFORNIA),
        (None, Some("88888"), ELSEWHERE),
    ] {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let facts = CallFacts { region: owned(region), zip: owned(zip), ..caller("2125550123") };
        let facts = facts.with_derived_locations();
        let (steps, _) = run_live(&terms, &facts, &[]);
        assert!(matches!(steps[0].as_slice(), [Action::Dial { .. }]), "{:?}", steps[0]);
        assert_eq!(dialled(&steps[0]), Some(destination), "{region:?} {zip:?}");
    }
    // A reported country alone leaves the question, as does a zip code that is none.
    for facts in [
        CallFacts { country: Some("US".to_owned()), ..caller("2125550123") },
        CallFacts { zip: Some("931".to_owned()), ..caller("2125550123") },
    ] {
        let (steps, _) = run_live(&terms, &facts.with_derived_locations(), &[]);
        assert_eq!(steps[0], [say("Where are you?"), gather(Some('#'))]);
    }
}

#[test]
fn contradicted_guess_is_not_offered() {
    let terms = terms_of(verify("Where are you?", branch()));
    let facts = CallFacts { country: Some("GB".to_owned()), ..caller("8055550123") };
    let facts = facts.with_derived_locations();
    let (steps, _) = run_live(&terms, &facts, &[Event::Zip("93101".to_owned())]);
    assert_eq!(steps[0], [say("Where are you?"), gather(None)]);
    assert_eq!(dialled(&steps[1]), Some(ELSEWHERE), "the reported country takes precedence");
}

#[test]
fn node_without_a_prompt_asks_with_its_own_words() {
    let terms = terms_of(verify_location(branch()));
    let (steps, _) = run_live(&terms, &caller("8055550123"), &[]);
    let [Action::Say(question), Action::Gather { .. }] = steps[0].as_slice() else {
        panic!("{:?}", steps[0]);
    };
    assert!(question.contains("California") && question.contains("press 1"), "{question}");
    let (steps, _) = run_live(&terms, &caller(""), &[]);
    assert_eq!(steps[0], [say("Please enter your zip code."), gather(None)]);
}

#[test]
fn verified_location_is_asked_once() {
    let terms = terms_of(verify("A?", verify("B?", branch())));
    for (event, asks_again) in
        [(Event::Key('1'), false), (Event::Zip("93101".to_owned()), false), (Event::Silence, true)]
    {
        let events = if asks_again { vec![event.clone(), event] } else { vec![event] };
        let (steps, _) = run_live(&terms, &caller("8055550123"), &events);
        let has_prompt = steps.last().unwrap().first() == Some(&say("B?"));
        assert_eq!(has_prompt, asks_again, "{events:?}");
    }
}

fn decide_call(terms: &Terms, facts: &CallFacts, keys: &[char]) -> Decision {
    let admission = Admission { rejection: None, by_affiliate: false };
    let decision = decide(terms, facts, keys, admission);
    let priced = price_call(terms, facts, keys, admission);
    assert_eq!(priced.outcome, decision.outcome);
    let amount = decision.advertiser_payin.as_ref().map(|payin| payin.amount);
    assert_eq!(priced.advertiser_payin.map(|payin| payin.amount), amount);
    decision
}

#[test]
fn dry_run_without_a_zip_confirms_the_guess() {
    let terms = terms_of(verify("Where are you?", menu(vec![branch()])));
    for (number, zip, destination) in [
        ("8055550123", None, IN_CALIFORNIA),
        ("2125550123", None, ELSEWHERE),
        ("8005550123", None, ELSEWHERE),
        ("2125550123", Some("93101"), IN_CALIFORNIA),
        ("8055550123", Some("10001"), ELSEWHERE),
        ("8055550123", Some("none"), IN_CALIFORNIA),
    ] {
        let facts = CallFacts { zip: zip.map(str::to_owned), ..caller(number) };
        let decision = decide_call(&terms, &facts.with_derived_locations(), &['1']);
        assert_eq!(decision.destination_phone_number.as_deref(), Some(destination), "{number}");
        assert_eq!(decision.path[0].node_type, "VerifyLocation");
        assert_eq!(decision.path[0].key, None);
        assert_eq!(decision.pressed_keys.len(), 1);
    }
}

#[test]
fn live_call_is_decided_by_its_answers() {
    let terms = terms_of(verify("Where are you?", menu(vec![branch()])));
    for answers in [
        vec![Event::Key('1')],
        vec![Event::Digits("10001".to_owned())],
        vec![Event::Key('7'), Event::Zip("93101".to_owned())],
        vec![Event::Silence, Event::Key('4')],
    ] {
        let facts = caller("8055550123");
        let rest = [Event::Key('1'), Event::Connected, Event::HungUp];
        let events: Vec<Event> = answers.iter().cloned().chain(rest).collect();
        let (steps, live) = run_live(&terms, &facts, &events);
        assert!(matches!(live.position.state, NodeState::Ended { connected: true }));
        assert_eq!(live.keys, ['1'], "only the menu's key");
        let mut recorded = RecordedFacts {
            facts,
            keys: Vec::new(),
            digits: Vec::new(),
            events: Vec::new(),
            rejection: None,
            by_affiliate: false,
            destination_phone_number: None,
            is_reported: false,
            direction: CallDirection::Inbound,
            end: None,
        };
        live.finish_into(Timestamp::UNIX_EPOCH, Some(CallEnd::CallerHungUp), &mut recorded);
        let decision = recorded.decide(&terms);
        assert_eq!(decision.outcome, Outcome::Connected);
        let live_destination = steps.iter().find_map(|actions| dialled(actions));
        assert_eq!(decision.destination_phone_number.as_deref(), live_destination, "{events:?}");
        let paid = decision.advertiser_payin.unwrap().amount;
        assert_eq!(paid, recorded.price(&terms).advertiser_payin.unwrap().amount);
    }
}
