//! 2017-09-01: `adwords_account_id` of promo numbers is new.

use super::{Change, ResourceKind, ResponseInfo};
use jiff::civil::date;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change = Change {
    date: date(2017, 9, 1),
    description: "adwords_account_id of promo numbers is new",
    request: |_, _, _| (),
    response,
    errors: |_, _| (),
};

fn response(response_info: &ResponseInfo<'_>, map: &mut Map<String, Value>) {
    if response_info.kind == ResourceKind::PromoNumber {
        map.shift_remove("adwords_account_id");
    }
}
