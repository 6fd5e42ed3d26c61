//! Error responses: two body schemas, and the shared responses by status.

use super::operation::{COMMON_HEADERS, header_references};
use super::schema::{NamedSchemas, enumeration, schema_reference};
use serde_json::{Map, Value, json};

/// Classes of errors that do not concern a property of the request.
const CLASSES: [&str; 14] = [
    "BadRequest",
    "InvalidApiVersion",
    "Unauthorized",
    "UnauthorizedOperation",
    "RecordNotFound",
    "MethodNotAllowed",
    "RequestTimeout",
    "Conflict",
    "Gone",
    "PreconditionFailed",
    "RequestTooLarge",
    "UnsupportedMediaType",
    "TooManyRequests",
    "ServiceUnavailable",
];

pub(super) fn schemas() -> NamedSchemas {
    let mut classes = CLASSES.to_vec();
    classes.push("InternalServiceError");
    vec![
        (
            "Problem",
            json!({
                "description": "An error that does not concern one property of the request.",
                "type": "object",
                "required": ["errors"],
                "additionalProperties": false,
                "properties": {"errors": {
                    "type": "object",
                    "required": ["invalid_data", "class"],
                    "additionalProperties": false,
                    "properties": {
                        "invalid_data": {"type": "string", "description": "Message for people."},
                        "class": enumeration(&classes, "Class for programs."),
                    },
                }},
                "examples": [{"errors": {"invalid_data": "Could not find Affiliate 222", "class": "RecordNotFound"}}],
            }),
        ),
        ("ValidationErrors", validation()),
        ("Forbidden", forbidden_body()),
        ("PropertyErrors", property_errors()),
        ("NestedErrors", nested_errors()),
    ]
}

/// Body of 403: one of two schemas.
fn forbidden_body() -> Value {
    json!({
        "description": "Validation errors, or an error that does not concern a property. Only the second has a `class`.",
        "anyOf": [schema_reference("ValidationErrors"), schema_reference("Problem")],
    })
}

fn validation() -> Value {
    json!({
        "description": "All validation errors of the request, in the structure of the request: each property maps to an array of messages. In an array of objects, a valid object is `{}`, and the array ends with the last invalid object.",
        "type": "object",
        "required": ["errors"],
        "additionalProperties": false,
        "properties": {
            "errors": {
                "type": "object",
                "minProperties": 1,
                "not": {"required": ["invalid_data", "class"]},
                "additionalProperties": schema_reference("PropertyErrors"),
            },
            "error": {
                "type": "object",
                "description": "Copy of the errors of an IVR tree, for older clients.",
                "required": ["ivr_tree"],
                "additionalProperties": false,
                "properties": {"ivr_tree": schema_reference("PropertyErrors")},
            },
            "status": {"type": "string", "description": "On a rejected transition of an affiliate campaign: the requested status."},
        },
        "examples": [{"errors": {
            "name": ["can't be blank"],
            "users": [{}, {"email_settings": [{"email_address": ["is invalid"]}]}],
        }}],
    })
}

/// Object of [`property_errors`]. It is a component of its own, as client generators can express a
/// recursive object but not a recursive union.
fn nested_errors() -> Value {
    json!({
        "description": "Errors of a nested object, by property.",
        "type": "object",
        "additionalProperties": schema_reference("PropertyErrors"),
    })
}

fn property_errors() -> Value {
    json!({
        "description": "Messages, or nested errors: an object by property, or an array by position. Children of an IVR node are keyed by their index: `{\"children\": [{\"0\": {\"prompt\": [\"cannot be empty\"]}}]}`.",
        "anyOf": [
            {"type": "array", "items": {"anyOf": [
                {"type": "string"},
                schema_reference("NestedErrors"),
                {"type": "array", "items": {"type": "string"}},
            ]}},
            schema_reference("NestedErrors"),
        ],
        "examples": [["can't be blank"]],
    })
}

/// Error response of several operations.
struct SharedResponse {
    name: &'static str,
    /// Required header besides [`COMMON_HEADERS`].
    header: Option<&'static str>,
    class: &'static str,
    description: &'static str,
    /// Message of the example.
    message: &'static str,
}

const SHARED_RESPONSES: [SharedResponse; 14] = [
    SharedResponse {
        name: "BadRequest",
        header: None,
        class: "BadRequest",
        description: "The path's encoding or version is malformed, or the body's JSON (the message gives line and column).",
        message: "the body is not valid JSON: expected `,` or `}` at line 3 column 4",
    },
    SharedResponse {
        name: "Unauthorized",
        header: Some("WWW-Authenticate"),
        class: "Unauthorized",
        description: "The credential is missing or invalid.",
        message: "Access is not authorized: a valid credential is needed",
    },
    SharedResponse {
        name: "NotFound",
        header: None,
        class: "RecordNotFound",
        description: "The object does not exist, or this credential may not read it.",
        message: "Could not find Affiliate 222",
    },
    SharedResponse {
        name: "MethodNotAllowed",
        header: Some("Allow"),
        class: "MethodNotAllowed",
        description: "The path does not have this method in this version; `Allow` lists its methods.",
        message: "this path allows POST",
    },
    SharedResponse {
        name: "RequestTimeout",
        header: None,
        class: "RequestTimeout",
        description: "The body did not arrive in time (30 seconds by default).",
        message: "the body took too long",
    },
    SharedResponse {
        name: "Conflict",
        header: None,
        class: "Conflict",
        description: "The id is in use for something else.",
        message: "external_call_unique_id call-1 was used for another call",
    },
    SharedResponse {
        name: "Gone",
        header: None,
        class: "Gone",
        description: "The object was deleted.",
        message: "the recording of call 6A1B2C3D was deleted",
    },
    SharedResponse {
        name: "PreconditionFailed",
        header: None,
        class: "PreconditionFailed",
        description: "The object has changed since the state that `If-Match` names.",
        message: "the object has been changed since it was read",
    },
    SharedResponse {
        name: "RequestTooLarge",
        header: None,
        class: "RequestTooLarge",
        description: "The body is over the limit (1 MiB by default).",
        message: "the body is over the limit of 1048576 bytes",
    },
    SharedResponse {
        name: "UnsupportedMediaType",
        header: None,
        class: "UnsupportedMediaType",
        description: "The body is not JSON. The server reads a body of type `application/x-www-form-urlencoded`, the default of curl, as JSON.",
        message: "the body must be JSON, with Content-Type: application/json",
    },
    SharedResponse {
        name: "TooManyRequests",
        header: Some("Retry-After"),
        class: "TooManyRequests",
        description: "The credential's rate limit is exhausted; `Retry-After` is in seconds.",
        message: "more than 2000 requests in a second",
    },
    SharedResponse {
        name: "InternalServiceError",
        header: None,
        class: "InternalServiceError",
        description: "Internal error. The server's log contains the error handle and the cause.",
        message: "refer to error handle 3735928559",
    },
    SharedResponse {
        name: "ServiceUnavailable",
        header: Some("Retry-After"),
        class: "ServiceUnavailable",
        description: "The database is busy or shutting down. Retry later.",
        message: "the database is busy: try again",
    },
    SharedResponse {
        name: "InsufficientStorage",
        header: Some("Retry-After"),
        class: "ServiceUnavailable",
        description: "The database has no space left for the write.",
        message: "the database has no space left",
    },
];

/// Builds the response components.
pub(super) fn responses() -> Value {
    let mut responses = Map::new();
    for SharedResponse { name, header, class, description, message } in SHARED_RESPONSES {
        let names: Vec<&str> = COMMON_HEADERS.into_iter().chain(header).collect();
        let example = json!({"errors": {"invalid_data": message, "class": class}});
        let response = json!({
            "description": description,
            "headers": header_references(&names),
            "content": {"application/json": {"schema": schema_reference("Problem"), "example": example}},
        });
        responses.insert(name.to_owned(), response);
    }
    responses.insert("Refused".to_owned(), forbidden());
    responses.insert("NotModified".to_owned(), not_modified());
    Value::Object(responses)
}

/// 403: invalid arguments, or an operation that is not allowed.
fn forbidden() -> Value {
    json!({
        "description": "Arguments are invalid (errors by property), or the operation is not allowed (class `UnauthorizedOperation`). Validation errors have status 403, never 400 or 422.",
        "headers": header_references(&COMMON_HEADERS),
        "content": {"application/json": {
            "schema": schema_reference("Forbidden"),
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
        "description": "The object has not changed since the state that `If-None-Match` names. No body.",
        "headers": header_references(&["X-Request-Id", "ETag"]),
    })
}
