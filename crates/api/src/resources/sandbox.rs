//! `sandbox`: a network to try things in: its clock.

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
use trunkline_domain::problem::{NOT_A_NUMBER, Problems};
use trunkline_network::Submitted;
use trunkline_network::sandbox::{self, ADVANCE_LIMIT, Clock, ClockChange};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/sandbox", get(show))
        .route("/trunkline/sandbox/clock", post(set_clock))
        .route("/trunkline/sandbox/reset", post(reset))
}

async fn show(incoming: Incoming) -> Response<Body> {
    let found = incoming.read(sandbox::clock);
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
