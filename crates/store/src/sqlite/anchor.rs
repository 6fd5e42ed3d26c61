//! A read that is left open while many follow each other. SQLite locks the snapshot that a read sees, by a
//! system call, and unlocks it behind it; but only for the first connection of a process that reads it, and
//! the last. As long as the anchor is out, the reads beside it are neither. They see what they would have
//! seen without it.
//!
//! A log cannot begin anew while somebody reads what is in it, so the anchor is in while something is
//! written, and never out for long: other processes write, too.

use super::connection;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Reads after which the anchor goes out: it costs as much as a few.
const READS: u32 = 32;
/// How long it stays out at the most.
const OUT: Duration = Duration::from_millis(50);

/// The anchor of one file's reads.
#[derive(Debug)]
pub(crate) struct Anchor {
    file: PathBuf,
    /// Reads since it was last out, or in.
    reads: AtomicU32,
    out: AtomicBool,
    line: Mutex<Line>,
    /// Told when it goes out; ends with this.
    wake: mpsc::SyncSender<()>,
}

#[derive(Debug, Default)]
struct Line {
    connection: Option<Connection>,
    /// Somebody writes.
    held_in: bool,
}

impl Anchor {
    pub(crate) fn new(file: PathBuf) -> Arc<Self> {
        let (wake, woken) = mpsc::sync_channel(1);
        let anchor = Arc::new(Self {
            file,
            reads: AtomicU32::new(0),
            out: AtomicBool::new(false),
            line: Mutex::default(),
            wake,
        });
        let weak = Arc::downgrade(&anchor);
        let run = move || {
            while woken.recv().is_ok() {
                // Whoever lets go of the last of it ends this at once.
                if woken.recv_timeout(OUT) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
                if let Some(anchor) = weak.upgrade() {
                    anchor.take_in(&mut anchor.line());
                }
            }
        };
        // Without the thread it stays in: nobody listens.
        let _thread = thread::Builder::new().name("anchor".to_owned()).spawn(run);
        anchor
    }

    /// A read is about to begin.
    pub(crate) fn reading(&self) {
        if self.out.load(Ordering::Relaxed) {
            return;
        }
        if self.reads.fetch_add(1, Ordering::Relaxed) < READS {
            return;
        }
        self.reads.store(0, Ordering::Relaxed);
        if let Ok(mut line) = self.line.try_lock()
            && !line.held_in
            && self.wake.try_send(()).is_ok()
            && self.let_out(&mut line).is_ok()
        {
            self.out.store(true, Ordering::Relaxed);
        }
    }

    /// Something is about to be written: it is in until that is over.
    pub(crate) fn hold_in(&self) {
        let mut line = self.line();
        line.held_in = true;
        self.take_in(&mut line);
    }

    /// What was to be written is, or is not to be.
    pub(crate) fn let_go(&self) {
        self.line().held_in = false;
    }

    fn let_out(&self, line: &mut Line) -> rusqlite::Result<()> {
        let connection = match &mut line.connection {
            Some(connection) => connection,
            none => none.insert(connection::open_reader(&self.file)?),
        };
        connection.execute_batch("BEGIN")?;
        let read = connection.query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(()));
        match read {
            Ok(()) | Err(rusqlite::Error::QueryReturnedNoRows) => Ok(()),
            Err(error) => {
                // What is wrong with it is not this one's to say.
                line.connection = None;
                Err(error)
            }
        }
    }

    fn take_in(&self, line: &mut Line) {
        if !self.out.swap(false, Ordering::Relaxed) {
            return;
        }
        self.reads.store(0, Ordering::Relaxed);
        let ended = line.connection.as_ref().map(|connection| connection.execute_batch("ROLLBACK"));
        if !matches!(ended, Some(Ok(()))) {
            line.connection = None;
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
