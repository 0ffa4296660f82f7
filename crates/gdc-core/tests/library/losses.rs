//! Losses: values and gradients of the prediction, of one sample of a larger batch.

use crate::spec::{assert_close, assert_gradient, compile, fixture, numbers, settings, shape, tensor};
use gdc_interp::{Batch, Session, Tensor};
use gdc_ir::Model;
use serde_json::{Map, Value};

/// Which argument the gradient is by, where a table does not say.
const PREDICTIONS: [&str; 3] = ["y_hat", "logits", "p"];

/// A model whose loss is `function` of a parameter `z` and a target `o`.
fn model(function: &str, by: &str, other: &str, case: &Map<String, Value>, given: &str) -> Model {
    let (z, o) = (shape(&case[by]), shape(&case[other]));
    let (target, argument) = match other {
        "label" => (format!("target o: in 0..{};", z[0]), ", label = o".to_owned()),
        "unused" => (format!("target o: {o:?};"), String::new()),
        _ => (format!("target o: {o:?};"), format!(", {other} = o")),
    };
    compile(&format!(
        "model Loss {{
            param z: {z:?};
            {target}
            loss {function}({by} = z{argument}{given});
            optimizer sgd(lr = 0.1);
            train {{ batch = 3; }}
        }}"
    ))
}

fn batch(other: &str, value: &Value) -> Batch {
    let extents = [vec![1], shape(value)].concat();
    let o = if other == "label" {
        Tensor::int(&extents, vec![value.as_i64().unwrap()])
    } else {
        Tensor::real(&extents, numbers(value))
    };
    Batch::of(1).with("o", o.unwrap())
}

fn check(name: &str, table: &Value) {
    let function = table["function"].as_str().unwrap_or(match name {
        "cross_entropy_smoothed" => "cross_entropy",
        other => other,
    });
    let cases = table["cases"].as_array().unwrap();
    let first = cases[0].as_object().unwrap();
    let by = table["by"].as_str().unwrap_or_else(|| PREDICTIONS.into_iter().find(|p| first.contains_key(*p)).unwrap());
    let other = first.keys().find(|k| !["value", "gradient", by].contains(&k.as_str())).unwrap();
    let model = model(function, by, other, first, &settings(&table["settings"]));
    let mut session = Session::new(&model, 0).unwrap();
    for case in cases {
        let what = format!("{name}: {by} = {}, {other} = {}", case[by], case[other]);
        session.set("z", tensor(&case[by])).unwrap();
        let batch = batch(other, &case[other]);
        assert_close(&[session.loss(&batch).unwrap()], &numbers(&case["value"]), &what);
        let gradient = session.gradients(&batch).unwrap();
        assert_close(&gradient["z"].to_vec(), &numbers(&case["gradient"]), &format!("{what}, gradient"));
        // Near kinks, at the edge of the domain and far out there is no difference to compare with.
        let z = numbers(&case[by]);
        if z.iter().all(|x| x.abs() < 10.0) && !(name.contains("_of") || name.starts_with("kl_divergence")) {
            assert_gradient(&model, &session, &batch, &what);
        }
    }
}

#[test]
fn losses_are_those_of_pytorch() {
    for (name, table) in fixture("functions.json")["losses"].as_object().unwrap() {
        check(name, table);
    }
}

#[test]
fn more_losses_are_those_of_pytorch() {
    for (name, table) in fixture("functions.json")["more_losses"].as_object().unwrap() {
        check(name, table);
    }
}

/// The loss and its gradient by `z`, which starts at the numbers given.
fn at(loss: &str, z: &[f64]) -> (f64, Vec<f64>) {
    let n = z.len();
    let model = compile(&format!("model Point {{ param z: [{n}]; loss {loss}; optimizer sgd(lr = 0.1); }}"));
    let mut session = Session::new(&model, 0).unwrap();
    session.set("z", Tensor::real(&[n], z.to_vec()).unwrap()).unwrap();
    let none = Batch::none();
    (session.loss(&none).unwrap(), session.gradients(&none).unwrap()["z"].to_vec())
}

#[test]
fn certain_probabilities_have_finite_losses() {
    // PyTorch clamps the logarithm instead, and has the derivative 0 here.
    assert_eq!(at("sum(binary_cross_entropy_of(z, 0))", &[0.0, 0.5]), (2f64.ln(), vec![1.0, 2.0]));
    assert_eq!(at("sum(binary_cross_entropy_of(z, 1))", &[1.0, 0.5]), (2f64.ln(), vec![-1.0, -2.0]));
    assert_eq!(at("kl_divergence([0, 1], z)", &[0.0, 1.0]), (0.0, vec![0.0, -1.0]));
    assert_eq!(at("kl_divergence(z, [0, 1])", &[0.0, 1.0]), (0.0, vec![0.0, 1.0]));
    assert_eq!(at("poisson_of(z, [0, 0])", &[0.0, 1.0]), (0.5, vec![0.5, 0.5]));
}

#[test]
fn focal_losses_are_finite_for_any_gamma() {
    for gamma in ["0", "0.5", "2", "5.5"] {
        for z in [[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [800.0, 0.0, 0.0], [0.0, 0.0, 0.0]] {
            for loss in [format!("focal(z, 0, gamma = {gamma})"), format!("sum(binary_focal(1, z, gamma = {gamma}))")] {
                let (value, gradient) = at(&loss, &z);
                assert!(
                    value.is_finite() && gradient.iter().all(|g| g.is_finite()),
                    "{loss} of {z:?}: {value} {gradient:?}"
                );
            }
        }
    }
}

#[test]
fn probabilities_are_as_good_as_logits() {
    // Each of these rounds to 0 or 1 on the way.
    let z = [-1e4, 1e4, 0.0];
    let half = 2f64.ln();
    for (loss, value, gradient) in [
        ("sum(binary_cross_entropy_of(sigmoid(z), 1))", 1e4 + half, [-1.0, 0.0, -0.5]),
        ("sum(binary_cross_entropy_of(sigmoid(z), 0))", 1e4 + half, [0.0, 1.0, 0.5]),
        ("-sum(log(sigmoid(z)) + log(1 - sigmoid(z)))", 2e4 + 2.0 * half, [-1.0, 1.0, 0.0]),
        ("nll(log(softmax(z)), 0)", 2e4, [-1.0, 1.0, 0.0]),
        ("kl_divergence([0.5, 0, 0.5], softmax(z))", 1.5e4 - half, [-0.5, 1.0, -0.5]),
    ] {
        let (found, slope) = at(loss, &z);
        assert_close(&[found], &[value], loss);
        assert_close(&slope, &gradient, loss);
    }
}

#[test]
fn labels_become_vectors() {
    let model =
        compile("model Labels { target o: in 0..4; param z: [4]; loss sum(z * one_hot(o)); optimizer sgd(lr = 0.1); }");
    let session = Session::new(&model, 0).unwrap();
    let labels = Batch::of(3).with("o", Tensor::int(&[3], vec![2, 0, 2]).unwrap());
    let gradient = session.gradients(&labels).unwrap();
    assert_close(&gradient["z"].to_vec(), &[1.0 / 3.0, 0.0, 2.0 / 3.0, 0.0], "one_hot");
}
