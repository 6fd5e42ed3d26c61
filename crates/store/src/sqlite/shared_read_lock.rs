//! Keeps one read transaction open during bursts of reads. In WAL mode SQLite takes a shared-memory
//! lock (`fcntl`) when the first reader of a process starts and drops it when the last one ends.
//! While an idle reader is open, no other reader is first or last, which saves two system calls per
//! read. Snapshots of the other readers are not affected.
//!
//! The WAL can only restart when no reader is active, so this transaction is closed before a write,
//! and after [`MAX_OPEN`] in any case, because other processes write too.

use super::connection;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Number of reads after which the transaction is opened. Opening it costs as much as a few reads.
const OPEN_AFTER_READS: u32 = 32;
/// Maximum time for which the transaction stays open.
const MAX_OPEN: Duration = Duration::from_millis(50);

/// Idle read transaction on one file.
#[derive(Debug)]
pub(crate) struct SharedReadLock {
    file: PathBuf,
    /// Reads since the transaction was last opened or closed.
    reads: AtomicU32,
    is_open: AtomicBool,
    state: Mutex<State>,
    /// Wakes the thread that closes the transaction. The thread ends when this sender is dropped.
    wake: mpsc::SyncSender<()>,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<Connection>,
    /// A write is running, so the transaction must stay closed.
    suspended: bool,
    /// The database is being closed.
    is_closed: bool,
}

impl SharedReadLock {
    pub(crate) fn new(file: PathBuf) -> Arc<Self> {
        let (wake, woken) = mpsc::sync_channel(1);
        let lock = Arc::new(Self {
            file,
            reads: AtomicU32::new(0),
            is_open: AtomicBool::new(false),
            state: Mutex::default(),
            wake,
        });
        let weak = Arc::downgrade(&lock);
        let run = move || {
            while woken.recv().is_ok() {
                // The sender is dropped with the lock itself: the thread ends without waiting for
                // the timeout.
                if woken.recv_timeout(MAX_OPEN) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
                if let Some(lock) = weak.upgrade() {
                    lock.close(&mut lock.state());
                }
            }
        };
        // If the thread cannot be started, `wake` fails and the transaction is never opened.
        thread::Builder::new().name("read-lock".to_owned()).spawn(run).ok();
        lock
    }

    /// Counts a read that is about to begin, and opens the transaction during a burst.
    pub(crate) fn note_read(&self) {
        if self.is_open.load(Ordering::Relaxed) {
            return;
        }
        if self.reads.fetch_add(1, Ordering::Relaxed) < OPEN_AFTER_READS {
            return;
        }
        self.reads.store(0, Ordering::Relaxed);
        if let Ok(mut state) = self.state.try_lock()
            && !state.suspended
            && self.wake.try_send(()).is_ok()
            && self.open(&mut state).is_ok()
        {
            self.is_open.store(true, Ordering::Relaxed);
        }
    }

    /// Closes the transaction and keeps it closed until [`SharedReadLock::resume`]. Called before a
    /// write.
    pub(crate) fn suspend(&self) {
        let mut state = self.state();
        state.suspended = true;
        self.close(&mut state);
    }

    /// Allows the transaction to be opened again. Called after a write.
    pub(crate) fn resume(&self) {
        let mut state = self.state();
        state.suspended = state.is_closed;
    }

    /// Closes the connection; the transaction is not opened again. Called before the database is
    /// closed.
    pub(crate) fn close_for_good(&self) {
        let mut state = self.state();
        state.suspended = true;
        state.is_closed = true;
        self.close(&mut state);
        state.connection = None;
    }

    fn open(&self, state: &mut State) -> rusqlite::Result<()> {
        let connection = match &mut state.connection {
            Some(connection) => connection,
            none => none.insert(connection::open_reader(&self.file)?),
        };
        connection.execute_batch("BEGIN")?;
        let read = connection.query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(()));
        match read {
            Ok(()) | Err(rusqlite::Error::QueryReturnedNoRows) => Ok(()),
            Err(error) => {
                // The error concerns only this optimization; a reader that has the same problem
                // reports it.
                state.connection = None;
                Err(error)
            }
        }
    }

    fn close(&self, state: &mut State) {
        if !self.is_open.swap(false, Ordering::Relaxed) {
            return;
        }
        self.reads.store(0, Ordering::Relaxed);
        let ended =
            state.connection.as_ref().map(|connection| connection.execute_batch("ROLLBACK"));
        if !matches!(ended, Some(Ok(()))) {
            state.connection = None;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
