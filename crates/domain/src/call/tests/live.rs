//! Calls that are driven event by event, kept in between, and decided afterwards as they went.

use super::super::decision::pay;
use super::super::*;
use crate::campaign::Terms;
use crate::condition::Key;
use crate::ivr::run::{Action, Event, Flow, Passed, Position, advance, start};
use crate::ivr::{IvrNode, KeypressFailover, NodeKind};
use crate::money::Currency;
use crate::sample::{self, when};
use crate::sample::{connect, end, menu, node, pricing, sms_promo, states, tree, verify_location};
use jiff::Timestamp;
use proptest::prelude::*;

fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn terms(root: IvrNode) -> Terms {
    let mut terms = Terms::new(Timestamp::UNIX_EPOCH);
    terms.ivr_tree = tree(root);
    terms.named_regions = vec![states("West", &["CA"])];
    let bonuses = [("1", "duration > 20"), ("2", "connect_duration >= 10 and not repeat")];
    let bonuses = [bonuses[0], bonuses[1], ("4", "sms_sent"), ("8", "pressed[1]")];
    terms.advertiser_payin = pricing(Currency::Usd, &[&[("100", "")][..], &bonuses].concat());
    let payout = [("16", "connect_duration > 0"), ("32", "in_region[West] or pressed[N]")];
    terms.affiliate_payout = pricing(Currency::Eur, &payout);
    terms
}

fn trees() -> impl Strategy<Value = IvrNode> {
    let talking = |prompt: &str| NodeKind::EndCall { prompt: prompt.to_owned() };
    let leaf = prop_oneof![
        3 => Just(connect("8005550101")),
        2 => Just(connect("8005550102")),
        1 => Just(end()),
        1 => Just(node(talking("Bye."), Vec::new())),
    ];
    let conditions = ["mobile", "in_region[West]", "sms_sent", "not sms_sent", "repeat"];
    let pressed = ["pressed[1]", "pressed[b 2]", "pressed[W]", "pressed[N] or mobile"];
    let conditions: Vec<&str> = conditions.into_iter().chain(pressed).collect();
    leaf.prop_recursive(5, 24, 3, move |inner| {
        let child = inner.clone();
        let failing = (0u8..3, inner.clone()).prop_map(|(kind, mut node)| {
            node.keypress_failover_type = match kind {
                0 => None,
                1 => Some(KeypressFailover::Wrong),
                _ => Some(KeypressFailover::None),
            };
            node
        });
        let condition = prop::sample::select(conditions.clone());
        prop_oneof![
            3 => (child, prop::collection::vec(failing, 0..3)).prop_map(|(first, mut rest)| {
                rest.insert(0, first);
                menu(rest)
            }),
            2 => (condition, inner.clone(), inner.clone())
                .prop_map(|(text, met, not)| when(text, met, not)),
            2 => inner.clone().prop_map(sms_promo),
            2 => inner.prop_map(verify_location),
        ]
    })
}

fn facts() -> impl Strategy<Value = CallFacts> {
    let phone = prop_oneof![
        3 => Just(Some(PhoneType::Mobile)),
        1 => Just(Some(PhoneType::Landline)),
        1 => Just(None),
    ];
    let region = prop::option::of(prop::sample::select(vec!["CA", "NY"]));
    (phone, region, prop::option::of(any::<bool>())).prop_map(|(phone_type, region, repeat)| {
        let region = region.map(str::to_owned);
        CallFacts { phone_type, region, repeat, sms_sent: Some(false), ..CallFacts::default() }
    })
}

fn events() -> impl Strategy<Value = Vec<(Event, i64)>> {
    let event = prop_oneof![
        6 => prop::sample::select(vec!['1', '2', '3', '9', '0', '*']).prop_map(Event::Key),
        3 => Just(Event::Silence),
        2 => Just(Event::Zip("94105".to_owned())),
        3 => Just(Event::Connected),
        1 => Just(Event::Busy),
        1 => Just(Event::NoAnswer),
        1 => Just(Event::HungUp),
    ];
    prop::collection::vec((event, 0i64..15), 0..40)
}

/// A call as it went, event by event: kept as text in between.
struct Went {
    live: Live,
    passed: Vec<(Passed, Option<Key>)>,
    dialled: Option<String>,
}

impl Went {
    fn note(&mut self, passed: Vec<Passed>, actions: &[Action]) {
        self.passed.extend(passed.into_iter().map(|it| (it, None)));
        for action in actions {
            if let Action::Dial { number, .. } = action {
                self.dialled = Some(number.clone());
            }
        }
    }
}

fn drive(flow: Flow<'_>, events: &[(Event, i64)]) -> Went {
    let mut clock = 0;
    let (live, actions) = Live::start(flow, moment(clock));
    let mut went = Went { live, passed: Vec::new(), dialled: None };
    went.note(start(flow).passed, &actions);
    let end = [(Event::HungUp, 3)];
    for (event, seconds) in events.iter().chain(&end) {
        clock += seconds;
        let kept = serde_json::to_string(&went.live).unwrap();
        let mut live: Live = serde_json::from_str(&kept).unwrap();
        assert_eq!(live, went.live);
        let moved = advance(flow, live.position.clone(), event);
        let Ok(actions) = live.hear(flow, event.clone(), moment(clock)) else {
            assert!(moved.is_err());
            assert_eq!(live, went.live, "what is refused changes nothing");
            continue;
        };
        let levels = went.live.position.pressed.len();
        if let (Some(key), Some(last)) = (live.position.pressed.get(levels), went.passed.last_mut())
        {
            last.1 = Some(*key);
        }
        went.live = live;
        went.note(moved.unwrap().passed, &actions);
        if went.live.outcome().is_some() {
            break;
        }
    }
    went
}

proptest! {
    #[test]
    fn a_live_call_is_decided_as_it_went(
        root in trees(),
        facts in facts(),
        events in events(),
        by_affiliate in any::<bool>(),
    ) {
        let terms = terms(root);
        let went = drive(Flow { terms: &terms, facts: &facts }, &events);
        let outcome = went.live.outcome().expect("hanging up ends every call");
        let position = went.live.position.clone();
        let mut heard = Heard {
            facts, keys: Vec::new(), events: Vec::new(), turned_away: None, by_affiliate,
            destination_phone_number: None,
        };
        went.live.close(moment(0), &mut heard);
        let kept = serde_json::to_string(&heard).unwrap();
        prop_assert_eq!(serde_json::from_str::<Heard>(&kept).unwrap(), heard.clone());
        let decided = heard.decide(&terms);
        prop_assert_eq!(decided.outcome, outcome);
        prop_assert_eq!(&decided.pressed, &position.pressed);
        prop_assert_eq!(decided.sms_sent, Some(position.sms_sent));
        prop_assert_eq!(decided.connect_duration, heard.facts.connect_duration);
        let talked = outcome == Outcome::Connected;
        prop_assert_eq!(decided.destination_phone_number, went.dialled.filter(|_| talked));
        let path: Vec<(Passed, Option<Key>)> = decided.path.into_iter().map(|it| {
            let Step { at, node_type, prompt, key, condition } = it;
            (Passed { at, node_type, prompt, condition }, key)
        }).collect();
        prop_assert_eq!(path, went.passed);
        let Position { sms_sent, .. } = position;
        let zip = position.zip.as_ref();
        let place = zip.and_then(ZipCode::place);
        let way = Way { pressed: &position.pressed, sms_sent, zip, place, over: Some(talked) };
        let known = Known { facts: &heard.facts, terms: &terms, way };
        let payin = terms.advertiser_payin.as_ref().map(|it| pay(it, &known));
        prop_assert_eq!(decided.advertiser_payin, payin);
        let payout = terms.affiliate_payout.as_ref().filter(|_| by_affiliate);
        prop_assert_eq!(decided.affiliate_payout, payout.map(|it| pay(it, &known)));
        // What happened counts, and not what is said of its keys.
        let other = Heard { keys: vec!['1'; 9], ..heard.clone() };
        prop_assert_eq!(other.decide(&terms).pressed, decided.pressed);
    }

    #[test]
    fn a_live_call_can_be_sent_down_another_tree(
        root in trees(),
        other in trees(),
        facts in facts(),
        events in events(),
    ) {
        let (own, other) = (terms(root), terms(other));
        let went = drive(Flow { terms: &own, facts: &facts }, &events);
        let mut heard = Heard {
            facts, keys: Vec::new(), events: Vec::new(), turned_away: None, by_affiliate: true,
            destination_phone_number: None,
        };
        went.live.close(moment(0), &mut heard);
        let decided = heard.decide(&other);
        let first = decided.path.first().map(|step| step.at.clone());
        prop_assert_eq!(first, Some(Vec::new()));
        let talked = decided.outcome == Outcome::Connected;
        prop_assert_eq!(decided.destination_phone_number.is_some(), talked);
        prop_assert!(talked || decided.connect_duration == Some(0));
    }
}

#[test]
fn a_menu_that_went_away_does_not_take_the_connection_with_it() {
    let with_menu = terms(menu(vec![connect("8005550101")]));
    let without = terms(connect("8005550102"));
    let facts = CallFacts { sms_sent: Some(false), ..CallFacts::default() };
    let events = [(Event::Key('1'), 5), (Event::Connected, 5), (Event::HungUp, 60)];
    let went = drive(Flow { terms: &with_menu, facts: &facts }, &events);
    let mut heard = Heard {
        facts,
        keys: Vec::new(),
        events: Vec::new(),
        turned_away: None,
        by_affiliate: true,
        destination_phone_number: None,
    };
    went.live.close(moment(0), &mut heard);
    assert_eq!((heard.facts.duration, heard.facts.connect_duration), (Some(70), Some(60)));
    let direct = heard.decide(&without);
    assert_eq!(direct.outcome, Outcome::Connected);
    assert_eq!(direct.destination_phone_number.as_deref(), Some("8005550102"));
    // A menu in its place is one that the caller never answered.
    let two_menus = terms(menu(vec![menu(vec![connect("8005550101")])]));
    assert_eq!(heard.decide(&two_menus).outcome, Outcome::Abandoned);
}

#[test]
fn a_message_that_was_sent_is_known_from_then_on() {
    let asks = when("sms_sent", connect("8005550101"), connect("8005550102"));
    let terms = terms(sample::sms_promo(asks));
    let phone_type = Some(PhoneType::Mobile);
    let facts = CallFacts { phone_type, sms_sent: Some(false), ..CallFacts::default() };
    for (key, number) in [('9', "8005550101"), ('1', "8005550102")] {
        let events = [(Event::Key(key), 1)];
        let went = drive(Flow { terms: &terms, facts: &facts }, &events);
        assert_eq!(went.dialled.as_deref(), Some(number));
    }
}

#[test]
fn speaking_ends_once() {
    let terms = terms(menu(vec![connect("8005550101")]));
    let facts = CallFacts::default();
    let flow = Flow { terms: &terms, facts: &facts };
    let (mut live, _) = Live::start(flow, moment(0));
    assert!(live.finish_speaking(moment(1)).is_ok());
    assert!(live.finish_speaking(moment(2)).is_err());
    assert_eq!(live.heard_at, moment(1));
    // A wrong key: the menu is said again.
    live.hear(flow, Event::Key('5'), moment(3)).unwrap();
    assert!(live.finish_speaking(moment(4)).is_ok());
    live.hear(flow, Event::Key('1'), moment(5)).unwrap();
    assert!(live.finish_speaking(moment(6)).is_err(), "nothing is said while it rings");
}
