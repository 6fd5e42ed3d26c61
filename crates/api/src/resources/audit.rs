//! `audit`: who changed what, and undoing it.

use crate::errors::Refusal;
use crate::incoming::Incoming;
use crate::list::Part;
use crate::reply::Object;
use crate::routes::{Routes, get, post};
use crate::versions::Kind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use trunkline_domain::problem::{INVALID, Problems};
use trunkline_domain::timezone::{self, ZoneName};
use trunkline_network::{AuditEntry, AuditFilter, Error, audit, revert};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/audit", get(list))
        .route("/trunkline/audit/{id}", get(show))
        .route("/trunkline/audit/{id}/revert", post(undo))
}

async fn list(incoming: Incoming) -> Response<Body> {
    let filter = match filter(&incoming) {
        Ok(filter) => filter,
        Err(problems) => {
            return incoming.reply(Kind::Plain, Err(Refusal::Refused(problems.into())));
        }
    };
    let zone = incoming.network.time_zone;
    incoming.reply_list(Kind::Plain, move |session, context, page| {
        let found = audit::list(session, context, &filter, page)?;
        let last = found.last().map(|entry| entry.id);
        Ok(Part { objects: found.into_iter().map(|it| render(it, zone)).collect(), last })
    })
}

fn filter(incoming: &Incoming) -> Result<AuditFilter, Problems> {
    let mut problems = Problems::new();
    let mut moment = |name: &str, end_of_day: bool| {
        let said = incoming.parameter(name)?;
        let moment = timezone::parse_moment(said, incoming.network.time_zone, end_of_day);
        if moment.is_none() {
            problems.at(name).add(INVALID);
        }
        moment
    };
    let (from, to) = (moment("from", false), moment("to", true));
    let text = |name: &str| incoming.parameter(name).map(str::to_owned);
    problems.or(AuditFilter { object: text("object"), actor: text("actor"), from, to })
}

async fn show(Path(id): Path<String>, incoming: Incoming) -> Response<Body> {
    let zone = incoming.network.time_zone;
    let found = incoming.look(|session, context| audit::get(session, context, number(&id)?)).await;
    incoming.reply(Kind::Plain, found.map(|entry| render(entry, zone)))
}

async fn undo(Path(id): Path<String>, incoming: Incoming) -> Response<Body> {
    let zone = incoming.network.time_zone;
    let undone = incoming
        .write(move |session, context| revert::revert(session, context, number(&id)?))
        .await;
    incoming.reply(Kind::Plain, undone.map(|entry| render(entry, zone)))
}

fn number(id: &str) -> Result<i64, Error> {
    id.parse().map_err(|_| Error::NotFound(format!("AuditEntry {id}")))
}

/// An entry: what changed as a JSON diff (RFC 6902), and both sides whole.
fn render(entry: AuditEntry, zone: ZoneName) -> Object {
    let diff = audit::diff(&entry);
    Object::from_iter([
        ("id".to_owned(), entry.id.into()),
        ("object".to_owned(), entry.object.into()),
        ("action".to_owned(), entry.action.into()),
        ("actor".to_owned(), entry.actor.into()),
        ("at".to_owned(), timezone::stamp(entry.at, zone).into()),
        ("request_id".to_owned(), entry.request_id.into()),
        ("diff".to_owned(), diff),
        ("before".to_owned(), entry.before.unwrap_or_default()),
        ("after".to_owned(), entry.after.unwrap_or_default()),
    ])
}
