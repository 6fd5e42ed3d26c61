//! Bytes of the audit log that a tenant writes in a day.

use super::UnitOfWork;
use crate::Error;
use crate::sql::params;
use jiff::Timestamp;
use trunkline_domain::id::NetworkId;

/// Limit on a tenant's bytes in the audit log.
#[derive(Debug, Clone)]
pub struct AuditLimit {
    /// Network of the tenant.
    pub network_id: NetworkId,
    /// Text that identifies the tenant in its network.
    pub tenant: String,
    /// End of the day.
    pub ends_at: Timestamp,
    /// Maximum number of bytes in the day.
    pub max_bytes: i64,
}

impl UnitOfWork<'_> {
    /// Adds the bytes that this unit of work wrote into the audit log to the day's bytes of an
    /// tenant. Does nothing if it wrote none. A day that ends up to a day later than the given one is
    /// the same, so that servers may differ about the time at midnight.
    ///
    /// # Errors
    ///
    /// [`Error::AuditLimit`] if the day's bytes exceed the limit; on PostgreSQL it may be reported by the
    /// next query or at the end of the unit of work.
    pub fn charge_audit_bytes(&mut self, limit: &AuditLimit) -> Result<(), Error> {
        if self.audit_bytes == 0 {
            return Ok(());
        }
        let AuditLimit { network_id, tenant, ends_at, max_bytes } = limit;
        let bytes = std::mem::take(&mut self.audit_bytes);
        self.execute(
            "INSERT INTO audit_usage (network_id, tenant, ends_at, bytes, max_bytes)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (network_id, tenant) DO UPDATE SET
             bytes = excluded.bytes + CASE WHEN audit_usage.ends_at
                 BETWEEN excluded.ends_at AND excluded.ends_at + 86400000
                 THEN audit_usage.bytes ELSE 0 END,
             ends_at = CASE WHEN audit_usage.ends_at
                 BETWEEN excluded.ends_at AND excluded.ends_at + 86400000
                 THEN audit_usage.ends_at ELSE excluded.ends_at END,
             max_bytes = excluded.max_bytes",
            params![network_id, tenant, super::to_millis(*ends_at), bytes, max_bytes],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewAuditEntry, Store};
    use trunkline_domain::id::AuditEntryId;

    const DAY_MILLIS: i64 = 86_400_000;

    fn limit(tenant: &str, day: i64) -> AuditLimit {
        AuditLimit {
            network_id: NetworkId::new(1),
            tenant: tenant.to_owned(),
            ends_at: Timestamp::from_millisecond(day * DAY_MILLIS).unwrap(),
            max_bytes: 10_000,
        }
    }

    fn entry(bytes: usize) -> NewAuditEntry {
        NewAuditEntry {
            id: AuditEntryId::UNASSIGNED,
            network_id: NetworkId::new(1),
            at: Timestamp::UNIX_EPOCH,
            request_id: String::new(),
            actor: String::new(),
            object: String::new(),
            action: String::new(),
            before: None,
            after: Some("x".repeat(bytes)),
        }
    }

    #[test]
    fn bytes_of_a_day_are_limited_for_each_tenant() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("t.db");
        let store = Store::open(&format!("sqlite://{}", file.display())).unwrap();
        let write = |tenant: &str, day: i64| -> Result<(), Error> {
            let limit = limit(tenant, day);
            store.write_blocking(move |unit| {
                // Entries of one unit of work are charged together.
                unit.insert_audit_entries(&[entry(2_000), entry(1_000)])?;
                unit.insert_audit_entry(&entry(1_000))?;
                unit.charge_audit_bytes(&limit)
            })
        };
        let setup: Result<(), Error> = store.write_blocking(|unit| {
            unit.execute(
                "INSERT INTO networks (id, name, time_zone, created_at) VALUES (1, 'A', 'UTC', 0)",
                super::super::NO_PARAMS,
            )
        });
        setup.unwrap();
        let is_refused = |result| matches!(result, Err(Error::AuditLimit));
        assert!(write("advertiser:1", 20).is_ok());
        assert!(write("advertiser:1", 20).is_ok());
        assert!(is_refused(write("advertiser:1", 20)), "12,000 bytes exceed the limit");
        assert!(write("advertiser:2", 20).is_ok(), "others have a limit of their own");
        // Another server is still in the day before.
        assert!(is_refused(write("advertiser:1", 19)));
        assert!(write("advertiser:1", 21).is_ok(), "a new day begins");
        assert!(is_refused(write("advertiser:1", 20).and_then(|()| write("advertiser:1", 21))));
        // The clock was days ahead.
        assert!(write("advertiser:2", 40).is_ok());
        assert!(write("advertiser:2", 20).is_ok());
        let entries: i64 = store
            .read(|unit| {
                unit.query_first("SELECT COUNT(*) FROM audit", super::super::NO_PARAMS, |row| {
                    row.get(0)
                })
            })
            .unwrap()
            .unwrap();
        assert_eq!(entries, 3 * 7, "a refused write leaves no entry");
    }
}
