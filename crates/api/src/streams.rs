//! Answers that don't end by themselves: how many there may be, and what ends them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Streams that one credential may have open.
pub(crate) const STREAMS_OF_ONE: usize = 20;
/// Streams that a server has open.
const STREAMS: usize = 1_000;

/// Streams that are open, by whose they are.
#[derive(Debug, Default)]
pub struct Streams(Mutex<HashMap<String, usize>>);

/// A stream's place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    streams: Arc<Streams>,
    who: String,
}

impl Streams {
    /// A place for one more stream; `None` when there are too many.
    pub(crate) fn enter(self: &Arc<Self>, who: &str) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(who).copied().unwrap_or(0);
        if own >= STREAMS_OF_ONE || all >= STREAMS {
            return None;
        }
        open.insert(who.to_owned(), own + 1);
        Some(Place { streams: Arc::clone(self), who: who.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.who) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.who);
            }
        }
    }
}

/// Says that the server is asked to stop, to whatever would go on.
#[derive(Debug, Clone)]
pub struct Ending(Arc<watch::Sender<bool>>);

impl Default for Ending {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Ending {
    /// From now on it ends.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it ends.
    pub async fn begun(&self) {
        let mut told = self.0.subscribe();
        // The sender is this one's own: it is there.
        let _told = told.wait_for(|begun| *begun).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_for_each_and_given_back() {
        let streams = Arc::new(Streams::default());
        let mut places: Vec<_> = (0..STREAMS_OF_ONE).map(|_| streams.enter("token:1")).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(streams.enter("token:1").is_none());
        assert!(streams.enter("token:2").is_some());
        places.pop();
        assert!(streams.enter("token:1").is_some());
        let others: Vec<_> = (0..STREAMS).map(|at| streams.enter(&format!("user:{at}"))).collect();
        let open = others.iter().filter(|place| place.is_some()).count();
        assert_eq!(open + places.len(), STREAMS);
    }
}
