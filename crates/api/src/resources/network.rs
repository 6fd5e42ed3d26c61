//! `/network`: the network and its users.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::resources::users;
use crate::routes::{Routes, get};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};
use trunkline_domain::party::{MAX_USERS_PER_ORGANIZATION, Network};
use trunkline_domain::problem::Problems;
use trunkline_network::Submission;
use trunkline_network::networks::{self, NetworkChange};

pub(super) fn routes() -> Routes {
    Routes::new().route("/api/network", get(show).post(put).put(put))
}

async fn show(request: ApiRequest) -> Response<Body> {
    let result = request.read_one(networks::get).await;
    request.respond(ResourceKind::Network, result.map(|network| render(&network)))
}

async fn put(mut request: ApiRequest) -> Response<Body> {
    let result = put_network(&mut request).await;
    request.respond(ResourceKind::Network, result.map(|network| render(&network)))
}

async fn put_network(request: &mut ApiRequest) -> Result<Network, ApiError> {
    let mut body = request.take_body()?;
    request.version.upgrade(ResourceKind::Network, &mut body);
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = NetworkChange {
        name: reader.name("name"),
        users: reader.array("users", MAX_USERS_PER_ORGANIZATION, users::read_item(request.version)),
    };
    reader.finish();
    let submitted = Submission { change, problems };
    let precondition = request.precondition(ResourceKind::Network, render);
    request.write(move |unit, context| networks::put(unit, context, submitted, &precondition)).await
}

fn render(network: &Network) -> Object {
    let users: Vec<Value> =
        network.members.iter().map(|member| Value::Object(users::render(member))).collect();
    let mut object = Object::new();
    object.insert("name".to_owned(), json!(network.name));
    object.insert("users".to_owned(), users.into());
    object
}
