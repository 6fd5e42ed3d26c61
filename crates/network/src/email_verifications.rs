//! Verification of e-mail addresses. Mail is sent to verified addresses only: those that a credential of
//! the network wrote, and those whose owner followed the link in the one mail that an address gets when
//! a credential of a party wrote it.

use crate::secrets::{Entropy, generate_secret, hash_secret};
use crate::{Actor, Context, Error, MailRecord, MailState, Principal, UnitOfWork, Warnings, audit};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use trunkline_domain::id::{EmailVerificationId, MailId, NetworkId, PartyId, UserId};
use trunkline_domain::party::{Member, NOTIFICATION_NAMES, PartyKind};
use trunkline_store::{NewEmailVerification, OpenEmailVerification, Organization};

/// Time within which a link must be followed.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Time after which an unsent mail expires.
const MAIL_EXPIRY: SignedDuration = SignedDuration::from_hours(3 * 24);
/// Maximum number of these mails that a party causes in [`MAIL_PERIOD`].
const MAX_MAILS_OF_PARTY: usize = 20;
/// Period of [`MAX_MAILS_OF_PARTY`].
const MAIL_PERIOD: SignedDuration = SignedDuration::from_hours(24);

/// Text in the stored body that the link replaces when the mail is sent. The stored mail has no link, so
/// that its token is not stored.
pub const LINK_PLACEHOLDER: &str = "[link]";

/// Records that the addresses of users were written. A write of the network verifies them; of those that
/// a party wrote each unverified one for notifications gets a mail with a link, unless it has one already.
/// `written` has the users as stored; a warning is at the place that `place` returns for their index.
pub(crate) fn record_written(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    organization: Organization,
    written: &[Member],
    place: impl Fn(usize) -> String,
) -> Result<(), Error> {
    if written.is_empty() {
        return Ok(());
    }
    let ids: Vec<UserId> = written.iter().map(|member| member.user.id).collect();
    if context.principal.ensure_can_write_network().is_ok() {
        return Ok(unit.verify_emails_of_users(&ids)?);
    }
    let Organization::Party(kind, party) = organization else { return Ok(()) };
    let unverified: HashSet<_> = unit.unverified_emails(&ids)?.into_iter().collect();
    if unverified.is_empty() {
        return Ok(());
    }
    let now = context.system_now;
    let mut asked: HashSet<String> =
        unit.emails_with_open_verification(party, now)?.into_iter().collect();
    let since = now.saturating_sub(MAIL_PERIOD).unwrap_or(Timestamp::MIN);
    let sent = unit.count_email_verifications(party, since)?;
    let mut allowance = MAX_MAILS_OF_PARTY.saturating_sub(sent);
    for (index, member) in written.iter().enumerate() {
        let emails = member.user.email_settings.iter().filter(|email| email.use_for_notifications);
        for email in emails {
            let key = email.email_address.to_lowercase();
            if !unverified.contains(&(member.user.id, key.clone())) || asked.contains(&key) {
                continue;
            }
            if allowance == 0 {
                let text = format!(
                    "an address was not asked to confirm itself, because {MAX_MAILS_OF_PARTY} \
                     were in a day: write the user again later"
                );
                context.warnings.add(&place(index), &text);
                break;
            }
            allowance -= 1;
            request_confirmation(unit, context, (kind, party), &email.email_address)?;
            asked.insert(key);
        }
    }
    Ok(())
}

/// Stores the request to confirm an address, and its mail.
fn request_confirmation(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    (kind, party): (PartyKind, PartyId),
    address: &str,
) -> Result<(), Error> {
    let network_id = context.principal.network_id;
    let now = context.system_now;
    let after = |duration| now.saturating_add(duration).unwrap_or(now);
    let id = unit.insert_email_verification(NewEmailVerification {
        network_id,
        party_id: party,
        email_key: &address.to_lowercase(),
        created_at: now,
        expires_at: after(LINK_LIFETIME),
    })?;
    unit.insert_mail(&MailRecord {
        id: MailId::UNASSIGNED,
        network_id,
        event_id: None,
        email_verification_id: Some(id),
        address: address.to_owned(),
        // Neither text has words that a party can choose: the ids are those that the server gave.
        subject: format!("Confirm this address for notifications of network {network_id}"),
        body: confirmation_body(network_id, kind, party),
        state: MailState::Waiting,
        attempts: 0,
        due_at: Some(now),
        give_up_at: after(MAIL_EXPIRY),
        last_error: None,
        created_at: now,
        sent_at: None,
    })?;
    Ok(())
}

/// Builds the body of the mail that asks for a confirmation.
fn confirmation_body(network: NetworkId, kind: PartyKind, party: PartyId) -> String {
    let kind = kind.as_str();
    format!(
        "The {kind} with the id {party} in network {network} named this address for one of its users.\n\
         Notifications are sent to it only after you confirm it:\n\n\
         {LINK_PLACEHOLDER}\n\n\
         The link is valid for 7 days. If you do not expect this, ignore it: no other mail follows.\n"
    )
}

/// Issues the token for the link in a mail that is about to be sent. It replaces that of an earlier
/// attempt. Returns `None` if the mail is not to be sent, because the address was confirmed or removed.
pub fn issue_token(
    unit: &mut UnitOfWork<'_>,
    id: EmailVerificationId,
    entropy: &Entropy,
    now: Timestamp,
) -> Result<Option<String>, Error> {
    let token = generate_secret("tl3_", entropy);
    let is_open = unit.set_email_verification_hash(id, &hash_secret(&token), now)?;
    Ok(is_open.then_some(token))
}

/// Returns the link with a token, below the URL at which users reach the server.
pub fn link(base_url: &str, token: &str) -> String {
    format!("{}/confirm_address?token={token}", base_url.trim_end_matches('/'))
}

/// Returns the open request to confirm an address that a token belongs to.
pub fn find(
    unit: &mut UnitOfWork<'_>,
    token: &str,
    now: Timestamp,
) -> Result<Option<OpenEmailVerification>, Error> {
    Ok(unit.open_email_verification(&hash_secret(token), now)?)
}

/// Confirms the address of a token for the users of the party that wrote it. Returns `None` if the token
/// is unknown, was used, or is expired.
pub fn confirm(
    unit: &mut UnitOfWork<'_>,
    token: &str,
    now: Timestamp,
) -> Result<Option<OpenEmailVerification>, Error> {
    let Some(verification) = find(unit, token, now)? else { return Ok(None) };
    let network_id = verification.network_id;
    let Some(network) = unit.network(network_id)? else { return Ok(None) };
    let users = unit.confirm_email(&verification, now)?;
    let context = Context {
        principal: Principal { network_id, actor: Actor::Anonymous, grants: Vec::new() },
        now: network.now(now),
        system_now: now,
        request_id: "console".to_owned(),
        warnings: Warnings::default(),
        internal_id_use: crate::InternalIdUse::default(),
    };
    for user in users {
        let after = json!({ "email_address": verification.email_key });
        let object = format!("user:{user}");
        audit::record(
            unit,
            &context,
            object,
            Some("confirm_address"),
            None::<&Value>,
            Some(&after),
        )?;
    }
    Ok(Some(verification))
}

/// Returns the verified notification addresses of the members who subscribed to one kind of
/// notification, without duplicates, by the address in lower case. Every mail about an event goes to
/// addresses from here.
pub(crate) fn notification_addresses(
    unit: &mut UnitOfWork<'_>,
    members: &[Member],
    notification: &str,
) -> Result<BTreeMap<String, String>, Error> {
    let kind = NOTIFICATION_NAMES.iter().position(|name| *name == notification);
    let is_subscribed = |member: &&Member| {
        kind.and_then(|kind| member.user.notifications.get(kind)).copied().unwrap_or(false)
    };
    let subscribed: Vec<&Member> = members.iter().filter(is_subscribed).collect();
    let ids: Vec<UserId> = subscribed.iter().map(|member| member.user.id).collect();
    let unverified: HashSet<_> = unit.unverified_emails(&ids)?.into_iter().collect();
    let mut addresses = BTreeMap::new();
    for Member { user, .. } in subscribed {
        for email in user.email_settings.iter().filter(|email| email.use_for_notifications) {
            let key = email.email_address.to_lowercase();
            if !unverified.contains(&(user.id, key.clone())) {
                addresses.insert(key, email.email_address.clone());
            }
        }
    }
    Ok(addresses)
}
