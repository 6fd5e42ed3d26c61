//! 2019-05-01: the IVR node `Failover`, `connect_timeout` and `keypress_failover_type`, and
//! conditions on custom data, affiliate, media type and promo number. Every version accepts
//! and returns them.

use super::{Change, rule_change};
use jiff::civil::date;

pub(super) const CHANGE: Change = rule_change(
    date(2019, 5, 1),
    "IVR: Failover, connect_timeout, keypress_failover_type; conditions on custom_data[…], affiliate_name, media_type, promo_number_description",
);
