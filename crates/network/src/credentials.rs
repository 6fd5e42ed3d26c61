//! Credentials: API tokens, passwords, one-time tokens and console sessions. Secrets are returned
//! once; only their hashes are stored. Sign-in links are in [`crate::sign_in_links`].

pub use crate::secrets::Entropy;
use crate::secrets::{generate_secret, hash_secret};
use crate::{Actor, Context, Error, InternalIdUse, Principal, UnitOfWork, Warnings, audit};
use argon2::password_hash::{CustomizedPasswordHasher, PasswordHasher};
use argon2::{Argon2, PasswordHash};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use trunkline_domain::id::{NetworkId, SessionId, TokenId, UserId};
use trunkline_domain::party::{Member, PartyKind, Role, User};
pub use trunkline_store::SignInKind;
use trunkline_store::{
    Grant, Scope, SignIn, TokenRecord, UnexpiredSignIn, UserInNetwork, UserWithPassword,
};

/// Lifetime of a one-time token.
const ACCESS_TOKEN_LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// Lifetime of a console session.
const SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(12);
/// Lifetime of a sign-in link.
pub(crate) const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Fewest characters of a password.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// Most bytes of a password: a longer one adds no strength and makes hashing slow.
pub const MAX_PASSWORD_BYTES: usize = 1_024;

/// argon2 hashes that each try of a password computes. Two: older passwords of an address in two
/// networks have two salts.
pub const HASHES_PER_TRY: usize = 2;
/// Length of a salt.
const SALT_BYTES: usize = 16;

/// argon2 hashes that this process has computed since its start.
static HASHES: AtomicU64 = AtomicU64::new(0);

/// Returns the number of argon2 hashes that this process has computed since its start.
pub fn computed_hashes() -> u64 {
    HASHES.load(Ordering::Relaxed)
}

/// Returns the name of the console's session cookie on a server with a base URL. Under https it has
/// the prefix with which browsers accept it only from this host, with `Secure` and for all paths, so
/// that another host of the domain cannot set it.
pub fn session_cookie_name(base_url: &str) -> &'static str {
    if base_url.starts_with("https://") { "__Host-trunkline_session" } else { "trunkline_session" }
}

/// Returns the console's session secret from the values of a request's `Cookie` headers, if there
/// is one. `cookie_name` is that of [`session_cookie_name`].
pub fn session_cookie<'a>(
    cookies: impl Iterator<Item = &'a str>,
    cookie_name: &str,
) -> Option<&'a str> {
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == cookie_name).then_some(value)
    });
    pairs.next()
}

/// Credential that a request presents.
#[derive(Debug, Clone)]
pub enum Credential {
    /// API token.
    Token(String),
    /// Value of a console session's cookie.
    Session(String),
}

/// New secret. The plain text is not stored.
#[derive(Debug, Clone)]
pub struct IssuedSecret<Id> {
    /// Id of the record.
    pub id: Id,
    /// Plain text, to be shown once.
    pub secret: String,
}

/// Issues an API token.
pub fn issue_token(
    unit: &mut UnitOfWork<'_>,
    record: TokenRecord,
    entropy: &Entropy,
) -> Result<IssuedSecret<TokenId>, Error> {
    let secret = generate_secret("tl_", entropy);
    let id = unit.insert_token(&hash_secret(&secret), &record)?;
    Ok(IssuedSecret { id, secret })
}

/// Builds the record of a new token that is valid from `now` on.
pub fn new_token(
    network_id: NetworkId,
    scope: Scope,
    role: Role,
    label: Option<String>,
    now: Timestamp,
    expires_at: Option<Timestamp>,
) -> TokenRecord {
    TokenRecord {
        id: TokenId::UNASSIGNED,
        network_id,
        grant: Grant { scope, role },
        party_external_id: None,
        label,
        created_at: now,
        expires_at,
        revoked_at: None,
        last_used_on: None,
    }
}

/// Returns the principal of a token or a session, if it is valid.
pub fn authenticate(
    unit: &mut UnitOfWork<'_>,
    credential: &Credential,
    now: Timestamp,
) -> Result<Option<Principal>, Error> {
    match credential {
        Credential::Token(token) => {
            Ok(find_valid_token(unit, &hash_secret(token), now)?.map(principal_of_token))
        }
        Credential::Session(cookie) => {
            let found = unit.unexpired_sign_in(&hash_secret(cookie), SignInKind::Session, now)?;
            let Some(UnexpiredSignIn { user_id, grants }) = found else { return Ok(None) };
            let principal = principal_of_user(unit, user_id)?;
            Ok(principal.and_then(|principal| restrict_to_carried(principal, &grants)))
        }
    }
}

/// Returns the token with a hash, if it is neither revoked nor expired.
pub(crate) fn find_valid_token(
    unit: &mut UnitOfWork<'_>,
    hash: &[u8],
    now: Timestamp,
) -> Result<Option<TokenRecord>, Error> {
    let found = unit.token_by_hash(hash)?;
    Ok(found.filter(|token| {
        token.revoked_at.is_none() && token.expires_at.is_none_or(|expires| expires > now)
    }))
}

pub(crate) fn principal_of_token(token: TokenRecord) -> Principal {
    let actor = Actor::Token(token.id);
    Principal { network_id: token.network_id, actor, grants: vec![token.grant] }
}

/// Returns the principal of a user with all of the user's grants; `None` without any.
pub(crate) fn principal_of_user(
    unit: &mut UnitOfWork<'_>,
    user: UserId,
) -> Result<Option<Principal>, Error> {
    let Some(UserInNetwork { network_id, .. }) = unit.user(user)? else { return Ok(None) };
    let grants = unit.grants_of_user(user)?;
    let principal = Principal { network_id, actor: Actor::User(user), grants };
    Ok(Some(principal).filter(|principal| !principal.grants.is_empty()))
}

/// Reduces a principal to the grants that its session carries, each with the lower of the two roles.
/// `None` if there are none left. A session ends when a grant of its user changes; this holds even if
/// one did not.
fn restrict_to_carried(mut principal: Principal, carried: &[Grant]) -> Option<Principal> {
    let restrict = |grant: &Grant| {
        let carried = carried.iter().find(|carried| carried.scope == grant.scope)?;
        let lower = std::cmp::min_by_key(*grant, *carried, |grant| grant.role.rank());
        Some(lower)
    };
    principal.grants = principal.grants.iter().filter_map(restrict).collect();
    Some(principal).filter(|principal| !principal.grants.is_empty())
}

/// User with an e-mail address and a password.
#[derive(Debug, Clone)]
pub(crate) struct PasswordCandidate {
    /// Network of the user.
    pub(crate) network_id: NetworkId,
    /// Id of the user.
    pub(crate) user_id: UserId,
    /// Hash of the password.
    pub(crate) hash: String,
}

/// Returns the users with an e-mail address who have a password. It runs one statement for any number of
/// them. Verify the password with [`verify_password`] outside of any transaction, because it is slow
/// by design.
pub(crate) fn password_candidates(
    unit: &mut UnitOfWork<'_>,
    email: &str,
) -> Result<Vec<PasswordCandidate>, Error> {
    let users = unit.users_by_email(email)?.into_iter();
    let candidates = users.filter_map(|UserWithPassword { network_id, user, password_hash }| {
        Some(PasswordCandidate { network_id, user_id: user.id, hash: password_hash? })
    });
    Ok(candidates.collect())
}

/// Writes an audit entry for each user of an account whose sign-ins are throttled.
pub(crate) fn audit_throttled_sign_ins(
    unit: &mut UnitOfWork<'_>,
    users: &[UserId],
    failures: u32,
    address: &str,
    now: Timestamp,
) -> Result<(), Error> {
    for id in users {
        let Some(UserInNetwork { network_id, user }) = unit.user(*id)? else { continue };
        let Some(network) = unit.network(network_id)? else { continue };
        let context = Context {
            principal: Principal { network_id, actor: Actor::Anonymous, grants: Vec::new() },
            now: network.now(now),
            system_now: now,
            request_id: "sign-in".to_owned(),
            warnings: Warnings::default(),
            internal_id_use: InternalIdUse::default(),
        };
        let after = json!({ "failures": failures, "address": address });
        let object = format!("user:{}", user.external_id);
        let action = Some("sign_ins_throttled");
        audit::record(unit, &context, object, action, None, Some(&after))?;
    }
    Ok(())
}

/// Tests which of the stored hashes (argon2id) a password matches. It always computes
/// [`HASHES_PER_TRY`] hashes, whatever the number of stored ones and whichever matches, so that
/// the time does not tell of accounts. One serves all stored hashes with the same salt; what has a
/// further salt does not match. Needs about 20 MiB and tens of milliseconds.
pub fn verify_password(password: &str, stored: &[String]) -> Vec<bool> {
    let stored: Vec<Option<PasswordHash>> =
        stored.iter().map(|hash| PasswordHash::new(hash).ok()).collect();
    let mut computed: Vec<PasswordHash> = Vec::with_capacity(HASHES_PER_TRY);
    for hash in stored.iter().flatten() {
        let is_new = computed.iter().all(|computed| computed.salt != hash.salt);
        if is_new && computed.len() < HASHES_PER_TRY {
            computed.extend(hash_as_stored(password, hash));
        }
    }
    for _ in computed.len()..HASHES_PER_TRY {
        // No user has this salt. A failure to hash has no effect but the time.
        let unused = hash_password(password, &[0; 32]);
        drop(unused);
    }
    let matches = |hash: &PasswordHash| {
        computed.iter().any(|computed| computed.salt == hash.salt && computed.hash == hash.hash)
    };
    stored.iter().map(|hash| hash.as_ref().is_some_and(matches)).collect()
}

/// Hashes a password with the parameters and the salt of a stored hash; `None` if they cannot be used.
fn hash_as_stored(password: &str, stored: &PasswordHash) -> Option<PasswordHash> {
    HASHES.fetch_add(1, Ordering::Relaxed);
    let params = argon2::Params::try_from(stored).ok()?;
    let (algorithm, version) = (stored.algorithm.as_str(), stored.version);
    let salt = stored.salt.as_ref()?;
    let argon2 = Argon2::default();
    let hash = argon2.hash_password_customized(
        password.as_bytes(),
        salt,
        Some(algorithm),
        version,
        params,
    );
    hash.ok()
}

/// Tests if a new password has an acceptable length. The message of a problem names the limit.
///
/// # Errors
///
/// [`Error::NotAllowed`] if it is shorter than [`MIN_PASSWORD_CHARS`] or longer than
/// [`MAX_PASSWORD_BYTES`].
pub fn check_password_length(password: &str) -> Result<(), Error> {
    let problem = if password.chars().count() < MIN_PASSWORD_CHARS {
        format!("the password is too short: it needs {MIN_PASSWORD_CHARS} characters")
    } else if password.len() > MAX_PASSWORD_BYTES {
        format!("the password is too long: it may have {MAX_PASSWORD_BYTES} bytes")
    } else {
        return Ok(());
    };
    Err(Error::NotAllowed(problem))
}

/// Returns the entropy for the salt of a new password: that of another password of the same addresses,
/// else `random`. People with a password in several networks thus have one salt, and a try computes
/// one hash for all of them.
pub fn entropy_of_salt<'a>(
    unit: &mut UnitOfWork<'_>,
    mut addresses: impl Iterator<Item = &'a str>,
    random: Entropy,
) -> Result<Entropy, Error> {
    addresses.try_fold(random, |entropy, address| {
        let users = unit.users_by_email(address)?.into_iter();
        let hashes = users.filter_map(|user| user.password_hash);
        Ok(hashes.filter_map(|hash| salt_of_hash(&hash)).next().unwrap_or(entropy))
    })
}

/// Returns entropy from which [`hash_password`] takes the salt of a stored hash.
fn salt_of_hash(hash: &str) -> Option<Entropy> {
    let salt = PasswordHash::new(hash).ok()?.salt?;
    let mut entropy = [0; 32];
    let salt: &[u8; SALT_BYTES] = salt.as_ref().try_into().ok()?;
    entropy.get_mut(..SALT_BYTES)?.copy_from_slice(salt);
    Some(entropy)
}

/// Hashes a password (argon2id) with a salt from the first bytes of `entropy`.
pub fn hash_password(password: &str, entropy: &Entropy) -> Result<String, Error> {
    HASHES.fetch_add(1, Ordering::Relaxed);
    let salt = entropy.get(..SALT_BYTES).unwrap_or(entropy);
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), salt);
    let hash = hash.map_err(|error| Error::Internal(format!("password: {error}")))?;
    Ok(hash.to_string())
}

/// Sets the password of the user with an e-mail address in a network, and ends all of the user's
/// sessions. Returns the user's external id, or `None` if no user has the address.
///
/// # Errors
///
/// [`Error::NotAllowed`] if several users have the address and `user` (an external id) does not
/// select one.
pub fn set_password(
    unit: &mut UnitOfWork<'_>,
    network: NetworkId,
    email: &str,
    user: Option<&str>,
    hash: &str,
) -> Result<Option<String>, Error> {
    let mut matching = unit.users_by_email(email)?;
    matching.retain(|found| {
        let is_requested = |requested| requested == found.user.external_id;
        found.network_id == network && user.is_none_or(is_requested)
    });
    if matching.len() > 1 {
        let ids: Vec<&str> = matching.iter().map(|found| found.user.external_id.as_str()).collect();
        let message = format!("several users have {email}: select one of {}", ids.join(", "));
        return Err(Error::NotAllowed(message));
    }
    let Some(UserWithPassword { user: found, .. }) = matching.pop() else { return Ok(None) };
    unit.set_password_hash(found.id, hash)?;
    Ok(Some(found.external_id))
}

/// Issues a one-time token for a user of the network or of a party, by e-mail address. The token and
/// the session that it starts carry the user's grant for that organization and no other.
///
/// # Errors
///
/// [`Error::NotAllowed`] if the user has permissions that the principal does not have.
pub fn create_access_token(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    party: Option<(PartyKind, &str)>,
    email: &str,
    entropy: &Entropy,
) -> Result<IssuedSecret<SessionId>, Error> {
    let (scope, members) = match party {
        None => {
            context.principal.ensure_can_write_network()?;
            (Scope::Network, crate::networks::get(unit, context)?.members)
        }
        Some((kind, id)) => {
            let found = crate::parties::get(unit, context, kind, id)?;
            context.principal.ensure_can_write_party(kind, found.id)?;
            (Scope::Party(kind, found.id), found.members)
        }
    };
    let has_address = |member: &&Member| {
        let mut emails = member.user.email_settings.iter();
        emails.any(|settings| settings.email_address.eq_ignore_ascii_case(email))
    };
    let owner = match party {
        None => String::new(),
        Some((kind, id)) => format!(" for {} {id}", kind.as_str()),
    };
    let missing = || Error::NotFound(format!("User {email}{owner}"));
    let user = members.iter().find(has_address).ok_or_else(missing)?.user.id;
    let mut grants = unit.grants_of_user(user)?;
    if !context.principal.covers_grants(&grants) {
        let message = format!(
            "this credential may not sign {email} in: the user has permissions that the credential lacks"
        );
        return Err(Error::NotAllowed(message));
    }
    grants.retain(|grant| grant.scope == scope);
    insert_sign_in(unit, user, SignInKind::AccessToken, &grants, entropy, context.system_now)
}

/// Returns the user whom an unexpired one-time token or sign-in link signs in.
pub fn user_of_sign_in(
    unit: &mut UnitOfWork<'_>,
    secret: &str,
    kind: SignInKind,
    now: Timestamp,
) -> Result<Option<User>, Error> {
    let found = unit.unexpired_sign_in(&hash_secret(secret), kind, now)?;
    let Some(sign_in) = found else { return Ok(None) };
    Ok(unit.user(sign_in.user_id)?.map(|found| found.user))
}

pub(crate) fn insert_sign_in(
    unit: &mut UnitOfWork<'_>,
    user_id: UserId,
    kind: SignInKind,
    grants: &[Grant],
    entropy: &Entropy,
    now: Timestamp,
) -> Result<IssuedSecret<SessionId>, Error> {
    let (prefix, lifetime) = match kind {
        SignInKind::Session => ("", SESSION_LIFETIME),
        SignInKind::AccessToken => ("tl1_", ACCESS_TOKEN_LIFETIME),
        SignInKind::Link => ("tl2_", LINK_LIFETIME),
    };
    let secret = generate_secret(prefix, entropy);
    let expires_at = now.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
    let hash = hash_secret(&secret);
    let id = unit.insert_sign_in(SignIn { hash: &hash, kind, user_id, grants, expires_at }, now)?;
    Ok(IssuedSecret { id, secret })
}

/// Starts a console session for a user whose password has been verified. It carries the grants that
/// the user has now, and gains none later.
pub fn start_session(
    unit: &mut UnitOfWork<'_>,
    user: UserId,
    entropy: &Entropy,
    now: Timestamp,
) -> Result<IssuedSecret<SessionId>, Error> {
    let grants = unit.grants_of_user(user)?;
    insert_sign_in(unit, user, SignInKind::Session, &grants, entropy, now)
}

/// Exchanges a one-time token for a console session. Returns `None` if the token is unknown, used
/// or expired. The session carries the grants of the token.
pub fn redeem_access_token(
    unit: &mut UnitOfWork<'_>,
    token: &str,
    entropy: &Entropy,
    now: Timestamp,
) -> Result<Option<IssuedSecret<SessionId>>, Error> {
    let hash = hash_secret(token);
    let found = unit.unexpired_sign_in(&hash, SignInKind::AccessToken, now)?;
    let Some(UnexpiredSignIn { user_id, grants }) = found else { return Ok(None) };
    unit.delete_sign_in(&hash)?;
    insert_sign_in(unit, user_id, SignInKind::Session, &grants, entropy, now).map(Some)
}

/// Ends a console session.
pub fn end_session(unit: &mut UnitOfWork<'_>, cookie: &str) -> Result<(), Error> {
    unit.delete_sign_in(&hash_secret(cookie))?;
    Ok(())
}
