//! Recordings of calls: their URLs as reported, and what was fetched from them.

use super::{UnitOfWork, or_unreadable, timestamp_from_millis, to_millis};
use crate::Error;
use crate::sql::{Row, params};
use jiff::Timestamp;
use trunkline_domain::id::{CallId, NetworkId};

/// State of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingState {
    /// It has not been fetched yet.
    Waiting,
    /// It was fetched and is kept.
    Available,
    /// It could not be fetched.
    Failed,
    /// It was deleted. Its URL is not fetched again.
    Deleted,
}

impl RecordingState {
    const ALL: [Self; 4] = [Self::Waiting, Self::Available, Self::Failed, Self::Deleted];

    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Available => "available",
            Self::Failed => "failed",
            Self::Deleted => "deleted",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Sound that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSound {
    /// Media type, such as `audio/mpeg`.
    pub media_type: String,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Duration in seconds; `None` if it is not known.
    pub seconds: Option<u32>,
}

/// Recording of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Id of the call.
    pub call_id: CallId,
    /// Network of the call.
    pub network_id: NetworkId,
    /// `complete_call_id` of the call, which names the file.
    pub complete_call_id: String,
    /// Start of the call.
    pub start_time: Timestamp,
    /// URL as reported.
    pub url: String,
    /// State.
    pub state: RecordingState,
    /// Attempts to fetch it so far.
    pub attempts: u32,
    /// Time of the next attempt to fetch it, or to delete its file.
    pub due_at: Option<Timestamp>,
    /// Sound, once it was fetched.
    pub sound: Option<StoredSound>,
}

const SELECT: &str =
    "SELECT call_id, network_id, complete_call_id, start_time, url, state, attempts,
    due_at, media_type, sha256, bytes, seconds FROM recordings";

fn recording_from_row(row: &Row<'_>) -> Result<Recording, Error> {
    let media_type: Option<String> = row.get(8)?;
    let sound = match media_type {
        None => None,
        Some(media_type) => Some(StoredSound {
            media_type,
            sha256: row.get(9)?,
            bytes: or_unreadable(u64::try_from(row.get::<i64>(10)?).ok(), "size")?,
            seconds: row.get(11)?,
        }),
    };
    Ok(Recording {
        call_id: row.get(0)?,
        network_id: row.get(1)?,
        complete_call_id: row.get(2)?,
        start_time: timestamp_from_millis(row.get(3)?)?,
        url: row.get(4)?,
        state: or_unreadable(RecordingState::parse(row.get(5)?), "recording state")?,
        attempts: row.get(6)?,
        due_at: row.get::<Option<i64>>(7)?.map(timestamp_from_millis).transpose()?,
        sound,
    })
}

impl UnitOfWork<'_> {
    /// Recording of a call.
    pub fn recording(&mut self, call: CallId) -> Result<Option<Recording>, Error> {
        self.query_first(&format!("{SELECT} WHERE call_id = ?1"), [call], recording_from_row)
    }

    /// Inserts or replaces a recording.
    pub fn upsert_recording(&mut self, recording: &Recording) -> Result<(), Error> {
        let sound = recording.sound.as_ref();
        self.execute(
            "INSERT INTO recordings (call_id, network_id, complete_call_id, start_time, url, state,
             attempts, due_at, media_type, sha256, bytes, seconds)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (call_id) DO UPDATE SET url = ?5, state = ?6, attempts = ?7, due_at = ?8,
             media_type = ?9, sha256 = ?10, bytes = ?11, seconds = ?12",
            params![
                recording.call_id,
                recording.network_id,
                recording.complete_call_id,
                to_millis(recording.start_time),
                recording.url,
                recording.state.as_str(),
                recording.attempts,
                recording.due_at.map(to_millis),
                sound.map(|sound| sound.media_type.as_str()),
                sound.map(|sound| sound.sha256.as_str()),
                sound.map(|sound| i64::try_from(sound.bytes).unwrap_or(i64::MAX)),
                sound.and_then(|sound| sound.seconds),
            ],
        )
    }

    /// Recordings that are due, the longest overdue first; at most `limit`.
    pub fn due_recordings(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Recording>, Error> {
        self.query_all(
            &format!("{SELECT} WHERE due_at <= ?1 ORDER BY due_at, call_id LIMIT ?2"),
            params![to_millis(now), limit],
            recording_from_row,
        )
    }

    /// Kept recordings of a network's calls that started before a time; at most `limit`.
    pub fn recordings_before(
        &mut self,
        network: NetworkId,
        start: Timestamp,
        limit: u32,
    ) -> Result<Vec<Recording>, Error> {
        self.query_all(
            &format!(
                "{SELECT} WHERE network_id = ?1 AND state = 'available' AND start_time < ?2
                 ORDER BY start_time LIMIT ?3"
            ),
            params![network, to_millis(start), limit],
            recording_from_row,
        )
    }

    /// Key that signs the links to a network's recordings, in hexadecimal digits.
    pub fn recording_link_key(&mut self, network: NetworkId) -> Result<Option<String>, Error> {
        self.query_first(
            "SELECT link_key FROM recording_link_keys WHERE network_id = ?1",
            [network],
            |row| row.get(0),
        )
    }

    /// Inserts the key that signs the links to a network's recordings.
    pub fn insert_recording_link_key(
        &mut self,
        network: NetworkId,
        key: &str,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO recording_link_keys (network_id, link_key) VALUES (?1, ?2)",
            params![network, key],
        )
    }
}
