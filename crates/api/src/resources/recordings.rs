//! `calls/<id>/recording`: the recording of a call, links to it, and its deletion.

use crate::api_request::ApiRequest;
use crate::app::App;
use crate::errors::ApiError;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::path_prefix::PathPrefix;
use crate::recording_files;
use crate::recording_links::{LINK_SECONDS, RecordingLink};
use crate::routes::{Routes, get, post};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Request, Response};
use jiff::{Timestamp, ToSpan};
use trunkline_domain::id::NetworkId;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_domain::timezone::format_legacy;
use trunkline_network::{Error, Recording, recordings};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/calls/{id}/recording", get(show).delete(delete))
        .route("/trunkline/calls/{id}/recording/links", post(create_link))
        .route("/trunkline/recordings/{token}", get(show_by_link))
}

async fn show(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    let found = request.read(|unit, context| recordings::get(unit, context, &id));
    respond(&request.app, &request.headers, found).await
}

/// Responds with the sound of a recording. A file that is gone is a 404.
async fn respond(
    app: &App,
    headers: &HeaderMap,
    found: Result<Recording, ApiError>,
) -> Response<Body> {
    let recording = match found {
        Ok(recording) => recording,
        Err(error) => return error.into_response(app),
    };
    let missing = || {
        let object = format!("Recording of call {}", recording.complete_call_id);
        ApiError::UseCase(Error::NotFound(object)).into_response(app)
    };
    let (Some(files), Some(sound)) = (app.recordings.get(), &recording.sound) else {
        return missing();
    };
    match recording_files::respond(&files.path(&recording), sound, headers).await {
        Ok(response) => response,
        Err(error) => {
            let call = &recording.complete_call_id;
            tracing::warn!(%error, call, "cannot open the file of a recording");
            missing()
        }
    }
}

async fn create_link(Path(id): Path<String>, mut request: ApiRequest) -> Response<Body> {
    let link = issue_link(id, &mut request).await;
    request.respond(ResourceKind::Unversioned, link)
}

async fn issue_link(id: String, request: &mut ApiRequest) -> Result<Object, ApiError> {
    let body = request.take_body()?;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let [min, max] = LINK_SECONDS;
    let seconds = reader.integer("seconds", min, max).flatten();
    if seconds.is_none() && !reader.problems.has_problem("seconds") {
        reader.error("seconds", BLANK);
    }
    reader.finish();
    let random = (request.app.random)();
    let (key, complete_call_id) = request
        .write(move |unit, context| {
            let link = recordings::prepare_link(unit, context, &id, &random)?;
            problems.into_result(link).map_err(Error::from)
        })
        .await?;
    let lifetime = i64::from(seconds.unwrap_or(min)).seconds();
    let expires_at = (request.app.clock)().saturating_add(lifetime).unwrap_or(Timestamp::MAX);
    let network = request.context.principal.network_id;
    let link = RecordingLink {
        network,
        complete_call_id: &complete_call_id,
        expires_at: expires_at.as_second(),
    };
    let base_url = &request.app.base_url;
    let token = link.to_token(&key);
    let url = format!("{base_url}/trunkline/v1/networks/{network}/recordings/{token}");
    let zone = request.network.time_zone;
    Ok(Object::from_iter([
        ("url".to_owned(), url.into()),
        ("expires_at".to_owned(), format_legacy(expires_at, zone).into()),
    ]))
}

/// Responds to a request with a valid link, which needs no credential. An invalid link is a 404.
async fn show_by_link(
    State(app): State<App>,
    Path(token): Path<String>,
    request: Request<Body>,
) -> Response<Body> {
    let network = request.extensions().get::<PathPrefix>().and_then(|prefix| prefix.network);
    let found = find_by_link(&app, network, &token);
    respond(&app, request.headers(), found).await
}

fn find_by_link(app: &App, network: Option<NetworkId>, token: &str) -> Result<Recording, ApiError> {
    let invalid = || Error::NotFound("a recording with this link".to_owned());
    let network = network.ok_or_else(invalid)?;
    let (link, signature) = RecordingLink::parse(network, token).ok_or_else(invalid)?;
    let now = (app.clock)();
    let recording = app.store.read(|unit| {
        let key = recordings::link_key(unit, network)?;
        if !key.is_some_and(|key| link.is_valid(&key, signature, now)) {
            return Err(invalid());
        }
        recordings::get_by_link(unit, network, link.complete_call_id)
    });
    Ok(recording?)
}

async fn delete(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    let deleted = request.write(move |unit, context| recordings::delete(unit, context, &id)).await;
    request.respond(ResourceKind::Unversioned, deleted.map(|()| Object::new()))
}
