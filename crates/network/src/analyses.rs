//! Runs the static analysis of terms off the runtime's threads.

use crate::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Semaphore;
use trunkline_domain::campaign::Terms;
use trunkline_domain::condition::SearchBudget;
use trunkline_domain::findings::{Finding, analyze_terms};

/// Analyses that run at the same time. Each uses one processor for some hundred milliseconds at most.
const MAX_CONCURRENT_ANALYSES: usize = 2;

/// Analyses that run or wait. Further ones get a busy error.
const MAX_QUEUED_ANALYSES: usize = 64;

/// Bounds the static analyses of a server.
#[derive(Debug, Clone)]
pub struct Analyses {
    running: Arc<Semaphore>,
    queued: Arc<Semaphore>,
}

impl Default for Analyses {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(MAX_CONCURRENT_ANALYSES)),
            queued: Arc::new(Semaphore::new(MAX_QUEUED_ANALYSES)),
        }
    }
}

impl Analyses {
    /// Analyzes terms on a thread for blocking work. When the returned future is dropped, for example
    /// because the client is gone, the analysis stops.
    ///
    /// # Errors
    ///
    /// A busy error if too many analyses wait.
    pub async fn analyze(&self, terms: Terms) -> Result<Vec<Finding>, Error> {
        let busy = |_| Error::from(trunkline_store::Error::Busy);
        let _queued = self.queued.try_acquire().map_err(busy)?;
        let permit = Arc::clone(&self.running).acquire_owned().await;
        let permit = permit.map_err(|error| Error::Internal(format!("analysis: {error}")))?;
        let stop_on_drop = StopOnDrop(Arc::default());
        let budget = SearchBudget::new(Arc::clone(&stop_on_drop.0));
        let work = move || {
            let _permit = permit;
            analyze_terms(&terms, &budget)
        };
        let result = tokio::task::spawn_blocking(work).await;
        result.map_err(|error| Error::Internal(format!("analysis: {error}")))
    }
}

/// Sets its flag when it is dropped.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
