//! Columns of the ledger tables: who sees them, and how their values are found.

use crate::table::{Cell, Datum};
use jiff::Timestamp;
use std::collections::HashMap;
use trunkline_domain::call::{
    CallEnd, CallFacts, LedgerAmount, Outcome, PhoneType, RecordedFacts, Settlement,
};
use trunkline_domain::party::{CustomDataField, DataType, NetworkSettings};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::timezone::{TimeZoneName, format_legacy};
use trunkline_network::LedgerRow;

/// Reader of a ledger, as the path names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Viewer {
    Network,
    Advertiser,
    Affiliate {
        /// The network shows its affiliates the callers' numbers.
        sees_callers: bool,
        /// The network lets its affiliates hear recordings.
        hears_recordings: bool,
    },
}

impl Viewer {
    /// Affiliate of a network with these settings.
    pub(crate) fn affiliate(settings: &NetworkSettings) -> Self {
        Self::Affiliate {
            sees_callers: settings.affiliates_see_caller_id,
            hears_recordings: settings.affiliates_hear_recordings,
        }
    }
}

/// Visibility of a column for a kind of viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// Among the default columns.
    Default,
    /// On request.
    OnRequest,
    /// On request; empty where the network does not show callers' numbers.
    CallersShown,
    /// On request; empty where the network does not let recordings be heard.
    RecordingsHeard,
    /// Among the default columns of a network with number pools, otherwise on request. No network
    /// has pools yet.
    WithPools,
    /// Among the default columns of a network with signals, otherwise on request. No network has
    /// signals yet.
    WithSignals,
    /// On request, and always empty.
    Never,
}

/// Data that Trunkline does not have, so that columns for it are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    CallFees,
    Conversions,
    NotRecorded,
    Pools,
    Rankings,
    Signals,
}

impl Absence {
    /// Describes the reason in the API document.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::CallFees => "Empty: there are no call fees.",
            Self::Conversions => "Empty: there are no reported conversions.",
            Self::NotRecorded => "Empty: this is not recorded.",
            Self::Pools => "Empty: there are no number pools.",
            Self::Rankings => "Empty: affiliates are not ranked.",
            Self::Signals => "Empty: there are no signals.",
        }
    }
}

/// Value of a column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ColumnValue {
    /// Text; empty if it is not known.
    Text(fn(&LedgerEntry<'_>) -> String),
    /// Integer; `None` if it is not known.
    Number(fn(&LedgerEntry<'_>) -> Option<i64>),
    /// Custom data of the call.
    CustomData,
    /// Text of which no row has any.
    NoText(Absence),
    /// Integer that no row has.
    NoNumber(Absence),
}

/// Column of the ledger tables.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Visibility for the network, the advertiser and the affiliate.
    visibility: [Visibility; 3],
    pub(crate) value: ColumnValue,
}

impl Column {
    pub(super) const fn new(
        name: &'static str,
        visibility: [Visibility; 3],
        value: ColumnValue,
    ) -> Self {
        Self { name, visibility, value }
    }

    /// Returns true if the column is among those that a viewer gets by default.
    pub(super) fn is_default(&self, viewer: Viewer) -> bool {
        self.visibility(viewer) == Visibility::Default
    }

    fn visibility(&self, viewer: Viewer) -> Visibility {
        let [network, advertiser, affiliate] = self.visibility;
        match viewer {
            Viewer::Network => network,
            Viewer::Advertiser => advertiser,
            Viewer::Affiliate { .. } => affiliate,
        }
    }

    fn is_shown_to(&self, viewer: Viewer) -> bool {
        match (self.visibility(viewer), viewer) {
            (Visibility::Never, _) => false,
            (Visibility::CallersShown, Viewer::Affiliate { sees_callers, .. }) => sees_callers,
            (Visibility::RecordingsHeard, Viewer::Affiliate { hears_recordings, .. }) => {
                hears_recordings
            }
            _ => true,
        }
    }

    /// Returns the column's cell of a row. What the viewer may not see is empty.
    pub(crate) fn cell(&self, entry: &LedgerEntry<'_>) -> Cell {
        let is_shown = self.is_shown_to(entry.viewer);
        match self.value {
            ColumnValue::Text(read) if is_shown => Cell::Text(read(entry)),
            ColumnValue::Number(read) if is_shown => Cell::Integer(read(entry)),
            ColumnValue::CustomData if is_shown => Cell::Data(entry.custom_data()),
            ColumnValue::Text(_) | ColumnValue::NoText(_) => Cell::Text(String::new()),
            ColumnValue::Number(_) | ColumnValue::NoNumber(_) => Cell::Integer(None),
            ColumnValue::CustomData => Cell::Data(Vec::new()),
        }
    }
}

/// Custom data fields of a network, which are columns too.
#[derive(Debug, Default)]
pub(crate) struct CustomFields {
    /// Names in the order of the fields' creation.
    pub(crate) names: Vec<String>,
    types: HashMap<String, DataType>,
}

impl CustomFields {
    pub(crate) fn new(fields: Vec<CustomDataField>) -> Self {
        Self {
            types: fields
                .iter()
                .map(|field| (field.partner_name.clone(), field.data_type))
                .collect(),
            names: fields.into_iter().map(|field| field.partner_name).collect(),
        }
    }

    /// Returns true if there is a field with this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.types.contains_key(name)
    }

    fn describe_type(&self, name: &str) -> &'static str {
        match self.types.get(name) {
            Some(DataType::Category) => "Category",
            Some(DataType::ShortText) => "Short Text",
            Some(DataType::Date) => "Date",
            None => "",
        }
    }
}

/// Row of the ledger, with its reader, the network's time zone and custom data fields.
pub(crate) struct LedgerEntry<'a> {
    pub(crate) row: &'a LedgerRow,
    pub(crate) viewer: Viewer,
    pub(crate) zone: TimeZoneName,
    pub(crate) fields: &'a CustomFields,
    /// Prefix of addresses of this server.
    pub(crate) base_url: &'a str,
}

pub(super) fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Formats an amount with two decimals and without a currency: `1250.00`.
pub(super) fn format_amount(side: &LedgerAmount) -> String {
    format!("{:.2}", side.amount.decimal())
}

pub(super) fn currency_code(side: &LedgerAmount) -> &'static str {
    side.currency.as_str()
}

impl LedgerEntry<'_> {
    /// Returns the address of the call's recording; empty if none is kept.
    pub(super) fn recording_url(&self) -> String {
        let LedgerRow { transaction, complete_call_id, has_recording, .. } = self.row;
        if !has_recording {
            return String::new();
        }
        let network = transaction.network_id;
        let base_url = self.base_url;
        format!("{base_url}/trunkline/v1/networks/{network}/calls/{complete_call_id}/recording")
    }

    pub(super) fn start(&self) -> Timestamp {
        self.row.transaction.start_time
    }

    pub(super) fn corrected_at(&self) -> Option<String> {
        let transaction = &self.row.transaction;
        transaction.corrects_id.map(|_| format_legacy(transaction.created_at, self.zone))
    }

    pub(super) fn settled(&self) -> &Settlement {
        &self.row.transaction.settlement
    }

    fn recorded(&self) -> &RecordedFacts {
        &self.row.facts
    }

    pub(super) fn facts(&self) -> &CallFacts {
        &self.recorded().facts
    }

    /// Returns the cause of the call's end; empty if the call was rejected.
    pub(super) fn hangup_cause(&self) -> &'static str {
        match self.settled().outcome {
            Outcome::Rejected => "",
            _ => self.settled().end.unwrap_or(CallEnd::Unknown).hangup_cause(),
        }
    }

    pub(super) fn payin(&self) -> Option<&LedgerAmount> {
        self.settled().payin.as_ref()
    }

    pub(super) fn payout(&self) -> Option<&LedgerAmount> {
        self.settled().payout.as_ref()
    }

    pub(super) fn promo_number_description(&self) -> Option<&String> {
        self.facts().promo_number_description.as_ref().and_then(Option::as_ref)
    }

    /// Returns the promo number that the caller dialled.
    pub(super) fn describe_source(&self) -> String {
        self.row.promo_number.as_ref().map(PhoneNumber::display).unwrap_or_default()
    }

    /// Returns the party that brought the call. A call to no promo number came another way.
    pub(super) fn describe_transfer(&self) -> &'static str {
        match (&self.row.affiliate, &self.row.promo_number) {
            (Some(_), _) => "Publisher Direct",
            (None, Some(_)) => "Advertiser Direct",
            (None, None) => "N/A",
        }
    }

    pub(super) fn describe_phone_type(&self) -> &'static str {
        match self.facts().phone_type {
            Some(PhoneType::Mobile) => "Mobile",
            Some(PhoneType::Landline) => "Landline",
            Some(PhoneType::Voip) | None => "",
        }
    }

    pub(super) fn describe_repeat(&self) -> &'static str {
        match self.facts().repeat {
            Some(true) => "Yes",
            Some(false) => "No",
            None => "",
        }
    }

    /// Describes the outcome of the call.
    pub(super) fn describe_result(&self) -> &'static str {
        let correction = self.settled().correction.as_ref();
        match correction.is_some_and(|correction| correction.is_moved_away) {
            true => "Moved",
            false => self.settled().describe_result(),
        }
    }

    /// Returns the distinct inputs that counted at menus, in the order of the first of each; of a
    /// call that passed no menu, the distinct keys that were reported.
    pub(super) fn distinct_keys(&self) -> String {
        let counted = self.settled().pressed_keys.iter().map(ToString::to_string);
        let reported = self.recorded().keys.iter().map(ToString::to_string);
        let inputs: Vec<String> = match self.settled().pressed_keys.is_empty() {
            false => counted.collect(),
            true => reported.collect(),
        };
        let mut distinct: Vec<String> = Vec::new();
        for input in inputs {
            if !distinct.contains(&input) {
                distinct.push(input);
            }
        }
        distinct.join(", ")
    }

    /// Returns the seconds of the call that were not spent connected.
    pub(super) fn ivr_duration(&self) -> Option<u32> {
        let connected = self.settled().connect_duration?;
        self.facts().duration.map(|duration| duration.saturating_sub(connected))
    }

    /// Returns the destination number that was reported, else the one that the IVR tree dials.
    pub(super) fn destination(&self) -> String {
        let reported = self.recorded().destination_phone_number.as_ref();
        let number = reported.or(self.settled().destination_phone_number.as_ref());
        let number = number.cloned().unwrap_or_default();
        PhoneNumber::parse(&number).map_or(number, |number| number.display())
    }

    /// Returns the value of a custom data field.
    pub(super) fn custom_value(&self, name: &str) -> Option<&String> {
        self.facts().custom_data.as_ref()?.get(name)
    }

    /// Returns the source of the value of a custom data field, if there is a value.
    pub(super) fn custom_source(&self, name: &str) -> Option<&'static str> {
        self.custom_value(name)?;
        self.facts().custom_data_source(name).map(|source| source.as_str())
    }

    fn custom_data(&self) -> Vec<Datum> {
        let data = self.facts().custom_data.iter().flatten();
        let datum = |(name, value): (&String, &String)| Datum {
            name: name.clone(),
            data_type: self.fields.describe_type(name),
            source: self.custom_source(name).unwrap_or_default(),
            value: value.clone(),
        };
        data.map(datum).collect()
    }
}
