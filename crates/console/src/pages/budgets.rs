//! A campaign's budgets.

use crate::words;
use maud::{Markup, html};
use trunkline_domain::campaign::{Budget, Budgets};
use trunkline_domain::money::{self, Money};

/// The budgets there are; nothing when there is none.
pub(super) fn show(budgets: &Budgets) -> Option<Markup> {
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
                            strong { (money::format(budget.budget_amount, budget.budget_currency)) }
                            (period(budget))
                            @if budget.include_call_fees { p.hint { "Call fees count" } }
                        }
                    }
                }
                @if let Some(budget) = calls {
                    div {
                        dt { "Calls" }
                        dd { strong { (count(budget.budget_amount)) } (period(budget)) }
                    }
                }
                @if let Some(cap) = at_once {
                    div {
                        dt { "Calls at once" }
                        dd { strong { (count(cap.budget_amount)) } (at_full(cap.enforce)) }
                    }
                }
            }
        }
    })
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
