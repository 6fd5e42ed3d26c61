//! 2017-04-01: a user's `email_address` became `email_settings`. Every version accepts both. Earlier
//! responses contain the first address that receives notifications.

use super::{
    Change, RequestInfo, ResourceKind, ResponseInfo, Version, for_each_user, uses_old_name,
};
use jiff::civil::date;
use serde_json::{Map, Value};
use std::cell::Cell;

pub(super) const CHANGE: Change = Change {
    date: date(2017, 4, 1),
    description: "users: email_address becomes email_settings",
    request,
    response,
    errors,
};

const OLD: &str = "email_address";
const NEW: &str = "email_settings";

/// Removes one of the names if a user has both; the reader of users accepts either.
fn request(kind: ResourceKind, map: &mut Map<String, Value>, is_before_change: bool) {
    for_each_user(kind, map, |user| {
        if user.contains_key(OLD) && user.contains_key(NEW) {
            user.shift_remove(if is_before_change { NEW } else { OLD });
        }
    });
}

fn response(response_info: &ResponseInfo<'_>, map: &mut Map<String, Value>) {
    for_each_user(response_info.kind, map, |user| {
        let Some(Value::Array(emails)) = user.get(NEW) else { return };
        let notified = emails.iter().find(|email| email["use_for_notifications"] == true);
        let address = notified.map_or(Value::Null, |email| email[OLD].clone());
        let renamed = std::mem::take(user).into_iter().map(|(name, value)| {
            if name == NEW { (OLD.to_owned(), address.clone()) } else { (name, value) }
        });
        *user = renamed.collect();
    });
}

/// Converts `{"email_settings": [{"email_address": […]}]}` to `{"email_address": […]}` for each user
/// that used the old name.
fn errors(request_info: &RequestInfo<'_>, map: &mut Map<String, Value>) {
    let users =
        request_info.body.map(|body| request_users(request_info.kind, body)).unwrap_or_default();
    let index = Cell::new(0);
    for_each_user(request_info.kind, map, |user| {
        let request_user = users.get(index.replace(index.get() + 1)).copied().flatten();
        if !uses_old_name(request_user, OLD, NEW, request_info.is_before_change) {
            return;
        }
        let Some(problem) = user.shift_remove(NEW) else { return };
        let nested = problem
            .as_array()
            .and_then(|items| items.iter().find_map(|item| item.get(OLD)).cloned());
        user.insert(OLD.to_owned(), nested.unwrap_or(problem));
    });
}

/// Returns the users of a request, in order; `None` for a user that is not an object.
fn request_users(
    kind: ResourceKind,
    body: &Map<String, Value>,
) -> Vec<Option<&Map<String, Value>>> {
    match kind {
        ResourceKind::User => vec![body.get("user").and_then(Value::as_object)],
        _ => {
            let users = body.get("users").and_then(Value::as_array);
            users.into_iter().flatten().map(Value::as_object).collect()
        }
    }
}

/// Returns true if a user's response contains one address only. A request with that address must
/// then keep the others.
pub(crate) fn shows_one_address(version: Version) -> bool {
    version.precedes(&CHANGE)
}
