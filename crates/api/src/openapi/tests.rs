use super::*;
use crate::route_table::route_table;
use std::collections::BTreeSet;

fn documented(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = paths.iter().flat_map(|(path, item)| {
        let methods = METHODS.into_iter().filter(|method| item.get(method).is_some());
        methods.map(move |method| (method.to_uppercase(), path.clone()))
    });
    methods.collect()
}

#[test]
fn documented_operations_equal_routes() {
    let routes: BTreeSet<_> =
        route_table().into_iter().map(|(method, path)| (method.to_string(), path)).collect();
    let documented = documented(&openapi_document());
    let missing: Vec<_> = routes.difference(&documented).collect();
    let without_route: Vec<_> = documented.difference(&routes).collect();
    assert!(missing.is_empty(), "not in the document: {missing:#?}");
    assert!(without_route.is_empty(), "in the document only: {without_route:#?}");
}

fn collect_references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

#[test]
fn references_resolve_and_every_component_is_used() {
    let document = openapi_document();
    let mut found = Vec::new();
    collect_references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} does not resolve");
    }
    for kind in ["schemas", "responses", "parameters", "headers"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(found.contains(&reference.as_str()), "nothing refers to {reference}");
        }
    }
}

#[test]
fn operation_ids_are_unique_and_links_name_one() {
    let document = openapi_document();
    let items = document["paths"].as_object().unwrap().values();
    let operations: Vec<&Value> =
        items.flat_map(|item| METHODS.iter().filter_map(|method| item.get(method))).collect();
    let ids: BTreeSet<_> =
        operations.iter().map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len());
    for operation in operations {
        for response in operation["responses"].as_object().unwrap().values() {
            let links = response.get("links").and_then(Value::as_object);
            for link in links.into_iter().flat_map(Map::keys) {
                assert!(ids.contains(link.as_str()), "link to {link}, which is not an operationId");
            }
        }
    }
}

/// Compares the document with the reviewed copy in the repository, so that every change of the
/// wire shows in a diff. `TRUNKLINE_UPDATE=1 cargo test -p trunkline-api openapi` updates the copy.
#[test]
fn document_equals_the_reviewed_copy() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/trunkline.json");
    let current = format!("{:#}\n", openapi_document());
    if std::env::var_os("TRUNKLINE_UPDATE").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let reviewed = std::fs::read_to_string(path).unwrap_or_default();
    let line =
        current.lines().zip(reviewed.lines()).position(|(current, reviewed)| current != reviewed);
    assert!(
        current == reviewed,
        "openapi/trunkline.json differs from the document from line {:?} on: \
         run with TRUNKLINE_UPDATE=1 and review the diff",
        line.map(|line| line + 1)
    );
}
