//! Cache of prepared statements of a SQLite connection.

use rusqlite::Connection;
use rusqlite::config::DbConfig;

/// Maximum number of cached prepared statements per connection.
const MAX_CACHED_STATEMENTS: usize = 256;

/// Sets up the cache of prepared statements. Without the query planner stability guarantee SQLite
/// would prepare most statements with parameters again for each run, in case other values had a
/// better plan.
pub(super) fn set_up_statement_cache(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(MAX_CACHED_STATEMENTS);
    Ok(())
}
