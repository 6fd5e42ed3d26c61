//! The demo's imagined calls.

use super::{DAYS, Made, Time};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::system;
use std::sync::Arc;
use trunkline_domain::party::Role;
use trunkline_domain::problem::Problems;
use trunkline_network::sandbox::{self, BATCH, Tally, Wanted};
use trunkline_network::{Actor, Caller, Context, Grant, Scope, Store, Submitted};

/// Which calls the demo makes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calls {
    /// How many.
    pub(crate) count: u32,
    /// The same seed makes the same ones.
    pub(crate) seed: u32,
}

/// Makes calls in the days before a time, and shows how far it is.
pub(crate) async fn make_calls(
    store: &Store,
    made: &Made,
    calls: Calls,
    time: &Time,
) -> Result<Tally, Failure> {
    let grant = Grant { scope: Scope::Network, role: Role::Super };
    let caller =
        Caller { network_id: made.network, actor: Actor::CommandLine, grants: vec![grant] };
    let (now, system_now) = (time.now, system::now());
    let context = Context { caller, now, system_now, request_id: "demo".to_owned() };
    let Calls { count, seed } = calls;
    let change = Wanted { calls: count, seed, days: DAYS, campaign: None };
    let wanted = Submitted { change, problems: Problems::new() };
    let calls = store.read(|session| sandbox::imagine(session, &context, wanted))?;
    let (calls, progress) = (Arc::new(calls), Progress::new("calls", u64::from(count)));
    let mut tally = Tally::default();
    for from in (0..calls.count()).step_by(BATCH) {
        let of = from..calls.count().min(from + BATCH);
        let (calls, context, places) = (Arc::clone(&calls), context.clone(), of.clone());
        let batch = store.write(move |session| sandbox::take(session, &context, &calls, places));
        tally.add(batch.await?);
        progress.add(of.len() as u64);
    }
    progress.end();
    Ok(tally)
}
