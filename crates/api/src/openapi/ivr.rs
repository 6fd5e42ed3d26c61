//! IVR trees: a schema for each type of node.

use super::pricing::condition;
use super::shapes::{Schemas, answer, described, example, flag, reference, request, text, word};
use serde_json::{Map, Value, json};
use trunkline_domain::ivr::{CallerIdSetting, QuestionType, SMS_DELAYS};

/// A tree of the documents.
pub(super) fn tree() -> Value {
    let connect = json!({
        "node_type": "Connect",
        "destination_phone_number": "8004377950",
        "destination_country_code": "1",
        "prompt": "",
    });
    json!({
        "root": {
            "node_type": "Condition",
            "condition": "during_hours",
            "children": [connect, connect],
        },
        "record_calls": true,
    })
}

/// How many children a type of node has.
#[derive(Clone, Copy)]
struct Children {
    least: u8,
    most: u8,
    of: &'static str,
    about: &'static str,
}

const NONE: Children = Children { least: 0, most: 0, of: "IvrNodeRequest", about: "None." };
const ONE: Children =
    Children { least: 1, most: 1, of: "IvrNodeRequest", about: "What comes next." };
const TWO: Children =
    Children { least: 2, most: 2, of: "IvrNodeRequest", about: "Two ways to go on." };

fn prompt(required: bool) -> Value {
    let said = json!({"type": ["string", "null"], "maxLength": 10_000, "description": "What is said first, if anything."});
    let needed = json!({"type": "string", "minLength": 1, "maxLength": 10_000, "pattern": r"\S", "description": "What is said."});
    if required { needed } else { said }
}

fn destination() -> Value {
    json!({
        "type": "string",
        "pattern": "^([2-9][0-9]{9})?$",
        "description": "National digits. Empty while not known: allowed in a draft, not at go_live. Punctuation is dropped; other countries have 4–14 digits.",
    })
}

fn seconds(description: &str) -> Value {
    json!({"type": ["integer", "null"], "minimum": 1, "maximum": 300, "description": description})
}

fn node(
    node_type: &str,
    about: &str,
    parameters: Value,
    required: &[&str],
    children: Children,
) -> Value {
    let mut properties = Map::from_iter([("node_type".to_owned(), json!({"const": node_type}))]);
    properties.extend(parameters.as_object().cloned().unwrap_or_default());
    let Children { least, most, of, about: what } = children;
    let mut list =
        json!({"type": "array", "minItems": least, "maxItems": most, "description": what});
    if most > 0 {
        list["items"] = reference(of);
    }
    properties.insert("children".to_owned(), list);
    let mut names = vec!["node_type"];
    names.extend(required);
    if least > 0 {
        names.push("children");
    }
    described(request(node_type, Value::Object(properties), &names), about)
}

fn sms_promo() -> Value {
    json!({
        "prompt": prompt(true),
        "sms_promo_copy": prompt(true),
        "sms_promo_delay": {"enum": SMS_DELAYS.map(Value::from).to_vec(), "description": "Seconds after the call."},
        "sms_promo_sender": text(10_000, "Who it comes from."),
    })
}

fn deciding() -> Value {
    let mut needed = condition(
        "What decides. A Condition may use what is known during the call: not `duration`, not `connect_duration`.",
    );
    needed["type"] = json!("string");
    needed["format"] = json!("ivr-condition");
    needed["minLength"] = json!(1);
    needed["examples"] = json!(["during_hours"]);
    needed
}

/// The types that calls run through.
fn nodes() -> Schemas {
    let keys = Children { least: 1, most: 9, of: "IvrMenuChildRequest", about: "By key, from 1." };
    let failover = Children { least: 0, most: 1, of: "IvrFailover", about: "At most a Failover." };
    vec![
        (
            "IvrMenu",
            node(
                "Menu",
                "The caller selects from up to 9 choices.",
                json!({"prompt": prompt(true)}),
                &["prompt"],
                keys,
            ),
        ),
        (
            "IvrConnect",
            node(
                "Connect",
                "Forwards the call.",
                json!({
                    "prompt": prompt(false),
                    "destination_phone_number": destination(),
                    "destination_country_code": {"type": "string", "enum": ["1", ""], "default": "1", "description": "Digits of the country code; others than 1 are taken too."},
                    "connect_timeout": seconds("Seconds until nobody answers."),
                }),
                &["destination_phone_number"],
                failover,
            ),
        ),
        (
            "IvrEndCall",
            node("EndCall", "Ends the call.", json!({"prompt": prompt(false)}), &[], NONE),
        ),
        (
            "IvrSmsPromo",
            node(
                "SmsPromo",
                "Offers a text message to mobile callers.",
                sms_promo(),
                &["prompt", "sms_promo_copy"],
                ONE,
            ),
        ),
        (
            "IvrCondition",
            node(
                "Condition",
                "The first child if the condition is met, else the second; unknown is not met.",
                json!({"condition": deciding()}),
                &["condition"],
                TWO,
            ),
        ),
        (
            "IvrVerifyLocation",
            node(
                "VerifyLocation",
                "Asks where the caller is, when that is not known.",
                json!({"prompt": prompt(false)}),
                &[],
                ONE,
            ),
        ),
    ]
}

fn ring_group() -> Value {
    json!({
        "prompt": prompt(false),
        "ring_group_destinations": {
            "type": "array", "minItems": 1, "maxItems": 50, "description": "Whom to ring.",
            "items": request("A destination", json!({
                "ring_group_number": {"type": "string", "pattern": "^[2-9][0-9]{9}$"},
                "description": text(10_000, "Who that is."),
            }), &["ring_group_number"]),
        },
        "ring_group_connect_timeout": seconds("Seconds until the next one is tried."),
    })
}

/// The types that are stored and returned; `go_live` refuses them until calls run through them.
fn newer_nodes() -> Schemas {
    let questions: Vec<&str> = QuestionType::ALL.into_iter().map(|(name, _)| name).collect();
    let optional = Children { least: 0, most: 1, ..ONE };
    vec![
        (
            "IvrFailover",
            node(
                "Failover",
                "As the child of a Connect: where the call goes when nobody answers. From 2019-05-01.",
                json!({"destination_phone_number": destination()}),
                &[],
                NONE,
            ),
        ),
        (
            "IvrAnyKeyPress",
            node(
                "AnyKeyPress",
                "The first child on any key, else the second. From 2020-10-01.",
                json!({"prompt": prompt(true)}),
                &["prompt"],
                TWO,
            ),
        ),
        (
            "IvrYesOrNo",
            node(
                "YesOrNo",
                "The first child on 1, the second on 2. From 2020-10-01.",
                json!({"prompt": prompt(true)}),
                &["prompt"],
                TWO,
            ),
        ),
        (
            "IvrNumberQuestion",
            node(
                "NumberQuestion",
                "Asks for a number of some kind. From 2020-10-01.",
                json!({"prompt": prompt(true), "number_question_type": word(&questions, "What kind.")}),
                &["prompt", "number_question_type"],
                ONE,
            ),
        ),
        (
            "IvrRingGroup",
            node(
                "RingGroup",
                "Rings several destinations. From 2022-03-01.",
                ring_group(),
                &["ring_group_destinations"],
                optional,
            ),
        ),
        (
            "IvrDynamicRoute",
            node(
                "DynamicRoute",
                "Connects to a number found in custom data. From 2022-03-01.",
                json!({"prompt": prompt(false), "dynamic_route_destination": {"type": "string", "minLength": 1, "maxLength": 10_000, "description": "The partner name of the field that holds it."}}),
                &["dynamic_route_destination"],
                ONE,
            ),
        ),
    ]
}

fn caller_ids() -> (Value, Value) {
    let settings: Vec<&str> =
        CallerIdSetting::ALL.into_iter().map(CallerIdSetting::as_str).collect();
    let setting = word(
        &settings,
        "Which number the destination sees: the caller's, the promo number, the mask, or the caller's with the mask's last digits.",
    );
    let mask = json!({"type": ["string", "null"], "maxLength": 255, "description": "The number, or the digits shown."});
    let said =
        request("Caller id to write", json!({"setting": setting, "mask": mask}), &["setting"]);
    let mut shown = answer("Caller id", json!({"setting": setting, "mask": mask}), &[]);
    shown["additionalProperties"] = json!(false);
    (said, shown)
}

pub(super) fn schemas() -> Schemas {
    let mut nodes = nodes();
    nodes.extend(newer_nodes());
    let names = || nodes.iter().map(|(name, _)| *name).filter(|name| *name != "IvrFailover");
    let any = json!({
        "title": "An IVR node to write",
        "description": "A node and what comes after it; the type says which parameters it has. Others are ignored, by name. At most 200 nodes, 20 deep.",
        "anyOf": names().map(reference).collect::<Vec<_>>(),
    });
    let menu_child = json!({
        "title": "A menu's child to write",
        "description": "A node; with `keypress_failover_type` it is where callers go who press no key or a wrong one, and counts as no key (from 2019-05-01).",
        "$ref": "#/components/schemas/IvrNodeRequest",
    });
    let (caller_id_said, caller_id_shown) = caller_ids();
    let said = request(
        "An IVR tree to write",
        json!({
            "root": reference("IvrNodeRequest"),
            "record_calls": flag("Whether calls are recorded; false by default."),
            "caller_id": reference("CallerIdRequest"),
        }),
        &["root"],
    );
    let shown = answer(
        "IVR tree",
        json!({
            "root": reference("IvrNode"),
            "record_calls": {"type": "boolean"},
            "caller_id": reference("CallerId"),
        }),
        &["caller_id"],
    );
    let shown_node = json!({
        "title": "IVR node",
        "description": "A node as it was written, with the parameters of its type.",
        "type": "object",
        "required": ["node_type"],
        "properties": {
            "node_type": {"type": "string", "enum": nodes.iter().map(|(_, node)| node["title"].clone()).collect::<Vec<_>>()},
            "prompt": {"type": "string"},
            "children": {"type": "array", "minItems": 1, "items": reference("IvrNode")},
        },
        "additionalProperties": true,
    });
    nodes.extend([
        ("IvrNodeRequest", any),
        ("IvrMenuChildRequest", menu_child),
        ("IvrTreeRequest", example(said, tree())),
        ("IvrNode", shown_node),
        ("IvrTree", example(shown, tree())),
        ("CallerIdRequest", caller_id_said),
        ("CallerId", caller_id_shown),
    ]);
    nodes
}
