//! 2016-10-01: `ivr_tree.caller_id` is new.

use super::{Change, ResourceKind, ResponseInfo, Version, for_each_terms};
use jiff::civil::date;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change = Change {
    date: date(2016, 10, 1),
    description: "ivr_tree.caller_id is new",
    request: |_, _, _| (),
    response,
    errors: |_, _| (),
};

fn response(response_info: &ResponseInfo<'_>, map: &mut Map<String, Value>) {
    if matches!(response_info.kind, ResourceKind::Campaign | ResourceKind::AffiliateCampaign) {
        for_each_terms(map, |terms| {
            if let Some(Value::Object(tree)) = terms.get_mut("ivr_tree") {
                tree.shift_remove("caller_id");
            }
        });
    }
}

/// Returns true if an IVR tree's response omits `caller_id`. A request that omits it, too, must then
/// keep its value.
pub(crate) fn hides_caller_id(version: Version) -> bool {
    version.precedes(&CHANGE)
}
