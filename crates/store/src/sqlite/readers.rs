//! Pool of read-only connections. It grows with the number of concurrent reads.

use super::connection;
use super::shared_read_lock::SharedReadLock;
use crate::Error;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Maximum number of idle connections in the pool.
const MAX_IDLE: usize = 8;
/// Instructions of SQLite's virtual machine between two checks if a read is to be interrupted: some tens of
/// microseconds.
const INSTRUCTIONS_PER_CHECK: i32 = 1_000;
/// Longest wait for running reads when the pool is closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Readers {
    file: PathBuf,
    read_lock: Arc<SharedReadLock>,
    state: Arc<Mutex<State>>,
    /// Notified when the last connection in use is closed.
    all_closed: Arc<Condvar>,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Connection>,
    /// Connections in use.
    used: usize,
    is_closed: bool,
}

/// Connection taken from the pool. It is closed if it is dropped instead of returned.
#[derive(Debug)]
pub(crate) struct Reader {
    /// `None` only while it is returned.
    connection: Option<Connection>,
    state: Arc<Mutex<State>>,
    all_closed: Arc<Condvar>,
}

impl Reader {
    pub(crate) fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("a reader has its connection until it is returned")
    }

    /// Interrupts statements once the flag is set; `None` ends that.
    pub(crate) fn interrupt_when(
        &mut self,
        stop: Option<&Arc<AtomicBool>>,
    ) -> rusqlite::Result<()> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let handler = stop.map(|stop| {
            let stop = Arc::clone(stop);
            move || stop.load(Ordering::Relaxed)
        });
        connection.progress_handler(INSTRUCTIONS_PER_CHECK, handler)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.connection.take());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.used -= 1;
        if state.used == 0 {
            self.all_closed.notify_all();
        }
    }
}

impl Readers {
    pub(crate) fn new(file: PathBuf, read_lock: Arc<SharedReadLock>) -> Self {
        Self { file, read_lock, state: Arc::default(), all_closed: Arc::default() }
    }

    pub(crate) fn acquire(&self) -> Result<Reader, Error> {
        self.read_lock.note_read();
        let idle = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.is_closed {
                return Err(Error::Closed);
            }
            state.used += 1;
            state.idle.pop()
        };
        let mut reader = Reader {
            connection: idle,
            state: Arc::clone(&self.state),
            all_closed: Arc::clone(&self.all_closed),
        };
        if reader.connection.is_none() {
            reader.connection = Some(connection::open_reader(&self.file)?);
        }
        Ok(reader)
    }

    pub(crate) fn release(&self, mut reader: Reader) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.idle.len() < MAX_IDLE && !state.is_closed {
            state.idle.extend(reader.connection.take());
        }
        drop(state);
        drop(reader);
    }

    /// Closes the connections, waiting for running reads. Later reads fail.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_closed = true;
        state.idle.clear();
        let result =
            self.all_closed.wait_timeout_while(state, CLOSE_TIMEOUT, |state| state.used > 0);
        drop(result);
        self.read_lock.close_for_good();
    }
}
