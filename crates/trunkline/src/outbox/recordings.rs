//! Recording worker: fetches recordings from the addresses that were reported, keeps them as files, and
//! deletes the files of those that were deleted or whose days have passed.

use super::http::{HttpClient, SoundError};
use super::{DeliveryContext, POLL_INTERVAL};
use jiff::SignedDuration;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, timeout};
use trunkline_api::RecordingFiles;
use trunkline_domain::webhook::WebhookUrl;
use trunkline_network::{Error, Recording, StoredSound, UnitOfWork, recordings};
use trunkline_store::RecordingState;

/// Time in which a recording must have arrived.
const FETCH_TIMEOUT: Duration = Duration::from_secs(60);
/// Time for which a recording is leased: longer than [`FETCH_TIMEOUT`], because storing takes time too.
const LEASE: SignedDuration = SignedDuration::from_secs(180);
/// Largest recording in bytes: 100 MB.
const MAX_RECORDING_BYTES: u64 = 100_000_000;
/// Recordings that are fetched at the same time.
const MAX_CONCURRENT_FETCHES: usize = 4;
/// Time between two deletions of recordings whose days have passed.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(60);

/// Fetches and deletes recordings until the server shuts down. Fetches in progress are then aborted, and
/// repeated after their lease.
pub(super) async fn run(context: DeliveryContext, client: Arc<HttpClient>, files: RecordingFiles) {
    let shutdown = context.shutdown_signal();
    let mut commits = context.store.subscribe_commits();
    let mut fetches = JoinSet::new();
    let mut next_expiry = Instant::now();
    loop {
        commits.mark_unchanged();
        if next_expiry <= Instant::now() {
            if let Err(error) = expire(&context).await {
                tracing::warn!(%error, "cannot delete the recordings whose days have passed");
            }
            next_expiry = Instant::now() + EXPIRY_INTERVAL;
        }
        match lease_due(&context, MAX_CONCURRENT_FETCHES.saturating_sub(fetches.len())).await {
            Ok(due) => {
                for recording in due {
                    let (client, files) = (Arc::clone(&client), files.clone());
                    fetches.spawn(process(context.clone(), client, files, recording));
                }
            }
            Err(error) => tracing::warn!(%error, "cannot load the recordings that are due"),
        }
        tokio::select! {
            () = shutdown.triggered() => return,
            result = commits.changed() => if result.is_err() { return },
            Some(_) = fetches.join_next() => {}
            () = tokio::time::sleep(POLL_INTERVAL) => {}
        }
    }
}

/// Leases recordings that are due. Leasing is a write, so a read first checks that there are some.
async fn lease_due(context: &DeliveryContext, limit: usize) -> Result<Vec<Recording>, Error> {
    let now = context.now();
    let limit = u32::try_from(limit).unwrap_or_default();
    if limit == 0 || !context.store.read(|unit| recordings::has_due(unit, now))? {
        return Ok(Vec::new());
    }
    let lease = move |unit: &mut UnitOfWork<'_>| recordings::lease_due(unit, now, LEASE, limit);
    context.store.write(lease).await
}

async fn expire(context: &DeliveryContext) -> Result<(), Error> {
    let now = context.now();
    let mut has_more = context.store.read(|unit| recordings::has_expired(unit, now))?;
    while has_more {
        has_more = context.store.write(move |unit| recordings::expire(unit, now)).await?;
    }
    Ok(())
}

/// Fetches a leased recording, or deletes its file, and stores the outcome.
async fn process(
    context: DeliveryContext,
    client: Arc<HttpClient>,
    files: RecordingFiles,
    leased: Recording,
) {
    let call = leased.complete_call_id.clone();
    let processed = match leased.state {
        RecordingState::Deleted => delete_file(&context, &files, leased).await,
        _ => fetch(&context, &client, &files, leased).await,
    };
    if let Err(error) = processed {
        tracing::warn!(%error, call, "cannot store the state of a recording, trying again");
    }
}

async fn delete_file(
    context: &DeliveryContext,
    files: &RecordingFiles,
    leased: Recording,
) -> Result<(), Error> {
    match std::fs::remove_file(files.path(&leased)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            let path = files.path(&leased);
            tracing::warn!(%error, path = %path.display(), "cannot delete the file of a recording");
            Ok(())
        }
        _ => context.store.write(move |unit| recordings::finish_deletion(unit, &leased)).await,
    }
}

async fn fetch(
    context: &DeliveryContext,
    client: &HttpClient,
    files: &RecordingFiles,
    leased: Recording,
) -> Result<(), Error> {
    let fetched = timeout(FETCH_TIMEOUT, fetch_file(client, files, &leased)).await;
    let timed_out = |_| Err(SoundError::Retryable(format!("took longer than {FETCH_TIMEOUT:?}")));
    let now = context.now();
    match fetched.unwrap_or_else(timed_out) {
        Ok((sound, file)) => {
            let path = files.path(&leased);
            // The file is in place before anybody can know of it.
            if let Err(error) = file.persist(&path) {
                let error = error.error;
                tracing::error!(%error, path = %path.display(), "cannot keep a recording");
                return Ok(());
            }
            let store =
                move |unit: &mut UnitOfWork<'_>| recordings::store_sound(unit, &leased, sound, now);
            if !context.store.write(store).await? {
                std::fs::remove_file(path).ok();
            }
            Ok(())
        }
        Err(error) => {
            let (is_final, reason) = match error {
                SoundError::Final(reason) => (true, reason),
                SoundError::Retryable(reason) => (false, reason),
            };
            tracing::info!(
                call = leased.complete_call_id,
                reason,
                is_final,
                "cannot fetch a recording"
            );
            let store = move |unit: &mut UnitOfWork<'_>| {
                recordings::store_failure(unit, &leased, is_final, now)
            };
            context.store.write(store).await
        }
    }
}

/// Fetches a recording into a temporary file beside its place.
async fn fetch_file(
    client: &HttpClient,
    files: &RecordingFiles,
    recording: &Recording,
) -> Result<(StoredSound, tempfile::NamedTempFile), SoundError> {
    let url = WebhookUrl::parse(&recording.url)
        .map_err(|reason| SoundError::Final(format!("its address {reason}")))?;
    let directory = files.directory(recording);
    let create = move || {
        std::fs::create_dir_all(&directory)?;
        tempfile::NamedTempFile::new_in(&directory)
    };
    let disk_error = |error: io::Error| SoundError::Retryable(format!("cannot write: {error}"));
    let file = spawn_blocking(create).await.map_err(io::Error::other).and_then(|file| file);
    client.fetch_sound(&url, file.map_err(disk_error)?, MAX_RECORDING_BYTES).await
}
