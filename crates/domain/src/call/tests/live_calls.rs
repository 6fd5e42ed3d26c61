//! Tests of live calls: processed event by event, stored in between, and decided afterwards with
//! the same result.

use super::super::decision::price_with_explanations;
use super::super::*;
use crate::campaign::Terms;
use crate::condition::Key;
use crate::ivr::run::{Action, Event, IvrContext, Position, VisitedNode, advance, start};
use crate::ivr::{IvrNode, KeypressFailover, NodeKind};
use crate::money::Currency;
use crate::sample::{self, condition_node};
use crate::sample::{
    connect, end_call, menu, node, pricing, sms_promo, states, tree, verify_location,
};
use jiff::Timestamp;
use proptest::prelude::*;

fn time_at(second: i64) -> Timestamp {
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

fn some_tree() -> impl Strategy<Value = IvrNode> {
    let end_call_kind = |prompt: &str| NodeKind::EndCall { prompt: prompt.to_owned() };
    let leaf = prop_oneof![
        3 => Just(connect("8005550101")),
        2 => Just(connect("8005550102")),
        1 => Just(end_call()),
        1 => Just(node(end_call_kind("Bye."), Vec::new())),
    ];
    let conditions = ["mobile", "in_region[West]", "sms_sent", "not sms_sent", "repeat"];
    let pressed = ["pressed[1]", "pressed[b 2]", "pressed[W]", "pressed[N] or mobile"];
    let conditions: Vec<&str> = conditions.into_iter().chain(pressed).collect();
    leaf.prop_recursive(5, 24, 3, move |inner| {
        let child = inner.clone();
        let failover_child = (0u8..3, inner.clone()).prop_map(|(kind, mut node)| {
            node.keypress_failover_type = match kind {
                0 => None,
                1 => Some(KeypressFailover::Wrong),
                _ => Some(KeypressFailover::None),
            };
            node
        });
        let condition = prop::sample::select(conditions.clone());
        prop_oneof![
            3 => (child, prop::collection::vec(failover_child, 0..3)).prop_map(|(first, mut rest)| {
                rest.insert(0, first);
                menu(rest)
            }),
            2 => (condition, inner.clone(), inner.clone())
                .prop_map(|(text, met, not_met)| condition_node(text, met, not_met)),
            2 => inner.clone().prop_map(sms_promo),
            2 => inner.clone().prop_map(verify_location),
            5 => (0..sample::NEWER_NODES, inner.clone(), inner)
                .prop_map(|(choice, first, second)| sample::newer_node(choice, first, second)),
        ]
    })
}

fn some_facts() -> impl Strategy<Value = CallFacts> {
    let phone = prop_oneof![
        3 => Just(Some(PhoneType::Mobile)),
        1 => Just(Some(PhoneType::Landline)),
        1 => Just(None),
    ];
    let region = prop::option::of(prop::sample::select(vec!["CA", "NY"]));
    let numbers = prop::sample::select(vec!["", "8005550106", "8005550106, 8005550107;x"]);
    let repeat = prop::option::of(any::<bool>());
    (phone, region, repeat, numbers, 0u32..9).prop_map(
        |(phone_type, region, repeat, numbers, order_seed)| {
            let region = region.map(str::to_owned);
            let custom_data = [("channel".to_owned(), numbers.to_owned())].into_iter().collect();
            CallFacts {
                phone_type,
                region,
                repeat,
                sms_sent: Some(false),
                custom_data: Some(custom_data),
                order_seed,
                ..CallFacts::default()
            }
        },
    )
}

fn some_events() -> impl Strategy<Value = Vec<(Event, i64)>> {
    let event = prop_oneof![
        6 => prop::sample::select(vec!['1', '2', '3', '9', '0', '*']).prop_map(Event::Key),
        3 => Just(Event::Silence),
        2 => Just(Event::Zip("94105".to_owned())),
        3 => Just(Event::Connected),
        1 => Just(Event::Busy),
        1 => Just(Event::NoAnswer),
        1 => Just(Event::Failed),
        2 => prop::sample::select(vec!["94105", "9410", "8005550104"])
            .prop_map(|digits| Event::Digits(digits.to_owned())),
        1 => prop::sample::select(vec!["8005550104", "8005550105"])
            .prop_map(|number| Event::ConnectedTo(number.to_owned())),
        1 => Just(Event::HungUp),
    ];
    prop::collection::vec((event, 0i64..15), 0..40)
}

/// Live call with the recorded course of its execution.
struct ExecutedCall {
    live: LiveCall,
    /// Visited nodes, each with the final key if it is a menu.
    visited: Vec<(VisitedNode, Option<Key>)>,
    /// Numbers that ring, or the one that answered.
    dialled: Vec<String>,
}

impl ExecutedCall {
    fn record(&mut self, visited: Vec<VisitedNode>, actions: &[Action]) {
        self.visited.extend(visited.into_iter().map(|node| (node, None)));
        for action in actions {
            if let Action::Dial { number, also, .. } = action {
                self.dialled = vec![number.clone()];
                self.dialled.extend(also.iter().map(|(_, number)| number.clone()));
            }
        }
    }
}

/// Executes a live call, then hangs up. The state is serialized between events. Each event comes
/// with the seconds since the previous one.
fn execute_live(ivr_context: IvrContext<'_>, events: &[(Event, i64)]) -> ExecutedCall {
    let mut clock = 0;
    let (live, actions) = LiveCall::start(ivr_context, time_at(clock));
    let mut call = ExecutedCall { live, visited: Vec::new(), dialled: Vec::new() };
    call.record(start(ivr_context).visited_nodes, &actions);
    let end = [(Event::HungUp, 3)];
    for (event, seconds) in events.iter().chain(&end) {
        clock += seconds;
        let stored = serde_json::to_string(&call.live).unwrap();
        let mut live: LiveCall = serde_json::from_str(&stored).unwrap();
        assert_eq!(live, call.live);
        let transition = advance(ivr_context, live.position.clone(), event);
        let Ok(actions) = live.apply_event(ivr_context, event.clone(), time_at(clock)) else {
            assert!(transition.is_err());
            assert_eq!(live, call.live, "an unexpected event changes nothing");
            continue;
        };
        let levels = call.live.position.pressed_keys.len();
        let new_key = live.position.pressed_keys.get(levels);
        if let (Some(key), Some(last)) = (new_key, call.visited.last_mut()) {
            last.1 = Some(*key);
        }
        call.live = live;
        match event {
            Event::Connected => call.dialled.truncate(1),
            Event::ConnectedTo(number) if call.dialled.contains(number) => {
                call.dialled = vec![number.clone()];
            }
            Event::ConnectedTo(_) => call.dialled.truncate(1),
            _ => {}
        }
        call.record(transition.unwrap().visited_nodes, &actions);
        if call.live.outcome().is_some() {
            break;
        }
    }
    call
}

proptest! {
    #[test]
    fn decision_agrees_with_the_live_execution(
        root in some_tree(),
        facts in some_facts(),
        events in some_events(),
        by_affiliate in any::<bool>(),
    ) {
        let terms = terms(root);
        let call = execute_live(IvrContext { terms: &terms, facts: &facts }, &events);
        let outcome = call.live.outcome().expect("hanging up ends every call");
        let position = call.live.position.clone();
        let mut recorded = RecordedFacts {
            facts, keys: Vec::new(), digits: Vec::new(), events: Vec::new(), rejection: None, by_affiliate,
            destination_phone_number: None,
            is_reported: false,
            direction: CallDirection::Inbound,
            end: None,
        };
        call.live.finish_into(time_at(0), Some(CallEnd::CallerHungUp), &mut recorded);
        let stored = serde_json::to_string(&recorded).unwrap();
        prop_assert_eq!(serde_json::from_str::<RecordedFacts>(&stored).unwrap(), recorded.clone());
        let decided = recorded.decide(&terms);
        prop_assert_eq!(decided.outcome, outcome);
        prop_assert_eq!(&decided.pressed_keys, &position.pressed_keys);
        prop_assert_eq!(decided.sms_sent, Some(position.sms_sent));
        prop_assert_eq!(decided.connect_duration, recorded.facts.connect_duration);
        let connected = outcome == Outcome::Connected;
        prop_assert_eq!(
            decided.destination_phone_number,
            call.dialled.into_iter().next().filter(|_| connected)
        );
        let path: Vec<(VisitedNode, Option<Key>)> = decided.path.into_iter().map(|step| {
            let PathStep { path, node_type, prompt, key, condition, .. } = step;
            (VisitedNode { path, node_type, prompt, condition }, key)
        }).collect();
        prop_assert_eq!(path, call.visited);
        let Position { sms_sent, .. } = position;
        let zip = position.zip.as_ref();
        let location = zip.and_then(ZipCode::location);
        let pressed_keys = &position.pressed_keys;
        let answers = position.answers.as_slice();
        let ivr_facts = IvrFacts { pressed_keys, answers, sms_sent, zip, location, connected: Some(connected), ..IvrFacts::default() };
        let context = EvaluationContext { facts: &recorded.facts, terms: &terms, ivr_facts };
        let price = |pricing| price_with_explanations(pricing, &context);
        prop_assert_eq!(decided.advertiser_payin, terms.advertiser_payin.as_ref().map(price));
        let payout = terms.affiliate_payout.as_ref().filter(|_| by_affiliate);
        prop_assert_eq!(decided.affiliate_payout, payout.map(price));
        // The events determine the decision; the keys are ignored.
        let other = RecordedFacts { keys: vec!['1'; 9], ..recorded.clone() };
        prop_assert_eq!(other.decide(&terms).pressed_keys, decided.pressed_keys);
    }

    #[test]
    fn live_call_can_be_replayed_through_another_tree(
        root in some_tree(),
        other in some_tree(),
        facts in some_facts(),
        events in some_events(),
    ) {
        let own = terms(root);
        let other = terms(other);
        let call = execute_live(IvrContext { terms: &own, facts: &facts }, &events);
        let mut recorded = RecordedFacts {
            facts, keys: Vec::new(), digits: Vec::new(), events: Vec::new(), rejection: None, by_affiliate: true,
            destination_phone_number: None,
            is_reported: false,
            direction: CallDirection::Inbound,
            end: None,
        };
        call.live.finish_into(time_at(0), Some(CallEnd::CallerHungUp), &mut recorded);
        let decided = recorded.decide(&other);
        let first = decided.path.first().map(|step| step.path.clone());
        prop_assert_eq!(first, Some(Vec::new()));
        let connected = decided.outcome == Outcome::Connected;
        prop_assert_eq!(decided.destination_phone_number.is_some(), connected);
        prop_assert!(connected || decided.connect_duration == Some(0));
    }
}

#[test]
fn replay_without_a_menu_keeps_the_connection() {
    let with_menu = terms(menu(vec![connect("8005550101")]));
    let without = terms(connect("8005550102"));
    let facts = CallFacts { sms_sent: Some(false), ..CallFacts::default() };
    let events = [(Event::Key('1'), 5), (Event::Connected, 5), (Event::HungUp, 60)];
    let call = execute_live(IvrContext { terms: &with_menu, facts: &facts }, &events);
    let mut recorded = RecordedFacts {
        facts,
        keys: Vec::new(),
        digits: Vec::new(),
        events: Vec::new(),
        rejection: None,
        by_affiliate: true,
        destination_phone_number: None,
        is_reported: false,
        direction: CallDirection::Inbound,
        end: None,
    };
    call.live.finish_into(time_at(0), Some(CallEnd::CallerHungUp), &mut recorded);
    assert_eq!((recorded.facts.duration, recorded.facts.connect_duration), (Some(70), Some(60)));
    let direct = recorded.decide(&without);
    assert_eq!(direct.outcome, Outcome::Connected);
    assert_eq!(direct.destination_phone_number.as_deref(), Some("8005550102"));
    // The caller never answered the second menu.
    let two_menus = terms(menu(vec![menu(vec![connect("8005550101")])]));
    assert_eq!(recorded.decide(&two_menus).outcome, Outcome::Abandoned);
}

#[test]
fn sent_message_is_known_to_later_nodes() {
    let branch = condition_node("sms_sent", connect("8005550101"), connect("8005550102"));
    let terms = terms(sample::sms_promo(branch));
    let phone_type = Some(PhoneType::Mobile);
    let facts = CallFacts { phone_type, sms_sent: Some(false), ..CallFacts::default() };
    for (key, number) in [('9', "8005550101"), ('1', "8005550102")] {
        let events = [(Event::Key(key), 1)];
        let call = execute_live(IvrContext { terms: &terms, facts: &facts }, &events);
        assert_eq!(call.dialled, [number]);
    }
}

#[test]
fn prompt_finishes_once() {
    let terms = terms(menu(vec![connect("8005550101")]));
    let facts = CallFacts::default();
    let ivr_context = IvrContext { terms: &terms, facts: &facts };
    let (mut live, _) = LiveCall::start(ivr_context, time_at(0));
    assert!(live.finish_prompt(time_at(1)).is_ok());
    assert!(live.finish_prompt(time_at(2)).is_err());
    assert_eq!(live.last_event_at, time_at(1));
    // After a wrong key the menu is replayed.
    live.apply_event(ivr_context, Event::Key('5'), time_at(3)).unwrap();
    assert!(live.finish_prompt(time_at(4)).is_ok());
    live.apply_event(ivr_context, Event::Key('1'), time_at(5)).unwrap();
    assert!(live.finish_prompt(time_at(6)).is_err(), "no prompt plays while the destination rings");
}

#[test]
fn measured_durations_take_precedence_and_connect_the_call() {
    let terms = terms(connect("8005550101"));
    let facts = CallFacts { sms_sent: Some(false), ..CallFacts::default() };
    let context = IvrContext { terms: &terms, facts: &facts };
    let ended = |events: &[(Event, i64)], end, connect_duration| {
        let mut call = execute_live(context, events);
        call.live.measured = MeasuredDurations { duration: None, connect_duration };
        let mut recorded = RecordedFacts {
            facts: facts.clone(),
            keys: Vec::new(),
            digits: Vec::new(),
            events: Vec::new(),
            rejection: None,
            by_affiliate: true,
            destination_phone_number: None,
            is_reported: false,
            direction: CallDirection::Inbound,
            end: None,
        };
        call.live.finish_into(time_at(0), Some(end), &mut recorded);
        let decided = recorded.decide(&terms);
        (decided.outcome, decided.connect_duration, recorded.facts.duration)
    };
    let talk = [(Event::Connected, 5), (Event::HungUp, 60)];
    let lost = [(Event::HungUp, 65)];
    let caller = CallEnd::CallerHungUp;
    assert_eq!(ended(&talk, caller, None), (Outcome::Connected, Some(60), Some(65)));
    assert_eq!(ended(&talk, caller, Some(58)), (Outcome::Connected, Some(58), Some(65)));
    assert_eq!(ended(&lost, caller, Some(60)), (Outcome::Connected, Some(60), Some(65)));
    assert_eq!(ended(&lost, caller, Some(0)), (Outcome::Abandoned, Some(0), Some(65)));
    assert_eq!(ended(&lost, caller, None), (Outcome::Abandoned, Some(0), Some(65)));
    let limit = CallEnd::TimeLimit;
    assert_eq!(ended(&talk, limit, None), (Outcome::Connected, None, None));
    assert_eq!(ended(&lost, limit, None), (Outcome::Abandoned, Some(0), Some(65)));
}
