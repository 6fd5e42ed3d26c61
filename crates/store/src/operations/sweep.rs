//! What is no longer needed of the outbox goes, a bounded number of rows at a time.

use super::{Session, millis};
use crate::Error;
use jiff::Timestamp;

/// Rows of one kind that go at once.
const BATCH: u64 = 500;

/// Which moment a rule goes by.
#[derive(Clone, Copy)]
enum Before {
    Now,
    Old,
}

/// Rows that go: what is done with them, their table, and which they are, by a moment `?1`.
struct Rule(&'static str, &'static str, &'static str, Before);

/// In this order, so that nobody refers to what goes.
const RULES: [Rule; 7] = [
    Rule(
        "UPDATE deliveries SET state = 'failed', due_at = NULL",
        "deliveries",
        "give_up_at <= ?1 AND due_at IS NOT NULL AND due_at <= ?1",
        Before::Now,
    ),
    Rule(
        "UPDATE mails SET state = 'expired', due_at = NULL",
        "mails",
        "give_up_at <= ?1 AND due_at IS NOT NULL AND due_at <= ?1",
        Before::Now,
    ),
    Rule(
        "DELETE FROM deliveries",
        "deliveries",
        "webhook_id IN (SELECT id FROM webhooks WHERE deleted_at <= ?1)",
        Before::Now,
    ),
    Rule(
        "DELETE FROM webhooks",
        "webhooks",
        "deleted_at <= ?1
         AND NOT EXISTS (SELECT 1 FROM deliveries WHERE webhook_id = webhooks.id)",
        Before::Now,
    ),
    Rule(
        "DELETE FROM deliveries",
        "deliveries",
        "created_at < ?1 AND state <> 'pending'",
        Before::Old,
    ),
    Rule("DELETE FROM mails", "mails", "created_at < ?1 AND state <> 'waiting'", Before::Old),
    Rule(
        "DELETE FROM events",
        "events",
        "stored_at < ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = events.id)",
        Before::Old,
    ),
];

impl Rule {
    fn moment(&self, now: Timestamp, old: Timestamp) -> i64 {
        millis(match self.3 {
            Before::Now => now,
            Before::Old => old,
        })
    }
}

impl Session<'_> {
    /// Whether there is anything for [`Session::sweep`].
    pub fn has_stale(&mut self, now: Timestamp, old: Timestamp) -> Result<bool, Error> {
        for rule in &RULES {
            let Rule(_, table, which, _) = rule;
            let sql = format!("SELECT 1 FROM {table} WHERE {which} LIMIT 1");
            if self.exists(&sql, [rule.moment(now, old)])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives up what has run out of time, and deletes what was deleted or was written before `old`;
    /// whether there may be more.
    pub fn sweep(&mut self, now: Timestamp, old: Timestamp) -> Result<bool, Error> {
        let mut more = false;
        for rule in &RULES {
            let Rule(what, table, which, _) = rule;
            let sql =
                format!("{what} WHERE id IN (SELECT id FROM {table} WHERE {which} LIMIT {BATCH})");
            more |= self.change(&sql, [rule.moment(now, old)])? == BATCH;
        }
        Ok(more)
    }
}
