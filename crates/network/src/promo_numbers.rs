//! Promo numbers: assignment from the network's inventory, changes, and release.

use crate::campaigns::resolve_path;
use crate::idempotency::{IdempotencyKey, store_answer, stored_answer};
use crate::parties::{check_external_id, ensure_visible, not_found};
use crate::{Context, Error, Guard, Page, Session, Submitted, audit, check_precondition};
use trunkline_domain::affiliation::AffiliateCampaignStatus;
use trunkline_domain::campaign::{Campaign, DEFAULT_MAX_PROMO_NUMBERS};
use trunkline_domain::party::{CustomData, PartyKind, check_custom_data};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, Problems, TAKEN};
use trunkline_domain::promo::PromoNumber;
use trunkline_store::{Chain, Links, Numbered};

/// Owner of promo numbers: a campaign, or an affiliate in a campaign.
#[derive(Debug, Clone)]
pub struct Owner {
    /// External id of the advertiser.
    pub advertiser: String,
    /// External id of the campaign.
    pub campaign: String,
    /// External id of the affiliate; `None` for the campaign's own promo numbers.
    pub affiliate: Option<String>,
}

/// Selector of one promo number.
#[derive(Debug, Clone)]
pub enum Which {
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
    /// Complete custom data.
    pub custom_data: Option<CustomData>,
    /// Requested area code, digits.
    pub tn_prefix: Option<String>,
}

/// Objects behind an [`Owner`].
struct ResolvedOwner {
    campaign: Campaign,
    affiliate_id: Option<i64>,
}

/// Resolves the campaign and the affiliate of an owner.
fn resolve(
    session: &mut Session<'_>,
    context: &Context,
    owner: &Owner,
) -> Result<ResolvedOwner, Error> {
    Ok(resolve_number(session, context, owner, None)?.0)
}

/// Resolves an owner, and the selected promo number if it belongs to the owner.
fn resolve_number(
    session: &mut Session<'_>,
    context: &Context,
    owner: &Owner,
    which: Option<&Which>,
) -> Result<(ResolvedOwner, Option<PromoNumber>), Error> {
    let number = match which {
        Some(Which::Number(number)) => PhoneNumber::parse(number),
        _ => None,
    };
    let promo_number = match which {
        Some(Which::Id(id)) => Some(Numbered::Id(id)),
        _ => number.as_ref().map(Numbered::Number),
    };
    let network = context.caller.network_id;
    let affiliate = owner.affiliate.as_deref();
    let chain = Chain::of_campaign(network, &owner.advertiser, &owner.campaign);
    let (campaign, links) =
        resolve_path(session, context, Chain { affiliate, promo_number, ..chain })?;
    let resolved = resolve_affiliate(context, owner, campaign, &links)?;
    let own = |promo_number: &PromoNumber| {
        promo_number.campaign_id == resolved.campaign.id
            && promo_number.affiliate_id == resolved.affiliate_id
    };
    let found = links.promo_number.filter(own);
    Ok((resolved, found))
}

/// Resolves the affiliate of an owner, if it has one, and checks that it is visible to the
/// principal.
fn resolve_affiliate(
    context: &Context,
    owner: &Owner,
    campaign: Campaign,
    links: &Links,
) -> Result<ResolvedOwner, Error> {
    let Some(affiliate_id) = &owner.affiliate else {
        let advertiser = campaign.advertiser_id;
        ensure_visible(context, PartyKind::Advertiser, advertiser, &owner.advertiser)?;
        return Ok(ResolvedOwner { campaign, affiliate_id: None });
    };
    let missing = || not_found(PartyKind::Affiliate, affiliate_id);
    let affiliate = links.affiliate.ok_or_else(missing)?;
    if !context.caller.sees(PartyKind::Advertiser, campaign.advertiser_id) {
        ensure_visible(context, PartyKind::Affiliate, affiliate.id, affiliate_id)?;
    }
    if links.affiliate_campaign.is_none() {
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
        Some(affiliate) if !context.caller.sees(PartyKind::Advertiser, advertiser) => {
            context.caller.ensure_can_write_party(PartyKind::Affiliate, affiliate)
        }
        _ => context.caller.ensure_can_write_party(PartyKind::Advertiser, advertiser),
    }
}

fn audit_object(promo_number: &PromoNumber) -> String {
    format!("promo_number:{}", promo_number.number.digits())
}

/// Returns one page of an owner's promo numbers, and the id of the campaign.
pub fn list(
    session: &mut Session<'_>,
    context: &Context,
    owner: &Owner,
    page: Page,
) -> Result<(Vec<PromoNumber>, i64), Error> {
    let resolved = resolve(session, context, owner)?;
    Ok((
        session.promo_numbers(resolved.campaign.id, resolved.affiliate_id, page)?,
        resolved.campaign.id,
    ))
}

/// Returns one page of the promo numbers of a campaign, or of an affiliate in it, by ids.
pub fn list_by_ids(
    session: &mut Session<'_>,
    context: &Context,
    affiliate_id: Option<i64>,
    campaign_id: i64,
    page: Page,
) -> Result<Vec<PromoNumber>, Error> {
    match affiliate_id {
        None => {
            let (_, advertiser) = crate::campaigns::get_by_id(session, context, campaign_id)?;
            context.caller.ensure_can_view(&advertiser)?;
        }
        Some(affiliate) => {
            crate::affiliate_campaigns::get_by_ids(session, context, affiliate, campaign_id)?;
        }
    }
    Ok(session.promo_numbers(campaign_id, affiliate_id, page)?)
}

/// Returns one promo number.
pub fn get(
    session: &mut Session<'_>,
    context: &Context,
    owner: &Owner,
    which: &Which,
) -> Result<PromoNumber, Error> {
    let (_, found) = resolve_number(session, context, owner, Some(which))?;
    found.ok_or_else(|| number_not_found(owner, which))
}

fn number_not_found(owner: &Owner, which: &Which) -> Error {
    let (Which::Number(which) | Which::Id(which)) = which;
    let Owner { advertiser, campaign, affiliate } = owner;
    let affiliate = affiliate.as_ref().map(|id| format!("affiliate {id}, ")).unwrap_or_default();
    Error::NotFound(format!(
        "PromoNumber {which} for {affiliate}advertiser campaign {campaign} and advertiser {advertiser}"
    ))
}

/// Assigns a number from the network's inventory. A request with the same idempotency key within 24
/// hours gets the first answer again; without a key each request assigns another number.
pub fn take(
    session: &mut Session<'_>,
    context: &Context,
    owner: &Owner,
    submitted: Submitted<PromoNumberChange>,
    key: Option<&IdempotencyKey>,
) -> Result<PromoNumber, Error> {
    let resolved = resolve(session, context, owner)?;
    authorize(context, &resolved)?;
    if let Some(answer) = stored_answer::<PromoNumber>(session, context, key)? {
        return Ok(answer);
    }
    require_approved(session, &resolved)?;
    let Submitted { change, mut problems } = submitted;
    for (property, given) in
        [("description", change.description.is_some()), ("media_type", change.media_type.is_some())]
    {
        if !given && !problems.has(property) {
            problems.at(property).add(BLANK);
        }
    }
    let mut promo_number = PromoNumber {
        id: 0,
        network_id: context.caller.network_id,
        campaign_id: resolved.campaign.id,
        affiliate_id: resolved.affiliate_id,
        id_from_network: String::new(),
        number: placeholder_number(),
        description: String::new(),
        media_type: String::new(),
        custom_data: CustomData::new(),
        created_at: context.now,
    };
    let prefix = change.tn_prefix.clone();
    apply_change(session, context, change, None, &mut promo_number, &mut problems)?;
    check_limit(session, &resolved, &mut problems)?;
    let number_prefix = format!("+1{}", prefix.as_deref().unwrap_or_default());
    match session
        .free_number(promo_number.network_id, if prefix.is_some() { &number_prefix } else { "+" })?
    {
        Some(number) => promo_number.number = number,
        None if prefix.is_some() => {
            let problems = problems.at("local_center").at("tn_prefix");
            problems.add("has no free numbers in the network's inventory");
        }
        None => {
            problems.at("promo_number").add("is not available: the network's inventory is empty")
        }
    }
    problems.or(())?;
    if promo_number.id_from_network.is_empty() {
        promo_number.id_from_network = session.free_promo_number_id(promo_number.network_id)?;
    }
    promo_number.id = session.insert_promo_number(&promo_number)?;
    audit::record(session, context, audit_object(&promo_number), None, None, Some(&promo_number))?;
    store_answer(session, context, key, &promo_number)?;
    Ok(promo_number)
}

/// Returns a number that fills the field until a free number is assigned; it is never stored.
fn placeholder_number() -> PhoneNumber {
    PhoneNumber::parse("8005550100").expect("ten digits are a phone number")
}

/// Updates a promo number's description, media type, custom data or external id.
pub fn put(
    session: &mut Session<'_>,
    context: &Context,
    owner: &Owner,
    which: &Which,
    submitted: Submitted<PromoNumberChange>,
    precondition: &Guard<PromoNumber>,
) -> Result<PromoNumber, Error> {
    let (resolved, found) = resolve_number(session, context, owner, Some(which))?;
    authorize(context, &resolved)?;
    let before = found.ok_or_else(|| number_not_found(owner, which))?;
    check_precondition(precondition, Some(&before))?;
    let Submitted { change, mut problems } = submitted;
    let mut promo_number = before.clone();
    apply_change(session, context, change, Some(&before), &mut promo_number, &mut problems)?;
    problems.or(())?;
    if promo_number == before {
        return Ok(promo_number);
    }
    session.update_promo_number(&promo_number)?;
    audit::record(
        session,
        context,
        audit_object(&promo_number),
        None,
        Some(&before),
        Some(&promo_number),
    )?;
    Ok(promo_number)
}

/// Releases a promo number to the inventory; does nothing if it does not exist.
pub fn delete(
    session: &mut Session<'_>,
    context: &Context,
    owner: &Owner,
    which: &Which,
) -> Result<(), Error> {
    let (resolved, found) = resolve_number(session, context, owner, Some(which))?;
    authorize(context, &resolved)?;
    let Some(promo_number) = found else { return Ok(()) };
    session.delete_promo_number(&promo_number)?;
    audit::record(session, context, audit_object(&promo_number), None, Some(&promo_number), None)
}

fn require_approved(session: &mut Session<'_>, resolved: &ResolvedOwner) -> Result<(), Error> {
    let Some(affiliate) = resolved.affiliate_id else { return Ok(()) };
    let found = session.affiliate_campaign(resolved.campaign.id, affiliate)?;
    if found.is_some_and(|affiliate_campaign| {
        affiliate_campaign.status == AffiliateCampaignStatus::Approved
    }) {
        return Ok(());
    }
    Err(Error::NotAllowed("the affiliate campaign must be Approved".to_owned()))
}

fn check_limit(
    session: &mut Session<'_>,
    resolved: &ResolvedOwner,
    problems: &mut Problems,
) -> Result<(), Error> {
    let terms = resolved.campaign.terms_in_force();
    let limit = terms.map_or(DEFAULT_MAX_PROMO_NUMBERS, |terms| terms.max_promo_numbers);
    if session.count_promo_numbers(resolved.campaign.id, resolved.affiliate_id)? >= limit {
        problems.at("max_promo_numbers").add(format!("has been reached (maximum is {limit})"));
    }
    Ok(())
}

fn apply_change(
    session: &mut Session<'_>,
    context: &Context,
    change: PromoNumberChange,
    before: Option<&PromoNumber>,
    promo_number: &mut PromoNumber,
    problems: &mut Problems,
) -> Result<(), Error> {
    let network = context.caller.network_id;
    if let Some(data) = change.custom_data {
        let fields = session.custom_data_fields(network)?;
        let previous = before.map(|previous| &previous.custom_data);
        problems.at("custom_data").merge(check_custom_data(&data, previous, &fields));
        promo_number.custom_data = data;
    }
    if let Some(id) = change.id_from_network {
        check_external_id(&id, problems.at("id_from_network"));
        let other = session.promo_number_by_network_id(network, &id)?;
        if other.is_some_and(|other| other.id != promo_number.id) {
            problems.at("id_from_network").add(TAKEN);
        }
        promo_number.id_from_network = id;
    }
    promo_number.description =
        change.description.unwrap_or(std::mem::take(&mut promo_number.description));
    promo_number.media_type =
        change.media_type.unwrap_or(std::mem::take(&mut promo_number.media_type));
    Ok(())
}
