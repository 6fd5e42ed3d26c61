//! A router that knows what is on it: axum's own cannot be listed, and both the document of the
//! API and the table of who may do what have to name every route.

use crate::app::App;
use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::MethodRouter;

/// Routes, and their list.
#[derive(Default)]
pub(crate) struct Routes {
    router: Router<App>,
    listed: Vec<(Method, String)>,
}

/// The handlers of one path, and the methods they are for.
#[derive(Default)]
pub(crate) struct Methods {
    router: MethodRouter<App>,
    listed: Vec<Method>,
}

impl Routes {
    /// No routes yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a path with its handlers.
    pub(crate) fn route(mut self, path: &str, methods: Methods) -> Self {
        self.listed.extend(methods.listed.into_iter().map(|method| (method, path.to_owned())));
        self.router = self.router.route(path, methods.router);
        self
    }

    /// Adds another set of routes.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.listed.extend(other.listed);
        self.router = self.router.merge(other.router);
        self
    }

    /// What axum serves.
    pub(crate) fn into_router(self) -> Router<App> {
        self.router
    }

    /// Every method and path, in the order they were added.
    pub(crate) fn listed(self) -> Vec<(Method, String)> {
        self.listed
    }
}

/// A path's handlers, GET first.
pub(crate) fn get<T: 'static>(handler: impl Handler<T, App>) -> Methods {
    Methods::default().get(handler)
}

/// A path's handlers, POST first.
pub(crate) fn post<T: 'static>(handler: impl Handler<T, App>) -> Methods {
    Methods::default().post(handler)
}

impl Methods {
    /// Answers GET, and HEAD with it.
    pub(crate) fn get<T: 'static>(self, handler: impl Handler<T, App>) -> Self {
        let Self { router, listed } = self;
        Self { router: router.get(handler), listed }.with(Method::GET)
    }

    /// Answers POST.
    pub(crate) fn post<T: 'static>(self, handler: impl Handler<T, App>) -> Self {
        let Self { router, listed } = self;
        Self { router: router.post(handler), listed }.with(Method::POST)
    }

    /// Answers PUT.
    pub(crate) fn put<T: 'static>(self, handler: impl Handler<T, App>) -> Self {
        let Self { router, listed } = self;
        Self { router: router.put(handler), listed }.with(Method::PUT)
    }

    /// Answers DELETE.
    pub(crate) fn delete<T: 'static>(self, handler: impl Handler<T, App>) -> Self {
        let Self { router, listed } = self;
        Self { router: router.delete(handler), listed }.with(Method::DELETE)
    }

    fn with(mut self, method: Method) -> Self {
        self.listed.push(method);
        self
    }
}

/// Where a route is found from outside: what [`crate::path::address`] takes off a path, put back.
pub(crate) fn public_path(route: &str) -> String {
    match (route.strip_prefix("/trunkline/"), route.strip_prefix("/api/")) {
        (Some(rest), _) => format!("/trunkline/v1/networks/{{network_id}}/{rest}"),
        (None, Some(rest)) => format!("/api/{{version}}/{{network_id}}/{rest}"),
        (None, None) => route.to_owned(),
    }
}

/// Every route of the API: its method, and its path as clients send it, with parameters in braces
/// (`/api/{version}/{network_id}/affiliates/{affiliate}`). The `.json` suffix is left out.
pub fn route_table() -> Vec<(Method, String)> {
    let listed = crate::resources::routes().listed();
    listed.into_iter().map(|(method, route)| (method, public_path(&route))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_every_method_of_a_path() {
        let table = route_table();
        let path = "/api/{version}/{network_id}/affiliates/{affiliate}";
        let methods: Vec<_> = table.iter().filter(|(_, it)| it == path).map(|(m, _)| m).collect();
        assert_eq!(methods, [Method::GET, Method::POST, Method::PUT, Method::DELETE]);
        let check = "/trunkline/v1/networks/{network_id}/conditions/check".to_owned();
        assert!(table.contains(&(Method::POST, check)));
    }
}
