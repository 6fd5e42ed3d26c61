//! `go_live`, `archive`, `unarchive` and `quick_stats` of an advertiser campaign.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading};
use crate::incoming::Incoming;
use crate::reply::Object;
use crate::resources::campaigns::View;
use crate::routes::{Routes, get, post};
use crate::versions::{Kind, archived_goes_live, get_changes_state};
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, Response};
use serde_json::{Value, json};
use trunkline_domain::campaign::Action;
use trunkline_domain::problem::Problems;
use trunkline_network::{CallTotals, Submitted, calls, campaign_status, unguarded};

pub(super) fn routes() -> Routes {
    const CAMPAIGN: &str = "/api/advertisers/{advertiser}/advertiser_campaigns/{campaign}";
    Routes::new()
        .route(&format!("{CAMPAIGN}/go_live"), get(go_live).post(go_live))
        .route(&format!("{CAMPAIGN}/archive"), get(archive).post(archive))
        .route(&format!("{CAMPAIGN}/unarchive"), post(unarchive))
        .route(&format!("{CAMPAIGN}/quick_stats"), get(quick_stats))
}

type Ids = Path<(String, String)>;

async fn go_live(Path(ids): Ids, mut incoming: Incoming) -> Response<Body> {
    let action = Action::GoLive { from_archive: archived_goes_live(incoming.version) };
    let result = act(ids, action, &mut incoming).await;
    incoming.reply_ok(Kind::Campaign, result)
}

async fn archive(Path(ids): Ids, mut incoming: Incoming) -> Response<Body> {
    let result = act(ids, Action::Archive, &mut incoming).await;
    incoming.reply_ok(Kind::Campaign, result)
}

async fn unarchive(Path(ids): Ids, mut incoming: Incoming) -> Response<Body> {
    let result = act(ids, Action::Unarchive, &mut incoming).await;
    incoming.reply_ok(Kind::Campaign, result)
}

async fn act(
    (advertiser, campaign): (String, String),
    action: Action,
    incoming: &mut Incoming,
) -> Result<Object, Refusal> {
    if incoming.method != Method::POST {
        if !get_changes_state(incoming.version) {
            return Err(Refusal::Method("POST"));
        }
        // A look ahead changes nothing.
        if incoming.method == Method::HEAD {
            return Err(Refusal::Method("GET, POST"));
        }
    }
    // A cookie is for reading, and these GETs are not: any page could have a browser send one.
    if incoming.by_cookie {
        return Err(Refusal::Unauthorized);
    }
    let problems = read_timeout(action, incoming);
    let submitted = Submitted { change: action, problems };
    let view = View::of(incoming);
    // The old GETs know nothing of conditions.
    let guard = match incoming.method {
        Method::POST => incoming.guard(Kind::Campaign, move |campaign| view.render(campaign)),
        _ => unguarded(),
    };
    incoming
        .write(move |session, context| {
            campaign_status::act(session, context, &advertiser, &campaign, submitted, &guard)
        })
        .await
        .map(|()| Object::new())
}

/// `timeout` of go_live: seconds to wait for it to be live, in the body or, with GET, the query.
/// Here it is live at once, so the number is only checked.
fn read_timeout(action: Action, incoming: &mut Incoming) -> Problems {
    let mut problems = Problems::new();
    let mut body = incoming.body.take().unwrap_or_default();
    if let Some(said) = incoming.parameter("timeout") {
        body.entry("timeout").or_insert_with(|| Value::String(said.to_owned()));
    }
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    if matches!(action, Action::GoLive { .. }) {
        fields.whole("timeout", 2, 60);
    }
    fields.finish();
    problems
}

/// Calls and their mean duration (seconds), in days of the campaign's zone.
async fn quick_stats(Path((advertiser, campaign)): Ids, incoming: Incoming) -> Response<Body> {
    let found = incoming
        .read(|session, context| calls::quick_stats(session, context, &advertiser, &campaign));
    let object = found.map(|stats| {
        let stats = json!({
            "today": render_totals(stats.today),
            "last_7days": render_totals(stats.last_7_days),
            "last_30days": render_totals(stats.last_30_days),
        });
        Object::from_iter([("stats".to_owned(), stats)])
    });
    incoming.reply(Kind::Plain, object)
}

fn render_totals(totals: CallTotals) -> Value {
    let mean = if totals.calls == 0 { 0.0 } else { totals.seconds as f64 / totals.calls as f64 };
    json!({"call_count": totals.calls, "call_avg_total_duration": mean})
}
