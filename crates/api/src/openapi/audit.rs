//! Audit log.

use super::operation::Operation;
use super::schema::{NamedSchemas, legacy_timestamp, object_id, response_object, with_example};
use serde_json::{Value, json};

fn entry_example() -> Value {
    json!({
        "id": 12,
        "object": "affiliate_campaign:975/12",
        "action": "update",
        "actor": "token:1",
        "at": "2026-11-21 00:31:18 -0800",
        "request_id": "50e19610871cda3bd184ae1f4d39d0f8",
        "server_request_id": "50e19610871cda3bd184ae1f4d39d0f8",
        "patch": [{"op": "replace", "path": "/status", "value": "Approved"}],
        "before": {"status": "Applied"},
        "after": {"status": "Approved"},
    })
}

pub(super) fn schemas() -> NamedSchemas {
    let snapshot = |when: &str| json!({"type": ["object", "null"], "description": format!("The changed properties {when} the change: of `users` and `sites` the items, of terms the properties. The complete object for a creation or deletion; `null` where it did not exist.")});
    let mut at = legacy_timestamp("Time of the change, in the network's time zone.");
    at["type"] = json!("string");
    let entry = response_object(
        json!({
            "id": object_id("the entry"),
            "object": {"type": "string", "description": "The changed object: its kind and external ids."},
            "action": {"type": "string", "description": "`create`, `update`, `delete`, or the name of another action."},
            "actor": {"type": "string", "description": "Token or user that made the change."},
            "at": at,
            "request_id": {"type": "string", "description": "`X-Request-Id` of the response: the client's, or the server's own."},
            "server_request_id": {"type": "string", "description": "Random id that the server gave the request, whatever id the client sent."},
            "patch": {
                "type": "array",
                "description": "The change as a JSON Patch (RFC 6902) from `before` to `after`.",
                "items": {
                    "type": "object",
                    "required": ["op", "path"],
                    "properties": {
                        "op": {"type": "string", "enum": ["add", "remove", "replace", "move", "copy", "test"]},
                        "path": {"type": "string"},
                        "value": {"description": "The new value, for `add` and `replace`."},
                    },
                },
            },
            "before": snapshot("before"),
            "after": snapshot("after"),
        }),
        &[],
    );
    vec![("AuditEntry", with_example(entry, entry_example()))]
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/trunkline/audit", "listAuditEntries", "List the audit log")
            .description("Append-only, oldest first. For credentials of the whole network.")
            .parameter("object")
            .parameter("actor")
            .parameter("from")
            .parameter("to")
            .paged_list_response("AuditEntry"),
        Operation::get("/trunkline/audit/{id}", "getAuditEntry", "Read an audit entry")
            .object_response("200", "The entry.", "AuditEntry"),
        Operation::post("/trunkline/audit/{id}/revert", "revertAuditEntry", "Undo a change")
            .description("Restores the object's state before the change. The ordinary validation applies and can reject it.")
            .object_response("201", "The audit entry of the undo.", "AuditEntry"),
    ]
}
