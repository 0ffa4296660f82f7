//! Work that could be shared between threads, on the one that there is.

use ::core::prelude::rust_2021::*;

/// Calls `work` with each item and its place. With a runtime that has threads
/// the items are shared between at most so many.
pub fn each<T: Send>(items: &mut [T], _threads: usize, work: impl Fn(usize, &mut T) + Sync) {
    for (index, item) in items.iter_mut().enumerate() {
        work(index, item);
    }
}
