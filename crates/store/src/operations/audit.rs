//! The audit log, and the answers kept for Idempotency-Keys.

use super::{Session, from_json, millis, moment, to_json, to_rows};
use crate::sql::{Row, params};
use crate::{AuditEntry, AuditFilter, Error, NewAuditEntry, Page};
use jiff::Timestamp;
use serde_json::{Value, json};

const ENTRY: &str = "SELECT id, network_id, at, request_id, actor, object, action, before, after
    FROM audit";

fn entry(row: &Row<'_>) -> Result<AuditEntry, Error> {
    let body = |at: usize| -> Result<Option<Value>, Error> {
        let text: Option<String> = row.get(at)?;
        text.map(|text| from_json(&text, "audit entry")).transpose()
    };
    Ok(AuditEntry {
        id: row.get(0)?,
        network_id: row.get(1)?,
        at: moment(row.get(2)?)?,
        request_id: row.get(3)?,
        actor: row.get(4)?,
        object: row.get(5)?,
        action: row.get(6)?,
        before: body(7)?,
        after: body(8)?,
    })
}

impl Session<'_> {
    /// Adds entries, in their order, by one statement.
    pub fn insert_audit_entries(&mut self, entries: &[NewAuditEntry]) -> Result<(), Error> {
        let row = |(at, it): (usize, &NewAuditEntry)| {
            let NewAuditEntry { network_id, request_id, actor, object, action, .. } = it;
            json!([
                at,
                network_id,
                millis(it.at),
                request_id,
                actor,
                object,
                action,
                it.before,
                it.after
            ])
        };
        let rows: Vec<Value> = entries.iter().enumerate().map(row).collect();
        let from = self.rows_in("?1");
        self.execute(
            &format!(
                "INSERT INTO audit (network_id, at, request_id, actor, object, action, before, after)
                 SELECT CAST(j.value ->> 1 AS BIGINT), CAST(j.value ->> 2 AS BIGINT), j.value ->> 3,
                 j.value ->> 4, j.value ->> 5, j.value ->> 6, j.value ->> 7, j.value ->> 8
                 FROM {from} ORDER BY CAST(j.value ->> 0 AS BIGINT)"
            ),
            [to_rows(&rows)?],
        )?;
        Ok(())
    }

    /// Adds an entry.
    pub fn insert_audit_entry(&mut self, it: &NewAuditEntry) -> Result<(), Error> {
        self.execute(
            "INSERT INTO audit (network_id, at, request_id, actor, object, action, before, after)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                it.network_id,
                millis(it.at),
                it.request_id,
                it.actor,
                it.object,
                it.action,
                it.before,
                it.after,
            ],
        )
    }

    /// One page of a network's entries, oldest first.
    pub fn audit_entries(
        &mut self,
        network: i64,
        filter: &AuditFilter,
        page: Page,
    ) -> Result<Vec<AuditEntry>, Error> {
        let object = if filter.object.is_some() {
            "AND object = ?4"
        } else {
            "AND CAST(?4 AS TEXT) IS NULL"
        };
        self.page(page,
            &format!(
                "{ENTRY} WHERE network_id = ?1 AND id > ?2 {object}
                 AND (CAST(?5 AS TEXT) IS NULL OR actor = ?5) AND (CAST(?6 AS BIGINT) IS NULL OR at >= ?6)
                 AND (CAST(?7 AS BIGINT) IS NULL OR at <= ?7) ORDER BY id LIMIT ?3"
            ),
            params![
                network,
                page.after,
                page.limit,
                filter.object,
                filter.actor,
                filter.from.map(millis),
                filter.to.map(millis),
            ],
            entry,
        )
    }

    /// One entry.
    pub fn audit_entry(&mut self, network: i64, id: i64) -> Result<Option<AuditEntry>, Error> {
        self.first(&format!("{ENTRY} WHERE network_id = ?1 AND id = ?2"), [network, id], entry)
    }

    /// The fingerprint and answer kept for a key since `since`.
    pub fn kept_answer(
        &mut self,
        network: i64,
        actor: &str,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<(Vec<u8>, Value)>, Error> {
        self.first(
            "SELECT fingerprint, answer FROM idempotency
             WHERE network_id = ?1 AND actor = ?2 AND key = ?3 AND at > ?4",
            params![network, actor, key, millis(since)],
            |row| Ok((row.get(0)?, from_json(&row.get::<String>(1)?, "kept answer")?)),
        )
    }

    /// Keeps an answer for a key, and forgets those from before `since`.
    #[expect(clippy::too_many_arguments, reason = "one for each column")]
    pub fn keep_answer(
        &mut self,
        network: i64,
        actor: &str,
        key: &str,
        fingerprint: &[u8],
        answer: &Value,
        now: Timestamp,
        since: Timestamp,
    ) -> Result<(), Error> {
        self.execute("DELETE FROM idempotency WHERE at <= ?1", [millis(since)])?;
        self.execute(
            "INSERT INTO idempotency (network_id, actor, key, fingerprint, answer, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![network, actor, key, fingerprint, to_json(answer, "kept answer")?, millis(now)],
        )?;
        Ok(())
    }
}
