//! What happened, for those who listen.

use super::rows::{Kind, Put, Table};
use super::{Session, from_json, millis, moment};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use serde_json::Value;

/// Something that happened in a network.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// Ours, in order of time; 0 until stored.
    pub id: i64,
    /// The network.
    pub network_id: i64,
    /// When.
    pub at: Timestamp,
    /// What: `transaction.created`.
    pub kind: String,
    /// The advertiser whose business it is, ours.
    pub advertiser_id: Option<i64>,
    /// The affiliate whose business it is, ours.
    pub affiliate_id: Option<i64>,
    /// What is told of it, to those who may see all of it.
    pub data: Value,
}

/// An event to store.
#[derive(Debug, Clone)]
pub struct NewEvent<'a> {
    /// Ours; of no meaning where it is yet to be taken.
    pub id: i64,
    /// The network.
    pub network_id: i64,
    /// When.
    pub at: Timestamp,
    /// What: `transaction.created`.
    pub kind: &'a str,
    /// The advertiser whose business it is, ours.
    pub advertiser_id: Option<i64>,
    /// The affiliate whose business it is, ours.
    pub affiliate_id: Option<i64>,
    /// What is told of it, a JSON object.
    pub data: String,
}

/// Where a new event goes.
const EVENTS: Table<8> = Table {
    name: "events",
    columns: [
        ("id", Kind::Integer),
        ("network_id", Kind::Integer),
        ("at", Kind::Integer),
        ("kind", Kind::Text),
        ("advertiser_id", Kind::Integer),
        ("affiliate_id", Kind::Integer),
        ("body", Kind::Text),
        ("stored_at", Kind::Integer),
    ],
};

fn put_event(it: &NewEvent<'_>, stored_at: Timestamp, put: &mut Put<'_, 8>) -> Result<(), Error> {
    put(&params![
        it.id,
        it.network_id,
        millis(it.at),
        it.kind,
        it.advertiser_id,
        it.affiliate_id,
        it.data,
        millis(stored_at),
    ])
}

/// The columns of an event, for [`event_at`].
pub(super) const EVENT_COLUMNS: &str =
    "e.id, e.network_id, e.at, e.kind, e.advertiser_id, e.affiliate_id, e.body";

/// Reads an event from [`EVENT_COLUMNS`], starting at `at`.
pub(super) fn event_at(row: &Row<'_>, at: usize) -> Result<EventRecord, Error> {
    Ok(EventRecord {
        id: row.get(at)?,
        network_id: row.get(at + 1)?,
        at: moment(row.get(at + 2)?)?,
        kind: row.get(at + 3)?,
        advertiser_id: row.get(at + 4)?,
        affiliate_id: row.get(at + 5)?,
        data: from_json(&row.get::<String>(at + 6)?, "event")?,
    })
}

impl Session<'_> {
    /// Stores events under ids of [`Session::next_ids`]. `stored_at` is by the system's clock: events
    /// are kept for so long, whatever a sandbox's says.
    pub fn insert_events(
        &mut self,
        events: &[NewEvent<'_>],
        stored_at: Timestamp,
    ) -> Result<(), Error> {
        self.news |= !events.is_empty();
        self.insert_rows((&EVENTS, ""), events.iter(), |it, put| put_event(it, stored_at, put))
    }

    /// Stores an event and returns our id.
    pub fn insert_event(&mut self, it: &NewEvent<'_>, stored_at: Timestamp) -> Result<i64, Error> {
        self.news = true;
        self.insert_row(&EVENTS, |put| put_event(it, stored_at, put))
    }

    /// One page of a network's events, oldest first.
    pub fn events(&mut self, network: i64, page: Page) -> Result<Vec<EventRecord>, Error> {
        self.all(
            &format!(
                "SELECT {EVENT_COLUMNS} FROM events e
                 WHERE e.network_id = ?1 AND e.id > ?2 ORDER BY e.id LIMIT ?3"
            ),
            params![network, page.after, page.limit],
            |row| event_at(row, 0),
        )
    }

    /// Our id of a network's newest event; 0 when there is none.
    pub fn last_event(&mut self, network: i64) -> Result<i64, Error> {
        let sql = "SELECT MAX(id) FROM events WHERE network_id = ?1";
        let last = self.first(sql, [network], |row| row.get::<Option<i64>>(0))?;
        Ok(last.flatten().unwrap_or(0))
    }
}
