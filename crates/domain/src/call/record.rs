//! Stored calls: recorded facts and their decision.

use super::decision::decide_script;
use super::price::price_script;
use super::script::CallScript;
use super::{Admission, CallEnd, CallFacts, Decision, PricedCall, RejectionReason};
use crate::campaign::Terms;
use crate::id::{AffiliateId, CallId, CampaignId, NetworkId, PromoNumberId, TermsId};
use crate::ivr::run::Event;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Stored call. Facts are only appended; they do not change after the end of the call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Id; 0 until stored.
    pub id: CallId,
    /// Network that received the call.
    pub network_id: NetworkId,
    /// Id of the advertiser campaign.
    pub campaign_id: CampaignId,
    /// Id of the affiliate that generated the call.
    pub affiliate_id: Option<AffiliateId>,
    /// Id of the dialled promo number.
    pub promo_number_id: Option<PromoNumberId>,
    /// Id assigned by the sender, unique within the network.
    pub external_id: String,
    /// Complete call id, shown to users.
    pub complete_call_id: String,
    /// Id of the terms in force at the start; `None` if the campaign had none.
    pub terms_id: Option<TermsId>,
    /// Start of the call.
    pub start_time: Timestamp,
    /// Recorded facts.
    pub recorded: RecordedFacts,
    /// Time of storage.
    pub created_at: Timestamp,
    /// End of the call; `None` while it is live.
    pub ended_at: Option<Timestamp>,
}

/// Recorded facts of a call: together with the terms they determine its decision. Stored as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedFacts {
    /// Facts, completed with the location, the custom data and the repeat status.
    pub facts: CallFacts,
    /// Keys pressed at menus, in order.
    pub keys: Vec<char>,
    /// Answers to NumberQuestions, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digits: Vec<String>,
    /// Events of a call that was live, in order. If there are any, they determine the decision and
    /// `keys` is ignored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// Reason of a rejection.
    #[serde(rename = "turned_away")]
    pub rejection: Option<RejectionReason>,
    /// True if an affiliate generated the call.
    pub by_affiliate: bool,
    /// Dialled destination number, if the sender reported it.
    pub destination_phone_number: Option<String>,
    /// True if the call was routed elsewhere. Its reported facts then take precedence over its path
    /// through the tree. False for live calls, and for reported calls that were stored before
    /// reported facts took precedence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_reported: bool,
    /// Direction of the call.
    #[serde(default, skip_serializing_if = "CallDirection::is_inbound")]
    pub direction: CallDirection,
    /// End of a call that was live and connected, or that exceeded its time limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<CallEnd>,
}

/// Direction of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallDirection {
    /// From the caller to the campaign.
    #[default]
    Inbound,
    /// From the campaign; never paid.
    Outbound,
}

impl CallDirection {
    /// Parses the wire value, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "inbound" => Some(Self::Inbound),
            "outbound" => Some(Self::Outbound),
            _ => None,
        }
    }

    /// Returns true for [`CallDirection::Inbound`].
    pub fn is_inbound(&self) -> bool {
        *self == Self::Inbound
    }
}

impl RecordedFacts {
    /// Decides the call under the given terms, with explanations. The result is deterministic.
    pub fn decide(&self, terms: &Terms) -> Decision {
        decide_script(terms, &self.facts, CallScript::from_recorded(self), self.admission())
    }

    /// Decides and prices the call without explanations.
    pub fn price(&self, terms: &Terms) -> PricedCall {
        price_script(terms, &self.facts, CallScript::from_recorded(self), self.admission())
    }

    /// Prices the call as if it had been admitted, without explanations.
    pub fn price_as_admitted(&self, terms: &Terms) -> PricedCall {
        let admission = Admission { rejection: None, ..self.admission() };
        price_script(terms, &self.facts, CallScript::from_recorded(self), admission)
    }

    /// Lets the facts take precedence over the path from now on, as those of a reported call do. The
    /// text message that the path of a live call determined, `sms_sent`, becomes a fact.
    pub fn take_as_reported(&mut self, sms_sent: Option<bool>) {
        if self.is_reported {
            return;
        }
        self.is_reported = true;
        if !self.events.is_empty() {
            self.facts.sms_sent = sms_sent;
        }
    }

    fn admission(&self) -> Admission {
        Admission { rejection: self.rejection, by_affiliate: self.by_affiliate }
    }
}
