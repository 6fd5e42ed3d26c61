//! Ends live calls that were left hanging.
//!
//! Each is ended in a unit of work of its own, which looks first whether it still has to be: so
//! several processes may sweep one database, and one call that cannot be ended keeps none of the
//! others from it.

use std::convert::Infallible;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use trunkline_api::{App, Clock};
use trunkline_network::{Store, live_calls};

/// Calls looked up at a time.
const BATCH: u32 = 500;
/// How often to look, at the least.
const SELDOM: Duration = Duration::from_secs(10);
/// How often to look, at the most.
const OFTEN: Duration = Duration::from_millis(100);

/// Looks for calls that were left hanging, at once and then from time to time.
#[derive(Clone)]
pub(super) struct Sweep {
    store: Store,
    clock: Clock,
    every: Duration,
}

impl Sweep {
    pub(super) fn new(app: &App) -> Self {
        // A call is over its limit for a tenth of it at most.
        let every = (app.limits.call_time / 10).clamp(OFTEN, SELDOM);
        Self { store: app.store.clone(), clock: app.clock.clone(), every }
    }

    pub(super) async fn run(self) -> Infallible {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            while self.end_some().await == BATCH as usize {}
        }
    }

    /// Ends the calls that are overdue, as many as are looked up at a time, and returns how many it
    /// ended.
    async fn end_some(&self) -> usize {
        let now = (self.clock)();
        let overdue = self.store.read(|session| live_calls::overdue(session, now, BATCH));
        let overdue = overdue.unwrap_or_else(|error| {
            tracing::error!(%error, "live calls left hanging could not be looked up");
            Vec::new()
        });
        let mut ended = 0;
        for call in overdue {
            let done = self.store.write(move |session| live_calls::give_up(session, now, call));
            match done.await {
                Ok(()) => ended += 1,
                Err(error) => {
                    tracing::error!(%error, call = call.1, "a live call could not be ended");
                }
            }
        }
        ended
    }
}
