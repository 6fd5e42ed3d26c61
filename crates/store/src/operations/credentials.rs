//! Tokens, one-time sign-ins and console sessions. Only hashes are kept.

use super::{Session, millis, moment, parsed};
use crate::sql::{Row, params};
use crate::{Error, Grant, Scope, SignIn, SignInKind, TokenRecord};
use jiff::Timestamp;
use trunkline_domain::party::{PartyKind, Role};

const TOKEN: &str = "SELECT t.id, t.network_id, t.scope, t.party_id, t.role, t.label, t.created_at,
    t.expires_at, t.revoked_at, p.id_from_network
    FROM tokens t LEFT JOIN parties p ON p.id = t.party_id";

fn token(row: &Row<'_>) -> Result<TokenRecord, Error> {
    let party: Option<i64> = row.get(3)?;
    let scope = match (row.get::<String>(2)?.as_str(), party) {
        ("network", None) => Scope::Network,
        ("advertiser", Some(id)) => Scope::Party(PartyKind::Advertiser, id),
        ("affiliate", Some(id)) => Scope::Party(PartyKind::Affiliate, id),
        _ => return parsed(None, "scope"),
    };
    let role = parsed(Role::parse(&row.get::<String>(4)?), "role")?;
    Ok(TokenRecord {
        id: row.get(0)?,
        network_id: row.get(1)?,
        grant: Grant { scope, role },
        party_id_from_network: row.get(9)?,
        label: row.get(5)?,
        created_at: moment(row.get(6)?)?,
        expires_at: row.get::<Option<i64>>(7)?.map(moment).transpose()?,
        revoked_at: row.get::<Option<i64>>(8)?.map(moment).transpose()?,
    })
}

fn sign_in_word(kind: SignInKind) -> &'static str {
    match kind {
        SignInKind::AccessToken => "access_token",
        SignInKind::Session => "session",
    }
}

impl Session<'_> {
    /// Stores a new token and returns our id. The record's id is not looked at.
    pub fn insert_token(&mut self, hash: &[u8], it: &TokenRecord) -> Result<i64, Error> {
        let (scope, party) = match it.grant.scope {
            Scope::Network => ("network", None),
            Scope::Party(kind, id) => (kind.word(), Some(id)),
        };
        self.insert(
            "INSERT INTO tokens (network_id, hash, scope, party_id, role, label, created_at,
             expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                it.network_id,
                hash,
                scope,
                party,
                it.grant.role.as_str(),
                it.label,
                millis(it.created_at),
                it.expires_at.map(millis),
            ],
        )
    }

    /// The token with this hash, revoked and expired ones too.
    pub fn token_by_hash(&mut self, hash: &[u8]) -> Result<Option<TokenRecord>, Error> {
        self.first(&format!("{TOKEN} WHERE t.hash = ?1"), [hash], token)
    }

    /// A network's tokens, revoked and expired ones too.
    pub fn tokens(&mut self, network: i64) -> Result<Vec<TokenRecord>, Error> {
        self.all(&format!("{TOKEN} WHERE t.network_id = ?1 ORDER BY t.id"), [network], token)
    }

    /// Revokes a token; false when the network has none with this id.
    pub fn revoke_token(&mut self, network: i64, id: i64, now: Timestamp) -> Result<bool, Error> {
        let found = self.change(
            "UPDATE tokens SET revoked_at = COALESCE(revoked_at, ?3)
             WHERE network_id = ?1 AND id = ?2",
            params![network, id, millis(now)],
        )?;
        Ok(found == 1)
    }

    /// The generation that tokens and networks are of: it is another one after anything was done to them
    /// that what is remembered of a credential could say differently.
    pub fn credential_generation(&mut self) -> Result<i64, Error> {
        // It holds until something is written.
        if let Some(known) = self.generation.take() {
            return Ok(known);
        }
        let sql = "SELECT generation FROM credential_generations WHERE id = 1";
        Ok(self.first(sql, super::NONE, |row| row.get(0))?.unwrap_or(0))
    }

    /// Stores a sign-in, forgets expired ones, and returns our id.
    pub fn insert_sign_in(&mut self, it: SignIn<'_>, now: Timestamp) -> Result<i64, Error> {
        self.execute("DELETE FROM sign_ins WHERE expires_at <= ?1", [millis(now)])?;
        self.insert(
            "INSERT INTO sign_ins (hash, kind, user_id, expires_at) VALUES (?1, ?2, ?3, ?4)",
            params![it.hash, sign_in_word(it.kind), it.user_id, millis(it.expires_at)],
        )
    }

    /// The user that a sign-in is for, while it is good.
    pub fn signed_in(
        &mut self,
        hash: &[u8],
        kind: SignInKind,
        now: Timestamp,
    ) -> Result<Option<i64>, Error> {
        self.first(
            "SELECT user_id FROM sign_ins WHERE hash = ?1 AND kind = ?2 AND expires_at > ?3",
            params![hash, sign_in_word(kind), millis(now)],
            |row| row.get(0),
        )
    }

    /// Uses a sign-in up; false when it was not there.
    pub fn delete_sign_in(&mut self, hash: &[u8]) -> Result<bool, Error> {
        Ok(self.change("DELETE FROM sign_ins WHERE hash = ?1", [hash])? == 1)
    }
}
