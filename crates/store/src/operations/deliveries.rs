//! Events on their way to webhooks.

use super::events::{EVENT_COLUMNS, event_at};
use super::rows::{Kind, Table};
use super::{Session, millis, moment, parsed};
use crate::sql::{Row, params};
use crate::{Error, EventRecord, Page};
use jiff::Timestamp;

/// What has become of something that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is to be sent, or sent again.
    Pending,
    /// It was taken.
    Delivered,
    /// It was given up.
    Failed,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// The stored word, which is the wire's too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// One event on its way to one webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryRecord {
    /// Ours; 0 until stored.
    pub id: i64,
    /// Where to.
    pub webhook_id: i64,
    /// What has become of it.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is due; while it is being sent, when it would be taken up by another. `None` when it
    /// is no longer pending.
    pub due_at: Option<Timestamp>,
    /// When it is given up.
    pub give_up_at: Timestamp,
    /// The last answer's status, where there was one.
    pub last_status: Option<u16>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was written, with its event.
    pub created_at: Timestamp,
    /// When it was taken.
    pub delivered_at: Option<Timestamp>,
    /// What is sent.
    pub event: EventRecord,
}

const COLUMNS: &str = "d.id, d.webhook_id, d.state, d.attempts, d.due_at, d.give_up_at,
    d.last_status, d.last_error, d.created_at, d.delivered_at";

/// Where a new delivery goes.
const DELIVERIES: Table<6> = Table {
    name: "deliveries",
    columns: [
        ("webhook_id", Kind::Integer),
        ("event_id", Kind::Integer),
        ("state", Kind::Text),
        ("due_at", Kind::Integer),
        ("give_up_at", Kind::Integer),
        ("created_at", Kind::Integer),
    ],
};

fn delivery(row: &Row<'_>) -> Result<DeliveryRecord, Error> {
    let at = |column: usize| -> Result<Option<Timestamp>, Error> {
        row.get::<Option<i64>>(column)?.map(moment).transpose()
    };
    Ok(DeliveryRecord {
        id: row.get(0)?,
        webhook_id: row.get(1)?,
        state: parsed(DeliveryState::parse(&row.get::<String>(2)?), "delivery")?,
        attempts: row.get(3)?,
        due_at: at(4)?,
        give_up_at: moment(row.get(5)?)?,
        last_status: row.get(6)?,
        last_error: row.get(7)?,
        created_at: moment(row.get(8)?)?,
        delivered_at: at(9)?,
        event: event_at(row, 10)?,
    })
}

fn select(condition: &str) -> String {
    format!(
        "SELECT {COLUMNS}, {EVENT_COLUMNS} FROM deliveries d JOIN events e ON e.id = d.event_id
         WHERE {condition}"
    )
}

impl Session<'_> {
    /// Stores that events are to be sent to webhooks, at once: each a webhook and an event, ours.
    pub fn insert_deliveries(
        &mut self,
        sent: &[(i64, i64)],
        now: Timestamp,
        give_up_at: Timestamp,
    ) -> Result<(), Error> {
        self.news |= !sent.is_empty();
        self.insert_rows((&DELIVERIES, ""), sent.iter(), |(webhook, event), put| {
            let now = millis(now);
            put(&params![webhook, event, "pending", now, millis(give_up_at), now])
        })
    }

    /// One page of a webhook's deliveries, all or those in a state.
    pub fn deliveries(
        &mut self,
        webhook: i64,
        state: Option<DeliveryState>,
        page: Page,
    ) -> Result<Vec<DeliveryRecord>, Error> {
        let state = state.map(DeliveryState::as_str);
        self.page(
            page,
            &select(
                "d.webhook_id = ?1 AND d.id > ?2 AND (CAST(?4 AS TEXT) IS NULL OR d.state = ?4)
                 ORDER BY d.id LIMIT ?3",
            ),
            params![webhook, page.after, page.limit, state],
            delivery,
        )
    }

    /// One of a webhook's deliveries.
    pub fn delivery(&mut self, webhook: i64, id: i64) -> Result<Option<DeliveryRecord>, Error> {
        self.first(&select("d.webhook_id = ?1 AND d.id = ?2"), [webhook, id], delivery)
    }

    /// Our ids of the webhooks that something is due for.
    pub fn webhooks_due(&mut self, now: Timestamp) -> Result<Vec<i64>, Error> {
        self.all(
            "SELECT w.id FROM webhooks w WHERE w.deleted_at IS NULL AND EXISTS
             (SELECT 1 FROM deliveries d WHERE d.webhook_id = w.id AND d.due_at <= ?1)",
            [millis(now)],
            |row| row.get(0),
        )
    }

    /// What is due for a webhook, the longest due first.
    pub fn deliveries_due(
        &mut self,
        webhook: i64,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<DeliveryRecord>, Error> {
        self.all(
            &select("d.webhook_id = ?1 AND d.due_at <= ?2 ORDER BY d.due_at, d.id LIMIT ?3"),
            params![webhook, millis(now), limit as i64],
            delivery,
        )
    }

    /// The first moment after `now` at which something is due.
    pub fn next_delivery_due(&mut self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let sql = "SELECT MIN(due_at) FROM deliveries WHERE due_at > ?1";
        let found = self.first(sql, [millis(now)], |row| row.get::<Option<i64>>(0))?;
        found.flatten().map(moment).transpose()
    }

    /// Keeps everybody else from sending a delivery until `until`.
    pub fn lease_delivery(&mut self, id: i64, until: Timestamp) -> Result<(), Error> {
        self.execute("UPDATE deliveries SET due_at = ?2 WHERE id = ?1", [id, millis(until)])?;
        Ok(())
    }

    /// Stores what became of a delivery, if it still is as it was when `lease` ended it: where the
    /// lease ran out and somebody else has it, it is theirs to say.
    pub fn update_delivery(
        &mut self,
        it: &DeliveryRecord,
        lease: Option<Timestamp>,
    ) -> Result<bool, Error> {
        self.news |= it.due_at.is_some();
        let changed = self.change(
            "UPDATE deliveries SET state = ?2, attempts = ?3, due_at = ?4, give_up_at = ?5,
             last_status = ?6, last_error = ?7, delivered_at = ?8
             WHERE id = ?1 AND due_at IS NOT DISTINCT FROM ?9",
            params![
                it.id,
                it.state.as_str(),
                it.attempts,
                it.due_at.map(millis),
                millis(it.give_up_at),
                it.last_status,
                it.last_error,
                it.delivered_at.map(millis),
                lease.map(millis),
            ],
        )?;
        Ok(changed > 0)
    }
}
