//! Renders a decided call: the response of dry runs and explanations.

use crate::object_response::Object;
use crate::resources::money;
use serde_json::{Value, json};
use trunkline_domain::call::{Decision, DialAttempt, PathStep, Payment, PolicyEvaluation};
use trunkline_network::dry_run::DryRun;

/// Renders the call's path, the payments with their policies, and the budgets.
pub(super) fn render(run: &DryRun) -> Object {
    let Decision {
        outcome,
        reason,
        end,
        path,
        destination_phone_number,
        advertiser_payin,
        affiliate_payout,
        ..
    } = &run.decision;
    let budgets: Vec<Value> = run
        .budgets
        .iter()
        .map(|budget| {
            json!({
                "kind": budget.kind,
                "total": budget.total.to_json_number(),
                "amount": budget.amount.to_json_number(),
                "would_alert": budget.would_alert,
            })
        })
        .collect();
    let sum = |payment: &Option<Payment>| {
        payment.as_ref().map(|payment| (payment.amount, payment.currency))
    };
    let margin = match run.shows_margin {
        true => money::margin(sum(advertiser_payin), sum(affiliate_payout)),
        false => Value::Null,
    };
    Object::from_iter([
        ("outcome".to_owned(), json!(outcome)),
        ("end".to_owned(), json!(end)),
        ("reason".to_owned(), json!(reason)),
        ("path".to_owned(), path.iter().map(render_step).collect()),
        ("destination_phone_number".to_owned(), json!(destination_phone_number)),
        ("advertiser_payin".to_owned(), advertiser_payin.as_ref().map(render_payment).into()),
        ("affiliate_payout".to_owned(), affiliate_payout.as_ref().map(render_payment).into()),
        ("margin".to_owned(), margin),
        ("budgets".to_owned(), budgets.into()),
        ("warnings".to_owned(), json!(run.warnings)),
    ])
}

/// Renders a node of the path. `digits` and `dials` are present only where there were some.
fn render_step(step: &PathStep) -> Value {
    let mut object = json!({
        "at": step.path,
        "node_type": step.node_type,
        "prompt": step.prompt,
        "key": step.key.map(|key| key.to_string()),
        "condition": step.condition,
    });
    if let Some(digits) = &step.digits {
        object["digits"] = json!(digits);
    }
    if !step.dials.is_empty() {
        let render_dial = |dial: &DialAttempt| {
            json!({
                "destination_phone_number": dial.destination_phone_number,
                "result": dial.result,
            })
        };
        object["dials"] = step.dials.iter().map(render_dial).collect();
    }
    object
}

fn render_payment(payment: &Payment) -> Value {
    let render_policy = |policy: &PolicyEvaluation| {
        json!({
            "type": policy.policy_type,
            "amount": policy.amount.to_json_number(),
            "met": policy.met,
            "paid": policy.paid,
            "condition": policy.condition,
        })
    };
    json!({
        "amount": payment.amount.to_json_number(),
        "currency": payment.currency.as_str(),
        "matching_policies": payment.matching_policies,
        "policies": payment.policies.iter().map(render_policy).collect::<Vec<_>>(),
    })
}
