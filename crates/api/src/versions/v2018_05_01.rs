//! 2018-05-01: promo numbers are addressed by external id, too (on every version); GET `go_live` and
//! GET `archive`, which changed state, are removed.

use super::{Change, Version, rule_change};
use jiff::civil::date;

pub(super) const CHANGE: Change = rule_change(
    date(2018, 5, 1),
    "promo_numbers_by_id is new; GET go_live and GET archive are gone",
);

/// Returns true if GET can make a campaign live or archive it.
pub(crate) fn get_changes_state(version: Version) -> bool {
    version.precedes(&CHANGE)
}
