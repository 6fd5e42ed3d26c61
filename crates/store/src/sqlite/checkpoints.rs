//! Moves what was written to the log into the file, beside the writer, on a connection of its own: the
//! writer goes on meanwhile, and moves only what came in the meantime, so that the log can begin anew.

use rusqlite::hooks::Wal;
use rusqlite::{Connection, ffi};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

/// Pages that are written to the log before they are moved to the file, each of them once, however
/// often it was written.
const PAGES: i32 = 8_000;

/// Nothing is to be done.
const IDLE: u8 = 0;
/// Pages are being moved beside the writer.
const MOVING: u8 = 1;
/// They were, and what has come since is left to the writer.
const MOVED: u8 = 2;

/// The thread that moves pages; it ends with the connection that it was begun for.
#[derive(Debug)]
pub(crate) struct Checkpoints(Option<JoinHandle<()>>);

/// What the writing connection knows of it.
struct Log {
    state: Arc<AtomicU8>,
    wake: mpsc::SyncSender<()>,
    /// Pages in the log when they were last moved; a reader may have kept it from beginning anew.
    moved: i32,
}

impl Checkpoints {
    /// Takes a writing connection's checkpoints over, which are its own until then.
    pub(crate) fn of(connection: &mut Connection, file: &Path) -> rusqlite::Result<Self> {
        let beside = super::connection::open_checkpointer(file)?;
        let state = Arc::new(AtomicU8::new(IDLE));
        let (wake, woken) = mpsc::sync_channel(1);
        let mut log = Log { state: Arc::clone(&state), wake, moved: 0 };
        let run = move || {
            while woken.recv().is_ok() {
                if let Err(error) = move_pages(&beside) {
                    tracing::debug!(%error, "the log could not be moved to the file");
                }
                state.store(MOVED, Ordering::Release);
            }
        };
        let thread = thread::Builder::new().name("checkpoints".to_owned()).spawn(run);
        let Ok(thread) = thread else { return Ok(Self(None)) };
        connection.wal_hook(Some(move |wal: &mut Wal, pages| {
            log.written(wal, pages);
            // Whatever becomes of the log, what was written to it is written.
            Ok(())
        }))?;
        Ok(Self(Some(thread)))
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            let _ended = thread.join();
        }
    }
}

impl Log {
    /// So many pages are in the log after a commit.
    fn written(&mut self, wal: &mut Wal, pages: i32) {
        if pages < self.moved {
            // It has begun anew.
            self.moved = 0;
        }
        match self.state.load(Ordering::Acquire) {
            IDLE if pages >= self.moved.saturating_add(PAGES) => {
                self.state.store(MOVING, Ordering::Release);
                let _woken = self.wake.try_send(());
            }
            MOVED => {
                if let Err(error) = wal.checkpoint() {
                    tracing::debug!(%error, "the end of the log could not be moved to the file");
                }
                self.moved = pages;
                self.state.store(IDLE, Ordering::Release);
            }
            _ => {}
        }
    }
}

fn move_pages(connection: &Connection) -> rusqlite::Result<()> {
    let busy =
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(0))?;
    // Somebody else is moving them.
    match busy {
        0 => Ok(()),
        _ => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None)),
    }
}
