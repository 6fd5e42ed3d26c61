//! Sign-in links: a user opens one once, sets a password, and is signed in.

use crate::credentials::{self, Entropy, IssuedSecret, LINK_LIFETIME, SignInKind};
use crate::policy::{Action, Decision, decide};
use crate::{Actor, Context, Error, InternalIdUse, Principal, UnitOfWork, Warnings, audit};
use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_domain::id::{SessionId, UserId};
use trunkline_domain::party::User;
use trunkline_store::UserInNetwork;

/// New sign-in link. Its token is not stored in plain text.
#[derive(Debug, Clone)]
pub struct IssuedLink {
    /// Token in the link, to be shown once.
    pub token: String,
    /// Time of expiry, by the system clock.
    pub expires_at: Timestamp,
}

impl IssuedLink {
    /// Returns the link, below the URL at which users reach the server.
    pub fn url(&self, base_url: &str) -> String {
        let base_url = base_url.trim_end_matches('/');
        format!("{base_url}/sign_in_link?token={}", self.token)
    }
}

/// Issues a sign-in link for a user, named by external id. It replaces the user's earlier link.
///
/// # Errors
///
/// [`Error::NotFound`] if the principal views no organization of the user. [`Error::NotAllowed`] if
/// the principal is not a Manager of each of them, or if the user has a role above the principal's:
/// the password gives all of the user's grants.
pub fn create(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    user: &str,
    entropy: &Entropy,
) -> Result<IssuedLink, Error> {
    let principal = &context.principal;
    let missing = || Error::NotFound(format!("User {user}"));
    let found = unit.user_by_external_id(principal.network_id, user)?.ok_or_else(missing)?;
    let grants = unit.grants_of_user(found.id)?;
    let decision = |action, scope| decide(&principal.grants, action, scope);
    let mut reached = grants
        .iter()
        .filter(|grant| decision(Action::View, grant.scope) == Decision::Allowed)
        .peekable();
    reached.peek().ok_or_else(missing)?;
    for grant in reached {
        decision(Action::Administer, grant.scope).into_result()?;
    }
    if !principal.covers_grants(&grants) {
        let message = format!(
            "this credential may not sign {user} in: the user has permissions that the credential lacks"
        );
        return Err(Error::NotAllowed(message));
    }
    let link = issue(unit, found.id, entropy, context.system_now)?;
    let after = json!({ "expires_at": link.expires_at.to_string() });
    let object = format!("user:{user}");
    audit::record(unit, context, object, Some("create_sign_in_link"), None, Some(&after))?;
    Ok(link)
}

/// Issues a sign-in link for a user, named by id, without a check of permission (command line only).
pub fn issue(
    unit: &mut UnitOfWork<'_>,
    user: UserId,
    entropy: &Entropy,
    now: Timestamp,
) -> Result<IssuedLink, Error> {
    unit.delete_sign_ins_of_kind(user, SignInKind::Link)?;
    let grants = unit.grants_of_user(user)?;
    let issued = credentials::insert_sign_in(unit, user, SignInKind::Link, &grants, entropy, now)?;
    let expires_at = now.saturating_add(LINK_LIFETIME).unwrap_or(Timestamp::MAX);
    Ok(IssuedLink { token: issued.secret, expires_at })
}

/// Returns the user of a link that is neither used nor expired.
pub fn find_user(
    unit: &mut UnitOfWork<'_>,
    token: &str,
    now: Timestamp,
) -> Result<Option<User>, Error> {
    credentials::user_of_sign_in(unit, token, SignInKind::Link, now)
}

/// New password of the user of a link, hashed.
#[derive(Debug, Clone)]
pub struct NewPassword {
    /// Token of the link.
    pub token: String,
    /// Hash of the password.
    pub hash: String,
    /// Id of the request, for the audit log.
    pub request_id: String,
}

/// Sets the password of the user of a link, which ends all of the user's sign-ins, the link
/// included, and starts a console session with all of the user's grants. Returns `None` if the link
/// is used or expired.
pub fn redeem(
    unit: &mut UnitOfWork<'_>,
    password: &NewPassword,
    entropy: &Entropy,
    now: Timestamp,
) -> Result<Option<IssuedSecret<SessionId>>, Error> {
    let Some(user) = find_user(unit, &password.token, now)? else { return Ok(None) };
    let Some(UserInNetwork { network_id, .. }) = unit.user(user.id)? else { return Ok(None) };
    let Some(network) = unit.network(network_id)? else { return Ok(None) };
    unit.set_password_hash(user.id, &password.hash)?;
    let session = credentials::start_session(unit, user.id, entropy, now)?;
    let grants = unit.grants_of_user(user.id)?;
    let context = Context {
        principal: Principal { network_id, actor: Actor::User(user.id), grants },
        now: network.now(now),
        system_now: now,
        request_id: password.request_id.clone(),
        warnings: Warnings::default(),
        internal_id_use: InternalIdUse::default(),
    };
    let object = format!("user:{}", user.external_id);
    let after = json!({ "can_login_via_platform": true });
    audit::record(unit, &context, object, Some("set_password"), None::<&Value>, Some(&after))?;
    Ok(Some(session))
}
