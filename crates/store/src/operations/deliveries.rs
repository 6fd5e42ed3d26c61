//! Deliveries of events to webhooks.

use super::bulk_insert::{ColumnType, InsertTarget};
use super::events::{EVENT_COLUMNS, event_from_row};
use super::{UnitOfWork, or_unreadable, timestamp_from_millis, to_millis};
use crate::sql::{Row, params};
use crate::{Error, EventRecord, Page};
use jiff::Timestamp;
use trunkline_domain::id::{DeliveryId, EventId, NetworkId, WebhookId};

/// State of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// To be sent, or to be sent again.
    Pending,
    /// Accepted by the receiver.
    Delivered,
    /// Given up.
    Failed,
}

impl DeliveryState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// Stored and transmitted word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// Parses the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Delivery of one event to one webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryRecord {
    /// Id.
    pub id: DeliveryId,
    /// Id of the webhook.
    pub webhook_id: WebhookId,
    /// State.
    pub state: DeliveryState,
    /// Number of attempts so far.
    pub attempts: u32,
    /// Time at which it is due. During an attempt it is the end of the sender's lease, after which
    /// another worker may send it. `None` if it is no longer pending.
    pub due_at: Option<Timestamp>,
    /// Time at which it is given up.
    pub give_up_at: Timestamp,
    /// HTTP status of the last answer, if there was one.
    pub last_status: Option<u16>,
    /// Error of the last attempt, if it failed.
    pub last_error: Option<String>,
    /// Time of creation, in the transaction of its event.
    pub created_at: Timestamp,
    /// Time at which it was accepted.
    pub delivered_at: Option<Timestamp>,
    /// Event to deliver.
    pub event: EventRecord,
}

/// Delivery to insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewDelivery {
    /// Id of the webhook.
    pub webhook_id: WebhookId,
    /// Id of the event.
    pub event_id: EventId,
}

/// Webhook with a due delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueWebhook {
    /// Id of the webhook.
    pub id: WebhookId,
    /// Id of its network.
    pub network_id: NetworkId,
}

const DELIVERY_COLUMNS: &str = "d.id, d.webhook_id, d.state, d.attempts, d.due_at, d.give_up_at,
    d.last_status, d.last_error, d.created_at, d.delivered_at";

/// Columns of a new delivery.
const NEW_DELIVERY: InsertTarget<6> = InsertTarget {
    name: "deliveries",
    columns: [
        ("webhook_id", ColumnType::Integer),
        ("event_id", ColumnType::Integer),
        ("state", ColumnType::Text),
        ("due_at", ColumnType::Integer),
        ("give_up_at", ColumnType::Integer),
        ("created_at", ColumnType::Integer),
    ],
};

fn delivery_from_row(row: &Row<'_>) -> Result<DeliveryRecord, Error> {
    let timestamp_at = |column: usize| -> Result<Option<Timestamp>, Error> {
        row.get::<Option<i64>>(column)?.map(timestamp_from_millis).transpose()
    };
    Ok(DeliveryRecord {
        id: row.get(0)?,
        webhook_id: row.get(1)?,
        state: or_unreadable(DeliveryState::parse(&row.get::<String>(2)?), "delivery")?,
        attempts: row.get(3)?,
        due_at: timestamp_at(4)?,
        give_up_at: timestamp_from_millis(row.get(5)?)?,
        last_status: row.get(6)?,
        last_error: row.get(7)?,
        created_at: timestamp_from_millis(row.get(8)?)?,
        delivered_at: timestamp_at(9)?,
        event: event_from_row(row, 10)?,
    })
}

fn select_deliveries(condition: &str) -> String {
    format!(
        "SELECT {DELIVERY_COLUMNS}, {EVENT_COLUMNS} FROM deliveries d JOIN events e ON e.id = d.event_id
         WHERE {condition}"
    )
}

impl UnitOfWork<'_> {
    /// Inserts deliveries that are due now.
    pub fn insert_deliveries(
        &mut self,
        deliveries: &[NewDelivery],
        now: Timestamp,
        give_up_at: Timestamp,
    ) -> Result<(), Error> {
        self.emits_events |= !deliveries.is_empty();
        self.insert_rows(&NEW_DELIVERY, "", deliveries.iter(), |delivery, push| {
            let now = to_millis(now);
            push(&params![
                delivery.webhook_id,
                delivery.event_id,
                "pending",
                now,
                to_millis(give_up_at),
                now
            ])
        })
    }

    /// One page of a webhook's deliveries, all or those in a state.
    pub fn deliveries(
        &mut self,
        webhook: WebhookId,
        state: Option<DeliveryState>,
        page: Page,
    ) -> Result<Vec<DeliveryRecord>, Error> {
        let state = state.map(DeliveryState::as_str);
        self.query_page(
            page,
            &select_deliveries(
                "d.webhook_id = ?1 AND d.id > ?2 AND (CAST(?4 AS TEXT) IS NULL OR d.state = ?4)
                 ORDER BY d.id LIMIT ?3",
            ),
            params![webhook, page.after, page.limit, state],
            delivery_from_row,
        )
    }

    /// Delivery of a webhook, by id.
    pub fn delivery(
        &mut self,
        webhook: WebhookId,
        id: DeliveryId,
    ) -> Result<Option<DeliveryRecord>, Error> {
        self.query_first(
            &select_deliveries("d.webhook_id = ?1 AND d.id = ?2"),
            params![webhook, id],
            delivery_from_row,
        )
    }

    /// Webhooks with a due delivery.
    pub fn webhooks_with_due_deliveries(
        &mut self,
        now: Timestamp,
    ) -> Result<Vec<DueWebhook>, Error> {
        self.query_all(
            "SELECT w.id, w.network_id FROM webhooks w WHERE w.deleted_at IS NULL AND EXISTS
             (SELECT 1 FROM deliveries d WHERE d.webhook_id = w.id AND d.due_at <= ?1)",
            [to_millis(now)],
            |row| Ok(DueWebhook { id: row.get(0)?, network_id: row.get(1)? }),
        )
    }

    /// Due deliveries of a webhook, the longest due first.
    pub fn due_deliveries(
        &mut self,
        webhook: WebhookId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<DeliveryRecord>, Error> {
        self.query_all(
            &select_deliveries(
                "d.webhook_id = ?1 AND d.due_at <= ?2 ORDER BY d.due_at, d.id LIMIT ?3",
            ),
            params![webhook, to_millis(now), limit as i64],
            delivery_from_row,
        )
    }

    /// Earliest time after `now` at which a delivery is due.
    pub fn next_delivery_due_at(&mut self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let sql = "SELECT MIN(due_at) FROM deliveries WHERE due_at > ?1";
        let found = self.query_first(sql, [to_millis(now)], |row| row.get::<Option<i64>>(0))?;
        found.flatten().map(timestamp_from_millis).transpose()
    }

    /// Leases a delivery until `until`, so that no other worker sends it.
    pub fn lease_delivery(&mut self, id: DeliveryId, until: Timestamp) -> Result<(), Error> {
        self.execute(
            "UPDATE deliveries SET due_at = ?2 WHERE id = ?1",
            params![id, to_millis(until)],
        )?;
        Ok(())
    }

    /// Updates a delivery after an attempt. Returns false, and changes nothing, if the lease has
    /// expired and another worker has the delivery; `lease` is its end.
    pub fn update_delivery(
        &mut self,
        delivery: &DeliveryRecord,
        lease: Option<Timestamp>,
    ) -> Result<bool, Error> {
        self.emits_events |= delivery.due_at.is_some();
        let changed = self.execute_counted(
            "UPDATE deliveries SET state = ?2, attempts = ?3, due_at = ?4, give_up_at = ?5,
             last_status = ?6, last_error = ?7, delivered_at = ?8
             WHERE id = ?1 AND due_at IS NOT DISTINCT FROM ?9",
            params![
                delivery.id,
                delivery.state.as_str(),
                delivery.attempts,
                delivery.due_at.map(to_millis),
                to_millis(delivery.give_up_at),
                delivery.last_status,
                delivery.last_error,
                delivery.delivered_at.map(to_millis),
                lease.map(to_millis),
            ],
        )?;
        Ok(changed > 0)
    }
}
