//! Layers: values and gradients by arguments and parameters.

use crate::spec::{assert_close, assert_gradient, compile, fixture, numbers, shape, tensor, written};
use gdc_interp::{Batch, Session, Tensor};
use serde_json::Value;

/// The model of a row: its arguments are parameters, so that they have gradients too.
fn model_of(row: &Value) -> String {
    let mut text = String::from("model Call {\n");
    for (name, ints) in row["ints"].as_object().unwrap() {
        text += &format!("input {name}: {:?} in 0..{};\n", shape(&ints["values"]), ints["range"]);
    }
    for (name, arg) in row["args"].as_object().unwrap() {
        text += &format!("param {name}: {:?};\n", shape(arg));
    }
    let (cotangent, call) = (written(&row["cotangent"]), row["call"].as_str().unwrap());
    text += &format!("const cotangent = {cotangent};\nlet y = {call};\noutput value = y;\n");
    text + "loss sum(y * cotangent);\noptimizer sgd(lr = 0.1);\ntrain { batch = 7; }\n}"
}

fn check(row: &Value) {
    let call = row["call"].as_str().unwrap();
    let model = compile(&model_of(row));
    let mut session = Session::new(&model, 0).unwrap();
    let ints = row["ints"].as_object().unwrap();
    let mut batch = if ints.is_empty() { Batch::none() } else { Batch::of(1) };
    for (name, given) in ints {
        let values = numbers(&given["values"]).iter().map(|&v| v as i64).collect();
        let shape = [vec![1], shape(&given["values"])].concat();
        batch = batch.with(name, Tensor::int(&shape, values).unwrap());
    }
    for (name, value) in row["args"].as_object().unwrap() {
        session.set(name, tensor(value)).unwrap();
    }
    let params = row["params"].as_object().unwrap();
    assert_eq!(model.params.len(), params.len() + row["args"].as_object().unwrap().len(), "{call}");
    for (name, value) in params {
        let path = format!("y.{name}");
        session.set(&path, tensor(value)).unwrap_or_else(|e| panic!("{call}: {path}: {e}"));
    }
    let value = session.predict(&batch).unwrap().remove("value").unwrap();
    let own = &value.shape()[usize::from(!ints.is_empty())..];
    assert_eq!(own, shape(&row["value"]), "{call}");
    assert_close(&value.to_vec(), &numbers(&row["value"]), call);
    let found = session.gradients(&batch).unwrap();
    for (name, wanted) in row["gradients"].as_object().unwrap() {
        let path = if params.contains_key(name) { format!("y.{name}") } else { name.clone() };
        let found = found.get(&path).unwrap_or_else(|| panic!("{call}: no gradient of {path}"));
        assert_close(&found.to_vec(), &numbers(wanted), &format!("{call}, gradient of {path}"));
    }
    // A stated derivative is not that of the values.
    if !call.starts_with("fake_quantise") && !call.starts_with("round_through") {
        assert_gradient(&model, &session, &batch, call);
    }
    let Some(after) = row["after_ten"].as_object() else { return };
    for _ in 0..10 {
        session.step(&batch).unwrap();
    }
    for (name, wanted) in after {
        let path = if params.contains_key(name) { format!("y.{name}") } else { name.clone() };
        let found = session.get(&path).unwrap().to_vec();
        assert_close(&found, &numbers(wanted), &format!("{call}, {path} after ten steps"));
    }
}

/// Rows are independent: half of them in each test, which run side by side.
fn check_some(part: usize) {
    for (_, row) in fixture("layers.json").as_array().unwrap().iter().enumerate().filter(|(i, _)| i % 2 == part) {
        check(row);
    }
}

#[test]
fn layers_are_those_of_pytorch() {
    check_some(0);
}

#[test]
fn more_layers_are_those_of_pytorch() {
    check_some(1);
}

#[test]
fn recurrent_layers_are_those_of_pytorch() {
    for row in fixture("recurrent.json").as_array().unwrap() {
        check(row);
    }
}

/// The forget gate's bias alone begins as it is told.
#[test]
fn a_forget_gate_can_begin_open() {
    let model = compile(
        "model Open { param a: [3, 2]; let y = lstm(a, 2, forget = 1.5);
        loss sum(y); optimizer sgd(lr = 0.1); }",
    );
    let session = Session::new(&model, 0).unwrap();
    assert_eq!(session.get("y.lstm.b").unwrap().to_vec(), [0.0, 0.0, 1.5, 1.5, 0.0, 0.0, 0.0, 0.0]);
    let least = 1.0 / 2.0_f64.sqrt();
    assert!(session.get("y.lstm.wh").unwrap().to_vec().iter().all(|w| w.abs() <= least && *w != 0.0));
}
