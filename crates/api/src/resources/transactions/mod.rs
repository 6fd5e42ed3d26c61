//! `networks/transactions`, `advertisers/transactions`, `affiliates/transactions`: the ledger as
//! each of the three sees it, as JSON, CSV or XML.

pub(crate) mod columns;
mod query;

use crate::errors::Refusal;
use crate::incoming::Incoming;
use crate::path::Format;
use crate::reply::Object;
use crate::routes::{Routes, get};
use crate::table::{Rows, Table};
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use columns::{Column, Entry, Eyes};
use query::Query;
use trunkline_domain::party::PartyKind;
use trunkline_domain::timezone::ZoneName;
use trunkline_network::transactions::{self, Ledger};
use trunkline_network::{Error, LedgerRow};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/api/networks/transactions/{network}", get(of_network))
        .route("/api/advertisers/transactions/{advertiser}", get(of_advertiser))
        .route("/api/affiliates/transactions/{affiliate}", get(of_affiliate))
}

async fn of_network(Path(id): Path<String>, incoming: Incoming) -> Response<Body> {
    // Where the path names a network in front too, both have to be the same.
    if id != incoming.context.caller.network_id.to_string() {
        let error = Error::NotFound(format!("Network {id}"));
        return Refusal::Refused(error).response(&incoming.app, |_| ());
    }
    list(incoming, Eyes::Network, Ledger::Network)
}

async fn of_advertiser(Path(id): Path<String>, incoming: Incoming) -> Response<Body> {
    list(incoming, Eyes::Advertiser, Ledger::Party(PartyKind::Advertiser, id))
}

async fn of_affiliate(Path(id): Path<String>, incoming: Incoming) -> Response<Body> {
    list(incoming, Eyes::Affiliate, Ledger::Party(PartyKind::Affiliate, id))
}

fn list(incoming: Incoming, eyes: Eyes, ledger: Ledger) -> Response<Body> {
    // Who may not see the ledger is not told what is wrong with their question.
    if let Err(refusal) = incoming.read(|session, it| transactions::open(session, it, &ledger)) {
        return refusal.response(&incoming.app, |_| ());
    }
    let query = match Query::read(&incoming, eyes) {
        Ok(query) => query,
        Err(problems) => {
            return Refusal::Refused(problems.into()).response(&incoming.app, |_| ());
        }
    };
    let zone = incoming.network.time_zone;
    let Query { mut narrowed, mut calls, mut after, limit, columns, csv } = query;
    if narrowed.from.is_some() {
        let bounds =
            incoming.read(|session, it| transactions::bounds(session, it, &ledger, &narrowed));
        match bounds {
            Ok(Some((first, last))) => {
                after = after.max(first - 1);
                narrowed.until = Some(last);
            }
            Ok(None) => calls = false,
            Err(refusal) => return refusal.response(&incoming.app, |_| ()),
        }
    }
    let table = table(incoming.format, csv, &columns);
    incoming.reply_table(table, (after, limit), move |session, context, page| {
        if !calls {
            return Ok(Rows { rows: Vec::new(), last: None });
        }
        let found = transactions::list(session, context, &ledger, &narrowed, page)?;
        let full = u32::try_from(found.len()).is_ok_and(|count| count == page.limit);
        let last = found.last().map(|row| row.transaction.id).filter(|_| full);
        let rows = found.iter().map(|row| cells(row, zone, &columns));
        Ok(Rows { rows: rows.collect(), last })
    })
}

fn table(format: Format, csv: crate::table::CsvStyle, columns: &[&'static Column]) -> Table {
    let names = ("transactions", "transaction");
    Table { format, csv, columns: columns.iter().map(|(name, ..)| *name).collect(), names }
}

fn cells(row: &LedgerRow, zone: ZoneName, columns: &[&'static Column]) -> Vec<crate::table::Cell> {
    let entry = Entry { row, zone };
    columns.iter().map(|(_, _, read)| read(&entry)).collect()
}

/// A row as the network's own list shows it.
pub(super) fn render(row: &LedgerRow, zone: ZoneName) -> Object {
    let columns: Vec<&'static Column> = columns::defaults(Eyes::Network).collect();
    table(Format::Json, Default::default(), &columns).object(&cells(row, zone, &columns))
}
