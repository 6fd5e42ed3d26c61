//! Corrections of the parties of a call: another campaign, affiliate or promo number. The call is
//! then decided by the terms of its campaign at its start. The statuses and caps of the new parties
//! are not checked.

use crate::batch_lookups::BatchLookups;
use crate::call_parties::{CallAddress, CallMoment, CallParties};
use crate::repeat_callers::is_repeat_of_stored_call;
use crate::{Context, Error, UnitOfWork};
use trunkline_domain::call::{Attribution, RecordedFacts, RejectionReason};
use trunkline_domain::campaign::{Campaign, Terms};
use trunkline_domain::id::PromoNumberId;
use trunkline_domain::party::{CustomData, Party};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::Problems;
use trunkline_store::LedgerRow;

/// Parties that a correction names. `None` leaves a party unchanged, `Some(None)` removes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PartiesChange {
    /// External id of the campaign.
    pub campaign: Option<String>,
    /// External id of the affiliate.
    pub affiliate: Option<Option<String>>,
    /// Promo number.
    pub promo_number: Option<Option<PhoneNumber>>,
}

/// New parties of a call, and its facts with them.
pub(crate) struct MovedCall {
    pub(crate) campaign: Campaign,
    pub(crate) affiliate: Option<Party>,
    pub(crate) attribution: Attribution,
    pub(crate) terms: Option<Terms>,
    pub(crate) recorded: RecordedFacts,
    /// `true` if the campaign or the affiliate is another one. Otherwise only the promo number is.
    pub(crate) changes_parties: bool,
}

impl PartiesChange {
    /// Returns `true` if the change names no party.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Resolves the new parties of a row's call, which had the promo number with the id
    /// `former_promo_number`. Without a campaign that had terms at the start of
    /// the call, a problem is added.
    pub(crate) fn resolve(
        &self,
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        row: &LedgerRow,
        former_promo_number: Option<PromoNumberId>,
        problems: &mut Problems,
    ) -> Result<MovedCall, Error> {
        let transaction = &row.transaction;
        let number = match former_promo_number {
            Some(id) => unit.number_of_promo_number(id)?,
            None => None,
        };
        let moment = CallMoment::reported(transaction.start_time);
        let lookups = &mut BatchLookups::at(moment);
        let former = former_custom_data(unit, context, lookups, row, number.as_ref())?;
        let address = self.address(row, number.as_ref());
        let parties = CallParties::resolve(unit, context, lookups, address, moment)?.value;
        parties.check_promo_number(problems.property("call"));
        let changes_campaign = parties.campaign.id != transaction.campaign_id;
        let affiliate_id = parties.affiliate_id();
        let changes_affiliate = affiliate_id != transaction.affiliate_id;
        let terms = unit.terms_at(parties.campaign.id, moment.latest)?.map(|period| period.value);
        if terms.is_none() && changes_campaign {
            let message = "had no terms at the start of the call";
            problems.property("call").property("advertiser_campaign").add(message);
        }
        let mut recorded = row.facts.clone();
        recorded.by_affiliate = parties.affiliate.is_some();
        recorded.rejection = recorded.rejection.filter(|reason| match reason {
            RejectionReason::NotLive
            | RejectionReason::AdvertiserNotApproved
            | RejectionReason::OverCap => !changes_campaign,
            RejectionReason::AffiliateNotApproved => !changes_campaign && !changes_affiliate,
            RejectionReason::NotInbound => true,
        });
        let facts = &mut recorded.facts;
        facts.custom_data = facts.custom_data.take().map(|data| without_inherited(data, &former));
        facts.media_type = None;
        facts.promo_number_description = None;
        *facts = parties.fill_in_facts(std::mem::take(facts));
        if changes_campaign && !facts.repeat_is_reported {
            facts.repeat = None;
            let campaign = parties.campaign.id;
            let in_force = terms.as_ref().map(|current| &current.terms);
            let start = transaction.start_time;
            let call = transaction.call_id;
            let repeat = is_repeat_of_stored_call(unit, call, campaign, in_force, facts, start)?;
            facts.repeat = Some(repeat);
        }
        Ok(MovedCall {
            attribution: Attribution {
                campaign_id: parties.campaign.id,
                terms_id: terms.as_ref().map(|current| current.id),
                promo_number_id: parties.promo_number.as_ref().map(|held| held.promo_number_id),
            },
            terms: terms.map(|current| current.terms),
            recorded,
            changes_parties: changes_campaign || changes_affiliate,
            campaign: parties.campaign,
            affiliate: parties.affiliate,
        })
    }

    /// Returns `true` if the change names another campaign or affiliate than the row's.
    fn names_other_parties(&self, row: &LedgerRow) -> bool {
        let affiliate = row.affiliate.as_ref().map(|affiliate| affiliate.external_id.as_str());
        self.campaign.as_ref().is_some_and(|campaign| *campaign != row.campaign.external_id)
            || self.affiliate.as_ref().is_some_and(|named| named.as_deref() != affiliate)
    }

    /// Returns the new parties of a row's call, which had a promo number.
    fn address<'a>(
        &'a self,
        row: &'a LedgerRow,
        former: Option<&'a PhoneNumber>,
    ) -> CallAddress<'a> {
        let promo_number = match &self.promo_number {
            Some(number) => number.as_ref(),
            // A promo number belongs to one campaign and one affiliate.
            None if self.names_other_parties(row) => None,
            None => former,
        };
        let affiliate = match (&self.affiliate, &self.promo_number) {
            (Some(affiliate), _) => affiliate.as_deref(),
            (None, Some(Some(_))) => None,
            (None, _) => row.affiliate.as_ref().map(|affiliate| affiliate.external_id.as_str()),
        };
        let campaign = match (&self.campaign, &self.promo_number) {
            (Some(campaign), _) => Some(campaign.as_str()),
            (None, Some(Some(_))) => None,
            (None, _) => Some(row.campaign.external_id.as_str()),
        };
        CallAddress { campaign, affiliate, promo_number }
    }
}

/// Returns the custom data that a row's call inherited from its parties; empty if one of them does
/// not exist any more.
fn former_custom_data(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    lookups: &mut BatchLookups,
    row: &LedgerRow,
    promo_number: Option<&PhoneNumber>,
) -> Result<CustomData, Error> {
    let address = CallAddress {
        campaign: Some(&row.campaign.external_id),
        affiliate: row.affiliate.as_ref().map(|affiliate| affiliate.external_id.as_str()),
        promo_number,
    };
    let moment = CallMoment::reported(row.transaction.start_time);
    match CallParties::resolve(unit, context, lookups, address, moment) {
        Ok(found) => Ok(found.value.into_custom_data()),
        Err(error) if error.is_refusal() => Ok(CustomData::new()),
        Err(error) => Err(error),
    }
}

/// Returns the values that a call did not inherit from its parties.
fn without_inherited(data: CustomData, inherited: &CustomData) -> CustomData {
    let is_own = |(name, value): &(String, String)| inherited.get(name) != Some(value);
    data.into_iter().filter(is_own).collect()
}
