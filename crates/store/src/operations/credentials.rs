//! Tokens, one-time tokens, sign-in links and console sessions. Only hashes of the secrets are stored.

use super::{
    UnitOfWork, from_json, or_unreadable, timestamp_from_millis, to_json, to_json_ids,
    to_json_rows, to_millis,
};
use crate::sql::{Row, params};
use crate::{Error, Grant, Page, Scope, SignIn, SignInKind, TokenRecord, UnexpiredSignIn};
use jiff::Timestamp;
use jiff::civil::Date;
use trunkline_domain::id::{NetworkId, PartyId, SessionId, TokenId, UserId};
use trunkline_domain::party::{PartyKind, Role};

const SELECT_TOKEN: &str =
    "SELECT t.id, t.network_id, t.scope, t.party_id, t.role, t.label, t.created_at,
    t.expires_at, t.revoked_at, p.id_from_network, u.day
    FROM tokens t LEFT JOIN parties p ON p.id = t.party_id
    LEFT JOIN token_uses u ON u.token_id = t.id";

fn token_from_row(row: &Row<'_>) -> Result<TokenRecord, Error> {
    let party: Option<PartyId> = row.get(3)?;
    let scope = scope_from_columns(&row.get::<String>(2)?, party)?;
    let role = or_unreadable(Role::parse(&row.get::<String>(4)?), "role")?;
    Ok(TokenRecord {
        id: row.get(0)?,
        network_id: row.get(1)?,
        grant: Grant { scope, role },
        party_external_id: row.get(9)?,
        label: row.get(5)?,
        created_at: timestamp_from_millis(row.get(6)?)?,
        expires_at: row.get::<Option<i64>>(7)?.map(timestamp_from_millis).transpose()?,
        revoked_at: row.get::<Option<i64>>(8)?.map(timestamp_from_millis).transpose()?,
        last_used_on: row
            .get::<Option<String>>(10)?
            .map(|day| or_unreadable(day.parse().ok(), "day"))
            .transpose()?,
    })
}

/// Serializes grants as `[scope, party id or null, role]` each.
fn grants_to_json(grants: &[Grant]) -> Result<String, Error> {
    let row = |grant: &Grant| {
        let (scope, party) = scope_columns(grant.scope);
        (scope, party, grant.role)
    };
    to_json(&grants.iter().map(row).collect::<Vec<_>>(), "grants")
}

/// Parses the text of [`grants_to_json`].
pub(super) fn grants_from_json(text: &str) -> Result<Vec<Grant>, Error> {
    let rows: Vec<(String, Option<PartyId>, Role)> = from_json(text, "grants")?;
    let grant = |(scope, party, role): (String, Option<PartyId>, Role)| {
        Ok(Grant { scope: scope_from_columns(&scope, party)?, role })
    };
    rows.into_iter().map(grant).collect()
}

fn scope_columns(scope: Scope) -> (&'static str, Option<PartyId>) {
    match scope {
        Scope::Network => ("network", None),
        Scope::Party(kind, id) => (kind.as_str(), Some(id)),
    }
}

fn scope_from_columns(scope: &str, party: Option<PartyId>) -> Result<Scope, Error> {
    match (scope, party) {
        ("network", None) => Ok(Scope::Network),
        ("advertiser", Some(id)) => Ok(Scope::Party(PartyKind::Advertiser, id)),
        ("affiliate", Some(id)) => Ok(Scope::Party(PartyKind::Affiliate, id)),
        _ => or_unreadable(None, "scope"),
    }
}

fn sign_in_kind_word(kind: SignInKind) -> &'static str {
    match kind {
        SignInKind::AccessToken => "access_token",
        SignInKind::Session => "session",
        SignInKind::Link => "link",
    }
}

impl UnitOfWork<'_> {
    /// Inserts a token and returns its id. The id in the record is ignored.
    pub fn insert_token(&mut self, hash: &[u8], record: &TokenRecord) -> Result<TokenId, Error> {
        let (scope, party) = scope_columns(record.grant.scope);
        self.insert(
            "INSERT INTO tokens (network_id, hash, scope, party_id, role, label, created_at,
             expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                record.network_id,
                hash,
                scope,
                party,
                record.grant.role.as_str(),
                record.label,
                to_millis(record.created_at),
                record.expires_at.map(to_millis),
            ],
        )
    }

    /// Token with a hash, even if it is revoked or expired.
    pub fn token_by_hash(&mut self, hash: &[u8]) -> Result<Option<TokenRecord>, Error> {
        self.query_first(&format!("{SELECT_TOKEN} WHERE t.hash = ?1"), [hash], token_from_row)
    }

    /// Tokens of a network, including revoked and expired ones.
    pub fn tokens(&mut self, network: NetworkId) -> Result<Vec<TokenRecord>, Error> {
        self.query_all(
            &format!("{SELECT_TOKEN} WHERE t.network_id = ?1 ORDER BY t.id"),
            [network],
            token_from_row,
        )
    }

    /// Token of a network, by id, even if it is revoked or expired.
    pub fn token(&mut self, network: NetworkId, id: TokenId) -> Result<Option<TokenRecord>, Error> {
        let sql = format!("{SELECT_TOKEN} WHERE t.network_id = ?1 AND t.id = ?2");
        self.query_first(&sql, params![network, id], token_from_row)
    }

    /// Page of a network's tokens that are not revoked: those of some parties, or all.
    pub fn unrevoked_tokens(
        &mut self,
        network: NetworkId,
        parties: Option<&[PartyId]>,
        page: Page,
    ) -> Result<Vec<TokenRecord>, Error> {
        let select = format!(
            "{SELECT_TOKEN} WHERE t.network_id = ?1 AND t.id > ?2 AND t.revoked_at IS NULL"
        );
        let order = "ORDER BY t.id LIMIT ?3";
        let Some(parties) = parties else {
            let values = params![network, page.after, page.limit];
            return self.query_page(page, &format!("{select} {order}"), values, token_from_row);
        };
        let listed = self.json_ids_sql("?4");
        let sql = format!("{select} AND t.party_id IN {listed} {order}");
        let values = params![network, page.after, page.limit, to_json_ids(parties)?];
        self.query_page(page, &sql, values, token_from_row)
    }

    /// Number of unrevoked tokens with a scope.
    pub fn count_unrevoked_tokens(
        &mut self,
        network: NetworkId,
        scope: Scope,
    ) -> Result<u32, Error> {
        let (_, party) = scope_columns(scope);
        let (condition, id) = match party {
            Some(party) => ("party_id = ?1", party.get()),
            None => ("network_id = ?1 AND party_id IS NULL", network.get()),
        };
        let sql = format!("SELECT COUNT(*) FROM tokens WHERE {condition} AND revoked_at IS NULL");
        Ok(self.query_first(&sql, [id], |row| row.get(0))?.unwrap_or(0))
    }

    /// Stores the days on which tokens were used, where they are later than the stored ones. Tokens
    /// that no longer exist are skipped.
    pub fn store_token_uses(&mut self, uses: &[(TokenId, Date)]) -> Result<(), Error> {
        let from = self.json_rows_sql("?1");
        let rows: Vec<(TokenId, String)> =
            uses.iter().map(|(token, day)| (*token, day.to_string())).collect();
        self.execute(
            &format!(
                "INSERT INTO token_uses (token_id, day)
                 SELECT t.id, j.value ->> 1 FROM {from}
                 JOIN tokens t ON t.id = CAST(j.value ->> 0 AS BIGINT) WHERE t.id > 0
                 ON CONFLICT (token_id) DO UPDATE SET day = excluded.day
                 WHERE token_uses.day < excluded.day"
            ),
            [to_json_rows(&rows)?],
        )
    }

    /// Revokes a token. Returns false if the network has no token with this id.
    pub fn revoke_token(
        &mut self,
        network: NetworkId,
        id: TokenId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let found = self.execute_counted(
            "UPDATE tokens SET revoked_at = COALESCE(revoked_at, ?3)
             WHERE network_id = ?1 AND id = ?2",
            params![network, id, to_millis(now)],
        )?;
        Ok(found == 1)
    }

    /// Generation of credentials. It changes with every change of tokens or networks that could
    /// make a cached credential outdated.
    pub fn credential_generation(&mut self) -> Result<i64, Error> {
        // A generation that was read ahead is valid only until this unit of work writes.
        if let Some(known) = self.generation.take() {
            return Ok(known);
        }
        let sql = "SELECT generation FROM credential_generations WHERE id = 1";
        Ok(self.query_first(sql, super::NO_PARAMS, |row| row.get(0))?.unwrap_or(0))
    }

    /// Inserts a sign-in, deletes expired ones, and returns its id.
    pub fn insert_sign_in(
        &mut self,
        sign_in: SignIn<'_>,
        now: Timestamp,
    ) -> Result<SessionId, Error> {
        self.execute("DELETE FROM sign_ins WHERE expires_at <= ?1", [to_millis(now)])?;
        self.insert(
            "INSERT INTO sign_ins (hash, kind, user_id, expires_at, grants)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                sign_in.hash,
                sign_in_kind_word(sign_in.kind),
                sign_in.user_id,
                to_millis(sign_in.expires_at),
                grants_to_json(sign_in.grants)?
            ],
        )
    }

    /// Unexpired sign-in of a kind, by the hash of its secret.
    pub fn unexpired_sign_in(
        &mut self,
        hash: &[u8],
        kind: SignInKind,
        now: Timestamp,
    ) -> Result<Option<UnexpiredSignIn>, Error> {
        self.query_first(
            "SELECT user_id, grants FROM sign_ins
             WHERE hash = ?1 AND kind = ?2 AND expires_at > ?3",
            params![hash, sign_in_kind_word(kind), to_millis(now)],
            |row| {
                let grants = grants_from_json(&row.get::<String>(1)?)?;
                Ok(UnexpiredSignIn { user_id: row.get(0)?, grants })
            },
        )
    }

    /// Deletes the sign-ins of one kind that a user has.
    pub fn delete_sign_ins_of_kind(&mut self, user: UserId, kind: SignInKind) -> Result<(), Error> {
        self.execute(
            "DELETE FROM sign_ins WHERE user_id = ?1 AND kind = ?2",
            params![user, sign_in_kind_word(kind)],
        )
    }

    /// Deletes the sign-in links, one-time tokens and sessions of users.
    pub(super) fn delete_sign_ins_of_users(&mut self, users: &[UserId]) -> Result<(), Error> {
        if users.is_empty() {
            return Ok(());
        }
        let listed = self.json_ids_sql("?1");
        let sql = format!("DELETE FROM sign_ins WHERE user_id IN {listed}");
        self.execute(&sql, [to_json_ids(users)?])
    }

    /// Deletes a sign-in. Returns false if it does not exist.
    pub fn delete_sign_in(&mut self, hash: &[u8]) -> Result<bool, Error> {
        Ok(self.execute_counted("DELETE FROM sign_ins WHERE hash = ?1", [hash])? == 1)
    }
}
