//! Sandboxes: test networks.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, nullable_external_id, request_call_time, request_integer, request_object,
    response_object, with_example,
};
use serde_json::{Value, json};
use trunkline_network::sandbox::{MAX_ADVANCE_SECONDS, MAX_CALLS, MAX_DAYS, SimulationRequest};

fn sandbox_example() -> Value {
    json!({"sandbox": true, "clock": {"now": "2026-11-02T08:00:00Z", "frozen": true}})
}

fn simulation_request() -> Value {
    let default = SimulationRequest::default();
    request_object(
        json!({
            "calls": request_integer(1, MAX_CALLS, &format!("Number of calls. Default: {}.", default.calls)),
            "seed": request_integer(0, u32::MAX, &format!("Seed of the random generator. The same seed simulates the same calls. Default: {}.", default.seed)),
            "days": request_integer(1, MAX_DAYS, &format!("Number of days before the sandbox's current time in which the calls start. Default: {}.", default.days)),
            "advertiser_campaign": nullable_external_id("External id of a live campaign. Default: all live campaigns."),
        }),
        &[],
    )
}

fn simulation_summary() -> Value {
    let count =
        |description: &str| json!({"type": "integer", "minimum": 0, "description": description});
    let totals = |description: &str| json!({"type": "object", "description": format!("{description}, by currency."), "additionalProperties": {"type": "number", "minimum": 0}});
    response_object(
        json!({
            "calls": count("Simulated calls."),
            "stored": count("Calls stored by this request. The following totals cover these calls."),
            "known": count("Calls that were already stored; they were not changed."),
            "connected": count("Calls connected to their destination."),
            "by_outcome": response_object(json!({
                "connected": count("Caller and destination talked."),
                "ended": count("The campaign ended the call, or the destination did not answer."),
                "abandoned": count("The caller hung up before the connection."),
                "turned_away": count("The call was rejected."),
            }), &[]),
            "advertiser_payin": totals("Total payin"),
            "affiliate_payout": totals("Total payout"),
        }),
        &[],
    )
}

fn summary_example() -> Value {
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

pub(super) fn schemas() -> NamedSchemas {
    let clock_request = request_object(
        json!({
            "now": request_call_time("Time in the years 2000 to 2099; `null` returns to the system's clock."),
            "advance": {"type": "integer", "minimum": -MAX_ADVANCE_SECONDS, "maximum": MAX_ADVANCE_SECONDS, "description": "Seconds to add to the clock; negative values set it back."},
        }),
        &[],
    );
    let sandbox = response_object(
        json!({
            "sandbox": {"type": "boolean", "enum": [true]},
            "clock": {
                "type": "object",
                "required": ["now", "frozen"],
                "additionalProperties": false,
                "properties": {
                    "now": {"type": "string", "description": "Current time for the network's requests, in UTC."},
                    "frozen": {"type": "boolean", "description": "The clock is frozen. Otherwise it follows the system's clock."},
                },
            },
        }),
        &[],
    );
    vec![
        ("SandboxClockRequest", with_example(clock_request, json!({"now": "2026-11-02"}))),
        ("Sandbox", with_example(sandbox, sandbox_example())),
        (
            "SandboxCallsRequest",
            with_example(simulation_request(), json!({"calls": 100, "seed": 7, "days": 30})),
        ),
        ("SandboxCalls", with_example(simulation_summary(), summary_example())),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/trunkline/sandbox", "getSandbox", "Read a sandbox's clock")
            .description("On a network that is not a sandbox, this and all operations of the group respond with 403.")
            .object_response("200", "The sandbox.", "Sandbox"),
        Operation::post("/trunkline/sandbox/clock", "setSandboxClock", "Set a sandbox's clock")
            .description("Sets the clock, advances it (`advance`), or returns it to the system's clock (`\"now\": null`); exactly one of the two properties is needed. All requests of the network use its time. Credentials and rate limits use the system's clock.")
            .request_body("SandboxClockRequest", json!({"now": "2026-11-02"}))
            .object_response("200", "The sandbox.", "Sandbox"),
        Operation::post("/trunkline/sandbox/calls", "simulateSandboxCalls", "Simulate calls")
            .description("Simulates calls to the live campaigns and stores them as `calls.json` does. The calls start in the days before the sandbox's current time, but not before the first `go_live` of their campaign, so set the clock back before you set up the network. The same seed on the same network at the same clock time simulates the same calls; a call whose id (`sandbox-7-000123`) exists is not changed. Calls are stored in batches: if a batch fails, the previous ones remain, and repeating the request continues from there.")
            .request_body("SandboxCallsRequest", json!({"calls": 100, "seed": 7, "days": 30}))
            .object_response("201", "The summary of the simulation.", "SandboxCalls")
            .error_response("409", "Conflict"),
        Operation::post("/trunkline/sandbox/reset", "resetSandbox", "Reset a sandbox")
            .description("Deletes everything except the network itself, its users, its tokens, its webhooks, its first custom data field, and its phone numbers, which return to the inventory. The clock does not change. A reset cannot be undone.")
            .object_response("200", "The sandbox has been reset.", "Empty"),
    ]
}
