//! Flat numbers seen as samples, and samples dealt out: what stands between a data file and
//! a generated trainer, without copying where none is needed.

use crate::rt::Error;

/// What a generated trainer takes for one sample of an input or target: a number, or an array
/// of arrays of them.
///
/// ```
/// use gdc::Sample;
///
/// let pixels = [0.0_f32; 12];
/// let images = <[[f32; 2]; 3]>::cast(&pixels)?;
/// assert_eq!(images.len(), 2);
/// assert!(<[f32; 5]>::cast(&pixels).is_err());
/// # Ok::<(), gdc::rt::Error>(())
/// ```
pub trait Sample: Copy + 'static {
    /// What it is made of: `f32`, `f64`, `u32`, `i32` or `bool`.
    type Number: Copy + 'static;
    /// How many numbers it is made of.
    const LEN: usize;

    /// Calls `visit` with each extent, outermost first; never for a number alone.
    fn extents(visit: &mut dyn FnMut(usize));

    /// Numbers in row-major order, sample after sample, seen as samples. Nothing is copied.
    ///
    /// # Errors
    ///
    /// The numbers do not come out even.
    fn cast(flat: &[Self::Number]) -> Result<&[Self], Error>;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Sample for $number {
            type Number = $number;
            const LEN: usize = 1;
            fn extents(_: &mut dyn FnMut(usize)) {}
            fn cast(flat: &[$number]) -> Result<&[$number], Error> {
                Ok(flat)
            }
        }
    )*};
}
numbers!(f32, f64, u32, i32, bool);

impl<T: Sample, const N: usize> Sample for [T; N] {
    type Number = T::Number;
    const LEN: usize = T::LEN * N;

    fn extents(visit: &mut dyn FnMut(usize)) {
        visit(N);
        T::extents(visit);
    }

    fn cast(flat: &[T::Number]) -> Result<&[Self], Error> {
        match T::cast(flat)?.as_chunks::<N>() {
            (samples, []) => Ok(samples),
            (samples, _) => Err(Error::LengthMismatch {
                name: "samples",
                expected: (samples.len() + 1) * Self::LEN,
                found: flat.len(),
            }),
        }
    }
}

#[cfg(feature = "alloc")]
pub use owned::*;

#[cfg(feature = "alloc")]
mod owned {
    use crate::rt::Order;
    use alloc::vec::Vec;

    /// Divides the places `0..n` into a part for training and one that is held back, of
    /// `held_back` (a fraction of `n`, rounded; between 0 and 1) places in random order. The
    /// same `seed` gives the same parts on every machine.
    ///
    /// ```
    /// let (train, test) = gdc::split(10, 0.2, 7);
    /// assert_eq!((train.len(), test.len()), (8, 2));
    /// ```
    pub fn split(n: usize, held_back: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
        // Half to the next number without `f64::round`, which `core` lacks.
        let held_back = ((n as f64 * held_back.clamp(0.0, 1.0) + 0.5) as usize).min(n);
        let order = Order::shuffled(n, seed, 0);
        let places = |range: core::ops::Range<usize>| range.map(|i| order.get(i)).collect();
        (places(held_back..n), places(0..held_back))
    }

    /// The samples at `places`, in their order.
    ///
    /// # Panics
    ///
    /// As indexing does, if a place is beyond the samples.
    pub fn select<T: Copy>(samples: &[T], places: &[usize]) -> Vec<T> {
        places.iter().map(|&i| samples[i]).collect()
    }

    /// Batches of places, for training loops of one's own: in the given order, all full but
    /// perhaps the last.
    ///
    /// ```
    /// use gdc::rt::Order;
    ///
    /// let sizes: Vec<usize> = gdc::batches(Order::shuffled(10, 7, 0), 4).map(|b| b.len()).collect();
    /// assert_eq!(sizes, [4, 4, 2]);
    /// ```
    pub fn batches(order: Order, size: usize) -> impl Iterator<Item = Vec<usize>> {
        let size = size.max(1);
        (0..order.len()).step_by(size).map(move |from| {
            let to = (from + size).min(order.len());
            (from..to).map(|i| order.get(i)).collect()
        })
    }
}
