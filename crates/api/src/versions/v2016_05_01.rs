//! 2016-05-01: `go_live` takes `{"timeout": 2–60}`, which every version accepts and checks.

use super::{Change, rule};
use jiff::civil::date;

pub(super) const CHANGE: Change =
    rule(date(2016, 5, 1), "go_live takes a timeout of 2 to 60 seconds");
