//! What looks across a batch or draws for each sample: batch norm, dropout, and statistics.

use crate::spec::{assert_close, assert_gradient, compile, fixture, numbers, tensor};
use gdc_interp::{Batch, Session, Tensor};
use serde_json::Value;

/// The rows of a nested list as a batch's tensor `x`.
fn batch(x: &Value) -> Batch {
    Batch::of(crate::spec::shape(x)[0]).with("x", tensor(x))
}

#[test]
fn batch_norm_is_that_of_pytorch() {
    for case in fixture("batches.json")["batch_norm"].as_array().unwrap() {
        let shape = crate::spec::shape(&case["batches"][0]["x"]);
        let model = compile(&format!(
            "model Norm {{
                input x: {:?};
                let y = x |> batch_norm({});
                output value = y;
                loss sum(y^3) / 3;
                optimizer sgd(lr = 0);
                train {{ batch = 6; }}
            }}",
            &shape[1..],
            case["settings"].as_str().unwrap()
        ));
        let mut session = Session::new(&model, 0).unwrap();
        for (name, value) in [("y.batch_norm.gain", &case["gain"]), ("y.batch_norm.bias", &case["bias"])] {
            session.set(name, tensor(value)).unwrap();
        }
        // Batches of six, four and five samples: the lanes of the others count for nothing.
        for one in case["batches"].as_array().unwrap() {
            let given = batch(&one["x"]);
            let found = session.gradients(&given).unwrap();
            for name in ["gain", "bias"] {
                let path = format!("y.batch_norm.{name}");
                assert_close(&found[&path].to_vec(), &numbers(&one[name]), &path);
            }
            assert_gradient(&model, &session, &given, "batch_norm");
            let loss = session.step(&given).unwrap();
            assert_close(&[loss], &numbers(&one["loss"]), "loss");
            for name in ["running_mean", "running_var"] {
                let path = format!("y.batch_norm.{name}");
                assert_close(&session.get(&path).unwrap().to_vec(), &numbers(&one[name]), &path);
            }
            let predicted = session.predict(&given).unwrap().remove("value").unwrap();
            assert_close(&predicted.to_vec(), &numbers(&one["predicted"]), "predicted");
        }
    }
}

/// Mean and variance of each of `c` features that stand in a row again and again.
fn moments(values: &[f64], c: usize) -> (Vec<f64>, Vec<f64>) {
    let of = |k: usize| values.iter().copied().skip(k).step_by(c).collect::<Vec<f64>>();
    let mean: Vec<f64> = (0..c).map(|k| of(k).iter().sum::<f64>() / of(k).len() as f64).collect();
    let variance = (0..c).map(|k| of(k).iter().map(|v| (v - mean[k]).powi(2)).sum::<f64>() / of(k).len() as f64);
    (mean.clone(), variance.collect())
}

#[test]
fn standardise_keeps_the_moments_of_all_that_was_seen() {
    for case in fixture("batches.json")["batch_norm"].as_array().unwrap() {
        let shape = crate::spec::shape(&case["batches"][0]["x"]);
        let c = shape[shape.len() - 1];
        let model = compile(&format!(
            "model Even {{
                input x: {:?};
                param w = 1.0;
                let y = w * (x |> standardise);
                output value = y;
                loss sum(y^3) / 3;
                optimizer sgd(lr = 0);
                train {{ batch = 6; }}
            }}",
            &shape[1..],
        ));
        let mut session = Session::new(&model, 0).unwrap();
        let (mut seen, mut losses) = (Vec::new(), Vec::new());
        for one in case["batches"].as_array().unwrap() {
            let given = batch(&one["x"]);
            let values = numbers(&one["x"]);
            seen.extend(values.iter().copied());
            let (mean, variance) = moments(&seen, c);
            assert_gradient(&model, &session, &given, "standardise");
            losses.push(session.step(&given).unwrap());
            assert_close(&session.get("y.standardise.mean").unwrap().to_vec(), &mean, "mean");
            assert_close(&session.get("y.standardise.variance").unwrap().to_vec(), &variance, "variance");
            let expected: Vec<f64> =
                values.iter().enumerate().map(|(i, v)| (v - mean[i % c]) / variance[i % c].sqrt()).collect();
            assert_close(&session.predict(&given).unwrap().remove("value").unwrap().to_vec(), &expected, "value");
            // What is trained on is what is predicted with from then on.
            let samples = crate::spec::shape(&one["x"])[0] as f64;
            let loss = expected.iter().map(|v| v.powi(3) / 3.0).sum::<f64>() / samples;
            assert_close(&losses[losses.len() - 1..], &[loss], "loss");
        }
    }
}

#[test]
fn standardise_makes_zero_of_what_never_varies() {
    let model = compile(
        "model Even {
            input x: [2];
            let y = x |> standardise;
            output value = y;
            loss sum(y^2);
            optimizer sgd(lr = 0);
            train { batch = 4; }
        }",
    );
    let mut session = Session::new(&model, 0).unwrap();
    for values in [vec![7.0, 1.0, 7.0, 3.0], vec![7.0, 5.0]] {
        let given = Batch::of(values.len() / 2).with("x", Tensor::real(&[values.len() / 2, 2], values).unwrap());
        assert!(session.step(&given).unwrap().is_finite());
    }
    let given = Batch::of(1).with("x", Tensor::real(&[1, 2], vec![7.0, 3.0]).unwrap());
    assert_close(&session.predict(&given).unwrap().remove("value").unwrap().to_vec(), &[0.0, 0.0], "value");
}

/// The loss's parts show what was dropped: `x` is 1 everywhere.
fn dropped(call: &str, seed: u64) -> Vec<f64> {
    let model = compile(&format!(
        "model Drop {{
            input x: [5, 4, 3];
            param w: [5, 4, 3] = ones;
            let y = x * w |> {call};
            loss sum(y);
            output value = y;
            optimizer sgd(lr = 0);
            train {{ batch = 8; }}
        }}"
    ));
    let mut session = Session::new(&model, seed).unwrap();
    let given = Batch::of(8).with("x", Tensor::real(&[8, 5, 4, 3], vec![1.0; 480]).unwrap());
    let predicted = session.predict(&given).unwrap().remove("value").unwrap();
    assert!(predicted.to_vec().iter().all(|&v| v == 1.0), "{call}: nothing is dropped when predicting");
    let first = session.gradients(&given).unwrap()["w"].to_vec();
    assert_eq!(first, session.gradients(&given).unwrap()["w"].to_vec(), "{call}: the draws of one step are the same");
    session.step(&given).unwrap();
    assert_ne!(first, session.gradients(&given).unwrap()["w"].to_vec(), "{call}: each step draws anew");
    first
}

#[test]
fn dropout_keeps_the_mean_and_drops_elements_by_themselves() {
    for (rate, seed) in [(0.5, 1), (0.25, 2), (0.75, 3)] {
        // A gradient is the mean over eight samples of 0 or 1 / (1 - rate).
        let found = dropped(&format!("dropout({rate})"), seed);
        let kept: Vec<f64> = found.iter().map(|g| g * 8.0 * (1.0 - rate)).collect();
        assert!(kept.iter().all(|k| (k - k.round()).abs() < 1e-12), "{kept:?}");
        let share = kept.iter().sum::<f64>() / 480.0;
        assert!((share - (1.0 - rate)).abs() < 5.0 * (rate * (1.0 - rate) / 480.0).sqrt(), "{rate}: {share}");
        assert!(kept.windows(2).any(|w| w[0] != w[1]));
    }
}

#[test]
fn spatial_dropout_drops_whole_channels() {
    let found = dropped("spatial_dropout(0.5)", 4);
    // All positions of a sample share the draw of a channel.
    for channel in 0..3 {
        let places: Vec<f64> = found.iter().skip(channel).step_by(3).copied().collect();
        assert!(places.iter().all(|&g| g == places[0]), "{places:?}");
    }
    assert!(found[..3].iter().any(|&g| g > 0.0 && g < 2.0), "{:?}", &found[..3]);
}

#[test]
fn metrics_of_a_batch_are_those_of_pytorch() {
    let model = compile(
        "model Rates {
            input x: [2];
            target y: [2];
            param unused = 0.0;
            loss unused * x[0];
            metric precision = precision(y, x);
            metric recall = recall(y, x);
            metric f1 = f1(y, x);
            metric r_squared = r_squared(x, y);
            metric r_squared_first = r_squared(x[0], y[0]);
            optimizer sgd(lr = 0.1);
            train { batch = 8; }
        }",
    );
    let session = Session::new(&model, 0).unwrap();
    for case in fixture("batches.json")["metrics"].as_array().unwrap() {
        let found = session.metrics(&batch(&case["x"]).with("y", tensor(&case["y"]))).unwrap();
        for (name, wanted) in case["metrics"].as_object().unwrap() {
            assert_close(&[found[name]], &numbers(wanted), name);
        }
    }
}

#[test]
fn class_weights_are_those_of_pytorch() {
    let model = compile(
        "model Weighted {
            input x: [3];
            target label: in 0..3;
            const weight = [1.0, 2.0, 5.0];
            param shift: [3];
            let logits = x + shift;
            loss weighted_cross_entropy(logits, label, weight) / across_mean(weight[label]);
            optimizer sgd(lr = 0.1);
            train { batch = 6; }
        }",
    );
    let mut session = Session::new(&model, 0).unwrap();
    for case in fixture("batches.json")["class_weights"].as_array().unwrap() {
        let labels = numbers(&case["label"]).iter().map(|&v| v as i64).collect::<Vec<_>>();
        let given = batch(&case["x"]).with("label", Tensor::int(&[labels.len()], labels).unwrap());
        let found = session.gradients(&given).unwrap();
        assert_close(&found["shift"].to_vec(), &numbers(&case["gradient"]), "gradient");
        assert_gradient(&model, &session, &given, "weighted_cross_entropy");
        session.set("shift", Tensor::real(&[3], vec![0.0; 3]).unwrap()).unwrap();
        assert_close(&[session.step(&given).unwrap()], &numbers(&case["loss"]), "loss");
        session.set("shift", Tensor::real(&[3], vec![0.0; 3]).unwrap()).unwrap();
    }
}

#[test]
fn reparameterised_draws_have_their_moments_and_derivatives() {
    let model = compile(
        "model Draws {
            input x: [500];
            param mu = 1.5;
            param log_var = -1.0;
            let z = reparameterise(x * 0 + mu, x * 0 + log_var);
            loss mean(z);
            loss mean(z^2);
            output value = z;
            optimizer sgd(lr = 0);
            train { batch = 8; }
        }",
    );
    let mut session = Session::new(&model, 3).unwrap();
    let given = Batch::of(8).with("x", Tensor::real(&[8, 500], vec![0.0; 4000]).unwrap());
    assert_gradient(&model, &session, &given, "reparameterise");
    let predicted = session.predict(&given).unwrap().remove("value").unwrap();
    assert!(predicted.to_vec().iter().all(|&z| z == 1.5));
    // E z + E z^2 = mu + mu^2 + exp(log_var), within five deviations of 4000 draws.
    let loss = session.step(&given).unwrap();
    assert!((loss - (1.5 + 1.5 * 1.5 + (-1.0f64).exp())).abs() < 0.2, "{loss}");
}

#[test]
fn gradient_noise_has_the_stated_variance() {
    let model = compile(
        "model Noise {
            param w: [5000];
            loss sum(w);
            optimizer sgd(lr = 1) with gradient_noise(scale = 0.04, decay = 1);
        }",
    );
    let mut session = Session::new(&model, 3).unwrap();
    let mut before = session.get("w").unwrap().to_vec();
    for t in 0..3 {
        session.step(&Batch::none()).unwrap();
        let after = session.get("w").unwrap().to_vec();
        let noise: Vec<f64> = before.iter().zip(&after).map(|(b, a)| b - a - 1.0).collect();
        let mean = noise.iter().sum::<f64>() / 5000.0;
        let variance = noise.iter().map(|n| n * n).sum::<f64>() / 5000.0;
        let wanted = 0.04 / f64::from(1 + t);
        assert!(mean.abs() < 5.0 * (wanted / 5000.0).sqrt(), "{mean}");
        assert!((variance / wanted - 1.0).abs() < 0.1, "{variance}, not {wanted}");
        before = after;
    }
}

#[test]
fn negatives_of_the_batch_are_those_of_pytorch() {
    let model = compile(
        "model Pairs {
            input x: [4];
            input y: [4];
            param shift: [4];
            loss info_nce(unit_length(x + shift), unit_length(y - shift), temperature = 0.5);
            optimizer sgd(lr = 0);
            train { batch = 6; }
        }",
    );
    let mut session = Session::new(&model, 0).unwrap();
    for case in fixture("batches.json")["info_nce"].as_array().unwrap() {
        let given = batch(&case["x"]).with("y", tensor(&case["y"]));
        let found = session.gradients(&given).unwrap();
        assert_close(&found["shift"].to_vec(), &numbers(&case["gradient"]), "gradient");
        assert_gradient(&model, &session, &given, "info_nce");
        assert_close(&[session.step(&given).unwrap()], &numbers(&case["loss"]), "loss");
    }
}
