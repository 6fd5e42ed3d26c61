//! Difference that an audit entry stores of a change: the top-level properties that changed, of terms
//! the properties that changed, and of `users` and `sites` the items that changed. So a small change of
//! a large object is a small entry.

use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// Properties that are lists of items with an id.
const LISTS_OF_ITEMS: [&str; 2] = ["users", "sites"];
/// Name of an item's id.
const ITEM_ID: &str = "id_from_network";
/// Properties that are terms, of which only the properties that changed are stored.
const TERMS: [&str; 2] = ["current_terms", "future_terms"];

/// Reduces the states of an object before and after a change to what changed.
///
/// Future terms that a change created are a copy of the current terms with changes: of both, the
/// properties that differ between them are kept, so that the change can be reverted later.
pub(crate) fn reduce(before: Value, after: Value) -> (Value, Value) {
    let (mut before, mut after) = match (before, after) {
        (Value::Object(before), Value::Object(after)) => (before, after),
        others => return others,
    };
    let is_draft_created = before.get("future_terms").is_some_and(Value::is_null)
        && after.get("future_terms").is_some_and(Value::is_object)
        && before.get("current_terms").is_some_and(Value::is_object)
        && before.get("current_terms") == after.get("current_terms");
    if is_draft_created {
        let current = take_object(&mut before, "current_terms");
        let draft = take_object(&mut after, "future_terms");
        let (current, draft) = reduce_properties(current, draft);
        before = changed_properties(before, &mut after);
        before.insert("current_terms".to_owned(), Value::Object(current.clone()));
        after.insert("current_terms".to_owned(), Value::Object(current));
        before.insert("future_terms".to_owned(), Value::Null);
        after.insert("future_terms".to_owned(), Value::Object(draft));
    } else {
        before = changed_properties(before, &mut after);
    }
    for name in TERMS {
        if !is_draft_created && is_object_in(&before, name) && is_object_in(&after, name) {
            let old = take_object(&mut before, name);
            let new = take_object(&mut after, name);
            let (old, new) = reduce_properties(old, new);
            before.insert(name.to_owned(), Value::Object(old));
            after.insert(name.to_owned(), Value::Object(new));
        }
    }
    for name in LISTS_OF_ITEMS {
        if let (Some(Value::Array(old)), Some(Value::Array(new))) =
            (before.get_mut(name), after.get_mut(name))
        {
            keep_changed_items(old, new);
        }
    }
    (Value::Object(before), Value::Object(after))
}

fn is_object_in(map: &Map<String, Value>, name: &str) -> bool {
    map.get(name).is_some_and(Value::is_object)
}

/// Takes an object out of a property, which stays as null; an empty one if it is none.
fn take_object(map: &mut Map<String, Value>, name: &str) -> Map<String, Value> {
    match map.get_mut(name).map(Value::take) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

fn reduce_properties(
    before: Map<String, Value>,
    mut after: Map<String, Value>,
) -> (Map<String, Value>, Map<String, Value>) {
    let before = changed_properties(before, &mut after);
    (before, after)
}

/// Returns the properties of `before` that differ in `after`, and removes the others from both.
fn changed_properties(
    mut before: Map<String, Value>,
    after: &mut Map<String, Value>,
) -> Map<String, Value> {
    let same: Vec<String> = before
        .iter()
        .filter(|(name, value)| after.get(*name) == Some(*value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in same {
        before.shift_remove(&name);
        after.shift_remove(&name);
    }
    before
}

fn id_of(item: &Value) -> Option<&str> {
    item.get(ITEM_ID)?.as_str()
}

/// Removes the items that are the same in both lists. Lists of which only the order differs stay whole.
fn keep_changed_items(before: &mut Vec<Value>, after: &mut Vec<Value>) {
    let by_id: HashMap<&str, &Value> =
        after.iter().filter_map(|item| id_of(item).map(|id| (id, item))).collect();
    let same_ids = before.iter().filter_map(|item| {
        let id = id_of(item)?;
        (by_id.get(id) == Some(&item)).then(|| id.to_owned())
    });
    let same_ids: HashSet<String> = same_ids.collect();
    if same_ids.len() == before.len() && same_ids.len() == after.len() {
        return;
    }
    let has_changed = |item: &Value| !id_of(item).is_some_and(|id| same_ids.contains(id));
    before.retain(has_changed);
    after.retain(has_changed);
}

/// Item of a list that cannot be reverted, because it was changed again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ItemChangedSince {
    /// Id of the item.
    pub(crate) id: String,
}

/// Reverts the items of a list that differ between `before` and `after`: each one that still is as the
/// change left it is replaced, removed or added again. Returns true if any was reverted.
///
/// # Errors
///
/// An item has been changed again since.
pub(crate) fn revert_items(
    before: &[Value],
    after: &[Value],
    now: &mut Vec<Value>,
) -> Result<bool, ItemChangedSince> {
    let find = |list: &[Value], id: &str| list.iter().find(|item| id_of(item) == Some(id)).cloned();
    let mut ids: Vec<String> = Vec::new();
    for id in before.iter().chain(after).filter_map(id_of) {
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    }
    let mut is_reverted = false;
    for id in ids {
        let (old, new, current) = (find(before, &id), find(after, &id), find(now, &id));
        if old == new || current == old {
            continue;
        }
        if current != new {
            return Err(ItemChangedSince { id });
        }
        is_reverted = true;
        let position = now.iter().position(|item| id_of(item) == Some(&id));
        match (position, old) {
            (Some(position), Some(old)) => now[position] = old,
            (Some(position), None) => drop(now.remove(position)),
            (None, Some(old)) => now.push(old),
            (None, None) => {}
        }
    }
    Ok(is_reverted)
}

/// Tests if a property is a list of items that [`revert_items`] reverts one by one.
pub(crate) fn is_list_of_items(name: &str) -> bool {
    LISTS_OF_ITEMS.contains(&name)
}

/// Tests if a property is terms, which are reverted property by property.
pub(crate) fn is_terms(name: &str) -> bool {
    TERMS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn user(id: &str, name: &str) -> Value {
        json!({"id_from_network": id, "first_name": name})
    }

    #[test]
    fn only_changed_properties_and_items_are_kept() {
        let before = json!({"name": "A", "status": "Approved",
            "users": [user("1", "Ada"), user("2", "Bob"), user("3", "Cyd")]});
        let after = json!({"name": "B", "status": "Approved",
            "users": [user("1", "Ada"), user("3", "Cy"), user("4", "Dan")]});
        let (before, after) = reduce(before, after);
        let users = json!([user("2", "Bob"), user("3", "Cyd")]);
        assert_eq!(before, json!({"name": "A", "users": users}));
        let users = json!([user("3", "Cy"), user("4", "Dan")]);
        assert_eq!(after, json!({"name": "B", "users": users}));
    }

    #[test]
    fn terms_keep_their_changed_properties() {
        let before =
            json!({"future_terms": {"url": "a", "description": "d"}, "current_terms": null});
        let after =
            json!({"future_terms": {"url": "b", "description": "d"}, "current_terms": null});
        let (before, after) = reduce(before, after);
        assert_eq!(before, json!({"future_terms": {"url": "a"}}));
        assert_eq!(after, json!({"future_terms": {"url": "b"}}));
    }

    #[test]
    fn created_draft_is_compared_with_the_current_terms() {
        let current = json!({"url": "a", "description": "d"});
        let before = json!({"name": "C", "future_terms": null, "current_terms": current});
        let draft = json!({"url": "b", "description": "d"});
        let after = json!({"name": "C", "future_terms": draft, "current_terms": current});
        let (before, after) = reduce(before, after);
        assert_eq!(before, json!({"current_terms": {"url": "a"}, "future_terms": null}));
        assert_eq!(after, json!({"current_terms": {"url": "a"}, "future_terms": {"url": "b"}}));
    }

    #[test]
    fn items_are_reverted_one_by_one() {
        let before = [user("2", "Bob"), user("3", "Cyd")];
        let after = [user("3", "Cy"), user("4", "Dan")];
        let mut now = vec![user("1", "Ad"), user("3", "Cy"), user("4", "Dan")];
        assert_eq!(revert_items(&before, &after, &mut now), Ok(true));
        assert_eq!(now, [user("1", "Ad"), user("3", "Cyd"), user("2", "Bob")]);
        assert_eq!(revert_items(&before, &after, &mut now), Ok(false));
        let mut now = vec![user("3", "Cynthia"), user("4", "Dan")];
        let changed = ItemChangedSince { id: "3".to_owned() };
        now.push(user("2", "Bob"));
        assert_eq!(revert_items(&before, &after, &mut now), Err(changed));
    }
}
