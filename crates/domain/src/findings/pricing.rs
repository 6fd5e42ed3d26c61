//! Checks of payin and payout: policy conditions that are always or never true, and payouts that
//! exceed the payin.

use super::{Analysis, Severity};
use crate::campaign::{Pricing, Terms};
use crate::condition::Expr;
use crate::money;

const PAYIN_PATH: &str = "advertiser_payin";
const PAYOUT_PATH: &str = "affiliate_payout";

pub(super) fn check_pricings(terms: &Terms, analysis: &mut Analysis<'_>) {
    for (property, pricing) in
        [(PAYIN_PATH, &terms.advertiser_payin), (PAYOUT_PATH, &terms.affiliate_payout)]
    {
        if let Some(pricing) = pricing {
            check_conditions(property, pricing, analysis);
        }
    }
    if let (Some(payin), Some(payout)) = (&terms.advertiser_payin, &terms.affiliate_payout) {
        compare_amounts(payin, payout, analysis);
        compare_bases(payin.base().condition.expr(), payout.base().condition.expr(), analysis);
    }
}

fn condition_path(property: &str, index: usize) -> String {
    format!("{property}.policies[{index}].condition")
}

fn check_conditions(property: &str, pricing: &Pricing, analysis: &mut Analysis<'_>) {
    let base_path = condition_path(property, 0);
    let base = pricing.base().condition.expr();
    let base_is_never_true = analysis.is_never_true(&base_path, base);
    if base_is_never_true {
        analysis.add(Severity::Error, &base_path, "is never true: nothing is ever paid");
    }
    if analysis.is_always_true(&base_path, base) {
        analysis.add(Severity::Warning, &base_path, "is always true");
    }
    for (index, bonus) in pricing.bonuses().iter().enumerate() {
        let path = condition_path(property, index + 1);
        let bonus = bonus.condition.expr();
        if analysis.is_always_true(&path, bonus) {
            analysis.add(Severity::Warning, &path, "is always true");
        }
        if analysis.is_never_true(&path, bonus) {
            analysis.add(Severity::Warning, &path, "is never true: this bonus is never paid");
        } else if !base_is_never_true
            && analysis.decide(&path, |budget| base.is_disjoint(bonus, budget)) == Some(true)
        {
            let message = "is never true where the base's condition is: this bonus is never paid";
            analysis.add(Severity::Warning, &path, message);
        }
    }
}

fn compare_amounts(payin: &Pricing, payout: &Pricing, analysis: &mut Analysis<'_>) {
    let currency = payin.currency();
    if payout.currency() != currency {
        let message = format!(
            "is in {} and the payin in {}: no margin can be computed",
            payout.currency().as_str(),
            currency.as_str()
        );
        analysis.add(Severity::Info, PAYOUT_PATH, message);
        return;
    }
    let message = |payout_amount, payin_amount| {
        let payout_text = money::format_with_symbol(payout_amount, currency);
        let payin_text = money::format_with_symbol(payin_amount, currency);
        format!("is above the payin's: {payout_text} is paid out and {payin_text} paid in")
    };
    if payout.min_amount() > payin.min_amount() {
        let path = format!("{PAYOUT_PATH}.policies[0].amount");
        analysis.add(Severity::Warning, &path, message(payout.min_amount(), payin.min_amount()));
    }
    let has_bonuses = !(payin.bonuses().is_empty() && payout.bonuses().is_empty());
    if has_bonuses && payout.max_amount() > payin.max_amount() {
        let path = format!("{PAYOUT_PATH}.max");
        analysis.add(Severity::Warning, &path, message(payout.max_amount(), payin.max_amount()));
    }
}

fn compare_bases(payin: &Expr, payout: &Expr, analysis: &mut Analysis<'_>) {
    let path = condition_path(PAYOUT_PATH, 0);
    let is_covered = analysis.decide(&path, |budget| payout.implies(payin, budget));
    if is_covered == Some(false) {
        let message =
            "can be true where the payin's is not: a call can have a payout without a payin";
        analysis.add(Severity::Warning, &path, message);
        return;
    }
    if analysis.decide(&path, |budget| payin.is_equivalent(payout, budget)) == Some(false) {
        let message = "differs from the payin's: a call can have a payin without a payout";
        analysis.add(Severity::Info, &path, message);
    }
}
