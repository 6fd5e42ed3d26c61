//! `replay`: stored calls by the terms in force, and by those that wait.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading, TEXT_LIMIT};
use crate::incoming::Incoming;
use crate::reply::Object;
use crate::resources::money;
use crate::routes::{Routes, post};
use crate::versions::Kind;
use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use trunkline_domain::call::Outcome;
use trunkline_domain::problem::Problems;
use trunkline_network::replay::{self, Asked, Changed, Replay, Sums};
use trunkline_network::{Error, Submitted};

pub(super) fn routes() -> Routes {
    Routes::new().route("/trunkline/replay", post(run))
}

async fn run(mut incoming: Incoming) -> Response<Body> {
    let result = run_again(&mut incoming).await.map(|replay| render(&replay));
    incoming.reply_ok(Kind::Plain, result)
}

/// Ends the work when whoever asked has gone.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn run_again(incoming: &mut Incoming) -> Result<Replay, Refusal> {
    let submitted = read(incoming)?;
    // Each takes every processor: they wait for each other.
    let turn = incoming.app.replays.clone().acquire_owned().await;
    let turn = turn.map_err(|error| Error::Internal(format!("replay: {error}")))?;
    incoming.read(|_, _| Ok(()))?;
    let (store, context) = (incoming.app.store.clone(), incoming.context.clone());
    let stop = Stop(Arc::default());
    let stopped = Arc::clone(&stop.0);
    let work = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        replay::replay(&store, &context, submitted, &stopped)
    });
    let done = work.await.map_err(|error| Error::Internal(format!("replay: {error}")))?;
    Ok(done?)
}

fn read(incoming: &mut Incoming) -> Result<Submitted<Asked>, Refusal> {
    let body = incoming.take_body()?;
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let change = Asked {
        campaign: fields.id("advertiser_campaign"),
        from: fields.text("from", TEXT_LIMIT).flatten(),
        to: fields.text("to", TEXT_LIMIT).flatten(),
    };
    fields.finish();
    Ok(Submitted { change, problems })
}

fn render(replay: &Replay) -> Object {
    let whole = replay.with_payout;
    let changed = |it: &Changed| {
        json!({
            "complete_call_id": it.complete_call_id,
            "current": render_call(it.current, whole),
            "future": render_call(it.future, whole),
        })
    };
    Object::from_iter([
        ("calls".to_owned(), replay.calls.into()),
        ("current".to_owned(), render_sums(replay.current, whole)),
        ("future".to_owned(), render_sums(replay.future, whole)),
        ("changed".to_owned(), replay.changed.iter().map(changed).collect()),
        ("changed_total".to_owned(), replay.changed_total.into()),
    ])
}

fn render_call((outcome, sums): (Option<Outcome>, Sums), whole: bool) -> Value {
    let mut shown = render_sums(sums, whole);
    shown["outcome"] = json!(outcome);
    shown
}

/// A sum of each side; there is a margin where both are told.
fn render_sums(sums: Sums, whole: bool) -> Value {
    let margin = if whole { money::margin(sums.payin, sums.payout) } else { Value::Null };
    json!({
        "advertiser_payin": money::render(sums.payin),
        "affiliate_payout": money::render(sums.payout),
        "margin": margin,
    })
}
