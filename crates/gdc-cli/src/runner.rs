//! What the commands that run a compiled model share: from a spec to a program that was built,
//! with the weights that it starts from.

use crate::fault::{Fault, Outcome};
use crate::files::display_name;
use crate::spec::Spec;
use crate::train::data::Dataset;
use crate::train::field::{Field, Values};
use crate::train::history::{EpochRecord, History};
use crate::train::weights::Tensor;
use crate::train::worker::{self, Job, Material, Trained, Watch};
use crate::train::{build_program, check_trainable, given_for_prediction, in_program_order};
use gdc_driver::{Options, Output, Runtime};
use std::path::{Path, PathBuf};

/// A compiled model, ready to be run.
pub struct Runner {
    /// The model.
    pub output: Output,
    /// Inputs and targets.
    pub fields: Vec<Field>,
    program: PathBuf,
    used: Vec<usize>,
    given: Vec<usize>,
}

impl Runner {
    /// Compiles a spec, for the machine too.
    pub fn new(path: &Path, model: Option<String>, cache: Option<&Path>, quiet: bool) -> Outcome<Runner> {
        let (output, spec) = compile(path, model)?;
        Runner::of(output, &spec, cache, quiet)
    }

    /// Builds the program of a compiled model.
    pub fn of(output: Output, spec: &str, cache: Option<&Path>, quiet: bool) -> Outcome<Runner> {
        let fields = Field::all(&output.model);
        let program = build_program(&output, spec, cache, quiet)?;
        let (used, given) = (in_program_order(&output, &fields), given_for_prediction(&output, &fields));
        Ok(Runner { output, fields, program, used, given })
    }

    /// Runs a job over samples; what happens meanwhile is not shown.
    pub fn run(&self, job: &Job, data: &[Values], init: Option<&[Tensor]>) -> Outcome<(Trained, History)> {
        let material = Material {
            fields: &self.fields,
            used: &self.used,
            given: &self.given,
            training: data,
            validation: None,
            init,
        };
        let mut history = History::default();
        let trained = worker::run(&self.program, job, &material, &mut history, &mut Silent)?;
        Ok((trained, history))
    }
}

/// Compiles a spec that can be trained.
pub fn compile(path: &Path, model: Option<String>) -> Outcome<(Output, String)> {
    let spec = Spec::read(path)?;
    let output = spec.compile_or_show(&Options { runtime: Runtime::StandAlone, model })?;
    let name = display_name(path);
    check_trainable(&output, &name)?;
    Ok((output, name))
}

/// Samples for all fields where only the inputs were read: zeros for the targets, which a
/// prediction does not look at.
pub fn with_targets(fields: &[Field], inputs: Dataset) -> Vec<Values> {
    let mut columns = inputs.columns;
    for field in &fields[columns.len().min(fields.len())..] {
        let mut zeros = Values::for_field(field, inputs.samples * field.len());
        let lowest = field.range.map_or(0.0, |(low, _)| low as f64);
        for _ in 0..inputs.samples * field.len() {
            // The least value of a range is in it.
            drop(zeros.push(field, lowest));
        }
        columns.push(zeros);
    }
    columns
}

/// The error of a model that gives no outputs.
pub fn no_outputs(output: &Output, spec: &str) -> Fault {
    Fault::input(format!(
        "model `{}` in {spec} predicts nothing: it has no `output NAME = EXPRESSION;`",
        output.model.name
    ))
}

/// Watches without a word.
struct Silent;

impl Watch for Silent {
    fn step(&mut self, _: u64, _: f64) {}
    fn epoch(&mut self, _: &EpochRecord) {}
}
