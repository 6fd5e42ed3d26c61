//! Outgoing mails.

use super::{UnitOfWork, or_unreadable, timestamp_from_millis, to_millis};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;
use trunkline_domain::id::{EmailVerificationId, EventId, MailId, NetworkId};

/// State of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// To be sent.
    Waiting,
    /// Accepted by the mail server.
    Sent,
    /// Rejected permanently by the mail server.
    Failed,
    /// Not sent before its deadline.
    Expired,
}

impl MailState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Sent, Self::Failed, Self::Expired];

    /// Stored and transmitted word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    /// Parses the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Mail to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRecord {
    /// Id.
    pub id: MailId,
    /// Id of the network that it concerns.
    pub network_id: NetworkId,
    /// Id of the event that it reports. It has this or the following.
    pub event_id: Option<EventId>,
    /// Id of the request to confirm its address.
    pub email_verification_id: Option<EmailVerificationId>,
    /// Recipient.
    pub address: String,
    /// Subject, one line.
    pub subject: String,
    /// Body, plain text.
    pub body: String,
    /// State.
    pub state: MailState,
    /// Number of attempts so far.
    pub attempts: u32,
    /// Time at which it is due. During an attempt it is the end of the sender's lease, after which
    /// another worker may send it. `None` if it no longer waits.
    pub due_at: Option<Timestamp>,
    /// Time at which it expires.
    pub give_up_at: Timestamp,
    /// Error of the last attempt, if it failed.
    pub last_error: Option<String>,
    /// Time of creation, in the transaction of its event.
    pub created_at: Timestamp,
    /// Time at which it was sent.
    pub sent_at: Option<Timestamp>,
}

const SELECT_MAIL: &str =
    "SELECT id, network_id, event_id, address, subject, body, state, attempts,
    due_at, give_up_at, last_error, created_at, sent_at, email_verification_id FROM mails";

fn mail_from_row(row: &Row<'_>) -> Result<MailRecord, Error> {
    let timestamp_at = |column: usize| -> Result<Option<Timestamp>, Error> {
        row.get::<Option<i64>>(column)?.map(timestamp_from_millis).transpose()
    };
    Ok(MailRecord {
        id: row.get(0)?,
        network_id: row.get(1)?,
        event_id: row.get(2)?,
        email_verification_id: row.get(13)?,
        address: row.get(3)?,
        subject: row.get(4)?,
        body: row.get(5)?,
        state: or_unreadable(MailState::parse(&row.get::<String>(6)?), "mail")?,
        attempts: row.get(7)?,
        due_at: timestamp_at(8)?,
        give_up_at: timestamp_from_millis(row.get(9)?)?,
        last_error: row.get(10)?,
        created_at: timestamp_from_millis(row.get(11)?)?,
        sent_at: timestamp_at(12)?,
    })
}

impl UnitOfWork<'_> {
    /// Inserts a mail, unless the same address already gets one about the same event.
    pub fn insert_mail(&mut self, mail: &MailRecord) -> Result<(), Error> {
        self.emits_events = true;
        self.execute(
            "INSERT INTO mails (network_id, event_id, address, address_key, subject, body, state,
             due_at, give_up_at, created_at, email_verification_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (event_id, address_key) DO NOTHING",
            params![
                mail.network_id,
                mail.event_id,
                mail.address,
                mail.address.to_lowercase(),
                mail.subject,
                mail.body,
                mail.state.as_str(),
                mail.due_at.map(to_millis),
                to_millis(mail.give_up_at),
                to_millis(mail.created_at),
                mail.email_verification_id,
            ],
        )?;
        Ok(())
    }

    /// One page of a network's mails, all or those in a state.
    pub fn mails(
        &mut self,
        network: NetworkId,
        state: Option<MailState>,
        page: Page,
    ) -> Result<Vec<MailRecord>, Error> {
        self.query_page(page,
            &format!(
                "{SELECT_MAIL} WHERE network_id = ?1 AND id > ?2 AND (CAST(?4 AS TEXT) IS NULL OR state = ?4)
                 ORDER BY id LIMIT ?3"
            ),
            params![network, page.after, page.limit, state.map(MailState::as_str)],
            mail_from_row,
        )
    }

    /// Networks with a due mail.
    pub fn networks_with_due_mails(&mut self, now: Timestamp) -> Result<Vec<NetworkId>, Error> {
        self.query_all(
            "SELECT n.id FROM networks n WHERE EXISTS
             (SELECT 1 FROM mails m WHERE m.network_id = n.id AND m.due_at <= ?1)",
            [to_millis(now)],
            |row| row.get(0),
        )
    }

    /// Due mails of a network, the longest due first.
    pub fn due_mails(
        &mut self,
        network: NetworkId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<MailRecord>, Error> {
        self.query_all(
            &format!(
                "{SELECT_MAIL} WHERE network_id = ?1 AND due_at <= ?2 ORDER BY due_at, id LIMIT ?3"
            ),
            params![network, to_millis(now), limit as i64],
            mail_from_row,
        )
    }

    /// Earliest time after `now` at which a mail is due.
    pub fn next_mail_due_at(&mut self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let sql = "SELECT MIN(due_at) FROM mails WHERE due_at > ?1";
        let found = self.query_first(sql, [to_millis(now)], |row| row.get::<Option<i64>>(0))?;
        found.flatten().map(timestamp_from_millis).transpose()
    }

    /// Updates a mail after an attempt. Returns false, and changes nothing, if it is no longer due
    /// at `due_at`: another worker has it then.
    pub fn update_mail(
        &mut self,
        mail: &MailRecord,
        due_at: Option<Timestamp>,
    ) -> Result<bool, Error> {
        let changed = self.execute_counted(
            "UPDATE mails SET state = ?2, attempts = ?3, due_at = ?4, last_error = ?5, sent_at = ?6
             WHERE id = ?1 AND due_at IS NOT DISTINCT FROM ?7",
            params![
                mail.id,
                mail.state.as_str(),
                mail.attempts,
                mail.due_at.map(to_millis),
                mail.last_error,
                mail.sent_at.map(to_millis),
                due_at.map(to_millis),
            ],
        )?;
        Ok(changed > 0)
    }
}
