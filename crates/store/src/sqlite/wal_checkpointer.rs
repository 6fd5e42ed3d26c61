//! Background WAL checkpoints on a connection and thread of their own. The writer keeps writing
//! meanwhile, and afterwards checkpoints only the pages added since, so that the WAL can restart.

use rusqlite::hooks::Wal;
use rusqlite::{Connection, ffi};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

/// Pages in the WAL that trigger a checkpoint. A page is copied once per checkpoint, however often
/// it was written.
const CHECKPOINT_PAGES: i32 = 8_000;

/// No checkpoint is running.
const IDLE: u8 = 0;
/// The background thread is checkpointing.
const RUNNING: u8 = 1;
/// The background checkpoint is done; the writer checkpoints the pages added since.
const FINISHED: u8 = 2;

/// Thread that runs the checkpoints. It ends when this and the connection's WAL hook are dropped.
#[derive(Debug)]
pub(crate) struct WalCheckpointer {
    thread: Option<JoinHandle<()>>,
    /// The thread ends when this and the sender of the WAL hook are dropped. Its connection must be
    /// closed before the writer's: two connections that close at the same time leave the `-wal` and
    /// `-shm` files behind.
    wake: Option<mpsc::SyncSender<()>>,
}

/// State of the writing connection's WAL hook.
struct WalHook {
    state: Arc<AtomicU8>,
    wake: mpsc::SyncSender<()>,
    /// Pages in the WAL at the last checkpoint. The WAL keeps growing from there if a reader
    /// prevented its restart.
    checkpointed_pages: i32,
}

impl WalCheckpointer {
    /// Replaces the automatic checkpoints of a writing connection.
    pub(crate) fn start(connection: &mut Connection, file: &Path) -> rusqlite::Result<Self> {
        let background = super::connection::open_checkpointer(file)?;
        let state = Arc::new(AtomicU8::new(IDLE));
        let (wake, woken) = mpsc::sync_channel(1);
        let mut hook =
            WalHook { state: Arc::clone(&state), wake: wake.clone(), checkpointed_pages: 0 };
        let run = move || {
            while woken.recv().is_ok() {
                if let Err(error) = checkpoint(&background) {
                    tracing::debug!(%error, "the background checkpoint of the WAL failed; it is tried again later");
                }
                state.store(FINISHED, Ordering::Release);
            }
        };
        let thread = thread::Builder::new().name("checkpointer".to_owned()).spawn(run);
        let Ok(thread) = thread else { return Ok(Self { thread: None, wake: None }) };
        connection.wal_hook(Some(move |wal: &mut Wal, pages| {
            hook.on_commit(wal, pages);
            // A failed checkpoint does not affect the commit.
            Ok(())
        }))?;
        Ok(Self { thread: Some(thread), wake: Some(wake) })
    }
}

impl Drop for WalCheckpointer {
    fn drop(&mut self) {
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported when it happened.
            thread.join().ok();
        }
    }
}

impl WalHook {
    /// Decides after a commit, with `pages` in the WAL, whether a checkpoint is needed.
    fn on_commit(&mut self, wal: &mut Wal, pages: i32) {
        if pages < self.checkpointed_pages {
            // The WAL has restarted.
            self.checkpointed_pages = 0;
        }
        match self.state.load(Ordering::Acquire) {
            IDLE if pages >= self.checkpointed_pages.saturating_add(CHECKPOINT_PAGES) => {
                self.state.store(RUNNING, Ordering::Release);
                // Full if the thread has yet to wake up.
                self.wake.try_send(()).ok();
            }
            FINISHED => {
                if let Err(error) = wal.checkpoint() {
                    tracing::debug!(%error, "the checkpoint of the remaining WAL failed; it is tried again later");
                }
                self.checkpointed_pages = pages;
                self.state.store(IDLE, Ordering::Release);
            }
            _ => {}
        }
    }
}

fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    let busy =
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(0))?;
    // A busy result means that another process is checkpointing.
    match busy {
        0 => Ok(()),
        _ => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None)),
    }
}
