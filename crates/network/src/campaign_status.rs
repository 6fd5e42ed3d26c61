//! Status transitions of a campaign: go live, archive, unarchive.

use crate::{
    Context, Error, Guard, Session, Submitted, audit, campaigns, check_precondition, events,
};
use serde_json::json;
use trunkline_domain::campaign::{Action, Campaign, Outcome, check_for_live, transition};
use trunkline_domain::event::CAMPAIGN_STATUS_CHANGED;
use trunkline_domain::party::PartyKind;

/// Applies an action to a campaign. Does nothing if the campaign has the resulting status already.
pub fn act(
    session: &mut Session<'_>,
    context: &Context,
    advertiser_id: &str,
    id: &str,
    submitted: Submitted<Action>,
    precondition: &Guard<Campaign>,
) -> Result<(), Error> {
    let Submitted { change: action, mut problems } = submitted;
    let advertiser = campaigns::find_advertiser(session, context, advertiser_id)?;
    context.caller.ensure_can_write_party(PartyKind::Advertiser, advertiser.id)?;
    let before = campaigns::find_campaign(session, context, &advertiser, id)?;
    check_precondition(precondition, Some(&before))?;
    let status = before.status_at(context.now);
    let outcome = transition(status, action);
    if outcome == Outcome::Refused {
        problems.at("status").add(format!("cannot transition from '{}'", status.as_str()));
    }
    let mut after = before.clone();
    if let Outcome::To(status) = outcome {
        after.status = status;
    }
    let goes_live = matches!(action, Action::GoLive { .. }) && outcome != Outcome::Refused;
    if goes_live && let Some(future) = after.future.take() {
        check_for_live(&future, &mut problems);
        problems.or(())?;
        after.current = Some(session.put_terms_live(after.id, future, context.now)?);
    } else {
        problems.or(())?;
    }
    store_transition(session, context, action, before, after)
}

fn store_transition(
    session: &mut Session<'_>,
    context: &Context,
    action: Action,
    before: Campaign,
    mut after: Campaign,
) -> Result<(), Error> {
    if after == before {
        return Ok(());
    }
    after.updated_at = context.now;
    session.update_campaign(&after)?;
    let action_name = match action {
        Action::GoLive { .. } => "go_live",
        Action::Archive => "archive",
        Action::Unarchive => "unarchive",
    };
    let old = audit::campaign_snapshot(&before);
    let new = audit::campaign_snapshot(&after);
    let object = campaigns::audit_object(&after);
    audit::record(session, context, object, Some(action_name), Some(&old), Some(&new))?;
    notify(session, context, &before, &after)
}

/// Emits the event of a status change. The event has the displayed statuses: a campaign past its
/// expiration is displayed as Paused.
fn notify(
    session: &mut Session<'_>,
    context: &Context,
    before: &Campaign,
    after: &Campaign,
) -> Result<(), Error> {
    let from = before.status_at(context.now);
    let to = after.status_at(context.now);
    if from == to {
        return Ok(());
    }
    let data = json!({
        "advertiser_campaign": after.id_from_network,
        "from": from.as_str(),
        "to": to.as_str(),
    });
    let audience = events::EventAudience { advertiser: Some(after.advertiser_id), affiliate: None };
    events::emit(session, context, CAMPAIGN_STATUS_CHANGED, audience, data)
}
