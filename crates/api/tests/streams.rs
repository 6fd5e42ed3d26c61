//! A stream of events says that it is there, for as long as its credential is good.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Request;
use http_body_util::BodyExt;
use jiff::Timestamp;
use std::sync::Arc;
use tokio::time::Instant;
use tower::ServiceExt;
use trunkline_api::{App, Limits, service};
use trunkline_domain::party::Role;
use trunkline_domain::timezone::ZoneName;
use trunkline_network::{Error, Scope, Store, credentials, networks};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

async fn next(body: &mut Body) -> Option<Bytes> {
    body.frame().await.map(|frame| frame.unwrap().into_data().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_a_heartbeat_until_its_token_is_revoked() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trunkline.db");
    let store = Store::open(&format!("sqlite://{}", file.display())).unwrap();
    let made = store.write(|session| {
        let network = networks::create(session, "A", None, ZoneName::PACIFIC, NOW)?.unwrap().id;
        let mut issue = |entropy| {
            let record =
                credentials::new_token(network, Scope::Network, Role::Super, None, NOW, None);
            credentials::issue_token(session, record, &[entropy; 32])
        };
        Ok::<_, Error>((network, issue(7)?, issue(8)?))
    });
    let (network, revoked, good) = made.await.unwrap();
    let (clock, random) = (Arc::new(|| NOW), Arc::new(|| [1; 32]));
    let app = App::new(store.clone(), clock, random, "http://localhost", Limits::default());
    let ending = app.ending.clone();
    let service = service(app, Router::new());
    let listen = |token: &str| {
        let path = format!("/trunkline/v1/networks/{network}/events");
        let request = Request::get(path).header("authorization", token);
        service.clone().oneshot(request.body(Body::empty()).unwrap())
    };

    let mut stream = listen(&revoked.secret).await.unwrap().into_body();
    assert!(next(&mut stream).await.unwrap().starts_with(b"retry: "));
    let begun = Instant::now();
    assert!(next(&mut stream).await.unwrap().starts_with(b":"));
    assert_eq!(begun.elapsed().as_secs(), 15);
    let revoke = store.write(move |session| session.revoke_token(network, revoked.id, NOW));
    revoke.await.unwrap();
    assert_eq!(next(&mut stream).await, None, "it ends with its token");

    let mut stream = listen(&good.secret).await.unwrap().into_body();
    assert!(next(&mut stream).await.is_some());
    ending.begin();
    assert_eq!(next(&mut stream).await, None, "it ends with the server");
}
