//! The columns of a ledger: each with its name, who sees it, and how it is read, a line each.

use crate::table::Cell;
use jiff::Timestamp;
use trunkline_domain::call::{Heard, Outcome, PhoneType, Settlement, Side, TurnedAway};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::timezone::{ZoneName, iso, stamp};
use trunkline_network::{LedgerRow, Named};

/// Whose eyes a ledger is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Eyes {
    Network,
    Advertiser,
    Affiliate,
}

/// Whether a column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Unless it is excluded.
    Yes,
    /// Only when it is asked for.
    Asked,
    /// Never: it is as if there were no such column.
    No,
}
use Seen::{Asked, No, Yes};

/// A row, and the network's zone.
pub(crate) struct Entry<'a> {
    pub(crate) row: &'a LedgerRow,
    pub(crate) zone: ZoneName,
}

const ALL: [Seen; 3] = [Yes, Yes, Yes];
const NOT_AFFILIATE: [Seen; 3] = [Yes, Yes, No];
const NOT_ADVERTISER: [Seen; 3] = [Yes, No, Yes];

/// A column: its name, who sees it (network, advertiser, affiliate), and how it is read.
pub(crate) type Column = (&'static str, [Seen; 3], fn(&Entry<'_>) -> Cell);

/// Every column, in the order they are shown. Adding one is adding a line.
const COLUMNS: &[Column] = &[
    ("transaction_id", ALL, |it| text(it.row.transaction.id)),
    ("complete_call_id", ALL, |it| text(&it.row.complete_call_id)),
    ("transaction_type", ALL, |_| text("Call")),
    ("corrects_transaction_id", ALL, |it| maybe(it.row.transaction.corrects_id)),
    ("corrected_at", ALL, |it| maybe(it.corrected_at())),
    ("start_time_local", ALL, |it| text(stamp(it.start(), it.local_zone()))),
    ("start_time_utc", ALL, |it| Cell::Whole(Some(it.start().as_millisecond()))),
    ("start_time_xml", ALL, |it| text(iso(it.start(), it.local_zone()))),
    ("start_time_network_timezone", ALL, |it| text(stamp(it.start(), it.zone))),
    ("start_time_network_timezone_xml", ALL, |it| text(iso(it.start(), it.zone))),
    ("advertiser_id", NOT_ADVERTISER, |it| text(it.row.transaction.advertiser_id)),
    ("advertiser_id_from_network", NOT_ADVERTISER, |it| text(&it.row.advertiser.id_from_network)),
    ("advertiser_name", NOT_ADVERTISER, |it| text(&it.row.advertiser.name)),
    ("advertiser_campaign_id", ALL, |it| text(it.row.transaction.campaign_id)),
    ("advertiser_campaign_id_from_network", ALL, |it| text(&it.row.campaign.id_from_network)),
    ("advertiser_campaign_name", ALL, |it| text(&it.row.campaign.name)),
    ("advertiser_campaign_country", NOT_AFFILIATE, |it| maybe(it.row.country.as_ref())),
    ("affiliate_id", NOT_AFFILIATE, |it| maybe(it.row.transaction.affiliate_id)),
    ("affiliate_id_from_network", NOT_AFFILIATE, |it| {
        maybe(it.affiliate(|it| &it.id_from_network))
    }),
    ("affiliate_name", NOT_AFFILIATE, |it| maybe(it.affiliate(|it| &it.name))),
    ("affiliate_campaign_id_from_network", [Asked, Asked, No], |it| {
        maybe(it.row.affiliate_campaign.as_ref())
    }),
    ("media_type", ALL, |it| {
        maybe(it.row.heard.facts.media_type.as_ref().and_then(Option::as_ref))
    }),
    ("promo_number_description", ALL, |it| maybe(it.description())),
    ("promo_line_description", [Asked, Asked, Yes], |it| maybe(it.description())),
    ("advertiser_promo_line_description", [No, Yes, No], |it| maybe(it.description())),
    ("virtual_line_id", ALL, |it| maybe(it.row.promo_number.as_ref())),
    ("calling_phone_number", NOT_AFFILIATE, |it| {
        maybe(it.row.heard.facts.calling_phone_number.as_ref())
    }),
    ("repeat_calling_phone_number", [Yes, Yes, Asked], |it| {
        maybe(it.row.heard.facts.repeat.map(|repeat| if repeat { "Yes" } else { "No" }))
    }),
    ("mobile", ALL, |it| maybe(it.row.heard.facts.phone_type.map(phone_type))),
    ("city", ALL, |it| maybe(it.row.heard.facts.city.as_ref())),
    ("region", ALL, |it| maybe(it.settled().region.as_ref())),
    ("verified_zip", ALL, |it| maybe(it.settled().zip.as_ref())),
    ("qualified_regions", ALL, |it| text(it.settled().qualified_regions.join(", "))),
    ("duration", ALL, |it| whole(it.row.heard.facts.duration)),
    ("connect_duration", ALL, |it| whole(it.settled().connect_duration)),
    ("ivr_duration", ALL, |it| whole(it.ivr_duration())),
    ("keypresses", ALL, |it| text(keys(&it.row.heard))),
    ("keypress_1", ALL, |it| maybe(it.settled().pressed.first())),
    ("keypress_2", ALL, |it| maybe(it.settled().pressed.get(1))),
    ("keypress_3", ALL, |it| maybe(it.settled().pressed.get(2))),
    ("keypress_4", ALL, |it| maybe(it.settled().pressed.get(3))),
    ("destination_phone_number", NOT_AFFILIATE, |it| text(it.destination())),
    ("opt_in_SMS", ALL, |it| Cell::Whole(it.settled().sms_sent.map(i64::from))),
    ("call_result_description_detail", ALL, |it| text(result(it.settled()))),
    ("call_result_description_detail_managed_advertiser", [No, Yes, No], |it| {
        text(result(it.settled()))
    }),
    ("advertiser_payin_localized", NOT_AFFILIATE, |it| maybe(it.payin().map(amount))),
    ("advertiser_payin_currency", [Asked, Asked, No], |it| maybe(it.payin().map(currency))),
    ("affiliate_payout_localized", NOT_ADVERTISER, |it| maybe(it.payout().map(amount))),
    ("affiliate_payout_currency", [Asked, No, Asked], |it| maybe(it.payout().map(currency))),
    ("margin_localized", [Yes, No, No], |it| {
        maybe(it.settled().margin().map(|(amount, _)| format!("{amount:.2}")))
    }),
    ("matching_advertiser_payin_policies", NOT_AFFILIATE, |it| {
        maybe(it.payin().map(|side| &side.matching_policies))
    }),
    ("matching_affiliate_payout_policies", NOT_ADVERTISER, |it| {
        maybe(it.payout().map(|side| &side.matching_policies))
    }),
    ("payin_conditions", NOT_AFFILIATE, |it| maybe(it.payin().map(|side| &side.conditions))),
    ("payout_conditions", NOT_ADVERTISER, |it| maybe(it.payout().map(|side| &side.conditions))),
    ("custom_data", NOT_AFFILIATE, |it| {
        let data = it.row.heard.facts.custom_data.iter().flatten();
        Cell::Pairs(data.map(|(name, value)| (name.clone(), value.clone())).collect())
    }),
];

/// The columns that are shown unless others are asked for.
pub(crate) fn defaults(eyes: Eyes) -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(move |(_, seen, _)| seen[eyes as usize] == Yes)
}

/// A column by its name, if these eyes may see it.
pub(crate) fn find(eyes: Eyes, name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|(known, seen, _)| *known == name && seen[eyes as usize] != No)
}

/// Every column that these eyes may see.
pub(crate) fn all(eyes: Eyes) -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(move |(_, seen, _)| seen[eyes as usize] != No)
}

fn text(value: impl ToString) -> Cell {
    Cell::Text(value.to_string())
}

fn maybe(value: Option<impl ToString>) -> Cell {
    Cell::Text(value.map(|value| value.to_string()).unwrap_or_default())
}

fn whole(value: Option<u32>) -> Cell {
    Cell::Whole(value.map(i64::from))
}

/// Two digits after the point, nothing else: `1250.00`.
fn amount(side: &Side) -> String {
    format!("{:.2}", side.amount.decimal())
}

fn currency(side: &Side) -> &'static str {
    side.currency.as_str()
}

fn phone_type(known: PhoneType) -> &'static str {
    match known {
        PhoneType::Mobile => "Mobile",
        PhoneType::Landline => "Landline",
    }
}

/// Every key that was pressed, in order.
fn keys(heard: &Heard) -> String {
    heard.keys.iter().map(char::to_string).collect::<Vec<_>>().join(", ")
}

/// What became of a call, in words.
fn result(settled: &Settlement) -> &'static str {
    match (settled.outcome, settled.reason) {
        (Outcome::Connected, _) => "Connected",
        (Outcome::Ended, _) => "Ended in IVR",
        (Outcome::Abandoned, _) => "Caller hung up in IVR",
        (Outcome::TurnedAway, Some(TurnedAway::OverCap)) => "Turned away: over the cap",
        (Outcome::TurnedAway, Some(TurnedAway::AffiliateNotApproved)) => {
            "Turned away: the affiliate was not approved"
        }
        (Outcome::TurnedAway, Some(TurnedAway::NotLive) | None) => {
            "Turned away: the campaign was not live"
        }
    }
}

impl Entry<'_> {
    fn start(&self) -> Timestamp {
        self.row.transaction.start_time
    }

    /// The campaign's zone, by the terms that priced the call.
    fn local_zone(&self) -> ZoneName {
        self.row.zone.unwrap_or(self.zone)
    }

    fn corrected_at(&self) -> Option<String> {
        let it = &self.row.transaction;
        it.corrects_id.map(|_| stamp(it.created_at, self.zone))
    }

    fn settled(&self) -> &Settlement {
        &self.row.transaction.settlement
    }

    fn payin(&self) -> Option<&Side> {
        self.settled().payin.as_ref()
    }

    fn payout(&self) -> Option<&Side> {
        self.settled().payout.as_ref()
    }

    fn affiliate(&self, read: fn(&Named) -> &String) -> Option<&String> {
        self.row.affiliate.as_ref().map(read)
    }

    fn description(&self) -> Option<&String> {
        self.row.heard.facts.promo_number_description.as_ref().and_then(Option::as_ref)
    }

    /// What was not spent connected.
    fn ivr_duration(&self) -> Option<u32> {
        let connected = self.settled().connect_duration?;
        self.row.heard.facts.duration.map(|all| all.saturating_sub(connected))
    }

    /// The number that the sender told, else the one that the tree dials.
    fn destination(&self) -> String {
        let told = self.row.heard.destination_phone_number.as_ref();
        let number = told.or(self.settled().destination_phone_number.as_ref());
        let number = number.cloned().unwrap_or_default();
        PhoneNumber::parse(&number).map_or(number, |number| number.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_party_sees_nothing_of_the_other_sides_money() {
        let names = |eyes| all(eyes).map(|(name, ..)| *name).collect::<BTreeSet<_>>();
        let affiliate = names(Eyes::Affiliate);
        let hidden = ["payin", "margin", "calling_phone_number", "destination", "affiliate_id"];
        for name in affiliate.iter().filter(|name| **name != "repeat_calling_phone_number") {
            assert!(!hidden.iter().any(|word| name.contains(word)), "{name}");
        }
        for name in names(Eyes::Advertiser) {
            assert!(!["payout", "margin"].iter().any(|word| name.contains(word)), "{name}");
        }
        let names: Vec<&str> = COLUMNS.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert_eq!(find(Eyes::Affiliate, "margin_localized").map(|(name, ..)| *name), None);
    }
}
