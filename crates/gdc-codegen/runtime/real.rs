//! Numbers that generated expressions compute with: one name per operation,
//! whether the operand is one `f32`, one `f64` or sixteen `f32` lanes.
//!
//! The free functions (`sqrt(x)`, `max(a, b)`, `select(m, a, b)`) are what
//! generated code calls. The traits behind them are public only because the
//! functions' signatures name them.

use ::core::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};
use ::core::prelude::rust_2021::*;

/// Truth values, one per lane: `bool`, or [`Mask16`](super::Mask16).
/// `&`, `|` and `!` combine them.
pub trait Mask: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self> {
    /// Whether any lane is true.
    fn any(self) -> bool;
    /// Whether every lane is true.
    fn all(self) -> bool;
}

/// A real number, or one per lane.
pub trait Real:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// What comparing two of them gives.
    type Mask: Mask;
    /// `value`, rounded to this type, in every lane.
    fn like(self, value: f64) -> Self;
    /// `self * b + c`.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `|self|`.
    fn abs(self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// The square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// The nearest integer, ties to even.
    fn round(self) -> Self;
    /// The nearest integer that is not above.
    fn floor(self) -> Self;
    /// `self < other`; false if either is NaN.
    fn lt(self, other: Self) -> Self::Mask;
    /// `self <= other`; false if either is NaN.
    fn le(self, other: Self) -> Self::Mask;
    /// `self == other`; false if either is NaN.
    fn eq(self, other: Self) -> Self::Mask;
    /// `a` where `mask` holds, else `b`.
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;
}

/// `a * b + c`. On lanes it is fused (rounded once) where the instruction set
/// has that; on one `f32` or `f64` it never is, so that scalar results have
/// the same bits on every machine.
#[inline(always)]
pub fn mul_add<T: Real>(a: T, b: T, c: T) -> T {
    a.mul_add(b, c)
}

/// `|x|`.
#[inline(always)]
pub fn abs<T: Real>(x: T) -> T {
    x.abs()
}

/// The magnitude of `x` with the sign of `sign`.
#[inline(always)]
pub fn copysign<T: Real>(x: T, sign: T) -> T {
    x.copysign(sign)
}

/// The square root, correctly rounded; NaN below zero.
#[inline(always)]
pub fn sqrt<T: Real>(x: T) -> T {
    x.sqrt()
}

/// The nearest integer, ties to even.
#[inline(always)]
pub fn round<T: Real>(x: T) -> T {
    x.round()
}

/// The largest integer that is not above `x`.
#[inline(always)]
pub fn floor<T: Real>(x: T) -> T {
    x.floor()
}

/// The smallest integer that is not below `x`.
#[inline(always)]
pub fn ceil<T: Real>(x: T) -> T {
    -(-x).floor()
}

/// The smaller of two; NaN if either is NaN; `b` if they are equal.
#[inline(always)]
pub fn min<T: Real>(a: T, b: T) -> T {
    max_by(a.lt(b), a, b)
}

/// The larger of two; NaN if either is NaN; `b` if they are equal.
#[inline(always)]
pub fn max<T: Real>(a: T, b: T) -> T {
    max_by(b.lt(a), a, b)
}

/// `a` where it wins or is NaN, else `b`.
#[inline(always)]
fn max_by<T: Real>(a_wins: T::Mask, a: T, b: T) -> T {
    T::select(a_wins | !a.eq(a), a, b)
}

/// `x`, or `limit` where that is larger; NaN stays NaN. The limit must not be NaN.
#[inline(always)]
pub fn at_least<T: Real>(x: T, limit: T) -> T {
    T::select(x.lt(limit), limit, x)
}

/// `x`, or `limit` where that is smaller; NaN stays NaN. The limit must not be NaN.
#[inline(always)]
pub fn at_most<T: Real>(x: T, limit: T) -> T {
    T::select(limit.lt(x), limit, x)
}

/// -1, 0 or 1 as `x` is negative, zero or positive; NaN stays NaN.
#[inline(always)]
pub fn sign<T: Real>(x: T) -> T {
    let one = x.like(1.0);
    T::select(x.abs().eq(x.like(0.0)) | !x.eq(x), x, one.copysign(x))
}

/// `a < b`, lane by lane; false if either is NaN.
#[inline(always)]
pub fn lt<T: Real>(a: T, b: T) -> T::Mask {
    a.lt(b)
}

/// `a <= b`, lane by lane; false if either is NaN.
#[inline(always)]
pub fn le<T: Real>(a: T, b: T) -> T::Mask {
    a.le(b)
}

/// `a > b`, lane by lane; false if either is NaN.
#[inline(always)]
pub fn gt<T: Real>(a: T, b: T) -> T::Mask {
    b.lt(a)
}

/// `a >= b`, lane by lane; false if either is NaN.
#[inline(always)]
pub fn ge<T: Real>(a: T, b: T) -> T::Mask {
    b.le(a)
}

/// `a == b`, lane by lane; false if either is NaN.
#[inline(always)]
pub fn eq<T: Real>(a: T, b: T) -> T::Mask {
    a.eq(b)
}

/// `a != b`, lane by lane; true if either is NaN.
#[inline(always)]
pub fn ne<T: Real>(a: T, b: T) -> T::Mask {
    !a.eq(b)
}

/// `a` where `mask` holds, else `b`. Both are computed.
#[inline(always)]
pub fn select<T: Real>(mask: T::Mask, a: T, b: T) -> T {
    T::select(mask, a, b)
}

/// `x` to the power of the integer `n` by repeated squaring: each of the at
/// most `2 log2 |n|` products rounds once; `powi(x, 0)` is 1 for every `x`.
#[inline(always)]
pub fn powi<T: Real>(x: T, n: i32) -> T {
    let (mut result, mut square, mut rest) = (x.like(1.0), x, n.unsigned_abs());
    while rest != 0 {
        if rest & 1 == 1 {
            result = result * square;
        }
        rest >>= 1;
        if rest != 0 {
            square = square * square;
        }
    }
    if n < 0 { x.like(1.0) / result } else { result }
}

impl Mask for bool {
    #[inline(always)]
    fn any(self) -> bool {
        self
    }
    #[inline(always)]
    fn all(self) -> bool {
        self
    }
}

/// The parts of [`Real`] that read alike for `f32` and `f64`. `$limit` is the
/// number from which on every value of the type is an integer.
macro_rules! scalar_real {
    ($type:ty, $limit:literal, $sqrt:path) => {
        impl Real for $type {
            type Mask = bool;
            #[inline(always)]
            fn like(self, value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                self * b + c
            }
            #[inline(always)]
            fn abs(self) -> Self {
                <$type>::abs(self)
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                <$type>::copysign(self, sign)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $sqrt(self)
            }
            #[inline(always)]
            fn round(self) -> Self {
                // Adding the limit leaves no bits for a fraction.
                let size = <$type>::abs(self);
                let near = (size + $limit) - $limit;
                if size < $limit { <$type>::copysign(near, self) } else { self }
            }
            #[inline(always)]
            fn floor(self) -> Self {
                let near = Real::round(self);
                if near > self { near - 1.0 } else { near }
            }
            #[inline(always)]
            fn lt(self, other: Self) -> bool {
                self < other
            }
            #[inline(always)]
            fn le(self, other: Self) -> bool {
                self <= other
            }
            #[inline(always)]
            fn eq(self, other: Self) -> bool {
                self == other
            }
            #[inline(always)]
            fn select(mask: bool, a: Self, b: Self) -> Self {
                if mask { a } else { b }
            }
        }
    };
}

scalar_real!(f32, 8_388_608.0, super::sqrt_f32);
scalar_real!(f64, 4_503_599_627_370_496.0, super::sqrt_f64);
