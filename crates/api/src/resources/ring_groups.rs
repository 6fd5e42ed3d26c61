//! Reads the parameters of RingGroup and DynamicRoute nodes.

use crate::object_reader::{ObjectReader, ReadContext, TEXT_LIMIT};
use serde_json::{Value, json};
use trunkline_domain::ivr::{
    DistributionMethod, MAX_DISTRIBUTION_WEIGHT, MAX_RING_GROUP_DESTINATIONS,
    MAX_SIMULTANEOUS_CALLS, NodeKind, RING_TIMEOUT_SECONDS, RingDestination, RingOptions,
};
use trunkline_domain::phone::DestinationNumber;
use trunkline_domain::problem::INVALID;

pub(super) fn read_group(reader: &mut ObjectReader<'_>) -> NodeKind {
    let destinations = reader.array(
        "ring_group_destinations",
        MAX_RING_GROUP_DESTINATIONS as usize,
        read_destination,
    );
    NodeKind::RingGroup {
        prompt: reader.text_or_empty("prompt"),
        ring_group_destinations: destinations.unwrap_or_default(),
        ringing: read_options(reader),
    }
}

pub(super) fn read_route(reader: &mut ObjectReader<'_>) -> NodeKind {
    NodeKind::DynamicRoute {
        prompt: reader.text_or_empty("prompt"),
        dynamic_route_destination: reader.text_or_empty("dynamic_route_destination"),
        behave_like_ring_group: reader.boolean("behave_like_ring_group").flatten(),
        routing_url: reader.text("routing_url", TEXT_LIMIT).flatten().filter(|url| !url.is_empty()),
        ringing: read_options(reader),
    }
}

fn read_options(reader: &mut ObjectReader<'_>) -> RingOptions {
    let [shortest, longest] = RING_TIMEOUT_SECONDS;
    let parse =
        |word: &str| DistributionMethod::ALL.into_iter().find(|method| method.as_str() == word);
    RingOptions {
        ring_group_connect_timeout: reader
            .integer("ring_group_connect_timeout", shortest, longest)
            .flatten(),
        distribution_method: match reader.value("distribution_method") {
            None | Some(Value::Null) => None,
            Some(_) => reader.enum_value("distribution_method", parse),
        },
        max_simultaneous_calls: reader
            .integer("max_simultaneous_calls", 1, MAX_SIMULTANEOUS_CALLS)
            .flatten(),
        ring_group_destination_total_limit: reader
            .integer("ring_group_destination_total_limit", 1, MAX_RING_GROUP_DESTINATIONS)
            .flatten(),
        call_acceptance: reader.boolean("call_acceptance").flatten(),
    }
}

fn read_destination(value: &Value, read_context: ReadContext<'_>) -> Option<RingDestination> {
    let mut reader = ObjectReader::from_value(value, read_context)?;
    let code = reader.optional_id("ring_group_country_code").flatten();
    let number = reader.optional_id("ring_group_number").flatten();
    let parse = |number: String| DestinationNumber::parse(&number, code.as_deref().unwrap_or("1"));
    let number = number.and_then(parse);
    if number.is_none() {
        reader.error("ring_group_number", INVALID);
    }
    let description = reader.text("description", TEXT_LIMIT).flatten();
    let is_disabled = reader.boolean("destination_disabled").flatten().unwrap_or_default();
    let weight = reader.integer("distribution_weight", 1, MAX_DISTRIBUTION_WEIGHT).flatten();
    reader.finish();
    let number = number?;
    Some(RingDestination {
        ring_group_number: number.number().to_owned(),
        ring_group_country_code: code.map(|_| number.country_code().to_owned()),
        description,
        destination_disabled: is_disabled,
        distribution_weight: weight,
    })
}

/// Renders the parameters of a RingGroup or a DynamicRoute, as far as they are given.
pub(super) fn render(kind: &NodeKind) -> Value {
    let mut object = json!({});
    let ringing = match kind {
        NodeKind::RingGroup { prompt, ring_group_destinations, ringing } => {
            object["prompt"] = json!(prompt);
            object["ring_group_destinations"] = json!(ring_group_destinations);
            ringing
        }
        NodeKind::DynamicRoute {
            prompt,
            dynamic_route_destination,
            behave_like_ring_group,
            routing_url,
            ringing,
        } => {
            object["prompt"] = json!(prompt);
            object["dynamic_route_destination"] = json!(dynamic_route_destination);
            object["behave_like_ring_group"] = json!(behave_like_ring_group);
            object["routing_url"] = json!(routing_url);
            ringing
        }
        _ => return object,
    };
    if let (Some(object), Value::Object(options)) = (object.as_object_mut(), json!(ringing)) {
        object.extend(options);
        object.retain(|_, value| !value.is_null());
    }
    object
}
