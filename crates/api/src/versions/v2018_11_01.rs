//! 2018-11-01: users have `contact_phone_number` beside `phone_number`, and
//! `notify_on_call_activities` and `can_login_via_platform`.

use super::{Change, ResponseInfo, Version, for_each_user};
use jiff::civil::date;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change = Change {
    date: date(2018, 11, 1),
    description: "users: contact_phone_number, notify_on_call_activities and can_login_via_platform are new",
    request: |_, _, _| (),
    response,
    errors: |_, _| (),
};

fn response(response_info: &ResponseInfo<'_>, map: &mut Map<String, Value>) {
    for_each_user(response_info.kind, map, |user| {
        for name in ["contact_phone_number", "notify_on_call_activities", "can_login_via_platform"]
        {
            user.shift_remove(name);
        }
    });
}

/// Returns true if a user's response omits `notify_on_call_activities`. A request that omits it,
/// too, must then keep its value.
pub(crate) fn hides_call_activities(version: Version) -> bool {
    version.precedes(&CHANGE)
}
