//! Dry run: evaluates a campaign for a hypothetical call. Nothing is stored.

use crate::batch_lookups::BatchLookups;
use crate::budgets::{self, AdmissionRequest, BudgetStatus};
use crate::call_parties::{CallAddress, CallMoment, CallParties};
use crate::pending_writes::PendingWrites;
use crate::repeat_callers::{RepeatLookup, resolve_repeat};
use crate::{Context, Error, Submission, UnitOfWork, calls};
use jiff::Timestamp;
use trunkline_domain::call::{
    Admission, CallFacts, CallInput, Decision, RejectionReason, decide_with_input,
};
use trunkline_domain::campaign::{CampaignStatus, Terms, missing_resources};
use trunkline_domain::ivr::run::Event;
use trunkline_domain::money::{Currency, Money};
use trunkline_domain::party::{PartyKind, check_custom_data};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::BLANK;
use trunkline_store::CounterScope;

/// Selects the terms of a dry run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TermsSelector {
    /// Terms in force.
    #[default]
    Current,
    /// Future terms (draft).
    Future,
}

/// Hypothetical call.
#[derive(Debug, Clone, Default)]
pub struct DryRunRequest {
    /// External id of the campaign.
    pub campaign: Option<String>,
    /// External id of the affiliate that is credited with the call.
    pub affiliate: Option<String>,
    /// Terms to evaluate.
    pub terms: TermsSelector,
    /// Facts of the call.
    pub facts: CallFacts,
    /// Keys that the caller presses, in order.
    pub keys: Vec<char>,
    /// Answers to NumberQuestions, in order.
    pub digits: Vec<String>,
    /// Results of dialling, in order.
    pub dials: Vec<Event>,
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
    pub shows_margin: bool,
    /// Effect on the budgets.
    pub budgets: Vec<BudgetForecast>,
    /// Objects that the conditions of the terms refer to and the campaign does not have.
    pub warnings: Vec<String>,
}

/// Evaluates a campaign's terms for a hypothetical call.
pub fn dry_run(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    submitted: Submission<DryRunRequest>,
) -> Result<DryRun, Error> {
    let Submission { change: request, mut problems } = submitted;
    if request.campaign.is_none() && !problems.has_problem("advertiser_campaign") {
        problems.property("advertiser_campaign").add(BLANK);
    }
    let id = problems.clone().into_result(request.campaign.clone().unwrap_or_default())?;
    let parties = resolve_parties(unit, context, &id, &request)?;
    let sees_advertiser =
        context.principal.can_view(PartyKind::Advertiser, parties.campaign.advertiser_id);
    if !sees_advertiser && request.terms == TermsSelector::Future {
        let message = "an affiliate may only use the current terms";
        return Err(Error::NotAllowed(message.to_owned()));
    }
    let terms = match request.terms {
        TermsSelector::Current => {
            parties.campaign.current_terms.as_ref().map(|current| &current.terms)
        }
        TermsSelector::Future => {
            if parties.campaign.future_terms.is_none() {
                problems.property("terms").add("do not exist: the campaign has no future terms");
            }
            parties.campaign.future_terms.as_ref()
        }
    };
    parties.check_promo_number(problems.property("call"));
    if let Some(data) = &request.facts.custom_data {
        let fields = unit.custom_data_fields(context.principal.network_id)?;
        let data_problems = check_custom_data(data, None, &fields);
        problems.property("call").property("custom_data").merge(data_problems);
    }
    problems.into_result(())?;
    let never_live = Terms::new(context.now);
    let terms = terms.unwrap_or(&never_live);
    let start = request.facts.start_time.unwrap_or(context.now);
    let admission = check_admission(unit, context, &parties, request.terms, terms, start)?;
    let reported = CallFacts {
        repeat: is_repeat_caller(unit, context, &parties, &request, terms)?,
        ..request.facts
    };
    let is_partial = reported.custom_data.is_none();
    let mut facts = parties.fill_in_facts(reported);
    facts.custom_data_is_partial = is_partial;
    let input = CallInput { keys: &request.keys, digits: &request.digits, dials: &request.dials };
    let mut decision = decide_with_input(terms, &facts, input, admission);
    let payin =
        decision.advertiser_payin.as_ref().map(|payment| (payment.amount, payment.currency));
    let is_admitted = decision.reason.is_none();
    let mut statuses = budgets::statuses(parties.campaign.id, terms, start);
    if !sees_advertiser {
        decision.advertiser_payin = None;
        decision.destination_phone_number = None;
        for dial in decision.path.iter_mut().flat_map(|step| &mut step.dials) {
            dial.destination_phone_number.clear();
        }
        statuses.clear();
    }
    Ok(DryRun {
        shows_margin: true,
        budgets: forecast_budgets(unit, &statuses, payin, is_admitted)?,
        warnings: if sees_advertiser { warnings(terms, &facts) } else { Vec::new() },
        decision,
    })
}

/// Resolves the parties of the hypothetical call. They are those of now, whatever start time the
/// call has: the terms are, too. The call of an affiliate is its own, also if the request names no
/// affiliate.
///
/// # Errors
///
/// [`Error::NotFound`] if an object does not exist or is not visible to the principal. A promo number
/// of another party is not found, like one that does not exist.
fn resolve_parties(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    campaign: &str,
    request: &DryRunRequest,
) -> Result<CallParties, Error> {
    let moment = CallMoment::current(context.now);
    let lookups = &mut BatchLookups::at(moment);
    let own = context.principal.affiliate_ids();
    let mut find = |unit: &mut UnitOfWork<'_>, affiliate: Option<&str>| {
        let promo_number = request.promo_number.as_ref();
        let address = CallAddress { campaign: Some(campaign), affiliate, promo_number };
        Ok::<_, Error>(CallParties::resolve(unit, context, lookups, address, moment)?.value)
    };
    let mut parties = find(unit, request.affiliate.as_deref())?;
    if context.principal.can_view(PartyKind::Advertiser, parties.campaign.advertiser_id) {
        return Ok(parties);
    }
    if let Some(number) = &parties.promo_number
        && number.affiliate_id.is_none_or(|id| !own.contains(&id))
    {
        let number = request.promo_number.as_ref().map(PhoneNumber::compact).unwrap_or_default();
        let message = format!("PromoNumber {number} for advertiser campaign {campaign}");
        return Err(Error::NotFound(message));
    }
    if parties.affiliate.is_none() {
        let [only] = own.as_slice() else {
            return Err(Error::invalid_property("affiliate", BLANK));
        };
        let affiliate = unit.party_by_id((*only).into())?.map(|party| party.external_id);
        parties = find(unit, affiliate.as_deref())?;
    }
    parties.ensure_can_view(context)?;
    Ok(parties)
}

/// Decides if a call would be admitted. Future terms are evaluated as if the campaign were live,
/// current terms with the campaign's real status.
fn check_admission(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    parties: &CallParties,
    selected: TermsSelector,
    terms: &Terms,
    start: Timestamp,
) -> Result<Admission, Error> {
    let by_affiliate = parties.affiliate.is_some();
    let live = parties.campaign.effective_status(context.now) == CampaignStatus::Activated;
    if selected == TermsSelector::Current && !live {
        return Ok(Admission { rejection: Some(RejectionReason::NotLive), by_affiliate });
    }
    let mut turned_away = parties.rejection;
    if turned_away.is_none() {
        let writes = &mut PendingWrites::for_call_at(start);
        let campaign = parties.campaign.id;
        let request = AdmissionRequest::Live;
        let exhausted = budgets::exhausted_budgets(unit, writes, campaign, terms, start, request)?;
        turned_away = (!exhausted.is_empty()).then_some(RejectionReason::OverCap);
    }
    Ok(Admission { rejection: turned_away, by_affiliate })
}

/// Tests if the caller has called this campaign before: as given, else looked up, by an affiliate
/// among its own calls. `None` if no
/// caller id is given, which is unknown in a dry run.
fn is_repeat_caller(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    parties: &CallParties,
    request: &DryRunRequest,
    terms: &Terms,
) -> Result<Option<bool>, Error> {
    let facts = &request.facts;
    let has_caller_id =
        facts.calling_phone_number.is_some() || facts.calling_phone_number_text.is_some();
    if facts.repeat.is_none() && !has_caller_id {
        return Ok(None);
    }
    let start = facts.start_time.unwrap_or(context.now);
    let campaign = parties.campaign.id;
    if !context.principal.can_view(PartyKind::Advertiser, parties.campaign.advertiser_id) {
        let own = context.principal.affiliate_ids();
        let has_called = match resolve_repeat(campaign, Some(terms), facts, start) {
            RepeatLookup::Known(repeat) => repeat,
            RepeatLookup::Query(query) => unit.has_called_affiliates_before(&query, &own)?,
        };
        return Ok(Some(has_called));
    }
    let lookups = &BatchLookups::at(CallMoment::reported(start));
    calls::is_repeat_caller(unit, lookups, campaign, Some(terms), facts, start).map(Some)
}

/// Returns the budget totals, and the alerts that a call with this payin would cause.
pub(crate) fn forecast_budgets(
    unit: &mut UnitOfWork<'_>,
    statuses: &[BudgetStatus],
    payin: Option<(Money, Currency)>,
    is_admitted: bool,
) -> Result<Vec<BudgetForecast>, Error> {
    let one_call = Money::from_cents(100).unwrap_or_default();
    let mut forecasts = Vec::with_capacity(statuses.len());
    for status in statuses {
        let total = status.total(unit)?;
        let increase = match (status.counter.map(|counter| counter.scope), payin) {
            (Some(CounterScope::Payin(counted)), Some((amount, currency)))
                if counted == currency =>
            {
                amount
            }
            (Some(CounterScope::Calls | CounterScope::LiveCalls), _) if is_admitted => one_call,
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

/// Lists the objects that the conditions of the terms refer to and the campaign does not have, and an
/// unknown area code of the caller.
pub(crate) fn warnings(terms: &Terms, facts: &CallFacts) -> Vec<String> {
    let pricings = [&terms.advertiser_payin, &terms.affiliate_payout];
    let policies = pricings.into_iter().flatten().flat_map(|pricing| pricing.policies());
    let mut warnings: Vec<String> = Vec::new();
    for message in policies.flat_map(|policy| missing_resources(policy.condition.expr(), terms)) {
        if !warnings.contains(&message) {
            warnings.push(message);
        }
    }
    let unknown_area_code = facts.unknown_area_code().map(|code| {
        format!(
            "the area code {code} is unknown, so the number has no location: add it with --area-codes"
        )
    });
    warnings.extend(unknown_area_code);
    warnings
}
