//! Optimizers and transforms: ten steps from one start, with PyTorch's defaults and with other
//! settings.

use crate::spec::{assert_close, compile, fixture, numbers, settings, shape, tensor, written};
use gdc_interp::{Batch, Session};

#[test]
fn ten_steps_are_those_of_pytorch() {
    let all = fixture("optimizers.json");
    for run in all["runs"].as_array().unwrap() {
        let (name, given) = (run["name"].as_str().unwrap(), settings(&run["settings"]));
        let call = format!("{name}({})", given.trim_start_matches(", "));
        let model = compile(&format!(
            "model Steps {{
                param w: [5];
                const curvature = {};
                const centre = {};
                loss sum(curvature * (w - centre)^2 / 2 + w^4 / 8);
                optimizer {call};
            }}",
            written(&all["curvature"]),
            written(&all["centre"]),
        ));
        let mut session = Session::new(&model, 0).unwrap();
        session.set("w", tensor(&all["start"])).unwrap();
        for (step, wanted) in run["after"].as_array().unwrap().iter().enumerate() {
            session.step(&Batch::none()).unwrap();
            let found = session.get("w").unwrap().to_vec();
            assert_close(&found, &numbers(wanted), &format!("{call}, step {step}"));
        }
    }
}

#[test]
fn ten_steps_of_whole_tensors_are_those_of_pytorch() {
    let all = fixture("tensor_optimizers.json");
    let start = &all["start"];
    for run in all["runs"].as_array().unwrap() {
        let statement = run["statement"].as_str().unwrap();
        let model = compile(&format!(
            "model Steps {{
                param a: {:?};
                param b: {:?};
                const ca = {};
                const cb = {};
                loss sum((a - ca)^2 / 2 + a^4 / 8) + sum((b - cb)^2 / 2 + b^4 / 8);
                optimizer {statement};
            }}",
            shape(&start["a"]),
            shape(&start["b"]),
            written(&all["centre"]["a"]),
            written(&all["centre"]["b"]),
        ));
        let mut session = Session::new(&model, 0).unwrap();
        for name in ["a", "b"] {
            session.set(name, tensor(&start[name])).unwrap();
            let average = format!("{name}.average");
            if session.get(&average).is_some() {
                session.set(&average, tensor(&start[name])).unwrap();
            }
        }
        for (step, wanted) in run["after"].as_array().unwrap().iter().enumerate() {
            session.step(&Batch::none()).unwrap();
            for name in ["a", "b"] {
                let found = session.get(name).unwrap().to_vec();
                assert_close(&found, &numbers(&wanted[name]), &format!("{statement}, step {step}, {name}"));
            }
        }
        for name in ["a", "b"] {
            if let Some(found) = session.get(&format!("{name}.average")) {
                assert_close(
                    &found.to_vec(),
                    &numbers(&run["average"][name]),
                    &format!("{statement}, average of {name}"),
                );
            }
        }
    }
}

#[test]
fn zeros_without_a_gradient_rest() {
    for optimizer in ["lamb()", "adafactor()", "adamax()", "adadelta()", "rmsprop(centred = true)", "radam()"] {
        let model = compile(&format!(
            "model Rest {{ param a: [2, 3]; param b: [4]; loss sum(a^2) + sum(b^2); optimizer {optimizer}; }}"
        ));
        let mut session = Session::new(&model, 0).unwrap();
        for _ in 0..3 {
            session.step(&Batch::none()).unwrap();
        }
        for name in ["a", "b"] {
            assert!(session.get(name).unwrap().to_vec().iter().all(|&x| x == 0.0), "{optimizer}");
        }
    }
}
