//! Columns of the ledger tables: name, visibility and value of each.

use crate::table_response::Cell;
use jiff::Timestamp;
use trunkline_domain::call::{
    CallEnd, LedgerAmount, Outcome, PhoneType, RecordedFacts, Settlement,
};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::timezone::{TimeZoneName, format_iso8601, format_legacy};
use trunkline_network::{IdAndName, LedgerRow};

/// Kind of principal that a ledger is rendered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Viewer {
    Network,
    Advertiser,
    Affiliate,
    /// Affiliate of a network whose affiliates see the caller's number.
    AffiliateWithCallers,
}

impl Viewer {
    /// Returns the visibility of a column.
    fn visibility(self, (name, visibility, _): &Column) -> ColumnVisibility {
        match self {
            // Empty, where the network's setting does not show it.
            Self::Affiliate | Self::AffiliateWithCallers if *name == "calling_phone_number" => {
                OnRequest
            }
            Self::Affiliate | Self::AffiliateWithCallers => visibility[2],
            Self::Advertiser => visibility[1],
            Self::Network => visibility[0],
        }
    }
}

/// Visibility of a column for a kind of viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnVisibility {
    /// Included by default.
    Visible,
    /// Included only if the request names it.
    OnRequest,
    /// Never included. The API behaves as if the column did not exist.
    Hidden,
}
use ColumnVisibility::{Hidden, OnRequest, Visible};

/// Row of the ledger, with its reader and the network's time zone.
pub(crate) struct LedgerEntry<'a> {
    pub(crate) row: &'a LedgerRow,
    pub(crate) viewer: Viewer,
    pub(crate) zone: TimeZoneName,
}

const EVERYONE: [ColumnVisibility; 3] = [Visible, Visible, Visible];
const NOT_AFFILIATE: [ColumnVisibility; 3] = [Visible, Visible, Hidden];
const NOT_ADVERTISER: [ColumnVisibility; 3] = [Visible, Hidden, Visible];

/// Column: its name, its visibility for the network, the advertiser and the affiliate, and the
/// function that returns its value.
pub(crate) type Column = (&'static str, [ColumnVisibility; 3], fn(&LedgerEntry<'_>) -> Cell);

/// Every column, in the order of the tables.
const COLUMNS: &[Column] = &[
    ("transaction_id", EVERYONE, |entry| text(entry.row.transaction.id)),
    ("complete_call_id", EVERYONE, |entry| text(&entry.row.complete_call_id)),
    ("transaction_type", EVERYONE, |_| text("Call")),
    ("corrects_transaction_id", EVERYONE, |entry| optional(entry.row.transaction.corrects_id)),
    ("corrected_at", EVERYONE, |entry| optional(entry.corrected_at())),
    ("start_time_local", EVERYONE, |entry| text(format_legacy(entry.start(), entry.local_zone()))),
    ("start_time_utc", EVERYONE, |entry| Cell::Integer(Some(entry.start().as_millisecond()))),
    ("start_time_xml", EVERYONE, |entry| text(format_iso8601(entry.start(), entry.local_zone()))),
    ("start_time_network_timezone", EVERYONE, |entry| {
        text(format_legacy(entry.start(), entry.zone))
    }),
    ("start_time_network_timezone_xml", EVERYONE, |entry| {
        text(format_iso8601(entry.start(), entry.zone))
    }),
    ("advertiser_id", NOT_ADVERTISER, |entry| text(entry.row.transaction.advertiser_id)),
    ("advertiser_id_from_network", NOT_ADVERTISER, |entry| text(&entry.row.advertiser.external_id)),
    ("advertiser_name", NOT_ADVERTISER, |entry| text(&entry.row.advertiser.name)),
    ("advertiser_campaign_id", EVERYONE, |entry| text(entry.row.transaction.campaign_id)),
    ("advertiser_campaign_id_from_network", EVERYONE, |entry| {
        text(&entry.row.campaign.external_id)
    }),
    ("advertiser_campaign_name", EVERYONE, |entry| text(&entry.row.campaign.name)),
    ("advertiser_campaign_country", NOT_AFFILIATE, |entry| optional(entry.row.country.as_ref())),
    ("affiliate_id", NOT_AFFILIATE, |entry| optional(entry.row.transaction.affiliate_id)),
    ("affiliate_id_from_network", NOT_AFFILIATE, |entry| {
        optional(entry.affiliate(|party| &party.external_id))
    }),
    ("affiliate_name", NOT_AFFILIATE, |entry| optional(entry.affiliate(|party| &party.name))),
    ("affiliate_campaign_id_from_network", [OnRequest, OnRequest, Hidden], |entry| {
        optional(entry.row.affiliate_campaign_external_id.as_ref())
    }),
    ("media_type", EVERYONE, |entry| {
        optional(entry.row.facts.facts.media_type.as_ref().and_then(Option::as_ref))
    }),
    ("promo_number_description", EVERYONE, |entry| optional(entry.description())),
    ("promo_line_description", [OnRequest, OnRequest, Visible], |entry| {
        optional(entry.description())
    }),
    ("advertiser_promo_line_description", [Hidden, Visible, Hidden], |entry| {
        optional(entry.description())
    }),
    ("virtual_line_id", EVERYONE, |entry| optional(entry.row.promo_number_external_id.as_ref())),
    ("calling_phone_number", NOT_AFFILIATE, |entry| {
        let number = entry.row.facts.facts.calling_phone_number.as_ref();
        optional(number.filter(|_| entry.viewer != Viewer::Affiliate))
    }),
    ("calling_phone_number_text", [OnRequest, OnRequest, Hidden], |entry| {
        optional(entry.row.facts.facts.calling_phone_number_text.as_ref())
    }),
    ("repeat_calling_phone_number", [Visible, Visible, OnRequest], |entry| {
        optional(entry.row.facts.facts.repeat.map(|repeat| if repeat { "Yes" } else { "No" }))
    }),
    ("mobile", EVERYONE, |entry| {
        optional(entry.row.facts.facts.phone_type.map(describe_phone_type))
    }),
    ("city", EVERYONE, |entry| optional(entry.row.facts.facts.city.as_ref())),
    ("region", EVERYONE, |entry| optional(entry.settled().region.as_ref())),
    ("verified_zip", EVERYONE, |entry| optional(entry.settled().zip.as_ref())),
    ("qualified_regions", EVERYONE, |entry| text(entry.settled().qualified_regions.join(", "))),
    ("duration", EVERYONE, |entry| integer(entry.row.facts.facts.duration)),
    ("connect_duration", EVERYONE, |entry| integer(entry.settled().connect_duration)),
    ("ivr_duration", EVERYONE, |entry| integer(entry.ivr_duration())),
    ("keypresses", EVERYONE, |entry| text(join_keys(&entry.row.facts))),
    ("keypress_1", EVERYONE, |entry| optional(entry.settled().pressed_keys.first())),
    ("keypress_2", EVERYONE, |entry| optional(entry.settled().pressed_keys.get(1))),
    ("keypress_3", EVERYONE, |entry| optional(entry.settled().pressed_keys.get(2))),
    ("keypress_4", EVERYONE, |entry| optional(entry.settled().pressed_keys.get(3))),
    ("destination_phone_number", NOT_AFFILIATE, |entry| text(entry.destination())),
    ("opt_in_SMS", EVERYONE, |entry| Cell::Integer(entry.settled().sms_sent.map(i64::from))),
    ("call_result_description_detail", EVERYONE, |entry| text(describe_result(entry.settled()))),
    ("call_result_description_detail_managed_advertiser", [Hidden, Visible, Hidden], |entry| {
        text(describe_result(entry.settled()))
    }),
    ("hangup_cause", [Visible, Hidden, Hidden], |entry| text(entry.hangup_cause())),
    ("advertiser_payin_localized", NOT_AFFILIATE, |entry| {
        optional(entry.payin().map(format_amount))
    }),
    ("advertiser_payin_currency", [OnRequest, OnRequest, Hidden], |entry| {
        optional(entry.payin().map(currency_code))
    }),
    ("affiliate_payout_localized", NOT_ADVERTISER, |entry| {
        optional(entry.payout().map(format_amount))
    }),
    ("affiliate_payout_currency", [OnRequest, Hidden, OnRequest], |entry| {
        optional(entry.payout().map(currency_code))
    }),
    ("margin_localized", [Visible, Hidden, Hidden], |entry| {
        optional(entry.settled().margin().map(|(amount, _)| format!("{amount:.2}")))
    }),
    ("matching_advertiser_payin_policies", NOT_AFFILIATE, |entry| {
        optional(entry.payin().map(|side| &side.matching_policies))
    }),
    ("matching_affiliate_payout_policies", NOT_ADVERTISER, |entry| {
        optional(entry.payout().map(|side| &side.matching_policies))
    }),
    ("payin_conditions", NOT_AFFILIATE, |entry| {
        optional(entry.payin().map(|side| &side.marked_condition))
    }),
    ("payout_conditions", NOT_ADVERTISER, |entry| {
        optional(entry.payout().map(|side| &side.marked_condition))
    }),
    ("custom_data", NOT_AFFILIATE, |entry| {
        let data = entry.row.facts.facts.custom_data.iter().flatten();
        Cell::Pairs(data.map(|(name, value)| (name.clone(), value.clone())).collect())
    }),
];

/// Returns the columns that a viewer gets by default.
pub(crate) fn default_columns(viewer: Viewer) -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(move |column| viewer.visibility(column) == Visible)
}

/// Finds a column by name, if the viewer may see it.
pub(crate) fn find_column(viewer: Viewer, name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.0 == name && viewer.visibility(column) != Hidden)
}

/// Returns every column that a viewer may see.
pub(crate) fn all_columns(viewer: Viewer) -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(move |column| viewer.visibility(column) != Hidden)
}

fn text(value: impl ToString) -> Cell {
    Cell::Text(value.to_string())
}

fn optional(value: Option<impl ToString>) -> Cell {
    Cell::Text(value.map(|value| value.to_string()).unwrap_or_default())
}

fn integer(value: Option<u32>) -> Cell {
    Cell::Integer(value.map(i64::from))
}

/// Formats an amount with two decimals and without a currency: `1250.00`.
fn format_amount(side: &LedgerAmount) -> String {
    format!("{:.2}", side.amount.decimal())
}

fn currency_code(side: &LedgerAmount) -> &'static str {
    side.currency.as_str()
}

fn describe_phone_type(phone_type: PhoneType) -> &'static str {
    match phone_type {
        PhoneType::Mobile => "Mobile",
        PhoneType::Landline => "Landline",
        PhoneType::Voip => "VoIP",
    }
}

/// Joins the keys that were pressed, in order.
fn join_keys(facts: &RecordedFacts) -> String {
    facts.keys.iter().map(char::to_string).collect::<Vec<_>>().join(", ")
}

/// Describes the outcome of a call.
fn describe_result(settled: &Settlement) -> &'static str {
    if settled.correction.as_ref().is_some_and(|correction| correction.is_moved_away) {
        return "Moved";
    }
    settled.describe_result()
}

impl LedgerEntry<'_> {
    fn start(&self) -> Timestamp {
        self.row.transaction.start_time
    }

    /// Returns the time zone of the terms that priced the call.
    fn local_zone(&self) -> TimeZoneName {
        self.row.zone.unwrap_or(self.zone)
    }

    fn corrected_at(&self) -> Option<String> {
        let transaction = &self.row.transaction;
        transaction.corrects_id.map(|_| format_legacy(transaction.created_at, self.zone))
    }

    fn settled(&self) -> &Settlement {
        &self.row.transaction.settlement
    }

    /// Returns the cause of the call's end; empty if the call was turned away.
    fn hangup_cause(&self) -> &'static str {
        match self.settled().outcome {
            Outcome::Rejected => "",
            _ => self.settled().end.unwrap_or(CallEnd::Unknown).hangup_cause(),
        }
    }

    fn payin(&self) -> Option<&LedgerAmount> {
        self.settled().payin.as_ref()
    }

    fn payout(&self) -> Option<&LedgerAmount> {
        self.settled().payout.as_ref()
    }

    fn affiliate(&self, read: fn(&IdAndName) -> &String) -> Option<&String> {
        self.row.affiliate.as_ref().map(read)
    }

    fn description(&self) -> Option<&String> {
        self.row.facts.facts.promo_number_description.as_ref().and_then(Option::as_ref)
    }

    /// Returns the seconds of the call that were not spent connected.
    fn ivr_duration(&self) -> Option<u32> {
        let connected = self.settled().connect_duration?;
        self.row.facts.facts.duration.map(|duration| duration.saturating_sub(connected))
    }

    /// Returns the destination number that was reported, else the one that the IVR tree dials.
    fn destination(&self) -> String {
        let reported = self.row.facts.destination_phone_number.as_ref();
        let number = reported.or(self.settled().destination_phone_number.as_ref());
        let number = number.cloned().unwrap_or_default();
        PhoneNumber::parse(&number).map_or(number, |number| number.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn parties_cannot_see_the_money_of_the_other_side() {
        let names = |viewer| all_columns(viewer).map(|(name, ..)| *name).collect::<BTreeSet<_>>();
        let affiliate = names(Viewer::Affiliate);
        let hidden = ["payin", "margin", "calling_phone_number", "destination", "affiliate_id"];
        let with_empty = ["repeat_calling_phone_number", "calling_phone_number"];
        for name in affiliate.iter().filter(|name| !with_empty.contains(name)) {
            assert!(!hidden.iter().any(|word| name.contains(word)), "{name}");
        }
        assert_eq!(names(Viewer::AffiliateWithCallers), affiliate);
        for name in names(Viewer::Advertiser) {
            assert!(!["payout", "margin"].iter().any(|word| name.contains(word)), "{name}");
        }
        let names: Vec<&str> = COLUMNS.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert_eq!(
            find_column(Viewer::Affiliate, "margin_localized").map(|(name, ..)| *name),
            None
        );
    }
}
