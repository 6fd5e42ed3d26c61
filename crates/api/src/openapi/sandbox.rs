//! Sandboxes: networks to try things in.

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, request};
use serde_json::{Value, json};
use trunkline_network::sandbox::ADVANCE_LIMIT;

fn clock() -> Value {
    json!({"sandbox": true, "clock": {"now": "2026-11-02T08:00:00Z", "frozen": true}})
}

pub(super) fn schemas() -> Schemas {
    let said = request(
        "Where a sandbox's clock is to stand: one of the two",
        json!({
            "now": {"type": ["string", "null"], "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$", "description": "A moment of 2000 to 2099, or a date; `null` is the system's time again."},
            "advance": {"type": "integer", "minimum": -ADVANCE_LIMIT, "maximum": ADVANCE_LIMIT, "description": "Seconds from where the clock is now; back, if they are negative."},
        }),
        &[],
    );
    let shown = answer(
        "A sandbox",
        json!({
            "sandbox": {"const": true},
            "clock": {
                "type": "object",
                "required": ["now", "frozen"],
                "additionalProperties": false,
                "properties": {
                    "now": {"type": "string", "description": "The time that the network's requests see, UTC."},
                    "frozen": {"type": "boolean", "description": "Whether it stands; else it is the system's."},
                },
            },
        }),
        &[],
    );
    vec![
        ("SandboxClockRequest", example(said, json!({"now": "2026-11-02"}))),
        ("Sandbox", example(shown, clock())),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/trunkline/sandbox", "getSandbox", "Read a sandbox's clock")
            .about("As all of these, 403 on a network that is no sandbox.")
            .answers("200", "The sandbox.", "Sandbox"),
        Operation::post("/trunkline/sandbox/clock", "setSandboxClock", "Set a sandbox's clock")
            .about("Sets it, moves it on (`advance`), or lets it go (`\"now\": null`). All requests of the network see its time; credentials expire, and requests are counted, by the system's.")
            .takes("SandboxClockRequest", json!({"now": "2026-11-02"}))
            .answers("200", "The sandbox.", "Sandbox"),
        Operation::post("/trunkline/sandbox/reset", "resetSandbox", "Throw away all of a sandbox")
            .about("All but the network itself, its people, its tokens, its webhooks, its first custom data field and its numbers, which are free again. The clock stays where it is. It cannot be undone.")
            .answers("200", "Done.", "Empty"),
    ]
}
