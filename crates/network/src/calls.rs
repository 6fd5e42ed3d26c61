//! Calls that come in: found their campaign, completed with what the network knows, decided once,
//! and stored.

use crate::cast::Cast;
use crate::{Context, Error, Session, Submitted, campaigns};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use trunkline_domain::call::{Call, CallFacts, Heard, TurnedAway};
use trunkline_domain::campaign::{CampaignStatus, Terms};
use trunkline_domain::party::{PartyKind, check_custom_data};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_store::CallTotals;

/// How long a caller counts as one who has called before.
const REPEAT_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A call as its sender tells it.
#[derive(Debug, Clone, Default)]
pub struct CallIn {
    /// The sender's own id.
    pub external_id: Option<String>,
    /// When it came in.
    pub start_time: Option<Timestamp>,
    /// The network's id of the campaign.
    pub campaign: Option<String>,
    /// The network's id of the affiliate that brought it.
    pub affiliate: Option<String>,
    /// The promo number it came in by.
    pub promo_number: Option<PhoneNumber>,
    /// What is known of it.
    pub facts: CallFacts,
    /// The keys pressed, in order.
    pub keys: Vec<char>,
    /// The number dialled at the end.
    pub destination_phone_number: Option<String>,
    /// The whole request, so that the same id is not used for another call.
    pub request: Vec<u8>,
}

/// What became of a call that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Stored; its complete_call_id.
    New(String),
    /// Told again; nothing is stored.
    Known(String),
}

/// Takes a call in. `complete_call_id` is the name it gets if it is new.
pub fn take(
    session: &mut Session<'_>,
    context: &Context,
    submitted: Submitted<CallIn>,
    complete_call_id: String,
) -> Result<Taken, Error> {
    let Submitted { change: told, mut problems } = submitted;
    require(&told, &mut problems);
    let (external_id, start_time) = match (&told.external_id, told.start_time) {
        (Some(id), Some(start)) => (id.clone(), start),
        _ => return Err(problems.into()),
    };
    let network = context.caller.network_id;
    let fingerprint = Sha256::digest(&told.request);
    if let Some((call, known)) = session.call_by_external_id(network, &external_id)? {
        if known == fingerprint.as_slice() {
            return Ok(Taken::Known(call.complete_call_id));
        }
        let message = format!("external_call_unique_id {external_id} was used for another call");
        return Err(Error::Conflict(message));
    }
    check_custom_data_of(session, network, &told, &mut problems)?;
    let campaign_id = problems.or(told.campaign.clone().unwrap_or_default())?;
    let parts = (told.affiliate.as_deref(), told.promo_number.as_ref());
    let cast = Cast::find(session, context, &campaign_id, parts.0, parts.1)?;
    context.caller.require_party(PartyKind::Advertiser, cast.campaign.advertiser_id)?;
    let terms = session.terms_at(cast.campaign.id, start_time)?;
    let turned_away = gate(session, &cast, terms.is_some(), start_time)?;
    let mut facts = told.facts;
    facts.start_time = Some(start_time);
    facts.repeat = has_called_lately(session, cast.campaign.id, &facts, start_time)?;
    let facts = cast.complete(session, facts)?;
    let zone = terms.as_ref().map(|current| current.terms.timezone).unwrap_or_default();
    let call = Call {
        id: 0,
        network_id: network,
        campaign_id: cast.campaign.id,
        affiliate_id: cast.affiliate.as_ref().map(|affiliate| affiliate.id),
        promo_number_id: cast.promo_number.as_ref().map(|number| number.id),
        external_id,
        complete_call_id: complete_call_id.clone(),
        terms_id: terms.as_ref().map(|current| current.id),
        start_time,
        heard: Heard {
            facts,
            keys: told.keys,
            turned_away,
            by_affiliate: cast.affiliate.is_some(),
            destination_phone_number: told.destination_phone_number,
        },
        created_at: context.now,
    };
    let day = day_of(start_time.to_zoned(zone.zone()).date());
    session.insert_call(&call, &fingerprint, day)?;
    Ok(Taken::New(complete_call_id))
}

/// Whether a caller has called a campaign in the 30 days before a moment: as said, else looked up.
/// `None` for a withheld number.
pub(crate) fn has_called_lately(
    session: &mut Session<'_>,
    campaign: i64,
    facts: &CallFacts,
    at: Timestamp,
) -> Result<Option<bool>, Error> {
    match (facts.repeat, &facts.calling_phone_number) {
        (None, Some(caller)) => {
            let since = at.saturating_sub(REPEAT_WITHIN).unwrap_or(Timestamp::MIN);
            Ok(Some(session.has_called(campaign, caller.e164(), since, at)?))
        }
        (said, _) => Ok(said),
    }
}

fn require(told: &CallIn, problems: &mut Problems) {
    let at = problems.at("call");
    let missing = [
        ("external_call_unique_id", told.external_id.is_none()),
        ("start_time", told.start_time.is_none()),
        ("advertiser_campaign_id_from_network", told.campaign.is_none()),
    ];
    for (property, blank) in missing {
        if blank && !at.has(property) {
            at.at(property).add(BLANK);
        }
    }
}

/// What is wrong with a call's custom data, each value at its place in the request's array.
fn check_custom_data_of(
    session: &mut Session<'_>,
    network: i64,
    told: &CallIn,
    problems: &mut Problems,
) -> Result<(), Error> {
    let Some(data) = &told.facts.custom_data else { return Ok(()) };
    let fields = session.custom_data_fields(network)?;
    let mut complaints = check_custom_data(data, None, &fields);
    for (index, name) in data.keys().enumerate() {
        if complaints.has(name) {
            let place = problems.at("custom_data").item(index).at("name");
            place.merge(std::mem::take(complaints.at(name)));
        }
    }
    Ok(())
}

/// A call is let in by what held at its start: the terms, and the campaign's status as far as it
/// is known.
fn gate(
    session: &mut Session<'_>,
    cast: &Cast,
    has_terms: bool,
    start_time: Timestamp,
) -> Result<Option<TurnedAway>, Error> {
    let live = cast.campaign.status_at(start_time) == CampaignStatus::Activated;
    if !live || !has_terms {
        return Ok(Some(TurnedAway::NotLive));
    }
    cast.refused_affiliate(session)
}

/// Days since 1970-01-01.
fn day_of(date: Date) -> i64 {
    const FIRST: Date = jiff::civil::date(1970, 1, 1);
    date.duration_since(FIRST).as_hours() / 24
}

/// A campaign's calls today and in the last 7 and 30 days, today included, in its own zone.
#[derive(Debug, Clone, Copy)]
pub struct QuickStats {
    /// Today.
    pub today: CallTotals,
    /// Seven days.
    pub last_7_days: CallTotals,
    /// Thirty days.
    pub last_30_days: CallTotals,
}

/// Counts a campaign's calls. However many there are, 30 rows are read.
pub fn quick_stats(
    session: &mut Session<'_>,
    context: &Context,
    advertiser_id: &str,
    id: &str,
) -> Result<QuickStats, Error> {
    let campaign = campaigns::get_whole(session, context, advertiser_id, id)?;
    let zone = campaign.terms_in_force().map(|terms: &Terms| terms.timezone).unwrap_or_default();
    let today = day_of(context.now.to_zoned(zone.zone()).date());
    let mut days = |days: i64| session.call_totals(campaign.id, today - days + 1, today);
    Ok(QuickStats { today: days(1)?, last_7_days: days(7)?, last_30_days: days(30)? })
}
