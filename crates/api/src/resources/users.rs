//! Reads and renders users of networks, advertisers and affiliates.

use crate::object_reader::{ObjectReader, ReadContext};
use crate::object_response::Object;
use crate::versions::{Version, hides_call_activities, shows_one_address};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use trunkline_domain::email;
use trunkline_domain::party::{
    EmailSetting, Member, NOTIFICATION_NAMES, Role, UserHiddenByVersion, UserPatch,
};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, INVALID, TAKEN};

/// Maximum number of e-mail addresses of a user.
const MAX_EMAILS: usize = 20;

/// Returns the function that reads one user of an array in a version.
pub(crate) fn read_item(version: Version) -> impl Fn(&Value, ReadContext<'_>) -> Option<UserPatch> {
    move |value, read_context| {
        ObjectReader::from_value(value, read_context).map(|reader| read(version, reader))
    }
}

/// Reads a user's object in a version.
pub(crate) fn read_map(
    version: Version,
    map: &Map<String, Value>,
    read_context: ReadContext<'_>,
) -> UserPatch {
    read(version, ObjectReader::new(map, read_context))
}

fn read(version: Version, mut reader: ObjectReader<'_>) -> UserPatch {
    let mut change = UserPatch {
        external_id: reader.id("id_from_network"),
        email_settings: read_emails(&mut reader),
        first_name: reader.name("first_name"),
        last_name: reader.name("last_name"),
        contact_phone_number: read_phone(&mut reader),
        oauth_refresh_token: reader.text("oauth_refresh_token", 4_000),
        role: reader.enum_value_or_default("role", Role::parse),
        notifications: [None; 9],
        hidden_by_version: UserHiddenByVersion {
            other_addresses: shows_one_address(version),
            call_activities: hides_call_activities(version),
        },
    };
    for (setting, name) in change.notifications.iter_mut().zip(NOTIFICATION_NAMES) {
        *setting = reader.boolean(name).map(Option::unwrap_or_default);
    }
    reader.finish();
    change
}

/// Reads the phone number under either of its names. `contact_phone_number` takes precedence. The
/// other name is not reported as ignored, because a response that is sent back has both.
fn read_phone(reader: &mut ObjectReader<'_>) -> Option<Option<PhoneNumber>> {
    let has_new_name = reader.is_present("contact_phone_number");
    let (name, other) = if has_new_name {
        ("contact_phone_number", "phone_number")
    } else {
        ("phone_number", "contact_phone_number")
    };
    reader.value(other);
    reader.phone(name)
}

fn read_emails(reader: &mut ObjectReader<'_>) -> Option<Vec<EmailSetting>> {
    let Some(emails) = reader.array("email_settings", MAX_EMAILS, read_email) else {
        return if reader.is_present("email_settings") { None } else { read_single_email(reader) };
    };
    if reader.is_present("email_address") {
        reader.ignored.add("email_address");
        reader.value("email_address");
    }
    let mut addresses = HashSet::new();
    for (index, email) in emails.iter().enumerate() {
        let address = email.email_address.to_lowercase();
        if !address.is_empty() && !addresses.insert(address) {
            let problems = reader.problems.property("email_settings").item(index);
            problems.property("email_address").add(TAKEN);
        }
    }
    Some(emails)
}

fn read_email(value: &Value, read_context: ReadContext<'_>) -> Option<EmailSetting> {
    let mut reader = ObjectReader::from_value(value, read_context)?;
    let address = reader.name("email_address");
    if address.is_none() && !reader.is_present("email_address") {
        reader.error("email_address", BLANK);
    }
    let address = address.filter(|address| {
        let valid = email::is_addr_spec(address);
        if !valid {
            reader.error("email_address", INVALID);
        }
        valid
    });
    let use_for_notifications = reader.boolean("use_for_notifications");
    if use_for_notifications == Some(None) || !reader.is_present("use_for_notifications") {
        reader.error("use_for_notifications", BLANK);
    }
    reader.finish();
    Some(EmailSetting { email_address: address?, use_for_notifications: use_for_notifications?? })
}

/// Reads the older form: one address, which receives notifications.
fn read_single_email(reader: &mut ObjectReader<'_>) -> Option<Vec<EmailSetting>> {
    let address = reader.name("email_address")?;
    if !email::is_addr_spec(&address) {
        reader.error("email_address", INVALID);
        return None;
    }
    Some(vec![EmailSetting { email_address: address, use_for_notifications: true }])
}

/// Renders a user in the newest version.
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
    put("id_from_network", user.external_id.clone().into());
    put("email_settings", emails.into());
    put("first_name", user.first_name.clone().into());
    put("last_name", user.last_name.clone().into());
    put("contact_phone_number", phone.clone().into());
    put("phone_number", phone.into());
    put("role", member.role.as_str().into());
    put("oauth_refresh_token", user.oauth_refresh_token.clone().into());
    for (name, is_on) in NOTIFICATION_NAMES.into_iter().zip(user.notifications) {
        put(name, is_on.into());
    }
    put("can_login_via_platform", user.can_login_via_platform.into());
    object
}
