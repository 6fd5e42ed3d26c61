//! `/calls`: calls that were routed elsewhere come in, one by one or a line each.

use crate::errors::{Refusal, json_response};
use crate::fields::{Fields, Ignored, Reading};
use crate::incoming::Incoming;
use crate::reply::Object;
use crate::resources::facts::{self, SECONDS};
use crate::routes::{Routes, post};
use crate::{App, json};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use futures_util::future::join_all;
use futures_util::stream;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::mpsc;
use trunkline_domain::call::CallFacts;
use trunkline_domain::party::CustomData;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_domain::timezone::ZoneName;
use trunkline_network::calls::{self, CallIn, Taken};
use trunkline_network::{Context, IdempotencyKey, Session, Submitted};

/// Lines taken together: they share commits.
const LINES: usize = 200;
/// Parts of a body that are read ahead.
const AHEAD: usize = LINES;
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

/// A call by itself, in a unit of work that confirms the credential.
async fn take_alone(
    incoming: &Incoming,
    submitted: Submitted<CallIn>,
    key: Option<IdempotencyKey>,
) -> Result<(StatusCode, Value), Refusal> {
    let name = facts::name_of_call(&incoming.app);
    let take = move |session: &mut Session<'_>, context: &Context| {
        calls::take(session, context, submitted, name, key.as_ref())
    };
    Ok(answer_one(incoming.write(take).await?))
}

fn answer_one(taken: Taken) -> (StatusCode, Value) {
    match taken {
        Taken::New(cuid) => (StatusCode::CREATED, json!({"cuid": cuid})),
        Taken::Known(cuid) => (StatusCode::ACCEPTED, json!({"cuid": cuid})),
    }
}

async fn take_one(
    app: &App,
    context: &Context,
    submitted: Submitted<CallIn>,
    key: Option<IdempotencyKey>,
) -> Result<(StatusCode, Value), Refusal> {
    let name = facts::name_of_call(app);
    let context = context.clone();
    let taken = app
        .store
        .write(move |session| calls::take(session, &context, submitted, name, key.as_ref()));
    Ok(answer_one(taken.await?))
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
    frames: mpsc::Receiver<Result<Bytes, axum::Error>>,
    buffer: Vec<u8>,
    ended: bool,
}

/// Takes a line each, and answers a line each: what a call alone would be answered, with its
/// status. One bad line does not spoil the rest.
fn take_lines(incoming: Incoming, body: Body) -> Response<Body> {
    let frames = read_ahead(body, incoming.app.limits.body_time);
    let lines = Lines { incoming, frames, buffer: Vec::new(), ended: false };
    let answers = stream::try_unfold(lines, |mut lines| async move {
        let batch = lines.next().await?;
        if batch.is_empty() {
            return Ok(None);
        }
        // An empty line is no call.
        let told = batch.iter().filter(|line| !line.is_empty());
        let answers = join_all(told.map(|line| answer(&lines.incoming, line))).await;
        let text: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
        Ok::<_, axum::Error>(Some((Bytes::from(text), lines)))
    });
    let mut response = Response::new(Body::from_stream(answers));
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Reads a body while what came before is being stored, a little ahead: what has arrived by then
/// shares the next commit. It ends with the body, or when nothing comes for `time`.
fn read_ahead(mut body: Body, time: Duration) -> mpsc::Receiver<Result<Bytes, axum::Error>> {
    let (frames, ahead) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        while let Ok(Some(frame)) = tokio::time::timeout(time, body.frame()).await {
            let bytes = frame.map(|frame| frame.into_data().unwrap_or_default());
            if frames.send(bytes).await.is_err() {
                return;
            }
        }
    });
    ahead
}

impl Lines {
    /// The next lines, at most so many; none at the end.
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, axum::Error> {
        loop {
            let whole = self.buffer.iter().filter(|byte| **byte == b'\n').count();
            let full = whole >= LINES || self.buffer.len() > self.incoming.app.limits.body;
            if self.ended || (whole > 0 && full) {
                return Ok(self.split());
            }
            if whole > 0 {
                // What has arrived already is taken with it; nothing is waited for.
                match self.frames.try_recv() {
                    Ok(frame) => self.buffer.extend(frame?),
                    Err(mpsc::error::TryRecvError::Disconnected) => self.ended = true,
                    Err(mpsc::error::TryRecvError::Empty) => return Ok(self.split()),
                }
                continue;
            }
            if full {
                // Too long for a line: it is answered as it is, and nothing after it is read.
                self.ended = true;
                continue;
            }
            match self.frames.recv().await {
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
            if lines.len() == LINES || !(complete || self.ended) {
                break;
            }
            taken += line.len();
            lines.push(line.trim_ascii().to_vec());
        }
        self.buffer.drain(..taken);
        lines
    }
}

/// What one line is answered.
async fn answer(incoming: &Incoming, line: &[u8]) -> Value {
    let Incoming { app, context, .. } = incoming;
    let result = match parse(line, app.limits.body) {
        Ok(body) => {
            let submitted = read(&body, zone(incoming), &mut Ignored::default());
            take_one(app, context, submitted, None).await
        }
        Err(refusal) => Err(refusal),
    };
    match result {
        Ok((status, mut answer)) => {
            answer["status"] = status.as_u16().into();
            answer
        }
        Err(refusal) => refused(app, refusal).await,
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
