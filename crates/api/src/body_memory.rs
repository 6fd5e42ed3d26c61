//! Memory for the bodies that are being received: a bound for the server, with a share of it for each
//! credential and for each tenant, so that nobody takes all of it.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{AcquireError, Semaphore};
use trunkline_network::{Actor, KeyedSemaphores, Tenant};

/// Memory for all bodies together, in bytes. The maximum size of a body replaces it where that is larger.
const TOTAL_BYTES: usize = 64 << 20;
/// Part of the memory that one credential, or one address without a credential, may hold: 1/8.
const CREDENTIAL_DIVISOR: usize = 8;
/// Part of the memory that the credentials of one tenant together, or all clients without a
/// credential, may hold: 1/4.
const TENANT_DIVISOR: usize = 4;
/// First bytes of each body, which are not counted, so that small requests are served when the memory is
/// used up.
const UNMETERED_BYTES: usize = 16 * 1024;

/// Sender of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyOwner {
    /// Credential of a tenant.
    Credential(Actor, Tenant),
    /// Client that is not authenticated yet, by its network address if that is known.
    Address(Option<IpAddr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum SmallShare {
    Credential(Actor),
    Address(Option<IpAddr>),
}

/// Bounds the memory of the bodies of a server. One permit is one byte.
#[derive(Debug)]
pub struct BodyMemory {
    total: Arc<Semaphore>,
    small_shares: KeyedSemaphores<SmallShare>,
    /// `None` is the share of clients that are not authenticated yet.
    large_shares: KeyedSemaphores<Option<Tenant>>,
}

/// Error of a body for which there is no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BodyMemoryFull;

impl BodyMemory {
    /// Creates the bound for bodies of up to a number of bytes. Every share has room for one body.
    pub fn new(max_body_bytes: usize) -> Self {
        let total = max_body_bytes.max(TOTAL_BYTES);
        let share_bytes = |divisor| max_body_bytes.max(total / divisor);
        Self {
            total: Arc::new(Semaphore::new(total)),
            small_shares: KeyedSemaphores::new(share_bytes(CREDENTIAL_DIVISOR)),
            large_shares: KeyedSemaphores::new(share_bytes(TENANT_DIVISOR)),
        }
    }

    /// Opens the account of a body.
    pub(crate) fn open_account(&self, owner: BodyOwner) -> BodyAccount {
        let (small, large) = match owner {
            BodyOwner::Credential(actor, tenant) => (SmallShare::Credential(actor), Some(tenant)),
            BodyOwner::Address(address) => (SmallShare::Address(address), None),
        };
        BodyAccount {
            shares: [
                self.small_shares.get(small),
                self.large_shares.get(large),
                Arc::clone(&self.total),
            ],
            usage: Mutex::default(),
        }
    }
}

/// Memory that one body holds. Dropping the account releases it.
#[derive(Debug)]
pub(crate) struct BodyAccount {
    /// The sender's share, its tenant's, and the memory of the server.
    shares: [Arc<Semaphore>; 3],
    usage: Mutex<Usage>,
}

#[derive(Debug, Default)]
struct Usage {
    /// Bytes of the body that are in memory.
    held: usize,
    /// Permits taken for them from each share.
    permits: usize,
}

impl Usage {
    fn needed_permits(&self) -> usize {
        self.held.saturating_sub(UNMETERED_BYTES)
    }
}

impl BodyAccount {
    /// Adds bytes that were received.
    ///
    /// # Errors
    ///
    /// [`BodyMemoryFull`] if a share is used up. The bytes are not added then.
    pub(crate) fn try_grow(&self, bytes: usize) -> Result<(), BodyMemoryFull> {
        let missing = self.missing_permits(bytes);
        let [first, second, third] = &self.shares;
        let acquire = |share: &Arc<Semaphore>| {
            Arc::clone(share).try_acquire_many_owned(missing).map_err(|_| BodyMemoryFull)
        };
        let permits = [acquire(first)?, acquire(second)?, acquire(third)?];
        permits.into_iter().for_each(|permit| permit.forget());
        self.add(bytes, missing);
        Ok(())
    }

    /// Adds bytes that were received, when there is room for them.
    ///
    /// # Errors
    ///
    /// None while the shares are open, which they always are.
    pub(crate) async fn grow(&self, bytes: usize) -> Result<(), AcquireError> {
        let missing = self.missing_permits(bytes);
        let [first, second, third] = &self.shares;
        let permits = [
            first.acquire_many(missing).await?,
            second.acquire_many(missing).await?,
            third.acquire_many(missing).await?,
        ];
        permits.into_iter().for_each(|permit| permit.forget());
        self.add(bytes, missing);
        Ok(())
    }

    /// Subtracts bytes that are no longer in memory.
    pub(crate) fn shrink(&self, bytes: usize) {
        let mut usage = self.usage();
        usage.held = usage.held.saturating_sub(bytes);
        self.release_excess(&mut usage);
    }

    /// Number of bytes in memory.
    pub(crate) fn held_bytes(&self) -> usize {
        self.usage().held
    }

    fn missing_permits(&self, bytes: usize) -> u32 {
        let usage = self.usage();
        let needed = (usage.held + bytes).saturating_sub(UNMETERED_BYTES);
        u32::try_from(needed.saturating_sub(usage.permits)).unwrap_or(u32::MAX)
    }

    fn add(&self, bytes: usize, permits: u32) {
        let mut usage = self.usage();
        usage.held += bytes;
        usage.permits += permits as usize;
        // Other bytes may have been released while permits were waited for.
        self.release_excess(&mut usage);
    }

    fn release_excess(&self, usage: &mut Usage) {
        let excess = usage.permits.saturating_sub(usage.needed_permits());
        usage.permits -= excess;
        for share in &self.shares {
            share.add_permits(excess);
        }
    }

    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for BodyAccount {
    fn drop(&mut self) {
        self.shrink(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trunkline_domain::id::{NetworkId, PartyId, TokenId};
    use trunkline_domain::party::PartyKind;
    use trunkline_network::Scope;

    const BODY_BYTES: usize = 1 << 20;

    fn token_of_affiliate(token: i64, affiliate: i64) -> BodyOwner {
        let scope = Scope::Party(PartyKind::Affiliate, PartyId::new(affiliate));
        let tenant = Tenant { network_id: NetworkId::new(1), scope };
        BodyOwner::Credential(Actor::Token(TokenId::new(token)), tenant)
    }

    /// Receives bodies of one MiB and the unmetered bytes until one is refused.
    fn fill(memory: &BodyMemory, owner: BodyOwner, accounts: &mut Vec<BodyAccount>) -> usize {
        let before = accounts.len();
        loop {
            let account = memory.open_account(owner);
            if account.try_grow(BODY_BYTES + UNMETERED_BYTES).is_err() {
                return accounts.len() - before;
            }
            accounts.push(account);
        }
    }

    #[test]
    fn no_owner_takes_more_than_its_share() {
        let memory = BodyMemory::new(BODY_BYTES);
        let mut accounts = Vec::new();
        // Three tokens of one affiliate, then those of others.
        let filled: Vec<usize> = [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (7, 3)]
            .map(|(token, affiliate)| token_of_affiliate(token, affiliate))
            .iter()
            .map(|owner| fill(&memory, *owner, &mut accounts))
            .collect();
        assert_eq!(filled, [8, 8, 0, 8, 8, 8, 8]);
        let address = |last: u8| BodyOwner::Address(Some(IpAddr::from([10, 0, 0, last])));
        let filled = [1, 2, 3].map(|last| fill(&memory, address(last), &mut accounts));
        assert_eq!(filled, [8, 8, 0], "strangers together have a quarter");
        assert_eq!(memory.total.available_permits(), 0);
        let small = memory.open_account(token_of_affiliate(9, 9));
        assert_eq!(small.try_grow(UNMETERED_BYTES), Ok(()), "small bodies are not counted");
        assert_eq!(small.try_grow(1), Err(BodyMemoryFull));
        drop(small);
        accounts.clear();
        assert_eq!(memory.total.available_permits(), TOTAL_BYTES);
        assert_eq!(fill(&memory, token_of_affiliate(1, 1), &mut accounts), 8);
    }

    #[test]
    fn released_bytes_can_be_taken_again() {
        let memory = BodyMemory::new(BODY_BYTES);
        let account = memory.open_account(token_of_affiliate(1, 1));
        for _ in 0..1_000 {
            account.try_grow(BODY_BYTES).unwrap();
            account.shrink(BODY_BYTES / 2);
            account.try_grow(BODY_BYTES / 4).unwrap();
            account.shrink(BODY_BYTES * 3 / 4);
        }
        assert_eq!(account.held_bytes(), 0);
        assert_eq!(memory.total.available_permits(), TOTAL_BYTES);
    }
}
