//! Mail to users who asked for it: written with the event that it tells of, sent when the server can.

use crate::pending_writes::PendingWrites;
use crate::{Context, Error, Page, Session};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use trunkline_domain::campaign::Campaign;
use trunkline_domain::money::{self, Currency, Money};
use trunkline_domain::party::{Member, NOTIFICATIONS, PartyKind};
use trunkline_store::{MailRecord, MailState, Organization};

/// How long a mail waits for a server that can send it. After that it tells nothing new.
const MAIL_EXPIRY: SignedDuration = SignedDuration::from_hours(3 * 24);

/// Addresses that one event is told to.
const MAX_ALERT_ADDRESSES: usize = 1_000;

/// A budget that came to one of its marks.
pub(crate) struct Alert<'a> {
    /// The place of the event among the entries.
    pub(crate) event: usize,
    /// EventAudience budget.
    pub(crate) campaign: &'a Campaign,
    /// `budget_cap_alert`, `call_cap_alert` or `concurrent_call_cap_alert`.
    pub(crate) kind: &'static str,
    /// The mark, in percent.
    pub(crate) percent: u32,
    /// What it has come to.
    pub(crate) total: Money,
    /// Of what; `None` when calls are counted.
    pub(crate) currency: Option<Currency>,
}

/// Enters a mail to each address for notifications of the people of the network, and of the
/// campaign's advertiser, who asked to be told of budgets.
pub(crate) fn push_alert_mails(
    session: &mut Session<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    alert: &Alert<'_>,
    amount: Money,
) -> Result<(), Error> {
    let network = context.caller.network_id;
    let advertiser = Organization::Party(PartyKind::Advertiser, alert.campaign.advertiser_id);
    let mut people = session.members(Organization::Network(network))?;
    people.extend(session.members(advertiser)?);
    let addresses = addresses(&people, "notify_on_budgets");
    if addresses.len() > MAX_ALERT_ADDRESSES {
        let count = addresses.len();
        tracing::warn!(
            count,
            "an alert is for too many addresses: the first {MAX_ALERT_ADDRESSES} are notified"
        );
    }
    let (subject, body) = subject_and_body(alert, amount);
    for address in addresses.into_values().take(MAX_ALERT_ADDRESSES) {
        let mail = MailRecord {
            id: 0,
            network_id: network,
            event_id: 0,
            address,
            subject: subject.clone(),
            body: body.clone(),
            state: MailState::Waiting,
            attempts: 0,
            due_at: Some(context.system_now),
            give_up_at: context
                .system_now
                .saturating_add(MAIL_EXPIRY)
                .unwrap_or(context.system_now),
            last_error: None,
            created_at: context.system_now,
            sent_at: None,
        };
        writes.push_mail(alert.event, mail);
    }
    Ok(())
}

/// The addresses for notifications of those who asked for one kind, each once.
fn addresses(people: &[Member], notification: &str) -> BTreeMap<String, String> {
    let kind = NOTIFICATIONS.iter().position(|known| *known == notification);
    let asked = |member: &&Member| {
        kind.and_then(|kind| member.user.notifications.get(kind)).copied().unwrap_or(false)
    };
    let emails = people.iter().filter(asked).flat_map(|member| &member.user.email_settings);
    let told = emails.filter(|email| email.use_for_notifications);
    told.map(|email| (email.email_address.to_lowercase(), email.email_address.clone())).collect()
}

/// The subject, one line whatever the campaign is called, and the text.
fn subject_and_body(alert: &Alert<'_>, amount: Money) -> (String, String) {
    let (name, id) =
        (single_line(&alert.campaign.name), single_line(&alert.campaign.id_from_network));
    let what = match alert.kind {
        "budget_cap_alert" => "budget",
        "concurrent_call_cap_alert" => "cap on calls at once",
        _ => "call cap",
    };
    let Alert { percent, total, currency, .. } = alert;
    let (total, amount) = match currency {
        Some(currency) => (money::format(*total, *currency), money::format(amount, *currency)),
        None => {
            let calls = |of: Money| of.decimal().normalize();
            (calls(*total).to_string(), format!("{} calls", calls(amount)))
        }
    };
    let subject = format!("{name}: {percent} % of the {what} is used up");
    let body = format!(
        "The campaign {name} ({id}) has come to {total} of {amount}: {percent} % of its {what}.\n"
    );
    (subject, body)
}

/// A name as part of a line: what would end the line is a space.
fn single_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(100).collect()
}

/// One page of the network's mails, all or those in a state. The whole network's credentials only.
pub fn list(
    session: &mut Session<'_>,
    context: &Context,
    state: Option<MailState>,
    page: Page,
) -> Result<Vec<MailRecord>, Error> {
    context.caller.ensure_can_view_network()?;
    Ok(session.mails(context.caller.network_id, state, page)?)
}
