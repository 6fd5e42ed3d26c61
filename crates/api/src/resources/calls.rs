//! `/calls`: calls that were routed elsewhere come in, one by one or a line each.

use crate::errors::{Refusal, json_response};
use crate::fields::{Fields, Ignored, Reading};
use crate::incoming::Incoming;
use crate::proof::Proof;
use crate::reply::Object;
use crate::resources::calls_together;
use crate::resources::facts::{self, SECONDS};
use crate::routes::{Routes, post};
use crate::{App, json};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use futures_util::future::join_all;
use futures_util::stream;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{Semaphore, mpsc};
use trunkline_domain::call::CallFacts;
use trunkline_domain::party::CustomData;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_domain::timezone::ZoneName;
use trunkline_network::calls::{self, CallIn, Taken, Told};
use trunkline_network::{Context, Error, IdempotencyKey, Session, Submitted};

/// Lines taken together, in one unit of work: some tens of milliseconds of the writer's time.
const LINES: usize = 500;
/// Bytes of lines taken together, more or less.
const BYTES: usize = 1 << 19;
/// Lines that are read before others have their turn of the processor.
const TURN: usize = 50;
/// Parts of a body that are read ahead, and their bytes together.
const AHEAD: (usize, usize) = (LINES, 1 << 20);
/// Custom data of one call.
const CUSTOM_DATA: usize = 200;

pub(super) fn routes() -> Routes {
    Routes::new().route("/api/calls", post(take))
}

async fn take(mut incoming: Incoming) -> Response<Body> {
    if let Some(lines) = incoming.lines.take() {
        let lines = lines.into_inner().unwrap_or_else(PoisonError::into_inner);
        return take_lines(incoming, lines);
    }
    let result = match incoming.take_body() {
        Ok(body) => match incoming.idempotency_key() {
            Ok(key) => {
                let zone = zone(&incoming);
                let submitted = read(&body, zone, &mut incoming.ignored);
                take_alone(&incoming, submitted, key).await
            }
            Err(refusal) => Err(refusal),
        },
        Err(refusal) => Err(refusal),
    };
    let response = match result {
        Ok((status, answer)) => json_response(status, &answer),
        Err(refusal) => refusal.response(&incoming.app, |_| ()),
    };
    incoming.with_ignored(response)
}

fn zone(incoming: &Incoming) -> ZoneName {
    incoming.network.time_zone
}

/// A call by itself: with a key in a unit of work of its own, else in one with others.
async fn take_alone(
    incoming: &Incoming,
    submitted: Submitted<CallIn>,
    key: Option<IdempotencyKey>,
) -> Result<(StatusCode, Value), Refusal> {
    let told = Told::new(submitted, facts::name_of_call(&incoming.app));
    let taken = match key {
        None => {
            let Incoming { app, context, proof, .. } = incoming;
            calls_together::take(app, context, proof, told).await?
        }
        Some(key) => {
            let take = move |session: &mut Session<'_>, context: &Context| {
                calls::take(session, context, told, Some(&key))
            };
            incoming.write(take).await?
        }
    };
    let (status, cuid) = answer_of(&taken);
    Ok((status, json!({"cuid": cuid})))
}

fn answer_of(taken: &Taken) -> (StatusCode, &str) {
    match taken {
        Taken::New(cuid) => (StatusCode::CREATED, cuid),
        Taken::Known(cuid) => (StatusCode::ACCEPTED, cuid),
    }
}

fn read(body: &Object, zone: ZoneName, ignored: &mut Ignored) -> Submitted<CallIn> {
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored };
    let mut fields = Fields::new(body, reading);
    let mut call = match fields.hash("call") {
        Some(Some(map)) => read_call(Fields::new(map, fields.below("call")), zone),
        said => {
            if said.is_some() || !fields.has("call") {
                fields.wrong("call", BLANK);
            }
            CallIn::default()
        }
    };
    let pairs = fields.array("custom_data", CUSTOM_DATA, |value, reading| {
        let mut fields = Fields::of(value, reading)?;
        let name = fields.name("name");
        if !fields.has("value") {
            fields.wrong("value", BLANK);
        }
        let value = fields.optional_id("value");
        fields.finish();
        Some((name?, value.flatten()?))
    });
    call.facts.custom_data = pairs.map(CustomData::from_iter);
    call.request = call.meaning();
    fields.finish();
    Submitted { change: call, problems }
}

fn read_call(mut fields: Fields<'_>, zone: ZoneName) -> CallIn {
    let keys = facts::read_keys(&mut fields);
    let start_time = facts::read_time(&mut fields, "start_time", zone);
    let duration = fields.whole("duration_in_seconds", 0, SECONDS).flatten();
    let facts = CallFacts {
        duration: facts::read_end(&mut fields, zone, start_time, duration),
        connect_duration: fields.whole("connect_duration_in_seconds", 0, SECONDS).flatten(),
        sms_sent: fields.boolean("sms_sent").flatten(),
        ..facts::read_caller(&mut fields)
    };
    if let (Some(whole), Some(connected)) = (facts.duration, facts.connect_duration)
        && connected > whole
    {
        let message = "must be less than or equal to duration_in_seconds";
        fields.wrong("connect_duration_in_seconds", message);
    }
    let call = CallIn {
        external_id: fields.id("external_call_unique_id"),
        start_time,
        campaign: fields.id("advertiser_campaign_id_from_network"),
        affiliate: fields.optional_id("affiliate_id_from_network").flatten(),
        promo_number: fields.phone("promo_number").flatten(),
        destination_phone_number: fields
            .phone("destination_phone_number")
            .flatten()
            .map(|number| number.digits().to_owned()),
        facts,
        keys,
        request: Vec::new(),
    };
    fields.finish();
    call
}

/// What is left of a body of lines.
struct Lines {
    incoming: Incoming,
    ahead: Ahead,
    buffer: Vec<u8>,
    ended: bool,
}

/// Takes a line each, and answers a line each: what a call alone would be answered, with its
/// status. One bad line does not spoil the rest. While some lines are being stored the next are read.
fn take_lines(incoming: Incoming, body: Body) -> Response<Body> {
    let ahead = Ahead::read(body, incoming.app.limits.body_time);
    let (batches, waiting) = mpsc::channel(1);
    let (answers, told) = mpsc::channel(1);
    let desk = Desk {
        app: incoming.app.clone(),
        context: incoming.context.clone(),
        proof: incoming.proof.clone(),
    };
    let lines = Lines { incoming, ahead, buffer: Vec::new(), ended: false };
    tokio::spawn(lines.read(batches));
    tokio::spawn(desk.take(waiting, answers));
    let told = stream::unfold(told, async |mut told| Some((told.recv().await?, told)));
    let mut response = Response::new(Body::from_stream(told));
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// A body that is read while what came before is being stored, a little ahead: what has arrived by then
/// shares the next commit. It ends with the body, or when nothing comes for some time.
struct Ahead {
    frames: mpsc::Receiver<Result<Bytes, axum::Error>>,
    /// For so many bytes there is room.
    room: Arc<Semaphore>,
}

/// What a part of a body takes of the room there is, however long it is.
fn taken_by(frame: &Result<Bytes, axum::Error>) -> usize {
    frame.as_ref().map_or(0, |bytes| bytes.len().min(AHEAD.1))
}

impl Ahead {
    fn read(mut body: Body, time: Duration) -> Self {
        let (frames, ahead) = mpsc::channel(AHEAD.0);
        let room = Arc::new(Semaphore::new(AHEAD.1));
        let taken = Arc::clone(&room);
        tokio::spawn(async move {
            while let Ok(Some(frame)) = tokio::time::timeout(time, body.frame()).await {
                let bytes = frame.map(|frame| frame.into_data().unwrap_or_default());
                let needed = u32::try_from(taken_by(&bytes)).unwrap_or(u32::MAX);
                let Ok(room) = taken.acquire_many(needed).await else { return };
                room.forget();
                if frames.send(bytes).await.is_err() {
                    return;
                }
            }
        });
        Self { frames: ahead, room }
    }

    /// The next part; `None` at the end.
    async fn next(&mut self) -> Option<Result<Bytes, axum::Error>> {
        let frame = self.frames.recv().await?;
        self.room.add_permits(taken_by(&frame));
        Some(frame)
    }

    /// The next part, if there is one already.
    fn try_next(&mut self) -> Result<Result<Bytes, axum::Error>, TryRecvError> {
        let frame = self.frames.try_recv()?;
        self.room.add_permits(taken_by(&frame));
        Ok(frame)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        // Nothing more is waited for.
        self.room.close();
    }
}

impl Lines {
    /// Reads them all, and hands them on in order for as long as somebody takes them.
    async fn read(mut self, batches: mpsc::Sender<Result<Batch, axum::Error>>) {
        loop {
            let next = match self.next().await {
                Ok(lines) if lines.is_empty() => return,
                Ok(lines) => Ok(Batch::read(&self.incoming, &lines).await),
                Err(error) => Err(error),
            };
            let broken = next.is_err();
            if batches.send(next).await.is_err() || broken {
                return;
            }
        }
    }

    /// The next lines, at most so many; none at the end.
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, axum::Error> {
        // Lines and bytes that were counted already.
        let (mut whole, mut seen) = (0, 0);
        loop {
            let fresh = self.buffer.get(seen..).unwrap_or_default();
            whole += fresh.iter().filter(|byte| **byte == b'\n').count();
            seen = self.buffer.len();
            let full = whole >= LINES || seen > BYTES;
            if self.ended || (whole > 0 && full) {
                return Ok(self.split());
            }
            if whole > 0 {
                // What has arrived already is taken with it; nothing is waited for.
                match self.ahead.try_next() {
                    Ok(frame) => self.buffer.extend(frame?),
                    Err(TryRecvError::Disconnected) => self.ended = true,
                    Err(TryRecvError::Empty) => return Ok(self.split()),
                }
                continue;
            }
            if seen > self.incoming.app.limits.body {
                // Too long for a line: it is answered as it is, and nothing after it is read.
                self.ended = true;
                continue;
            }
            match self.ahead.next().await {
                Some(frame) => self.buffer.extend(frame?),
                None => self.ended = true,
            }
        }
    }

    fn split(&mut self) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        let mut taken = 0;
        for line in self.buffer.split_inclusive(|byte| *byte == b'\n') {
            let complete = line.last() == Some(&b'\n');
            let full = lines.len() == LINES || taken > BYTES;
            if full || !(complete || self.ended) {
                break;
            }
            taken += line.len();
            lines.push(line.trim_ascii().to_vec());
        }
        self.buffer.drain(..taken);
        lines
    }
}

/// Lines that are taken together.
struct Batch {
    calls: Arc<Vec<Told>>,
    /// What becomes of each line: of those that can be read the next call's answer, of the others this.
    lines: Vec<Option<Refusal>>,
}

impl Batch {
    async fn read(incoming: &Incoming, lines: &[Vec<u8>]) -> Self {
        let Incoming { app, .. } = incoming;
        let mut batch = Self { calls: Arc::default(), lines: Vec::with_capacity(lines.len()) };
        let mut calls = Vec::with_capacity(lines.len());
        // An empty line is no call.
        for (index, line) in lines.iter().filter(|line| !line.is_empty()).enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            batch.lines.push(match parse(line, app.limits.body) {
                Ok(body) => {
                    let submitted = read(&body, zone(incoming), &mut Ignored::default());
                    calls.push(Told::new(submitted, facts::name_of_call(app)));
                    None
                }
                Err(refusal) => Some(refusal),
            });
        }
        batch.calls = Arc::new(calls);
        batch
    }

    /// A line for each line, once its calls came to this.
    async fn answers(self, app: &App, taken: Vec<Result<Taken, Error>>) -> Bytes {
        let mut taken = taken.into_iter();
        let mut text = String::with_capacity(self.lines.len() * 64);
        for line in self.lines {
            let answer = match line {
                Some(refusal) => Err(refusal),
                None => match taken.next() {
                    Some(answer) => answer.map_err(Refusal::from),
                    None => continue,
                },
            };
            let answer = match answer {
                Ok(taken) => {
                    let (status, cuid) = answer_of(&taken);
                    json!({"cuid": cuid, "status": status.as_u16()})
                }
                Err(refusal) => refused(app, refusal).await,
            };
            text.push_str(&answer.to_string());
            text.push('\n');
        }
        text.into()
    }
}

/// Where lines are taken, one batch after the other.
struct Desk {
    app: App,
    context: Context,
    proof: Proof,
}

impl Desk {
    /// Takes batches and answers them, each before the next, for as long as somebody listens.
    async fn take(
        self,
        mut waiting: mpsc::Receiver<Result<Batch, axum::Error>>,
        answers: mpsc::Sender<Result<Bytes, axum::Error>>,
    ) {
        while let Some(batch) = waiting.recv().await {
            let answer = match batch {
                Ok(batch) => {
                    let taken = self.store(Arc::clone(&batch.calls)).await;
                    Ok(batch.answers(&self.app, taken).await)
                }
                Err(error) => Err(error),
            };
            if answers.send(answer).await.is_err() {
                return;
            }
        }
    }

    /// Takes calls in together. Where that fails, each alone: what is wrong with one is its own.
    async fn store(&self, calls: Arc<Vec<Told>>) -> Vec<Result<Taken, Error>> {
        if calls.is_empty() {
            return Vec::new();
        }
        let all = Arc::clone(&calls);
        let together = self
            .proof
            .write(&self.context, move |session, context| calls::take_many(session, context, &all));
        if let Ok(taken) = together.await {
            return taken;
        }
        let alone = calls.iter().map(|told| {
            let told = told.clone();
            self.proof.write(&self.context, move |session, context| {
                calls::take(session, context, told, None)
            })
        });
        join_all(alone).await
    }
}

fn parse(line: &[u8], limit: usize) -> Result<Object, Refusal> {
    if line.len() > limit {
        return Err(Refusal::TooLarge(limit));
    }
    match json::parse(line) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(Refusal::Bad("the line must be a JSON object".to_owned())),
        Err(error) => Err(Refusal::Bad(format!("the line is not valid JSON: {error}"))),
    }
}

/// A refusal as a line: its body, with its status.
async fn refused(app: &App, refusal: Refusal) -> Value {
    let response = refusal.response(app, |_| ());
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.map(|body| body.to_bytes());
    let mut answer: Value =
        bytes.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    answer["status"] = status.into();
    answer
}
