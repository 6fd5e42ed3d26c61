//! Reads and renders IVR trees. Problems have the path of their node. Properties that a node's type
//! does not have are ignored, and reported by name.

use crate::object_reader::{ObjectReader, ReadContext, TEXT_LIMIT};
use crate::resources::pricing::read_condition;
use crate::resources::ring_groups;
use serde_json::{Map, Value, json};
use trunkline_domain::ivr::{
    self, CallerId, CallerIdSetting, IvrNode, IvrTree, KeypressFailover, MAX_DEPTH, MAX_NODES,
    NodeKind, QuestionOptions, QuestionType, SMS_DELAYS_SECONDS,
};
use trunkline_domain::phone::DestinationNumber;
use trunkline_domain::problem::{EMPTY, INVALID, NOT_LISTED, Problems};

/// Maximum number of characters of an extension.
const MAX_EXTENSION_CHARACTERS: usize = 20;

/// Reads a tree. Returns `None` if the root is invalid. Another invalid node is replaced by an
/// EndCall, so that the problems of the other nodes are found, too; a tree with problems is never
/// stored. The rules for the whole tree are checked with the terms.
pub(super) fn read(map: &Map<String, Value>, read_context: ReadContext<'_>) -> Option<IvrTree> {
    let mut reader = ObjectReader::new(map, read_context);
    let record_calls = reader.boolean("record_calls").flatten().unwrap_or_default();
    let caller_id = reader.object("caller_id").flatten();
    let caller_id =
        caller_id.map(|map| read_caller_id(ObjectReader::new(map, reader.child("caller_id"))));
    let whisper_prompt_text = reader.text("whisper_prompt_text", TEXT_LIMIT).flatten();
    let root = match reader.value("root") {
        None | Some(Value::Null) => {
            reader.error("root", EMPTY);
            None
        }
        Some(root) => match check_size(root) {
            Err(message) => {
                reader.problems.add(message);
                None
            }
            // The path of a problem starts at the root node.
            Ok(()) => {
                let mut root_problems = Problems::new();
                let read_context =
                    ReadContext { problems: &mut root_problems, ignored: &mut *reader.ignored };
                let node = read_node(root, None, read_context);
                reader.problems.merge(root_problems);
                node
            }
        },
    };
    reader.finish();
    let caller_id = caller_id.flatten();
    Some(IvrTree { root: root?, record_calls, caller_id, whisper_prompt_text })
}

/// Rejects a body whose tree is deeper than [`MAX_DEPTH`], before anything else is read, like JSON
/// that is nested too deeply. (The JSON parser's own limit is 128 levels.)
pub(crate) fn check_depth(body: &Map<String, Value>) -> Result<(), String> {
    let root = body.get("ivr_tree").and_then(|tree| tree.get("root"));
    let depth = levels(root.into_iter().collect()).count();
    if depth > MAX_DEPTH {
        return Err(format!("ivr_tree is too deep: {depth} levels (maximum is {MAX_DEPTH})"));
    }
    Ok(())
}

/// Rejects a tree of more than [`MAX_NODES`] nodes.
fn check_size(root: &Value) -> Result<(), String> {
    let nodes: usize = levels(vec![root]).map(|level| level.len()).sum();
    if nodes > MAX_NODES {
        return Err(format!("is too large (maximum is {MAX_NODES} nodes)"));
    }
    Ok(())
}

/// Returns the nodes of trees, level by level.
fn levels(roots: Vec<&Value>) -> impl Iterator<Item = Vec<&Value>> {
    let non_empty = |level: Vec<_>| (!level.is_empty()).then_some(level);
    std::iter::successors(non_empty(roots), move |level| {
        let children = level.iter().filter_map(|node: &&Value| node.get("children")?.as_array());
        non_empty(children.flatten().collect())
    })
}

fn read_caller_id(mut reader: ObjectReader<'_>) -> Option<CallerId> {
    let parse =
        |word: &str| CallerIdSetting::ALL.into_iter().find(|setting| setting.as_str() == word);
    let setting = reader.enum_value("setting", parse);
    if !reader.is_present("setting") {
        reader.error("setting", NOT_LISTED);
    }
    let mask = reader.optional_id("mask").flatten();
    reader.finish();
    Some(CallerId { setting: setting?, mask })
}

/// Reads a node. `parent_code` is the country code of its parent, if that is a Connect.
fn read_node(
    value: &Value,
    parent_code: Option<&str>,
    read_context: ReadContext<'_>,
) -> Option<IvrNode> {
    let mut reader = ObjectReader::from_value(value, read_context)?;
    let node_type = match reader.value("node_type") {
        None | Some(Value::Null) => {
            reader.error("node_type", EMPTY);
            None
        }
        Some(value) => Some(value.as_str().unwrap_or_default()),
    };
    let kind = node_type.and_then(|node_type| {
        let kind = read_kind(node_type, parent_code, &mut reader);
        if kind.is_none() {
            reader.error("node_type", NOT_LISTED);
        }
        kind
    });
    let parse_failover = |word: &str| match word {
        "Wrong" => Some(KeypressFailover::Wrong),
        "None" => Some(KeypressFailover::None),
        _ => None,
    };
    let failover = match reader.value("keypress_failover_type") {
        None | Some(Value::Null) => None,
        Some(_) => reader.enum_value("keypress_failover_type", parse_failover),
    };
    let code = match &kind {
        Some(NodeKind::Connect { destination_country_code, .. }) => {
            Some(destination_country_code.as_str())
        }
        _ => None,
    };
    let children = read_children(&mut reader, code);
    let Some(kind) = kind else {
        // The node's type is unknown, but its children can be checked.
        for (index, child) in children.iter().enumerate() {
            check_subtree(child, reader.problems.property("children").child(index));
        }
        return None;
    };
    reader.finish();
    Some(IvrNode { kind, children, keypress_failover_type: failover })
}

/// Reads the children. The path of a child's problems contains its key minus one.
fn read_children(reader: &mut ObjectReader<'_>, parent_code: Option<&str>) -> Vec<IvrNode> {
    let items = match reader.value("children") {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            reader.error("children", INVALID);
            return Vec::new();
        }
    };
    let mut children = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let problems = reader.problems.property("children").child(index);
        let read_context = ReadContext { problems, ignored: &mut *reader.ignored };
        let child = read_node(item, parent_code, read_context);
        children.push(child.unwrap_or_else(|| IvrNode {
            kind: NodeKind::EndCall { prompt: String::new() },
            children: Vec::new(),
            keypress_failover_type: None,
        }));
    }
    children
}

fn check_subtree(node: &IvrNode, problems: &mut Problems) {
    let tree = IvrTree {
        root: node.clone(),
        record_calls: false,
        caller_id: None,
        whisper_prompt_text: None,
    };
    ivr::check_tree(&tree, problems);
}

/// Reads the parameters of a node type. An invalid parameter counts as absent. Returns `None` for an
/// unknown type.
fn read_kind(
    node_type: &str,
    parent_code: Option<&str>,
    reader: &mut ObjectReader<'_>,
) -> Option<NodeKind> {
    Some(match node_type {
        "Menu" => NodeKind::Menu { prompt: reader.text_or_empty("prompt") },
        "Connect" => read_connect(reader),
        "EndCall" => NodeKind::EndCall { prompt: reader.text_or_empty("prompt") },
        "SmsPromo" => NodeKind::SmsPromo {
            prompt: reader.text_or_empty("prompt"),
            sms_promo_copy: reader.text_or_empty("sms_promo_copy"),
            sms_promo_delay: read_delay(reader),
            sms_promo_sender: reader.text("sms_promo_sender", TEXT_LIMIT).flatten(),
        },
        "Condition" => {
            let is_given = matches!(reader.value("condition"), Some(value) if !value.is_null());
            let condition = read_condition(reader).filter(|_| is_given);
            NodeKind::Condition { condition }
        }
        "VerifyLocation" => NodeKind::VerifyLocation { prompt: reader.text_or_empty("prompt") },
        "AnyKeyPress" => NodeKind::AnyKeyPress { prompt: reader.text_or_empty("prompt") },
        "YesOrNo" => NodeKind::YesOrNo {
            prompt: reader.text_or_empty("prompt"),
            options: read_question_options(reader),
        },
        "NumberQuestion" => {
            let parse = |word: &str| {
                QuestionType::ALL.into_iter().find(|(name, _)| *name == word).map(|(_, kind)| kind)
            };
            NodeKind::NumberQuestion {
                prompt: reader.text_or_empty("prompt"),
                number_question_type: reader.enum_value("number_question_type", parse),
                options: read_question_options(reader),
                caller_response_custom_data_partner_name: reader
                    .text("caller_response_custom_data_partner_name", TEXT_LIMIT)
                    .flatten()
                    .filter(|name| !name.is_empty()),
            }
        }
        "RingGroup" => ring_groups::read_group(reader),
        "DynamicRoute" => ring_groups::read_route(reader),
        "Failover" => {
            let destination = read_destination(reader, parent_code.unwrap_or("1"));
            NodeKind::Failover {
                destination_phone_number: destination.national_number,
                destination_country_code: destination.country_code,
            }
        }
        _ => return None,
    })
}

fn read_connect(reader: &mut ObjectReader<'_>) -> NodeKind {
    let destination = read_destination(reader, "1");
    let extension = reader.optional_id("destination_extension").flatten();
    let is_key = |c: char| c.is_ascii_digit() || matches!(c, '*' | '#' | ',');
    let is_valid = |extension: &String| {
        extension.len() <= MAX_EXTENSION_CHARACTERS && extension.chars().all(is_key)
    };
    if extension.as_ref().is_some_and(|extension| !is_valid(extension)) {
        reader.error("destination_extension", INVALID);
    }
    NodeKind::Connect {
        prompt: reader.text_or_empty("prompt"),
        destination_phone_number: destination.national_number,
        destination_country_code: destination.country_code,
        destination_extension: extension.filter(is_valid),
        connect_timeout: reader.integer("connect_timeout", 1, 300).flatten(),
    }
}

fn read_question_options(reader: &mut ObjectReader<'_>) -> QuestionOptions {
    QuestionOptions {
        confirm_response_enabled: reader.boolean("confirm_response_enabled").flatten(),
        error_prompt_disabled: reader.boolean("error_prompt_disabled").flatten(),
        custom_error_prompt_text: reader.text("custom_error_prompt_text", TEXT_LIMIT).flatten(),
    }
}

/// Destination of a node.
struct NodeDestination {
    /// National digits; empty if the destination is not known yet.
    national_number: String,
    country_code: String,
}

/// Reads the destination of a node. If its number and country code are both absent or empty, the
/// destination is not known yet.
fn read_destination(reader: &mut ObjectReader<'_>, default_code: &str) -> NodeDestination {
    let country = reader.optional_id("destination_country_code");
    let number = reader.optional_id("destination_phone_number");
    let is_string = matches!(reader.value("destination_country_code"), Some(Value::String(_)));
    let default_country = || if is_string { String::new() } else { default_code.to_owned() };
    let country_code = country.flatten().unwrap_or_else(default_country);
    let digits = country_code.strip_prefix('+').unwrap_or(&country_code);
    if digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        reader.error("destination_country_code", INVALID);
        return NodeDestination { national_number: String::new(), country_code };
    }
    let Some(number) = number.flatten() else {
        return NodeDestination { national_number: String::new(), country_code };
    };
    let Some(dialled) = DestinationNumber::parse(&number, &country_code) else {
        reader.error("destination_phone_number", INVALID);
        return NodeDestination { national_number: String::new(), country_code };
    };
    let dialled_code = if country_code.is_empty() { "" } else { dialled.country_code() };
    NodeDestination {
        national_number: dialled.number().to_owned(),
        country_code: dialled_code.to_owned(),
    }
}

fn read_delay(reader: &mut ObjectReader<'_>) -> Option<u32> {
    let delay = reader.integer("sms_promo_delay", 0, u32::MAX).flatten()?;
    if !SMS_DELAYS_SECONDS.contains(&delay) {
        reader.error("sms_promo_delay", NOT_LISTED);
    }
    Some(delay)
}

/// Renders a tree. It is the same in every version.
pub(super) fn render(tree: &IvrTree) -> Value {
    let mut object = Map::new();
    object.insert("root".to_owned(), render_node(&tree.root));
    object.insert("record_calls".to_owned(), tree.record_calls.into());
    if let Some(CallerId { setting, mask }) = &tree.caller_id {
        let object_value = json!({"setting": setting.as_str(), "mask": mask});
        object.insert("caller_id".to_owned(), object_value);
    }
    if let Some(text) = &tree.whisper_prompt_text {
        object.insert("whisper_prompt_text".to_owned(), text.as_str().into());
    }
    Value::Object(object)
}

fn render_node(node: &IvrNode) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("node_type", node.kind.type_name().into());
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
        | NodeKind::AnyKeyPress { prompt } => {
            put("prompt", json!(prompt));
        }
        NodeKind::YesOrNo { prompt, options } => {
            put("prompt", json!(prompt));
            put_all(json!(options), put);
        }
        NodeKind::Connect {
            prompt,
            destination_phone_number,
            destination_country_code,
            destination_extension,
            connect_timeout,
        } => {
            put("destination_phone_number", json!(destination_phone_number));
            put("destination_country_code", json!(destination_country_code));
            if let Some(extension) = destination_extension {
                put("destination_extension", json!(extension));
            }
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
        NodeKind::NumberQuestion {
            prompt,
            number_question_type,
            options,
            caller_response_custom_data_partner_name,
        } => {
            put("prompt", json!(prompt));
            put("number_question_type", json!(number_question_type.map(QuestionType::as_str)));
            put_all(json!(options), put);
            if let Some(name) = caller_response_custom_data_partner_name {
                put("caller_response_custom_data_partner_name", json!(name));
            }
        }
        NodeKind::RingGroup { .. } | NodeKind::DynamicRoute { .. } => {
            put_all(ring_groups::render(kind), put);
        }
        NodeKind::Failover { destination_phone_number, destination_country_code } => {
            put("destination_phone_number", json!(destination_phone_number));
            put("destination_country_code", json!(destination_country_code));
        }
    }
}

/// Adds all properties of an object.
fn put_all(object: Value, put: &mut impl FnMut(&str, Value) -> Option<Value>) {
    if let Value::Object(object) = object {
        for (name, value) in object {
            put(&name, value);
        }
    }
}
