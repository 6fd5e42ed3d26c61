//! `/advertisers/<id>/affiliates`: relationships ("auto-approve").

use crate::errors::Refusal;
use crate::fields::{Fields, Reading};
use crate::incoming::Incoming;
use crate::list::Part;
use crate::reply::Object;
use crate::routes::{Routes, get};
use crate::versions::Kind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::json;
use trunkline_domain::affiliation::{Relationship, RelationshipStatus};
use trunkline_domain::problem::Problems;
use trunkline_network::{Listed, Submitted, relationships};

pub(super) fn routes() -> Routes {
    Routes::new().route("/api/advertisers/{advertiser}/affiliates", get(list)).route(
        "/api/advertisers/{advertiser}/affiliates/{affiliate}",
        get(show).post(write).put(write).delete(delete),
    )
}

async fn list(Path(advertiser): Path<String>, incoming: Incoming) -> Response<Body> {
    incoming.reply_list(Kind::Plain, move |session, context, page| {
        let Listed { found, last } = relationships::list(session, context, &advertiser, page)?;
        Ok(Part { objects: found.iter().map(render).collect(), last })
    })
}

async fn show(
    Path((advertiser, affiliate)): Path<(String, String)>,
    incoming: Incoming,
) -> Response<Body> {
    let found = incoming
        .look(|session, context| relationships::get(session, context, &advertiser, &affiliate))
        .await;
    incoming.reply(Kind::Plain, found.map(|it| render(&it)))
}

async fn write(
    Path((advertiser, affiliate)): Path<(String, String)>,
    mut incoming: Incoming,
) -> Response<Body> {
    let result = put(advertiser, affiliate, &mut incoming).await;
    incoming.reply(Kind::Plain, result.map(|()| Object::new()))
}

async fn put(
    advertiser: String,
    affiliate: String,
    incoming: &mut Incoming,
) -> Result<(), Refusal> {
    let body = incoming.take_body()?;
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let change = fields
        .word_or_default("status", |word| RelationshipStatus::parse(word).map(Some))
        .flatten();
    fields.finish();
    let submitted = Submitted { change, problems };
    let guard = incoming.guard(Kind::Plain, render);
    incoming
        .write(move |session, context| {
            relationships::put(session, context, &advertiser, &affiliate, submitted, &guard)
        })
        .await
}

async fn delete(
    Path((advertiser, affiliate)): Path<(String, String)>,
    incoming: Incoming,
) -> Response<Body> {
    let guard = incoming.guard(Kind::Plain, render);
    let deleted = incoming
        .write(move |session, context| {
            relationships::delete(session, context, &advertiser, &affiliate, &guard)
        })
        .await;
    incoming.reply(Kind::Plain, deleted.map(|()| Object::new()))
}

fn render(it: &Relationship) -> Object {
    Object::from_iter([
        ("status".to_owned(), json!(it.status.as_str())),
        ("affiliate_id_from_network".to_owned(), json!(it.affiliate_id_from_network)),
    ])
}
