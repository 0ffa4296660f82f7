//! Learning-rate schedules against PyTorch, read off parameters whose gradient is 1: by the
//! interpreter, and by generated code.

use gdc_interp::{Batch, Session, Tensor};
use gdc_tests::compare::Worst;
use gdc_tests::systems::system;
use gdc_tests::{fixtures, spec};
use serde_json::Value;

/// Each schedule of the fixtures: its call and its rates.
fn expected() -> Vec<(String, Vec<f64>)> {
    let (alone, joined) = (fixtures::json("schedules.json"), fixtures::json("joined.json"));
    let alone = alone.as_array().unwrap().iter().map(|s| (call(s), fixtures::numbers(&s["rates"])));
    let joined = joined.as_array().unwrap().iter();
    let joined = joined.map(|s| (s["call"].as_str().unwrap().to_owned(), fixtures::numbers(&s["rates"])));
    alone.chain(joined).collect()
}

fn call(schedule: &Value) -> String {
    let mut arguments = vec![schedule["base"].to_string()];
    let settings = schedule["settings"].as_object().unwrap();
    arguments.extend(settings.iter().map(|(name, value)| format!("{name} = {value}")));
    format!("{}({})", schedule["name"].as_str().unwrap(), arguments.join(", "))
}

/// The parameter that each schedule of the fixtures changes in the model, with its rates.
fn probes() -> Vec<(String, String, Vec<f64>)> {
    let text = spec::text("tests/cases/schedules.gd");
    let statements: Vec<&str> = text.lines().filter_map(|l| l.trim().strip_prefix("optimizer sgd(lr = ")).collect();
    let probes = expected().into_iter().map(|(call, rates)| {
        let found = statements.iter().find_map(|s| {
            let (schedule, param) = s.rsplit_once(") for ")?;
            (normal(schedule) == normal(&call)).then(|| param.trim_end_matches(';'))
        });
        let param = found.unwrap_or_else(|| panic!("{call} is missing in tests/cases/schedules.gd"));
        (call, param.to_owned(), rates)
    });
    probes.collect()
}

/// Calls are the same whatever the order of their settings.
fn normal(call: &str) -> Vec<String> {
    let mut parts: Vec<String> = call.split(['(', ',', ')']).map(|part| part.trim().to_owned()).collect();
    parts[1..].sort();
    parts
}

/// Fails if a rate is off by more than the limit; `step` takes a step from zeros and gives the
/// parameter of a name.
fn hold(limit: f64, mut step: impl FnMut(&[String]) -> Vec<f64>) {
    let probes = probes();
    let params: Vec<String> = probes.iter().map(|(_, param, _)| param.clone()).collect();
    let mut worst = vec![Worst::default(); probes.len()];
    for t in 0..50 {
        for ((found, (_, _, rates)), worst) in step(&params).iter().zip(&probes).zip(&mut worst) {
            let Some(rate) = rates.get(t) else { continue };
            let error = (-found - rate).abs() / rate.abs().max(1e-6);
            worst.see(error, || format!("t = {t}: {:e} and not {rate:e}", -found));
        }
    }
    for ((call, _, _), worst) in probes.iter().zip(&worst) {
        println!("{call}: {worst}");
    }
    for ((call, _, _), worst) in probes.iter().zip(&worst) {
        assert!(worst.error <= limit, "{call}: {worst}");
    }
}

#[test]
fn the_interpreter_follows_every_schedule() {
    let model = spec::compile(&spec::text("tests/cases/schedules.gd")).model;
    let mut session = Session::new(&model, 0).unwrap();
    hold(1e-10, |params| {
        for param in params {
            session.set(param, Tensor::scalar(0.0)).unwrap();
        }
        session.step(&Batch::none()).unwrap();
        params.iter().map(|param| session.get(param).unwrap().as_scalar().unwrap()).collect()
    });
}

#[test]
fn generated_code_follows_every_schedule() {
    let mut trainer = system("schedules").from_spec();
    // Rates are computed in double precision, so that one rounding is all there is.
    hold(6e-8, |params| {
        for param in params {
            trainer.set(param, &[0.0]);
        }
        trainer.step(1);
        let tensors = trainer.tensors();
        params.iter().map(|param| tensors.number(param)).collect()
    });
}
