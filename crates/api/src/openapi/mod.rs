//! The API in OpenAPI 3.1: every route of the newest version, and those that only older versions
//! document. A file for each resource holds its schemas and its operations, as the files of
//! [`crate::resources`] hold its routes; a test holds the two together.
//!
//! Requests may say more than their schemas list: what is unknown is ignored, by name. Answers are
//! closed: they have what is listed and nothing else, so that no change of the wire goes unseen.

mod access_tokens;
mod affiliate_campaigns;
mod audit;
mod budgets;
mod calls;
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
mod relationships;
mod replay;
mod sandbox;
mod shapes;
mod terms;
mod transactions;
mod users;
mod webhooks;

pub(crate) use page::pages;

use crate::routes::public_path;
use crate::versions::CHANGES;
use operation::Operation;
use serde_json::{Map, Value, json};
use shapes::Schemas;

/// Methods that routes have, in the order they are shown.
const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

/// A tag: its name, what it is about, and its operations.
type Tag = (&'static str, &'static str, fn() -> Vec<Operation>);

const TAGS: &[Tag] = &[
    ("Network", "The network and its users.", network::operations),
    ("Advertisers", "Those who pay for calls.", parties::advertisers),
    (
        "Advertiser users",
        "An advertiser's users, one by one: written as `{\"user\": {…}}`, read bare.",
        users::operations,
    ),
    ("Affiliates", "Those who bring calls, and are paid for them.", parties::affiliates),
    (
        "Access tokens",
        "One-time tokens that sign a user in to the console.",
        access_tokens::operations,
    ),
    (
        "Custom data fields",
        "What a network may hang on its objects.",
        custom_data_fields::operations,
    ),
    (
        "Relationships",
        "How an advertiser stands to an affiliate (\"auto-approve\").",
        relationships::operations,
    ),
    (
        "Advertiser campaigns",
        "What is advertised, with its terms: staged by writes, put in force by `go_live`. `Entry` → go_live → `Activated` → archive → `Archived` → unarchive → `Paused` → go_live → `Activated`.",
        campaigns::operations,
    ),
    (
        "Affiliate campaigns",
        "An affiliate's part in an advertiser campaign: one for each of the two.",
        affiliate_campaigns::operations,
    ),
    (
        "Promo numbers",
        "The numbers that are advertised, and by which a call finds its campaign.",
        promo_numbers::operations,
    ),
    ("Checks", "What is wrong before it matters. An extension of Trunkline.", checks::operations),
    ("Calls", "Calls that were routed elsewhere.", calls::operations),
    (
        "Live calls",
        "Calls event by event, and all calls there are. An extension of Trunkline.",
        live_calls::operations,
    ),
    (
        "Transactions",
        "The ledger: what calls came to, corrections, explanations and statements.",
        transactions::operations,
    ),
    (
        "Dry runs",
        "A campaign tried on an imagined call. An extension of Trunkline.",
        dry_run::operations,
    ),
    (
        "Replays",
        "A campaign's next terms tried on its real calls. An extension of Trunkline.",
        replay::operations,
    ),
    (
        "Events",
        "What happens in the network, as it happens. An extension of Trunkline.",
        events::operations,
    ),
    (
        "Webhooks",
        "Events sent to others, and what became of it. An extension of Trunkline.",
        webhooks::operations,
    ),
    ("Mails", "What users are told by mail. An extension of Trunkline.", mails::operations),
    (
        "Audit log",
        "Who changed what, and undoing it. An extension of Trunkline.",
        audit::operations,
    ),
    (
        "Sandboxes",
        "Networks to try things in: a clock that can be set, imagined callers, and a fresh start. An extension of Trunkline.",
        sandbox::operations,
    ),
];

const INTRODUCTION: &str = "The Network Integration API of a pay-per-call affiliate network: advertisers, affiliates, campaigns with payins and payouts, call flows and promo numbers.

**Paths.** `/api/{version}/{network_id}/…`, and extensions under `/trunkline/v1/networks/{network_id}/…`. A `.json` suffix is optional. Under `/api/` the network id may be left out: the network is then the credential's own.

**Writes.** POST and PUT both create or update, and differ in the status: 201 and 200. Both are idempotent. A top-level property that is absent stays as it is; one that is present replaces what was there whole. `null` clears what is optional. Read-only and unknown properties are ignored, so that a body that was read can be sent back; the header `Trunkline-Ignored` names them.

**Ids.** `id` is ours. `id_from_network` is the network's own: any characters, up to 255, percent-encoded in paths. JSON numbers are taken for it, and come back as strings.

**Errors.** Always an object with `errors`; every problem of a request at once. Validation is 403.

**Formats.** Besides the usual ones: `condition` and `ivr-condition` are expressions of the condition language, `phone-number` is ITU E.164 or a 10-digit US number, with or without punctuation, `moment` is a date, or a date and a time, with or without an offset, `partner-name` is the name of a custom data field of the network.

**Versions.** A request gets the contract that was in force on the date in its path. This document describes the newest. What changed, and when:
";

/// The API of the newest version as an OpenAPI 3.1 document.
pub fn openapi() -> Value {
    let tags: Vec<Value> =
        TAGS.iter().map(|(name, about, _)| json!({"name": name, "description": about})).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Trunkline",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "An open, self-hosted pay-per-call affiliate network.",
            "description": introduction(),
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"bearer": []}, {"basic": []}, {"oauth_token": []}],
        "tags": tags,
        "paths": paths(),
        "components": {
            "schemas": Value::Object(schemas().into_iter().map(|(name, it)| (name.to_owned(), it)).collect()),
            "responses": errors::responses(),
            "parameters": parameters::parameters(),
            "headers": parameters::headers(),
            "securitySchemes": parameters::security_schemes(),
        },
    })
}

fn introduction() -> String {
    let changes =
        CHANGES.iter().rev().map(|change| format!("\n- {}: {}", change.date, change.what));
    INTRODUCTION.chars().chain(changes.collect::<String>().chars()).collect()
}

fn schemas() -> Schemas {
    let empty = json!({"title": "Nothing", "description": "An empty object.", "type": "object", "additionalProperties": false, "examples": [{}]});
    let mut schemas = vec![("Empty", empty)];
    for more in [
        network::schemas,
        users::schemas,
        parties::schemas,
        access_tokens::schemas,
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
        live_calls::schemas,
        transactions::schemas,
        dry_run::schemas,
        replay::schemas,
        events::schemas,
        webhooks::schemas,
        mails::schemas,
        audit::schemas,
        sandbox::schemas,
        errors::schemas,
    ] {
        schemas.extend(more());
    }
    schemas
}

/// Every path with its parameters and operations, in the order of the tags.
fn paths() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for (tag, _, operations) in TAGS {
        for operation in operations() {
            let (route, method) = (operation.route, operation.method);
            let path = public_path(route);
            let parameters = path_parameters(&path);
            let item = paths.entry(path).or_insert_with(|| json!({"parameters": parameters}));
            item[method] = operation.into_value(tag);
        }
    }
    Value::Object(paths)
}

/// References to the parameters in a path, in order.
fn path_parameters(path: &str) -> Vec<Value> {
    let named = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    named
        .map(|name| parameters::component_of(path, name))
        .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}))
        .collect()
}

#[cfg(test)]
mod tests;
