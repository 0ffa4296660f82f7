//! The order in which samples are visited, computed place by place.

use super::fold;
use ::core::prelude::rust_2021::*;

/// A permutation of `0..n` that needs no memory: as it is, or shuffled by a
/// Feistel network over the next power of four, walking on from places that
/// fall outside `0..n` until one falls inside.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    n: usize,
    /// Bits of each half of a place, and the key; none if not shuffled.
    shuffle: Option<(u32, u64)>,
}

impl Order {
    /// `0, 1, 2, ...`
    pub fn sequential(n: usize) -> Self {
        Order { n, shuffle: None }
    }

    /// A pseudo-random order, a function of `n`, `seed` and `epoch` alone.
    pub fn shuffled(n: usize, seed: u64, epoch: u64) -> Self {
        let bits = usize::BITS - n.saturating_sub(1).leading_zeros();
        let half = bits.div_ceil(2).max(1);
        Order { n, shuffle: Some((half, fold(fold(seed, 0x006f_7264_6572), epoch))) }
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// What stands at place `i`, for `i < n`; beyond, `i` itself.
    pub fn get(&self, i: usize) -> usize {
        let Some((half, key)) = self.shuffle else {
            return i;
        };
        if i >= self.n {
            return i;
        }
        // A permutation of more than 0..n, walked from inside 0..n, returns.
        let mut place = feistel(i as u64, half, key);
        while place >= self.n as u64 {
            place = feistel(place, half, key);
        }
        place as usize
    }
}

/// Six rounds, each of which changes one half by a function of the other.
fn feistel(place: u64, half: u32, key: u64) -> u64 {
    let mask = (1 << half) - 1;
    let (mut left, mut right) = (place >> half, place & mask);
    for round in 0..6 {
        (left, right) = (right, left ^ (fold(fold(key, round), right) >> 32 & mask));
    }
    left << half | right
}
