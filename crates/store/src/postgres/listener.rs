//! `LISTEN` thread: receives notifications of commits by other servers on the same database.

use super::PgEndpoint;
use super::connection::connection_runtime;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_postgres::AsyncMessage;

/// Pause after the server could not be reached. Subscribers also poll by themselves.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// Time without a notification after which the connection is probed.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// Time limit for connecting, and for each answer.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Starts the thread. It runs as long as the writer does, which owns the sender.
pub(crate) fn start(server: Arc<PgEndpoint>, commits: Weak<watch::Sender<u64>>) {
    let run = move || {
        let Ok(runtime) = connection_runtime() else { return };
        runtime.block_on(async {
            while commits.strong_count() > 0 {
                if listen(&server, &commits).await.is_none() {
                    sleep(RETRY_DELAY).await;
                }
            }
        });
        runtime.shutdown_background();
    };
    if let Err(error) = std::thread::Builder::new().name("commit-listener".to_owned()).spawn(run) {
        tracing::warn!(%error, "cannot start the LISTEN thread; commits of other servers are noticed by polling only");
    }
}

fn notify(commits: &Weak<watch::Sender<u64>>) -> Option<()> {
    commits.upgrade()?.send_modify(|count| *count += 1);
    Some(())
}

/// Listens on one connection. Returns `None` when the connection is lost.
async fn listen(server: &PgEndpoint, commits: &Weak<watch::Sender<u64>>) -> Option<()> {
    let connecting = timeout(ANSWER_TIMEOUT, server.connect());
    let (client, mut connection) = connecting.await.ok()?.ok()?;
    let mut messages = pin!(poll_fn(|context| connection.poll_message(context)));
    let mut listening = pin!(timeout(ANSWER_TIMEOUT, client.batch_execute("LISTEN trunkline")));
    loop {
        tokio::select! {
            message = &mut messages => drop(message?.ok()?),
            answer = &mut listening => break answer.ok()?.ok()?,
        }
    }
    // Commits before `LISTEN` took effect were not notified, so subscribers must look now.
    notify(commits)?;
    let mut lost = pin!(wait_until_lost(&client));
    loop {
        tokio::select! {
            message = &mut messages => {
                if let AsyncMessage::Notification(_) = message?.ok()? {
                    notify(commits)?;
                }
            }
            () = &mut lost => return None,
        }
        if commits.strong_count() == 0 {
            return Some(());
        }
    }
}

/// Probes the connection periodically. Returns when a probe fails.
async fn wait_until_lost(client: &tokio_postgres::Client) {
    loop {
        sleep(KEEPALIVE_INTERVAL).await;
        if !matches!(timeout(ANSWER_TIMEOUT, client.batch_execute("")).await, Ok(Ok(()))) {
            return;
        }
    }
}
