//! A model with `for`, layers, models as layers and scans against the same one written out: equal
//! losses and gradients, step after step.

use super::{Net, Style};
use crate::agree::{self, Fault};
use crate::support::compare::noise;
use gdc_interp::{Session, Tensor};
use gdc_ir::Model;

/// How the two differ; how many numbers are equal, none where there is nothing to write out. Both are written without draws, which
/// depend on where they stand.
///
/// # Errors
/// What differs.
pub fn check(net: &Net) -> Result<usize, Fault> {
    if net.text(Style::Rolled) == net.text(Style::Flat) {
        return Ok(0);
    }
    let mut found = Vec::new();
    for style in [Style::Rolled, Style::Flat] {
        let text = net.without_draws(style).unwrap_or_default();
        let (output, _) = agree::compile(&text).map_err(|f| told(&format!("{}: {}", f.check, f.message), &text))?;
        found.push((numbers(&output.model).map_err(|e| told(&e.to_string(), &text))?, text));
    }
    let [(rolled, _), (flat, text)] = &found[..] else { return Ok(0) };
    let names = |all: &Lines| all.iter().map(|(name, v)| format!("{name} {}", v.len())).collect::<Vec<_>>();
    if rolled.len() != flat.len() {
        return Err(told(&format!("{:?} and {:?}", names(rolled), names(flat)), text));
    }
    let mut compared = 0;
    for ((name, a), (other, b)) in rolled.iter().zip(flat) {
        let size = a.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        if a.len() != b.len() {
            return Err(told(&format!("{name} has {} numbers, {other} {}", a.len(), b.len()), text));
        }
        for (k, (a, b)) in a.iter().zip(b).enumerate() {
            let apart = (a - b).abs();
            if apart.is_nan() || apart > 1e-8 * (1.0 + size) {
                return Err(told(&format!("{name}[{k}] is {a}, and {other}[{k}] is {b}"), text));
            }
        }
        compared += a.len();
    }
    Ok(compared)
}

fn told(message: &str, text: &str) -> Fault {
    Fault { check: "written out".to_owned(), message: format!("{message}\n{text}") }
}

/// Names with numbers.
type Lines = Vec<(String, Vec<f64>)>;

/// Loss and gradients at parameters that depend on their place in the model alone, and the losses
/// of some steps.
fn numbers(model: &Model) -> Result<Lines, gdc_interp::Error> {
    let batch = agree::batch(model, model.settings.batch.unwrap_or(1), 4);
    let mut session = Session::new(model, 5)?;
    let mut names = Vec::new();
    for (k, kept) in model.params.iter().enumerate() {
        let node = model.graph.node(kept.node);
        let values = noise(k as u64 + 17, node.len()).into_iter().map(|x| 0.2 + 0.7 * x).collect();
        session.set(&node.name, Tensor::real(&node.shape, values)?)?;
        names.push(node.name.clone());
    }
    let mut lines = vec![("loss".to_owned(), vec![session.loss(&batch)?])];
    let gradients = session.gradients(&batch)?;
    for name in names {
        if let Some(gradient) = gradients.get(&name) {
            lines.push((name, gradient.to_vec()));
        }
    }
    for _ in 0..2 {
        let loss = session.step(&batch)?;
        lines.push(("step".to_owned(), vec![loss]));
    }
    Ok(lines)
}
