//! Pipelines a query with all statements deferred before it, in one round trip.

use crate::Error;
use futures_util::{Stream, TryStreamExt};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use tokio_postgres::{Row, RowStream};

/// Deferred statement. It is sent when this future is first polled.
pub(super) type PendingStatement =
    Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;

/// Failure of a round trip.
#[derive(Debug)]
pub(super) enum PipelineError {
    /// A deferred statement failed.
    Deferred(Error),
    /// The request itself failed.
    Current(Error),
}

impl PipelineError {
    pub(super) fn error(&self) -> &Error {
        let (Self::Deferred(error) | Self::Current(error)) = self;
        error
    }
}

impl From<PipelineError> for Error {
    fn from(failure: PipelineError) -> Self {
        let (PipelineError::Deferred(error) | PipelineError::Current(error)) = failure;
        error
    }
}

/// Sends the deferred statements and then the request, and waits for all answers. After a failure
/// in a transaction the following statements fail too, so the first failure is returned.
pub(super) async fn run_in_order<T>(
    deferred: Vec<PendingStatement>,
    request: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, PipelineError> {
    let current = |error: tokio_postgres::Error| PipelineError::Current(error.into());
    if deferred.is_empty() {
        return request.await.map_err(current);
    }
    let mut request = pin!(request);
    let mut answers: Vec<(PendingStatement, Poll<_>)> = Vec::with_capacity(deferred.len());
    for mut statement in deferred {
        let answer = poll_fn(|context| Poll::Ready(statement.as_mut().poll(context))).await;
        answers.push((statement, answer));
    }
    let answer = poll_fn(|context| Poll::Ready(request.as_mut().poll(context))).await;
    let mut first_error = None;
    for (statement, answer) in answers {
        let answer = match answer {
            Poll::Ready(answer) => answer,
            Poll::Pending => statement.await,
        };
        first_error = first_error.or(answer.err());
    }
    let answer = match answer {
        Poll::Ready(answer) => answer,
        Poll::Pending => request.await,
    };
    match first_error {
        Some(error) => Err(PipelineError::Deferred(error.into())),
        None => answer.map_err(current),
    }
}

/// Rows of a query: those that have arrived and the stream of the rest.
#[derive(Default)]
pub(crate) struct Rows {
    buffered: VecDeque<Row>,
    stream: Option<Pin<Box<RowStream>>>,
}

/// Waits for the first row of a query, with the rows that arrived with it.
pub(super) async fn fetch_first_rows(stream: RowStream) -> Result<Rows, tokio_postgres::Error> {
    let mut rows = Rows { buffered: VecDeque::new(), stream: Some(Box::pin(stream)) };
    let first = rows.next_received().await?;
    if let Some(first) = first {
        rows.buffered.push_front(first);
    }
    Ok(rows)
}

impl Rows {
    /// Rows that have all arrived.
    pub(super) fn from_vec(rows: Vec<Row>) -> Self {
        Self { buffered: rows.into(), stream: None }
    }

    /// The next row if it has arrived, or `Some(None)` at the end. `None` if the next row is yet to
    /// arrive.
    pub(super) fn next_buffered(&mut self) -> Option<Option<Row>> {
        match self.buffered.pop_front() {
            None if self.stream.is_some() => None,
            row => Some(row),
        }
    }

    /// Waits for the next row. Also buffers the rows that arrived with it, up to a limit.
    pub(super) async fn next_received(&mut self) -> Result<Option<Row>, tokio_postgres::Error> {
        const MAX_BUFFERED_ROWS: usize = 64;
        let Some(stream) = &mut self.stream else { return Ok(None) };
        let first = stream.try_next().await?;
        let mut is_ended = first.is_none();
        while !is_ended && self.buffered.len() < MAX_BUFFERED_ROWS {
            match poll_fn(|context| Poll::Ready(stream.as_mut().poll_next(context))).await {
                Poll::Ready(Some(row)) => self.buffered.push_back(row?),
                Poll::Ready(None) => is_ended = true,
                Poll::Pending => break,
            }
        }
        if is_ended {
            self.stream = None;
        }
        Ok(first)
    }
}
