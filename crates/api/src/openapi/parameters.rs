//! Parameters, headers and credentials that the operations share.

use serde_json::{Map, Value, json};
use trunkline_domain::party::NAME_LIMIT;

/// Dates from the newest change on, each a calendar date but 29 February.
const VERSION: &str = r"^(2022-08-(0[1-9]|[12][0-9]|3[01])|2022-(09|11)-(0[1-9]|[12][0-9]|30)|2022-1[02]-(0[1-9]|[12][0-9]|3[01])|20(2[3-9]|[3-9][0-9])-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31))$";

/// A path's parameter: its name in the route, what it is, and an example.
struct InPath {
    component: &'static str,
    name: &'static str,
    description: &'static str,
    example: &'static str,
}

const IN_PATH: &[InPath] = &[
    InPath {
        component: "advertiser",
        name: "advertiser",
        description: "The network's id of the advertiser, percent-encoded.",
        example: "354",
    },
    InPath {
        component: "affiliate",
        name: "affiliate",
        description: "The network's id of the affiliate, percent-encoded.",
        example: "976",
    },
    InPath {
        component: "campaign",
        name: "campaign",
        description: "The network's id of the advertiser campaign, percent-encoded.",
        example: "12",
    },
    InPath {
        component: "user",
        name: "user",
        description: "The network's id of the user, percent-encoded.",
        example: "1231",
    },
    InPath {
        component: "email",
        name: "email",
        description: "One of the user's e-mail addresses, percent-encoded.",
        example: "ada@example.com",
    },
    InPath {
        component: "partner_name",
        name: "partner_name",
        description: "The field's key in `custom_data`, percent-encoded.",
        example: "channel",
    },
    InPath {
        component: "number",
        name: "number",
        description: "The promo number, as people write it or as digits.",
        example: "8005550142",
    },
    InPath {
        component: "affiliate_campaign_id",
        name: "id",
        description: "The network's id of the affiliate campaign; 404 when it is another's.",
        example: "2234",
    },
    InPath {
        component: "promo_number_id",
        name: "id",
        description: "The network's id of the promo number.",
        example: "77",
    },
    InPath { component: "call_id", name: "id", description: "The call's id.", example: "1" },
    InPath { component: "audit_id", name: "id", description: "The entry's id.", example: "1" },
    InPath { component: "network", name: "network", description: "The network.", example: "1" },
    InPath {
        component: "transaction",
        name: "transaction",
        description: "The transaction_id.",
        example: "1",
    },
    InPath {
        component: "network_id",
        name: "network_id",
        description: "The network. Under `/api/` it may be left out: then it is the credential's own.",
        example: "1",
    },
    InPath {
        component: "webhook_id",
        name: "id",
        description: "Our id of the webhook.",
        example: "1",
    },
    InPath {
        component: "delivery",
        name: "delivery",
        description: "Our id of the delivery.",
        example: "1",
    },
    InPath {
        component: "version",
        name: "version",
        description: "The date of the contract, `YYYY-MM-DD`. This document describes dates from 2022-08-01 on. Any date from 2014-01-01 on is taken, and gets the shapes that were in force on it; see the introduction.",
        example: "2023-10-09",
    },
];

/// The component that describes a parameter of a route: most go by their name, `id` by its route.
pub(super) fn component_of(route: &str, name: &str) -> &'static str {
    if name == "id" {
        return match route {
            _ if route.contains("/promo_numbers_by_id/") => "promo_number_id",
            _ if route.contains("/calls/") => "call_id",
            _ if route.contains("/audit/") => "audit_id",
            _ if route.contains("/webhooks/") => "webhook_id",
            _ => "affiliate_campaign_id",
        };
    }
    IN_PATH.iter().find(|it| it.name == name).map_or("affiliate_campaign_id", |it| it.component)
}

fn schema_of(component: &str) -> Value {
    match component {
        "version" => json!({"type": "string", "pattern": VERSION}),
        "network_id" => json!({"type": "integer", "minimum": 1, "maximum": i64::MAX}),
        "audit_id" | "call_id" | "network" | "transaction" | "webhook_id" | "delivery" => {
            json!({"type": "integer", "minimum": 1, "maximum": i64::MAX})
        }
        _ => json!({"type": "string", "minLength": 1, "maxLength": NAME_LIMIT}),
    }
}

/// Every parameter that is a component.
pub(super) fn parameters() -> Value {
    let mut parameters = Map::new();
    for InPath { component, name, description, example } in IN_PATH {
        let schema = schema_of(component);
        let is_number = schema.get("type") == Some(&json!("integer"));
        let number = example.parse::<i64>().ok().filter(|_| is_number);
        let example = number.map_or_else(|| json!(example), |number| json!(number));
        let parameter = json!({
            "name": name,
            "in": "path",
            "required": true,
            "description": description,
            "schema": schema,
            "example": example,
        });
        parameters.insert((*component).to_owned(), parameter);
    }
    let more = json!({
        "limit": {
            "name": "limit", "in": "query",
            "description": "The most objects to answer with. Without it the list is complete.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 4000},
        },
        "start_after_id": {
            "name": "start_after_id", "in": "query",
            "description": "Our id of the last object of the page before; the `Link` header has it.",
            "schema": {"type": "integer", "minimum": 0, "maximum": i64::MAX, "default": 0},
        },
        "timeout": {
            "name": "timeout", "in": "query",
            "description": "Seconds to wait for it to be live. Here it is live at once: the number is only checked.",
            "schema": {"type": "integer", "minimum": 2, "maximum": 60},
        },
        "If-None-Match": {
            "name": "If-None-Match", "in": "header",
            "description": "The `ETag` of the answer that the client has: 304 while it is the same.",
            "schema": {"type": "string", "pattern": "^(\"[0-9a-f]{32}\"|\\*)$"},
        },
        "If-Match": {
            "name": "If-Match", "in": "header",
            "description": "The `ETag` of the state that this write is about: 412 when somebody else has changed it since.",
            "schema": {"type": "string", "pattern": "^(\"[0-9a-f]{32}\"|\\*)$"},
        },
        "Idempotency-Key": {
            "name": "Idempotency-Key", "in": "header",
            "description": "Makes it safe to ask again: for 24 hours the same key gets the first answer, and does nothing again. With another request it is refused.",
            "schema": {"type": "string", "minLength": 1, "maxLength": NAME_LIMIT, "pattern": "^[!-~]+$"},
        },
    });
    parameters.extend(more.as_object().cloned().unwrap_or_default());
    for more in [audit(), calls(), events(), super::transactions::parameters()] {
        parameters.extend(more.as_object().cloned().unwrap_or_default());
    }
    Value::Object(parameters)
}

/// What events, and what is sent of them, can be narrowed by.
fn events() -> Value {
    json!({
        "types": {
            "name": "types", "in": "query",
            "description": "Only events of these types, comma-separated; all without it.",
            "schema": {"type": "string", "pattern": types()}, "example": "transaction.created,budget.alert",
        },
        "last_event_id": {
            "name": "last_event_id", "in": "query",
            "description": "As the header `Last-Event-ID`, which counts where both are given.",
            "schema": {"type": "integer", "minimum": 0, "maximum": i64::MAX},
        },
        "Last-Event-ID": {
            "name": "Last-Event-ID", "in": "header",
            "description": "The last event that the client heard: what happened after it is told first.",
            "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
        },
        "delivery_state": {
            "name": "state", "in": "query",
            "description": "Only deliveries in this state.",
            "schema": {"type": "string", "enum": ["pending", "delivered", "failed"]},
        },
        "mail_state": {
            "name": "state", "in": "query",
            "description": "Only mails in this state.",
            "schema": {"type": "string", "enum": ["waiting", "sent", "failed", "expired"]},
        },
    })
}

/// A list of types of events.
fn types() -> String {
    let word = trunkline_domain::event::KINDS.join("|").replace('.', r"\.");
    format!("^({word})(,({word}))*$")
}

/// What a list of the audit log can be narrowed by.
fn audit() -> Value {
    let date = r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$";
    json!({
        "object": {
            "name": "object", "in": "query",
            "description": "Only entries of this object.",
            "schema": {"type": "string"}, "example": "affiliate_campaign:975/12",
        },
        "actor": {
            "name": "actor", "in": "query",
            "description": "Only what this token or user did.",
            "schema": {"type": "string"}, "example": "token:1",
        },
        "from": {
            "name": "from", "in": "query",
            "description": "Only entries from this moment on: a date, or a date and a time, in the network's zone unless it has an offset.",
            "schema": {"type": "string", "pattern": date}, "example": "2026-11-01",
        },
        "to": {
            "name": "to", "in": "query",
            "description": "Only entries up to this moment; a date means its end.",
            "schema": {"type": "string", "pattern": date}, "example": "2026-11-20",
        },
    })
}

/// What a list of calls can be narrowed by.
fn calls() -> Value {
    json!({
        "calls_of_campaign": {
            "name": "advertiser_campaign", "in": "query",
            "description": "Only a campaign's calls, by the network's id.",
            "schema": {"type": "string"}, "example": "12",
        },
        "calls_live": {
            "name": "live", "in": "query",
            "description": "`true`: only calls under way; `false`: only those that are over.",
            "schema": {"type": "string", "enum": ["true", "false"]}, "example": "true",
        },
    })
}

/// Headers of answers.
pub(super) fn headers() -> Value {
    let header = |required: bool, description: &str, schema: Value| json!({"required": required, "description": description, "schema": schema});
    let text = || json!({"type": "string"});
    let seconds = || json!({"type": "integer", "minimum": 0});
    json!({
        "X-Request-Id": header(true, "The request's id: the client's own (1–128 printable ASCII characters), or one that is made up. It is in the log and in the audit log.", json!({"type": "string", "minLength": 1, "maxLength": 128})),
        "RateLimit": header(false, "What is left of the credential's rate limit: `\"default\";r=1999;t=1`. Not sent where there is no limit.", text()),
        "RateLimit-Policy": header(false, "The credential's rate limit: `\"default\";q=2000;w=1`, requests in a second.", text()),
        "Trunkline-Ignored": header(false, "Names of the request's properties that are read-only or unknown, comma-separated.", text()),
        "ETag": header(true, "A strong tag of the object as it is answered, for `If-None-Match` and `If-Match`.", json!({"type": "string", "pattern": "^\"[0-9a-f]{32}\"$"})),
        "Link": header(false, "Where the list goes on, when there is more: `<…>; rel=\"next\"`.", text()),
        "Allow": header(true, "The methods that the path takes.", text()),
        "Retry-After": header(true, "Seconds to wait.", seconds()),
        "WWW-Authenticate": header(true, "How to authenticate.", text()),
    })
}

/// The forms of a credential, any one of them.
pub(super) fn security_schemes() -> Value {
    json!({
        "token": {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "description": "The token by itself: `Authorization: <token>`.",
        },
        "bearer": {
            "type": "http", "scheme": "bearer",
            "description": "`Authorization: Bearer <token>`.",
        },
        "basic": {
            "type": "http", "scheme": "basic",
            "description": "A user's e-mail address and password, or a token as the user name.",
        },
        "oauth_token": {
            "type": "apiKey", "in": "query", "name": "oauth_token",
            "description": "`?oauth_token=<token>`; it is taken as a top-level property of a JSON body too.",
        },
    })
}
