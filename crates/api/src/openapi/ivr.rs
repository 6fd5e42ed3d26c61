//! IVR trees: one schema per node type.

use super::pricing::condition;
use super::schema::{
    NamedSchemas, enumeration, enumeration_or_null, nullable, nullable_external_id, nullable_text,
    request_boolean, request_integer, request_object, response_object, schema_reference,
    with_description, with_example,
};
use serde_json::{Map, Value, json};
use trunkline_domain::ivr::{
    CallerIdSetting, DistributionMethod, MAX_DISTRIBUTION_WEIGHT, MAX_RING_GROUP_DESTINATIONS,
    MAX_SIMULTANEOUS_CALLS, QuestionType, RING_TIMEOUT_SECONDS, SMS_DELAYS_SECONDS,
};
use trunkline_domain::party::MAX_NAME_CHARS;

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
    let mandatory = json!({"type": "string", "minLength": 1, "maxLength": 10_000, "pattern": r"^\s*\S", "description": "Text to speak."});
    if required { mandatory } else { optional }
}

fn destination() -> Value {
    json!({
        "type": ["string", "integer", "null"],
        "format": "destination-number",
        "maxLength": MAX_NAME_CHARS,
        "description": "National number: 10 digits for country code 1, else 4–14 digits; also in E.164 form with that country code. Punctuation is ignored. It may be empty or absent in future terms, but not at `go_live`.",
    })
}

fn country_code() -> Value {
    json!({
        "type": ["string", "integer", "null"],
        "pattern": r"^\+?[0-9]{0,3}$",
        "minimum": 0,
        "maximum": 999,
        "description": "Country calling code, digits only. Default: 1.",
    })
}

fn seconds(description: &str) -> Value {
    request_integer(1, 300, description)
}

fn node(
    node_type: &str,
    description: &str,
    parameters: Value,
    required: &[&str],
    children: Children,
) -> Value {
    let mut properties = Map::from_iter([
        ("node_type".to_owned(), json!({"type": "string", "enum": [node_type]})),
        ("keypress_failover_type".to_owned(), keypress_failover()),
    ]);
    properties.extend(parameters.as_object().cloned().unwrap_or_default());
    let Children { min, max, schema, description: children_description } = children;
    let list = json!({"type": if min == 0 { json!(["array", "null"]) } else { json!("array") }, "minItems": min, "maxItems": max, "items": schema_reference(schema), "description": children_description});
    properties.insert("children".to_owned(), list);
    let mut names = vec!["node_type"];
    names.extend(required);
    if min > 0 {
        names.push("children");
    }
    with_description(request_object(Value::Object(properties), &names), description)
}

fn keypress_failover() -> Value {
    enumeration_or_null(
        &["Wrong", "None"],
        "Only for a child of a Menu, YesOrNo or NumberQuestion, which then has no key: the node is used when the attempts are used up, with a wrong key among them (`Wrong`) or with none (`None`). From 2019-05-01.",
    )
}

fn sms_promo_parameters() -> Value {
    json!({
        "prompt": prompt(true),
        "sms_promo_copy": prompt(true),
        "sms_promo_delay": request_integer(0, u32::MAX, &format!("Delay after the end of the call in seconds: {}.", SMS_DELAYS_SECONDS.map(|delay| delay.to_string()).join(", "))),
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

fn connect_parameters() -> Value {
    json!({
        "prompt": prompt(false),
        "destination_phone_number": destination(),
        "destination_country_code": country_code(),
        "destination_extension": {"type": ["string", "integer", "null"], "maxLength": 20, "minimum": 0, "pattern": "^[0-9*#,]*$", "description": "Extension, dialled after the destination has answered: digits, `*`, `#` and pauses (`,`)."},
        "connect_timeout": seconds("Seconds to ring before the call counts as unanswered."),
    })
}

/// Node types of the first versions.
fn first_nodes() -> NamedSchemas {
    let menu_children = Children {
        min: 1,
        max: 11,
        schema: "IvrNodeRequest",
        description: "Up to 9 nodes for the keys from 1 on, and nodes with `keypress_failover_type`.",
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
        ("IvrConnect", node("Connect", "Forwards the call.", connect_parameters(), &[], failover)),
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
            "type": "array", "minItems": 1, "maxItems": MAX_RING_GROUP_DESTINATIONS, "description": "Numbers to ring.",
            "items": request_object(json!({
                "ring_group_number": {"type": ["string", "integer"], "format": "phone-number", "maxLength": MAX_NAME_CHARS, "description": "National number: 10 digits for country code 1. Punctuation is ignored."},
                "ring_group_country_code": country_code(),
                "description": nullable_text(10_000, "Name of the destination."),
                "destination_disabled": request_boolean("The destination does not ring. Default: false."),
                "distribution_weight": request_integer(1, MAX_DISTRIBUTION_WEIGHT, "Weight in the order `Weighted`. Default: 1."),
            }), &["ring_group_number"]),
        },
        "ring_group_connect_timeout": ring_timeout(),
        "distribution_method": distribution_method(),
        "max_simultaneous_calls": request_integer(1, MAX_SIMULTANEOUS_CALLS, "Number of destinations that ring at the same time. Default: 1."),
        "ring_group_destination_total_limit": request_integer(1, MAX_RING_GROUP_DESTINATIONS, "Maximum number of destinations that ring for one call. Default: all."),
        "call_acceptance": request_boolean("The destination has to accept the call with a key. Default: false."),
    })
}

fn ring_timeout() -> Value {
    let [shortest, longest] = RING_TIMEOUT_SECONDS;
    request_integer(shortest, longest, "Seconds to ring before the next destinations.")
}

fn distribution_method() -> Value {
    let methods = DistributionMethod::ALL.map(DistributionMethod::as_str);
    enumeration_or_null(
        &methods,
        "Order of the destinations: as listed (default), at random, or at random in proportion to the weights. Random orders follow from the id of the call, so a replay has the same.",
    )
}

fn dynamic_route_parameters() -> Value {
    let mut parameters = ring_group_parameters();
    if let Some(parameters) = parameters.as_object_mut() {
        parameters.remove("ring_group_destinations");
        let field = json!({"type": "string", "minLength": 1, "maxLength": 10_000, "description": "Partner name of the custom data field with the number. If it holds no number, the call continues with the child."});
        parameters.insert("dynamic_route_destination".to_owned(), field);
        let like_group = request_boolean(
            "The field may hold several numbers, separated by commas. They ring like those of a RingGroup. Default: false.",
        );
        parameters.insert("behave_like_ring_group".to_owned(), like_group);
        let url = nullable_text(
            10_000,
            "Stored; `go_live` rejects it: requests to it are not implemented.",
        );
        parameters.insert("routing_url".to_owned(), url);
    }
    parameters
}

fn question_parameters() -> Map<String, Value> {
    Map::from_iter([
        ("prompt".to_owned(), prompt(true)),
        (
            "confirm_response_enabled".to_owned(),
            request_boolean(
                "The caller confirms the answer: 1 is right, 2 answers again. Default: false.",
            ),
        ),
        (
            "error_prompt_disabled".to_owned(),
            request_boolean("No text is spoken after an invalid answer. Default: false."),
        ),
        (
            "custom_error_prompt_text".to_owned(),
            nullable_text(10_000, "Text to speak after an invalid answer."),
        ),
    ])
}

fn number_question_parameters() -> Value {
    let questions: Vec<&str> = QuestionType::ALL.into_iter().map(|(name, _)| name).collect();
    let mut parameters = question_parameters();
    parameters.insert(
        "number_question_type".to_owned(),
        enumeration(
            &questions,
            "Kind of the number. `*` is a decimal point; dates are MMDDYYYY, times HHMM.",
        ),
    );
    parameters.insert(
        "caller_response_custom_data_partner_name".to_owned(),
        nullable_text(10_000, "Partner name of the custom data field that takes the answer."),
    );
    Value::Object(parameters)
}

/// Children of a question: `count` for the answers, and failover children.
fn question_children(count: u8) -> Children {
    Children {
        min: count,
        max: count + 2,
        schema: "IvrNodeRequest",
        description: "The next nodes, and nodes with `keypress_failover_type`.",
    }
}

/// Node types of later versions. Every version accepts, executes and returns them.
fn newer_nodes() -> NamedSchemas {
    let optional = Children { min: 0, max: 1, ..ONE };
    vec![
        (
            "IvrFailover",
            node(
                "Failover",
                "Child of a Connect: destination of an unanswered call. From 2019-05-01.",
                json!({"destination_phone_number": destination(), "destination_country_code": with_description(country_code(), "Country calling code, digits only. Default: that of the Connect.")}),
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
                "Continues with the first child on key 1, with the second on key 2. The caller has three attempts. From 2020-10-01.",
                Value::Object(question_parameters()),
                &["prompt"],
                question_children(2),
            ),
        ),
        (
            "IvrNumberQuestion",
            node(
                "NumberQuestion",
                "Asks for a number. The caller has three attempts. From 2020-10-01.",
                number_question_parameters(),
                &["prompt", "number_question_type"],
                question_children(1),
            ),
        ),
        (
            "IvrRingGroup",
            node(
                "RingGroup",
                "Rings several destinations. From 2022-03-01.",
                ring_group_parameters(),
                &["ring_group_destinations", "ring_group_connect_timeout"],
                optional,
            ),
        ),
        (
            "IvrDynamicRoute",
            node(
                "DynamicRoute",
                "Connects to a number from custom data. From 2022-03-01.",
                dynamic_route_parameters(),
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
    let mask = nullable_external_id("The number or digits to show.");
    let response_mask =
        json!({"type": ["string", "null"], "description": "The number or digits to show."});
    let request = request_object(json!({"setting": setting, "mask": mask}), &["setting"]);
    let response = response_object(json!({"setting": setting, "mask": response_mask}), &[]);
    (request, response)
}

pub(super) fn schemas() -> NamedSchemas {
    let mut nodes = first_nodes();
    nodes.extend(newer_nodes());
    let names = || nodes.iter().map(|(name, _)| *name).filter(|name| *name != "IvrFailover");
    let node_request = json!({
        "description": "A node with its children. Its type determines its parameters; others are ignored. At most 200 nodes, 20 levels.",
        "anyOf": names().map(schema_reference).collect::<Vec<_>>(),
    });
    let (caller_id_request, caller_id_response) = caller_id();
    let tree_request = request_object(
        json!({
            "root": schema_reference("IvrNodeRequest"),
            "record_calls": request_boolean("Record the calls. Default: false."),
            "caller_id": nullable(schema_reference("CallerIdRequest"), "Caller id of the outgoing call."),
            "whisper_prompt_text": nullable_text(10_000, "Text that a destination hears before the caller."),
        }),
        &["root"],
    );
    let tree = response_object(
        json!({
            "root": schema_reference("IvrNode"),
            "record_calls": {"type": "boolean"},
            "caller_id": schema_reference("CallerId"),
            "whisper_prompt_text": {"type": "string"},
        }),
        &["caller_id", "whisper_prompt_text"],
    );
    let node_types: Vec<Value> =
        nodes.iter().map(|(_, node)| node["properties"]["node_type"]["enum"][0].clone()).collect();
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
        ("IvrTreeRequest", with_example(tree_request, tree_example())),
        ("IvrNode", node),
        ("IvrTree", with_example(tree, tree_example())),
        ("CallerIdRequest", caller_id_request),
        ("CallerId", caller_id_response),
    ]);
    nodes
}
