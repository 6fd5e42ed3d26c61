//! A request, understood: who asks, of which network, by which version, and what its body says.

use crate::app::App;
use crate::auth::{self, Shown};
use crate::errors::Refusal;
use crate::fields::Ignored;
use crate::json;
use crate::path::{Addressed, Format};
use crate::proof::{Proof, Told};
use crate::router::RequestId;
use crate::versions::Version;
use axum::body::Body;
use axum::extract::{FromRef, FromRequest};
use axum::http::{HeaderMap, Method, Request, Response, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex};
use trunkline_domain::party::{NAME_LIMIT, Network};
use trunkline_domain::problem::{NOT_A_NUMBER, Problems};
use trunkline_network::credentials::Credential;
use trunkline_network::{Caller, Context, Error, IdempotencyKey, Session, Standing};

/// A request, understood.
pub(crate) struct Incoming {
    pub(crate) app: App,
    pub(crate) method: Method,
    /// The path as the router knows it, and the path as it was asked for.
    pub(crate) asked_path: String,
    pub(crate) version: Version,
    /// How the answer is to be written, where there is a choice.
    pub(crate) format: Format,
    pub(crate) network: Network,
    pub(crate) context: Context,
    /// The body's object; `None` for an empty body.
    pub(crate) body: Option<Map<String, Value>>,
    /// A body of many lines of JSON, unread. (A body may be moved between threads but not shared,
    /// so it is locked up until it is taken out.)
    pub(crate) lines: Option<Mutex<Body>>,
    /// The body in the request's own words, for what is said of it.
    pub(crate) said: Option<Map<String, Value>>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    /// The credential, for answers that go on after it may have been taken back.
    pub(crate) credential: Shown,
    /// Whether the credential is a browser's cookie, which other sites can make it send.
    pub(crate) by_cookie: bool,
    pub(crate) ignored: Ignored,
    /// What each unit of work has to confirm.
    pub(crate) proof: Proof,
}

impl<S> FromRequest<S> for Incoming
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Response<Body>;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, Response<Body>> {
        let app = App::from_ref(state);
        let read = Self::read_request(app.clone(), request).await;
        read.map_err(|refusal| refusal.response(&app, |_| ()))
    }
}

impl Incoming {
    async fn read_request(app: App, request: Request<Body>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let addressed = parts.extensions.get::<Addressed>().cloned();
        let (version, format) = (Version::newest(), Format::Json);
        let addressed = addressed.unwrap_or(Addressed { version, network: None, format });
        let query = parse_query(parts.uri.query().unwrap_or_default());
        let token = query.iter().find(|(name, _)| name == "oauth_token");
        let reads_only = parts.method == Method::GET || parts.method == Method::HEAD;
        let shown = auth::shown(&parts.headers, token.map(|(_, token)| token.as_str()), reads_only);
        // Where headers and query show nothing, the body may; then nothing of it is answered
        // before the credential is found good.
        let (shown, body) = match shown {
            Some(shown) => (Some(shown), Err(body)),
            None => {
                let (shown, read) = of_stranger(&app, &parts.headers, body).await?;
                (Some(shown), Ok(read))
            }
        };
        let credential = shown.ok_or(Refusal::Unauthorized)?;
        let by_cookie = matches!(credential, Shown::Secret(Credential::Session(_)));
        let told = parts.extensions.get::<Told>().cloned().unwrap_or_default();
        let system_now = (app.clock)();
        let known = authorize(&app, &credential, (addressed.network, system_now), &told).await?;
        let Known { caller, network, standing } = known;
        spend(&app, &caller, &told).await?;
        let proof = Proof::new(app.clone(), standing, told);
        let mut lines = None;
        let body = match body {
            Ok(read) => read,
            Err(_) if reads_only => None,
            Err(unread) if content_type(&parts.headers) == LINES => {
                // They are written in many units of work.
                app.store.read(|session| proof.confirm(session))?;
                lines = Some(Mutex::new(unread));
                None
            }
            Err(unread) => read_body(&app, &parts.headers, unread).await?,
        };
        let body = body.map(|mut map| {
            map.shift_remove("oauth_token");
            map
        });
        let request_id = parts.extensions.get::<RequestId>();
        let asked_path = parts.extensions.get::<AskedPath>();
        Ok(Self {
            context: Context {
                caller,
                now: network.now(system_now),
                system_now,
                request_id: request_id.map(|id| id.0.clone()).unwrap_or_default(),
            },
            method: parts.method,
            asked_path: asked_path.map(|path| path.0.clone()).unwrap_or_default(),
            version: addressed.version,
            format: addressed.format,
            network,
            said: None,
            lines,
            body,
            query,
            headers: parts.headers,
            credential,
            by_cookie,
            ignored: Ignored::default(),
            proof,
            app,
        })
    }

    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query that is a whole number, from a least to a most.
    pub(crate) fn whole_parameter(
        &self,
        name: &str,
        (least, most): (i64, i64),
        problems: &mut Problems,
    ) -> Option<i64> {
        match self.parameter(name)?.parse::<i64>() {
            Ok(number) if number < least => {
                problems.at(name).add(format!("must be greater than or equal to {least}"));
            }
            Ok(number) if number > most => {
                problems.at(name).add(format!("must be less than or equal to {most}"));
            }
            Ok(number) => return Some(number),
            Err(_) => problems.at(name).add(NOT_A_NUMBER),
        }
        None
    }

    /// What the query asks for besides a page, for the link to the next one; never a credential.
    pub(crate) fn filters(&self) -> String {
        const PLAIN: &AsciiSet =
            &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
        let encode = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
        let asked = self.query.iter().filter(|(name, _)| {
            !["limit", "start_after_id", "oauth_token", "access_token"].contains(&name.as_str())
        });
        asked.map(|(name, value)| format!("{}={}&", encode(name), encode(value))).collect()
    }

    /// Runs a use case that only reads.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&mut Session<'_>, &Context) -> Result<T, Error>,
    ) -> Result<T, Refusal> {
        let work = |session: &mut Session<'_>| {
            self.proof.confirm(session)?;
            work(session, &self.context)
        };
        Ok(self.app.store.read(work)?)
    }

    /// Runs a use case that only reads, and as a rule with one statement: that has no need of a
    /// transaction. It may be run more than once.
    pub(crate) async fn look<T>(
        &self,
        work: impl Fn(&mut Session<'_>, &Context) -> Result<T, Error>,
    ) -> Result<T, Refusal> {
        let glance = self.app.store.glance(|session| work(session, &self.context)).await?;
        match glance {
            Some((generation, result)) if self.proof.holds_at(generation) => Ok(result?),
            _ => self.read(work),
        }
    }

    /// Runs a use case that writes; returns after its commit.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Refusal> {
        Ok(self.proof.write(&self.context, work).await?)
    }

    /// As [`Incoming::write`]; `foresee` asks what the use case is going to ask, as far as the request
    /// tells, and is answered nothing.
    pub(crate) async fn write_foreseeing<T: Send + 'static>(
        &self,
        foresee: impl FnOnce(&mut Session<'_>, &Context),
        work: impl FnOnce(&mut Session<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Refusal> {
        let foresee = |session: &mut Session<'_>| foresee(session, &self.context);
        Ok(self.proof.write_foreseeing(&self.context, foresee, work).await?)
    }

    /// The request's Idempotency-Key, with what it is used for: path and body. Asked for before or
    /// after the body is taken, it is the same.
    pub(crate) fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, Refusal> {
        let Some(key) = self.headers.get("idempotency-key") else { return Ok(None) };
        let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= NAME_LIMIT);
        let wrong =
            || Refusal::Bad("Idempotency-Key must be 1 to 255 printable characters".to_owned());
        let key = key.ok_or_else(wrong)?.to_owned();
        let body = self.said.as_ref().or(self.body.as_ref());
        let body = body.cloned().map_or(Value::Null, Value::Object);
        let request = format!("{} {body}", self.asked_path).into_bytes();
        Ok(Some(IdempotencyKey { key, request }))
    }

    /// The body, which this request needs.
    pub(crate) fn take_body(&mut self) -> Result<Map<String, Value>, Refusal> {
        if self.lines.is_some() {
            return Err(Refusal::NotJson);
        }
        let missing = || Refusal::Bad("the body is empty: a JSON object is needed".to_owned());
        let body = self.body.take().ok_or_else(missing)?;
        self.said = Some(body.clone());
        Ok(body)
    }
}

/// The path as the client sent it, for links.
#[derive(Debug, Clone)]
pub(crate) struct AskedPath(pub(crate) String);

/// Who asks, and of which network.
struct Known {
    caller: Caller,
    network: Network,
    standing: Option<Arc<Standing>>,
}

async fn authorize(
    app: &App,
    shown: &Shown,
    (asked, now): (Option<i64>, Timestamp),
    told: &Told,
) -> Result<Known, Refusal> {
    let known = match shown {
        Shown::Secret(credential @ Credential::Token(token)) => {
            by_token(app, (credential, token), now, told)?
        }
        _ => {
            let caller = auth::caller(app, shown, asked).await?.ok_or(Refusal::Unauthorized)?;
            let network = app.store.read(|session| session.network(caller.network_id))?;
            Known { caller, network: network.ok_or(Refusal::Unauthorized)?, standing: None }
        }
    };
    match asked {
        Some(asked) if asked != known.caller.network_id => {
            let message = format!("this credential is not for network {asked}");
            Err(Error::NotAllowed(message).into())
        }
        _ => Ok(known),
    }
}

fn by_token(
    app: &App,
    (credential, token): (&Credential, &str),
    now: Timestamp,
    told: &Told,
) -> Result<Known, Refusal> {
    let standing = match app.credentials.remembered(credential, now) {
        Some(standing) => {
            told.remembered(&standing);
            standing
        }
        None => {
            let found = app.store.read(|it| app.credentials.look_up(it, token, now))?;
            found.ok_or(Refusal::Unauthorized)?
        }
    };
    let (caller, network) = (standing.caller.clone(), standing.network.clone());
    Ok(Known { caller, network, standing: Some(standing) })
}

impl From<trunkline_store::Error> for Refusal {
    fn from(error: trunkline_store::Error) -> Self {
        Self::Refused(error.into())
    }
}

/// Takes a request from the credential's allowance.
async fn spend(app: &App, caller: &Caller, told: &Told) -> Result<(), Refusal> {
    let Some(taken) = app.rates.draw(app, caller.actor).await else { return Ok(()) };
    let (Ok(allowance) | Err(allowance)) = taken;
    told.spend(allowance);
    taken.map(|_| ()).map_err(Refusal::TooMany)
}

/// The credential that a body shows, and the rest of it. Whoever it is: the bodies of strangers take so
/// much memory together, and no more.
async fn of_stranger(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Shown, Option<Map<String, Value>>), Refusal> {
    let turn = tokio::time::timeout(app.limits.body_time, app.strangers.acquire());
    let _turn = turn.await.map_err(|_| Refusal::TooSlow)?;
    let mut read = read_body(app, headers, body).await;
    let shown = read.as_mut().ok().and_then(|map| map.as_mut().and_then(auth::in_body));
    Ok((shown.ok_or(Refusal::Unauthorized)?, read?))
}

/// Reads a body within its limits. `None` when it is empty.
async fn read_body(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<Option<Map<String, Value>>, Refusal> {
    let limit = app.limits.body;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok());
    if length.and_then(|it| it.parse::<u64>().ok()).is_some_and(|length| length > limit as u64) {
        return Err(Refusal::TooLarge(limit));
    }
    let collected = tokio::time::timeout(app.limits.body_time, collect(app, body, limit)).await;
    let bytes = collected.map_err(|_| Refusal::TooSlow)??;
    if bytes.is_empty() {
        return Ok(None);
    }
    require_json(headers, &bytes)?;
    match json::parse(&bytes) {
        Ok(Value::Object(map)) => Ok(Some(map)),
        Ok(_) => Err(Refusal::Bad("the body must be a JSON object, at line 1 column 1".to_owned())),
        Err(error) => Err(Refusal::Bad(format!("the body is not valid JSON: {error}"))),
    }
}

/// Bytes of a body that are nobody else's business.
const SMALL: usize = 16 * 1024;

/// Takes what comes of a body. What was read of it stands alone in memory, not in the buffers that it
/// came in; and beyond a little, of all bodies that are on their way there is only so much.
async fn collect(app: &App, body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    let mut body = Limited::new(body, limit);
    let (mut bytes, mut held) = (Vec::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => Refusal::TooLarge(limit),
            None => Refusal::Bad("the body ended early".to_owned()),
        })?;
        let more = frame.into_data().unwrap_or_default();
        if bytes.len() + more.len() > SMALL {
            let much = u32::try_from(more.len()).unwrap_or(u32::MAX);
            let turn = app.bodies.try_acquire_many(much);
            held.push(turn.map_err(|_| Refusal::Crowded)?);
        }
        bytes.extend_from_slice(&more);
    }
    Ok(bytes)
}

/// A body of one JSON value a line.
const LINES: &str = "application/x-ndjson";

/// What a body says it is, without parameters; empty when it doesn't say.
fn content_type(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

/// JSON has to say that it is JSON; but curl's `-d` says "form" of everything, and the seeds' own
/// example sends its JSON so: what looks like an object is taken for one.
fn require_json(headers: &HeaderMap, bytes: &[u8]) -> Result<(), Refusal> {
    let kind = content_type(headers);
    let looks_like_json = bytes.trim_ascii_start().starts_with(b"{");
    let unsaid = kind.is_empty() || kind == "application/x-www-form-urlencoded";
    if kind == "application/json" || kind.ends_with("+json") || (unsaid && looks_like_json) {
        return Ok(());
    }
    Err(Refusal::NotJson)
}

fn parse_query(query: &str) -> Vec<(String, String)> {
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
