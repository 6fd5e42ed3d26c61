//! Cost of deciding a call: one condition, compared with other crates, and a whole decision.

mod campaigns;
mod condition_calls;
#[cfg(feature = "comparisons")]
mod other_crates;
mod timing;

use campaigns::Campaign;
use condition_calls::CALLS;
use std::error::Error;
use std::hint::black_box;
use timing::{Candidate, Measurement};
use trunkline_domain::call::{decide, price_call};

/// Required ratio of the time of the fastest other crate to that of this one.
const MIN_SPEEDUP: f64 = 10.0;
/// Upper bound of the time of `price_call`.
const MAX_PRICING_NANOSECONDS: f64 = 5_000.0;

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let [on_facts, on_answers] = conditions()?;
    let decisions = decisions()?;
    let own = [&on_facts, &on_answers].map(|measurements| &measurements[0]);
    if own.iter().any(|measurement| measurement.allocations > 0.0) {
        return Err("evaluating a condition allocates".into());
    }
    let others = on_facts.iter().skip(1).map(|measurement| measurement.median);
    if others.fold(f64::INFINITY, f64::min) < own[0].median * MIN_SPEEDUP {
        return Err(format!("a condition is not {MIN_SPEEDUP} times faster").into());
    }
    let is_too_slow = |measurement: &Measurement| {
        measurement.name.starts_with("price_call") && measurement.median >= MAX_PRICING_NANOSECONDS
    };
    if decisions.iter().any(is_too_slow) {
        return Err("price_call takes 5 microseconds or more".into());
    }
    Ok(())
}

fn conditions() -> Result<[Vec<Measurement>; 2], Box<dyn Error>> {
    let campaign = campaigns::documents()?;
    let terms = &campaign.terms;
    let condition = condition_calls::condition()?;
    let expr = condition.expr();
    let calls = condition_calls::calls();
    let answers = calls.each_ref().map(|call| call.plain.answers());
    for (call, answers) in calls.iter().zip(&answers) {
        let results = [expr.evaluate(&call.known(terms)), expr.evaluate(answers)];
        if results != [Some(call.expected); 2] {
            return Err(format!("{call:?} evaluates to {results:?}").into());
        }
    }
    let on_facts = Candidate::new("trunkline", |iteration| {
        let call = black_box(&calls[iteration % CALLS]);
        black_box(expr.evaluate(&call.known(terms)));
    });
    let on_answers = Candidate::new("trunkline", |iteration| {
        black_box(expr.evaluate(black_box(&answers[iteration % CALLS])));
    });
    let title = |input| format!("One evaluation of `{}` on {input}:", condition_calls::TEXT);
    #[cfg(not(feature = "comparisons"))]
    let others = [const { Vec::new() }; 2];
    #[cfg(feature = "comparisons")]
    let others = [other_crates::on_facts()?, other_crates::on_answers()?];
    let [others_on_facts, others_on_answers] = others;
    let on_facts = compare(&title("a call's facts"), on_facts, others_on_facts);
    let on_answers =
        compare(&title("precomputed values of its terms"), on_answers, others_on_answers);
    Ok([on_facts, on_answers])
}

fn compare<'a>(title: &str, own: Candidate<'a>, others: Vec<Candidate<'a>>) -> Vec<Measurement> {
    let measurements = timing::measure(std::iter::once(own).chain(others).collect());
    timing::print_table(title, &measurements);
    measurements
}

fn decisions() -> Result<Vec<Measurement>, Box<dyn Error>> {
    let campaigns = [campaigns::documents()?, campaigns::long()?];
    let mut candidates = Vec::new();
    for campaign in &campaigns {
        let Campaign { name, terms, facts, keys, matching_policies } = campaign;
        let price = price_call(terms, facts, keys, campaigns::ADMITTED);
        let decision = decide(terms, facts, keys, campaigns::ADMITTED);
        let payin = price.advertiser_payin.map(|payin| payin.matching.to_string());
        if payin.as_deref() != Some(*matching_policies)
            || payin != decision.advertiser_payin.map(|payin| payin.matching_policies)
        {
            return Err(format!("{name} pays {payin:?}").into());
        }
        candidates.push(Candidate::new(format!("price_call, {name}"), |_| {
            black_box(price_call(terms, black_box(facts), keys, campaigns::ADMITTED));
        }));
        candidates.push(Candidate::new(format!("decide, {name}"), |_| {
            black_box(decide(terms, black_box(facts), keys, campaigns::ADMITTED));
        }));
    }
    let measurements = timing::measure(candidates);
    let title = "A whole decision with the facts in memory; `decide` adds an explanation, `price_call` does not:";
    timing::print_table(title, &measurements);
    Ok(measurements)
}
