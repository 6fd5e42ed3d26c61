//! That a remembered credential is still good: found out in the unit of work that answers the request, or,
//! if there was none, before the answer goes out.

use crate::app::App;
use crate::errors::Refusal;
use crate::rate_limit::Allowance;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::Response;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use trunkline_network::{Context, Error, Session, Standing};

/// What is found out about a request on its way, for the layer around all answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    spent: Option<Allowance>,
    route: Option<MatchedPath>,
    unconfirmed: Option<Arc<Standing>>,
}

impl Told {
    /// What is left of the rate limit.
    pub(crate) fn spend(&self, left: Allowance) {
        self.state().spent = Some(left);
    }

    /// What is left of the rate limit, if anything was drawn from it.
    pub(crate) fn spent(&self) -> Option<Allowance> {
        self.state().spent
    }

    /// Which route the request takes.
    pub(crate) fn take_route(&self, route: MatchedPath) {
        self.state().route = Some(route);
    }

    /// Which route it took, if there was one.
    pub(crate) fn route(&self) -> Option<MatchedPath> {
        self.state().route.take()
    }

    /// The request was let in on a credential that was only remembered.
    pub(crate) fn remembered(&self, standing: &Arc<Standing>) {
        self.state().unconfirmed = Some(Arc::clone(standing));
    }

    fn confirmed(&self) {
        self.state().unconfirmed = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer, unless it was given on a credential that is good no longer.
    pub(crate) fn answer(&self, app: &App, response: Response<Body>) -> Response<Body> {
        let unconfirmed = self.state().unconfirmed.take();
        let Some(standing) = unconfirmed else { return response };
        let now = (app.clock)();
        match app.store.read(|session| standing.confirm(&app.credentials, session, now)) {
            Err(Error::Unauthorized) => Refusal::Unauthorized.response(app, |_| ()),
            // Where the database says nothing of it, nothing of the database is in the answer.
            Ok(()) | Err(_) => response,
        }
    }
}

/// A request's token, to be confirmed in each of its units of work.
#[derive(Clone)]
pub(crate) struct Proof {
    app: App,
    /// `None` when who asks was looked up otherwise.
    standing: Option<Arc<Standing>>,
    told: Told,
}

impl Proof {
    pub(crate) fn new(app: App, standing: Option<Arc<Standing>>, told: Told) -> Self {
        Self { app, standing, told }
    }

    /// `Ok` if the token is good in this unit of work.
    pub(crate) fn confirm(&self, session: &mut Session<'_>) -> Result<(), Error> {
        let Some(standing) = &self.standing else { return Ok(()) };
        let confirmed = standing.confirm(&self.app.credentials, session, (self.app.clock)());
        if confirmed.is_ok() {
            self.told.confirmed();
        }
        confirmed
    }

    /// Runs a use case that writes, if the token is good in its unit of work; returns after its commit.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        context: &Context,
        work: impl FnOnce(&mut Session<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.write_foreseeing(context, |_| (), work).await
    }

    /// As [`Proof::write`]; `foresee` asks what the use case is going to ask: see
    /// [`trunkline_store::Store::write_foreseeing`].
    pub(crate) async fn write_foreseeing<T: Send + 'static>(
        &self,
        context: &Context,
        foresee: impl FnOnce(&mut Session<'_>),
        work: impl FnOnce(&mut Session<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (context, proof) = (context.clone(), self.clone());
        let work = move |session: &mut Session<'_>| {
            proof.confirm(session)?;
            work(session, &context)
        };
        self.app.store.write_foreseeing(foresee, work).await
    }

    /// Whether the token is good as of a generation that a unit of work saw.
    pub(crate) fn holds_at(&self, generation: i64) -> bool {
        let holds = self.standing.as_ref().is_none_or(|it| it.holds_at(generation));
        if holds {
            self.told.confirmed();
        }
        holds
    }
}
