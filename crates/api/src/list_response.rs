//! List responses. A list is complete unless the request limits it, ordered by id, and streamed
//! page by page, so that memory does not grow with its length.

use crate::api_request::ApiRequest;
use crate::errors::ApiError;
use crate::json;
use crate::object_response::Object;
use crate::versions::{ResourceKind, ResponseInfo};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use futures_util::stream;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use trunkline_domain::problem::Problems;
use trunkline_network::{Context, Error, ExpensivePermit, Page, UnitOfWork};

/// Maximum number of objects read from one snapshot; fewer where objects are large.
const MAX_PAGE_OBJECTS: u32 = 200;
/// Target size of a page, in bytes. The last object of a page may exceed it.
const PAGE_BYTES: usize = 1 << 20;
/// Number of examined objects from which on a list that goes on needs a permit for expensive requests.
const MAX_CHEAP_OBJECTS: u32 = 1_000;
/// Number of rendered bytes from which on a list needs one. It is also the maximum number of bytes that are
/// rendered before the response begins.
const MAX_CHEAP_BYTES: usize = 4 << 20;
/// Maximum value of the parameter `limit`.
const MAX_LIMIT: u32 = 4_000;

/// One page of a list.
pub(crate) struct ListPage {
    pub(crate) objects: Vec<Object>,
    /// Id of the last object read, where the next page continues; `None` at the end of the list.
    pub(crate) next_cursor: Option<i64>,
}

/// Query parameters of a list.
#[derive(Debug, Clone, Copy)]
struct ListParameters {
    after: i64,
    limit: Option<u32>,
}

/// State of a list that is being streamed.
struct ListStream<F> {
    request: ApiRequest,
    fetch: F,
    kind: ResourceKind,
    /// Bytes of the next chunk; `None` if the end of the list was sent.
    next_chunk: Option<Vec<u8>>,
    /// Id of the last object read.
    after: i64,
    /// Objects left until the limit.
    remaining: Option<u32>,
    /// Maximum number of objects in the next page.
    page_objects: u32,
    /// True if the list has objects after `after`.
    has_more: bool,
    /// True if an object was rendered.
    started: bool,
    /// Objects examined so far, without those of the last page.
    examined: u32,
    /// Maximum number of objects in the last page.
    last_page_objects: u32,
    /// Bytes rendered so far.
    rendered: usize,
    /// Permit of a list that turned out to be long.
    permit: Option<ExpensivePermit>,
}

impl ApiRequest {
    /// Returns a list response. `fetch` reads one page. The first page is read before the response
    /// begins, so that its error still determines the status.
    ///
    /// Pages are read on a thread for blocking work, in turn with other tenants, until the client is
    /// gone. A list that is long or large needs a permit, and is 429 without one.
    pub(crate) async fn respond_list<F>(self, kind: ResourceKind, fetch: F) -> Response<Body>
    where
        F: Fn(&mut UnitOfWork<'_>, &Context, Page) -> Result<ListPage, Error> + Send + 'static,
    {
        let app = self.app.clone();
        let tenant = self.context.principal.tenant();
        let parameters = match self.list_parameters() {
            Ok(parameters) => parameters,
            Err(problems) => {
                return ApiError::UseCase(problems.into()).into_response(&self.app);
            }
        };
        let mut list = ListStream {
            request: self,
            fetch,
            kind,
            next_chunk: None,
            after: parameters.after,
            remaining: parameters.limit,
            page_objects: MAX_PAGE_OBJECTS,
            has_more: true,
            started: false,
            examined: 0,
            last_page_objects: 0,
            rendered: 0,
            permit: None,
        };
        let begin = move |stopped: &Arc<AtomicBool>| {
            let link = list.begin(parameters.limit, stopped)?;
            Ok((list, link))
        };
        let (list, link) = match app.work_limits.pages.run(tenant, begin).await {
            Ok(begun) => begun,
            Err(error) => return ApiError::UseCase(error).into_response(&app),
        };
        let body = stream::try_unfold(Some(list), move |list| {
            let app = app.clone();
            async move {
                let Some(mut list) = list else { return Ok(None) };
                if list.is_complete() {
                    return Ok(Some((list.take_last_chunk(), None)));
                }
                let next = move |stopped: &Arc<AtomicBool>| {
                    let chunk = list.take_chunk(stopped)?;
                    Ok((chunk, Some(list)))
                };
                app.work_limits.pages.run(tenant, next).await.map(Some)
            }
        });
        let mut response = Response::new(Body::from_stream(body));
        let headers = response.headers_mut();
        let content_type = HeaderValue::from_static("application/json; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, content_type);
        if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
            headers.insert(header::LINK, link);
        }
        response
    }

    fn list_parameters(&self) -> Result<ListParameters, Problems> {
        let mut problems = Problems::new();
        let limit = self.integer_parameter("limit", 1, i64::from(MAX_LIMIT), &mut problems);
        let after = self.integer_parameter("start_after_id", 0, i64::MAX, &mut problems);
        let limit = limit.and_then(|limit| u32::try_from(limit).ok());
        problems.into_result(ListParameters { after: after.unwrap_or(0), limit })
    }
}

impl<F> ListStream<F>
where
    F: Fn(&mut UnitOfWork<'_>, &Context, Page) -> Result<ListPage, Error>,
{
    /// Renders the beginning of the list: all of it if it is short, otherwise as much as is needed to know
    /// that it is long. Returns the `Link` header of a list with a limit.
    fn begin(
        &mut self,
        limit: Option<u32>,
        stopped: &Arc<AtomicBool>,
    ) -> Result<Option<String>, Error> {
        self.render_page(stopped)?;
        let is_cheap = |list: &Self| list.permit.is_none() && !list.is_complete();
        while limit.is_none() && is_cheap(self) {
            self.render_page(stopped)?;
        }
        // A limit within one page needs no further read. A larger one needs the pages up to it:
        // at most `MAX_LIMIT` objects.
        limit.map_or(Ok(None), |limit| self.next_link(limit, stopped))
    }

    /// Reads the next page and appends its bytes to the next chunk.
    fn render_page(&mut self, stopped: &Arc<AtomicBool>) -> Result<(), Error> {
        let objects = self.read_page(stopped)?;
        let mut bytes = self.next_chunk.take().unwrap_or_default();
        let bytes_before = bytes.len();
        let count = objects.len().max(1);
        let ApiRequest { version, method, .. } = &self.request;
        let info = ResponseInfo { kind: self.kind, method };
        for mut object in objects {
            version.downgrade(&info, &mut object);
            self.request.hide_secrets(&mut object);
            bytes.push(if self.started { b',' } else { b'[' });
            self.started = true;
            bytes.extend_from_slice(json::to_string(&Value::Object(object)).as_bytes());
        }
        // `Page::bytes` counts the object's own row only. Where the rendered objects are larger,
        // the next page gets fewer.
        let bytes_per_object = (bytes.len() - bytes_before) / count;
        let fitting = u32::try_from(PAGE_BYTES / bytes_per_object.max(1));
        self.page_objects = fitting.unwrap_or(MAX_PAGE_OBJECTS).clamp(1, MAX_PAGE_OBJECTS);
        self.rendered += bytes.len() - bytes_before;
        self.next_chunk = Some(bytes);
        self.ensure_permit()
    }

    /// Takes a permit if the list turns out to be long.
    fn ensure_permit(&mut self) -> Result<(), Error> {
        let is_cheap = self.examined < MAX_CHEAP_OBJECTS && self.rendered < MAX_CHEAP_BYTES;
        if is_cheap || self.is_complete() || self.permit.is_some() {
            return Ok(());
        }
        let ApiRequest { app, context, .. } = &self.request;
        let tenant = context.principal.tenant();
        self.permit = Some(app.work_limits.expensive.acquire(tenant)?);
        Ok(())
    }

    /// Reads the next page and moves the cursor behind it.
    fn read_page(&mut self, stopped: &Arc<AtomicBool>) -> Result<Vec<Object>, Error> {
        let limit = self.remaining.unwrap_or(MAX_PAGE_OBJECTS).min(self.page_objects);
        let page = Page { max_bytes: PAGE_BYTES, ..Page::new(self.after, limit) };
        let ApiRequest { app, context, credential_guard, .. } = &self.request;
        let page = app.store.read_until(stopped, |unit| {
            credential_guard.revalidate(unit)?;
            (self.fetch)(unit, context, page)
        })?;
        let count = u32::try_from(page.objects.len()).unwrap_or(limit);
        if page.next_cursor.is_some() {
            // The page before was not the last one, so it was full, of visible objects or of others.
            self.examined = self.examined.saturating_add(self.last_page_objects);
        }
        self.last_page_objects = limit;
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(count));
        self.has_more = page.next_cursor.is_some();
        self.after = page.next_cursor.unwrap_or(self.after);
        Ok(page.objects)
    }

    /// Returns true if the list has more objects and the limit is not reached.
    fn is_below_limit(&self) -> bool {
        self.has_more && self.remaining.is_some_and(|remaining| remaining > 0)
    }

    /// Returns true if nothing is left to be read.
    fn is_complete(&self) -> bool {
        !self.has_more || self.remaining == Some(0)
    }

    /// Takes the next chunk, and renders the one after it.
    fn take_chunk(&mut self, stopped: &Arc<AtomicBool>) -> Result<Bytes, Error> {
        let bytes = self.next_chunk.take().unwrap_or_default();
        self.render_page(stopped)?;
        Ok(bytes.into())
    }

    /// Takes the last chunk.
    fn take_last_chunk(&mut self) -> Bytes {
        let mut bytes = self.next_chunk.take().unwrap_or_default();
        bytes.extend_from_slice(if self.started { b"]" } else { b"[]" });
        bytes.into()
    }

    /// Returns the `Link` header to the objects after the limit, if there are any. Pages up to the
    /// limit are rendered here as long as they fit in [`MAX_CHEAP_BYTES`]. Pages beyond that
    /// are read here only for their last id, and read again when they are sent.
    fn next_link(
        &mut self,
        limit: u32,
        stopped: &Arc<AtomicBool>,
    ) -> Result<Option<String>, Error> {
        let fits = |chunk: &Vec<u8>| chunk.len() < MAX_CHEAP_BYTES;
        while self.is_below_limit() && self.next_chunk.as_ref().is_none_or(fits) {
            self.render_page(stopped)?;
        }
        let rendered_after = self.after;
        let rendered_remaining = self.remaining;
        while self.is_below_limit() {
            self.read_page(stopped)?;
            self.ensure_permit()?;
        }
        let end = self.after;
        let end_has_more = self.has_more;
        if self.remaining != rendered_remaining {
            self.after = rendered_after;
            self.remaining = rendered_remaining;
            self.has_more = true;
        }
        if !end_has_more || !self.has_objects_after(end, stopped)? {
            return Ok(None);
        }
        let ApiRequest { app, original_path, .. } = &self.request;
        let base_url = &app.base_url;
        let filters = self.request.filters();
        let query = format!("{filters}limit={limit}&start_after_id={end}");
        Ok(Some(format!("<{base_url}{original_path}?{query}>; rel=\"next\"")))
    }

    fn has_objects_after(&self, id: i64, stopped: &Arc<AtomicBool>) -> Result<bool, Error> {
        let ApiRequest { app, context, .. } = &self.request;
        let page = Page::new(id, 1);
        let page = app.store.read_until(stopped, |unit| (self.fetch)(unit, context, page))?;
        Ok(page.next_cursor.is_some())
    }
}
