//! Settings of a network.

use crate::money::Currency;
use serde::{Deserialize, Serialize};

/// Maximum of [`NetworkSettings::number_quarantine_days`].
pub const MAX_NUMBER_QUARANTINE_DAYS: u32 = 365;
/// Maximum of [`NetworkSettings::recording_days`]: ten years.
pub const MAX_RECORDING_DAYS: u32 = 3_650;
/// Maximum of [`NetworkSettings::callers_per_hour`].
pub const MAX_CALLERS_PER_HOUR: u32 = 1_000;
/// Maximum length of a prompt, in characters.
pub const MAX_PROMPT_CHARS: usize = 1_000;

/// Settings of a network, except its time zone and its generation of ids. An absent property of the
/// stored JSON has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkSettings {
    /// Currency of sums, and of revenue without a policy.
    pub currency: Currency,
    /// Days for which a released promo number is not assigned again, 0 to
    /// [`MAX_NUMBER_QUARANTINE_DAYS`].
    pub number_quarantine_days: u32,
    /// True if affiliates see the caller's number in transactions.
    pub affiliates_see_caller_id: bool,
    /// True if affiliates can play recordings of their calls.
    pub affiliates_hear_recordings: bool,
    /// Days after the start of a call for which its recording is kept, 1 to [`MAX_RECORDING_DAYS`].
    pub recording_days: u32,
    /// Text that is spoken at the beginning of a recorded call.
    pub recorded_prompt: String,
    /// Text that is spoken when the dialled number is not assigned.
    pub unassigned_number_prompt: String,
    /// Maximum number of calls of one caller in an hour, 1 to [`MAX_CALLERS_PER_HOUR`]; `None`
    /// means no maximum.
    pub callers_per_hour: Option<u32>,
}

impl Default for NetworkSettings {
    fn default() -> Self {
        Self {
            currency: Currency::Usd,
            number_quarantine_days: 30,
            affiliates_see_caller_id: false,
            affiliates_hear_recordings: false,
            recording_days: 365,
            recorded_prompt: "This call may be recorded.".to_owned(),
            unassigned_number_prompt: "The number you have dialed is not in service.".to_owned(),
            callers_per_hour: None,
        }
    }
}
