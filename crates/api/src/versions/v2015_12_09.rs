//! 2015-12-09: `call_cap_alert` became `periodic_call_cap_alert`; `concurrent_call_cap_alert` and
//! `campaign_language` are new.

use super::{Change, Kind, Said, Sent, Version, each_terms, rename, uses_older};
use jiff::civil::date;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change = Change {
    date: date(2015, 12, 9),
    what: "advertiser campaigns: call_cap_alert becomes periodic_call_cap_alert; concurrent_call_cap_alert and campaign_language are new",
    request,
    response,
    errors,
};

const OLD: &str = "call_cap_alert";
const NEW: &str = "periodic_call_cap_alert";

fn request(kind: Kind, map: &mut Map<String, Value>, before: bool) {
    if kind == Kind::Campaign
        && let Some(Value::Object(budgets)) = map.get_mut("budget_activities")
    {
        rename(budgets, OLD, NEW, before);
    }
}

fn response(sent: &Sent<'_>, map: &mut Map<String, Value>) {
    if sent.kind != Kind::Campaign {
        return;
    }
    each_terms(map, |terms| {
        terms.shift_remove("campaign_language");
        let Some(Value::Object(budgets)) = terms.get_mut("budget_activities") else { return };
        budgets.shift_remove("concurrent_call_cap_alert");
        rename(budgets, NEW, OLD, true);
        if budgets.is_empty() {
            terms.shift_remove("budget_activities");
        }
    });
}

fn errors(said: &Said<'_>, map: &mut Map<String, Value>) {
    let sent = said.body.and_then(|body| body.get("budget_activities")?.as_object());
    if said.kind == Kind::Campaign
        && uses_older(sent, OLD, NEW, said.before)
        && let Some(Value::Object(budgets)) = map.get_mut("budget_activities")
    {
        rename(budgets, NEW, OLD, true);
    }
}

/// Whether a campaign's answer leaves `concurrent_call_cap_alert` out. A request that leaves it
/// out too does not take it away.
pub(crate) fn hides_concurrent_call_cap(version: Version) -> bool {
    version.precedes(&CHANGE)
}
