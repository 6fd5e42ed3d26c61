//! Trying a campaign on an imagined call. Nothing is stored.

use crate::batch_lookups::BatchLookups;
use crate::budgets::{self, BudgetStatus};
use crate::call_parties::CallParties;
use crate::pending_writes::PendingWrites;
use crate::{Context, Error, Session, Submitted, calls};
use jiff::Timestamp;
use trunkline_domain::call::{CallFacts, Decision, Gate, TurnedAway, decide};
use trunkline_domain::campaign::{CampaignStatus, Terms, missing};
use trunkline_domain::money::{Currency, Money};
use trunkline_domain::party::{PartyKind, check_custom_data};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::BLANK;
use trunkline_store::CountedThing;

/// Which terms to try.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Which {
    /// Those in force.
    #[default]
    Current,
    /// The draft.
    Future,
}

/// An imagined call.
#[derive(Debug, Clone, Default)]
pub struct Imagined {
    /// The network's id of the campaign.
    pub campaign: Option<String>,
    /// The network's id of the affiliate that brings it.
    pub affiliate: Option<String>,
    /// Which terms.
    pub terms: Which,
    /// What is known of it.
    pub facts: CallFacts,
    /// The keys it presses, in order.
    pub keys: Vec<char>,
    /// The promo number it comes in by.
    pub promo_number: Option<PhoneNumber>,
}

/// What a budget would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetForecast {
    /// `budget_cap_alert`, `call_cap_alert` or `concurrent_call_cap_alert`.
    pub kind: &'static str,
    /// The running period's total before the call.
    pub total: Money,
    /// The budget.
    pub amount: Money,
    /// The alerts that the call would set off (percent).
    pub would_alert: Vec<u32>,
}

/// What would happen.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// The call's way and what is paid.
    pub decision: Decision,
    /// Whether both sides are told of, so that there is a margin.
    pub with_margin: bool,
    /// What it would do to budgets.
    pub budgets: Vec<BudgetForecast>,
    /// What the terms' conditions ask for that the campaign does not have.
    pub warnings: Vec<String>,
}

/// Runs an imagined call through a campaign's terms.
pub fn dry_run(
    session: &mut Session<'_>,
    context: &Context,
    submitted: Submitted<Imagined>,
) -> Result<DryRun, Error> {
    let Submitted { change: imagined, mut problems } = submitted;
    if imagined.campaign.is_none() && !problems.has("advertiser_campaign") {
        problems.at("advertiser_campaign").add(BLANK);
    }
    let id = problems.clone().or(imagined.campaign.clone().unwrap_or_default())?;
    let parts = (imagined.affiliate.as_deref(), imagined.promo_number.as_ref());
    let parties = CallParties::resolve(session, context, &id, parts.0, parts.1)?;
    parties.ensure_can_view(context)?;
    let terms = match imagined.terms {
        Which::Current => parties.campaign.current.as_ref().map(|current| &current.terms),
        Which::Future => {
            if parties.campaign.future.is_none() {
                problems.at("terms").add("are not there: nothing waits for go_live");
            }
            parties.campaign.future.as_ref()
        }
    };
    parties.check_promo_number(problems.at("call"));
    if let Some(data) = &imagined.facts.custom_data {
        let fields = session.custom_data_fields(context.caller.network_id)?;
        let complaints = check_custom_data(data, None, &fields);
        problems.at("call").at("custom_data").merge(complaints);
    }
    problems.or(())?;
    let never_live = Terms::new(context.now);
    let terms = terms.unwrap_or(&never_live);
    let start = imagined.facts.start_time.unwrap_or(context.now);
    let gate = check_admission(session, context, &parties, imagined.terms, (terms, start))?;
    let said = CallFacts {
        repeat: is_repeat_caller(session, context, &parties, &imagined, terms)?,
        ..imagined.facts
    };
    let partial = said.custom_data.is_none();
    let mut facts = parties.fill_in_facts(said);
    facts.custom_data_is_partial = partial;
    let mut decision = decide(terms, &facts, &imagined.keys, gate);
    let paid_in = decision.advertiser_payin.as_ref().map(|it| (it.amount, it.currency));
    let let_in = decision.reason.is_none();
    let mut statuses = budgets::statuses(parties.campaign.id, terms, start);
    if !context.caller.sees(PartyKind::Advertiser, parties.campaign.advertiser_id) {
        decision.advertiser_payin = None;
        decision.destination_phone_number = None;
        statuses.clear();
    }
    Ok(DryRun {
        with_margin: true,
        budgets: forecast_budgets(session, &statuses, paid_in, let_in)?,
        warnings: warnings(terms),
        decision,
    })
}

/// A draft is tried as if it were live; a campaign as it is.
fn check_admission(
    session: &mut Session<'_>,
    context: &Context,
    parties: &CallParties,
    which: Which,
    (terms, start): (&Terms, Timestamp),
) -> Result<Gate, Error> {
    let by_affiliate = parties.affiliate.is_some();
    let live = parties.campaign.status_at(context.now) == CampaignStatus::Activated;
    if which == Which::Current && !live {
        return Ok(Gate { turned_away: Some(TurnedAway::NotLive), by_affiliate });
    }
    let mut turned_away =
        parties.affiliate_rejection(session, &mut BatchLookups::default(), context.now)?;
    if turned_away.is_none() {
        let writes = &mut PendingWrites::for_call_at(start);
        let over =
            budgets::has_exhausted_cap(session, writes, parties.campaign.id, terms, start, true)?;
        turned_away = over.then_some(TurnedAway::OverCap);
    }
    Ok(Gate { turned_away, by_affiliate })
}

/// Whether the caller has called this campaign lately: as said, else looked up. A withheld number
/// is not known to have.
fn is_repeat_caller(
    session: &mut Session<'_>,
    context: &Context,
    parties: &CallParties,
    imagined: &Imagined,
    terms: &Terms,
) -> Result<Option<bool>, Error> {
    let start = imagined.facts.start_time.unwrap_or(context.now);
    let (campaign, lookups) = (parties.campaign.id, &BatchLookups::default());
    calls::is_repeat_caller(session, lookups, campaign, Some(terms), &imagined.facts, start)
}

/// What budgets stand at, and the alerts that a call would set off.
pub(crate) fn forecast_budgets(
    session: &mut Session<'_>,
    statuses: &[BudgetStatus],
    paid_in: Option<(Money, Currency)>,
    let_in: bool,
) -> Result<Vec<BudgetForecast>, Error> {
    let one = Money::from_cents(100).unwrap_or_default();
    let mut found = Vec::with_capacity(statuses.len());
    for status in statuses {
        let total = status.total(session)?;
        let more = match (status.counter.map(|counted| counted.of), paid_in) {
            (Some(CountedThing::Payin(of)), Some((amount, currency))) if of == currency => amount,
            (Some(CountedThing::Calls | CountedThing::AtOnce), _) if let_in => one,
            _ => Money::ZERO,
        };
        let sum = total.checked_add(more).unwrap_or(total);
        let before: Vec<u32> = budgets::due_alerts(status.amount, total).collect();
        found.push(BudgetForecast {
            kind: status.kind,
            total,
            amount: status.amount,
            would_alert: budgets::due_alerts(status.amount, sum)
                .filter(|percent| !before.contains(percent))
                .collect(),
        });
    }
    Ok(found)
}

/// What the terms' conditions ask for that the campaign does not have.
pub(crate) fn warnings(terms: &Terms) -> Vec<String> {
    let pricings = [&terms.advertiser_payin, &terms.affiliate_payout];
    let policies = pricings.into_iter().flatten().flat_map(|pricing| pricing.policies());
    let mut found: Vec<String> = Vec::new();
    for message in policies.flat_map(|policy| missing(policy.condition.expr(), terms)) {
        if !found.contains(&message) {
            found.push(message);
        }
    }
    found
}
