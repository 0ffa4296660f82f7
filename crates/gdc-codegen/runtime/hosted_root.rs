//! Square roots by the machine's own instruction, for programs with `std`. Correctly rounded, as
//! those by plain arithmetic are.

/// The square root of an `f32`, correctly rounded.
#[inline(always)]
pub fn sqrt_f32(x: f32) -> f32 {
    f32::sqrt(x)
}

/// The square root of an `f64`, correctly rounded.
#[inline(always)]
pub fn sqrt_f64(x: f64) -> f64 {
    f64::sqrt(x)
}
