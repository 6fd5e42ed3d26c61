//! Status transitions of a campaign: go live, archive, unarchive.

use crate::{
    Context, Error, Precondition, Submission, UnitOfWork, audit, campaigns, check_precondition,
    events,
};
use serde_json::json;
use trunkline_domain::campaign::{
    Campaign, CampaignAction, CampaignTransition, check_go_live_requirements, transition,
};
use trunkline_domain::event::CAMPAIGN_STATUS_CHANGED;
use trunkline_domain::party::PartyStatus;

/// Applies an action to a campaign. Does nothing if the campaign has the resulting status already.
pub fn apply_action(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: &str,
    id: &str,
    submitted: Submission<CampaignAction>,
    precondition: &Precondition<Campaign>,
) -> Result<(), Error> {
    let Submission { change: action, mut problems } = submitted;
    let advertiser = campaigns::find_writable(unit, context, advertiser_id, Some(id))?;
    let before = campaigns::find_campaign(unit, context, &advertiser, id)?;
    check_precondition(precondition, Some(&before))?;
    let status = before.effective_status(context.now);
    let outcome = transition(status, action);
    if outcome == CampaignTransition::NotAllowed {
        problems.property("status").add(format!("cannot transition from '{}'", status.as_str()));
    }
    let mut after = before.clone();
    if let CampaignTransition::To(status) = outcome {
        after.status = status;
    }
    let goes_live = matches!(action, CampaignAction::GoLive { .. })
        && outcome != CampaignTransition::NotAllowed;
    let repeats = outcome == CampaignTransition::Unchanged && before.future_terms.is_none();
    if goes_live && !repeats && advertiser.status != PartyStatus::Approved {
        let status = advertiser.status.as_str();
        problems.property("status").add(format!("cannot go live: the advertiser is {status}"));
    }
    if goes_live && let Some(future) = after.future_terms.take() {
        check_go_live_requirements(&future, &mut problems);
        problems.into_result(())?;
        after.current_terms = Some(unit.activate_terms(after.id, future, context.now)?);
    } else {
        problems.into_result(())?;
    }
    store_transition(unit, context, action, before, after)
}

fn store_transition(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    action: CampaignAction,
    before: Campaign,
    mut after: Campaign,
) -> Result<(), Error> {
    if after == before {
        return Ok(());
    }
    after.updated_at = context.now;
    unit.update_campaign(&after)?;
    let action_name = match action {
        CampaignAction::GoLive { .. } => "go_live",
        CampaignAction::Archive => "archive",
        CampaignAction::Unarchive => "unarchive",
    };
    let old = audit::campaign_snapshot(&before);
    let new = audit::campaign_snapshot(&after);
    let object = campaigns::audit_object(&after);
    audit::record(unit, context, object, Some(action_name), Some(&old), Some(&new))?;
    notify(unit, context, &before, &after)
}

/// Emits the event of a status change. The event has the displayed statuses: a campaign past its
/// expiration is displayed as Paused.
fn notify(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    before: &Campaign,
    after: &Campaign,
) -> Result<(), Error> {
    let from = before.effective_status(context.now);
    let to = after.effective_status(context.now);
    if from == to {
        return Ok(());
    }
    let data = json!({
        "advertiser_campaign": after.external_id,
        "from": from.as_str(),
        "to": to.as_str(),
    });
    let audience = events::EventAudience { advertiser: Some(after.advertiser_id), affiliate: None };
    events::emit(unit, context, CAMPAIGN_STATUS_CHANGED, audience, data)
}
