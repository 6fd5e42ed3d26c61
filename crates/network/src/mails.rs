//! Notification mails to users who subscribed to them. A mail is stored in the transaction of its
//! event; the outbox sends it.

use crate::pending_writes::PendingWrites;
use crate::{Context, Error, Page, UnitOfWork, email_verifications};
use jiff::{SignedDuration, Timestamp};
use trunkline_domain::campaign::{BudgetPeriod, Campaign};
use trunkline_domain::id::MailId;
use trunkline_domain::money::{self, Currency, Money};
use trunkline_domain::party::PartyKind;
use trunkline_domain::timezone::TimeZoneName;
use trunkline_store::{MailRecord, MailState, Organization};

/// Time after which an unsent mail expires, because its content is outdated.
const MAIL_EXPIRY: SignedDuration = SignedDuration::from_hours(3 * 24);

/// Maximum number of addresses that one alert is mailed to.
const MAX_ALERT_ADDRESSES: usize = 1_000;

/// Alert of a budget that reached one of its percentages.
pub(crate) struct Alert<'a> {
    /// Index of the event in [`PendingWrites`].
    pub(crate) event: usize,
    /// Campaign of the budget.
    pub(crate) campaign: &'a Campaign,
    /// `budget_cap_alert`, `call_cap_alert` or `concurrent_call_cap_alert`.
    pub(crate) kind: &'static str,
    /// The budget, in currency units or in calls.
    pub(crate) amount: Money,
    /// `true` if calls are rejected at 100 %.
    pub(crate) enforce: bool,
    /// Time zone of the period.
    pub(crate) time_zone: TimeZoneName,
    /// Period in which the percentage was reached.
    pub(crate) period: BudgetPeriod,
    /// Percentage that was reached.
    pub(crate) percent: u32,
    /// Total of the current period.
    pub(crate) total: Money,
    /// Currency of the total; `None` if it is a number of calls.
    pub(crate) currency: Option<Currency>,
}

/// Buffers a mail to each notification address of those users of the network and of the campaign's
/// advertiser who subscribed to budget alerts.
pub(crate) fn push_alert_mails(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    alert: &Alert<'_>,
) -> Result<(), Error> {
    let network = context.principal.network_id;
    let advertiser =
        Organization::Party(PartyKind::Advertiser, alert.campaign.advertiser_id.into());
    let mut members = unit.members(Organization::Network(network))?;
    members.extend(unit.members(advertiser)?);
    let addresses =
        email_verifications::notification_addresses(unit, &members, "notify_on_budgets")?;
    if addresses.len() > MAX_ALERT_ADDRESSES {
        let count = addresses.len();
        tracing::warn!(
            count,
            "a budget alert has too many addresses: only the first {MAX_ALERT_ADDRESSES} get a mail"
        );
    }
    let MailText { subject, body } = alert_text(alert);
    for address in addresses.into_values().take(MAX_ALERT_ADDRESSES) {
        let mail = MailRecord {
            id: MailId::UNASSIGNED,
            network_id: network,
            event_id: None,
            email_verification_id: None,
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

/// Subject and body of a mail.
struct MailText {
    subject: String,
    body: String,
}

/// Returns the text of an alert. The subject contains the campaign's id but no text that a party can
/// choose.
fn alert_text(alert: &Alert<'_>) -> MailText {
    let (name, id) = (single_line(&alert.campaign.name), single_line(&alert.campaign.external_id));
    let budget_name = match alert.kind {
        "budget_cap_alert" => "budget",
        "concurrent_call_cap_alert" => "cap on concurrent calls",
        _ => "call cap",
    };
    let Alert { percent, total, currency, amount, .. } = alert;
    let (total, amount) = match currency {
        Some(currency) => (
            money::format_with_symbol(*total, *currency),
            money::format_with_symbol(*amount, *currency),
        ),
        None => {
            let calls = |of: Money| of.decimal().normalize();
            (calls(*total).to_string(), format!("{} calls", calls(*amount)))
        }
    };
    let subject = format!("Campaign {id}: {percent} % of the {budget_name} is used up");
    let body = format!(
        "The {budget_name} of the campaign {name} ({id}) has reached {total} of {amount}: {percent} %.\n\n\
         Period: {}\n\
         Calls: {}\n",
        period_text(alert.period, alert.time_zone),
        consequence(alert),
    );
    MailText { subject, body }
}

/// Returns the bounds of a period in the budget's time zone.
fn period_text(period: BudgetPeriod, time_zone: TimeZoneName) -> String {
    let format = |at: Timestamp| {
        let local = at.to_zoned(time_zone.to_time_zone());
        local.strftime("%Y-%m-%d %H:%M").to_string()
    };
    let start = format(period.start);
    let zone = time_zone.name();
    match period.end {
        Some(end) => format!("{start} to {}, {zone}", format(end)),
        None => format!("since {start}, {zone}, without an end"),
    }
}

/// Returns the effect of the budget on calls from now on.
fn consequence(alert: &Alert<'_>) -> &'static str {
    match (alert.enforce, alert.percent >= 100, alert.kind) {
        (false, ..) => "they are still accepted; this budget only alerts.",
        (true, false, _) => "they are still accepted; at 100 % they are rejected.",
        (true, true, "concurrent_call_cap_alert") => "they are rejected until a call ends.",
        (true, true, _) if alert.period.end.is_none() => {
            "they are rejected until the amount is raised."
        }
        (true, true, _) => "they are rejected until the period ends or the amount is raised.",
    }
}

/// Replaces control characters and runs of white space by single spaces, and shortens to 100
/// characters.
fn single_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(100).collect()
}

/// Returns one page of the network's mails, optionally only those in one state. Requires read
/// access to the whole network.
pub fn list(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    state: Option<MailState>,
    page: Page,
) -> Result<Vec<MailRecord>, Error> {
    context.principal.ensure_can_view_network()?;
    Ok(unit.mails(context.principal.network_id, state, page)?)
}
