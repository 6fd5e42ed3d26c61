//! Responses that do not end by themselves: the limit on their number, and the signal that ends
//! them at shutdown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Open streams allowed for one credential.
pub(crate) const MAX_STREAMS_PER_CREDENTIAL: usize = 20;
/// Open streams allowed on one server.
const MAX_STREAMS: usize = 1_000;

/// Limits the number of open streams. Counts them by credential.
#[derive(Debug, Default)]
pub struct StreamLimiter(Mutex<HashMap<String, usize>>);

/// Permit for one open stream. Dropping it releases the permit.
#[derive(Debug)]
pub(crate) struct StreamPermit {
    limiter: Arc<StreamLimiter>,
    credential: String,
}

impl StreamLimiter {
    /// Returns a permit for one more stream of a credential; `None` if a limit is reached.
    pub(crate) fn acquire(self: &Arc<Self>, credential: &str) -> Option<StreamPermit> {
        let mut counts = self.counts();
        let total: usize = counts.values().sum();
        let of_credential = counts.get(credential).copied().unwrap_or(0);
        if of_credential >= MAX_STREAMS_PER_CREDENTIAL || total >= MAX_STREAMS {
            return None;
        }
        counts.insert(credential.to_owned(), of_credential + 1);
        Some(StreamPermit { limiter: Arc::clone(self), credential: credential.to_owned() })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut counts = self.limiter.counts();
        if let Some(count) = counts.get_mut(&self.credential) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.credential);
            }
        }
    }
}

/// Shutdown signal for responses and tasks that would otherwise continue. Clones share one signal.
#[derive(Debug, Clone)]
pub struct ShutdownSignal(Arc<watch::Sender<bool>>);

impl Default for ShutdownSignal {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl ShutdownSignal {
    /// Sends the signal. It stays set.
    pub fn trigger(&self) {
        self.0.send_replace(true);
    }

    /// Waits until the signal is set; returns at once if it is.
    pub async fn triggered(&self) {
        // `self` owns the sender, so the channel cannot be closed here.
        self.0.subscribe().wait_for(|is_set| *is_set).await.ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_limited_per_credential_and_server_and_released_on_drop() {
        let limiter = Arc::new(StreamLimiter::default());
        let mut permits: Vec<_> =
            (0..MAX_STREAMS_PER_CREDENTIAL).map(|_| limiter.acquire("token:1")).collect();
        assert!(permits.iter().all(Option::is_some));
        assert!(limiter.acquire("token:1").is_none());
        assert!(limiter.acquire("token:2").is_some());
        permits.pop();
        assert!(limiter.acquire("token:1").is_some());
        let others: Vec<_> =
            (0..MAX_STREAMS).map(|index| limiter.acquire(&format!("user:{index}"))).collect();
        let granted = others.iter().filter(|permit| permit.is_some()).count();
        assert_eq!(granted + permits.len(), MAX_STREAMS);
    }
}
