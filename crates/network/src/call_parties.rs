//! Parties of a real or simulated call, and the custom data that they contribute to it.

use crate::batch_lookups::BatchLookups;
use crate::{Context, Error, UnitOfWork, campaigns, parties};
use jiff::Timestamp;
use trunkline_domain::affiliation::AffiliateCampaignStatus;
use trunkline_domain::call::{CallFacts, RejectionReason};
use trunkline_domain::campaign::Campaign;
use trunkline_domain::party::{CustomData, Party, PartyKind};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::Problems;
use trunkline_domain::promo::PromoNumber;

/// Campaign, affiliate and promo number of a call.
pub(crate) struct CallParties {
    pub(crate) campaign: Campaign,
    pub(crate) affiliate: Option<Party>,
    pub(crate) promo_number: Option<PromoNumber>,
    /// Id of the affiliate campaign.
    affiliate_campaign: Option<i64>,
    /// Merged custom data. On equal names the later source wins: advertiser, campaign, affiliate,
    /// affiliate campaign, promo number.
    custom_data: CustomData,
}

impl CallParties {
    /// Resolves external ids. Without an `affiliate_id` the promo number's affiliate is used.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if an object does not exist or is not visible to the principal.
    pub(crate) fn resolve(
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        campaign_id: &str,
        affiliate_id: Option<&str>,
        promo_number: Option<&PhoneNumber>,
    ) -> Result<Self, Error> {
        let network = context.principal.network_id;
        let missing = || Error::NotFound(format!("AdvertiserCampaign {campaign_id}"));
        let campaign = unit.campaign(network, campaign_id)?.ok_or_else(missing)?;
        if !campaigns::is_visible(unit, context, &campaign)? {
            return Err(missing());
        }
        Self::for_campaign(unit, context, campaign, affiliate_id, promo_number)
    }

    /// Resolves a promo number and the campaign that it is assigned to.
    pub(crate) fn resolve_by_promo_number(
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        affiliate_id: Option<&str>,
        promo_number: &PhoneNumber,
    ) -> Result<Self, Error> {
        let missing = || Error::NotFound(format!("PromoNumber {}", promo_number.compact()));
        let found = unit.promo_number(context.principal.network_id, promo_number)?;
        let campaign = unit.campaign_by_id(found.ok_or_else(missing)?.campaign_id)?;
        let campaign = campaign.ok_or_else(missing)?;
        if !campaigns::is_visible(unit, context, &campaign)? {
            return Err(missing());
        }
        Self::for_campaign(unit, context, campaign, affiliate_id, Some(promo_number))
    }

    fn for_campaign(
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        campaign: Campaign,
        affiliate_id: Option<&str>,
        promo_number: Option<&PhoneNumber>,
    ) -> Result<Self, Error> {
        let network = context.principal.network_id;
        let promo_number = match promo_number {
            None => None,
            Some(number) => {
                let found = unit.promo_number(network, number)?;
                let assigned = found.filter(|number| number.campaign_id == campaign.id);
                let digits = number.compact();
                let id = &campaign.external_id;
                let name = format!("PromoNumber {digits} for advertiser campaign {id}");
                Some(assigned.ok_or(Error::NotFound(name))?)
            }
        };
        let of_number = promo_number.as_ref().and_then(|number| number.affiliate_id);
        let affiliate = match (affiliate_id, of_number) {
            (Some(id), _) => Some(parties::find(unit, context, PartyKind::Affiliate, id)?),
            (None, Some(id)) => unit.party_by_id(id)?,
            (None, None) => None,
        };
        let affiliate_campaign = match &affiliate {
            Some(affiliate) => unit.affiliate_campaign(campaign.id, affiliate.id)?,
            None => None,
        };
        let mut custom_data = CustomData::new();
        let layers = [
            unit.party_by_id(campaign.advertiser_id)?.map(|advertiser| advertiser.custom_data),
            Some(campaign.custom_data.clone()),
            affiliate.as_ref().map(|affiliate| affiliate.custom_data.clone()),
            affiliate_campaign
                .as_ref()
                .map(|affiliate_campaign| affiliate_campaign.custom_data.clone()),
            promo_number.as_ref().map(|number| number.custom_data.clone()),
        ];
        custom_data.extend(layers.into_iter().flatten().flatten());
        let affiliate_campaign = affiliate_campaign.map(|affiliate_campaign| affiliate_campaign.id);
        Ok(Self { campaign, affiliate, promo_number, affiliate_campaign, custom_data })
    }

    /// Adds a problem if the promo number is assigned to another affiliate than the call's.
    pub(crate) fn check_promo_number(&self, problems: &mut Problems) {
        let of_number = self.promo_number.as_ref().and_then(|number| number.affiliate_id);
        let affiliate = self.affiliate.as_ref().map(|affiliate| affiliate.id);
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

    /// Returns the reason to reject the affiliate's calls at a moment, if the affiliate campaign
    /// was not approved then.
    pub(crate) fn affiliate_rejection(
        &self,
        unit: &mut UnitOfWork<'_>,
        lookups: &mut BatchLookups,
        at: Timestamp,
    ) -> Result<Option<RejectionReason>, Error> {
        if self.affiliate.is_none() {
            return Ok(None);
        }
        let approved = match self.affiliate_campaign {
            Some(id) => {
                let approved = AffiliateCampaignStatus::Approved.as_str();
                lookups.had_status(unit, "affiliate_campaign", id, at, approved)?
            }
            None => false,
        };
        Ok((!approved).then_some(RejectionReason::AffiliateNotApproved))
    }

    /// Adds facts that were not reported: the location of the number, names, and the custom data of
    /// the parties. Reported custom data wins.
    pub(crate) fn fill_in_facts(&self, reported: CallFacts) -> CallFacts {
        let mut facts = reported.with_derived_locations();
        let mut custom_data = self.custom_data.clone();
        custom_data.extend(facts.custom_data.take().into_iter().flatten());
        facts.custom_data = Some(custom_data);
        facts.affiliate_name =
            Some(self.affiliate.as_ref().map(|affiliate| affiliate.name.clone()));
        if let Some(number) = &self.promo_number {
            facts.media_type = Some(Some(number.media_type.clone()));
            facts.promo_number_description = Some(Some(number.description.clone()));
        }
        facts
    }
}
