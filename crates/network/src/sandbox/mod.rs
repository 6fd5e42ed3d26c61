//! Sandboxes: networks to try things in. A sandbox's clock can be set and moved on, calls can be
//! imagined for its campaigns, and all of it can be thrown away.
//!
//! What a sandbox's people do to the sandbox itself is not in the audit log, which goes with the rest.

mod call_times;
mod callers;
mod keypresses;
mod network_snapshot;
mod seeded_rng;
mod simulation;
mod simulator;

pub use simulation::{BATCH, CALLS_LIMIT, DAYS_LIMIT, Tally, Wanted, imagine, take};
pub use simulator::Calls;

use crate::{Context, Error, Session, Submitted, networks};
use jiff::{SignedDuration, Timestamp};
use trunkline_domain::party::Network;
use trunkline_domain::problem::BLANK;

/// A sandbox's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The time that its requests see.
    pub now: Timestamp,
    /// Whether it stands; else it is the system's.
    pub frozen: bool,
}

/// What a clock is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockChange {
    /// To stand at a moment.
    Set(Timestamp),
    /// To stand so many seconds after where it is; before, if they are negative.
    Advance(i64),
    /// To be the system's again.
    Release,
}

/// The most that a clock is moved on or back at once: ten years, in seconds.
pub const ADVANCE_LIMIT: i64 = 3_653 * 86_400;
/// The first second of 2000 and the last of 2099, UTC: where a clock may stand.
const CLOCK_RANGE_SECONDS: (i64, i64) = (946_684_800, 4_102_444_799);

/// Makes a network a sandbox, at the command line.
pub fn make(session: &mut Session<'_>, network: i64) -> Result<(), Error> {
    Ok(session.make_sandbox(network)?)
}

/// A sandbox's clock. The whole network's credentials only.
pub fn clock(session: &mut Session<'_>, context: &Context) -> Result<Clock, Error> {
    context.caller.ensure_can_view_network()?;
    let network = require_sandbox(session, context)?;
    Ok(clock_of(&network, context))
}

/// Sets a sandbox's clock, moves it on, or lets it go.
pub fn set_clock(
    session: &mut Session<'_>,
    context: &Context,
    submitted: Submitted<Option<ClockChange>>,
) -> Result<Clock, Error> {
    context.caller.require_network()?;
    let mut network = require_sandbox(session, context)?;
    let Submitted { change, mut problems } = submitted;
    let (property, to) = match change {
        None => {
            if problems.is_empty() {
                problems.at("now").add(BLANK);
            }
            ("now", None)
        }
        Some(ClockChange::Release) => ("now", None),
        Some(ClockChange::Set(to)) => ("now", Some(to)),
        Some(ClockChange::Advance(seconds)) => {
            // Where the clock is by now, not where it was when the request came in.
            let now = network.now(context.system_now);
            let to = now.saturating_add(SignedDuration::from_secs(seconds));
            ("advance", Some(to.unwrap_or(Timestamp::MAX)))
        }
    };
    if to.is_some_and(|to| {
        !(CLOCK_RANGE_SECONDS.0..=CLOCK_RANGE_SECONDS.1).contains(&to.as_second())
    }) {
        problems.at(property).add("must lead to a moment from 2000 to 2099");
    }
    problems.or(())?;
    session.set_clock(network.id, to)?;
    network.clock = to;
    Ok(clock_of(&network, context))
}

/// Throws everything of a sandbox away but the network itself, its people, its tokens, its webhooks
/// and its numbers, which are free again. Its clock stays where it is.
pub fn reset(session: &mut Session<'_>, context: &Context) -> Result<(), Error> {
    context.caller.require_network()?;
    let network = require_sandbox(session, context)?;
    Ok(session.empty_sandbox(network.id)?)
}

fn clock_of(network: &Network, context: &Context) -> Clock {
    Clock { now: network.now(context.system_now), frozen: network.clock.is_some() }
}

/// The caller's network, if it is a sandbox.
fn require_sandbox(session: &mut Session<'_>, context: &Context) -> Result<Network, Error> {
    let network = networks::of_caller(session, context)?;
    if network.sandbox {
        return Ok(network);
    }
    let message = "this network is no sandbox: `trunkline network create --sandbox` makes one";
    Err(Error::NotAllowed(message.to_owned()))
}

#[cfg(test)]
mod tests;
