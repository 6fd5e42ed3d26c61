//! Storing simulated calls, and summaries of them.

use super::{network_snapshot, require_sandbox, simulator::SimulatedCalls};
use crate::calls::{self, ReportedCall};
use crate::{Context, Error, Submission, UnitOfWork};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::Range;
use trunkline_domain::call::{LedgerAmount, Outcome, Settlement};
use trunkline_domain::id::NetworkId;
use trunkline_domain::money::Money;
use trunkline_domain::problem::Problems;

/// Maximum number of calls of one simulation.
pub const MAX_CALLS: u32 = 10_000;
/// Maximum number of days over which the calls are distributed.
pub const MAX_DAYS: u32 = 365;
/// Number of calls to store in one transaction, so that other writers are not blocked for long.
pub const STORE_BATCH_SIZE: usize = 50;

/// Request of a simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulationRequest {
    /// Number of calls, 1 to [`MAX_CALLS`].
    pub calls: u32,
    /// Seed. The same seed generates the same calls.
    pub seed: u32,
    /// Number of days before now in which the calls start, 1 to [`MAX_DAYS`].
    pub days: u32,
    /// External id of the campaign; `None` for all live campaigns.
    pub campaign: Option<String>,
}

impl Default for SimulationRequest {
    fn default() -> Self {
        Self { calls: 100, seed: 1, days: 30, campaign: None }
    }
}

/// Summary of simulated calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimulationSummary {
    /// Number of calls that were stored.
    pub stored: u64,
    /// Number of calls that had been stored before and were not changed.
    pub duplicates: u64,
    /// Number of stored calls by outcome.
    pub by_outcome: BTreeMap<&'static str, u64>,
    /// Payin of the stored calls, by currency.
    pub payin: BTreeMap<&'static str, Money>,
    /// Payout of the stored calls, by currency.
    pub payout: BTreeMap<&'static str, Money>,
}

/// Plans simulated calls for a sandbox's live campaigns. Nothing is stored yet.
pub fn plan_calls(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    submitted: Submission<SimulationRequest>,
) -> Result<SimulatedCalls, Error> {
    context.principal.ensure_can_write_network()?;
    require_sandbox(unit, context)?;
    let Submission { change: request, problems } = submitted;
    let request = problems.into_result(request)?;
    let network = network_snapshot::load(unit, context, request.campaign.as_deref(), request.days)?;
    Ok(SimulatedCalls::plan(request.seed, network, request.calls.min(MAX_CALLS)))
}

/// Stores a range of the simulated calls, by index, as if their senders had reported them.
pub fn store_calls(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    calls: &SimulatedCalls,
    indexes: Range<usize>,
) -> Result<SimulationSummary, Error> {
    context.principal.ensure_can_write_network()?;
    let network = require_sandbox(unit, context)?.id;
    let reported = indexes.map_while(|index| {
        let submitted = Submission { change: calls.call(index)?, problems: Problems::new() };
        Some(ReportedCall::new(submitted, complete_call_id(network, &calls.external_id(index))))
    });
    let reported: Vec<ReportedCall> = reported.collect();
    let (results, ledger_rows) = calls::ingest_and_settle(unit, context, &reported)?;
    let mut summary = SimulationSummary::default();
    for result in results {
        let (_, row) = result?;
        match row.and_then(|row| ledger_rows.get(row)) {
            Some(row) => summary.count(&row.settlement),
            None => summary.duplicates += 1,
        }
    }
    Ok(summary)
}

/// Derives the `complete_call_id` of a call. It includes the network, because several networks of
/// one database may simulate the same seed.
fn complete_call_id(network: NetworkId, external_id: &str) -> String {
    let digest = Sha256::digest(format!("{network} {external_id}"));
    digest.iter().take(12).map(|byte| format!("{byte:02X}")).collect()
}

impl SimulationSummary {
    fn count(&mut self, settlement: &Settlement) {
        self.stored += 1;
        *self.by_outcome.entry(settlement.outcome.as_str()).or_default() += 1;
        let sides = [(&mut self.payin, &settlement.payin), (&mut self.payout, &settlement.payout)];
        for (sums, side) in sides {
            if let Some(LedgerAmount { amount, currency, .. }) = side {
                add_amount(sums, currency.as_str(), *amount);
            }
        }
    }

    /// Adds the summary of other calls.
    pub fn add(&mut self, other: Self) {
        self.stored += other.stored;
        self.duplicates += other.duplicates;
        for (outcome, calls) in other.by_outcome {
            *self.by_outcome.entry(outcome).or_default() += calls;
        }
        for (currency, amount) in other.payin {
            add_amount(&mut self.payin, currency, amount);
        }
        for (currency, amount) in other.payout {
            add_amount(&mut self.payout, currency, amount);
        }
    }

    /// Returns the number of stored calls that were connected.
    pub fn connected(&self) -> u64 {
        self.by_outcome.get(Outcome::Connected.as_str()).copied().unwrap_or(0)
    }
}

fn add_amount(sums: &mut BTreeMap<&'static str, Money>, currency: &'static str, amount: Money) {
    let sum = sums.entry(currency).or_default();
    *sum = sum.checked_add(amount).unwrap_or(*sum);
}
