//! 2016-12-01: `custom_data` is new, on every object that takes part in a call.

use super::{Change, Kind, ResponseInfo};
use jiff::civil::date;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change = Change {
    date: date(2016, 12, 1),
    description: "custom_data is new on advertisers, affiliates, advertiser campaigns, affiliate campaigns and promo numbers",
    request: |_, _, _| (),
    response,
    errors: |_, _| (),
};

fn response(response_info: &ResponseInfo<'_>, map: &mut Map<String, Value>) {
    match response_info.kind {
        Kind::Advertiser
        | Kind::Affiliate
        | Kind::Campaign
        | Kind::AffiliateCampaign
        | Kind::PromoNumber => {
            map.shift_remove("custom_data");
        }
        Kind::Network | Kind::User | Kind::Plain => {}
    }
}
