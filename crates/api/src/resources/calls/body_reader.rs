//! Receives a body of lines while earlier lines are being stored.

use crate::body_memory::BodyAccount;
use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

/// Maximum number of frames of a body that are read ahead.
const READ_AHEAD_FRAMES: usize = 500;
/// Maximum size of the frames that are read ahead, in bytes.
const READ_AHEAD_BYTES: usize = 1 << 20;

/// Reason for which a body ends early.
#[derive(Debug)]
pub(super) enum BodyError {
    /// The connection failed.
    Connection(axum::Error),
    /// There is no memory for the next bytes.
    NoMemory,
}

type Frame = Result<Bytes, BodyError>;

/// Receives a body up to a limit. Frames that arrive during a transaction share the next one. Ends with
/// the body, or if a line is not complete within a time after the line before it.
pub(super) struct BodyReader {
    frames: mpsc::Receiver<Frame>,
    /// One permit for each byte that may be read ahead.
    budget: Arc<Semaphore>,
}

/// Task that receives the frames.
struct Receiver {
    line_timeout: Duration,
    /// Memory of the bytes that were received and not stored yet.
    account: Arc<BodyAccount>,
    budget: Arc<Semaphore>,
    frames: mpsc::Sender<Frame>,
}

/// Returns the permits that a frame takes. A frame larger than the budget takes all of it.
fn frame_cost(frame: &Frame) -> usize {
    frame.as_ref().map_or(0, |bytes| bytes.len().min(READ_AHEAD_BYTES))
}

impl BodyReader {
    /// Starts to receive a body, whose lines may take `line_timeout` each. The bytes are added to
    /// `account`; who has processed them subtracts them.
    pub(super) fn spawn(body: Body, line_timeout: Duration, account: Arc<BodyAccount>) -> Self {
        let (sender, frames) = mpsc::channel(READ_AHEAD_FRAMES);
        let budget = Arc::new(Semaphore::new(READ_AHEAD_BYTES));
        let receiver =
            Receiver { line_timeout, account, budget: Arc::clone(&budget), frames: sender };
        tokio::spawn(receiver.run(body));
        Self { frames, budget }
    }

    /// Returns the next frame; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        let frame = self.frames.recv().await?;
        self.budget.add_permits(frame_cost(&frame));
        Some(frame)
    }
}

impl Drop for BodyReader {
    fn drop(&mut self) {
        // Ends the task if it waits for permits.
        self.budget.close();
    }
}

impl Receiver {
    async fn run(self, mut body: Body) {
        let mut deadline = Instant::now() + self.line_timeout;
        // Bytes since the last end of a line.
        let mut line_bytes = 0;
        while let Ok(Some(frame)) = timeout_at(deadline, body.frame()).await {
            let received = Instant::now();
            let frame = match frame.map(|frame| frame.into_data().unwrap_or_default()) {
                Ok(data) => {
                    let line_end = data.iter().rposition(|byte| *byte == b'\n');
                    line_bytes = match line_end {
                        Some(index) => data.len() - index - 1,
                        None => line_bytes + data.len(),
                    };
                    if line_end.is_some() {
                        deadline = received + self.line_timeout;
                    }
                    self.reserve_memory(&data, line_bytes).await
                }
                Err(error) => Err(BodyError::Connection(error)),
            };
            let is_last = frame.is_err();
            let cost = u32::try_from(frame_cost(&frame)).unwrap_or(u32::MAX);
            let Ok(permits) = self.budget.acquire_many(cost).await else { return };
            permits.forget();
            if self.frames.send(frame).await.is_err() || is_last {
                return;
            }
            // The client does not answer for the time in which nothing was read.
            deadline += received.elapsed();
        }
    }

    /// Copies a frame out of the connection's buffers, which are larger, once there is memory for it.
    async fn reserve_memory(&self, data: &[u8], line_bytes: usize) -> Frame {
        if self.account.try_grow(data.len()).is_ok() {
            return Ok(Bytes::copy_from_slice(data));
        }
        // Memory of complete lines is released when they are stored. Without them waiting is in vain.
        if self.account.held_bytes() + data.len() <= line_bytes {
            return Err(BodyError::NoMemory);
        }
        match timeout(self.line_timeout, self.account.grow(data.len())).await {
            Ok(Ok(())) => Ok(Bytes::copy_from_slice(data)),
            Ok(Err(_)) | Err(_) => Err(BodyError::NoMemory),
        }
    }
}
