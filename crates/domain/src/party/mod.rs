//! Networks, their parties (advertisers and affiliates) and their users.

mod custom_data;
mod network_settings;
mod patch;
mod user;

use crate::id::{NetworkId, PartyId};
pub use custom_data::{
    CustomData, CustomDataField, CustomDataSource, CustomDataSources, DataType, check_custom_data,
};
pub use network_settings::{
    MAX_CALLERS_PER_HOUR, MAX_NUMBER_QUARANTINE_DAYS, MAX_PROMPT_CHARS, MAX_RECORDING_DAYS,
    NetworkSettings,
};
pub use patch::{PartyDraft, PartyPatch, build_members};
pub use user::{
    EmailSetting, MAX_SITES_PER_PARTY, MAX_USERS_PER_ORGANIZATION, Member, NOTIFICATION_NAMES,
    Role, User, UserHiddenByVersion, UserPatch,
};

use crate::phone::PhoneNumber;
use crate::timezone::TimeZoneName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Maximum length of a name or an external id, in characters.
pub const MAX_NAME_CHARS: usize = 255;

/// Network: the organization that replicates its objects to this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Row id, which is also the `<network_id>` of URL paths.
    pub id: NetworkId,
    /// Name for people.
    pub name: String,
    /// Time zone of the timestamps in responses.
    pub time_zone: TimeZoneName,
    /// True if the server generates external ids for objects that are sent without one.
    pub auto_generate_ids: bool,
    /// Further settings.
    pub settings: NetworkSettings,
    /// True if the network is a sandbox, whose clock can be set.
    pub sandbox: bool,
    /// Time to which a sandbox's clock was set. `None` means the system time.
    pub sandbox_clock: Option<Timestamp>,
    /// Users with a role in the network itself.
    pub members: Vec<Member>,
}

impl Network {
    /// Returns the network's current time: that of a sandbox's clock if it was set, otherwise the
    /// given system time.
    pub fn now(&self, system: Timestamp) -> Timestamp {
        self.sandbox_clock.filter(|_| self.sandbox).unwrap_or(system)
    }
}

/// Kind of a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartyKind {
    /// Pays for calls.
    Advertiser,
    /// Promotes campaigns and is paid for the calls.
    Affiliate,
}

impl PartyKind {
    /// Name in error messages: `Advertiser` or `Affiliate`.
    pub fn class_name(self) -> &'static str {
        match self {
            Self::Advertiser => "Advertiser",
            Self::Affiliate => "Affiliate",
        }
    }

    /// Name in the database and in audit object names: `advertiser` or `affiliate`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Advertiser => "advertiser",
            Self::Affiliate => "affiliate",
        }
    }

    /// Wire name of the status property: `status` for affiliates, `approval_status` for advertisers.
    pub fn status_property(self) -> &'static str {
        match self {
            Self::Advertiser => "approval_status",
            Self::Affiliate => "status",
        }
    }
}

/// Approval status of a party (affiliates document of 2018-11-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PartyStatus {
    /// Applied to join the network.
    Applied,
    /// Takes part in the network. The default.
    #[default]
    Approved,
    /// Was rejected.
    Declined,
    /// Temporarily does not take part.
    Suspended,
    /// Permanently does not take part; stored for the record.
    Archived,
}

impl PartyStatus {
    /// All statuses, in the order of the source documents.
    pub const ALL: [Self; 5] =
        [Self::Applied, Self::Approved, Self::Declined, Self::Suspended, Self::Archived];

    /// The wire value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "Applied",
            Self::Approved => "Approved",
            Self::Declined => "Declined",
            Self::Suspended => "Suspended",
            Self::Archived => "Archived",
        }
    }

    /// Parses the wire value.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Web site or other medium of a party. The source documents call it a "PID".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// External id, unique in the party.
    #[serde(rename = "id_from_network")]
    pub external_id: String,
    /// Name, often the site's address.
    pub name: Option<String>,
}

/// Properties that only advertisers have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdvertiserProfile {
    /// Number on the advertiser's web site that promo numbers replace.
    pub web_integration_phone_number: Option<PhoneNumber>,
    /// External id of the default creative.
    #[serde(rename = "default_creative_id_from_network")]
    pub default_creative_external_id: Option<String>,
    /// Reserved. Stored and returned, without effect.
    pub oauth_refresh_token: Option<String>,
}

/// Advertiser or affiliate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Id.
    pub id: PartyId,
    /// Network that the party belongs to.
    pub network_id: NetworkId,
    /// Kind.
    pub kind: PartyKind,
    /// External id, unique among the network's parties of this kind.
    pub external_id: String,
    /// Name, unique among the network's parties of this kind, ignoring case.
    pub name: String,
    /// Approval status.
    pub status: PartyStatus,
    /// Sites, at least one.
    pub sites: Vec<Site>,
    /// Properties that only advertisers have. Default values for affiliates.
    pub profile: AdvertiserProfile,
    /// Custom data that calls of this party inherit.
    pub custom_data: CustomData,
    /// Users with a role in the party.
    pub members: Vec<Member>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change. A write that changes nothing does not update it.
    pub updated_at: Timestamp,
}

impl Party {
    /// Returns the key by which the uniqueness of the name is checked.
    pub fn name_key(&self) -> String {
        name_key(&self.name)
    }
}

/// Converts a name to the key by which uniqueness is checked: the name in lower case.
pub fn name_key(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests;
