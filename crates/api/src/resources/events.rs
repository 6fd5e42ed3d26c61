//! `events`: stream of a network's events (server-sent events).

use crate::App;
use crate::api_request::ApiRequest;
use crate::auth::{self, PresentedCredential};
use crate::errors::ApiError;
use crate::routes::{Routes, get};
use crate::streams::StreamPermit;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use futures_util::stream;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use trunkline_domain::event::EVENT_TYPES;
use trunkline_domain::id::EventId;
use trunkline_domain::problem::{NOT_A_NUMBER, NOT_LISTED, Problems};
use trunkline_network::{Context, Error, EventRecord, Page, events};

/// Maximum number of events read at a time.
const PAGE_EVENTS: u32 = 100;
/// Interval of heartbeat comments.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
/// Interval at which the database is polled for events that other processes wrote, and for the validity
/// of the credential.
const POLL_INTERVAL: Duration = Duration::from_secs(3);
/// Minimum time between two polls if the first one found less than a page. Under load, events are
/// thus sent several at a time, and many streams do not read the database for each event.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(20);

pub(super) fn routes() -> Routes {
    Routes::new().route("/trunkline/events", get(open_stream))
}

/// Renders an event as it is sent: `{"type", "timestamp", "data"}`, with the timestamp in UTC.
pub fn render_event(event: &EventRecord) -> Value {
    json!({"type": event.kind, "timestamp": event.at.to_string(), "data": event.data})
}

/// Open stream. It holds at most one page of events.
struct EventStream {
    app: App,
    context: Context,
    credential: PresentedCredential,
    /// Types of events to send; empty means all.
    types: Vec<String>,
    /// Id of the last event read.
    after: EventId,
    /// Changes when a transaction of this process has written events.
    commits: watch::Receiver<u64>,
    /// True if the first chunk was sent.
    is_started: bool,
    /// Time of the next heartbeat.
    next_heartbeat: Instant,
    /// Earliest time of the next poll.
    next_poll: Instant,
    _permit: StreamPermit,
}

async fn open_stream(request: ApiRequest) -> Response<Body> {
    let app = request.app.clone();
    let event_stream = match EventStream::open(request) {
        Ok(event_stream) => event_stream,
        Err(error) => return error.into_response(&app),
    };
    let shutdown = app.shutdown.clone();
    let chunks = stream::unfold(event_stream, move |event_stream| {
        let shutdown = shutdown.clone();
        async move {
            tokio::select! {
                () = shutdown.triggered() => None,
                chunk = event_stream.next_chunk() => {
                    chunk.map(|(bytes, rest)| (Ok::<_, Error>(bytes), rest))
                }
            }
        }
    });
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Reads the id of the last event that the client received (`Last-Event-ID`, or the parameter
/// `last_event_id`).
fn read_last_event_id(request: &ApiRequest, problems: &mut Problems) -> Option<EventId> {
    let header = request.headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let text = header.filter(|id| !id.is_empty()).or(request.parameter("last_event_id"))?;
    let id = text.parse::<i64>().ok().filter(|id| *id >= 0).map(EventId::new);
    if id.is_none() {
        problems.property("last_event_id").add(NOT_A_NUMBER);
    }
    id
}

fn read_types(request: &ApiRequest, problems: &mut Problems) -> Vec<String> {
    let parameter = request.parameter("types").unwrap_or_default();
    let types = parameter.split(',').map(str::trim).filter(|kind| !kind.is_empty());
    let types: Vec<String> = types.map(str::to_owned).collect();
    if !types.iter().all(|kind| EVENT_TYPES.contains(&kind.as_str())) {
        problems.property("types").add(NOT_LISTED);
    }
    types
}

impl EventStream {
    fn open(request: ApiRequest) -> Result<Self, ApiError> {
        let mut problems = Problems::new();
        let last_event_id = read_last_event_id(&request, &mut problems);
        let types = read_types(&request, &mut problems);
        problems.into_result(()).map_err(Error::from)?;
        // Subscribes before the position is read, so that no event between the two is missed.
        let commits = request.app.store.subscribe_commits();
        let after =
            request.read(|unit, context| events::resume_position(unit, context, last_event_id))?;
        let ApiRequest { app, context, credential, .. } = request;
        let principal = &context.principal;
        let permit = app.stream_limiter.acquire(principal.actor, principal.tenant());
        let now = Instant::now();
        Ok(Self {
            _permit: permit.ok_or(ApiError::TooManyStreams)?,
            app,
            context,
            credential,
            types,
            after,
            commits,
            is_started: false,
            next_heartbeat: now + HEARTBEAT_INTERVAL,
            next_poll: now,
        })
    }

    /// Returns the next chunk; `None` at the end of the stream.
    async fn next_chunk(mut self) -> Option<(Bytes, Self)> {
        if !self.is_started {
            self.is_started = true;
            // Makes the client see the response, and sets its reconnection time (milliseconds).
            return Some((Bytes::from_static(b"retry: 3000\n\n"), self));
        }
        loop {
            if Instant::now() >= self.next_heartbeat {
                self.next_heartbeat = Instant::now() + HEARTBEAT_INTERVAL;
                return Some((Bytes::from_static(b": here\n\n"), self));
            }
            sleep_until(self.next_poll).await;
            self.commits.mark_unchanged();
            let (bytes, has_more) = self.poll_events().ok()?;
            if !has_more {
                self.next_poll = Instant::now() + MIN_POLL_INTERVAL;
            }
            if !bytes.is_empty() {
                return Some((bytes.into(), self));
            }
            if has_more {
                tokio::task::yield_now().await;
                continue;
            }
            let until_heartbeat = self.next_heartbeat.saturating_duration_since(Instant::now());
            let wait = POLL_INTERVAL.min(until_heartbeat);
            // A closed channel means that the store was closed at shutdown; the stream ends, too.
            if let Ok(result) = timeout(wait, self.commits.changed()).await {
                result.ok()?;
            }
        }
    }

    /// Reads and renders the next page of events. The flag is true if there may be more. The snapshot
    /// that has the events decides if the credential is valid, so that none is sent after the answer to
    /// a sign-out, on any server.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthorized`] if the credential is no longer valid.
    fn poll_events(&mut self) -> Result<(Vec<u8>, bool), Error> {
        let page = Page::new(self.after.get(), PAGE_EVENTS);
        let Self { app, context, credential, .. } = self;
        let page = app.store.read(|unit| {
            let principal = auth::authenticate_again(app, unit, credential, &context.principal)?;
            context.principal = principal.ok_or(Error::Unauthorized)?;
            events::list_after(unit, context, page)
        })?;
        let mut bytes = Vec::new();
        for event in page.events {
            if self.types.is_empty() || self.types.contains(&event.kind) {
                let id = event.id;
                let kind = &event.kind;
                let data = render_event(&event);
                let chunk = format!("id: {id}\nevent: {kind}\ndata: {data}\n\n");
                bytes.extend_from_slice(chunk.as_bytes());
            }
        }
        self.after = page.last_examined_id;
        Ok((bytes, page.is_full))
    }
}
