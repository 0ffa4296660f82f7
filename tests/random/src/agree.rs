//! One spec through the compiler, held to the interpreter at every stage.

use crate::spec::Spec;
use crate::support::compare::{compare_outputs, compare_train, noise};
use gdc_driver::{Options, Output, Runtime, Source};
use gdc_interp::{Batch, CheckOptions, Session, Tensor, gradient_check};
use gdc_ir::{Model, Ty};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is wrong, and which check says so.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The check: shrinking keeps to it.
    pub check: String,
    /// Its words.
    pub message: String,
}

/// What a spec turned out to be.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// All agree on so many derivatives.
    Agrees(usize),
    /// Numbers too large for any comparison.
    TooLarge,
    /// Something is wrong.
    Wrong(Fault),
}

fn fault<T>(check: &str, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { check: check.to_owned(), message: message.into() })
}

/// The interpreter refuses the graph that a pass left.
fn refused(pass: &str) -> impl Fn(gdc_interp::Error) -> Fault {
    move |e| Fault { check: "interpreter".to_owned(), message: format!("after {pass}: {e}") }
}

/// The model after a pass of this name.
pub type Stage = (&'static str, Model);

/// Compiles a text, with the graph after each pass verified and kept.
///
/// # Errors
/// A panic, a diagnostic, an invariant that does not hold.
pub fn compile(text: &str) -> Result<(Output, Vec<Stage>), Fault> {
    let source = Source { name: "random.gd".to_owned(), text: text.to_owned(), folder: None };
    let options = Options { runtime: Runtime::StandAlone, ..Options::default() };
    let mut stages = Vec::new();
    let mut broken = None;
    let compiled = catch_unwind(AssertUnwindSafe(|| {
        gdc_driver::compile_observed(&source, &options, &mut |pass, model| {
            if let Err(violations) = gdc_ir::verify::verify(model)
                && broken.is_none()
            {
                broken = Some(format!("after {pass}: {violations:#?}"));
            }
            stages.push((pass, model.clone()));
        })
    }));
    match compiled {
        Err(panic) => fault("panic", said(panic.as_ref())),
        Ok(Err(failure)) => {
            let messages: Vec<String> =
                failure.diagnostics.iter().map(|d| format!("{} {}", d.code, d.message)).collect();
            let code = failure.diagnostics.iter().map(|d| d.code.0).find(|c| c.starts_with('E')).unwrap_or_default();
            fault(&format!("compile {code}"), messages.join("\n"))
        }
        // An invalid graph of a spec with errors is nobody's concern.
        Ok(Ok(output)) => match broken {
            Some(message) => fault("verify", message),
            None => Ok((output, stages)),
        },
    }
}

/// What a panic said.
pub fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default()
}

/// Samples for a model: of inputs, numbers that an f32 holds, so that all see the same ones.
///
/// # Panics
/// The model has an integer without a range.
pub fn batch(model: &Model, samples: usize, seed: u64) -> Batch {
    let mut batch = Batch::of(samples);
    for (k, &id) in model.inputs.iter().chain(&model.targets).enumerate() {
        let node = model.graph.node(id);
        let mut shape = node.shape.clone();
        shape[0] = samples;
        let count = shape.iter().product();
        let noise = noise(seed * 31 + k as u64, count);
        let value = match (node.ty, node.range) {
            (Ty::Int, Some((low, high))) => {
                let int = |x: &f64| (low as f64 + (x + 1.0) / 2.0 * (high - low) as f64).floor() as i64;
                Tensor::int(&shape, noise.iter().map(int).collect())
            }
            _ => Tensor::real(&shape, noise.iter().map(|x| f64::from((x * 1.3) as f32)).collect()),
        };
        batch = batch.with(node.name.clone(), value.expect("the values fit the shape"));
    }
    batch
}

/// Moves parameters off their initial values, so that zeros count too.
///
/// # Panics
/// The session has not got the model's parameters.
pub fn disturb(session: &mut Session<'_>, model: &Model) {
    for (k, kept) in model.params.iter().enumerate() {
        let node = model.graph.node(kept.node);
        let old = session.get(&node.name).expect("every parameter has a value").to_vec();
        let moves = noise(k as u64 + 77, old.len());
        let moved = old.iter().zip(moves).map(|(a, b)| f64::from((a + 0.2 * b) as f32)).collect();
        session.set(&node.name, Tensor::real(&node.shape, moved).expect("fits")).expect("it exists");
    }
}

/// Everything at once; panics of the checks are faults.
pub fn check(spec: &Spec) -> Verdict {
    check_text(&spec.text())
}

/// [`check`] of a source.
pub fn check_text(text: &str) -> Verdict {
    match catch_unwind(AssertUnwindSafe(|| stages(text))) {
        Ok(Ok(Some(compared))) => Verdict::Agrees(compared),
        Ok(Ok(None)) => Verdict::TooLarge,
        Ok(Err(fault)) => Verdict::Wrong(fault),
        Err(panic) => Verdict::Wrong(Fault { check: "panic in a check".to_owned(), message: said(panic.as_ref()) }),
    }
}

/// The checks in order; how many derivatives were compared, none if numbers grow too large.
fn stages(text: &str) -> Result<Option<usize>, Fault> {
    let (output, stages) = compile(text)?;
    let samples = output.model.settings.batch.unwrap_or(1);
    if !passes_keep_the_loss(&stages, samples)? {
        return Ok(None);
    }
    // The last graph that still knows what is detached.
    let Some((_, update)) = stages.iter().find(|(pass, _)| *pass == "update") else {
        return fault("passes", "there is no pass `update`");
    };
    let mut compared = 0;
    for samples in [samples, samples.div_ceil(2)] {
        let Some(found) = differences(update, &output.model, samples)? else { return Ok(None) };
        compared += found;
    }
    if let Err(message) = compare_train(&output.model, &output.programs) {
        return fault("program", message);
    }
    let sample = gdc_core::sample::one_sample(&output.model);
    if let Err(message) = compare_outputs(&sample, &output.programs) {
        return fault("predict", message);
    }
    Ok(Some(compared))
}

/// The loss is the same after each pass. False if it is too large to tell.
fn passes_keep_the_loss(stages: &[Stage], samples: usize) -> Result<bool, Fault> {
    let mut first = None;
    for (pass, model) in stages {
        let mut session = Session::new(model, 5).map_err(refused(pass))?;
        disturb(&mut session, model);
        let loss = session.loss(&batch(model, samples, 1)).map_err(refused(pass))?;
        if loss.is_nan() || loss.abs() >= 1e3 {
            return if first.is_none() { Ok(false) } else { fault("passes", format!("{loss} after {pass}")) };
        }
        let first = *first.get_or_insert(loss);
        if (loss - first).abs() > 1e-9 * (1.0 + first.abs()) {
            return fault("passes", format!("the loss is {loss} after {pass}, and was {first}"));
        }
    }
    Ok(true)
}

/// Derivatives against finite differences before simplification, and against those after it; then
/// three steps that stay finite.
fn differences(update: &Model, last: &Model, samples: usize) -> Result<Option<usize>, Fault> {
    let batch = batch(update, samples, 2);
    let mut session = Session::new(update, 5).map_err(refused("update"))?;
    disturb(&mut session, update);
    let before = session.gradients(&batch).map_err(refused("update"))?;
    let largest = before.values().flat_map(Tensor::to_vec).fold(0.0f64, |m, x| m.max(x.abs()));
    if largest.is_finite() && largest > 1e4 {
        return Ok(None);
    }
    let options = CheckOptions { limit: 5, ..CheckOptions::default() };
    let report = gradient_check(update, &session, &batch, options).map_err(refused("update"))?;
    if report.worst().is_nan() || report.worst() >= 1e-5 {
        return fault("differences", report.to_string());
    }
    let mut session = Session::new(last, 5).map_err(refused("simplify"))?;
    disturb(&mut session, last);
    let after = session.gradients(&batch).map_err(refused("simplify"))?;
    for (name, wanted) in &before {
        let Some(found) = after.get(name) else { return fault("passes", format!("{name} lost its gradient")) };
        for (a, b) in found.to_vec().iter().zip(wanted.to_vec()) {
            let apart = (a - b).abs();
            if apart.is_nan() || apart > 1e-9 * (1.0 + largest) {
                return fault("passes", format!("the gradient of {name} is {a}, and was {b}"));
            }
        }
    }
    for _ in 0..3 {
        let loss = session.step(&batch).map_err(refused("simplify"))?;
        if !loss.is_finite() {
            return fault("steps", format!("the loss is {loss}"));
        }
    }
    Ok(Some(report.compared()))
}
