//! Recent usage of credentials, summed over all servers.

use super::{UnitOfWork, or_unreadable};
use crate::Error;
use crate::sql::params;

impl UnitOfWork<'_> {
    /// Adds usage to a credential's rate limit. `worth` is the usage in nanoseconds of allowance,
    /// `since` the time of the request in nanoseconds since 1970. Returns the time at which the
    /// whole allowance is available again.
    pub fn consume_rate_limit(
        &mut self,
        credential: &str,
        worth: i64,
        since: i64,
    ) -> Result<i64, Error> {
        let until = self.query_first(
            "INSERT INTO rate_limits (credential, until)
             VALUES (?1, CAST(?2 AS BIGINT) + CAST(?3 AS BIGINT))
             ON CONFLICT (credential) DO UPDATE SET until = CAST(?2 AS BIGINT) +
             CASE WHEN rate_limits.until > ?3 THEN rate_limits.until ELSE CAST(?3 AS BIGINT) END
             RETURNING until",
            params![credential, worth, since],
            |row| row.get(0),
        )?;
        or_unreadable(until, "rate limit")
    }
}
