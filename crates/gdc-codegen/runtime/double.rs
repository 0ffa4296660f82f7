//! Functions of one `f64` by plain arithmetic, the same bits on every machine:
//! for numbers needed once per step (learning rates, bias corrections), for
//! initial values, and for models of `precision f64`.
//!
//! Relative errors stay below 1e-15 where the text of a function says nothing
//! else. Infinities, NaN and zeros come out as in C; results below the
//! smallest normal number may lose digits.

use super::{abs, max, min, powi, round};
use ::core::f64::consts::{FRAC_2_PI, FRAC_2_SQRT_PI, FRAC_PI_2, LOG2_E, SQRT_2};
use ::core::prelude::rust_2021::*;

/// `c[0] + c[1] x + c[2] x^2 + ...`
#[inline(always)]
fn polynomial<const N: usize>(x: f64, c: [f64; N]) -> f64 {
    c.into_iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// `2^n` for an integer `n`; 0 or infinity outside the normal numbers.
#[inline(always)]
fn power_of_two(n: f64) -> f64 {
    // Beyond these ends the biased exponent would leave its 11 bits.
    f64::from_bits(((min(max(n, -1023.0), 1024.0) + 1023.0) as u64) << 52)
}

/// ln 2 in two parts; products of the first with an exponent are exact.
const LN_2: (f64, f64) = (6.931_471_804_855_391e-1, 7.440_617_110_012_397e-11);

/// `(n, e^r - 1)` with `x = n ln 2 + r` and `|r| <= ln 2 / 2`.
#[inline(always)]
fn exp_parts(x: f64) -> (f64, f64) {
    let n = round(x * LOG2_E);
    let r = x - n * LN_2.0 - n * LN_2.1;
    // Taylor's series; the first term left out is below 1e-17 of the sum.
    let tail = polynomial(
        r,
        [
            1.0 / 2.0,
            1.0 / 6.0,
            1.0 / 24.0,
            1.0 / 120.0,
            1.0 / 720.0,
            1.0 / 5040.0,
            1.0 / 40_320.0,
            1.0 / 362_880.0,
            1.0 / 3_628_800.0,
            1.0 / 39_916_800.0,
            1.0 / 479_001_600.0,
            1.0 / 6_227_020_800.0,
        ],
    );
    (n, r + r * r * tail)
}

/// `e^x`.
pub fn exp(x: f64) -> f64 {
    let (n, less_one) = exp_parts(min(max(x, -760.0), 720.0));
    // Two halves, so that neither overflows before the result does.
    let half = round(n * 0.5);
    (1.0 + less_one) * power_of_two(half) * power_of_two(n - half)
}

/// `e^x - 1`, without loss near 0.
pub fn expm1(x: f64) -> f64 {
    if abs(x) < 1e-17 {
        return x;
    }
    let (n, less_one) = exp_parts(min(max(x, -50.0), 709.9));
    let half = power_of_two(n - 1.0);
    (half * less_one + (half - 0.5)) * 2.0
}

/// `ln(2^n (1 + f) + c)` for `c` far below a unit in the last place of the
/// rest, by the series of `2 artanh(s)`.
#[inline(always)]
fn ln_parts(n: f64, f: f64, c: f64) -> f64 {
    let s = f / (2.0 + f);
    let square = s * s;
    // 1/3 + s^2/5 + s^4/7 + ...; |s| <= 0.1716.
    let tail = polynomial(
        square,
        [
            2.0 / 3.0,
            2.0 / 5.0,
            2.0 / 7.0,
            2.0 / 9.0,
            2.0 / 11.0,
            2.0 / 13.0,
            2.0 / 15.0,
            2.0 / 17.0,
            2.0 / 19.0,
            2.0 / 21.0,
        ],
    );
    // 2s = f - f s, of which f is exact.
    let half = 0.5 * f * f;
    n * LN_2.0 + (f - (half - (s * (half + square * tail) + (n * LN_2.1 + c))))
}

/// `x = 2^n (1 + f)` for a positive finite `x`, `1 + f` in `sqrt(1/2)..sqrt(2)`.
#[inline(always)]
fn split(x: f64) -> (f64, f64) {
    let small = x < f64::MIN_POSITIVE;
    let (x, shift) = if small { (x * 18_014_398_509_481_984.0, 54.0) } else { (x, 0.0) };
    let offset = 1.0_f64.to_bits() - (0.5 * SQRT_2).to_bits();
    let bits = x.to_bits().wrapping_add(offset);
    let mantissa = (bits & ((1 << 52) - 1)).wrapping_add((0.5 * SQRT_2).to_bits());
    let n = (bits >> 52) as f64 - 1023.0 - shift;
    (n, f64::from_bits(mantissa) - 1.0)
}

/// The natural logarithm.
pub fn ln(x: f64) -> f64 {
    if x > 0.0 && x < f64::INFINITY {
        let (n, f) = split(x);
        ln_parts(n, f, 0.0)
    } else if x == 0.0 {
        f64::NEG_INFINITY
    } else if x < 0.0 {
        f64::NAN
    } else {
        x
    }
}

/// `ln(1 + x)`, without loss near 0.
pub fn ln_1p(x: f64) -> f64 {
    let sum = 1.0 + x;
    if abs(x) < 1e-17 {
        x
    } else if sum > 0.0 && sum < f64::INFINITY {
        let (n, f) = split(sum);
        // What the addition lost; where x is large it is x - sum + 1 instead.
        let lost = if x < 1.0 { x - (sum - 1.0) } else { 1.0 - (sum - x) };
        ln_parts(n, f, lost / sum)
    } else {
        ln(sum)
    }
}

/// The hyperbolic tangent.
pub fn tanh(x: f64) -> f64 {
    let e = expm1(-2.0 * abs(x));
    (-e / (2.0 + e)).copysign(x)
}

/// `1 / (1 + e^-x)`.
pub fn sigmoid(x: f64) -> f64 {
    let e = exp(-abs(x));
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}

/// `ln(1 + e^x)`.
pub fn softplus(x: f64) -> f64 {
    max(x, 0.0) + ln_1p(exp(-abs(x)))
}

/// The error function, within 1e-14; by the series of `e^(x^2) erf(x)`, whose
/// terms are all positive.
pub fn erf(x: f64) -> f64 {
    let size = min(abs(x), 6.0);
    let square = 2.0 * size * size;
    let (mut sum, mut term, mut odd) = (size, size, 1.0);
    while term > 1e-17 * sum {
        odd += 2.0;
        term *= square / odd;
        sum += term;
    }
    (FRAC_2_SQRT_PI * exp(-0.5 * square) * sum).copysign(x)
}

/// `a` to the power of `b` as in C; within `(1 + |b ln a|) * 3e-16`.
pub fn pow(a: f64, b: f64) -> f64 {
    let whole = round(b) == b;
    if whole && abs(b) <= 64.0 {
        return powi(a, b as i32);
    }
    if a == 1.0 {
        return 1.0;
    }
    let size = exp(b * ln(abs(a)));
    // Beyond 2^53 every number is even.
    let odd = whole && abs(b) < 9_007_199_254_740_992.0 && (b as i64) & 1 == 1;
    if a.is_sign_negative() && odd {
        -size
    } else if a < 0.0 && a > f64::NEG_INFINITY && !whole {
        f64::NAN
    } else if a == -1.0 {
        1.0
    } else {
        size
    }
}

/// The sine.
pub fn sin(x: f64) -> f64 {
    let (quadrant, r) = quarter_turns(x);
    quarter(quadrant, r)
}

/// The cosine.
pub fn cos(x: f64) -> f64 {
    let (quadrant, r) = quarter_turns(x);
    quarter(quadrant + 1, r)
}

/// The sine of `quadrant` quarter turns and `r`, by Taylor's series.
#[inline(always)]
fn quarter(quadrant: u64, r: f64) -> f64 {
    let square = r * r;
    let value = if quadrant & 1 == 0 {
        let tail = polynomial(
            square,
            [
                -1.0 / 6.0,
                1.0 / 120.0,
                -1.0 / 5040.0,
                1.0 / 362_880.0,
                -1.0 / 39_916_800.0,
                1.0 / 6_227_020_800.0,
                -1.0 / 1_307_674_368_000.0,
                1.0 / 355_687_428_096_000.0,
            ],
        );
        r + r * square * tail
    } else {
        let tail = polynomial(
            square,
            [
                1.0 / 24.0,
                -1.0 / 720.0,
                1.0 / 40_320.0,
                -1.0 / 3_628_800.0,
                1.0 / 479_001_600.0,
                -1.0 / 87_178_291_200.0,
                1.0 / 20_922_789_888_000.0,
                -1.0 / 6_402_373_705_728_000.0,
            ],
        );
        1.0 - (0.5 * square - square * square * tail)
    };
    if quadrant & 2 == 0 { value } else { -value }
}

/// `x = quadrant pi/2 + r` with `|r| <= pi/4`, quadrants modulo 4.
fn quarter_turns(x: f64) -> (u64, f64) {
    if !x.is_finite() {
        return (0, f64::NAN);
    }
    if abs(x) > 500_000.0 {
        let (quadrant, r) = far_quarter_turns(abs(x));
        return if x < 0.0 { (quadrant.wrapping_neg() & 3, -r) } else { (quadrant, r) };
    }
    // pi/2 in three parts, so that the first two products are exact.
    let n = round(x * FRAC_2_PI);
    let near = x - n * 1.570_796_326_734_125_6;
    let product = n * 6.077_100_506_303_966e-11;
    let r = near - product;
    // What the subtraction rounded away, then the last part.
    let lost = (near - r) - product;
    let r = r + (lost - n * 2.022_266_248_795_950_6e-21);
    ((n as i64 & 3) as u64, r)
}

/// 2/pi in 64-bit digits; the first digit stands before the binary point.
const TWO_OVER_PI: [u64; 21] = [
    0x0000_0000_0000_0000,
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
];

/// [`quarter_turns`] of a large positive `x`, after Payne and Hanek: of the
/// product with 2/pi only the 192 bits that decide it modulo 4 are computed.
fn far_quarter_turns(x: f64) -> (u64, f64) {
    // x = digits * 2^exponent
    let digits = (x.to_bits() & ((1 << 52) - 1)) | (1 << 52);
    let exponent = (x.to_bits() >> 52) as i64 - 1075;
    // Bits of 2/pi before this one contribute whole turns.
    let first = (exponent + 62) as usize;
    let digit = |i: usize| TWO_OVER_PI.get(first / 64 + i).copied().unwrap_or(0) as u128;
    let window = |i: usize| ((((digit(i) << 64) | digit(i + 1)) << (first % 64)) >> 64) as u64;
    let low = digits as u128 * window(2) as u128;
    let middle = digits as u128 * window(1) as u128 + (low >> 64);
    let high = digits.wrapping_mul(window(0)).wrapping_add((middle >> 64) as u64);
    // Two bits of quadrant, then the fraction; above a half it counts back
    // from the next quadrant, which is what its sign bit says.
    let fraction = (((high as u128) << 64 | (middle as u64) as u128) << 2) as i128;
    let quadrant = (high >> 62) + (fraction < 0) as u64;
    let unit = power_of_two(-128.0);
    (quadrant & 3, fraction as f64 * unit * FRAC_PI_2)
}
