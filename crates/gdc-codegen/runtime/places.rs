//! Moving lanes to and from slices, and folding or transposing them: written
//! once over what either form of [`F32x16`] offers.

use super::{F32x16, LANES, Largest, Product, Simd, Smallest, Sum};
use ::core::prelude::rust_2021::*;

impl<S: Simd> F32x16<S> {
    /// The sixteen values from `at` on. Without a panic: places outside read
    /// as zeros, and where the bounds are constants the test costs nothing.
    #[inline(always)]
    pub fn load_at(simd: S, from: &[f32], at: usize) -> Self {
        ::core::debug_assert!(at + LANES <= from.len());
        match from.get(at..).and_then(<[f32]>::first_chunk) {
            Some(chunk) => Self::load(simd, chunk),
            None => Self::splat(simd, 0.0),
        }
    }
    /// Writes the sixteen values to `to` from `at` on, if they fit there.
    #[inline(always)]
    pub fn store_at(self, to: &mut [f32], at: usize) {
        ::core::debug_assert!(at + LANES <= to.len());
        if let Some(chunk) = to.get_mut(at..).and_then(<[f32]>::first_chunk_mut) {
            self.store(chunk);
        }
    }
    /// The `N <= 16` values of `from`, then zeros.
    #[inline(always)]
    pub fn load_head<const N: usize>(simd: S, from: &[f32; N]) -> Self {
        let mut lanes = [0.0; LANES];
        for (lane, value) in lanes.iter_mut().zip(from) {
            *lane = *value;
        }
        Self::load(simd, &lanes)
    }
    /// Writes the first `N <= 16` values to `to`.
    #[inline(always)]
    pub fn store_head<const N: usize>(self, to: &mut [f32; N]) {
        for (value, lane) in to.iter_mut().zip(self.to_array()) {
            *value = lane;
        }
    }
    /// `N <= 16` values from `at` on, then zeros; see [`load_at`](Self::load_at).
    #[inline(always)]
    pub fn load_head_at<const N: usize>(simd: S, from: &[f32], at: usize) -> Self {
        ::core::debug_assert!(at + N <= from.len());
        match from.get(at..).and_then(<[f32]>::first_chunk::<N>) {
            Some(chunk) => Self::load_head(simd, chunk),
            None => Self::splat(simd, 0.0),
        }
    }
    /// `N <= 16` values from `at` on; the other lanes hold what stands behind them, if there is
    /// enough, or zeros. That is one load, where keeping other values out takes several.
    #[inline(always)]
    pub fn load_some_at<const N: usize>(simd: S, from: &[f32], at: usize) -> Self {
        match from.get(at..).and_then(<[f32]>::first_chunk) {
            Some(chunk) => Self::load(simd, chunk),
            None => Self::load_head_at::<N>(simd, from, at),
        }
    }
    /// Writes the first `N <= 16` values to `to` from `at` on, if they fit.
    #[inline(always)]
    pub fn store_head_at<const N: usize>(self, to: &mut [f32], at: usize) {
        ::core::debug_assert!(at + N <= to.len());
        if let Some(chunk) = to.get_mut(at..).and_then(<[f32]>::first_chunk_mut::<N>) {
            self.store_head(chunk);
        }
    }
    /// The lane numbers 0, 1, ... 15.
    #[inline(always)]
    pub fn iota(simd: S) -> Self {
        Self::from_fn(simd, |lane| lane as f32)
    }
    /// The sum of all lanes, in a fixed order: lane `i` with `i + 8`, then
    /// `i + 4`, `i + 2`, `i + 1`.
    #[inline(always)]
    pub fn sum(self) -> f32 {
        self.halve::<Sum>()
    }
    /// The product of all lanes, in the order of [`sum`](Self::sum).
    #[inline(always)]
    pub fn product(self) -> f32 {
        self.halve::<Product>()
    }
    /// The largest lane; NaN if any is NaN.
    #[inline(always)]
    pub fn max(self) -> f32 {
        self.halve::<Largest>()
    }
    /// The smallest lane; NaN if any is NaN.
    #[inline(always)]
    pub fn min(self) -> f32 {
        self.halve::<Smallest>()
    }
}

/// Lane `j` of row `i` becomes lane `i` of row `j`: four rounds of a perfect
/// shuffle of the 256 values, each of which rotates their 8-bit places by one.
#[inline(always)]
pub fn transpose<S: Simd>(mut rows: [F32x16<S>; LANES]) -> [F32x16<S>; LANES] {
    for _ in 0..4 {
        let old = rows;
        for i in 0..LANES / 2 {
            (rows[2 * i], rows[2 * i + 1]) = old[i].interleave(old[i + LANES / 2]);
        }
    }
    rows
}
