//! Chance that comes out the same on every machine: ChaCha8, whose stream is fixed by its definition,
//! and whole numbers only.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

/// What numbers are drawn for: each has a stream of its own, so that how many are drawn for one
/// changes no other.
#[derive(Debug, Clone, Copy)]
pub(super) enum RngStream {
    /// When calls come in, and for which campaigns.
    CallTimes,
    /// A caller.
    Caller(u32),
    /// What happens in a call.
    Call(u32),
}

/// A stream of numbers.
pub(super) struct SeededRng(ChaCha8Rng);

impl SeededRng {
    pub(super) fn new(seed: u32, stream: RngStream) -> Self {
        let mut generator = ChaCha8Rng::from_seed(Sha256::digest(seed.to_le_bytes()).into());
        generator.set_stream(match stream {
            RngStream::CallTimes => 0,
            RngStream::Caller(number) => (1 << 32) | u64::from(number),
            RngStream::Call(number) => (2 << 32) | u64::from(number),
        });
        Self(generator)
    }

    /// A number under `limit`, all alike; 0 if that is 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(limit);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `least` to `most`.
    pub(super) fn between(&mut self, least: u32, most: u32) -> u32 {
        let drawn = self.below(u64::from(most.saturating_sub(least)) + 1);
        least + u32::try_from(drawn).unwrap_or(0)
    }

    /// True so many times in a thousand.
    pub(super) fn per_mille(&mut self, times: u64) -> bool {
        self.below(1_000) < times
    }

    /// One of some things, all alike.
    pub(super) fn pick<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        let at = self.below(things.len() as u64);
        things.get(usize::try_from(at).unwrap_or(0))
    }

    /// An index, as often as its weight says; 0 where there are no weights.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = u64> + Clone) -> usize {
        let mut left = self.below(weights.clone().sum());
        for (index, weight) in weights.enumerate() {
            if left < weight {
                return index;
            }
            left -= weight;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These numbers may never change: calls that were imagined once are imagined again the same.
    #[test]
    fn a_seeds_numbers_are_what_they_have_always_been() {
        let draw = |seed, stream| {
            let mut rng = SeededRng::new(seed, stream);
            [0; 4].map(|_| rng.below(1_000_000))
        };
        let known = [
            draw(7, RngStream::CallTimes),
            draw(7, RngStream::Caller(0)),
            draw(7, RngStream::Call(9_999)),
            draw(8, RngStream::CallTimes),
        ];
        let always = [
            [553_746, 567_690, 912_435, 893_429],
            [94_542, 745_050, 588_799, 153_343],
            [109_455, 128_899, 204_963, 466_322],
            [588_281, 934_677, 185_533, 59_068],
        ];
        assert_eq!(known, always);
    }

    #[test]
    fn every_number_comes_as_often_as_it_should() {
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
