//! `networks/transactions`, `advertisers/transactions`, `affiliates/transactions`: the ledger of a
//! network, of an advertiser and of an affiliate, as JSON, CSV or XML.

pub(crate) mod column_selection;
pub(crate) mod column_table;
pub(crate) mod columns;
mod query;

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::object_response::Object;
use crate::path_prefix::Format;
use crate::routes::{Routes, get};
use crate::table::{CsvStyle, Table};
use crate::table_response::TablePage;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use column_selection::{AvailableColumns, SelectedColumn};
use columns::{CustomFields, LedgerEntry, Viewer};
use query::LedgerQuery;
use std::sync::Arc;
use trunkline_domain::id::TransactionId;
use trunkline_domain::party::PartyKind;
use trunkline_domain::problem::Problems;
use trunkline_domain::timezone::TimeZoneName;
use trunkline_network::transactions::{self, Ledger, TransactionFilter};
use trunkline_network::{Context, Error, LedgerRow, UnitOfWork, custom_data_fields, networks};

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
    list_ledger(request, Ledger::Network).await
}

async fn list_advertiser_ledger(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    list_ledger(request, Ledger::Party(PartyKind::Advertiser, id)).await
}

async fn list_affiliate_ledger(Path(id): Path<String>, request: ApiRequest) -> Response<Body> {
    list_ledger(request, Ledger::Party(PartyKind::Affiliate, id)).await
}

/// Facts of the database about a requested ledger.
struct LedgerSource {
    viewer: Viewer,
    fields: CustomFields,
    /// Row after which the list begins.
    after: Option<TransactionId>,
    /// True if the request has a cursor that names no row.
    has_unknown_cursor: bool,
    /// The only row: `Some(None)` if the request names one that does not exist.
    only: Option<Option<TransactionId>>,
}

impl LedgerSource {
    /// Reads the source of a ledger, if the principal may read it.
    fn read(
        unit: &mut UnitOfWork<'_>,
        context: &Context,
        ledger: &Ledger,
        request: &ApiRequest,
    ) -> Result<Self, Error> {
        let scope = transactions::resolve_ledger(unit, context, ledger)?;
        let viewer = match ledger {
            Ledger::Network => Viewer::Network,
            Ledger::Party(PartyKind::Advertiser, _) => Viewer::Advertiser,
            Ledger::Party(PartyKind::Affiliate, _) => {
                Viewer::affiliate(&networks::of_principal(unit, context)?.settings)
            }
        };
        let fields = match viewer {
            Viewer::Affiliate { .. } => CustomFields::default(),
            _ => CustomFields::new(custom_data_fields::all(unit, context)?),
        };
        let mut find = |id| transactions::find_position(unit, context, scope, id);
        // Ids begin at 1, so that 0 is before the first row.
        let cursor = query::value(request, "start_after_transaction_id").filter(|id| *id != "0");
        let after = cursor.map(&mut find).transpose()?.flatten();
        Ok(Self {
            viewer,
            fields,
            after,
            has_unknown_cursor: cursor.is_some() && after.is_none(),
            only: query::value(request, "transaction_id").map(find).transpose()?,
        })
    }
}

async fn list_ledger(mut request: ApiRequest, ledger: Ledger) -> Response<Body> {
    // Access is checked first: without it, the problems of the query are not reported.
    let source = request.read(|unit, context| LedgerSource::read(unit, context, &ledger, &request));
    let source = match source {
        Ok(source) => source,
        Err(error) => return error.into_response(&request.app),
    };
    let mut problems = Problems::new();
    let query = LedgerQuery::read(&request, &mut problems);
    if source.has_unknown_cursor {
        problems.property("start_after_transaction_id").add("is not a transaction of this list");
    }
    if !problems.is_empty() {
        return ApiError::UseCase(problems.into()).into_response(&request.app);
    }
    let columns = select_columns(&mut request, &source);
    let mut range = LedgerRange {
        filter: TransactionFilter {
            from: query.from,
            to: query.to,
            until: None,
            transaction: source.only.flatten(),
            complete_call_id: query::value(&request, "call_record_id").map(str::to_owned),
        },
        after: source.after.map_or(0, TransactionId::get),
        is_empty: !query.includes_calls || source.only == Some(None),
    };
    if let Err(error) = range.narrow(&request, &ledger).await {
        return error.into_response(&request.app);
    }
    respond(request, ledger, (source.viewer, source.fields), query, (range, columns)).await
}

/// Rows of a response.
struct LedgerRange {
    filter: TransactionFilter,
    after: i64,
    /// True if no row matches.
    is_empty: bool,
}

impl LedgerRange {
    /// Finds the ids between which a filter by time matches.
    async fn narrow(&mut self, request: &ApiRequest, ledger: &Ledger) -> Result<(), ApiError> {
        // No id contains U+0000, and PostgreSQL rejects it in a text.
        self.is_empty |= self.filter.complete_call_id.as_ref().is_some_and(|id| id.contains('\0'));
        if self.is_empty || self.filter.from.is_none() {
            return Ok(());
        }
        let (ledger, filter) = (ledger.clone(), self.filter.clone());
        let bounds = request.read_in_turn(move |unit, context| {
            transactions::id_bounds(unit, context, &ledger, &filter)
        });
        match bounds.await? {
            Some(ids) => {
                self.after = self.after.max(ids.start().get() - 1);
                self.filter.until = Some(*ids.end());
            }
            None => self.is_empty = true,
        }
        Ok(())
    }
}

/// Selects the columns of the request. Names that are no columns go to `Trunkline-Ignored`.
fn select_columns(request: &mut ApiRequest, source: &LedgerSource) -> Vec<SelectedColumn> {
    let available =
        AvailableColumns { viewer: source.viewer, format: request.format, fields: &source.fields };
    let included = query::values(request, "include_columns");
    let excluded = query::values(request, "exclude_columns");
    let selection = available.select(included, excluded);
    for name in &selection.unknown {
        request.ignored.add(name);
    }
    selection.columns
}

async fn respond(
    request: ApiRequest,
    ledger: Ledger,
    (viewer, fields): (Viewer, CustomFields),
    query: LedgerQuery,
    (range, columns): (LedgerRange, Vec<SelectedColumn>),
) -> Response<Body> {
    let zone = request.network.time_zone;
    let base_url = Arc::clone(&request.app.base_url);
    let table = table(request.format, query.csv, &columns);
    let LedgerRange { filter, after, is_empty } = range;
    request
        .respond_table(table, after, query.limit, move |unit, context, page| {
            if is_empty {
                return Ok(TablePage { rows: Vec::new(), next_cursor: None });
            }
            let ledger_rows = transactions::list(unit, context, &ledger, &filter, page)?;
            let is_full = u32::try_from(ledger_rows.len()).is_ok_and(|count| count == page.limit);
            let next_cursor =
                ledger_rows.last().map(|row| row.transaction.id.get()).filter(|_| is_full);
            let rows = ledger_rows.iter().map(|row| {
                let entry = LedgerEntry { row, viewer, zone, fields: &fields, base_url: &base_url };
                columns.iter().map(|column| column.cell(&entry)).collect()
            });
            Ok(TablePage { rows: rows.collect(), next_cursor })
        })
        .await
}

fn table(format: Format, csv: CsvStyle, columns: &[SelectedColumn]) -> Table {
    let names = columns.iter().map(SelectedColumn::name).collect();
    Table::new((format, csv), names, ("transactions", "transaction"))
}

/// Renders a row with the network's default columns.
pub(super) fn render(row: &LedgerRow, zone: TimeZoneName, base_url: &str) -> Object {
    let fields = CustomFields::default();
    let viewer = Viewer::Network;
    let available = AvailableColumns { viewer, format: Format::Json, fields: &fields };
    let columns = available.default_columns();
    let entry = LedgerEntry { row, viewer, zone, fields: &fields, base_url };
    let cells: Vec<_> = columns.iter().map(|column| column.cell(&entry)).collect();
    table(Format::Json, CsvStyle::default(), &columns).row_to_object(&cells)
}
