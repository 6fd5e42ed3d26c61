//! `statements`: what an advertiser owes for a month, or an affiliate is owed, as JSON or CSV.

use crate::errors::Refusal;
use crate::incoming::Incoming;
use crate::path::Format;
use crate::reply::Object;
use crate::routes::{Routes, get};
use crate::table::{Cell, CsvStyle, Table};
use crate::versions::Kind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Response, header};
use jiff::civil::Date;
use serde_json::{Number, Value, json};
use trunkline_domain::party::PartyKind;
use trunkline_domain::problem::{BLANK, INVALID};
use trunkline_network::statements::{self, Statement};
use trunkline_network::{Error, StatementLine, StatementTotals};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/statements/advertisers/{advertiser}", get(of_advertiser))
        .route("/trunkline/statements/affiliates/{affiliate}", get(of_affiliate))
}

async fn of_advertiser(Path(id): Path<String>, incoming: Incoming) -> Response<Body> {
    show(PartyKind::Advertiser, &id, incoming)
}

async fn of_affiliate(Path(id): Path<String>, incoming: Incoming) -> Response<Body> {
    show(PartyKind::Affiliate, &id, incoming)
}

fn show(kind: PartyKind, id: &str, incoming: Incoming) -> Response<Body> {
    let found: Result<Statement, Refusal> = incoming.read(|session, context| {
        let month = month(incoming.parameter("month"));
        // Who may not see the party is not told what is wrong with their question.
        let asked = month.as_ref().copied().unwrap_or_default();
        let found = statements::statement(session, context, kind, id, asked)?;
        month.map(|_| found)
    });
    match (found, incoming.format) {
        (Ok(statement), Format::Csv) => csv(&statement),
        (found, _) => incoming.reply(Kind::Plain, found.map(|it| render(&it))),
    }
}

/// `2026-11`, from 1970 to 9998.
fn month(said: Option<&str>) -> Result<Date, Error> {
    let said = said.filter(|said| !said.is_empty()).ok_or_else(|| Error::at("month", BLANK))?;
    let parts = said.split_once('-').filter(|(year, month)| {
        let digits = year.bytes().chain(month.bytes()).all(|byte| byte.is_ascii_digit());
        digits && year.len() == 4 && month.len() == 2
    });
    let date = parts.and_then(|(year, month)| {
        let year: i16 = year.parse().ok().filter(|year| (1970..9999).contains(year))?;
        Date::new(year, month.parse().ok()?, 1).ok()
    });
    date.ok_or_else(|| Error::at("month", INVALID))
}

fn render(statement: &Statement) -> Object {
    let Statement { party, month, lines, totals } = statement;
    Object::from_iter([
        (format!("{}_id_from_network", party.kind.word()), party.id_from_network.clone().into()),
        (format!("{}_name", party.kind.word()), party.name.clone().into()),
        ("month".to_owned(), month.strftime("%Y-%m").to_string().into()),
        ("lines".to_owned(), lines.iter().map(render_line).collect()),
        ("totals".to_owned(), totals.iter().map(|it| Value::Object(render_totals(it))).collect()),
    ])
}

fn render_line(line: &StatementLine) -> Value {
    let mut object = Object::from_iter([
        (
            "advertiser_campaign_id_from_network".to_owned(),
            line.campaign.id_from_network.clone().into(),
        ),
        ("advertiser_campaign_name".to_owned(), line.campaign.name.clone().into()),
    ]);
    object.extend(render_totals(&line.totals));
    Value::Object(object)
}

fn render_totals(it: &StatementTotals) -> Object {
    Object::from_iter([
        ("currency".to_owned(), it.currency.map(|currency| currency.as_str()).into()),
        ("calls".to_owned(), it.calls.into()),
        ("paid_calls".to_owned(), it.paid_calls.into()),
        ("amount".to_owned(), number(it.amount)),
        (
            "corrections".to_owned(),
            json!({"count": it.corrections, "difference": number(it.difference)}),
        ),
    ])
}

/// Cents as a decimal number with two digits after the point: `-7.50`.
fn decimal(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// As money is written elsewhere: `7.0`, `4.5`, `2.75`.
fn number(cents: i64) -> Value {
    let decimal = decimal(cents);
    let short = decimal.strip_suffix('0').unwrap_or(&decimal);
    short.parse::<Number>().map(Value::Number).unwrap_or_default()
}

/// A line each, and no totals: a sum is for whoever reads it.
fn csv(statement: &Statement) -> Response<Body> {
    let columns = vec![
        "month",
        "advertiser_campaign_id_from_network",
        "advertiser_campaign_name",
        "currency",
        "calls",
        "paid_calls",
        "amount",
        "corrections",
        "corrections_difference",
    ];
    let names = ("statement", "line");
    let table = Table { format: Format::Csv, csv: CsvStyle::default(), columns, names };
    let month = statement.month.strftime("%Y-%m").to_string();
    let row = |StatementLine { campaign, totals }: &StatementLine| {
        vec![
            Cell::Text(month.clone()),
            Cell::Text(campaign.id_from_network.clone()),
            Cell::Text(campaign.name.clone()),
            Cell::Text(totals.currency.map(|it| it.as_str().to_owned()).unwrap_or_default()),
            Cell::Whole(Some(totals.calls)),
            Cell::Whole(Some(totals.paid_calls)),
            Cell::Text(decimal(totals.amount)),
            Cell::Whole(Some(totals.corrections)),
            Cell::Text(decimal(totals.difference)),
        ]
    };
    let rows: Vec<_> = statement.lines.iter().map(row).collect();
    let mut response = Response::new(Body::from([table.start(), table.rows(&rows, true)].concat()));
    response.headers_mut().insert(header::CONTENT_TYPE, table.content_type());
    response
}
