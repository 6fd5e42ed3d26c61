//! One round trip to a server with as much in it as there is: what answers nothing goes in front.

use crate::Error;
use futures_util::{Stream, TryStreamExt};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use tokio_postgres::{Row, RowStream};

/// A statement that is sent when this is polled for the first time.
pub(super) type Sent = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;

/// Why a round trip came to nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// By what was put off until then.
    Earlier(Error),
    /// By what was asked.
    Own(Error),
}

impl Failure {
    pub(super) fn error(&self) -> &Error {
        let (Self::Earlier(error) | Self::Own(error)) = self;
        error
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let (Failure::Earlier(error) | Failure::Own(error)) = failure;
        error
    }
}

/// Sends what goes first and what is asked, in this order, and waits for all of it. In a transaction what
/// follows a failure fails too, so the first failure is the one to know of.
pub(super) async fn in_order<T>(
    first: Vec<Sent>,
    asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Failure> {
    let own = |error: tokio_postgres::Error| Failure::Own(error.into());
    if first.is_empty() {
        return asked.await.map_err(own);
    }
    let mut asked = pin!(asked);
    let mut answers: Vec<(Sent, Poll<_>)> = Vec::with_capacity(first.len());
    for mut sent in first {
        let answer = poll_fn(|it| Poll::Ready(sent.as_mut().poll(it))).await;
        answers.push((sent, answer));
    }
    let answer = poll_fn(|it| Poll::Ready(asked.as_mut().poll(it))).await;
    let mut failed = None;
    for (sent, answer) in answers {
        let answer = match answer {
            Poll::Ready(answer) => answer,
            Poll::Pending => sent.await,
        };
        failed = failed.or(answer.err());
    }
    let answer = match answer {
        Poll::Ready(answer) => answer,
        Poll::Pending => asked.await,
    };
    match failed {
        Some(error) => Err(Failure::Earlier(error.into())),
        None => answer.map_err(own),
    }
}

/// A query's rows: some that are here, and where the others come from.
#[derive(Default)]
pub(crate) struct Rows {
    here: VecDeque<Row>,
    coming: Option<Pin<Box<RowStream>>>,
}

/// The rows of a query that come together with its first.
pub(super) async fn first_rows(coming: RowStream) -> Result<Rows, tokio_postgres::Error> {
    let mut rows = Rows { here: VecDeque::new(), coming: Some(Box::pin(coming)) };
    let first = rows.more().await?;
    if let Some(first) = first {
        rows.here.push_front(first);
    }
    Ok(rows)
}

impl Rows {
    /// Rows that are all here.
    pub(super) fn of(rows: Vec<Row>) -> Self {
        Self { here: rows.into(), coming: None }
    }

    /// The next row if it is here, or none if there are no more; `None` where that is not known yet.
    pub(super) fn ready(&mut self) -> Option<Option<Row>> {
        match self.here.pop_front() {
            None if self.coming.is_some() => None,
            row => Some(row),
        }
    }

    /// Waits for the next row, and takes those that came with it, so many at most.
    pub(super) async fn more(&mut self) -> Result<Option<Row>, tokio_postgres::Error> {
        const TOGETHER: usize = 64;
        let Some(coming) = &mut self.coming else { return Ok(None) };
        let first = coming.try_next().await?;
        let mut ended = first.is_none();
        while !ended && self.here.len() < TOGETHER {
            match poll_fn(|it| Poll::Ready(coming.as_mut().poll_next(it))).await {
                Poll::Ready(Some(row)) => self.here.push_back(row?),
                Poll::Ready(None) => ended = true,
                Poll::Pending => break,
            }
        }
        if ended {
            self.coming = None;
        }
        Ok(first)
    }
}
