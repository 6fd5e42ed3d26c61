//! `dry_run`: an imagined call through a campaign.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading};
use crate::incoming::Incoming;
use crate::resources::{decision, facts};
use crate::routes::{Routes, post};
use crate::versions::Kind;
use axum::body::Body;
use axum::http::Response;
use serde_json::{Map, Value};
use trunkline_domain::call::CallFacts;
use trunkline_domain::problem::Problems;
use trunkline_domain::timezone::ZoneName;
use trunkline_network::Submitted;
use trunkline_network::dry_run::{self, DryRun, Imagined, Which};

pub(super) fn routes() -> Routes {
    Routes::new().route("/trunkline/dry_run", post(run))
}

async fn run(mut incoming: Incoming) -> Response<Body> {
    let result = try_call(&mut incoming).map(|run| decision::render(&run));
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
    imagined.facts = CallFacts {
        start_time: facts::read_time(&mut fields, "start_time", zone),
        duration: fields.whole("duration", 0, facts::SECONDS).flatten(),
        connect_duration: fields.whole("connect_duration", 0, facts::SECONDS).flatten(),
        sms_sent: fields.boolean("sms_sent").flatten(),
        custom_data: fields.custom_data(),
        ..facts::read_caller(&mut fields)
    };
    let CallFacts { duration, connect_duration, .. } = imagined.facts;
    if duration.zip(connect_duration).is_some_and(|(whole, connected)| connected > whole) {
        fields.wrong("connect_duration", "must be less than or equal to duration");
    }
    fields.finish();
}
