//! Sandboxes: networks to try things in.

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, optional_network_id, request};
use serde_json::{Value, json};
use trunkline_network::sandbox::{ADVANCE_LIMIT, CALLS_LIMIT, DAYS_LIMIT, Wanted};

fn clock() -> Value {
    json!({"sandbox": true, "clock": {"now": "2026-11-02T08:00:00Z", "frozen": true}})
}

fn wanted() -> Value {
    let usual = Wanted::default();
    request(
        "Calls to imagine",
        json!({
            "calls": {"type": ["integer", "null"], "minimum": 1, "maximum": CALLS_LIMIT, "default": usual.calls, "description": "How many."},
            "seed": {"type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX, "default": usual.seed, "description": "The same seed imagines the same calls."},
            "days": {"type": ["integer", "null"], "minimum": 1, "maximum": DAYS_LIMIT, "default": usual.days, "description": "In how many days before the sandbox's now."},
            "advertiser_campaign": optional_network_id("The network's id of a live campaign; else calls are for all of them."),
        }),
        &[],
    )
}

fn tally() -> Value {
    let count = |about: &str| json!({"type": "integer", "minimum": 0, "description": about});
    let sums = |about: &str| json!({"type": "object", "description": format!("{about}, by currency."), "additionalProperties": {"type": "number", "minimum": 0}});
    answer(
        "What became of imagined calls",
        json!({
            "calls": count("Imagined."),
            "stored": count("Stored now; what follows is of these."),
            "known": count("Stored before: nothing was changed."),
            "connected": count("That reached their destination."),
            "by_outcome": answer("Calls by how they went", json!({
                "connected": count("Caller and destination talked."),
                "ended": count("The campaign ended it, or nobody answered."),
                "abandoned": count("The caller hung up before."),
                "turned_away": count("Not let in."),
            }), &[]),
            "advertiser_payin": sums("What advertisers pay"),
            "affiliate_payout": sums("What affiliates get"),
        }),
        &[],
    )
}

fn tallied() -> Value {
    json!({
        "calls": 100,
        "stored": 100,
        "known": 0,
        "connected": 79,
        "by_outcome": {"connected": 79, "ended": 8, "abandoned": 13, "turned_away": 0},
        "advertiser_payin": {"USD": 553.0},
        "affiliate_payout": {"USD": 310.5},
    })
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
        ("SandboxCallsRequest", example(wanted(), json!({"calls": 100, "seed": 7, "days": 30}))),
        ("SandboxCalls", example(tally(), tallied())),
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
        Operation::post("/trunkline/sandbox/calls", "makeSandboxCalls", "Imagine callers")
            .about("Imagines calls for the live campaigns and takes them in as `calls.json` does. They start in the days before the sandbox's now, from the campaign's first go_live on, so set the clock back before you fill the network. The same seed on the same network at the same time of its clock imagines the same calls; a call whose id (`sandbox-7-000123`) is there already is left as it is. They are stored in batches: should one fail, those before it stay, and the same request goes on from there.")
            .takes("SandboxCallsRequest", json!({"calls": 100, "seed": 7, "days": 30}))
            .answers("201", "What became of them.", "SandboxCalls")
            .refuses("409", "Conflict"),
        Operation::post("/trunkline/sandbox/reset", "resetSandbox", "Throw away all of a sandbox")
            .about("All but the network itself, its people, its tokens, its webhooks, its first custom data field and its numbers, which are free again. The clock stays where it is. It cannot be undone.")
            .answers("200", "Done.", "Empty"),
    ]
}
