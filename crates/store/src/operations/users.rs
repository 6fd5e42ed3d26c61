//! Users, and their memberships in organizations.

use super::{UnitOfWork, from_json, or_unreadable, to_json, to_json_ids, to_json_rows};
use crate::sql::{Row, params};
use crate::{Error, Grant, Organization, Scope};
use std::collections::HashMap;
use trunkline_domain::id::{NetworkId, PartyId, UserId};
use trunkline_domain::party::{Member, PartyKind, Role, User};

/// User with the network that it belongs to.
#[derive(Debug, Clone)]
pub struct UserInNetwork {
    /// Network of the user.
    pub network_id: NetworkId,
    /// User.
    pub user: User,
}

/// User with the hash of its password.
#[derive(Debug, Clone)]
pub struct UserWithPassword {
    /// Network of the user.
    pub network_id: NetworkId,
    /// User.
    pub user: User,
    /// Hash of the password in PHC format (argon2id); `None` if the user has no password.
    pub password_hash: Option<String>,
}

fn organization_sql_key(organization: Organization) -> (&'static str, i64) {
    match organization {
        Organization::Network(id) => ("network", id.get()),
        Organization::Party(kind, id) => (kind.as_str(), id.get()),
    }
}

const USER_COLUMNS: &str = "u.id, u.body, u.password_hash IS NOT NULL";

/// Reads a user from the columns of [`USER_COLUMNS`], which start at column `at`.
fn user_from_row(row: &Row<'_>, at: usize) -> Result<User, Error> {
    let mut user: User = from_json(&row.get::<String>(at + 1)?, "user")?;
    user.id = row.get(at)?;
    user.can_login_via_platform = row.get(at + 2)?;
    Ok(user)
}

/// Reads a member from a role and the columns of [`USER_COLUMNS`], which start at column `at`.
pub(super) fn member_from_row(row: &Row<'_>, at: usize) -> Result<Member, Error> {
    Ok(Member { role: role_from_row(row, at)?, user: user_from_row(row, at + 1)? })
}

fn role_from_row(row: &Row<'_>, at: usize) -> Result<Role, Error> {
    or_unreadable(Role::parse(&row.get::<String>(at)?), "role")
}

impl UnitOfWork<'_> {
    /// Members of an organization, in the order in which they were given.
    pub fn members(&mut self, organization: Organization) -> Result<Vec<Member>, Error> {
        let (word, id) = organization_sql_key(organization);
        self.query_all(
            &format!(
                "SELECT m.role, {USER_COLUMNS} FROM memberships m JOIN users u ON u.id = m.user_id
                 WHERE m.organization = ?1 AND m.organization_id = ?2 ORDER BY m.position"
            ),
            params![word, id],
            |row| member_from_row(row, 0),
        )
    }

    /// Members of parties of a kind, by party id.
    pub(super) fn members_of_parties(
        &mut self,
        kind: PartyKind,
        ids: &[PartyId],
    ) -> Result<HashMap<PartyId, Vec<Member>>, Error> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let listed = self.json_ids_sql("?2");
        let rows = self.query_all(
            &format!(
                "SELECT m.organization_id, m.role, {USER_COLUMNS}
                 FROM memberships m JOIN users u ON u.id = m.user_id
                 WHERE m.organization = ?1 AND m.organization_id IN {listed}
                 ORDER BY m.organization_id, m.position"
            ),
            params![kind.as_str(), to_json_ids(ids)?],
            |row| Ok((row.get(0)?, member_from_row(row, 1)?)),
        )?;
        let mut found: HashMap<PartyId, Vec<Member>> = HashMap::new();
        for (party, member) in rows {
            found.entry(party).or_default().push(member);
        }
        Ok(found)
    }

    /// Replaces the members of an organization. Users are inserted or updated; users who are left
    /// without any membership are deleted. The one-time tokens and sessions of a user whose role or
    /// addresses change are deleted. `created_by_party` is recorded with users who are new in the
    /// network. Returns the members as stored.
    pub fn replace_members(
        &mut self,
        network: NetworkId,
        organization: Organization,
        members: &[Member],
        created_by_party: bool,
    ) -> Result<Vec<Member>, Error> {
        let (word, id) = organization_sql_key(organization);
        let before = self.members(organization)?;
        self.execute(
            "DELETE FROM memberships WHERE organization = ?1 AND organization_id = ?2",
            params![word, id],
        )?;
        for (position, member) in members.iter().enumerate() {
            let user = self.put_user(network, &member.user, created_by_party)?;
            self.execute(
                "INSERT INTO memberships (organization, organization_id, position, user_id, role)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![word, id, position as i64, user, member.role.as_str()],
            )?;
        }
        let after = self.members(organization)?;
        let role_in = |members: &[Member], user: UserId| {
            members.iter().find(|member| member.user.id == user).map(|member| member.role)
        };
        let mut changed: Vec<UserId> = Vec::new();
        for member in &before {
            let user = member.user.id;
            if role_in(&after, user) != Some(member.role) {
                changed.push(user);
                self.delete_user_if_orphaned(user)?;
            }
        }
        let added = after.iter().map(|member| member.user.id);
        changed.extend(added.filter(|user| role_in(&before, *user).is_none()));
        self.delete_sign_ins_of_users(&changed)?;
        Ok(after)
    }

    /// Inserts or updates a user and returns the user's id. If the addresses change, the user's
    /// one-time tokens and sessions are deleted, and new addresses are not verified.
    fn put_user(
        &mut self,
        network: NetworkId,
        user: &User,
        created_by_party: bool,
    ) -> Result<UserId, Error> {
        let stored = self.user_by_external_id(network, &user.external_id)?;
        if let Some(stored) = stored.as_ref().filter(|stored| *stored == user) {
            return Ok(stored.id);
        }
        let body = to_json(user, "user")?;
        self.execute(
            "INSERT INTO users (network_id, id_from_network, body, created_by_party)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (network_id, id_from_network) DO UPDATE SET body = excluded.body",
            params![network, user.external_id, body, i64::from(created_by_party)],
        )?;
        let id = if let Some(stored) = stored {
            if stored.email_keys() == user.email_keys() {
                return Ok(stored.id);
            }
            self.delete_sign_ins_of_users(&[stored.id])?;
            let kept = user.email_keys();
            for removed in stored.email_keys().iter().filter(|key| !kept.contains(key)) {
                let sql = "DELETE FROM user_emails WHERE user_id = ?1 AND email_key = ?2";
                self.execute(sql, params![stored.id, removed])?;
            }
            stored.id
        } else {
            let found = self.query_first(
                "SELECT id FROM users WHERE network_id = ?1 AND id_from_network = ?2",
                params![network, user.external_id],
                |row| row.get::<UserId>(0),
            )?;
            or_unreadable(found, "user")?
        };
        for email_key in user.email_keys() {
            self.execute(
                "INSERT INTO user_emails (email_key, user_id, verified) VALUES (?1, ?2, 0)
                 ON CONFLICT DO NOTHING",
                params![email_key, id],
            )?;
        }
        Ok(id)
    }

    fn delete_user_if_orphaned(&mut self, user: UserId) -> Result<(), Error> {
        self.execute(
            "DELETE FROM users WHERE id = ?1
             AND NOT EXISTS (SELECT 1 FROM memberships WHERE user_id = ?1)",
            [user],
        )?;
        Ok(())
    }

    /// User with its network, by id.
    pub fn user(&mut self, id: UserId) -> Result<Option<UserInNetwork>, Error> {
        self.query_first(
            &format!("SELECT u.network_id, {USER_COLUMNS} FROM users u WHERE u.id = ?1"),
            [id],
            |row| Ok(UserInNetwork { network_id: row.get(0)?, user: user_from_row(row, 1)? }),
        )
    }

    /// User, by external id.
    pub fn user_by_external_id(
        &mut self,
        network: NetworkId,
        id: &str,
    ) -> Result<Option<User>, Error> {
        self.query_first(
            &format!(
                "SELECT {USER_COLUMNS} FROM users u WHERE u.network_id = ?1 AND u.id_from_network = ?2"
            ),
            params![network, id],
            |row| user_from_row(row, 0),
        )
    }

    /// External ids of those of a network's users that a credential of an advertiser or affiliate
    /// created, among some external ids.
    pub fn users_created_by_parties(
        &mut self,
        network: NetworkId,
        external_ids: &[&str],
    ) -> Result<Vec<String>, Error> {
        let rows: Vec<[&str; 1]> = external_ids.iter().map(|id| [*id]).collect();
        let from = self.json_rows_sql("?2");
        self.query_all(
            &format!(
                "SELECT u.id_from_network FROM users u WHERE u.network_id = ?1
                 AND u.created_by_party = 1
                 AND u.id_from_network IN (SELECT j.value ->> 0 FROM {from})"
            ),
            params![network, to_json_rows(&rows)?],
            |row| row.get(0),
        )
    }

    /// Users with an e-mail address, in the order of their ids.
    pub fn users_by_email(&mut self, email: &str) -> Result<Vec<UserWithPassword>, Error> {
        self.query_all(
            &format!(
                "SELECT u.network_id, u.password_hash, {USER_COLUMNS} FROM user_emails e
                 JOIN users u ON u.id = e.user_id WHERE e.email_key = ?1 ORDER BY u.id"
            ),
            [email.to_lowercase()],
            |row| {
                Ok(UserWithPassword {
                    network_id: row.get(0)?,
                    user: user_from_row(row, 2)?,
                    password_hash: row.get(1)?,
                })
            },
        )
    }

    /// Grants of a user, one for each membership.
    pub fn grants_of_user(&mut self, user: UserId) -> Result<Vec<Grant>, Error> {
        self.query_all(
            "SELECT organization, organization_id, role FROM memberships WHERE user_id = ?1
             ORDER BY organization, organization_id",
            [user],
            |row| {
                let id: PartyId = row.get(1)?;
                let scope = match row.get::<String>(0)?.as_str() {
                    "advertiser" => Scope::Party(PartyKind::Advertiser, id),
                    "affiliate" => Scope::Party(PartyKind::Affiliate, id),
                    _ => Scope::Network,
                };
                Ok(Grant { scope, role: role_from_row(row, 2)? })
            },
        )
    }

    /// Updates the hash of a user's password and ends the user's sessions.
    pub fn set_password_hash(&mut self, user: UserId, hash: &str) -> Result<(), Error> {
        self.execute("UPDATE users SET password_hash = ?2 WHERE id = ?1", params![user, hash])?;
        self.delete_sign_ins_of_users(&[user])
    }
}
