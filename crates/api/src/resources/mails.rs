//! `mails`: notification mails to users, queued and sent.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::list_response::ListPage;
use crate::object_response::Object;
use crate::routes::{Routes, get};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::http::Response;
use serde_json::json;
use trunkline_domain::problem::NOT_LISTED;
use trunkline_domain::timezone::{self, TimeZoneName};
use trunkline_network::{Error, MailRecord, MailState, mails};

pub(super) fn routes() -> Routes {
    Routes::new().route("/trunkline/mails", get(list))
}

async fn list(request: ApiRequest) -> Response<Body> {
    let zone = request.network.time_zone;
    let state_text = request.parameter("state");
    let state = state_text.and_then(MailState::parse);
    if state_text.is_some() && state.is_none() {
        let error = ApiError::UseCase(Error::invalid_property("state", NOT_LISTED));
        return request.respond(ResourceKind::Unversioned, Err(error));
    }
    request
        .respond_list(ResourceKind::Unversioned, move |unit, context, page| {
            let items = mails::list(unit, context, state, page)?;
            let next_cursor = items.last().map(|mail| mail.id.get());
            Ok(ListPage {
                objects: items.iter().map(|mail| render(mail, zone)).collect(),
                next_cursor,
            })
        })
        .await
}

fn render(mail: &MailRecord, zone: TimeZoneName) -> Object {
    let format_time =
        |at: Option<jiff::Timestamp>| json!(at.map(|at| timezone::format_legacy(at, zone)));
    Object::from_iter([
        ("id".to_owned(), mail.id.get().into()),
        ("event_id".to_owned(), json!(mail.event_id)),
        ("to".to_owned(), mail.address.clone().into()),
        ("subject".to_owned(), mail.subject.clone().into()),
        ("text".to_owned(), mail.body.clone().into()),
        ("state".to_owned(), mail.state.as_str().into()),
        ("attempts".to_owned(), mail.attempts.into()),
        ("next_attempt_at".to_owned(), format_time(mail.due_at)),
        ("last_error".to_owned(), json!(mail.last_error)),
        ("created_at".to_owned(), format_time(Some(mail.created_at))),
        ("sent_at".to_owned(), format_time(mail.sent_at)),
    ])
}
