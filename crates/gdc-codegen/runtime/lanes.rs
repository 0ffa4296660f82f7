//! Sixteen `f32` lanes as a plain array, for code that depends on nothing but
//! `core`. What stands here is inlined and spelt out, so that builds with
//! `opt-level = 3` turn it into the target's own vectors; at lower levels it
//! stays scalar, several times slower. Fused multiply-adds it has not: `core`
//! offers none.

use super::{Bits, Fold, Lane, Mask, Real};
use ::core::marker::PhantomData;
use ::core::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};
use ::core::ops::{AddAssign, DivAssign, MulAssign, SubAssign};
use ::core::prelude::rust_2021::*;

/// Lanes in a vector.
pub const LANES: usize = 16;

/// Proof that an instruction set is there. Here the only one is [`Portable`].
pub trait Simd: Copy {}

/// Whatever the compiler makes of plain loops.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

impl Simd for Portable {}

/// The instruction set that a call runs with.
#[derive(Clone, Copy, Debug)]
pub struct Level;

impl Level {
    /// The proof that [`dispatch!`](dispatch) hands on.
    #[inline(always)]
    pub fn token(self) -> Portable {
        Portable
    }
}

/// The best level of this machine.
#[inline(always)]
pub fn level() -> Level {
    Level
}

/// `dispatch!(level, simd => call(simd, ...))` runs the call, in which `simd`
/// is a token of that level.
macro_rules! dispatch {
    ($level:expr, $simd:ident => $body:expr $(,)?) => {{
        let $simd = $level.token();
        $body
    }};
}
pub(crate) use dispatch;

/// `apart! { fn f<S: Simd>(simd: S, x: &[f32; 8]) { ... } }` is that function, for several callers
/// to share: not inlined into all of them.
macro_rules! apart {
    ($(#[$about:meta])* $vis:vis fn $name:ident<$S:ident: $bound:path>($($x:ident: $ty:ty),* $(,)?) $body:block) => {
        $(#[$about])*
        $vis fn $name<$S: $bound>($($x: $ty),*) $body
    };
}
pub(crate) use apart;

/// How many [`F32x16`] a tile should accumulate in: with more, compilers stop
/// making vectors of the arrays for some targets.
#[must_use]
pub const fn accumulators<S: Simd>() -> usize {
    4
}

/// Sixteen `f32`s.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct F32x16<S: Simd>([f32; LANES], PhantomData<S>);

/// Sixteen truth values: all bits set, or none.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Mask16<S: Simd>([u32; LANES], PhantomData<S>);

/// The bit patterns of sixteen `f32`s.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Bits16<S: Simd>([u32; LANES], PhantomData<S>);

/// An array from a function of the lane. Spelt out, so that it takes no loop
/// unrolling to become vectors.
#[inline(always)]
fn each<T>(f: impl Fn(usize) -> T) -> [T; LANES] {
    [f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7), f(8), f(9), f(10), f(11), f(12), f(13), f(14), f(15)]
}

impl<S: Simd> F32x16<S> {
    #[inline(always)]
    fn of(lanes: [f32; LANES]) -> Self {
        F32x16(lanes, PhantomData)
    }
    /// `value` in every lane.
    #[inline(always)]
    pub fn splat(_: S, value: f32) -> Self {
        Self::of([value; LANES])
    }
    /// The sixteen values of `from`.
    #[inline(always)]
    pub fn load(_: S, from: &[f32; LANES]) -> Self {
        Self::of(*from)
    }
    /// Writes the sixteen values to `to`.
    #[inline(always)]
    pub fn store(self, to: &mut [f32; LANES]) {
        *to = self.0;
    }
    /// The sixteen values as an array.
    #[inline(always)]
    pub fn to_array(self) -> [f32; LANES] {
        self.0
    }
    /// Lane `i` is `f(i)`.
    #[inline(always)]
    pub fn from_fn(_: S, f: impl Fn(usize) -> f32) -> Self {
        Self::of(each(f))
    }
    /// Integers as reals, rounded to nearest.
    #[inline(always)]
    pub fn from_u32(_: S, from: &[u32; LANES]) -> Self {
        Self::of(each(|i| from[i] as f32))
    }
    /// `a0 b0 a1 b1 ... a7 b7` and `a8 b8 ... a15 b15`.
    #[inline(always)]
    pub fn interleave(self, other: Self) -> (Self, Self) {
        let (a, b) = (self.0, other.0);
        let pick = |i: usize| if i & 1 == 0 { a[i / 2] } else { b[i / 2] };
        (Self::of(each(pick)), Self::of(each(|i| pick(i + LANES))))
    }
    /// Combines lanes `i` and `i + 8`, then `i` and `i + 4`, `+ 2`, `+ 1`.
    #[inline(always)]
    pub(super) fn halve<F: Fold>(self) -> f32 {
        let mut lanes = self.0;
        let mut half = LANES / 2;
        while half > 0 {
            let mut i = 0;
            while i < half {
                lanes[i] = F::fold(lanes[i], lanes[i + half]);
                i += 1;
            }
            half /= 2;
        }
        lanes[0]
    }
}

/// Implements an operator lane by lane, and its assigning form.
macro_rules! operator {
    ($trait:ident $verb:ident $assign:ident $assign_verb:ident $op:tt) => {
        impl<S: Simd> $trait for F32x16<S> {
            type Output = Self;
            #[inline(always)]
            fn $verb(self, other: Self) -> Self {
                Self::of(each(|i| self.0[i] $op other.0[i]))
            }
        }
        impl<S: Simd> $assign for F32x16<S> {
            #[inline(always)]
            fn $assign_verb(&mut self, other: Self) {
                *self = *self $op other;
            }
        }
    };
}

operator!(Add add AddAssign add_assign +);
operator!(Sub sub SubAssign sub_assign -);
operator!(Mul mul MulAssign mul_assign *);
operator!(Div div DivAssign div_assign /);

impl<S: Simd> Neg for F32x16<S> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self::of(each(|i| -self.0[i]))
    }
}

impl<S: Simd> Real for F32x16<S> {
    type Mask = Mask16<S>;
    #[inline(always)]
    fn like(self, value: f64) -> Self {
        Self::of([value as f32; LANES])
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        self * b + c
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.map(f32::abs)
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        Self::of(each(|i| f32::copysign(self.0[i], sign.0[i])))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.map(super::sqrt_f32)
    }
    #[inline(always)]
    fn round(self) -> Self {
        self.map(<f32 as Real>::round)
    }
    #[inline(always)]
    fn floor(self) -> Self {
        self.map(<f32 as Real>::floor)
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Mask16<S> {
        Mask16::of(|i| self.0[i] < other.0[i])
    }
    #[inline(always)]
    fn le(self, other: Self) -> Mask16<S> {
        Mask16::of(|i| self.0[i] <= other.0[i])
    }
    #[inline(always)]
    fn eq(self, other: Self) -> Mask16<S> {
        Mask16::of(|i| self.0[i] == other.0[i])
    }
    #[inline(always)]
    fn select(mask: Mask16<S>, a: Self, b: Self) -> Self {
        Self::of(each(|i| f32::from_bits((a.0[i].to_bits() & mask.0[i]) | (b.0[i].to_bits() & !mask.0[i]))))
    }
}

impl<S: Simd> Lane for F32x16<S> {
    type Bits = Bits16<S>;
    #[inline(always)]
    fn to_bits(self) -> Bits16<S> {
        Bits16(each(|i| self.0[i].to_bits()), PhantomData)
    }
    #[inline(always)]
    fn from_bits(bits: Bits16<S>) -> Self {
        Self::of(each(|i| f32::from_bits(bits.0[i])))
    }
    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        Self::of(each(|i| f(self.0[i])))
    }
    #[inline(always)]
    fn map2(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self::of(each(|i| f(self.0[i], other.0[i])))
    }
}

impl<S: Simd> Bits for Bits16<S> {
    #[inline(always)]
    fn plus(self, n: u32) -> Self {
        Bits16(each(|i| self.0[i].wrapping_add(n)), PhantomData)
    }
    #[inline(always)]
    fn and(self, n: u32) -> Self {
        Bits16(each(|i| self.0[i] & n), PhantomData)
    }
    #[inline(always)]
    fn or(self, n: u32) -> Self {
        Bits16(each(|i| self.0[i] | n), PhantomData)
    }
    #[inline(always)]
    fn left<const N: u32>(self) -> Self {
        Bits16(each(|i| self.0[i] << N), PhantomData)
    }
    #[inline(always)]
    fn right<const N: u32>(self) -> Self {
        Bits16(each(|i| self.0[i] >> N), PhantomData)
    }
}

impl<S: Simd> Mask16<S> {
    #[inline(always)]
    fn of(f: impl Fn(usize) -> bool) -> Self {
        Mask16(each(|i| if f(i) { u32::MAX } else { 0 }), PhantomData)
    }
    /// True in the first `n` lanes.
    #[inline(always)]
    pub fn first(_: S, n: usize) -> Self {
        Self::of(|i| i < n)
    }
}

impl<S: Simd> Mask for Mask16<S> {
    #[inline(always)]
    fn any(self) -> bool {
        self.0.iter().fold(0, |all, lane| all | lane) != 0
    }
    #[inline(always)]
    fn all(self) -> bool {
        self.0.iter().fold(u32::MAX, |all, lane| all & lane) != 0
    }
}

impl<S: Simd> BitAnd for Mask16<S> {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Mask16(each(|i| self.0[i] & other.0[i]), PhantomData)
    }
}

impl<S: Simd> BitOr for Mask16<S> {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Mask16(each(|i| self.0[i] | other.0[i]), PhantomData)
    }
}

impl<S: Simd> Not for Mask16<S> {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Mask16(each(|i| !self.0[i]), PhantomData)
    }
}
