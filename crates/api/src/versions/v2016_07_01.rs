//! 2016-07-01, the big one: objects got `id`, `object_url` and, where they had none,
//! `id_from_network`; affiliate campaigns' own id changed its name; writes of affiliates and promo
//! numbers answer the object.

use super::{Change, Kind, Said, Sent, Version, rename, uses_older};
use axum::http::Method;
use jiff::civil::date;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change = Change {
    date: date(2016, 7, 1),
    what: "id and object_url on every object; affiliate_campaign_id_from_network becomes id_from_network; advertiser campaigns show id_from_network and no max_promo_numbers; POST of affiliates and PUT of promo numbers answer the object",
    request,
    response,
    errors,
};

const OLD: &str = "affiliate_campaign_id_from_network";
const NEW: &str = "id_from_network";

fn request(kind: Kind, map: &mut Map<String, Value>, before: bool) {
    if kind == Kind::AffiliateCampaign {
        rename(map, OLD, NEW, before);
    }
}

fn response(sent: &Sent<'_>, map: &mut Map<String, Value>) {
    match sent.kind {
        Kind::Affiliate if sent.method == Method::POST => map.clear(),
        Kind::PromoNumber if sent.method == Method::PUT => map.clear(),
        Kind::Advertiser | Kind::Affiliate | Kind::PromoNumber => {
            without(map, &["id", "object_url"]);
        }
        Kind::Campaign => without(map, &["id", "id_from_network", "object_url"]),
        Kind::AffiliateCampaign => {
            without(map, &["id", "object_url"]);
            rename(map, NEW, OLD, true);
        }
        Kind::Network | Kind::User | Kind::Plain => {}
    }
}

fn errors(said: &Said<'_>, map: &mut Map<String, Value>) {
    if said.kind == Kind::AffiliateCampaign && uses_older(said.body, OLD, NEW, said.before) {
        rename(map, NEW, OLD, true);
    }
}

fn without(map: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        map.shift_remove(*name);
    }
}

/// Whether an advertiser campaign shows its `max_promo_numbers`.
pub(crate) fn shows_max_promo_numbers(version: Version) -> bool {
    version.precedes(&CHANGE)
}
