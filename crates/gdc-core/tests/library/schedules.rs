//! Schedules: with the gradient 1, each step of gradient descent moves by the rate.

use crate::spec::{assert_close, compile, fixture, numbers, settings, written};
use gdc_interp::{Batch, Session, Tensor};

fn rates(call: &str, count: usize) -> Vec<f64> {
    let model = compile(&format!("model Rates {{ param w = 0.0; loss w; optimizer sgd(lr = {call}); }}"));
    let mut session = Session::new(&model, 0).unwrap();
    let mut place = || {
        let before = session.get("w").unwrap().as_scalar().unwrap();
        session.step(&Batch::none()).unwrap();
        before - session.get("w").unwrap().as_scalar().unwrap()
    };
    (0..count).map(|_| place()).collect()
}

#[test]
fn schedules_are_those_of_pytorch() {
    for row in fixture("schedules.json").as_array().unwrap() {
        let call =
            format!("{}({}{})", row["name"].as_str().unwrap(), written(&row["base"]), settings(&row["settings"]));
        let wanted = numbers(&row["rates"]);
        assert_close(&rates(&call, wanted.len()), &wanted, &call);
    }
}

#[test]
fn schedules_after_a_warm_up_are_those_of_pytorch() {
    for row in fixture("joined.json").as_array().unwrap() {
        let (call, wanted) = (row["call"].as_str().unwrap(), numbers(&row["rates"]));
        assert_close(&rates(call, wanted.len()), &wanted, call);
    }
}

#[test]
fn schedules_stay_at_their_end() {
    for (call, end) in [
        ("cosine(0.1, steps = 3, low = 0.02)", 0.02),
        ("polynomial(0.1, steps = 3, low = 0.02)", 0.02),
        ("one_cycle(0.1, steps = 3, up = 0, start_div = 4, end_div = 10)", 0.0025),
        ("one_cycle(0.1, steps = 3, up = 1, start_div = 4, end_div = 10)", 0.0025),
        ("warmup(0.1, steps = 3)", 0.1),
    ] {
        let found = rates(call, 8);
        assert_close(&found[5..], &[end; 3], call);
        assert!(found.iter().all(|x| x.is_finite()), "{call}: {found:?}");
    }
}

/// The caller reports a loss by writing it into a state; the next step has the new rate.
#[test]
fn the_rate_falls_on_a_plateau_as_pytorchs() {
    for case in fixture("batches.json")["reduce_on_plateau"].as_array().unwrap() {
        let model = compile(&format!(
            "model Plateau {{
                param w = 0;
                let rate = reduce_on_plateau(0.5{});
                loss w;
                optimizer sgd(lr = rate);
            }}",
            settings(&case["settings"])
        ));
        let mut session = Session::new(&model, 0).unwrap();
        let step = |session: &mut Session<'_>| {
            let before = session.get("w").unwrap().to_vec()[0];
            session.step(&Batch::none()).unwrap();
            before - session.get("w").unwrap().to_vec()[0]
        };
        assert_close(&[step(&mut session)], &[0.5], "before any report");
        for (report, rate) in numbers(&case["reports"]).into_iter().zip(numbers(&case["rates"])) {
            let name = "rate.reduce_on_plateau.report";
            session.set(name, Tensor::real(&[], vec![report]).unwrap()).unwrap();
            for _ in 0..3 {
                assert_close(&[step(&mut session)], &[rate], &format!("{}", case["settings"]));
            }
        }
    }
}
