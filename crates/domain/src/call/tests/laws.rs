//! Laws of calls: every way of deciding one comes to the same.

use crate::call::inputs::Inputs;
use crate::call::{
    CallFacts, Decision, Gate, Known, Outcome, Payment, PhoneType, TurnedAway, Verdict, Way,
    decide, price_call,
};
use crate::campaign::Terms;
use crate::condition::{Condition, Expr, Key};
use crate::hours::{Day, Hours};
use crate::ivr::run::{self, Action, Doing, Flow, Moved, Passed, Position};
use crate::ivr::{IvrNode, KeypressFailover};
use crate::money::Currency;
use crate::region::RegionType;
use crate::sample::{
    connect, end, menu, pricing, region, sms_promo, states, tree, verify_location, when,
};
use proptest::prelude::*;
use proptest::sample::select;

/// Terms of every kind, about facts that [`some_facts`] say or leave open.
const TERMS: [&str; 18] = [
    "duration > 60",
    "duration = 90",
    "connect_duration >= 30",
    "repeat",
    "mobile",
    "landline",
    "sms_sent",
    "during_hours",
    "in_region",
    "in_region[West]",
    "in_region[Abroad]",
    "pressed[1]",
    "pressed[2 1]",
    "pressed[b N]",
    r#"custom_data[channel] contains "a""#,
    r#"affiliate_name = "Ann""#,
    r#"media_type != "Online""#,
    "promo_number_description present",
];

fn some_expr() -> impl Strategy<Value = Expr> {
    let read = |text: &str| Condition::parse(text).unwrap().expr().clone();
    let term = select(TERMS.to_vec()).prop_map(read);
    term.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(Expr::not),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::and),
            prop::collection::vec(inner, 1..4).prop_map(Expr::or),
        ]
    })
}

fn some_text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), some_expr().prop_map(|expr| expr.to_string())]
}

/// A tree of a few levels, some of its children for wrong keys or none.
fn some_tree() -> impl Strategy<Value = IvrNode> {
    let leaf = prop_oneof![Just(connect("8005550101")), Just(connect("8005550102")), Just(end())];
    let failover = select(vec![None, Some(KeypressFailover::Wrong), Some(KeypressFailover::None)]);
    leaf.prop_recursive(5, 24, 3, move |inner| {
        let child = (inner.clone(), failover.clone())
            .prop_map(|(node, failover)| IvrNode { keypress_failover_type: failover, ..node });
        prop_oneof![
            prop::collection::vec(child, 0..4).prop_map(menu),
            (some_text(), inner.clone(), inner.clone())
                .prop_map(|(text, met, not_met)| when(&text, met, not_met)),
            inner.clone().prop_map(sms_promo),
            inner.prop_map(verify_location),
        ]
    })
    // What is asked for at the root is known in all the rest.
    .prop_flat_map(|root| {
        let asked = verify_location(sms_promo(root.clone()));
        prop_oneof![Just(root), Just(asked)]
    })
}

fn some_terms() -> impl Strategy<Value = Terms> {
    let policy = || (select(vec!["7", "4.50", "0.25"]), some_text());
    let prices = || prop::option::of(prop::collection::vec(policy(), 1..4));
    let hours = prop::option::of((0..86_400_u32, 0..86_400_u32));
    let tree_or_none = prop::option::weighted(0.95, some_tree());
    (tree_or_none, prices(), prices(), hours).prop_map(|(root, payin, payout, hours)| {
        let priced = |policies: Option<Vec<(&str, String)>>| {
            let policies = policies?;
            let policies: Vec<_> = policies.iter().map(|(it, text)| (*it, text.as_str())).collect();
            pricing(Currency::Usd, &policies)
        };
        let day = |(open, close)| Day { open: Some(open), close: Some(close), closed: None };
        let abroad = [(RegionType::Country, "Canada"), (RegionType::City, "Reno, NV")];
        let mut terms = Terms::new(jiff::Timestamp::UNIX_EPOCH);
        terms.named_regions = vec![states("West", &["CA", "OR"]), region("Abroad", &abroad)];
        terms.ivr_tree = root.and_then(tree);
        terms.advertiser_payin = priced(payin);
        terms.affiliate_payout = priced(payout);
        terms.hours = hours.map(|hours| Hours { days: [day(hours); 7] });
        terms
    })
}

/// Facts that are all known.
fn all_facts() -> impl Strategy<Value = CallFacts> {
    let word = |words: &[&'static str]| select(words.to_vec()).prop_map(str::to_owned);
    let there = |words: &[&'static str]| prop::option::of(word(words));
    let times = (0..200_u32, 0..200_u32, 0..1_000_000_i64);
    let flags = any::<(bool, bool, bool)>();
    let places =
        (word(&["CA", "NV", "ny", "ON"]), word(&["US", "Canada"]), word(&["Reno", "Ojai"]));
    let texts = (there(&["Ann", "Bob"]), there(&["Online", "Radio"]), there(&["x"]));
    let rest = (there(&["a", "b"]), word(&["93101", "10001", "1000", "K1A0B1"]));
    (times, flags, places, texts, rest).prop_map(|(times, flags, places, texts, (data, zip))| {
        let phone = if flags.0 { PhoneType::Mobile } else { PhoneType::Landline };
        CallFacts {
            start_time: jiff::Timestamp::from_second(times.2).ok(),
            duration: Some(times.0.max(times.1)),
            connect_duration: Some(times.1.min(times.0)),
            phone_type: Some(phone),
            country: Some(places.1),
            region: Some(places.0),
            city: Some(places.2),
            zip: Some(zip),
            repeat: Some(flags.1),
            sms_sent: Some(flags.2),
            custom_data: Some(data.map(|it| ("channel".to_owned(), it)).into_iter().collect()),
            affiliate_name: Some(texts.0),
            media_type: Some(texts.1),
            promo_number_description: Some(texts.2),
            ..CallFacts::default()
        }
    })
}

/// The facts with some of them unknown.
fn veiled(facts: &CallFacts, veil: u32) -> CallFacts {
    let seen = |bit: u32| veil >> bit & 1 == 1;
    let facts = facts.clone();
    CallFacts {
        start_time: facts.start_time.filter(|_| seen(0)),
        duration: facts.duration.filter(|_| seen(1)),
        connect_duration: facts.connect_duration.filter(|_| seen(2)),
        phone_type: facts.phone_type.filter(|_| seen(3)),
        country: facts.country.filter(|_| seen(4)),
        region: facts.region.filter(|_| seen(5)),
        city: facts.city.filter(|_| seen(6)),
        zip: facts.zip.filter(|_| seen(7)),
        repeat: facts.repeat.filter(|_| seen(8)),
        sms_sent: facts.sms_sent.filter(|_| seen(9)),
        custom_data: facts.custom_data.filter(|_| seen(10)),
        affiliate_name: facts.affiliate_name.filter(|_| seen(11)),
        media_type: facts.media_type.filter(|_| seen(12)),
        promo_number_description: facts.promo_number_description.filter(|_| seen(13)),
        ..facts
    }
}

fn some_facts() -> impl Strategy<Value = CallFacts> {
    (all_facts(), any::<u32>(), any::<u32>()).prop_map(|(facts, a, b)| veiled(&facts, a | b))
}

fn some_keys() -> impl Strategy<Value = Vec<char>> {
    prop::collection::vec(select(vec!['1', '1', '2', '3', '9', '#']), 0..14)
}

fn some_gate() -> impl Strategy<Value = Gate> {
    let shut = prop::option::weighted(0.1, Just(TurnedAway::OverCap));
    (shut, any::<bool>()).prop_map(|(turned_away, by_affiliate)| Gate { turned_away, by_affiliate })
}

/// What a full decision says as a light one does.
fn lightened(payment: &Payment) -> (String, String) {
    let paid = payment.policies.iter().enumerate().filter(|(_, policy)| policy.paid);
    let name = |number| if number == 0 { "base".to_owned() } else { format!("bonus{number}") };
    let names: Vec<String> = paid.map(|(number, _)| name(number)).collect();
    assert_eq!(names.join("+"), payment.matching_policies);
    (format!("{} {:?}", payment.amount, payment.currency), names.join("+"))
}

fn agrees(verdict: &Verdict, decision: &Decision) -> bool {
    let payments = [
        (verdict.advertiser_payin, &decision.advertiser_payin),
        (verdict.affiliate_payout, &decision.affiliate_payout),
    ];
    let same = payments.into_iter().all(|(paid, payment)| {
        let light =
            paid.map(|it| (format!("{} {:?}", it.amount, it.currency), it.matching.to_string()));
        light == payment.as_ref().map(lightened)
    });
    same && (verdict.outcome, verdict.reason) == (decision.outcome, decision.reason)
}

/// The call as an edge would take it: event by event, each on a server that reads the position
/// from where the last one put it.
fn stepped(terms: &Terms, facts: &CallFacts, keys: &[char]) -> (Outcome, Moved) {
    let flow = Flow { terms, facts };
    let mut inputs = Inputs::told(facts, keys);
    let mut all = run::start(flow);
    loop {
        let stored = serde_json::to_string(&all.position).unwrap();
        let position: Position = serde_json::from_str(&stored).unwrap();
        assert_eq!(position, all.position);
        let event = match position.doing {
            Doing::Over { .. } => return (Outcome::Ended, all),
            Doing::Talking => return (Outcome::Connected, all),
            doing => inputs.next(doing),
        };
        let Some(event) = event else { return (Outcome::Abandoned, all) };
        let moved = run::advance(flow, position, &event).unwrap();
        all.position = moved.position;
        all.passed.extend(moved.passed);
        all.actions.extend(moved.actions);
    }
}

fn dialled(actions: &[Action]) -> Option<&str> {
    actions.iter().rev().find_map(|action| match action {
        Action::Dial { number, .. } => Some(number.as_str()),
        _ => None,
    })
}

fn known<'a>(facts: &'a CallFacts, terms: &'a Terms, pressed: &'a [Key], over: bool) -> Known<'a> {
    Known { facts, terms, way: Way { pressed, over: over.then_some(true), ..Way::default() } }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_verdict_is_its_decision_without_the_reasons(
        terms in some_terms(), facts in some_facts(), keys in some_keys(), gate in some_gate()
    ) {
        let decision = decide(&terms, &facts, &keys, gate);
        let verdict = price_call(&terms, &facts, &keys, gate);
        prop_assert!(agrees(&verdict, &decision), "{verdict:?} {decision:?}");
    }

    #[test]
    fn facts_are_read_as_they_were_stored(facts in some_facts()) {
        let stored = serde_json::to_string(&facts).unwrap();
        prop_assert_eq!(serde_json::from_str::<CallFacts>(&stored).unwrap(), facts);
    }

    #[test]
    fn a_call_taken_event_by_event_ends_as_it_is_decided(
        terms in some_terms(), facts in some_facts(), keys in some_keys()
    ) {
        let gate = Gate { turned_away: None, by_affiliate: true };
        let decision = decide(&terms, &facts, &keys, gate);
        let (outcome, moved) = stepped(&terms, &facts, &keys);
        prop_assert_eq!(outcome, decision.outcome);
        prop_assert_eq!(&moved.position.pressed, &decision.pressed);
        let way = decision.path.into_iter().map(|it| Passed {
            at: it.at,
            node_type: it.node_type,
            prompt: it.prompt,
            condition: it.condition,
        });
        prop_assert_eq!(way.collect::<Vec<_>>(), moved.passed);
        let destination = dialled(&moved.actions).filter(|_| outcome == Outcome::Connected);
        prop_assert_eq!(destination, decision.destination_phone_number.as_deref());
    }

    #[test]
    fn a_policy_is_met_as_its_condition_evaluates(
        terms in some_terms(), facts in some_facts(), keys in some_keys()
    ) {
        let gate = Gate { turned_away: None, by_affiliate: true };
        let decision = decide(&terms, &facts, &keys, gate);
        for payment in [decision.advertiser_payin, decision.affiliate_payout].iter().flatten() {
            for policy in &payment.policies {
                prop_assert_eq!(policy.met, policy.condition.value);
            }
        }
    }

    #[test]
    fn what_is_said_of_some_facts_holds_however_the_others_turn_out(
        terms in some_terms(), expr in some_expr(), facts in all_facts(), veil in any::<u32>(),
        others in prop::collection::vec(all_facts(), 8), over in any::<bool>(),
    ) {
        let pressed = [Key::Digit(2), Key::Digit(1)];
        let partly = veiled(&facts, veil);
        let value = expr.evaluate(&known(&partly, &terms, &pressed, over));
        let explained = expr.explain(&known(&partly, &terms, &pressed, over));
        prop_assert_eq!(explained.value, value);
        let whole = |other: &CallFacts| completed(&partly, other);
        for full in others.iter().map(whole).chain([facts.clone()]) {
            let full = expr.evaluate(&known(&full, &terms, &pressed, true));
            prop_assert!(full.is_some());
            prop_assert!(value.is_none() || value == full, "{value:?} became {full:?}");
        }
    }
}

/// The facts, with what they leave open taken from others.
fn completed(partly: &CallFacts, other: &CallFacts) -> CallFacts {
    let (partly, other) = (partly.clone(), other.clone());
    CallFacts {
        start_time: partly.start_time.or(other.start_time),
        duration: partly.duration.or(other.duration),
        connect_duration: partly.connect_duration.or(other.connect_duration),
        phone_type: partly.phone_type.or(other.phone_type),
        country: partly.country.or(other.country),
        region: partly.region.or(other.region),
        city: partly.city.or(other.city),
        zip: partly.zip.or(other.zip),
        repeat: partly.repeat.or(other.repeat),
        sms_sent: partly.sms_sent.or(other.sms_sent),
        custom_data: partly.custom_data.or(other.custom_data),
        affiliate_name: partly.affiliate_name.or(other.affiliate_name),
        media_type: partly.media_type.or(other.media_type),
        promo_number_description: partly
            .promo_number_description
            .or(other.promo_number_description),
        ..partly
    }
}
