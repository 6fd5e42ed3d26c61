//! `networks/transactions`, `advertisers/transactions`, `affiliates/transactions`: the ledger of a
//! network, of an advertiser and of an affiliate, as JSON, CSV or XML.

pub(crate) mod columns;
mod query;

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_response::Object;
use crate::path_prefix::Format;
use crate::routes::{Routes, get};
use crate::table_response::{Table, TablePage};
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use columns::{Column, LedgerEntry, Viewer};
use query::LedgerQuery;
use trunkline_domain::party::PartyKind;
use trunkline_domain::timezone::TimeZoneName;
use trunkline_network::transactions::{self, Ledger};
use trunkline_network::{Error, LedgerRow, networks};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/api/networks/transactions/{network}", get(list_network_ledger))
        .route("/api/advertisers/transactions/{advertiser}", get(list_advertiser_ledger))
        .route("/api/affiliates/transactions/{affiliate}", get(list_affiliate_ledger))
}

async fn list_network_ledger(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    // The path may have a network in its prefix, too. Both must be the principal's.
    if id != request.context.principal.network_id.to_string() {
        let error = Error::NotFound(format!("Network {id}"));
        return ApiError::UseCase(error).into_response(&request.app);
    }
    list_ledger(request, Viewer::Network, Ledger::Network)
}

async fn list_advertiser_ledger(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    list_ledger(request, Viewer::Advertiser, Ledger::Party(PartyKind::Advertiser, id))
}

async fn list_affiliate_ledger(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    list_ledger(request, Viewer::Affiliate, Ledger::Party(PartyKind::Affiliate, id))
}

fn list_ledger(request: ApiRequest, viewer: Viewer, ledger: Ledger) -> Response<Body> {
    // Access is checked first: without it, the problems of the query are not reported.
    let viewer = request.read(|unit, context| {
        transactions::resolve_scope(unit, context, &ledger)?;
        let settings = networks::of_principal(unit, context)?.settings;
        let shows_callers = viewer == Viewer::Affiliate && settings.affiliates_see_caller_id;
        Ok(if shows_callers { Viewer::AffiliateWithCallers } else { viewer })
    });
    let viewer = match viewer {
        Ok(viewer) => viewer,
        Err(error) => return error.into_response(&request.app),
    };
    let query = match LedgerQuery::read(&request, viewer) {
        Ok(query) => query,
        Err(problems) => {
            return ApiError::UseCase(problems.into()).into_response(&request.app);
        }
    };
    let zone = request.network.time_zone;
    let LedgerQuery { mut filter, mut includes_calls, mut after, limit, columns, csv } = query;
    if filter.from.is_some() {
        let bounds =
            request.read(|unit, context| transactions::id_bounds(unit, context, &ledger, &filter));
        match bounds {
            Ok(Some(ids)) => {
                after = after.max(ids.start().get() - 1);
                filter.until = Some(*ids.end());
            }
            Ok(None) => includes_calls = false,
            Err(error) => return error.into_response(&request.app),
        }
    }
    let table = table(request.format, csv, &columns);
    request.respond_table(table, after, limit, move |unit, context, page| {
        if !includes_calls {
            return Ok(TablePage { rows: Vec::new(), next_cursor: None });
        }
        let ledger_rows = transactions::list(unit, context, &ledger, &filter, page)?;
        let is_full = u32::try_from(ledger_rows.len()).is_ok_and(|count| count == page.limit);
        let next_cursor =
            ledger_rows.last().map(|row| row.transaction.id.get()).filter(|_| is_full);
        let rows = ledger_rows.iter().map(|row| cells(row, (viewer, zone), &columns));
        Ok(TablePage { rows: rows.collect(), next_cursor })
    })
}

fn table(
    format: Format,
    csv: crate::table_response::CsvStyle,
    columns: &[&'static Column],
) -> Table {
    Table {
        format,
        csv,
        columns: columns.iter().map(|(name, ..)| *name).collect(),
        table_element: "transactions",
        row_element: "transaction",
    }
}

fn cells(
    row: &LedgerRow,
    (viewer, zone): (Viewer, TimeZoneName),
    columns: &[&'static Column],
) -> Vec<crate::table_response::Cell> {
    let entry = LedgerEntry { row, viewer, zone };
    columns.iter().map(|(_, _, value)| value(&entry)).collect()
}

/// Renders a row with the network's default columns.
pub(super) fn render(row: &LedgerRow, zone: TimeZoneName) -> Object {
    let columns: Vec<&'static Column> = columns::default_columns(Viewer::Network).collect();
    let cells = cells(row, (Viewer::Network, zone), &columns);
    table(Format::Json, Default::default(), &columns).row_to_object(&cells)
}
