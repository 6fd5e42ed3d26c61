//! 2016-10-01: `ivr_tree.caller_id` is new.

use super::{Change, Kind, Sent, Version, each_terms};
use jiff::civil::date;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change = Change {
    date: date(2016, 10, 1),
    what: "ivr_tree.caller_id is new",
    request: |_, _, _| (),
    response,
    errors: |_, _| (),
};

fn response(sent: &Sent<'_>, map: &mut Map<String, Value>) {
    if matches!(sent.kind, Kind::Campaign | Kind::AffiliateCampaign) {
        each_terms(map, |terms| {
            if let Some(Value::Object(tree)) = terms.get_mut("ivr_tree") {
                tree.shift_remove("caller_id");
            }
        });
    }
}

/// Whether a tree's answer leaves `caller_id` out. A request that leaves it out too does not take
/// it away.
pub(crate) fn hides_caller_id(version: Version) -> bool {
    version.precedes(&CHANGE)
}
