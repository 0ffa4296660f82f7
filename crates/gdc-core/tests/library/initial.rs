//! Initial values: the moments and bounds that their definitions state.

use crate::spec::compile;
use gdc_interp::Session;

/// The initial values of a parameter of 60 by 90 elements.
fn drawn(init: &str) -> Vec<f64> {
    let model =
        compile(&format!("model Drawn {{ param w: [60, 90] = {init}; loss sum(w); optimizer sgd(lr = 0.1); }}"));
    Session::new(&model, 7).unwrap().get("w").unwrap().to_vec()
}

fn moments(x: &[f64]) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    (mean, x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n)
}

#[test]
fn draws_have_their_mean_variance_and_bound() {
    let infinite = f64::INFINITY;
    // Variance of a standard normal cut at 2: 1 - 4 phi(2) / (2 Phi(2) - 1).
    let cut = 0.773_741;
    for (init, mean, variance, bound) in [
        ("uniform(-1, 3)", 1.0, 16.0 / 12.0, 2.0),
        ("normal(1, 2)", 1.0, 4.0, infinite),
        ("truncated_normal(1, 2)", 1.0, 4.0 * cut, 4.0),
        ("truncated_normal(0, 1, cut = 3)", 0.0, 0.973_3, 3.0),
        ("glorot_uniform(60, 90)", 0.0, 2.0 / 150.0, (6.0f64 / 150.0).sqrt()),
        ("glorot_normal(60, 90)", 0.0, 2.0 / 150.0, infinite),
        ("he_uniform(60, 90)", 0.0, 2.0 / 60.0, (6.0f64 / 60.0).sqrt()),
        ("he_normal(60, 90)", 0.0, 2.0 / 60.0, infinite),
        ("lecun_uniform(60, 90)", 0.0, 1.0 / 60.0, (3.0f64 / 60.0).sqrt()),
        ("lecun_normal(60, 90)", 0.0, 1.0 / 60.0, infinite),
    ] {
        let x = drawn(init);
        let (m, v) = moments(&x);
        // Five standard deviations of the mean, and about as many of the variance.
        assert!((m - mean).abs() < 5.0 * (variance / x.len() as f64).sqrt(), "{init}: mean {m}");
        assert!((v / variance - 1.0).abs() < 0.1, "{init}: variance {v}");
        assert!(x.iter().all(|e| (e - mean).abs() <= bound), "{init}");
        let reached = x.iter().map(|e| (e - mean).abs()).fold(0.0, f64::max);
        assert!(bound.is_infinite() || reached > 0.97 * bound, "{init}: no further than {reached}");
    }
}

#[test]
fn constants_are_what_they_say() {
    assert!(drawn("zeros").iter().all(|&x| x == 0.0));
    assert!(drawn("zeros()").iter().all(|&x| x == 0.0));
    assert!(drawn("ones").iter().all(|&x| x == 1.0));
    assert!(drawn("constant(0.25)").iter().all(|&x| x == 0.25));
    let eye = drawn("eye(60, 90)");
    assert!(eye.iter().enumerate().all(|(i, &x)| x == f64::from(u8::from(i / 90 == i % 90))));
}

#[test]
fn a_layer_takes_any_of_them() {
    for init in ["zeros", "ones", "eye", "glorot_normal", "he_uniform", "lecun_normal"] {
        let model = compile(&format!(
            "model Layers {{ input x: [4]; loss sum(dense(x, 3, init = {init})); optimizer sgd(lr = 0.1); }}"
        ));
        let session = Session::new(&model, 7).unwrap();
        assert_eq!(session.get("loss.dense.w").unwrap().shape(), [4, 3], "{init}");
    }
}

/// The products of all pairs of rows, or of columns where there are fewer.
fn products(w: &[f64], n: usize, m: usize) -> Vec<f64> {
    let k = n.min(m);
    let element = |side: usize, i: usize| if n <= m { w[side * m + i] } else { w[i * m + side] };
    let product = |a: usize, b: usize| (0..n.max(m)).map(|i| element(a, i) * element(b, i)).sum::<f64>();
    (0..k * k).map(|p| product(p / k, p % k)).collect()
}

#[test]
fn orthogonal_matrices_are_orthogonal() {
    for (n, m, gain) in [(5, 3, 1.0), (3, 5, 2.0), (1, 4, 1.0), (24, 24, 1.0), (40, 12, 0.5)] {
        let model = compile(&format!(
            "model Drawn {{
                param w: [{n}, {m}] = orthogonal({n}, {m}, gain = {gain});
                loss sum(w);
                optimizer sgd(lr = 0.1);
            }}"
        ));
        for seed in 0..5 {
            let w = Session::new(&model, seed).unwrap().get("w").unwrap().to_vec();
            let k = n.min(m);
            let unit: Vec<f64> = (0..k * k).map(|p| if p / k == p % k { gain * gain } else { 0.0 }).collect();
            crate::spec::assert_close(&products(&w, n, m), &unit, &format!("{n} by {m}, seed {seed}"));
        }
    }
}

/// Of a matrix that is drawn uniformly from the orthogonal ones, an element has the mean 0 and
/// the variance 1/n, and the determinant is as often 1 as -1.
#[test]
fn orthogonal_matrices_are_drawn_without_a_preference() {
    let model = compile("model Drawn { param w: [2, 2] = orthogonal(2); loss sum(w); optimizer sgd(lr = 0.1); }");
    let (mut sums, mut turned) = ([0.0; 4], 0);
    for seed in 0..400 {
        let w = Session::new(&model, seed).unwrap().get("w").unwrap().to_vec();
        sums.iter_mut().zip(&w).for_each(|(s, x)| *s += x);
        turned += usize::from(w[0] * w[3] > w[1] * w[2]);
    }
    assert!(sums.iter().all(|s| s.abs() < 5.0 * (400.0f64 / 2.0).sqrt()), "{sums:?}");
    assert!((150..250).contains(&turned), "{turned}");
}
