//! `/network/<email>/create_access_token`, and the same below advertisers and affiliates: one-time
//! tokens that sign a user in to the console. `users/<id>/sign_in_links`: links with which a user sets
//! a password and signs in.

use crate::api_request::ApiRequest;
use crate::object_response::Object;
use crate::routes::{Routes, post};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use trunkline_domain::party::PartyKind;
use trunkline_domain::timezone;
use trunkline_network::{credentials, sign_in_links};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/api/network/{email}/create_access_token", post(create_for_network_user))
        .route(
            "/api/advertisers/{advertiser}/{email}/create_access_token",
            post(create_for_advertiser_user),
        )
        .route(
            "/api/affiliates/{affiliate}/{email}/create_access_token",
            post(create_for_affiliate_user),
        )
        .route("/trunkline/users/{user}/sign_in_links", post(create_link))
}

async fn create_for_network_user(Path(email): Path<String>, request: ApiRequest) -> Response<Body> {
    create(None, email, request).await
}

async fn create_for_advertiser_user(
    Path((id, email)): Path<(String, String)>,
    request: ApiRequest,
) -> Response<Body> {
    create(Some((PartyKind::Advertiser, id)), email, request).await
}

async fn create_for_affiliate_user(
    Path((id, email)): Path<(String, String)>,
    request: ApiRequest,
) -> Response<Body> {
    create(Some((PartyKind::Affiliate, id)), email, request).await
}

async fn create(
    party: Option<(PartyKind, String)>,
    email: String,
    request: ApiRequest,
) -> Response<Body> {
    let entropy = (request.app.random)();
    let issued = request
        .write(move |unit, context| {
            let party = party.as_ref().map(|(kind, id)| (*kind, id.as_str()));
            credentials::create_access_token(unit, context, party, &email, &entropy)
        })
        .await;
    let object = issued.map(|issued| {
        Object::from_iter([
            ("token".to_owned(), issued.secret.into()),
            ("id".to_owned(), issued.id.get().into()),
        ])
    });
    request.respond(ResourceKind::Unversioned, object)
}

async fn create_link(Path(user): Path<String>, request: ApiRequest) -> Response<Body> {
    let entropy = (request.app.random)();
    let issued = request
        .write(move |unit, context| sign_in_links::create(unit, context, &user, &entropy))
        .await;
    let zone = request.network.time_zone;
    let object = issued.map(|link| {
        Object::from_iter([
            ("url".to_owned(), link.url(&request.app.base_url).into()),
            ("expires_at".to_owned(), timezone::format_legacy(link.expires_at, zone).into()),
        ])
    });
    request.respond(ResourceKind::Unversioned, object)
}
