//! Heartbeats and end of an event stream.

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
use trunkline_domain::timezone::TimeZoneName;
use trunkline_network::{Error, Scope, Store, credentials, networks};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

async fn next_chunk(body: &mut Body) -> Option<Bytes> {
    body.frame().await.map(|frame| frame.unwrap().into_data().unwrap())
}

#[tokio::test(start_paused = true)]
async fn stream_sends_heartbeats_until_its_token_is_revoked_or_the_server_shuts_down() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trunkline.db");
    let store = Store::open(&format!("sqlite://{}", file.display())).unwrap();
    let setup = store.write(|unit| {
        let network = networks::create(unit, "A", None, TimeZoneName::PACIFIC, NOW)?.unwrap().id;
        let mut issue = |entropy| {
            let record =
                credentials::new_token(network, Scope::Network, Role::Super, None, NOW, None);
            credentials::issue_token(unit, record, &[entropy; 32])
        };
        Ok::<_, Error>((network, issue(7)?, issue(8)?))
    });
    let (network, revoked, valid) = setup.await.unwrap();
    let clock = Arc::new(|| NOW);
    let random = Arc::new(|| [1; 32]);
    let app = App::new(store.clone(), clock, random, "http://localhost", Limits::default());
    let shutdown = app.shutdown.clone();
    let service = service(app, Router::new());
    let open_stream = |token: &str| {
        let path = format!("/trunkline/v1/networks/{network}/events");
        let request = Request::get(path).header("authorization", token).header("host", "x");
        service.clone().oneshot(request.body(Body::empty()).unwrap())
    };

    let mut stream = open_stream(&revoked.secret).await.unwrap().into_body();
    assert!(next_chunk(&mut stream).await.unwrap().starts_with(b"retry: "));
    let start = Instant::now();
    assert!(next_chunk(&mut stream).await.unwrap().starts_with(b":"));
    assert_eq!(start.elapsed().as_secs(), 15);
    let revoke = store.write(move |unit| unit.revoke_token(network, revoked.id, NOW));
    revoke.await.unwrap();
    assert_eq!(
        next_chunk(&mut stream).await,
        None,
        "the stream must end when its token is revoked"
    );

    let mut stream = open_stream(&valid.secret).await.unwrap().into_body();
    assert!(next_chunk(&mut stream).await.is_some());
    shutdown.trigger();
    assert_eq!(next_chunk(&mut stream).await, None, "the stream must end at shutdown");
}
