//! What a campaign's budgets have come to, who is told, and who is turned away.

use crate::mails::{self, Alert};
use crate::pending_writes::PendingWrites;
use crate::{Context, Error, Session, events};
use jiff::{Timestamp, ToSpan};
use serde_json::json;
use trunkline_domain::campaign::{Budget, BudgetTotals, Campaign, Period, Terms};
use trunkline_domain::event::BUDGET_ALERT;
use trunkline_domain::money::{Currency, Money};
use trunkline_store::{Counted, CountedThing, TotalsNow};

/// The percents at which people are told.
pub(crate) const ALERT_PERCENTS: [u32; 3] = [75, 90, 100];

/// One budget of a campaign in one of its periods.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BudgetStatus {
    /// `budget_cap_alert`, `call_cap_alert` or `concurrent_call_cap_alert`.
    pub(crate) kind: &'static str,
    /// The budget.
    pub(crate) amount: Money,
    /// Whether calls are turned away at 100 %.
    pub(crate) enforce: bool,
    /// What is counted; `None` before the budget starts.
    pub(crate) counter: Option<Counted>,
}

impl BudgetStatus {
    /// What it has come to.
    pub(crate) fn total(&self, session: &mut Session<'_>) -> Result<Money, Error> {
        let Some(counted) = self.counter else { return Ok(Money::ZERO) };
        Ok(counter_to_money(counted.of, session.budget_total(counted)?))
    }
}

/// Counted things are whole calls, or cents. A total that corrections took below nothing reads 0.
fn counter_to_money(of: CountedThing, total: i64) -> Money {
    let cents = match of {
        CountedThing::Payin(_) => total,
        CountedThing::Calls | CountedThing::AtOnce => total.saturating_mul(100),
    };
    Money::from_cents(cents).unwrap_or_default()
}

/// Every budget of a campaign's terms, in the period that a moment is in.
pub(crate) fn statuses(campaign: i64, terms: &Terms, at: Timestamp) -> Vec<BudgetStatus> {
    let budgets = &terms.budgets;
    let mut found = Vec::new();
    let mut add = |kind, budget: &Budget, of| {
        let counter = budget.period_at(at).map(|period| Counted { campaign, of, period });
        let amount = budget.budget_amount;
        found.push(BudgetStatus { kind, amount, enforce: budget.enforce, counter });
    };
    if let Some(it) = &budgets.budget_cap_alert {
        add("budget_cap_alert", it, CountedThing::Payin(it.budget_currency));
    }
    if let Some(it) = &budgets.periodic_call_cap_alert {
        add("call_cap_alert", it, CountedThing::Calls);
    }
    if let Some(it) = &budgets.concurrent_call_cap_alert {
        let counter =
            Some(Counted { campaign, of: CountedThing::AtOnce, period: local_day(terms, at) });
        found.push(BudgetStatus {
            kind: "concurrent_call_cap_alert",
            amount: it.budget_amount,
            enforce: it.enforce,
            counter,
        });
    }
    found
}

/// Calls at once have no period of their own: their alerts are given once in each of the campaign's
/// days.
fn local_day(terms: &Terms, at: Timestamp) -> Period {
    let zoned = at.to_zoned(terms.timezone.zone());
    let start = zoned.start_of_day().map(|it| it.timestamp()).unwrap_or(at);
    let next = zoned.date().checked_add(1.day()).ok();
    let next = next.and_then(|date| date.to_zoned(terms.timezone.zone()).ok());
    Period { start, end: next.map(|it| it.timestamp()) }
}

/// Fills in what a campaign's budgets stand at.
pub(crate) fn fill_totals(
    session: &mut Session<'_>,
    campaign: &mut Campaign,
    now: Timestamp,
) -> Result<(), Error> {
    fill_totals_of_all(session, std::slice::from_mut(campaign), now)
}

/// As [`fill`], where what is kept has been read with the campaign.
pub(crate) fn fill_totals_from(
    session: &mut Session<'_>,
    campaign: &mut Campaign,
    known: &TotalsNow,
    now: Timestamp,
) -> Result<(), Error> {
    let campaigns = std::slice::from_mut(campaign);
    let counted = counters(campaigns, now);
    let sums: Option<Vec<i64>> = counted.iter().map(|counted| known.of(counted)).collect();
    let sums = match sums {
        Some(sums) => sums,
        None => session.budget_totals_of(&counted)?,
    };
    assign_totals(campaigns, &counted, sums, now);
    Ok(())
}

/// As [`fill`], for any number of campaigns at once.
pub(crate) fn fill_totals_of_all(
    session: &mut Session<'_>,
    campaigns: &mut [Campaign],
    now: Timestamp,
) -> Result<(), Error> {
    let counted = counters(campaigns, now);
    let sums = session.budget_totals_of(&counted)?;
    assign_totals(campaigns, &counted, sums, now);
    Ok(())
}

/// What is counted for the budgets of each campaign's current terms, and of its future ones.
fn counters(campaigns: &[Campaign], now: Timestamp) -> Vec<Counted> {
    let mut counted = Vec::new();
    for campaign in campaigns {
        let current = campaign.current.as_ref().map(|current| &current.terms);
        for terms in [current, campaign.future.as_ref()].into_iter().flatten() {
            counted
                .extend(statuses(campaign.id, terms, now).into_iter().filter_map(|it| it.counter));
        }
    }
    counted
}

/// Fills in sums, in the order of what was counted.
fn assign_totals(campaigns: &mut [Campaign], counted: &[Counted], sums: Vec<i64>, now: Timestamp) {
    let mut sums = counted.iter().zip(sums);
    for campaign in campaigns {
        let mut totals = [BudgetTotals::default(); 2];
        let current = campaign.current.as_ref().map(|current| &current.terms);
        for (terms, totals) in [current, campaign.future.as_ref()].into_iter().zip(&mut totals) {
            let Some(terms) = terms else { continue };
            for status in statuses(campaign.id, terms, now) {
                if status.counter.is_none() {
                    continue;
                }
                let Some((counted, sum)) = sums.next() else { continue };
                let total = Some(counter_to_money(counted.of, sum));
                match counted.of {
                    CountedThing::Payin(_) => totals.budget_cap_alert = total,
                    CountedThing::Calls => totals.periodic_call_cap_alert = total,
                    CountedThing::AtOnce => totals.concurrent_call_cap_alert = total,
                }
            }
        }
        campaign.totals = totals;
    }
}

/// Whether an enforced budget is used up. `live` calls also count against those at once.
pub(crate) fn has_exhausted_cap(
    session: &mut Session<'_>,
    writes: &mut PendingWrites,
    campaign: i64,
    terms: &Terms,
    at: Timestamp,
    live: bool,
) -> Result<bool, Error> {
    for status in statuses(campaign, terms, at).into_iter().filter(|it| it.enforce) {
        let counts = |it: &Counted| live || it.of != CountedThing::AtOnce;
        if let Some(counted) = status.counter.filter(counts)
            && counter_to_money(counted.of, writes.total(session, counted)?) >= status.amount
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Counts what was entered just now, and tells people where a budget is nearly, or all, used up.
pub(crate) fn add_to_budgets(
    session: &mut Session<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    (campaign, terms): (&Campaign, &Terms),
    at: Timestamp,
    moves: &[(CountedThing, i64)],
) -> Result<(), Error> {
    for (of, by) in moves.iter().filter(|(_, by)| *by != 0) {
        writes.totals.adjust(session, campaign.id, (*of, *by), at)?;
    }
    for status in statuses(campaign.id, terms, at) {
        if let Some(counted) = status.counter {
            push_due_alerts(session, context, writes, campaign, &status, counted)?;
        }
    }
    Ok(())
}

fn push_due_alerts(
    session: &mut Session<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    campaign: &Campaign,
    status: &BudgetStatus,
    counted: Counted,
) -> Result<(), Error> {
    let amount = status.amount.cents();
    let (total, alerted) = writes.persist_total(session, counted, amount)?;
    let total = counter_to_money(counted.of, total);
    let due = due_alerts(status.amount, total).filter(|percent| *percent > alerted);
    for percent in due {
        writes.totals.record_alert(counted, amount, percent);
        let currency = match counted.of {
            CountedThing::Payin(currency) => Some(currency),
            _ => None,
        };
        let data = json!({
            "advertiser_campaign": campaign.id_from_network,
            "kind": status.kind,
            "percent": percent,
            "total": total.to_json_number(),
            "amount": status.amount.to_json_number(),
            "currency": currency.map(Currency::as_str),
            "period_start": counted.period.start.to_string(),
            "period_end": counted.period.end.map(|end| end.to_string()),
            "enforced": status.enforce,
        });
        let audience =
            events::EventAudience { advertiser: Some(campaign.advertiser_id), affiliate: None };
        let event = writes.push_event(BUDGET_ALERT, audience, data);
        let alert = Alert { event, campaign, kind: status.kind, percent, total, currency };
        mails::push_alert_mails(session, context, writes, &alert, status.amount)?;
    }
    Ok(())
}

/// The alerts that a total is due, in order.
pub(crate) fn due_alerts(amount: Money, total: Money) -> impl Iterator<Item = u32> {
    let reached = move |percent: &u32| total > Money::ZERO && total.reaches(*percent, amount);
    ALERT_PERCENTS.into_iter().filter(reached)
}
