//! `gdc train`: compiles a spec, builds a program from it, and trains with data from files.

pub mod build;
mod curve;
pub mod data;
pub mod event;
pub mod field;
pub mod glue;
pub mod history;
mod plan;
pub mod progress;
pub mod weights;
pub mod worker;

use crate::cli::TrainArgs;
use crate::fault::{Fault, Outcome};
use crate::files::{display_name, write_whole};
use crate::spec::Spec;
use build::SourceFile;
use data::Dataset;
use field::Field;
use gdc_driver::{Options, Output, Runtime};
use gdc_ir::program::BufferRole;
use history::{EpochRecord, History};
use plan::Plan;
use progress::Progress;
use std::path::{Path, PathBuf};
use weights::Tensor;
use worker::{Material, Trained, Watch};

/// Trains, and writes what was asked for only when training has ended well.
pub fn run(args: &TrainArgs) -> Outcome {
    let spec = Spec::read(&args.file)?;
    let output = spec.compile_or_show(&Options { runtime: Runtime::StandAlone, model: args.model.clone() })?;
    let spec_name = display_name(&args.file);
    check_trainable(&output, &spec_name)?;
    let fields = Field::all(&output.model);
    let training = load("--data", &args.data, &fields, args.quiet)?;
    let validation = match args.validation.as_slice() {
        [] => None,
        args_ => Some(load("--validation", args_, &fields, args.quiet)?),
    };
    let init = args.init.as_deref().map(|path| load_init(path, &output)).transpose()?;
    let plan = Plan::new(args, &output.model, training.samples);
    let program = build_program(&output, &spec_name, args.cache.as_deref(), args.quiet)?;
    let used = in_program_order(&output, &fields);
    let given = given_for_prediction(&output, &fields);
    let material = Material {
        fields: &fields,
        used: &used,
        given: &given,
        training: &training.columns,
        validation: validation.as_ref().map(|v| v.columns.as_slice()),
        init: init.as_deref(),
    };
    let metrics = buffer_names(&output, |role| role == BufferRole::Metric);
    let mut history = History { metrics: metrics.clone(), ..History::default() };
    let mut display = Display { progress: Progress::new(&plan, metrics, args.quiet), diverged: None };
    let trained = worker::run(&program, &plan.job, &material, &mut history, &mut display);
    display.progress.finish();
    if let Some(step) = display.diverged {
        eprintln!("warning: the loss was no finite number at step {step}: a smaller learning rate may help");
    }
    let trained = trained?;
    if trained.reason == "until" && !args.quiet {
        eprintln!("stopped: the mean loss is below the spec's threshold");
    }
    write_results(args, &output, &trained, &history)
}

/// What the user sees, and whether the loss stayed finite.
struct Display {
    progress: Progress,
    diverged: Option<u64>,
}

impl Watch for Display {
    fn step(&mut self, step: u64, loss: f64) {
        if !loss.is_finite() && self.diverged.is_none() {
            self.diverged = Some(step);
        }
        self.progress.step(step, loss);
    }

    fn epoch(&mut self, record: &EpochRecord) {
        if !record.training.loss.is_finite() && self.diverged.is_none() {
            self.diverged = Some(record.steps);
        }
        self.progress.epoch(record);
    }
}

/// Which fields the program takes, in its order: those of no use to it may be left out.
pub fn in_program_order(output: &Output, fields: &[Field]) -> Vec<usize> {
    let inputs = buffer_names(output, |role| role == BufferRole::Input);
    let targets = buffer_names(output, |role| role == BufferRole::Target);
    inputs.iter().chain(&targets).filter_map(|name| fields.iter().position(|f| f.name == *name)).collect()
}

/// Which fields a prediction takes, in its order.
pub fn given_for_prediction(output: &Output, fields: &[Field]) -> Vec<usize> {
    let names = glue::given(output);
    names.iter().filter_map(|buffer| fields.iter().position(|f| f.name == buffer.name)).collect()
}

/// The names of a program's buffers of some role, in its order.
pub fn buffer_names(output: &Output, wanted: impl Fn(BufferRole) -> bool) -> Vec<String> {
    output.programs.train.buffers.iter().filter(|b| wanted(b.role)).map(|b| b.name.clone()).collect()
}

/// Whether there is something to train.
pub fn check_trainable(output: &Output, spec: &str) -> Outcome {
    let model = &output.model;
    let missing = if model.loss.is_none() {
        "loss EXPRESSION;"
    } else if model.updates.is_empty() {
        "optimizer sgd(lr = 0.1);"
    } else if model.precision == gdc_ir::Precision::F64 {
        return Err(Fault::input(format!(
            "model `{}` says `precision f64;`, and gdc train trains in f32 only: train it from Rust, with the type \
             that `gdc compile` writes",
            model.name
        )));
    } else {
        return Ok(());
    };
    Err(Fault::input(format!("model `{}` in {spec} cannot be trained: it has no `{missing}`", model.name)))
}

/// The data of all fields.
pub fn load(option: &str, args: &[data::DataArg], fields: &[Field], quiet: bool) -> Outcome<Dataset> {
    if args.is_empty() && !fields.is_empty() {
        let all: Vec<String> = fields.iter().map(|f| format!("`{}`", f.declared())).collect();
        return Err(Fault::call(format!("{option} FILE is needed: the model has {}", all.join(", "))));
    }
    if !args.is_empty() && fields.is_empty() {
        return Err(Fault::call(format!("{option}: the model has no inputs and takes no data")));
    }
    let data = data::load(option, args, fields)?;
    if !quiet {
        data.notes.iter().for_each(|note| eprintln!("note: {note}"));
    }
    Ok(data)
}

/// Weights to start from.
pub fn load_init(path: &Path, output: &Output) -> Outcome<Vec<Tensor>> {
    let required = weights::parameters(&output.model);
    let optional = weights::kept_for_prediction(&output.model);
    let optional: Vec<_> = optional.into_iter().filter(|slot| !required.contains(slot)).collect();
    weights::load(path, &required, &optional)
}

/// Builds the worker of a model.
pub fn build_program(output: &Output, spec: &str, cache: Option<&Path>, quiet: bool) -> Outcome<PathBuf> {
    let text = glue::source(output, spec)?;
    let files =
        [SourceFile { name: "main.rs", text: &text }, SourceFile { name: "gdc_worker.rs", text: worker::SOURCE }];
    build::build(&files, &build::cache_folder(cache), || {
        if !quiet {
            eprintln!("building {} for this machine", output.model.name);
        }
    })
}

fn write_results(args: &TrainArgs, output: &Output, trained: &Trained, history: &History) -> Outcome {
    let beside =
        |given: &Option<PathBuf>, name: &str| given.clone().or_else(|| args.out.as_ref().map(|d| d.join(name)));
    let model = &output.model;
    let mut written = Vec::new();
    if let Some(path) = beside(&args.weights, "weights.safetensors") {
        weights::save(&path, &model.name, &pick(&trained.tensors, &weights::kept_for_prediction(model))?)?;
        written.push(path);
    }
    if let (Some(path), Some(gradients)) = (&args.dump_gradients, &trained.gradients) {
        weights::save(path, &model.name, &pick(gradients, &weights::parameters(model))?)?;
        written.push(path.clone());
    }
    if let Some(path) = beside(&args.history, "history.csv") {
        write_whole(&path, history.epochs_csv().as_bytes())?;
        written.push(path);
    }
    if let (Some(folder), Some(picture)) = (&args.out, curve::svg(history, &model.name)) {
        let path = folder.join("loss.svg");
        write_whole(&path, picture.as_bytes())?;
        written.push(path);
    }
    if let Some(path) = &args.history_steps {
        write_whole(path, history.steps_csv().as_bytes())?;
        written.push(path.clone());
    }
    if !args.quiet {
        written.iter().for_each(|path| eprintln!("wrote {}", path.display()));
        if args.weights.is_none() && args.out.is_none() {
            eprintln!("note: the weights were not kept: --weights FILE or --out DIR keeps them");
        }
    }
    Ok(())
}

/// The tensors of some slots, which the program must have written in the same shape.
pub fn pick(tensors: &[Tensor], slots: &[weights::Slot]) -> Outcome<Vec<Tensor>> {
    let one = |slot: &weights::Slot| {
        tensors.iter().find(|t| t.slot == *slot).cloned().ok_or_else(|| {
            Fault::input(format!(
                "the training program did not write `{}` {:?}: a mistake of gdc",
                slot.name, slot.shape
            ))
        })
    };
    slots.iter().map(one).collect()
}
