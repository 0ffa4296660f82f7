//! Sixteen `f32` lanes on the instruction sets of `fearless_simd`, and the
//! choice among those at run time.
//!
//! The same names over plain arrays stand in `gdc-codegen/runtime/lanes.rs`.

use super::{Bits, Fold, Lane, Mask, Real};
use core::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};
use core::ops::{AddAssign, DivAssign, MulAssign, SubAssign};
pub use fearless_simd::Simd;
use fearless_simd::{Select, SimdBase, SimdCombine, SimdFloat, SimdInt, SimdMask, SimdSplit};
use fearless_simd::{f32x4, f32x16, mask32x16, u32x16};

/// Lanes in a vector.
pub const LANES: usize = 16;

/// `apart! { fn f<S: Simd>(simd: S, x: &[f32; 8]) { ... } }` is that function, for several callers
/// to share: compiled once for each instruction set, and called rather than inlined.
///
/// The body stands in a function inside of the one that is called, so that what is known of
/// its arguments (that no two of them overlap) is known in there.
#[doc(hidden)]
#[macro_export]
macro_rules! __apart {
    (
        $(#[$about:meta])*
        $vis:vis fn $name:ident<$S:ident: $bound:path>($simd:ident: $T:ty $(, $x:ident: $ty:ty)* $(,)?) $body:block
    ) => {
        $(#[$about])*
        #[inline]
        $vis fn $name<$S: $bound>($simd: $T $(, $x: $ty)*) {
            #[inline(always)]
            fn on<$S: $bound>($simd: $T $(, $x: $ty)*) $body
            $crate::rt::Simd::vectorize(
                $simd,
                #[inline(always)]
                || on($simd $(, $x)*),
            );
        }
    };
}
pub use crate::__apart as apart;

/// How many [`F32x16`] a tile should accumulate in: as many as leave registers
/// for two operands, and at least as many as keep the multipliers busy.
#[must_use]
pub const fn accumulators<S: Simd>() -> usize {
    match <S::f32s as SimdBase<S>>::LEN {
        16.. => 16,                              // of 32 registers
        8.. => 6,                                // 12 of 16
        _ if cfg!(target_arch = "aarch64") => 6, // 24 of 32
        _ => 2,                                  // 8 of 16
    }
}

/// Sixteen `f32`s.
#[derive(Clone, Copy, Debug)]
pub struct F32x16<S: Simd>(f32x16<S>);

/// Sixteen truth values.
#[derive(Clone, Copy, Debug)]
pub struct Mask16<S: Simd>(mask32x16<S>);

/// The bit patterns of sixteen `f32`s.
#[derive(Clone, Copy, Debug)]
pub struct Bits16<S: Simd>(u32x16<S>);

impl<S: Simd> F32x16<S> {
    /// `value` in every lane.
    #[inline(always)]
    pub fn splat(simd: S, value: f32) -> Self {
        F32x16(f32x16::splat(simd, value))
    }
    /// The sixteen values of `from`.
    #[inline(always)]
    pub fn load(simd: S, from: &[f32; LANES]) -> Self {
        F32x16(f32x16::load_array_ref(simd, from))
    }
    /// Writes the sixteen values to `to`.
    #[inline(always)]
    pub fn store(self, to: &mut [f32; LANES]) {
        self.0.store_array(to);
    }
    /// The sixteen values as an array.
    #[inline(always)]
    pub fn to_array(self) -> [f32; LANES] {
        self.0.to_array()
    }
    /// Lane `i` is `f(i)`.
    #[inline(always)]
    pub fn from_fn(simd: S, f: impl Fn(usize) -> f32) -> Self {
        let mut lanes = [0.0; LANES];
        let mut i = 0;
        while i < LANES {
            lanes[i] = f(i);
            i += 1;
        }
        Self::load(simd, &lanes)
    }
    /// Integers as reals, rounded to nearest.
    #[inline(always)]
    pub fn from_u32(simd: S, from: &[u32; LANES]) -> Self {
        F32x16(u32x16::load_array_ref(simd, from).to_float())
    }
    /// `a0 b0 a1 b1 ... a7 b7` and `a8 b8 ... a15 b15`.
    #[inline(always)]
    pub fn interleave(self, other: Self) -> (Self, Self) {
        let (low, high) = self.0.interleave(other.0);
        (F32x16(low), F32x16(high))
    }
    /// Four values in the first lanes, and something in the others.
    #[inline(always)]
    fn of_four(four: f32x4<S>) -> Self {
        let eight = four.combine(four);
        F32x16(eight.combine(eight))
    }
    /// Combines lanes `i` and `i + 8`, then `i` and `i + 4`, `+ 2`, `+ 1`. What is left of the
    /// lanes stays in a register, of which the upper lanes are not computed.
    #[inline(always)]
    pub(super) fn halve<F: Fold>(self) -> f32 {
        let (low, high) = self.0.split();
        let eight = F::fold(F32x16(low.combine(low)), F32x16(high.combine(high)));
        let (low, high) = eight.0.split().0.split();
        let four = F::fold(Self::of_four(low), Self::of_four(high)).0.split().0.split().0;
        let two = F::fold(Self::of_four(four), Self::of_four(four.slide::<2>(four))).0.split().0.split().0;
        F::fold(Self::of_four(two), Self::of_four(two.slide::<1>(two))).to_array()[0]
    }
}

/// Implements an operator lane by lane, and its assigning form.
macro_rules! operator {
    ($trait:ident $verb:ident $assign:ident $assign_verb:ident $op:tt) => {
        impl<S: Simd> $trait for F32x16<S> {
            type Output = Self;
            #[inline(always)]
            fn $verb(self, other: Self) -> Self {
                F32x16(self.0 $op other.0)
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
        F32x16(-self.0)
    }
}

impl<S: Simd> Real for F32x16<S> {
    type Mask = Mask16<S>;
    #[inline(always)]
    fn like(self, value: f64) -> Self {
        Self::splat(self.0.simd, value as f32)
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        F32x16(self.0.mul_add(b.0, c.0))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        F32x16(self.0.abs())
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        F32x16(self.0.copysign(sign.0))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        F32x16(self.0.sqrt())
    }
    #[inline(always)]
    fn round(self) -> Self {
        F32x16(self.0.round_ties_even())
    }
    #[inline(always)]
    fn floor(self) -> Self {
        F32x16(self.0.floor())
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Mask16<S> {
        Mask16(self.0.simd_lt(other.0))
    }
    #[inline(always)]
    fn le(self, other: Self) -> Mask16<S> {
        Mask16(self.0.simd_le(other.0))
    }
    #[inline(always)]
    fn eq(self, other: Self) -> Mask16<S> {
        Mask16(self.0.simd_eq(other.0))
    }
    #[inline(always)]
    fn select(mask: Mask16<S>, a: Self, b: Self) -> Self {
        F32x16(mask.0.select(a.0, b.0))
    }
}

impl<S: Simd> Lane for F32x16<S> {
    type Bits = Bits16<S>;
    #[inline(always)]
    fn to_bits(self) -> Bits16<S> {
        Bits16(self.0.to_bits())
    }
    #[inline(always)]
    fn from_bits(bits: Bits16<S>) -> Self {
        F32x16(f32x16::from_bits(bits.0))
    }
    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        let lanes = self.to_array();
        Self::from_fn(
            self.0.simd,
            #[inline(always)]
            |i| f(lanes[i]),
        )
    }
    #[inline(always)]
    fn map2(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let (a, b) = (self.to_array(), other.to_array());
        Self::from_fn(
            self.0.simd,
            #[inline(always)]
            |i| f(a[i], b[i]),
        )
    }
}

impl<S: Simd> Bits for Bits16<S> {
    #[inline(always)]
    fn plus(self, n: u32) -> Self {
        Bits16(self.0 + n)
    }
    #[inline(always)]
    fn and(self, n: u32) -> Self {
        Bits16(self.0 & n)
    }
    #[inline(always)]
    fn or(self, n: u32) -> Self {
        Bits16(self.0 | n)
    }
    #[inline(always)]
    fn left<const N: u32>(self) -> Self {
        Bits16(self.0 << N)
    }
    #[inline(always)]
    fn right<const N: u32>(self) -> Self {
        Bits16(self.0 >> N)
    }
}

impl<S: Simd> Mask16<S> {
    /// True in the first `n` lanes.
    #[inline(always)]
    pub fn first(simd: S, n: usize) -> Self {
        let bits = if n < LANES { (1 << n) - 1 } else { u64::MAX };
        Mask16(mask32x16::from_bitmask(simd, bits & 0xffff))
    }
}

impl<S: Simd> Mask for Mask16<S> {
    #[inline(always)]
    fn any(self) -> bool {
        self.0.any_true()
    }
    #[inline(always)]
    fn all(self) -> bool {
        self.0.all_true()
    }
}

impl<S: Simd> BitAnd for Mask16<S> {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Mask16(self.0 & other.0)
    }
}

impl<S: Simd> BitOr for Mask16<S> {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Mask16(self.0 | other.0)
    }
}

impl<S: Simd> Not for Mask16<S> {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Mask16(!self.0)
    }
}
