//! `/advertisers/<id>/users`: an advertiser's users, one by one. Written as `{"user": {…}}`, read
//! bare.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading};
use crate::incoming::Incoming;
use crate::list::Part;
use crate::reply::Object;
use crate::resources::users as shape;
use crate::routes::{Routes, get};
use crate::versions::Kind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use trunkline_domain::party::{Member, UserChange};
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_network::{Submitted, users};

pub(super) fn routes() -> Routes {
    Routes::new().route("/api/advertisers/{advertiser}/users", get(list).post(create)).route(
        "/api/advertisers/{advertiser}/users/{user}",
        get(show).post(write).put(write).delete(delete),
    )
}

async fn list(Path(advertiser): Path<String>, incoming: Incoming) -> Response<Body> {
    incoming.reply_list(Kind::User, move |session, context, page| {
        let found = users::list(session, context, &advertiser, page)?;
        let last = found.last().map(|member| member.user.id);
        Ok(Part { objects: found.iter().map(shape::render).collect(), last })
    })
}

async fn show(
    Path((advertiser, user)): Path<(String, String)>,
    incoming: Incoming,
) -> Response<Body> {
    let found =
        incoming.look(|session, context| users::get(session, context, &advertiser, &user)).await;
    incoming.reply(Kind::User, found.map(|member| shape::render(&member)))
}

async fn create(Path(advertiser): Path<String>, mut incoming: Incoming) -> Response<Body> {
    let result = put(advertiser, None, &mut incoming).await;
    incoming.reply(Kind::User, result.map(|member| shape::render(&member)))
}

async fn write(
    Path((advertiser, user)): Path<(String, String)>,
    mut incoming: Incoming,
) -> Response<Body> {
    let result = put(advertiser, Some(user), &mut incoming).await;
    incoming.reply(Kind::User, result.map(|member| shape::render(&member)))
}

async fn put(
    advertiser: String,
    user: Option<String>,
    incoming: &mut Incoming,
) -> Result<Member, Refusal> {
    let mut body = incoming.take_body()?;
    if body.contains_key("user") {
        incoming.version.upgrade(Kind::User, &mut body);
    }
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let change = match fields.hash("user") {
        Some(Some(map)) => shape::read_map(incoming.version, map, fields.below("user")),
        said => {
            if said.is_some() || !fields.has("user") {
                fields.wrong("user", BLANK);
            }
            UserChange::default()
        }
    };
    fields.finish();
    let submitted = Submitted { change, problems };
    let guard = incoming.guard(Kind::User, shape::render);
    incoming
        .write(move |session, context| {
            users::put(session, context, &advertiser, user.as_deref(), submitted, &guard)
        })
        .await
}

async fn delete(
    Path((advertiser, user)): Path<(String, String)>,
    incoming: Incoming,
) -> Response<Body> {
    let deleted = incoming
        .write(move |session, context| users::delete(session, context, &advertiser, &user))
        .await;
    incoming.reply(Kind::Plain, deleted.map(|()| Object::new()))
}
