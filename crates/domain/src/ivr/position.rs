//! Position of a call in its tree, between two events.

use crate::call::ZipCode;
use crate::condition::Key;
use serde::{Deserialize, Serialize};

/// Position of a call in its tree. It is stored as JSON between events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Path of the node: child indices from the root.
    #[serde(rename = "at")]
    pub path: Vec<usize>,
    /// State of that node.
    #[serde(rename = "doing")]
    pub state: NodeState,
    /// Final input at each menu passed so far, in order.
    #[serde(rename = "pressed")]
    pub pressed_keys: Vec<Key>,
    /// True if a text message was sent.
    pub sms_sent: bool,
    /// Postal code that the caller entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<ZipCode>,
    /// True if the caller confirmed the location of the calling number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub location_confirmed: bool,
    /// Index, in the order of dialling, of the destination of the current node that rings or that
    /// answered; of several that ring at once, the first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub leg: usize,
    /// Answer that waits for its confirmation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfirmed_answer: Option<String>,
    /// Answers to NumberQuestions that name a custom data field: partner name and answer, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<(String, String)>,
}

/// Failed attempts at a node that asks for keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// Number of wrong keys, invalid answers and timeouts so far.
    #[serde(rename = "wrong")]
    pub failed: u8,
    /// True if one of them was a wrong key or an invalid answer.
    #[serde(default, rename = "wrong_key", skip_serializing_if = "std::ops::Not::not")]
    pub any_wrong_key: bool,
}

impl Attempts {
    /// Adds a failed attempt: [`Key::Wrong`], or [`Key::None`] for a timeout.
    pub(super) fn add_failure(self, key: Key) -> Self {
        Self { failed: self.failed + 1, any_wrong_key: self.any_wrong_key || key == Key::Wrong }
    }

    /// Returns the final input if no attempt is left: a wrong key if there was one among them.
    pub(super) fn final_key(self) -> Key {
        if self.any_wrong_key { Key::Wrong } else { Key::None }
    }
}

fn is_zero(index: &usize) -> bool {
    *index == 0
}

/// State of a VerifyLocation node that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationCheck {
    /// True if there is a location to confirm: the region of the calling number is known.
    pub has_guess: bool,
    /// Number of silences, other keys and invalid codes so far.
    pub silences: u8,
}

/// State of the current node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// The menu waits for a key.
    Menu(Attempts),
    /// An AnyKeyPress waits for a key.
    #[serde(rename = "any_key")]
    AnyKeyPress,
    /// A YesOrNo waits for a key.
    YesOrNo(Attempts),
    /// A NumberQuestion waits for digits.
    NumberQuestion(Attempts),
    /// A YesOrNo or a NumberQuestion waits for the confirmation of the answer.
    Confirmation(Attempts),
    /// A text message was offered; the node waits for a key.
    #[serde(rename = "offer_sms")]
    SmsOffer,
    /// A VerifyLocation node waits for a key or a zip code.
    #[serde(rename = "verify_location")]
    LocationCheck(LocationCheck),
    /// A VerifyLocation node of a call that was started by the earlier rules waits for a zip code.
    #[serde(rename = "ask_zip")]
    ZipCodeEntry,
    /// The destination is ringing.
    Dialling,
    /// Caller and destination are connected.
    #[serde(rename = "talking")]
    Connected,
    /// The call has ended.
    #[serde(rename = "over")]
    Ended {
        /// True if caller and destination were connected.
        connected: bool,
    },
}
