//! `/advertisers/<id>/advertiser_campaigns`: advertiser campaigns.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::list_response::ListPage;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::resources::ivr;
use crate::resources::terms::{self, TermsProjection};
use crate::routes::{Routes, get};
use crate::versions::{ResourceKind, Version, shows_max_promo_numbers};
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use trunkline_domain::campaign::{Campaign, DEFAULT_MAX_PROMO_NUMBERS};
use trunkline_domain::party::PartyKind;
use trunkline_domain::problem::Problems;
use trunkline_domain::timezone::TimeZoneName;
use trunkline_network::PathObject::{self, Advertiser};
use trunkline_network::campaigns::{self, CampaignChange};
use trunkline_network::{Principal, Submission, VisiblePage, with_internal_ids};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/api/advertisers/{advertiser}/advertiser_campaigns", get(list).post(create))
        .route(
            "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}",
            get(show).post(put).put(put).delete(delete),
        )
}

/// Renders campaigns for the principal and the version of a request.
#[derive(Clone)]
pub(super) struct CampaignPresenter {
    base_url: Arc<str>,
    version: Version,
    zone: TimeZoneName,
    now: Timestamp,
    principal: Principal,
}

impl CampaignPresenter {
    pub(super) fn from_request(request: &ApiRequest) -> Self {
        Self {
            base_url: Arc::clone(&request.app.base_url),
            version: request.version,
            zone: request.network.time_zone,
            now: request.context.now,
            principal: request.context.principal.clone(),
        }
    }

    /// Renders a campaign in the newest version. An affiliate gets no payin, no future terms
    /// and no destinations.
    pub(super) fn render(&self, campaign: &Campaign) -> Object {
        let campaign = &*campaigns::redact(&self.principal, campaign);
        let with_payin = self.principal.can_view(PartyKind::Advertiser, campaign.advertiser_id);
        let current = campaign.current_terms.as_ref().map(|current| TermsProjection {
            live: Some((current.id, current.went_live_at)),
            zone: self.zone,
            with_payin,
            terms: &current.terms,
            totals: &campaign.budget_totals[0],
        });
        let future = campaign.future_terms.as_ref().map(|future| TermsProjection {
            live: None,
            zone: self.zone,
            with_payin,
            terms: future,
            totals: &campaign.budget_totals[1],
        });
        let mut object = Object::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("id", campaign.id.get().into());
        put("id_from_network", campaign.external_id.clone().into());
        put("name", campaign.name.clone().into());
        put("status", campaign.effective_status(self.now).as_str().into());
        put("object_url", format!("{}/a_campaigns/terms/{}", self.base_url, campaign.id).into());
        if shows_max_promo_numbers(self.version) {
            let max_promo_numbers = campaign.latest_terms().map(|terms| terms.max_promo_numbers);
            put("max_promo_numbers", max_promo_numbers.unwrap_or(DEFAULT_MAX_PROMO_NUMBERS).into());
        }
        put("current_terms", current.as_ref().map(terms::render).into());
        put("future_terms", future.as_ref().map(terms::render).into());
        put("custom_data", json!(campaign.custom_data));
        object
    }
}

async fn list(Path(advertiser): Path<String>, request: ApiRequest) -> Response<Body> {
    let presenter = CampaignPresenter::from_request(&request);
    request
        .respond_list(ResourceKind::Campaign, move |unit, context, page| {
            let VisiblePage { items: found, last_examined_id: last } = with_internal_ids(
                unit,
                context,
                [(Advertiser, &advertiser)],
                |unit, [advertiser]| campaigns::list(unit, context, advertiser, page),
            )?;
            Ok(ListPage {
                objects: found.iter().map(|campaign| presenter.render(campaign)).collect(),
                next_cursor: last,
            })
        })
        .await
}

async fn show(
    Path((advertiser, campaign)): Path<(String, String)>,
    request: ApiRequest,
) -> Response<Body> {
    let result = request
        .read_one(|unit, context| {
            let segments =
                [(Advertiser, advertiser.as_str()), (PathObject::Campaign, campaign.as_str())];
            with_internal_ids(unit, context, segments, |unit, [advertiser, campaign]| {
                campaigns::get(unit, context, advertiser, campaign)
            })
        })
        .await;
    let presenter = CampaignPresenter::from_request(&request);
    request.respond(ResourceKind::Campaign, result.map(|campaign| presenter.render(&campaign)))
}

async fn create(Path(advertiser): Path<String>, mut request: ApiRequest) -> Response<Body> {
    let result = put_campaign(advertiser, None, &mut request).await;
    let presenter = CampaignPresenter::from_request(&request);
    request.respond(ResourceKind::Campaign, result.map(|campaign| presenter.render(&campaign)))
}

async fn put(
    Path((advertiser, campaign)): Path<(String, String)>,
    mut request: ApiRequest,
) -> Response<Body> {
    let result = put_campaign(advertiser, Some(campaign), &mut request).await;
    let presenter = CampaignPresenter::from_request(&request);
    request.respond(ResourceKind::Campaign, result.map(|campaign| presenter.render(&campaign)))
}

async fn put_campaign(
    advertiser: String,
    path_id: Option<String>,
    request: &mut ApiRequest,
) -> Result<Campaign, ApiError> {
    let mut body = request.take_body()?;
    ivr::check_depth(&body).map_err(ApiError::BadRequest)?;
    request.version.upgrade(ResourceKind::Campaign, &mut body);
    let body_id = body.get("id_from_network").and_then(|id| match id {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    let zone = find_current_time_zone(request, body_id.as_deref().or(path_id.as_deref())).await?;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = CampaignChange {
        id_from_network: reader.id("id_from_network"),
        name: reader.name("name"),
        custom_data: reader.custom_data(),
        terms: terms::read(&mut reader, request.version, zone),
    };
    reader.finish();
    let submitted = Submission { change, problems };
    let presenter = CampaignPresenter::from_request(request);
    let precondition =
        request.precondition(ResourceKind::Campaign, move |campaign| presenter.render(campaign));
    request
        .write(move |unit, context| {
            let path_id = path_id.as_deref();
            campaigns::put(unit, context, &advertiser, path_id, submitted, &precondition)
        })
        .await
}

/// Returns the campaign's current time zone, for dates in a request that names no zone.
async fn find_current_time_zone(
    request: &ApiRequest,
    id: Option<&str>,
) -> Result<TimeZoneName, ApiError> {
    let Some(id) = id else { return Ok(TimeZoneName::default()) };
    let network_id = request.context.principal.network_id;
    let campaign = request.read_one(|unit, _| Ok(unit.campaign(network_id, id)?)).await?;
    let terms = campaign.as_ref().and_then(Campaign::latest_terms);
    Ok(terms.map(|terms| terms.timezone).unwrap_or_default())
}

async fn delete(request: ApiRequest) -> Response<Body> {
    let result = request.read(|_, _| campaigns::reject_deletion());
    request.respond(ResourceKind::Unversioned, result.map(|()| Object::new()))
}
