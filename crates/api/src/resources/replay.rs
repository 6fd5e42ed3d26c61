//! `replay`: prices stored calls by the current and by the future terms. `redecide`: decides them again
//! by what is known today.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_reader::{ObjectReader, ReadContext, TEXT_LIMIT};
use crate::object_response::Object;
use crate::resources::{corrections, money};
use crate::routes::{Routes, post};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use trunkline_domain::id::AuditEntryId;
use trunkline_domain::problem::Problems;
use trunkline_network::redecide::{self, RedecideRequest, RedecidedCall, Redecision};
use trunkline_network::replay::{
    self, CallResult, ChangedCall, Replay, ReplayRequest, ReplayTotals,
};
use trunkline_network::{Context, StopOnDrop, Submission, UnitOfWork};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/replay", post(replay_calls))
        .route("/trunkline/redecide", post(redecide_calls))
}

async fn replay_calls(mut request: ApiRequest) -> Response<Body> {
    let result = run_replay(&mut request).await.map(|replay| render(&replay));
    request.respond_ok(ResourceKind::Unversioned, result)
}

async fn run_replay(request: &mut ApiRequest) -> Result<Replay, ApiError> {
    let submitted = read(request)?;
    let tenant = request.context.principal.tenant();
    let _permit = request.app.work_limits.expensive.acquire(tenant)?;
    let store = request.app.store.clone();
    let context = request.context.clone();
    let credential_guard = request.credential_guard.clone();
    let work = move |stopped: &Arc<AtomicBool>| {
        store.read(|unit| credential_guard.revalidate(unit))?;
        replay::replay(&store, &context, submitted, stopped)
    };
    Ok(request.app.work_limits.replays.run(tenant, work).await?)
}

fn read(request: &mut ApiRequest) -> Result<Submission<ReplayRequest>, ApiError> {
    let body = request.take_body()?;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = read_range(&mut reader);
    reader.finish();
    Ok(Submission { change, problems })
}

/// Reads the campaign and the days.
fn read_range(reader: &mut ObjectReader<'_>) -> ReplayRequest {
    ReplayRequest {
        campaign: reader.id("advertiser_campaign"),
        from: reader.text("from", TEXT_LIMIT).flatten(),
        to: reader.text("to", TEXT_LIMIT).flatten(),
    }
}

fn render(replay: &Replay) -> Object {
    let with_payout = replay.includes_payout;
    let render_changed = |call: &ChangedCall| {
        json!({
            "complete_call_id": call.complete_call_id,
            "current": render_call(call.current, with_payout),
            "future": render_call(call.future, with_payout),
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

fn render_call(result: CallResult, with_payout: bool) -> Value {
    let mut object = render_totals(result.payments, with_payout);
    object["outcome"] = json!(result.outcome);
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

async fn redecide_calls(mut request: ApiRequest) -> Response<Body> {
    match run_redecision(&mut request).await {
        Ok(AnsweredRedecision { redecision, is_applied: true }) => {
            request.respond(ResourceKind::Unversioned, Ok(render_redecision(&redecision)))
        }
        Ok(AnsweredRedecision { redecision, is_applied: false }) => {
            request.respond_ok(ResourceKind::Unversioned, Ok(render_redecision(&redecision)))
        }
        Err(error) => request.respond(ResourceKind::Unversioned, Err(error)),
    }
}

/// Redecision with its effect.
struct AnsweredRedecision {
    redecision: Redecision,
    /// True if corrections were written.
    is_applied: bool,
}

/// Runs the redecision, and applies it if the request says so.
async fn run_redecision(request: &mut ApiRequest) -> Result<AnsweredRedecision, ApiError> {
    let submitted = read_redecision(request)?;
    let apply = submitted.change.apply;
    let tenant = request.context.principal.tenant();
    let work_limits = Arc::clone(&request.app.work_limits);
    let _permit = work_limits.expensive.acquire(tenant)?;
    if apply {
        let turn = work_limits.replays.wait_for_turn(tenant).await?;
        let stop_on_drop = StopOnDrop::default();
        let stopped = stop_on_drop.flag();
        let write = move |unit: &mut UnitOfWork<'_>, context: &Context| {
            let _turn = turn;
            redecide::redecide(unit, context, submitted, &stopped)
        };
        let redecision = request.write(write).await?;
        return Ok(AnsweredRedecision { redecision, is_applied: true });
    }
    let (store, context) = (request.app.store.clone(), request.context.clone());
    let credential_guard = request.credential_guard.clone();
    let read = move |stopped: &Arc<AtomicBool>| {
        store.read_until(stopped, |unit| {
            credential_guard.revalidate(unit)?;
            redecide::redecide(unit, &context, submitted, stopped)
        })
    };
    let redecision = work_limits.replays.run(tenant, read).await?;
    Ok(AnsweredRedecision { redecision, is_applied: false })
}

fn read_redecision(request: &mut ApiRequest) -> Result<Submission<RedecideRequest>, ApiError> {
    let body = request.take_body()?;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = RedecideRequest {
        range: read_range(&mut reader),
        apply: reader.boolean("apply").flatten().unwrap_or_default(),
        reason: reader
            .is_present("reason")
            .then(|| corrections::read_reason(&mut reader))
            .flatten(),
    };
    reader.finish();
    Ok(Submission { change, problems })
}

fn render_redecision(result: &Redecision) -> Object {
    let render_changed = |call: &RedecidedCall| {
        json!({
            "complete_call_id": call.complete_call_id,
            "transaction_id": call.transaction_id.to_string(),
            "current": render_call(call.current, true),
            "decided": render_call(call.decided, true),
            "because": call.because,
        })
    };
    Object::from_iter([
        ("calls".to_owned(), result.calls.into()),
        ("current".to_owned(), render_totals(result.current, true)),
        ("decided".to_owned(), render_totals(result.decided, true)),
        ("changed".to_owned(), result.changed.iter().map(render_changed).collect()),
        ("changed_total".to_owned(), result.changed_total.into()),
        ("audit_id".to_owned(), result.audit_id.map(AuditEntryId::get).into()),
    ])
}
