//! Sandboxes: networks for trials. The clock of a sandbox can be set and advanced, calls can be
//! simulated for its campaigns, and its contents can be reset.
//!
//! Operations on the sandbox itself are not recorded in the audit log, because a reset deletes the
//! log too.

mod call_times;
mod callers;
mod keypresses;
mod network_snapshot;
mod seeded_rng;
mod simulation;
mod simulator;

use crate::{Context, Error, Submission, UnitOfWork, networks};
use jiff::{SignedDuration, Timestamp};
pub use simulation::{
    MAX_CALLS, MAX_DAYS, STORE_BATCH_SIZE, SimulationRequest, SimulationSummary, plan_calls,
    store_calls,
};
pub use simulator::SimulatedCalls;
use std::ops::RangeInclusive;
use trunkline_domain::id::NetworkId;
use trunkline_domain::party::Network;
use trunkline_domain::problem::BLANK;

/// Clock of a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Time that requests see.
    pub now: Timestamp,
    /// `true` if the clock is frozen; else it follows the system clock.
    pub frozen: bool,
}

/// Change of a sandbox's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockChange {
    /// Freezes the clock at a time.
    Set(Timestamp),
    /// Freezes the clock at its current time plus a number of seconds, which may be negative.
    Advance(i64),
    /// Makes the clock follow the system clock again.
    Release,
}

/// Maximum absolute value of [`ClockChange::Advance`]: ten years, in seconds.
pub const MAX_ADVANCE_SECONDS: i64 = 3_653 * 86_400;
/// Range of a frozen clock, in seconds since 1970: from the first second of 2000 to the last of
/// 2099, UTC.
const CLOCK_RANGE_SECONDS: RangeInclusive<i64> = 946_684_800..=4_102_444_799;

/// Turns a network into a sandbox (command line only).
pub fn make_sandbox(unit: &mut UnitOfWork<'_>, network: NetworkId) -> Result<(), Error> {
    Ok(unit.set_sandbox(network)?)
}

/// Returns a sandbox's clock. Requires read access to the whole network.
pub fn get_clock(unit: &mut UnitOfWork<'_>, context: &Context) -> Result<Clock, Error> {
    context.principal.ensure_can_view_network()?;
    let network = require_sandbox(unit, context)?;
    Ok(clock_of(&network, context))
}

/// Sets, advances or releases a sandbox's clock.
pub fn set_clock(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    submitted: Submission<Option<ClockChange>>,
) -> Result<Clock, Error> {
    context.principal.ensure_can_write_network()?;
    let mut network = require_sandbox(unit, context)?;
    let Submission { change, mut problems } = submitted;
    let (property, to) = match change {
        None => {
            if problems.is_empty() {
                problems.property("now").add(BLANK);
            }
            ("now", None)
        }
        Some(ClockChange::Release) => ("now", None),
        Some(ClockChange::Set(to)) => ("now", Some(to)),
        Some(ClockChange::Advance(seconds)) => {
            // The stored clock, which another request may have changed since this request started.
            let now = network.now(context.system_now);
            let to = now.saturating_add(SignedDuration::from_secs(seconds));
            ("advance", Some(to.unwrap_or(Timestamp::MAX)))
        }
    };
    if to.is_some_and(|to| !CLOCK_RANGE_SECONDS.contains(&to.as_second())) {
        problems.property(property).add("must result in a time from 2000 to 2099");
    }
    problems.into_result(())?;
    unit.set_clock(network.id, to)?;
    network.sandbox_clock = to;
    Ok(clock_of(&network, context))
}

/// Deletes the contents of a sandbox, except the network itself, its users, tokens, webhooks and
/// inventory of numbers, which become free. The clock stays unchanged.
pub fn reset(unit: &mut UnitOfWork<'_>, context: &Context) -> Result<(), Error> {
    context.principal.ensure_can_write_network()?;
    let network = require_sandbox(unit, context)?;
    Ok(unit.reset_sandbox(network.id)?)
}

fn clock_of(network: &Network, context: &Context) -> Clock {
    Clock { now: network.now(context.system_now), frozen: network.sandbox_clock.is_some() }
}

/// Returns the principal's network, if it is a sandbox.
///
/// # Errors
///
/// [`Error::NotAllowed`] otherwise.
fn require_sandbox(unit: &mut UnitOfWork<'_>, context: &Context) -> Result<Network, Error> {
    let network = networks::of_principal(unit, context)?;
    if network.sandbox {
        return Ok(network);
    }
    let message =
        "this network is not a sandbox: create one with `trunkline network create --sandbox`";
    Err(Error::NotAllowed(message.to_owned()))
}

#[cfg(test)]
mod tests;
