//! Payin and payout: conditions that never or always hold, and a payout that the payin does not
//! cover.

use super::{Found, Severity};
use crate::campaign::{Pricing, Terms};
use crate::condition::Expr;
use crate::money;

const PAYIN: &str = "advertiser_payin";
const PAYOUT: &str = "affiliate_payout";

pub(super) fn check(terms: &Terms, found: &mut Found) {
    for (property, pricing) in [(PAYIN, &terms.advertiser_payin), (PAYOUT, &terms.affiliate_payout)]
    {
        if let Some(pricing) = pricing {
            check_conditions(property, pricing, found);
        }
    }
    if let (Some(payin), Some(payout)) = (&terms.advertiser_payin, &terms.affiliate_payout) {
        compare_amounts(payin, payout, found);
        compare_bases(payin.base().condition.expr(), payout.base().condition.expr(), found);
    }
}

fn place(property: &str, index: usize) -> String {
    format!("{property}.policies[{index}].condition")
}

fn check_conditions(property: &str, pricing: &Pricing, found: &mut Found) {
    let at_base = place(property, 0);
    let base = pricing.base().condition.expr();
    let base_never = found.never(&at_base, base);
    if base_never {
        found.add(Severity::Error, &at_base, "is never true: nothing is ever paid");
    }
    if found.always(&at_base, base) {
        found.add(Severity::Warning, &at_base, "is always true");
    }
    for (index, bonus) in pricing.bonuses().iter().enumerate() {
        let at = place(property, index + 1);
        let bonus = bonus.condition.expr();
        if found.always(&at, bonus) {
            found.add(Severity::Warning, &at, "is always true");
        }
        if found.never(&at, bonus) {
            found.add(Severity::Warning, &at, "is never true: this bonus is never paid");
        } else if !base_never
            && found.ask(&at, &[base, bonus], || base.excludes(bonus)) == Some(true)
        {
            let message = "is never true where the base's condition is: this bonus is never paid";
            found.add(Severity::Warning, &at, message);
        }
    }
}

fn compare_amounts(payin: &Pricing, payout: &Pricing, found: &mut Found) {
    let currency = payin.currency();
    if payout.currency() != currency {
        let message = format!(
            "is in {} and the payin in {}: no margin can be computed",
            payout.currency().as_str(),
            currency.as_str()
        );
        found.add(Severity::Info, PAYOUT, message);
        return;
    }
    let more = |out, into| {
        let (out, into) = (money::format(out, currency), money::format(into, currency));
        format!("is above the payin's: {out} is paid out and {into} paid in")
    };
    if payout.min() > payin.min() {
        let at = format!("{PAYOUT}.policies[0].amount");
        found.add(Severity::Warning, &at, more(payout.min(), payin.min()));
    }
    let has_bonuses = !(payin.bonuses().is_empty() && payout.bonuses().is_empty());
    if has_bonuses && payout.max() > payin.max() {
        let message = more(payout.max(), payin.max());
        found.add(Severity::Warning, &format!("{PAYOUT}.max"), message);
    }
}

fn compare_bases(payin: &Expr, payout: &Expr, found: &mut Found) {
    let at = place(PAYOUT, 0);
    let covered = found.ask(&at, &[payin, payout], || payout.implies(payin));
    if covered == Some(false) {
        let message = "can be true where the payin's is not: calls can be paid out that nothing \
                       was paid in for";
        found.add(Severity::Warning, &at, message);
        return;
    }
    if found.ask(&at, &[payin, payout], || payin.equivalent(payout)) == Some(false) {
        let message = "differs from the payin's: calls can be paid in that nothing is paid out for";
        found.add(Severity::Info, &at, message);
    }
}
