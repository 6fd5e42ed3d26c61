//! Identifiers of stored rows, one type for each kind of row.
//!
//! Every object of a network has two identifiers:
//!
//! - the `id`, an integer that the server assigns when it inserts the row. The types of this module
//!   hold it. It is unique in its table over all networks, it never changes, and it is never
//!   assigned again after the row was deleted;
//! - the *external id*, a text that the network chooses (`id_from_network` on the wire). It is
//!   unique in the network only and has no type in this module.
//!
//! A function that takes a [`CampaignId`] cannot be called with an [`AffiliateCampaignId`], nor
//! with arguments in the wrong order.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

/// Defines one identifier type.
///
/// A macro, and not a generic `Id<Row>`: a derive on a generic type puts its bounds on the marker
/// type, so each trait would need an implementation by hand, and error messages would name the
/// marker.
macro_rules! define_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Value of an object that is not stored yet. The database assigns ids from 1.
            pub const UNASSIGNED: Self = Self(0);

            /// Wraps the value of the row's `id` column.
            pub const fn new(id: i64) -> Self {
                Self(id)
            }

            /// The value of the row's `id` column.
            pub const fn get(self) -> i64 {
                self.0
            }

            /// The id that is `count` after this one, in a range of ids that were reserved
            /// together.
            pub const fn offset(self, count: usize) -> Self {
                Self(self.0 + count as i64)
            }

            /// Returns true if the object was stored, that is if its id is not
            /// [`UNASSIGNED`](Self::UNASSIGNED).
            pub const fn is_assigned(self) -> bool {
                self.0 != 0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            /// Reads a decimal integer, with the syntax of [`i64`]. The range is not checked: a
            /// number that was never assigned is an id that no row has.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

define_id! {
    /// Id of a network, a row of `networks`. It is also the `<network_id>` of a URL path.
    NetworkId
}

define_id! {
    /// Id of an advertiser or an affiliate, a row of `parties`. The kind of the party is a column,
    /// so advertisers and affiliates share one number sequence.
    PartyId
}

define_id! {
    /// Id of a party whose kind is advertiser, a row of `parties`.
    AdvertiserId
}

define_id! {
    /// Id of a party whose kind is affiliate, a row of `parties`.
    AffiliateId
}

define_id! {
    /// Id of a user, a row of `users`. A user belongs to one network and may be a member of
    /// several of its organizations.
    UserId
}

define_id! {
    /// Id of an advertiser campaign, a row of `campaigns`.
    CampaignId
}

define_id! {
    /// Id of a set of terms that went live, a row of `terms`. Drafts have no id.
    TermsId
}

define_id! {
    /// Id of an affiliate campaign, a row of `affiliate_campaigns`: the participation of one
    /// affiliate in one advertiser campaign.
    AffiliateCampaignId
}

define_id! {
    /// Id of the relationship of an advertiser and an affiliate, a row of `relationships`.
    RelationshipId
}

define_id! {
    /// Id of a custom data field that a network declares, a row of `custom_data_fields`.
    CustomDataFieldId
}

define_id! {
    /// Id of an assigned promo number, a row of `promo_numbers`. Numbers that are free in the
    /// network's inventory have no id.
    PromoNumberId
}

define_id! {
    /// Id of a call, a row of `calls`. Not the external call id that the sender of the call chose,
    /// and not the `complete_call_id` that the wire shows.
    CallId
}

define_id! {
    /// Id of a ledger row, a row of `transactions`. Ids increase in the order of commits, so it is
    /// also the paging cursor of the ledger.
    TransactionId
}

define_id! {
    /// Id of an event, a row of `events`. Ids increase in the order of commits, so it is also the
    /// `Last-Event-ID` of the event stream.
    EventId
}

define_id! {
    /// Id of a webhook, a row of `webhooks`.
    WebhookId
}

define_id! {
    /// Id of the delivery of one event to one webhook, a row of `deliveries`.
    DeliveryId
}

define_id! {
    /// Id of an e-mail in the outbox, a row of `mails`.
    MailId
}

define_id! {
    /// Id of a request to confirm an e-mail address, a row of `email_verifications`.
    EmailVerificationId
}

define_id! {
    /// Id of an API token, a row of `tokens`. Not the secret.
    TokenId
}

define_id! {
    /// Id of a user's session or one-time access token, a row of `sign_ins`. Not the secret.
    SessionId
}

define_id! {
    /// Id of an audit log entry, a row of `audit`.
    AuditEntryId
}

impl PartyId {
    /// The same id as that of an advertiser. The caller has checked the party's kind.
    pub const fn as_advertiser(self) -> AdvertiserId {
        AdvertiserId(self.0)
    }

    /// The same id as that of an affiliate. The caller has checked the party's kind.
    pub const fn as_affiliate(self) -> AffiliateId {
        AffiliateId(self.0)
    }
}

impl From<AdvertiserId> for PartyId {
    fn from(id: AdvertiserId) -> Self {
        Self(id.0)
    }
}

impl From<AffiliateId> for PartyId {
    fn from(id: AffiliateId) -> Self {
        Self(id.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_is_displayed_parsed_and_serialized_as_its_number() {
        let id = CampaignId::new(4711);
        assert_eq!(id.to_string(), "4711");
        assert_eq!("4711".parse(), Ok(id));
        assert_eq!(serde_json::to_string(&id).unwrap(), "4711");
        assert_eq!(serde_json::from_str::<CampaignId>("4711").unwrap(), id);
        for text in ["", "x", "1.5", "9223372036854775808"] {
            assert!(text.parse::<CampaignId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_the_default_id_is_unassigned() {
        assert!(!CallId::default().is_assigned());
        assert_eq!(CallId::default(), CallId::UNASSIGNED);
        assert!(CallId::new(1).is_assigned());
    }

    #[test]
    fn party_id_keeps_its_number_as_advertiser_and_affiliate() {
        let party_id = PartyId::new(7);
        assert_eq!(PartyId::from(party_id.as_advertiser()), party_id);
        assert_eq!(PartyId::from(party_id.as_affiliate()), party_id);
    }
}
