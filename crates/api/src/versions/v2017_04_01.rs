//! 2017-04-01: a user's `email_address` became `email_settings`. Both are read on every version;
//! before, the answer shows the first address that is for notifications.

use super::{Change, Kind, Said, Sent, Version, each_user, uses_older};
use jiff::civil::date;
use serde_json::{Map, Value};
use std::cell::Cell;

pub(super) const CHANGE: Change = Change {
    date: date(2017, 4, 1),
    what: "users: email_address becomes email_settings",
    request,
    response,
    errors,
};

const OLD: &str = "email_address";
const NEW: &str = "email_settings";

/// The reader of users takes either; when both are given, the date decides.
fn request(kind: Kind, map: &mut Map<String, Value>, before: bool) {
    each_user(kind, map, |user| {
        if user.contains_key(OLD) && user.contains_key(NEW) {
            user.shift_remove(if before { NEW } else { OLD });
        }
    });
}

fn response(sent: &Sent<'_>, map: &mut Map<String, Value>) {
    each_user(sent.kind, map, |user| {
        let Some(Value::Array(emails)) = user.get(NEW) else { return };
        let notified = emails.iter().find(|it| it["use_for_notifications"] == true);
        let address = notified.map_or(Value::Null, |it| it[OLD].clone());
        let renamed = std::mem::take(user).into_iter().map(|(name, value)| {
            if name == NEW { (OLD.to_owned(), address.clone()) } else { (name, value) }
        });
        *user = renamed.collect();
    });
}

/// `{"email_settings": [{"email_address": […]}]}` was `{"email_address": […]}`. Each user is told by
/// the name that it used itself.
fn errors(said: &Said<'_>, map: &mut Map<String, Value>) {
    let sent = said.body.map(|body| sent_users(said.kind, body)).unwrap_or_default();
    let index = Cell::new(0);
    each_user(said.kind, map, |user| {
        let sent = sent.get(index.replace(index.get() + 1)).copied().flatten();
        if !uses_older(sent, OLD, NEW, said.before) {
            return;
        }
        let Some(problem) = user.shift_remove(NEW) else { return };
        let nested = problem
            .as_array()
            .and_then(|items| items.iter().find_map(|item| item.get(OLD)).cloned());
        user.insert(OLD.to_owned(), nested.unwrap_or(problem));
    });
}

/// The users of a request, in order; what is no hash is `None`.
fn sent_users(kind: Kind, body: &Map<String, Value>) -> Vec<Option<&Map<String, Value>>> {
    match kind {
        Kind::User => vec![body.get("user").and_then(Value::as_object)],
        _ => {
            let users = body.get("users").and_then(Value::as_array);
            users.into_iter().flatten().map(Value::as_object).collect()
        }
    }
}

/// Whether a user's answer shows one address of all there are. The same address written back
/// leaves the others alone.
pub(crate) fn shows_one_address(version: Version) -> bool {
    version.precedes(&CHANGE)
}
