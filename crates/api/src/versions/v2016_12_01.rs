//! 2016-12-01: `custom_data` is new, on every object that takes part in a call.

use super::{Change, ResourceKind, ResponseInfo};
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
        ResourceKind::Advertiser
        | ResourceKind::Affiliate
        | ResourceKind::Campaign
        | ResourceKind::AffiliateCampaign
        | ResourceKind::PromoNumber => {
            map.shift_remove("custom_data");
        }
        ResourceKind::Network | ResourceKind::User | ResourceKind::Unversioned => {}
    }
}
