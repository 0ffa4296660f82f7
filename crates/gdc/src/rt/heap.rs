//! What needs a heap: models too large for the stack, and training histories.

use super::{Epoch, Error, Fit, FitOptions, Trainer, fit};
pub use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::ops::ControlFlow;

/// A copy of `zero` on the heap that never stands on the stack, not even in a
/// debug build: models can be larger than any stack.
#[must_use]
pub fn boxed<T: Copy>(zero: &'static T) -> Box<T> {
    // A slice is copied straight to the heap; a box of one is a box of its
    // only element.
    let slice: Box<[T]> = Box::from(core::slice::from_ref(zero));
    let first: *mut T = Box::into_raw(slice).cast();
    // SAFETY: `first` comes from `Box::into_raw` of a slice with exactly one
    // `T`, which has the layout of `T`, so the allocation (or, for a `T` of no
    // size, the dangling pointer) is one that a `Box<T>` may own; nobody else
    // owns it.
    #[allow(unsafe_code)]
    unsafe {
        Box::from_raw(first)
    }
}

/// What [`boxed`] copies, in a `static`: numbers that are zero cost nothing in
/// the program's file then, where a constant of the same size can stand in it
/// byte for byte.
pub struct Zeros<T>(UnsafeCell<T>);

// SAFETY: nothing ever changes the value: the cell only keeps it out of the
// read-only part of the program. Shared references to a `T: Sync` can be used
// by all threads.
#[allow(unsafe_code)]
unsafe impl<T: Sync> Sync for Zeros<T> {}

impl<T: Copy> Zeros<T> {
    /// For a `static`.
    pub const fn new(zero: T) -> Self {
        Zeros(UnsafeCell::new(zero))
    }

    /// A copy on the heap, as [`boxed`] makes it.
    #[must_use]
    pub fn boxed(&'static self) -> Box<T> {
        // Nobody writes to it; were that known, it would be put into the read-only part anyway.
        let cell = core::hint::black_box(self);
        // SAFETY: there are no unique references to the value.
        #[allow(unsafe_code)]
        boxed(unsafe { &*cell.0.get() })
    }
}

/// [`fit`] that keeps every epoch, and has no other callback.
///
/// # Errors
///
/// As for [`fit`].
pub fn fit_history<T: Trainer>(
    trainer: &mut T,
    data: T::Data<'_>,
    options: &FitOptions,
) -> Result<(Fit, Vec<Epoch>), Error> {
    let mut history = Vec::new();
    let done = fit(trainer, data, options, |epoch| {
        history.push(*epoch);
        ControlFlow::Continue(())
    })?;
    Ok((done, history))
}
