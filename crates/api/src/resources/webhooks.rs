//! `webhooks`: who else is told of a network's events, and what became of it.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading, TEXT_LIMIT};
use crate::incoming::Incoming;
use crate::list::Part;
use crate::reply::Object;
use crate::routes::{Routes, get, post};
use crate::versions::Kind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::{Value, json};
use trunkline_domain::event::KINDS;
use trunkline_domain::problem::{BLANK, INVALID, NOT_LISTED, Problems};
use trunkline_domain::timezone::{self, ZoneName};
use trunkline_domain::webhook::{Secret, Webhook, WebhookUrl};
use trunkline_network::webhooks::{self, WebhookChange};
use trunkline_network::{DeliveryRecord, DeliveryState, Error, Submitted};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/webhooks", get(list).post(create))
        .route("/trunkline/webhooks/{id}", get(show).delete(delete))
        .route("/trunkline/webhooks/{id}/deliveries", get(deliveries))
        .route("/trunkline/webhooks/{id}/deliveries/{delivery}/resend", post(resend))
}

async fn list(incoming: Incoming) -> Response<Body> {
    let zone = incoming.network.time_zone;
    incoming.reply_list(Kind::Plain, move |session, context, page| {
        let found = webhooks::list(session, context, page)?;
        let last = found.last().map(|webhook| webhook.id);
        Ok(Part { objects: found.iter().map(|it| render(it, zone)).collect(), last })
    })
}

async fn show(Path(id): Path<String>, incoming: Incoming) -> Response<Body> {
    let zone = incoming.network.time_zone;
    let found = incoming
        .look(|session, context| webhooks::get(session, context, number("Webhook", &id)?))
        .await;
    incoming.reply(Kind::Plain, found.map(|webhook| render(&webhook, zone)))
}

async fn create(mut incoming: Incoming) -> Response<Body> {
    let zone = incoming.network.time_zone;
    let result = make(&mut incoming).await;
    incoming.reply(
        Kind::Plain,
        result.map(|webhook| {
            // Told this once: from now on only the receiver has it.
            let mut object = render(&webhook, zone);
            object.insert("secret".to_owned(), webhook.secret.text().into());
            object
        }),
    )
}

async fn make(incoming: &mut Incoming) -> Result<Webhook, Refusal> {
    let body = incoming.take_body()?;
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let change = WebhookChange {
        url: read_url(&mut fields),
        kinds: fields.array("events", KINDS.len(), read_kind).unwrap_or_default(),
        description: fields.text("description", TEXT_LIMIT).flatten(),
        secret: read_secret(&mut fields),
    };
    fields.finish();
    let submitted = Submitted { change, problems };
    let secret = Secret::new(&(incoming.app.random)());
    let allow_private = incoming.app.limits.private_webhooks;
    incoming
        .write(move |session, context| {
            webhooks::create(session, context, submitted, secret, allow_private)
        })
        .await
}

fn read_url(fields: &mut Fields<'_>) -> Option<WebhookUrl> {
    let parsed = match fields.value("url")? {
        Value::Null => Err(BLANK),
        Value::String(text) if text.is_empty() => Err(BLANK),
        Value::String(text) => WebhookUrl::parse(text),
        _ => Err(INVALID),
    };
    parsed.map_err(|message| fields.wrong("url", message)).ok()
}

fn read_kind(value: &Value, reading: Reading<'_>) -> Option<String> {
    let kind = value.as_str().filter(|kind| KINDS.contains(kind));
    if kind.is_none() {
        reading.problems.add(NOT_LISTED);
    }
    kind.map(str::to_owned)
}

/// A secret that the receiver has already; what is wrong with it is said without repeating it.
fn read_secret(fields: &mut Fields<'_>) -> Option<Secret> {
    let said = fields.value("secret").filter(|value| !value.is_null())?;
    let parsed = said.as_str().and_then(Secret::parse);
    if parsed.is_none() {
        fields.wrong("secret", "must be whsec_ and 24 to 64 bytes in base64");
    }
    parsed
}

async fn delete(Path(id): Path<String>, incoming: Incoming) -> Response<Body> {
    let deleted = incoming
        .write(move |session, context| match number("Webhook", &id) {
            Ok(id) => webhooks::delete(session, context, id),
            Err(_) => context.caller.require_network(),
        })
        .await;
    incoming.reply(Kind::Plain, deleted.map(|()| Object::new()))
}

async fn deliveries(Path(id): Path<String>, incoming: Incoming) -> Response<Body> {
    let zone = incoming.network.time_zone;
    let said = incoming.parameter("state");
    let state = said.and_then(DeliveryState::parse);
    if said.is_some() && state.is_none() {
        let refusal = Refusal::Refused(Error::at("state", NOT_LISTED));
        return incoming.reply(Kind::Plain, Err(refusal));
    }
    incoming.reply_list(Kind::Plain, move |session, context, page| {
        let webhook = number("Webhook", &id)?;
        let found = webhooks::deliveries(session, context, webhook, state, page)?;
        let last = found.last().map(|delivery| delivery.id);
        Ok(Part { objects: found.iter().map(|it| render_delivery(it, zone)).collect(), last })
    })
}

async fn resend(
    Path((id, delivery)): Path<(String, String)>,
    incoming: Incoming,
) -> Response<Body> {
    let zone = incoming.network.time_zone;
    let sent = incoming
        .write(move |session, context| {
            let delivery = number("Delivery", &delivery);
            webhooks::resend(session, context, number("Webhook", &id)?, delivery?)
        })
        .await;
    incoming.reply(Kind::Plain, sent.map(|delivery| render_delivery(&delivery, zone)))
}

fn number(what: &str, id: &str) -> Result<i64, Error> {
    id.parse().map_err(|_| Error::NotFound(format!("{what} {id}")))
}

/// A webhook without its secret.
fn render(webhook: &Webhook, zone: ZoneName) -> Object {
    Object::from_iter([
        ("id".to_owned(), webhook.id.into()),
        ("url".to_owned(), webhook.url.text().into()),
        ("events".to_owned(), json!(webhook.kinds)),
        ("description".to_owned(), json!(webhook.description)),
        ("created_at".to_owned(), timezone::stamp(webhook.created_at, zone).into()),
    ])
}

fn render_delivery(it: &DeliveryRecord, zone: ZoneName) -> Object {
    let stamp = |at: Option<jiff::Timestamp>| json!(at.map(|at| timezone::stamp(at, zone)));
    Object::from_iter([
        ("id".to_owned(), it.id.into()),
        ("event_id".to_owned(), it.event.id.into()),
        ("type".to_owned(), it.event.kind.clone().into()),
        ("state".to_owned(), it.state.as_str().into()),
        ("attempts".to_owned(), it.attempts.into()),
        ("next_attempt_at".to_owned(), stamp(it.due_at)),
        ("last_status".to_owned(), json!(it.last_status)),
        ("last_error".to_owned(), json!(it.last_error)),
        ("created_at".to_owned(), stamp(Some(it.created_at))),
        ("delivered_at".to_owned(), stamp(it.delivered_at)),
    ])
}
