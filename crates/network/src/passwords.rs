//! Verifying passwords: slow by design, so few at once, and remembered once they have fitted.

use crate::credentials::{self, Entropy};
use crate::{Caller, Error, Store};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use tokio::sync::Semaphore;

/// Passwords verified at once: each takes some 20 MiB.
const MAX_CONCURRENT_VERIFICATIONS: usize = 2;

/// Passwords that may wait for their turn; beyond it the server is busy, and says so.
const MAX_QUEUED_VERIFICATIONS: usize = 64;

/// Passwords remembered as verified.
const CACHE_CAPACITY: usize = 4_096;

/// Passwords that were verified against a stored hash since the server started, so that Basic
/// credentials don't pay for argon2 on each request. A changed password has another hash, so what
/// is remembered of the old one fits nothing.
#[derive(Debug)]
pub struct Passwords {
    key: Entropy,
    verified: Mutex<HashSet<[u8; 32]>>,
    permits: Semaphore,
    queued: AtomicUsize,
}

impl Passwords {
    /// Remembers nothing yet. The key keeps what is remembered from being guessed at.
    pub fn new(key: Entropy) -> Self {
        Self {
            key,
            verified: Mutex::default(),
            permits: Semaphore::new(MAX_CONCURRENT_VERIFICATIONS),
            queued: AtomicUsize::new(0),
        }
    }

    /// Who has this address and password, in a network when one is named.
    pub async fn caller(
        &self,
        store: &Store,
        email: &str,
        password: &str,
        network: Option<i64>,
    ) -> Result<Option<Caller>, Error> {
        let found =
            store.read(|session| credentials::password_candidates(session, email, network))?;
        let unknown = found.is_empty();
        for (caller, hash) in found {
            let key = self.cache_key(password, &hash);
            if self.is_verified(&key) {
                return Ok(Some(caller));
            }
            if self.verify(password.to_owned(), Some(hash)).await? {
                self.remember(key);
                return Ok(Some(caller));
            }
        }
        if unknown {
            self.verify(password.to_owned(), None).await?;
        }
        Ok(None)
    }

    /// Whether a password fits a hash; without one it takes as long and doesn't fit.
    async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Error> {
        let slot = QueueSlot(&self.queued);
        if slot.0.fetch_add(1, Ordering::Relaxed) >= MAX_QUEUED_VERIFICATIONS {
            return Err(trunkline_store::Error::Busy.into());
        }
        let Ok(_permit) = self.permits.acquire().await else { return Ok(false) };
        let verify = move || {
            let against = hash.as_deref().unwrap_or_else(|| dummy_hash());
            credentials::verify_password(&password, against) && hash.is_some()
        };
        Ok(tokio::task::spawn_blocking(verify).await.unwrap_or(false))
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

/// A place in the queue; given up when the one who waits is gone.
struct QueueSlot<'a>(&'a AtomicUsize);

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A hash of nobody's password, so that an unknown address takes as long as a wrong password.
fn dummy_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| credentials::hash_password("", &[0; 32]).unwrap_or_default())
}
