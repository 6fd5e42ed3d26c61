//! A call that was: what is known of it, and what priced it.

use super::decision::decide_by;
use super::inputs::Inputs;
use super::price::price_by;
use super::{CallFacts, Decision, Gate, TurnedAway, Verdict};
use crate::campaign::Terms;
use crate::ivr::run::Event;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A call, as it is kept. Facts, appended; never changed once it is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Ours; 0 until stored.
    pub id: i64,
    /// The network it came in to.
    pub network_id: i64,
    /// The advertiser campaign, ours.
    pub campaign_id: i64,
    /// The affiliate that brought it, ours.
    pub affiliate_id: Option<i64>,
    /// The promo number it came in by, ours.
    pub promo_number_id: Option<i64>,
    /// The sender's id for it, unique in the network.
    pub external_id: String,
    /// What people call it by.
    pub complete_call_id: String,
    /// The terms in force at its start, ours; `None` when the campaign had none.
    pub terms_id: Option<i64>,
    /// When it came in.
    pub start_time: Timestamp,
    /// What is known of it.
    pub heard: Heard,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it was over; `None` is live.
    pub ended_at: Option<Timestamp>,
}

/// What a call is decided by, besides the terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// The facts, completed: with its place, custom data and whether the caller called before.
    pub facts: CallFacts,
    /// The keys pressed, in order.
    pub keys: Vec<char>,
    /// What happened, in order, where it was heard as it did: then the call is decided by it, and
    /// not by `keys`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// Why it was turned away.
    pub turned_away: Option<TurnedAway>,
    /// Whether an affiliate brought it.
    pub by_affiliate: bool,
    /// The number dialled at the end, where the sender said it.
    pub destination_phone_number: Option<String>,
}

impl Heard {
    /// How the call went, and what it pays, by the terms that priced it: as often as it is asked,
    /// the same.
    pub fn decide(&self, terms: &Terms) -> Decision {
        decide_by(terms, &self.facts, Inputs::heard(self), self.gate())
    }

    /// The same without the reasons.
    pub fn price(&self, terms: &Terms) -> Verdict {
        price_by(terms, &self.facts, Inputs::heard(self), self.gate())
    }

    fn gate(&self) -> Gate {
        Gate { turned_away: self.turned_away, by_affiliate: self.by_affiliate }
    }
}
