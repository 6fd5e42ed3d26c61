//! `transactions/<id>/corrections` and `transactions/<id>/explanation`: correct and explain a
//! transaction.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_reader::{ObjectReader, ReadContext, TEXT_LIMIT};
use crate::object_response::Object;
use crate::resources::{call_facts, decision, transactions};
use crate::routes::{Routes, get, post};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::{Map, Value, json};
use trunkline_domain::money::Money;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_domain::text;
use trunkline_network::call_moves::PartiesChange;
use trunkline_network::corrections::{self, CorrectionChange, FactsChange};
use trunkline_network::explanations::{self, Explanation};
use trunkline_network::{LedgerRow, Submission};

/// Message for a property that a correction does not take.
const NOT_CORRECTABLE: &str = "cannot be corrected";
/// Maximum length of a reason, in characters.
const MAX_REASON_CHARACTERS: usize = 1_000;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/transactions/{transaction}/corrections", post(correct))
        .route("/trunkline/transactions/{transaction}/explanation", get(show_explanation))
}

async fn correct(Path(id): Path<String>, mut request: ApiRequest) -> Response<Body> {
    let result = create_correction(id, &mut request).await;
    let zone = request.network.time_zone;
    let base_url = &request.app.base_url;
    let result = result.map(|row| {
        let mut object = transactions::render(&row, zone, base_url);
        let correction = row.transaction.settlement.correction;
        object.insert("reason".to_owned(), correction.map(|correction| correction.reason).into());
        object
    });
    request.respond(ResourceKind::Unversioned, result)
}

async fn create_correction(id: String, request: &mut ApiRequest) -> Result<LedgerRow, ApiError> {
    let key = request.idempotency_key()?;
    let body = request.take_body()?;
    let mut problems = Problems::new();
    let read_context = ReadContext { problems: &mut problems, ignored: &mut request.ignored };
    let mut reader = ObjectReader::new(&body, read_context);
    let mut change = CorrectionChange {
        reason: read_reason(&mut reader),
        facts: None,
        parties: PartiesChange::default(),
        payin: read_amount(&mut reader, "advertiser_payin"),
        payout: read_amount(&mut reader, "affiliate_payout"),
    };
    if let Some(Some(map)) = reader.object("call") {
        let (facts, parties) = read_call(map, reader.child("call"));
        change.facts = Some(facts);
        change.parties = parties;
    }
    reader.finish_rejecting(NOT_CORRECTABLE);
    let submitted = Submission { change, problems };
    request
        .write(move |unit, context| {
            corrections::correct(unit, context, &id, submitted, key.as_ref())
        })
        .await
}

pub(super) fn read_reason(reader: &mut ObjectReader<'_>) -> Option<String> {
    let value =
        reader.text("reason", MAX_REASON_CHARACTERS)?.filter(|value| !text::is_blank(value));
    if value.is_none() {
        reader.error("reason", BLANK);
    }
    value
}

/// Reads an amount that replaces the calculated one; null counts as absent.
fn read_amount(reader: &mut ObjectReader<'_>, name: &'static str) -> Option<Money> {
    if reader.value(name)?.is_null() {
        return None;
    }
    reader.money(name)
}

/// Reads the facts and parties to be corrected, with the names of a dry run; null makes a fact
/// unknown. The start and the sender's id identify the call, so they are among the properties that
/// cannot be corrected.
fn read_call(
    map: &Map<String, Value>,
    read_context: ReadContext<'_>,
) -> (FactsChange, PartiesChange) {
    let mut reader = ObjectReader::new(map, read_context);
    if reader.value("advertiser_campaign").is_some_and(Value::is_null) {
        reader.error("advertiser_campaign", BLANK);
    }
    let parties = PartiesChange {
        campaign: reader.id("advertiser_campaign"),
        affiliate: reader.optional_id("affiliate"),
        promo_number: reader.phone("promo_number"),
    };
    let keys = reader.is_present("keypresses").then(|| call_facts::read_keypresses(&mut reader));
    let phone_type =
        reader.is_present("phone_type").then(|| call_facts::read_phone_type(&mut reader));
    let custom_data = match reader.value("custom_data") {
        Some(Value::Null) => Some(None),
        _ => reader.custom_data().map(Some),
    };
    let mut text = |name| {
        let value = reader.text(name, TEXT_LIMIT)?;
        Some(value.filter(|value| !value.is_empty()))
    };
    let country = text("country");
    let region = text("region");
    let city = text("city");
    let zip = text("zip");
    let change = FactsChange {
        caller_id: reader.caller_id("calling_phone_number"),
        duration: reader.integer("duration", 0, call_facts::MAX_CALL_SECONDS),
        connect_duration: reader.integer("connect_duration", 0, call_facts::MAX_CALL_SECONDS),
        phone_type,
        country,
        region,
        city,
        zip,
        repeat: reader.boolean("repeat"),
        sms_sent: reader.boolean("sms_sent"),
        custom_data,
        keys,
    };
    reader.finish_rejecting(NOT_CORRECTABLE);
    (change, parties)
}

async fn show_explanation(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    let result = request.read(|unit, context| explanations::explain(unit, context, &id));
    request.respond(ResourceKind::Unversioned, result.map(|explanation| render(&explanation)))
}

/// Renders an explanation: the properties of a dry run, and the correction if there is one.
fn render(explanation: &Explanation) -> Object {
    let mut object = decision::render(&explanation.dry_run);
    let correction = explanation.correction.as_ref().map(|(corrected_id, correction)| {
        json!({
            "corrects_transaction_id": corrected_id.to_string(),
            "reason": correction.reason,
            "advertiser_payin_is_set": correction.payin_set_manually,
            "affiliate_payout_is_set": correction.payout_set_manually,
        })
    });
    object.insert("correction".to_owned(), correction.into());
    object
}
