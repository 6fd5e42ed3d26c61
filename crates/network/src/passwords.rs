//! Password verification. argon2 is slow by design, so few verifications run concurrently, and
//! successful ones are cached. Failures are throttled before they cost a hash.

use crate::credentials::{self, Entropy, PasswordCandidate};
use crate::sign_in_throttle::{SignInThrottle, SignInTry, network_of};
use crate::{Error, Principal, Store, UnitOfWork};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Semaphore;
use trunkline_domain::id::{NetworkId, UserId};

/// Concurrent verifications. Each needs about 20 MiB.
const MAX_CONCURRENT_VERIFICATIONS: usize = 2;

/// Requests that are verified or wait for it. Further requests get a busy error.
const MAX_QUEUED_VERIFICATIONS: usize = 64;

/// Requests of one address that are verified or wait for it.
const MAX_QUEUED_OF_ADDRESS: usize = MAX_QUEUED_VERIFICATIONS / 4;

/// Address of the client of a request, an extension of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// E-mail address and password that a client presents.
#[derive(Debug, Clone, Copy)]
pub struct PresentedPassword<'a> {
    /// E-mail address.
    pub email: &'a str,
    /// Password.
    pub password: &'a str,
    /// Address of the client; `None` if it is not known.
    pub address: Option<ClientAddress>,
    /// Time of the try, for the audit log.
    pub now: Timestamp,
}

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
    queued: Queue,
    throttle: SignInThrottle,
}

impl PasswordVerifier {
    /// Creates a verifier with an empty cache. The secret `key` is part of each cache key, so that
    /// passwords cannot be guessed from a memory dump of the cache alone.
    pub fn new(key: Entropy) -> Self {
        Self {
            key,
            verified: Mutex::default(),
            permits: Semaphore::new(MAX_CONCURRENT_VERIFICATIONS),
            queued: Queue::default(),
            throttle: SignInThrottle::new(),
        }
    }

    /// Returns the principal with this e-mail address and password, by preference in one network.
    ///
    /// # Errors
    ///
    /// [`Error::SignInsThrottled`] if too many tries of the account or of the address failed, and
    /// [`Error::SignInsBusy`] if too many passwords wait. Neither costs an argon2 hash.
    pub async fn authenticate(
        &self,
        store: &Store,
        presented: &PresentedPassword<'_>,
        preferred: Option<NetworkId>,
    ) -> Result<Option<Principal>, Error> {
        let PresentedPassword { email, password, address, .. } = *presented;
        let (candidates, verified) = store.read(|unit| {
            let mut candidates = credentials::password_candidates(unit, email)?;
            candidates.sort_by_key(|candidate| preferred != Some(candidate.network_id));
            let verified = find_principal(unit, &self.find_verified(&candidates, password))?;
            Ok::<_, Error>((candidates, verified))
        })?;
        if verified.is_some() {
            return Ok(verified);
        }
        let attempt = SignInTry::new(email, address.map(|address| address.0));
        self.throttle.check(attempt).map_err(Error::SignInsThrottled)?;
        let _slot = self.enter_queue(address)?;
        let Ok(permit) = self.permits.acquire().await else { return Ok(None) };
        // Others may have failed or succeeded while this one waited.
        let mut matching = self.find_verified(&candidates, password);
        if matching.is_empty() {
            self.throttle.admit(attempt).map_err(Error::SignInsThrottled)?;
            matching = self.verify(&candidates, password).await;
        }
        drop(permit);
        // Without a match, known and unknown accounts run the same statements.
        let found = match matching.is_empty() {
            true => None,
            false => store.read(|unit| find_principal(unit, &matching))?,
        };
        match &found {
            Some(_) => self.throttle.record_success(attempt),
            None => self.record_failure(store, attempt, presented, &candidates),
        }
        Ok(found)
    }

    /// Returns the principal of a network with this e-mail address, if its current password was verified
    /// before.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub fn find_verified_in(
        &self,
        unit: &mut UnitOfWork<'_>,
        email: &str,
        password: &str,
        network: NetworkId,
    ) -> Result<Option<Principal>, Error> {
        let mut candidates = credentials::password_candidates(unit, email)?;
        candidates.retain(|candidate| candidate.network_id == network);
        find_principal(unit, &self.find_verified(&candidates, password))
    }

    /// Returns the candidates whose password was verified before.
    fn find_verified<'a>(
        &self,
        candidates: &'a [PasswordCandidate],
        password: &str,
    ) -> Vec<&'a PasswordCandidate> {
        let is_verified = |candidate: &&PasswordCandidate| {
            self.is_verified(&self.cache_key(password, &candidate.hash))
        };
        candidates.iter().filter(is_verified).collect()
    }

    /// Verifies a password against the hashes of the candidates. Returns those that it matches, and
    /// remembers them. The number of argon2 hashes is the same for any candidates.
    async fn verify<'a>(
        &self,
        candidates: &'a [PasswordCandidate],
        password: &str,
    ) -> Vec<&'a PasswordCandidate> {
        let hashes: Vec<String> = candidates.iter().map(|found| found.hash.clone()).collect();
        let owned = password.to_owned();
        let verify = move || credentials::verify_password(&owned, &hashes);
        let matches = tokio::task::spawn_blocking(verify).await.unwrap_or_default();
        let matching = candidates.iter().zip(matches).filter(|(_, matches)| *matches);
        let matching: Vec<&PasswordCandidate> = matching.map(|(candidate, _)| candidate).collect();
        for candidate in &matching {
            self.remember(self.cache_key(password, &candidate.hash));
        }
        matching
    }

    /// Counts and logs a failure. If the tries of the account are delayed from now on, the users with
    /// the address get an audit entry: one for many failures, so that unauthenticated clients
    /// cannot fill the log. The entry is written in the background: the answer must not wait for what
    /// only known accounts have.
    fn record_failure(
        &self,
        store: &Store,
        attempt: SignInTry,
        presented: &PresentedPassword<'_>,
        candidates: &[PasswordCandidate],
    ) {
        let begins = self.throttle.record_failure(attempt);
        let address = presented.address.map(|address| address.0.to_string()).unwrap_or_default();
        tracing::warn!(address, throttled = begins.is_some(), "a sign-in failed");
        let Some(failures) = begins.filter(|_| !candidates.is_empty()) else { return };
        let users: Vec<UserId> = candidates.iter().map(|candidate| candidate.user_id).collect();
        let (store, now) = (store.clone(), presented.now);
        tokio::spawn(async move {
            let result = store.write(move |unit| {
                credentials::audit_throttled_sign_ins(unit, &users, failures, &address, now)
            });
            if let Err(error) = result.await {
                tracing::warn!(%error, "cannot record failed sign-ins in the audit log");
            }
        });
    }

    /// Hashes a new password, in the queue of the verifications.
    pub async fn hash(&self, password: String, entropy: Entropy) -> Result<String, Error> {
        let _slot = self.enter_queue(None)?;
        let stopped = || Error::Internal("the hashing of a password was cancelled".to_owned());
        let _permit = self.permits.acquire().await.map_err(|_| stopped())?;
        let hash = move || credentials::hash_password(&password, &entropy);
        tokio::task::spawn_blocking(hash).await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Takes a slot in the queue. One address gets a quarter of them, so that others find room.
    fn enter_queue(&self, address: Option<ClientAddress>) -> Result<QueueSlot<'_>, Error> {
        let address = address.map(|address| network_of(address.0));
        let mut queued = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = queued.get(&address).copied().unwrap_or(0);
        let total: usize = queued.values().sum();
        if total >= MAX_QUEUED_VERIFICATIONS
            || (address.is_some() && of_address >= MAX_QUEUED_OF_ADDRESS)
        {
            return Err(Error::SignInsBusy);
        }
        queued.insert(address, of_address + 1);
        Ok(QueueSlot { queued: &self.queued, address })
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

/// Returns the principal of the first candidate who has grants.
fn find_principal(
    unit: &mut UnitOfWork<'_>,
    candidates: &[&PasswordCandidate],
) -> Result<Option<Principal>, Error> {
    for candidate in candidates {
        let principal = credentials::principal_of_user(unit, candidate.user_id)?;
        if principal.is_some() {
            return Ok(principal);
        }
    }
    Ok(None)
}

/// Verifications that run or wait, by address.
type Queue = Mutex<HashMap<Option<IpAddr>, usize>>;

/// Slot in the queue of verifications, released on drop, also when the request is cancelled.
struct QueueSlot<'a> {
    queued: &'a Queue,
    address: Option<IpAddr>,
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        let mut queued = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
        match queued.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(queued.remove(&self.address)),
        }
    }
}
