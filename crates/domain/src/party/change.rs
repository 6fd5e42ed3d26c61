//! A write to an advertiser or an affiliate: what is said replaces, what is not said stays.

use super::{
    AdvertiserProfile, CustomData, CustomDataField, Member, Party, PartyKind, PartyStatus, Site,
    UserChange, custom_data,
};
use crate::phone::PhoneNumber;
use crate::problem::{BLANK, Problems, TAKEN};
use std::collections::HashSet;

/// What a request says of a party; `None` is "not said", `Some(None)` is "cleared".
#[derive(Debug, Clone, Default)]
pub struct PartyChange {
    /// Which party it is about, when the body says so.
    pub id_from_network: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The status.
    pub status: Option<PartyStatus>,
    /// The sites, the full set.
    pub sites: Option<Vec<Site>>,
    /// The users, the full set.
    pub users: Option<Vec<UserChange>>,
    /// The custom data, whole.
    pub custom_data: Option<CustomData>,
    /// Advertisers only.
    pub web_integration_phone_number: Option<Option<PhoneNumber>>,
    /// Advertisers only.
    pub default_creative_id_from_network: Option<Option<String>>,
    /// Advertisers only.
    pub oauth_refresh_token: Option<Option<String>>,
}

/// A party as a change leaves it, before it has an id and dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyDraft {
    /// See [`Party`].
    pub name: String,
    /// See [`Party`].
    pub status: PartyStatus,
    /// See [`Party`].
    pub sites: Vec<Site>,
    /// See [`Party`].
    pub profile: AdvertiserProfile,
    /// See [`Party`].
    pub custom_data: CustomData,
    /// The full set of people when the request gave one.
    pub members: Option<Vec<Member>>,
}

impl PartyChange {
    /// Everything that is known of a party, as a change that would make it again.
    pub fn of(party: &Party) -> Self {
        Self {
            id_from_network: Some(party.id_from_network.clone()),
            name: Some(party.name.clone()),
            status: Some(party.status),
            sites: Some(party.sites.clone()),
            users: Some(party.members.iter().map(UserChange::of).collect()),
            custom_data: Some(party.custom_data.clone()),
            web_integration_phone_number: Some(party.profile.web_integration_phone_number.clone()),
            default_creative_id_from_network: Some(
                party.profile.default_creative_id_from_network.clone(),
            ),
            oauth_refresh_token: Some(party.profile.oauth_refresh_token.clone()),
        }
    }

    /// The party as this change leaves it. `id` is the id_from_network it will have; a party
    /// created without sites gets one with its own id and name (real clients send none).
    pub fn apply(
        self,
        before: Option<&Party>,
        id: &str,
        fields: &[CustomDataField],
        problems: &mut Problems,
    ) -> PartyDraft {
        let name = self.name.or(before.map(|had| had.name.clone())).unwrap_or_default();
        if name.is_empty() && !problems.has("name") {
            problems.at("name").add(BLANK);
        }
        let own_site = || vec![Site { id_from_network: id.to_owned(), name: Some(name.clone()) }];
        let sites =
            self.sites.or_else(|| before.map(|had| had.sites.clone())).unwrap_or_else(own_site);
        check_sites(&sites, problems);
        let custom_data = self.custom_data.inspect(|data| {
            let had = before.map(|had| &had.custom_data);
            problems.at("custom_data").merge(custom_data::check(data, had, fields));
        });
        let members = self.users.map(|mut users| {
            let had = before.map(|had| had.members.as_slice()).unwrap_or_default();
            users.iter_mut().for_each(|user| user.keep_unseen(had));
            apply_users(users, problems)
        });
        let mut profile = before.map(|had| had.profile.clone()).unwrap_or_default();
        if let Some(number) = self.web_integration_phone_number {
            profile.web_integration_phone_number = number;
        }
        if let Some(creative) = self.default_creative_id_from_network {
            profile.default_creative_id_from_network = creative;
        }
        if let Some(token) = self.oauth_refresh_token {
            profile.oauth_refresh_token = token;
        }
        PartyDraft {
            name,
            status: self.status.or(before.map(|had| had.status)).unwrap_or_default(),
            sites,
            profile,
            custom_data: custom_data
                .or_else(|| before.map(|had| had.custom_data.clone()))
                .unwrap_or_default(),
            members,
        }
    }
}

impl PartyDraft {
    /// Whether storing this draft over `had` would change nothing.
    pub fn is(&self, had: &Party) -> bool {
        let Self { name, status, sites, profile, custom_data, members } = self;
        name == &had.name
            && *status == had.status
            && sites == &had.sites
            && profile == &had.profile
            && custom_data == &had.custom_data
            && members.as_ref().is_none_or(|members| members == &had.members)
    }
}

/// The full set of people as the request gives it: each hash describes one person whole.
pub fn apply_users(users: Vec<UserChange>, problems: &mut Problems) -> Vec<Member> {
    let mut seen = HashSet::new();
    let at_users = problems.at("users");
    let members = users.into_iter().enumerate().map(|(index, user)| {
        let at = at_users.item(index);
        let member = user.apply(None, at);
        let id = &member.user.id_from_network;
        if !id.is_empty() && !seen.insert(id.clone()) {
            at.at("id_from_network").add(TAKEN);
        }
        member
    });
    members.collect()
}

fn check_sites(sites: &[Site], problems: &mut Problems) {
    if sites.is_empty() && !problems.has("sites") {
        problems.at("sites").add(BLANK);
    }
    let mut seen = HashSet::new();
    for (index, site) in sites.iter().enumerate() {
        if !site.id_from_network.is_empty() && !seen.insert(&site.id_from_network) {
            problems.at("sites").item(index).at("id_from_network").add(TAKEN);
        }
    }
}

impl Party {
    /// A party as first stored; ids and dates are the caller's.
    pub fn new(network_id: i64, kind: PartyKind, id: String, draft: PartyDraft) -> Self {
        let PartyDraft { name, status, sites, profile, custom_data, members } = draft;
        Self {
            id: 0,
            network_id,
            kind,
            id_from_network: id,
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

    /// Takes a draft's values over.
    pub fn take(&mut self, draft: PartyDraft) {
        let PartyDraft { name, status, sites, profile, custom_data, members } = draft;
        self.name = name;
        self.status = status;
        self.sites = sites;
        self.profile = profile;
        self.custom_data = custom_data;
        self.members = members.unwrap_or(std::mem::take(&mut self.members));
    }
}
