//! 2022-08-01: `pause_date` can be written; `expiration_date` shows the same, read-only.

use super::{Change, Kind, Sent, each_terms};
use jiff::civil::date;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change = Change {
    date: date(2022, 8, 1),
    what: "pause_date is writable; expiration_date is its read-only alias",
    request: |_, _, _| (),
    response,
    errors: |_, _| (),
};

fn response(sent: &Sent<'_>, map: &mut Map<String, Value>) {
    if sent.kind == Kind::Campaign {
        each_terms(map, |terms| {
            terms.shift_remove("pause_date");
        });
    }
}
