//! `/advertisers/<id>/affiliates`: relationships ("auto-approve").

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
use serde_json::json;
use trunkline_domain::affiliation::{Relationship, RelationshipStatus};
use trunkline_domain::problem::Problems;
use trunkline_network::PathObject::{Advertiser, Affiliate};
use trunkline_network::{Submission, VisiblePage, relationships, with_internal_ids};

pub(super) fn routes() -> Routes {
    Routes::new().route("/api/advertisers/{advertiser}/affiliates", get(list)).route(
        "/api/advertisers/{advertiser}/affiliates/{affiliate}",
        get(show).post(put).put(put).delete(delete),
    )
}

async fn list(Path(advertiser): Path<String>, request: ApiRequest) -> Response<Body> {
    request
        .respond_list(ResourceKind::Unversioned, move |unit, context, page| {
            let VisiblePage { items: found, last_examined_id: last } = with_internal_ids(
                unit,
                context,
                [(Advertiser, &advertiser)],
                |unit, [advertiser]| relationships::list(unit, context, advertiser, page),
            )?;
            Ok(ListPage { objects: found.iter().map(render).collect(), next_cursor: last })
        })
        .await
}

async fn show(
    Path((advertiser, affiliate)): Path<(String, String)>,
    request: ApiRequest,
) -> Response<Body> {
    let result = request
        .read_one(|unit, context| {
            let segments = [(Advertiser, advertiser.as_str()), (Affiliate, affiliate.as_str())];
            with_internal_ids(unit, context, segments, |unit, [advertiser, affiliate]| {
                relationships::get(unit, context, advertiser, affiliate)
            })
        })
        .await;
    request.respond(ResourceKind::Unversioned, result.map(|relationship| render(&relationship)))
}

async fn put(
    Path((advertiser, affiliate)): Path<(String, String)>,
    mut request: ApiRequest,
) -> Response<Body> {
    let result = put_relationship(advertiser, affiliate, &mut request).await;
    request.respond(ResourceKind::Unversioned, result.map(|()| Object::new()))
}

async fn put_relationship(
    advertiser: String,
    affiliate: String,
    request: &mut ApiRequest,
) -> Result<(), ApiError> {
    let body = request.take_body()?;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = reader
        .enum_value_or_default("status", |word| RelationshipStatus::parse(word).map(Some))
        .flatten();
    reader.finish();
    let submitted = Submission { change, problems };
    let precondition = request.precondition(ResourceKind::Unversioned, render);
    request
        .write(move |unit, context| {
            relationships::put(unit, context, &advertiser, &affiliate, submitted, &precondition)
        })
        .await
}

async fn delete(
    Path((advertiser, affiliate)): Path<(String, String)>,
    request: ApiRequest,
) -> Response<Body> {
    let precondition = request.precondition(ResourceKind::Unversioned, render);
    let result = request
        .write(move |unit, context| {
            relationships::delete(unit, context, &advertiser, &affiliate, &precondition)
        })
        .await;
    request.respond(ResourceKind::Unversioned, result.map(|()| Object::new()))
}

fn render(relationship: &Relationship) -> Object {
    Object::from_iter([
        ("status".to_owned(), json!(relationship.status.as_str())),
        ("affiliate_id_from_network".to_owned(), json!(relationship.external_affiliate_id)),
    ])
}
