//! Days on which API tokens were last used, buffered in memory so that authentication writes nothing.

use crate::{Error, Store};
use jiff::civil::Date;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use trunkline_domain::id::TokenId;

/// Maximum number of buffered tokens. The uses of further ones are noted with a later request.
const MAX_BUFFERED: usize = 100_000;

/// Last days of use that are not stored yet, by token. A day is stored at most once for each token and
/// server.
#[derive(Debug, Default)]
pub struct TokenUses(Mutex<HashMap<TokenId, Date>>);

impl TokenUses {
    /// Buffers a use on a day of the network's time zone.
    pub(crate) fn add(&self, token: TokenId, day: Date) {
        let mut buffered = self.buffered();
        if buffered.len() < MAX_BUFFERED || buffered.contains_key(&token) {
            let latest = buffered.entry(token).or_insert(day);
            *latest = day.max(*latest);
        }
    }

    /// Returns the day of a token's last use that is not stored yet.
    pub fn buffered_day(&self, token: TokenId) -> Option<Date> {
        self.buffered().get(&token).copied()
    }

    /// Stores the buffered days in one unit of work. If that fails they stay buffered.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if the database cannot be written.
    pub async fn store(&self, store: &Store) -> Result<(), Error> {
        let uses: Vec<(TokenId, Date)> = self.buffered().drain().collect();
        if uses.is_empty() {
            return Ok(());
        }
        let written = uses.clone();
        let result = store.write(move |unit| Ok(unit.store_token_uses(&written)?)).await;
        if result.is_err() {
            uses.into_iter().for_each(|(token, day)| self.add(token, day));
        }
        result
    }

    fn buffered(&self) -> MutexGuard<'_, HashMap<TokenId, Date>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
