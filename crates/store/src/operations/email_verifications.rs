//! Verification of the e-mail addresses that credentials of parties wrote.

use super::{UnitOfWork, to_json_ids, to_millis};
use crate::Error;
use crate::sql::params;
use jiff::Timestamp;
use trunkline_domain::id::{EmailVerificationId, NetworkId, PartyId, UserId};
use trunkline_domain::party::PartyKind;

/// Request to confirm an address, to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewEmailVerification<'a> {
    /// Network of the address.
    pub network_id: NetworkId,
    /// Party whose credential wrote the address.
    pub party_id: PartyId,
    /// Address in lower case.
    pub email_key: &'a str,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of expiry.
    pub expires_at: Timestamp,
}

/// Request to confirm an address that is neither confirmed nor expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenEmailVerification {
    /// Id.
    pub id: EmailVerificationId,
    /// Network of the address.
    pub network_id: NetworkId,
    /// Kind of the party whose credential wrote the address.
    pub party_kind: PartyKind,
    /// That party.
    pub party_id: PartyId,
    /// Address in lower case.
    pub email_key: String,
}

/// Condition for the unverified addresses, in `user_emails e`, of the users of a party, in `parties p`.
const UNVERIFIED_IN_PARTY: &str = "e.verified = 0 AND EXISTS (SELECT 1 FROM memberships m
    WHERE m.user_id = e.user_id AND m.organization = p.kind AND m.organization_id = p.id)";

impl UnitOfWork<'_> {
    /// Marks all addresses of users as verified.
    pub fn verify_emails_of_users(&mut self, users: &[UserId]) -> Result<(), Error> {
        let listed = self.json_ids_sql("?1");
        self.execute(
            &format!(
                "UPDATE user_emails SET verified = 1 WHERE verified = 0 AND user_id IN {listed}"
            ),
            [to_json_ids(users)?],
        )
    }

    /// Unverified addresses of users, each with its user, in lower case.
    pub fn unverified_emails(&mut self, users: &[UserId]) -> Result<Vec<(UserId, String)>, Error> {
        let listed = self.json_ids_sql("?1");
        self.query_all(
            &format!(
                "SELECT user_id, email_key FROM user_emails WHERE verified = 0 AND user_id IN {listed}"
            ),
            [to_json_ids(users)?],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Addresses, in lower case, that a party has an open request to confirm for.
    pub fn emails_with_open_verification(
        &mut self,
        party: PartyId,
        now: Timestamp,
    ) -> Result<Vec<String>, Error> {
        self.query_all(
            "SELECT email_key FROM email_verifications
             WHERE party_id = ?1 AND confirmed_at IS NULL AND expires_at > ?2",
            params![party, to_millis(now)],
            |row| row.get(0),
        )
    }

    /// Number of a party's requests to confirm an address that were created after a time.
    pub fn count_email_verifications(
        &mut self,
        party: PartyId,
        after: Timestamp,
    ) -> Result<usize, Error> {
        let sql =
            "SELECT COUNT(*) FROM email_verifications WHERE party_id = ?1 AND created_at > ?2";
        let count: Option<u32> =
            self.query_first(sql, params![party, to_millis(after)], |row| row.get(0))?;
        Ok(count.unwrap_or(0) as usize)
    }

    /// Inserts a request to confirm an address and returns its id.
    pub fn insert_email_verification(
        &mut self,
        new: NewEmailVerification<'_>,
    ) -> Result<EmailVerificationId, Error> {
        self.insert(
            "INSERT INTO email_verifications (network_id, party_id, email_key, created_at,
             expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                new.network_id,
                new.party_id,
                new.email_key,
                to_millis(new.created_at),
                to_millis(new.expires_at),
            ],
        )
    }

    /// Sets the hash of the token with which an address can be confirmed. Returns false, and changes
    /// nothing, if it was confirmed, is expired, or no user of the party has the address unverified.
    pub fn set_email_verification_hash(
        &mut self,
        id: EmailVerificationId,
        hash: &[u8],
        now: Timestamp,
    ) -> Result<bool, Error> {
        let sql = format!(
            "UPDATE email_verifications SET hash = ?2
             WHERE id = ?1 AND confirmed_at IS NULL AND expires_at > ?3
             AND EXISTS (SELECT 1 FROM user_emails e, parties p
                 WHERE e.email_key = email_verifications.email_key
                 AND p.id = email_verifications.party_id AND {UNVERIFIED_IN_PARTY})"
        );
        Ok(self.execute_counted(&sql, params![id, hash, to_millis(now)])? == 1)
    }

    /// Open request to confirm an address, by the hash of its token.
    pub fn open_email_verification(
        &mut self,
        hash: &[u8],
        now: Timestamp,
    ) -> Result<Option<OpenEmailVerification>, Error> {
        self.query_first(
            "SELECT v.id, v.network_id, p.kind, v.party_id, v.email_key
             FROM email_verifications v JOIN parties p ON p.id = v.party_id
             WHERE v.hash = ?1 AND v.confirmed_at IS NULL AND v.expires_at > ?2",
            params![hash, to_millis(now)],
            |row| {
                let party_kind = match row.get::<&str>(2)? {
                    "advertiser" => PartyKind::Advertiser,
                    _ => PartyKind::Affiliate,
                };
                Ok(OpenEmailVerification {
                    id: row.get(0)?,
                    network_id: row.get(1)?,
                    party_kind,
                    party_id: row.get(3)?,
                    email_key: row.get(4)?,
                })
            },
        )
    }

    /// Marks an address as verified for the users of the party of a request, and the request as
    /// confirmed. Returns the external ids of those users.
    pub fn confirm_email(
        &mut self,
        verification: &OpenEmailVerification,
        now: Timestamp,
    ) -> Result<Vec<String>, Error> {
        let OpenEmailVerification { id, party_id, email_key, .. } = verification;
        self.execute(
            "UPDATE email_verifications SET confirmed_at = ?2 WHERE id = ?1",
            params![*id, to_millis(now)],
        )?;
        let users = self.query_all(
            &format!(
                "SELECT u.id, u.id_from_network FROM user_emails e JOIN users u ON u.id = e.user_id
                 JOIN parties p ON p.id = ?2
                 WHERE e.email_key = ?1 AND {UNVERIFIED_IN_PARTY} ORDER BY u.id"
            ),
            params![email_key, *party_id],
            |row| Ok((row.get::<UserId>(0)?, row.get::<String>(1)?)),
        )?;
        let ids: Vec<UserId> = users.iter().map(|(id, _)| *id).collect();
        let listed = self.json_ids_sql("?2");
        self.execute(
            &format!(
                "UPDATE user_emails SET verified = 1 WHERE email_key = ?1 AND user_id IN {listed}"
            ),
            params![email_key, to_json_ids(&ids)?],
        )?;
        Ok(users.into_iter().map(|(_, external_id)| external_id).collect())
    }
}
