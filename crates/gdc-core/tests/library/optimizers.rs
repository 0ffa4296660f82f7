//! Optimizers: ten steps from one start, with PyTorch's defaults and with other settings.

use crate::spec::{assert_close, compile, fixture, numbers, settings, tensor, written};
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
