//! People: one user across organizations, with a role in each.

use crate::phone::PhoneNumber;
use crate::problem::{BLANK, Problems};
use serde::{Deserialize, Serialize};

/// Users that one organization can have.
pub const USER_LIMIT: usize = 1_000;
/// Sites that one party can have.
pub const SITE_LIMIT: usize = 1_000;

/// The nine kinds of mail a user may ask for, in the documents' order (seeds/002).
pub const NOTIFICATIONS: [&str; 9] = [
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

/// What someone may do in an organization. Observers read; the others read and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Role {
    /// Everything, tokens and users too; the default.
    #[default]
    Super,
    /// Reads and writes.
    Manager,
    /// Reads and writes.
    Member,
    /// Reads.
    Observer,
}

impl Role {
    /// Every role, in the documents' order.
    pub const ALL: [Self; 4] = [Self::Super, Self::Manager, Self::Member, Self::Observer];

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Super => "Super",
            Self::Manager => "Manager",
            Self::Member => "Member",
            Self::Observer => "Observer",
        }
    }

    /// Reads the wire's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// Higher is more: Super 3, Manager 2, Member 1, Observer 0.
    pub fn rank(self) -> u8 {
        match self {
            Self::Super => 3,
            Self::Manager => 2,
            Self::Member => 1,
            Self::Observer => 0,
        }
    }

    /// Whether this role may change anything.
    pub fn may_write(self) -> bool {
        self != Self::Observer
    }
}

/// One of a user's addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailSetting {
    /// RFC 2822 addr-spec, unique for the user.
    pub email_address: String,
    /// Whether notifications go there; at least one of a user's does.
    pub use_for_notifications: bool,
}

/// A person, known by `id_from_network` within the network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// Ours; 0 until stored.
    #[serde(skip)]
    pub id: i64,
    /// The network's own id, unique in the network.
    pub id_from_network: String,
    /// At least one, with at least one for notifications.
    pub email_settings: Vec<EmailSetting>,
    /// Not blank.
    pub first_name: String,
    /// Not blank.
    pub last_name: String,
    /// Where to call them.
    pub contact_phone_number: Option<PhoneNumber>,
    /// Reserved: kept and returned.
    pub oauth_refresh_token: Option<String>,
    /// Which of [`NOTIFICATIONS`] they asked for.
    pub notifications: [bool; 9],
    /// Whether a password is set; not part of the record.
    #[serde(skip)]
    pub can_login_via_platform: bool,
}

impl PartialEq for User {
    /// The same record: our id and the password are not part of it.
    fn eq(&self, other: &Self) -> bool {
        let Self {
            id: _,
            id_from_network,
            email_settings,
            first_name,
            last_name,
            contact_phone_number,
            oauth_refresh_token,
            notifications,
            can_login_via_platform: _,
        } = self;
        *id_from_network == other.id_from_network
            && *email_settings == other.email_settings
            && *first_name == other.first_name
            && *last_name == other.last_name
            && *contact_phone_number == other.contact_phone_number
            && *oauth_refresh_token == other.oauth_refresh_token
            && *notifications == other.notifications
    }
}

impl Eq for User {}

/// A user's place in one organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    #[serde(flatten)]
    pub user: User,
    /// As what.
    pub role: Role,
}

/// What whoever wrote a request cannot have seen of a user, and so does not take away by leaving
/// it out: dated versions of the wire that show less.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unseen {
    /// Every address but the first that is for notifications.
    pub other_addresses: bool,
    /// The last of [`NOTIFICATIONS`], `notify_on_call_activities`.
    pub call_activities: bool,
}

/// What a request says of a user; `None` is "not said", `Some(None)` is "cleared".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// Whom it is about.
    pub id_from_network: Option<String>,
    /// The addresses, whole.
    pub email_settings: Option<Vec<EmailSetting>>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The phone number.
    pub contact_phone_number: Option<Option<PhoneNumber>>,
    /// Reserved.
    pub oauth_refresh_token: Option<Option<String>>,
    /// The role in the organization written to.
    pub role: Option<Role>,
    /// Each of [`NOTIFICATIONS`].
    pub notifications: [Option<bool>; 9],
    /// What its writer cannot have seen.
    pub unseen: Unseen,
}

impl UserChange {
    /// Everything that is known of a member, as a change that would make it.
    pub fn of(member: &Member) -> Self {
        let user = &member.user;
        Self {
            id_from_network: Some(user.id_from_network.clone()),
            email_settings: Some(user.email_settings.clone()),
            first_name: Some(user.first_name.clone()),
            last_name: Some(user.last_name.clone()),
            contact_phone_number: Some(user.contact_phone_number.clone()),
            oauth_refresh_token: Some(user.oauth_refresh_token.clone()),
            role: Some(member.role),
            notifications: user.notifications.map(Some),
            unseen: Unseen::default(),
        }
    }

    /// Says, of what the writer cannot have seen, what the member has: the one address that is
    /// shown, written back, stands for all of them.
    pub fn keep_unseen(&mut self, members: &[Member]) {
        let id = self.id_from_network.as_deref();
        let had = members.iter().find(|member| Some(member.user.id_from_network.as_str()) == id);
        let Some(Member { user, .. }) = had else { return };
        if self.unseen.call_activities
            && let (Some(said), Some(had)) =
                (self.notifications.last_mut(), user.notifications.last())
        {
            *said = said.or(Some(*had));
        }
        let shown = user.email_settings.iter().find(|email| email.use_for_notifications);
        let same = matches!(self.email_settings.as_deref(), Some([said]) if Some(said) == shown);
        if self.unseen.other_addresses && same {
            self.email_settings = Some(user.email_settings.clone());
        }
    }

    /// The member as this change leaves it: what is not said stays as it was, or takes its
    /// default when there was nothing. What is missing goes to `problems`, unless something is
    /// already wrong with it there.
    pub fn apply(self, before: Option<&Member>, problems: &mut Problems) -> Member {
        let mut member = before.cloned().unwrap_or_else(|| Member {
            user: User {
                id: 0,
                id_from_network: String::new(),
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
            id_from_network,
            email_settings,
            first_name,
            last_name,
            contact_phone_number,
            oauth_refresh_token,
            role,
            notifications,
            unseen: _,
        } = self;
        user.id_from_network = id_from_network.unwrap_or(std::mem::take(&mut user.id_from_network));
        user.email_settings = email_settings.unwrap_or(std::mem::take(&mut user.email_settings));
        user.first_name = first_name.unwrap_or(std::mem::take(&mut user.first_name));
        user.last_name = last_name.unwrap_or(std::mem::take(&mut user.last_name));
        user.contact_phone_number =
            contact_phone_number.unwrap_or(user.contact_phone_number.take());
        user.oauth_refresh_token = oauth_refresh_token.unwrap_or(user.oauth_refresh_token.take());
        for (kept, said) in user.notifications.iter_mut().zip(notifications) {
            *kept = said.unwrap_or(*kept);
        }
        member.role = role.unwrap_or(member.role);
        require(&member.user, problems);
        member
    }
}

fn require(user: &User, problems: &mut Problems) {
    let blank = [
        ("id_from_network", user.id_from_network.is_empty()),
        ("email_settings", user.email_settings.is_empty()),
        ("first_name", user.first_name.is_empty()),
        ("last_name", user.last_name.is_empty()),
    ];
    for (property, missing) in blank {
        // A request that used the older `email_address` has its problem there.
        let said = problems.has(property)
            || (property == "email_settings" && problems.has("email_address"));
        if missing && !said {
            problems.at(property).add(BLANK);
        }
    }
    let notified = user.email_settings.iter().any(|email| email.use_for_notifications);
    if !user.email_settings.is_empty() && !notified && !problems.has("email_settings") {
        problems
            .at("email_settings")
            .add("must have at least one email address with use_for_notifications true");
    }
}
