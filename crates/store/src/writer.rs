//! The one writer: a thread that takes what is waiting, runs each unit of work in a savepoint, and
//! commits them together. An answer goes out after its commit, never before.

use crate::Error;
use crate::operations::{Session, Statement};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// Units of work in one commit. Enough that a commit's fsync is shared by all who wait for it;
/// few enough that the first of them does not wait for long.
const GROUP: usize = 256;

/// How long a group is gathered while its first units of work run: on a slow database the first of them,
/// and other servers, do not wait for a whole group.
const GATHERING: Duration = Duration::from_millis(200);

/// Units of work that may wait. Beyond it senders wait too, so memory stays bounded.
const QUEUE: usize = 4_096;

/// What a writer needs of a database: one transaction at a time, of all the servers on it.
pub(crate) trait Transactions: Send + 'static {
    /// Begins a transaction, after everybody else's.
    fn begin(&mut self) -> Result<(), Error>;
    /// Commits it, and tells the other servers if there is news in it.
    fn commit(&mut self, news: bool) -> Result<(), Error>;
    /// Takes it back, as well as that goes.
    fn roll_back(&mut self);
    /// Sees to it that a unit of work can be undone, and may ask already what it is going to ask.
    fn mark(&mut self, savepoint: Savepoint, foreseen: Vec<Statement>) -> Result<Marked, Error>;
    /// Waits until all that was written is; else why the last unit of work failed, which is undone then.
    fn settle(&mut self) -> Result<Option<Error>, Error>;
    /// Takes everything back since the last [`Transactions::mark`], which answered `savepoint`.
    fn undo(&mut self, savepoint: Savepoint) -> Result<(), Error>;
    /// What a unit of work sees.
    fn session(&mut self) -> Session<'_>;
}

/// What became of [`Transactions::mark`].
#[derive(Debug)]
pub(crate) struct Marked {
    /// Where the savepoint is: `Here`, or `Start` where none is needed.
    pub(crate) savepoint: Savepoint,
    /// Why the unit of work before failed, if that is known only now; nothing of it is left.
    pub(crate) last: Option<Error>,
}

/// Where the savepoint is, before a unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Savepoint {
    /// There is none, and nothing was done in the transaction yet.
    Start,
    /// There is none, and something was done that is kept.
    Unset,
    /// Before what another unit of work did, which is kept.
    Behind,
    /// Here: what was done since was undone.
    Here,
}

/// Runs the work, and returns what tells the sender how it went once the commit is known. Without
/// a session it tells why there is none.
type Run = Box<dyn FnOnce(Result<&mut Session<'_>, Error>) -> Done + Send>;
type Tell = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// A unit of work, with what is known of what it is going to ask.
pub(super) struct Job {
    run: Run,
    foreseen: Vec<Statement>,
}

/// A unit of work that was done, and why it was not after all.
struct Told {
    tell: Tell,
    failed: Option<Error>,
}

pub(super) struct Done {
    keep: bool,
    tell: Tell,
}

/// How much was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteCounts {
    /// Units of work run.
    pub writes: u64,
    /// Commits made for them.
    pub commits: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Writer {
    queue: mpsc::SyncSender<Message>,
    counts: Arc<[AtomicU64; 3]>,
    news: Arc<News>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

#[derive(Debug)]
struct News {
    told: watch::Receiver<u64>,
    tell: Weak<watch::Sender<u64>>,
}

enum Message {
    Run(Job),
    Stop,
}

/// A unit of work and where its answer will be.
pub(super) fn job<T, E>(
    foreseen: Vec<Statement>,
    work: impl FnOnce(&mut Session<'_>) -> Result<T, E> + Send + 'static,
) -> (Job, oneshot::Receiver<Result<T, E>>)
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let run = move |session: Result<&mut Session<'_>, Error>| {
        let result = session.map_err(E::from).and_then(work);
        let keep = result.is_ok();
        let tell = move |commit: Result<(), Error>| {
            let answer = match commit {
                // What the work refused is refused, whatever became of the commit of the others.
                Err(error) if keep => Err(E::from(error)),
                _ => result,
            };
            // The one who asked may have gone: the write stands all the same.
            let _gone = sender.send(answer);
        };
        Done { keep, tell: Box::new(tell) }
    };
    (Job { run: Box::new(run), foreseen }, receiver)
}

impl Writer {
    pub(super) fn start(mut database: impl Transactions) -> Self {
        let (queue, jobs) = mpsc::sync_channel(QUEUE);
        let counts = Arc::new([const { AtomicU64::new(0) }; 3]);
        let counted = Arc::clone(&counts);
        let (tell, news) = watch::channel(0);
        let tell = Arc::new(tell);
        let news = Arc::new(News { told: news, tell: Arc::downgrade(&tell) });
        let run = move || run(&mut database, &jobs, &counted, &tell);
        let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(run).ok();
        Self { queue, counts, news, thread: Arc::new(Mutex::new(thread)) }
    }

    pub(super) fn send(&self, job: Job) -> Result<(), Error> {
        self.queue.try_send(Message::Run(job)).map_err(|error| match error {
            mpsc::TrySendError::Full(_) => Error::Busy,
            mpsc::TrySendError::Disconnected(_) => Error::Closed,
        })
    }

    pub(super) fn counts(&self) -> WriteCounts {
        let [writes, commits, _] = &*self.counts;
        WriteCounts {
            writes: writes.load(Ordering::Relaxed),
            commits: commits.load(Ordering::Relaxed),
        }
    }

    pub(super) fn statements(&self) -> u64 {
        self.counts[2].load(Ordering::Relaxed)
    }

    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.news.told.clone()
    }

    /// What tells of news, for as long as the writer is there.
    pub(super) fn tells(&self) -> Weak<watch::Sender<u64>> {
        self.news.tell.clone()
    }

    pub(super) fn stop(&self) {
        let _closed = self.queue.send(Message::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ended = thread.join();
        }
    }
}

fn run(
    database: &mut impl Transactions,
    jobs: &mpsc::Receiver<Message>,
    counts: &[AtomicU64; 3],
    news: &watch::Sender<u64>,
) {
    while let Ok(Message::Run(first)) = jobs.recv() {
        let (mut stopped, mut begun) = (false, None);
        let rest = std::iter::from_fn(|| {
            if begun.get_or_insert_with(Instant::now).elapsed() > GATHERING {
                return None;
            }
            match jobs.try_recv() {
                Ok(Message::Run(job)) => Some(job),
                Ok(Message::Stop) => {
                    stopped = true;
                    None
                }
                Err(_) => None,
            }
        });
        let group = std::iter::once(first).chain(rest).take(GROUP);
        if commit_group(database, group, counts) {
            news.send_modify(|count| *count += 1);
        }
        if stopped {
            return;
        }
    }
}

/// Whether there is news among what was committed.
fn commit_group(
    database: &mut impl Transactions,
    group: impl Iterator<Item = Job>,
    counts: &[AtomicU64; 3],
) -> bool {
    let mut news = false;
    let begun = database.begin();
    if let Err(error) = &begun {
        tracing::error!(%error, "a transaction could not be started");
    }
    // Once something is wrong with the transaction itself, nothing of it is kept.
    let mut whole = begun;
    let mut told: Vec<Told> = Vec::new();
    let mut savepoint = Savepoint::Start;
    let [writes, commits, statements] = counts;
    for job in group {
        writes.fetch_add(1, Ordering::Relaxed);
        let marked = match &whole {
            Ok(()) => database.mark(savepoint, job.foreseen),
            Err(error) => Err(error.again()),
        };
        match marked {
            Ok(Marked { savepoint: mark, last }) => {
                fail_last(&mut told, last);
                let (tell, ended) = run_one(database, mark, job.run, (&mut news, statements));
                told.extend(tell.map(|tell| Told { tell, failed: None }));
                whole = ended.map(|after| savepoint = after);
            }
            Err(error) => {
                let tell = (job.run)(Err(error.again())).tell;
                told.push(Told { tell, failed: None });
                whole = Err(error);
            }
        }
    }
    let settled = whole.and_then(|()| database.settle());
    let committed = settled.and_then(|last| {
        fail_last(&mut told, last);
        database.commit(news)
    });
    commits.fetch_add(1, Ordering::Relaxed);
    if let Err(error) = &committed {
        tracing::error!(%error, "a commit failed; its writes are rolled back");
        database.roll_back();
    }
    for Told { tell, failed } in told {
        tell(match (failed, &committed) {
            (None, Ok(())) => Ok(()),
            (Some(error), Ok(())) => Err(error),
            (_, Err(error)) => Err(error.again()),
        });
    }
    news && committed.is_ok()
}

/// Of all units of work only the last one that was done can have failed without anybody knowing.
fn fail_last(told: &mut [Told], last: Option<Error>) {
    if let (Some(error), Some(told)) = (last, told.last_mut()) {
        tracing::error!(%error, "a write failed");
        told.failed = Some(error);
    }
}

/// Runs one unit of work from a savepoint on; what it refuses, or panics in, is undone. Returns where the
/// savepoint is then. An error there is the transaction's: a savepoint that could not be gone back to.
fn run_one(
    database: &mut impl Transactions,
    mark: Savepoint,
    run: Run,
    (news, statements): (&mut bool, &AtomicU64),
) -> (Option<Tell>, Result<Savepoint, Error>) {
    let mut session = database.session();
    let done = catch_unwind(AssertUnwindSafe(|| run(Ok(&mut session))));
    statements.fetch_add(session.statements, Ordering::Relaxed);
    let ended = match &done {
        Ok(Done { keep: true, .. }) => {
            *news |= session.news;
            Ok(if mark == Savepoint::Start { Savepoint::Unset } else { Savepoint::Behind })
        }
        _ => database.undo(mark).map(|()| mark),
    };
    (done.ok().map(|done| done.tell), ended)
}
