//! Trying a campaign on an imagined call. Nothing is stored.

use crate::cast::Cast;
use crate::{Context, Error, Session, Submitted, calls};
use trunkline_domain::call::{CallFacts, Decision, Gate, TurnedAway, decide};
use trunkline_domain::campaign::{Budgets, CampaignStatus, Terms, missing};
use trunkline_domain::money::Money;
use trunkline_domain::party::PartyKind;
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::BLANK;

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
pub struct BudgetAfter {
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
    /// What it would do to budgets.
    pub budgets: Vec<BudgetAfter>,
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
    let cast = Cast::find(session, context, &id, parts.0, parts.1)?;
    cast.require_sight(context)?;
    let terms = match imagined.terms {
        Which::Current => cast.campaign.current.as_ref().map(|current| &current.terms),
        Which::Future => {
            if cast.campaign.future.is_none() {
                problems.at("terms").add("are not there: nothing waits for go_live");
            }
            cast.campaign.future.as_ref()
        }
    };
    problems.or(())?;
    let gate = gate(session, context, &cast, imagined.terms)?;
    let never_live = Terms::new(context.now);
    let terms = terms.unwrap_or(&never_live);
    let said = CallFacts { repeat: repeat(session, context, &cast, &imagined)?, ..imagined.facts };
    let facts = cast.complete(session, said)?;
    let mut decision = decide(terms, &facts, &imagined.keys, gate);
    if !context.caller.sees(PartyKind::Advertiser, cast.campaign.advertiser_id) {
        decision.advertiser_payin = None;
    }
    let paid_in = decision.advertiser_payin.as_ref().map(|payin| payin.amount);
    let let_in = decision.reason.is_none();
    Ok(DryRun {
        budgets: budgets(&terms.budgets, paid_in.unwrap_or(Money::ZERO), let_in),
        warnings: warnings(terms),
        decision,
    })
}

/// A draft is tried as if it were live; a campaign as it is.
fn gate(
    session: &mut Session<'_>,
    context: &Context,
    cast: &Cast,
    which: Which,
) -> Result<Gate, Error> {
    let by_affiliate = cast.affiliate.is_some();
    let live = cast.campaign.status_at(context.now) == CampaignStatus::Activated;
    if which == Which::Current && !live {
        return Ok(Gate { turned_away: Some(TurnedAway::NotLive), by_affiliate });
    }
    let turned_away = cast.refused_affiliate(session)?;
    Ok(Gate { turned_away, by_affiliate })
}

/// Whether the caller has called this campaign lately: as said, else looked up. A withheld number
/// is not known to have.
fn repeat(
    session: &mut Session<'_>,
    context: &Context,
    cast: &Cast,
    imagined: &Imagined,
) -> Result<Option<bool>, Error> {
    let start = imagined.facts.start_time.unwrap_or(context.now);
    calls::has_called_lately(session, cast.campaign.id, &imagined.facts, start)
}

fn budgets(budgets: &Budgets, paid_in: Money, let_in: bool) -> Vec<BudgetAfter> {
    let one = Money::parse("1").unwrap_or_default();
    let call = if let_in { one } else { Money::ZERO };
    let caps = [
        ("budget_cap_alert", budgets.budget_cap_alert.as_ref().map(|it| it.budget_amount), paid_in),
        (
            "call_cap_alert",
            budgets.periodic_call_cap_alert.as_ref().map(|it| it.budget_amount),
            call,
        ),
        (
            "concurrent_call_cap_alert",
            budgets.concurrent_call_cap_alert.as_ref().map(|it| it.budget_amount),
            call,
        ),
    ];
    let after = caps.into_iter().filter_map(|(kind, amount, more)| {
        let amount = amount?;
        Some(BudgetAfter { kind, total: Money::ZERO, amount, would_alert: alerts(amount, more) })
    });
    after.collect()
}

/// The alerts at 75, 90 and 100 % that `spent` sets off, from nothing.
fn alerts(amount: Money, spent: Money) -> Vec<u32> {
    let reached = |percent: &u32| spent > Money::ZERO && spent.reaches(*percent, amount);
    [75, 90, 100].into_iter().filter(reached).collect()
}

fn warnings(terms: &Terms) -> Vec<String> {
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
