//! Dated versions of the contract: a chain of small changes. They are applied to requests and
//! responses only; the other code uses the newest shape.
//!
//! A request gets the contract that was in force on its date: every change dated on or before it.
//! Responses are downgraded: changes newer than the date are reverted, newest first. Requests are
//! upgraded: every version accepts old and new names, and where a request has both, its date
//! decides which of them is used.

mod v2015_12_09;
mod v2016_02_01;
mod v2016_05_01;
mod v2016_07_01;
mod v2016_10_01;
mod v2016_12_01;
mod v2017_02_01;
mod v2017_04_01;
mod v2017_09_01;
mod v2018_05_01;
mod v2018_11_01;
mod v2019_05_01;
mod v2020_10_01;
mod v2022_03_01;
mod v2022_08_01;

pub(crate) use v2015_12_09::hides_concurrent_call_cap;
pub(crate) use v2016_02_01::archived_goes_live;
pub(crate) use v2016_07_01::shows_max_promo_numbers;
pub(crate) use v2016_10_01::hides_caller_id;
pub(crate) use v2017_04_01::shows_one_address;
pub(crate) use v2018_05_01::get_changes_state;
pub(crate) use v2018_11_01::hides_call_activities;

use axum::http::Method;
use jiff::civil::{Date, date};
use serde_json::{Map, Value};

/// Date of the first version of the contract.
const FIRST_VERSION: Date = date(2014, 1, 1);

/// Kind of resource, which determines the shape of a request and its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// The network and its users.
    Network,
    /// An advertiser.
    Advertiser,
    /// An affiliate.
    Affiliate,
    /// A single user.
    User,
    /// An advertiser campaign.
    Campaign,
    /// An affiliate campaign.
    AffiliateCampaign,
    /// A promo number.
    PromoNumber,
    /// A resource that no dated change affects.
    Unversioned,
}

/// Response that is converted.
#[derive(Debug, Clone, Copy)]
pub struct ResponseInfo<'a> {
    /// Kind of resource.
    pub kind: ResourceKind,
    /// Method of the request.
    pub method: &'a Method,
}

/// One dated change of the contract.
pub struct Change {
    /// First date on which the change is in force.
    pub date: Date,
    /// Description for the API document.
    pub description: &'static str,
    /// Renames the properties of a request to the new names. The flag is true if the request's date
    /// is before the change: then the old name is used where both are given.
    request: fn(ResourceKind, &mut Map<String, Value>, bool),
    /// Converts a response to the shape before the change.
    response: fn(&ResponseInfo<'_>, &mut Map<String, Value>),
    /// Renames the properties of a validation's `errors` to the old names, where the request used
    /// the old names, or used neither and its date is before the change.
    errors: fn(&RequestInfo<'_>, &mut Map<String, Value>),
}

/// Rejected request whose errors are converted.
struct RequestInfo<'a> {
    kind: ResourceKind,
    /// Body as the client sent it.
    body: Option<&'a Map<String, Value>>,
    /// True if the request's date is before the change.
    is_before_change: bool,
}

/// Creates a change of a rule, which affects no shapes. A function of the change's module returns
/// whether the rule is in force.
const fn rule_change(date: Date, description: &'static str) -> Change {
    Change { date, description, request: |_, _, _| (), response: |_, _| (), errors: |_, _| () }
}

/// Every change, oldest first.
pub static CHANGES: [Change; 15] = [
    v2015_12_09::CHANGE,
    v2016_02_01::CHANGE,
    v2016_05_01::CHANGE,
    v2016_07_01::CHANGE,
    v2016_10_01::CHANGE,
    v2016_12_01::CHANGE,
    v2017_02_01::CHANGE,
    v2017_04_01::CHANGE,
    v2017_09_01::CHANGE,
    v2018_05_01::CHANGE,
    v2018_11_01::CHANGE,
    v2019_05_01::CHANGE,
    v2020_10_01::CHANGE,
    v2022_03_01::CHANGE,
    v2022_08_01::CHANGE,
];

/// Version of the contract: the date in a request's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(Date);

impl Version {
    /// Parses a date from 2014-01-01 on; future dates are valid.
    ///
    /// # Errors
    ///
    /// The message for the client.
    pub fn parse(text: &str) -> Result<Self, String> {
        let invalid = || format!("'{text}' is not a version: expected a date such as 2018-11-01");
        let is_plain_date =
            text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let date: Date = text.parse().ok().filter(|_| is_plain_date).ok_or_else(invalid)?;
        if date < FIRST_VERSION {
            return Err(format!("there is no version {text}: the first is {FIRST_VERSION}"));
        }
        Ok(Self(date))
    }

    /// Returns the version that has every change.
    pub fn newest() -> Self {
        Self(Date::MAX)
    }

    fn precedes(self, change: &Change) -> bool {
        self.0 < change.date
    }

    /// Converts a request of this version to the newest.
    pub fn upgrade(self, kind: ResourceKind, request: &mut Map<String, Value>) {
        for change in &CHANGES {
            (change.request)(kind, request, self.precedes(change));
        }
    }

    /// Converts a response of the newest version to this one.
    pub fn downgrade(self, response_info: &ResponseInfo<'_>, response: &mut Map<String, Value>) {
        for change in CHANGES.iter().rev().filter(|change| self.precedes(change)) {
            (change.response)(response_info, response);
        }
    }

    /// Renames the properties of a validation's body (`{"errors": …}`) to the names that the request
    /// used, and to this version's where it used none.
    pub fn downgrade_errors(
        self,
        kind: ResourceKind,
        request: Option<&Map<String, Value>>,
        body: &mut Value,
    ) {
        let Some(Value::Object(errors)) = body.get_mut("errors") else { return };
        for change in CHANGES.iter().rev() {
            let is_before_change = self.precedes(change);
            (change.errors)(&RequestInfo { kind, body: request, is_before_change }, errors);
        }
    }
}

/// Renames a property and keeps its position. If both names are present, `from_takes_precedence`
/// decides: either the renamed property replaces the other, or nothing changes, and the old name
/// is ignored later.
fn rename(map: &mut Map<String, Value>, from: &str, to: &str, from_takes_precedence: bool) {
    if !map.contains_key(from) || (map.contains_key(to) && !from_takes_precedence) {
        return;
    }
    let renamed = std::mem::take(map).into_iter().filter_map(|(name, value)| {
        if name == from {
            Some((to.to_owned(), value))
        } else {
            (name != to).then_some((name, value))
        }
    });
    *map = renamed.collect();
}

/// Returns true if an object of a request uses the old one of two names. Where it has both or
/// neither, the request's date decides.
fn uses_old_name(
    map: Option<&Map<String, Value>>,
    old: &str,
    new: &str,
    is_before_change: bool,
) -> bool {
    let has = |name| map.is_some_and(|map| map.contains_key(name));
    match (has(old), has(new)) {
        (true, false) => true,
        (false, true) => false,
        _ => is_before_change,
    }
}

/// Applies a change to each set of terms in a campaign's response.
fn for_each_terms(campaign: &mut Map<String, Value>, change: impl Fn(&mut Map<String, Value>)) {
    for name in ["current_terms", "future_terms"] {
        if let Some(Value::Object(terms)) = campaign.get_mut(name) {
            change(terms);
        }
    }
}

/// Applies a change to each user of a request or a response: the users of an organization, or a
/// single user.
fn for_each_user(
    kind: ResourceKind,
    map: &mut Map<String, Value>,
    change: impl Fn(&mut Map<String, Value>),
) {
    match kind {
        ResourceKind::User => match map.get_mut("user") {
            Some(Value::Object(user)) => change(user),
            _ => change(map),
        },
        ResourceKind::Network | ResourceKind::Advertiser | ResourceKind::Affiliate => {
            let Some(Value::Array(users)) = map.get_mut("users") else { return };
            for user in users {
                if let Value::Object(user) = user {
                    change(user);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
