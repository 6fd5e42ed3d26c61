use super::{
    CustomData, CustomDataField, DataType, EmailSetting, Member, Party, PartyChange, PartyDraft,
    PartyKind, PartyStatus, Role, Site, User, UserChange, apply_users, check_custom_data,
};
use crate::phone::PhoneNumber;
use crate::problem::Problems;
use serde_json::{Value, json};

fn email(address: &str, use_for_notifications: bool) -> EmailSetting {
    EmailSetting { email_address: address.to_owned(), use_for_notifications }
}

fn user(id: &str) -> UserChange {
    UserChange {
        id_from_network: Some(id.to_owned()),
        email_settings: Some(vec![email("ada@example.com", true)]),
        first_name: Some("Ada".to_owned()),
        last_name: Some("Lovelace".to_owned()),
        ..UserChange::default()
    }
}

fn named(name: &str) -> PartyChange {
    PartyChange { name: Some(name.to_owned()), ..PartyChange::default() }
}

fn site(id: &str) -> Site {
    Site { id_from_network: id.to_owned(), name: None }
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

fn apply(change: PartyChange, before: Option<&Party>) -> (PartyDraft, Value) {
    let mut problems = Problems::new();
    let draft = change.apply(before, "976", &[CustomDataField::channel()], &mut problems);
    (draft, problems.to_json())
}

/// The draft of a change in which nothing is wrong.
#[track_caller]
fn applied(change: PartyChange, before: Option<&Party>) -> PartyDraft {
    let (draft, problems) = apply(change, before);
    assert_eq!(problems, json!({}));
    draft
}

fn party() -> Party {
    let change = PartyChange {
        status: Some(PartyStatus::Suspended),
        sites: Some(vec![site("a"), site("b")]),
        users: Some(vec![user("1"), user("2")]),
        custom_data: Some(data(&[("channel", "web")])),
        web_integration_phone_number: Some(Some(PhoneNumber::parse("8057089876").unwrap())),
        default_creative_id_from_network: Some(Some("222".to_owned())),
        oauth_refresh_token: Some(Some("token".to_owned())),
        ..named("Ticketz")
    };
    Party::new(1, PartyKind::Advertiser, "976".to_owned(), applied(change, None))
}

#[test]
fn a_party_needs_nothing_but_a_name() {
    let draft = applied(named("Ticketz"), None);
    assert_eq!(
        draft,
        PartyDraft {
            name: "Ticketz".to_owned(),
            status: PartyStatus::Approved,
            sites: vec![Site {
                id_from_network: "976".to_owned(),
                name: Some("Ticketz".to_owned())
            }],
            profile: super::AdvertiserProfile::default(),
            custom_data: CustomData::new(),
            members: None,
        }
    );
    assert_eq!(apply(PartyChange::default(), None).1, json!({"name": ["can't be blank"]}));
}

#[test]
fn what_is_not_said_stays() {
    let had = party();
    assert!(applied(PartyChange::default(), Some(&had)).is(&had));
    let expected = PartyDraft {
        name: "Tickets".to_owned(),
        members: None,
        ..applied(PartyChange::of(&had), None)
    };
    assert_eq!(applied(named("Tickets"), Some(&had)), expected);
}

#[test]
fn a_party_as_read_makes_it_again() {
    let had = party();
    assert!(applied(PartyChange::of(&had), Some(&had)).is(&had));
    assert!(applied(PartyChange::of(&had), None).is(&had));
}

#[test]
fn each_thing_that_differs_is_a_change() {
    let had = party();
    let changes = [
        named("Other"),
        PartyChange { status: Some(PartyStatus::Archived), ..PartyChange::default() },
        PartyChange { sites: Some(vec![site("b"), site("a")]), ..PartyChange::default() },
        PartyChange { users: Some(vec![user("1")]), ..PartyChange::default() },
        PartyChange { custom_data: Some(CustomData::new()), ..PartyChange::default() },
        PartyChange { web_integration_phone_number: Some(None), ..PartyChange::default() },
        PartyChange { default_creative_id_from_network: Some(None), ..PartyChange::default() },
        PartyChange { oauth_refresh_token: Some(None), ..PartyChange::default() },
    ];
    for change in changes {
        let draft = applied(change.clone(), Some(&had));
        assert!(!draft.is(&had), "{change:?}");
        let mut taken = had.clone();
        taken.take(draft.clone());
        assert!(draft.is(&taken), "{change:?}");
    }
}

#[test]
fn sites_are_a_full_set_of_one_or_more() {
    let sites = |sites| PartyChange { sites: Some(sites), ..named("Ticketz") };
    let had = party();
    assert_eq!(applied(sites(vec![site("c")]), Some(&had)).sites, [site("c")]);
    assert_eq!(apply(sites(vec![]), Some(&had)).1, json!({"sites": ["can't be blank"]}));
    assert_eq!(apply(sites(vec![]), None).1, json!({"sites": ["can't be blank"]}));
    assert_eq!(
        apply(sites(vec![site("a"), site("b"), site("a")]), None).1,
        json!({"sites": [{}, {}, {"id_from_network": ["has already been taken"]}]})
    );
}

#[test]
fn users_are_a_full_set_and_each_is_described_whole() {
    let users = |users| PartyChange { users: Some(users), ..PartyChange::default() };
    let mut had = party();
    let ids = |party: &Party| -> Vec<String> {
        party.members.iter().map(|member| member.user.id_from_network.clone()).collect()
    };
    had.members[0].role = Role::Observer;
    had.members[0].user.notifications = [true; 9];
    had.take(applied(users(vec![user("3"), user("1")]), Some(&had.clone())));
    assert_eq!(ids(&had), ["3", "1"]);
    let again = &had.members[1];
    assert_eq!((again.role, again.user.notifications), (Role::Super, [false; 9]));
    had.take(applied(named("Ticketz"), Some(&had.clone())));
    assert_eq!(ids(&had), ["3", "1"], "not said");
    had.take(applied(users(vec![]), Some(&had.clone())));
    assert_eq!(had.members, []);
}

#[test]
fn what_is_wrong_with_users_is_told_at_each() {
    let mut problems = Problems::new();
    let silent = UserChange {
        email_settings: Some(vec![email("a@example.com", false), email("b@example.com", false)]),
        ..user("2")
    };
    apply_users(
        vec![user("1"), UserChange::default(), silent, user("1"), user("3"), UserChange::default()],
        &mut problems,
    );
    let blank = ["can't be blank"];
    let nothing = json!({"id_from_network": blank, "email_settings": blank,
                         "first_name": blank, "last_name": blank});
    let message = "must have at least one email address with use_for_notifications true";
    assert_eq!(
        problems.to_json(),
        json!({"users": [
            {},
            nothing,
            {"email_settings": [message]},
            {"id_from_network": ["has already been taken"]},
            {},
            nothing
        ]})
    );
}

#[test]
fn one_user_is_changed_in_part() {
    let mut problems = Problems::new();
    let phone = PhoneNumber::parse("8057089876").unwrap();
    let first = UserChange {
        contact_phone_number: Some(Some(phone.clone())),
        role: Some(Role::Manager),
        ..user("1")
    };
    let before = first.apply(None, &mut problems);
    let mut change = UserChange { last_name: Some("King".to_owned()), ..UserChange::default() };
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
    let clear = UserChange { contact_phone_number: Some(None), ..UserChange::default() };
    assert_eq!(clear.apply(Some(&after), &mut problems).user.contact_phone_number, None);
    assert!(problems.is_empty());
    let unnamed = UserChange { first_name: Some(String::new()), ..UserChange::default() };
    unnamed.apply(Some(&after), &mut problems);
    assert_eq!(problems.to_json(), json!({"first_name": ["can't be blank"]}));
}

#[test]
fn custom_data_is_what_the_network_has_fields_for() {
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
fn custom_data_that_was_there_may_be_sent_back_but_not_changed() {
    let before = data(&[("size", "1"), ("channel", "web")]);
    let check = |now: &[(&str, &str)]| check_custom_data(&data(now), Some(&before), &[]).to_json();
    let unknown = ["is not a custom data field of this network"];
    assert_eq!(check(&[("size", "1"), ("channel", "web")]), json!({}));
    assert_eq!(check(&[("size", "2")]), json!({"size": unknown}));
    assert_eq!(check(&[]), json!({}));
}

#[test]
fn custom_data_of_a_party_is_replaced_whole() {
    let had = party();
    let with = |pairs: &[(&str, &str)]| PartyChange {
        custom_data: Some(data(pairs)),
        ..PartyChange::default()
    };
    let draft = applied(with(&[("channel", "radio")]), Some(&had));
    assert_eq!(draft.custom_data, data(&[("channel", "radio")]));
    assert_eq!(applied(with(&[]), Some(&had)).custom_data, data(&[]));
    assert_eq!(applied(PartyChange::default(), Some(&had)).custom_data, had.custom_data);
    assert_eq!(
        apply(with(&[("channel", "web"), ("colour", "red")]), Some(&had)).1,
        json!({"custom_data": {"colour": ["is not a custom data field of this network"]}})
    );
}

#[test]
fn words_are_kept() {
    for status in PartyStatus::ALL {
        assert_eq!(PartyStatus::parse(status.as_str()), Some(status));
    }
    for role in Role::ALL {
        assert_eq!(Role::parse(role.as_str()), Some(role));
        assert_eq!(role.may_write(), role != Role::Observer);
    }
    for data_type in [DataType::Category, DataType::ShortText, DataType::Date] {
        assert_eq!(DataType::parse(data_type.as_str()), Some(data_type));
    }
    assert_eq!(Role::parse("Owner"), None);
}
