//! End of a call: who or what ended it.

use serde::{Deserialize, Serialize};

/// End of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEnd {
    /// The connected caller hung up.
    CallerHungUp,
    /// The connected destination hung up.
    DestinationHungUp,
    /// The caller hung up while the destination was ringing.
    RingingHungUp,
    /// The destination was busy.
    Busy,
    /// The destination did not answer.
    NoAnswer,
    /// The destination could not be reached.
    Failed,
    /// The call ended in the IVR tree: by the tree, or because the caller hung up there.
    IvrHungUp,
    /// The call exceeded the time limit of live calls.
    TimeLimit,
    /// The end is not known, as for a connected call that was routed elsewhere.
    Unknown,
}

impl CallEnd {
    /// All ends.
    pub const ALL: [Self; 9] = [
        Self::CallerHungUp,
        Self::DestinationHungUp,
        Self::RingingHungUp,
        Self::Busy,
        Self::NoAnswer,
        Self::Failed,
        Self::IvrHungUp,
        Self::TimeLimit,
        Self::Unknown,
    ];

    /// Returns the wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CallerHungUp => "caller_hung_up",
            Self::DestinationHungUp => "destination_hung_up",
            Self::RingingHungUp => "ringing_hung_up",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Failed => "failed",
            Self::IvrHungUp => "ivr_hung_up",
            Self::TimeLimit => "time_limit",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the text of the column `hangup_cause`.
    pub fn hangup_cause(self) -> &'static str {
        match self {
            Self::CallerHungUp | Self::RingingHungUp => "Caller: Hang-up",
            Self::DestinationHungUp => "Destination: Hang-up",
            Self::Busy | Self::Failed => "Destination: Error (503 or Fast Busy)",
            Self::NoAnswer => "Destination: No Answer",
            Self::IvrHungUp => "IVR: Hang-up",
            Self::TimeLimit => "Trunkline: Max Call Duration",
            Self::Unknown => "Unknown: Unknown Cause",
        }
    }
}
