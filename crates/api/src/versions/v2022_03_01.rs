//! 2022-03-01: the IVR nodes `RingGroup` and `DynamicRoute`, and campaigns that are ExternalOnly.
//! Every version accepts and returns them.

use super::{Change, rule_change};
use jiff::civil::date;

pub(super) const CHANGE: Change =
    rule_change(date(2022, 3, 1), "IVR: RingGroup and DynamicRoute; campaign_type ExternalOnly");
