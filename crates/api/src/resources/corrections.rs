//! `transactions/<id>/corrections` and `transactions/<id>/explanation`.

use crate::errors::Refusal;
use crate::fields::{Fields, Reading, TEXT_LIMIT};
use crate::incoming::Incoming;
use crate::reply::Object;
use crate::resources::{decision, facts, transactions};
use crate::routes::{Routes, get, post};
use crate::versions::Kind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use serde_json::{Map, Value, json};
use trunkline_domain::money::Money;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_domain::text;
use trunkline_network::corrections::{self, CorrectionChange, FactsChange};
use trunkline_network::explanations::{self, Explained};
use trunkline_network::{LedgerRow, Submitted};

/// Characters of a reason.
const REASON: usize = 1_000;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/transactions/{transaction}/corrections", post(correct))
        .route("/trunkline/transactions/{transaction}/explanation", get(explain))
}

async fn correct(Path(id): Path<String>, mut incoming: Incoming) -> Response<Body> {
    let result = take(id, &mut incoming).await;
    let zone = incoming.network.time_zone;
    let shown = result.map(|row| {
        let mut object = transactions::render(&row, zone);
        let correction = row.transaction.settlement.correction;
        object.insert("reason".to_owned(), correction.map(|it| it.reason).into());
        object
    });
    incoming.reply(Kind::Plain, shown)
}

async fn take(id: String, incoming: &mut Incoming) -> Result<LedgerRow, Refusal> {
    let key = incoming.idempotency_key()?;
    let body = incoming.take_body()?;
    let mut problems = Problems::new();
    let reading = Reading { problems: &mut problems, ignored: &mut incoming.ignored };
    let mut fields = Fields::new(&body, reading);
    let change = CorrectionChange {
        reason: read_reason(&mut fields),
        facts: match fields.hash("call") {
            Some(Some(map)) => Some(read_facts(map, fields.below("call"))),
            _ => None,
        },
        payin: read_amount(&mut fields, "advertiser_payin"),
        payout: read_amount(&mut fields, "affiliate_payout"),
    };
    fields.finish();
    let submitted = Submitted { change, problems };
    incoming
        .write(move |session, context| {
            corrections::correct(session, context, &id, submitted, key.as_ref())
        })
        .await
}

fn read_reason(fields: &mut Fields<'_>) -> Option<String> {
    let said = fields.text("reason", REASON)?.filter(|said| !text::is_blank(said));
    if said.is_none() {
        fields.wrong("reason", BLANK);
    }
    said
}

/// An amount that is set by hand; null sets none.
fn read_amount(fields: &mut Fields<'_>, name: &'static str) -> Option<Money> {
    if fields.value(name)?.is_null() {
        return None;
    }
    fields.money(name)
}

/// The facts that are to be others, spelled as in a dry run; null makes one unknown.
fn read_facts(map: &Map<String, Value>, reading: Reading<'_>) -> FactsChange {
    let mut fields = Fields::new(map, reading);
    // A call at another time, or to another number, is another call.
    for fixed in ["start_time", "promo_number"] {
        if fields.value(fixed).is_some() {
            fields.wrong(fixed, "cannot be corrected");
        }
    }
    let keys = fields.has("keypresses").then(|| facts::read_keys(&mut fields));
    let phone_type = fields.has("phone_type").then(|| facts::read_phone_type(&mut fields));
    let custom_data = match fields.value("custom_data") {
        Some(Value::Null) => Some(None),
        _ => fields.custom_data().map(Some),
    };
    let mut text = |name| {
        let said = fields.text(name, TEXT_LIMIT)?;
        Some(said.filter(|said| !said.is_empty()))
    };
    let (country, region, city, zip) = (text("country"), text("region"), text("city"), text("zip"));
    let change = FactsChange {
        calling_phone_number: fields.phone("calling_phone_number"),
        duration: fields.whole("duration", 0, facts::SECONDS),
        connect_duration: fields.whole("connect_duration", 0, facts::SECONDS),
        phone_type,
        country,
        region,
        city,
        zip,
        repeat: fields.boolean("repeat"),
        sms_sent: fields.boolean("sms_sent"),
        custom_data,
        keys,
    };
    fields.finish();
    change
}

async fn explain(Path(id): Path<String>, incoming: Incoming) -> Response<Body> {
    let found = incoming.read(|session, context| explanations::explain(session, context, &id));
    incoming.reply(Kind::Plain, found.map(|it| render(&it)))
}

/// What a dry run says, and what a correction says of itself.
fn render(it: &Explained) -> Object {
    let mut object = decision::render(&it.run);
    let correction = it.correction.as_ref().map(|(corrected, it)| {
        json!({
            "corrects_transaction_id": corrected.to_string(),
            "reason": it.reason,
            "advertiser_payin_is_set": it.payin_is_set,
            "affiliate_payout_is_set": it.payout_is_set,
        })
    });
    object.insert("correction".to_owned(), correction.into());
    object
}
