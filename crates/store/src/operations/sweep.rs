//! Deletes outdated rows of the outbox, in batches of bounded size.

use super::{UnitOfWork, to_millis};
use crate::Error;
use jiff::Timestamp;

/// Maximum number of rows that one rule changes at once.
const BATCH_SIZE: u64 = 500;

/// Time that a rule compares with.
#[derive(Clone, Copy)]
enum Cutoff {
    Now,
    Old,
}

/// Sweep rule: the statement that changes rows, their table, and the condition that selects them,
/// with the time as `?1`.
struct Rule {
    statement: &'static str,
    table: &'static str,
    condition: &'static str,
    cutoff: Cutoff,
}

/// In an order in which no remaining row refers to a deleted one.
const RULES: [Rule; 8] = [
    Rule {
        statement: "UPDATE deliveries SET state = 'failed', due_at = NULL",
        table: "deliveries",
        condition: "give_up_at <= ?1 AND due_at IS NOT NULL AND due_at <= ?1",
        cutoff: Cutoff::Now,
    },
    Rule {
        statement: "UPDATE mails SET state = 'expired', due_at = NULL",
        table: "mails",
        condition: "give_up_at <= ?1 AND due_at IS NOT NULL AND due_at <= ?1",
        cutoff: Cutoff::Now,
    },
    Rule {
        statement: "UPDATE deliveries SET state = 'failed', due_at = NULL,
            last_error = 'the webhook was deleted'",
        table: "deliveries",
        condition: "due_at IS NOT NULL
            AND webhook_id IN (SELECT id FROM webhooks WHERE deleted_at <= ?1)",
        cutoff: Cutoff::Now,
    },
    Rule {
        statement: "DELETE FROM webhooks",
        table: "webhooks",
        condition: "deleted_at <= ?1
         AND NOT EXISTS (SELECT 1 FROM deliveries WHERE webhook_id = webhooks.id)",
        cutoff: Cutoff::Now,
    },
    Rule {
        statement: "DELETE FROM deliveries",
        table: "deliveries",
        condition: "created_at < ?1 AND state <> 'pending'",
        cutoff: Cutoff::Old,
    },
    Rule {
        statement: "DELETE FROM mails",
        table: "mails",
        condition: "created_at < ?1 AND state <> 'waiting'",
        cutoff: Cutoff::Old,
    },
    Rule {
        statement: "DELETE FROM events",
        table: "events",
        condition: "stored_at < ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = events.id)",
        cutoff: Cutoff::Old,
    },
    Rule {
        statement: "DELETE FROM email_verifications",
        table: "email_verifications",
        condition: "expires_at <= ?1",
        cutoff: Cutoff::Now,
    },
];

impl Rule {
    fn cutoff_millis(&self, now: Timestamp, old: Timestamp) -> i64 {
        to_millis(match self.cutoff {
            Cutoff::Now => now,
            Cutoff::Old => old,
        })
    }
}

/// Tables of items with an attempt count and a due time.
const TABLES_OF_ITEMS: [&str; 2] = ["deliveries", "mails"];

/// Condition for items whose number of attempts is `attempts`, or at least that if `is_last`, and which
/// are due after `?1`.
fn due_later(attempts: usize, is_last: bool) -> String {
    let comparison = if is_last { ">=" } else { "=" };
    format!("due_at > ?1 AND attempts {comparison} {attempts}")
}

impl UnitOfWork<'_> {
    /// Returns true if an item of the outbox is due after the time in `latest` for its number of
    /// attempts. The last time is that of all higher numbers.
    pub fn has_items_due_after(&mut self, latest: &[Timestamp]) -> Result<bool, Error> {
        for (attempts, time) in latest.iter().enumerate() {
            let condition = due_later(attempts, attempts + 1 == latest.len());
            for table in TABLES_OF_ITEMS {
                let sql = format!("SELECT 1 FROM {table} WHERE {condition} LIMIT 1");
                if self.exists(&sql, [to_millis(*time)])? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Makes items due at `now` that [`UnitOfWork::has_items_due_after`] finds. Returns true if there may
    /// be more.
    pub fn make_due(&mut self, now: Timestamp, latest: &[Timestamp]) -> Result<bool, Error> {
        self.emits_events = true;
        let mut more = false;
        for (attempts, time) in latest.iter().enumerate() {
            let condition = due_later(attempts, attempts + 1 == latest.len());
            for table in TABLES_OF_ITEMS {
                let sql = format!(
                    "UPDATE {table} SET due_at = ?2 WHERE id IN
                     (SELECT id FROM {table} WHERE {condition} LIMIT {BATCH_SIZE})"
                );
                let changed = self.execute_counted(&sql, [to_millis(*time), to_millis(now)])?;
                more |= changed == BATCH_SIZE;
            }
        }
        Ok(more)
    }

    /// Returns true if [`UnitOfWork::sweep`] has something to do.
    pub fn has_rows_to_sweep(&mut self, now: Timestamp, old: Timestamp) -> Result<bool, Error> {
        for rule in &RULES {
            let Rule { table, condition, .. } = rule;
            let sql = format!("SELECT 1 FROM {table} WHERE {condition} LIMIT 1");
            if self.exists(&sql, [rule.cutoff_millis(now, old)])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Fails deliveries and mails past their deadline, and deletes rows that are marked as deleted
    /// or older than `old`. Returns true if there may be more.
    pub fn sweep(&mut self, now: Timestamp, old: Timestamp) -> Result<bool, Error> {
        let mut more = false;
        for rule in &RULES {
            let Rule { statement, table, condition, .. } = rule;
            let sql = format!(
                "{statement} WHERE id IN (SELECT id FROM {table} WHERE {condition} LIMIT {BATCH_SIZE})"
            );
            more |= self.execute_counted(&sql, [rule.cutoff_millis(now, old)])? == BATCH_SIZE;
        }
        Ok(more)
    }
}
