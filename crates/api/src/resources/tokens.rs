//! `tokens`: API tokens of the network and of its parties.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::list_response::ListPage;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::routes::{Routes, delete as delete_route, get};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value, json};
use trunkline_domain::party::{MAX_NAME_CHARS, PartyKind, Role};
use trunkline_domain::problem::{BLANK, INVALID, Problems};
use trunkline_domain::timezone::{self, TimeZoneName};
use trunkline_network::tokens::{self, CreatedToken, NewToken, RequestedScope};
use trunkline_network::{Error, Scope, Submission, TokenRecord};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/tokens", get(list).post(create))
        .route("/trunkline/tokens/{id}", delete_route(delete))
}

async fn list(request: ApiRequest) -> Response<Body> {
    let zone = request.network.time_zone;
    let app = request.app.clone();
    request
        .respond_list(ResourceKind::Unversioned, move |unit, context, page| {
            let items = tokens::list(unit, context, page)?;
            let uses = &app.credential_cache.uses;
            let render_item = |token: &TokenRecord| {
                let last_used_on = token.last_used_on.max(uses.buffered_day(token.id));
                render(token, last_used_on, zone)
            };
            Ok(ListPage {
                objects: items.iter().map(render_item).collect(),
                next_cursor: items.last().map(|token| token.id.get()),
            })
        })
        .await
}

async fn create(mut request: ApiRequest) -> Response<Body> {
    let zone = request.network.time_zone;
    let result = create_token(&mut request).await;
    let object = result.map(|created| {
        let CreatedToken { record, secret } = created;
        let mut object = render(&record, record.last_used_on, zone);
        object.extend(secret.map(|secret| ("token".to_owned(), secret.into())));
        object
    });
    request.respond(ResourceKind::Unversioned, object)
}

async fn create_token(request: &mut ApiRequest) -> Result<CreatedToken, ApiError> {
    let key = request.idempotency_key()?;
    let body = request.take_body()?;
    let zone = request.network.time_zone;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = NewToken {
        label: reader.text("label", MAX_NAME_CHARS).flatten(),
        role: reader.enum_value("role", Role::parse),
        scope: read_scope(&mut reader),
        expires_at: read_expiry(&mut reader, zone),
    };
    reader.finish();
    let submitted = Submission { change, problems };
    let entropy = (request.app.random)();
    request
        .write(move |unit, context| {
            tokens::create(unit, context, submitted, &entropy, key.as_ref())
        })
        .await
}

/// Reads a scope: an object with one property, the kind of organization, and its id.
fn read_scope(reader: &mut ObjectReader<'_>) -> Option<RequestedScope> {
    let map = reader.object("scope")??;
    if map.len() != 1 {
        reader.error("scope", "must name one of network, advertiser and affiliate");
        return None;
    }
    if map.contains_key("edge") {
        reader.error("scope", "cannot be an edge: this server has no edges");
        return None;
    }
    let mut scope = ObjectReader::new(map, reader.child("scope"));
    let requested = read_organization(&mut scope, map);
    scope.finish_rejecting("is not a kind of scope: use network, advertiser or affiliate");
    requested
}

fn read_organization(
    scope: &mut ObjectReader<'_>,
    map: &Map<String, Value>,
) -> Option<RequestedScope> {
    let (name, kind) = match map.keys().next().map(String::as_str)? {
        "network" => ("network", None),
        "advertiser" => ("advertiser", Some(PartyKind::Advertiser)),
        "affiliate" => ("affiliate", Some(PartyKind::Affiliate)),
        _ => return None,
    };
    let Some(id) = scope.id(name) else {
        if map.get(name).is_some_and(Value::is_null) {
            scope.error(name, BLANK);
        }
        return None;
    };
    if let Some(kind) = kind {
        return Some(RequestedScope::Party(kind, id));
    }
    let network = id.parse().ok().map(RequestedScope::Network);
    if network.is_none() {
        scope.error(name, INVALID);
    }
    network
}

/// Reads a time of expiry. A date is the end of that day; null and an empty text are no expiry.
fn read_expiry(reader: &mut ObjectReader<'_>, zone: TimeZoneName) -> Option<Timestamp> {
    let value = reader.value("expires_at").filter(|value| !value.is_null())?;
    let text = value.as_str().unwrap_or("?");
    if text.is_empty() {
        return None;
    }
    let parsed = timezone::parse_timestamp(text, zone, true);
    if parsed.is_none() {
        reader.error("expires_at", INVALID);
    }
    parsed
}

async fn delete(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    let result = request
        .write_urgent(move |unit, context| {
            let missing = || Error::NotFound(format!("Token {id}"));
            tokens::delete(unit, context, id.parse().map_err(|_| missing())?)
        })
        .await;
    request.respond(ResourceKind::Unversioned, result.map(|()| Object::new()))
}

fn render(token: &TokenRecord, last_used_on: Option<Date>, zone: TimeZoneName) -> Object {
    let scope = match token.grant.scope {
        Scope::Network => json!({ "network": token.network_id }),
        Scope::Party(kind, _) => json!({ kind.as_str(): token.party_external_id }),
    };
    let expires_at = token.expires_at.map(|at| timezone::format_legacy(at, zone));
    Object::from_iter([
        ("id".to_owned(), token.id.get().into()),
        ("label".to_owned(), json!(token.label)),
        ("role".to_owned(), token.grant.role.as_str().into()),
        ("scope".to_owned(), scope),
        ("expires_at".to_owned(), json!(expires_at)),
        ("last_used_on".to_owned(), json!(last_used_on.map(|day| day.to_string()))),
    ])
}
