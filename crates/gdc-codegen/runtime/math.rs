//! Functions of `f32`s, written once for one value and for sixteen lanes.
//!
//! Each is a polynomial without branches. Its error is given in units in the
//! last place (ULP) of the exact result, with or without fused multiply-add;
//! infinities, NaN, zeros and subnormal numbers come out as in C. On one `f32`
//! the bits are the same on every machine. On one `f64` the functions of the
//! module `double` answer, with the bounds that stand there.

use super::{Lane, Real, double, polynomials};

/// Numbers that have the functions below.
pub trait Function: Real {
    /// See [`exp`].
    fn exp(self) -> Self;
    /// See [`expm1`].
    fn expm1(self) -> Self;
    /// See [`ln`].
    fn ln(self) -> Self;
    /// See [`ln_1p`].
    fn ln_1p(self) -> Self;
    /// See [`tanh`].
    fn tanh(self) -> Self;
    /// See [`sigmoid`].
    fn sigmoid(self) -> Self;
    /// See [`softplus`].
    fn softplus(self) -> Self;
    /// See [`erf`].
    fn erf(self) -> Self;
    /// See [`sin`].
    fn sin(self) -> Self;
    /// See [`cos`].
    fn cos(self) -> Self;
    /// See [`pow`].
    fn pow(self, b: Self) -> Self;
}

/// `e^x`, within 1.1 ULP.
#[inline(always)]
pub fn exp<T: Function>(x: T) -> T {
    x.exp()
}

/// `e^x - 1`, without loss near 0, within 1.6 ULP.
#[inline(always)]
pub fn expm1<T: Function>(x: T) -> T {
    x.expm1()
}

/// The natural logarithm, within 1 ULP.
#[inline(always)]
pub fn ln<T: Function>(x: T) -> T {
    x.ln()
}

/// `ln(1 + x)`, without loss near 0, within 1.1 ULP.
#[inline(always)]
pub fn ln_1p<T: Function>(x: T) -> T {
    x.ln_1p()
}

/// The hyperbolic tangent, within 1.5 ULP.
#[inline(always)]
pub fn tanh<T: Function>(x: T) -> T {
    x.tanh()
}

/// `1 / (1 + e^-x)`, within 2.5 ULP.
#[inline(always)]
pub fn sigmoid<T: Function>(x: T) -> T {
    x.sigmoid()
}

/// `ln(1 + e^x)`, within 2.5 ULP.
#[inline(always)]
pub fn softplus<T: Function>(x: T) -> T {
    x.softplus()
}

/// The error function, within 1.5 ULP.
#[inline(always)]
pub fn erf<T: Function>(x: T) -> T {
    x.erf()
}

/// The sine, within 1.6 ULP, of any size of `x`.
#[inline(always)]
pub fn sin<T: Function>(x: T) -> T {
    x.sin()
}

/// The cosine, within 1.6 ULP, of any size of `x`.
#[inline(always)]
pub fn cos<T: Function>(x: T) -> T {
    x.cos()
}

/// `a` to the power of `b`, as in C, within 1 ULP. Lane by lane in `f64`, so
/// tens of times slower than the other functions: a power that is known is
/// better written with [`powi`](super::powi) or [`sqrt`](super::sqrt).
#[inline(always)]
pub fn pow<T: Function>(a: T, b: T) -> T {
    a.pow(b)
}

/// Answers [`Function`] for `f64` and for lanes from two modules of functions.
macro_rules! functions {
    ($($name:ident($($argument:ident)?);)*) => {
        impl Function for f64 {
            $(#[inline(always)]
            fn $name(self $(, $argument: Self)?) -> Self {
                double::$name(self $(, $argument)?)
            })*
        }
        impl<T: Lane> Function for T {
            $(#[cfg_attr(any(target_feature = "sse2", target_feature = "neon", target_feature = "simd128"), inline(always))]
            // Without vectors sixteen lanes are sixteen copies: to compile them at every place takes minutes.
            #[cfg_attr(not(any(target_feature = "sse2", target_feature = "neon", target_feature = "simd128")), inline(never))]
            fn $name(self $(, $argument: Self)?) -> Self {
                polynomials::$name(self $(, $argument)?)
            })*
        }
    };
}

functions! {
    exp(); expm1(); ln(); ln_1p(); tanh(); sigmoid(); softplus(); erf(); sin(); cos(); pow(b);
}
