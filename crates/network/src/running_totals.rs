//! Running totals of budgets and statistics: read once per unit of work, adjusted in memory, and
//! written once.

use crate::{Error, UnitOfWork};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use trunkline_domain::id::CampaignId;
use trunkline_store::{
    CallTotals, CounterKey, CounterScope, PeriodBounds, QuarterHourTotals, StoredTotal,
    quarter_hour,
};

/// Running totals of budget counters and of 15-minute call statistics, for calls that start within
/// one span of time.
pub(crate) struct RunningTotals {
    /// Earliest and latest start time of the calls.
    span: RangeInclusive<Timestamp>,
    budgets: HashMap<(CampaignId, CounterScope), Vec<RunningTotal>>,
    /// Changes by campaign and number of the quarter hour.
    quarter_hours: BTreeMap<(CampaignId, i64), CallTotals>,
    /// Number of live calls, by campaign id.
    concurrent_calls: HashMap<CampaignId, i64>,
    /// Amounts that live calls hold, in cents, by campaign id, quantity and bounds of the period.
    held: HashMap<(CampaignId, CounterScope, PeriodBounds), i64>,
}

/// Total of a budget counter, with the alerts that were sent for it.
pub(crate) struct AlertedTotal {
    /// Total, in the unit of the counter: cents or calls.
    pub(crate) total: i64,
    /// Highest percentage of the budget for which an alert was sent; 0 if none was.
    pub(crate) alerted_percent: u32,
}

/// Current total of one counter in one period.
struct RunningTotal {
    stored: StoredTotal,
    /// `true` if the total is stored in the database. A total that was only read is
    /// recomputed by each unit of work and not stored.
    persisted: bool,
    changed: bool,
}

impl RunningTotals {
    /// Creates the totals for calls that start from `first` to `last`, both included.
    pub(crate) fn for_calls_between(first: Timestamp, last: Timestamp) -> Self {
        Self {
            span: first..=last,
            budgets: HashMap::new(),
            quarter_hours: BTreeMap::new(),
            concurrent_calls: HashMap::new(),
            held: HashMap::new(),
        }
    }

    /// Adds totals to the 15-minute bucket of a start time.
    pub(crate) fn add_calls(&mut self, campaign: CampaignId, at: Timestamp, more: CallTotals) {
        self.quarter_hours.entry((campaign, quarter_hour(at))).or_default().add(more);
    }

    /// Returns a counter's total. `pending_amount` computes the contribution of rows that are not
    /// stored yet; it is added where the total is recomputed from stored rows.
    pub(crate) fn total(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        counter: CounterKey,
        pending_amount: impl FnOnce() -> i64,
    ) -> Result<i64, Error> {
        if counter.scope == CounterScope::LiveCalls {
            return self.live_calls(unit, counter.campaign_id);
        }
        Ok(self.load_or_recompute(unit, counter, pending_amount)?.stored.total)
    }

    /// Adds `change` to every loaded total of a campaign whose period contains `at`.
    pub(crate) fn adjust(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        campaign: CampaignId,
        counted: CounterScope,
        change: i64,
        at: Timestamp,
    ) -> Result<(), Error> {
        for running in self.load(unit, campaign, counted)? {
            if running.stored.bounds.contains(at) {
                running.stored.total += change;
                running.changed = true;
            }
        }
        Ok(())
    }

    /// Marks a counter's total to be stored from now on, and returns it with the alerts of the budget
    /// `amount` (in cents). See [`RunningTotals::total`] for `pending_amount`.
    pub(crate) fn persist(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        counter: CounterKey,
        amount: i64,
        pending_amount: impl FnOnce() -> i64,
    ) -> Result<AlertedTotal, Error> {
        let running = self.load_or_recompute(unit, counter, pending_amount)?;
        if !running.persisted {
            running.stored.budget_amount = amount;
            running.persisted = true;
            running.changed = true;
        }
        let alerted_percent =
            if running.stored.budget_amount == amount { running.stored.alerted_percent } else { 0 };
        let total = match counter.scope {
            CounterScope::LiveCalls => self.live_calls(unit, counter.campaign_id)?,
            _ => running.stored.total,
        };
        Ok(AlertedTotal { total, alerted_percent })
    }

    /// Records that alerts were sent up to `percent` of the budget `amount`, in cents.
    pub(crate) fn record_alert(&mut self, counter: CounterKey, amount: i64, percent: u32) {
        let loaded =
            self.budgets.get_mut(&(counter.campaign_id, counter.scope)).into_iter().flatten();
        for running in
            loaded.filter(|running| running.stored.bounds == PeriodBounds::new(counter.period))
        {
            running.stored.alerted_percent = percent;
            running.stored.budget_amount = amount;
            running.changed = true;
        }
    }

    /// Writes all totals that changed.
    pub(crate) fn write(self, unit: &mut UnitOfWork<'_>) -> Result<(), Error> {
        for ((campaign, counted), totals) in &self.budgets {
            for running in totals.iter().filter(|running| running.persisted && running.changed) {
                unit.upsert_total(*campaign, *counted, &running.stored)?;
            }
        }
        let buckets = self.quarter_hours.into_iter();
        let buckets = buckets.map(|((campaign_id, quarter_hour), totals)| QuarterHourTotals {
            campaign_id,
            quarter_hour,
            totals,
        });
        let buckets: Vec<QuarterHourTotals> = buckets.collect();
        Ok(unit.add_to_quarter_hours(&buckets)?)
    }

    /// Returns the amount that stored live calls hold of a budget of the payin, in cents. Read once
    /// per unit of work: a call that starts or ends has a unit of work of its own.
    pub(crate) fn held(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        counter: CounterKey,
    ) -> Result<i64, Error> {
        let key = (counter.campaign_id, counter.scope, PeriodBounds::new(counter.period));
        if let Some(cached) = self.held.get(&key) {
            return Ok(*cached);
        }
        let found = unit.held_payin(counter)?;
        self.held.insert(key, found);
        Ok(found)
    }

    fn live_calls(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        campaign: CampaignId,
    ) -> Result<i64, Error> {
        if let Some(cached) = self.concurrent_calls.get(&campaign) {
            return Ok(*cached);
        }
        let found = unit.count_live_calls(campaign)?;
        self.concurrent_calls.insert(campaign, found);
        Ok(found)
    }

    fn load(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        campaign: CampaignId,
        counted: CounterScope,
    ) -> Result<&mut Vec<RunningTotal>, Error> {
        use std::collections::hash_map::Entry;
        match self.budgets.entry((campaign, counted)) {
            Entry::Occupied(loaded) => Ok(loaded.into_mut()),
            Entry::Vacant(vacant) => {
                let persisted = unit.stored_totals(campaign, counted, &self.span)?.into_iter();
                let running = persisted.map(|stored| RunningTotal {
                    stored,
                    persisted: true,
                    changed: false,
                });
                Ok(vacant.insert(running.collect()))
            }
        }
    }

    fn load_or_recompute(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        counter: CounterKey,
        pending_amount: impl FnOnce() -> i64,
    ) -> Result<&mut RunningTotal, Error> {
        let loaded = self.load(unit, counter.campaign_id, counter.scope)?;
        let bounds = PeriodBounds::new(counter.period);
        let index = loaded.iter().position(|running| running.stored.bounds == bounds);
        let index = match index {
            Some(index) => index,
            None => {
                let total = unit.recompute_total(counter)? + pending_amount();
                let stored = StoredTotal { bounds, total, alerted_percent: 0, budget_amount: 0 };
                loaded.push(RunningTotal { stored, persisted: false, changed: false });
                loaded.len() - 1
            }
        };
        loaded
            .get_mut(index)
            .ok_or_else(|| Error::Internal("a running total was not loaded".to_owned()))
    }
}
