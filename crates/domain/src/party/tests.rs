use super::{
    CustomData, CustomDataField, DataType, EmailSetting, Member, Party, PartyDraft, PartyKind,
    PartyPatch, PartyStatus, Role, Site, User, UserPatch, build_members, check_custom_data,
};
use crate::id::NetworkId;
use crate::phone::PhoneNumber;
use crate::problem::Problems;
use serde_json::{Value, json};

fn email(address: &str, use_for_notifications: bool) -> EmailSetting {
    EmailSetting { email_address: address.to_owned(), use_for_notifications }
}

fn user(id: &str) -> UserPatch {
    UserPatch {
        external_id: Some(id.to_owned()),
        email_settings: Some(vec![email("ada@example.com", true)]),
        first_name: Some("Ada".to_owned()),
        last_name: Some("Lovelace".to_owned()),
        ..UserPatch::default()
    }
}

fn named(name: &str) -> PartyPatch {
    PartyPatch { name: Some(name.to_owned()), ..PartyPatch::default() }
}

fn site(id: &str) -> Site {
    Site { external_id: id.to_owned(), name: None }
}

fn data(pairs: &[(&str, &str)]) -> CustomData {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn field(name: &str, data_type: DataType, values: &[&str]) -> CustomDataField {
    CustomDataField {
        partner_name: name.to_owned(),
        friendly_name: name.to_owned(),
        data_type,
        field_values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

fn apply(change: PartyPatch, before: Option<&Party>) -> (PartyDraft, Value) {
    let mut problems = Problems::new();
    let draft = change.apply(before, "976", &[CustomDataField::channel()], &mut problems);
    (draft, problems.to_json())
}

/// Applies a change and asserts that it has no problems.
#[track_caller]
fn applied(change: PartyPatch, before: Option<&Party>) -> PartyDraft {
    let (draft, problems) = apply(change, before);
    assert_eq!(problems, json!({}));
    draft
}

fn party() -> Party {
    let change = PartyPatch {
        status: Some(PartyStatus::Suspended),
        sites: Some(vec![site("a"), site("b")]),
        users: Some(vec![user("1"), user("2")]),
        custom_data: Some(data(&[("channel", "web")])),
        web_integration_phone_number: Some(Some(PhoneNumber::parse("8057089876").unwrap())),
        default_creative_external_id: Some(Some("222".to_owned())),
        oauth_refresh_token: Some(Some("token".to_owned())),
        ..named("Ticketz")
    };
    Party::new(NetworkId::new(1), PartyKind::Advertiser, "976".to_owned(), applied(change, None))
}

#[test]
fn only_the_name_of_a_party_is_required() {
    let draft = applied(named("Ticketz"), None);
    assert_eq!(
        draft,
        PartyDraft {
            name: "Ticketz".to_owned(),
            status: PartyStatus::Approved,
            sites: vec![Site { external_id: "976".to_owned(), name: Some("Ticketz".to_owned()) }],
            profile: super::AdvertiserProfile::default(),
            custom_data: CustomData::new(),
            members: None,
        }
    );
    assert_eq!(apply(PartyPatch::default(), None).1, json!({"name": ["can't be blank"]}));
}

#[test]
fn absent_property_keeps_its_stored_value() {
    let stored = party();
    assert!(applied(PartyPatch::default(), Some(&stored)).matches(&stored));
    let expected = PartyDraft {
        name: "Tickets".to_owned(),
        members: None,
        ..applied(PartyPatch::from_party(&stored), None)
    };
    assert_eq!(applied(named("Tickets"), Some(&stored)), expected);
}

#[test]
fn change_of_all_properties_recreates_the_party() {
    let stored = party();
    assert!(applied(PartyPatch::from_party(&stored), Some(&stored)).matches(&stored));
    assert!(applied(PartyPatch::from_party(&stored), None).matches(&stored));
}

#[test]
fn difference_in_any_property_is_detected() {
    let stored = party();
    let changes = [
        named("Other"),
        PartyPatch { status: Some(PartyStatus::Archived), ..PartyPatch::default() },
        PartyPatch { sites: Some(vec![site("b"), site("a")]), ..PartyPatch::default() },
        PartyPatch { users: Some(vec![user("1")]), ..PartyPatch::default() },
        PartyPatch { custom_data: Some(CustomData::new()), ..PartyPatch::default() },
        PartyPatch { web_integration_phone_number: Some(None), ..PartyPatch::default() },
        PartyPatch { default_creative_external_id: Some(None), ..PartyPatch::default() },
        PartyPatch { oauth_refresh_token: Some(None), ..PartyPatch::default() },
    ];
    for change in changes {
        let draft = applied(change.clone(), Some(&stored));
        assert!(!draft.matches(&stored), "{change:?}");
        let mut updated = stored.clone();
        updated.apply_draft(draft.clone());
        assert!(draft.matches(&updated), "{change:?}");
    }
}

#[test]
fn sites_are_replaced_completely_and_cannot_be_empty() {
    let sites = |sites| PartyPatch { sites: Some(sites), ..named("Ticketz") };
    let stored = party();
    assert_eq!(applied(sites(vec![site("c")]), Some(&stored)).sites, [site("c")]);
    assert_eq!(apply(sites(vec![]), Some(&stored)).1, json!({"sites": ["can't be blank"]}));
    assert_eq!(apply(sites(vec![]), None).1, json!({"sites": ["can't be blank"]}));
    assert_eq!(
        apply(sites(vec![site("a"), site("b"), site("a")]), None).1,
        json!({"sites": [{}, {}, {"id_from_network": ["has already been taken"]}]})
    );
}

#[test]
fn users_are_replaced_completely_and_absent_properties_get_defaults() {
    let users = |users| PartyPatch { users: Some(users), ..PartyPatch::default() };
    let mut stored = party();
    let ids = |party: &Party| -> Vec<String> {
        party.members.iter().map(|member| member.user.external_id.clone()).collect()
    };
    stored.members[0].role = Role::Observer;
    stored.members[0].user.notifications = [true; 9];
    stored.apply_draft(applied(users(vec![user("3"), user("1")]), Some(&stored.clone())));
    assert_eq!(ids(&stored), ["3", "1"]);
    let replaced = &stored.members[1];
    assert_eq!((replaced.role, replaced.user.notifications), (Role::Super, [false; 9]));
    stored.apply_draft(applied(named("Ticketz"), Some(&stored.clone())));
    assert_eq!(ids(&stored), ["3", "1"], "absent users are kept");
    stored.apply_draft(applied(users(vec![]), Some(&stored.clone())));
    assert_eq!(stored.members, []);
}

#[test]
fn problems_of_users_are_reported_at_each_user() {
    let mut problems = Problems::new();
    let without_notification_address = UserPatch {
        email_settings: Some(vec![email("a@example.com", false), email("b@example.com", false)]),
        ..user("2")
    };
    build_members(
        vec![
            user("1"),
            UserPatch::default(),
            without_notification_address,
            user("1"),
            user("3"),
            UserPatch::default(),
        ],
        &mut problems,
    );
    let blank = ["can't be blank"];
    let all_blank = json!({"id_from_network": blank, "email_settings": blank,
                         "first_name": blank, "last_name": blank});
    let message = "must have at least one email address with use_for_notifications true";
    assert_eq!(
        problems.to_json(),
        json!({"users": [
            {},
            all_blank,
            {"email_settings": [message]},
            {"id_from_network": ["has already been taken"]},
            {},
            all_blank
        ]})
    );
}

#[test]
fn single_user_is_updated_partially() {
    let mut problems = Problems::new();
    let phone = PhoneNumber::parse("8057089876").unwrap();
    let first = UserPatch {
        contact_phone_number: Some(Some(phone.clone())),
        role: Some(Role::Manager),
        ..user("1")
    };
    let before = first.apply(None, &mut problems);
    let mut change = UserPatch { last_name: Some("King".to_owned()), ..UserPatch::default() };
    change.notifications[3] = Some(true);
    let after = change.apply(Some(&before), &mut problems);
    let mut notifications = [false; 9];
    notifications[3] = true;
    let expected = Member {
        user: User { last_name: "King".to_owned(), notifications, ..before.user.clone() },
        role: Role::Manager,
    };
    assert_eq!(after, expected);
    assert_eq!(after.user.contact_phone_number, Some(phone));
    let clear = UserPatch { contact_phone_number: Some(None), ..UserPatch::default() };
    assert_eq!(clear.apply(Some(&after), &mut problems).user.contact_phone_number, None);
    assert!(problems.is_empty());
    let unnamed = UserPatch { first_name: Some(String::new()), ..UserPatch::default() };
    unnamed.apply(Some(&after), &mut problems);
    assert_eq!(problems.to_json(), json!({"first_name": ["can't be blank"]}));
}

#[test]
fn custom_data_is_validated_against_the_fields() {
    let fields = [
        CustomDataField::channel(),
        field("colour", DataType::Category, &["red", "blue"]),
        field("since", DataType::Date, &[]),
    ];
    let unknown = "is not a custom data field of this network";
    for (name, value, message) in [
        ("channel", "anything at all", None),
        ("channel", "", None),
        ("Channel", "web", Some(unknown)),
        ("size", "1", Some(unknown)),
        ("colour", "red", None),
        ("colour", "Red", Some("is not included in the list")),
        ("colour", "", Some("is not included in the list")),
        ("since", "2015-05-13", None),
        ("since", "2016-02-29", None),
        ("since", "2015-02-29", Some("is not a date")),
        ("since", "May", Some("is not a date")),
        ("since", "2015-05-13T10:00:00", Some("is not a date")),
        ("since", "20150513", Some("is not a date")),
        ("since", "", Some("is not a date")),
    ] {
        let found = check_custom_data(&data(&[(name, value)]), None, &fields).to_json();
        let expected = message.map_or(json!({}), |message| json!({ name: [message] }));
        assert_eq!(found, expected, "{name} = {value}");
    }
}

#[test]
fn stored_custom_data_without_a_field_is_accepted_unchanged() {
    let before = data(&[("size", "1"), ("channel", "web")]);
    let check = |now: &[(&str, &str)]| check_custom_data(&data(now), Some(&before), &[]).to_json();
    let unknown = ["is not a custom data field of this network"];
    assert_eq!(check(&[("size", "1"), ("channel", "web")]), json!({}));
    assert_eq!(check(&[("size", "2")]), json!({"size": unknown}));
    assert_eq!(check(&[]), json!({}));
}

#[test]
fn custom_data_of_a_party_is_replaced_completely() {
    let stored = party();
    let with = |pairs: &[(&str, &str)]| PartyPatch {
        custom_data: Some(data(pairs)),
        ..PartyPatch::default()
    };
    let draft = applied(with(&[("channel", "radio")]), Some(&stored));
    assert_eq!(draft.custom_data, data(&[("channel", "radio")]));
    assert_eq!(applied(with(&[]), Some(&stored)).custom_data, data(&[]));
    assert_eq!(applied(PartyPatch::default(), Some(&stored)).custom_data, stored.custom_data);
    assert_eq!(
        apply(with(&[("channel", "web"), ("colour", "red")]), Some(&stored)).1,
        json!({"custom_data": {"colour": ["is not a custom data field of this network"]}})
    );
}

#[test]
fn enums_round_trip_through_the_wire() {
    for status in PartyStatus::ALL {
        assert_eq!(PartyStatus::parse(status.as_str()), Some(status));
    }
    for role in Role::ALL {
        assert_eq!(Role::parse(role.as_str()), Some(role));
        assert_eq!(role.can_write(), role != Role::Observer);
    }
    for data_type in [DataType::Category, DataType::ShortText, DataType::Date] {
        assert_eq!(DataType::parse(data_type.as_str()), Some(data_type));
    }
    assert_eq!(Role::parse("Owner"), None);
}
