//! Consumption of credentials, summed over all servers.

use super::{UnitOfWork, or_unreadable};
use crate::Error;
use crate::sql::params;

impl UnitOfWork<'_> {
    /// Adds consumption to a credential's total, in nanoseconds of its rate limit. Returns the total
    /// of all servers.
    pub fn add_consumption(&mut self, credential: &str, amount: i64) -> Result<i64, Error> {
        let total = self.query_first(
            "INSERT INTO rate_limits (credential, consumed) VALUES (?1, ?2)
             ON CONFLICT (credential) DO UPDATE SET
             consumed = rate_limits.consumed + excluded.consumed RETURNING consumed",
            params![credential, amount],
            |row| row.get(0),
        )?;
        or_unreadable(total, "rate limit")
    }
}
