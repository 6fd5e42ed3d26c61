//! 2016-05-01: `go_live` accepts `{"timeout": 2–60}`. Every version accepts and validates it.

use super::{Change, rule_change};
use jiff::civil::date;

pub(super) const CHANGE: Change =
    rule_change(date(2016, 5, 1), "go_live takes a timeout of 2 to 60 seconds");
