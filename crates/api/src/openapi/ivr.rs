//! IVR trees: one schema per node type.

use super::pricing::condition;
use super::schema::{
    NamedSchemas, boolean, enumeration, nullable_text, request_object, response_object,
    schema_reference, with_description, with_example,
};
use serde_json::{Map, Value, json};
use trunkline_domain::ivr::{CallerIdSetting, QuestionType, SMS_DELAYS};

/// Example tree.
pub(super) fn tree_example() -> Value {
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

/// Number and schema of a node type's children.
#[derive(Clone, Copy)]
struct Children {
    min: u8,
    max: u8,
    /// Schema component of a child.
    schema: &'static str,
    description: &'static str,
}

const NONE: Children =
    Children { min: 0, max: 0, schema: "IvrNodeRequest", description: "Always empty." };
const ONE: Children =
    Children { min: 1, max: 1, schema: "IvrNodeRequest", description: "The next node." };
const TWO: Children =
    Children { min: 2, max: 2, schema: "IvrNodeRequest", description: "The two branches." };

fn prompt(required: bool) -> Value {
    let optional = json!({"type": ["string", "null"], "maxLength": 10_000, "description": "Text to speak first, if any."});
    let mandatory = json!({"type": "string", "minLength": 1, "maxLength": 10_000, "pattern": r"\S", "description": "Text to speak."});
    if required { mandatory } else { optional }
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
    description: &str,
    parameters: Value,
    required: &[&str],
    children: Children,
) -> Value {
    let mut properties = Map::from_iter([("node_type".to_owned(), json!({"const": node_type}))]);
    properties.extend(parameters.as_object().cloned().unwrap_or_default());
    let Children { min, max, schema, description: children_description } = children;
    let mut list = json!({"type": "array", "minItems": min, "maxItems": max, "description": children_description});
    if max > 0 {
        list["items"] = schema_reference(schema);
    }
    properties.insert("children".to_owned(), list);
    let mut names = vec!["node_type"];
    names.extend(required);
    if min > 0 {
        names.push("children");
    }
    with_description(request_object(Value::Object(properties), &names), description)
}

fn sms_promo_parameters() -> Value {
    json!({
        "prompt": prompt(true),
        "sms_promo_copy": prompt(true),
        "sms_promo_delay": {"enum": SMS_DELAYS.map(Value::from).to_vec(), "description": "Delay after the end of the call in seconds."},
        "sms_promo_sender": nullable_text(10_000, "Sender of the text message."),
    })
}

fn required_condition() -> Value {
    let mut schema = condition(
        "Condition of the branch. It may use the facts that are known during the call, that is neither `duration` nor `connect_duration`.",
    );
    schema["type"] = json!("string");
    schema["format"] = json!("ivr-condition");
    schema["minLength"] = json!(1);
    schema["examples"] = json!(["during_hours"]);
    schema
}

/// Node types that calls can execute.
fn executable_nodes() -> NamedSchemas {
    let menu_children = Children {
        min: 1,
        max: 9,
        schema: "IvrMenuChildRequest",
        description: "The nodes for the keys from 1 on.",
    };
    let failover =
        Children { min: 0, max: 1, schema: "IvrFailover", description: "At most one Failover." };
    vec![
        (
            "IvrMenu",
            node(
                "Menu",
                "Lets the caller choose among up to 9 nodes.",
                json!({"prompt": prompt(true)}),
                &["prompt"],
                menu_children,
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
                    "destination_country_code": {"type": "string", "enum": ["1", ""], "default": "1", "description": "Country calling code, digits only."},
                    "connect_timeout": seconds("Seconds to ring before the call counts as unanswered."),
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
                sms_promo_parameters(),
                &["prompt", "sms_promo_copy"],
                ONE,
            ),
        ),
        (
            "IvrCondition",
            node(
                "Condition",
                "Continues with the first child if the condition is met, else (also if it is unknown) with the second.",
                json!({"condition": required_condition()}),
                &["condition"],
                TWO,
            ),
        ),
        (
            "IvrVerifyLocation",
            node(
                "VerifyLocation",
                "Asks for the caller's location if it is unknown.",
                json!({"prompt": prompt(false)}),
                &[],
                ONE,
            ),
        ),
    ]
}

fn ring_group_parameters() -> Value {
    json!({
        "prompt": prompt(false),
        "ring_group_destinations": {
            "type": "array", "minItems": 1, "maxItems": 50, "description": "Numbers to ring.",
            "items": request_object(json!({
                "ring_group_number": {"type": "string", "pattern": "^[2-9][0-9]{9}$"},
                "description": nullable_text(10_000, "Name of the destination."),
            }), &["ring_group_number"]),
        },
        "ring_group_connect_timeout": seconds("Seconds to ring before the next destination."),
    })
}

/// Node types that are stored and returned. `go_live` rejects them, as calls cannot execute them.
fn stored_only_nodes() -> NamedSchemas {
    let questions: Vec<&str> = QuestionType::ALL.into_iter().map(|(name, _)| name).collect();
    let optional = Children { min: 0, max: 1, ..ONE };
    vec![
        (
            "IvrFailover",
            node(
                "Failover",
                "Child of a Connect: destination of an unanswered call. From 2019-05-01.",
                json!({"destination_phone_number": destination()}),
                &[],
                NONE,
            ),
        ),
        (
            "IvrAnyKeyPress",
            node(
                "AnyKeyPress",
                "Continues with the first child on any key, else with the second. From 2020-10-01.",
                json!({"prompt": prompt(true)}),
                &["prompt"],
                TWO,
            ),
        ),
        (
            "IvrYesOrNo",
            node(
                "YesOrNo",
                "Continues with the first child on key 1, with the second on key 2. From 2020-10-01.",
                json!({"prompt": prompt(true)}),
                &["prompt"],
                TWO,
            ),
        ),
        (
            "IvrNumberQuestion",
            node(
                "NumberQuestion",
                "Asks for a number. From 2020-10-01.",
                json!({"prompt": prompt(true), "number_question_type": enumeration(&questions, "Kind of the number.")}),
                &["prompt", "number_question_type"],
                ONE,
            ),
        ),
        (
            "IvrRingGroup",
            node(
                "RingGroup",
                "Rings several destinations. From 2022-03-01.",
                ring_group_parameters(),
                &["ring_group_destinations"],
                optional,
            ),
        ),
        (
            "IvrDynamicRoute",
            node(
                "DynamicRoute",
                "Connects to a number from custom data. From 2022-03-01.",
                json!({"prompt": prompt(false), "dynamic_route_destination": {"type": "string", "minLength": 1, "maxLength": 10_000, "description": "Partner name of the custom data field with the number."}}),
                &["dynamic_route_destination"],
                ONE,
            ),
        ),
    ]
}

/// Schemas of the caller id: request, response.
fn caller_id() -> (Value, Value) {
    let settings: Vec<&str> =
        CallerIdSetting::ALL.into_iter().map(CallerIdSetting::as_str).collect();
    let setting = enumeration(
        &settings,
        "Number that the destination sees: the caller's, the promo number, the mask, or the caller's with the last digits of the mask.",
    );
    let mask = json!({"type": ["string", "null"], "maxLength": 255, "description": "The number or digits to show."});
    let request = request_object(json!({"setting": setting, "mask": mask}), &["setting"]);
    let response = response_object(json!({"setting": setting, "mask": mask}), &[]);
    (request, response)
}

pub(super) fn schemas() -> NamedSchemas {
    let mut nodes = executable_nodes();
    nodes.extend(stored_only_nodes());
    let names = || nodes.iter().map(|(name, _)| *name).filter(|name| *name != "IvrFailover");
    let node_request = json!({
        "description": "A node with its children. Its type determines its parameters; others are ignored. At most 200 nodes, 20 levels.",
        "anyOf": names().map(schema_reference).collect::<Vec<_>>(),
    });
    let menu_child = json!({
        "description": "A node. With `keypress_failover_type` it is used when the caller presses no key or a wrong one, and has no key itself (from 2019-05-01).",
        "$ref": "#/components/schemas/IvrNodeRequest",
    });
    let (caller_id_request, caller_id_response) = caller_id();
    let tree_request = request_object(
        json!({
            "root": schema_reference("IvrNodeRequest"),
            "record_calls": boolean("Record the calls. Default: false."),
            "caller_id": schema_reference("CallerIdRequest"),
        }),
        &["root"],
    );
    let tree = response_object(
        json!({
            "root": schema_reference("IvrNode"),
            "record_calls": {"type": "boolean"},
            "caller_id": schema_reference("CallerId"),
        }),
        &["caller_id"],
    );
    let node_types: Vec<Value> =
        nodes.iter().map(|(_, node)| node["properties"]["node_type"]["const"].clone()).collect();
    let node = json!({
        "description": "A node with the parameters of its type.",
        "type": "object",
        "required": ["node_type"],
        "properties": {
            "node_type": {"type": "string", "enum": node_types},
            "prompt": {"type": "string"},
            "children": {"type": "array", "minItems": 1, "items": schema_reference("IvrNode")},
        },
        "additionalProperties": true,
    });
    nodes.extend([
        ("IvrNodeRequest", node_request),
        ("IvrMenuChildRequest", menu_child),
        ("IvrTreeRequest", with_example(tree_request, tree_example())),
        ("IvrNode", node),
        ("IvrTree", with_example(tree, tree_example())),
        ("CallerIdRequest", caller_id_request),
        ("CallerId", caller_id_response),
    ]);
    nodes
}
