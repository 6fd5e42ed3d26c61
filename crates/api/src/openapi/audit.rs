//! The audit log.

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, our_id, stamp};
use serde_json::{Value, json};

fn entry() -> Value {
    json!({
        "id": 12,
        "object": "affiliate_campaign:975/12",
        "action": "update",
        "actor": "token:1",
        "at": "2026-11-21 00:31:18 -0800",
        "request_id": "50e19610871cda3bd184ae1f4d39d0f8",
        "diff": [{"op": "replace", "path": "/status", "value": "Approved"}],
        "before": {"status": "Applied"},
        "after": {"status": "Approved"},
    })
}

pub(super) fn schemas() -> Schemas {
    let snapshot = |when: &str| json!({"type": ["object", "null"], "description": format!("The object {when}, whole; null where there was none.")});
    let mut at = stamp("When, in the network's zone.");
    at["type"] = json!("string");
    let shown = answer(
        "Audit entry",
        json!({
            "id": our_id("the entry"),
            "object": {"type": "string", "description": "What was changed: its kind, and the network's ids."},
            "action": {"type": "string", "description": "`create`, `update`, `delete`, or what was done by name."},
            "actor": {"type": "string", "description": "Who: a token or a user."},
            "at": at,
            "request_id": {"type": "string", "description": "The request's `X-Request-Id`."},
            "diff": {
                "type": "array",
                "description": "What changed, as a JSON diff (RFC 6902).",
                "items": {
                    "type": "object",
                    "required": ["op", "path"],
                    "properties": {
                        "op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]},
                        "path": {"type": "string"},
                    },
                },
            },
            "before": snapshot("before"),
            "after": snapshot("after"),
        }),
        &[],
    );
    vec![("AuditEntry", example(shown, entry()))]
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/trunkline/audit", "listAuditEntries", "List the audit log")
            .about("Append-only, oldest first. For credentials of the whole network.")
            .with("object")
            .with("actor")
            .with("from")
            .with("to")
            .lists("AuditEntry"),
        Operation::get("/trunkline/audit/{id}", "getAuditEntry", "Read an audit entry")
            .answers("200", "The entry.", "AuditEntry"),
        Operation::post("/trunkline/audit/{id}/revert", "revertAuditEntry", "Undo a change")
            .about("Puts back what the entry's object was before, through the ordinary checks: what they refuse is refused here.")
            .answers("201", "The entry that undoing it made.", "AuditEntry"),
    ]
}
