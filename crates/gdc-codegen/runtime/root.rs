//! Square roots by plain arithmetic, for targets and builds without a library
//! or an instruction for them. Correctly rounded, so that it makes no
//! difference to results whether these or the machine's own are used.

/// The square root of an `f32`, correctly rounded.
///
/// Newton's method on `1/sqrt(x)` in `f64`, which leaves an error below
/// 2^-51; no square root of an `f32` lies closer than that to the middle of
/// two `f32`s. Without branches, so that loops over it vectorise.
#[inline(always)]
pub fn sqrt_f32(x: f32) -> f32 {
    // Of negative numbers too, lest intermediate numbers become subnormal.
    let wide = x.abs() as f64;
    let mut y = f64::from_bits(0x5fe6_eb50_c7b5_37a9_u64.wrapping_sub(wide.to_bits() >> 1));
    let half = 0.5 * wide;
    y *= 1.5 - half * y * y;
    y *= 1.5 - half * y * y;
    y *= 1.5 - half * y * y;
    y *= 1.5 - half * y * y;
    let root = (wide * y) as f32;
    // Zeros keep their sign; infinity and NaN are their own roots.
    let special = if x < 0.0 { f32::NAN } else { x };
    let positive = 0_u32.wrapping_sub((x > 0.0 && x < f32::INFINITY) as u32);
    f32::from_bits((root.to_bits() & positive) | (special.to_bits() & !positive))
}

/// The square root of an `f64`, correctly rounded, by an integer square root.
pub fn sqrt_f64(x: f64) -> f64 {
    if x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    // x = digits * 2^exponent with an even exponent and 53 or 54 digits.
    let (mut bits, mut shift) = (x.to_bits(), 0);
    if bits < 1 << 52 {
        bits = (x * 18_014_398_509_481_984.0).to_bits(); // 2^54, for subnormals
        shift = 54;
    }
    let mut digits = (bits & ((1 << 52) - 1)) | (1 << 52);
    let mut exponent = (bits >> 52) as i64 - 1075 - shift;
    if exponent & 1 != 0 {
        digits <<= 1;
        exponent -= 1;
    }
    // The root of digits * 2^54 has one bit more than an f64 holds, which
    // decides the rounding: an exact middle is never a square root.
    let root = ((digits as u128) << 54).isqrt() as u64;
    let root = (root + 1) >> 1;
    // root * 2^(exponent/2 - 26): a power of two that is always normal.
    let scale = f64::from_bits(((exponent / 2 - 26 + 1023) as u64) << 52);
    root as f64 * scale
}
