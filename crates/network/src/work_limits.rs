//! Limits on requests that cost much more than others: permits that bound how many a tenant has in
//! progress, and queues in which tenants take turns.
//!
//! The permits refuse, the queues delay. Without the queues a tenant within its permits could
//! still keep the threads of the server from all others.

use crate::{Error, KeyedSemaphores, Tenant};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use trunkline_domain::campaign::Terms;
use trunkline_domain::condition::SearchBudget;
use trunkline_domain::findings::{Finding, analyze_terms};
use trunkline_domain::id::NetworkId;

/// Expensive requests in progress for one tenant: long lists, replays, redecisions and checks.
const MAX_EXPENSIVE_PER_TENANT: usize = 4;
/// Expensive requests in progress for all tenants of a network.
const MAX_EXPENSIVE_PER_NETWORK: usize = 16;

/// Bounds the expensive requests in progress.
#[derive(Debug)]
pub struct ExpensiveRequests {
    of_tenants: KeyedSemaphores<Tenant>,
    of_networks: KeyedSemaphores<NetworkId>,
}

/// Permit of one expensive request. Dropping it releases it.
#[derive(Debug)]
pub struct ExpensivePermit {
    _of_tenant: OwnedSemaphorePermit,
    _of_network: OwnedSemaphorePermit,
}

impl Default for ExpensiveRequests {
    fn default() -> Self {
        Self {
            of_tenants: KeyedSemaphores::new(MAX_EXPENSIVE_PER_TENANT),
            of_networks: KeyedSemaphores::new(MAX_EXPENSIVE_PER_NETWORK),
        }
    }
}

impl ExpensiveRequests {
    /// Returns a permit for one more expensive request of a tenant.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyExpensiveRequests`] if the tenant or its network has as many as allowed.
    pub fn acquire(&self, tenant: Tenant) -> Result<ExpensivePermit, Error> {
        let acquire = |semaphore: Arc<Semaphore>| {
            semaphore.try_acquire_owned().map_err(|_| Error::TooManyExpensiveRequests)
        };
        Ok(ExpensivePermit {
            _of_tenant: acquire(self.of_tenants.get(tenant))?,
            _of_network: acquire(self.of_networks.get(tenant.network_id))?,
        })
    }
}

/// Turns that one queue gives at the same time.
#[derive(Debug, Clone, Copy)]
struct Turns {
    per_tenant: usize,
    per_network: usize,
    total: usize,
}

/// Queue for work on the threads for blocking work. A tenant waits for its own turns first, then
/// for those of its network, then for those of the server. So each tenant has few entries in the
/// last queue, and those of others are served between them.
#[derive(Debug)]
pub struct FairQueue {
    of_tenants: KeyedSemaphores<Tenant>,
    of_networks: KeyedSemaphores<NetworkId>,
    running: Arc<Semaphore>,
}

/// Turn in a [`FairQueue`]. Dropping it ends it.
#[derive(Debug)]
pub struct Turn {
    _permits: [OwnedSemaphorePermit; 3],
}

impl FairQueue {
    fn new(turns: Turns) -> Self {
        Self {
            of_tenants: KeyedSemaphores::new(turns.per_tenant),
            of_networks: KeyedSemaphores::new(turns.per_network),
            running: Arc::new(Semaphore::new(turns.total)),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    ///
    /// An internal error if the queue was closed, which never happens.
    pub async fn wait_for_turn(&self, tenant: Tenant) -> Result<Turn, Error> {
        let closed = |error: AcquireError| Error::Internal(format!("queue: {error}"));
        let of_tenant = self.of_tenants.get(tenant);
        let of_tenant = of_tenant.acquire_owned().await.map_err(closed)?;
        let of_network = self.of_networks.get(tenant.network_id);
        let of_network = of_network.acquire_owned().await.map_err(closed)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(closed)?;
        Ok(Turn { _permits: [of_tenant, of_network, running] })
    }

    /// Runs work on a thread for blocking work when it is its turn. The flag that it gets is set when the
    /// returned future is dropped, for example because the client is gone: the work should stop then. The
    /// turn lasts until it does.
    ///
    /// # Errors
    ///
    /// Those of the work; an internal error if it panics.
    pub async fn run<T: Send + 'static>(
        &self,
        tenant: Tenant,
        work: impl FnOnce(&Arc<AtomicBool>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = self.wait_for_turn(tenant).await?;
        let stop_on_drop = StopOnDrop::default();
        let stopped = stop_on_drop.flag();
        let work = move || {
            let _turn = turn;
            work(&stopped)
        };
        let result = tokio::task::spawn_blocking(work).await;
        result.map_err(|error| Error::Internal(format!("blocking work: {error}")))?
    }
}

/// Sets its flag when it is dropped.
#[derive(Debug, Default)]
pub struct StopOnDrop(Arc<AtomicBool>);

impl StopOnDrop {
    /// Returns the flag.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Limits on the expensive work of a server.
#[derive(Debug)]
pub struct WorkLimits {
    /// Permits for expensive requests.
    pub expensive: ExpensiveRequests,
    /// Queue of replays and redecisions. A replay uses every processor, so one runs at a time.
    pub replays: FairQueue,
    /// Queue of the pages of lists and tables, and of statements.
    pub pages: FairQueue,
    /// Queue of static analyses. Each uses one processor for some hundred milliseconds at most.
    analyses: FairQueue,
}

impl Default for WorkLimits {
    fn default() -> Self {
        let queue = |per_tenant, per_network, total| {
            FairQueue::new(Turns { per_tenant, per_network, total })
        };
        Self {
            expensive: ExpensiveRequests::default(),
            replays: queue(1, 1, 1),
            pages: queue(2, 4, 8),
            analyses: queue(1, 1, 2),
        }
    }
}

impl WorkLimits {
    /// Analyzes terms for a tenant. When the returned future is dropped, the analysis stops.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyExpensiveRequests`] if the tenant has too many requests in progress.
    pub async fn analyze(&self, tenant: Tenant, terms: Terms) -> Result<Vec<Finding>, Error> {
        let _permit = self.expensive.acquire(tenant)?;
        let analyze = move |stopped: &Arc<AtomicBool>| {
            Ok(analyze_terms(&terms, &SearchBudget::new(Arc::clone(stopped))))
        };
        self.analyses.run(tenant, analyze).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;
    use std::sync::mpsc;
    use trunkline_domain::id::PartyId;
    use trunkline_domain::party::PartyKind;

    fn affiliate(network: i64, id: i64) -> Tenant {
        let scope = Scope::Party(PartyKind::Affiliate, PartyId::new(id));
        Tenant { network_id: NetworkId::new(network), scope }
    }

    #[test]
    fn expensive_requests_are_limited_by_tenant_and_network() {
        let requests = ExpensiveRequests::default();
        let mut permits = Vec::new();
        let mut take = |tenant| {
            let before = permits.len();
            while let Ok(permit) = requests.acquire(tenant) {
                permits.push(permit);
            }
            permits.len() - before
        };
        let taken: Vec<usize> = (1..=6).map(|id| take(affiliate(1, id))).collect();
        assert_eq!(taken, [4, 4, 4, 4, 0, 0]);
        assert_eq!(take(affiliate(2, 7)), 4, "another network has permits of its own");
        permits.clear();
        assert!(requests.acquire(affiliate(1, 6)).is_ok());
    }

    /// Ten pieces of work of one tenant wait when another's arrives.
    #[tokio::test]
    async fn tenants_take_turns() {
        for (per_network, other) in [(2, affiliate(1, 2)), (1, affiliate(2, 2))] {
            let turns = Turns { per_tenant: 1, per_network, total: 1 };
            let queue = Arc::new(FairQueue::new(turns));
            let (order, served) = mpsc::channel();
            let spawn = |tenant: Tenant| {
                let (queue, order) = (Arc::clone(&queue), order.clone());
                tokio::spawn(async move {
                    let _turn = queue.wait_for_turn(tenant).await.unwrap();
                    order.send(tenant).unwrap();
                    tokio::task::yield_now().await;
                })
            };
            let mut tasks: Vec<_> = (0..10).map(|_| spawn(affiliate(1, 1))).collect();
            tasks.push(spawn(other));
            for task in tasks {
                task.await.unwrap();
            }
            let position = served.try_iter().position(|tenant| tenant == other);
            assert_eq!(position, Some(1), "only the work that already ran is served before");
        }
    }

    #[tokio::test]
    async fn work_is_told_to_stop_when_nobody_waits_for_it() {
        let (started, starts) = mpsc::channel();
        let (ended, ends) = mpsc::channel();
        let request = tokio::spawn(async move {
            let work = move |stopped: &Arc<AtomicBool>| {
                started.send(()).unwrap();
                while !stopped.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                ended.send(()).unwrap();
                Ok(())
            };
            WorkLimits::default().pages.run(affiliate(1, 1), work).await
        });
        tokio::task::yield_now().await;
        starts.recv().unwrap();
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        ends.recv().unwrap();
    }
}
