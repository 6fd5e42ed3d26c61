//! Table responses, streamed page by page, so that memory does not grow with the number of rows.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::table::{Cell, Table};
use axum::body::{Body, Bytes};
use axum::http::{Response, header};
use futures_util::stream::try_unfold;
use trunkline_network::{Context, Error, Page, UnitOfWork};

/// Rows read from one snapshot.
const PAGE_ROWS: u32 = 200;

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
}

impl ApiRequest {
    /// Returns a table response of at most `limit` rows whose ids are greater than `after`. `fetch`
    /// reads one page. Names in `ignored` are in the response's header. The first page is read before the response begins, so that its error still
    /// determines the status.
    pub(crate) fn respond_table<F>(
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
        let mut stream = TableStream {
            request: self,
            next_chunk: table.render_start(),
            table,
            fetch,
            after,
            remaining: limit,
            has_more: true,
            is_first: true,
        };
        if let Err(error) = stream.render_page() {
            return ApiError::UseCase(error).into_response(&stream.request.app);
        }
        let body = try_unfold(Some(stream), |stream| async move {
            let Some(mut stream) = stream else { return Ok(None) };
            let mut bytes = std::mem::take(&mut stream.next_chunk);
            if stream.has_more {
                stream.render_page()?;
                return Ok::<_, Error>(Some((Bytes::from(bytes), Some(stream))));
            }
            bytes.extend(stream.table.render_end());
            Ok(Some((Bytes::from(bytes), None)))
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
    /// Reads the next page and appends its bytes to the next chunk.
    fn render_page(&mut self) -> Result<(), Error> {
        let page = Page::new(self.after, self.remaining.min(PAGE_ROWS));
        let ApiRequest { app, context, credential_guard, .. } = &self.request;
        let TablePage { rows, next_cursor } = app.store.read(|unit| {
            credential_guard.revalidate(unit)?;
            (self.fetch)(unit, context, page)
        })?;
        self.next_chunk.extend(self.table.render_rows(&rows, self.is_first));
        self.is_first &= rows.is_empty();
        self.remaining -= page.limit;
        self.has_more = next_cursor.is_some() && self.remaining > 0;
        self.after = next_cursor.unwrap_or(self.after);
        Ok(())
    }
}
