use super::*;
use crate::routes::route_table;
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
fn every_route_is_documented_and_every_documented_route_is_there() {
    let routes: BTreeSet<_> =
        route_table().into_iter().map(|(method, path)| (method.to_string(), path)).collect();
    let documented = documented(&openapi());
    let missing: Vec<_> = routes.difference(&documented).collect();
    let made_up: Vec<_> = documented.difference(&routes).collect();
    assert!(missing.is_empty(), "not in the document: {missing:#?}");
    assert!(made_up.is_empty(), "in the document only: {made_up:#?}");
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_referred_to() {
    let document = openapi();
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for kind in ["schemas", "responses", "parameters", "headers"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(found.contains(&reference.as_str()), "nothing refers to {reference}");
        }
    }
}

#[test]
fn every_operation_has_an_id_of_its_own_and_links_lead_to_one() {
    let document = openapi();
    let items = document["paths"].as_object().unwrap().values();
    let operations: Vec<&Value> =
        items.flat_map(|item| METHODS.iter().filter_map(|method| item.get(method))).collect();
    let ids: BTreeSet<_> =
        operations.iter().map(|it| it["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len());
    for operation in operations {
        for response in operation["responses"].as_object().unwrap().values() {
            let links = response.get("links").and_then(Value::as_object);
            for link in links.into_iter().flat_map(Map::keys) {
                assert!(ids.contains(link.as_str()), "a link to {link}, which is no operation");
            }
        }
    }
}

/// The document as it was last looked at. `TRUNKLINE_UPDATE=1 cargo test -p trunkline-api openapi`
/// writes it anew: what changed is then in the diff.
#[test]
fn no_change_of_the_wire_goes_unseen() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/trunkline.json");
    let now = format!("{:#}\n", openapi());
    if std::env::var_os("TRUNKLINE_UPDATE").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let known = std::fs::read_to_string(path).unwrap_or_default();
    let line = now.lines().zip(known.lines()).position(|(now, known)| now != known);
    assert!(
        now == known,
        "openapi/trunkline.json is not what the API documents, from line {:?} on: \
         run with TRUNKLINE_UPDATE=1 and look at the diff",
        line.map(|line| line + 1)
    );
}
