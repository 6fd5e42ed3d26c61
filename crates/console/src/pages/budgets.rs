//! A campaign's budgets.

use crate::words;
use maud::{Markup, html};
use trunkline_domain::campaign::{Budget, BudgetTotals, Budgets};
use trunkline_domain::money::{self, Money};

/// The budgets there are; nothing when there is none.
pub(super) fn show(budgets: &Budgets, totals: &BudgetTotals) -> Option<Markup> {
    let payin = budgets.budget_cap_alert.as_ref();
    let calls = budgets.periodic_call_cap_alert.as_ref();
    let at_once = budgets.concurrent_call_cap_alert.as_ref();
    (!budgets.is_empty()).then(|| {
        html! {
            dl.facts {
                @if let Some(budget) = payin {
                    div {
                        dt { "Payin earned" }
                        dd {
                            @let shown = |it| money::format(it, budget.budget_currency);
                            (standing(totals.budget_cap_alert, budget.budget_amount, shown))
                            (period(budget))
                            @if budget.include_call_fees { p.hint { "Call fees count" } }
                        }
                    }
                }
                @if let Some(budget) = calls {
                    div {
                        dt { "Calls" }
                        dd {
                            (standing(totals.periodic_call_cap_alert, budget.budget_amount, count))
                            (period(budget))
                        }
                    }
                }
                @if let Some(cap) = at_once {
                    div {
                        dt { "Calls at once" }
                        dd {
                            (standing(totals.concurrent_call_cap_alert, cap.budget_amount, count))
                            (at_full(cap.enforce))
                        }
                    }
                }
            }
        }
    })
}

/// What a budget stands at: `$15.00 of $1,000.00`.
fn standing(total: Option<Money>, amount: Money, shown: impl Fn(Money) -> String) -> Markup {
    html! { strong { (shown(total.unwrap_or_default())) " of " (shown(amount)) } }
}

fn period(budget: &Budget) -> Markup {
    html! {
        " " (budget.reset_period.as_str().to_lowercase())
        p.hint {
            "From " (words::moment(budget.starts_at, budget.time_zone))
            " (" (budget.time_zone.name()) ")"
        }
        (at_full(budget.enforce))
    }
}

fn at_full(enforce: bool) -> Markup {
    let text = if enforce {
        "Calls are turned away at 100 %"
    } else {
        "People are told at 75, 90 and 100 %"
    };
    html! { p.hint { (text) } }
}

/// A number of calls, which is stored as money is: `200`.
fn count(amount: Money) -> String {
    amount.decimal().normalize().to_string()
}
