//! `mails`: what is, or was, to be sent to users who asked for it.

use crate::errors::Refusal;
use crate::incoming::Incoming;
use crate::list::Part;
use crate::reply::Object;
use crate::routes::{Routes, get};
use crate::versions::Kind;
use axum::body::Body;
use axum::http::Response;
use serde_json::json;
use trunkline_domain::problem::NOT_LISTED;
use trunkline_domain::timezone::{self, ZoneName};
use trunkline_network::{Error, MailRecord, MailState, mails};

pub(super) fn routes() -> Routes {
    Routes::new().route("/trunkline/mails", get(list))
}

async fn list(incoming: Incoming) -> Response<Body> {
    let zone = incoming.network.time_zone;
    let said = incoming.parameter("state");
    let state = said.and_then(MailState::parse);
    if said.is_some() && state.is_none() {
        let refusal = Refusal::Refused(Error::at("state", NOT_LISTED));
        return incoming.reply(Kind::Plain, Err(refusal));
    }
    incoming.reply_list(Kind::Plain, move |session, context, page| {
        let found = mails::list(session, context, state, page)?;
        let last = found.last().map(|mail| mail.id);
        Ok(Part { objects: found.iter().map(|it| render(it, zone)).collect(), last })
    })
}

fn render(it: &MailRecord, zone: ZoneName) -> Object {
    let stamp = |at: Option<jiff::Timestamp>| json!(at.map(|at| timezone::stamp(at, zone)));
    Object::from_iter([
        ("id".to_owned(), it.id.into()),
        ("event_id".to_owned(), it.event_id.into()),
        ("to".to_owned(), it.address.clone().into()),
        ("subject".to_owned(), it.subject.clone().into()),
        ("text".to_owned(), it.body.clone().into()),
        ("state".to_owned(), it.state.as_str().into()),
        ("attempts".to_owned(), it.attempts.into()),
        ("next_attempt_at".to_owned(), stamp(it.due_at)),
        ("last_error".to_owned(), json!(it.last_error)),
        ("created_at".to_owned(), stamp(Some(it.created_at))),
        ("sent_at".to_owned(), stamp(it.sent_at)),
    ])
}
