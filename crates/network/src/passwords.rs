//! Password verification. argon2 is slow by design, so few verifications run concurrently, and
//! successful ones are cached.

use crate::credentials::{self, Entropy};
use crate::{Error, Principal, Store};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use tokio::sync::Semaphore;
use trunkline_domain::id::NetworkId;

/// Concurrent verifications. Each needs about 20 MiB.
const MAX_CONCURRENT_VERIFICATIONS: usize = 2;

/// Requests that are verified or wait for it. Further requests get a busy error.
const MAX_QUEUED_VERIFICATIONS: usize = 64;

/// Maximum number of cached verifications. The cache is cleared when it is full.
const CACHE_CAPACITY: usize = 4_096;

/// Password verifier with a cache of successful verifications, so that Basic credentials do not
/// cost an argon2 hash on each request. The cache key contains the stored hash, so a changed
/// password invalidates its entries.
#[derive(Debug)]
pub struct PasswordVerifier {
    key: Entropy,
    verified: Mutex<HashSet<[u8; 32]>>,
    permits: Semaphore,
    queued: AtomicUsize,
}

impl PasswordVerifier {
    /// Creates a verifier with an empty cache. The secret `key` is part of each cache key, so that
    /// passwords cannot be guessed from a memory dump of the cache alone.
    pub fn new(key: Entropy) -> Self {
        Self {
            key,
            verified: Mutex::default(),
            permits: Semaphore::new(MAX_CONCURRENT_VERIFICATIONS),
            queued: AtomicUsize::new(0),
        }
    }

    /// Returns the principal with this e-mail address and password, in one network or in any.
    pub async fn authenticate(
        &self,
        store: &Store,
        email: &str,
        password: &str,
        network: Option<NetworkId>,
    ) -> Result<Option<Principal>, Error> {
        let found = store.read(|unit| credentials::password_candidates(unit, email, network))?;
        let unknown = found.is_empty();
        for (principal, hash) in found {
            let key = self.cache_key(password, &hash);
            if self.is_verified(&key) {
                return Ok(Some(principal));
            }
            if self.verify(password.to_owned(), Some(hash)).await? {
                self.remember(key);
                return Ok(Some(principal));
            }
        }
        if unknown {
            self.verify(password.to_owned(), None).await?;
        }
        Ok(None)
    }

    /// Hashes a new password, in the queue of the verifications.
    pub async fn hash(&self, password: String, entropy: Entropy) -> Result<String, Error> {
        let hash = move || credentials::hash_password(&password, &entropy);
        let cancelled = || Error::Internal("the hashing of a password was cancelled".to_owned());
        self.run_queued(hash).await?.unwrap_or_else(|| Err(cancelled()))
    }

    /// Tests if a password matches a hash. Without a hash it takes the same time and returns
    /// `false`.
    async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Error> {
        let verify = move || {
            let against = hash.as_deref().unwrap_or_else(|| dummy_hash());
            credentials::verify_password(&password, against) && hash.is_some()
        };
        Ok(self.run_queued(verify).await?.unwrap_or(false))
    }

    /// Runs argon2 on the blocking pool when a permit is free. Returns `None` if the server is
    /// stopping, and a busy error if the queue is full.
    async fn run_queued<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let slot = QueueSlot(&self.queued);
        if slot.0.fetch_add(1, Ordering::Relaxed) >= MAX_QUEUED_VERIFICATIONS {
            return Err(trunkline_store::Error::Busy.into());
        }
        let Ok(_permit) = self.permits.acquire().await else { return Ok(None) };
        Ok(tokio::task::spawn_blocking(work).await.ok())
    }

    fn cache_key(&self, password: &str, hash: &str) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.key);
        digest.update(Sha256::digest(hash));
        digest.update(password);
        digest.finalize().into()
    }

    fn is_verified(&self, key: &[u8; 32]) -> bool {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    fn remember(&self, key: [u8; 32]) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= CACHE_CAPACITY {
            verified.clear();
        }
        verified.insert(key);
    }
}

/// Slot in the queue of verifications, released on drop, also when the request is cancelled.
struct QueueSlot<'a>(&'a AtomicUsize);

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns a hash that no user has, so that an unknown address takes as long as a wrong password.
fn dummy_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| credentials::hash_password("", &[0; 32]).unwrap_or_default())
}
