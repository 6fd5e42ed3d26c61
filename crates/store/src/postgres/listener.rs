//! Hears of what other servers on the same database have written, at once.

use super::PgServer;
use super::connection::runtime;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_postgres::AsyncMessage;

/// How long to let things be when the server cannot be reached. Whoever waits for news looks now and
/// then by itself.
const BREATH: Duration = Duration::from_secs(1);
/// How long to hear nothing before asking whether the server is there.
const QUIET: Duration = Duration::from_secs(5);
/// How long it may take to be reached, and to answer.
const ANSWER: Duration = Duration::from_millis(1_500);

/// Starts to listen, for as long as there is somebody to tell.
pub(crate) fn start(server: Arc<PgServer>, news: Weak<watch::Sender<u64>>) {
    let run = move || {
        let Ok(runtime) = runtime() else { return };
        runtime.block_on(async {
            while news.strong_count() > 0 {
                if listen(&server, &news).await.is_none() {
                    sleep(BREATH).await;
                }
            }
        });
        runtime.shutdown_background();
    };
    if let Err(error) = std::thread::Builder::new().name("news".to_owned()).spawn(run) {
        tracing::warn!(%error, "other servers are heard of late");
    }
}

fn tell(news: &Weak<watch::Sender<u64>>) -> Option<()> {
    news.upgrade()?.send_modify(|count| *count += 1);
    Some(())
}

/// Listens on a connection until it is lost; `None` when it is.
async fn listen(server: &PgServer, news: &Weak<watch::Sender<u64>>) -> Option<()> {
    let connecting = timeout(ANSWER, server.reach());
    let (client, mut connection) = connecting.await.ok()?.ok()?;
    let mut messages = pin!(poll_fn(|context| connection.poll_message(context)));
    let mut asked = pin!(timeout(ANSWER, client.batch_execute("LISTEN trunkline")));
    loop {
        tokio::select! {
            message = &mut messages => drop(message?.ok()?),
            answer = &mut asked => break answer.ok()?.ok()?,
        }
    }
    // What was written before it listened is news too.
    tell(news)?;
    let mut quiet = pin!(still_there(&client));
    loop {
        tokio::select! {
            message = &mut messages => {
                if let AsyncMessage::Notification(_) = message?.ok()? {
                    tell(news)?;
                }
            }
            () = &mut quiet => return None,
        }
        if news.strong_count() == 0 {
            return Some(());
        }
    }
}

/// Asks now and then; ends when there is no answer.
async fn still_there(client: &tokio_postgres::Client) {
    loop {
        sleep(QUIET).await;
        if !matches!(timeout(ANSWER, client.batch_execute("")).await, Ok(Ok(()))) {
            return;
        }
    }
}
