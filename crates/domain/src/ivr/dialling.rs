//! Dialling of destinations: Connect, Failover, RingGroup and DynamicRoute.
//!
//! | node | event | next |
//! |---|---|---|
//! | every | connected | the conversation |
//! | Connect | busy, no answer, failed | its Failover; without one the call ends |
//! | Failover | busy, no answer, failed | the call ends |
//! | RingGroup, DynamicRoute | busy, no answer, failed | the next destinations; after the last ones the child; without one the call ends |

use super::destination::Destination;
use super::event::{Action, Event};
use super::position::{NodeState, Position};
use super::ring_order::{node_seed, ring_order};
use super::run::{IvrContext, IvrRun, UnexpectedEvent};
use super::{
    CallerId, CallerIdSetting, DistributionMethod, IvrTree, NodeKind, RingDestination, RingOptions,
    Tracer,
};
use crate::call::{CallFacts, split_calling_code};
use crate::condition::{Facts, TextFact};
use crate::phone::PhoneNumber;

/// Separators of several numbers in one custom data field.
const NUMBER_SEPARATORS: [char; 2] = [',', ';'];

/// Returns true if a reported number is among those that ring at a position.
pub fn is_ringing(ivr_context: IvrContext<'_>, position: &Position, number: &str) -> bool {
    let run = IvrRun::resume(ivr_context, position.clone(), super::NoTrace);
    run.ringing().iter().any(|destination| destination.matches(number))
}

impl<'a, T: Tracer> IvrRun<'a, T> {
    /// Returns the destination that rings or that answered, if the current node dials.
    pub(crate) fn destination(&self) -> Option<Destination<'a>> {
        self.fixed_destination().or_else(|| self.destinations().into_iter().nth(self.position.leg))
    }

    /// Returns true if the current node dials destinations.
    pub(crate) fn is_at_dialling_node(&self) -> bool {
        self.node.is_some_and(|node| node.kind.dials())
    }

    /// Returns the destination of a node that has only one.
    fn fixed_destination(&self) -> Option<Destination<'a>> {
        match &self.node?.kind {
            NodeKind::Connect { destination_phone_number, destination_country_code, .. }
            | NodeKind::Failover { destination_phone_number, destination_country_code } => {
                Some(Destination::new(destination_phone_number, destination_country_code))
            }
            _ => None,
        }
    }

    /// Returns true if the node dials one of several destinations and has none for this call.
    pub(super) fn lacks_destinations(&self, kind: &NodeKind) -> bool {
        let is_group = matches!(kind, NodeKind::RingGroup { .. } | NodeKind::DynamicRoute { .. });
        is_group && self.destinations().is_empty()
    }

    /// Returns the destinations of the current node in the order of dialling.
    fn destinations(&self) -> Vec<Destination<'a>> {
        let mut listed = match self.node.map(|node| &node.kind) {
            Some(NodeKind::RingGroup { ring_group_destinations, .. }) => {
                ring_group_destinations.clone()
            }
            Some(NodeKind::DynamicRoute { dynamic_route_destination, .. }) => {
                self.custom_data_destinations(dynamic_route_destination)
            }
            _ => return self.fixed_destination().into_iter().collect(),
        };
        let Some(options) = self.ring_options() else {
            listed.truncate(1);
            return listed.into_iter().map(Destination::of_group).collect();
        };
        let seed = node_seed(self.context.facts.order_seed, &self.position.path);
        let method = options.distribution_method.unwrap_or(DistributionMethod::InOrder);
        let limit = options.ring_group_destination_total_limit.unwrap_or(u32::MAX) as usize;
        let order = ring_order(&listed, method, seed).into_iter().take(limit);
        order.filter_map(|index| listed.get(index).cloned()).map(Destination::of_group).collect()
    }

    /// Returns the phone numbers in a custom data field of the call.
    fn custom_data_destinations(&self, field: &str) -> Vec<RingDestination> {
        let context = self.evaluation_context(None);
        let fact = TextFact::CustomData(field.to_owned());
        let value = context.text(&fact).flatten().unwrap_or_default();
        let numbers = value.split(NUMBER_SEPARATORS).filter_map(PhoneNumber::parse);
        let split = numbers.filter_map(|number| {
            let (code, national) = split_calling_code(&number)?;
            Some(RingDestination {
                ring_group_number: national.to_owned(),
                ring_group_country_code: Some(code.to_owned()),
                description: None,
                destination_disabled: false,
                distribution_weight: None,
            })
        });
        split.collect()
    }

    /// Returns the options of a group; `None` for a node that dials one destination.
    fn ring_options(&self) -> Option<&'a RingOptions> {
        match &self.node?.kind {
            NodeKind::RingGroup { ringing, .. } => Some(ringing),
            NodeKind::DynamicRoute { behave_like_ring_group: Some(true), ringing, .. } => {
                Some(ringing)
            }
            _ => None,
        }
    }

    /// Returns the number of destinations that ring at the same time.
    fn ringing_count(&self) -> usize {
        let options = self.ring_options();
        let count = options.and_then(|options| options.max_simultaneous_calls).unwrap_or(1);
        (count as usize).max(1)
    }

    /// Returns the destinations that ring.
    fn ringing(&self) -> Vec<Destination<'a>> {
        let destinations = self.destinations().into_iter();
        destinations.skip(self.position.leg).take(self.ringing_count()).collect()
    }

    /// Dials the destinations from an index on.
    pub(super) fn dial(&mut self, leg: usize) {
        self.position.leg = leg;
        self.position.state = NodeState::Dialling;
        if !T::IS_TRACED {
            return;
        }
        let mut ringing = self.ringing();
        self.tracer.on_dial(&ringing);
        if ringing.is_empty() {
            return;
        }
        let Destination { number, country_code } = ringing.remove(0);
        let tree = self.context.terms.ivr_tree.as_ref();
        let (extension, connect_timeout) = match self.node.map(|node| &node.kind) {
            Some(NodeKind::Connect { destination_extension, connect_timeout, .. }) => {
                (destination_extension.clone(), *connect_timeout)
            }
            _ => (None, None),
        };
        let options = self.ring_options();
        let group_timeout = options.and_then(|options| options.ring_group_connect_timeout);
        let action = Action::Dial {
            number: number.into_owned(),
            country_code: country_code.into_owned(),
            extension: extension.filter(|extension| !extension.is_empty()),
            timeout: connect_timeout.or(group_timeout),
            caller_id: caller_id(tree, self.context.facts),
            record: tree.is_some_and(|tree| tree.record_calls),
            whisper: tree.and_then(|tree| tree.whisper_prompt_text.clone()),
            accept: options.is_some_and(|options| options.call_acceptance == Some(true)),
            also: ringing
                .into_iter()
                .map(|other| (other.country_code.into_owned(), other.number.into_owned()))
                .collect(),
        };
        self.tracer.on_action(|| action);
    }

    /// Handles an event while destinations ring.
    pub(super) fn handle_dial_event(&mut self, event: &Event) -> Result<(), UnexpectedEvent> {
        let answered = match event {
            Event::Connected => 0,
            Event::ConnectedTo(number) => {
                let mut ringing = self.ringing().into_iter();
                ringing.position(|destination| destination.matches(number)).unwrap_or(0)
            }
            Event::Busy | Event::NoAnswer | Event::Failed => {
                self.tracer.on_dial_result(event, 0);
                self.dial_next();
                return Ok(());
            }
            _ => return Err(UnexpectedEvent),
        };
        self.tracer.on_dial_result(event, answered);
        self.position.leg += answered;
        self.position.state = NodeState::Connected;
        Ok(())
    }

    /// Dials the next destinations of a group, or else enters the child; without one the call ends.
    fn dial_next(&mut self) {
        let next = self.position.leg + self.ringing_count();
        let is_left = self.fixed_destination().is_none() && next < self.destinations().len();
        if is_left { self.dial(next) } else { self.enter_child(0) }
    }
}

/// Returns the caller id to show to the destination. The promo number is not a fact of the execution, so
/// the caller of this module fills it in.
fn caller_id(tree: Option<&IvrTree>, facts: &CallFacts) -> Option<String> {
    let setting = tree.and_then(|tree| tree.caller_id.as_ref());
    let caller = facts.calling_phone_number.as_ref().map(|number| number.e164().to_owned());
    match setting {
        None | Some(CallerId { setting: CallerIdSetting::Original, .. }) => caller,
        Some(CallerId { setting: CallerIdSetting::Promo, .. }) => None,
        Some(CallerId { setting: CallerIdSetting::Specific, mask }) => mask.clone(),
        Some(CallerId { setting: CallerIdSetting::Partial, mask }) => {
            let mask = mask.as_deref().unwrap_or_default();
            let kept = |caller: String| {
                let length = caller.len().saturating_sub(mask.len());
                format!("{}{mask}", caller.get(..length).unwrap_or_default())
            };
            caller.map(kept)
        }
    }
}
