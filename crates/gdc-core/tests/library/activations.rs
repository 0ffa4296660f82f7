//! Elementwise functions at many points: values, derivatives, differences.

use crate::spec::{assert_close, assert_gradient, compile, fixture, numbers, settings};
use gdc_interp::{Batch, Session, Tensor};
use serde_json::Value;

fn model(function: &str, settings: &str, points: usize) -> gdc_ir::Model {
    compile(&format!(
        "model Activation {{
            param z: [{points}];
            let y = {function}(z{settings});
            output value = y;
            loss sum(y);
            optimizer sgd(lr = 0.1);
        }}"
    ))
}

fn check(function: &str, given: &Value, points: &[f64], wanted: &Value) {
    let what = format!("{function} {given}");
    let model = model(function, &settings(given), points.len());
    let mut session = Session::new(&model, 0).unwrap();
    let none = Batch::none();
    let mut at = |points: &[f64]| {
        session.set("z", Tensor::real(&[points.len()], points.to_vec()).unwrap()).unwrap();
        let value = session.predict(&none).unwrap()["value"].to_vec();
        let gradient = session.gradients(&none).unwrap()["z"].to_vec();
        (value, gradient, session.clone())
    };
    let (value, gradient, _) = at(points);
    assert_close(&value, &numbers(&wanted["value"]), &what);
    assert_close(&gradient, &numbers(&wanted["gradient"]), &format!("{what}, derivative"));
    // Far beyond what single precision leaves of exp and squares.
    let far: Vec<f64> = (0..points.len()).map(|i| if i % 2 == 0 { 1e30 } else { -1e30 }).collect();
    let (value, gradient, _) = at(&far);
    assert!(value.iter().chain(&gradient).all(|x| x.is_finite()), "{what}: {value:?} {gradient:?}");
    // Ordinary points, none of them at a kink.
    let ordinary: Vec<f64> = (0..points.len()).map(|i| 7.1 * (i as f64 * 0.618).fract() - 3.53).collect();
    let (_, _, session) = at(&ordinary);
    assert_gradient(&model, &session, &none, &what);
}

#[test]
fn activations_are_those_of_pytorch() {
    let all = fixture("functions.json");
    let points = numbers(&all["activations"]["points"]);
    for (name, wanted) in all["activations"].as_object().unwrap() {
        if name != "points" {
            check(name, &wanted["settings"], &points, wanted);
        }
    }
}

#[test]
fn settings_of_activations_are_those_of_pytorch() {
    let all = fixture("functions.json");
    let points = numbers(&all["activations"]["points"]);
    for wanted in all["variants"].as_array().unwrap() {
        check(wanted["name"].as_str().unwrap(), &wanted["settings"], &points, wanted);
    }
}

#[test]
fn what_a_branch_does_not_take_does_not_leak() {
    // Neither the infinite derivative of a root at 0 nor the logarithm of a negative number.
    let model = compile(
        "model Branches {
            param z: [4];
            loss sum(if z > 0 { sqrt(z) + log(z) } else { z }) + norm(z * 0) + rms(0 * z);
            optimizer sgd(lr = 0.1);
        }",
    );
    let mut session = Session::new(&model, 0).unwrap();
    session.set("z", Tensor::real(&[4], vec![-2.0, 0.0, 4.0, -1e30]).unwrap()).unwrap();
    let gradient = session.gradients(&Batch::none()).unwrap()["z"].to_vec();
    assert_close(&gradient, &[1.0, 1.0, 0.5, 1.0], "gradient");
}
