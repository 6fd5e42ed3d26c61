//! Parsed API request: principal, network, contract version and body.

use crate::app::App;
use crate::auth::{self, PresentedCredential};
use crate::body_memory::BodyOwner;
use crate::credential_guard::{CredentialGuard, ResponseMeta};
use crate::errors::ApiError;
use crate::object_reader::Ignored;
use crate::path_prefix::{Format, PathPrefix};
use crate::request_body::{self, BodyLimits, NDJSON};
use crate::request_id::RequestId;
use crate::versions::Version;
use axum::body::Body;
use axum::extract::{FromRef, FromRequest};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, Response};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use trunkline_domain::id::NetworkId;
use trunkline_domain::party::{MAX_NAME_CHARS, Network};
use trunkline_domain::problem::{NOT_A_NUMBER, Problems};
use trunkline_network::credentials::Credential;
use trunkline_network::{
    CachedToken, ClientAddress, Context, Error, IdempotencyKey, Principal, UnitOfWork, Warnings,
    network_of,
};

/// Authenticated, versioned request with its parsed body.
pub(crate) struct ApiRequest {
    pub(crate) app: App,
    pub(crate) method: Method,
    /// Path as the client sent it, for links and idempotency keys.
    pub(crate) original_path: String,
    pub(crate) version: Version,
    /// Format of the response, for endpoints that support several.
    pub(crate) format: Format,
    pub(crate) network: Network,
    pub(crate) context: Context,
    /// Object of the body; `None` if the body is empty.
    pub(crate) body: Option<Map<String, Value>>,
    /// Unread NDJSON body. The mutex makes the request `Sync`, which a body is not.
    pub(crate) ndjson_body: Option<Mutex<Body>>,
    /// Body before it was converted to the newest version, for error messages that name its
    /// properties. Set by [`ApiRequest::take_body`].
    pub(crate) original_body: Option<Map<String, Value>>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    /// Credential, for streams that must authenticate again while they are open.
    pub(crate) credential: PresentedCredential,
    /// True if the credential is a session cookie, which other sites can make a browser send.
    pub(crate) by_cookie: bool,
    pub(crate) ignored: Ignored,
    /// Revalidates the credential in each unit of work.
    pub(crate) credential_guard: CredentialGuard,
}

impl<S> FromRequest<S> for ApiRequest
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Response<Body>;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, Response<Body>> {
        let app = App::from_ref(state);
        let result = Self::read_request(app.clone(), request).await;
        result.map_err(|error| error.into_response(&app))
    }
}

impl ApiRequest {
    async fn read_request(app: App, request: Request<Body>) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let prefix = parts.extensions.get::<PathPrefix>().cloned();
        let prefix = prefix.unwrap_or(PathPrefix {
            version: Version::newest(),
            network: None,
            format: Format::Json,
        });
        let query = parse_query(parts.uri.query().unwrap_or_default());
        let reads_only = parts.method == Method::GET || parts.method == Method::HEAD;
        let (credential, body) = find_credential(&app, &parts, &query, reads_only, body).await?;
        let by_cookie = matches!(credential, PresentedCredential::Secret(Credential::Session(_)));
        let response_meta = parts.extensions.get::<ResponseMeta>().cloned().unwrap_or_default();
        let system_now = (app.clock)();
        let address = parts.extensions.get::<ClientAddress>().copied();
        let presented_to = PresentedTo { network: prefix.network, address, now: system_now };
        let authenticated = authorize(&app, &credential, presented_to, &response_meta).await?;
        let Authenticated { principal, network, cached_token } = authenticated;
        consume_rate_limit(&app, &principal, &response_meta).await?;
        let internal_id_use = response_meta.internal_id_use();
        let credential_guard =
            CredentialGuard::new(app.clone(), cached_token, response_meta, network.time_zone);
        let mut ndjson_body = None;
        let body = match body {
            UnreadBody::Parsed(object) => object,
            UnreadBody::Stream(_) if reads_only => None,
            UnreadBody::Stream(body) if request_body::content_type(&parts.headers) == NDJSON => {
                // The response begins before the first unit of work, so the credential is checked
                // now.
                app.store.read(|unit| credential_guard.revalidate(unit))?;
                ndjson_body = Some(Mutex::new(body));
                None
            }
            UnreadBody::Stream(body) => {
                let owner = BodyOwner::Credential(principal.actor, principal.tenant());
                read_body(&app, &parts.headers, body, owner).await?
            }
        };
        let body = body.map(|mut object| {
            object.shift_remove("oauth_token");
            object
        });
        let request_id = parts.extensions.get::<RequestId>();
        let original_path = parts.extensions.get::<OriginalPath>();
        Ok(Self {
            context: Context {
                principal,
                now: network.now(system_now),
                system_now,
                request_id: request_id.map(RequestId::for_audit_log).unwrap_or_default(),
                warnings: Warnings::default(),
                internal_id_use,
            },
            method: parts.method,
            original_path: original_path.map(|path| path.0.clone()).unwrap_or_default(),
            version: prefix.version,
            format: prefix.format,
            network,
            original_body: None,
            ndjson_body,
            body,
            query,
            headers: parts.headers,
            credential,
            by_cookie,
            ignored: Ignored::default(),
            credential_guard,
            app,
        })
    }

    /// Returns a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns a query parameter that is an integer from `min` to `max`, both included.
    pub(crate) fn integer_parameter(
        &self,
        name: &str,
        min: i64,
        max: i64,
        problems: &mut Problems,
    ) -> Option<i64> {
        match self.parameter(name)?.parse::<i64>() {
            Ok(number) if number < min => {
                problems.property(name).add(format!("must be greater than or equal to {min}"));
            }
            Ok(number) if number > max => {
                problems.property(name).add(format!("must be less than or equal to {max}"));
            }
            Ok(number) => return Some(number),
            Err(_) => problems.property(name).add(NOT_A_NUMBER),
        }
        None
    }

    /// Returns the query parameters for the link to the next page: all but the page itself and
    /// credentials. Each ends with `&`.
    pub(crate) fn filters(&self) -> String {
        const UNRESERVED: &AsciiSet =
            &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
        let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
        let filters = self.query.iter().filter(|(name, _)| {
            !["limit", "start_after_id", "oauth_token", "access_token"].contains(&name.as_str())
        });
        filters.map(|(name, value)| format!("{}={}&", encode(name), encode(value))).collect()
    }

    /// Runs a reading use case in a snapshot.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&mut UnitOfWork<'_>, &Context) -> Result<T, Error>,
    ) -> Result<T, ApiError> {
        let work = |unit: &mut UnitOfWork<'_>| {
            self.credential_guard.revalidate(unit)?;
            work(unit, &self.context)
        };
        Ok(self.app.store.read(work)?)
    }

    /// Runs a reading use case that may take long, on a thread for blocking work and in turn with other
    /// tenants. It is interrupted when the client is gone.
    pub(crate) async fn read_in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut UnitOfWork<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (app, context) = (self.app.clone(), self.context.clone());
        let credential_guard = self.credential_guard.clone();
        let tenant = self.context.principal.tenant();
        let read = move |stopped: &Arc<AtomicBool>| {
            app.store.read_until(stopped, |unit| {
                credential_guard.revalidate(unit)?;
                work(unit, &context)
            })
        };
        Ok(self.app.work_limits.pages.run(tenant, read).await?)
    }

    /// Runs a use case that takes access away. It is possible on a full disk, and for who has written as much
    /// into the audit log as is allowed.
    pub(crate) async fn write_urgent<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut UnitOfWork<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        Ok(self.credential_guard.write_urgent(&self.context, work).await?)
    }

    /// Runs a reading use case that usually needs one statement, and therefore no transaction.
    /// `work` may run more than once.
    pub(crate) async fn read_one<T>(
        &self,
        work: impl Fn(&mut UnitOfWork<'_>, &Context) -> Result<T, Error>,
    ) -> Result<T, ApiError> {
        let single_read = self.app.store.read_one(|unit| work(unit, &self.context)).await?;
        match single_read {
            Some(read) if self.credential_guard.is_current_at(read.generation) => Ok(read.result?),
            _ => self.read(work),
        }
    }

    /// Runs a writing use case in a transaction. Returns after the commit.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut UnitOfWork<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        Ok(self.credential_guard.write(&self.context, work).await?)
    }

    /// Same as [`ApiRequest::write`]. `prefetch` issues the queries that the use case will need,
    /// as far as the request determines them; it gets no results.
    pub(crate) async fn write_with_prefetch<T: Send + 'static>(
        &self,
        prefetch: impl FnOnce(&mut UnitOfWork<'_>, &Context),
        work: impl FnOnce(&mut UnitOfWork<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        let prefetch = |unit: &mut UnitOfWork<'_>| prefetch(unit, &self.context);
        Ok(self.credential_guard.write_with_prefetch(&self.context, prefetch, work).await?)
    }

    /// Returns the `Idempotency-Key` header with the request it belongs to: path and body. The
    /// result is the same before and after [`ApiRequest::take_body`].
    pub(crate) fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, ApiError> {
        let Some(key) = self.headers.get("idempotency-key") else { return Ok(None) };
        let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= MAX_NAME_CHARS);
        let invalid = || {
            let message = "Idempotency-Key must be 1 to 255 printable characters";
            ApiError::BadRequest(message.to_owned())
        };
        let key = key.ok_or_else(invalid)?.to_owned();
        let body = self.original_body.as_ref().or(self.body.as_ref());
        let body = body.cloned().map_or(Value::Null, Value::Object);
        let request = format!("{} {body}", self.original_path).into_bytes();
        Ok(Some(IdempotencyKey { key, request }))
    }

    /// Removes and returns the body, for requests that need one.
    ///
    /// # Errors
    ///
    /// [`ApiError::BadRequest`] if the body is empty, [`ApiError::UnsupportedMediaType`] if it is
    /// NDJSON.
    pub(crate) fn take_body(&mut self) -> Result<Map<String, Value>, ApiError> {
        if self.ndjson_body.is_some() {
            return Err(ApiError::UnsupportedMediaType);
        }
        let missing =
            || ApiError::BadRequest("the body is empty: a JSON object is needed".to_owned());
        let body = self.body.take().ok_or_else(missing)?;
        self.original_body = Some(body.clone());
        Ok(body)
    }
}

/// Path as the client sent it, before the prefix was removed.
#[derive(Debug, Clone)]
pub(crate) struct OriginalPath(pub(crate) String);

/// Body of a request, which may have been read for its credential.
enum UnreadBody {
    Stream(Body),
    Parsed(Option<Map<String, Value>>),
}

/// Returns the credential of the headers or the query, else that of the body. A body that cannot be
/// parsed contains no credential, so it is a 401.
async fn find_credential(
    app: &App,
    parts: &Parts,
    query: &[(String, String)],
    reads_only: bool,
    body: Body,
) -> Result<(PresentedCredential, UnreadBody), ApiError> {
    let query_tokens = query.iter().filter(|(name, _)| name == "oauth_token");
    let query_token = query_tokens.map(|(_, token)| token.trim()).find(|token| !token.is_empty());
    let (base_url, headers) = (&app.base_url, &parts.headers);
    let presented = auth::presented_credential(headers, query_token, reads_only, base_url);
    if let Some(credential) = presented {
        return Ok((credential, UnreadBody::Stream(body)));
    }
    let address = parts.extensions.get::<ClientAddress>().copied();
    let (credential, object) = read_unauthenticated_body(app, headers, body, address).await?;
    Ok((credential, UnreadBody::Parsed(object)))
}

/// Circumstances in which a credential is presented.
struct PresentedTo {
    /// Network of the path.
    network: Option<NetworkId>,
    /// Address of the client.
    address: Option<ClientAddress>,
    /// Time, by the system clock.
    now: Timestamp,
}

/// Result of authentication.
struct Authenticated {
    principal: Principal,
    network: Network,
    /// `None` if the credential is not a token.
    cached_token: Option<Arc<CachedToken>>,
}

/// Authenticates a credential and checks that it belongs to the network of the path.
async fn authorize(
    app: &App,
    credential: &PresentedCredential,
    presented_to: PresentedTo,
    response_meta: &ResponseMeta,
) -> Result<Authenticated, ApiError> {
    let PresentedTo { network: path_network, address, now } = presented_to;
    let authenticated = match credential {
        PresentedCredential::Secret(credential @ Credential::Token(token)) => {
            authenticate_token(app, credential, token, now, response_meta)?
        }
        _ => {
            let principal = auth::authenticate(app, credential, path_network, address).await?;
            let principal = principal.ok_or(ApiError::Unauthorized)?;
            let network = app.store.read(|unit| unit.network(principal.network_id))?;
            let network = network.ok_or(ApiError::Unauthorized)?;
            Authenticated { principal, network, cached_token: None }
        }
    };
    match path_network {
        Some(network_id) if network_id != authenticated.principal.network_id => {
            let message = format!("this credential is not for network {network_id}");
            Err(Error::NotAllowed(message).into())
        }
        _ => Ok(authenticated),
    }
}

/// Finds a token in the cache, else in the database.
fn authenticate_token(
    app: &App,
    credential: &Credential,
    token: &str,
    now: Timestamp,
    response_meta: &ResponseMeta,
) -> Result<Authenticated, ApiError> {
    let cached_token = match app.credential_cache.get(credential, now) {
        Some(cached_token) => {
            response_meta.set_cached_token(&cached_token);
            cached_token
        }
        None => {
            let loaded = app.store.read(|unit| app.credential_cache.load(unit, token, now))?;
            loaded.ok_or(ApiError::Unauthorized)?
        }
    };
    Ok(Authenticated {
        principal: cached_token.principal.clone(),
        network: cached_token.network.clone(),
        cached_token: Some(cached_token),
    })
}

impl From<trunkline_store::Error> for ApiError {
    fn from(error: trunkline_store::Error) -> Self {
        Self::UseCase(error.into())
    }
}

/// Consumes one request of the principal's rate limit, and one of its tenant's.
async fn consume_rate_limit(
    app: &App,
    principal: &Principal,
    response_meta: &ResponseMeta,
) -> Result<(), ApiError> {
    let result = app.rate_limits.consume(&app.store, principal.actor).await;
    let Some(result) = result else { return Ok(()) };
    let (Ok(allowance) | Err(allowance)) = result;
    response_meta.set_rate_limit(allowance);
    result.map_err(ApiError::RateLimited)?;
    let tenant = principal.tenant();
    let shared = app.tenant_rate_limits.consume(&app.store, tenant).await;
    if let Some(Err(allowance)) = shared {
        response_meta.set_rate_limit(allowance);
        return Err(ApiError::TenantRateLimited(allowance));
    }
    Ok(())
}

/// Reads a body before authentication and returns its credential and the rest of its object. The
/// number of such bodies is limited, in all and for an address, which bounds the memory that
/// unauthenticated clients can use.
async fn read_unauthenticated_body(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    address: Option<ClientAddress>,
) -> Result<(PresentedCredential, Option<Map<String, Value>>), ApiError> {
    let address = address.map(|address| network_of(address.0));
    let permits = async {
        let of_address = app.unauthenticated_bodies_of_address.get(address);
        let of_address = of_address.acquire_owned().await;
        (of_address, app.unauthenticated_body_permits.acquire().await)
    };
    let permits = tokio::time::timeout(app.limits.body_timeout, permits).await;
    let _permits = permits.map_err(|_| ApiError::BodyTimeout)?;
    let mut object = read_body(app, headers, body, BodyOwner::Address(address)).await;
    let credential = match &mut object {
        Ok(Some(object)) => auth::take_from_body(object),
        Ok(None) | Err(_) => None,
    };
    Ok((credential.ok_or(ApiError::Unauthorized)?, object?))
}

/// Reads and parses a body within the server's limits. Returns `None` if it is empty.
async fn read_body(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    owner: BodyOwner,
) -> Result<Option<Map<String, Value>>, ApiError> {
    let limits =
        BodyLimits { max_bytes: app.limits.max_body_bytes, timeout: app.limits.body_timeout };
    let memory = (app.body_memory.as_ref(), owner);
    Ok(request_body::read_object(headers, body, limits, memory).await?)
}

/// Parses a query string into its decoded names and values, in order. Bytes that are not UTF-8 become
/// U+FFFD.
pub(crate) fn parse_query(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}
