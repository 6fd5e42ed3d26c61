//! `audit`: the log of changes, and reverting them.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::list_response::ListPage;
use crate::object_response::{Object, hide_refresh_tokens};
use crate::request_id::RequestId;
use crate::routes::{Routes, get, post};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::Value;
use trunkline_domain::id::AuditEntryId;
use trunkline_domain::problem::{INVALID, Problems};
use trunkline_domain::timezone::{self, TimeZoneName};
use trunkline_network::{AuditEntry, AuditFilter, Error, audit, revert as audit_revert};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/audit", get(list))
        .route("/trunkline/audit/{id}", get(show))
        .route("/trunkline/audit/{id}/revert", post(revert))
}

async fn list(request: ApiRequest) -> Response<Body> {
    let filter = match read_filter(&request) {
        Ok(filter) => filter,
        Err(problems) => {
            return request
                .respond(ResourceKind::Unversioned, Err(ApiError::UseCase(problems.into())));
        }
    };
    let zone = request.network.time_zone;
    request
        .respond_list(ResourceKind::Unversioned, move |unit, context, page| {
            let entries = audit::list(unit, context, &filter, page)?;
            let next_cursor = entries.last().map(|entry| entry.id.get());
            Ok(ListPage {
                objects: entries.into_iter().map(|entry| render(entry, zone)).collect(),
                next_cursor,
            })
        })
        .await
}

fn read_filter(request: &ApiRequest) -> Result<AuditFilter, Problems> {
    let mut problems = Problems::new();
    let mut read_timestamp = |name: &str, end_of_day: bool| {
        let text = request.parameter(name)?;
        let timestamp = timezone::parse_timestamp(text, request.network.time_zone, end_of_day);
        if timestamp.is_none() {
            problems.property(name).add(INVALID);
        }
        timestamp
    };
    let from = read_timestamp("from", false);
    let to = read_timestamp("to", true);
    let owned = |name: &str| request.parameter(name).map(str::to_owned);
    problems.into_result(AuditFilter { object: owned("object"), actor: owned("actor"), from, to })
}

async fn show(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    let zone = request.network.time_zone;
    let result =
        request.read_one(|unit, context| audit::get(unit, context, parse_entry_id(&id)?)).await;
    request.respond(ResourceKind::Unversioned, result.map(|entry| render(entry, zone)))
}

async fn revert(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    let zone = request.network.time_zone;
    let result = request
        .write(move |unit, context| audit_revert::revert(unit, context, parse_entry_id(&id)?))
        .await;
    // The entry may be one of the settings, and cached tokens have their network's time zone.
    request.app.credential_cache.clear();
    request.respond(ResourceKind::Unversioned, result.map(|entry| render(entry, zone)))
}

fn parse_entry_id(id: &str) -> Result<AuditEntryId, Error> {
    id.parse().map_err(|_| Error::NotFound(format!("AuditEntry {id}")))
}

/// Replaces the value of `oauth_refresh_token` by null in the operations of a JSON Patch.
fn hide_refresh_tokens_in_patch(patch: &mut Value) {
    for operation in patch.as_array_mut().into_iter().flatten() {
        let path = operation["path"].as_str().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        if let Some(value) = operation.get_mut("value") {
            hide_refresh_tokens(&name, value);
        }
    }
}

/// Renders an entry: the change as a JSON Patch (RFC 6902), and the changed properties before and after.
/// Nobody sees `oauth_refresh_token` here.
fn render(mut entry: AuditEntry, zone: TimeZoneName) -> Object {
    let request_id = RequestId::from_audit_log(&entry.request_id);
    let mut patch = audit::patch(&entry);
    hide_refresh_tokens_in_patch(&mut patch);
    for object in [&mut entry.before, &mut entry.after].into_iter().flatten() {
        hide_refresh_tokens("", object);
    }
    Object::from_iter([
        ("id".to_owned(), entry.id.get().into()),
        ("object".to_owned(), entry.object.into()),
        ("action".to_owned(), entry.action.into()),
        ("actor".to_owned(), entry.actor.into()),
        ("at".to_owned(), timezone::format_legacy(entry.at, zone).into()),
        ("request_id".to_owned(), request_id.echoed.into()),
        ("server_request_id".to_owned(), request_id.own.into()),
        ("patch".to_owned(), patch),
        ("before".to_owned(), entry.before.unwrap_or_default()),
        ("after".to_owned(), entry.after.unwrap_or_default()),
    ])
}
