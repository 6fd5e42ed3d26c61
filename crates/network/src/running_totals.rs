//! Running totals that a unit of work moves: read once, moved in memory, and written once.

use crate::{Error, Session};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use trunkline_store::{CallTotals, Counted, CountedThing, KeptTotal, edges, quarter};

/// Running totals of campaigns' budgets and quarters of an hour, of calls that start within a span.
pub(crate) struct RunningTotals {
    span: (Timestamp, Timestamp),
    budgets: HashMap<(i64, CountedThing), Vec<RunningTotal>>,
    quarters: BTreeMap<(i64, i64), CallTotals>,
    /// Calls under way, by campaign.
    at_once: HashMap<i64, i64>,
}

/// A period's total as it is by now.
struct RunningTotal {
    stored: KeptTotal,
    /// Whether it is to be kept; one that was only asked for is not.
    persisted: bool,
    changed: bool,
}

impl RunningTotals {
    /// For calls that start from one moment on and not after another.
    pub(crate) fn for_calls_between(span: (Timestamp, Timestamp)) -> Self {
        let (budgets, at_once) = (HashMap::new(), HashMap::new());
        Self { span, budgets, quarters: BTreeMap::new(), at_once }
    }

    /// Counts a call, or none, and how long it took, or how much longer, in its quarter of an hour.
    pub(crate) fn add_call(&mut self, campaign: i64, at: Timestamp, calls: i64, seconds: i64) {
        let of = self.quarters.entry((campaign, quarter(at))).or_default();
        of.calls += calls;
        of.seconds += seconds;
    }

    /// What a period has come to. `held` is what entries that are not stored yet add to a recount.
    pub(crate) fn total(
        &mut self,
        session: &mut Session<'_>,
        counted: Counted,
        pending_amount: impl FnOnce() -> i64,
    ) -> Result<i64, Error> {
        if counted.of == CountedThing::AtOnce {
            return self.live_calls(session, counted.campaign);
        }
        Ok(self.load_or_recompute(session, counted, pending_amount)?.stored.total)
    }

    /// Moves every total that is known of periods that a moment is in.
    pub(crate) fn adjust(
        &mut self,
        session: &mut Session<'_>,
        campaign: i64,
        (of, by): (CountedThing, i64),
        at: Timestamp,
    ) -> Result<(), Error> {
        let at = at.as_millisecond();
        for running in self.load(session, campaign, of)? {
            if running.stored.edges.0 <= at && at < running.stored.edges.1 {
                running.stored.total += by;
                running.changed = true;
            }
        }
        Ok(())
    }

    /// Keeps a period's total from now on; what it is, and the percent up to which alerts were given
    /// for an amount. `held` as in [`RunningTotals::total`].
    pub(crate) fn persist(
        &mut self,
        session: &mut Session<'_>,
        (counted, amount): (Counted, i64),
        pending_amount: impl FnOnce() -> i64,
    ) -> Result<(i64, u32), Error> {
        let running = self.load_or_recompute(session, counted, pending_amount)?;
        if !running.persisted {
            running.stored.amount = amount;
            (running.persisted, running.changed) = (true, true);
        }
        let alerted = if running.stored.amount == amount { running.stored.alerted } else { 0 };
        let total = running.stored.total;
        match counted.of {
            CountedThing::AtOnce => Ok((self.live_calls(session, counted.campaign)?, alerted)),
            _ => Ok((total, alerted)),
        }
    }

    /// Remembers that alerts were given up to a percent of an amount.
    pub(crate) fn record_alert(&mut self, counted: Counted, amount: i64, percent: u32) {
        let known = self.budgets.get_mut(&(counted.campaign, counted.of)).into_iter().flatten();
        for running in known.filter(|running| running.stored.edges == edges(counted.period)) {
            (running.stored.alerted, running.stored.amount, running.changed) =
                (percent, amount, true);
        }
    }

    /// Stores all that was moved.
    pub(crate) fn write(self, session: &mut Session<'_>) -> Result<(), Error> {
        for ((campaign, of), known) in &self.budgets {
            for running in known.iter().filter(|running| running.persisted && running.changed) {
                session.keep_total(*campaign, *of, &running.stored)?;
            }
        }
        let quarters = self.quarters.into_iter();
        let quarters: Vec<_> = quarters.map(|((it, quarter), more)| (it, quarter, more)).collect();
        Ok(session.add_to_quarters(&quarters)?)
    }

    fn live_calls(&mut self, session: &mut Session<'_>, campaign: i64) -> Result<i64, Error> {
        if let Some(known) = self.at_once.get(&campaign) {
            return Ok(*known);
        }
        let found = session.live_calls(campaign)?;
        self.at_once.insert(campaign, found);
        Ok(found)
    }

    fn load(
        &mut self,
        session: &mut Session<'_>,
        campaign: i64,
        of: CountedThing,
    ) -> Result<&mut Vec<RunningTotal>, Error> {
        use std::collections::hash_map::Entry;
        match self.budgets.entry((campaign, of)) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let persisted = session.kept_totals(campaign, of, self.span)?.into_iter();
                let running = persisted.map(|stored| RunningTotal {
                    stored,
                    persisted: true,
                    changed: false,
                });
                Ok(place.insert(running.collect()))
            }
        }
    }

    fn load_or_recompute(
        &mut self,
        session: &mut Session<'_>,
        counted: Counted,
        pending_amount: impl FnOnce() -> i64,
    ) -> Result<&mut RunningTotal, Error> {
        let known = self.load(session, counted.campaign, counted.of)?;
        let edges = edges(counted.period);
        let place = known.iter().position(|running| running.stored.edges == edges);
        let place = match place {
            Some(place) => place,
            None => {
                let total = session.recount(counted)? + pending_amount();
                let stored = KeptTotal { edges, total, alerted: 0, amount: 0 };
                known.push(RunningTotal { stored, persisted: false, changed: false });
                known.len() - 1
            }
        };
        known.get_mut(place).ok_or_else(|| Error::Internal("a total is not there".to_owned()))
    }
}
