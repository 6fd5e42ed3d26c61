//! `statements`: amounts that an advertiser owes for a month, or that an affiliate is owed, as JSON
//! or CSV.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_response::Object;
use crate::path_prefix::Format;
use crate::routes::{Routes, get};
use crate::table::{Cell, CsvStyle, Table};
use crate::versions::ResourceKind;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Response, header};
use jiff::civil::Date;
use serde_json::{Number, Value, json};
use trunkline_domain::party::PartyKind;
use trunkline_domain::problem::{BLANK, INVALID, NOT_LISTED};
use trunkline_network::statements::{self, Statement};
use trunkline_network::{Context, Error, StatementLine, StatementTotals, UnitOfWork};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/trunkline/statements/advertisers/{advertiser}", get(show_advertiser_statement))
        .route("/trunkline/statements/affiliates/{affiliate}", get(show_affiliate_statement))
}

async fn show_advertiser_statement(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    show(PartyKind::Advertiser, id, request).await
}

async fn show_affiliate_statement(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    show(PartyKind::Affiliate, id, request).await
}

async fn show(kind: PartyKind, id: String, request: ApiRequest) -> Response<Body> {
    let month = parse_month(request.parameter("month"));
    let csv = parse_csv_style(&request);
    let read = move |unit: &mut UnitOfWork<'_>, context: &Context| {
        // Access is checked first: without it, the problems of the parameters are not reported.
        let valid_month = month.as_ref().copied().unwrap_or_default();
        let statement = statements::get(unit, context, kind, &id, valid_month)?;
        month?;
        Ok((statement, csv?))
    };
    let result: Result<(Statement, CsvStyle), ApiError> = request.read_in_turn(read).await;
    match (result, request.format) {
        (Ok((statement, csv)), Format::Csv) => csv_response(&statement, csv),
        (result, _) => request
            .respond(ResourceKind::Unversioned, result.map(|(statement, _)| render(&statement))),
    }
}

/// Parses the parameter `neutralize` of a CSV response. The other parts of the dialect are fixed.
fn parse_csv_style(request: &ApiRequest) -> Result<CsvStyle, Error> {
    if request.format != Format::Csv {
        return Ok(CsvStyle::default());
    }
    let neutralize = match request.parameter("neutralize") {
        None => request.by_cookie,
        Some("1" | "true") => true,
        Some("0" | "false") => false,
        Some(_) => return Err(Error::invalid_property("neutralize", NOT_LISTED)),
    };
    Ok(CsvStyle { neutralize, ..CsvStyle::default() })
}

/// Parses a month such as `2026-11`, from 1970 to 9998. Returns its first day.
fn parse_month(text: Option<&str>) -> Result<Date, Error> {
    let text = text
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Error::invalid_property("month", BLANK))?;
    let parts = text.split_once('-').filter(|(year, month)| {
        let digits = year.bytes().chain(month.bytes()).all(|byte| byte.is_ascii_digit());
        digits && year.len() == 4 && month.len() == 2
    });
    let date = parts.and_then(|(year, month)| {
        let year: i16 = year.parse().ok().filter(|year| (1970..9999).contains(year))?;
        Date::new(year, month.parse().ok()?, 1).ok()
    });
    date.ok_or_else(|| Error::invalid_property("month", INVALID))
}

fn render(statement: &Statement) -> Object {
    let Statement { party, month, lines, totals } = statement;
    Object::from_iter([
        (format!("{}_id_from_network", party.kind.as_str()), party.external_id.clone().into()),
        (format!("{}_name", party.kind.as_str()), party.name.clone().into()),
        ("month".to_owned(), month.strftime("%Y-%m").to_string().into()),
        ("lines".to_owned(), lines.iter().map(render_line).collect()),
        (
            "totals".to_owned(),
            totals.iter().map(|totals| Value::Object(render_totals(totals))).collect(),
        ),
    ])
}

fn render_line(line: &StatementLine) -> Value {
    let mut object = Object::from_iter([
        (
            "advertiser_campaign_id_from_network".to_owned(),
            line.campaign.external_id.clone().into(),
        ),
        ("advertiser_campaign_name".to_owned(), line.campaign.name.clone().into()),
    ]);
    object.extend(render_totals(&line.totals));
    Value::Object(object)
}

fn render_totals(totals: &StatementTotals) -> Object {
    Object::from_iter([
        ("currency".to_owned(), totals.currency.map(|currency| currency.as_str()).into()),
        ("calls".to_owned(), totals.calls.into()),
        ("paid_calls".to_owned(), totals.paid_calls.into()),
        ("amount".to_owned(), cents_to_json(totals.amount)),
        (
            "corrections".to_owned(),
            json!({"count": totals.corrections, "difference": cents_to_json(totals.difference)}),
        ),
    ])
}

/// Formats cents as a decimal number with two decimals: `-7.50`.
fn format_cents(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// Returns cents as a JSON number in the form of other amounts: `7.0`, `4.5`, `2.75`.
fn cents_to_json(cents: i64) -> Value {
    let text = format_cents(cents);
    let shortened = text.strip_suffix('0').unwrap_or(&text);
    shortened.parse::<Number>().map(Value::Number).unwrap_or_default()
}

/// Returns the lines of a statement as CSV, without the totals.
fn csv_response(statement: &Statement, csv: CsvStyle) -> Response<Body> {
    let columns = [
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
    let columns = columns.iter().map(ToString::to_string).collect();
    let table = Table::new((Format::Csv, csv), columns, ("statement", "line"));
    let month = statement.month.strftime("%Y-%m").to_string();
    let row = |StatementLine { campaign, totals }: &StatementLine| {
        vec![
            Cell::Text(month.clone()),
            Cell::Text(campaign.external_id.clone()),
            Cell::Text(campaign.name.clone()),
            Cell::Text(
                totals.currency.map(|totals| totals.as_str().to_owned()).unwrap_or_default(),
            ),
            Cell::Integer(Some(totals.calls)),
            Cell::Integer(Some(totals.paid_calls)),
            Cell::Text(format_cents(totals.amount)),
            Cell::Integer(Some(totals.corrections)),
            Cell::Text(format_cents(totals.difference)),
        ]
    };
    let rows: Vec<_> = statement.lines.iter().map(row).collect();
    let mut response =
        Response::new(Body::from([table.render_start(), table.render_rows(&rows, true)].concat()));
    response.headers_mut().insert(header::CONTENT_TYPE, table.content_type());
    response
}
