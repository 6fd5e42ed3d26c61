//! Properties of call decisions: all implementations of the decision agree.

use crate::call::script::CallScript;
use crate::call::{
    Admission, CallFacts, Decision, EvaluationContext, IvrFacts, Outcome, Payment, PhoneType,
    PricedCall, RejectionReason, decide, price_call,
};
use crate::campaign::Terms;
use crate::condition::{Condition, Expr, Key};
use crate::hours::{DayHours, WeeklyHours};
use crate::ivr::run::{self, Action, IvrContext, NodeState, Position, Transition, VisitedNode};
use crate::ivr::{IvrNode, KeypressFailover};
use crate::money::Currency;
use crate::region::{RegionType, find_country, find_state};
use crate::sample::{
    NEWER_NODES, condition_node, connect, end_call, menu, newer_node, pricing, region, sms_promo,
    states, tree, verify_location,
};
use proptest::prelude::*;
use proptest::sample::select;

/// Terms of every kind. [`some_facts`] provides their facts, known or unknown.
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
    let parse = |text: &str| Condition::parse(text).unwrap().expr().clone();
    let term = select(TERMS.to_vec()).prop_map(parse);
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

/// Trees of a few levels; some menu children are failover children.
fn some_tree() -> impl Strategy<Value = IvrNode> {
    let leaf =
        prop_oneof![Just(connect("8005550101")), Just(connect("8005550102")), Just(end_call())];
    let failover = select(vec![None, Some(KeypressFailover::Wrong), Some(KeypressFailover::None)]);
    leaf.prop_recursive(5, 24, 3, move |inner| {
        let child = (inner.clone(), failover.clone())
            .prop_map(|(node, failover)| IvrNode { keypress_failover_type: failover, ..node });
        prop_oneof![
            prop::collection::vec(child, 0..4).prop_map(menu),
            (some_text(), inner.clone(), inner.clone())
                .prop_map(|(text, met, not_met)| condition_node(&text, met, not_met)),
            inner.clone().prop_map(sms_promo),
            inner.clone().prop_map(verify_location),
            (0..NEWER_NODES, inner.clone(), inner)
                .prop_map(|(choice, first, second)| newer_node(choice, first, second)),
        ]
    })
    // Half of the trees ask for the zip code and offer the text message at the root.
    .prop_flat_map(|root| {
        let with_questions = verify_location(sms_promo(root.clone()));
        prop_oneof![Just(root), Just(with_questions)]
    })
}

fn some_terms() -> impl Strategy<Value = Terms> {
    let policy = || (select(vec!["7", "4.50", "0.25"]), some_text());
    let prices = || prop::option::of(prop::collection::vec(policy(), 1..4));
    let hours = prop::option::of((0..86_400_u32, 0..86_400_u32));
    let tree_or_none = prop::option::weighted(0.95, some_tree());
    (tree_or_none, prices(), prices(), hours).prop_map(|(root, payin, payout, hours)| {
        let parse_pricing = |policies: Option<Vec<(&str, String)>>| {
            let policies = policies?;
            let policies: Vec<_> =
                policies.iter().map(|(amount, text)| (*amount, text.as_str())).collect();
            pricing(Currency::Usd, &policies)
        };
        let day = |(open, close)| DayHours { open: Some(open), close: Some(close), closed: None };
        let abroad = [(RegionType::Country, "Canada"), (RegionType::City, "Reno, NV")];
        let mut terms = Terms::new(jiff::Timestamp::UNIX_EPOCH);
        terms.named_regions = vec![states("West", &["CA", "OR"]), region("Abroad", &abroad)];
        terms.ivr_tree = root.and_then(tree);
        terms.advertiser_payin = parse_pricing(payin);
        terms.affiliate_payout = parse_pricing(payout);
        terms.hours = hours.map(|hours| WeeklyHours { days: [day(hours); 7] });
        terms
    })
}

/// Facts without unknown values.
fn all_facts() -> impl Strategy<Value = CallFacts> {
    let word = |words: &[&'static str]| select(words.to_vec()).prop_map(str::to_owned);
    let optional = |words: &[&'static str]| prop::option::of(word(words));
    let times = (0..200_u32, 0..200_u32, 0..1_000_000_i64);
    let flags = any::<(bool, bool, bool)>();
    // Country and region agree. A country that contradicts the region takes precedence over it.
    let regions = [("CA", "US"), ("NV", "US"), ("ny", "US"), ("ON", "Canada"), ("QC", "Canada")];
    let places = (select(regions.to_vec()), word(&["Reno", "Ojai"]));
    let texts = (optional(&["Ann", "Bob"]), optional(&["Online", "Radio"]), optional(&["x"]));
    let rest = (optional(&["a", "b"]), word(&["93101", "10001", "1000", "K1A0B1"]));
    (times, flags, places, texts, rest).prop_map(|(times, flags, places, texts, (data, zip))| {
        let phone = if flags.0 { PhoneType::Mobile } else { PhoneType::Landline };
        CallFacts {
            start_time: jiff::Timestamp::from_second(times.2).ok(),
            duration: Some(times.0.max(times.1)),
            connect_duration: Some(times.1.min(times.0)),
            phone_type: Some(phone),
            country: Some(places.0.1.to_owned()),
            region: Some(places.0.0.to_owned()),
            city: Some(places.1),
            zip: Some(zip),
            repeat: Some(flags.1),
            sms_sent: Some(flags.2),
            custom_data: Some(
                data.map(|value| ("channel".to_owned(), value)).into_iter().collect(),
            ),
            affiliate_name: Some(texts.0),
            media_type: Some(texts.1),
            promo_number_description: Some(texts.2),
            ..CallFacts::default()
        }
    })
}

/// Returns the facts without those whose bit in `mask` is 0.
fn hide_facts(facts: &CallFacts, mask: u32) -> CallFacts {
    let is_known = |bit: u32| mask >> bit & 1 == 1;
    let facts = facts.clone();
    CallFacts {
        start_time: facts.start_time.filter(|_| is_known(0)),
        duration: facts.duration.filter(|_| is_known(1)),
        connect_duration: facts.connect_duration.filter(|_| is_known(2)),
        phone_type: facts.phone_type.filter(|_| is_known(3)),
        country: facts.country.filter(|_| is_known(4)),
        region: facts.region.filter(|_| is_known(5)),
        city: facts.city.filter(|_| is_known(6)),
        zip: facts.zip.filter(|_| is_known(7)),
        repeat: facts.repeat.filter(|_| is_known(8)),
        sms_sent: facts.sms_sent.filter(|_| is_known(9)),
        custom_data: facts.custom_data.filter(|_| is_known(10)),
        inherited_custom_data: facts.inherited_custom_data,
        affiliate_name: facts.affiliate_name.filter(|_| is_known(11)),
        media_type: facts.media_type.filter(|_| is_known(12)),
        promo_number_description: facts.promo_number_description.filter(|_| is_known(13)),
        ..facts
    }
}

fn some_facts() -> impl Strategy<Value = CallFacts> {
    (all_facts(), any::<u32>(), any::<u32>()).prop_map(|(facts, a, b)| hide_facts(&facts, a | b))
}

fn some_keys() -> impl Strategy<Value = Vec<char>> {
    prop::collection::vec(select(vec!['1', '1', '2', '3', '9', '#']), 0..14)
}

fn some_admission() -> impl Strategy<Value = Admission> {
    let rejection = prop::option::weighted(0.1, Just(RejectionReason::OverCap));
    (rejection, any::<bool>())
        .prop_map(|(turned_away, by_affiliate)| Admission { rejection: turned_away, by_affiliate })
}

/// Returns amount and paid policies of a payment with explanations.
fn summarize(payment: &Payment) -> (String, String) {
    let paid = payment.policies.iter().enumerate().filter(|(_, policy)| policy.paid);
    let name = |number| if number == 0 { "base".to_owned() } else { format!("bonus{number}") };
    let names: Vec<String> = paid.map(|(number, _)| name(number)).collect();
    assert_eq!(names.join("+"), payment.matching_policies);
    (format!("{} {:?}", payment.amount, payment.currency), names.join("+"))
}

fn agrees(priced: &PricedCall, decision: &Decision) -> bool {
    let payments = [
        (priced.advertiser_payin, &decision.advertiser_payin),
        (priced.affiliate_payout, &decision.affiliate_payout),
    ];
    let same_payments = payments.into_iter().all(|(paid, payment)| {
        let summary = paid.map(|paid| {
            (format!("{} {:?}", paid.amount, paid.currency), paid.matching.to_string())
        });
        summary == payment.as_ref().map(summarize)
    });
    same_payments && (priced.outcome, priced.reason) == (decision.outcome, decision.reason)
}

/// Executes a call event by event. The position is serialized between events, as on separate
/// servers.
fn execute_stepwise(terms: &Terms, facts: &CallFacts, keys: &[char]) -> (Outcome, Transition) {
    let ivr_context = IvrContext { terms, facts };
    let mut script = CallScript::from_keys(facts, keys);
    let mut total = run::start(ivr_context);
    loop {
        let stored = serde_json::to_string(&total.position).unwrap();
        let position: Position = serde_json::from_str(&stored).unwrap();
        assert_eq!(position, total.position);
        let event = match position.state {
            NodeState::Ended { .. } => return (Outcome::Ended, total),
            NodeState::Connected => return (Outcome::Connected, total),
            state => script.next_event(state),
        };
        let Some(event) = event else { return (Outcome::Abandoned, total) };
        let transition = run::advance(ivr_context, position, &event).unwrap();
        total.position = transition.position;
        total.visited_nodes.extend(transition.visited_nodes);
        total.actions.extend(transition.actions);
    }
}

fn dialled_number(actions: &[Action]) -> Option<&str> {
    actions.iter().rev().find_map(|action| match action {
        Action::Dial { number, .. } => Some(number.as_str()),
        _ => None,
    })
}

fn evaluation_context<'a>(
    facts: &'a CallFacts,
    terms: &'a Terms,
    pressed: &'a [Key],
    has_ended: bool,
) -> EvaluationContext<'a> {
    EvaluationContext {
        facts,
        terms,
        ivr_facts: IvrFacts {
            pressed_keys: pressed,
            connected: has_ended.then_some(true),
            ..IvrFacts::default()
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn priced_call_agrees_with_the_decision(
        terms in some_terms(), facts in some_facts(), keys in some_keys(), admission in some_admission()
    ) {
        let decision = decide(&terms, &facts, &keys, admission);
        let priced = price_call(&terms, &facts, &keys, admission);
        prop_assert!(agrees(&priced, &decision), "{priced:?} {decision:?}");
    }

    #[test]
    fn facts_round_trip_through_json(facts in some_facts()) {
        let stored = serde_json::to_string(&facts).unwrap();
        prop_assert_eq!(serde_json::from_str::<CallFacts>(&stored).unwrap(), facts);
    }

    #[test]
    fn stepwise_execution_agrees_with_the_decision(
        terms in some_terms(), facts in some_facts(), keys in some_keys()
    ) {
        let admission = Admission { rejection: None, by_affiliate: true };
        let decision = decide(&terms, &facts, &keys, admission);
        let (outcome, total) = execute_stepwise(&terms, &facts, &keys);
        prop_assert_eq!(outcome, decision.outcome);
        prop_assert_eq!(&total.position.pressed_keys, &decision.pressed_keys);
        let visited = decision.path.into_iter().map(|step| VisitedNode {
            path: step.path,
            node_type: step.node_type,
            prompt: step.prompt,
            condition: step.condition,
        });
        prop_assert_eq!(visited.collect::<Vec<_>>(), total.visited_nodes);
        let destination = dialled_number(&total.actions).filter(|_| outcome == Outcome::Connected);
        prop_assert_eq!(destination, decision.destination_phone_number.as_deref());
    }

    #[test]
    fn policy_is_met_if_its_condition_is_true(
        terms in some_terms(), facts in some_facts(), keys in some_keys()
    ) {
        let admission = Admission { rejection: None, by_affiliate: true };
        let decision = decide(&terms, &facts, &keys, admission);
        for payment in [decision.advertiser_payin, decision.affiliate_payout].iter().flatten() {
            for policy in &payment.policies {
                prop_assert_eq!(policy.met, policy.condition.value);
            }
        }
    }

    #[test]
    fn value_under_partial_facts_holds_for_every_completion(
        terms in some_terms(), expr in some_expr(), facts in all_facts(), mask in any::<u32>(),
        others in prop::collection::vec(all_facts(), 8), has_ended in any::<bool>(),
    ) {
        let pressed = [Key::Digit(2), Key::Digit(1)];
        let partial = hide_facts(&facts, mask);
        let value = expr.evaluate(&evaluation_context(&partial, &terms, &pressed, has_ended));
        let explained = expr.explain(&evaluation_context(&partial, &terms, &pressed, has_ended));
        prop_assert_eq!(explained.value, value);
        let complete = |other: &CallFacts| complete_facts(&partial, other);
        for full in others.iter().map(complete).chain([facts.clone()]) {
            let full = expr.evaluate(&evaluation_context(&full, &terms, &pressed, true));
            prop_assert!(full.is_some());
            prop_assert!(value.is_none() || value == full, "{value:?} became {full:?}");
        }
    }
}

/// Fills unknown facts from another call. The country stays that of the region.
fn complete_facts(partial: &CallFacts, other: &CallFacts) -> CallFacts {
    let partial = partial.clone();
    let mut other = other.clone();
    let is_in = |country: &str, region: &str| {
        find_state(region).map(|state| state.country)
            == find_country(country).map(|known| known.code)
    };
    match (&partial.country, &partial.region, &other.country, &other.region) {
        (None, Some(region), Some(country), _) if !is_in(country, region) => {
            other.country = find_state(region).map(|state| state.country.to_owned());
        }
        (Some(country), None, _, Some(region)) if !is_in(country, region) => {
            let known = find_country(country).map(|country| country.code);
            other.region = Some(if known == Some("US") { "NV" } else { "ON" }.to_owned());
        }
        _ => {}
    }
    CallFacts {
        start_time: partial.start_time.or(other.start_time),
        duration: partial.duration.or(other.duration),
        connect_duration: partial.connect_duration.or(other.connect_duration),
        phone_type: partial.phone_type.or(other.phone_type),
        country: partial.country.or(other.country),
        region: partial.region.or(other.region),
        city: partial.city.or(other.city),
        zip: partial.zip.or(other.zip),
        repeat: partial.repeat.or(other.repeat),
        sms_sent: partial.sms_sent.or(other.sms_sent),
        custom_data: partial.custom_data.or(other.custom_data),
        inherited_custom_data: partial.inherited_custom_data,
        affiliate_name: partial.affiliate_name.or(other.affiliate_name),
        media_type: partial.media_type.or(other.media_type),
        promo_number_description: partial
            .promo_number_description
            .or(other.promo_number_description),
        ..partial
    }
}
