//! `replay`: prices stored calls by the current and by the future terms.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_reader::{ObjectReader, ReadContext, TEXT_LIMIT};
use crate::object_response::Object;
use crate::resources::money;
use crate::routes::{Routes, post};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use trunkline_domain::call::Outcome;
use trunkline_domain::problem::Problems;
use trunkline_network::replay::{self, ChangedCall, Replay, ReplayRequest, ReplayTotals};
use trunkline_network::{Error, Submission};

pub(super) fn routes() -> Routes {
    Routes::new().route("/trunkline/replay", post(replay_calls))
}

async fn replay_calls(mut request: ApiRequest) -> Response<Body> {
    let result = run_replay(&mut request).await.map(|replay| render(&replay));
    request.respond_ok(ResourceKind::Unversioned, result)
}

/// Stops the replay when the request is dropped, for example because its client disconnected.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn run_replay(request: &mut ApiRequest) -> Result<Replay, ApiError> {
    let submitted = read(request)?;
    // A replay uses every processor, so one runs at a time.
    let permit = request.app.replay_permits.clone().acquire_owned().await;
    let permit = permit.map_err(|error| Error::Internal(format!("replay: {error}")))?;
    request.read(|_, _| Ok(()))?;
    let store = request.app.store.clone();
    let context = request.context.clone();
    let stop_on_drop = StopOnDrop(Arc::default());
    let stopped = Arc::clone(&stop_on_drop.0);
    let work = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        replay::replay(&store, &context, submitted, &stopped)
    });
    let result = work.await.map_err(|error| Error::Internal(format!("replay: {error}")))?;
    Ok(result?)
}

fn read(request: &mut ApiRequest) -> Result<Submission<ReplayRequest>, ApiError> {
    let body = request.take_body()?;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = ReplayRequest {
        campaign: reader.id("advertiser_campaign"),
        from: reader.text("from", TEXT_LIMIT).flatten(),
        to: reader.text("to", TEXT_LIMIT).flatten(),
    };
    reader.finish();
    Ok(Submission { change, problems })
}

fn render(replay: &Replay) -> Object {
    let with_payout = replay.includes_payout;
    let render_changed = |call: &ChangedCall| {
        json!({
            "complete_call_id": call.complete_call_id,
            "current": render_call(call.current.0, call.current.1, with_payout),
            "future": render_call(call.future.0, call.future.1, with_payout),
        })
    };
    Object::from_iter([
        ("calls".to_owned(), replay.calls.into()),
        ("current".to_owned(), render_totals(replay.current, with_payout)),
        ("future".to_owned(), render_totals(replay.future, with_payout)),
        ("changed".to_owned(), replay.changed.iter().map(render_changed).collect()),
        ("changed_total".to_owned(), replay.changed_total.into()),
    ])
}

fn render_call(outcome: Option<Outcome>, totals: ReplayTotals, with_payout: bool) -> Value {
    let mut object = render_totals(totals, with_payout);
    object["outcome"] = json!(outcome);
    object
}

/// Renders the totals of both sides, and the margin if the payout is visible.
fn render_totals(totals: ReplayTotals, with_payout: bool) -> Value {
    let margin = if with_payout { money::margin(totals.payin, totals.payout) } else { Value::Null };
    json!({
        "advertiser_payin": money::render(totals.payin),
        "affiliate_payout": money::render(totals.payout),
        "margin": margin,
    })
}
