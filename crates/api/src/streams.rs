//! Responses that do not end by themselves: the limit on their number, and the signal that ends
//! them at shutdown.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use trunkline_network::{Actor, KeyedSemaphores, Tenant};

/// Open streams allowed for one credential.
pub(crate) const MAX_STREAMS_PER_CREDENTIAL: usize = 20;
/// Open streams allowed for all credentials of one tenant.
pub(crate) const MAX_STREAMS_PER_TENANT: usize = 2 * MAX_STREAMS_PER_CREDENTIAL;
/// Open streams allowed on one server.
const MAX_STREAMS: usize = 1_000;

/// Limits the number of open streams, by credential and by tenant.
#[derive(Debug)]
pub struct StreamLimiter {
    of_credentials: KeyedSemaphores<Actor>,
    of_tenants: KeyedSemaphores<Tenant>,
    total: Arc<Semaphore>,
}

/// Permit for one open stream. Dropping it releases the permit.
#[derive(Debug)]
pub(crate) struct StreamPermit {
    _permits: [OwnedSemaphorePermit; 3],
}

impl Default for StreamLimiter {
    fn default() -> Self {
        Self {
            of_credentials: KeyedSemaphores::new(MAX_STREAMS_PER_CREDENTIAL),
            of_tenants: KeyedSemaphores::new(MAX_STREAMS_PER_TENANT),
            total: Arc::new(Semaphore::new(MAX_STREAMS)),
        }
    }
}

impl StreamLimiter {
    /// Returns a permit for one more stream of a credential; `None` if a limit is reached.
    pub(crate) fn acquire(&self, actor: Actor, tenant: Tenant) -> Option<StreamPermit> {
        let acquire = |semaphore: Arc<Semaphore>| semaphore.try_acquire_owned().ok();
        Some(StreamPermit {
            _permits: [
                acquire(self.of_credentials.get(actor))?,
                acquire(self.of_tenants.get(tenant))?,
                acquire(Arc::clone(&self.total))?,
            ],
        })
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

    use trunkline_domain::id::{NetworkId, PartyId, TokenId};
    use trunkline_domain::party::PartyKind;
    use trunkline_network::Scope;

    #[test]
    fn streams_are_limited_by_credential_tenant_and_server() {
        let limiter = StreamLimiter::default();
        let mut permits = Vec::new();
        let mut open = |token: i64, affiliate: i64| {
            let scope = Scope::Party(PartyKind::Affiliate, PartyId::new(affiliate));
            let tenant = Tenant { network_id: NetworkId::new(1), scope };
            let before = permits.len();
            while let Some(permit) = limiter.acquire(Actor::Token(TokenId::new(token)), tenant) {
                permits.push(permit);
            }
            permits.len() - before
        };
        let opened = [(1, 1), (2, 1), (3, 1), (4, 2)].map(|(token, party)| open(token, party));
        assert_eq!(opened, [20, 20, 0, 20]);
        let total: usize = (5..100).map(|token| open(token, token)).sum();
        assert_eq!(total + 60, MAX_STREAMS);
        permits.truncate(10);
        let scope = Scope::Party(PartyKind::Affiliate, PartyId::new(2));
        let tenant = Tenant { network_id: NetworkId::new(1), scope };
        assert!(limiter.acquire(Actor::Token(TokenId::new(4)), tenant).is_some());
    }
}
