//! 2022-08-01: `pause_date` can be written; `expiration_date` is its read-only alias.

use super::{Change, ResourceKind, ResponseInfo, for_each_terms};
use jiff::civil::date;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change = Change {
    date: date(2022, 8, 1),
    description: "pause_date is writable; expiration_date is its read-only alias",
    request: |_, _, _| (),
    response,
    errors: |_, _| (),
};

fn response(response_info: &ResponseInfo<'_>, map: &mut Map<String, Value>) {
    if response_info.kind == ResourceKind::Campaign {
        for_each_terms(map, |terms| {
            terms.shift_remove("pause_date");
        });
    }
}
