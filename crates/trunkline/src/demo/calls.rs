//! Simulated calls of the demo.

use super::{CALL_DAYS, DemoClock, DemoNetwork};
use crate::cli_error::CliError;
use crate::progress::Progress;
use crate::system;
use std::sync::Arc;
use trunkline_domain::party::Role;
use trunkline_domain::problem::Problems;
use trunkline_network::sandbox::{self, STORE_BATCH_SIZE, SimulationRequest, SimulationSummary};
use trunkline_network::{Actor, Context, Grant, Principal, Scope, Store, Submission};

/// Arguments of the call simulation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SimulatedCalls {
    /// Number of calls.
    pub(crate) count: u32,
    /// Seed of the random numbers; the same seed produces the same calls.
    pub(crate) seed: u32,
}

/// Simulates calls in the days before the clock's time, stores them, and displays the progress.
pub(crate) async fn simulate_calls(
    store: &Store,
    network: &DemoNetwork,
    calls: SimulatedCalls,
    clock: &DemoClock,
) -> Result<SimulationSummary, CliError> {
    let grant = Grant { scope: Scope::Network, role: Role::Super };
    let caller =
        Principal { network_id: network.id, actor: Actor::CommandLine, grants: vec![grant] };
    let context = Context {
        principal: caller,
        now: clock.now,
        system_now: system::now(),
        request_id: "demo".to_owned(),
        warnings: trunkline_network::Warnings::default(),
        internal_id_use: Default::default(),
    };
    let SimulatedCalls { count, seed } = calls;
    let change = SimulationRequest { calls: count, seed, days: CALL_DAYS, campaign: None };
    let request = Submission { change, problems: Problems::new() };
    let calls = store.read(|unit| sandbox::plan_calls(unit, &context, request))?;
    let calls = Arc::new(calls);
    let progress = Progress::new("calls", u64::from(count));
    let mut summary = SimulationSummary::default();
    for start in (0..calls.count()).step_by(STORE_BATCH_SIZE) {
        let range = start..calls.count().min(start + STORE_BATCH_SIZE);
        let batch_size = range.len() as u64;
        let calls = Arc::clone(&calls);
        let context = context.clone();
        let batch = store.write(move |unit| sandbox::store_calls(unit, &context, &calls, range));
        summary.add(batch.await?);
        progress.add(batch_size);
    }
    progress.finish();
    Ok(summary)
}
