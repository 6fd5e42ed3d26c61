//! Writer thread. It takes the queued units of work, runs each in a savepoint, and commits them
//! together (group commit). A result is sent after its commit, never before.

use crate::Error;
use crate::operations::{SqlStatement, UnitOfWork};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// Maximum number of units of work in one commit. Large enough to share the commit's fsync among
/// all waiting writes; small enough that the first of them does not wait long.
const GROUP_COMMIT_MAX: usize = 256;

/// Period in which jobs may join a group after its first job ran. On a slow database neither the
/// first job nor other servers wait for a full group.
const GROUP_COMMIT_WINDOW: Duration = Duration::from_millis(200);

/// Maximum number of queued jobs, so that memory stays bounded. Further jobs are rejected with
/// [`Error::Busy`].
const MAX_QUEUED_JOBS: usize = 4_096;

/// Database backend of the writer thread. It has one transaction at a time, exclusive among all
/// servers on the database.
pub(crate) trait WriteBackend: Send + 'static {
    /// Begins a transaction, after those of other servers.
    fn begin(&mut self) -> Result<(), Error>;
    /// Commits the transaction. With `emits_events` the other servers are notified.
    fn commit(&mut self, emits_events: bool) -> Result<(), Error>;
    /// Rolls the transaction back. Errors are ignored.
    fn rollback(&mut self);
    /// Sets a savepoint before a unit of work. PostgreSQL also prefetches `queries` in the same
    /// round trip.
    fn savepoint(&mut self, state: SavepointState, queries: Prefetch) -> Result<Savepoint, Error>;
    /// Flushes deferred statements. Returns the error of the last unit of work if one of its
    /// statements failed; that unit is rolled back then.
    fn flush(&mut self) -> Result<Option<Error>, Error>;
    /// Rolls back to the savepoint that [`WriteBackend::savepoint`] returned as `state`.
    fn rollback_to_savepoint(&mut self, state: SavepointState) -> Result<(), Error>;
    /// Releases the reserve of disk space if it is needed for the next transaction.
    fn release_reserve(&mut self) {}
    /// Takes the reserve of disk space again, as far as there is space.
    fn restore_reserve(&mut self) {}
    /// Unit of work on this transaction.
    fn unit_of_work(&mut self) -> UnitOfWork<'_>;
}

/// Savepoint before a unit of work, as set by [`WriteBackend::savepoint`].
#[derive(Debug)]
pub(crate) struct Savepoint {
    /// State of the savepoint: `Current`, or `TransactionStart` where the backend needs none.
    pub(crate) state: SavepointState,
    /// Deferred error of the previous unit of work, which has been rolled back.
    pub(crate) deferred_error: Option<Error>,
}

/// State of the savepoint before a unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SavepointState {
    /// No savepoint exists, and nothing was done in the transaction yet.
    TransactionStart,
    /// No savepoint exists, and the transaction has work to keep.
    Missing,
    /// The savepoint precedes another unit of work, which is to be kept.
    Stale,
    /// The savepoint is current: everything after it was rolled back.
    Current,
}

/// Runs the work and returns its outcome, whose completion is called once the result of the commit
/// is known. Called with an error if there is no transaction to run in.
type WorkFn = Box<dyn FnOnce(Result<&mut UnitOfWork<'_>, Error>) -> WorkOutcome + Send>;
type Completion = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// Queries to prefetch for a unit of work.
pub(crate) type Prefetch = Vec<SqlStatement>;

/// Queued unit of work.
pub(super) struct WriteJob {
    run: WorkFn,
    prefetch: Prefetch,
}

/// Unit of work that has run, waiting for the commit, with its deferred error if it had one.
struct CompletedJob {
    complete: Completion,
    deferred_error: Option<Error>,
}

/// Outcome of a unit of work that has run.
pub(super) struct WorkOutcome {
    succeeded: bool,
    complete: Completion,
}

/// Number of writes and commits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteCounts {
    /// Units of work run.
    pub writes: u64,
    /// Commits of these units of work.
    pub commits: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Writer {
    queue: mpsc::SyncSender<Message>,
    counters: Arc<Counters>,
    notifier: Arc<CommitNotifier>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// Notifies subscribers of commits that contain events, deliveries or mails.
#[derive(Debug)]
struct CommitNotifier {
    receiver: watch::Receiver<u64>,
    sender: Weak<watch::Sender<u64>>,
}

#[derive(Debug, Default)]
struct Counters {
    writes: AtomicU64,
    commits: AtomicU64,
    statements: AtomicU64,
}

/// Result of running one job.
struct JobRun {
    /// Completion; `None` if the work panicked.
    complete: Option<Completion>,
    emits_events: bool,
    /// State of the savepoint afterwards. An error is one of the transaction itself: rolling back to
    /// the savepoint failed.
    state: Result<SavepointState, Error>,
}

enum Message {
    Run(WriteJob),
    /// Runs a job in a transaction of its own, with the reserve of disk space if it is needed.
    RunUrgent(WriteJob),
    /// Reports, by dropping the sender, that every job before it is done.
    Finish(mpsc::SyncSender<()>),
    Stop,
}

/// Makes a job of a unit of work, and the channel on which its result will arrive.
pub(super) fn make_job<T, E>(
    prefetch: Prefetch,
    work: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, E> + Send + 'static,
) -> (WriteJob, oneshot::Receiver<Result<T, E>>)
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let run = move |unit: Result<&mut UnitOfWork<'_>, Error>| {
        let result = unit.map_err(E::from).and_then(work);
        let succeeded = result.is_ok();
        let complete = move |commit: Result<(), Error>| {
            let result = match commit {
                // An error of the work itself is reported whatever happened to the commit.
                Err(error) if succeeded => Err(E::from(error)),
                _ => result,
            };
            // The sender may have been dropped while it waited; the write is committed all the
            // same.
            sender.send(result).ok();
        };
        WorkOutcome { succeeded, complete: Box::new(complete) }
    };
    (WriteJob { run: Box::new(run), prefetch }, receiver)
}

impl Writer {
    pub(super) fn start(mut database: impl WriteBackend) -> Self {
        let (queue, jobs) = mpsc::sync_channel(MAX_QUEUED_JOBS);
        let counters = Arc::new(Counters::default());
        let (sender, receiver) = watch::channel(0);
        let sender = Arc::new(sender);
        let notifier = Arc::new(CommitNotifier { receiver, sender: Arc::downgrade(&sender) });
        let run = {
            let counters = Arc::clone(&counters);
            move || run_writer(&mut database, &jobs, &counters, &sender)
        };
        let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(run).ok();
        Self { queue, counters, notifier, thread: Arc::new(Mutex::new(thread)) }
    }

    pub(super) fn send(&self, job: WriteJob) -> Result<(), Error> {
        self.send_message(Message::Run(job))
    }

    pub(super) fn send_urgent(&self, job: WriteJob) -> Result<(), Error> {
        self.send_message(Message::RunUrgent(job))
    }

    fn send_message(&self, message: Message) -> Result<(), Error> {
        self.queue.try_send(message).map_err(|error| match error {
            mpsc::TrySendError::Full(_) => Error::Busy,
            mpsc::TrySendError::Disconnected(_) => Error::Closed,
        })
    }

    pub(super) fn counts(&self) -> WriteCounts {
        WriteCounts {
            writes: self.counters.writes.load(Ordering::Relaxed),
            commits: self.counters.commits.load(Ordering::Relaxed),
        }
    }

    pub(super) fn statement_count(&self) -> u64 {
        self.counters.statements.load(Ordering::Relaxed)
    }

    pub(super) fn subscribe_commits(&self) -> watch::Receiver<u64> {
        self.notifier.receiver.clone()
    }

    /// Sender of commit notifications, valid as long as the writer runs.
    pub(super) fn commit_sender(&self) -> Weak<watch::Sender<u64>> {
        self.notifier.sender.clone()
    }

    /// Waits for the jobs that are queued.
    pub(super) fn finish(&self) {
        let (sender, finished) = mpsc::sync_channel(0);
        // Both fail if the writer has stopped already.
        self.queue.send(Message::Finish(sender)).ok();
        finished.recv().ok();
    }

    pub(super) fn stop(&self) {
        // Fails if the writer has stopped already.
        self.queue.send(Message::Stop).ok();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the writer was reported when it happened.
            thread.join().ok();
        }
    }
}

fn run_writer(
    database: &mut impl WriteBackend,
    jobs: &mpsc::Receiver<Message>,
    counters: &Counters,
    commits: &watch::Sender<u64>,
) {
    loop {
        let first = match jobs.recv() {
            Ok(Message::Run(first)) => first,
            Ok(Message::RunUrgent(job)) => {
                run_urgent(database, job, counters, commits);
                continue;
            }
            Ok(Message::Finish(_)) => continue,
            Ok(Message::Stop) | Err(_) => return,
        };
        let mut finishing = None;
        let mut urgent = None;
        let mut stopped = false;
        let mut started = None;
        let rest = std::iter::from_fn(|| {
            if started.get_or_insert_with(Instant::now).elapsed() > GROUP_COMMIT_WINDOW {
                return None;
            }
            match jobs.try_recv() {
                Ok(Message::Run(job)) => Some(job),
                Ok(Message::RunUrgent(job)) => {
                    urgent = Some(job);
                    None
                }
                Ok(Message::Finish(sender)) => {
                    finishing = Some(sender);
                    None
                }
                Ok(Message::Stop) => {
                    stopped = true;
                    None
                }
                Err(_) => None,
            }
        });
        let group = std::iter::once(first).chain(rest).take(GROUP_COMMIT_MAX);
        if commit_group(database, group, counters) {
            commits.send_modify(|count| *count += 1);
        }
        database.restore_reserve();
        if let Some(job) = urgent {
            run_urgent(database, job, counters, commits);
        }
        drop(finishing);
        if stopped {
            return;
        }
    }
}

/// Runs and commits one job that must be possible on a full disk.
fn run_urgent(
    database: &mut impl WriteBackend,
    job: WriteJob,
    counters: &Counters,
    commits: &watch::Sender<u64>,
) {
    database.release_reserve();
    if commit_group(database, std::iter::once(job), counters) {
        commits.send_modify(|count| *count += 1);
    }
    database.restore_reserve();
}

/// Runs and commits one group. Returns true if the commit contains events, deliveries or mails.
fn commit_group(
    database: &mut impl WriteBackend,
    group: impl Iterator<Item = WriteJob>,
    counters: &Counters,
) -> bool {
    let mut emits_events = false;
    let begun = database.begin();
    if let Err(error) = &begun {
        tracing::error!(%error, "cannot begin a write transaction; its writes fail");
    }
    // After an error of the transaction itself, none of its work is kept.
    let mut transaction = begun;
    let mut completed: Vec<CompletedJob> = Vec::new();
    let mut state = SavepointState::TransactionStart;
    for job in group {
        counters.writes.fetch_add(1, Ordering::Relaxed);
        let outcome = match &transaction {
            Ok(()) => database.savepoint(state, job.prefetch),
            Err(error) => Err(error.duplicate()),
        };
        match outcome {
            Ok(Savepoint { state: current, deferred_error }) => {
                fail_last_completed(&mut completed, deferred_error);
                let ran = run_job(database, current, job.run, &counters.statements);
                emits_events |= ran.emits_events;
                completed.extend(
                    ran.complete.map(|complete| CompletedJob { complete, deferred_error: None }),
                );
                transaction = ran.state.map(|after| state = after);
            }
            Err(error) => {
                let complete = (job.run)(Err(error.duplicate())).complete;
                completed.push(CompletedJob { complete, deferred_error: None });
                transaction = Err(error);
            }
        }
    }
    let flushed = transaction.and_then(|()| database.flush());
    let committed = flushed.and_then(|deferred_error| {
        fail_last_completed(&mut completed, deferred_error);
        database.commit(emits_events)
    });
    counters.commits.fetch_add(1, Ordering::Relaxed);
    if let Err(error) = &committed {
        tracing::error!(%error, "a commit failed; its writes are rolled back and return the error");
        database.rollback();
    }
    for CompletedJob { complete, deferred_error } in completed {
        complete(match (deferred_error, &committed) {
            (None, Ok(())) => Ok(()),
            (Some(error), Ok(())) => Err(error),
            (_, Err(error)) => Err(error.duplicate()),
        });
    }
    emits_events && committed.is_ok()
}

/// Marks the most recent unit of work as failed. Only that unit can still have deferred statements,
/// so a deferred error always belongs to it.
fn fail_last_completed(completed: &mut [CompletedJob], deferred_error: Option<Error>) {
    if let (Some(error), Some(job)) = (deferred_error, completed.last_mut()) {
        // A client causes this one.
        if !matches!(error, Error::AuditLimit) {
            tracing::error!(%error, "a deferred statement failed; its unit of work was rolled back");
        }
        job.deferred_error = Some(error);
    }
}

/// Runs one unit of work after a savepoint. If it returns an error or panics, it is rolled back.
fn run_job(
    database: &mut impl WriteBackend,
    savepoint: SavepointState,
    run: WorkFn,
    statements: &AtomicU64,
) -> JobRun {
    let mut unit = database.unit_of_work();
    let outcome = catch_unwind(AssertUnwindSafe(|| run(Ok(&mut unit))));
    statements.fetch_add(unit.statement_count, Ordering::Relaxed);
    let emits_events = unit.emits_events;
    match outcome {
        Ok(WorkOutcome { succeeded: true, complete }) => {
            let state = match savepoint {
                SavepointState::TransactionStart => SavepointState::Missing,
                _ => SavepointState::Stale,
            };
            JobRun { complete: Some(complete), emits_events, state: Ok(state) }
        }
        outcome => JobRun {
            complete: outcome.ok().map(|outcome| outcome.complete),
            emits_events: false,
            state: database.rollback_to_savepoint(savepoint).map(|()| savepoint),
        },
    }
}
