//! Events of a live call and the actions that answer them.

use crate::condition::Explanation;
use serde::{Deserialize, Serialize};

/// Event of a live call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The caller pressed a key: `0`–`9`, `*` or `#`.
    Key(char),
    /// The caller pressed no key within the timeout.
    Silence,
    /// The caller entered a zip code. An invalid one is treated as [`Event::Silence`].
    Zip(String),
    /// The caller entered several digits, or one and the finishing key.
    Digits(String),
    /// The destination answered; of several that rang at once, the first.
    Connected,
    /// One of several destinations that rang at once answered: its number.
    ConnectedTo(String),
    /// The destination is busy.
    Busy,
    /// The destination does not answer.
    NoAnswer,
    /// The destination cannot be reached.
    Failed,
    /// Either side hung up.
    HungUp,
}

/// Instruction for the telephony edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Play a text.
    Say(String),
    /// Wait for keys of the caller.
    Gather {
        /// Maximum number of keys.
        keys: u32,
        /// Key that ends the input before the maximum is reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        finish: Option<char>,
        /// Timeout in seconds.
        timeout: u32,
    },
    /// Dial a destination.
    Dial {
        /// National number, digits only.
        number: String,
        /// Country code, digits only.
        country_code: String,
        /// Extension to dial after the destination has answered: digits, `*`, `#` and pauses (`,`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        extension: Option<String>,
        /// Time to ring in seconds; by default the edge's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout: Option<u32>,
        /// Caller id to show to the destination, in E.164 form or as digits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller_id: Option<String>,
        /// True if the conversation is to be recorded.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        record: bool,
        /// Text to play to the destination before it hears the caller.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whisper: Option<String>,
        /// True if the destination has to accept the call with a key.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        accept: bool,
        /// Destinations to ring at the same time: country code and national number.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        also: Vec<(String, String)>,
    },
    /// Send the caller a text message.
    SendSms {
        /// Text of the message.
        copy: String,
        /// Delay after the call, in seconds.
        delay: u32,
        /// Sender of the message.
        sender: Option<String>,
    },
    /// End the call.
    Hangup,
}

/// Node that the call entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitedNode {
    /// Path of the node: child indices from the root.
    pub path: Vec<usize>,
    /// Name of the node type.
    pub node_type: &'static str,
    /// Text played at the node; empty if none.
    pub prompt: String,
    /// Explanation of the condition of a Condition node.
    pub condition: Option<Explanation>,
}
