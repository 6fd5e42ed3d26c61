//! What happened, for those who listen.

use super::{Session, from_json, millis, moment, to_json, to_rows};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use serde_json::{Value, json};

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
    /// Stores an event and returns our id. `stored_at` is by the system's clock: events are kept for
    /// so long, whatever a sandbox's says.
    pub fn insert_event(&mut self, it: &EventRecord, stored_at: Timestamp) -> Result<i64, Error> {
        self.news = true;
        self.insert(
            "INSERT INTO events (network_id, at, kind, advertiser_id, affiliate_id, body, stored_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                it.network_id,
                millis(it.at),
                it.kind,
                it.advertiser_id,
                it.affiliate_id,
                to_json(&it.data, "event")?,
                millis(stored_at),
            ],
        )
    }

    /// Stores events, in their order, by one statement.
    pub fn insert_events(
        &mut self,
        events: &[EventRecord],
        stored_at: Timestamp,
    ) -> Result<(), Error> {
        self.news = true;
        let row = |(at, it): (usize, &EventRecord)| -> Result<Value, Error> {
            let body = to_json(&it.data, "event")?;
            let EventRecord { network_id, kind, advertiser_id, affiliate_id, .. } = it;
            Ok(json!([at, network_id, millis(it.at), kind, advertiser_id, affiliate_id, body]))
        };
        let rows: Vec<Value> = events.iter().enumerate().map(row).collect::<Result<_, _>>()?;
        let from = self.rows_in("?1");
        self.execute(
            &format!(
                "INSERT INTO events
                 (network_id, at, kind, advertiser_id, affiliate_id, body, stored_at)
                 SELECT CAST(j.value ->> 1 AS BIGINT), CAST(j.value ->> 2 AS BIGINT), j.value ->> 3,
                 CAST(j.value ->> 4 AS BIGINT), CAST(j.value ->> 5 AS BIGINT), j.value ->> 6, CAST(?2 AS BIGINT)
                 FROM {from} ORDER BY CAST(j.value ->> 0 AS BIGINT)"
            ),
            params![to_rows(&rows)?, millis(stored_at)],
        )?;
        Ok(())
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
