//! Audit log, and the answers stored for Idempotency-Keys.

use super::{UnitOfWork, from_json, timestamp_from_millis, to_json, to_json_rows, to_millis};
use crate::sql::{Row, params};
use crate::{AuditEntry, AuditFilter, Error, NewAuditEntry, Page, StoredAnswer};
use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_domain::id::{AuditEntryId, NetworkId};

const SELECT_ENTRY: &str =
    "SELECT id, network_id, at, request_id, actor, object, action, before, after
    FROM audit";

fn entry_from_row(row: &Row<'_>) -> Result<AuditEntry, Error> {
    let object_at = |index: usize| -> Result<Option<Value>, Error> {
        let text: Option<String> = row.get(index)?;
        text.map(|text| from_json(&text, "audit entry")).transpose()
    };
    Ok(AuditEntry {
        id: row.get(0)?,
        network_id: row.get(1)?,
        at: timestamp_from_millis(row.get(2)?)?,
        request_id: row.get(3)?,
        actor: row.get(4)?,
        object: row.get(5)?,
        action: row.get(6)?,
        before: object_at(7)?,
        after: object_at(8)?,
    })
}

/// Bytes of an entry beside its texts, about: ids, time, and its places in two indexes.
const ENTRY_OVERHEAD_BYTES: usize = 100;

/// Returns about the number of bytes that an entry takes.
fn entry_bytes(entry: &NewAuditEntry) -> i64 {
    let NewAuditEntry { request_id, actor, object, action, before, after, .. } = entry;
    let texts = [request_id, actor, object, action].map(String::len).iter().sum::<usize>();
    let states = [before, after].into_iter().flatten().map(String::len).sum::<usize>();
    i64::try_from(ENTRY_OVERHEAD_BYTES + texts + states).unwrap_or(i64::MAX)
}

impl UnitOfWork<'_> {
    /// Inserts entries in their order, by one statement.
    pub fn insert_audit_entries(&mut self, entries: &[NewAuditEntry]) -> Result<(), Error> {
        self.audit_bytes += entries.iter().map(entry_bytes).sum::<i64>();
        let row = |(index, entry): (usize, &NewAuditEntry)| {
            let NewAuditEntry { network_id, request_id, actor, object, action, .. } = entry;
            json!([
                index,
                network_id,
                to_millis(entry.at),
                request_id,
                actor,
                object,
                action,
                entry.before,
                entry.after
            ])
        };
        let rows: Vec<Value> = entries.iter().enumerate().map(row).collect();
        let from = self.json_rows_sql("?1");
        self.execute(
            &format!(
                "INSERT INTO audit (network_id, at, request_id, actor, object, action, before, after)
                 SELECT CAST(j.value ->> 1 AS BIGINT), CAST(j.value ->> 2 AS BIGINT), j.value ->> 3,
                 j.value ->> 4, j.value ->> 5, j.value ->> 6, j.value ->> 7, j.value ->> 8
                 FROM {from} ORDER BY CAST(j.value ->> 0 AS BIGINT)"
            ),
            [to_json_rows(&rows)?],
        )?;
        Ok(())
    }

    /// Inserts an entry.
    pub fn insert_audit_entry(&mut self, entry: &NewAuditEntry) -> Result<(), Error> {
        self.audit_bytes += entry_bytes(entry);
        self.execute(
            "INSERT INTO audit (network_id, at, request_id, actor, object, action, before, after)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                entry.network_id,
                to_millis(entry.at),
                entry.request_id,
                entry.actor,
                entry.object,
                entry.action,
                entry.before,
                entry.after,
            ],
        )
    }

    /// Id of the last entry of an object.
    pub fn latest_audit_id(
        &mut self,
        network: NetworkId,
        object: &str,
    ) -> Result<Option<AuditEntryId>, Error> {
        let found = self.query_first(
            "SELECT MAX(id) FROM audit WHERE network_id = ?1 AND object = ?2",
            params![network, object],
            |row| row.get::<Option<AuditEntryId>>(0),
        )?;
        Ok(found.flatten())
    }

    /// One page of a network's entries, oldest first.
    pub fn audit_entries(
        &mut self,
        network: NetworkId,
        filter: &AuditFilter,
        page: Page,
    ) -> Result<Vec<AuditEntry>, Error> {
        let object = if filter.object.is_some() {
            "AND object = ?4"
        } else {
            "AND CAST(?4 AS TEXT) IS NULL"
        };
        self.query_page(page,
            &format!(
                "{SELECT_ENTRY} WHERE network_id = ?1 AND id > ?2 {object}
                 AND (CAST(?5 AS TEXT) IS NULL OR actor = ?5) AND (CAST(?6 AS BIGINT) IS NULL OR at >= ?6)
                 AND (CAST(?7 AS BIGINT) IS NULL OR at <= ?7) ORDER BY id LIMIT ?3"
            ),
            params![
                network,
                page.after,
                page.limit,
                filter.object,
                filter.actor,
                filter.from.map(to_millis),
                filter.to.map(to_millis),
            ],
            entry_from_row,
        )
    }

    /// Entry of a network, by id.
    pub fn audit_entry(
        &mut self,
        network: NetworkId,
        id: AuditEntryId,
    ) -> Result<Option<AuditEntry>, Error> {
        self.query_first(
            &format!("{SELECT_ENTRY} WHERE network_id = ?1 AND id = ?2"),
            params![network, id],
            entry_from_row,
        )
    }

    /// Answer stored for an Idempotency-Key after `since`.
    pub fn stored_answer(
        &mut self,
        network: NetworkId,
        actor: &str,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<StoredAnswer>, Error> {
        self.query_first(
            "SELECT fingerprint, answer FROM idempotency
             WHERE network_id = ?1 AND actor = ?2 AND key = ?3 AND at > ?4",
            params![network, actor, key, to_millis(since)],
            |row| {
                let answer = from_json(&row.get::<String>(1)?, "answer of an Idempotency-Key")?;
                Ok(StoredAnswer { request_hash: row.get(0)?, answer })
            },
        )
    }

    /// Stores the answer for an Idempotency-Key, and deletes those stored before `since`.
    #[expect(clippy::too_many_arguments, reason = "one for each column")]
    pub fn store_answer(
        &mut self,
        network: NetworkId,
        actor: &str,
        key: &str,
        fingerprint: &[u8],
        answer: &Value,
        now: Timestamp,
        since: Timestamp,
    ) -> Result<(), Error> {
        self.execute("DELETE FROM idempotency WHERE at <= ?1", [to_millis(since)])?;
        self.execute(
            "INSERT INTO idempotency (network_id, actor, key, fingerprint, answer, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                network,
                actor,
                key,
                fingerprint,
                to_json(answer, "answer of an Idempotency-Key")?,
                to_millis(now)
            ],
        )?;
        Ok(())
    }
}
