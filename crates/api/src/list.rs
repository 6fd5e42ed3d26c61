//! Lists: complete unless asked otherwise, in the order of our ids, streamed page by page, so that
//! memory does not grow with their length.

use crate::errors::Refusal;
use crate::incoming::Incoming;
use crate::json;
use crate::reply::Object;
use crate::versions::{Kind, Sent};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use futures_util::stream;
use serde_json::Value;
use trunkline_domain::problem::Problems;
use trunkline_network::{Context, Error, Page, Session};

/// Objects read at a time, each time from a snapshot of its own; fewer where they are large.
const PAGE: u32 = 200;
/// Bytes that are read at a time, or a little more.
const PAGE_BYTES: usize = 1 << 20;
/// Bytes that are made ready before an answer begins, where it has to be known how it ends.
const AHEAD: usize = 4 << 20;
/// The most that `limit` may ask for.
const LIMIT: u32 = 4_000;

/// One page of a list, and our id of the last object looked at: where the next one goes on.
pub(crate) struct Part {
    pub(crate) objects: Vec<Object>,
    pub(crate) last: Option<i64>,
}

/// What was asked of a list.
#[derive(Debug, Clone, Copy)]
struct Asked {
    after: i64,
    limit: Option<u32>,
}

struct Cursor<F> {
    incoming: Incoming,
    fetch: F,
    kind: Kind,
    next: Option<Vec<u8>>,
    after: i64,
    left: Option<u32>,
    /// Objects that the next page may have.
    most: u32,
    more: bool,
    started: bool,
}

impl Incoming {
    /// Answers with a list. `fetch` reads one page; the first is read before anything is
    /// answered, so that a list that isn't there is a 404.
    pub(crate) fn reply_list<F>(self, kind: Kind, fetch: F) -> Response<Body>
    where
        F: Fn(&mut Session<'_>, &Context, Page) -> Result<Part, Error> + Send + 'static,
    {
        let asked = match self.asked() {
            Ok(asked) => asked,
            Err(problems) => {
                let refusal = Refusal::Refused(problems.into());
                return refusal.response(&self.app, |_| ());
            }
        };
        let mut cursor = Cursor {
            incoming: self,
            fetch,
            kind,
            next: None,
            after: asked.after,
            left: asked.limit,
            most: PAGE,
            more: true,
            started: false,
        };
        if let Err(error) = cursor.read() {
            return Refusal::Refused(error).response(&cursor.incoming.app, |_| ());
        }
        // With a limit that fits in one page, whether there is more is known by now; with a
        // larger one the pages up to it are read first: at most 4,000 objects.
        let link = match asked.limit.map(|limit| cursor.link(limit)).transpose() {
            Ok(link) => link.flatten(),
            Err(error) => return Refusal::Refused(error).response(&cursor.incoming.app, |_| ()),
        };
        let body = stream::try_unfold(Some(cursor), |cursor| async move {
            let Some(mut cursor) = cursor else { return Ok(None) };
            let chunk = cursor.chunk()?;
            let rest = cursor.goes_on().then_some(cursor);
            Ok::<_, Error>(Some((chunk, rest)))
        });
        let mut response = Response::new(Body::from_stream(body));
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
            headers.insert(header::LINK, link);
        }
        response
    }

    fn asked(&self) -> Result<Asked, Problems> {
        let mut problems = Problems::new();
        let mut number =
            |name: &str, least, most| self.whole_parameter(name, (least, most), &mut problems);
        let limit = number("limit", 1, i64::from(LIMIT));
        let after = number("start_after_id", 0, i64::MAX);
        let limit = limit.and_then(|limit| u32::try_from(limit).ok());
        problems.or(Asked { after: after.unwrap_or(0), limit })
    }
}

impl<F> Cursor<F>
where
    F: Fn(&mut Session<'_>, &Context, Page) -> Result<Part, Error>,
{
    /// Reads the next page and adds its bytes to what goes out next.
    fn read(&mut self) -> Result<(), Error> {
        let objects = self.take_page()?;
        let mut bytes = self.next.take().unwrap_or_default();
        let (before, count) = (bytes.len(), objects.len().max(1));
        let Incoming { version, method, .. } = &self.incoming;
        let sent = Sent { kind: self.kind, method };
        for mut object in objects {
            version.downgrade(&sent, &mut object);
            bytes.push(if self.started { b',' } else { b'[' });
            self.started = true;
            bytes.extend_from_slice(json::written(&Value::Object(object)).as_bytes());
        }
        // What belongs to an object is not all in its row: where objects came out large, fewer are next.
        let each = (bytes.len() - before) / count;
        self.most = u32::try_from(PAGE_BYTES / each.max(1)).unwrap_or(PAGE).clamp(1, PAGE);
        self.next = Some(bytes);
        Ok(())
    }

    /// The next page's objects; the cursor is behind them then.
    fn take_page(&mut self) -> Result<Vec<Object>, Error> {
        let limit = self.left.unwrap_or(PAGE).min(self.most);
        let page = Page { bytes: PAGE_BYTES, ..Page::of(self.after, limit) };
        let Incoming { app, context, proof, .. } = &self.incoming;
        let part = app.store.read(|session| {
            proof.confirm(session)?;
            (self.fetch)(session, context, page)
        })?;
        let taken = u32::try_from(part.objects.len()).unwrap_or(limit);
        self.left = self.left.map(|left| left.saturating_sub(taken));
        self.more = part.last.is_some();
        self.after = part.last.unwrap_or(self.after);
        Ok(part.objects)
    }

    /// Whether there is more to come before the limit.
    fn is_short(&self) -> bool {
        self.more && self.left.is_some_and(|left| left > 0)
    }

    /// Whether another page is to be read.
    fn goes_on(&self) -> bool {
        self.next.is_some()
    }

    fn chunk(&mut self) -> Result<Bytes, Error> {
        let mut bytes = self.next.take().unwrap_or_default();
        let ended = !self.more || self.left == Some(0);
        if ended {
            bytes.extend_from_slice(if self.started { b"]" } else { b"[]" });
        } else {
            self.read()?;
        }
        Ok(bytes.into())
    }

    /// The header that leads on from a list that was limited, if there is more. What comes up to the limit
    /// is made ready; but where it is too much, it is only looked at, and read again when it is sent.
    fn link(&mut self, limit: u32) -> Result<Option<String>, Error> {
        while self.is_short() && self.next.as_ref().is_none_or(|bytes| bytes.len() < AHEAD) {
            self.read()?;
        }
        let here = (self.after, self.left);
        while self.is_short() {
            self.take_page()?;
        }
        let (end, more) = (self.after, self.more);
        if self.left != here.1 {
            (self.after, self.left, self.more) = (here.0, here.1, true);
        }
        let Incoming { app, context, asked_path, .. } = &self.incoming;
        let page = Page::of(end, 1);
        if !more || app.store.read(|session| (self.fetch)(session, context, page))?.last.is_none() {
            return Ok(None);
        }
        let base = &app.base_url;
        let filters: String = self.incoming.filters();
        let query = format!("{filters}limit={limit}&start_after_id={end}");
        Ok(Some(format!("<{base}{asked_path}?{query}>; rel=\"next\"")))
    }
}
