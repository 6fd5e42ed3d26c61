//! `sandbox`: a network to try things in: its clock, imagined calls, and a fresh start.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading};
use crate::incoming::Incoming;
use crate::reply::Object;
use crate::resources::facts;
use crate::routes::{Routes, get, post};
use crate::versions::Kind;
use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use trunkline_domain::call::Outcome;
use trunkline_domain::money::Money;
use trunkline_domain::problem::{NOT_A_NUMBER, Problems};
use trunkline_network::Submitted;
use trunkline_network::sandbox::{
    self, ADVANCE_LIMIT, BATCH, CALLS_LIMIT, Clock, ClockChange, DAYS_LIMIT, Tally, Wanted,
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/sandbox", get(show))
        .route("/trunkline/sandbox/clock", post(set_clock))
        .route("/trunkline/sandbox/calls", post(make_calls))
        .route("/trunkline/sandbox/reset", post(reset))
}

async fn show(incoming: Incoming) -> Response<Body> {
    let found = incoming.look(sandbox::clock).await;
    incoming.reply(Kind::Plain, found.map(render_clock))
}

async fn set_clock(mut incoming: Incoming) -> Response<Body> {
    let result = match read_clock(&mut incoming) {
        Ok(said) => {
            incoming.write(move |session, context| sandbox::set_clock(session, context, said)).await
        }
        Err(refusal) => Err(refusal),
    };
    incoming.reply_ok(Kind::Plain, result.map(render_clock))
}

async fn make_calls(mut incoming: Incoming) -> Response<Body> {
    let result = match read_wanted(&mut incoming) {
        Ok(wanted) => store_calls(&incoming, wanted).await,
        Err(refusal) => Err(refusal),
    };
    incoming.reply(Kind::Plain, result)
}

/// Imagines calls and stores them, some at a time: others write in between.
async fn store_calls(incoming: &Incoming, wanted: Submitted<Wanted>) -> Result<Object, Refusal> {
    let calls = incoming.read(|session, context| sandbox::imagine(session, context, wanted))?;
    let calls = Arc::new(calls);
    let mut tally = Tally::default();
    for from in (0..calls.count()).step_by(BATCH) {
        let calls = Arc::clone(&calls);
        let batch = incoming.write(move |session, context| {
            sandbox::take(session, context, &calls, from..from + BATCH)
        });
        tally.add(batch.await?);
    }
    Ok(render_tally(calls.count(), &tally))
}

fn read_wanted(incoming: &mut Incoming) -> Result<Submitted<Wanted>, Refusal> {
    let body = incoming.take_body()?;
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let usual = Wanted::default();
    let mut whole =
        |name, least, most, usual| fields.whole(name, least, most).flatten().unwrap_or(usual);
    let change = Wanted {
        calls: whole("calls", 1, CALLS_LIMIT, usual.calls),
        seed: whole("seed", 0, u32::MAX, usual.seed),
        days: whole("days", 1, DAYS_LIMIT, usual.days),
        campaign: fields.optional_id("advertiser_campaign").flatten(),
    };
    fields.finish();
    Ok(Submitted { change, problems })
}

fn render_tally(calls: usize, tally: &Tally) -> Object {
    let outcomes = Outcome::ALL.map(Outcome::as_str).into_iter();
    let outcomes = outcomes.map(|it| (it, tally.by_outcome.get(it).copied().unwrap_or(0)));
    let money = |sums: &BTreeMap<&str, Money>| -> Object {
        sums.iter().map(|(of, sum)| ((*of).to_owned(), sum.to_json_number().into())).collect()
    };
    let outcomes: Object = outcomes.map(|(it, calls)| (it.to_owned(), calls.into())).collect();
    Object::from_iter([
        ("calls".to_owned(), calls.into()),
        ("stored".to_owned(), tally.stored.into()),
        ("known".to_owned(), tally.known.into()),
        ("connected".to_owned(), tally.connected().into()),
        ("by_outcome".to_owned(), outcomes.into()),
        ("advertiser_payin".to_owned(), money(&tally.payin).into()),
        ("affiliate_payout".to_owned(), money(&tally.payout).into()),
    ])
}

async fn reset(incoming: Incoming) -> Response<Body> {
    let result = incoming.write(sandbox::reset).await;
    incoming.reply_ok(Kind::Plain, result.map(|()| Object::new()))
}

fn read_clock(incoming: &mut Incoming) -> Result<Submitted<Option<ClockChange>>, Refusal> {
    let body = incoming.take_body()?;
    let zone = incoming.network.time_zone;
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let advance = read_advance(&mut fields);
    let now = match fields.value("now") {
        None => None,
        Some(Value::Null) => Some(ClockChange::Release),
        Some(_) => facts::read_time(&mut fields, "now", zone).map(ClockChange::Set),
    };
    if advance.is_some() && fields.has("now") {
        fields.wrong("advance", "can't be given with now");
    }
    fields.finish();
    Ok(Submitted { change: now.or(advance), problems })
}

/// `advance`: whole seconds, negative ones too.
fn read_advance(fields: &mut Fields<'_>) -> Option<ClockChange> {
    let message = match fields.value("advance")? {
        Value::Number(said) => match said.to_string().parse::<i64>() {
            Ok(seconds) if seconds > ADVANCE_LIMIT => {
                format!("must be less than or equal to {ADVANCE_LIMIT}")
            }
            Ok(seconds) if seconds < -ADVANCE_LIMIT => {
                format!("must be greater than or equal to -{ADVANCE_LIMIT}")
            }
            Ok(seconds) => return Some(ClockChange::Advance(seconds)),
            Err(_) => "must be an integer".to_owned(),
        },
        _ => NOT_A_NUMBER.to_owned(),
    };
    fields.wrong("advance", message);
    None
}

fn render_clock(clock: Clock) -> Object {
    Object::from_iter([
        ("sandbox".to_owned(), true.into()),
        ("clock".to_owned(), json!({"now": clock.now.to_string(), "frozen": clock.frozen})),
    ])
}
