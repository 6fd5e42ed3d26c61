//! 2020-10-01: the IVR nodes `AnyKeyPress`, `YesOrNo` and `NumberQuestion`. Every version takes
//! and shows them.

use super::{Change, rule};
use jiff::civil::date;

pub(super) const CHANGE: Change =
    rule(date(2020, 10, 1), "IVR: AnyKeyPress, YesOrNo and NumberQuestion");
