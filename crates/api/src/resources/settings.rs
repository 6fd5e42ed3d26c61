//! `settings`: the settings of the network.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::routes::{Routes, get};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::http::Response;
use serde_json::json;
use trunkline_domain::money::Currency;
use trunkline_domain::party::{
    MAX_CALLERS_PER_HOUR, MAX_NUMBER_QUARANTINE_DAYS, MAX_PROMPT_CHARS, MAX_RECORDING_DAYS,
};
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_domain::text;
use trunkline_domain::timezone::TimeZoneName;
use trunkline_network::settings::{self, Settings, SettingsChange};
use trunkline_network::{Context, Submission, UnitOfWork};

pub(super) fn routes() -> Routes {
    Routes::new().route("/trunkline/settings", get(show).put(put))
}

async fn show(request: ApiRequest) -> Response<Body> {
    let result = request.read_one(settings::get).await;
    request.respond(ResourceKind::Unversioned, result.map(|settings| render(&settings)))
}

async fn put(mut request: ApiRequest) -> Response<Body> {
    let result = put_settings(&mut request).await;
    request.respond(ResourceKind::Unversioned, result.map(|settings| render(&settings)))
}

async fn put_settings(request: &mut ApiRequest) -> Result<Settings, ApiError> {
    let body = request.take_body()?;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let change = SettingsChange {
        time_zone: reader.enum_value("time_zone", TimeZoneName::parse),
        auto_generate_ids: read_boolean(&mut reader, "auto_generate_ids"),
        currency: reader.enum_value("currency", Currency::parse),
        number_quarantine_days: read_integer(
            &mut reader,
            "number_quarantine_days",
            0,
            MAX_NUMBER_QUARANTINE_DAYS,
        ),
        affiliates_see_caller_id: read_boolean(&mut reader, "affiliates_see_caller_id"),
        affiliates_hear_recordings: read_boolean(&mut reader, "affiliates_hear_recordings"),
        recording_days: read_integer(&mut reader, "recording_days", 1, MAX_RECORDING_DAYS),
        recorded_prompt: read_prompt(&mut reader, "recorded_prompt"),
        unassigned_number_prompt: read_prompt(&mut reader, "unassigned_number_prompt"),
        callers_per_hour: reader.integer("callers_per_hour", 1, MAX_CALLERS_PER_HOUR),
    };
    reader.finish();
    let submitted = Submission { change, problems };
    let precondition = request.precondition(ResourceKind::Unversioned, render);
    let write = move |unit: &mut UnitOfWork<'_>, context: &Context| {
        settings::put(unit, context, submitted, &precondition)
    };
    let settings = request.write(write).await?;
    request.app.credential_cache.clear();
    Ok(settings)
}

fn read_boolean(reader: &mut ObjectReader<'_>, name: &'static str) -> Option<bool> {
    let value = reader.boolean(name)?;
    if value.is_none() {
        reader.error(name, BLANK);
    }
    value
}

fn read_integer(
    reader: &mut ObjectReader<'_>,
    name: &'static str,
    min: u32,
    max: u32,
) -> Option<u32> {
    let value = reader.integer(name, min, max)?;
    if value.is_none() {
        reader.error(name, BLANK);
    }
    value
}

fn read_prompt(reader: &mut ObjectReader<'_>, name: &'static str) -> Option<String> {
    let prompt = reader.text(name, MAX_PROMPT_CHARS)?;
    let prompt = prompt.filter(|prompt| !text::is_blank(prompt));
    if prompt.is_none() {
        reader.error(name, BLANK);
    }
    prompt
}

fn render(settings: &Settings) -> Object {
    let Settings { time_zone, auto_generate_ids, other } = settings;
    Object::from_iter([
        ("time_zone".to_owned(), json!(time_zone.name())),
        ("currency".to_owned(), json!(other.currency)),
        ("auto_generate_ids".to_owned(), json!(auto_generate_ids)),
        ("number_quarantine_days".to_owned(), json!(other.number_quarantine_days)),
        ("affiliates_see_caller_id".to_owned(), json!(other.affiliates_see_caller_id)),
        ("affiliates_hear_recordings".to_owned(), json!(other.affiliates_hear_recordings)),
        ("recording_days".to_owned(), json!(other.recording_days)),
        ("recorded_prompt".to_owned(), json!(other.recorded_prompt)),
        ("unassigned_number_prompt".to_owned(), json!(other.unassigned_number_prompt)),
        ("callers_per_hour".to_owned(), json!(other.callers_per_hour)),
    ])
}
