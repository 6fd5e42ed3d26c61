//! On PostgreSQL calls and the ledger are in a partition for each calendar month, and `call_keys` says
//! when each call started; on SQLite they are whole.

use super::{Connection, Session, parsed};
use crate::Error;

impl Session<'_> {
    /// Sees to it that a call that started at a moment (milliseconds) has a partition to be in. What is
    /// known to be there is not asked for.
    pub(super) fn make_month(&mut self, start_time: i64) -> Result<(), Error> {
        let Connection::Postgres(pg) = &self.connection else { return Ok(()) };
        if pg.months.has(start_time) {
            return Ok(());
        }
        let found =
            self.first("SELECT since, before, made FROM make_month(?1)", [start_time], |row| {
                Ok(((row.get(0)?, row.get(1)?), row.get(2)?))
            })?;
        let (range, made) = parsed(found, "month")?;
        if let Connection::Postgres(pg) = &mut self.connection {
            pg.months.learn(range, made);
        }
        Ok(())
    }

    /// Asks again for every month: one of them may have been taken away.
    pub(super) fn forget_months(&mut self) {
        if let Connection::Postgres(pg) = &mut self.connection {
            pg.months.forget();
        }
    }

    /// A condition that finds the one partition of a call: `column` is its time, `call` its id.
    pub(super) fn month_of_call(&self, column: &str, call: &str) -> String {
        match self.is_postgres() {
            true => {
                format!(" AND {column} = (SELECT start_time FROM call_keys WHERE call_id = {call})")
            }
            false => String::new(),
        }
    }

    /// A condition that leaves out the partitions that end before one moment or begin after another,
    /// and nothing else; either may be null.
    pub(super) fn within_months(&self, column: &str, from: &str, to: &str) -> String {
        match self.is_postgres() {
            true => format!(
                " AND {column} >= month_start(COALESCE({from}, {}))
                 AND {column} < month_end(COALESCE({to}, {}))",
                i64::MIN,
                i64::MAX
            ),
            false => String::new(),
        }
    }
}
