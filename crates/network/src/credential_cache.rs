//! Tokens that servers remember, so that a request does not begin by looking its credential up.
//!
//! What is remembered holds for one generation of credentials ([`Session::credential_generation`]), which
//! the database moves on in the same transaction as whatever could change it. Each unit of work compares the
//! two inside its own snapshot, so nobody is answered by what is no longer so, whoever changed it.

use crate::credentials::{self, Credential, Entropy};
use crate::{Caller, Error, Session};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use trunkline_domain::party::Network;

/// Tokens remembered at once.
const CACHE_CAPACITY: usize = 4_096;

/// A token that was found good.
#[derive(Debug)]
pub struct Standing {
    token_hash: Entropy,
    generation: i64,
    expires_at: Option<Timestamp>,
    /// Who shows it.
    pub caller: Caller,
    /// The network it is for, without its people.
    pub network: Network,
}

/// Tokens that were found good. Those of sandboxes are not kept, because what time it is there can be
/// changed at any moment, and is needed before a request is understood.
#[derive(Debug, Default)]
pub struct Credentials(Mutex<HashMap<Entropy, Arc<Standing>>>);

impl Credentials {
    /// A token that was found good before and has not expired; in every unit of work it is to be
    /// [confirmed](Standing::confirm).
    pub fn remembered(&self, credential: &Credential, now: Timestamp) -> Option<Arc<Standing>> {
        let Credential::Token(token) = credential else { return None };
        let found = self.tokens().get(&credentials::hash_secret(token)).cloned();
        found.filter(|it| it.expires_at.is_none_or(|expires| expires > now))
    }

    /// Looks a token up, and remembers it if it is good. `session` has to be a read: what is not
    /// committed may never be.
    pub fn look_up(
        &self,
        session: &mut Session<'_>,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<Standing>>, Error> {
        let found = Standing::load(session, credentials::hash_secret(token), now)?.map(Arc::new);
        if let Some(cached) = found.as_ref().filter(|it| !it.network.sandbox) {
            let mut tokens = self.tokens();
            if tokens.len() >= CACHE_CAPACITY {
                tokens.clear();
            }
            tokens.insert(cached.token_hash, Arc::clone(cached));
        }
        Ok(found)
    }

    /// Forgets a token: what was remembered of it is of another generation.
    fn evict(&self, cached: &Standing) {
        self.tokens().remove(&cached.token_hash);
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<Entropy, Arc<Standing>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    fn load(
        session: &mut Session<'_>,
        token_hash: Entropy,
        now: Timestamp,
    ) -> Result<Option<Self>, Error> {
        let Some(record) = credentials::find_valid_token(session, &token_hash, now)? else {
            return Ok(None);
        };
        let Some(network) = session.network(record.network_id)? else { return Ok(None) };
        let generation = session.credential_generation()?;
        let (expires_at, caller) = (record.expires_at, credentials::principal_of_token(record));
        Ok(Some(Self { token_hash, generation, expires_at, caller, network }))
    }

    /// Whether it is still as it was, by the generation that a unit of work saw.
    pub fn holds_at(&self, generation: i64) -> bool {
        self.generation == generation
    }

    /// `Ok` if the token is as good, in this unit of work, as when it was looked up.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthorized`] when it is good no longer. When its network is another by now, in anything
    /// but its name, the request was not understood rightly: the database counts as busy, and the next
    /// request is.
    pub fn confirm(
        &self,
        cache: &Credentials,
        session: &mut Session<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        if self.holds_at(session.credential_generation()?) {
            return Ok(());
        }
        cache.evict(self);
        let found = Self::load(session, self.token_hash, now)?.ok_or(Error::Unauthorized)?;
        let network = Network { name: self.network.name.clone(), ..found.network };
        // A sandbox was looked up for this very request.
        let same = self.network.sandbox || network == self.network;
        if same && found.caller == self.caller {
            return Ok(());
        }
        Err(trunkline_store::Error::Busy.into())
    }
}
