//! Every refusal: two shapes, and the statuses they come with.

use super::operation::{HEADERS, headers};
use super::shapes::{Schemas, described, reference, word};
use serde_json::{Map, Value, json};

/// The classes of problems that are not about the request's properties.
const CLASSES: [&str; 12] = [
    "BadRequest",
    "InvalidApiVersion",
    "Unauthorized",
    "UnauthorizedOperation",
    "RecordNotFound",
    "MethodNotAllowed",
    "RequestTimeout",
    "PreconditionFailed",
    "RequestTooLarge",
    "UnsupportedMediaType",
    "TooManyRequests",
    "ServiceUnavailable",
];

pub(super) fn schemas() -> Schemas {
    let mut classes = CLASSES.to_vec();
    classes.push("InternalServiceError");
    vec![
        (
            "Problem",
            json!({
                "title": "Problem",
                "description": "A refusal that is not about one property of the request.",
                "type": "object",
                "required": ["errors"],
                "additionalProperties": false,
                "properties": {"errors": {
                    "type": "object",
                    "required": ["invalid_data", "class"],
                    "additionalProperties": false,
                    "properties": {
                        "invalid_data": {"type": "string", "description": "What is wrong, for people."},
                        "class": word(&classes, "What is wrong, for programs."),
                    },
                }},
                "examples": [{"errors": {"invalid_data": "Could not find Affiliate 222", "class": "RecordNotFound"}}],
            }),
        ),
        ("ValidationErrors", validation()),
        ("PropertyErrors", property_errors()),
    ]
}

fn validation() -> Value {
    json!({
        "title": "Validation errors",
        "description": "Every problem of a request at once, in the shape of the request: messages in arrays at the property they are about. In an array of hashes a hash that is in order is `{}`, and the array ends with the last one that is not.",
        "type": "object",
        "required": ["errors"],
        "additionalProperties": false,
        "properties": {
            "errors": {
                "type": "object",
                "minProperties": 1,
                "not": {"required": ["invalid_data", "class"]},
                "additionalProperties": reference("PropertyErrors"),
            },
            "error": {
                "type": "object",
                "description": "Problems of an IVR tree once more, as older clients look for them.",
                "required": ["ivr_tree"],
                "additionalProperties": false,
                "properties": {"ivr_tree": reference("PropertyErrors")},
            },
            "status": {"type": "string", "description": "On a refused transition of an affiliate campaign: the status the documents repeat."},
        },
        "examples": [{"errors": {
            "name": ["can't be blank"],
            "users": [{}, {"email_settings": [{"email_address": ["is invalid"]}]}],
        }}],
    })
}

fn property_errors() -> Value {
    json!({
        "title": "Errors of a property",
        "description": "Messages, or the same again one level down: a hash by property, or an array by place. Children of an IVR node are named by their index: `{\"children\": [{\"0\": {\"prompt\": [\"cannot be empty\"]}}]}`.",
        "anyOf": [
            {"type": "array", "items": {"anyOf": [
                {"type": "string"},
                {"type": "object", "additionalProperties": reference("PropertyErrors")},
                {"type": "array", "items": {"type": "string"}},
            ]}},
            {"type": "object", "additionalProperties": reference("PropertyErrors")},
        ],
        "examples": [["can't be blank"]],
    })
}

/// The refusals that many operations share.
pub(super) fn responses() -> Value {
    let mut responses = Map::new();
    let mut put = |name: &str, more: &[&str], class: &str, description: &str, message: &str| {
        let names: Vec<&str> = HEADERS.iter().chain(more).copied().collect();
        let example = json!({"errors": {"invalid_data": message, "class": class}});
        let response = json!({
            "description": description,
            "headers": headers(&names),
            "content": {"application/json": {"schema": reference("Problem"), "example": example}},
        });
        responses.insert(name.to_owned(), response);
    };
    put(
        "BadRequest",
        &[],
        "BadRequest",
        "Malformed: the path's encoding or version, or the body's JSON, with line and column.",
        "the body is not valid JSON: expected `,` or `}` at line 3 column 4",
    );
    put(
        "Unauthorized",
        &["WWW-Authenticate"],
        "Unauthorized",
        "No credential, or a wrong one.",
        "Access is not authorized: a valid credential is needed",
    );
    put(
        "NotFound",
        &[],
        "RecordNotFound",
        "There is no such object, or none that this credential sees.",
        "Could not find Affiliate 222",
    );
    put(
        "MethodNotAllowed",
        &["Allow"],
        "MethodNotAllowed",
        "The path does not take this method, on this version; `Allow` says which it takes.",
        "this path takes POST",
    );
    put(
        "RequestTimeout",
        &[],
        "RequestTimeout",
        "The body did not arrive in time (30 seconds by default).",
        "the body took too long",
    );
    put(
        "PreconditionFailed",
        &[],
        "PreconditionFailed",
        "`If-Match` names another state than the object is in: it has been overtaken.",
        "the object has been changed since it was read",
    );
    put(
        "RequestTooLarge",
        &[],
        "RequestTooLarge",
        "The body is over the limit (1 MiB by default).",
        "the body is over the limit of 1048576 bytes",
    );
    put(
        "UnsupportedMediaType",
        &[],
        "UnsupportedMediaType",
        "The body is not JSON.",
        "the body must be JSON, with Content-Type: application/json",
    );
    put(
        "TooManyRequests",
        &["Retry-After"],
        "TooManyRequests",
        "The credential's rate limit is used up; `Retry-After` says for how many seconds.",
        "more than 2000 requests in a second",
    );
    put(
        "InternalServiceError",
        &[],
        "InternalServiceError",
        "Our own fault. The handle is in the server's log, beside the cause.",
        "refer to error handle 3735928559",
    );
    put(
        "ServiceUnavailable",
        &["Retry-After"],
        "ServiceUnavailable",
        "The database is busy, or closing. Try again.",
        "the database is busy: try again",
    );
    put(
        "InsufficientStorage",
        &["Retry-After"],
        "ServiceUnavailable",
        "There is no room to store this.",
        "there is no room to store this",
    );
    responses.insert("Refused".to_owned(), refused());
    responses.insert("NotModified".to_owned(), not_modified());
    Value::Object(responses)
}

/// 403 is for arguments that are invalid as well as for what is not allowed.
fn refused() -> Value {
    let schema = json!({"anyOf": [reference("ValidationErrors"), reference("Problem")]});
    json!({
        "description": "Arguments are invalid (each problem at its property), or this is not allowed (class `UnauthorizedOperation`). Validation is 403 here, never 400 or 422.",
        "headers": headers(&HEADERS),
        "content": {"application/json": {
            "schema": described(schema, "One of the two, told apart by `class`."),
            "examples": {
                "invalid": {"value": {"errors": {"name": ["can't be blank"]}}},
                "not_allowed": {"value": {"errors": {
                    "invalid_data": "this credential is not for network 2",
                    "class": "UnauthorizedOperation",
                }}},
            },
        }},
    })
}

fn not_modified() -> Value {
    json!({
        "description": "The object is as `If-None-Match` knows it. No body.",
        "headers": headers(&["X-Request-Id", "ETag"]),
    })
}
