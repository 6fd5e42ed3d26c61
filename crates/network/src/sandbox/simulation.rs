//! Storing imagined calls, and what they came to.

use super::{network_snapshot, require_sandbox, simulator::Calls};
use crate::calls::{self, Told};
use crate::{Context, Error, Session, Submitted};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::Range;
use trunkline_domain::call::{Outcome, Settlement, Side};
use trunkline_domain::money::Money;
use trunkline_domain::problem::Problems;

/// The most calls that are imagined at once.
pub const CALLS_LIMIT: u32 = 10_000;
/// The most days that they lie in.
pub const DAYS_LIMIT: u32 = 365;
/// Calls to store in one unit of work, so that other writers have their turns between.
pub const BATCH: usize = 50;

/// Which calls to imagine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// How many, 1 to [`CALLS_LIMIT`].
    pub calls: u32,
    /// The same seed imagines the same calls.
    pub seed: u32,
    /// In how many days before now, 1 to [`DAYS_LIMIT`].
    pub days: u32,
    /// The network's id of the campaign; else all that are live.
    pub campaign: Option<String>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { calls: 100, seed: 1, days: 30, campaign: None }
    }
}

/// What became of imagined calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Stored now.
    pub stored: u64,
    /// Stored before; nothing was changed.
    pub known: u64,
    /// Stored calls by how they went.
    pub by_outcome: BTreeMap<&'static str, u64>,
    /// What stored calls pay in, by currency.
    pub payin: BTreeMap<&'static str, Money>,
    /// What stored calls pay out, by currency.
    pub payout: BTreeMap<&'static str, Money>,
}

/// Imagines calls for a sandbox's live campaigns. Nothing is stored yet.
pub fn imagine(
    session: &mut Session<'_>,
    context: &Context,
    submitted: Submitted<Wanted>,
) -> Result<Calls, Error> {
    context.caller.require_network()?;
    require_sandbox(session, context)?;
    let Submitted { change: wanted, problems } = submitted;
    let wanted = problems.or(wanted)?;
    let network =
        network_snapshot::load(session, context, wanted.campaign.as_deref(), wanted.days)?;
    Ok(Calls::plan(wanted.seed, network, wanted.calls.min(CALLS_LIMIT)))
}

/// Stores some of the imagined calls, by their places, as if their senders had told them.
pub fn take(
    session: &mut Session<'_>,
    context: &Context,
    calls: &Calls,
    places: Range<usize>,
) -> Result<Tally, Error> {
    context.caller.require_network()?;
    let network = require_sandbox(session, context)?.id;
    let told = places.map_while(|place| {
        let submitted = Submitted { change: calls.call(place)?, problems: Problems::new() };
        Some(Told::new(submitted, complete_call_id(network, &calls.external_id(place))))
    });
    let told: Vec<Told> = told.collect();
    let (answers, settled) = calls::ingest_and_settle(session, context, &told)?;
    let mut tally = Tally::default();
    for answer in answers {
        let (_, row) = answer?;
        match row.and_then(|row| settled.get(row)) {
            Some(row) => tally.count(&row.settlement),
            None => tally.known += 1,
        }
    }
    Ok(tally)
}

/// The complete_call_id of a call. A file's networks each have calls of a seed.
fn complete_call_id(network: i64, external_id: &str) -> String {
    let digest = Sha256::digest(format!("{network} {external_id}"));
    digest.iter().take(12).map(|byte| format!("{byte:02X}")).collect()
}

impl Tally {
    fn count(&mut self, settlement: &Settlement) {
        self.stored += 1;
        *self.by_outcome.entry(settlement.outcome.as_str()).or_default() += 1;
        let sides = [(&mut self.payin, &settlement.payin), (&mut self.payout, &settlement.payout)];
        for (sums, side) in sides {
            if let Some(Side { amount, currency, .. }) = side {
                add_amount(sums, currency.as_str(), *amount);
            }
        }
    }

    /// Adds what became of other calls.
    pub fn add(&mut self, other: Self) {
        self.stored += other.stored;
        self.known += other.known;
        for (outcome, calls) in other.by_outcome {
            *self.by_outcome.entry(outcome).or_default() += calls;
        }
        other.payin.into_iter().for_each(|(of, sum)| add_amount(&mut self.payin, of, sum));
        other.payout.into_iter().for_each(|(of, sum)| add_amount(&mut self.payout, of, sum));
    }

    /// Stored calls that connected.
    pub fn connected(&self) -> u64 {
        self.by_outcome.get(Outcome::Connected.as_str()).copied().unwrap_or(0)
    }
}

fn add_amount(sums: &mut BTreeMap<&'static str, Money>, currency: &'static str, amount: Money) {
    let sum = sums.entry(currency).or_default();
    *sum = sum.checked_add(amount).unwrap_or(*sum);
}
