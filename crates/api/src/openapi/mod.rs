//! OpenAPI 3.1 document of the API: every route of the newest version, and the routes that only
//! older versions document. Each resource has one file with its schemas and its operations, as in
//! [`crate::resources`]. A test compares the documented operations with the router's table.
//!
//! Request objects are open: the server ignores unknown properties and names them in a header.
//! Response objects are closed, so that a test notices every property that is added.

mod access_tokens;
mod affiliate_campaigns;
mod audit;
mod budgets;
mod calls;
mod calls_in_progress;
mod campaigns;
mod checks;
mod custom_data_fields;
mod dry_run;
mod errors;
mod events;
mod ivr;
mod live_calls;
mod mails;
mod network;
mod operation;
mod page;
mod parameters;
mod parties;
mod pricing;
mod promo_numbers;
mod recordings;
mod redecide;
mod relationships;
mod replay;
mod sandbox;
mod schema;
mod settings;
mod sign_in_links;
mod terms;
mod tokens;
mod transactions;
mod users;
mod webhooks;

pub(crate) use page::pages;

use crate::routes::public_path;
use crate::versions::CHANGES;
use operation::Operation;
use schema::NamedSchemas;
use serde_json::{Map, Value, json};

/// Methods of the routes, in display order.
const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

/// Group of operations.
struct Tag {
    name: &'static str,
    description: &'static str,
    operations: fn() -> Vec<Operation>,
}

const TAGS: &[Tag] = &[
    Tag {
        name: "Network",
        description: "The network and its users.",
        operations: network::operations,
    },
    Tag {
        name: "Settings",
        description: "Settings of the network. An extension of Trunkline.",
        operations: settings::operations,
    },
    Tag {
        name: "Advertisers",
        description: "Parties that pay for calls.",
        operations: parties::advertiser_operations,
    },
    Tag {
        name: "Advertiser users",
        description: "Users of an advertiser, one at a time. Requests wrap the user (`{\"user\": {…}}`); responses do not.",
        operations: users::operations,
    },
    Tag {
        name: "Affiliates",
        description: "Parties that bring calls and are paid for them.",
        operations: parties::affiliate_operations,
    },
    Tag {
        name: "Access tokens",
        description: "One-time tokens that sign a user in to the console.",
        operations: access_tokens::operations,
    },
    Tag {
        name: "Sign-in links",
        description: "Links with which a user sets a password and signs in to the console. An extension of Trunkline.",
        operations: sign_in_links::operations,
    },
    Tag {
        name: "Tokens",
        description: "API tokens of the network and of its parties. An extension of Trunkline.",
        operations: tokens::operations,
    },
    Tag {
        name: "Custom data fields",
        description: "Definitions of the custom data that objects of the network may carry.",
        operations: custom_data_fields::operations,
    },
    Tag {
        name: "Relationships",
        description: "Status of an affiliate with an advertiser (\"auto-approve\").",
        operations: relationships::operations,
    },
    Tag {
        name: "Advertiser campaigns",
        description: "Campaigns and their terms. Writes change `future_terms`; `go_live` puts them in force. Status: `Entry` → go_live → `Activated` → archive → `Archived` → unarchive → `Paused` → go_live → `Activated`.",
        operations: campaigns::operations,
    },
    Tag {
        name: "Affiliate campaigns",
        description: "Participation of an affiliate in an advertiser campaign, at most one per pair.",
        operations: affiliate_campaigns::operations,
    },
    Tag {
        name: "Promo numbers",
        description: "Advertised phone numbers. A call to a promo number belongs to its campaign.",
        operations: promo_numbers::operations,
    },
    Tag {
        name: "Checks",
        description: "Validation of conditions and campaigns without a write. An extension of Trunkline.",
        operations: checks::operations,
    },
    Tag {
        name: "Calls",
        description: "Reports of calls that another system routed.",
        operations: calls::operations,
    },
    Tag {
        name: "Calls in progress",
        description: "Live calls for integrations at the time of a call.",
        operations: calls_in_progress::operations,
    },
    Tag {
        name: "Recordings",
        description: "Recordings of calls. An extension of Trunkline.",
        operations: recordings::operations,
    },
    Tag {
        name: "Live calls",
        description: "Call control event by event, and the list of all calls. An extension of Trunkline.",
        operations: live_calls::operations,
    },
    Tag {
        name: "Transactions",
        description: "The ledger: prices of calls, corrections, explanations and statements.",
        operations: transactions::operations,
    },
    Tag {
        name: "Dry runs",
        description: "Simulation of one call to a campaign. An extension of Trunkline.",
        operations: dry_run::operations,
    },
    Tag {
        name: "Replays",
        description: "Evaluation of a campaign's future terms on its stored calls. An extension of Trunkline.",
        operations: replay::operations,
    },
    Tag {
        name: "Redecisions",
        description: "Decision of stored calls by what is known today. An extension of Trunkline.",
        operations: redecide::operations,
    },
    Tag {
        name: "Events",
        description: "Stream of the network's events. An extension of Trunkline.",
        operations: events::operations,
    },
    Tag {
        name: "Webhooks",
        description: "Delivery of events to HTTP receivers. An extension of Trunkline.",
        operations: webhooks::operations,
    },
    Tag {
        name: "Mails",
        description: "Notification mails to users. An extension of Trunkline.",
        operations: mails::operations,
    },
    Tag {
        name: "Audit log",
        description: "Changes with their authors, and their undoing. An extension of Trunkline.",
        operations: audit::operations,
    },
    Tag {
        name: "Sandboxes",
        description: "Test networks: a clock that can be set, simulated callers, and a reset. An extension of Trunkline.",
        operations: sandbox::operations,
    },
];

const INTRODUCTION: &str = "The Network Integration API of a pay-per-call affiliate network: advertisers, affiliates, campaigns with payins and payouts, call flows and promo numbers.

**Paths.** `/api/{version}/{network_id}/…`, and extensions of Trunkline under `/trunkline/v1/networks/{network_id}/…`. A `.json` suffix is optional. Under `/api/` the network id may be omitted: the credential's network is used.

**Writes.** POST and PUT both create or update; POST responds with 201, PUT with 200. Both are idempotent. An absent top-level property keeps its value; a property that is present replaces the stored value completely. `null` clears an optional property. Read-only and unknown properties are ignored, so that a response body can be sent back; the header `Trunkline-Ignored` lists them. The header `Trunkline-Warning` warns about a write that was carried out.

**Ids.** Trunkline assigns `id`. The network assigns `id_from_network`, the external id: any characters, up to 255, percent-encoded in paths. A JSON number is accepted for it and returned as a string. In the path of a GET, and before `promo_numbers` in any path, a decimal segment that is no external id is read as an `id`; the response then has the header `Trunkline-Resolved-By`.

**Errors.** The body is always an object with `errors` and reports every problem of the request at once. Validation errors have status 403.

**Formats.** Besides the registered formats: `condition` and `ivr-condition` are expressions of the condition language, `phone-number` is ITU E.164 or a 10-digit US number, with or without punctuation, `moment` is a date, or a date and a time, with or without an offset, `partner-name` is the name of a custom data field of the network, `time-zone` is the name of a time zone in Rails or in the tz database.

**Versions.** The date in the path selects the contract that was in force on that date. This document describes the newest contract. Changes by date:
";

/// Builds the OpenAPI 3.1 document of the newest version.
pub fn openapi_document() -> Value {
    let tags: Vec<Value> =
        TAGS.iter().map(|tag| json!({"name": tag.name, "description": tag.description})).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Trunkline",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "An open, self-hosted pay-per-call affiliate network.",
            "description": introduction(),
            "contact": {"name": "The Trunkline contributors"},
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"bearer": []}, {"basic": []}, {"oauth_token": []}],
        "tags": tags,
        "paths": paths(),
        "components": {
            "schemas": Value::Object(schema_components()),
            "responses": errors::responses(),
            "parameters": parameters::parameters(),
            "headers": parameters::headers(),
            "securitySchemes": parameters::security_schemes(),
        },
    })
}

fn introduction() -> String {
    let newest_first = CHANGES.iter().rev();
    let changes = newest_first.map(|change| format!("\n- {}: {}", change.date, change.description));
    format!("{INTRODUCTION}{}", changes.collect::<String>())
}

/// Collects the schema components. Each gets a title from its name, because client generators
/// name types by title and need distinct ones.
fn schema_components() -> Map<String, Value> {
    let with_title = |(name, schema): (&'static str, Value)| {
        let mut titled = Map::from_iter([("title".to_owned(), title_of(name).into())]);
        titled.extend(schema.as_object().cloned().unwrap_or_default());
        (name.to_owned(), Value::Object(titled))
    };
    schemas().into_iter().map(with_title).collect()
}

/// Splits a component's name into words: `UserWrite` becomes "User write".
fn title_of(component: &str) -> String {
    let mut title = String::new();
    for (index, character) in component.char_indices() {
        if index > 0 && character.is_ascii_uppercase() {
            title.push(' ');
            title.push(character.to_ascii_lowercase());
        } else {
            title.push(character);
        }
    }
    title
}

fn schemas() -> NamedSchemas {
    let empty = json!({"description": "An empty object.", "type": "object", "additionalProperties": false, "examples": [{}]});
    let mut schemas = vec![("Empty", empty)];
    for resource_schemas in [
        network::schemas,
        users::schemas,
        parties::schemas,
        access_tokens::schemas,
        sign_in_links::schemas,
        tokens::schemas,
        custom_data_fields::schemas,
        relationships::schemas,
        campaigns::schemas,
        terms::schemas,
        pricing::schemas,
        budgets::schemas,
        ivr::schemas,
        affiliate_campaigns::schemas,
        promo_numbers::schemas,
        checks::schemas,
        calls::schemas,
        calls_in_progress::schemas,
        live_calls::schemas,
        recordings::schemas,
        transactions::schemas,
        dry_run::schemas,
        replay::schemas,
        redecide::schemas,
        events::schemas,
        webhooks::schemas,
        mails::schemas,
        audit::schemas,
        sandbox::schemas,
        settings::schemas,
        errors::schemas,
    ] {
        schemas.extend(resource_schemas());
    }
    schemas
}

/// Builds the path item objects, in the order of the tags.
fn paths() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for tag in TAGS {
        for operation in (tag.operations)() {
            let method = operation.method;
            let path = public_path(operation.route);
            let parameters = path_parameters(&path);
            let item = paths.entry(path).or_insert_with(|| json!({"parameters": parameters}));
            item[method] = operation.into_json(tag.name);
        }
    }
    Value::Object(paths)
}

/// References the parameters of a path, in order.
fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    names
        .map(|name| parameters::component_name(path, name))
        .map(|component| json!({"$ref": format!("#/components/parameters/{component}")}))
        .collect()
}

#[cfg(test)]
mod tests;
