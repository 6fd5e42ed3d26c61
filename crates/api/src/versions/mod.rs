//! Dated versions: a chain of small changes, applied at this edge only. Inside there is one shape,
//! the newest.
//!
//! A request gets the contract that was in force on its date: every change dated on or before it.
//! On the way out the changes that are newer than the date are taken back, newest first. On the
//! way in, names are accepted by every version where that is unambiguous; when a request gives
//! both an old name and a new one, its date decides which counts.

mod v2015_12_09;
mod v2016_02_01;
mod v2016_05_01;
mod v2016_07_01;
mod v2016_10_01;
mod v2016_12_01;
mod v2017_02_01;
mod v2017_04_01;
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

/// The first date that has a contract.
const FIRST: Date = date(2014, 1, 1);

/// Which shape an object has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The network and its users.
    Network,
    /// An advertiser.
    Advertiser,
    /// An affiliate.
    Affiliate,
    /// A user by itself.
    User,
    /// An advertiser campaign.
    Campaign,
    /// An affiliate campaign.
    AffiliateCampaign,
    /// A promo number.
    PromoNumber,
    /// A shape that no date has changed.
    Plain,
}

/// What is being answered.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// The shape.
    pub kind: Kind,
    /// The request's method.
    pub method: &'a Method,
}

/// One dated change of the contract.
pub struct Change {
    /// From when on.
    pub date: Date,
    /// What changed, in a sentence.
    pub what: &'static str,
    /// Makes a request what it is called now. `before` says whether the request's date is before
    /// the change: then the old name counts where both are given.
    request: fn(Kind, &mut Map<String, Value>, bool),
    /// Makes an answer what it was before the change.
    response: fn(&Sent<'_>, &mut Map<String, Value>),
    /// Gives a validation's `errors` the older names where the request used them, and where it
    /// used neither and is from before the change.
    errors: fn(&Said<'_>, &mut Map<String, Value>),
}

/// What a refused request said.
struct Said<'a> {
    kind: Kind,
    /// Its body, in its own words.
    body: Option<&'a Map<String, Value>>,
    /// Whether it is from before the change.
    before: bool,
}

/// A change that leaves shapes alone: what it changed is a rule, asked for by name.
const fn rule(date: Date, what: &'static str) -> Change {
    Change { date, what, request: |_, _, _| (), response: |_, _| (), errors: |_, _| () }
}

/// Every change, oldest first.
pub static CHANGES: [Change; 14] = [
    v2015_12_09::CHANGE,
    v2016_02_01::CHANGE,
    v2016_05_01::CHANGE,
    v2016_07_01::CHANGE,
    v2016_10_01::CHANGE,
    v2016_12_01::CHANGE,
    v2017_02_01::CHANGE,
    v2017_04_01::CHANGE,
    v2018_05_01::CHANGE,
    v2018_11_01::CHANGE,
    v2019_05_01::CHANGE,
    v2020_10_01::CHANGE,
    v2022_03_01::CHANGE,
    v2022_08_01::CHANGE,
];

/// The date of a request's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(Date);

impl Version {
    /// Any date from 2014-01-01 on, future dates too. `Err` says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no version: expected a date such as 2018-11-01");
        let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let date: Date = text.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
        if date < FIRST {
            return Err(format!("there is no version {text}: the first is {FIRST}"));
        }
        Ok(Self(date))
    }

    /// The contract without any change taken back.
    pub fn newest() -> Self {
        Self(Date::MAX)
    }

    fn precedes(self, change: &Change) -> bool {
        self.0 < change.date
    }

    /// Makes a request of this version one of the newest.
    pub fn upgrade(self, kind: Kind, request: &mut Map<String, Value>) {
        for change in &CHANGES {
            (change.request)(kind, request, self.precedes(change));
        }
    }

    /// Makes an answer of the newest version one of this.
    pub fn downgrade(self, sent: &Sent<'_>, response: &mut Map<String, Value>) {
        for change in CHANGES.iter().rev().filter(|change| self.precedes(change)) {
            (change.response)(sent, response);
        }
    }

    /// Gives a validation's answer (`{"errors": …}`) the names that the request itself used, and
    /// this version's where it used none.
    pub fn downgrade_errors(
        self,
        kind: Kind,
        request: Option<&Map<String, Value>>,
        answer: &mut Value,
    ) {
        let Some(Value::Object(errors)) = answer.get_mut("errors") else { return };
        for change in CHANGES.iter().rev() {
            let said = Said { kind, body: request, before: self.precedes(change) };
            (change.errors)(&said, errors);
        }
    }
}

/// Gives a property another name, in its place. When there are both, the one that counts keeps
/// the new name and the other stays as it is, to be ignored.
fn rename(map: &mut Map<String, Value>, from: &str, to: &str, from_counts: bool) {
    if !map.contains_key(from) || (map.contains_key(to) && !from_counts) {
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

/// Whether a hash of a request uses the older of two names. Where it has both or neither, its date
/// decides.
fn uses_older(map: Option<&Map<String, Value>>, old: &str, new: &str, before: bool) -> bool {
    let has = |name| map.is_some_and(|map| map.contains_key(name));
    match (has(old), has(new)) {
        (true, false) => true,
        (false, true) => false,
        _ => before,
    }
}

/// Runs over every set of terms in a campaign's answer.
fn each_terms(campaign: &mut Map<String, Value>, change: impl Fn(&mut Map<String, Value>)) {
    for name in ["current_terms", "future_terms"] {
        if let Some(Value::Object(terms)) = campaign.get_mut(name) {
            change(terms);
        }
    }
}

/// Runs over every user in an answer or a request: those of an organization, or the one it is.
fn each_user(kind: Kind, map: &mut Map<String, Value>, change: impl Fn(&mut Map<String, Value>)) {
    match kind {
        Kind::User => match map.get_mut("user") {
            Some(Value::Object(user)) => change(user),
            _ => change(map),
        },
        Kind::Network | Kind::Advertiser | Kind::Affiliate => {
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
