//! `/advertisers` and `/affiliates`: the parties of a network.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::list_response::ListPage;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::resources::users;
use crate::routes::{Methods, Routes, get};
use crate::versions::{ResourceKind, Version};
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use trunkline_domain::party::{
    MAX_NAME_CHARS, MAX_SITES_PER_PARTY, MAX_USERS_PER_ORGANIZATION, Party, PartyKind, PartyPatch,
    PartyStatus, Site,
};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_network::{Context, PathObject, Submission, UnitOfWork, parties, with_internal_ids};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/api/advertisers", collection_methods(PartyKind::Advertiser))
        .route("/api/advertisers/{advertiser}", member_methods(PartyKind::Advertiser))
        .route("/api/affiliates", collection_methods(PartyKind::Affiliate))
        .route("/api/affiliates/{affiliate}", member_methods(PartyKind::Affiliate))
}

fn resource_kind(kind: PartyKind) -> ResourceKind {
    match kind {
        PartyKind::Advertiser => ResourceKind::Advertiser,
        PartyKind::Affiliate => ResourceKind::Affiliate,
    }
}

fn collection_methods(kind: PartyKind) -> Methods {
    get(move |request: ApiRequest| list(kind, request))
        .post(move |request: ApiRequest| put(kind, None, request))
}

fn member_methods(kind: PartyKind) -> Methods {
    get(move |Path(id): Path<String>, request: ApiRequest| show(kind, id, request))
        .post(move |Path(id): Path<String>, request: ApiRequest| put(kind, Some(id), request))
        .put(move |Path(id): Path<String>, request: ApiRequest| put(kind, Some(id), request))
        .delete(move |Path(id): Path<String>, request: ApiRequest| delete(kind, id, request))
}

async fn list(kind: PartyKind, request: ApiRequest) -> Response<Body> {
    let base_url = Arc::clone(&request.app.base_url);
    request
        .respond_list(resource_kind(kind), move |unit, context, page| {
            let items = parties::list(unit, context, kind, page)?;
            let next_cursor = items.last().map(|party| party.id.get());
            Ok(ListPage {
                objects: items.iter().map(|party| render(party, &base_url)).collect(),
                next_cursor,
            })
        })
        .await
}

async fn show(kind: PartyKind, id: String, request: ApiRequest) -> Response<Body> {
    let object = match kind {
        PartyKind::Advertiser => PathObject::Advertiser,
        PartyKind::Affiliate => PathObject::Affiliate,
    };
    let get = |unit: &mut UnitOfWork<'_>, context: &Context| {
        with_internal_ids(unit, context, [(object, &id)], |unit, [id]| {
            parties::get(unit, context, kind, id)
        })
    };
    let result = request.read_one(get).await;
    let base_url = &request.app.base_url;
    request.respond(resource_kind(kind), result.map(|party| render(&party, base_url)))
}

async fn put(kind: PartyKind, id: Option<String>, mut request: ApiRequest) -> Response<Body> {
    let result = put_party(kind, id, &mut request).await;
    let base_url = &request.app.base_url;
    request.respond(resource_kind(kind), result.map(|party| render(&party, base_url)))
}

async fn put_party(
    kind: PartyKind,
    id: Option<String>,
    request: &mut ApiRequest,
) -> Result<Party, ApiError> {
    let mut body = request.take_body()?;
    request.version.upgrade(resource_kind(kind), &mut body);
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let change = read(kind, request.version, ObjectReader::new(&body, read_context));
    let submitted = Submission { change, problems };
    let base_url = Arc::clone(&request.app.base_url);
    let precondition =
        request.precondition(resource_kind(kind), move |party| render(party, &base_url));
    let prefetch_change = submitted.change.clone();
    let path_id = id.clone();
    let prefetch = |unit: &mut UnitOfWork<'_>, context: &Context| {
        parties::prefetch_put(unit, context, kind, path_id.as_deref(), &prefetch_change);
    };
    let put = move |unit: &mut UnitOfWork<'_>, context: &Context| {
        parties::put(unit, context, kind, id.as_deref(), submitted, &precondition)
    };
    request.write_with_prefetch(prefetch, put).await
}

async fn delete(kind: PartyKind, id: String, request: ApiRequest) -> Response<Body> {
    let base_url = Arc::clone(&request.app.base_url);
    let precondition =
        request.precondition(resource_kind(kind), move |party| render(party, &base_url));
    let result = request
        .write(move |unit, context| parties::delete(unit, context, kind, &id, &precondition))
        .await;
    request.respond(ResourceKind::Unversioned, result.map(|()| Object::new()))
}

/// Reads a party of a kind.
pub(crate) fn read(kind: PartyKind, version: Version, mut reader: ObjectReader<'_>) -> PartyPatch {
    let mut change = PartyPatch {
        external_id: reader.id("id_from_network"),
        name: reader.name("name"),
        status: reader.enum_value_or_default(kind.status_property(), PartyStatus::parse),
        sites: read_sites(&mut reader),
        users: reader.array("users", MAX_USERS_PER_ORGANIZATION, users::read_item(version)),
        custom_data: reader.custom_data(),
        ..PartyPatch::default()
    };
    if kind == PartyKind::Advertiser {
        change.web_integration_phone_number = reader.phone("web_integration_phone_number");
        change.default_creative_external_id =
            reader.optional_id("default_creative_id_from_network");
        change.oauth_refresh_token = reader.text("oauth_refresh_token", 4_000);
    }
    reader.finish();
    change
}

/// Reads the full set of sites. Null means an empty set, which is a problem later.
fn read_sites(reader: &mut ObjectReader<'_>) -> Option<Vec<Site>> {
    reader.array("sites", MAX_SITES_PER_PARTY, |value, read_context| {
        let mut reader = ObjectReader::from_value(value, read_context)?;
        let id = reader.id("id_from_network");
        if id.is_none() && !reader.problems.has_problem("id_from_network") {
            reader.error("id_from_network", BLANK);
        }
        let name = reader.text("name", MAX_NAME_CHARS).flatten();
        reader.finish();
        // A site without an id keeps its position, so that the problems of the others have the right
        // index.
        Some(Site { external_id: id.unwrap_or_default(), name })
    })
}

/// Maximum number of properties of a rendered party.
const MAX_PROPERTIES: usize = 13;

/// Renders a party in the newest version.
pub(super) fn render(party: &Party, base_url: &str) -> Object {
    let path_segment = match party.kind {
        PartyKind::Advertiser => "as",
        PartyKind::Affiliate => "ps",
    };
    let render_site = |site: &Site| json!({"id_from_network": site.external_id, "name": site.name});
    let sites: Vec<Value> = party.sites.iter().map(render_site).collect();
    let users: Vec<Value> =
        party.members.iter().map(|member| Value::Object(users::render(member))).collect();
    let mut object = Object::with_capacity(MAX_PROPERTIES);
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("id", party.id.get().into());
    put("id_from_network", party.external_id.clone().into());
    put("object_url", format!("{base_url}/{path_segment}/{}/dashboards/ui", party.id).into());
    put("name", party.name.clone().into());
    put(party.kind.status_property(), party.status.as_str().into());
    if party.kind == PartyKind::Advertiser {
        let profile = &party.profile;
        let phone_number = profile.web_integration_phone_number.as_ref();
        put("web_integration_phone_number", phone_number.map(PhoneNumber::compact).into());
        put(
            "default_creative_id_from_network",
            profile.default_creative_external_id.clone().into(),
        );
        put("oauth_refresh_token", profile.oauth_refresh_token.clone().into());
    }
    put("sites", sites.into());
    put("users", users.into());
    put("custom_data", json!(party.custom_data));
    object
}
