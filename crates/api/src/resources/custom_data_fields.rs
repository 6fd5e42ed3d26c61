//! `/custom_data_fields`: what a network may hang on its objects.

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
use serde_json::{Value, json};
use trunkline_domain::party::{CustomDataField, DataType, NAME_LIMIT};
use trunkline_domain::problem::{INVALID, Problems};
use trunkline_network::Submitted;
use trunkline_network::custom_data_fields::{self as fields_of, FieldChange};

/// Values that a category can have.
const VALUES: usize = 1_000;

pub(super) fn routes() -> Routes {
    Routes::new().route("/api/custom_data_fields", get(list).post(create)).route(
        "/api/custom_data_fields/{partner_name}",
        get(show).post(write).put(write).delete(delete),
    )
}

async fn list(incoming: Incoming) -> Response<Body> {
    incoming.reply_list(Kind::Plain, |session, context, page| {
        let found = fields_of::list(session, context, page)?;
        let last = found.last().map(|(id, _)| *id);
        Ok(Part { objects: found.iter().map(|(_, field)| render(field)).collect(), last })
    })
}

async fn show(Path(name): Path<String>, incoming: Incoming) -> Response<Body> {
    let found = incoming.look(|session, context| fields_of::get(session, context, &name)).await;
    incoming.reply(Kind::Plain, found.map(|field| render(&field)))
}

async fn create(mut incoming: Incoming) -> Response<Body> {
    let result = put(None, &mut incoming).await;
    incoming.reply(Kind::Plain, result.map(|field| render(&field)))
}

async fn write(Path(name): Path<String>, mut incoming: Incoming) -> Response<Body> {
    let result = put(Some(name), &mut incoming).await;
    incoming.reply(Kind::Plain, result.map(|field| render(&field)))
}

async fn put(
    path_name: Option<String>,
    incoming: &mut Incoming,
) -> Result<CustomDataField, Refusal> {
    let body = incoming.take_body()?;
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let change = FieldChange {
        partner_name: fields.name("partner_name"),
        friendly_name: fields.name("friendly_name"),
        data_type: fields.word_or_default("data_type", DataType::parse),
        field_values: fields.array("field_values", VALUES, |value, reading| match value {
            Value::String(said) if said.chars().count() <= NAME_LIMIT => Some(said.clone()),
            _ => {
                reading.problems.add(INVALID);
                None
            }
        }),
    };
    fields.finish();
    let submitted = Submitted { change, problems };
    let guard = incoming.guard(Kind::Plain, render);
    incoming
        .write(move |session, context| {
            fields_of::put(session, context, path_name.as_deref(), submitted, &guard)
        })
        .await
}

async fn delete(Path(name): Path<String>, incoming: Incoming) -> Response<Body> {
    let deleted =
        incoming.write(move |session, context| fields_of::delete(session, context, &name)).await;
    incoming.reply(Kind::Plain, deleted.map(|()| Object::new()))
}

fn render(field: &CustomDataField) -> Object {
    let mut object = Object::new();
    object.insert("partner_name".to_owned(), json!(field.partner_name));
    object.insert("friendly_name".to_owned(), json!(field.friendly_name));
    object.insert("data_type".to_owned(), json!(field.data_type.as_str()));
    object.insert("field_values".to_owned(), json!(field.field_values));
    object
}
