//! Scalar arithmetic in `f64`, random numbers and orders: against the standard
//! library, published numbers and statistics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

use gdc::rt;

/// Numbers of every size and sign, denser where functions bend.
fn samples() -> Vec<f64> {
    let mut all = vec![0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1.0, -1.0];
    for i in 0..200_000_u64 {
        let u = rt::uniform_f64(1, 2, i);
        all.push((u - 0.5) * 80.0);
        all.push((u - 0.5) * 4.0);
        all.push(f64::from_bits(rt::fold(3, i)));
    }
    all
}

/// The relative error of `got`, with a floor at the smallest normal number.
fn relative(got: f64, exact: f64) -> f64 {
    if got.is_nan() && exact.is_nan() || got == exact {
        return 0.0;
    }
    (got - exact).abs() / exact.abs().max(f64::MIN_POSITIVE)
}

type Row = (&'static str, f64, fn(f64) -> f64, fn(f64) -> f64);

#[test]
fn functions_of_f64() {
    let rows: &[Row] = &[
        ("exp", 1e-15, rt::exp, f64::exp),
        ("expm1", 1e-15, rt::expm1, f64::exp_m1),
        ("ln", 1e-15, rt::ln, f64::ln),
        ("ln_1p", 1e-15, rt::ln_1p, f64::ln_1p),
        ("tanh", 1e-15, rt::tanh, f64::tanh),
        ("sigmoid", 1e-15, rt::sigmoid, |x| if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }),
        ("softplus", 1e-15, rt::softplus, |x| if x.is_nan() { x } else { x.max(0.0) + (-x.abs()).exp().ln_1p() }),
        ("sin", 1e-15, rt::sin, f64::sin),
        ("cos", 1e-15, rt::cos, f64::cos),
        ("sqrt", 0.0, rt::sqrt_f64, f64::sqrt),
        ("floor", 0.0, rt::floor, f64::floor),
        ("ceil", 0.0, rt::ceil, f64::ceil),
        ("round", 0.0, rt::round, f64::round_ties_even),
    ];
    for &(name, bound, ours, exact) in rows {
        let mut worst = (0.0, 0.0);
        for x in samples() {
            let error = relative(ours(x), exact(x));
            assert!(error.is_finite(), "{name}({x:e}) = {:e}, not {:e}", ours(x), exact(x));
            if error > worst.0 {
                worst = (error, x);
            }
        }
        println!("{name:9} {:.2e} at {:e}", worst.0, worst.1);
        assert!(worst.0 <= bound, "{name}: {:e} at {:e}", worst.0, worst.1);
    }
}

#[test]
fn square_roots_of_f64_are_rounded_correctly() {
    for i in 0..1_000_000_u64 {
        let x = f64::from_bits(rt::fold(4, i) >> 1);
        if x.is_nan() {
            continue;
        }
        assert_eq!(rt::sqrt_f64(x).to_bits(), x.sqrt().to_bits(), "{x:e}");
    }
    let hard = [1.0 - f64::EPSILON / 2.0, f64::MAX, f64::MIN_POSITIVE, 5e-324, 1.0 + f64::EPSILON];
    for x in hard {
        assert_eq!(rt::sqrt_f64(x).to_bits(), x.sqrt().to_bits(), "{x:e}");
    }
}

/// Values of the error function to 16 digits, from its integral in arbitrary
/// precision.
#[test]
fn error_function() {
    let table = [
        (1e-3, 1.128378790969236e-3),
        (0.1, 0.1124629160182849),
        (0.5, 0.5204998778130465),
        (1.0, 0.8427007929497149),
        (1.5, 0.9661051464753107),
        (2.5, 0.999593047982555),
        (4.0, 0.9999999845827421),
        (7.0, 1.0),
    ];
    for (x, exact) in table {
        assert!(relative(rt::erf(x), exact) < 1e-14, "{x}");
        assert_eq!(rt::erf(-x), -rt::erf(x));
    }
    assert!(rt::erf(f64::NAN).is_nan());
}

#[test]
fn powers() {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        2.0,
        -2.0,
        3.0,
        -3.0,
        1e300,
        65.0,
        -65.0,
        66.0,
        0.3,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    for a in special {
        for b in special {
            let (got, exact) = (rt::pow(a, b), a.powf(b));
            assert!(relative(got, exact) < 1e-13, "{a} ^ {b} = {got}, not {exact}");
            assert!(
                got.is_nan() || got.is_sign_negative() == exact.is_sign_negative(),
                "{a} ^ {b} = {got}, not {exact}"
            );
        }
    }
    for i in 0..200_000 {
        let a = rt::exp(rt::normal_f64(5, 0, i) * 5.0);
        let b = rt::normal_f64(5, 1, i) * 5.0;
        let bound = (1.0 + (b * a.ln()).abs()) * 3e-16;
        assert!(relative(rt::pow(a, b), a.powf(b)) <= bound, "{a} ^ {b}");
        let (a, b) = (a as f32, b as f32);
        let exact = f64::from(a).powf(f64::from(b)) as f32;
        assert!(rt::pow(a, b) == exact || (rt::pow(a, b) - exact).abs() <= exact * f32::EPSILON, "{a} ^ {b}");
    }
    assert_eq!(rt::powi(3.0_f32, 5), 243.0);
    assert_eq!(rt::powi(2.0_f64, -3), 0.125);
    assert_eq!(rt::powi(f32::NAN, 0), 1.0);
}

/// The first outputs of SplitMix64 from the state 1234567, as published with
/// its reference implementation.
#[test]
fn fold_is_splitmix64() {
    let published: [u64; 5] =
        [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821];
    for (i, expected) in published.into_iter().enumerate() {
        assert_eq!(rt::fold(1234567, i as u64), expected);
    }
}

#[test]
fn random_numbers_keep_their_bits() {
    let first: Vec<u32> = (0..3).map(|i| rt::uniform(7, 1, i).to_bits()).collect();
    let normal: Vec<u32> = (0..3).map(|i| rt::normal(7, 1, i).to_bits()).collect();
    assert_eq!(first, [0x3f02_54fd, 0x3f40_52c5, 0x3f67_19a8]);
    assert_eq!(normal, [0x3f79_456c, 0x3c46_0eb9, 0x3d50_bbcf]);
}

#[test]
fn random_numbers_have_their_distributions() {
    let n = 200_000;
    let mean = |f: &dyn Fn(u64) -> f64| (0..n).map(f).sum::<f64>() / n as f64;
    let uniform = |i| f64::from(rt::uniform(1, 2, i));
    assert!((mean(&uniform) - 0.5).abs() < 3e-3);
    assert!((mean(&|i| uniform(i).powi(2)) - 1.0 / 3.0).abs() < 3e-3);
    let normal = |i| f64::from(rt::normal(1, 2, i));
    assert!(mean(&normal).abs() < 8e-3);
    assert!((mean(&|i| normal(i).powi(2)) - 1.0).abs() < 1e-2);
    assert!((mean(&|i| normal(i).powi(4)) - 3.0).abs() < 6e-2);
    // Neighbouring elements, sites and seeds are unrelated.
    assert!(mean(&|i| normal(i) * normal(i + 1)).abs() < 8e-3);
    assert!(mean(&|i| normal(i) * f64::from(rt::normal(1, 3, i))).abs() < 8e-3);
    assert!(mean(&|i| normal(i) * f64::from(rt::normal(2, 2, i))).abs() < 8e-3);
    assert!((0..n).all(|i| (0.0..1.0).contains(&uniform(i))));
    assert_eq!(rt::uniform(3, 4, 5), (rt::uniform_f64(3, 4, 5) * 16_777_216.0).floor() as f32 / 16_777_216.0);
}

#[test]
fn orders_are_permutations() {
    for n in [0, 1, 2, 3, 4, 5, 7, 16, 17, 100, 1000, 1023, 1025] {
        for epoch in 0..3 {
            let order = rt::Order::shuffled(n, 42, epoch);
            let mut seen: Vec<usize> = (0..n).map(|i| order.get(i)).collect();
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..n), "n = {n}");
        }
    }
    let n = 1000;
    let places = |seed, epoch| -> Vec<usize> {
        let order = rt::Order::shuffled(n, seed, epoch);
        (0..n).map(|i| order.get(i)).collect()
    };
    assert_ne!(places(1, 0), places(1, 1));
    assert_ne!(places(1, 0), places(2, 0));
    // A shuffle leaves about one place in 1000 where it was, and no trend.
    let fixed = (0..100).map(|e| places(9, e).iter().enumerate().filter(|(i, p)| i == *p).count());
    assert!(fixed.sum::<usize>() < 200);
    let near = places(5, 0).windows(2).filter(|w| w[0].abs_diff(w[1]) < 10).count();
    assert!(near < 50, "{near} neighbours stay together");
    assert!((0..n).all(|i| rt::Order::sequential(n).get(i) == i));
}
