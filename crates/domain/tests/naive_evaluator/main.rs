//! Comparison of the domain's decisions with those of a second evaluator, on generated calls.
//!
//! [`naive`] is written from the description of the API alone, in the most direct way, and shares no
//! code with the domain. It knows conditions, hours, regions of the kinds State and Country, places from
//! numbers and postal codes, menus, conditions of trees, offers of text messages, VerifyLocation, ends,
//! reported calls, and pricing. It does not know budgets and admission.
//!
//! A run compares [`DEFAULT_CASES`] calls; `TRUNKLINE_EVALUATOR_CASES` sets another number.

mod generate;
mod naive;
mod translate;

use generate::Source;
use trunkline_domain::call::{CallEnd, Outcome, Payment};
use trunkline_domain::condition::Key;

/// Number of calls of an ordinary run.
const DEFAULT_CASES: u64 = 5_000;
/// Number of disagreements that are printed.
const PRINTED_DISAGREEMENTS: usize = 5;

fn number_of_cases() -> u64 {
    let configured = std::env::var("TRUNKLINE_EVALUATOR_CASES").ok();
    configured.map_or(DEFAULT_CASES, |text| text.parse().expect("a number of cases"))
}

fn paid(payment: &Payment) -> (i64, String) {
    (payment.amount.cents(), payment.matching_policies.clone())
}

fn key_text(key: &Key) -> String {
    match key {
        Key::Digit(digit) => digit.to_string(),
        Key::Wrong => "W".to_owned(),
        Key::None => "N".to_owned(),
    }
}

/// Decides a generated call by the domain, in the form of the naive evaluator.
fn decide_by_domain(campaign: &naive::Campaign, call: &naive::Call) -> naive::Decision {
    let terms = translate::terms(campaign);
    let recorded = translate::recorded(call);
    let decision = recorded.decide(&terms);
    let code = |codes: &[&'static str], text: &Option<String>| {
        let text = text.as_deref()?;
        Some(*codes.iter().find(|code| **code == text).expect("a generated place"))
    };
    naive::Decision {
        outcome: match decision.outcome {
            Outcome::Connected => "connected",
            Outcome::Ended => "ended",
            Outcome::Abandoned => "abandoned",
            Outcome::Rejected => "turned_away",
        },
        destination: decision.destination_phone_number.clone(),
        pressed: decision.pressed_keys.iter().map(key_text).collect(),
        payin: decision.advertiser_payin.as_ref().map(paid),
        payout: decision.affiliate_payout.as_ref().map(paid),
        country: code(&["US", "CA", "GB"], &decision.country),
        region: code(&["CA", "NY", "WA", "BC", "ON"], &decision.region),
        connect_duration: decision.connect_duration,
        end: decision.end.map(CallEnd::as_str),
    }
}

#[test]
fn domain_agrees_with_the_naive_evaluator() {
    let cases = number_of_cases();
    let mut disagreements = Vec::new();
    let mut by_outcome = std::collections::BTreeMap::new();
    for seed in 0..cases {
        let mut source = Source::new(seed);
        let campaign = source.campaign();
        let call = source.call();
        let expected = naive::decide(&campaign, &call);
        *by_outcome.entry(expected.outcome).or_insert(0_u64) += 1;
        let found = decide_by_domain(&campaign, &call);
        if found != expected {
            disagreements.push((seed, campaign, call, expected, found));
        }
    }
    eprintln!("{cases} calls, {} disagreements, {by_outcome:?}", disagreements.len());
    for (seed, campaign, call, expected, found) in disagreements.iter().take(PRINTED_DISAGREEMENTS)
    {
        eprintln!("case {seed}: {campaign:#?}\n{call:#?}\nexpected {expected:?}\nfound {found:?}");
    }
    assert!(disagreements.is_empty(), "{} of {cases} calls disagree", disagreements.len());
    let common = ["connected", "ended", "abandoned"];
    assert!(common.iter().all(|outcome| by_outcome.contains_key(outcome)), "{by_outcome:?}");
}
