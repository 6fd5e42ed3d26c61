//! Affiliate campaigns: `…/affiliates/<id>/affiliate_campaigns`, listed under their campaign by
//! either of two names.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading};
use crate::incoming::Incoming;
use crate::list::Part;
use crate::reply::Object;
use crate::resources::{ivr, pricing};
use crate::routes::{Routes, get};
use crate::versions::Kind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use trunkline_domain::affiliation::{AffiliateCampaign, AffiliateCampaignStatus};
use trunkline_domain::campaign::{Campaign, CampaignStatus, DEFAULT_MAX_PROMO_NUMBERS, Terms};
use trunkline_domain::party::PartyKind;
use trunkline_domain::problem::Problems;
use trunkline_network::affiliate_campaigns::{self, AffiliateCampaignChange, Intent, Place};
use trunkline_network::{Caller, Submitted};

pub(super) fn routes() -> Routes {
    const CAMPAIGN: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}";
    let member = format!("{CAMPAIGN}/affiliates/{{affiliate}}/affiliate_campaigns");
    Routes::new()
        .route(&format!("{CAMPAIGN}/affiliate_campaigns"), get(list))
        .route(&format!("{CAMPAIGN}/affiliates"), get(list))
        .route(&member, get(show).post(write).put(write).delete(delete))
        .route(&format!("{member}/{{id}}"), get(show).post(write).put(write).delete(delete))
}

/// The ids of a path, with or without the affiliate campaign's own at the end.
#[derive(serde::Deserialize)]
struct Ids {
    advertiser: String,
    campaign: String,
    affiliate: String,
    id: Option<String>,
}

impl From<Ids> for Place {
    fn from(Ids { advertiser, campaign, affiliate, id }: Ids) -> Self {
        Self { advertiser, campaign, affiliate, id }
    }
}

/// What an answer needs to know besides the affiliate campaign and its campaign.
#[derive(Clone)]
struct View {
    base_url: Arc<str>,
    now: jiff::Timestamp,
    caller: Caller,
}

impl View {
    fn of(incoming: &Incoming) -> Self {
        Self {
            base_url: Arc::clone(&incoming.app.base_url),
            now: incoming.context.now,
            caller: incoming.context.caller.clone(),
        }
    }

    /// An affiliate campaign as the newest version shows it.
    fn render(&self, it: &AffiliateCampaign, of: &OfCampaign) -> Object {
        let base = &self.base_url;
        let url = format!("{base}/p_campaigns/terms/{}/{}", it.affiliate_id, it.campaign_id);
        let mut object = Object::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("id", it.id.into());
        put("id_from_network", it.id_from_network.clone().into());
        put("affiliate_id_from_network", it.affiliate_id_from_network.clone().into());
        put("status", it.status.reads(of.is_active).into());
        put("object_url", url.into());
        put("max_promo_numbers", of.max_promo_numbers.into());
        put("current_terms", of.terms.clone());
        put("custom_data", json!(it.custom_data));
        object
    }

    fn of_campaign(&self, campaign: &Campaign) -> OfCampaign {
        let terms = campaign.terms_in_force();
        let with_payin = self.caller.sees(PartyKind::Advertiser, campaign.advertiser_id);
        OfCampaign {
            is_active: campaign.status_at(self.now) == CampaignStatus::Activated,
            max_promo_numbers: terms
                .map_or(DEFAULT_MAX_PROMO_NUMBERS, |terms| terms.max_promo_numbers),
            terms: terms.map(|terms| render_terms(terms, with_payin)).into(),
        }
    }
}

fn render_terms(terms: &Terms, with_payin: bool) -> Value {
    let mut object = Object::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    if with_payin {
        put("advertiser_payin", terms.advertiser_payin.as_ref().map(pricing::render).into());
    }
    put("pricing_type", "Fixed".into());
    put("ivr_tree", terms.ivr_tree.as_ref().map(ivr::render).into());
    put("affiliate_payout", terms.affiliate_payout.as_ref().map(pricing::render).into());
    Value::Object(object)
}

/// What all affiliate campaigns of a campaign show of it.
struct OfCampaign {
    is_active: bool,
    max_promo_numbers: u32,
    terms: Value,
}

async fn list(
    Path((advertiser, campaign)): Path<(String, String)>,
    incoming: Incoming,
) -> Response<Body> {
    let view = View::of(&incoming);
    incoming.reply_list(Kind::AffiliateCampaign, move |session, context, page| {
        let (found, campaign) =
            affiliate_campaigns::list(session, context, &advertiser, &campaign, page)?;
        let last = found.last().map(|it| it.id);
        let of = view.of_campaign(&campaign);
        Ok(Part { objects: found.iter().map(|it| view.render(it, &of)).collect(), last })
    })
}

async fn show(Path(ids): Path<Ids>, incoming: Incoming) -> Response<Body> {
    let place = Place::from(ids);
    let found =
        incoming.look(|session, context| affiliate_campaigns::get(session, context, &place)).await;
    reply(&incoming, found)
}

async fn write(Path(ids): Path<Ids>, mut incoming: Incoming) -> Response<Body> {
    let result = put(ids.into(), &mut incoming).await;
    reply(&incoming, result)
}

fn reply(
    incoming: &Incoming,
    result: Result<(AffiliateCampaign, Campaign), Refusal>,
) -> Response<Body> {
    let view = View::of(incoming);
    let object = result.map(|(it, campaign)| view.render(&it, &view.of_campaign(&campaign)));
    incoming.reply(Kind::AffiliateCampaign, object)
}

async fn put(
    place: Place,
    incoming: &mut Incoming,
) -> Result<(AffiliateCampaign, Campaign), Refusal> {
    let posted = incoming.method == Method::POST;
    // An application needs to say nothing.
    let says_nothing = posted && incoming.body.is_none();
    let mut body = if says_nothing { Object::new() } else { incoming.take_body()? };
    incoming.version.upgrade(Kind::AffiliateCampaign, &mut body);
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let change = AffiliateCampaignChange {
        id_from_network: fields.id("id_from_network"),
        status: fields
            .word_or_default("status", |word| AffiliateCampaignStatus::parse(word).map(Some))
            .flatten(),
        custom_data: fields.custom_data(),
    };
    fields.finish();
    let submitted = Submitted { change, problems };
    let intent = if posted { Intent::Apply } else { Intent::Decide };
    let view = View::of(incoming);
    // The tag of an affiliate campaign's answer covers its campaign's terms, so the guard looks
    // the campaign up as the write will find it.
    let (app, network) = (incoming.app.clone(), incoming.context.caller.network_id);
    let campaign_id = place.campaign.clone();
    let guard = incoming.guard(Kind::AffiliateCampaign, move |it| {
        let found = app.store.read(|session| session.campaign(network, &campaign_id));
        let campaign = found.map_err(|_: trunkline_store::Error| ()).ok().flatten();
        let of = campaign.map(|campaign| view.of_campaign(&campaign));
        of.map(|of| view.render(it, &of)).unwrap_or_default()
    });
    incoming
        .write(move |session, context| {
            affiliate_campaigns::put(session, context, &place, intent, submitted, &guard)
        })
        .await
}

async fn delete(incoming: Incoming) -> Response<Body> {
    let refused = incoming.read(|_, _| affiliate_campaigns::delete());
    incoming.reply(Kind::Plain, refused.map(|()| Object::new()))
}
