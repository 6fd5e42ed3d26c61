//! Running totals that a unit of work moves: read once, moved in memory, and written once.

use crate::{Error, Session};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use trunkline_store::{CallTotals, Counted, CountedThing, KeptTotal, edges, quarter};

/// Running totals of campaigns' budgets and quarters of an hour, of calls that start within a span.
pub(crate) struct Totals {
    span: (Timestamp, Timestamp),
    budgets: HashMap<(i64, CountedThing), Vec<Running>>,
    quarters: BTreeMap<(i64, i64), CallTotals>,
    /// Calls under way, by campaign.
    at_once: HashMap<i64, i64>,
}

/// A period's total as it is by now.
struct Running {
    it: KeptTotal,
    /// Whether it is to be kept; one that was only asked for is not.
    kept: bool,
    moved: bool,
}

impl Totals {
    /// For calls that start from one moment on and not after another.
    pub(crate) fn within(span: (Timestamp, Timestamp)) -> Self {
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
        held: impl FnOnce() -> i64,
    ) -> Result<i64, Error> {
        if counted.of == CountedThing::AtOnce {
            return self.live_calls(session, counted.campaign);
        }
        Ok(self.running(session, counted, held)?.it.total)
    }

    /// Moves every total that is known of periods that a moment is in.
    pub(crate) fn shift(
        &mut self,
        session: &mut Session<'_>,
        campaign: i64,
        (of, by): (CountedThing, i64),
        at: Timestamp,
    ) -> Result<(), Error> {
        let at = at.as_millisecond();
        for running in self.loaded(session, campaign, of)? {
            if running.it.edges.0 <= at && at < running.it.edges.1 {
                running.it.total += by;
                running.moved = true;
            }
        }
        Ok(())
    }

    /// Keeps a period's total from now on; what it is, and the percent up to which alerts were given
    /// for an amount. `held` as in [`Totals::total`].
    pub(crate) fn keep(
        &mut self,
        session: &mut Session<'_>,
        (counted, amount): (Counted, i64),
        held: impl FnOnce() -> i64,
    ) -> Result<(i64, u32), Error> {
        let running = self.running(session, counted, held)?;
        if !running.kept {
            running.it.amount = amount;
            (running.kept, running.moved) = (true, true);
        }
        let alerted = if running.it.amount == amount { running.it.alerted } else { 0 };
        let total = running.it.total;
        match counted.of {
            CountedThing::AtOnce => Ok((self.live_calls(session, counted.campaign)?, alerted)),
            _ => Ok((total, alerted)),
        }
    }

    /// Remembers that alerts were given up to a percent of an amount.
    pub(crate) fn remember_alert(&mut self, counted: Counted, amount: i64, percent: u32) {
        let known = self.budgets.get_mut(&(counted.campaign, counted.of)).into_iter().flatten();
        for running in known.filter(|running| running.it.edges == edges(counted.period)) {
            (running.it.alerted, running.it.amount, running.moved) = (percent, amount, true);
        }
    }

    /// Stores all that was moved.
    pub(crate) fn write(self, session: &mut Session<'_>) -> Result<(), Error> {
        for ((campaign, of), known) in &self.budgets {
            for running in known.iter().filter(|running| running.kept && running.moved) {
                session.keep_total(*campaign, *of, &running.it)?;
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

    fn loaded(
        &mut self,
        session: &mut Session<'_>,
        campaign: i64,
        of: CountedThing,
    ) -> Result<&mut Vec<Running>, Error> {
        use std::collections::hash_map::Entry;
        match self.budgets.entry((campaign, of)) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let kept = session.kept_totals(campaign, of, self.span)?.into_iter();
                let running = kept.map(|it| Running { it, kept: true, moved: false });
                Ok(place.insert(running.collect()))
            }
        }
    }

    fn running(
        &mut self,
        session: &mut Session<'_>,
        counted: Counted,
        held: impl FnOnce() -> i64,
    ) -> Result<&mut Running, Error> {
        let known = self.loaded(session, counted.campaign, counted.of)?;
        let edges = edges(counted.period);
        let place = known.iter().position(|running| running.it.edges == edges);
        let place = match place {
            Some(place) => place,
            None => {
                let total = session.recount(counted)? + held();
                let it = KeptTotal { edges, total, alerted: 0, amount: 0 };
                known.push(Running { it, kept: false, moved: false });
                known.len() - 1
            }
        };
        known.get_mut(place).ok_or_else(|| Error::Internal("a total is not there".to_owned()))
    }
}
