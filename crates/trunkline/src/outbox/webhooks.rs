//! Sends events to webhooks: a bounded number at once, a few for each, so that a receiver that hangs
//! delays nobody else.

use super::http::{Http, Message};
use super::{POLL, Post};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinSet};
use trunkline_network::Error;
use trunkline_network::outbox::{self, Taken};

/// Attempts at once, for all webhooks of all networks.
const AT_ONCE: usize = 4_096;

/// Sends until the server ends; then finishes what it has begun.
pub(super) async fn run(post: Post, http: Arc<Http>) {
    let ending = post.ending();
    let mut news = post.store.news();
    let mut attempts = JoinSet::new();
    // Which webhook each attempt is for.
    let mut of: HashMap<Id, i64> = HashMap::new();
    loop {
        news.mark_unchanged();
        let wait = match take(&post, &of).await {
            Ok((taken, wait)) => {
                for taken in taken {
                    let webhook = taken.webhook.id;
                    let task = attempts.spawn(attempt(post.clone(), Arc::clone(&http), taken));
                    of.insert(task.id(), webhook);
                }
                wait
            }
            Err(error) => {
                tracing::warn!(%error, "what is due for webhooks could not be read");
                POLL
            }
        };
        tokio::select! {
            () = ending.begun() => break,
            told = news.changed() => if told.is_err() { break },
            Some(done) = attempts.join_next_with_id() => forget(&mut of, &done),
            () = tokio::time::sleep(wait) => {}
        }
        while let Some(done) = attempts.try_join_next_with_id() {
            forget(&mut of, &done);
        }
    }
    while attempts.join_next().await.is_some() {}
}

fn forget(of: &mut HashMap<Id, i64>, done: &Result<(Id, ()), tokio::task::JoinError>) {
    of.remove(&match done {
        Ok((id, ())) => *id,
        Err(error) => error.id(),
    });
}

/// Takes what is due and has room, and says how long to wait for more.
async fn take(post: &Post, of: &HashMap<Id, i64>) -> Result<(Vec<Taken>, Duration), Error> {
    let (now, pace) = (post.now(), post.pace);
    let mut sending: HashMap<i64, usize> = HashMap::new();
    for webhook in of.values() {
        *sending.entry(*webhook).or_default() += 1;
    }
    let room = AT_ONCE.saturating_sub(of.len());
    // Taking is a write: it is begun only if there is something to take.
    let due = room > 0
        && post.store.read(|session| outbox::has_due_deliveries(session, now, &sending))?;
    let mut taken = Vec::new();
    if due {
        let work = move |session: &mut trunkline_network::Session<'_>| {
            outbox::take_deliveries(session, now, pace, &sending, room)
        };
        taken = post.store.write(work).await?;
    }
    let next = post.store.read(|session| session.next_delivery_due(now));
    Ok((taken, post.until(next.map_err(Error::from)?)))
}

/// One attempt, and what became of it.
async fn attempt(post: Post, http: Arc<Http>, taken: Taken) {
    let Taken { webhook, delivery } = taken;
    let message = Message {
        id: outbox::message_id(&delivery.event),
        at: post.now(),
        body: trunkline_api::envelope(&delivery.event).to_string(),
    };
    let outcome = post.within(http.send(&webhook, message)).await;
    let (now, pace, jitter) = (post.now(), post.pace, post.jitter());
    let id = delivery.id;
    let settled = post.store.write(move |session| {
        outbox::settle_delivery(session, delivery, outcome, now, pace, jitter)
    });
    if let Err(error) = settled.await {
        tracing::warn!(%error, delivery = id, "how a delivery went could not be stored: it is sent again");
    }
}
