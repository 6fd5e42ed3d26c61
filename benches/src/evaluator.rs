//! What deciding a call costs: one condition beside the same in other crates, and a whole decision.

mod campaigns;
mod clock;
#[cfg(feature = "comparisons")]
mod others;
mod question;

use clock::{Contestant, Measured};
use question::CALLS;
use std::error::Error;
use std::hint::black_box;
use trunkline_domain::call::{decide, price_call};

/// The fastest of the others takes at least so many times as long.
const TIMES_FASTER: f64 = 10.0;
/// A lean decision takes less (nanoseconds).
const DECISION: f64 = 5_000.0;

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let [on_facts, on_answers] = conditions()?;
    let decisions = decisions()?;
    let ours = [&on_facts, &on_answers].map(|them| &them[0]);
    if ours.iter().any(|it| it.allocations > 0.0) {
        return Err("evaluating a condition allocates".into());
    }
    let others = on_facts.iter().skip(1).map(|it| it.median);
    if others.fold(f64::INFINITY, f64::min) < ours[0].median * TIMES_FASTER {
        return Err(format!("a condition is not {TIMES_FASTER} times faster").into());
    }
    if decisions.iter().any(|it| it.name.starts_with("price_call") && it.median >= DECISION) {
        return Err("a decision takes 5 microseconds or more".into());
    }
    Ok(())
}

fn conditions() -> Result<[Vec<Measured>; 2], Box<dyn Error>> {
    let campaign = campaigns::documents()?;
    let terms = &campaign.terms;
    let condition = question::condition()?;
    let expr = condition.expr();
    let calls = question::calls();
    let answers = calls.each_ref().map(|call| call.plain.answers());
    for (call, answers) in calls.iter().zip(&answers) {
        let said = [expr.evaluate(&call.known(terms)), expr.evaluate(answers)];
        if said != [Some(call.answer); 2] {
            return Err(format!("{call:?} comes out as {said:?}").into());
        }
    }
    let on_facts = Contestant::new("trunkline", |turn| {
        let call = black_box(&calls[turn % CALLS]);
        black_box(expr.evaluate(&call.known(terms)));
    });
    let on_answers = Contestant::new("trunkline", |turn| {
        black_box(expr.evaluate(black_box(&answers[turn % CALLS])));
    });
    let about = |what| format!("One evaluation of `{}` on {what}:", question::TEXT);
    #[cfg(not(feature = "comparisons"))]
    let others = [const { Vec::new() }; 2];
    #[cfg(feature = "comparisons")]
    let others = [others::on_facts()?, others::on_answers()?];
    let [of_facts, of_answers] = others;
    let on_facts = race(&about("a call's facts"), on_facts, of_facts);
    let on_answers = race(&about("the answers to its terms"), on_answers, of_answers);
    Ok([on_facts, on_answers])
}

fn race<'a>(title: &str, ours: Contestant<'a>, others: Vec<Contestant<'a>>) -> Vec<Measured> {
    let measured = clock::race(std::iter::once(ours).chain(others).collect());
    clock::print_table(title, &measured);
    measured
}

fn decisions() -> Result<Vec<Measured>, Box<dyn Error>> {
    let campaigns = [campaigns::documents()?, campaigns::long()?];
    let mut contestants = Vec::new();
    for it in &campaigns {
        let verdict = price_call(&it.terms, &it.facts, &it.keys, campaigns::OPEN);
        let decision = decide(&it.terms, &it.facts, &it.keys, campaigns::OPEN);
        let payin = verdict.advertiser_payin.map(|paid| paid.matching.to_string());
        if payin.as_deref() != Some(it.matching)
            || payin != decision.advertiser_payin.map(|payin| payin.matching_policies)
        {
            return Err(format!("{} pays {payin:?}", it.name).into());
        }
        contestants.push(Contestant::new(format!("price_call, {}", it.name), |_| {
            let facts = black_box(&it.facts);
            black_box(price_call(&it.terms, facts, &it.keys, campaigns::OPEN));
        }));
        contestants.push(Contestant::new(format!("decide, {}", it.name), |_| {
            let facts = black_box(&it.facts);
            black_box(decide(&it.terms, facts, &it.keys, campaigns::OPEN));
        }));
    }
    let measured = clock::race(contestants);
    let title =
        "A whole decision, its facts in memory; `decide` explains itself, `price_call` not:";
    clock::print_table(title, &measured);
    Ok(measured)
}
