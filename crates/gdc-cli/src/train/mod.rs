//! `gdc train`: compiles a spec, builds a program from it, and trains with data from files.

pub mod build;
mod checkpoint;
mod curve;
pub mod data;
pub mod event;
pub mod field;
pub mod glue;
mod gradients;
pub mod history;
mod plan;
pub mod prepare;
pub mod progress;
pub mod weights;
pub mod worker;

use crate::cli::TrainArgs;
use crate::fault::{At, Fault, Outcome};
use crate::files::{display_name, write_whole};
use crate::spec::Spec;
use build::SourceFile;
use checkpoint::Setting;
use data::Dataset;
use data::classes::Classes;
use field::Field;
use gdc_driver::{Options, Output, Runtime};
use gdc_ir::Threads;
use gdc_ir::program::BufferRole;
use glue::Point;
use gradients::Gradients;
use history::{EpochRecord, History};
use plan::Plan;
use prepare::Normalisation;
use progress::Progress;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use weights::Tensor;
use worker::{Material, Trained, Watch};

/// What the names of classes are called in a file of weights.
const CLASSES: &str = "classes";

/// Trains, and writes what was asked for only when training has ended well.
pub fn run(args: &TrainArgs) -> Outcome {
    let spec = Spec::read(&args.spec.file)?;
    let threads = args.threads.map(|n| Threads { most: n.most(), origin: None });
    let options = Options { runtime: Runtime::Hosted, model: args.spec.model.clone(), threads };
    let output = spec.compile_or_show(&options)?;
    if let (Some(_), Some(reason), false) = (args.threads, &output.programs.one_thread, args.build.quiet) {
        eprintln!("note: this model is trained on one thread: {reason}");
    }
    let spec_name = display_name(&args.spec.file);
    check_trainable(&output, &spec_name)?;
    let fields = Field::all(&output.model);
    let mut prepared = Prepared::new(args, &output, &fields)?;
    let metrics = buffer_names(&output, |role| role == BufferRole::Metric);
    let (mut history, resumed_best) = prepared.resume(args, &output, &metrics)?;
    let plan = Plan::new(args, &output.model, prepared.training.samples, std::mem::take(&mut prepared.start));
    let program = build_program(&output, &[Point::Outputs], &spec_name, args.build.cache.as_deref(), args.build.quiet)?;
    let (used, given) = (in_program_order(&output, &fields), given_for_prediction(&output, Point::Outputs, &fields));
    let material = Material {
        fields: &fields,
        used: &used,
        given: &given,
        training: &prepared.training.columns,
        validation: prepared.validation.as_ref().map(|v| v.columns.as_slice()),
        init: prepared.init.as_deref(),
        precision: output.model.precision,
    };
    let mut display = Display {
        progress: Progress::new(&plan, metrics, args.build.quiet),
        gradients: Gradients::default(),
        learnt: learnt(&output),
        diverged: None,
        best: None,
        file: plan::checkpoint_file(args),
        setting: prepared.setting.clone(),
        resumed_best: resumed_best.as_deref(),
    };
    let trained = worker::run(&program, &plan.job, &material, &mut history, &mut display);
    display.finish();
    let (diverged, best_epoch) = (display.diverged, display.best);
    if let Some(step) = diverged {
        eprintln!("warning: the loss was no finite number at step {step}: a smaller learning rate may help");
    }
    let mut trained = trained?;
    trained.best = trained.best.take().or(resumed_best);
    if !args.build.quiet {
        say_how_it_went(&trained, &history, plan.job.keep_best.then_some(best_epoch).flatten());
    }
    write_results(args, &output, &trained, &history, &prepared)
}

/// The data as training takes them, and where it begins.
struct Prepared {
    training: data::Dataset,
    validation: Option<data::Dataset>,
    normalised: Vec<Normalisation>,
    classes: Classes,
    init: Option<Vec<Tensor>>,
    start: worker::Start,
    setting: Setting,
}

impl Prepared {
    fn new(args: &TrainArgs, output: &Output, fields: &[Field]) -> Outcome<Prepared> {
        let seed = args.seed.unwrap_or(output.model.settings.seed);
        let start = args.init.as_deref().map(|path| load_init(path, output, args.build.quiet)).transpose()?;
        let (mut init, mut classes) = start.map_or_else(Default::default, |s| (Some(s.tensors), s.classes));
        // Weights without names can be trained on with names.
        classes.learn();
        let mut training = load("--data", &args.data, fields, &mut classes, args.build.quiet)?;
        classes.settle();
        let mut validation = match args.validation.as_slice() {
            [] => None,
            args_ => Some(load("--validation", args_, fields, &mut classes, args.build.quiet)?),
        };
        if let Some(part) = args.validation_split {
            let (rest, held) = prepare::split(training, fields, part, seed)?;
            (training, validation) = (rest, Some(held));
        }
        let mut normalised = init.as_mut().map(Normalisation::take).unwrap_or_default();
        if !args.normalize.is_empty() {
            normalised = Normalisation::of(&args.normalize, fields, &training)?;
        }
        for one in &normalised {
            one.apply(fields, &mut training.columns);
            validation.iter_mut().for_each(|v| one.apply(fields, &mut v.columns));
        }
        let setting = Setting {
            model: output.model.name.clone(),
            seed,
            samples: training.samples,
            validation: validation.as_ref().map_or(0, |v| v.samples),
            shuffle: output.model.settings.shuffle && !args.no_shuffle,
            precision: output.model.precision,
            classes: classes.note().unwrap_or_default(),
        };
        Ok(Prepared { training, validation, normalised, classes, init, start: worker::Start::default(), setting })
    }

    /// Takes up a checkpoint, if one is named: its history and best weights.
    fn resume(
        &mut self,
        args: &TrainArgs,
        output: &Output,
        metrics: &[String],
    ) -> Outcome<(History, Option<Vec<Tensor>>)> {
        let Some(path) = &args.resume else {
            return Ok((History { metrics: metrics.to_vec(), ..History::default() }, None));
        };
        let resumed = checkpoint::load(path, output, &self.setting, metrics)?;
        if !args.build.quiet {
            eprintln!("going on after epoch {}, step {}", resumed.start.epoch, resumed.start.step);
        }
        let mut history = resumed.history;
        history.first_step = resumed.start.step;
        (self.init, self.start) = (Some(resumed.tensors), resumed.start);
        Ok((history, resumed.best))
    }
}

/// Why it ended and what became of the loss.
fn say_how_it_went(trained: &Trained, history: &History, best: Option<u64>) {
    match trained.reason.as_str() {
        "until" => eprintln!("stopped: the mean loss is below the spec's threshold"),
        "patience" => eprintln!("stopped: the loss got no lower for as many epochs as --patience says"),
        _ => {}
    }
    let curve = |name: &str, losses: Vec<f64>| {
        let line = progress::sparkline(&losses, 60);
        if let (false, Some(first), Some(last)) = (line.is_empty(), losses.first(), losses.last()) {
            eprintln!("{name}  {line}  {} to {}", progress::number(*first), progress::number(*last));
        }
    };
    curve("loss      ", history.epochs.iter().map(|e| e.training.loss).collect());
    curve("validation", history.epochs.iter().filter_map(|e| Some(e.validation.as_ref()?.loss)).collect());
    if let Some(epoch) = best {
        eprintln!("the weights are those of epoch {epoch}, the best one");
    }
}

/// What the user sees, and whether the loss stayed finite.
struct Display<'a> {
    progress: Progress,
    gradients: Gradients,
    /// What has a gradient.
    learnt: BTreeSet<String>,
    diverged: Option<u64>,
    best: Option<u64>,
    /// Where checkpoints go.
    file: Option<&'a Path>,
    setting: Setting,
    resumed_best: Option<&'a [Tensor]>,
}

impl Display<'_> {
    fn warn(&self, warnings: Vec<String>) {
        warnings.iter().for_each(|w| self.progress.note(&format!("warning: {w}")));
    }

    fn finish(&mut self) {
        let warnings = self.gradients.finish();
        self.warn(warnings);
        self.progress.finish();
    }
}

impl Watch for Display<'_> {
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

    fn gradient(&mut self, step: u64, name: &str, size: f64) {
        if self.learnt.contains(name) {
            let warnings = self.gradients.take(step, name, size);
            self.warn(warnings);
        }
    }

    fn best(&mut self, epoch: u64, _: f64) {
        self.best = Some(epoch);
    }

    fn checkpoint(&mut self, checkpoint: worker::Checkpoint, history: &History) -> Outcome {
        match self.file {
            Some(path) => checkpoint::save(path, &self.setting, checkpoint, self.resumed_best, history),
            None => Ok(()),
        }
    }
}

/// The parameters that are learnt: not those that are frozen.
fn learnt(output: &Output) -> BTreeSet<String> {
    let model = &output.model;
    model.gradients.iter().map(|g| model.graph.node(g.target).name.clone()).collect()
}

/// Which fields the program takes, in its order: those of no use to it may be left out.
pub fn in_program_order(output: &Output, fields: &[Field]) -> Vec<usize> {
    let inputs = buffer_names(output, |role| role == BufferRole::Input);
    let targets = buffer_names(output, |role| role == BufferRole::Target);
    inputs.iter().chain(&targets).filter_map(|name| fields.iter().position(|f| f.name == *name)).collect()
}

/// Which fields a prediction takes, in its order.
pub fn given_for_prediction(output: &Output, point: Point, fields: &[Field]) -> Vec<usize> {
    let names = glue::given(output, point);
    names.iter().filter_map(|buffer| fields.iter().position(|f| f.name == buffer.name)).collect()
}

/// The names of a program's buffers of some role, in its order.
pub fn buffer_names(output: &Output, wanted: impl Fn(BufferRole) -> bool) -> Vec<String> {
    let sums = &output.programs.totals.sums;
    let own = output.programs.train.buffers.iter().filter(|b| wanted(b.role) && !sums.contains(&b.name));
    own.map(|b| b.name.clone()).collect()
}

/// Whether there is something to train.
pub fn check_trainable(output: &Output, spec: &str) -> Outcome {
    let model = &output.model;
    let missing = if model.loss.is_none() {
        "loss EXPRESSION;"
    } else if model.updates.is_empty() {
        "optimizer sgd(lr = 0.1);"
    } else {
        return Ok(());
    };
    Err(Fault::input(format!("model `{}` in {spec} cannot be trained: it has no `{missing}`", model.name)))
}

/// The data of all fields.
pub fn load(
    option: &str,
    args: &[data::DataArg],
    fields: &[Field],
    classes: &mut Classes,
    quiet: bool,
) -> Outcome<Dataset> {
    if args.is_empty() && !fields.is_empty() {
        let all: Vec<String> = fields.iter().map(|f| format!("`{}`", f.declared())).collect();
        return Err(Fault::call(format!("{option} FILE is needed: the model has {}", all.join(", "))));
    }
    if !args.is_empty() && fields.is_empty() {
        return Err(Fault::call(format!("{option}: the model has no inputs and takes no data")));
    }
    let data = data::load(option, args, fields, classes)?;
    if !quiet {
        data.notes.iter().for_each(|note| eprintln!("note: {note}"));
    }
    Ok(data)
}

/// What a file of weights holds.
pub struct Weights {
    /// In the model's precision.
    pub tensors: Vec<Tensor>,
    /// Names of classes in the data that they were trained with.
    pub classes: Classes,
}

/// Weights to start from.
pub fn load_init(path: &Path, output: &Output, quiet: bool) -> Outcome<Weights> {
    let required = weights::parameters(&output.model);
    let optional = weights::kept_for_prediction(&output.model);
    let mut optional: Vec<_> = optional.into_iter().filter(|slot| !required.contains(slot)).collect();
    optional.extend(Normalisation::slots(&Field::all(&output.model)));
    let loaded = weights::load(path, output.model.precision, &required, &optional)?;
    if loaded.rounded && !quiet {
        eprintln!("note: {} holds numbers in f64, which are rounded to the model's f32", path.display());
    }
    let classes = Classes::from_note(loaded.about.get(CLASSES).map(String::as_str));
    let classes =
        classes.ok_or_else(|| Fault::input(format!("{}: its names of classes cannot be read", path.display())))?;
    Ok(Weights { tensors: loaded.tensors, classes })
}

/// Builds the worker of a model, which can predict some points of it.
pub fn build_program(
    output: &Output,
    points: &[Point],
    spec: &str,
    cache: Option<&Path>,
    quiet: bool,
) -> Outcome<PathBuf> {
    let text = glue::source(output, points, spec)?;
    let files =
        [SourceFile { name: "main.rs", text: &text }, SourceFile { name: "gdc_worker.rs", text: worker::SOURCE }];
    build::build(&files, &build::cache_folder(cache), || {
        if !quiet {
            eprintln!("building {} for this machine", output.model.name);
        }
    })
}

fn write_results(
    args: &TrainArgs,
    output: &Output,
    trained: &Trained,
    history: &History,
    prepared: &Prepared,
) -> Outcome {
    let beside =
        |given: &Option<PathBuf>, name: &str| given.clone().or_else(|| args.out.as_ref().map(|d| d.join(name)));
    let model = &output.model;
    let mut written = Vec::new();
    if let Some(path) = beside(&args.weights, "weights.safetensors") {
        let tensors = trained.best.as_ref().unwrap_or(&trained.tensors);
        let mut kept = pick(tensors, &weights::kept_for_prediction(model))?;
        kept.extend(prepared.normalised.iter().flat_map(Normalisation::tensors));
        let mut about = BTreeMap::from([("model".to_owned(), model.name.clone())]);
        about.extend(prepared.classes.note().map(|note| (CLASSES.to_owned(), note)));
        if weights::is_npz(&path) && about.contains_key(CLASSES) {
            eprintln!("warning: {} cannot hold the names of classes, a .safetensors file can", path.display());
        }
        weights::save(&path, &about, model.precision, &kept)?;
        written.push(path);
    }
    if let (Some(path), Some(gradients)) = (&args.dump_gradients, &trained.gradients) {
        weights::save(path, &BTreeMap::new(), model.precision, &pick(gradients, &weights::parameters(model))?)?;
        written.push(path.clone());
    }
    if let Some(path) = beside(&args.history, "history.csv") {
        write_whole(&path, history.epochs_csv().as_bytes())?;
        written.push(path);
    }
    if let (Some(folder), Some(picture)) = (&args.out, curve::picture(history, &model.name)) {
        let (svg, png) = (folder.join("loss.svg"), folder.join("loss.png"));
        write_whole(&svg, curve::svg(&picture).as_bytes())?;
        write_whole(&png, &curve::png(&picture).at("write", &png)?)?;
        written.extend([svg, png]);
    }
    if let Some(path) = &args.history_steps {
        write_whole(path, history.steps_csv().as_bytes())?;
        written.push(path.clone());
    }
    if !args.build.quiet {
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
