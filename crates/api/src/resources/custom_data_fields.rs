//! `/custom_data_fields`: definitions of the custom data that a network's objects can have.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::list_response::ListPage;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::routes::{Routes, get};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::{Value, json};
use trunkline_domain::party::{CustomDataField, DataType, MAX_NAME_CHARS};
use trunkline_domain::problem::{INVALID, Problems};
use trunkline_network::Submission;
use trunkline_network::custom_data_fields::{self as custom_data, FieldChange};

/// Maximum number of values of a field.
const MAX_FIELD_VALUES: usize = 1_000;

pub(super) fn routes() -> Routes {
    Routes::new().route("/api/custom_data_fields", get(list).post(create)).route(
        "/api/custom_data_fields/{partner_name}",
        get(show).post(put).put(put).delete(delete),
    )
}

async fn list(request: ApiRequest) -> Response<Body> {
    request
        .respond_list(ResourceKind::Unversioned, |unit, context, page| {
            let fields = custom_data::list(unit, context, page)?;
            let next_cursor = fields.last().map(|stored| stored.id.get());
            Ok(ListPage {
                objects: fields.iter().map(|stored| render(&stored.field)).collect(),
                next_cursor,
            })
        })
        .await
}

async fn show(Path(name): Path<String>, request: ApiRequest) -> Response<Body> {
    let result = request.read_one(|unit, context| custom_data::get(unit, context, &name)).await;
    request.respond(ResourceKind::Unversioned, result.map(|field| render(&field)))
}

async fn create(mut request: ApiRequest) -> Response<Body> {
    let result = put_field(None, &mut request).await;
    request.respond(ResourceKind::Unversioned, result.map(|field| render(&field)))
}

async fn put(Path(name): Path<String>, mut request: ApiRequest) -> Response<Body> {
    let result = put_field(Some(name), &mut request).await;
    request.respond(ResourceKind::Unversioned, result.map(|field| render(&field)))
}

async fn put_field(
    path_name: Option<String>,
    request: &mut ApiRequest,
) -> Result<CustomDataField, ApiError> {
    let body = request.take_body()?;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = FieldChange {
        partner_name: reader.name("partner_name"),
        friendly_name: reader.name("friendly_name"),
        data_type: reader.enum_value_or_default("data_type", DataType::parse),
        field_values: reader.array("field_values", MAX_FIELD_VALUES, |value, read_context| {
            match value {
                Value::String(text) if text.chars().count() <= MAX_NAME_CHARS => Some(text.clone()),
                _ => {
                    read_context.problems.add(INVALID);
                    None
                }
            }
        }),
    };
    reader.finish();
    let submitted = Submission { change, problems };
    let precondition = request.precondition(ResourceKind::Unversioned, render);
    request
        .write(move |unit, context| {
            custom_data::put(unit, context, path_name.as_deref(), submitted, &precondition)
        })
        .await
}

async fn delete(Path(name): Path<String>, request: ApiRequest) -> Response<Body> {
    let deleted =
        request.write(move |unit, context| custom_data::delete(unit, context, &name)).await;
    request.respond(ResourceKind::Unversioned, deleted.map(|()| Object::new()))
}

fn render(field: &CustomDataField) -> Object {
    let mut object = Object::new();
    object.insert("partner_name".to_owned(), json!(field.partner_name));
    object.insert("friendly_name".to_owned(), json!(field.friendly_name));
    object.insert("data_type".to_owned(), json!(field.data_type.as_str()));
    object.insert("field_values".to_owned(), json!(field.field_values));
    object
}
