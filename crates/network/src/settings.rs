//! Settings of the network.

use crate::{
    Context, Error, Precondition, Submission, UnitOfWork, audit, check_precondition, networks,
};
use serde::{Deserialize, Serialize};
use trunkline_domain::money::Currency;
use trunkline_domain::party::{Network, NetworkSettings};
use trunkline_domain::timezone::TimeZoneName;

/// All settings of a network, as clients see them and as the audit log stores them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Time zone of the timestamps in responses.
    pub time_zone: TimeZoneName,
    /// True if the server generates external ids for objects that are sent without one.
    pub auto_generate_ids: bool,
    /// Further settings.
    #[serde(flatten)]
    pub other: NetworkSettings,
}

/// Requested change of the settings. An absent property keeps its value.
#[derive(Debug, Clone, Default)]
pub struct SettingsChange {
    /// Time zone.
    pub time_zone: Option<TimeZoneName>,
    /// Generation of external ids.
    pub auto_generate_ids: Option<bool>,
    /// Currency of sums.
    pub currency: Option<Currency>,
    /// Days for which a released promo number is not assigned again.
    pub number_quarantine_days: Option<u32>,
    /// Visibility of the caller's number to affiliates.
    pub affiliates_see_caller_id: Option<bool>,
    /// Access of affiliates to recordings.
    pub affiliates_hear_recordings: Option<bool>,
    /// Days for which recordings are kept.
    pub recording_days: Option<u32>,
    /// Text that is spoken at the beginning of a recorded call.
    pub recorded_prompt: Option<String>,
    /// Text that is spoken when the dialled number is not assigned.
    pub unassigned_number_prompt: Option<String>,
    /// Maximum number of calls of one caller in an hour; `Some(None)` removes it.
    pub callers_per_hour: Option<Option<u32>>,
}

impl SettingsChange {
    /// Returns the change that sets all settings.
    pub(crate) fn to(settings: Settings) -> Self {
        let other = settings.other;
        Self {
            time_zone: Some(settings.time_zone),
            auto_generate_ids: Some(settings.auto_generate_ids),
            currency: Some(other.currency),
            number_quarantine_days: Some(other.number_quarantine_days),
            affiliates_see_caller_id: Some(other.affiliates_see_caller_id),
            affiliates_hear_recordings: Some(other.affiliates_hear_recordings),
            recording_days: Some(other.recording_days),
            recorded_prompt: Some(other.recorded_prompt),
            unassigned_number_prompt: Some(other.unassigned_number_prompt),
            callers_per_hour: Some(other.callers_per_hour),
        }
    }

    fn apply(self, before: &Settings) -> Settings {
        let old = before.other.clone();
        Settings {
            time_zone: self.time_zone.unwrap_or(before.time_zone),
            auto_generate_ids: self.auto_generate_ids.unwrap_or(before.auto_generate_ids),
            other: NetworkSettings {
                currency: self.currency.unwrap_or(old.currency),
                number_quarantine_days: self
                    .number_quarantine_days
                    .unwrap_or(old.number_quarantine_days),
                affiliates_see_caller_id: self
                    .affiliates_see_caller_id
                    .unwrap_or(old.affiliates_see_caller_id),
                affiliates_hear_recordings: self
                    .affiliates_hear_recordings
                    .unwrap_or(old.affiliates_hear_recordings),
                recording_days: self.recording_days.unwrap_or(old.recording_days),
                recorded_prompt: self.recorded_prompt.unwrap_or(old.recorded_prompt),
                unassigned_number_prompt: self
                    .unassigned_number_prompt
                    .unwrap_or(old.unassigned_number_prompt),
                callers_per_hour: self.callers_per_hour.unwrap_or(old.callers_per_hour),
            },
        }
    }
}

fn of_network(network: &Network) -> Settings {
    Settings {
        time_zone: network.time_zone,
        auto_generate_ids: network.auto_generate_ids,
        other: network.settings.clone(),
    }
}

/// Returns the settings. Requires read access to the whole network.
pub fn get(unit: &mut UnitOfWork<'_>, context: &Context) -> Result<Settings, Error> {
    context.principal.ensure_can_view_network()?;
    Ok(of_network(&networks::of_principal(unit, context)?))
}

/// Updates the settings. Requires the role Super or Manager.
pub fn put(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    submitted: Submission<SettingsChange>,
    precondition: &Precondition<Settings>,
) -> Result<Settings, Error> {
    context.principal.ensure_can_manage_network()?;
    let network = networks::of_principal(unit, context)?;
    let before = of_network(&network);
    check_precondition(precondition, Some(&before))?;
    let Submission { change, problems } = submitted;
    let after = problems.into_result(change)?.apply(&before);
    if after == before {
        return Ok(before);
    }
    let updated = Network {
        time_zone: after.time_zone,
        auto_generate_ids: after.auto_generate_ids,
        settings: after.other.clone(),
        ..network
    };
    unit.update_settings(&updated)?;
    let object = format!("settings:{}", updated.id);
    audit::record(unit, context, object, None, Some(&before), Some(&after))?;
    Ok(after)
}
