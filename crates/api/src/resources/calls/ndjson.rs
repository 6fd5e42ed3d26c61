//! Ingestion of NDJSON bodies: one call a line, one result a line.
//!
//! Three tasks form a pipeline: [`BodyReader`] receives the body, [`LineSplitter`] splits it into
//! batches and parses them, and [`BatchWriter`] stores each batch in one transaction and renders
//! the results. The next batch is read while one is stored. All bytes between their arrival and the end
//! of their transaction count against the memory for bodies.

use super::body_reader::{BodyError, BodyReader};
use super::{read_body, status_and_call_id};
use crate::api_request::ApiRequest;
use crate::body_memory::{BodyAccount, BodyOwner};
use crate::credential_guard::CredentialGuard;
use crate::errors::ApiError;
use crate::object_reader::Ignored;
use crate::object_response::Object;
use crate::resources::call_facts;
use crate::{App, json};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use futures_util::future::join_all;
use futures_util::stream;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use trunkline_domain::call::Outcome;
use trunkline_network::calls::{self, IngestOutcome, ReportedCall};
use trunkline_network::{Context, Error};

/// Maximum number of lines in one transaction: some tens of milliseconds of the writer's time.
const MAX_BATCH_LINES: usize = 500;
/// Time to wait for the next line of a batch. Lines that come closer together are decided together, in
/// the order of their calls' starts.
const MAX_LINE_GAP: Duration = Duration::from_millis(200);
/// Size of a batch, in bytes. The last line of a batch may exceed it.
const BATCH_BYTES: usize = 1 << 19;
/// Lines parsed before the task yields to others.
const LINES_PER_YIELD: usize = 50;
/// Capacity that the buffer of a stream keeps while it is almost empty, in bytes.
const IDLE_BUFFER_BYTES: usize = 1 << 14;

/// Ingests a call from each line. Each line gets the response that its call would get alone, with
/// the status as a property. An invalid line does not affect the others.
pub(super) fn ingest_lines(request: ApiRequest, body: Body) -> Response<Body> {
    let (batch_sender, batches) = mpsc::channel(1);
    let (result_sender, results) = mpsc::channel(1);
    let principal = &request.context.principal;
    let owner = BodyOwner::Credential(principal.actor, principal.tenant());
    let account = Arc::new(request.app.body_memory.open_account(owner));
    let body = BodyReader::spawn(body, request.app.limits.body_timeout, Arc::clone(&account));
    let writer = BatchWriter {
        app: request.app.clone(),
        context: request.context.clone(),
        credential_guard: request.credential_guard.clone(),
        account,
    };
    let splitter =
        LineSplitter { request, body, buffer: Vec::new(), is_at_end: false, is_overloaded: false };
    tokio::spawn(splitter.run(batch_sender));
    tokio::spawn(writer.run(batches, result_sender));
    let results =
        stream::unfold(results, async |mut results| Some((results.recv().await?, results)));
    let mut response = Response::new(Body::from_stream(results));
    let content_type = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// Splits a body into batches of lines.
struct LineSplitter {
    request: ApiRequest,
    body: BodyReader,
    /// Received bytes that are in no batch yet.
    buffer: Vec<u8>,
    /// True if the body has ended or is not read further.
    is_at_end: bool,
    /// True if the body is not read further because there is no memory for it.
    is_overloaded: bool,
}

impl LineSplitter {
    /// Sends batches in order until the body ends or the writer stops.
    async fn run(mut self, batches: mpsc::Sender<Result<Batch, axum::Error>>) {
        loop {
            let (batch, is_last) = match self.next_lines().await {
                Ok(Lines { bytes: 0, .. }) if self.is_overloaded => (Ok(Batch::overloaded()), true),
                Ok(Lines { bytes: 0, .. }) => return,
                Ok(lines) => (Ok(Batch::parse(&self.request, &lines).await), false),
                Err(error) => (Err(error), true),
            };
            if batches.send(batch).await.is_err() || is_last {
                return;
            }
        }
    }

    /// Returns the next lines, up to the size of a batch; none at the end. Waits for the first line, and
    /// for each further one up to [`MAX_LINE_GAP`].
    async fn next_lines(&mut self) -> Result<Lines, axum::Error> {
        let mut line_count = 0;
        let mut counted_bytes = 0;
        let mut deadline = Instant::now();
        loop {
            let uncounted = self.buffer.get(counted_bytes..).unwrap_or_default();
            let new_lines = uncounted.iter().filter(|byte| **byte == b'\n').count();
            if new_lines > 0 {
                line_count += new_lines;
                // Parts of a line do not prolong the wait.
                deadline = Instant::now() + MAX_LINE_GAP;
            }
            counted_bytes = self.buffer.len();
            let is_full = line_count >= MAX_BATCH_LINES || counted_bytes > BATCH_BYTES;
            if self.is_at_end || (line_count > 0 && is_full) {
                return Ok(self.split());
            }
            if line_count > 0 {
                match timeout_at(deadline, self.body.next()).await {
                    Ok(frame) => self.add_frame(frame)?,
                    Err(_) => return Ok(self.split()),
                }
                continue;
            }
            if counted_bytes > self.request.app.limits.max_body_bytes {
                // The line exceeds the limit. It gets an error, and nothing after it is read.
                self.is_at_end = true;
                continue;
            }
            let frame = self.body.next().await;
            self.add_frame(frame)?;
        }
    }

    /// Adds the next frame to the buffer; `None` is the end. Without memory for more, the line in progress
    /// is dropped.
    fn add_frame(&mut self, frame: Option<Result<Bytes, BodyError>>) -> Result<(), axum::Error> {
        match frame {
            Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
            Some(Err(BodyError::Connection(error))) => return Err(error),
            Some(Err(BodyError::NoMemory)) => {
                let line_end = self.buffer.iter().rposition(|byte| *byte == b'\n');
                self.buffer.truncate(line_end.map_or(0, |index| index + 1));
                self.is_overloaded = true;
                self.is_at_end = true;
            }
            None => self.is_at_end = true,
        }
        Ok(())
    }

    /// Removes the complete lines from the buffer, up to the size of a batch.
    fn split(&mut self) -> Lines {
        let mut lines = Vec::new();
        let mut split_bytes = 0;
        for line in self.buffer.split_inclusive(|byte| *byte == b'\n') {
            let is_complete = line.last() == Some(&b'\n');
            let is_full = lines.len() == MAX_BATCH_LINES || split_bytes > BATCH_BYTES;
            if is_full || !(is_complete || self.is_at_end) {
                break;
            }
            split_bytes += line.len();
            lines.push(line.trim_ascii().to_vec());
        }
        self.buffer.drain(..split_bytes);
        if self.buffer.len() < IDLE_BUFFER_BYTES {
            self.buffer.shrink_to(IDLE_BUFFER_BYTES);
        }
        Lines { lines, bytes: split_bytes }
    }
}

/// Lines of one batch.
struct Lines {
    /// Lines without white space around them.
    lines: Vec<Vec<u8>>,
    /// Their bytes in the body.
    bytes: usize,
}

/// Calls that are stored in one transaction.
struct Batch {
    calls: Arc<Vec<ReportedCall>>,
    /// One entry for each line: the error of a line that could not be parsed, or `None` for a line
    /// whose call is the next in `calls`.
    lines: Vec<Option<ApiError>>,
    /// Bytes of the lines in the body.
    bytes: usize,
}

impl Batch {
    /// Returns the result of a line for which there is no memory.
    fn overloaded() -> Self {
        Self { calls: Arc::default(), lines: vec![Some(ApiError::Overloaded)], bytes: 0 }
    }

    async fn parse(request: &ApiRequest, Lines { lines, bytes }: &Lines) -> Self {
        let app = &request.app;
        let results = Vec::with_capacity(lines.len());
        let mut batch = Self { calls: Arc::default(), lines: results, bytes: *bytes };
        let mut calls = Vec::with_capacity(lines.len());
        let times = (request.network.time_zone, call_facts::latest_time(app, &request.network));
        // Empty lines get no result.
        for (index, line) in lines.iter().filter(|line| !line.is_empty()).enumerate() {
            if index % LINES_PER_YIELD == LINES_PER_YIELD - 1 {
                tokio::task::yield_now().await;
            }
            batch.lines.push(match parse_line(line, app.limits.max_body_bytes) {
                Ok(body) => {
                    let submitted = read_body(&body, times, &mut Ignored::default());
                    calls.push(ReportedCall::new(submitted, call_facts::generate_call_id(app)));
                    None
                }
                Err(error) => Some(error),
            });
        }
        batch.calls = Arc::new(calls);
        batch
    }

    /// Renders the result of each line from the outcomes of its calls.
    async fn render_results(self, app: &App, outcomes: Vec<Result<IngestOutcome, Error>>) -> Bytes {
        let mut outcomes = outcomes.into_iter();
        let mut text = String::with_capacity(self.lines.len() * 64);
        for line in self.lines {
            let result = match line {
                Some(error) => Err(error),
                None => match outcomes.next() {
                    Some(outcome) => outcome.map_err(ApiError::from),
                    None => continue,
                },
            };
            let object = match result {
                Ok(outcome) => {
                    let (status, call_id) = status_and_call_id(&outcome);
                    let mut object = json!({"cuid": call_id, "status": status.as_u16()});
                    if let Some(reason) = outcome.rejection {
                        object["outcome"] = Outcome::Rejected.as_str().into();
                        object["reason"] = reason.as_str().into();
                    }
                    object
                }
                Err(error) => render_error(app, error).await,
            };
            text.push_str(&object.to_string());
            text.push('\n');
        }
        text.into()
    }
}

/// Stores batches in order.
struct BatchWriter {
    app: App,
    context: Context,
    credential_guard: CredentialGuard,
    /// Memory of the body's bytes.
    account: Arc<BodyAccount>,
}

impl BatchWriter {
    /// Stores batches and sends their results, until the body ends or the client disconnects.
    async fn run(
        self,
        mut batches: mpsc::Receiver<Result<Batch, axum::Error>>,
        results: mpsc::Sender<Result<Bytes, axum::Error>>,
    ) {
        while let Some(batch) = batches.recv().await {
            let result = match batch {
                Ok(batch) => {
                    let outcomes = self.ingest(Arc::clone(&batch.calls)).await;
                    self.account.shrink(batch.bytes);
                    Ok(batch.render_results(&self.app, outcomes).await)
                }
                Err(error) => Err(error),
            };
            if results.send(result).await.is_err() {
                return;
            }
        }
    }

    /// Ingests calls in one transaction. If it fails, one call may have made it fail, so each gets
    /// a transaction of its own.
    async fn ingest(&self, calls: Arc<Vec<ReportedCall>>) -> Vec<Result<IngestOutcome, Error>> {
        if calls.is_empty() {
            return Vec::new();
        }
        let batch = Arc::clone(&calls);
        let outcomes = self
            .credential_guard
            .write(&self.context, move |unit, context| calls::ingest_calls(unit, context, &batch))
            .await;
        if let Ok(outcomes) = outcomes {
            return outcomes;
        }
        let separate_writes = calls::in_order_of_start(&calls).into_iter().map(|(index, call)| {
            let call = call.clone();
            let write = self.credential_guard.write(&self.context, move |unit, context| {
                calls::ingest_call(unit, context, call, None)
            });
            async move { (index, write.await) }
        });
        let mut outcomes = join_all(separate_writes).await;
        outcomes.sort_by_key(|(index, _)| *index);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }
}

fn parse_line(line: &[u8], limit: usize) -> Result<Object, ApiError> {
    if line.len() > limit {
        return Err(ApiError::BodyTooLarge(limit));
    }
    match json::parse(line) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(ApiError::BadRequest("the line must be a JSON object".to_owned())),
        Err(error) => Err(ApiError::BadRequest(format!("the line is not valid JSON: {error}"))),
    }
}

/// Returns the body of an error response with its status as a property.
async fn render_error(app: &App, error: ApiError) -> Value {
    let response = error.into_response(app);
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.map(|body| body.to_bytes());
    let mut object: Value =
        bytes.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    object["status"] = status.into();
    object
}
