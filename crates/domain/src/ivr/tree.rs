//! Stored form of an IVR tree. Each node type owns its parameters.

use super::question_type::QuestionType;
use crate::condition::{Condition, Key};
use serde::{Deserialize, Serialize};

/// Allowed delays of a promotional text message in seconds: immediately, 30 minutes, 1 day, 1 week,
/// 30 days.
pub const SMS_DELAYS_SECONDS: [u32; 5] = [1, 1_800, 86_400, 604_800, 2_592_000];

/// Maximum number of destinations of a RingGroup.
pub const MAX_RING_GROUP_DESTINATIONS: u32 = 100;
/// Maximum number of destinations that ring at the same time.
pub const MAX_SIMULTANEOUS_CALLS: u32 = 10;
/// Range of the ring timeout of a group, in seconds.
pub const RING_TIMEOUT_SECONDS: [u32; 2] = [5, 120];
/// Greatest weight of a destination.
pub const MAX_DISTRIBUTION_WEIGHT: u32 = 100;

/// Call flow of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IvrTree {
    /// Root node, where every call starts.
    pub root: IvrNode,
    /// True if calls are recorded.
    pub record_calls: bool,
    /// Caller ID shown to the destination.
    pub caller_id: Option<CallerId>,
    /// Text played to a destination before it hears the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whisper_prompt_text: Option<String>,
}

impl IvrTree {
    /// Clears the destinations, which affiliates do not see: with them they could be dialled past
    /// the network.
    pub fn clear_destinations(&mut self) {
        let mut nodes = vec![&mut self.root];
        while let Some(node) = nodes.pop() {
            node.kind.clear_destinations();
            nodes.extend(&mut node.children);
        }
    }
}

/// Caller ID shown to the destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerId {
    /// Selected kind of caller ID.
    pub setting: CallerIdSetting,
    /// Number or digits required by [`CallerIdSetting::Specific`] and [`CallerIdSetting::Partial`].
    pub mask: Option<String>,
}

/// Kind of caller ID shown to the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallerIdSetting {
    /// Number of the caller.
    Original,
    /// Dialled promo number.
    Promo,
    /// Number given as the mask.
    Specific,
    /// Number of the caller with its last digits replaced by those of the mask.
    Partial,
}

impl CallerIdSetting {
    /// All settings.
    pub const ALL: [Self; 4] = [Self::Original, Self::Promo, Self::Specific, Self::Partial];

    /// Returns the wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Promo => "promo",
            Self::Specific => "specific",
            Self::Partial => "partial",
        }
    }
}

/// Node of an IVR tree with its children.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IvrNode {
    /// Node type and parameters.
    #[serde(flatten)]
    pub kind: NodeKind,
    /// Child nodes in order: one per key of a Menu; "met" and "not met" of a Condition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<IvrNode>,
    /// Marks a child of a menu as the target after no key or a wrong key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keypress_failover_type: Option<KeypressFailover>,
}

/// Cause that sends a caller to a failover child of a menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeypressFailover {
    /// Wrong key.
    Wrong,
    /// No key within the timeout.
    None,
}

/// Node type with its parameters. Texts may be empty here; [`super::check_tree()`] reports those that
/// must not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "node_type")]
pub enum NodeKind {
    /// The caller selects one of up to 9 choices by key.
    Menu {
        /// Text played.
        prompt: String,
    },
    /// Forwards the call to a destination.
    Connect {
        /// Text played first.
        prompt: String,
        /// National number, digits only; empty if not set yet.
        destination_phone_number: String,
        /// Country code, digits only; an empty value is stored as sent.
        destination_country_code: String,
        /// Extension dialled after the destination has answered: digits, `*`, `#` and pauses (`,`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        destination_extension: Option<String>,
        /// Ring timeout in seconds.
        connect_timeout: Option<u32>,
    },
    /// Ends the call.
    EndCall {
        /// Text played first.
        prompt: String,
    },
    /// Offers a text message to mobile callers.
    SmsPromo {
        /// Text played.
        prompt: String,
        /// Text of the message.
        sms_promo_copy: String,
        /// Delay after the call in seconds, one of [`SMS_DELAYS_SECONDS`].
        sms_promo_delay: Option<u32>,
        /// Sender of the message.
        sms_promo_sender: Option<String>,
    },
    /// Continues at the first child if the condition is true, else at the second.
    Condition {
        /// Condition; `None` if not set yet.
        condition: Option<Condition>,
    },
    /// Asks for the zip code if the region of the caller is unknown.
    VerifyLocation {
        /// Text played.
        prompt: String,
    },
    /// Continues at the first child on any key, else at the second.
    AnyKeyPress {
        /// Text played.
        prompt: String,
    },
    /// Continues at the first child on key 1, at the second on key 2.
    YesOrNo {
        /// Text played.
        prompt: String,
        /// Confirmation and error prompt.
        #[serde(flatten)]
        options: QuestionOptions,
    },
    /// Asks for a number.
    NumberQuestion {
        /// Text played.
        prompt: String,
        /// Kind of number; `None` if not set yet.
        number_question_type: Option<QuestionType>,
        /// Confirmation and error prompt.
        #[serde(flatten)]
        options: QuestionOptions,
        /// Partner name of the custom data field that keeps the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller_response_custom_data_partner_name: Option<String>,
    },
    /// Rings several destinations.
    RingGroup {
        /// Text played first.
        prompt: String,
        /// Destinations to ring.
        ring_group_destinations: Vec<RingDestination>,
        /// Order and number of the destinations that ring.
        #[serde(flatten)]
        ringing: RingOptions,
    },
    /// Connects to a number given in custom data.
    DynamicRoute {
        /// Text played first.
        prompt: String,
        /// Partner name of the custom data field that holds the destination.
        dynamic_route_destination: String,
        /// True if the field may hold several numbers, separated by commas, that are rung like those of a
        /// RingGroup.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        behave_like_ring_group: Option<bool>,
        /// Address that the server asks for the destination.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        routing_url: Option<String>,
        /// Order and number of the destinations that ring.
        #[serde(flatten)]
        ringing: RingOptions,
    },
    /// Child of a Connect: destination if the first one does not answer.
    Failover {
        /// National number, digits only; empty if not set yet.
        destination_phone_number: String,
        /// Country code, digits only; by default the Connect's.
        #[serde(default = "default_country_code")]
        destination_country_code: String,
    },
}

fn default_country_code() -> String {
    "1".to_owned()
}

/// Parameters of nodes that ask a question. `None` is not given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionOptions {
    /// True if the caller confirms the answer with a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_response_enabled: Option<bool>,
    /// True if no text is played after an invalid answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_prompt_disabled: Option<bool>,
    /// Text played after an invalid answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_error_prompt_text: Option<String>,
}

impl QuestionOptions {
    /// No options.
    pub const NONE: Self = Self {
        confirm_response_enabled: None,
        error_prompt_disabled: None,
        custom_error_prompt_text: None,
    };
}

/// Parameters of nodes that ring several destinations. `None` is not given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingOptions {
    /// Ring timeout for each destination in seconds, 5–120.
    #[serde(default)]
    pub ring_group_connect_timeout: Option<u32>,
    /// Order of the destinations; by default as listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution_method: Option<DistributionMethod>,
    /// Number of destinations that ring at the same time, 1–10; by default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_simultaneous_calls: Option<u32>,
    /// Maximum number of destinations that ring for one call; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring_group_destination_total_limit: Option<u32>,
    /// True if a destination has to accept the call with a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_acceptance: Option<bool>,
}

/// Order in which the destinations of a group ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DistributionMethod {
    /// As listed.
    InOrder,
    /// At random, by the id of the call.
    Random,
    /// At random in proportion to the weights, by the id of the call.
    Weighted,
}

impl DistributionMethod {
    /// All methods.
    pub const ALL: [Self; 3] = [Self::InOrder, Self::Random, Self::Weighted];

    /// Returns the wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InOrder => "InOrder",
            Self::Random => "Random",
            Self::Weighted => "Weighted",
        }
    }
}

impl NodeKind {
    fn clear_destinations(&mut self) {
        match self {
            Self::Connect { destination_phone_number, .. }
            | Self::Failover { destination_phone_number, .. } => destination_phone_number.clear(),
            Self::RingGroup { ring_group_destinations, .. } => ring_group_destinations.clear(),
            Self::DynamicRoute { dynamic_route_destination, .. } => {
                dynamic_route_destination.clear();
            }
            Self::Menu { .. }
            | Self::EndCall { .. }
            | Self::SmsPromo { .. }
            | Self::Condition { .. }
            | Self::VerifyLocation { .. }
            | Self::AnyKeyPress { .. }
            | Self::YesOrNo { .. }
            | Self::NumberQuestion { .. } => {}
        }
    }

    /// Returns the wire name of the node type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Menu { .. } => "Menu",
            Self::Connect { .. } => "Connect",
            Self::EndCall { .. } => "EndCall",
            Self::SmsPromo { .. } => "SmsPromo",
            Self::Condition { .. } => "Condition",
            Self::VerifyLocation { .. } => "VerifyLocation",
            Self::AnyKeyPress { .. } => "AnyKeyPress",
            Self::YesOrNo { .. } => "YesOrNo",
            Self::NumberQuestion { .. } => "NumberQuestion",
            Self::RingGroup { .. } => "RingGroup",
            Self::DynamicRoute { .. } => "DynamicRoute",
            Self::Failover { .. } => "Failover",
        }
    }

    /// Returns the text played at the node; empty if none.
    pub fn prompt(&self) -> &str {
        match self {
            Self::Menu { prompt }
            | Self::Connect { prompt, .. }
            | Self::EndCall { prompt }
            | Self::SmsPromo { prompt, .. }
            | Self::VerifyLocation { prompt }
            | Self::AnyKeyPress { prompt }
            | Self::YesOrNo { prompt, .. }
            | Self::NumberQuestion { prompt, .. }
            | Self::RingGroup { prompt, .. }
            | Self::DynamicRoute { prompt, .. } => prompt,
            Self::Condition { .. } | Self::Failover { .. } => "",
        }
    }

    /// Returns true if the node dials destinations.
    pub fn dials(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. }
                | Self::Failover { .. }
                | Self::RingGroup { .. }
                | Self::DynamicRoute { .. }
        )
    }

    /// Returns true if the caller's final input at the node counts as a menu key of conditions:
    /// `pressed[…]`.
    pub fn counts_as_menu(&self) -> bool {
        matches!(self, Self::Menu { .. } | Self::YesOrNo { .. })
    }

    /// Returns true if children of the node may have a `keypress_failover_type`.
    pub fn has_failover_children(&self) -> bool {
        matches!(self, Self::Menu { .. } | Self::YesOrNo { .. } | Self::NumberQuestion { .. })
    }
}

/// Destination of a RingGroup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingDestination {
    /// National number, digits only; empty if not set yet.
    pub ring_group_number: String,
    /// Country code, digits only; by default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring_group_country_code: Option<String>,
    /// Human-readable description.
    pub description: Option<String>,
    /// True if the destination does not ring.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub destination_disabled: bool,
    /// Weight, 1–100; by default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution_weight: Option<u32>,
}

impl IvrNode {
    /// Returns the input that leads from this menu to a child. Keys are numbered from 1 in the
    /// order of the children. Failover children have no digit and are not counted. `None` if there
    /// is no such child or if it is past the ninth.
    pub fn key_for_child(&self, index: usize) -> Option<Key> {
        match self.children.get(index)?.keypress_failover_type {
            Some(KeypressFailover::Wrong) => Some(Key::Wrong),
            Some(KeypressFailover::None) => Some(Key::None),
            None => {
                let preceding = self.children.iter().take(index);
                let keys = preceding.filter(|child| child.keypress_failover_type.is_none()).count();
                u8::try_from(keys + 1).ok().filter(|digit| *digit <= 9).map(Key::Digit)
            }
        }
    }
}

impl IvrTree {
    /// Returns all nodes with their paths (child indices from the root), parents first.
    pub fn nodes_with_paths(&self) -> Vec<(Vec<usize>, &IvrNode)> {
        let mut nodes = Vec::new();
        collect_nodes(&self.root, &mut Vec::new(), &mut nodes);
        nodes
    }
}

fn collect_nodes<'a>(
    node: &'a IvrNode,
    path: &mut Vec<usize>,
    nodes: &mut Vec<(Vec<usize>, &'a IvrNode)>,
) {
    nodes.push((path.clone(), node));
    for (index, child) in node.children.iter().enumerate() {
        path.push(index);
        collect_nodes(child, path, nodes);
        path.pop();
    }
}
