//! Random numbers that are a pure function of what they are for.
//!
//! There is no generator with a state. A *key* is 64 bits; [`fold`] makes a new
//! key of a key and a word, and draws are made of keys:
//!
//! ```text
//! mix(z)          z ^= z >> 30;  z *= 0xbf58476d1ce4e5b9;
//!                 z ^= z >> 27;  z *= 0x94d049bb133111eb;
//!                 z ^ (z >> 31)
//! fold(key, word) mix(key + (word + 1) * 0x9e3779b97f4a7c15)
//! ```
//!
//! modulo 2^64: output number `word` of the generator SplitMix64 (Steele, Lea
//! and Flood, "Fast splittable pseudorandom number generators", 2014, with
//! the constants of Stafford's variant 13) whose state is `key`. A draw for
//! `(seed, site, element)` is made of `h = fold(fold(seed, site), element)`:
//!
//! ```text
//! uniform         (h >> 40) * 2^-24                      as f32
//! uniform_f64     (h >> 11) * 2^-53                      as f64
//! normal_f64      sqrt(-2 ln u) * cos(2 pi v)            Box and Muller
//!                 u = ((h >> 11) + 1) * 2^-53,  v = (fold(h, 0) >> 11) * 2^-53
//! normal          normal_f64 rounded to f32
//! ```
//!
//! All of it is plain arithmetic: the bits are the same on every machine.

use super::{double, sqrt};

/// A new key of `key` and `word`: different words, unrelated keys.
#[inline(always)]
pub const fn fold(key: u64, word: u64) -> u64 {
    let z = key.wrapping_add(word.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Uniform in `0..1`, in steps of 2^-24.
#[inline(always)]
pub const fn uniform(seed: u64, site: u64, element: u64) -> f32 {
    uniform_of(fold(fold(seed, site), element))
}

/// Uniform in `0..1`, in steps of 2^-24, of the last key of a draw: for loops
/// that fold seed and site only once.
#[inline(always)]
pub const fn uniform_of(key: u64) -> f32 {
    (key >> 40) as f32 * (1.0 / 16_777_216.0)
}

/// Uniform in `0..1`, in steps of 2^-53. The first 24 bits are [`uniform`]'s.
#[inline(always)]
pub const fn uniform_f64(seed: u64, site: u64, element: u64) -> f64 {
    uniform_f64_of(fold(fold(seed, site), element))
}

/// Uniform in `0..1`, in steps of 2^-53, of the last key of a draw.
#[inline(always)]
pub const fn uniform_f64_of(key: u64) -> f64 {
    (key >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// Normal with mean 0 and variance 1.
pub fn normal(seed: u64, site: u64, element: u64) -> f32 {
    normal_f64(seed, site, element) as f32
}

/// Normal with mean 0 and variance 1, of the last key of a draw.
pub fn normal_of(key: u64) -> f32 {
    normal_f64_of(key) as f32
}

/// Normal with mean 0 and variance 1; [`normal`] is this, rounded.
pub fn normal_f64(seed: u64, site: u64, element: u64) -> f64 {
    normal_f64_of(fold(fold(seed, site), element))
}

/// Normal with mean 0 and variance 1, of the last key of a draw.
pub fn normal_f64_of(key: u64) -> f64 {
    let u = ((key >> 11) + 1) as f64 * (1.0 / 9_007_199_254_740_992.0);
    let v = uniform_f64_of(fold(key, 0));
    sqrt(-2.0 * double::ln(u)) * double::cos(::core::f64::consts::TAU * v)
}
