//! Checkpoints: everything that a training needs to go on as if it had never stopped.
//!
//! One `.safetensors` file holds parameters and states, the best weights so far under `best/`,
//! and notes: where training stands, its seed, its number of samples, and its history.

use super::history::History;
use super::weights::{self, Loaded, Slot, Tensor};
use super::worker::{Checkpoint, Start};
use crate::fault::{Fault, Outcome};
use gdc_driver::Output;
use gdc_ir::graph::Precision;
use std::collections::BTreeMap;
use std::path::Path;

const BEST: &str = "best/";
/// The form of the notes; another one cannot be read.
const FORM: &str = "1";

/// What has to be the same when training goes on, or its numbers would be others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// The model's name.
    pub model: String,
    /// Of the order of samples and of draws.
    pub seed: u64,
    /// Of the training data.
    pub samples: usize,
    /// Of the validation data.
    pub validation: usize,
    /// Whether samples are shuffled.
    pub shuffle: bool,
    /// Of the model's numbers.
    pub precision: Precision,
    /// The names of classes in the data, as a note; empty where there are none.
    pub classes: String,
}

/// What a file held.
pub struct Resumed {
    /// Where it stands.
    pub start: Start,
    /// Parameters and states.
    pub tensors: Vec<Tensor>,
    /// Those of the best epoch.
    pub best: Option<Vec<Tensor>>,
    /// What was recorded.
    pub history: History,
}

fn name_of(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "f32",
        Precision::F64 => "f64",
    }
}

/// Writes a checkpoint, whole or not at all. `best` are the best weights from before it began.
pub fn save(
    path: &Path,
    setting: &Setting,
    checkpoint: Checkpoint,
    best: Option<&[Tensor]>,
    history: &History,
) -> Outcome {
    let start = &checkpoint.start;
    let mut notes = BTreeMap::from([
        ("gdc.checkpoint".to_owned(), FORM.to_owned()),
        ("model".to_owned(), setting.model.clone()),
        ("seed".to_owned(), setting.seed.to_string()),
        ("samples".to_owned(), setting.samples.to_string()),
        ("validation".to_owned(), setting.validation.to_string()),
        ("shuffle".to_owned(), setting.shuffle.to_string()),
        ("precision".to_owned(), name_of(setting.precision).to_owned()),
        ("classes".to_owned(), setting.classes.clone()),
        ("epoch".to_owned(), start.epoch.to_string()),
        ("step".to_owned(), start.step.to_string()),
        ("stale".to_owned(), start.stale.to_string()),
        ("history".to_owned(), history.epochs_csv()),
    ]);
    notes.extend(start.best.map(|best| ("best".to_owned(), best.to_string())));
    let mut tensors = checkpoint.tensors;
    for tensor in checkpoint.best.as_deref().or(best).unwrap_or_default() {
        let slot = Slot { name: format!("{BEST}{}", tensor.slot.name), shape: tensor.slot.shape.clone() };
        tensors.push(Tensor { slot, values: tensor.values.clone() });
    }
    weights::save(path, &notes, setting.precision, &tensors)
}

/// Reads a checkpoint of a model; the error says what differs.
pub fn load(path: &Path, output: &Output, setting: &Setting, metrics: &[String]) -> Outcome<Resumed> {
    let model = &output.model;
    let required = weights::all_state(model);
    let best: Vec<Slot> =
        required.iter().map(|s| Slot { name: format!("{BEST}{}", s.name), shape: s.shape.clone() }).collect();
    let Loaded { tensors, about: notes, .. } = weights::load(path, setting.precision, &required, &best)?;
    let fault = |what: &str| Fault::input(format!("{} {what}", path.display()));
    if notes.get("gdc.checkpoint").map(String::as_str) != Some(FORM) {
        return Err(fault("holds weights but no checkpoint: to start from them, use --init"));
    }
    let mut differ = Vec::new();
    let options = [
        ("model", setting.model.clone()),
        ("seed", setting.seed.to_string()),
        ("samples", setting.samples.to_string()),
        ("validation", setting.validation.to_string()),
        ("shuffle", setting.shuffle.to_string()),
        ("precision", name_of(setting.precision).to_owned()),
        ("classes", setting.classes.clone()),
    ];
    for (name, now) in options {
        match notes.get(name) {
            Some(then) if *then == now => {}
            then => differ.push(format!("{name}: {} then, {now} now", then.map_or("unknown", String::as_str))),
        }
    }
    if !differ.is_empty() {
        return Err(fault(&format!("is of a training with other settings:\n  {}", differ.join("\n  "))));
    }
    let broken = || fault("has notes that cannot be read");
    let count = |name: &str| notes.get(name).and_then(|v| v.parse::<u64>().ok()).ok_or_else(broken);
    let start = Start {
        epoch: count("epoch")?,
        step: count("step")?,
        stale: count("stale")?,
        best: notes.get("best").map(|v| v.parse().map_err(|_| broken())).transpose()?,
    };
    let history = notes.get("history").and_then(|csv| History::from_csv(csv, metrics)).ok_or_else(broken)?;
    let (best, tensors): (Vec<Tensor>, Vec<Tensor>) = tensors.into_iter().partition(|t| t.slot.name.starts_with(BEST));
    let plain = |t: Tensor| Tensor { slot: Slot { name: t.slot.name[BEST.len()..].to_owned(), ..t.slot }, ..t };
    let best: Vec<Tensor> = best.into_iter().map(plain).collect();
    Ok(Resumed { start, tensors, best: (!best.is_empty()).then_some(best), history })
}
