//! The functions of `f32`s behind the module `math`, over one or many lanes.
//!
//! Coefficients are least-maximum fits to the exact functions on the stated
//! ranges, rounded to `f32` one after the other. The tests of crate `gdc` hold
//! the bounds of the module `math` against `f64`: sampled, or, on request, of
//! all 2^32 numbers.

use super::{Bits, Lane, Mask, double};

/// `c[0] + c[1] x + c[2] x^2 + ...`
#[inline(always)]
fn polynomial<T: Lane, const N: usize>(x: T, c: [f32; N]) -> T {
    let mut sum = x.like(0.0);
    let mut i = N;
    while i > 0 {
        i -= 1;
        let next = x.like(c[i] as f64);
        sum = if i == N - 1 { next } else { sum.mul_add(x, next) };
    }
    sum
}

/// `x` within `low..=high`; NaN stays NaN.
#[inline(always)]
fn clamp<T: Lane>(x: T, low: f64, high: f64) -> T {
    let (low, high) = (x.like(low), x.like(high));
    T::select(x.lt(low), low, T::select(high.lt(x), high, x))
}

/// Adding it to a small number leaves the nearest integer in the low bits,
/// ties to even; subtracting it again, that integer as a number.
const NEAREST: f64 = 12_582_912.0; // 1.5 * 2^23

/// `2^(n - LESS)`, if it is a normal number, of `n + NEAREST`.
#[inline(always)]
fn power_of_two<const LESS: u32, T: Lane>(n_nearest: T) -> T {
    T::from_bits(n_nearest.to_bits().plus(127 - LESS).left::<23>())
}

/// ln 2 in two parts; products of the first with an exponent are exact.
const LN_2: (f64, f64) = (0.693_359_375, -2.121_944_4e-4);

/// `(n + NEAREST, e^r - 1)` with `x = n ln 2 + r`, `|r| <= ln 2 / 2`, for `|x| < 1e4`.
#[inline(always)]
fn exp_parts<T: Lane>(x: T) -> (T, T) {
    let nearest = x.like(NEAREST);
    let n_nearest = x.mul_add(x.like(::core::f64::consts::LOG2_E), nearest);
    let n = n_nearest - nearest;
    let r = n.mul_add(x.like(-LN_2.0), x);
    let r = n.mul_add(x.like(-LN_2.1), r);
    let tail = polynomial(r, [0.499_999_94, 0.166_665_17, 0.041_668_28, 0.008_369_248, 0.001_382_074_4]);
    (n_nearest, (r * r).mul_add(tail, r))
}

/// `e^x`.
#[inline(always)]
pub(super) fn exp<T: Lane>(x: T) -> T {
    let (low, high) = (x.like(-104.0), x.like(89.0));
    let zero = x.lt(low);
    let (n, less_one) = exp_parts(T::select(zero, low, T::select(high.lt(x), high, x)));
    // Twice the power of half as much, which does not overflow before the result does.
    let twice = less_one.mul_add(x.like(2.0), x.like(2.0));
    scaled::<1, T>(T::select(zero, x.like(0.0), twice), n)
}

/// `e^x` of an `x` that is not above zero, or NaN.
#[inline(always)]
fn exp_of_negative<T: Lane>(x: T) -> T {
    let low = x.like(-104.0);
    let zero = x.lt(low);
    let (n, less_one) = exp_parts(T::select(zero, low, x));
    scaled::<0, T>(T::select(zero, x.like(0.0), less_one + x.like(1.0)), n)
}

/// `power 2^(n - LESS)` of `n + NEAREST`. Where that is subnormal, `power` is scaled to 2^64 times
/// as much first, so that the result is rounded only once; or it is zero, since the way there
/// through subnormal numbers takes processors a hundred times as long.
#[inline(always)]
fn scaled<const LESS: u32, T: Lane>(power: T, n_nearest: T) -> T {
    let small = n_nearest.lt(power.like(NEAREST - 126.0 + LESS as f64));
    let more = T::select(small, n_nearest + power.like(64.0), n_nearest);
    let down = T::select(small, power.like(1.0 / (1u128 << 64) as f64), power.like(1.0));
    power * power_of_two::<LESS, T>(more) * down
}

/// `e^x - 1`.
#[inline(always)]
pub(super) fn expm1<T: Lane>(x: T) -> T {
    let (n, less_one) = exp_parts(clamp(x, -30.0, 89.0));
    // Half of the result, because 2^n can be out of range where it is not.
    let power = power_of_two::<1, T>(n);
    let half = power.mul_add(less_one, power - x.like(0.5));
    T::select(x.abs().lt(x.like(1e-8)), x, half + half)
}

/// `ln(2^n (1 + f) + c)` for a `c` far below the rest; `f` in -0.293..0.415.
#[inline(always)]
fn ln_parts<T: Lane>(n: T, f: T, c: T) -> T {
    let tail = polynomial(
        f,
        [
            0.333_333_13,
            -0.250_000_1,
            0.200_020_72,
            -0.166_679_89,
            0.142_203_58,
            -0.124_062_34,
            0.118_835_49,
            -0.116_700_985,
            0.067_492_69,
        ],
    );
    let square = f * f;
    let small = (square * f).mul_add(tail, n.mul_add(f.like(LN_2.1), c));
    let near = square.mul_add(f.like(-0.5), small);
    n.mul_add(f.like(LN_2.0), f + near)
}

/// `(n, f)` with `x = 2^n (1 + f)` for a positive normal `x`.
#[inline(always)]
fn split<T: Lane>(x: T) -> (T, T) {
    // Offsetting by the bits of sqrt(1/2) puts 1 + f in sqrt(1/2)..sqrt(2).
    const ROOT_HALF: u32 = 0x3f35_04f3;
    let bits = x.to_bits().plus(0x3f80_0000 - ROOT_HALF);
    let f = T::from_bits(bits.and(0x007f_ffff).plus(ROOT_HALF)) - x.like(1.0);
    // The exponent as the last bits of 2^23 + exponent.
    let n = T::from_bits(bits.right::<23>().or(0x4b00_0000)) - x.like(8_388_608.0 + 127.0);
    (n, f)
}

/// What `ln` gives outside the positive finite numbers, and `value` inside.
#[inline(always)]
fn ln_limits<T: Lane>(x: T, value: T) -> T {
    let (zero, infinity) = (x.like(0.0), x.like(f64::INFINITY));
    let outside = T::select(x.eq(zero), -infinity, T::select(x.lt(zero), x.like(f64::NAN), x));
    T::select(zero.lt(x) & x.lt(infinity), value, outside)
}

/// The natural logarithm.
#[inline(always)]
pub(super) fn ln<T: Lane>(x: T) -> T {
    let subnormal = x.lt(x.like(f32::MIN_POSITIVE as f64));
    let (n, f) = split(T::select(subnormal, x * x.like(8_388_608.0), x));
    let n = T::select(subnormal, n - x.like(23.0), n);
    ln_limits(x, ln_parts(n, f, x.like(0.0)))
}

/// `ln(1 + x)`.
#[inline(always)]
pub(super) fn ln_1p<T: Lane>(x: T) -> T {
    let one = x.like(1.0);
    let sum = x + one;
    let (n, f) = split(sum);
    // What the addition rounded away.
    let lost = T::select(x.lt(one), x - (sum - one), one - (sum - x));
    let value = ln_limits(sum, ln_parts(n, f, lost / sum));
    T::select(x.abs().lt(x.like(1e-8)), x, value)
}

/// The hyperbolic tangent.
#[inline(always)]
pub(super) fn tanh<T: Lane>(x: T) -> T {
    let (size, square, one) = (x.abs(), x * x, x.like(1.0));
    let tail = polynomial(square, [-0.333_332_84, 0.133_314_79, -0.053_742_174, 0.020_645_585, -0.005_710_849_5]);
    let near = (square * x).mul_add(tail, x);
    let far = one - x.like(2.0) / (exp(size + size) + one);
    T::select(size.lt(x.like(0.625)), near, far).copysign(x)
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(super) fn sigmoid<T: Lane>(x: T) -> T {
    let (zero, one) = (x.like(0.0), x.like(1.0));
    let e = exp_of_negative(-x.abs());
    T::select(x.lt(zero), e, one) / (e + one)
}

/// `ln(1 + e^x)`.
#[inline(always)]
pub(super) fn softplus<T: Lane>(x: T) -> T {
    let zero = x.like(0.0);
    T::select(x.lt(zero), zero, x) + ln_1p(exp_of_negative(-x.abs()))
}

/// The error function.
#[inline(always)]
pub(super) fn erf<T: Lane>(x: T) -> T {
    let (square, one) = (x * x, x.like(1.0));
    let near = polynomial(
        square,
        [0.128_379_17, -0.376_126_3, 0.112_836_23, -0.026_855_413, 0.005_191_272, -0.000_803_333_94, 0.000_079_129_924],
    );
    let near = near.mul_add(x, x);
    // -ln(1 - erf) from 0.85 to 4, where erf rounds to 1.
    let size = clamp(x.abs(), 0.0, 4.0);
    let far = polynomial(
        size,
        [
            -0.000_156_294_06,
            1.129_424_9,
            0.633_531_8,
            0.108_073_525,
            -0.024_983_997,
            0.004_118_982,
            -0.000_423_590_48,
            0.000_020_145_004,
        ],
    );
    let far = one - exp_of_negative(-far);
    T::select(x.abs().lt(x.like(0.875)), near, far.copysign(x))
}

/// The sine of `x` and `turns` quarter turns.
#[inline(always)]
fn sin_turned<T: Lane>(x: T, turns: f64, exact: fn(f64) -> f64) -> T {
    let nearest = x.like(NEAREST);
    let n = x.mul_add(x.like(::core::f64::consts::FRAC_2_PI), nearest) - nearest;
    // pi/2 in four parts; the first three products are exact.
    let r = n.mul_add(x.like(-1.570_312_5), x);
    let r = n.mul_add(x.like(-0.000_483_751_296_997_070_3), r);
    let product = n * x.like(7.549_533_620_476_723e-8);
    let high = r - product;
    let low = (r - high) - product;
    let r = high + n.mul_add(x.like(-2.563_344_068_257_089_6e-12), low);
    let square = r * r;
    let sine = polynomial(square, [-0.166_666_55, 0.008_332_19, -0.000_195_184_08]);
    let sine = (square * r).mul_add(sine, r);
    let cosine = polynomial(square, [0.041_666_646, -0.001_388_731, 0.000_024_432_327]);
    let cosine = (square * square).mul_add(cosine, square.mul_add(x.like(-0.5), x.like(1.0)));
    // The low bits of n + turns: odd, cosine; second bit, negative.
    let turns = (n + x.like(turns + NEAREST)).to_bits();
    let even = T::from_bits(turns.and(1).left::<23>()).eq(x.like(0.0));
    let sign = T::from_bits(turns.and(2).left::<30>().or(0x3f80_0000));
    let near = T::select(even, sine, cosine) * sign;
    let far = x.like(6_000.0).lt(x.abs());
    if far.any() {
        return T::select(far, x.map(|x| exact(x as f64) as f32), near);
    }
    near
}

/// The sine.
#[inline(always)]
pub(super) fn sin<T: Lane>(x: T) -> T {
    // Zeros keep their sign.
    T::select(x.eq(x.like(0.0)), x, sin_turned(x, 0.0, double::sin))
}

/// The cosine.
#[inline(always)]
pub(super) fn cos<T: Lane>(x: T) -> T {
    sin_turned(x, 1.0, double::cos)
}

/// `a` to the power of `b`, lane by lane in `f64`.
#[inline(always)]
pub(super) fn pow<T: Lane>(a: T, b: T) -> T {
    a.map2(b, |a, b| double::pow(a as f64, b as f64) as f32)
}
