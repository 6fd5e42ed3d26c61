//! What credentials have asked for lately, of all servers together.

use super::{Session, parsed};
use crate::Error;
use crate::sql::params;

impl Session<'_> {
    /// Adds to what a credential has asked for: so many nanoseconds' worth, since a moment (in
    /// nanoseconds from 1970). Returns when it will have its whole allowance again.
    pub fn spend_allowance(
        &mut self,
        credential: &str,
        worth: i64,
        since: i64,
    ) -> Result<i64, Error> {
        let until = self.first(
            "INSERT INTO rate_limits (credential, until)
             VALUES (?1, CAST(?2 AS BIGINT) + CAST(?3 AS BIGINT))
             ON CONFLICT (credential) DO UPDATE SET until = CAST(?2 AS BIGINT) +
             CASE WHEN rate_limits.until > ?3 THEN rate_limits.until ELSE CAST(?3 AS BIGINT) END
             RETURNING until",
            params![credential, worth, since],
            |row| row.get(0),
        )?;
        parsed(until, "rate limit")
    }
}
