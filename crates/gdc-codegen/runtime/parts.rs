//! The parts of a batch, sums over them, and the rows of a tensor in pieces.

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

/// The rows of a tensor, so many for each piece of the work on it.
pub fn pieces_of<T, const N: usize>(all: &mut [T]) -> impl Iterator<Item = &mut [T; N]> {
    all.as_chunks_mut().0.iter_mut()
}
