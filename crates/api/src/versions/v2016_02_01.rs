//! 2016-02-01: an archived campaign must be unarchived before it goes live; before, there was no
//! unarchive, and it went live at once. (`unarchive` itself works on every version.)

use super::{Change, Version, rule};
use jiff::civil::date;

pub(super) const CHANGE: Change = rule(
    date(2016, 2, 1),
    "an archived campaign must be unarchived before it goes live; unarchive is new",
);

/// Whether `go_live` takes an archived campaign.
pub(crate) fn archived_goes_live(version: Version) -> bool {
    version.precedes(&CHANGE)
}
