//! Who takes part: networks, their advertisers and affiliates, and the people who work there.

mod change;
mod custom_data;
mod user;

pub use change::{PartyChange, PartyDraft, apply_users};
pub use custom_data::{CustomData, CustomDataField, DataType, check as check_custom_data};
pub use user::{
    EmailSetting, Member, NOTIFICATIONS, Role, SITE_LIMIT, USER_LIMIT, Unseen, User, UserChange,
};

use crate::phone::PhoneNumber;
use crate::timezone::ZoneName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest name or id of the network's own, in characters.
pub const NAME_LIMIT: usize = 255;

/// A network: the organization that replicates its objects here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Ours; also the path's `<network_id>`.
    pub id: i64,
    /// As people know it.
    pub name: String,
    /// The zone that time stamps go out in.
    pub time_zone: ZoneName,
    /// Whether ids are made up for objects that come without one.
    pub auto_generate_ids: bool,
    /// Whether it is there to try things in: then its clock can be set.
    pub sandbox: bool,
    /// What a sandbox's clock was set to; `None` is the system's.
    pub clock: Option<Timestamp>,
    /// People with a role in the network itself.
    pub members: Vec<Member>,
}

impl Network {
    /// What time it is in the network: a sandbox's own, else the system's.
    pub fn now(&self, system: Timestamp) -> Timestamp {
        self.clock.filter(|_| self.sandbox).unwrap_or(system)
    }
}

/// Which side of a campaign a party is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartyKind {
    /// Pays for calls.
    Advertiser,
    /// Brings calls, and is paid for them.
    Affiliate,
}

impl PartyKind {
    /// `Advertiser` or `Affiliate`, as messages name it.
    pub fn class(self) -> &'static str {
        match self {
            Self::Advertiser => "Advertiser",
            Self::Affiliate => "Affiliate",
        }
    }

    /// `advertiser` or `affiliate`, as ids of objects and chains name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Advertiser => "advertiser",
            Self::Affiliate => "affiliate",
        }
    }

    /// The wire's name of the status: affiliates have `status`, advertisers `approval_status`.
    pub fn status_property(self) -> &'static str {
        match self {
            Self::Advertiser => "approval_status",
            Self::Affiliate => "status",
        }
    }
}

/// Whether the network works with a party (seeds/002, "Approval status for this affiliate").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PartyStatus {
    /// Has asked to join.
    Applied,
    /// May work; the default.
    #[default]
    Approved,
    /// Was refused.
    Declined,
    /// May not work for now.
    Suspended,
    /// Is kept for the record.
    Archived,
}

impl PartyStatus {
    /// Every status, in the documents' order.
    pub const ALL: [Self; 5] =
        [Self::Applied, Self::Approved, Self::Declined, Self::Suspended, Self::Archived];

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "Applied",
            Self::Approved => "Approved",
            Self::Declined => "Declined",
            Self::Suspended => "Suspended",
            Self::Archived => "Archived",
        }
    }

    /// Reads the wire's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// A place where an affiliate or advertiser publishes: a "PID" and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The network's id for it, unique in the party.
    pub id_from_network: String,
    /// What it is called, often its address.
    pub name: Option<String>,
}

/// What only advertisers have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdvertiserProfile {
    /// The number on the advertiser's web site that promo numbers replace.
    pub web_integration_phone_number: Option<PhoneNumber>,
    /// The network's id of the creative used by default.
    pub default_creative_id_from_network: Option<String>,
    /// Reserved: kept and returned.
    pub oauth_refresh_token: Option<String>,
}

/// An advertiser or an affiliate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Ours, stable; 0 until stored.
    pub id: i64,
    /// The network it belongs to.
    pub network_id: i64,
    /// Which side.
    pub kind: PartyKind,
    /// The network's own id, unique among the network's parties of this kind.
    pub id_from_network: String,
    /// Unique among the network's parties of this kind, whatever the case of its letters.
    pub name: String,
    /// Whether the network works with it.
    pub status: PartyStatus,
    /// At least one.
    pub sites: Vec<Site>,
    /// What only advertisers have.
    pub profile: AdvertiserProfile,
    /// Values that calls through this party carry.
    pub custom_data: CustomData,
    /// Its people.
    pub members: Vec<Member>,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it last changed; a write that changes nothing leaves it.
    pub updated_at: Timestamp,
}

impl Party {
    /// The name as uniqueness compares it.
    pub fn name_key(&self) -> String {
        name_key(&self.name)
    }
}

/// A name as uniqueness compares it: without regard to case.
pub fn name_key(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests;
