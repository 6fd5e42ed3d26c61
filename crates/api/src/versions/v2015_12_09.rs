//! 2015-12-09: `call_cap_alert` became `periodic_call_cap_alert`; `concurrent_call_cap_alert` and
//! `campaign_language` are new.

use super::{
    Change, RequestInfo, ResourceKind, ResponseInfo, Version, for_each_terms, rename, uses_old_name,
};
use jiff::civil::date;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change = Change {
    date: date(2015, 12, 9),
    description: "advertiser campaigns: call_cap_alert becomes periodic_call_cap_alert; concurrent_call_cap_alert and campaign_language are new",
    request,
    response,
    errors,
};

const OLD: &str = "call_cap_alert";
const NEW: &str = "periodic_call_cap_alert";

fn request(kind: ResourceKind, map: &mut Map<String, Value>, is_before_change: bool) {
    if kind == ResourceKind::Campaign
        && let Some(Value::Object(budgets)) = map.get_mut("budget_activities")
    {
        rename(budgets, OLD, NEW, is_before_change);
    }
}

fn response(response_info: &ResponseInfo<'_>, map: &mut Map<String, Value>) {
    if response_info.kind != ResourceKind::Campaign {
        return;
    }
    for_each_terms(map, |terms| {
        terms.shift_remove("campaign_language");
        let Some(Value::Object(budgets)) = terms.get_mut("budget_activities") else { return };
        budgets.shift_remove("concurrent_call_cap_alert");
        rename(budgets, NEW, OLD, true);
        if budgets.is_empty() {
            terms.shift_remove("budget_activities");
        }
    });
}

fn errors(request_info: &RequestInfo<'_>, map: &mut Map<String, Value>) {
    let budgets = request_info.body.and_then(|body| body.get("budget_activities")?.as_object());
    if request_info.kind == ResourceKind::Campaign
        && uses_old_name(budgets, OLD, NEW, request_info.is_before_change)
        && let Some(Value::Object(budgets)) = map.get_mut("budget_activities")
    {
        rename(budgets, NEW, OLD, true);
    }
}

/// Returns true if a campaign's response omits `concurrent_call_cap_alert`. A request that omits it,
/// too, must then keep its value.
pub(crate) fn hides_concurrent_call_cap(version: Version) -> bool {
    version.precedes(&CHANGE)
}
