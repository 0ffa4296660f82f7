//! What polynomials over `f32` are written in: numbers whose bits can be had,
//! one or sixteen at a time.

use super::Real;
use ::core::prelude::rust_2021::*;

/// The bit patterns of [`Lane`]s.
pub trait Bits: Copy {
    /// Wrapping sum with `n`.
    fn plus(self, n: u32) -> Self;
    /// Bitwise and with `n`.
    fn and(self, n: u32) -> Self;
    /// Bitwise or with `n`.
    fn or(self, n: u32) -> Self;
    /// Shifted left by `N`.
    fn left<const N: u32>(self) -> Self;
    /// Shifted right by `N`, zeros coming in.
    fn right<const N: u32>(self) -> Self;
}

/// One `f32`, or sixteen: what the polynomials are written over.
pub trait Lane: Real {
    /// Its bit patterns.
    type Bits: Bits;
    /// The bit patterns of the numbers.
    fn to_bits(self) -> Self::Bits;
    /// The numbers of these bit patterns.
    fn from_bits(bits: Self::Bits) -> Self;
    /// `f` of each lane, one after the other: for what is rare.
    fn map(self, f: impl Fn(f32) -> f32) -> Self;
    /// `f` of each pair of lanes, one after the other.
    fn map2(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self;
}

impl Bits for u32 {
    #[inline(always)]
    fn plus(self, n: u32) -> Self {
        self.wrapping_add(n)
    }
    #[inline(always)]
    fn and(self, n: u32) -> Self {
        self & n
    }
    #[inline(always)]
    fn or(self, n: u32) -> Self {
        self | n
    }
    #[inline(always)]
    fn left<const N: u32>(self) -> Self {
        self << N
    }
    #[inline(always)]
    fn right<const N: u32>(self) -> Self {
        self >> N
    }
}

impl Lane for f32 {
    type Bits = u32;
    #[inline(always)]
    fn to_bits(self) -> u32 {
        f32::to_bits(self)
    }
    #[inline(always)]
    fn from_bits(bits: u32) -> Self {
        f32::from_bits(bits)
    }
    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        f(self)
    }
    #[inline(always)]
    fn map2(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        f(self, other)
    }
}

/// What folds two numbers, or lanes, into one.
pub(super) trait Fold {
    /// The one for two.
    fn fold<T: Real>(a: T, b: T) -> T;
}

/// `a + b`.
pub(super) struct Sum;
/// `a * b`.
pub(super) struct Product;
/// The larger of two.
pub(super) struct Largest;
/// The smaller of two.
pub(super) struct Smallest;

impl Fold for Sum {
    #[inline(always)]
    fn fold<T: Real>(a: T, b: T) -> T {
        a + b
    }
}

impl Fold for Product {
    #[inline(always)]
    fn fold<T: Real>(a: T, b: T) -> T {
        a * b
    }
}

impl Fold for Largest {
    #[inline(always)]
    fn fold<T: Real>(a: T, b: T) -> T {
        super::max(a, b)
    }
}

impl Fold for Smallest {
    #[inline(always)]
    fn fold<T: Real>(a: T, b: T) -> T {
        super::min(a, b)
    }
}
