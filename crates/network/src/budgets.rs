//! Budgets of a campaign: totals, alerts, and the caps that turn calls away.

use crate::mails::{self, Alert};
use crate::pending_writes::PendingWrites;
use crate::running_totals::AlertedTotal;
use crate::{Context, Error, UnitOfWork, events};
use jiff::{Timestamp, ToSpan};
use serde_json::json;
use trunkline_domain::call::RecordedFacts;
use trunkline_domain::campaign::{Budget, BudgetPeriod, BudgetTotals, Campaign, Terms};
use trunkline_domain::event::BUDGET_ALERT;
use trunkline_domain::id::CampaignId;
use trunkline_domain::money::{Currency, Money};
use trunkline_domain::timezone::TimeZoneName;
use trunkline_store::{CounterKey, CounterScope, CurrentTotals};

/// Percentages of a budget at which an alert is sent.
pub(crate) const ALERT_PERCENTS: [u32; 3] = [75, 90, 100];

/// Configuration and counter of one budget of a campaign in one of its periods.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BudgetStatus {
    /// `budget_cap_alert`, `call_cap_alert` or `concurrent_call_cap_alert`.
    pub(crate) kind: &'static str,
    /// Budget, in currency units or in calls.
    pub(crate) amount: Money,
    /// `true` if calls are rejected at 100 %.
    pub(crate) enforce: bool,
    /// Time zone of the period.
    pub(crate) time_zone: TimeZoneName,
    /// Counter of the current period; `None` before the budget starts.
    pub(crate) counter: Option<CounterKey>,
}

impl BudgetStatus {
    /// Reads the total of the current period.
    pub(crate) fn total(&self, unit: &mut UnitOfWork<'_>) -> Result<Money, Error> {
        let Some(counter) = self.counter else { return Ok(Money::ZERO) };
        Ok(counter_to_money(counter.scope, unit.budget_total(counter)?))
    }
}

/// Converts a counter's total, in calls or in cents, to units with two decimals. A total that
/// corrections made negative is converted to 0.
fn counter_to_money(of: CounterScope, total: i64) -> Money {
    let cents = match of {
        CounterScope::Payin(_) => total,
        CounterScope::Calls | CounterScope::LiveCalls => total.saturating_mul(100),
    };
    Money::from_cents(cents).unwrap_or_default()
}

/// Lists the budgets of a campaign's terms, each in the period that contains `at`.
pub(crate) fn statuses(campaign: CampaignId, terms: &Terms, at: Timestamp) -> Vec<BudgetStatus> {
    let budgets = &terms.budgets;
    let mut found = Vec::new();
    let mut add = |kind, budget: &Budget, of| {
        let counter = budget.period_at(at).map(|period| CounterKey {
            campaign_id: campaign,
            scope: of,
            period,
        });
        let amount = budget.budget_amount;
        let time_zone = budget.time_zone;
        found.push(BudgetStatus { kind, amount, enforce: budget.enforce, time_zone, counter });
    };
    if let Some(budget) = &budgets.budget_cap_alert {
        add("budget_cap_alert", budget, CounterScope::Payin(budget.budget_currency));
    }
    if let Some(budget) = &budgets.periodic_call_cap_alert {
        add("call_cap_alert", budget, CounterScope::Calls);
    }
    if let Some(budget) = &budgets.concurrent_call_cap_alert {
        let counter = Some(CounterKey {
            campaign_id: campaign,
            scope: CounterScope::LiveCalls,
            period: local_day(terms, at),
        });
        found.push(BudgetStatus {
            kind: "concurrent_call_cap_alert",
            amount: budget.budget_amount,
            enforce: budget.enforce,
            time_zone: terms.timezone,
            counter,
        });
    }
    found
}

/// Returns the day that contains `at` in the time zone of the terms. The cap on concurrent calls
/// has no period of its own, so its alerts are sent at most once per day.
fn local_day(terms: &Terms, at: Timestamp) -> BudgetPeriod {
    let zoned = at.to_zoned(terms.timezone.to_time_zone());
    let start = zoned.start_of_day().map(|zoned| zoned.timestamp()).unwrap_or(at);
    let next = zoned.date().checked_add(1.day()).ok();
    let next = next.and_then(|date| date.to_zoned(terms.timezone.to_time_zone()).ok());
    BudgetPeriod { start, end: next.map(|zoned| zoned.timestamp()) }
}

/// Fills in the budget totals of a campaign.
pub(crate) fn fill_totals(
    unit: &mut UnitOfWork<'_>,
    campaign: &mut Campaign,
    now: Timestamp,
) -> Result<(), Error> {
    fill_totals_of_all(unit, std::slice::from_mut(campaign), now)
}

/// Fills in the budget totals of a campaign from totals that were read together with it. Totals
/// that are not stored are computed.
pub(crate) fn fill_totals_from(
    unit: &mut UnitOfWork<'_>,
    campaign: &mut Campaign,
    totals: &CurrentTotals,
    now: Timestamp,
) -> Result<(), Error> {
    let campaigns = std::slice::from_mut(campaign);
    let counters = counters(campaigns, now);
    let sums: Option<Vec<i64>> = counters.iter().map(|counter| totals.get(counter)).collect();
    let sums = match sums {
        Some(sums) => sums,
        None => unit.budget_totals(&counters)?,
    };
    assign_totals(campaigns, &counters, sums, now);
    Ok(())
}

/// Fills in the budget totals of several campaigns with one query.
pub(crate) fn fill_totals_of_all(
    unit: &mut UnitOfWork<'_>,
    campaigns: &mut [Campaign],
    now: Timestamp,
) -> Result<(), Error> {
    let counters = counters(campaigns, now);
    let sums = unit.budget_totals(&counters)?;
    assign_totals(campaigns, &counters, sums, now);
    Ok(())
}

/// Lists the budget counters of each campaign: first of its current terms, then of its future
/// terms.
fn counters(campaigns: &[Campaign], now: Timestamp) -> Vec<CounterKey> {
    let mut counters = Vec::new();
    for campaign in campaigns {
        let current = campaign.current_terms.as_ref().map(|current| &current.terms);
        for terms in [current, campaign.future_terms.as_ref()].into_iter().flatten() {
            let statuses = statuses(campaign.id, terms, now).into_iter();
            counters.extend(statuses.filter_map(|status| status.counter));
        }
    }
    counters
}

/// Assigns sums, in the order of [`counters`], to the campaigns.
fn assign_totals(
    campaigns: &mut [Campaign],
    counters: &[CounterKey],
    sums: Vec<i64>,
    now: Timestamp,
) {
    let mut sums = counters.iter().zip(sums);
    for campaign in campaigns {
        let mut totals = [BudgetTotals::default(); 2];
        let current = campaign.current_terms.as_ref().map(|current| &current.terms);
        for (terms, totals) in
            [current, campaign.future_terms.as_ref()].into_iter().zip(&mut totals)
        {
            let Some(terms) = terms else { continue };
            for status in statuses(campaign.id, terms, now) {
                if status.counter.is_none() {
                    continue;
                }
                let Some((counter, sum)) = sums.next() else { continue };
                let total = Some(counter_to_money(counter.scope, sum));
                match counter.scope {
                    CounterScope::Payin(_) => totals.budget_cap_alert = total,
                    CounterScope::Calls => totals.periodic_call_cap_alert = total,
                    CounterScope::LiveCalls => totals.concurrent_call_cap_alert = total,
                }
            }
        }
        campaign.budget_totals = totals;
    }
}

/// Call to be admitted, with the properties that the budgets of the payin depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AdmissionRequest<'a> {
    /// Live call: can pay up to the maximum of its terms, and holds a place among concurrent calls.
    Live,
    /// Call that is over: pays the payin of its recorded facts.
    Reported(&'a RecordedFacts),
}

impl AdmissionRequest<'_> {
    /// Returns the most that the call can pay under the terms, in cents.
    fn max_payin_cents(self, terms: &Terms) -> i64 {
        match self {
            Self::Live => max_payin(terms).map_or(0, |(amount, _)| amount.cents()),
            Self::Reported(recorded) => {
                let payin = recorded.price_as_admitted(terms).advertiser_payin;
                payin.map_or(0, |payin| payin.amount.cents())
            }
        }
    }
}

/// Returns the most that a call can pay under the terms: the base and all bonuses.
pub(crate) fn max_payin(terms: &Terms) -> Option<(Money, Currency)> {
    terms.advertiser_payin.as_ref().map(|payin| (payin.max_amount(), payin.currency()))
}

/// Lists the enforced budgets that have no room for a call.
///
/// A budget whose total has reached its amount admits no call. A budget of the payin admits a call
/// only if the total, the amounts that live calls hold and the most that the call can pay do not
/// exceed its amount.
pub(crate) fn exhausted_budgets(
    unit: &mut UnitOfWork<'_>,
    writes: &mut PendingWrites,
    campaign: CampaignId,
    terms: &Terms,
    at: Timestamp,
    call: AdmissionRequest<'_>,
) -> Result<Vec<BudgetStatus>, Error> {
    let is_live = matches!(call, AdmissionRequest::Live);
    let mut exhausted = Vec::new();
    for status in statuses(campaign, terms, at).into_iter().filter(|status| status.enforce) {
        let applies = |counter: &CounterKey| is_live || counter.scope != CounterScope::LiveCalls;
        let Some(counter) = status.counter.filter(applies) else { continue };
        let total = writes.total(unit, counter)?;
        let mut is_exhausted = counter_to_money(counter.scope, total) >= status.amount;
        if !is_exhausted && matches!(counter.scope, CounterScope::Payin(_)) {
            let committed = total.saturating_add(writes.totals.held(unit, counter)?);
            let max_payin = call.max_payin_cents(terms);
            is_exhausted = committed.saturating_add(max_payin) > status.amount.cents();
        }
        if is_exhausted {
            exhausted.push(status);
        }
    }
    Ok(exhausted)
}

/// Buffers the 100 % alerts of the budgets that turned a call away, unless they were sent.
pub(crate) fn push_rejection_alerts(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    campaign: &Campaign,
    exhausted: &[BudgetStatus],
) -> Result<(), Error> {
    for status in exhausted {
        if let Some(counter) = status.counter {
            push_alerts(unit, context, writes, campaign, status, counter, true)?;
        }
    }
    Ok(())
}

/// Adds changes to the budget counters of a campaign at a moment, and buffers the alerts that
/// become due.
pub(crate) fn add_to_budgets(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    campaign: &Campaign,
    terms: &Terms,
    at: Timestamp,
    changes: &[(CounterScope, i64)],
) -> Result<(), Error> {
    for (counted, change) in changes.iter().filter(|(_, change)| *change != 0) {
        writes.totals.adjust(unit, campaign.id, *counted, *change, at)?;
    }
    for status in statuses(campaign.id, terms, at) {
        if let Some(counter) = status.counter {
            push_alerts(unit, context, writes, campaign, &status, counter, false)?;
        }
    }
    Ok(())
}

/// Buffers the alerts of a budget that are due and were not sent: an event for each percentage, and
/// one mail. `has_rejected` is `true` if the
/// budget turned a call away: then the alert at 100 % is due whatever the total is.
fn push_alerts(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    campaign: &Campaign,
    status: &BudgetStatus,
    counter: CounterKey,
    has_rejected: bool,
) -> Result<(), Error> {
    let amount = status.amount.cents();
    let AlertedTotal { total, alerted_percent } = writes.persist_total(unit, counter, amount)?;
    let total = counter_to_money(counter.scope, total);
    let mut due: Vec<u32> = due_alerts(status.amount, total).collect();
    if has_rejected && !due.contains(&100) {
        due.push(100);
    }
    due.retain(|percent| *percent > alerted_percent);
    let currency = match counter.scope {
        CounterScope::Payin(currency) => Some(currency),
        _ => None,
    };
    let mut last_event = None;
    for percent in &due {
        let percent = *percent;
        writes.totals.record_alert(counter, amount, percent);
        let data = json!({
            "advertiser_campaign": campaign.external_id,
            "kind": status.kind,
            "percent": percent,
            "total": total.to_json_number(),
            "amount": status.amount.to_json_number(),
            "currency": currency.map(Currency::as_str),
            "period_start": counter.period.start.to_string(),
            "period_end": counter.period.end.map(|end| end.to_string()),
            "enforced": status.enforce,
        });
        let audience =
            events::EventAudience { advertiser: Some(campaign.advertiser_id), affiliate: None };
        last_event = Some((writes.push_event(BUDGET_ALERT, audience, data), percent));
    }
    // One call may reach several percentages: the mail is about the highest.
    if let Some((event, percent)) = last_event {
        let BudgetStatus { kind, amount, enforce, time_zone, .. } = *status;
        let alert = Alert {
            event,
            campaign,
            kind,
            amount,
            enforce,
            time_zone,
            period: counter.period,
            percent,
            total,
            currency,
        };
        mails::push_alert_mails(unit, context, writes, &alert)?;
    }
    Ok(())
}

/// Returns the percentages of `amount` that `total` has reached, in ascending order.
pub(crate) fn due_alerts(amount: Money, total: Money) -> impl Iterator<Item = u32> {
    let reached =
        move |percent: &u32| total > Money::ZERO && total.is_at_least_percent_of(*percent, amount);
    ALERT_PERCENTS.into_iter().filter(reached)
}
