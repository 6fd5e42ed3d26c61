//! The shape of an IVR tree. Problems sit at their node; what a node's type does not have is
//! ignored, by name.

use crate::fields::{Fields, Reading, TEXT_LIMIT};
use crate::resources::pricing::read_condition;
use serde_json::{Map, Value, json};
use trunkline_domain::ivr::{
    self, CallerId, CallerIdSetting, DEPTH_LIMIT, IvrNode, IvrTree, KeypressFailover, NODE_LIMIT,
    NodeKind, QuestionType, RingDestination, SMS_DELAYS,
};
use trunkline_domain::phone::DialledNumber;
use trunkline_domain::problem::{EMPTY, INVALID, NOT_LISTED, Problems};

/// Destinations of one RingGroup.
const DESTINATIONS: usize = 50;

/// Reads a tree. `None` when its root does not read. A node below that does not read leaves an
/// EndCall in its place, so that what is wrong with the others is found too: with problems
/// nothing is stored. What reads is checked as a whole by the terms that it becomes part of.
pub(super) fn read(map: &Map<String, Value>, reading: Reading<'_>) -> Option<IvrTree> {
    let mut fields = Fields::new(map, reading);
    let record_calls = fields.boolean("record_calls").flatten().unwrap_or_default();
    let caller_id = fields.hash("caller_id").flatten();
    let caller_id =
        caller_id.map(|map| read_caller_id(Fields::new(map, fields.below("caller_id"))));
    let root = match fields.value("root") {
        None | Some(Value::Null) => {
            fields.wrong("root", EMPTY);
            None
        }
        Some(root) => match check_size(root) {
            Err(message) => {
                fields.problems.add(message);
                None
            }
            // A problem's path starts at the root node.
            Ok(()) => {
                let mut at_root = Problems::new();
                let reading = Reading { problems: &mut at_root, ignored: &mut *fields.ignored };
                let node = read_node(root, reading);
                fields.problems.merge(at_root);
                node
            }
        },
    };
    fields.finish();
    Some(IvrTree { root: root?, record_calls, caller_id: caller_id.flatten() })
}

/// Refuses a body whose tree is deeper than trees can be, before anything else is looked at: like
/// JSON that nests too deep, it is not to be understood. JSON itself is at most 128 deep.
pub(crate) fn check_depth(body: &Map<String, Value>) -> Result<(), String> {
    let root = body.get("ivr_tree").and_then(|tree| tree.get("root"));
    let depth = levels(root.into_iter().collect()).count();
    if depth > DEPTH_LIMIT {
        return Err(format!("ivr_tree is too deep: {depth} levels (maximum is {DEPTH_LIMIT})"));
    }
    Ok(())
}

/// Refuses a tree of too many nodes.
fn check_size(root: &Value) -> Result<(), String> {
    let nodes: usize = levels(vec![root]).map(|level| level.len()).sum();
    if nodes > NODE_LIMIT {
        return Err(format!("is too large (maximum is {NODE_LIMIT} nodes)"));
    }
    Ok(())
}

/// A tree's nodes, level by level.
fn levels(top: Vec<&Value>) -> impl Iterator<Item = Vec<&Value>> {
    let some = |level: Vec<_>| (!level.is_empty()).then_some(level);
    std::iter::successors(some(top), move |level| {
        let below = level.iter().filter_map(|node: &&Value| node.get("children")?.as_array());
        some(below.flatten().collect())
    })
}

fn read_caller_id(mut fields: Fields<'_>) -> Option<CallerId> {
    let parse = |word: &str| CallerIdSetting::ALL.into_iter().find(|it| it.as_str() == word);
    let setting = fields.word("setting", parse);
    if !fields.has("setting") {
        fields.wrong("setting", NOT_LISTED);
    }
    let mask = fields.optional_id("mask").flatten();
    fields.finish();
    Some(CallerId { setting: setting?, mask })
}

fn read_node(value: &Value, reading: Reading<'_>) -> Option<IvrNode> {
    let mut fields = Fields::of(value, reading)?;
    let node_type = match fields.value("node_type") {
        None | Some(Value::Null) => {
            fields.wrong("node_type", EMPTY);
            None
        }
        Some(said) => Some(said.as_str().unwrap_or_default()),
    };
    let kind = node_type.and_then(|node_type| {
        let kind = read_kind(node_type, &mut fields);
        if kind.is_none() {
            fields.wrong("node_type", NOT_LISTED);
        }
        kind
    });
    let parse_failover = |word: &str| match word {
        "Wrong" => Some(KeypressFailover::Wrong),
        "None" => Some(KeypressFailover::None),
        _ => None,
    };
    let failover = match fields.value("keypress_failover_type") {
        None | Some(Value::Null) => None,
        Some(_) => fields.word("keypress_failover_type", parse_failover),
    };
    let children = read_children(&mut fields);
    let Some(kind) = kind else {
        // What this node is nobody knows, but what is below it can be looked at.
        for (index, child) in children.iter().enumerate() {
            check_below(child, fields.problems.at("children").child(index));
        }
        return None;
    };
    fields.finish();
    Some(IvrNode { kind, children, keypress_failover_type: failover })
}

/// Each child's problems sit under its key less one.
fn read_children(fields: &mut Fields<'_>) -> Vec<IvrNode> {
    let items = match fields.value("children") {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            fields.wrong("children", INVALID);
            return Vec::new();
        }
    };
    let mut children = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let problems = fields.problems.at("children").child(index);
        let child = read_node(item, Reading { problems, ignored: &mut *fields.ignored });
        children.push(child.unwrap_or_else(|| IvrNode {
            kind: NodeKind::EndCall { prompt: String::new() },
            children: Vec::new(),
            keypress_failover_type: None,
        }));
    }
    children
}

fn check_below(node: &IvrNode, problems: &mut Problems) {
    let tree = IvrTree { root: node.clone(), record_calls: false, caller_id: None };
    ivr::check(&tree, problems);
}

/// The type's own parameters; one that does not read counts as not given. `None` for a type that
/// there is not.
fn read_kind(node_type: &str, fields: &mut Fields<'_>) -> Option<NodeKind> {
    Some(match node_type {
        "Menu" => NodeKind::Menu { prompt: fields.plain_text("prompt") },
        "Connect" => {
            let (number, country) = read_destination(fields);
            NodeKind::Connect {
                prompt: fields.plain_text("prompt"),
                destination_phone_number: number,
                destination_country_code: country,
                connect_timeout: fields.whole("connect_timeout", 1, 300).flatten(),
            }
        }
        "EndCall" => NodeKind::EndCall { prompt: fields.plain_text("prompt") },
        "SmsPromo" => NodeKind::SmsPromo {
            prompt: fields.plain_text("prompt"),
            sms_promo_copy: fields.plain_text("sms_promo_copy"),
            sms_promo_delay: read_delay(fields),
            sms_promo_sender: fields.text("sms_promo_sender", TEXT_LIMIT).flatten(),
        },
        "Condition" => {
            let given = matches!(fields.value("condition"), Some(value) if !value.is_null());
            let condition = read_condition(fields).filter(|_| given);
            NodeKind::Condition { condition }
        }
        "VerifyLocation" => NodeKind::VerifyLocation { prompt: fields.plain_text("prompt") },
        "AnyKeyPress" => NodeKind::AnyKeyPress { prompt: fields.plain_text("prompt") },
        "YesOrNo" => NodeKind::YesOrNo { prompt: fields.plain_text("prompt") },
        "NumberQuestion" => {
            let parse = |word: &str| {
                QuestionType::ALL.into_iter().find(|(name, _)| *name == word).map(|(_, kind)| kind)
            };
            NodeKind::NumberQuestion {
                prompt: fields.plain_text("prompt"),
                number_question_type: fields.word("number_question_type", parse),
            }
        }
        "RingGroup" => NodeKind::RingGroup {
            prompt: fields.plain_text("prompt"),
            ring_group_destinations: fields
                .array("ring_group_destinations", DESTINATIONS, read_ring_destination)
                .unwrap_or_default(),
            ring_group_connect_timeout: fields
                .whole("ring_group_connect_timeout", 1, 300)
                .flatten(),
        },
        "DynamicRoute" => NodeKind::DynamicRoute {
            prompt: fields.plain_text("prompt"),
            dynamic_route_destination: fields.plain_text("dynamic_route_destination"),
        },
        "Failover" => NodeKind::Failover { destination_phone_number: read_destination(fields).0 },
        _ => return None,
    })
}

/// National digits and country code. Neither given, or both empty, is a destination not known
/// yet; a country code that is not said is "1".
fn read_destination(fields: &mut Fields<'_>) -> (String, String) {
    let country = fields.optional_id("destination_country_code");
    let number = fields.optional_id("destination_phone_number");
    let blank = matches!(fields.value("destination_country_code"), Some(Value::String(_)));
    let unsaid = || if blank { String::new() } else { "1".to_owned() };
    let country = country.flatten().unwrap_or_else(unsaid);
    let digits = country.strip_prefix('+').unwrap_or(&country);
    if digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        fields.wrong("destination_country_code", INVALID);
        return (String::new(), country);
    }
    let Some(number) = number.flatten() else { return (String::new(), country) };
    let Some(dialled) = DialledNumber::parse(&number, &country) else {
        fields.wrong("destination_phone_number", INVALID);
        return (String::new(), country);
    };
    let country = if country.is_empty() { country } else { dialled.country_code().to_owned() };
    (dialled.number().to_owned(), country)
}

fn read_delay(fields: &mut Fields<'_>) -> Option<u32> {
    let delay = fields.whole("sms_promo_delay", 0, u32::MAX).flatten()?;
    if !SMS_DELAYS.contains(&delay) {
        fields.wrong("sms_promo_delay", NOT_LISTED);
    }
    Some(delay)
}

fn read_ring_destination(value: &Value, reading: Reading<'_>) -> Option<RingDestination> {
    let mut fields = Fields::of(value, reading)?;
    let number = fields.optional_id("ring_group_number").flatten();
    let number = number.and_then(|number| DialledNumber::parse(&number, "1"));
    if number.is_none() {
        fields.wrong("ring_group_number", INVALID);
    }
    let description = fields.text("description", TEXT_LIMIT).flatten();
    fields.finish();
    Some(RingDestination { ring_group_number: number?.number().to_owned(), description })
}

/// A tree as every version shows it.
pub(super) fn render(tree: &IvrTree) -> Value {
    let mut object = Map::new();
    object.insert("root".to_owned(), render_node(&tree.root));
    object.insert("record_calls".to_owned(), tree.record_calls.into());
    if let Some(CallerId { setting, mask }) = &tree.caller_id {
        let shown = json!({"setting": setting.as_str(), "mask": mask});
        object.insert("caller_id".to_owned(), shown);
    }
    Value::Object(object)
}

fn render_node(node: &IvrNode) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("node_type", node.kind.name().into());
    render_parameters(&node.kind, &mut put);
    if let Some(failover) = node.keypress_failover_type {
        put("keypress_failover_type", json!(failover));
    }
    if !node.children.is_empty() {
        put("children", node.children.iter().map(render_node).collect());
    }
    Value::Object(object)
}

fn render_parameters(kind: &NodeKind, put: &mut impl FnMut(&str, Value) -> Option<Value>) {
    match kind {
        NodeKind::Menu { prompt }
        | NodeKind::EndCall { prompt }
        | NodeKind::VerifyLocation { prompt }
        | NodeKind::AnyKeyPress { prompt }
        | NodeKind::YesOrNo { prompt } => {
            put("prompt", json!(prompt));
        }
        NodeKind::Connect {
            prompt,
            destination_phone_number,
            destination_country_code,
            connect_timeout,
        } => {
            put("destination_phone_number", json!(destination_phone_number));
            put("destination_country_code", json!(destination_country_code));
            put("prompt", json!(prompt));
            if let Some(timeout) = connect_timeout {
                put("connect_timeout", json!(timeout));
            }
        }
        NodeKind::SmsPromo { prompt, sms_promo_copy, sms_promo_delay, sms_promo_sender } => {
            put("prompt", json!(prompt));
            put("sms_promo_copy", json!(sms_promo_copy));
            put("sms_promo_delay", json!(sms_promo_delay));
            put("sms_promo_sender", json!(sms_promo_sender));
        }
        NodeKind::Condition { condition } => {
            let text = condition.as_ref().map_or("", |condition| condition.text());
            put("condition", json!(text));
        }
        NodeKind::NumberQuestion { prompt, number_question_type } => {
            put("prompt", json!(prompt));
            put("number_question_type", json!(number_question_type.map(QuestionType::as_str)));
        }
        NodeKind::RingGroup { prompt, ring_group_destinations, ring_group_connect_timeout } => {
            put("prompt", json!(prompt));
            put("ring_group_destinations", json!(ring_group_destinations));
            put("ring_group_connect_timeout", json!(ring_group_connect_timeout));
        }
        NodeKind::DynamicRoute { prompt, dynamic_route_destination } => {
            put("prompt", json!(prompt));
            put("dynamic_route_destination", json!(dynamic_route_destination));
        }
        NodeKind::Failover { destination_phone_number } => {
            put("destination_phone_number", json!(destination_phone_number));
        }
    }
}
