//! Parameter, header and security scheme components.

use super::live_calls::{OUTCOMES, REASONS};
use serde_json::{Map, Value, json};
use trunkline_domain::event::EVENT_TYPES;
use trunkline_domain::party::MAX_NAME_CHARS;

/// Dates from 2014-01-01 on, as `YYYY-MM-DD`.
const VERSION: &str = "^(201[4-9]|20[2-9][0-9]|2[1-9][0-9]{2}|[3-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";

/// Path parameter.
struct PathParameter {
    /// Name of the parameter component.
    component: &'static str,
    /// Name in the route.
    name: &'static str,
    description: &'static str,
    example: &'static str,
}

const PATH_PARAMETERS: &[PathParameter] = &[
    PathParameter {
        component: "advertiser",
        name: "advertiser",
        description: "External id of the advertiser, percent-encoded.",
        example: "354",
    },
    PathParameter {
        component: "affiliate",
        name: "affiliate",
        description: "External id of the affiliate, percent-encoded.",
        example: "976",
    },
    PathParameter {
        component: "campaign",
        name: "campaign",
        description: "External id of the advertiser campaign, percent-encoded.",
        example: "12",
    },
    PathParameter {
        component: "user",
        name: "user",
        description: "External id of the user, percent-encoded.",
        example: "1231",
    },
    PathParameter {
        component: "email",
        name: "email",
        description: "One of the user's e-mail addresses, percent-encoded.",
        example: "ada@example.com",
    },
    PathParameter {
        component: "partner_name",
        name: "partner_name",
        description: "Key of the field in `custom_data`, percent-encoded.",
        example: "channel",
    },
    PathParameter {
        component: "number",
        name: "number",
        description: "The promo number, as digits, with or without punctuation.",
        example: "8005550142",
    },
    PathParameter {
        component: "affiliate_campaign_id",
        name: "id",
        description: "External id of the affiliate campaign, which must belong to the advertiser campaign and the affiliate of the path.",
        example: "2234",
    },
    PathParameter {
        component: "promo_number_id",
        name: "id",
        description: "External id of the promo number.",
        example: "77",
    },
    PathParameter {
        component: "call_id",
        name: "id",
        description: "Id of the call.",
        example: "1",
    },
    PathParameter {
        component: "recorded_call_id",
        name: "id",
        description: "The call's `complete_call_id`, or its id.",
        example: "6A1B2C3D0123456789ABCDEF",
    },
    PathParameter {
        component: "token",
        name: "token",
        description: "Token of the link.",
        example: "6A1B2C3D0123456789ABCDEF.1795708800.9f86d081",
    },
    PathParameter {
        component: "audit_id",
        name: "id",
        description: "Id of the audit entry.",
        example: "1",
    },
    PathParameter {
        component: "network",
        name: "network",
        description: "Id of the network.",
        example: "1",
    },
    PathParameter {
        component: "transaction",
        name: "transaction",
        description: "The `transaction_id`, or the `complete_call_id` for the newest transaction of a call.",
        example: "1",
    },
    PathParameter {
        component: "network_id",
        name: "network_id",
        description: "Id of the network. Under `/api/` it may be omitted: the credential's network is used.",
        example: "1",
    },
    PathParameter {
        component: "webhook_id",
        name: "id",
        description: "Id of the webhook.",
        example: "1",
    },
    PathParameter {
        component: "token_id",
        name: "id",
        description: "Id of the token.",
        example: "2",
    },
    PathParameter {
        component: "delivery",
        name: "delivery",
        description: "Id of the delivery.",
        example: "1",
    },
    PathParameter {
        component: "version",
        name: "version",
        description: "The date of the contract, `YYYY-MM-DD`. This document describes dates from 2022-08-01 on. The server accepts any date from 2014-01-01 on and applies the contract that was in force on it; see the introduction.",
        example: "2023-10-09",
    },
];

/// Finds the component of a route's parameter: by its name, and for `id` by the route.
pub(super) fn component_name(route: &str, name: &str) -> &'static str {
    if name == "id" {
        return match route {
            _ if route.contains("/promo_numbers_by_id/") => "promo_number_id",
            _ if route.contains("/recording") => "recorded_call_id",
            _ if route.contains("/calls/") => "call_id",
            _ if route.contains("/audit/") => "audit_id",
            _ if route.contains("/webhooks/") => "webhook_id",
            _ if route.contains("/tokens/") => "token_id",
            _ => "affiliate_campaign_id",
        };
    }
    let parameter = PATH_PARAMETERS.iter().find(|parameter| parameter.name == name);
    parameter.map_or("affiliate_campaign_id", |parameter| parameter.component)
}

fn path_schema(component: &str) -> Value {
    match component {
        "version" => json!({"type": "string", "pattern": VERSION}),
        "network_id" => {
            json!({"type": "integer", "minimum": 1, "maximum": i64::MAX, "format": "int64"})
        }
        "audit_id" | "call_id" | "network" | "webhook_id" | "token_id" | "delivery" => {
            json!({"type": "integer", "minimum": 1, "maximum": i64::MAX, "format": "int64"})
        }
        _ => json!({"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARS}),
    }
}

/// Builds the parameter components.
pub(super) fn parameters() -> Value {
    let mut parameters = Map::new();
    for PathParameter { component, name, description, example } in PATH_PARAMETERS {
        let schema = path_schema(component);
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
    let general = json!({
        "limit": {
            "name": "limit", "in": "query",
            "description": "Maximum number of objects to return. Without it the list is complete.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 4000},
        },
        "start_after_id": {
            "name": "start_after_id", "in": "query",
            "description": "`id` of the last object of the previous page; the `Link` header contains it.",
            "schema": {"type": "integer", "minimum": 0, "maximum": i64::MAX, "format": "int64", "default": 0},
        },
        "timeout": {
            "name": "timeout", "in": "query",
            "description": "Seconds to wait until the campaign is live. Trunkline makes it live at once and only validates the number.",
            "schema": {"type": "integer", "minimum": 2, "maximum": 60},
        },
        "If-None-Match": {
            "name": "If-None-Match", "in": "header",
            "description": "`ETag` of the response that the client has, or several, comma-separated, or `*`. A GET gets 304 while the object has not changed; a write gets 412.",
            "schema": {"type": "string"},
        },
        "If-Match": {
            "name": "If-Match", "in": "header",
            "description": "`ETag` of the state that the write is based on, or several, comma-separated, or `*` for any state. The response is 412 when the object has changed since.",
            "schema": {"type": "string"},
        },
        "Idempotency-Key": {
            "name": "Idempotency-Key", "in": "header",
            "description": "Makes a retry safe: for 24 hours the same request with the same key gets the first response and has no further effect. The same key with another request is an error.",
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARS, "pattern": "^[ -~]+$"},
        },
    });
    parameters.extend(general.as_object().cloned().unwrap_or_default());
    let calls_in_progress = super::calls_in_progress::parameters();
    let transactions = super::transactions::parameters();
    for group in [audit(), calls(), call_events(), calls_in_progress, events(), transactions] {
        parameters.extend(group.as_object().cloned().unwrap_or_default());
    }
    Value::Object(parameters)
}

/// Filters of events, deliveries and mails.
fn events() -> Value {
    json!({
        "types": {
            "name": "types", "in": "query",
            "description": "Only events of these types, comma-separated. Default: all types.",
            "style": "form", "explode": false,
            "schema": {"type": "array", "items": {"type": "string", "enum": EVENT_TYPES}}, "example": ["transaction.created", "budget.alert"],
        },
        "last_event_id": {
            "name": "last_event_id", "in": "query",
            "description": "As the header `Last-Event-ID`, which takes precedence.",
            "schema": {"type": "integer", "minimum": 0, "maximum": i64::MAX, "format": "int64"},
        },
        "Last-Event-ID": {
            "name": "Last-Event-ID", "in": "header",
            "description": "Id of the last event that the client received. The stream begins with the events after it.",
            "schema": {"type": "string", "pattern": "^[0-9]*$"},
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

/// Filters of the audit log.
fn audit() -> Value {
    json!({
        "object": {
            "name": "object", "in": "query",
            "description": "Only entries of this object.",
            "schema": {"type": "string"}, "example": "affiliate_campaign:975/12",
        },
        "actor": {
            "name": "actor", "in": "query",
            "description": "Only changes by this token or user.",
            "schema": {"type": "string"}, "example": "token:1",
        },
        "from": {
            "name": "from", "in": "query",
            "description": "Only entries at or after this time: a date, or a date and a time, in the network's time zone unless it has an offset.",
            "schema": {"type": "string", "format": "moment", "maxLength": 128}, "example": "2026-11-01",
        },
        "to": {
            "name": "to", "in": "query",
            "description": "Only entries at or before this time; a date means the end of that day.",
            "schema": {"type": "string", "format": "moment", "maxLength": 128}, "example": "2026-11-20",
        },
    })
}

/// Parameter of the events of a call.
fn call_events() -> Value {
    json!({
        "call_of_advertiser": {
            "name": "advertiser", "in": "query",
            "description": "External id of the advertiser, where several use the id.",
            "schema": {"type": "string", "maxLength": 255}, "example": "354",
        },
    })
}

/// Filters of the list of calls.
fn calls() -> Value {
    json!({
        "calls_of_campaign": {
            "name": "advertiser_campaign", "in": "query",
            "description": "Only calls of the advertiser campaign with this external id.",
            "schema": {"type": "string"}, "example": "12",
        },
        "calls_of_advertiser": {
            "name": "advertiser", "in": "query",
            "description": "Only calls of campaigns of the advertiser with this external id.",
            "schema": {"type": "string"}, "example": "354",
        },
        "calls_of_affiliate": {
            "name": "affiliate", "in": "query",
            "description": "Only calls that the affiliate with this external id brought.",
            "schema": {"type": "string"}, "example": "976",
        },
        "calls_with_external_id": {
            "name": "external_call_unique_id", "in": "query",
            "description": "Only calls that were reported with this id.",
            "schema": {"type": "string"}, "example": "call-1",
        },
        "calls_of_caller": {
            "name": "calling_phone_number", "in": "query",
            "description": "Only calls from this number. Finds no calls that are shown without a number.",
            "schema": {"type": "string", "format": "phone-number", "maxLength": 40}, "example": "8057089876",
        },
        "calls_to_promo_number": {
            "name": "promo_number", "in": "query",
            "description": "Only calls to this promo number, of any holder.",
            "schema": {"type": "string", "format": "phone-number", "maxLength": 40}, "example": "8005550100",
        },
        "calls_with_outcome": {
            "name": "outcome", "in": "query",
            "description": "Only calls with this outcome, by their newest transaction.",
            "schema": {"type": "string", "enum": OUTCOMES}, "example": "connected",
        },
        "calls_with_reason": {
            "name": "reason", "in": "query",
            "description": "Only calls that were rejected for this reason.",
            "schema": {"type": "string", "enum": REASONS}, "example": "over_cap",
        },
        "calls_incomplete": {
            "name": "incomplete", "in": "query",
            "description": "Only connected calls whose end was not reported before their time limit, so that their durations are not known.",
            "schema": {"type": "string", "enum": ["0", "1", "true", "false"]}, "example": "1",
        },
        "calls_of_day": {
            "name": "day", "in": "query",
            "description": "Only calls that started on this day of the network's time zone. Instead of `from` and `to`.",
            "schema": {"type": "string", "format": "moment", "maxLength": 128}, "example": "2026-11-20",
        },
        "calls_from": {
            "name": "from", "in": "query",
            "description": "Only calls that started on this day or at this time, or later.",
            "schema": {"type": "string", "format": "moment", "maxLength": 128}, "example": "2026-11-01",
        },
        "calls_to": {
            "name": "to", "in": "query",
            "description": "Only calls that started on this day or at this time, or earlier.",
            "schema": {"type": "string", "format": "moment", "maxLength": 128}, "example": "2026-11-20",
        },
        "calls_live": {
            "name": "live", "in": "query",
            "description": "`true`: only calls in progress; `false`: only ended calls.",
            "schema": {"type": "string", "enum": ["true", "false"]}, "example": "true",
        },
    })
}

/// Returns the pattern of the values of `Trunkline-Outcome`.
fn outcome_pattern() -> String {
    format!("^turned_away; reason=({})$", REASONS.join("|"))
}

/// Builds the response header components.
pub(super) fn headers() -> Value {
    let header = |required: bool, description: &str, schema: Value| json!({"required": required, "description": description, "schema": schema});
    let text = || json!({"type": "string"});
    let seconds = || json!({"type": "integer", "minimum": 0});
    json!({
        "X-Request-Id": header(true, "Id of the request: sent by the client (1–128 printable ASCII characters), else generated. The server's log and the audit log contain it.", json!({"type": "string", "minLength": 1, "maxLength": 128})),
        "RateLimit": header(false, "Remainder of the credential's rate limit: `\"default\";r=1999;t=1`. Absent without a limit.", text()),
        "RateLimit-Policy": header(false, "The credential's rate limit: `\"default\";q=2000;w=1`, requests per second.", text()),
        "Trunkline-Ignored": header(false, "Read-only and unknown properties of the request, which were ignored, comma-separated.", text()),
        "Trunkline-Resolved-By": header(false, "`id` if a segment of the path was read as the id that the server assigned, because no object has it as its external id.", json!({"type": "string", "enum": ["id"]})),
        "Trunkline-Warning": header(false, "Warning about a write that was carried out, as `<place>: <text>`, such as `users[0]: …`. May be repeated. Characters other than printable ASCII are percent-encoded.", text()),
        "Trunkline-Outcome": header(false, "`turned_away; reason=<reason>` if the call was rejected; absent otherwise.", json!({"type": "string", "pattern": outcome_pattern(), "example": "turned_away; reason=not_live"})),
        "ETag": header(true, "Strong entity tag of the returned object, for `If-None-Match` and `If-Match`.", json!({"type": "string", "pattern": "^\"[0-9a-f]{32}\"$"})),
        "Link": header(false, "Address of the next page, if there is one: `<…>; rel=\"next\"`.", text()),
        "Allow": header(true, "Methods of the path.", text()),
        "Retry-After": header(true, "Seconds to wait.", seconds()),
        "WWW-Authenticate": header(true, "Authentication schemes that the server accepts.", text()),
    })
}

/// Builds the security schemes. A request needs one of them.
pub(super) fn security_schemes() -> Value {
    json!({
        "token": {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "description": "The bare token: `Authorization: <token>`.",
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
            "description": "`?oauth_token=<token>`. A request header `oauth_token` and a top-level property `oauth_token` of a JSON body are accepted too. If a request has several credentials, the first counts: `Authorization`, query, header `oauth_token`, body.",
        },
    })
}
