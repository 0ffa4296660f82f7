//! Functions of whole tensors: normalisers, norms and rearrangements.

use crate::spec::{assert_close, assert_gradient, compile, fixture, numbers, shape, tensor, written};
use gdc_interp::{Batch, Session};
use serde_json::Value;

/// Checks a call of arguments `a`, `b`, ...: its value, and the gradients of the sum of the
/// value times a cotangent.
fn check(call: &str, args: &[Value], value: &Value, cotangent: &Value, gradients: &[Value]) {
    let names = ["a", "b", "c"];
    let params: String = args.iter().zip(names).map(|(v, n)| format!("param {n}: [{}];\n", extents(v))).collect();
    let model = compile(&format!(
        "model Call {{
            {params}
            const cotangent = {};
            let y = {call};
            output value = y;
            loss sum(y * cotangent);
            optimizer sgd(lr = 0.1);
        }}",
        written(cotangent)
    ));
    let mut session = Session::new(&model, 0).unwrap();
    for (arg, name) in args.iter().zip(names) {
        session.set(name, tensor(arg)).unwrap();
    }
    let none = Batch::none();
    let found = session.predict(&none).unwrap().remove("value").unwrap();
    assert_eq!(found.shape(), shape(value), "{call}");
    assert_close(&found.to_vec(), &numbers(value), call);
    let found = session.gradients(&none).unwrap();
    for (gradient, name) in gradients.iter().zip(names) {
        assert_close(&found[name].to_vec(), &numbers(gradient), &format!("{call}, gradient of {name}"));
    }
    // Differences of numbers near 1e4 have nothing left of 1e-6.
    if numbers(value).iter().all(|x| x.abs() < 100.0) {
        assert_gradient(&model, &session, &none, call);
    }
}

fn extents(value: &Value) -> String {
    shape(value).iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

#[test]
fn normalisers_are_those_of_pytorch() {
    let all = fixture("functions.json");
    let normalisers = &all["normalisers"];
    for (name, cases) in normalisers.as_object().unwrap() {
        for case in cases.as_array().unwrap().iter().filter(|_| name != "cotangent") {
            let gradient = std::slice::from_ref(&case["gradient"]);
            check(
                &format!("{name}(a)"),
                std::slice::from_ref(&case["z"]),
                &case["value"],
                &normalisers["cotangent"],
                gradient,
            );
        }
    }
}

#[test]
fn calls_are_those_of_pytorch() {
    for row in fixture("functions.json")["tensors"].as_array().unwrap() {
        let (args, gradients) = (row["args"].as_array().unwrap(), row["gradients"].as_array().unwrap());
        check(row["call"].as_str().unwrap(), args, &row["value"], &row["cotangent"], gradients);
    }
}
