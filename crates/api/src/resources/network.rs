//! `/network`: the network and its users.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading};
use crate::incoming::Incoming;
use crate::reply::Object;
use crate::resources::users;
use crate::routes::{Routes, get};
use crate::versions::Kind;
use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};
use trunkline_domain::party::{Network, USER_LIMIT};
use trunkline_domain::problem::Problems;
use trunkline_network::Submitted;
use trunkline_network::networks::{self, NetworkChange};

pub(super) fn routes() -> Routes {
    Routes::new().route("/api/network", get(show).post(write).put(write))
}

async fn show(incoming: Incoming) -> Response<Body> {
    let result = incoming.look(networks::get).await;
    incoming.reply(Kind::Network, result.map(|network| render(&network)))
}

async fn write(mut incoming: Incoming) -> Response<Body> {
    let result = put(&mut incoming).await;
    incoming.reply(Kind::Network, result.map(|network| render(&network)))
}

async fn put(incoming: &mut Incoming) -> Result<Network, Refusal> {
    let mut body = incoming.take_body()?;
    incoming.version.upgrade(Kind::Network, &mut body);
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let change = NetworkChange {
        name: fields.name("name"),
        users: fields.array("users", USER_LIMIT, users::read_item(incoming.version)),
    };
    fields.finish();
    let submitted = Submitted { change, problems };
    let guard = incoming.guard(Kind::Network, render);
    incoming.write(move |session, context| networks::put(session, context, submitted, &guard)).await
}

fn render(network: &Network) -> Object {
    let users: Vec<Value> =
        network.members.iter().map(|member| Value::Object(users::render(member))).collect();
    let mut object = Object::new();
    object.insert("name".to_owned(), json!(network.name));
    object.insert("users".to_owned(), users.into());
    object
}
