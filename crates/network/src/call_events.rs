//! Events that telephony edges report, and the instructions that answer them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trunkline_domain::call::{MeasuredDurations, Outcome, RejectionReason};
use trunkline_domain::id::CallId;
use trunkline_domain::ivr::run::{Action, Event};

/// Instructions to the telephony edge: the next actions, or the outcome of an ended call.
/// Serialized answers are stored, so that a repeated event gets the same answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallInstructions {
    /// Id of the call.
    pub id: CallId,
    /// Outcome; `None` while the call is live.
    pub outcome: Option<Outcome>,
    /// Reason for turning the call away.
    pub reason: Option<RejectionReason>,
    /// Actions to perform, in order.
    pub actions: Vec<Action>,
}

/// Event of a live call that the telephony edge reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEvent {
    /// Input to the IVR tree.
    Event(Event),
    /// The destination hung up.
    DestinationHungUp,
    /// The edge has played a prompt to its end.
    PromptFinished,
    /// The call is still under way.
    Alive,
    /// The edge has recorded the conversation.
    Recording {
        /// Address of the recording.
        url: String,
        /// Length in seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        seconds: Option<u32>,
    },
    /// The edge has sent the text message.
    SmsSent,
    /// The edge could not send the text message.
    SmsFailed,
}

impl CallEvent {
    /// Returns true for an event that does not change the position of the call, and that is accepted
    /// after its end, too.
    pub(crate) fn is_notice(&self) -> bool {
        matches!(self, Self::Alive | Self::Recording { .. } | Self::SmsSent | Self::SmsFailed)
    }
}

/// Event report of the telephony edge. Its serialization is stored and compared with a repeated
/// report.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CallEventReport {
    /// Event; `None` if the request does not contain a valid one.
    #[serde(rename = "happening")]
    pub event: Option<CallEvent>,
    /// Time of the event, to the second; now by default.
    pub at: Option<Timestamp>,
    /// Id that the edge gave the event, unique in the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Durations that the edge measured, of the event `hung_up`.
    #[serde(flatten)]
    pub measured: MeasuredDurations,
    /// Sequence number of the event; the next number by default.
    #[serde(skip)]
    pub sequence: Option<u32>,
}
