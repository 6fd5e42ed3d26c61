//! `/network/<email>/create_access_token` and its like: one-time tokens that sign a user in to the
//! console.

use crate::incoming::Incoming;
use crate::reply::Object;
use crate::routes::{Routes, post};
use crate::versions::Kind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use trunkline_domain::party::PartyKind;
use trunkline_network::credentials;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/api/network/{email}/create_access_token", post(of_network))
        .route("/api/advertisers/{advertiser}/{email}/create_access_token", post(of_advertiser))
        .route("/api/affiliates/{affiliate}/{email}/create_access_token", post(of_affiliate))
}

async fn of_network(Path(email): Path<String>, incoming: Incoming) -> Response<Body> {
    create(None, email, incoming).await
}

async fn of_advertiser(
    Path((id, email)): Path<(String, String)>,
    incoming: Incoming,
) -> Response<Body> {
    create(Some((PartyKind::Advertiser, id)), email, incoming).await
}

async fn of_affiliate(
    Path((id, email)): Path<(String, String)>,
    incoming: Incoming,
) -> Response<Body> {
    create(Some((PartyKind::Affiliate, id)), email, incoming).await
}

async fn create(
    party: Option<(PartyKind, String)>,
    email: String,
    incoming: Incoming,
) -> Response<Body> {
    let entropy = (incoming.app.random)();
    let issued = incoming
        .write(move |session, context| {
            let party = party.as_ref().map(|(kind, id)| (*kind, id.as_str()));
            credentials::create_access_token(session, context, party, &email, &entropy)
        })
        .await;
    let object = issued.map(|issued| {
        Object::from_iter([
            ("token".to_owned(), issued.secret.into()),
            ("id".to_owned(), issued.id.into()),
        ])
    });
    incoming.reply(Kind::Plain, object)
}
