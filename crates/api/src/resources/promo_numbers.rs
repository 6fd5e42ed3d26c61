//! Promo numbers of a campaign, and of an affiliate in it: by the number, and by the network's id.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading};
use crate::incoming::Incoming;
use crate::list::Part;
use crate::reply::Object;
use crate::routes::{Routes, get};
use crate::versions::Kind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use trunkline_domain::problem::{INVALID, Problems};
use trunkline_domain::promo::PromoNumber;
use trunkline_domain::text;
use trunkline_network::Submitted;
use trunkline_network::promo_numbers::{self, Owner, PromoNumberChange, Which};

pub(super) fn routes() -> Routes {
    const CAMPAIGN: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}";
    let mut routes = Routes::new();
    for owner in ["", "/affiliates/{affiliate}/affiliate_campaigns"] {
        let numbers = format!("{CAMPAIGN}{owner}/promo_numbers");
        let by_id = format!("{CAMPAIGN}{owner}/promo_numbers_by_id");
        routes = routes
            .route(&numbers, get(list).post(take))
            .route(&format!("{numbers}/{{number}}"), get(show).put(write).delete(delete))
            .route(&by_id, get(list).post(take))
            .route(&format!("{by_id}/{{id}}"), get(show).put(write).delete(delete));
    }
    routes
}

/// A path's parameters: which there are depends on the route.
type Ids = Path<HashMap<String, String>>;

fn owner(ids: &HashMap<String, String>) -> Owner {
    let id = |name: &str| ids.get(name).cloned();
    Owner {
        advertiser: id("advertiser").unwrap_or_default(),
        campaign: id("campaign").unwrap_or_default(),
        affiliate: id("affiliate"),
    }
}

fn which(ids: &HashMap<String, String>) -> Which {
    match (ids.get("number"), ids.get("id")) {
        (Some(number), _) => Which::Number(number.clone()),
        (None, id) => Which::Id(id.cloned().unwrap_or_default()),
    }
}

async fn list(Path(ids): Ids, incoming: Incoming) -> Response<Body> {
    let base = Arc::clone(&incoming.app.base_url);
    let owner = owner(&ids);
    incoming.reply_list(Kind::PromoNumber, move |session, context, page| {
        let (found, _) = promo_numbers::list(session, context, &owner, page)?;
        let last = found.last().map(|it| it.id);
        Ok(Part { objects: found.iter().map(|it| render(it, &base)).collect(), last })
    })
}

async fn show(Path(ids): Ids, incoming: Incoming) -> Response<Body> {
    let found = incoming
        .look(|session, context| promo_numbers::get(session, context, &owner(&ids), &which(&ids)))
        .await;
    let base = &incoming.app.base_url;
    incoming.reply(Kind::PromoNumber, found.map(|it| render(&it, base)))
}

async fn take(Path(ids): Ids, mut incoming: Incoming) -> Response<Body> {
    let result = take_one(owner(&ids), &mut incoming).await;
    let base = &incoming.app.base_url;
    incoming.reply(Kind::PromoNumber, result.map(|it| render(&it, base)))
}

async fn take_one(owner: Owner, incoming: &mut Incoming) -> Result<PromoNumber, Refusal> {
    let key = incoming.idempotency_key()?;
    let submitted = read(incoming)?;
    incoming
        .write(move |session, context| {
            promo_numbers::take(session, context, &owner, submitted, key.as_ref())
        })
        .await
}

async fn write(Path(ids): Ids, mut incoming: Incoming) -> Response<Body> {
    let result = put(&ids, &mut incoming).await;
    let base = &incoming.app.base_url;
    incoming.reply(Kind::PromoNumber, result.map(|it| render(&it, base)))
}

async fn put(
    ids: &HashMap<String, String>,
    incoming: &mut Incoming,
) -> Result<PromoNumber, Refusal> {
    let submitted = read(incoming)?;
    let (owner, which) = (owner(ids), which(ids));
    let base = Arc::clone(&incoming.app.base_url);
    let guard = incoming.guard(Kind::PromoNumber, move |it| render(it, &base));
    incoming
        .write(move |session, context| {
            promo_numbers::put(session, context, &owner, &which, submitted, &guard)
        })
        .await
}

async fn delete(Path(ids): Ids, incoming: Incoming) -> Response<Body> {
    let deleted = incoming
        .write(move |session, context| {
            promo_numbers::delete(session, context, &owner(&ids), &which(&ids))
        })
        .await;
    incoming.reply(Kind::Plain, deleted.map(|()| Object::new()))
}

fn read(incoming: &mut Incoming) -> Result<Submitted<PromoNumberChange>, Refusal> {
    let mut body = incoming.take_body()?;
    incoming.version.upgrade(Kind::PromoNumber, &mut body);
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let change = PromoNumberChange {
        id_from_network: fields.id("id_from_network"),
        description: fields.name("description"),
        media_type: fields.name("media_type").map(|said| text::plain(&said)),
        custom_data: fields.custom_data(),
        tn_prefix: read_prefix(&mut fields),
    };
    fields.finish();
    Ok(Submitted { change, problems })
}

/// `local_center.tn_prefix`: an area code, three digits.
fn read_prefix(fields: &mut Fields<'_>) -> Option<String> {
    let map: &Map<String, Value> = fields.hash("local_center")??;
    let mut below = Fields::new(map, fields.below("local_center"));
    let prefix = below.optional_id("tn_prefix").flatten();
    let fits = |prefix: &String| prefix.len() == 3 && prefix.bytes().all(|b| b.is_ascii_digit());
    if prefix.as_ref().is_some_and(|prefix| !fits(prefix)) {
        below.wrong("tn_prefix", INVALID);
    }
    below.finish();
    prefix.filter(fits)
}

/// A promo number as the newest version shows it.
fn render(it: &PromoNumber, base_url: &str) -> Object {
    let url = match it.affiliate_id {
        Some(affiliate) => {
            format!("{base_url}/p_campaigns/promo_numbers/{affiliate}/{}", it.campaign_id)
        }
        None => format!("{base_url}/a_campaigns/promo_numbers/{}", it.campaign_id),
    };
    Object::from_iter([
        ("id".to_owned(), it.id.into()),
        ("id_from_network".to_owned(), it.id_from_network.clone().into()),
        ("promo_number".to_owned(), it.number.digits().into()),
        ("description".to_owned(), it.description.clone().into()),
        ("media_type".to_owned(), it.media_type.clone().into()),
        ("object_url".to_owned(), url.into()),
        ("custom_data".to_owned(), json!(it.custom_data)),
    ])
}
