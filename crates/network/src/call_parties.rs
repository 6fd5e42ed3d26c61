//! Parties of a real or simulated call as of a moment: who held the promo number, the statuses, and
//! the custom data that the call inherits.

use crate::batch_lookups::BatchLookups;
use crate::{Context, Error, UnitOfWork, campaigns, parties};
use jiff::{SignedDuration, Timestamp};
use trunkline_domain::affiliation::AffiliateCampaignStatus;
use trunkline_domain::call::{CallFacts, RejectionReason};
use trunkline_domain::campaign::{Campaign, CampaignStatus};
use trunkline_domain::id::AffiliateId;
use trunkline_domain::party::{
    CustomData, CustomDataSource, CustomDataSources, Party, PartyKind, PartyStatus,
};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::Problems;
use trunkline_domain::promo::PromoNumberHolding;
use trunkline_store::{ObjectState, StatefulObject, ValidityPeriod};

/// Campaign, affiliate and promo number that a call names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallAddress<'a> {
    /// External id of the campaign; by default that of the promo number's holder.
    pub(crate) campaign: Option<&'a str>,
    /// External id of the affiliate; by default that of the promo number's holder.
    pub(crate) affiliate: Option<&'a str>,
    /// Promo number that the caller dialled.
    pub(crate) promo_number: Option<&'a PhoneNumber>,
}

/// Moment of a call. A reported time has a resolution of one second, so it can be any moment
/// within its second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallMoment {
    /// Earliest possible moment.
    pub(crate) earliest: Timestamp,
    /// Latest possible moment. The state at this moment applies.
    pub(crate) latest: Timestamp,
}

impl CallMoment {
    /// Returns the moment of a reported start.
    pub(crate) fn reported(start: Timestamp) -> Self {
        let earliest = Timestamp::from_second(start.as_second()).unwrap_or(start);
        Self { earliest, latest: crate::calls::end_of_second(start) }
    }

    /// Returns the moment of a call that arrives now. What has ended within the current second has
    /// ended.
    pub(crate) fn current(now: Timestamp) -> Self {
        let latest = crate::calls::end_of_second(now);
        Self { earliest: latest, latest }
    }
}

/// Campaign, affiliate and promo number of a call, as of the call's start.
pub(crate) struct CallParties {
    pub(crate) campaign: Campaign,
    pub(crate) affiliate: Option<Party>,
    pub(crate) promo_number: Option<PromoNumberHolding>,
    /// True if the campaign was Activated.
    pub(crate) is_activated: bool,
    /// Reason to reject the call because of the status of a party, if there is one.
    pub(crate) rejection: Option<RejectionReason>,
    /// Name that the affiliate had.
    affiliate_name: Option<String>,
    /// Merged custom data. On equal names the later source wins: advertiser, campaign, affiliate,
    /// affiliate campaign, promo number.
    custom_data: CustomData,
    /// Sources of the custom data.
    custom_data_sources: CustomDataSources,
}

impl CallParties {
    /// Resolves the parties of a call at a moment, with the period in which the result is valid.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if an object does not exist or is not visible to the principal, or if
    /// the promo number had no holder.
    pub(crate) fn resolve(
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        lookups: &mut BatchLookups,
        address: CallAddress<'_>,
        moment: CallMoment,
    ) -> Result<ValidityPeriod<Self>, Error> {
        let holding = match address.promo_number {
            Some(number) => lookups.holding_at(unit, context, number, moment)?,
            None => None,
        };
        let campaign = find_campaign(unit, context, address, holding.as_ref())?;
        let holding = match address.promo_number {
            None => None,
            Some(number) => {
                let held = holding.filter(|held| held.value.campaign_id == campaign.id);
                let digits = number.compact();
                let id = &campaign.external_id;
                let name = format!("PromoNumber {digits} for advertiser campaign {id}");
                Some(held.ok_or(Error::NotFound(name))?)
            }
        };
        let of_number = holding.as_ref().and_then(|held| held.value.affiliate_id);
        let affiliate = match (address.affiliate, of_number) {
            (Some(id), _) => Some(parties::find(unit, context, PartyKind::Affiliate, id)?),
            (None, Some(id)) => unit.party_by_id(id.into())?,
            (None, None) => None,
        };
        let affiliate_id = affiliate.as_ref().map(|affiliate| affiliate.id.as_affiliate());
        let affiliate_campaign = match affiliate_id {
            Some(affiliate_id) => unit.affiliate_campaign(campaign.id, affiliate_id)?,
            None => None,
        };
        let objects = PartyObjects {
            advertiser: Some(StatefulObject::Advertiser(campaign.advertiser_id)),
            campaign: Some(StatefulObject::Campaign(campaign.id)),
            affiliate: affiliate_id.map(StatefulObject::Affiliate),
            affiliate_campaign: affiliate_campaign
                .map(|found| StatefulObject::AffiliateCampaign(found.id)),
        };
        let states = lookups.states_at(unit, &objects, moment.latest)?;
        let is_complete = states.count() == objects.count();
        let mut parties = states.with_parties(campaign, affiliate, holding);
        if !is_complete {
            // An object was created later: the result is valid at this moment only.
            let next = SignedDuration::from_millis(1);
            parties.from = moment.latest;
            parties.until = moment.latest.saturating_add(next).ok();
        }
        Ok(parties)
    }

    /// Returns the id of the affiliate.
    pub(crate) fn affiliate_id(&self) -> Option<AffiliateId> {
        self.affiliate.as_ref().map(|affiliate| affiliate.id.as_affiliate())
    }

    /// Returns the custom data that the parties contribute.
    pub(crate) fn into_custom_data(self) -> CustomData {
        self.custom_data
    }

    /// Adds a problem if the promo number was assigned to another affiliate than the call's.
    pub(crate) fn check_promo_number(&self, problems: &mut Problems) {
        let of_number = self.promo_number.as_ref().and_then(|number| number.affiliate_id);
        let affiliate = self.affiliate_id();
        if of_number.is_some() && of_number != affiliate {
            problems.property("promo_number").add("belongs to another affiliate");
        }
    }

    /// Returns `Ok` if the principal can view the payments for this call: as the advertiser or as
    /// the affiliate.
    pub(crate) fn ensure_can_view(&self, context: &Context) -> Result<(), Error> {
        let is_advertiser =
            context.principal.can_view(PartyKind::Advertiser, self.campaign.advertiser_id);
        match self.affiliate.as_ref().filter(|_| !is_advertiser) {
            Some(affiliate) => context.principal.ensure_can_view(affiliate),
            None => Ok(()),
        }
    }

    /// Adds facts that were not reported: the location of the number, names, and the custom data
    /// of the parties. Reported custom data wins.
    pub(crate) fn fill_in_facts(&self, reported: CallFacts) -> CallFacts {
        let mut facts = reported.with_derived_locations();
        let own = facts.custom_data.take().unwrap_or_default();
        let mut custom_data = self.custom_data.clone();
        let mut inherited = self.custom_data_sources.clone();
        inherited.retain(|name, _| !own.contains_key(name));
        custom_data.extend(own);
        facts.inherited_custom_data = (!custom_data.is_empty()).then_some(inherited);
        facts.custom_data = Some(custom_data);
        facts.affiliate_name = Some(self.affiliate_name.clone());
        if let Some(number) = &self.promo_number {
            facts.media_type = Some(Some(number.media_type.clone()));
            facts.promo_number_description = Some(Some(number.description.clone()));
        }
        facts
    }
}

/// Finds the campaign of a call: the given one, or that of the promo number's holder.
fn find_campaign(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    address: CallAddress<'_>,
    holding: Option<&ValidityPeriod<PromoNumberHolding>>,
) -> Result<Campaign, Error> {
    let missing = || match (address.campaign, address.promo_number) {
        (None, Some(number)) => Error::NotFound(format!("PromoNumber {}", number.compact())),
        (id, _) => Error::NotFound(format!("AdvertiserCampaign {}", id.unwrap_or_default())),
    };
    let found = match (address.campaign, holding) {
        (Some(id), _) => unit.campaign(context.principal.network_id, id)?,
        (None, Some(held)) => unit.campaign_by_id(held.value.campaign_id)?,
        (None, None) => None,
    };
    let campaign = found.ok_or_else(missing)?;
    if campaigns::is_visible(unit, context, &campaign)? { Ok(campaign) } else { Err(missing()) }
}

/// One value for each object of a call whose states are recorded.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PartyObjects<T> {
    pub(crate) advertiser: Option<T>,
    pub(crate) campaign: Option<T>,
    pub(crate) affiliate: Option<T>,
    pub(crate) affiliate_campaign: Option<T>,
}

impl<T> PartyObjects<T> {
    /// Returns the number of objects that are there.
    fn count(&self) -> usize {
        let Self { advertiser, campaign, affiliate, affiliate_campaign } = self;
        [advertiser, campaign, affiliate, affiliate_campaign].into_iter().flatten().count()
    }
}

/// Sources of custom data, the weakest first.
const CUSTOM_DATA_LAYERS: [CustomDataSource; 5] = [
    CustomDataSource::Advertiser,
    CustomDataSource::AdvertiserCampaign,
    CustomDataSource::Affiliate,
    CustomDataSource::AffiliateCampaign,
    CustomDataSource::VirtualLine,
];

impl PartyObjects<&ValidityPeriod<ObjectState>> {
    /// Combines the states with the objects. The result is valid as long as each of them is.
    fn with_parties(
        self,
        campaign: Campaign,
        affiliate: Option<Party>,
        holding: Option<ValidityPeriod<PromoNumberHolding>>,
    ) -> ValidityPeriod<CallParties> {
        let layers = [self.advertiser, self.campaign, self.affiliate, self.affiliate_campaign];
        let states = layers.into_iter().flatten();
        let held = holding.as_ref();
        let starts = states.clone().map(|state| state.from).chain(held.map(|held| held.from));
        let ends =
            states.clone().filter_map(|state| state.until).chain(held.and_then(|held| held.until));
        let from = starts.max().unwrap_or(Timestamp::MIN);
        let until = ends.min();
        let rejection = self.rejection(affiliate.is_some());
        let promo_number = holding.map(|held| held.value);
        let number_data = promo_number.as_ref().map(|held| &held.custom_data);
        let custom_data = layers
            .map(|layer| layer.map(|state| &state.value.custom_data))
            .into_iter()
            .chain([number_data])
            .zip(CUSTOM_DATA_LAYERS)
            .flat_map(|(data, source)| data.into_iter().flatten().map(move |item| (item, source)));
        let parties = CallParties {
            custom_data: custom_data.clone().map(|((k, v), _)| (k.clone(), v.clone())).collect(),
            custom_data_sources: custom_data.map(|((k, _), source)| (k.clone(), source)).collect(),
            is_activated: has_status(self.campaign, CampaignStatus::Activated.as_str()),
            rejection,
            affiliate_name: self.affiliate.map(|state| state.value.name.clone()),
            campaign,
            affiliate,
            promo_number,
        };
        ValidityPeriod { from, until, value: parties }
    }

    fn rejection(&self, by_affiliate: bool) -> Option<RejectionReason> {
        let approved = PartyStatus::Approved.as_str();
        if !has_status(self.advertiser, approved) {
            return Some(RejectionReason::AdvertiserNotApproved);
        }
        let is_approved = has_status(self.affiliate, approved)
            && has_status(self.affiliate_campaign, AffiliateCampaignStatus::Approved.as_str());
        (by_affiliate && !is_approved).then_some(RejectionReason::AffiliateNotApproved)
    }
}

fn has_status(state: Option<&ValidityPeriod<ObjectState>>, status: &str) -> bool {
    state.is_some_and(|state| state.value.status == status)
}
