//! Live calls, and calls as they are shown.

use super::operation::Operation;
use super::shapes::{
    Schemas, answer, example, optional_network_id, or_null, our_id, reference, request,
    shown_network_id, stamp, word,
};
use serde_json::{Value, json};

const OUTCOMES: [&str; 4] = ["connected", "ended", "abandoned", "turned_away"];
const EVENTS: [&str; 8] =
    ["key", "silence", "zip", "connected", "busy", "no_answer", "hung_up", "prompt_finished"];

fn number(about: &str) -> Value {
    json!({"type": ["string", "null"], "pattern": "^[2-9][0-9]{9}$", "description": about})
}

fn text(about: &str) -> Value {
    json!({"type": ["string", "null"], "maxLength": 255, "description": about})
}

/// A moment of a request.
fn moment(about: &str) -> Value {
    json!({
        "type": ["string", "null"],
        "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$",
        "description": format!("{about} `2015-05-13 07:45:08 -0800`, ISO 8601, without a zone in the network's, or seconds or milliseconds since 1970."),
    })
}

fn start() -> Value {
    let properties = json!({
        "advertiser_campaign": optional_network_id("The network's id of the campaign; the promo number's, when it is not said."),
        "affiliate": optional_network_id("The network's id of the affiliate that brings the call; else the promo number says."),
        "promo_number": number("The promo number dialled. It is enough: campaign and affiliate are its own."),
        "calling_phone_number": number("The caller; absent for a withheld number."),
        "start_time": moment("Now, when it is not said."),
        "phone_type": {"type": ["string", "null"], "enum": ["mobile", "landline", null]},
        "shared_caller_id": {"type": ["boolean", "null"], "description": "Whether several callers share the number: then nobody counts as a repeat caller."},
        "country": text("ISO 3166-1 alpha-2."),
        "region": text("State or province, `CA`."),
        "city": text("City."),
        "zip": text("Postal code."),
        "repeat": {"type": ["boolean", "null"], "description": "Whether the caller has called lately; else looked up."},
        "custom_data": reference("CustomDataRequest"),
    });
    let mut said = request("A live call", properties, &[]);
    said["anyOf"] = json!([
        {"required": ["advertiser_campaign"], "properties": {"advertiser_campaign": {"type": "string", "minLength": 1}}},
        {"required": ["promo_number"], "properties": {"promo_number": {"type": "string"}}},
    ]);
    example(said, sample())
}

fn sample() -> Value {
    json!({"advertiser_campaign": "12", "calling_phone_number": "8057089876", "phone_type": "mobile"})
}

fn event() -> Value {
    let mut said = request(
        "What happened to a live call",
        json!({
            "event": word(&EVENTS, "What. `prompt_finished`: all that was to be said has been said; it moves nothing."),
            "key": {"type": ["string", "null"], "pattern": "^[0-9*#]$", "description": "With `key`: which one."},
            "zip": {"type": ["string", "null"], "pattern": "^[0-9A-Za-z][0-9A-Za-z -]{0,9}$", "description": "With `zip`: which one."},
            "by": {"type": ["string", "null"], "enum": ["caller", "destination", null], "description": "With `hung_up`: who. A destination can only once it has answered."},
            "at": moment("Now, when it is not said. Not before the event before it."),
            "sequence": {"type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX, "description": "Its number: the first is 0 or 1, and each follows the one before it. The next one, when it is not said. The same number with the same event gets the same answer again, after the end too."},
        }),
        &["event"],
    );
    let needs = |event: &str| json!({"required": [event], "properties": {"event": {"enum": [event]}, event: {"type": "string"}}});
    let others: Vec<&&str> = EVENTS.iter().filter(|it| !["key", "zip"].contains(*it)).collect();
    let nothing_more = json!({"properties": {"event": {"enum": others}}});
    said["anyOf"] = json!([needs("key"), needs("zip"), nothing_more]);
    example(said, json!({"event": "key", "key": "1", "sequence": 1}))
}

fn action() -> Value {
    let only = |name: &str, schema: Value| {
        json!({
            "type": "object",
            "required": [name],
            "properties": {name: schema},
            "additionalProperties": false,
        })
    };
    let whole = |about: &str| json!({"type": "integer", "minimum": 0, "description": about});
    let gather = answer(
        "Wait for keys",
        json!({"keys": whole("How many."), "timeout": whole("Seconds.")}),
        &[],
    );
    let dial = answer(
        "Ring a destination",
        json!({"number": {"type": "string", "description": "National digits."}, "country_code": {"type": "string"}}),
        &[],
    );
    let send = answer(
        "Send the caller a text message",
        json!({"copy": {"type": "string"}, "delay": whole("Seconds after the call."), "sender": {"type": ["string", "null"]}}),
        &[],
    );
    json!({"oneOf": [
        only("say", json!({"type": "string"})),
        only("gather", gather),
        only("dial", dial),
        only("send_sms", send),
        only("hangup", json!({"type": "object", "additionalProperties": false})),
    ]})
}

fn outcome(about: &str) -> Value {
    let words = OUTCOMES.iter().map(|word| json!(word)).chain([Value::Null]);
    json!({"type": ["string", "null"], "enum": words.collect::<Vec<_>>(), "description": about})
}

fn reason() -> Value {
    json!({"type": ["string", "null"], "enum": ["not_live", "affiliate_not_approved", "over_cap", null], "description": "Why it was turned away."})
}

fn orders() -> Value {
    let shown = answer(
        "What to do next",
        json!({
            "id": our_id("the call"),
            "outcome": outcome("How the call went; `null` while it is under way."),
            "reason": reason(),
            "actions": {"type": "array", "items": action(), "description": "In order."},
        }),
        &[],
    );
    let actions = json!([{"say": "For tickets, press 1."}, {"gather": {"keys": 1, "timeout": 10}}]);
    example(shown, json!({"id": 7, "outcome": null, "reason": null, "actions": actions}))
}

fn live() -> Value {
    let doing = ["menu", "sms_offer", "zip", "ringing", "talking"];
    let live = answer(
        "Where a live call is",
        json!({
            "at": {"type": "array", "items": {"type": "integer", "minimum": 0}, "description": "Child indices from the root."},
            "doing": word(&doing, "What is going on there."),
            "sequence": {"type": ["integer", "null"], "description": "The last event's number."},
            "heard_at": stamp("When the last thing that was heard of it happened."),
            "connected_at": stamp("When the destination answered."),
        }),
        &[],
    );
    or_null(live, "Where it is, while it is under way.")
}

fn call() -> Value {
    let seconds =
        |about: &str| json!({"type": ["integer", "null"], "minimum": 0, "description": about});
    let flag = |about: &str| json!({"type": ["boolean", "null"], "description": about});
    let any = |about: &str| json!({"type": ["string", "null"], "description": about});
    answer(
        "Call",
        json!({
            "id": our_id("the call"),
            "complete_call_id": {"type": "string", "description": "What people call it by; the `cuid`."},
            "advertiser_campaign": shown_network_id("The network's id of the campaign."),
            "affiliate": any("The network's id of the affiliate that brought it."),
            "promo_number": any("The promo number it came in by, while the campaign has it."),
            "start_time": stamp("When it came in."),
            "ended_at": stamp("When it was over; `null` while it is under way."),
            "outcome": outcome("How it went; `null` while it is under way."),
            "reason": reason(),
            "duration": seconds("In all."),
            "connect_duration": seconds("Connected."),
            "keypresses": {"type": "array", "items": {"type": "string"}, "description": "In order."},
            "phone_type": {"type": ["string", "null"], "enum": ["mobile", "landline", null]},
            "country": any("ISO 3166-1 alpha-2."),
            "region": any("State or province, `CA`."),
            "city": any("City."),
            "zip": any("Postal code."),
            "repeat": flag("Whether the caller had called lately."),
            "sms_sent": flag("Whether a text message was sent."),
            "destination_phone_number": any("Where it was connected to."),
            "calling_phone_number": any("The caller. Not shown to who only brought the call."),
            "custom_data": {"type": ["object", "null"], "additionalProperties": {"type": "string"}, "description": "What the call carries. Not shown to who only brought the call."},
            "transaction_id": any("The newest transaction of it, once it is settled."),
            "live": live(),
        }),
        &["calling_phone_number", "custom_data"],
    )
}

pub(super) fn schemas() -> Schemas {
    vec![
        ("LiveCallRequest", start()),
        ("LiveCallEvent", event()),
        ("LiveCall", orders()),
        ("Call", call()),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    let id = json!({"id": "$response.body#/id"});
    vec![
        Operation::get("/trunkline/calls", "listCalls", "List calls")
            .about("Live ones and those that are over, however they came in: the network's, an advertiser's campaigns', or those that an affiliate brought.")
            .with("calls_of_campaign")
            .with("calls_live")
            .lists("Call"),
        Operation::post("/trunkline/calls", "startCall", "Start a live call")
            .about("Lets the call in, or turns it away, and says what to do first. A call that is turned away is over. For credentials of the whole network, and of the campaign's advertiser.")
            .with("Idempotency-Key")
            .takes("LiveCallRequest", sample())
            .answers("201", "What to do.", "LiveCall")
            .leads_to("201", "getCall", id.clone())
            .leads_to("201", "tellCallEvent", id),
        Operation::get("/trunkline/calls/{id}", "getCall", "Read a call")
            .answers("200", "As it is now.", "Call"),
        Operation::post("/trunkline/calls/{id}/events", "tellCallEvent", "Tell what happened to a live call")
            .about("Moves the call, and says what to do next. At its end it is priced, once, by the terms that were in force at its start. What is refused moves nothing.")
            .takes("LiveCallEvent", json!({"event": "key", "key": "1"}))
            .answers("200", "What to do.", "LiveCall"),
    ]
}
