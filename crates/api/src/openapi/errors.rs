//! Every refusal: two shapes, and the statuses they come with.

use super::operation::{HEADERS, headers};
use super::shapes::{Schemas, described, reference, word};
use serde_json::{Map, Value, json};

/// The classes of problems that are not about the request's properties.
const CLASSES: [&str; 13] = [
    "BadRequest",
    "InvalidApiVersion",
    "Unauthorized",
    "UnauthorizedOperation",
    "RecordNotFound",
    "MethodNotAllowed",
    "RequestTimeout",
    "Conflict",
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

/// A refusal that many operations share.
struct Shared {
    name: &'static str,
    /// A header besides those of every answer.
    header: Option<&'static str>,
    class: &'static str,
    about: &'static str,
    message: &'static str,
}

const SHARED: [Shared; 13] = [
    Shared {
        name: "BadRequest",
        header: None,
        class: "BadRequest",
        about: "Malformed: the path's encoding or version, or the body's JSON, with line and column.",
        message: "the body is not valid JSON: expected `,` or `}` at line 3 column 4",
    },
    Shared {
        name: "Unauthorized",
        header: Some("WWW-Authenticate"),
        class: "Unauthorized",
        about: "No credential, or a wrong one.",
        message: "Access is not authorized: a valid credential is needed",
    },
    Shared {
        name: "NotFound",
        header: None,
        class: "RecordNotFound",
        about: "There is no such object, or none that this credential sees.",
        message: "Could not find Affiliate 222",
    },
    Shared {
        name: "MethodNotAllowed",
        header: Some("Allow"),
        class: "MethodNotAllowed",
        about: "The path does not take this method, on this version; `Allow` says which it takes.",
        message: "this path takes POST",
    },
    Shared {
        name: "RequestTimeout",
        header: None,
        class: "RequestTimeout",
        about: "The body did not arrive in time (30 seconds by default).",
        message: "the body took too long",
    },
    Shared {
        name: "Conflict",
        header: None,
        class: "Conflict",
        about: "The id was used for something else.",
        message: "external_call_unique_id call-1 was used for another call",
    },
    Shared {
        name: "PreconditionFailed",
        header: None,
        class: "PreconditionFailed",
        about: "`If-Match` names another state than the object is in: it has been overtaken.",
        message: "the object has been changed since it was read",
    },
    Shared {
        name: "RequestTooLarge",
        header: None,
        class: "RequestTooLarge",
        about: "The body is over the limit (1 MiB by default).",
        message: "the body is over the limit of 1048576 bytes",
    },
    Shared {
        name: "UnsupportedMediaType",
        header: None,
        class: "UnsupportedMediaType",
        about: "The body is not JSON.",
        message: "the body must be JSON, with Content-Type: application/json",
    },
    Shared {
        name: "TooManyRequests",
        header: Some("Retry-After"),
        class: "TooManyRequests",
        about: "The credential's rate limit is used up; `Retry-After` says for how many seconds.",
        message: "more than 2000 requests in a second",
    },
    Shared {
        name: "InternalServiceError",
        header: None,
        class: "InternalServiceError",
        about: "Our own fault. The handle is in the server's log, beside the cause.",
        message: "refer to error handle 3735928559",
    },
    Shared {
        name: "ServiceUnavailable",
        header: Some("Retry-After"),
        class: "ServiceUnavailable",
        about: "The database is busy, or closing. Try again.",
        message: "the database is busy: try again",
    },
    Shared {
        name: "InsufficientStorage",
        header: Some("Retry-After"),
        class: "ServiceUnavailable",
        about: "There is no room to store this.",
        message: "there is no room to store this",
    },
];

/// The refusals that many operations share.
pub(super) fn responses() -> Value {
    let mut responses = Map::new();
    for Shared { name, header, class, about, message } in SHARED {
        let names: Vec<&str> = HEADERS.into_iter().chain(header).collect();
        let example = json!({"errors": {"invalid_data": message, "class": class}});
        let response = json!({
            "description": about,
            "headers": headers(&names),
            "content": {"application/json": {"schema": reference("Problem"), "example": example}},
        });
        responses.insert(name.to_owned(), response);
    }
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
