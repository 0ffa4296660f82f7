//! Ten steps of every optimizer of the library against PyTorch: by the interpreter, and by
//! generated code.

use gdc_interp::{Batch, Session, Tensor};
use gdc_tests::compare::Worst;
use gdc_tests::systems::system;
use gdc_tests::{fixtures, spec};
use serde_json::Value;

/// What PyTorch did with one optimizer.
struct Run {
    /// The statement that does the same.
    statement: String,
    /// The parameter after each step.
    after: Vec<Vec<f64>>,
}

/// The start of all runs, and the runs.
fn expected() -> (Vec<f64>, Vec<Run>) {
    let all = fixtures::json("optimizers.json");
    let runs = all["runs"].as_array().unwrap().iter().enumerate().map(|(i, run)| {
        let after = run["after"].as_array().unwrap().iter().map(fixtures::numbers).collect();
        Run { statement: statement(run, i), after }
    });
    (fixtures::numbers(&all["start"]), runs.collect())
}

fn statement(run: &Value, i: usize) -> String {
    let settings = run["settings"].as_object().unwrap();
    let settings: Vec<String> = settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    format!("optimizer {}({}) for w{i};", run["name"].as_str().unwrap(), settings.join(", "))
}

/// Fails if a parameter is off by more than the limit, relative to the largest of its tensor;
/// `step` takes a step and gives all parameters.
fn hold(limit: f64, mut step: impl FnMut() -> Vec<Vec<f64>>) {
    let (_, runs) = expected();
    let mut worst = vec![Worst::default(); runs.len()];
    for t in 0..10 {
        for ((found, run), worst) in step().iter().zip(&runs).zip(&mut worst) {
            worst.see_all(&format!("step {t}"), found, &run.after[t]);
        }
    }
    for (Run { statement, .. }, worst) in runs.iter().zip(&worst) {
        println!("{statement} {worst}");
    }
    for (Run { statement, .. }, worst) in runs.iter().zip(&worst) {
        // PyTorch keeps one factor of NAdam in single precision.
        let limit = if statement.contains("nadam") { limit.max(1e-8) } else { limit };
        assert!(worst.error <= limit, "{statement} {worst}");
    }
}

#[test]
fn the_model_holds_every_run() {
    let normal = |statement: &str| {
        let mut words: Vec<String> = statement.split([',', '(', ')', ' ']).map(str::to_owned).collect();
        words.sort();
        words
    };
    let text = spec::text("tests/cases/optimizers.gd");
    let found: Vec<_> = text.lines().map(str::trim).filter(|l| l.starts_with("optimizer ")).collect();
    let (_, runs) = expected();
    assert_eq!(found.len(), runs.len());
    for (found, run) in found.iter().zip(&runs) {
        // Numbers are written as Python writes them.
        let numbers = |s: &str| s.replace("1e-3", "0.001").replace("1e-4", "0.0001");
        assert_eq!(normal(&numbers(found)), normal(&numbers(&run.statement)));
    }
}

#[test]
fn the_interpreter_does_what_pytorch_does() {
    let model = spec::compile(&spec::text("tests/cases/optimizers.gd")).model;
    let mut session = Session::new(&model, 0).unwrap();
    let (start, runs) = expected();
    for i in 0..runs.len() {
        session.set(&format!("w{i}"), Tensor::real(&[start.len()], start.clone()).unwrap()).unwrap();
    }
    hold(1e-13, || {
        session.step(&Batch::none()).unwrap();
        (0..runs.len()).map(|i| session.get(&format!("w{i}")).unwrap().to_vec()).collect()
    });
}

#[test]
fn generated_code_does_what_pytorch_does() {
    let mut trainer = system("optimizers").from_spec();
    let (start, runs) = expected();
    for i in 0..runs.len() {
        trainer.set(&format!("w{i}"), &start);
    }
    hold(1e-6, || {
        trainer.step(1);
        let tensors = trainer.tensors();
        (0..runs.len()).map(|i| tensors.values(&format!("w{i}")).to_vec()).collect()
    });
}
