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
