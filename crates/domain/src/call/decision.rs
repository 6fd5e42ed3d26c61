//! Decision of a call: its path through the IVR tree, its outcome and its price, with explanations.
//! Simulated and stored calls use the same function.

use super::execution::{Execution, execute};
use super::price::{applicable_pricings, price_policies};
use super::script::{CallInput, CallScript, Report};
use super::{CallEnd, CallFacts, EvaluationContext};
use crate::campaign::{Pricing, Terms};
use crate::condition::{Explanation, Expr, Facts, Key};
use crate::ivr::run::Event;
use crate::ivr::{Destination, IvrNode, Tracer};
use crate::money::{Currency, Money};
use serde::{Deserialize, Serialize};

/// Reason for rejecting a call before routing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionReason {
    /// The campaign is not Activated, or has expired.
    NotLive,
    /// The advertiser is not Approved.
    AdvertiserNotApproved,
    /// The affiliate or the affiliate campaign is not Approved.
    AffiliateNotApproved,
    /// The call is not inbound.
    NotInbound,
    /// An enforced cap has been reached.
    OverCap,
}

impl RejectionReason {
    /// All reasons.
    pub const ALL: [Self; 5] = [
        Self::NotLive,
        Self::AdvertiserNotApproved,
        Self::AffiliateNotApproved,
        Self::NotInbound,
        Self::OverCap,
    ];

    /// Parses the wire value.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// Returns the wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotLive => "not_live",
            Self::AdvertiserNotApproved => "advertiser_not_approved",
            Self::AffiliateNotApproved => "affiliate_not_approved",
            Self::NotInbound => "not_inbound",
            Self::OverCap => "over_cap",
        }
    }
}

/// Outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Caller and destination were connected.
    Connected,
    /// The campaign ended the call before it was connected.
    Ended,
    /// The caller hung up before the call was connected.
    Abandoned,
    /// The call was rejected before routing.
    #[serde(rename = "turned_away")]
    Rejected,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 4] = [Self::Connected, Self::Ended, Self::Abandoned, Self::Rejected];

    /// Parses the wire value.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }

    /// Returns the wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Ended => "ended",
            Self::Abandoned => "abandoned",
            Self::Rejected => "turned_away",
        }
    }
}

/// Result of the admission check before routing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Rejection reason; `None` if the call is admitted.
    pub rejection: Option<RejectionReason>,
    /// True if an affiliate generated the call. Without an affiliate there is no payout.
    pub by_affiliate: bool,
}

/// Node on the path of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStep {
    /// Path of the node: child indices from the root.
    pub path: Vec<usize>,
    /// Name of the node type.
    pub node_type: &'static str,
    /// Text played at the node.
    pub prompt: String,
    /// Final input at a menu.
    pub key: Option<Key>,
    /// Explanation of the condition of a Condition node.
    pub condition: Option<Explanation>,
    /// Answer to a NumberQuestion, in its normalized form.
    pub digits: Option<String>,
    /// Destinations dialled at the node, in order.
    pub dials: Vec<DialAttempt>,
}

/// Attempt to reach a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialAttempt {
    /// Number of the destination.
    pub destination_phone_number: String,
    /// Result: `connected`, `busy`, `no_answer` or `failed`; `None` if the caller hung up before it was
    /// known, or if another destination answered.
    pub result: Option<&'static str>,
}

/// Policy with its evaluation for one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEvaluation {
    /// Wire value of the policy type: `Base` or `Bonus`.
    pub policy_type: &'static str,
    /// Amount of the policy.
    pub amount: Money,
    /// Value of the condition; `None` is unknown and pays nothing.
    pub met: Option<bool>,
    /// True if the policy is paid. A bonus is paid only if the base is paid.
    pub paid: bool,
    /// Explanation of the condition.
    pub condition: Explanation,
}

/// Payin or payout of a call, with the evaluation of each policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Sum of the paid policies.
    pub amount: Money,
    /// Currency of all policies.
    pub currency: Currency,
    /// Paid policies as text: `base+bonus1`; empty if nothing is paid.
    pub matching_policies: String,
    /// All policies, the base first.
    pub policies: Vec<PolicyEvaluation>,
}

/// Decision of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Outcome.
    pub outcome: Outcome,
    /// Reason of a rejection.
    pub reason: Option<RejectionReason>,
    /// End of the call; `None` for a rejection, and if the end of a connected call is unknown.
    pub end: Option<CallEnd>,
    /// Visited nodes in order.
    pub path: Vec<PathStep>,
    /// Destination that the caller was connected to.
    pub destination_phone_number: Option<String>,
    /// Destination that was dialled, even if the caller was not connected.
    pub dialled_phone_number: Option<String>,
    /// Final input at each menu, in order.
    pub pressed_keys: Vec<Key>,
    /// Answers to NumberQuestions: partner name of a custom data field and answer, in order.
    pub answers: Vec<(String, String)>,
    /// Connect duration in seconds, as evaluated; 0 if the call was never connected.
    pub connect_duration: Option<u32>,
    /// True if a text message was sent, as evaluated.
    pub sms_sent: Option<bool>,
    /// Postal code of the caller, as evaluated: entered during the call or known before.
    pub zip: Option<String>,
    /// State or province of the caller, as evaluated.
    pub region: Option<String>,
    /// Country of the caller, as evaluated.
    pub country: Option<String>,
    /// Names of the campaign's regions that contain the caller.
    pub qualified_regions: Vec<String>,
    /// Payin of the advertiser; `None` if no payin is agreed.
    pub advertiser_payin: Option<Payment>,
    /// Payout to the affiliate; `None` without an affiliate or if no payout is agreed.
    pub affiliate_payout: Option<Payment>,
}

/// Decides a call under the given terms, with explanations.
///
/// [`super::price_call`] computes the same outcome and amounts without explanations.
pub fn decide(terms: &Terms, facts: &CallFacts, keys: &[char], admission: Admission) -> Decision {
    decide_script(terms, facts, CallScript::from_keys(facts, keys), admission)
}

/// Decides a call under the given terms, with explanations. The input may include answers to questions
/// and results of dialling.
pub fn decide_with_input(
    terms: &Terms,
    facts: &CallFacts,
    input: CallInput<'_>,
    admission: Admission,
) -> Decision {
    decide_script(terms, facts, CallScript::from_input(facts, input), admission)
}

/// Decides a call with the given input.
pub(super) fn decide_script(
    terms: &Terms,
    facts: &CallFacts,
    script: CallScript<'_>,
    admission: Admission,
) -> Decision {
    let reported = script.reported;
    let execution = match admission.rejection {
        Some(reason) if reported.is_none() => return rejected(facts, reason),
        _ => execute(terms, facts, script, DecisionTrace::default()),
    };
    let decision = decision_of_execution(terms, facts, execution, reported, admission);
    match admission.rejection {
        Some(reason) => Decision {
            outcome: Outcome::Rejected,
            reason: Some(reason),
            end: None,
            path: Vec::new(),
            destination_phone_number: None,
            dialled_phone_number: reported.and_then(|report| report.destination).map(str::to_owned),
            connect_duration: facts.connect_duration,
            advertiser_payin: None,
            affiliate_payout: None,
            ..decision
        },
        None => decision,
    }
}

/// Returns the decision of an admitted call.
fn decision_of_execution(
    terms: &Terms,
    facts: &CallFacts,
    mut execution: Execution<'_, DecisionTrace>,
    reported: Option<Report<'_>>,
    admission: Admission,
) -> Decision {
    let path = std::mem::take(&mut execution.run.tracer.path);
    let context = execution.evaluation_context();
    let place = context.caller_location();
    let [payin, payout] = applicable_pricings(terms, admission);
    let payment = |pricing| price_with_explanations(pricing, &context);
    let dialled = match reported.and_then(|report| report.destination) {
        Some(destination) => Some(destination.to_owned()),
        None => execution.run.destination().map(|destination| destination.to_text()),
    };
    let sms_sent = context.sms_sent();
    Decision {
        outcome: execution.outcome,
        reason: None,
        end: execution.end,
        destination_phone_number: dialled.clone().filter(|_| execution.is_connected()),
        dialled_phone_number: dialled,
        advertiser_payin: payin.map(payment),
        affiliate_payout: payout.map(payment),
        pressed_keys: execution.run.position.pressed_keys.clone(),
        answers: execution.run.position.answers.clone(),
        connect_duration: context.connect_duration(),
        // A reported fact is shown even if it does not count in conditions.
        sms_sent: reported.and(facts.sms_sent).or(sms_sent),
        zip: context.zip().map(str::to_owned),
        region: place.region.map(str::to_owned),
        country: place.country.map(str::to_owned),
        qualified_regions: terms
            .named_regions
            .iter()
            .filter(|region| context.in_region(Some(&region.name)) == Some(true))
            .map(|region| region.name.clone())
            .collect(),
        path,
    }
}

/// Returns the decision of a rejected call.
fn rejected(facts: &CallFacts, reason: RejectionReason) -> Decision {
    let place = facts.caller_location(None);
    Decision {
        outcome: Outcome::Rejected,
        reason: Some(reason),
        end: None,
        path: Vec::new(),
        destination_phone_number: None,
        dialled_phone_number: None,
        pressed_keys: Vec::new(),
        answers: Vec::new(),
        connect_duration: Some(0),
        sms_sent: Some(false),
        zip: facts.zip.clone(),
        region: place.region.map(str::to_owned),
        country: place.country.map(str::to_owned),
        qualified_regions: Vec::new(),
        advertiser_payin: None,
        affiliate_payout: None,
    }
}

/// Prices a call and explains each policy.
pub(super) fn price_with_explanations(
    pricing: &Pricing,
    context: &EvaluationContext<'_>,
) -> Payment {
    let mut policies = Vec::with_capacity(pricing.policies().len());
    let total = price_policies::<DecisionTrace>(pricing, context, |priced| {
        policies.push(PolicyEvaluation {
            policy_type: priced.policy.kind.as_str(),
            amount: priced.policy.amount,
            met: priced.met,
            paid: priced.paid,
            condition: priced.reason,
        });
    });
    Payment {
        amount: total.amount,
        currency: total.currency,
        matching_policies: total.matching.to_string(),
        policies,
    }
}

/// Tracer that records the path of a decision.
#[derive(Default)]
struct DecisionTrace {
    path: Vec<PathStep>,
    /// Index of the first destination that rings, among those dialled at the node.
    ringing: usize,
}

impl Tracer for DecisionTrace {
    type Reason = Explanation;

    fn evaluate(expr: &Expr, context: &EvaluationContext<'_>) -> (Option<bool>, Explanation) {
        let explanation = expr.explain(context);
        (explanation.value, explanation)
    }

    fn on_enter(
        &mut self,
        path: &[usize],
        node: &IvrNode,
        prompt: &str,
        reason: Option<Explanation>,
    ) {
        self.path.push(PathStep {
            path: path.to_vec(),
            node_type: node.kind.type_name(),
            prompt: prompt.to_owned(),
            key: None,
            condition: reason,
            digits: None,
            dials: Vec::new(),
        });
    }

    fn on_digits(&mut self, digits: &str) {
        if let Some(step) = self.path.last_mut() {
            step.digits = Some(digits.to_owned());
        }
    }

    fn on_dial(&mut self, ringing: &[Destination<'_>]) {
        let Some(step) = self.path.last_mut() else { return };
        self.ringing = step.dials.len();
        step.dials.extend(ringing.iter().map(|destination| DialAttempt {
            destination_phone_number: destination.to_text(),
            result: None,
        }));
    }

    fn on_dial_result(&mut self, event: &Event, answered: usize) {
        let Some(step) = self.path.last_mut() else { return };
        let mut ringing = step.dials.iter_mut().skip(self.ringing);
        let result = match event {
            Event::Busy => "busy",
            Event::NoAnswer => "no_answer",
            Event::Failed => "failed",
            _ => {
                if let Some(dial) = ringing.nth(answered) {
                    dial.result = Some("connected");
                }
                return;
            }
        };
        ringing.for_each(|dial| dial.result = Some(result));
    }

    fn on_menu_key(&mut self, key: Key) {
        if let Some(menu) = self.path.last_mut() {
            menu.key = Some(key);
        }
    }
}
