//! 2022-03-01: the IVR nodes `RingGroup` and `DynamicRoute`, and campaigns that are ExternalOnly.
//! Every version takes and shows them.

use super::{Change, rule};
use jiff::civil::date;

pub(super) const CHANGE: Change =
    rule(date(2022, 3, 1), "IVR: RingGroup and DynamicRoute; campaign_type ExternalOnly");
