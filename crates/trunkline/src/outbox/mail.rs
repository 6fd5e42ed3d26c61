//! Sends mail: a few at once, through the one mail server there is.

use super::{Mailer, POLL, Post};
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use trunkline_network::outbox::{self, Pace};
use trunkline_network::{Error, MailRecord};

/// Mails at once.
const AT_ONCE: usize = 4;
/// How long a mail may take: there are several turns of asking and answering in one.
pub(super) const TIME: Duration = Duration::from_secs(30);

/// Sends until the server ends; then finishes what it has begun.
pub(super) async fn run(mut post: Post, mailer: Arc<Mailer>) {
    post.time = TIME;
    let lease = SignedDuration::try_from(TIME * 2).unwrap_or(SignedDuration::ZERO);
    post.pace = Pace { lease, ..post.pace };
    let ending = post.ending();
    let mut news = post.store.news();
    let mut attempts = JoinSet::new();
    loop {
        news.mark_unchanged();
        let wait = match take(&post, AT_ONCE.saturating_sub(attempts.len())).await {
            Ok((taken, wait)) => {
                for mail in taken {
                    attempts.spawn(attempt(post.clone(), Arc::clone(&mailer), mail));
                }
                wait
            }
            Err(error) => {
                tracing::warn!(%error, "what mail is due could not be read");
                POLL
            }
        };
        tokio::select! {
            () = ending.begun() => break,
            told = news.changed() => if told.is_err() { break },
            Some(_) = attempts.join_next() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    while attempts.join_next().await.is_some() {}
}

/// Takes what is due, and says how long to wait for more.
async fn take(post: &Post, room: usize) -> Result<(Vec<MailRecord>, Duration), Error> {
    let (now, pace) = (post.now(), post.pace);
    let due = room > 0 && !post.store.read::<_, Error>(|it| Ok(it.mails_due(now, 1)?))?.is_empty();
    let mut taken = Vec::new();
    if due {
        taken =
            post.store.write(move |session| outbox::take_mails(session, now, pace, room)).await?;
    }
    let next = post.store.read::<_, Error>(|session| Ok(session.next_mail_due(now)?))?;
    Ok((taken, post.until(next)))
}

/// One attempt, and what became of it.
async fn attempt(post: Post, mailer: Arc<Mailer>, mail: MailRecord) {
    let outcome = post.within(mailer.send(&mail, post.now())).await;
    let (now, pace, jitter) = (post.now(), post.pace, post.jitter());
    let id = mail.id;
    let settled = post
        .store
        .write(move |session| outbox::settle_mail(session, mail, outcome, now, pace, jitter));
    if let Err(error) = settled.await {
        tracing::warn!(%error, mail = id, "how a mail went could not be stored: it is sent again");
    }
}
