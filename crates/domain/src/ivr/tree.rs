//! The tree as it is stored: node types own their parameters.

use crate::condition::{Condition, Key};
use serde::{Deserialize, Serialize};

/// The delays of a promotion's text message: at once, 30 minutes, a day, a week, 30 days (seconds).
pub const SMS_DELAYS: [u32; 5] = [1, 1_800, 86_400, 604_800, 2_592_000];

/// A campaign's call flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IvrTree {
    /// Where every call starts.
    pub root: IvrNode,
    /// Whether calls are recorded.
    pub record_calls: bool,
    /// The number shown to the destination.
    pub caller_id: Option<CallerId>,
}

/// The number shown to the destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerId {
    /// Which one.
    pub setting: CallerIdSetting,
    /// The number itself, or the digits shown, when the setting needs it.
    pub mask: Option<String>,
}

/// Which number is shown to the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallerIdSetting {
    /// The caller's.
    Original,
    /// The promo number that was called.
    Promo,
    /// The one given as mask.
    Specific,
    /// The caller's with the last digits of the mask's.
    Partial,
}

impl CallerIdSetting {
    /// Every setting.
    pub const ALL: [Self; 4] = [Self::Original, Self::Promo, Self::Specific, Self::Partial];

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Promo => "promo",
            Self::Specific => "specific",
            Self::Partial => "partial",
        }
    }
}

/// A node and what comes after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IvrNode {
    /// What it does.
    #[serde(flatten)]
    pub kind: NodeKind,
    /// Where it may go on, in order: a menu's keys, a condition's met and not met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<IvrNode>,
    /// On a menu's child: it is where callers go who press no key or a wrong one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keypress_failover_type: Option<KeypressFailover>,
}

/// What sends a caller to a failover child of a menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeypressFailover {
    /// A wrong key.
    Wrong,
    /// No key.
    None,
}

/// What a node does. Texts may be empty; [`super::check`] says where that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "node_type")]
pub enum NodeKind {
    /// The caller selects from up to 9 choices.
    Menu {
        /// What is said.
        prompt: String,
    },
    /// Forwards the call.
    Connect {
        /// What is said before.
        prompt: String,
        /// National digits; empty while not known.
        destination_phone_number: String,
        /// Digits of the country code; empty is kept as it was sent.
        destination_country_code: String,
        /// Seconds until nobody answers.
        connect_timeout: Option<u32>,
    },
    /// Ends the call.
    EndCall {
        /// What is said before.
        prompt: String,
    },
    /// Offers a text message to mobile callers.
    SmsPromo {
        /// What is said.
        prompt: String,
        /// What is sent.
        sms_promo_copy: String,
        /// When it is sent: seconds after the call, one of [`SMS_DELAYS`].
        sms_promo_delay: Option<u32>,
        /// Who it comes from.
        sms_promo_sender: Option<String>,
    },
    /// Goes to the first child if the condition is met, else to the second.
    Condition {
        /// `None` while not given.
        condition: Option<Condition>,
    },
    /// Asks where the caller is, when that is not known.
    VerifyLocation {
        /// What is said.
        prompt: String,
    },
    /// Goes to the first child on any key, else to the second.
    AnyKeyPress {
        /// What is said.
        prompt: String,
    },
    /// Goes to the first child on 1, to the second on 2.
    YesOrNo {
        /// What is said.
        prompt: String,
    },
    /// Asks for a number of some kind.
    NumberQuestion {
        /// What is said.
        prompt: String,
        /// What kind; `None` while not given.
        number_question_type: Option<QuestionType>,
    },
    /// Rings several destinations.
    RingGroup {
        /// What is said before.
        prompt: String,
        /// Whom to ring.
        ring_group_destinations: Vec<RingDestination>,
        /// Seconds until the next one is tried.
        ring_group_connect_timeout: Option<u32>,
    },
    /// Connects to a number found in custom data.
    DynamicRoute {
        /// What is said before.
        prompt: String,
        /// The partner name of the field that holds the destination.
        dynamic_route_destination: String,
    },
    /// As a child of Connect: where the call goes when nobody answers.
    Failover {
        /// National digits; empty while not known.
        destination_phone_number: String,
    },
}

impl NodeKind {
    /// The wire's word for it.
    pub fn name(&self) -> &'static str {
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

    /// What is said there; empty where nothing is.
    pub fn prompt(&self) -> &str {
        match self {
            Self::Menu { prompt }
            | Self::Connect { prompt, .. }
            | Self::EndCall { prompt }
            | Self::SmsPromo { prompt, .. }
            | Self::VerifyLocation { prompt }
            | Self::AnyKeyPress { prompt }
            | Self::YesOrNo { prompt }
            | Self::NumberQuestion { prompt, .. }
            | Self::RingGroup { prompt, .. }
            | Self::DynamicRoute { prompt, .. } => prompt,
            Self::Condition { .. } | Self::Failover { .. } => "",
        }
    }

    /// Whether calls can run through it yet; the newer nodes are stored and returned only.
    pub fn runs(&self) -> bool {
        matches!(
            self,
            Self::Menu { .. }
                | Self::Connect { .. }
                | Self::EndCall { .. }
                | Self::SmsPromo { .. }
                | Self::Condition { .. }
                | Self::VerifyLocation { .. }
        )
    }
}

/// What a NumberQuestion asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuestionType {
    /// Some digits.
    Digits,
    /// A number.
    Number,
    /// A phone number.
    PhoneNumber,
    /// A date.
    Date,
    /// An amount.
    Currency,
    /// A time of day.
    Time,
    /// A zip code.
    ZipCode,
}

impl QuestionType {
    /// Every type, with the wire's word.
    pub const ALL: [(&'static str, Self); 7] = [
        ("Digits", Self::Digits),
        ("Number", Self::Number),
        ("PhoneNumber", Self::PhoneNumber),
        ("Date", Self::Date),
        ("Currency", Self::Currency),
        ("Time", Self::Time),
        ("ZipCode", Self::ZipCode),
    ];

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// One destination of a RingGroup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingDestination {
    /// National digits; empty while not known.
    pub ring_group_number: String,
    /// What people call it.
    pub description: Option<String>,
}

impl IvrNode {
    /// What a caller presses at this menu to come to a child: the index is the key, less one, and
    /// failover children, which have no key of their own, are not counted. `None` for a child that
    /// there is not, or one past the ninth.
    pub fn child_key(&self, index: usize) -> Option<Key> {
        match self.children.get(index)?.keypress_failover_type {
            Some(KeypressFailover::Wrong) => Some(Key::Wrong),
            Some(KeypressFailover::None) => Some(Key::None),
            None => {
                let before = self.children.iter().take(index);
                let keys = before.filter(|child| child.keypress_failover_type.is_none()).count();
                u8::try_from(keys + 1).ok().filter(|digit| *digit <= 9).map(Key::Digit)
            }
        }
    }
}

impl IvrTree {
    /// Every node with its path (child indices from the root), parents first.
    pub fn nodes(&self) -> Vec<(Vec<usize>, &IvrNode)> {
        let mut found = Vec::new();
        walk(&self.root, &mut Vec::new(), &mut found);
        found
    }
}

fn walk<'a>(node: &'a IvrNode, path: &mut Vec<usize>, found: &mut Vec<(Vec<usize>, &'a IvrNode)>) {
    found.push((path.clone(), node));
    for (index, child) in node.children.iter().enumerate() {
        path.push(index);
        walk(child, path, found);
        path.pop();
    }
}
