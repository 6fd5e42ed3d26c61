//! `/advertisers` and `/affiliates`.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading};
use crate::incoming::Incoming;
use crate::list::Part;
use crate::reply::Object;
use crate::resources::users;
use crate::routes::{Methods, Routes, get};
use crate::versions::{Kind, Version};
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use trunkline_domain::party::{
    NAME_LIMIT, Party, PartyChange, PartyKind, PartyStatus, SITE_LIMIT, Site, USER_LIMIT,
};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_network::{Context, Session, Submitted, parties};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/api/advertisers", collection(PartyKind::Advertiser))
        .route("/api/advertisers/{advertiser}", member(PartyKind::Advertiser))
        .route("/api/affiliates", collection(PartyKind::Affiliate))
        .route("/api/affiliates/{affiliate}", member(PartyKind::Affiliate))
}

fn wire(kind: PartyKind) -> Kind {
    match kind {
        PartyKind::Advertiser => Kind::Advertiser,
        PartyKind::Affiliate => Kind::Affiliate,
    }
}

fn collection(kind: PartyKind) -> Methods {
    get(move |incoming: Incoming| async move { list(kind, incoming) })
        .post(move |incoming: Incoming| write(kind, None, incoming))
}

fn member(kind: PartyKind) -> Methods {
    get(move |Path(id): Path<String>, incoming: Incoming| show(kind, id, incoming))
        .post(move |Path(id): Path<String>, incoming: Incoming| write(kind, Some(id), incoming))
        .put(move |Path(id): Path<String>, incoming: Incoming| write(kind, Some(id), incoming))
        .delete(move |Path(id): Path<String>, incoming: Incoming| delete(kind, id, incoming))
}

fn list(kind: PartyKind, incoming: Incoming) -> Response<Body> {
    let base = Arc::clone(&incoming.app.base_url);
    incoming.reply_list(wire(kind), move |session, context, page| {
        let found = parties::list(session, context, kind, page)?;
        let last = found.last().map(|party| party.id);
        Ok(Part { objects: found.iter().map(|party| render(party, &base)).collect(), last })
    })
}

async fn show(kind: PartyKind, id: String, incoming: Incoming) -> Response<Body> {
    let get =
        |session: &mut Session<'_>, context: &Context| parties::get(session, context, kind, &id);
    let result = incoming.look(get).await;
    let base = &incoming.app.base_url;
    incoming.reply(wire(kind), result.map(|party| render(&party, base)))
}

async fn write(kind: PartyKind, id: Option<String>, mut incoming: Incoming) -> Response<Body> {
    let result = put(kind, id, &mut incoming).await;
    let base = &incoming.app.base_url;
    incoming.reply(wire(kind), result.map(|party| render(&party, base)))
}

async fn put(
    kind: PartyKind,
    id: Option<String>,
    incoming: &mut Incoming,
) -> Result<Party, Refusal> {
    let mut body = incoming.take_body()?;
    incoming.version.upgrade(wire(kind), &mut body);
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let change = read(kind, incoming.version, Fields::new(&body, reading));
    let submitted = Submitted { change, problems };
    let base = Arc::clone(&incoming.app.base_url);
    let guard = incoming.guard(wire(kind), move |party| render(party, &base));
    let asked = submitted.change.clone();
    let path_id = id.clone();
    let foresee = |session: &mut Session<'_>, context: &Context| {
        parties::foresee_put(session, context, kind, path_id.as_deref(), &asked);
    };
    let put = move |session: &mut Session<'_>, context: &Context| {
        parties::put(session, context, kind, id.as_deref(), submitted, &guard)
    };
    incoming.write_foreseeing(foresee, put).await
}

async fn delete(kind: PartyKind, id: String, incoming: Incoming) -> Response<Body> {
    let base = Arc::clone(&incoming.app.base_url);
    let guard = incoming.guard(wire(kind), move |party| render(party, &base));
    let deleted = incoming
        .write(move |session, context| parties::delete(session, context, kind, &id, &guard))
        .await;
    incoming.reply(Kind::Plain, deleted.map(|()| Object::new()))
}

pub(crate) fn read(kind: PartyKind, version: Version, mut fields: Fields<'_>) -> PartyChange {
    let mut change = PartyChange {
        id_from_network: fields.id("id_from_network"),
        name: fields.name("name"),
        status: fields.word_or_default(kind.status_property(), PartyStatus::parse),
        sites: read_sites(&mut fields),
        users: fields.array("users", USER_LIMIT, users::read_item(version)),
        custom_data: fields.custom_data(),
        ..PartyChange::default()
    };
    if kind == PartyKind::Advertiser {
        change.web_integration_phone_number = fields.phone("web_integration_phone_number");
        change.default_creative_id_from_network =
            fields.optional_id("default_creative_id_from_network");
        change.oauth_refresh_token = fields.text("oauth_refresh_token", 4_000);
    }
    fields.finish();
    change
}

/// The full set of sites; null says that there are none, which is never right.
fn read_sites(fields: &mut Fields<'_>) -> Option<Vec<Site>> {
    fields.array("sites", SITE_LIMIT, |value, reading| {
        let mut fields = Fields::of(value, reading)?;
        let id = fields.id("id_from_network");
        if id.is_none() && !fields.problems.has("id_from_network") {
            fields.wrong("id_from_network", BLANK);
        }
        let name = fields.text("name", NAME_LIMIT).flatten();
        fields.finish();
        // Kept without an id too, so that what is said of the others names the right place.
        Some(Site { id_from_network: id.unwrap_or_default(), name })
    })
}

/// Properties of a party, at most.
const PROPERTIES: usize = 13;

/// A party as the newest version shows it.
pub(super) fn render(party: &Party, base_url: &str) -> Object {
    let page = match party.kind {
        PartyKind::Advertiser => "as",
        PartyKind::Affiliate => "ps",
    };
    let site = |site: &Site| json!({"id_from_network": site.id_from_network, "name": site.name});
    let sites: Vec<Value> = party.sites.iter().map(site).collect();
    let users: Vec<Value> =
        party.members.iter().map(|member| Value::Object(users::render(member))).collect();
    let mut object = Object::with_capacity(PROPERTIES);
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("id", party.id.into());
    put("id_from_network", party.id_from_network.clone().into());
    put("object_url", format!("{base_url}/{page}/{}/dashboards/ui", party.id).into());
    put("name", party.name.clone().into());
    put(party.kind.status_property(), party.status.as_str().into());
    if party.kind == PartyKind::Advertiser {
        let profile = &party.profile;
        let number = profile.web_integration_phone_number.as_ref();
        put("web_integration_phone_number", number.map(PhoneNumber::digits).into());
        put(
            "default_creative_id_from_network",
            profile.default_creative_id_from_network.clone().into(),
        );
        put("oauth_refresh_token", profile.oauth_refresh_token.clone().into());
    }
    put("sites", sites.into());
    put("users", users.into());
    put("custom_data", json!(party.custom_data));
    object
}
