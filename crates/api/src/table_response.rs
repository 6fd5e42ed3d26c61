//! Table responses, streamed page by page, so that memory does not grow with the number of rows.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::table::{Cell, Table};
use axum::body::{Body, Bytes};
use axum::http::{Response, header};
use futures_util::stream::try_unfold;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use trunkline_network::{Context, Error, ExpensivePermit, Page, UnitOfWork};

/// Rows read from one snapshot.
const PAGE_ROWS: u32 = 200;
/// Number of rows from which on a table that goes on needs a permit for expensive requests. They are
/// rendered before the response begins.
const MAX_CHEAP_ROWS: u32 = 1_000;

/// One page of a table.
pub(crate) struct TablePage {
    pub(crate) rows: Vec<Vec<Cell>>,
    /// Id of the last row read, where the next page continues; `None` at the end of the table.
    pub(crate) next_cursor: Option<i64>,
}

/// State of a table that is being streamed.
struct TableStream<F> {
    request: ApiRequest,
    table: Table,
    fetch: F,
    /// Bytes of the next chunk.
    next_chunk: Vec<u8>,
    /// Id of the last row read.
    after: i64,
    /// Rows left until the limit.
    remaining: u32,
    has_more: bool,
    /// True if no row was rendered.
    is_first: bool,
    /// Rows read so far.
    rows_read: u32,
    /// Permit of a table that turned out to be long.
    permit: Option<ExpensivePermit>,
}

impl ApiRequest {
    /// Returns a table response of at most `limit` rows whose ids are greater than `after`. `fetch`
    /// reads one page. Names in `ignored` are in the response's header. The first page is read before the response begins, so that its error still
    /// determines the status.
    ///
    /// Pages are read on a thread for blocking work, in turn with other tenants, until the client is
    /// gone. A long table needs a permit, and is 429 without one.
    pub(crate) async fn respond_table<F>(
        mut self,
        table: Table,
        after: i64,
        limit: u32,
        fetch: F,
    ) -> Response<Body>
    where
        F: Fn(&mut UnitOfWork<'_>, &Context, Page) -> Result<TablePage, Error> + Send + 'static,
    {
        let content_type = table.content_type();
        let ignored = std::mem::take(&mut self.ignored);
        let app = self.app.clone();
        let tenant = self.context.principal.tenant();
        let mut stream = TableStream {
            request: self,
            next_chunk: table.render_start(),
            table,
            fetch,
            after,
            remaining: limit,
            has_more: true,
            is_first: true,
            rows_read: 0,
            permit: None,
        };
        let begin = move |stopped: &Arc<AtomicBool>| {
            stream.begin(stopped)?;
            Ok(stream)
        };
        let stream = match app.work_limits.pages.run(tenant, begin).await {
            Ok(stream) => stream,
            Err(error) => return ApiError::UseCase(error).into_response(&app),
        };
        let body = try_unfold(Some(stream), move |stream| {
            let app = app.clone();
            async move {
                let Some(mut stream) = stream else { return Ok(None) };
                let mut bytes = std::mem::take(&mut stream.next_chunk);
                if !stream.has_more {
                    bytes.extend(stream.table.render_end());
                    return Ok(Some((Bytes::from(bytes), None)));
                }
                let next = move |stopped: &Arc<AtomicBool>| {
                    stream.render_page(stopped)?;
                    Ok(stream)
                };
                let stream = app.work_limits.pages.run(tenant, next).await?;
                Ok::<_, Error>(Some((Bytes::from(bytes), Some(stream))))
            }
        });
        let mut response = Response::new(Body::from_stream(body));
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        ignored.add_header(response)
    }
}

impl<F> TableStream<F>
where
    F: Fn(&mut UnitOfWork<'_>, &Context, Page) -> Result<TablePage, Error>,
{
    /// Renders the whole table if it is short, otherwise as much as is needed to know that it is long.
    fn begin(&mut self, stopped: &Arc<AtomicBool>) -> Result<(), Error> {
        while self.has_more && self.permit.is_none() {
            self.render_page(stopped)?;
        }
        Ok(())
    }

    /// Reads the next page and appends its bytes to the next chunk.
    fn render_page(&mut self, stopped: &Arc<AtomicBool>) -> Result<(), Error> {
        let page = Page::new(self.after, self.remaining.min(PAGE_ROWS));
        let ApiRequest { app, context, credential_guard, .. } = &self.request;
        let TablePage { rows, next_cursor } = app.store.read_until(stopped, |unit| {
            credential_guard.revalidate(unit)?;
            (self.fetch)(unit, context, page)
        })?;
        self.next_chunk.extend(self.table.render_rows(&rows, self.is_first));
        self.is_first &= rows.is_empty();
        self.remaining -= page.limit;
        self.has_more = next_cursor.is_some() && self.remaining > 0;
        self.after = next_cursor.unwrap_or(self.after);
        self.rows_read += page.limit;
        if self.has_more && self.rows_read > MAX_CHEAP_ROWS && self.permit.is_none() {
            let tenant = context.principal.tenant();
            self.permit = Some(app.work_limits.expensive.acquire(tenant)?);
        }
        Ok(())
    }
}
