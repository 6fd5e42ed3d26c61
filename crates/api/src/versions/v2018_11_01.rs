//! 2018-11-01: users have `contact_phone_number` beside `phone_number`, and
//! `notify_on_call_activities` and `can_login_via_platform`.

use super::{Change, Sent, Version, each_user};
use jiff::civil::date;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change = Change {
    date: date(2018, 11, 1),
    what: "users: contact_phone_number, notify_on_call_activities and can_login_via_platform are new",
    request: |_, _, _| (),
    response,
    errors: |_, _| (),
};

fn response(sent: &Sent<'_>, map: &mut Map<String, Value>) {
    each_user(sent.kind, map, |user| {
        for name in ["contact_phone_number", "notify_on_call_activities", "can_login_via_platform"]
        {
            user.shift_remove(name);
        }
    });
}

/// Whether a user's answer leaves `notify_on_call_activities` out. A request that leaves it out
/// too does not turn it off.
pub(crate) fn hides_call_activities(version: Version) -> bool {
    version.precedes(&CHANGE)
}
