//! Mail that waits to be sent, or was.

use super::{Session, millis, moment, parsed};
use crate::sql::{Row, params};
use crate::{Error, Page};
use jiff::Timestamp;

/// What has become of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// It is to be sent.
    Waiting,
    /// The mail server took it.
    Sent,
    /// The mail server refused it for good.
    Failed,
    /// It could not be sent in time.
    Expired,
}

impl MailState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Sent, Self::Failed, Self::Expired];

    /// The stored word, which is the wire's too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A mail to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRecord {
    /// Ours; 0 until stored.
    pub id: i64,
    /// The network it is about.
    pub network_id: i64,
    /// The event it tells of.
    pub event_id: i64,
    /// Where to.
    pub address: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// What has become of it.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is due; while it is being sent, when it would be taken up by another. `None` when it
    /// waits no longer.
    pub due_at: Option<Timestamp>,
    /// When it is no use any more.
    pub give_up_at: Timestamp,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was written, with its event.
    pub created_at: Timestamp,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
}

const MAIL: &str = "SELECT id, network_id, event_id, address, subject, body, state, attempts,
    due_at, give_up_at, last_error, created_at, sent_at FROM mails";

fn mail(row: &Row<'_>) -> Result<MailRecord, Error> {
    let at = |column: usize| -> Result<Option<Timestamp>, Error> {
        row.get::<Option<i64>>(column)?.map(moment).transpose()
    };
    Ok(MailRecord {
        id: row.get(0)?,
        network_id: row.get(1)?,
        event_id: row.get(2)?,
        address: row.get(3)?,
        subject: row.get(4)?,
        body: row.get(5)?,
        state: parsed(MailState::parse(&row.get::<String>(6)?), "mail")?,
        attempts: row.get(7)?,
        due_at: at(8)?,
        give_up_at: moment(row.get(9)?)?,
        last_error: row.get(10)?,
        created_at: moment(row.get(11)?)?,
        sent_at: at(12)?,
    })
}

impl Session<'_> {
    /// Stores a mail, unless the same event is told to the same address already.
    pub fn insert_mail(&mut self, it: &MailRecord) -> Result<(), Error> {
        self.news = true;
        self.execute(
            "INSERT INTO mails (network_id, event_id, address, address_key, subject, body, state,
             due_at, give_up_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (event_id, address_key) DO NOTHING",
            params![
                it.network_id,
                it.event_id,
                it.address,
                it.address.to_lowercase(),
                it.subject,
                it.body,
                it.state.as_str(),
                it.due_at.map(millis),
                millis(it.give_up_at),
                millis(it.created_at),
            ],
        )?;
        Ok(())
    }

    /// One page of a network's mails, all or those in a state.
    pub fn mails(
        &mut self,
        network: i64,
        state: Option<MailState>,
        page: Page,
    ) -> Result<Vec<MailRecord>, Error> {
        self.page(page,
            &format!(
                "{MAIL} WHERE network_id = ?1 AND id > ?2 AND (CAST(?4 AS TEXT) IS NULL OR state = ?4)
                 ORDER BY id LIMIT ?3"
            ),
            params![network, page.after, page.limit, state.map(MailState::as_str)],
            mail,
        )
    }

    /// What is due, the longest due first.
    pub fn mails_due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<MailRecord>, Error> {
        self.all(
            &format!("{MAIL} WHERE due_at <= ?1 ORDER BY due_at, id LIMIT ?2"),
            [millis(now), limit as i64],
            mail,
        )
    }

    /// The first moment after `now` at which a mail is due.
    pub fn next_mail_due(&mut self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let sql = "SELECT MIN(due_at) FROM mails WHERE due_at > ?1";
        let found = self.first(sql, [millis(now)], |row| row.get::<Option<i64>>(0))?;
        found.flatten().map(moment).transpose()
    }

    /// Stores what became of a mail, if it still is due at `due_at`: else somebody else has it.
    pub fn update_mail(
        &mut self,
        it: &MailRecord,
        due_at: Option<Timestamp>,
    ) -> Result<bool, Error> {
        let changed = self.change(
            "UPDATE mails SET state = ?2, attempts = ?3, due_at = ?4, last_error = ?5, sent_at = ?6
             WHERE id = ?1 AND due_at IS NOT DISTINCT FROM ?7",
            params![
                it.id,
                it.state.as_str(),
                it.attempts,
                it.due_at.map(millis),
                it.last_error,
                it.sent_at.map(millis),
                due_at.map(millis),
            ],
        )?;
        Ok(changed > 0)
    }
}
