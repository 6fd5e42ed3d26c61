//! Table of every route of the API, for tests and documents that must cover all of them.

use crate::resources;
use crate::routes::public_path;
use axum::http::Method;

/// Returns every route of the API: its method, and its path as clients send it, with parameters in
/// braces (`/api/{version}/{network_id}/affiliates/{affiliate}`) and without the `.json` suffix.
pub fn route_table() -> Vec<(Method, String)> {
    let routes = resources::routes().into_list();
    routes.into_iter().map(|(method, route)| (method, public_path(&route))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_contains_every_method_of_a_path() {
        let table = route_table();
        let path = "/api/{version}/{network_id}/affiliates/{affiliate}";
        let methods: Vec<_> =
            table.iter().filter(|(_, listed)| listed == path).map(|(m, _)| m).collect();
        assert_eq!(methods, [Method::GET, Method::POST, Method::PUT, Method::DELETE]);
        let check = "/trunkline/v1/networks/{network_id}/conditions/check".to_owned();
        assert!(table.contains(&(Method::POST, check)));
    }
}
