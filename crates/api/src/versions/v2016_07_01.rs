//! 2016-07-01: objects have `id`, `object_url` and `id_from_network`; the external id of affiliate
//! campaigns is renamed; writes of affiliates and promo numbers return the object.

use super::{Change, RequestInfo, ResourceKind, ResponseInfo, Version, rename, uses_old_name};
use axum::http::Method;
use jiff::civil::date;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change = Change {
    date: date(2016, 7, 1),
    description: "id and object_url on every object; affiliate_campaign_id_from_network becomes id_from_network; advertiser campaigns show id_from_network and no max_promo_numbers; POST of affiliates and PUT of promo numbers answer the object",
    request,
    response,
    errors,
};

const OLD: &str = "affiliate_campaign_id_from_network";
const NEW: &str = "id_from_network";

fn request(kind: ResourceKind, map: &mut Map<String, Value>, is_before_change: bool) {
    if kind == ResourceKind::AffiliateCampaign {
        rename(map, OLD, NEW, is_before_change);
    }
}

fn response(response_info: &ResponseInfo<'_>, map: &mut Map<String, Value>) {
    match response_info.kind {
        ResourceKind::Affiliate if response_info.method == Method::POST => map.clear(),
        ResourceKind::PromoNumber if response_info.method == Method::PUT => map.clear(),
        ResourceKind::Advertiser | ResourceKind::Affiliate | ResourceKind::PromoNumber => {
            remove_properties(map, &["id", "object_url"]);
        }
        ResourceKind::Campaign => remove_properties(map, &["id", "id_from_network", "object_url"]),
        ResourceKind::AffiliateCampaign => {
            remove_properties(map, &["id", "object_url"]);
            rename(map, NEW, OLD, true);
        }
        ResourceKind::Network | ResourceKind::User | ResourceKind::Unversioned => {}
    }
}

fn errors(request_info: &RequestInfo<'_>, map: &mut Map<String, Value>) {
    if request_info.kind == ResourceKind::AffiliateCampaign
        && uses_old_name(request_info.body, OLD, NEW, request_info.is_before_change)
    {
        rename(map, NEW, OLD, true);
    }
}

fn remove_properties(map: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        map.shift_remove(*name);
    }
}

/// Returns true if an advertiser campaign's response contains `max_promo_numbers`.
pub(crate) fn shows_max_promo_numbers(version: Version) -> bool {
    version.precedes(&CHANGE)
}
