//! Who is looking: the session of a cookie, or a one-time token, which is traded for one.

use crate::{Console, forms, forms::Pairs, layout, sign_in};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use maud::Markup;
use std::sync::Arc;
use trunkline_domain::party::{Network, PartyKind};
use trunkline_network::credentials::{self, Credential};
use trunkline_network::{Actor, Context, Error, Page, Session, networks};

/// Someone who is signed in, looking at a page.
pub(crate) struct Visit {
    console: Arc<Console>,
    /// Who asks, for the use cases.
    pub(crate) context: Context,
    /// The network they are signed in to.
    pub(crate) network: Network,
    /// Their name.
    pub(crate) person: String,
    /// The page's query.
    pub(crate) query: Pairs,
    /// The page's path.
    pub(crate) path: String,
}

/// Rows of one page of a long list.
pub(crate) const ROWS: u32 = 100;

impl FromRequestParts<Arc<Console>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Response> {
        let query = Pairs::of(&parts.uri);
        let path = parts.uri.path().to_owned();
        // A HEAD is a look ahead, which must not use the token up.
        if let Some(token) = query.get("access_token").filter(|_| parts.method == Method::GET) {
            let here = query.without("access_token", &path);
            return Err(sign_in::by_token(console, &parts.headers, token, &here).await);
        }
        let here = query.without("access_token", &path);
        let shown = session_of(&parts.headers).map(str::to_owned);
        let found = match shown {
            Some(cookie) => signed_in(console, cookie).map_err(|error| layout::failed(&error))?,
            None => None,
        };
        let (context, network, person) =
            found.ok_or_else(|| layout::go_to(&forms::link("/login", "next", &here)))?;
        Ok(Self { console: Arc::clone(console), context, network, person, query, path })
    }
}

/// The session's cookie.
pub(crate) fn session_of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    credentials::session_in(cookies)
}

/// Who has a session, if it is good.
pub(crate) fn signed_in(
    console: &Console,
    cookie: String,
) -> Result<Option<(Context, Network, String)>, Error> {
    let now = (console.clock)();
    console.store.read(|session| {
        let found = credentials::authenticate(session, &Credential::Session(cookie), now)?;
        let Some(caller) = found else { return Ok(None) };
        let user = match caller.actor {
            Actor::User(id) => session.user(id)?.map(|(_, user)| user),
            Actor::Token(_) | Actor::CommandLine => None,
        };
        let Some(user) = user else { return Ok(None) };
        let mut context =
            Context { caller, now, system_now: now, request_id: "console".to_owned() };
        let network = networks::of_caller(session, &context)?;
        context.now = network.now(now);
        Ok(Some((context, network, format!("{} {}", user.first_name, user.last_name))))
    })
}

impl Visit {
    /// Runs a read of one or more use cases.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&mut Session<'_>, &Context) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.console.store.read(|session| work(session, &self.context))
    }

    /// Whether they see an advertiser's or affiliate's own page.
    pub(crate) fn sees(&self, kind: PartyKind, id: i64) -> bool {
        self.context.caller.sees(kind, id)
    }

    /// The moment of the request.
    pub(crate) fn now(&self) -> Timestamp {
        self.context.now
    }

    /// Which rows of a long list are asked for: one more than are shown, to know whether there
    /// are more.
    pub(crate) fn rows(&self) -> Page {
        let after = self.query.get("start_after_id").and_then(|id| id.parse().ok());
        Page::of(after.unwrap_or(0), ROWS + 1)
    }

    /// The answer: a page, or why there is none.
    pub(crate) fn answer(&self, page: Result<(String, Markup), Error>) -> Response {
        match page {
            Ok((title, content)) => layout::signed_in(StatusCode::OK, &title, self, &content),
            Err(Error::NotFound(_) | Error::NotAllowed(_)) => self.not_found(),
            Err(error) => layout::failed(&error),
        }
    }

    /// There is no such object, or it is none of theirs.
    pub(crate) fn not_found(&self) -> Response {
        layout::signed_in(StatusCode::NOT_FOUND, "Not found", self, &layout::nothing_here())
    }
}
