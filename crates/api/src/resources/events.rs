//! `events`: what happens in a network, as it happens (server-sent events).

use crate::App;
use crate::auth;
use crate::errors::Refusal;
use crate::incoming::Incoming;
use crate::proof::Proof;
use crate::routes::{Routes, get};
use crate::streams::Place;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use futures_util::stream;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use trunkline_domain::event::KINDS;
use trunkline_domain::problem::{NOT_A_NUMBER, NOT_LISTED, Problems};
use trunkline_network::{Context, Error, EventRecord, Page, events};

/// Events read at a time.
const PAGE: u32 = 100;
/// A stream says something at least as often; and its credential is looked at again.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often to look for what another process wrote.
const POLL: Duration = Duration::from_secs(3);
/// The least time between two looks when there was little to see: under load events are told a few
/// at a time, so that many streams don't read the database for each event.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) fn routes() -> Routes {
    Routes::new().route("/trunkline/events", get(listen))
}

/// An event as it is told: `{"type", "timestamp", "data"}`, the timestamp in UTC.
pub fn envelope(event: &EventRecord) -> Value {
    json!({"type": event.kind, "timestamp": event.at.to_string(), "data": event.data})
}

/// A stream that is open. It holds no more than one page of events.
struct Listener {
    app: App,
    context: Context,
    credential: auth::Shown,
    proof: Proof,
    /// Types that are told; all when there are none.
    types: Vec<String>,
    /// The last event that was looked at.
    after: i64,
    news: watch::Receiver<u64>,
    greeted: bool,
    /// When to say something, whatever happened.
    heartbeat: Instant,
    /// Not to look before.
    pause: Instant,
    _place: Place,
}

async fn listen(incoming: Incoming) -> Response<Body> {
    let app = incoming.app.clone();
    let listener = match listener(incoming) {
        Ok(listener) => listener,
        Err(refusal) => return refusal.response(&app, |_| ()),
    };
    let ending = app.ending.clone();
    let told = stream::unfold(listener, move |listener| {
        let ending = ending.clone();
        async move {
            tokio::select! {
                () = ending.begun() => None,
                told = listener.next() => told.map(|(bytes, rest)| (Ok::<_, Error>(bytes), rest)),
            }
        }
    });
    let mut response = Response::new(Body::from_stream(told));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn listener(incoming: Incoming) -> Result<Listener, Refusal> {
    let mut problems = Problems::new();
    let header = incoming.headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let named = header.filter(|id| !id.is_empty()).or(incoming.parameter("last_event_id"));
    let named = named.and_then(|said| {
        let id = said.parse::<i64>().ok().filter(|id| *id >= 0);
        if id.is_none() {
            problems.at("last_event_id").add(NOT_A_NUMBER);
        }
        id
    });
    let types = incoming.parameter("types").unwrap_or_default();
    let types: Vec<String> =
        types.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    if !types.iter().all(|it| KINDS.contains(&it.as_str())) {
        problems.at("types").add(NOT_LISTED);
    }
    problems.or(()).map_err(Error::from)?;
    // What is written from here on is news, or is found by the first look.
    let news = incoming.app.store.news();
    let after = incoming.read(|session, context| events::start(session, context, named))?;
    let Incoming { app, context, credential, proof, .. } = incoming;
    let place = app.streams.enter(&context.caller.actor.to_string());
    let now = Instant::now();
    Ok(Listener {
        _place: place.ok_or(Refusal::TooManyStreams)?,
        app,
        context,
        credential,
        proof,
        types,
        after,
        news,
        greeted: false,
        heartbeat: now + HEARTBEAT,
        pause: now,
    })
}

impl Listener {
    /// What goes out next; `None` at the end.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if !self.greeted {
            self.greeted = true;
            // Tells the client that it is heard, and when to come back when it is cut off.
            return Some((Bytes::from_static(b"retry: 3000\n\n"), self));
        }
        loop {
            if Instant::now() >= self.heartbeat {
                self.heartbeat = Instant::now() + HEARTBEAT;
                self.recheck().await?;
                return Some((Bytes::from_static(b": here\n\n"), self));
            }
            sleep_until(self.pause).await;
            self.news.mark_unchanged();
            let (bytes, more) = self.look().ok()?;
            if !more {
                self.pause = Instant::now() + PAUSE;
            }
            if !bytes.is_empty() {
                return Some((bytes.into(), self));
            }
            if more {
                tokio::task::yield_now().await;
                continue;
            }
            let wait = POLL.min(self.heartbeat.saturating_duration_since(Instant::now()));
            // The store ends with the server; then this does too.
            if let Ok(news) = timeout(wait, self.news.changed()).await {
                news.ok()?;
            }
        }
    }

    /// The next page, written out, and whether there may be more.
    fn look(&mut self) -> Result<(Vec<u8>, bool), Error> {
        let page = Page::of(self.after, PAGE);
        let page = self.app.store.read(|session| {
            self.proof.confirm(session)?;
            events::after(session, &self.context, page)
        })?;
        let mut bytes = Vec::new();
        for event in page.found {
            if self.types.is_empty() || self.types.contains(&event.kind) {
                let (id, kind, told) = (event.id, &event.kind, envelope(&event));
                bytes.extend_from_slice(
                    format!("id: {id}\nevent: {kind}\ndata: {told}\n\n").as_bytes(),
                );
            }
        }
        self.after = page.last;
        Ok((bytes, page.more))
    }

    /// `None` when the credential is good no longer. What it may see may have changed.
    async fn recheck(&mut self) -> Option<()> {
        let network = self.context.caller.network_id;
        let found = auth::caller(&self.app, &self.credential, Some(network)).await.ok()??;
        let same = found.actor == self.context.caller.actor && found.network_id == network;
        self.context.caller = found;
        same.then_some(())
    }
}
