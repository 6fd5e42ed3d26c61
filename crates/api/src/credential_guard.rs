//! Revalidates a cached credential inside the transaction that serves the request. Requests without
//! a transaction are revalidated before the response is sent.

use crate::app::App;
use crate::errors::ApiError;
use crate::rate_limit::Allowance;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::Response;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use trunkline_domain::timezone::TimeZoneName;
use trunkline_network::{AuditLimit, CachedToken, Context, Error, InternalIdUse, UnitOfWork};

/// Facts of a request that its handlers record for the outer middleware. Clones share one record.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResponseMeta(Arc<Mutex<MetaState>>);

#[derive(Debug, Default)]
struct MetaState {
    rate_limit: Option<Allowance>,
    route: Option<MatchedPath>,
    unconfirmed_token: Option<Arc<CachedToken>>,
    internal_id_use: InternalIdUse,
}

impl ResponseMeta {
    /// Records the credential's remaining rate limit.
    pub(crate) fn set_rate_limit(&self, allowance: Allowance) {
        self.state().rate_limit = Some(allowance);
    }

    /// Remaining rate limit; `None` if the request did not consume any.
    pub(crate) fn rate_limit(&self) -> Option<Allowance> {
        self.state().rate_limit
    }

    /// Records the matched route.
    pub(crate) fn set_route(&self, route: MatchedPath) {
        self.state().route = Some(route);
    }

    /// Removes and returns the matched route.
    pub(crate) fn take_route(&self) -> Option<MatchedPath> {
        self.state().route.take()
    }

    /// Record of objects that the request names by the server's ids.
    pub(crate) fn internal_id_use(&self) -> InternalIdUse {
        self.state().internal_id_use.clone()
    }

    /// Records that the request was authenticated by a cached token, which must be revalidated.
    pub(crate) fn set_cached_token(&self, cached_token: &Arc<CachedToken>) {
        self.state().unconfirmed_token = Some(Arc::clone(cached_token));
    }

    fn set_confirmed(&self) {
        self.state().unconfirmed_token = None;
    }

    fn state(&self) -> MutexGuard<'_, MetaState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Revalidates the cached token if no transaction of the request did. Returns the response, or
    /// a 401 if the token is no longer valid.
    pub(crate) fn confirm_response(&self, app: &App, response: Response<Body>) -> Response<Body> {
        let unconfirmed_token = self.state().unconfirmed_token.take();
        let Some(cached_token) = unconfirmed_token else { return response };
        let now = (app.clock)();
        match app.store.read(|unit| cached_token.revalidate(&app.credential_cache, unit, now)) {
            Err(Error::Unauthorized) => ApiError::Unauthorized.into_response(app),
            // If the database is unreachable here, the response contains no data from it, so
            // sending it unconfirmed is safe.
            Ok(()) | Err(_) => response,
        }
    }
}

/// Credential of a request, to be revalidated in each of its units of work.
#[derive(Clone)]
pub(crate) struct CredentialGuard {
    app: App,
    /// `None` if the credential was verified in the database for this request.
    cached_token: Option<Arc<CachedToken>>,
    response_meta: ResponseMeta,
    /// Time zone of the network, in which the days of its audit log end.
    time_zone: TimeZoneName,
}

impl CredentialGuard {
    pub(crate) fn new(
        app: App,
        cached_token: Option<Arc<CachedToken>>,
        response_meta: ResponseMeta,
        time_zone: TimeZoneName,
    ) -> Self {
        Self { app, cached_token, response_meta, time_zone }
    }

    /// Checks that the token is valid in this unit of work.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthorized`] if it was revoked or has expired.
    pub(crate) fn revalidate(&self, unit: &mut UnitOfWork<'_>) -> Result<(), Error> {
        let Some(cached_token) = &self.cached_token else { return Ok(()) };
        let result = cached_token.revalidate(&self.app.credential_cache, unit, (self.app.clock)());
        if result.is_ok() {
            self.response_meta.set_confirmed();
        }
        result
    }

    /// Runs a writing use case after revalidating the token in the same transaction. Returns after
    /// the commit.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        context: &Context,
        work: impl FnOnce(&mut UnitOfWork<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.write_with_prefetch(context, |_| (), work).await
    }

    /// Same as [`CredentialGuard::write`]. `prefetch` issues the queries that the use case will
    /// need: see [`trunkline_store::Store::write_with_prefetch`].
    pub(crate) async fn write_with_prefetch<T: Send + 'static>(
        &self,
        context: &Context,
        prefetch: impl FnOnce(&mut UnitOfWork<'_>),
        work: impl FnOnce(&mut UnitOfWork<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let context = context.clone();
        let credential_guard = self.clone();
        let limit = self.audit_limit(&context);
        let until_midnight =
            limit.as_ref().map(|limit| limit.ends_at.duration_since(context.system_now));
        let work = move |unit: &mut UnitOfWork<'_>| {
            credential_guard.revalidate(unit)?;
            let result = work(unit, &context)?;
            if let Some(limit) = &limit {
                unit.charge_audit_bytes(limit)?;
            }
            Ok(result)
        };
        let result = self.app.store.write_with_prefetch(prefetch, work).await;
        result.map_err(|error| match error {
            Error::Storage(trunkline_store::Error::AuditLimit) => Error::AuditLimitReached(
                until_midnight.and_then(|time| time.try_into().ok()).unwrap_or_default(),
            ),
            error => error,
        })
    }

    /// Runs a use case that revokes access, after revalidating the token in the same transaction. It may
    /// use the reserve of a full disk, and does not count against the day's bytes of the audit log.
    pub(crate) async fn write_urgent<T: Send + 'static>(
        &self,
        context: &Context,
        work: impl FnOnce(&mut UnitOfWork<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let context = context.clone();
        let credential_guard = self.clone();
        let work = move |unit: &mut UnitOfWork<'_>| {
            credential_guard.revalidate(unit)?;
            work(unit, &context)
        };
        self.app.store.write_urgent(work).await
    }

    /// Returns the limit on what the principal may write into the audit log until the network's next
    /// midnight; `None` without one.
    fn audit_limit(&self, context: &Context) -> Option<AuditLimit> {
        let max_bytes = i64::try_from(self.app.limits.audit_bytes_per_day?).unwrap_or(i64::MAX);
        let tenant = context.principal.tenant();
        let (network_id, tenant) = (tenant.network_id, tenant.to_string());
        let today = context.system_now.to_zoned(self.time_zone.to_time_zone());
        let midnight = today.tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
        let ends_at = midnight.map_or(context.system_now, |midnight| midnight.timestamp());
        Some(AuditLimit { network_id, tenant, ends_at, max_bytes })
    }

    /// Returns true if the token is valid at a credential generation that a unit of work read.
    pub(crate) fn is_current_at(&self, generation: i64) -> bool {
        let is_current =
            self.cached_token.as_ref().is_none_or(|token| token.is_current(generation));
        if is_current {
            self.response_meta.set_confirmed();
        }
        is_current
    }
}
