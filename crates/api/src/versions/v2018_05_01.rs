//! 2018-05-01: promo numbers go by the network's own id too (on every version); GET `go_live` and
//! GET `archive`, which changed state, are no longer there.

use super::{Change, Version, rule};
use jiff::civil::date;

pub(super) const CHANGE: Change =
    rule(date(2018, 5, 1), "promo_numbers_by_id is new; GET go_live and GET archive are gone");

/// Whether GET may make a campaign live or archive it.
pub(crate) fn get_changes_state(version: Version) -> bool {
    version.precedes(&CHANGE)
}
