//! Schema migrations. An advisory lock serializes servers that start at once.

use super::PgConnection;
use super::connection::error_chain;
use super::url::without_password;
use crate::sql::Cell;
use crate::{Error, OpenError};

/// Migrations in order, forward only. Each runs in a transaction of its own when a server starts.
const MIGRATIONS: [&str; 23] = [
    include_str!("../../migrations/postgres/0001_network.sql"),
    include_str!("../../migrations/postgres/0002_credentials.sql"),
    include_str!("../../migrations/postgres/0003_months.sql"),
    include_str!("../../migrations/postgres/0004_rate_limits.sql"),
    include_str!("../../migrations/postgres/0005_stored_at.sql"),
    include_str!("../../migrations/postgres/0006_references.sql"),
    include_str!("../../migrations/postgres/0007_trigger_names.sql"),
    include_str!("../../migrations/postgres/0008_held_payin.sql"),
    include_str!("../../migrations/postgres/0009_object_states.sql"),
    include_str!("../../migrations/postgres/0010_promo_number_holdings.sql"),
    include_str!("../../migrations/postgres/0011_network_settings.sql"),
    include_str!("../../migrations/postgres/0012_sign_in_grants.sql"),
    include_str!("../../migrations/postgres/0013_rate_limit_totals.sql"),
    include_str!("../../migrations/postgres/0014_webhook_secrets.sql"),
    include_str!("../../migrations/postgres/0015_sign_in_links.sql"),
    include_str!("../../migrations/postgres/0016_external_ids_of_advertisers.sql"),
    include_str!("../../migrations/postgres/0017_timed_calls.sql"),
    include_str!("../../migrations/postgres/0018_token_uses.sql"),
    include_str!("../../migrations/postgres/0019_email_verifications.sql"),
    include_str!("../../migrations/postgres/0020_name_skeletons.sql"),
    include_str!("../../migrations/postgres/0021_promo_types.sql"),
    include_str!("../../migrations/postgres/0022_recordings.sql"),
    include_str!("../../migrations/postgres/0023_audit_usage.sql"),
];

/// Version of the schema that this build needs.
pub(super) const BUILD_VERSION: i64 = MIGRATIONS.len() as i64;
/// Key of the advisory lock that is held while migrating.
const MIGRATION_LOCK_KEY: i64 = 0x5472_756e_6b6d;

/// Applies missing migrations.
pub(super) fn run(pg: &mut PgConnection, url: &str) -> Result<(), OpenError> {
    let server_error = |error: Error| OpenError::Server {
        url: without_password(url),
        reason: error_chain(&error),
    };
    loop {
        let found = run_next(pg).map_err(server_error)?;
        if !(0..=BUILD_VERSION).contains(&found) {
            let file = without_password(url);
            return Err(OpenError::Newer { file, found, known: BUILD_VERSION });
        }
        if found == BUILD_VERSION {
            return Ok(());
        }
    }
}

/// Applies the next migration, if there is one, and returns the version before it.
fn run_next(pg: &mut PgConnection) -> Result<i64, Error> {
    pg.run(&format!(
        "BEGIN; SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0;
         SET LOCAL idle_in_transaction_session_timeout = 0;
         SELECT pg_advisory_xact_lock({MIGRATION_LOCK_KEY});
         CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL);
         INSERT INTO schema_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version)"
    ))?;
    let found = stored_version(pg)?;
    if let Some(sql) = usize::try_from(found).ok().and_then(|index| MIGRATIONS.get(index)) {
        pg.run(sql)?;
        pg.run("UPDATE schema_version SET version = version + 1")?;
    }
    pg.run("COMMIT")?;
    Ok(found)
}

/// Returns the schema version of the database, 0 if it is new.
pub(super) fn database_version(pg: &mut PgConnection) -> Result<i64, Error> {
    let sql = "SELECT CAST(tablename AS TEXT) FROM pg_tables
        WHERE schemaname = current_schema() AND tablename = 'schema_version'";
    let mut rows = pg.query(sql, Vec::new())?;
    let exists = pg.next(&mut rows)?.is_some();
    if exists { stored_version(pg) } else { Ok(0) }
}

fn stored_version(pg: &mut PgConnection) -> Result<i64, Error> {
    let mut rows = pg.query("SELECT version FROM schema_version", Vec::new())?;
    let row =
        pg.next(&mut rows)?.ok_or(Error::Unreadable { value: "schema version", source: None })?;
    match row.try_get(0)? {
        Cell::Integer(version) => Ok(version),
        _ => Err(Error::Unreadable { value: "schema version", source: None }),
    }
}
