//! `dry_run`: an imagined call through a campaign.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading, TEXT_LIMIT};
use crate::incoming::Incoming;
use crate::reply::Object;
use crate::resources::{facts, money};
use crate::routes::{Routes, post};
use crate::versions::Kind;
use axum::body::Body;
use axum::http::Response;
use serde_json::{Map, Value, json};
use trunkline_domain::call::{CallFacts, Decision, Payment, Step};
use trunkline_domain::problem::Problems;
use trunkline_domain::timezone::ZoneName;
use trunkline_network::Submitted;
use trunkline_network::dry_run::{self, DryRun, Imagined, Which};

pub(super) fn routes() -> Routes {
    Routes::new().route("/trunkline/dry_run", post(run))
}

async fn run(mut incoming: Incoming) -> Response<Body> {
    let result = try_call(&mut incoming).map(|run| render(&run));
    incoming.reply_ok(Kind::Plain, result)
}

fn try_call(incoming: &mut Incoming) -> Result<DryRun, Refusal> {
    let body = incoming.take_body()?;
    let zone = incoming.network.time_zone;
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let mut imagined = Imagined {
        campaign: fields.id("advertiser_campaign"),
        affiliate: fields.optional_id("affiliate").flatten(),
        terms: fields
            .word_or_default("terms", |word| match word {
                "current" => Some(Which::Current),
                "future" => Some(Which::Future),
                _ => None,
            })
            .unwrap_or_default(),
        ..Imagined::default()
    };
    if let Some(Some(map)) = fields.hash("call") {
        read_call(map, fields.below("call"), zone, &mut imagined);
    }
    fields.finish();
    let submitted = Submitted { change: imagined, problems };
    incoming.read(|session, context| dry_run::dry_run(session, context, submitted))
}

/// Reads the facts of a call; what is absent is not known.
fn read_call(
    map: &Map<String, Value>,
    reading: Reading<'_>,
    zone: ZoneName,
    imagined: &mut Imagined,
) {
    let mut fields = Fields::new(map, reading);
    imagined.promo_number = fields.phone("promo_number").flatten();
    imagined.keys = facts::read_keys(&mut fields);
    let mut text = |name| fields.text(name, TEXT_LIMIT).flatten().filter(|said| !said.is_empty());
    let (country, region, city, zip) = (text("country"), text("region"), text("city"), text("zip"));
    imagined.facts = CallFacts {
        calling_phone_number: fields.phone("calling_phone_number").flatten(),
        start_time: facts::read_time(&mut fields, "start_time", zone),
        duration: fields.whole("duration", 0, facts::SECONDS).flatten(),
        connect_duration: fields.whole("connect_duration", 0, facts::SECONDS).flatten(),
        phone_type: facts::read_phone_type(&mut fields),
        country,
        region,
        city,
        zip,
        repeat: fields.boolean("repeat").flatten(),
        sms_sent: fields.boolean("sms_sent").flatten(),
        custom_data: fields.custom_data(),
        ..CallFacts::default()
    };
    let CallFacts { duration, connect_duration, .. } = imagined.facts;
    if duration.zip(connect_duration).is_some_and(|(whole, connected)| connected > whole) {
        fields.wrong("connect_duration", "must be less than or equal to duration");
    }
    fields.finish();
}

fn render(run: &DryRun) -> Object {
    let Decision {
        outcome,
        reason,
        path,
        destination_phone_number,
        advertiser_payin,
        affiliate_payout,
        ..
    } = &run.decision;
    let budgets: Vec<Value> = run
        .budgets
        .iter()
        .map(|it| {
            json!({
                "kind": it.kind,
                "total": it.total.to_json_number(),
                "amount": it.amount.to_json_number(),
                "would_alert": it.would_alert,
            })
        })
        .collect();
    Object::from_iter([
        ("outcome".to_owned(), json!(outcome)),
        ("reason".to_owned(), json!(reason)),
        ("path".to_owned(), path.iter().map(render_step).collect()),
        ("destination_phone_number".to_owned(), json!(destination_phone_number)),
        ("advertiser_payin".to_owned(), advertiser_payin.as_ref().map(render_payment).into()),
        ("affiliate_payout".to_owned(), affiliate_payout.as_ref().map(render_payment).into()),
        ("margin".to_owned(), money::margin(sum(advertiser_payin), sum(affiliate_payout))),
        ("budgets".to_owned(), budgets.into()),
        ("warnings".to_owned(), json!(run.warnings)),
    ])
}

fn sum(payment: &Option<Payment>) -> Option<money::Sum> {
    payment.as_ref().map(|it| (it.amount, it.currency))
}

fn render_step(step: &Step) -> Value {
    json!({
        "at": step.at,
        "node_type": step.node_type,
        "prompt": step.prompt,
        "key": step.key.map(|key| key.to_string()),
        "condition": step.condition,
    })
}

fn render_payment(payment: &Payment) -> Value {
    let policy = |it: &trunkline_domain::call::PaidPolicy| {
        json!({
            "type": it.kind,
            "amount": it.amount.to_json_number(),
            "met": it.met,
            "paid": it.paid,
            "condition": it.condition,
        })
    };
    json!({
        "amount": payment.amount.to_json_number(),
        "currency": payment.currency.as_str(),
        "matching_policies": payment.matching_policies,
        "policies": payment.policies.iter().map(policy).collect::<Vec<_>>(),
    })
}
