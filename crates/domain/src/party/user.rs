//! Users. A user belongs to a network and has a role in each of one or more of its organizations:
//! the network itself and its parties.

use crate::id::UserId;
use crate::phone::PhoneNumber;
use crate::problem::{BLANK, Problems};
use serde::{Deserialize, Serialize};

/// Maximum number of users of an organization.
pub const MAX_USERS_PER_ORGANIZATION: usize = 1_000;
/// Maximum number of sites of a party.
pub const MAX_SITES_PER_PARTY: usize = 1_000;

/// Wire names of the e-mail notifications that a user can subscribe to, in the order of the
/// affiliates document of 2018-11-01.
pub const NOTIFICATION_NAMES: [&str; 9] = [
    "notify_on_budgets",
    "notify_on_campaign_applications",
    "notify_on_campaign_expirations",
    "notify_on_creative_duplication_requests",
    "notify_on_network_announcements",
    "notify_on_performance_notifications",
    "notify_on_monthly_campaign_performance_reports",
    "notify_on_weekly_campaign_performance_reports",
    "notify_on_call_activities",
];

/// Role of a user or token in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Role {
    /// Reads and writes. The highest role and the default.
    #[default]
    Super,
    /// Reads and writes.
    Manager,
    /// Reads and writes.
    Member,
    /// Reads only.
    Observer,
}

impl Role {
    /// All roles, in the order of the source documents.
    pub const ALL: [Self; 4] = [Self::Super, Self::Manager, Self::Member, Self::Observer];

    /// The wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Super => "Super",
            Self::Manager => "Manager",
            Self::Member => "Member",
            Self::Observer => "Observer",
        }
    }

    /// Parses the wire value.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Rank for comparing permissions, from Observer (0) to Super (3).
    pub fn rank(self) -> u8 {
        match self {
            Self::Super => 3,
            Self::Manager => 2,
            Self::Member => 1,
            Self::Observer => 0,
        }
    }

    /// Returns true if the role may change settings, tokens and webhooks.
    pub fn can_manage(self) -> bool {
        matches!(self, Self::Super | Self::Manager)
    }

    /// Returns true if the role may write.
    pub fn can_write(self) -> bool {
        self != Self::Observer
    }
}

/// E-mail address of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailSetting {
    /// Address, an addr-spec of RFC 2822. Unique among the user's addresses.
    pub email_address: String,
    /// True if notifications are sent to the address. True for at least one address of a user.
    pub use_for_notifications: bool,
}

/// User of a network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// Id. Not serialized.
    #[serde(skip)]
    pub id: UserId,
    /// External id, unique in the network.
    #[serde(rename = "id_from_network")]
    pub external_id: String,
    /// E-mail addresses: at least one, and at least one for notifications.
    pub email_settings: Vec<EmailSetting>,
    /// First name, not blank.
    pub first_name: String,
    /// Last name, not blank.
    pub last_name: String,
    /// Phone number of the user.
    pub contact_phone_number: Option<PhoneNumber>,
    /// Reserved. Stored and returned, without effect.
    pub oauth_refresh_token: Option<String>,
    /// Subscriptions, indexed as [`NOTIFICATION_NAMES`].
    pub notifications: [bool; 9],
    /// True if a password is set. Not serialized.
    #[serde(skip)]
    pub can_login_via_platform: bool,
}

impl User {
    /// Returns the addresses in lower case, sorted: the keys by which the user signs in.
    pub fn email_keys(&self) -> Vec<String> {
        let addresses = self.email_settings.iter().map(|email| email.email_address.to_lowercase());
        let mut keys: Vec<String> = addresses.collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

impl PartialEq for User {
    /// Compares the properties of the wire. `id` and `can_login_via_platform` are ignored.
    fn eq(&self, other: &Self) -> bool {
        let Self {
            id: _,
            external_id: id_from_network,
            email_settings,
            first_name,
            last_name,
            contact_phone_number,
            oauth_refresh_token,
            notifications,
            can_login_via_platform: _,
        } = self;
        *id_from_network == other.external_id
            && *email_settings == other.email_settings
            && *first_name == other.first_name
            && *last_name == other.last_name
            && *contact_phone_number == other.contact_phone_number
            && *oauth_refresh_token == other.oauth_refresh_token
            && *notifications == other.notifications
    }
}

impl Eq for User {}

/// Membership of a user in one organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The user.
    #[serde(flatten)]
    pub user: User,
    /// Role of the user in the organization.
    pub role: Role,
}

/// Properties of a user that the API version of a request does not show. A client of that version
/// cannot have read them, so leaving them out does not clear them. `true` means hidden.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserHiddenByVersion {
    /// All addresses except the first one that is used for notifications.
    pub other_addresses: bool,
    /// Last entry of [`NOTIFICATION_NAMES`], `notify_on_call_activities`.
    pub call_activities: bool,
}

/// Partial update of a user. `None` means that the request does not contain the property,
/// `Some(None)` that it clears the property.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserPatch {
    /// External id of the user.
    pub external_id: Option<String>,
    /// Complete list of addresses.
    pub email_settings: Option<Vec<EmailSetting>>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Phone number.
    pub contact_phone_number: Option<Option<PhoneNumber>>,
    /// Reserved property.
    pub oauth_refresh_token: Option<Option<String>>,
    /// Role in the organization to which the request writes.
    pub role: Option<Role>,
    /// Subscriptions, indexed as [`NOTIFICATION_NAMES`].
    pub notifications: [Option<bool>; 9],
    /// Properties that the API version of the request does not show.
    pub hidden_by_version: UserHiddenByVersion,
}

impl UserPatch {
    /// Creates the update that sets every property to that of `member`.
    pub fn from_member(member: &Member) -> Self {
        let user = &member.user;
        Self {
            external_id: Some(user.external_id.clone()),
            email_settings: Some(user.email_settings.clone()),
            first_name: Some(user.first_name.clone()),
            last_name: Some(user.last_name.clone()),
            contact_phone_number: Some(user.contact_phone_number.clone()),
            oauth_refresh_token: Some(user.oauth_refresh_token.clone()),
            role: Some(member.role),
            notifications: user.notifications.map(Some),
            hidden_by_version: UserHiddenByVersion::default(),
        }
    }

    /// Sets the properties that the request's API version hides to those of the stored member with
    /// the same external id. If the request contains exactly the one address that the version
    /// shows, all stored addresses are preserved.
    pub fn preserve_hidden(&mut self, members: &[Member]) {
        let external_id = self.external_id.as_deref();
        let stored =
            members.iter().find(|member| Some(member.user.external_id.as_str()) == external_id);
        let Some(Member { user, .. }) = stored else { return };
        if self.hidden_by_version.call_activities
            && let (Some(updated), Some(stored)) =
                (self.notifications.last_mut(), user.notifications.last())
        {
            *updated = updated.or(Some(*stored));
        }
        let shown = user.email_settings.iter().find(|email| email.use_for_notifications);
        let is_unchanged =
            matches!(self.email_settings.as_deref(), Some([only]) if Some(only) == shown);
        if self.hidden_by_version.other_addresses && is_unchanged {
            self.email_settings = Some(user.email_settings.clone());
        }
    }

    /// Applies the update to a stored member, or to default values if there is none, and returns
    /// the result. Missing properties are reported to `problems`, except where `problems` has a
    /// message about the property already.
    pub fn apply(self, stored: Option<&Member>, problems: &mut Problems) -> Member {
        let mut member = stored.cloned().unwrap_or_else(|| Member {
            user: User {
                id: UserId::UNASSIGNED,
                external_id: String::new(),
                email_settings: Vec::new(),
                first_name: String::new(),
                last_name: String::new(),
                contact_phone_number: None,
                oauth_refresh_token: None,
                notifications: [false; 9],
                can_login_via_platform: false,
            },
            role: Role::default(),
        });
        let user = &mut member.user;
        let Self {
            external_id: id_from_network,
            email_settings,
            first_name,
            last_name,
            contact_phone_number,
            oauth_refresh_token,
            role,
            notifications,
            hidden_by_version: _,
        } = self;
        user.external_id = id_from_network.unwrap_or(std::mem::take(&mut user.external_id));
        user.email_settings = email_settings.unwrap_or(std::mem::take(&mut user.email_settings));
        user.first_name = first_name.unwrap_or(std::mem::take(&mut user.first_name));
        user.last_name = last_name.unwrap_or(std::mem::take(&mut user.last_name));
        user.contact_phone_number =
            contact_phone_number.unwrap_or(user.contact_phone_number.take());
        user.oauth_refresh_token = oauth_refresh_token.unwrap_or(user.oauth_refresh_token.take());
        for (current, updated) in user.notifications.iter_mut().zip(notifications) {
            *current = updated.unwrap_or(*current);
        }
        member.role = role.unwrap_or(member.role);
        check_required_properties(&member.user, problems);
        member
    }
}

fn check_required_properties(user: &User, problems: &mut Problems) {
    let required = [
        ("id_from_network", user.external_id.is_empty()),
        ("email_settings", user.email_settings.is_empty()),
        ("first_name", user.first_name.is_empty()),
        ("last_name", user.last_name.is_empty()),
    ];
    for (property, is_missing) in required {
        // Requests of older API versions use `email_address` and have the problem there.
        let is_reported = problems.has_problem(property)
            || (property == "email_settings" && problems.has_problem("email_address"));
        if is_missing && !is_reported {
            problems.property(property).add(BLANK);
        }
    }
    let has_notification_address =
        user.email_settings.iter().any(|email| email.use_for_notifications);
    if !user.email_settings.is_empty()
        && !has_notification_address
        && !problems.has_problem("email_settings")
    {
        problems
            .property("email_settings")
            .add("must have at least one email address with use_for_notifications true");
    }
}
