//! A pool of connections that only read. It grows with what is asked at once and keeps a few.

use super::anchor::Anchor;
use super::connection;
use crate::Error;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Idle readers kept; more are made when more reads run at once.
const KEPT: usize = 8;

#[derive(Debug)]
pub(crate) struct Readers {
    file: PathBuf,
    anchor: Arc<Anchor>,
    idle: Mutex<Vec<Connection>>,
}

/// A connection taken from the pool. One that is dropped instead of given back is closed.
#[derive(Debug)]
pub(crate) struct Reader(Connection);

impl Reader {
    pub(crate) fn connection(&self) -> &Connection {
        &self.0
    }
}

impl Readers {
    pub(crate) fn new(file: PathBuf, anchor: Arc<Anchor>) -> Self {
        Self { file, anchor, idle: Mutex::new(Vec::new()) }
    }

    pub(crate) fn take(&self) -> Result<Reader, Error> {
        self.anchor.reading();
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(Reader(connection)),
            None => Ok(Reader(connection::open_reader(&self.file)?)),
        }
    }

    pub(crate) fn give_back(&self, reader: Reader) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(reader.0);
        }
    }
}
