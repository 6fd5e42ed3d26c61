//! Calls that many requests tell of at once share a unit of work, as lines of one request do. Each is
//! answered as if it had one to itself.

use crate::App;
use crate::proof::Proof;
use futures_util::future::join_all;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use trunkline_network::calls::{self, Taken, Told};
use trunkline_network::{Context, Error, Session};

/// Calls in one unit of work.
const MOST: usize = 256;

/// Calls that nobody has begun to take. Where there are any, somebody is about to.
#[derive(Default)]
pub(crate) struct Together(Mutex<Vec<One>>);

/// A call and who waits for its answer.
struct One {
    told: Told,
    context: Context,
    proof: Proof,
    answer: oneshot::Sender<Result<Taken, Error>>,
}

impl Together {
    fn waiting(&self) -> MutexGuard<'_, Vec<One>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first of them, in order.
    fn begin(&self) -> Vec<One> {
        let mut waiting = self.waiting();
        let some = waiting.len().min(MOST);
        waiting.drain(..some).collect()
    }
}

/// Takes a call in; returns after its commit.
pub(super) async fn take(
    app: &App,
    context: &Context,
    proof: &Proof,
    told: Told,
) -> Result<Taken, Error> {
    let (answer, answered) = oneshot::channel();
    let (context, proof) = (context.clone(), proof.clone());
    let is_first = {
        let mut waiting = app.calls.waiting();
        waiting.push(One { told, context, proof, answer });
        waiting.len() == 1
    };
    if is_first {
        // Whoever is first may go away before the others are answered.
        tokio::spawn(take_all(app.clone()));
    }
    answered.await.map_err(|_| Error::Storage(trunkline_store::Error::Abandoned))?
}

/// Takes calls until none is left that others have told of meanwhile.
async fn take_all(app: App) {
    loop {
        let begun: Arc<Mutex<Vec<One>>> = Arc::default();
        let (taken, together) = (Arc::clone(&begun), app.clone());
        // What waits is looked at when the unit of work's turn has come.
        let work = move |session: &mut Session<'_>| {
            let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
            *taken = together.calls.begin();
            take_many(session, &taken)
        };
        let answers = app.store.write(work).await;
        let mut begun = std::mem::take(&mut *begun.lock().unwrap_or_else(PoisonError::into_inner));
        if answers.is_err() && begun.is_empty() {
            // Its turn never came.
            begun = app.calls.begin();
        }
        let full = begun.len() == MOST;
        match answers {
            Ok(answers) => begun.into_iter().zip(answers).for_each(|(one, answer)| {
                // The one who asked may have gone: the call is taken all the same.
                let _gone = one.answer.send(answer);
            }),
            Err(Error::Storage(error)) if error.is_outage() => begun.into_iter().for_each(|one| {
                let _gone = one.answer.send(Err(error.again().into()));
            }),
            // What is wrong with one is its own.
            Err(_) => drop(join_all(begun.into_iter().map(alone)).await),
        }
        if !full || app.calls.waiting().is_empty() {
            return;
        }
    }
}

async fn alone(one: One) {
    let One { told, context, proof, answer } = one;
    let take = move |session: &mut Session<'_>, it: &Context| calls::take(session, it, told, None);
    let taken = proof.write(&context, take).await;
    let _gone = answer.send(taken);
}

/// Takes calls whose credentials are good, those of one caller together; the answer to each.
fn take_many(session: &mut Session<'_>, all: &[One]) -> Result<Vec<Result<Taken, Error>>, Error> {
    let mut answers: Vec<Option<Result<Taken, Error>>> = Vec::with_capacity(all.len());
    for one in all {
        answers.push(one.proof.confirm(session).err().map(Err));
    }
    for (place, one) in all.iter().enumerate() {
        if answers.get(place).is_none_or(Option::is_some) {
            continue;
        }
        let same = |it: &One| it.context.caller == one.context.caller;
        let places = all.iter().enumerate().zip(&answers).skip(place);
        let places = places.filter(|((_, it), answer)| answer.is_none() && same(it));
        let places: Vec<usize> = places.map(|((place, _), _)| place).collect();
        let told = places.iter().filter_map(|place| all.get(*place)).map(|it| it.told.clone());
        let told: Vec<Told> = told.collect();
        let taken = calls::take_many(session, &one.context, &told)?;
        for (place, answer) in places.into_iter().zip(taken) {
            if let Some(place) = answers.get_mut(place) {
                *place = Some(answer);
            }
        }
    }
    let missing = || Err(Error::Internal("a call got no answer".to_owned()));
    Ok(answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect())
}
