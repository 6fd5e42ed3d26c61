//! 2016-02-01: an archived campaign must be unarchived before it goes live. Earlier versions had no
//! `unarchive`, and `go_live` accepted archived campaigns. Here `unarchive` works on every version.

use super::{Change, Version, rule_change};
use jiff::civil::date;

pub(super) const CHANGE: Change = rule_change(
    date(2016, 2, 1),
    "an archived campaign must be unarchived before it goes live; unarchive is new",
);

/// Returns true if `go_live` accepts an archived campaign.
pub(crate) fn archived_goes_live(version: Version) -> bool {
    version.precedes(&CHANGE)
}
