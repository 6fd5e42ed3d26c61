//! Dry run: evaluates a campaign for a hypothetical call. Nothing is stored.

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

/// Selects the terms of a dry run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Which {
    /// Terms in force.
    #[default]
    Current,
    /// Future terms (draft).
    Future,
}

/// Hypothetical call.
#[derive(Debug, Clone, Default)]
pub struct Imagined {
    /// External id of the campaign.
    pub campaign: Option<String>,
    /// External id of the affiliate that is credited with the call.
    pub affiliate: Option<String>,
    /// Terms to evaluate.
    pub terms: Which,
    /// Facts of the call.
    pub facts: CallFacts,
    /// Keys that the caller presses, in order.
    pub keys: Vec<char>,
    /// Promo number that the caller dials.
    pub promo_number: Option<PhoneNumber>,
}

/// Budget total before a call, and the alerts that the call would cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetForecast {
    /// `budget_cap_alert`, `call_cap_alert` or `concurrent_call_cap_alert`.
    pub kind: &'static str,
    /// Total of the current period before the call.
    pub total: Money,
    /// Budget.
    pub amount: Money,
    /// Alerts that the call would cause, in percent.
    pub would_alert: Vec<u32>,
}

/// Result of a dry run.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// Path of the call through the IVR tree, and the payments.
    pub decision: Decision,
    /// `true` if the reader may see both payments and therefore the margin.
    pub with_margin: bool,
    /// Effect on the budgets.
    pub budgets: Vec<BudgetForecast>,
    /// Objects that the conditions of the terms refer to and the campaign does not have.
    pub warnings: Vec<String>,
}

/// Evaluates a campaign's terms for a hypothetical call.
pub fn dry_run(
    session: &mut Session<'_>,
    context: &Context,
    submitted: Submitted<Imagined>,
) -> Result<DryRun, Error> {
    let Submitted { change: request, mut problems } = submitted;
    if request.campaign.is_none() && !problems.has("advertiser_campaign") {
        problems.at("advertiser_campaign").add(BLANK);
    }
    let id = problems.clone().or(request.campaign.clone().unwrap_or_default())?;
    let affiliate = request.affiliate.as_deref();
    let promo_number = request.promo_number.as_ref();
    let parties = CallParties::resolve(session, context, &id, affiliate, promo_number)?;
    parties.ensure_can_view(context)?;
    let terms = match request.terms {
        Which::Current => parties.campaign.current.as_ref().map(|current| &current.terms),
        Which::Future => {
            if parties.campaign.future.is_none() {
                problems.at("terms").add("are not there: nothing waits for go_live");
            }
            parties.campaign.future.as_ref()
        }
    };
    parties.check_promo_number(problems.at("call"));
    if let Some(data) = &request.facts.custom_data {
        let fields = session.custom_data_fields(context.caller.network_id)?;
        let data_problems = check_custom_data(data, None, &fields);
        problems.at("call").at("custom_data").merge(data_problems);
    }
    problems.or(())?;
    let never_live = Terms::new(context.now);
    let terms = terms.unwrap_or(&never_live);
    let start = request.facts.start_time.unwrap_or(context.now);
    let admission = check_admission(session, context, &parties, request.terms, terms, start)?;
    let reported = CallFacts {
        repeat: is_repeat_caller(session, context, &parties, &request, terms)?,
        ..request.facts
    };
    let is_partial = reported.custom_data.is_none();
    let mut facts = parties.fill_in_facts(reported);
    facts.custom_data_is_partial = is_partial;
    let mut decision = decide(terms, &facts, &request.keys, admission);
    let payin =
        decision.advertiser_payin.as_ref().map(|payment| (payment.amount, payment.currency));
    let is_admitted = decision.reason.is_none();
    let mut statuses = budgets::statuses(parties.campaign.id, terms, start);
    if !context.caller.sees(PartyKind::Advertiser, parties.campaign.advertiser_id) {
        decision.advertiser_payin = None;
        decision.destination_phone_number = None;
        statuses.clear();
    }
    Ok(DryRun {
        with_margin: true,
        budgets: forecast_budgets(session, &statuses, payin, is_admitted)?,
        warnings: warnings(terms),
        decision,
    })
}

/// Decides if a call would be admitted. Future terms are evaluated as if the campaign were live,
/// current terms with the campaign's real status.
fn check_admission(
    session: &mut Session<'_>,
    context: &Context,
    parties: &CallParties,
    selected: Which,
    terms: &Terms,
    start: Timestamp,
) -> Result<Gate, Error> {
    let by_affiliate = parties.affiliate.is_some();
    let live = parties.campaign.status_at(context.now) == CampaignStatus::Activated;
    if selected == Which::Current && !live {
        return Ok(Gate { turned_away: Some(TurnedAway::NotLive), by_affiliate });
    }
    let mut turned_away =
        parties.affiliate_rejection(session, &mut BatchLookups::default(), context.now)?;
    if turned_away.is_none() {
        let writes = &mut PendingWrites::for_call_at(start);
        let is_over_cap =
            budgets::has_exhausted_cap(session, writes, parties.campaign.id, terms, start, true)?;
        turned_away = is_over_cap.then_some(TurnedAway::OverCap);
    }
    Ok(Gate { turned_away, by_affiliate })
}

/// Tests if the caller has called this campaign before: as given, else looked up. `None` if the
/// number is withheld.
fn is_repeat_caller(
    session: &mut Session<'_>,
    context: &Context,
    parties: &CallParties,
    request: &Imagined,
    terms: &Terms,
) -> Result<Option<bool>, Error> {
    let start = request.facts.start_time.unwrap_or(context.now);
    let campaign = parties.campaign.id;
    let lookups = &BatchLookups::default();
    calls::is_repeat_caller(session, lookups, campaign, Some(terms), &request.facts, start)
}

/// Returns the budget totals, and the alerts that a call with this payin would cause.
pub(crate) fn forecast_budgets(
    session: &mut Session<'_>,
    statuses: &[BudgetStatus],
    payin: Option<(Money, Currency)>,
    is_admitted: bool,
) -> Result<Vec<BudgetForecast>, Error> {
    let one_call = Money::from_cents(100).unwrap_or_default();
    let mut forecasts = Vec::with_capacity(statuses.len());
    for status in statuses {
        let total = status.total(session)?;
        let increase = match (status.counter.map(|counter| counter.of), payin) {
            (Some(CountedThing::Payin(counted)), Some((amount, currency)))
                if counted == currency =>
            {
                amount
            }
            (Some(CountedThing::Calls | CountedThing::AtOnce), _) if is_admitted => one_call,
            _ => Money::ZERO,
        };
        let sum = total.checked_add(increase).unwrap_or(total);
        let before: Vec<u32> = budgets::due_alerts(status.amount, total).collect();
        forecasts.push(BudgetForecast {
            kind: status.kind,
            total,
            amount: status.amount,
            would_alert: budgets::due_alerts(status.amount, sum)
                .filter(|percent| !before.contains(percent))
                .collect(),
        });
    }
    Ok(forecasts)
}

/// Lists the objects that the conditions of the terms refer to and the campaign does not have.
pub(crate) fn warnings(terms: &Terms) -> Vec<String> {
    let pricings = [&terms.advertiser_payin, &terms.affiliate_payout];
    let policies = pricings.into_iter().flatten().flat_map(|pricing| pricing.policies());
    let mut warnings: Vec<String> = Vec::new();
    for message in policies.flat_map(|policy| missing(policy.condition.expr(), terms)) {
        if !warnings.contains(&message) {
            warnings.push(message);
        }
    }
    warnings
}
