//! Extractor of a signed-in user's page request, by session cookie or one-time token.

use crate::forms::{self, FormParams};
use crate::state::Console;
use crate::{layout, switch_user};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use maud::Markup;
use std::sync::Arc;
use trunkline_domain::id::PartyId;
use trunkline_domain::party::{Network, PartyKind};
use trunkline_network::credentials::{self, Credential};
use trunkline_network::{Actor, Context, Error, Page, UnitOfWork, networks};

/// Page request of a signed-in user.
pub(crate) struct PageRequest {
    pub(crate) console: Arc<Console>,
    /// Context for the use cases: principal and time.
    pub(crate) context: Context,
    /// Network of the user.
    pub(crate) network: Network,
    /// First and last name of the user.
    pub(crate) user_name: String,
    /// Parameters of the query.
    pub(crate) query: FormParams,
    /// Path of the page.
    pub(crate) path: String,
}

/// Rows on one page of a list.
pub(crate) const ROWS_PER_PAGE: u32 = 100;

impl FromRequestParts<Arc<Console>> for PageRequest {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Response> {
        let query = FormParams::from_query(&parts.uri);
        let path = parts.uri.path().to_owned();
        let target = query.path_without("access_token", &path);
        // HEAD is sent by link previews, which must not redeem the token.
        if let Some(token) = query.get("access_token").filter(|_| parts.method == Method::GET) {
            return Err(switch_user::open_token(console, &parts.headers, token, &target).await);
        }
        let session = match session_cookie(console, &parts.headers) {
            Some(cookie) => find_session(console, cookie.to_owned())
                .map_err(|error| layout::internal_error_page(&error))?,
            None => None,
        };
        let to_sign_in = || layout::redirect(&forms::path_with_query("/login", "next", &target));
        let SignedInUser { context, network, user_name } = session.ok_or_else(to_sign_in)?;
        Ok(Self { console: Arc::clone(console), context, network, user_name, query, path })
    }
}

/// Returns the session cookie of a request.
pub(crate) fn session_cookie<'a>(console: &Console, headers: &'a HeaderMap) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    credentials::session_cookie(cookies, credentials::session_cookie_name(&console.base_url))
}

/// User of a valid session.
pub(crate) struct SignedInUser {
    /// Context for the use cases.
    pub(crate) context: Context,
    network: Network,
    /// First and last name.
    pub(crate) user_name: String,
}

/// Authenticates a session cookie; `None` if the session is unknown or has expired.
pub(crate) fn find_session(
    console: &Console,
    cookie: String,
) -> Result<Option<SignedInUser>, Error> {
    let now = (console.clock)();
    console.store.read(|unit| {
        let principal = credentials::authenticate(unit, &Credential::Session(cookie), now)?;
        let Some(caller) = principal else { return Ok(None) };
        let user = match caller.actor {
            Actor::User(id) => unit.user(id)?.map(|found| found.user),
            Actor::Token(_) | Actor::CommandLine | Actor::Anonymous => None,
        };
        let Some(user) = user else { return Ok(None) };
        let mut context = Context {
            principal: caller,
            now,
            system_now: now,
            request_id: "console".to_owned(),
            warnings: trunkline_network::Warnings::default(),
            internal_id_use: Default::default(),
        };
        let network = networks::of_principal(unit, &context)?;
        context.now = network.now(now);
        let user_name = format!("{} {}", user.first_name, user.last_name);
        Ok(Some(SignedInUser { context, network, user_name }))
    })
}

impl PageRequest {
    /// Runs use cases in one read snapshot.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&mut UnitOfWork<'_>, &Context) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.console.store.read(|unit| work(unit, &self.context))
    }

    /// Returns true if the user may view the page of an advertiser or affiliate.
    pub(crate) fn can_view(&self, kind: PartyKind, id: impl Into<PartyId>) -> bool {
        self.context.principal.can_view(kind, id)
    }

    /// Time of the request, by the network's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.context.now
    }

    /// Requested page of a list, with one row more than is displayed, which shows that there are more.
    pub(crate) fn list_page(&self) -> Page {
        let after = self.query.get("start_after_id").and_then(|id| id.parse().ok());
        Page::new(after.unwrap_or(0), ROWS_PER_PAGE + 1)
    }

    /// Renders a page, given as title and content, or the page of an error.
    pub(crate) fn respond(&self, page: Result<(String, Markup), Error>) -> Response {
        match page {
            Ok((title, content)) => layout::signed_in_page(StatusCode::OK, &title, self, &content),
            Err(Error::NotFound(_) | Error::NotAllowed(_)) => self.not_found(),
            Err(error) => layout::internal_error_page(&error),
        }
    }

    /// Renders the page for an object that does not exist or that the user may not view.
    pub(crate) fn not_found(&self) -> Response {
        let content = layout::not_found_content();
        layout::signed_in_page(StatusCode::NOT_FOUND, "Not found", self, &content)
    }
}
