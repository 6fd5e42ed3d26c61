//! A router that can list its routes, which axum's cannot. The OpenAPI document and the
//! authorization test must cover every route.

use crate::app::App;
use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::MethodRouter;

/// Router with the list of its routes.
#[derive(Default)]
pub(crate) struct Routes {
    router: Router<App>,
    list: Vec<(Method, String)>,
}

/// Handlers of one path with the list of their methods.
#[derive(Default)]
pub(crate) struct Methods {
    router: MethodRouter<App>,
    list: Vec<Method>,
}

impl Routes {
    /// Creates a router without routes.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a path with its handlers.
    pub(crate) fn route(mut self, path: &str, methods: Methods) -> Self {
        self.list.extend(methods.list.into_iter().map(|method| (method, path.to_owned())));
        self.router = self.router.route(path, methods.router);
        self
    }

    /// Adds another set of routes.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.list.extend(other.list);
        self.router = self.router.merge(other.router);
        self
    }

    /// Returns the axum router.
    pub(crate) fn into_router(self) -> Router<App> {
        self.router
    }

    /// Returns every method and path, in the order they were added.
    pub(crate) fn into_list(self) -> Vec<(Method, String)> {
        self.list
    }
}

/// Starts the handlers of a path with GET.
pub(crate) fn get<T: 'static>(handler: impl Handler<T, App>) -> Methods {
    Methods::default().get(handler)
}

/// Starts the handlers of a path with POST.
pub(crate) fn post<T: 'static>(handler: impl Handler<T, App>) -> Methods {
    Methods::default().post(handler)
}

/// Starts the handlers of a path with DELETE.
pub(crate) fn delete<T: 'static>(handler: impl Handler<T, App>) -> Methods {
    Methods::default().delete(handler)
}

impl Methods {
    /// Adds a handler for GET and HEAD.
    pub(crate) fn get<T: 'static>(self, handler: impl Handler<T, App>) -> Self {
        let Self { router, list } = self;
        Self { router: router.get(handler), list }.with_method(Method::GET)
    }

    /// Adds a handler for POST.
    pub(crate) fn post<T: 'static>(self, handler: impl Handler<T, App>) -> Self {
        let Self { router, list } = self;
        Self { router: router.post(handler), list }.with_method(Method::POST)
    }

    /// Adds a handler for PUT.
    pub(crate) fn put<T: 'static>(self, handler: impl Handler<T, App>) -> Self {
        let Self { router, list } = self;
        Self { router: router.put(handler), list }.with_method(Method::PUT)
    }

    /// Adds a handler for DELETE.
    pub(crate) fn delete<T: 'static>(self, handler: impl Handler<T, App>) -> Self {
        let Self { router, list } = self;
        Self { router: router.delete(handler), list }.with_method(Method::DELETE)
    }

    fn with_method(mut self, method: Method) -> Self {
        self.list.push(method);
        self
    }
}

/// Returns a route's path as clients send it: with the prefix that
/// [`crate::path_prefix::parse_prefix`] removes.
pub(crate) fn public_path(route: &str) -> String {
    match (route.strip_prefix("/trunkline/"), route.strip_prefix("/api/")) {
        (Some(rest), _) => format!("/trunkline/v1/networks/{{network_id}}/{rest}"),
        (None, Some(rest)) => format!("/api/{{version}}/{{network_id}}/{rest}"),
        (None, None) => route.to_owned(),
    }
}
