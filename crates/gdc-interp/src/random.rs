//! Random draws, made a second time from the description that the runtime gives of them.
//!
//! A draw depends on a seed, a site and an element alone. With arithmetic modulo 2^64:
//! output number `word` of SplitMix64 (Steele, Lea and Flood, 2014) started at `key` is
//! `fold(key, word)`, and a draw is made of `fold(fold(seed, site), element)`.

use gdc_ir::{Dist, Precision};

/// A new key of a key and a word.
pub(crate) fn fold(key: u64, word: u64) -> u64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut z = key.wrapping_add(GOLDEN.wrapping_mul(word.wrapping_add(1)));
    for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
        z = (z ^ (z >> shift)).wrapping_mul(factor);
    }
    z ^ (z >> 31)
}

/// The last key of a draw.
fn key(seed: u64, site: u64, element: u64) -> u64 {
    fold(fold(seed, site), element)
}

/// The first 53 bits as a fraction.
fn fraction(key: u64) -> f64 {
    (key >> 11) as f64 / (1u64 << 53) as f64
}

/// Uniform in [0, 1): a multiple of 2^-24 for a model of `f32`, of 2^-53 for `f64`.
pub fn uniform(precision: Precision, seed: u64, site: u64, element: u64) -> f64 {
    let key = key(seed, site, element);
    match precision {
        Precision::F32 => (key >> 40) as f64 / (1u64 << 24) as f64,
        Precision::F64 => fraction(key),
    }
}

/// Normal with mean 0 and variance 1 by the method of Box and Muller, rounded to the
/// precision of the model.
pub fn normal(precision: Precision, seed: u64, site: u64, element: u64) -> f64 {
    let first = key(seed, site, element);
    // In (0, 1], so that the logarithm is finite.
    let u = fraction(first) + 1.0 / (1u64 << 53) as f64;
    let v = fraction(fold(first, 0));
    let value = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
    match precision {
        Precision::F32 => f64::from(value as f32),
        Precision::F64 => value,
    }
}

/// A draw of either distribution.
pub(crate) fn draw(precision: Precision, dist: Dist, seed: u64, site: u64, element: u64) -> f64 {
    match dist {
        Dist::Uniform => uniform(precision, seed, site, element),
        Dist::Normal => normal(precision, seed, site, element),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fold_is_splitmix64() {
        // The first outputs of the published generator for the state 0.
        assert_eq!(fold(0, 0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(fold(0, 1), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(fold(0, 2), 0x06c4_5d18_8009_454f);
    }

    #[test]
    fn draws_have_their_moments() {
        let n = 20_000u64;
        let moments = |f: &dyn Fn(u64) -> f64| {
            let values: Vec<f64> = (0..n).map(f).collect();
            let mean = values.iter().sum::<f64>() / n as f64;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
            (mean, variance)
        };
        let (mean, variance) = moments(&|i| uniform(Precision::F32, 7, 1, i));
        assert!((mean - 0.5).abs() < 0.01 && (variance - 1.0 / 12.0).abs() < 0.002);
        let (mean, variance) = moments(&|i| normal(Precision::F64, 7, 1, i));
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04);
    }

    #[test]
    fn single_precision_is_the_head_of_double() {
        for i in 0..100 {
            let (short, long) = (uniform(Precision::F32, 3, 9, i), uniform(Precision::F64, 3, 9, i));
            assert!(short <= long && long < short + 1.0 / 16_777_216.0);
        }
    }
}
