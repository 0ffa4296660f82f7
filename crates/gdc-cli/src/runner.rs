//! What the commands that run a compiled model share: from a spec to a program that was built,
//! with the weights that it starts from.

use crate::cli::{BuildArgs, SpecArgs};
use crate::fault::{Fault, Outcome};
use crate::files::display_name;
use crate::spec::Spec;
use crate::train::data::Dataset;
use crate::train::field::{Field, Values};
use crate::train::glue::Point;
use crate::train::history::{EpochRecord, History};
use crate::train::weights::Tensor;
use crate::train::worker::{self, Job, Material, Mode, Trained, Watch};
use crate::train::{build_program, check_trainable, given_for_prediction, in_program_order};
use gdc_driver::{Options, Output, Runtime};
use std::path::PathBuf;

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
    pub fn new(which: &SpecArgs, build: &BuildArgs) -> Outcome<Runner> {
        let (output, spec) = compile(which)?;
        Runner::of(output, &spec, build)
    }

    /// Builds the program of a compiled model.
    pub fn of(output: Output, spec: &str, build: &BuildArgs) -> Outcome<Runner> {
        let fields = Field::all(&output.model);
        let program = build_program(&output, &[Point::Outputs], spec, build.cache.as_deref(), build.quiet)?;
        Ok(Runner::with_fields(output, fields, program, Point::Outputs))
    }

    /// Builds the program that predicts by an entry point. Its inputs are all that it reads.
    pub fn of_entry(output: Output, name: &str, spec: &str, build: &BuildArgs) -> Outcome<Runner> {
        let fields = entry_fields(&output, name, spec)?;
        let program = build_program(&output, &[Point::Entry(name)], spec, build.cache.as_deref(), build.quiet)?;
        Ok(Runner::with_fields(output, fields, program, Point::Entry(name)))
    }

    /// Builds the program that trains, and predicts by several points.
    pub fn of_points(
        output: Output,
        points: fn(&Output) -> Vec<Point<'_>>,
        spec: &str,
        build: &BuildArgs,
    ) -> Outcome<Runner> {
        let fields = Field::all(&output.model);
        let program = build_program(&output, &points(&output), spec, build.cache.as_deref(), build.quiet)?;
        Ok(Runner::with_fields(output, fields, program, Point::Outputs))
    }

    /// What point number `job.point` gives for samples of its own fields.
    pub fn predict(
        &self,
        job: &Job,
        point: Point,
        fields: &[Field],
        data: &[Values],
        init: &[Tensor],
    ) -> Outcome<Vec<f64>> {
        let material = Material {
            fields,
            used: &[],
            given: &given_for_prediction(&self.output, point, fields),
            training: data,
            validation: None,
            init: Some(init),
            precision: self.output.model.precision,
        };
        let job = Job { mode: Mode::Predict, ..job.clone() };
        worker::run(&self.program, &job, &material, &mut History::default(), &mut Silent).map(|ran| ran.predicted)
    }

    /// `first` is what the program predicts unless it is told otherwise.
    fn with_fields(output: Output, fields: Vec<Field>, program: PathBuf, first: Point) -> Runner {
        // What an entry point takes is not what training takes.
        let used = match first {
            Point::Entry(_) => Vec::new(),
            Point::Outputs | Point::Stream => in_program_order(&output, &fields),
        };
        let given = given_for_prediction(&output, first, &fields);
        Runner { output, fields, program, used, given }
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
            precision: self.output.model.precision,
        };
        let mut history = History::default();
        let trained = worker::run(&self.program, job, &material, &mut history, &mut Silent)?;
        Ok((trained, history))
    }
}

/// Compiles a spec that can be trained.
pub fn compile(which: &SpecArgs) -> Outcome<(Output, String)> {
    let spec = Spec::read(&which.file)?;
    let output =
        spec.compile_or_show(&Options { runtime: Runtime::Hosted, model: which.model.clone(), ..Options::default() })?;
    let name = display_name(&which.file);
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

/// The inputs of an entry point, or the error that the model has none of this name.
pub fn entry_fields(output: &Output, name: &str, spec: &str) -> Outcome<Vec<Field>> {
    let entries = &output.model.entries;
    if let Some(entry) = entries.iter().find(|e| e.name == name) {
        return Ok(Field::of_entry(&output.model, entry));
    }
    let names: Vec<String> = entries.iter().map(|e| format!("`{}`", e.name)).collect();
    let has = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Err(Fault::call(format!(
        "--entry {name}: model `{}` in {spec} has no such entry point; it has {has}",
        output.model.name
    )))
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
