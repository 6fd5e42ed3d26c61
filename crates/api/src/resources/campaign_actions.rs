//! `go_live`, `archive`, `unarchive` and `quick_stats` of an advertiser campaign.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::resources::campaigns::CampaignPresenter;
use crate::routes::{Routes, get, post};
use crate::versions::{ResourceKind, archived_goes_live, get_changes_state};
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, Response};
use serde_json::{Value, json};
use trunkline_domain::campaign::CampaignAction;
use trunkline_domain::problem::Problems;
use trunkline_network::{
    CallTotals, PathObject, Submission, campaign_status, no_precondition, quick_stats,
    with_internal_ids,
};

pub(super) fn routes() -> Routes {
    const CAMPAIGN: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}";
    Routes::new()
        .route(&format!("{CAMPAIGN}/go_live"), get(go_live).post(go_live))
        .route(&format!("{CAMPAIGN}/archive"), get(archive).post(archive))
        .route(&format!("{CAMPAIGN}/unarchive"), post(unarchive))
        .route(&format!("{CAMPAIGN}/quick_stats"), get(show_quick_stats))
}

/// Ids of the advertiser and of the campaign in the path.
type PathIds = Path<(String, String)>;

async fn go_live(Path(ids): PathIds, mut request: ApiRequest) -> Response<Body> {
    let action = CampaignAction::GoLive { from_archive: archived_goes_live(request.version) };
    let result = transition(ids, action, &mut request).await;
    request.respond_ok(ResourceKind::Campaign, result)
}

async fn archive(Path(ids): PathIds, mut request: ApiRequest) -> Response<Body> {
    let result = transition(ids, CampaignAction::Archive, &mut request).await;
    request.respond_ok(ResourceKind::Campaign, result)
}

async fn unarchive(Path(ids): PathIds, mut request: ApiRequest) -> Response<Body> {
    let result = transition(ids, CampaignAction::Unarchive, &mut request).await;
    request.respond_ok(ResourceKind::Campaign, result)
}

async fn transition(
    path: (String, String),
    action: CampaignAction,
    request: &mut ApiRequest,
) -> Result<Object, ApiError> {
    let (advertiser, campaign) = path;
    if request.method != Method::POST {
        if !get_changes_state(request.version) {
            return Err(ApiError::MethodNotAllowed("POST"));
        }
        // HEAD must not change state.
        if request.method == Method::HEAD {
            return Err(ApiError::MethodNotAllowed("GET, POST"));
        }
    }
    // These GETs change state, and other sites can make a browser send its cookie with a GET.
    if request.by_cookie {
        return Err(ApiError::Unauthorized);
    }
    let problems = read_timeout(action, request);
    let submitted = Submission { change: action, problems };
    let presenter = CampaignPresenter::from_request(request);
    // The GETs of older versions have no preconditions.
    let precondition = match request.method {
        Method::POST => {
            request.precondition(ResourceKind::Campaign, move |campaign| presenter.render(campaign))
        }
        _ => no_precondition(),
    };
    request
        .write(move |unit, context| {
            campaign_status::apply_action(
                unit,
                context,
                &advertiser,
                &campaign,
                submitted,
                &precondition,
            )
        })
        .await
        .map(|()| Object::new())
}

/// Reads `timeout` of `go_live`: seconds to wait until the campaign is live, in the body or the query.
/// A campaign goes live at once here, so the number is only validated.
fn read_timeout(action: CampaignAction, request: &mut ApiRequest) -> Problems {
    let mut problems = Problems::new();
    let mut body = request.body.take().unwrap_or_default();
    if let Some(timeout) = request.parameter("timeout") {
        body.entry("timeout").or_insert_with(|| Value::String(timeout.to_owned()));
    }
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    if matches!(action, CampaignAction::GoLive { .. }) {
        reader.integer("timeout", 2, 60);
    }
    reader.finish();
    problems
}

/// Returns the numbers of calls and their mean duration in seconds, by days of the campaign's time
/// zone.
async fn show_quick_stats(
    Path((advertiser, campaign)): PathIds,
    request: ApiRequest,
) -> Response<Body> {
    let result = request.read(|unit, context| {
        let segments = [
            (PathObject::Advertiser, advertiser.as_str()),
            (PathObject::Campaign, campaign.as_str()),
        ];
        with_internal_ids(unit, context, segments, |unit, [advertiser, campaign]| {
            quick_stats::quick_stats(unit, context, advertiser, campaign)
        })
    });
    let object = result.map(|stats| {
        let stats = json!({
            "today": render_totals(stats.today),
            "last_7days": render_totals(stats.last_7_days),
            "last_30days": render_totals(stats.last_30_days),
        });
        Object::from_iter([("stats".to_owned(), stats)])
    });
    request.respond(ResourceKind::Unversioned, object)
}

fn render_totals(totals: CallTotals) -> Value {
    let mean = match totals.timed_calls {
        0 => 0.0,
        timed_calls => totals.seconds as f64 / timed_calls as f64,
    };
    json!({"call_count": totals.calls, "call_avg_total_duration": mean})
}
