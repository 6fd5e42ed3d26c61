//! Coalesces concurrent `POST /calls` requests into one transaction, like the lines of one NDJSON
//! request. Each request gets the response that it would get alone.

use crate::App;
use crate::credential_guard::CredentialGuard;
use futures_util::future::join_all;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use trunkline_network::calls::{self, IngestOutcome, ReportedCall};
use trunkline_network::{Context, Error, UnitOfWork};

/// Maximum number of calls in one transaction.
const MAX_BATCH_CALLS: usize = 256;

/// Queued calls. Invariant: if the queue is non-empty, a drain task is scheduled.
#[derive(Default)]
pub(crate) struct CallBatcher(Mutex<Vec<QueuedCall>>);

/// Reported call and the channel to the request that waits for its outcome.
struct QueuedCall {
    reported_call: ReportedCall,
    context: Context,
    credential_guard: CredentialGuard,
    response: oneshot::Sender<Result<IngestOutcome, Error>>,
}

impl CallBatcher {
    fn queue(&self) -> MutexGuard<'_, Vec<QueuedCall>> {
        lock(&self.0)
    }

    /// Removes the oldest calls, up to the size of a batch.
    fn take_batch(&self) -> Vec<QueuedCall> {
        let mut queue = self.queue();
        let count = queue.len().min(MAX_BATCH_CALLS);
        queue.drain(..count).collect()
    }
}

impl QueuedCall {
    /// Sends the outcome to the request. Fails silently if its client has disconnected: the call is
    /// stored anyway.
    fn respond(self, outcome: Result<IngestOutcome, Error>) {
        self.response.send(outcome).ok();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ingests a call together with others that are reported at the same time. Returns after the
/// commit.
pub(super) async fn ingest_call(
    app: &App,
    context: &Context,
    credential_guard: &CredentialGuard,
    reported_call: ReportedCall,
) -> Result<IngestOutcome, Error> {
    let (response, outcome) = oneshot::channel();
    let call = QueuedCall {
        reported_call,
        context: context.clone(),
        credential_guard: credential_guard.clone(),
        response,
    };
    let is_first = {
        let mut queue = app.call_batcher.queue();
        queue.push(call);
        queue.len() == 1
    };
    if is_first {
        // A task of its own, because this request may be cancelled before the others get their
        // outcome.
        tokio::spawn(drain_queue(app.clone()));
    }
    outcome.await.map_err(|_| Error::Storage(trunkline_store::Error::Abandoned))?
}

/// Ingests batches until the queue is empty.
async fn drain_queue(app: App) {
    loop {
        let batch: Arc<Mutex<Vec<QueuedCall>>> = Arc::default();
        let work_batch = Arc::clone(&batch);
        let work_app = app.clone();
        // The batch is taken from the queue when the transaction begins, so it contains the calls
        // that arrived while the transaction waited for the writer.
        let work = move |unit: &mut UnitOfWork<'_>| {
            let mut batch = lock(&work_batch);
            *batch = work_app.call_batcher.take_batch();
            ingest_batch(unit, &batch)
        };
        let result = app.store.write(work).await;
        let mut batch = std::mem::take(&mut *lock(&batch));
        if result.is_err() && batch.is_empty() {
            // The transaction failed before it began. Its calls are still in the queue.
            batch = app.call_batcher.take_batch();
        }
        let was_full = batch.len() == MAX_BATCH_CALLS;
        match result {
            Ok(outcomes) => {
                batch.into_iter().zip(outcomes).for_each(|(call, outcome)| call.respond(outcome));
            }
            Err(Error::Storage(error)) if error.is_outage() => {
                batch.into_iter().for_each(|call| call.respond(Err(error.duplicate().into())));
            }
            // One call may have made the whole batch fail, so each gets a transaction of its own.
            Err(_) => drop(join_all(batch.into_iter().map(ingest_separately)).await),
        }
        if !was_full || app.call_batcher.queue().is_empty() {
            return;
        }
    }
}

async fn ingest_separately(call: QueuedCall) {
    let reported_call = call.reported_call.clone();
    let ingest = move |unit: &mut UnitOfWork<'_>, context: &Context| {
        calls::ingest_call(unit, context, reported_call, None)
    };
    let outcome = call.credential_guard.write(&call.context, ingest).await;
    call.respond(outcome);
}

/// Ingests the calls whose credentials are valid, those of one principal together. Returns the
/// outcome of each call, in order.
fn ingest_batch(
    unit: &mut UnitOfWork<'_>,
    batch: &[QueuedCall],
) -> Result<Vec<Result<IngestOutcome, Error>>, Error> {
    let mut outcomes: Vec<Option<Result<IngestOutcome, Error>>> = Vec::with_capacity(batch.len());
    for call in batch {
        outcomes.push(call.credential_guard.revalidate(unit).err().map(Err));
    }
    for (first, call) in batch.iter().enumerate() {
        if outcomes.get(first).is_none_or(Option::is_some) {
            continue;
        }
        let same_principal = |other: &QueuedCall| other.context.principal == call.context.principal;
        let indexes: Vec<usize> = batch
            .iter()
            .enumerate()
            .zip(&outcomes)
            .skip(first)
            .filter(|((_, other), outcome)| outcome.is_none() && same_principal(other))
            .map(|((index, _), _)| index)
            .collect();
        let group: Vec<ReportedCall> = indexes
            .iter()
            .filter_map(|index| batch.get(*index))
            .map(|call| call.reported_call.clone())
            .collect();
        let group_outcomes = calls::ingest_calls(unit, &call.context, &group)?;
        for (index, outcome) in indexes.into_iter().zip(group_outcomes) {
            if let Some(slot) = outcomes.get_mut(index) {
                *slot = Some(outcome);
            }
        }
    }
    let missing =
        || Err(Error::Internal("batch ingestion returned no outcome for a call".to_owned()));
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect())
}
