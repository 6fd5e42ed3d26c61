//! API tokens as a resource: list, create, delete. The command line issues tokens without these checks.

use crate::credentials::{self, Entropy};
use crate::idempotency::{IdempotencyKey, store_answer, stored_answer};
use crate::policy::{ABOVE_OWN_ROLE, Action, Decision, decide};
use crate::{Context, Error, Page, Principal, Submission, TokenRecord, UnitOfWork, audit};
use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_domain::id::{NetworkId, PartyId, TokenId};
use trunkline_domain::party::{PartyKind, Role};
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_store::{Grant, Scope};

/// Maximum number of tokens of one scope that are not deleted.
pub const MAX_TOKENS_PER_SCOPE: u32 = 1_000;

/// Scope as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedScope {
    /// Network, by id.
    Network(NetworkId),
    /// Advertiser or affiliate, by external id.
    Party(PartyKind, String),
}

/// Token to create.
#[derive(Debug, Clone, Default)]
pub struct NewToken {
    /// Label, for people.
    pub label: Option<String>,
    /// Role; required.
    pub role: Option<Role>,
    /// Scope. Without it the token gets the scope of the credential that creates it.
    pub scope: Option<RequestedScope>,
    /// Time of expiry, by the system clock.
    pub expires_at: Option<Timestamp>,
}

/// Created token.
#[derive(Debug, Clone)]
pub struct CreatedToken {
    /// Stored record.
    pub record: TokenRecord,
    /// Plain text of the token. `None` if the request repeats an earlier one: the text is not stored.
    pub secret: Option<String>,
}

fn audit_object(id: TokenId) -> String {
    format!("token:{id}")
}

/// Returns a token as stored in the audit log, without its secret.
fn snapshot(token: &TokenRecord) -> Value {
    let scope = match token.grant.scope {
        Scope::Network => json!({ "network": token.network_id }),
        Scope::Party(kind, _) => json!({ kind.as_str(): token.party_external_id }),
    };
    json!({
        "label": token.label,
        "role": token.grant.role.as_str(),
        "scope": scope,
        "expires_at": token.expires_at.map(|time| time.to_string()),
    })
}

/// Returns one page of the tokens, ordered by id, in the scopes that the principal administers. Deleted
/// tokens are omitted.
///
/// # Errors
///
/// [`Error::NotAllowed`] if the principal administers no scope.
pub fn list(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    page: Page,
) -> Result<Vec<TokenRecord>, Error> {
    let Principal { network_id, grants, .. } = &context.principal;
    let decision = |scope| decide(grants, Action::Administer, scope);
    if decision(Scope::Network) == Decision::Allowed {
        return Ok(unit.unrevoked_tokens(*network_id, None, page)?);
    }
    let parties: Vec<PartyId> = grants
        .iter()
        .filter(|grant| decision(grant.scope) == Decision::Allowed)
        .filter_map(|grant| match grant.scope {
            Scope::Party(_, id) => Some(id),
            Scope::Network => None,
        })
        .collect();
    if parties.is_empty() {
        grants.first().map_or(Decision::OutOfReach, |grant| decision(grant.scope)).into_result()?;
    }
    Ok(unit.unrevoked_tokens(*network_id, Some(&parties), page)?)
}

/// Creates a token. With an idempotency key that was used before, returns the record of the first token
/// without its secret.
///
/// # Errors
///
/// [`Error::NotFound`] if the party of the scope does not exist or is out of reach.
/// [`Error::NotAllowed`] if the principal is not a Manager of the scope.
pub fn create(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    submitted: Submission<NewToken>,
    entropy: &Entropy,
    key: Option<&IdempotencyKey>,
) -> Result<CreatedToken, Error> {
    if let Some(id) = stored_answer::<TokenId>(unit, context, key)? {
        let record = find(unit, context, id)?;
        return Ok(CreatedToken { record, secret: None });
    }
    let principal = &context.principal;
    let Submission { change, mut problems } = submitted;
    let scope = resolve_scope(unit, context, change.scope.as_ref(), &mut problems)?;
    if let Some(scope) = scope {
        decide(&principal.grants, Action::Administer, scope).into_result()?;
        if unit.count_unrevoked_tokens(principal.network_id, scope)? >= MAX_TOKENS_PER_SCOPE {
            let message = format!("has too many tokens (maximum is {MAX_TOKENS_PER_SCOPE})");
            problems.property("scope").add(message);
        }
    }
    match (scope, change.role) {
        (Some(scope), Some(role)) if !principal.covers_grants(&[Grant { scope, role }]) => {
            problems.property("role").add(ABOVE_OWN_ROLE);
        }
        (_, None) if !problems.has_problem("role") => problems.property("role").add(BLANK),
        _ => {}
    }
    if change.expires_at.is_some_and(|at| at <= context.system_now) {
        problems.property("expires_at").add("must be in the future");
    }
    let Some((scope, role)) = problems.into_result(scope.zip(change.role))? else {
        return Err(Error::Internal("a token has no scope or no role".to_owned()));
    };
    let record = credentials::new_token(
        principal.network_id,
        scope,
        role,
        change.label,
        context.system_now,
        change.expires_at,
    );
    let issued = credentials::issue_token(unit, record, entropy)?;
    let record = find(unit, context, issued.id)?;
    let after = snapshot(&record);
    audit::record(unit, context, audit_object(record.id), None, None, Some(&after))?;
    store_answer(unit, context, key, &record.id)?;
    Ok(CreatedToken { record, secret: Some(issued.secret) })
}

/// Returns the requested scope, or that of the principal. A problem is added at `scope`.
fn resolve_scope(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    requested: Option<&RequestedScope>,
    problems: &mut Problems,
) -> Result<Option<Scope>, Error> {
    let principal = &context.principal;
    match requested {
        Some(RequestedScope::Network(id)) if *id != principal.network_id => {
            problems.property("scope").property("network").add("is not the network of the path");
            Ok(None)
        }
        Some(RequestedScope::Network(_)) if !principal.can_view_network() => {
            problems.property("scope").add("is beyond your own");
            Ok(None)
        }
        Some(RequestedScope::Network(_)) => Ok(Some(Scope::Network)),
        Some(RequestedScope::Party(kind, id)) => {
            let party = unit.party(principal.network_id, *kind, id)?;
            let party = party.filter(|party| principal.can_view(*kind, party.id));
            let missing = || Error::NotFound(format!("{} {id}", kind.class_name()));
            Ok(Some(Scope::Party(*kind, party.ok_or_else(missing)?.id)))
        }
        None if problems.has_problem("scope") => Ok(None),
        None if principal.can_view_network() => Ok(Some(Scope::Network)),
        None => match principal.grants.as_slice() {
            [grant] => Ok(Some(grant.scope)),
            _ => {
                problems.property("scope").add(BLANK);
                Ok(None)
            }
        },
    }
}

/// Returns a token that the principal reaches, even if it is deleted.
fn find(unit: &mut UnitOfWork<'_>, context: &Context, id: TokenId) -> Result<TokenRecord, Error> {
    let principal = &context.principal;
    let token = unit.token(principal.network_id, id)?;
    let is_reached = |token: &TokenRecord| {
        decide(&principal.grants, Action::View, token.grant.scope) == Decision::Allowed
    };
    token.filter(is_reached).ok_or_else(|| Error::NotFound(format!("Token {id}")))
}

/// Deletes a token, which is refused from then on; does nothing if it is deleted already.
///
/// # Errors
///
/// [`Error::NotFound`] if no token with this id is within reach. [`Error::NotAllowed`] if the principal
/// is not a Manager of its scope, or the token's role is above the principal's.
pub fn delete(unit: &mut UnitOfWork<'_>, context: &Context, id: TokenId) -> Result<(), Error> {
    let token = find(unit, context, id)?;
    let principal = &context.principal;
    decide(&principal.grants, Action::Administer, token.grant.scope).into_result()?;
    if !principal.covers_grants(&[token.grant]) {
        let role = token.grant.role.as_str();
        let message = format!("the role of token {id}, {role}, {ABOVE_OWN_ROLE}");
        return Err(Error::NotAllowed(message));
    }
    if token.revoked_at.is_some() {
        return Ok(());
    }
    unit.revoke_token(principal.network_id, id, context.system_now)?;
    audit::record(unit, context, audit_object(id), None, Some(&snapshot(&token)), None)
}
