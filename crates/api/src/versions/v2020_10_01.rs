//! 2020-10-01: the IVR nodes `AnyKeyPress`, `YesOrNo` and `NumberQuestion`. Every version accepts
//! and returns them.

use super::{Change, rule_change};
use jiff::civil::date;

pub(super) const CHANGE: Change =
    rule_change(date(2020, 10, 1), "IVR: AnyKeyPress, YesOrNo and NumberQuestion");
