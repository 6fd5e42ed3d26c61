//! In-memory cache of API tokens, so that a request does not need a query to authenticate.
//!
//! A cached token is valid for one generation of credentials ([`UnitOfWork::credential_generation`]).
//! The database increments the generation in the same transaction as any change that could affect a
//! token. Each unit of work compares the generations inside its own snapshot, so a revoked token is
//! rejected on every server at once.

use crate::credentials::{self, Credential, Entropy};
use crate::secrets::hash_secret;
use crate::{Error, Principal, TokenUses, UnitOfWork};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use trunkline_domain::id::TokenId;
use trunkline_domain::party::Network;

/// Maximum number of cached tokens. The cache is cleared when it is full.
const CACHE_CAPACITY: usize = 4_096;

/// Cached access token.
#[derive(Debug)]
pub struct CachedToken {
    token_hash: Entropy,
    generation: i64,
    expires_at: Option<Timestamp>,
    id: TokenId,
    /// Last day for which a use is stored or waits for that.
    last_used_on: Option<Date>,
    /// Time until which uses need no further entry: the end of the day of the last one, in milliseconds
    /// since 1970.
    use_noted_until: AtomicI64,
    /// Principal of the token.
    pub principal: Principal,
    /// Network of the token, without users.
    pub network: Network,
}

/// Cache of valid tokens by hash. Tokens of sandboxes are not cached: parsing a request needs the
/// sandbox's clock, which can be changed at any time.
#[derive(Debug, Default)]
pub struct CredentialCache {
    tokens: Mutex<HashMap<Entropy, Arc<CachedToken>>>,
    /// Days on which tokens were used.
    pub uses: TokenUses,
}

impl CredentialCache {
    /// Returns a cached token that has not expired. Every unit of work must
    /// [revalidate](CachedToken::revalidate) it.
    pub fn get(&self, credential: &Credential, now: Timestamp) -> Option<Arc<CachedToken>> {
        let Credential::Token(token) = credential else { return None };
        let found = self.tokens().get(&hash_secret(token)).cloned();
        let found = found.filter(|cached| cached.expires_at.is_none_or(|expires| expires > now));
        found.inspect(|cached| cached.note_use(&self.uses, now))
    }

    /// Loads a token and caches it if it is valid. `unit` must be a read snapshot, because a
    /// write transaction may see rows that are never committed.
    pub fn load(
        &self,
        unit: &mut UnitOfWork<'_>,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<CachedToken>>, Error> {
        let found = CachedToken::load(unit, hash_secret(token), now)?.map(Arc::new);
        if let Some(cached) = found.as_ref().filter(|cached| !cached.network.sandbox) {
            let mut tokens = self.tokens();
            if tokens.len() >= CACHE_CAPACITY {
                tokens.clear();
            }
            tokens.insert(cached.token_hash, Arc::clone(cached));
        }
        Ok(found.inspect(|cached| cached.note_use(&self.uses, now)))
    }

    /// Removes all tokens, so that the next request of each has the current time zone of its
    /// network.
    pub fn clear(&self) {
        self.tokens().clear();
    }

    /// Removes a token whose generation is outdated.
    fn evict(&self, cached: &CachedToken) {
        self.tokens().remove(&cached.token_hash);
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<Entropy, Arc<CachedToken>>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CachedToken {
    fn load(
        unit: &mut UnitOfWork<'_>,
        token_hash: Entropy,
        now: Timestamp,
    ) -> Result<Option<Self>, Error> {
        let Some(record) = credentials::find_valid_token(unit, &token_hash, now)? else {
            return Ok(None);
        };
        let Some(network) = unit.network(record.network_id)? else { return Ok(None) };
        let generation = unit.credential_generation()?;
        Ok(Some(Self {
            token_hash,
            generation,
            expires_at: record.expires_at,
            id: record.id,
            last_used_on: record.last_used_on,
            use_noted_until: AtomicI64::new(i64::MIN),
            principal: credentials::principal_of_token(record),
            network,
        }))
    }

    /// Adds the day of a use to those that wait to be stored, if no use on this day is known.
    fn note_use(&self, uses: &TokenUses, now: Timestamp) {
        if now.as_millisecond() < self.use_noted_until.load(Ordering::Relaxed) {
            return;
        }
        let local = now.to_zoned(self.network.time_zone.to_time_zone());
        let end = local.tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
        let end = end.map_or(Timestamp::MAX, |end| end.timestamp());
        self.use_noted_until.store(end.as_millisecond(), Ordering::Relaxed);
        if self.last_used_on.is_none_or(|day| day < local.date()) {
            uses.add(self.id, local.date());
        }
    }

    /// Tests if the token is current, by the generation that a unit of work has read.
    pub fn is_current(&self, generation: i64) -> bool {
        self.generation == generation
    }

    /// Returns `Ok` if the token gives the same permissions in this unit of work as when it was
    /// loaded.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthorized`] if the token is no longer valid. A busy error if the permissions or
    /// the network's time zone have changed since: the request may have been parsed with the wrong
    /// time zone, so the client must retry. Use cases read the other settings themselves.
    pub fn revalidate(
        &self,
        cache: &CredentialCache,
        unit: &mut UnitOfWork<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        if self.is_current(unit.credential_generation()?) {
            return Ok(());
        }
        cache.evict(self);
        let found = Self::load(unit, self.token_hash, now)?.ok_or(Error::Unauthorized)?;
        let network = Network {
            name: self.network.name.clone(),
            auto_generate_ids: self.network.auto_generate_ids,
            settings: self.network.settings.clone(),
            ..found.network
        };
        // The token of a sandbox is not cached: it was loaded for this request.
        let is_same_network = self.network.sandbox || network == self.network;
        if is_same_network && found.principal == self.principal {
            return Ok(());
        }
        Err(trunkline_store::Error::Busy.into())
    }
}
