//! Affiliate campaigns: `…/affiliates/<id>/affiliate_campaigns`. They are listed at
//! `…/affiliate_campaigns` and `…/affiliates` of their advertiser campaign.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::list_response::ListPage;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::resources::{ivr, pricing};
use crate::routes::{Routes, get};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use trunkline_domain::affiliation::{AffiliateCampaign, AffiliateCampaignStatus};
use trunkline_domain::campaign::{Campaign, CampaignStatus, DEFAULT_MAX_PROMO_NUMBERS, Terms};
use trunkline_domain::party::PartyKind;
use trunkline_domain::problem::Problems;
use trunkline_network::affiliate_campaigns::{
    self, AffiliateCampaignChange, AffiliateCampaignPath, AffiliateCampaignsOfCampaign, Intent,
};
use trunkline_network::{PathObject, Principal, Submission, campaigns, with_internal_ids};

pub(super) fn routes() -> Routes {
    const CAMPAIGN: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}";
    let member = format!("{CAMPAIGN}/affiliates/{{affiliate}}/affiliate_campaigns");
    Routes::new()
        .route(&format!("{CAMPAIGN}/affiliate_campaigns"), get(list))
        .route(&format!("{CAMPAIGN}/affiliates"), get(list))
        .route(&member, get(show).post(put).put(put).delete(delete))
        .route(&format!("{member}/{{id}}"), get(show).post(put).put(put).delete(delete))
}

/// Parameters of the path. Only some routes have the affiliate campaign's id at the end.
#[derive(serde::Deserialize)]
struct PathIds {
    advertiser: String,
    campaign: String,
    affiliate: String,
    id: Option<String>,
}

impl From<PathIds> for AffiliateCampaignPath {
    fn from(PathIds { advertiser, campaign, affiliate, id }: PathIds) -> Self {
        Self { advertiser, campaign, affiliate, id }
    }
}

/// Renders affiliate campaigns for the principal of a request.
#[derive(Clone)]
struct AffiliateCampaignPresenter {
    base_url: Arc<str>,
    now: jiff::Timestamp,
    principal: Principal,
}

impl AffiliateCampaignPresenter {
    fn from_request(request: &ApiRequest) -> Self {
        Self {
            base_url: Arc::clone(&request.app.base_url),
            now: request.context.now,
            principal: request.context.principal.clone(),
        }
    }

    /// Renders an affiliate campaign in the newest version.
    fn render(
        &self,
        affiliate_campaign: &AffiliateCampaign,
        campaign: &CampaignProjection,
    ) -> Object {
        let base = &self.base_url;
        let url = format!(
            "{base}/p_campaigns/terms/{}/{}",
            affiliate_campaign.affiliate_id, affiliate_campaign.campaign_id
        );
        let mut object = Object::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("id", affiliate_campaign.id.get().into());
        put("id_from_network", affiliate_campaign.external_id.clone().into());
        put("affiliate_id_from_network", affiliate_campaign.external_affiliate_id.clone().into());
        put("status", affiliate_campaign.status.display_status(campaign.is_active).into());
        put("object_url", url.into());
        put("max_promo_numbers", campaign.max_promo_numbers.into());
        put("current_terms", campaign.terms.clone());
        put("custom_data", json!(affiliate_campaign.custom_data));
        object
    }

    /// Returns the properties of the advertiser campaign that its affiliate campaigns contain.
    fn project_campaign(&self, campaign: &Campaign) -> CampaignProjection {
        let campaign = &*campaigns::redact(&self.principal, campaign);
        let terms = campaign.terms_in_force();
        let with_payin = self.principal.can_view(PartyKind::Advertiser, campaign.advertiser_id);
        CampaignProjection {
            is_active: campaign.effective_status(self.now) == CampaignStatus::Activated,
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

/// Properties of an advertiser campaign that all its affiliate campaigns contain.
struct CampaignProjection {
    is_active: bool,
    max_promo_numbers: u32,
    terms: Value,
}

async fn list(
    Path((advertiser, campaign)): Path<(String, String)>,
    request: ApiRequest,
) -> Response<Body> {
    let presenter = AffiliateCampaignPresenter::from_request(&request);
    request
        .respond_list(ResourceKind::AffiliateCampaign, move |unit, context, page| {
            let segments =
                [(PathObject::Advertiser, advertiser.as_str()), (PathObject::Campaign, &campaign)];
            let AffiliateCampaignsOfCampaign { affiliate_campaigns: found, campaign } =
                with_internal_ids(unit, context, segments, |unit, [advertiser, campaign]| {
                    affiliate_campaigns::list(unit, context, advertiser, campaign, page)
                })?;
            let next_cursor = found.last().map(|affiliate_campaign| affiliate_campaign.id.get());
            let projection = presenter.project_campaign(&campaign);
            Ok(ListPage {
                objects: found
                    .iter()
                    .map(|affiliate_campaign| presenter.render(affiliate_campaign, &projection))
                    .collect(),
                next_cursor,
            })
        })
        .await
}

async fn show(Path(ids): Path<PathIds>, request: ApiRequest) -> Response<Body> {
    let path = AffiliateCampaignPath::from(ids);
    let result = request
        .read_one(|unit, context| affiliate_campaigns::get_by_path(unit, context, &path))
        .await;
    respond(&request, result)
}

async fn put(Path(ids): Path<PathIds>, mut request: ApiRequest) -> Response<Body> {
    let result = put_affiliate_campaign(ids.into(), &mut request).await;
    respond(&request, result)
}

fn respond(
    request: &ApiRequest,
    result: Result<(AffiliateCampaign, Campaign), ApiError>,
) -> Response<Body> {
    let presenter = AffiliateCampaignPresenter::from_request(request);
    let object = result.map(|(affiliate_campaign, campaign)| {
        presenter.render(&affiliate_campaign, &presenter.project_campaign(&campaign))
    });
    request.respond(ResourceKind::AffiliateCampaign, object)
}

async fn put_affiliate_campaign(
    path: AffiliateCampaignPath,
    request: &mut ApiRequest,
) -> Result<(AffiliateCampaign, Campaign), ApiError> {
    let is_post = request.method == Method::POST;
    // An affiliate applies with a POST, whose body may be empty.
    let has_no_body = is_post && request.body.is_none();
    let mut body = if has_no_body { Object::new() } else { request.take_body()? };
    request.version.upgrade(ResourceKind::AffiliateCampaign, &mut body);
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = AffiliateCampaignChange {
        id_from_network: reader.id("id_from_network"),
        status: reader
            .enum_value_or_default("status", |word| AffiliateCampaignStatus::parse(word).map(Some))
            .flatten(),
        custom_data: reader.custom_data(),
    };
    reader.finish();
    let submitted = Submission { change, problems };
    let intent = if is_post { Intent::Apply } else { Intent::Decide };
    let presenter = AffiliateCampaignPresenter::from_request(request);
    // The entity tag covers the terms of the advertiser campaign, so the precondition loads it as
    // the write will find it.
    let app = request.app.clone();
    let network_id = request.context.principal.network_id;
    let campaign_id = path.campaign.clone();
    let precondition =
        request.precondition(ResourceKind::AffiliateCampaign, move |affiliate_campaign| {
            let loaded: Result<Option<Campaign>, trunkline_store::Error> =
                app.store.read(|unit| unit.campaign(network_id, &campaign_id));
            let Ok(Some(campaign)) = loaded else { return Object::default() };
            presenter.render(affiliate_campaign, &presenter.project_campaign(&campaign))
        });
    request
        .write(move |unit, context| {
            affiliate_campaigns::put(unit, context, &path, intent, submitted, &precondition)
        })
        .await
}

async fn delete(request: ApiRequest) -> Response<Body> {
    let result = request.read(|_, _| affiliate_campaigns::reject_deletion());
    request.respond(ResourceKind::Unversioned, result.map(|()| Object::new()))
}
