//! Promo numbers of an advertiser campaign and of an affiliate campaign, addressed by number or by
//! external id.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::list_response::ListPage;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::routes::{Routes, get};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use trunkline_domain::problem::{INVALID, Problems};
use trunkline_domain::promo::{PromoNumber, PromoType};
use trunkline_domain::text;
use trunkline_network::Submission;
use trunkline_network::promo_numbers::{
    self, DestinationChange, PromoNumberChange, PromoNumberOwner, PromoNumberSelector,
};

pub(super) fn routes() -> Routes {
    const CAMPAIGN: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}";
    let mut routes = Routes::new();
    for owner in ["", "/affiliates/{affiliate}/affiliate_campaigns"] {
        let numbers = format!("{CAMPAIGN}{owner}/promo_numbers");
        let by_id = format!("{CAMPAIGN}{owner}/promo_numbers_by_id");
        routes = routes
            .route(&numbers, get(list).post(create))
            .route(&format!("{numbers}/{{number}}"), get(show).put(put).delete(delete))
            .route(&by_id, get(list).post(create))
            .route(&format!("{by_id}/{{id}}"), get(show).put(put).delete(delete));
    }
    routes
}

/// Parameters of the path. They differ between the routes.
type PathIds = Path<HashMap<String, String>>;

fn path_owner(ids: &HashMap<String, String>) -> PromoNumberOwner {
    let id = |name: &str| ids.get(name).cloned();
    PromoNumberOwner {
        advertiser: id("advertiser").unwrap_or_default(),
        campaign: id("campaign").unwrap_or_default(),
        affiliate: id("affiliate"),
    }
}

fn path_selector(ids: &HashMap<String, String>) -> PromoNumberSelector {
    match (ids.get("number"), ids.get("id")) {
        (Some(number), _) => PromoNumberSelector::Number(number.clone()),
        (None, id) => PromoNumberSelector::Id(id.cloned().unwrap_or_default()),
    }
}

async fn list(Path(ids): PathIds, request: ApiRequest) -> Response<Body> {
    let base_url = Arc::clone(&request.app.base_url);
    let owner = path_owner(&ids);
    request
        .respond_list(ResourceKind::PromoNumber, move |unit, context, page| {
            let (numbers, _) = promo_numbers::list(unit, context, &owner, page)?;
            let next_cursor = numbers.last().map(|promo_number| promo_number.id.get());
            Ok(ListPage {
                objects: numbers
                    .iter()
                    .map(|promo_number| render(promo_number, &base_url))
                    .collect(),
                next_cursor,
            })
        })
        .await
}

async fn show(Path(ids): PathIds, request: ApiRequest) -> Response<Body> {
    let result = request
        .read_one(|unit, context| {
            promo_numbers::get(unit, context, &path_owner(&ids), &path_selector(&ids))
        })
        .await;
    let base_url = &request.app.base_url;
    request.respond(
        ResourceKind::PromoNumber,
        result.map(|promo_number| render(&promo_number, base_url)),
    )
}

async fn create(Path(ids): PathIds, mut request: ApiRequest) -> Response<Body> {
    let result = create_promo_number(path_owner(&ids), &mut request).await;
    let base_url = &request.app.base_url;
    request.respond(
        ResourceKind::PromoNumber,
        result.map(|promo_number| render(&promo_number, base_url)),
    )
}

async fn create_promo_number(
    owner: PromoNumberOwner,
    request: &mut ApiRequest,
) -> Result<PromoNumber, ApiError> {
    let key = request.idempotency_key()?;
    let submitted = read(request, |_| DestinationChange::default())?;
    request
        .write(move |unit, context| {
            promo_numbers::assign(unit, context, &owner, submitted, key.as_ref())
        })
        .await
}

async fn put(Path(ids): PathIds, mut request: ApiRequest) -> Response<Body> {
    let result = put_promo_number(&ids, &mut request).await;
    let base_url = &request.app.base_url;
    request.respond(
        ResourceKind::PromoNumber,
        result.map(|promo_number| render(&promo_number, base_url)),
    )
}

async fn put_promo_number(
    ids: &HashMap<String, String>,
    request: &mut ApiRequest,
) -> Result<PromoNumber, ApiError> {
    let submitted = read(request, read_destination)?;
    let owner = path_owner(ids);
    let selector = path_selector(ids);
    let base_url = Arc::clone(&request.app.base_url);
    let precondition = request.precondition(ResourceKind::PromoNumber, move |promo_number| {
        render(promo_number, &base_url)
    });
    request
        .write(move |unit, context| {
            promo_numbers::put(unit, context, &owner, &selector, submitted, &precondition)
        })
        .await
}

async fn delete(Path(ids): PathIds, request: ApiRequest) -> Response<Body> {
    let result = request
        .write(move |unit, context| {
            promo_numbers::delete(unit, context, &path_owner(&ids), &path_selector(&ids))
        })
        .await;
    request.respond(ResourceKind::Unversioned, result.map(|()| Object::new()))
}

fn read(
    request: &mut ApiRequest,
    read_destination: fn(&mut ObjectReader<'_>) -> DestinationChange,
) -> Result<Submission<PromoNumberChange>, ApiError> {
    let mut body = request.take_body()?;
    request.version.upgrade(ResourceKind::PromoNumber, &mut body);
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = PromoNumberChange {
        id_from_network: reader.id("id_from_network"),
        description: reader.name("description"),
        media_type: reader
            .name("media_type")
            .map(|media_type| text::normalize_plain_text(&media_type)),
        promo_type: reader
            .enum_value_or_default("promo_type", |word| PromoType::parse(word).map(Some)),
        adwords_account_id: reader.optional_id("adwords_account_id"),
        custom_data: reader.custom_data(),
        tn_prefix: read_prefix(&mut reader),
        destination: read_destination(&mut reader),
    };
    reader.finish();
    Ok(Submission { change, problems })
}

/// Reads the new holder of a number.
fn read_destination(reader: &mut ObjectReader<'_>) -> DestinationChange {
    DestinationChange {
        advertiser: reader.id("destination_advertiser_id_from_network"),
        campaign: reader.id("destination_advertiser_campaign_id_from_network"),
        affiliate: reader.id("destination_affiliate_id_from_network"),
    }
}

/// Reads `local_center.tn_prefix`: an area code of three digits.
fn read_prefix(reader: &mut ObjectReader<'_>) -> Option<String> {
    let map: &Map<String, Value> = reader.object("local_center")??;
    let mut child = ObjectReader::new(map, reader.child("local_center"));
    let prefix = child.optional_id("tn_prefix").flatten();
    let is_area_code =
        |prefix: &String| prefix.len() == 3 && prefix.bytes().all(|b| b.is_ascii_digit());
    if prefix.as_ref().is_some_and(|prefix| !is_area_code(prefix)) {
        child.error("tn_prefix", INVALID);
    }
    child.finish();
    prefix.filter(is_area_code)
}

/// Renders a promo number in the newest version.
fn render(promo_number: &PromoNumber, base_url: &str) -> Object {
    let url = match promo_number.affiliate_id {
        Some(affiliate) => {
            format!("{base_url}/p_campaigns/promo_numbers/{affiliate}/{}", promo_number.campaign_id)
        }
        None => format!("{base_url}/a_campaigns/promo_numbers/{}", promo_number.campaign_id),
    };
    Object::from_iter([
        ("id".to_owned(), promo_number.id.get().into()),
        ("id_from_network".to_owned(), promo_number.external_id.clone().into()),
        ("promo_number".to_owned(), promo_number.number.compact().into()),
        ("description".to_owned(), promo_number.description.clone().into()),
        ("media_type".to_owned(), promo_number.media_type.clone().into()),
        ("promo_type".to_owned(), promo_number.promo_type.map(PromoType::as_str).into()),
        ("adwords_account_id".to_owned(), promo_number.adwords_account_id.clone().into()),
        ("object_url".to_owned(), url.into()),
        ("custom_data".to_owned(), json!(promo_number.custom_data)),
    ])
}
