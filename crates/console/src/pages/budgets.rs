//! Budgets of a campaign.

use crate::format;
use maud::{Markup, html};
use trunkline_domain::campaign::{Budget, BudgetTotals, Budgets};
use trunkline_domain::money::{self, Money};

/// Renders the budgets; `None` if there are none.
pub(super) fn show(budgets: &Budgets, totals: &BudgetTotals) -> Option<Markup> {
    let payin = budgets.budget_cap_alert.as_ref();
    let calls = budgets.periodic_call_cap_alert.as_ref();
    let concurrent = budgets.concurrent_call_cap_alert.as_ref();
    (!budgets.is_empty()).then(|| {
        html! {
            dl.facts {
                @if let Some(budget) = payin {
                    div {
                        dt { "Payin earned" }
                        dd {
                            @let format = |amount| money::format_with_symbol(amount, budget.budget_currency);
                            (usage(totals.budget_cap_alert, budget.budget_amount, format))
                            (period(budget))
                            @if budget.include_call_fees { p.hint { "Includes call fees" } }
                        }
                    }
                }
                @if let Some(budget) = calls {
                    div {
                        dt { "Calls" }
                        dd {
                            (usage(totals.periodic_call_cap_alert, budget.budget_amount, call_count))
                            (period(budget))
                        }
                    }
                }
                @if let Some(cap) = concurrent {
                    div {
                        dt { "Concurrent calls" }
                        dd {
                            (usage(totals.concurrent_call_cap_alert, cap.budget_amount, call_count))
                            (limit_action(cap.enforce))
                        }
                    }
                }
            }
        }
    })
}

/// Renders the usage of a budget: `$15.00 of $1,000.00`.
fn usage(total: Option<Money>, amount: Money, format: impl Fn(Money) -> String) -> Markup {
    html! { strong { (format(total.unwrap_or_default())) " of " (format(amount)) } }
}

fn period(budget: &Budget) -> Markup {
    html! {
        " " (budget.reset_period.as_str().to_lowercase())
        p.hint {
            "From " (format::date_time(budget.starts_at, budget.time_zone))
            " (" (budget.time_zone.name()) ")"
        }
        (limit_action(budget.enforce))
    }
}

/// Renders the effect of reaching the budget.
fn limit_action(enforce: bool) -> Markup {
    let text = if enforce {
        "Calls are rejected at 100 %"
    } else {
        "Users are notified at 75, 90 and 100 %"
    };
    html! { p.hint { (text) } }
}

/// Formats a number of calls, which is stored as an amount of money: `200`.
fn call_count(amount: Money) -> String {
    amount.decimal().normalize().to_string()
}
