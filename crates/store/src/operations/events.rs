//! Events of a network, for the event stream, webhooks and mails.

use super::bulk_insert::{ColumnType, InsertTarget, RowSink};
use super::{UnitOfWork, from_json, timestamp_from_millis, to_millis};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use serde_json::Value;
use trunkline_domain::id::{AdvertiserId, AffiliateId, EventId, NetworkId};

/// Event of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// Id, ascending in time.
    pub id: EventId,
    /// Id of the network.
    pub network_id: NetworkId,
    /// Time of the event.
    pub at: Timestamp,
    /// Kind: `transaction.created`.
    pub kind: String,
    /// Id of the advertiser who may see it.
    pub advertiser_id: Option<AdvertiserId>,
    /// Id of the affiliate who may see it.
    pub affiliate_id: Option<AffiliateId>,
    /// Unredacted data of the event.
    pub data: Value,
}

/// Event to insert.
#[derive(Debug, Clone)]
pub struct NewEvent<'a> {
    /// Reserved id; ignored if the id is generated.
    pub id: EventId,
    /// Id of the network.
    pub network_id: NetworkId,
    /// Time of the event.
    pub at: Timestamp,
    /// Kind: `transaction.created`.
    pub kind: &'a str,
    /// Id of the advertiser who may see it.
    pub advertiser_id: Option<AdvertiserId>,
    /// Id of the affiliate who may see it.
    pub affiliate_id: Option<AffiliateId>,
    /// Unredacted data of the event, a JSON object.
    pub data: String,
}

/// Columns of a new event.
const NEW_EVENT: InsertTarget<8> = InsertTarget {
    name: "events",
    columns: [
        ("id", ColumnType::Integer),
        ("network_id", ColumnType::Integer),
        ("at", ColumnType::Integer),
        ("kind", ColumnType::Text),
        ("advertiser_id", ColumnType::Integer),
        ("affiliate_id", ColumnType::Integer),
        ("body", ColumnType::Text),
        ("stored_at", ColumnType::Integer),
    ],
};

fn push_event(
    event: &NewEvent<'_>,
    stored_at: Timestamp,
    push: &mut RowSink<'_, 8>,
) -> Result<(), Error> {
    push(&params![
        event.id,
        event.network_id,
        to_millis(event.at),
        event.kind,
        event.advertiser_id,
        event.affiliate_id,
        event.data,
        to_millis(stored_at),
    ])
}

/// Columns of an event, for [`event_from_row`].
pub(super) const EVENT_COLUMNS: &str =
    "e.id, e.network_id, e.at, e.kind, e.advertiser_id, e.affiliate_id, e.body";

/// Reads an event from [`EVENT_COLUMNS`], which start at column `at`.
pub(super) fn event_from_row(row: &Row<'_>, at: usize) -> Result<EventRecord, Error> {
    Ok(EventRecord {
        id: row.get(at)?,
        network_id: row.get(at + 1)?,
        at: timestamp_from_millis(row.get(at + 2)?)?,
        kind: row.get(at + 3)?,
        advertiser_id: row.get(at + 4)?,
        affiliate_id: row.get(at + 5)?,
        data: from_json(&row.get::<String>(at + 6)?, "event")?,
    })
}

impl UnitOfWork<'_> {
    /// Inserts events under ids from [`UnitOfWork::reserve_ids`]. `stored_at` is the system time, which
    /// determines their retention, independent of the clock of a sandbox.
    pub fn insert_events(
        &mut self,
        events: &[NewEvent<'_>],
        stored_at: Timestamp,
    ) -> Result<(), Error> {
        self.emits_events |= !events.is_empty();
        self.insert_rows(&NEW_EVENT, "", events.iter(), |event, push| {
            push_event(event, stored_at, push)
        })
    }

    /// Inserts an event and returns its id.
    pub fn insert_event(
        &mut self,
        event: &NewEvent<'_>,
        stored_at: Timestamp,
    ) -> Result<EventId, Error> {
        self.emits_events = true;
        self.insert_row(&NEW_EVENT, |push| push_event(event, stored_at, push))
    }

    /// One page of a network's events, oldest first.
    pub fn events(&mut self, network: NetworkId, page: Page) -> Result<Vec<EventRecord>, Error> {
        self.query_all(
            &format!(
                "SELECT {EVENT_COLUMNS} FROM events e
                 WHERE e.network_id = ?1 AND e.id > ?2 ORDER BY e.id LIMIT ?3"
            ),
            params![network, page.after, page.limit],
            |row| event_from_row(row, 0),
        )
    }

    /// Id of a network's newest event; [`EventId::UNASSIGNED`] if there is none.
    pub fn last_event_id(&mut self, network: NetworkId) -> Result<EventId, Error> {
        let sql = "SELECT MAX(id) FROM events WHERE network_id = ?1";
        let last = self.query_first(sql, [network], |row| row.get::<Option<EventId>>(0))?;
        Ok(last.flatten().unwrap_or_default())
    }
}
