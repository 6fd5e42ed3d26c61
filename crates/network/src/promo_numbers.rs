//! Promo numbers: assignment from the network's inventory, changes, and release.

use crate::campaigns::resolve_path;
use crate::idempotency::{IdempotencyKey, store_answer, stored_answer};
use crate::parties::{check_external_id, ensure_visible, not_found};
use crate::{
    Context, Error, Page, PathObject, Precondition, Submission, UnitOfWork, audit,
    check_precondition, networks, with_internal_ids,
};
use jiff::{SignedDuration, Timestamp};
use trunkline_domain::affiliation::AffiliateCampaignStatus;
use trunkline_domain::campaign::{Campaign, DEFAULT_MAX_PROMO_NUMBERS};
use trunkline_domain::id::{AffiliateId, CampaignId, PromoNumberId};
use trunkline_domain::party::{CustomData, PartyKind, check_custom_data};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, Problems, TAKEN};
use trunkline_domain::promo::{PromoNumber, PromoType};
use trunkline_store::{PathIds, PromoNumberKey, ResolvedPath};

/// Owner of promo numbers: a campaign, or an affiliate in a campaign.
#[derive(Debug, Clone)]
pub struct PromoNumberOwner {
    /// External id of the advertiser.
    pub advertiser: String,
    /// External id of the campaign.
    pub campaign: String,
    /// External id of the affiliate; `None` for the campaign's own promo numbers.
    pub affiliate: Option<String>,
}

/// Selector of one promo number.
#[derive(Debug, Clone)]
pub enum PromoNumberSelector {
    /// The number itself.
    Number(String),
    /// External id.
    Id(String),
}

/// Requested change of a promo number.
#[derive(Debug, Clone, Default)]
pub struct PromoNumberChange {
    /// New external id.
    pub id_from_network: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Medium in which it is advertised.
    pub media_type: Option<String>,
    /// Kind of number; `Some(None)` clears it.
    pub promo_type: Option<Option<PromoType>>,
    /// Id of the advertising account; `Some(None)` clears it.
    pub adwords_account_id: Option<Option<String>>,
    /// Complete custom data.
    pub custom_data: Option<CustomData>,
    /// Requested area code, digits.
    pub tn_prefix: Option<String>,
    /// New holder.
    pub destination: DestinationChange,
}

/// Requested new holder of a promo number. Without an advertiser and a campaign the number stays
/// where it is.
#[derive(Debug, Clone, Default)]
pub struct DestinationChange {
    /// External id of the advertiser.
    pub advertiser: Option<String>,
    /// External id of the campaign.
    pub campaign: Option<String>,
    /// External id of the affiliate; `None` for the campaign itself.
    pub affiliate: Option<String>,
}

impl DestinationChange {
    /// Returns the change that moves a number to an owner.
    pub(crate) fn to(owner: PromoNumberOwner) -> Self {
        Self {
            advertiser: Some(owner.advertiser),
            campaign: Some(owner.campaign),
            affiliate: owner.affiliate,
        }
    }

    /// Returns the owner to move the number to, if there is one. The advertiser and the campaign
    /// are both required.
    fn into_owner(self, problems: &mut Problems) -> Option<PromoNumberOwner> {
        let Self { advertiser, campaign, affiliate } = self;
        if advertiser.is_none() && campaign.is_none() && affiliate.is_none() {
            return None;
        }
        let required = [
            ("destination_advertiser_id_from_network", advertiser.is_none()),
            ("destination_advertiser_campaign_id_from_network", campaign.is_none()),
        ];
        for (property, is_missing) in required {
            if is_missing && !problems.has_problem(property) {
                problems.property(property).add(BLANK);
            }
        }
        Some(PromoNumberOwner { advertiser: advertiser?, campaign: campaign?, affiliate })
    }
}

impl PromoNumberOwner {
    /// Returns the segments of the path. A missing affiliate is empty.
    fn segments(&self) -> [(PathObject, &str); 3] {
        [
            (PathObject::Advertiser, &self.advertiser),
            (PathObject::Campaign, &self.campaign),
            (PathObject::Affiliate, self.affiliate.as_deref().unwrap_or_default()),
        ]
    }

    /// Returns the owner with other external ids of the same objects.
    fn with_ids(&self, ids: [&str; 3]) -> Self {
        let [advertiser, campaign, affiliate] = ids.map(str::to_owned);
        Self { advertiser, campaign, affiliate: self.affiliate.as_ref().map(|_| affiliate) }
    }
}

/// Objects behind an [`PromoNumberOwner`].
struct ResolvedOwner {
    campaign: Campaign,
    affiliate_id: Option<AffiliateId>,
}

/// Resolves the campaign and the affiliate of an owner.
fn resolve(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    owner: &PromoNumberOwner,
) -> Result<ResolvedOwner, Error> {
    Ok(resolve_number(unit, context, owner, None)?.0)
}

/// Same as [`resolve_number`], for an owner in a path, whose segments may be ids that the server
/// assigned. The number itself is a phone number or an external id.
fn resolve_path_number(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    owner: &PromoNumberOwner,
    selector: Option<&PromoNumberSelector>,
) -> Result<(ResolvedOwner, Option<PromoNumber>), Error> {
    with_internal_ids(unit, context, owner.segments(), |unit, ids| {
        resolve_number(unit, context, &owner.with_ids(ids), selector)
    })
}

/// Resolves an owner, and the selected promo number if it belongs to the owner.
fn resolve_number(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    owner: &PromoNumberOwner,
    selector: Option<&PromoNumberSelector>,
) -> Result<(ResolvedOwner, Option<PromoNumber>), Error> {
    let number = match selector {
        Some(PromoNumberSelector::Number(number)) => PhoneNumber::parse(number),
        _ => None,
    };
    let promo_number = match selector {
        Some(PromoNumberSelector::Id(id)) => Some(PromoNumberKey::Id(id)),
        _ => number.as_ref().map(PromoNumberKey::Number),
    };
    let network = context.principal.network_id;
    let affiliate = owner.affiliate.as_deref();
    let path_ids = PathIds::for_campaign(network, &owner.advertiser, &owner.campaign);
    let (campaign, resolved_path) =
        resolve_path(unit, context, PathIds { affiliate, promo_number, ..path_ids })?;
    let resolved = resolve_affiliate(context, owner, campaign, &resolved_path)?;
    let own = |promo_number: &PromoNumber| {
        promo_number.campaign_id == resolved.campaign.id
            && promo_number.affiliate_id == resolved.affiliate_id
    };
    let found = resolved_path.promo_number.filter(own);
    Ok((resolved, found))
}

/// Resolves the affiliate of an owner, if it has one, and checks that it is visible to the
/// principal.
fn resolve_affiliate(
    context: &Context,
    owner: &PromoNumberOwner,
    campaign: Campaign,
    resolved_path: &ResolvedPath,
) -> Result<ResolvedOwner, Error> {
    let Some(affiliate_id) = &owner.affiliate else {
        let advertiser = campaign.advertiser_id;
        ensure_visible(context, PartyKind::Advertiser, advertiser, &owner.advertiser)?;
        return Ok(ResolvedOwner { campaign, affiliate_id: None });
    };
    let missing = || not_found(PartyKind::Affiliate, affiliate_id);
    let affiliate = resolved_path.affiliate.ok_or_else(missing)?;
    if !context.principal.can_view(PartyKind::Advertiser, campaign.advertiser_id) {
        ensure_visible(context, PartyKind::Affiliate, affiliate.id, affiliate_id)?;
    }
    if resolved_path.affiliate_campaign.is_none() {
        return Err(Error::NotFound(format!(
            "AffiliateCampaign for affiliate {affiliate_id}, advertiser campaign {} and advertiser {}",
            owner.campaign, owner.advertiser
        )));
    }
    Ok(ResolvedOwner { campaign, affiliate_id: Some(affiliate.id) })
}

fn authorize(context: &Context, resolved: &ResolvedOwner) -> Result<(), Error> {
    let advertiser = resolved.campaign.advertiser_id;
    match resolved.affiliate_id {
        Some(affiliate) if !context.principal.can_view(PartyKind::Advertiser, advertiser) => {
            context.principal.ensure_can_write_party(PartyKind::Affiliate, affiliate)
        }
        _ => context.principal.ensure_can_write_party(PartyKind::Advertiser, advertiser),
    }
}

fn audit_object(promo_number: &PromoNumber) -> String {
    format!("promo_number:{}", promo_number.number.compact())
}

/// Returns one page of an owner's promo numbers, and the id of the campaign.
pub fn list(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    owner: &PromoNumberOwner,
    page: Page,
) -> Result<(Vec<PromoNumber>, CampaignId), Error> {
    let (resolved, _) = resolve_path_number(unit, context, owner, None)?;
    Ok((
        unit.promo_numbers(resolved.campaign.id, resolved.affiliate_id, page)?,
        resolved.campaign.id,
    ))
}

/// Returns one page of the promo numbers of a campaign, or of an affiliate in it, by ids.
pub fn list_by_ids(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    affiliate_id: Option<AffiliateId>,
    campaign_id: CampaignId,
    page: Page,
) -> Result<Vec<PromoNumber>, Error> {
    match affiliate_id {
        None => {
            let (_, advertiser) = crate::campaigns::get_by_id(unit, context, campaign_id)?;
            context.principal.ensure_can_view(&advertiser)?;
        }
        Some(affiliate) => {
            crate::affiliate_campaigns::get_by_ids(unit, context, affiliate, campaign_id)?;
        }
    }
    Ok(unit.promo_numbers(campaign_id, affiliate_id, page)?)
}

/// Returns one promo number.
pub fn get(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    owner: &PromoNumberOwner,
    selector: &PromoNumberSelector,
) -> Result<PromoNumber, Error> {
    let (PromoNumberSelector::Number(requested) | PromoNumberSelector::Id(requested)) = selector;
    let [advertiser, campaign, affiliate] = owner.segments();
    let segments = [advertiser, campaign, affiliate, (PathObject::PromoNumber, requested.as_str())];
    with_internal_ids(unit, context, segments, |unit, [advertiser, campaign, affiliate, number]| {
        let owner = owner.with_ids([advertiser, campaign, affiliate]);
        let by_id = PromoNumberSelector::Id(number.to_owned());
        let selector = if number == requested { selector } else { &by_id };
        let (_, found) = resolve_number(unit, context, &owner, Some(selector))?;
        found.ok_or_else(|| number_not_found(&owner, selector))
    })
}

fn number_not_found(owner: &PromoNumberOwner, selector: &PromoNumberSelector) -> Error {
    let (PromoNumberSelector::Number(requested) | PromoNumberSelector::Id(requested)) = selector;
    let PromoNumberOwner { advertiser, campaign, affiliate } = owner;
    let affiliate = affiliate.as_ref().map(|id| format!("affiliate {id}, ")).unwrap_or_default();
    Error::NotFound(format!(
        "PromoNumber {requested} for {affiliate}advertiser campaign {campaign} and advertiser {advertiser}"
    ))
}

/// Assigns a number from the network's inventory. A request with the same idempotency key within 24
/// hours gets the first answer again; without a key each request assigns another number.
pub fn assign(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    owner: &PromoNumberOwner,
    submitted: Submission<PromoNumberChange>,
    key: Option<&IdempotencyKey>,
) -> Result<PromoNumber, Error> {
    let (resolved, _) = resolve_path_number(unit, context, owner, None)?;
    authorize(context, &resolved)?;
    if let Some(answer) = stored_answer::<PromoNumber>(unit, context, key)? {
        return Ok(answer);
    }
    require_approved(unit, &resolved)?;
    let Submission { change, mut problems } = submitted;
    for (property, given) in
        [("description", change.description.is_some()), ("media_type", change.media_type.is_some())]
    {
        if !given && !problems.has_problem(property) {
            problems.property(property).add(BLANK);
        }
    }
    let mut promo_number = PromoNumber {
        id: PromoNumberId::UNASSIGNED,
        network_id: context.principal.network_id,
        campaign_id: resolved.campaign.id,
        affiliate_id: resolved.affiliate_id,
        external_id: String::new(),
        number: placeholder_number(),
        description: String::new(),
        media_type: String::new(),
        promo_type: None,
        adwords_account_id: None,
        custom_data: CustomData::new(),
        created_at: context.now,
    };
    let prefix = change.tn_prefix.clone();
    apply_change(unit, context, change, None, &mut promo_number, &mut problems)?;
    check_limit(unit, &resolved, &mut problems)?;
    let number_prefix = format!("+1{}", prefix.as_deref().unwrap_or_default());
    let free_since = quarantine_start(unit, context)?;
    match unit.longest_free_number(
        promo_number.network_id,
        if prefix.is_some() { &number_prefix } else { "+" },
        free_since,
    )? {
        Some(number) => promo_number.number = number,
        None if prefix.is_some() => {
            let problems = problems.property("local_center").property("tn_prefix");
            problems.add("has no free numbers in the network's inventory");
        }
        None => problems
            .property("promo_number")
            .add("is not available: no number of the network's inventory is free"),
    }
    problems.into_result(())?;
    if promo_number.external_id.is_empty() {
        promo_number.external_id = unit.generate_promo_number_id(promo_number.network_id)?;
    }
    promo_number.id = unit.insert_promo_number(&promo_number)?;
    audit::record(unit, context, audit_object(&promo_number), None, None, Some(&promo_number))?;
    store_answer(unit, context, key, &promo_number)?;
    Ok(promo_number)
}

/// Returns a number that fills the field until a free number is assigned; it is never stored.
fn placeholder_number() -> PhoneNumber {
    PhoneNumber::parse("8005550100").expect("ten digits are a phone number")
}

/// Returns the moment at which a number must have become free so that it can be assigned now.
fn quarantine_start(unit: &mut UnitOfWork<'_>, context: &Context) -> Result<Timestamp, Error> {
    let days = networks::of_principal(unit, context)?.settings.number_quarantine_days;
    let quarantine = SignedDuration::from_hours(24 * i64::from(days));
    Ok(context.now.saturating_sub(quarantine).unwrap_or(Timestamp::MIN))
}

/// Updates the properties of a promo number, and moves it to another campaign or affiliate. The new holder has it from now on.
pub fn put(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    owner: &PromoNumberOwner,
    selector: &PromoNumberSelector,
    submitted: Submission<PromoNumberChange>,
    precondition: &Precondition<PromoNumber>,
) -> Result<PromoNumber, Error> {
    let (resolved, found) = resolve_path_number(unit, context, owner, Some(selector))?;
    authorize(context, &resolved)?;
    let before = found.ok_or_else(|| number_not_found(owner, selector))?;
    check_precondition(precondition, Some(&before))?;
    let Submission { mut change, mut problems } = submitted;
    let mut promo_number = before.clone();
    if let Some(owner) = std::mem::take(&mut change.destination).into_owner(&mut problems) {
        let destination = resolve(unit, context, &owner)?;
        authorize(context, &destination)?;
        if (destination.campaign.id, destination.affiliate_id)
            != (before.campaign_id, before.affiliate_id)
        {
            require_approved(unit, &destination)?;
            check_limit(unit, &destination, &mut problems)?;
        }
        promo_number.campaign_id = destination.campaign.id;
        promo_number.affiliate_id = destination.affiliate_id;
    }
    apply_change(unit, context, change, Some(&before), &mut promo_number, &mut problems)?;
    problems.into_result(())?;
    if promo_number == before {
        return Ok(promo_number);
    }
    unit.update_promo_number(&promo_number, context.now)?;
    audit::record(
        unit,
        context,
        audit_object(&promo_number),
        None,
        Some(&before),
        Some(&promo_number),
    )?;
    Ok(promo_number)
}

/// Releases a promo number to the inventory; does nothing if it does not exist. The number is
/// assigned again after its quarantine at the earliest.
pub fn delete(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    owner: &PromoNumberOwner,
    selector: &PromoNumberSelector,
) -> Result<(), Error> {
    let (resolved, found) = resolve_path_number(unit, context, owner, Some(selector))?;
    authorize(context, &resolved)?;
    let Some(promo_number) = found else { return Ok(()) };
    unit.delete_promo_number(&promo_number, context.now)?;
    audit::record(unit, context, audit_object(&promo_number), None, Some(&promo_number), None)
}

fn require_approved(unit: &mut UnitOfWork<'_>, resolved: &ResolvedOwner) -> Result<(), Error> {
    let Some(affiliate) = resolved.affiliate_id else { return Ok(()) };
    let found = unit.affiliate_campaign(resolved.campaign.id, affiliate)?;
    if found.is_some_and(|affiliate_campaign| {
        affiliate_campaign.status == AffiliateCampaignStatus::Approved
    }) {
        return Ok(());
    }
    Err(Error::NotAllowed("the affiliate campaign must be Approved".to_owned()))
}

fn check_limit(
    unit: &mut UnitOfWork<'_>,
    resolved: &ResolvedOwner,
    problems: &mut Problems,
) -> Result<(), Error> {
    let terms = resolved.campaign.terms_in_force();
    let limit = terms.map_or(DEFAULT_MAX_PROMO_NUMBERS, |terms| terms.max_promo_numbers);
    if unit.count_promo_numbers(resolved.campaign.id, resolved.affiliate_id)? >= limit {
        problems
            .property("max_promo_numbers")
            .add(format!("has been reached (maximum is {limit})"));
    }
    Ok(())
}

fn apply_change(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    change: PromoNumberChange,
    before: Option<&PromoNumber>,
    promo_number: &mut PromoNumber,
    problems: &mut Problems,
) -> Result<(), Error> {
    let network = context.principal.network_id;
    if let Some(data) = change.custom_data {
        let fields = unit.custom_data_fields(network)?;
        let previous = before.map(|previous| &previous.custom_data);
        problems.property("custom_data").merge(check_custom_data(&data, previous, &fields));
        promo_number.custom_data = data;
    }
    if let Some(id) = change.id_from_network {
        check_external_id(&id, problems.property("id_from_network"));
        let other = unit.promo_number_by_external_id(network, &id)?;
        if other.is_some_and(|other| other.id != promo_number.id) {
            problems.property("id_from_network").add(TAKEN);
        }
        promo_number.external_id = id;
    }
    promo_number.description =
        change.description.unwrap_or(std::mem::take(&mut promo_number.description));
    promo_number.media_type =
        change.media_type.unwrap_or(std::mem::take(&mut promo_number.media_type));
    promo_number.promo_type = change.promo_type.unwrap_or(promo_number.promo_type);
    promo_number.adwords_account_id =
        change.adwords_account_id.unwrap_or(promo_number.adwords_account_id.take());
    Ok(())
}
