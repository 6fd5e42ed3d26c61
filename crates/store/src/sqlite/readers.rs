//! Pool of read-only connections. It grows with the number of concurrent reads.

use super::connection;
use super::shared_read_lock::SharedReadLock;
use crate::Error;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Maximum number of idle connections in the pool.
const MAX_IDLE: usize = 8;

#[derive(Debug)]
pub(crate) struct Readers {
    file: PathBuf,
    read_lock: Arc<SharedReadLock>,
    idle: Mutex<Vec<Connection>>,
}

/// Connection taken from the pool. It is closed if it is dropped instead of returned.
#[derive(Debug)]
pub(crate) struct Reader(Connection);

impl Reader {
    pub(crate) fn connection(&self) -> &Connection {
        &self.0
    }
}

impl Readers {
    pub(crate) fn new(file: PathBuf, read_lock: Arc<SharedReadLock>) -> Self {
        Self { file, read_lock, idle: Mutex::new(Vec::new()) }
    }

    pub(crate) fn acquire(&self) -> Result<Reader, Error> {
        self.read_lock.note_read();
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(Reader(connection)),
            None => Ok(Reader(connection::open_reader(&self.file)?)),
        }
    }

    pub(crate) fn release(&self, reader: Reader) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(reader.0);
        }
    }
}
