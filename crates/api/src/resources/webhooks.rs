//! `webhooks`: webhooks of a network and their deliveries.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::list_response::ListPage;
use crate::object_reader::{ObjectReader, ReadContext, TEXT_LIMIT};
use crate::object_response::Object;
use crate::routes::{Routes, get, post};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::{Value, json};
use std::str::FromStr;
use trunkline_domain::event::EVENT_TYPES;
use trunkline_domain::problem::{BLANK, INVALID, NOT_LISTED, Problems};
use trunkline_domain::timezone::{self, TimeZoneName};
use trunkline_domain::webhook::{SigningSecret, Webhook, WebhookUrl};
use trunkline_network::webhooks::{self, WebhookChange};
use trunkline_network::{DeliveryRecord, DeliveryState, Error, Submission};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/webhooks", get(list).post(create))
        .route("/trunkline/webhooks/{id}", get(show).put(update).delete(delete))
        .route("/trunkline/webhooks/{id}/deliveries", get(list_deliveries))
        .route("/trunkline/webhooks/{id}/deliveries/{delivery}/resend", post(resend))
}

async fn list(request: ApiRequest) -> Response<Body> {
    let zone = request.network.time_zone;
    request
        .respond_list(ResourceKind::Unversioned, move |unit, context, page| {
            let items = webhooks::list(unit, context, page)?;
            let next_cursor = items.last().map(|webhook| webhook.id.get());
            Ok(ListPage {
                objects: items.iter().map(|webhook| render(webhook, zone)).collect(),
                next_cursor,
            })
        })
        .await
}

async fn show(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    let zone = request.network.time_zone;
    let result = request
        .read_one(|unit, context| webhooks::get(unit, context, parse_id("Webhook", &id)?))
        .await;
    request.respond(ResourceKind::Unversioned, result.map(|webhook| render(&webhook, zone)))
}

async fn create(mut request: ApiRequest) -> Response<Body> {
    let zone = request.network.time_zone;
    let result = create_webhook(&mut request).await;
    request.respond(
        ResourceKind::Unversioned,
        result.map(|webhook| render_with_secret(&webhook, zone)),
    )
}

async fn create_webhook(request: &mut ApiRequest) -> Result<Webhook, ApiError> {
    let submitted = read_change(request, false)?;
    let secret = SigningSecret::new(&(request.app.random)());
    let allow_private = request.app.limits.allow_private_webhooks;
    request
        .write(move |unit, context| {
            webhooks::create(unit, context, submitted, secret, allow_private)
        })
        .await
}

async fn update(Path(id): Path<String>, mut request: ApiRequest) -> Response<Body> {
    let zone = request.network.time_zone;
    let result = update_webhook(&id, &mut request).await;
    request.respond(
        ResourceKind::Unversioned,
        result.map(|(webhook, rotated)| {
            if rotated { render_with_secret(&webhook, zone) } else { render(&webhook, zone) }
        }),
    )
}

/// Returns the changed webhook, and true if its secret was replaced.
async fn update_webhook(id: &str, request: &mut ApiRequest) -> Result<(Webhook, bool), ApiError> {
    let submitted = read_change(request, true)?;
    let rotated = submitted.change.rotate_secret || submitted.change.secret.is_some();
    let id = parse_id("Webhook", id)?;
    let secret = SigningSecret::new(&(request.app.random)());
    let allow_private = request.app.limits.allow_private_webhooks;
    let webhook = request
        .write(move |unit, context| {
            webhooks::update(unit, context, id, submitted, secret, allow_private)
        })
        .await?;
    Ok((webhook, rotated))
}

fn read_change(
    request: &mut ApiRequest,
    is_update: bool,
) -> Result<Submission<WebhookChange>, ApiError> {
    let body = request.take_body()?;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = WebhookChange {
        url: read_url(&mut reader),
        event_types: reader.array("events", EVENT_TYPES.len(), read_kind),
        description: reader.text("description", TEXT_LIMIT),
        secret: read_secret(&mut reader),
        rotate_secret: is_update && reader.boolean("rotate_secret").flatten().unwrap_or(false),
    };
    reader.finish();
    Ok(Submission { change, problems })
}

fn read_url(reader: &mut ObjectReader<'_>) -> Option<WebhookUrl> {
    let parsed = match reader.value("url")? {
        Value::Null => Err(BLANK),
        Value::String(text) if text.is_empty() => Err(BLANK),
        Value::String(text) => WebhookUrl::parse(text),
        _ => Err(INVALID),
    };
    parsed.map_err(|message| reader.error("url", message)).ok()
}

fn read_kind(value: &Value, read_context: ReadContext<'_>) -> Option<String> {
    let kind = value.as_str().filter(|kind| EVENT_TYPES.contains(kind));
    if kind.is_none() {
        read_context.problems.add(NOT_LISTED);
    }
    kind.map(str::to_owned)
}

/// Reads a secret that the receiver already has. The message of a problem does not contain it.
fn read_secret(reader: &mut ObjectReader<'_>) -> Option<SigningSecret> {
    let value = reader.value("secret").filter(|value| !value.is_null())?;
    let parsed = value.as_str().and_then(SigningSecret::parse);
    if parsed.is_none() {
        reader.error("secret", "must be whsec_ and 24 to 64 bytes in base64");
    }
    parsed
}

async fn delete(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    let result = request
        .write(move |unit, context| match parse_id("Webhook", &id) {
            Ok(id) => webhooks::delete(unit, context, id),
            Err(_) => context.principal.ensure_can_administer_network(),
        })
        .await;
    request.respond(ResourceKind::Unversioned, result.map(|()| Object::new()))
}

async fn list_deliveries(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    let zone = request.network.time_zone;
    let state_text = request.parameter("state");
    let state = state_text.and_then(DeliveryState::parse);
    if state_text.is_some() && state.is_none() {
        let error = ApiError::UseCase(Error::invalid_property("state", NOT_LISTED));
        return request.respond(ResourceKind::Unversioned, Err(error));
    }
    request
        .respond_list(ResourceKind::Unversioned, move |unit, context, page| {
            let webhook = parse_id("Webhook", &id)?;
            let items = webhooks::deliveries(unit, context, webhook, state, page)?;
            let next_cursor = items.last().map(|delivery| delivery.id.get());
            Ok(ListPage {
                objects: items.iter().map(|delivery| render_delivery(delivery, zone)).collect(),
                next_cursor,
            })
        })
        .await
}

async fn resend(
    Path((id, delivery)): Path<(String, String)>,
    request: ApiRequest,
) -> Response<Body> {
    let zone = request.network.time_zone;
    let result = request
        .write(move |unit, context| {
            let delivery = parse_id("Delivery", &delivery);
            webhooks::resend(unit, context, parse_id("Webhook", &id)?, delivery?)
        })
        .await;
    request
        .respond(ResourceKind::Unversioned, result.map(|delivery| render_delivery(&delivery, zone)))
}

fn parse_id<Id: FromStr>(object: &str, id: &str) -> Result<Id, Error> {
    id.parse().map_err(|_| Error::NotFound(format!("{object} {id}")))
}

/// Renders a webhook with its secret, for the one response that contains it.
fn render_with_secret(webhook: &Webhook, zone: TimeZoneName) -> Object {
    let mut object = render(webhook, zone);
    object.insert("secret".to_owned(), webhook.secret.text().into());
    object
}

/// Renders a webhook without its secret.
fn render(webhook: &Webhook, zone: TimeZoneName) -> Object {
    Object::from_iter([
        ("id".to_owned(), webhook.id.get().into()),
        ("url".to_owned(), webhook.url.text().into()),
        ("events".to_owned(), json!(webhook.event_types)),
        ("description".to_owned(), json!(webhook.description)),
        ("created_at".to_owned(), timezone::format_legacy(webhook.created_at, zone).into()),
    ])
}

fn render_delivery(delivery: &DeliveryRecord, zone: TimeZoneName) -> Object {
    let format_time =
        |at: Option<jiff::Timestamp>| json!(at.map(|at| timezone::format_legacy(at, zone)));
    Object::from_iter([
        ("id".to_owned(), delivery.id.get().into()),
        ("event_id".to_owned(), delivery.event.id.get().into()),
        ("type".to_owned(), delivery.event.kind.clone().into()),
        ("state".to_owned(), delivery.state.as_str().into()),
        ("attempts".to_owned(), delivery.attempts.into()),
        ("next_attempt_at".to_owned(), format_time(delivery.due_at)),
        ("last_status".to_owned(), json!(delivery.last_status)),
        ("last_error".to_owned(), json!(delivery.last_error)),
        ("created_at".to_owned(), format_time(Some(delivery.created_at))),
        ("delivered_at".to_owned(), format_time(delivery.delivered_at)),
    ])
}
