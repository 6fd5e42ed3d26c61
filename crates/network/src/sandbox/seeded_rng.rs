//! Seeded random numbers that are the same on every machine: ChaCha8, whose output is fixed by its
//! definition, and integer arithmetic only.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

/// Purpose of random numbers. Each purpose has its own stream, so the count of numbers drawn from
/// one stream does not affect another.
#[derive(Debug, Clone, Copy)]
pub(super) enum RngStream {
    /// Start times and campaigns of all calls.
    CallTimes,
    /// Properties of the caller with this index.
    Caller(u32),
    /// Course of the call with this index.
    Call(u32),
}

/// Random number generator of one stream.
pub(super) struct SeededRng(ChaCha8Rng);

impl SeededRng {
    /// Creates the generator of a stream for a seed.
    pub(super) fn new(seed: u32, stream: RngStream) -> Self {
        let mut generator = ChaCha8Rng::from_seed(Sha256::digest(seed.to_le_bytes()).into());
        generator.set_stream(match stream {
            RngStream::CallTimes => 0,
            RngStream::Caller(number) => (1 << 32) | u64::from(number),
            RngStream::Call(number) => (2 << 32) | u64::from(number),
        });
        Self(generator)
    }

    /// Returns a uniformly distributed number below `limit`, or 0 if `limit` is 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(limit);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// Returns a uniformly distributed number from `least` to `most`, both included.
    pub(super) fn between(&mut self, least: u32, most: u32) -> u32 {
        let drawn = self.below(u64::from(most.saturating_sub(least)) + 1);
        least + u32::try_from(drawn).unwrap_or(0)
    }

    /// Returns `true` with a probability of `times` / 1,000.
    pub(super) fn per_mille(&mut self, times: u64) -> bool {
        self.below(1_000) < times
    }

    /// Returns a uniformly chosen item; `None` if there are none.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let at = self.below(items.len() as u64);
        items.get(usize::try_from(at).unwrap_or(0))
    }

    /// Returns an index with a probability proportional to its weight, or 0 if there are no
    /// weights.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = u64> + Clone) -> usize {
        let mut remaining = self.below(weights.clone().sum());
        for (index, weight) in weights.enumerate() {
            if remaining < weight {
                return index;
            }
            remaining -= weight;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These numbers must never change: a seed must produce the same simulated calls in every
    /// version.
    #[test]
    fn numbers_of_a_seed_are_stable() {
        let draw = |seed, stream| {
            let mut rng = SeededRng::new(seed, stream);
            [0; 4].map(|_| rng.below(1_000_000))
        };
        let drawn = [
            draw(7, RngStream::CallTimes),
            draw(7, RngStream::Caller(0)),
            draw(7, RngStream::Call(9_999)),
            draw(8, RngStream::CallTimes),
        ];
        let expected = [
            [553_746, 567_690, 912_435, 893_429],
            [94_542, 745_050, 588_799, 153_343],
            [109_455, 128_899, 204_963, 466_322],
            [588_281, 934_677, 185_533, 59_068],
        ];
        assert_eq!(drawn, expected);
    }

    #[test]
    fn weighted_indexes_follow_their_weights() {
        let mut rng = SeededRng::new(1, RngStream::CallTimes);
        let mut seen = [0; 4];
        for _ in 0..10_000 {
            seen[rng.weighted([1, 0, 3, 6].into_iter())] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((900..1_100).contains(&seen[0]) && (5_800..6_200).contains(&seen[3]), "{seen:?}");
        assert_eq!((rng.below(0), rng.between(5, 5), rng.pick::<u8>(&[])), (0, 5, None));
    }
}
