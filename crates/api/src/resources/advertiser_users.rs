//! `/advertisers/<id>/users`: single users of an advertiser. Requests are `{"user": {…}}`, responses
//! the user itself.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::list_response::ListPage;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::resources::users as user_object;
use crate::routes::{Routes, get};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use trunkline_domain::party::{Member, UserPatch};
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_network::{PathObject, Submission, users, with_internal_ids};

pub(super) fn routes() -> Routes {
    Routes::new().route("/api/advertisers/{advertiser}/users", get(list).post(create)).route(
        "/api/advertisers/{advertiser}/users/{user}",
        get(show).post(put).put(put).delete(delete),
    )
}

async fn list(Path(advertiser): Path<String>, request: ApiRequest) -> Response<Body> {
    request
        .respond_list(ResourceKind::User, move |unit, context, page| {
            let segments = [(PathObject::Advertiser, advertiser.as_str())];
            let members = with_internal_ids(unit, context, segments, |unit, [advertiser]| {
                users::list(unit, context, advertiser, page)
            })?;
            let next_cursor = members.last().map(|member| member.user.id.get());
            Ok(ListPage { objects: members.iter().map(user_object::render).collect(), next_cursor })
        })
        .await
}

async fn show(
    Path((advertiser, user)): Path<(String, String)>,
    request: ApiRequest,
) -> Response<Body> {
    let result = request
        .read_one(|unit, context| {
            let segments = [(PathObject::Advertiser, advertiser.as_str())];
            with_internal_ids(unit, context, segments, |unit, [advertiser]| {
                users::get(unit, context, advertiser, &user)
            })
        })
        .await;
    request.respond(ResourceKind::User, result.map(|member| user_object::render(&member)))
}

async fn create(Path(advertiser): Path<String>, mut request: ApiRequest) -> Response<Body> {
    let result = put_user(advertiser, None, &mut request).await;
    request.respond(ResourceKind::User, result.map(|member| user_object::render(&member)))
}

async fn put(
    Path((advertiser, user)): Path<(String, String)>,
    mut request: ApiRequest,
) -> Response<Body> {
    let result = put_user(advertiser, Some(user), &mut request).await;
    request.respond(ResourceKind::User, result.map(|member| user_object::render(&member)))
}

async fn put_user(
    advertiser: String,
    user: Option<String>,
    request: &mut ApiRequest,
) -> Result<Member, ApiError> {
    let mut body = request.take_body()?;
    if body.contains_key("user") {
        request.version.upgrade(ResourceKind::User, &mut body);
    }
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = match reader.object("user") {
        Some(Some(map)) => user_object::read_map(request.version, map, reader.child("user")),
        absent_or_null => {
            // An invalid value is a problem already.
            if absent_or_null.is_some() || !reader.is_present("user") {
                reader.error("user", BLANK);
            }
            UserPatch::default()
        }
    };
    reader.finish();
    let submitted = Submission { change, problems };
    let precondition = request.precondition(ResourceKind::User, user_object::render);
    request
        .write(move |unit, context| {
            users::put(unit, context, &advertiser, user.as_deref(), submitted, &precondition)
        })
        .await
}

async fn delete(
    Path((advertiser, user)): Path<(String, String)>,
    request: ApiRequest,
) -> Response<Body> {
    let deleted =
        request.write(move |unit, context| users::delete(unit, context, &advertiser, &user)).await;
    request.respond(ResourceKind::Unversioned, deleted.map(|()| Object::new()))
}
