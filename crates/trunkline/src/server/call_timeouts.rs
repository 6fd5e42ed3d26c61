//! Background task that times out stalled live calls: calls that no event has ended within the limit.
//!
//! Each call is timed out in a transaction of its own that checks again whether the call is overdue.
//! Several servers may therefore run this task on one database, and a call whose transaction fails
//! does not delay the others.

use std::convert::Infallible;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use trunkline_api::{App, Clock};
use trunkline_network::{Store, live_calls};

/// Overdue calls loaded by one query.
const BATCH_SIZE: u32 = 500;
/// Longest time between two scans.
const MAX_SCAN_INTERVAL: Duration = Duration::from_secs(10);
/// Shortest time between two scans.
const MIN_SCAN_INTERVAL: Duration = Duration::from_millis(100);

/// Times out stalled calls, at the start and then periodically.
#[derive(Clone)]
pub(super) struct CallTimeouts {
    store: Store,
    clock: Clock,
    scan_interval: Duration,
}

impl CallTimeouts {
    pub(super) fn new(app: &App) -> Self {
        // A call exceeds its limit by a tenth of the limit at most.
        let scan_interval =
            (app.limits.max_call_time / 10).clamp(MIN_SCAN_INTERVAL, MAX_SCAN_INTERVAL);
        Self { store: app.store.clone(), clock: app.clock.clone(), scan_interval }
    }

    pub(super) async fn run(self) -> Infallible {
        let mut ticks = interval(self.scan_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            while self.time_out_batch().await == BATCH_SIZE as usize {}
        }
    }

    /// Times out up to [`BATCH_SIZE`] overdue calls and returns how many were ended.
    async fn time_out_batch(&self) -> usize {
        let now = (self.clock)();
        let overdue = self.store.read(|unit| live_calls::overdue_calls(unit, now, BATCH_SIZE));
        let overdue = overdue.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot load overdue live calls");
            Vec::new()
        });
        let mut ended = 0;
        for call in overdue {
            let result = self.store.write(move |unit| live_calls::time_out(unit, now, call)).await;
            match result {
                Ok(()) => ended += 1,
                Err(error) => {
                    tracing::error!(%error, call = call.call_id.get(), "cannot time out a live call");
                }
            }
        }
        ended
    }
}
