//! Partial update of an advertiser or an affiliate.

use super::{
    AdvertiserProfile, CustomData, CustomDataField, Member, Party, PartyKind, PartyStatus, Site,
    UserPatch, check_custom_data,
};
use crate::id::{NetworkId, PartyId};
use crate::phone::PhoneNumber;
use crate::problem::{BLANK, Problems, TAKEN};
use std::collections::HashSet;

/// Partial update of a party. `None` means that the request does not contain the property,
/// `Some(None)` that it clears the property.
#[derive(Debug, Clone, Default)]
pub struct PartyPatch {
    /// External id of the party, if the body contains it.
    pub external_id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Approval status.
    pub status: Option<PartyStatus>,
    /// Complete list of sites.
    pub sites: Option<Vec<Site>>,
    /// Complete list of users.
    pub users: Option<Vec<UserPatch>>,
    /// Complete custom data.
    pub custom_data: Option<CustomData>,
    /// See [`AdvertiserProfile`]. Advertisers only.
    pub web_integration_phone_number: Option<Option<PhoneNumber>>,
    /// See [`AdvertiserProfile`]. Advertisers only.
    pub default_creative_external_id: Option<Option<String>>,
    /// See [`AdvertiserProfile`]. Advertisers only.
    pub oauth_refresh_token: Option<Option<String>>,
}

/// Result of an update of a party: the properties without ids and timestamps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyDraft {
    /// See [`Party::name`].
    pub name: String,
    /// See [`Party::status`].
    pub status: PartyStatus,
    /// See [`Party::sites`].
    pub sites: Vec<Site>,
    /// See [`Party::profile`].
    pub profile: AdvertiserProfile,
    /// See [`Party::custom_data`].
    pub custom_data: CustomData,
    /// Complete list of members, if the request contains one.
    pub members: Option<Vec<Member>>,
}

impl PartyPatch {
    /// Creates the update that sets every property to that of `party`.
    pub fn from_party(party: &Party) -> Self {
        Self {
            external_id: Some(party.external_id.clone()),
            name: Some(party.name.clone()),
            status: Some(party.status),
            sites: Some(party.sites.clone()),
            users: Some(party.members.iter().map(UserPatch::from_member).collect()),
            custom_data: Some(party.custom_data.clone()),
            web_integration_phone_number: Some(party.profile.web_integration_phone_number.clone()),
            default_creative_external_id: Some(party.profile.default_creative_external_id.clone()),
            oauth_refresh_token: Some(party.profile.oauth_refresh_token.clone()),
        }
    }

    /// Applies the update to a stored party, or to default values if there is none, and returns
    /// the result. Errors are added to `problems`.
    ///
    /// `external_id` is the external id of the result. A party that is created without sites gets
    /// one with the external id and the name of the party, because clients in use send no sites.
    pub fn apply(
        self,
        stored: Option<&Party>,
        external_id: &str,
        fields: &[CustomDataField],
        problems: &mut Problems,
    ) -> PartyDraft {
        let name = self.name.or(stored.map(|stored| stored.name.clone())).unwrap_or_default();
        if name.is_empty() && !problems.has_problem("name") {
            problems.property("name").add(BLANK);
        }
        let default_sites =
            || vec![Site { external_id: external_id.to_owned(), name: Some(name.clone()) }];
        let sites = self
            .sites
            .or_else(|| stored.map(|stored| stored.sites.clone()))
            .unwrap_or_else(default_sites);
        check_sites(&sites, problems);
        let custom_data = self.custom_data.inspect(|data| {
            let stored_data = stored.map(|stored| &stored.custom_data);
            problems.property("custom_data").merge(check_custom_data(data, stored_data, fields));
        });
        let members = self.users.map(|mut users| {
            let stored_members = stored.map(|stored| stored.members.as_slice()).unwrap_or_default();
            users.iter_mut().for_each(|user| user.preserve_hidden(stored_members));
            build_members(users, problems)
        });
        let mut profile = stored.map(|stored| stored.profile.clone()).unwrap_or_default();
        if let Some(number) = self.web_integration_phone_number {
            profile.web_integration_phone_number = number;
        }
        if let Some(creative) = self.default_creative_external_id {
            profile.default_creative_external_id = creative;
        }
        if let Some(token) = self.oauth_refresh_token {
            profile.oauth_refresh_token = token;
        }
        PartyDraft {
            name,
            status: self.status.or(stored.map(|stored| stored.status)).unwrap_or_default(),
            sites,
            profile,
            custom_data: custom_data
                .or_else(|| stored.map(|stored| stored.custom_data.clone()))
                .unwrap_or_default(),
            members,
        }
    }
}

impl PartyDraft {
    /// Returns true if storing this draft over `stored` would change nothing.
    pub fn matches(&self, stored: &Party) -> bool {
        let Self { name, status, sites, profile, custom_data, members } = self;
        name == &stored.name
            && *status == stored.status
            && sites == &stored.sites
            && profile == &stored.profile
            && custom_data == &stored.custom_data
            && members.as_ref().is_none_or(|members| members == &stored.members)
    }
}

/// Builds the complete list of members from the `users` of a request. Each element describes one
/// user completely: a property that it leaves out gets its default value.
pub fn build_members(users: Vec<UserPatch>, problems: &mut Problems) -> Vec<Member> {
    let mut seen_ids = HashSet::new();
    let users_problems = problems.property("users");
    let members = users.into_iter().enumerate().map(|(index, user)| {
        let user_problems = users_problems.item(index);
        let member = user.apply(None, user_problems);
        let external_id = &member.user.external_id;
        if !external_id.is_empty() && !seen_ids.insert(external_id.clone()) {
            user_problems.property("id_from_network").add(TAKEN);
        }
        member
    });
    members.collect()
}

fn check_sites(sites: &[Site], problems: &mut Problems) {
    if sites.is_empty() && !problems.has_problem("sites") {
        problems.property("sites").add(BLANK);
    }
    let mut seen_ids = HashSet::new();
    for (index, site) in sites.iter().enumerate() {
        if !site.external_id.is_empty() && !seen_ids.insert(&site.external_id) {
            problems.property("sites").item(index).property("id_from_network").add(TAKEN);
        }
    }
}

impl Party {
    /// Creates a party that is not stored yet. The storing function sets `id` and the timestamps.
    pub fn new(
        network_id: NetworkId,
        kind: PartyKind,
        external_id: String,
        draft: PartyDraft,
    ) -> Self {
        let PartyDraft { name, status, sites, profile, custom_data, members } = draft;
        Self {
            id: PartyId::UNASSIGNED,
            network_id,
            kind,
            external_id,
            name,
            status,
            sites,
            profile,
            custom_data,
            members: members.unwrap_or_default(),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            updated_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    /// Replaces the properties by those of a draft. Members stay if the draft has none.
    pub fn apply_draft(&mut self, draft: PartyDraft) {
        let PartyDraft { name, status, sites, profile, custom_data, members } = draft;
        self.name = name;
        self.status = status;
        self.sites = sites;
        self.profile = profile;
        self.custom_data = custom_data;
        self.members = members.unwrap_or(std::mem::take(&mut self.members));
    }
}
