//! The parts of a batch, and sums over them.

use ::core::ops::AddAssign;
use ::core::prelude::rust_2021::*;

/// The samples of a part of a batch.
#[must_use]
pub fn part<T, const N: usize>(samples: &[T], index: usize) -> Option<&[T; N]> {
    samples.get(index * N..)?.first_chunk()
}

/// Adds numbers to others, each to its own.
pub fn add<T: Copy + AddAssign>(to: &mut [T], from: &[T]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += *from;
    }
}
