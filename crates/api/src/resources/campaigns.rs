//! `/advertisers/<id>/advertiser_campaigns`.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading};
use crate::incoming::Incoming;
use crate::list::Part;
use crate::reply::Object;
use crate::resources::ivr;
use crate::resources::terms::{self, Shown};
use crate::routes::{Routes, get};
use crate::versions::{Kind, Version, shows_max_promo_numbers};
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use trunkline_domain::campaign::{Campaign, DEFAULT_MAX_PROMO_NUMBERS};
use trunkline_domain::party::PartyKind;
use trunkline_domain::problem::Problems;
use trunkline_domain::timezone::ZoneName;
use trunkline_network::campaigns::{self, CampaignChange};
use trunkline_network::{Caller, Listed, Submitted};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/api/advertisers/{advertiser}/advertiser_campaigns", get(list).post(create))
        .route(
            "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}",
            get(show).post(write).put(write).delete(delete),
        )
}

/// What an answer needs to know besides the campaign.
#[derive(Clone)]
pub(super) struct View {
    base_url: Arc<str>,
    version: Version,
    zone: ZoneName,
    now: Timestamp,
    caller: Caller,
}

impl View {
    pub(super) fn of(incoming: &Incoming) -> Self {
        Self {
            base_url: Arc::clone(&incoming.app.base_url),
            version: incoming.version,
            zone: incoming.network.time_zone,
            now: incoming.context.now,
            caller: incoming.context.caller.clone(),
        }
    }

    /// A campaign as the newest version shows it. An affiliate sees no payin, and no drafts of
    /// campaigns that are live.
    pub(super) fn render(&self, campaign: &Campaign) -> Object {
        let with_payin = self.caller.sees(PartyKind::Advertiser, campaign.advertiser_id);
        let current = campaign.current.as_ref().map(|current| Shown {
            live: Some((current.id, current.went_live_at)),
            zone: self.zone,
            with_payin,
            terms: &current.terms,
            totals: &campaign.totals[0],
        });
        let hides_future = !with_payin && current.is_some();
        let future = campaign.future.as_ref().filter(|_| !hides_future).map(|future| Shown {
            live: None,
            zone: self.zone,
            with_payin,
            terms: future,
            totals: &campaign.totals[1],
        });
        let mut object = Object::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("id", campaign.id.into());
        put("id_from_network", campaign.id_from_network.clone().into());
        put("name", campaign.name.clone().into());
        put("status", campaign.status_at(self.now).as_str().into());
        put("object_url", format!("{}/a_campaigns/terms/{}", self.base_url, campaign.id).into());
        if shows_max_promo_numbers(self.version) {
            let most = campaign.terms_written().map(|terms| terms.max_promo_numbers);
            put("max_promo_numbers", most.unwrap_or(DEFAULT_MAX_PROMO_NUMBERS).into());
        }
        put("current_terms", current.as_ref().map(terms::render).into());
        put("future_terms", future.as_ref().map(terms::render).into());
        put("custom_data", json!(campaign.custom_data));
        object
    }
}

async fn list(Path(advertiser): Path<String>, incoming: Incoming) -> Response<Body> {
    let view = View::of(&incoming);
    incoming.reply_list(Kind::Campaign, move |session, context, page| {
        let Listed { found, last } = campaigns::list(session, context, &advertiser, page)?;
        Ok(Part { objects: found.iter().map(|it| view.render(it)).collect(), last })
    })
}

async fn show(
    Path((advertiser, campaign)): Path<(String, String)>,
    incoming: Incoming,
) -> Response<Body> {
    let found = incoming
        .look(|session, context| campaigns::get(session, context, &advertiser, &campaign))
        .await;
    let view = View::of(&incoming);
    incoming.reply(Kind::Campaign, found.map(|campaign| view.render(&campaign)))
}

async fn create(Path(advertiser): Path<String>, mut incoming: Incoming) -> Response<Body> {
    let result = put(advertiser, None, &mut incoming).await;
    let view = View::of(&incoming);
    incoming.reply(Kind::Campaign, result.map(|campaign| view.render(&campaign)))
}

async fn write(
    Path((advertiser, campaign)): Path<(String, String)>,
    mut incoming: Incoming,
) -> Response<Body> {
    let result = put(advertiser, Some(campaign), &mut incoming).await;
    let view = View::of(&incoming);
    incoming.reply(Kind::Campaign, result.map(|campaign| view.render(&campaign)))
}

async fn put(
    advertiser: String,
    path_id: Option<String>,
    incoming: &mut Incoming,
) -> Result<Campaign, Refusal> {
    let mut body = incoming.take_body()?;
    ivr::check_depth(&body).map_err(Refusal::Bad)?;
    incoming.version.upgrade(Kind::Campaign, &mut body);
    let said_id = body.get("id_from_network").and_then(|said| match said {
        Value::String(said) => Some(said.clone()),
        Value::Number(said) => Some(said.to_string()),
        _ => None,
    });
    let zone = zone_before(incoming, said_id.as_deref().or(path_id.as_deref())).await?;
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let change = CampaignChange {
        id_from_network: fields.id("id_from_network"),
        name: fields.name("name"),
        custom_data: fields.custom_data(),
        terms: terms::read(&mut fields, incoming.version, zone),
    };
    fields.finish();
    let submitted = Submitted { change, problems };
    let view = View::of(incoming);
    let guard = incoming.guard(Kind::Campaign, move |campaign| view.render(campaign));
    incoming
        .write(move |session, context| {
            let path_id = path_id.as_deref();
            campaigns::put(session, context, &advertiser, path_id, submitted, &guard)
        })
        .await
}

/// The zone that a bare date in a request is in, when the request names none itself.
async fn zone_before(incoming: &Incoming, id: Option<&str>) -> Result<ZoneName, Refusal> {
    let Some(id) = id else { return Ok(ZoneName::default()) };
    let network = incoming.context.caller.network_id;
    let found = incoming.look(|session, _| Ok(session.campaign(network, id)?)).await?;
    let terms = found.as_ref().and_then(Campaign::terms_written);
    Ok(terms.map(|terms| terms.timezone).unwrap_or_default())
}

async fn delete(incoming: Incoming) -> Response<Body> {
    let refused = incoming.read(|_, _| campaigns::delete());
    incoming.reply(Kind::Plain, refused.map(|()| Object::new()))
}
