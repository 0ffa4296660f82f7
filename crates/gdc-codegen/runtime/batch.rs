//! Checking and moving the samples of a batch, for generated models and
//! trainers.

use super::Error;
use ::core::ops::Range;
use ::core::prelude::rust_2021::*;

/// That two lengths which must agree do.
///
/// # Errors
///
/// They do not.
pub fn same_length(name: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::LengthMismatch { name, expected, found }) }
}

/// That all integers of samples, `width` of each, lie in a range.
///
/// # Errors
///
/// One does not; the error names its sample.
pub fn in_range<T: Copy + Into<i64>>(
    name: &'static str,
    width: usize,
    values: &[T],
    range: Range<i64>,
) -> Result<(), Error> {
    for (sample, values) in values.chunks(width.max(1)).enumerate() {
        sample_in_range(name, sample, values, range.clone())?;
    }
    Ok(())
}

/// That all integers of one sample lie in a range.
///
/// # Errors
///
/// One does not.
pub fn sample_in_range<T: Copy + Into<i64>>(
    name: &'static str,
    sample: usize,
    values: &[T],
    range: Range<i64>,
) -> Result<(), Error> {
    for &value in values {
        let value: i64 = value.into();
        if !range.contains(&value) {
            let (low, high) = (range.start, range.end);
            return Err(Error::OutOfRange { name, sample, value, low, high });
        }
    }
    Ok(())
}

/// Copies as many samples as there are, up to a batch, and the first of them
/// to the places that are left: lanes without a sample compute with numbers
/// that are possible.
pub fn copy_samples<T: Copy>(to: &mut [T], from: &[T]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    repeat_first(to, from.len());
}

/// Copies the first sample to all places after the first `samples`.
pub fn repeat_first<T: Copy>(batch: &mut [T], samples: usize) {
    if let Some(&first) = batch.first() {
        for place in batch.iter_mut().skip(samples) {
            *place = first;
        }
    }
}

/// Copies sample number `sample` to place `slot`, where both exist.
pub fn copy_sample<T: Copy>(to: &mut [T], slot: usize, from: &[T], sample: usize) {
    if let (Some(to), Some(from)) = (to.get_mut(slot), from.get(sample)) {
        *to = *from;
    }
}

/// Moves the first numbers of `from` to `to`, which `convert` makes of them.
///
/// # Errors
///
/// There are too few.
pub fn take_numbers<A: Copy, B>(
    name: &'static str,
    to: &mut [B],
    from: &mut &[A],
    convert: impl Fn(A) -> B,
) -> Result<(), Error> {
    let Some((head, rest)) = from.split_at_checked(to.len()) else {
        return Err(Error::LengthMismatch { name, expected: to.len(), found: from.len() });
    };
    for (to, from) in to.iter_mut().zip(head) {
        *to = convert(*from);
    }
    *from = rest;
    Ok(())
}

/// `place`, which lies in `0..N`: integers from outside are checked before they
/// become places, and this says so to the compiler, which leaves out its own
/// test and the panic behind it.
#[inline(always)]
pub const fn within<const N: usize>(place: usize) -> usize {
    if place < N { place } else { N - 1 }
}

/// A number, or an array of tensors of one shape.
pub trait Tensor: Sized {
    /// What its numbers are.
    type Number: Copy;
    /// Zeros.
    const ZERO: Self;
    /// The numbers of several, one after the other.
    fn numbers(all: &[Self]) -> &[Self::Number];
    /// The same, to be changed.
    fn numbers_mut(all: &mut [Self]) -> &mut [Self::Number];
}

macro_rules! number {
    ($number:ident) => {
        impl Tensor for $number {
            type Number = $number;
            const ZERO: $number = 0.0;
            fn numbers(all: &[$number]) -> &[$number] {
                all
            }
            fn numbers_mut(all: &mut [$number]) -> &mut [$number] {
                all
            }
        }
    };
}
number!(f32);
number!(f64);

impl<T: Tensor, const N: usize> Tensor for [T; N] {
    type Number = T::Number;
    const ZERO: [T; N] = [T::ZERO; N];
    fn numbers(all: &[[T; N]]) -> &[T::Number] {
        T::numbers(all.as_flattened())
    }
    fn numbers_mut(all: &mut [[T; N]]) -> &mut [T::Number] {
        T::numbers_mut(all.as_flattened_mut())
    }
}

/// The numbers of a tensor in row-major order.
pub fn numbers<T: Tensor>(tensor: &T) -> &[T::Number] {
    T::numbers(::core::slice::from_ref(tensor))
}

/// The same, to be changed.
pub fn numbers_mut<T: Tensor>(tensor: &mut T) -> &mut [T::Number] {
    T::numbers_mut(::core::slice::from_mut(tensor))
}

/// Makes all numbers of a tensor the same.
pub fn fill<T: Tensor>(tensor: &mut T, value: T::Number) {
    numbers_mut(tensor).fill(value);
}
