//! The shape of a user, on networks, advertisers and affiliates alike.

use crate::fields::{Fields, Reading};
use crate::reply::Object;
use crate::versions::{Version, hides_call_activities, shows_one_address};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use trunkline_domain::email;
use trunkline_domain::party::{EmailSetting, Member, NOTIFICATIONS, Role, Unseen, UserChange};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, INVALID, TAKEN};

/// Addresses that one user can have.
const EMAILS: usize = 20;

/// Reads one user of an array, as a version writes it.
pub(crate) fn read_item(version: Version) -> impl Fn(&Value, Reading<'_>) -> Option<UserChange> {
    move |value, reading| Fields::of(value, reading).map(|fields| read(version, fields))
}

/// Reads a user's hash, as a version writes it.
pub(crate) fn read_map(
    version: Version,
    map: &Map<String, Value>,
    reading: Reading<'_>,
) -> UserChange {
    read(version, Fields::new(map, reading))
}

fn read(version: Version, mut fields: Fields<'_>) -> UserChange {
    let mut change = UserChange {
        id_from_network: fields.id("id_from_network"),
        email_settings: read_emails(&mut fields),
        first_name: fields.name("first_name"),
        last_name: fields.name("last_name"),
        contact_phone_number: read_phone(&mut fields),
        oauth_refresh_token: fields.text("oauth_refresh_token", 4_000),
        role: fields.word_or_default("role", Role::parse),
        notifications: [None; 9],
        unseen: Unseen {
            other_addresses: shows_one_address(version),
            call_activities: hides_call_activities(version),
        },
    };
    for (place, name) in change.notifications.iter_mut().zip(NOTIFICATIONS) {
        *place = fields.boolean(name).map(Option::unwrap_or_default);
    }
    fields.finish();
    change
}

/// The number under either of its names; `contact_phone_number` counts where both are given, and
/// says so only when they differ: an answer that is sent back has both.
fn read_phone(fields: &mut Fields<'_>) -> Option<Option<PhoneNumber>> {
    let newer = fields.has("contact_phone_number");
    let (name, other) = if newer {
        ("contact_phone_number", "phone_number")
    } else {
        ("phone_number", "contact_phone_number")
    };
    fields.value(other);
    fields.phone(name)
}

fn read_emails(fields: &mut Fields<'_>) -> Option<Vec<EmailSetting>> {
    let Some(emails) = fields.array("email_settings", EMAILS, read_email) else {
        return if fields.has("email_settings") { None } else { read_single_email(fields) };
    };
    if fields.has("email_address") {
        fields.ignored.add("email_address");
        fields.value("email_address");
    }
    let mut seen = HashSet::new();
    for (index, email) in emails.iter().enumerate() {
        let address = email.email_address.to_lowercase();
        if !address.is_empty() && !seen.insert(address) {
            let at = fields.problems.at("email_settings").item(index);
            at.at("email_address").add(TAKEN);
        }
    }
    Some(emails)
}

fn read_email(value: &Value, reading: Reading<'_>) -> Option<EmailSetting> {
    let mut fields = Fields::of(value, reading)?;
    let address = fields.name("email_address");
    if address.is_none() && !fields.has("email_address") {
        fields.wrong("email_address", BLANK);
    }
    let address = address.filter(|address| {
        let valid = email::is_addr_spec(address);
        if !valid {
            fields.wrong("email_address", INVALID);
        }
        valid
    });
    let used = fields.boolean("use_for_notifications");
    if used == Some(None) || !fields.has("use_for_notifications") {
        fields.wrong("use_for_notifications", BLANK);
    }
    fields.finish();
    Some(EmailSetting { email_address: address?, use_for_notifications: used?? })
}

/// The older form: one address, which is for notifications.
fn read_single_email(fields: &mut Fields<'_>) -> Option<Vec<EmailSetting>> {
    let address = fields.name("email_address")?;
    if !email::is_addr_spec(&address) {
        fields.wrong("email_address", INVALID);
        return None;
    }
    Some(vec![EmailSetting { email_address: address, use_for_notifications: true }])
}

/// A user as the newest version shows it.
pub(crate) fn render(member: &Member) -> Object {
    let user = &member.user;
    let emails: Vec<Value> = user
        .email_settings
        .iter()
        .map(|email| {
            json!({"email_address": email.email_address, "use_for_notifications": email.use_for_notifications})
        })
        .collect();
    let phone = user.contact_phone_number.as_ref().map(PhoneNumber::display);
    let mut object = Object::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("id_from_network", user.id_from_network.clone().into());
    put("email_settings", emails.into());
    put("first_name", user.first_name.clone().into());
    put("last_name", user.last_name.clone().into());
    put("contact_phone_number", phone.clone().into());
    put("phone_number", phone.into());
    put("role", member.role.as_str().into());
    put("oauth_refresh_token", user.oauth_refresh_token.clone().into());
    for (name, on) in NOTIFICATIONS.into_iter().zip(user.notifications) {
        put(name, on.into());
    }
    put("can_login_via_platform", user.can_login_via_platform.into());
    object
}
