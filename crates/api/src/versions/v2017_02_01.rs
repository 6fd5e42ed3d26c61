//! 2017-02-01: `campaign_country` is new, and `promo_type` of promo numbers.

use super::{Change, ResourceKind, ResponseInfo, for_each_terms};
use jiff::civil::date;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change = Change {
    date: date(2017, 2, 1),
    description: "campaign_country is new, and promo_type of promo numbers",
    request: |_, _, _| (),
    response,
    errors: |_, _| (),
};

fn response(response_info: &ResponseInfo<'_>, map: &mut Map<String, Value>) {
    match response_info.kind {
        ResourceKind::Campaign => for_each_terms(map, |terms| {
            terms.shift_remove("campaign_country");
        }),
        ResourceKind::PromoNumber => {
            map.shift_remove("promo_type");
        }
        _ => {}
    }
}
