//! Runs a compiled worker: writes what it reads, follows its events, reads what it wrote.

use super::event::{Event, Score, Times};
use super::field::{Field, Values};
use super::history::{EpochRecord, History};
use super::weights::{self, Tensor};
use crate::fault::{At, Fault, Outcome};
use gdc_ir::graph::Precision;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The worker's own source; the generated model and a few lines that tie them come before it.
pub const SOURCE: &str = include_str!("../../worker/worker.rs");

/// What kind of work it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// Train.
    #[default]
    Train,
    /// The loss, the metrics and the outputs of all samples.
    Evaluate,
    /// The outputs of all samples.
    Predict,
    /// How long it takes.
    Bench,
}

/// What a worker is asked to do.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Job {
    /// What kind of work.
    pub mode: Mode,
    /// Which of the points that the program was built for is predicted.
    pub point: usize,
    /// Where training goes on.
    pub start: Start,
    /// Write the weights of the best epoch.
    pub keep_best: bool,
    /// Stop after so many epochs without a lower loss.
    pub patience: Option<u64>,
    /// By how much a loss must be lower to count.
    pub min_delta: f64,
    /// Write the whole state after each so many epochs.
    pub checkpoint_every: Option<u64>,
    /// Look at the gradients once in an epoch.
    pub watch: bool,
    /// How long to take the time, in seconds.
    pub seconds: f64,
    /// Passes over the data at most.
    pub epochs: u64,
    /// Steps at most.
    pub steps: Option<u64>,
    /// Stop after an epoch whose mean loss is below this.
    pub until: Option<f64>,
    /// Take the samples in a new order in each epoch.
    pub shuffle: bool,
    /// Of initial values and orders.
    pub seed: u64,
    /// Leave out a last partial batch.
    pub drop_last: bool,
    /// Report every step, not only some for the display.
    pub all_steps: bool,
    /// Write the gradients of the first step.
    pub gradients: bool,
}

/// The place at which a training goes on.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Start {
    /// Epochs that are complete.
    pub epoch: u64,
    /// Updates made.
    pub step: u64,
    /// The lowest loss so far.
    pub best: Option<f64>,
    /// Epochs since then.
    pub stale: u64,
}

/// What a worker reads.
#[derive(Clone, Copy)]
pub struct Material<'a> {
    /// The model's inputs, then its targets.
    pub fields: &'a [Field],
    /// Which of them the program takes, in its order: inputs, then targets.
    pub used: &'a [usize],
    /// Which of them a prediction takes, in its order.
    pub given: &'a [usize],
    /// Their numbers, in the same order.
    pub training: &'a [Values],
    /// Likewise.
    pub validation: Option<&'a [Values]>,
    /// Tensors to start from.
    pub init: Option<&'a [Tensor]>,
    /// Of the model's real numbers, in which they are handed over.
    pub precision: Precision,
}

/// What came out.
pub struct Trained {
    /// Parameters and states.
    pub tensors: Vec<Tensor>,
    /// Those of the best epoch, where asked for.
    pub best: Option<Vec<Tensor>>,
    /// Of the first step, where asked for.
    pub gradients: Option<Vec<Tensor>>,
    /// The outputs, sample after sample.
    pub predicted: Vec<f64>,
    /// The loss and the metrics of an evaluation.
    pub score: Option<Score>,
    /// What was timed.
    pub times: Option<Times>,
    /// Why it ended: for a training, `epochs`, `steps`, `until` or `patience`.
    pub reason: String,
}

/// The whole state of a training.
pub struct Checkpoint {
    /// Where it stands.
    pub start: Start,
    /// Parameters and states.
    pub tensors: Vec<Tensor>,
    /// Those of the best epoch, if there was a better one since the training began or went on.
    pub best: Option<Vec<Tensor>>,
}

/// Told what happens, as it happens.
pub trait Watch {
    /// A step was taken.
    fn step(&mut self, step: u64, loss: f64);
    /// An epoch is complete, its validation included.
    fn epoch(&mut self, record: &EpochRecord);
    /// A gradient was looked at; `size` is the root of its mean square.
    fn gradient(&mut self, _step: u64, _name: &str, _size: f64) {}
    /// An epoch, from 1, was the best so far.
    fn best(&mut self, _epoch: u64, _loss: f64) {}
    /// The whole state, to be kept.
    fn checkpoint(&mut self, _checkpoint: Checkpoint, _history: &History) -> Outcome {
        Ok(())
    }
}

/// Trains. The history is filled as far as training came, also where it failed.
pub fn run(
    program: &Path,
    job: &Job,
    material: &Material,
    history: &mut History,
    watch: &mut dyn Watch,
) -> Outcome<Trained> {
    let folder = tempfile::Builder::new().prefix("gdc-train-").tempdir();
    let folder = folder.at("make a folder in", &std::env::temp_dir())?;
    let folder = folder.path();
    write_material(folder, material)?;
    let mut child = Command::new(program)
        .arg(folder)
        .args(arguments(job, material))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .at("run", program)?;
    let mut found = Found::default();
    let precision = material.precision;
    let mut listener = Listener { folder, job, precision, validates: material.validation.is_some(), history, watch };
    let reason = match listener.follow(&mut child, &mut found) {
        Ok(reason) => reason,
        Err(fault) => {
            // It may still be at work; its messages say more than a failed kill would.
            drop(child.kill());
            drop(child.wait());
            return Err(fault);
        }
    };
    let trains = job.mode == Mode::Train;
    let tensors = |name: &str| read_tensors(&folder.join(name), precision);
    let best = folder.join("best.tensors");
    let path = folder.join("predicted.reals");
    let predicted = if path.is_file() { std::fs::read(&path).at("read", &path)? } else { Vec::new() };
    Ok(Trained {
        tensors: if trains { tensors("weights.tensors")? } else { Vec::new() },
        best: if trains && best.is_file() { Some(read_tensors(&best, precision)?) } else { None },
        gradients: (trains && job.gradients).then(|| tensors("gradients.tensors")).transpose()?,
        predicted: weights::from_bytes(&predicted, precision),
        score: found.score,
        times: found.times,
        reason,
    })
}

fn arguments(job: &Job, material: &Material) -> Vec<String> {
    let mode = match job.mode {
        Mode::Train => "train",
        Mode::Evaluate => "evaluate",
        Mode::Predict => "predict",
        Mode::Bench => "bench",
    };
    let mut arguments = vec![
        format!("mode={mode}"),
        format!("point={}", job.point),
        format!("first_epoch={}", job.start.epoch),
        format!("first_step={}", job.start.step),
        format!("stale={}", job.start.stale),
        format!("keep_best={}", job.keep_best),
        format!("min_delta={}", job.min_delta),
        format!("watch={}", job.watch),
        format!("seconds={}", job.seconds),
        format!("epochs={}", job.epochs),
        format!("shuffle={}", job.shuffle),
        format!("seed={}", job.seed),
        format!("drop_last={}", job.drop_last),
        format!("all_steps={}", job.all_steps),
        format!("gradients={}", job.gradients),
        format!("init={}", material.init.is_some()),
        format!("validate={}", material.validation.is_some()),
    ];
    arguments.extend(job.steps.map(|n| format!("steps={n}")));
    arguments.extend(job.until.map(|x| format!("until={x}")));
    arguments.extend(job.start.best.map(|x| format!("best={x}")));
    arguments.extend(job.patience.map(|n| format!("patience={n}")));
    arguments.extend(job.checkpoint_every.map(|n| format!("checkpoint_every={n}")));
    arguments
}

fn write_material(folder: &Path, material: &Material) -> Outcome {
    let sets = [
        ("train", material.used, Some(material.training)),
        ("validation", material.used, material.validation),
        ("given", material.given, Some(material.training)),
    ];
    for (name, used, values) in sets.into_iter().filter_map(|(name, used, values)| Some((name, used, values?))) {
        let (reals, integers) = interleave(material.fields, used, values);
        for (kind, bytes) in [("reals", reals), ("integers", integers)] {
            let path = folder.join(format!("{name}.{kind}"));
            std::fs::write(&path, bytes).at("write", &path)?;
        }
    }
    if let Some(tensors) = material.init {
        let path = folder.join("init.tensors");
        std::fs::write(&path, weights::to_plain(tensors, material.precision)).at("write", &path)?;
    }
    Ok(())
}

/// Sample after sample, the real fields of each in order as they are, and the others as u32.
fn interleave(fields: &[Field], used: &[usize], values: &[Values]) -> (Vec<u8>, Vec<u8>) {
    let used = || used.iter().filter_map(|&i| Some((fields.get(i)?, values.get(i)?)));
    let samples = used().map(|(f, v)| v.len().checked_div(f.len()).unwrap_or(0)).max();
    let (mut reals, mut integers) = (Vec::new(), Vec::new());
    for sample in 0..samples.unwrap_or(0) {
        for (field, values) in used() {
            let range = sample * field.len()..(sample + 1) * field.len();
            match values {
                Values::F32(list) => list[range].iter().for_each(|v| reals.extend(v.to_le_bytes())),
                Values::F64(list) => list[range].iter().for_each(|&v| reals.extend(v.to_le_bytes())),
                Values::U32(list) => list[range].iter().for_each(|v| integers.extend(v.to_le_bytes())),
                Values::I32(list) => list[range].iter().for_each(|v| integers.extend(v.to_le_bytes())),
                Values::Bool(list) => list[range].iter().for_each(|&v| integers.extend(u32::from(v).to_le_bytes())),
            }
        }
    }
    (reals, integers)
}

/// What events brought besides history.
#[derive(Default)]
struct Found {
    score: Option<Score>,
    times: Option<Times>,
}

/// Follows a worker.
struct Listener<'a> {
    folder: &'a Path,
    job: &'a Job,
    precision: Precision,
    validates: bool,
    history: &'a mut History,
    watch: &'a mut dyn Watch,
}

impl Listener<'_> {
    /// Reads events until the worker ends; its reason to end.
    fn follow(&mut self, child: &mut Child, found: &mut Found) -> Outcome<String> {
        let lost = || Fault::input("the training program cannot be listened to");
        let out = child.stdout.take().ok_or_else(lost)?;
        let mut messages = child.stderr.take().ok_or_else(lost)?;
        // Read beside the events, so that neither pipe fills up while the other is waited for.
        let complaints = std::thread::spawn(move || {
            let mut text = String::new();
            drop(messages.read_to_string(&mut text));
            text
        });
        let mut reason = None;
        let mut open: Option<EpochRecord> = None;
        let mut best = self.job.start.best;
        for line in BufReader::new(out).lines() {
            let line = line.map_err(|e| Fault::input(format!("the training program cannot be read: {e}")))?;
            let event =
                Event::parse(&line).ok_or_else(|| Fault::input(format!("the training program said `{line}`")))?;
            match event {
                Event::Step { step, loss } => {
                    if self.job.all_steps {
                        self.history.steps.push(loss);
                    }
                    self.watch.step(step, loss);
                }
                Event::Epoch { epoch, steps, score } => {
                    let record = EpochRecord { epoch: epoch + 1, steps, training: score, validation: None };
                    if self.validates {
                        open = Some(record);
                    } else {
                        close(record, self.history, self.watch);
                    }
                }
                Event::Validation(score) if self.job.mode == Mode::Evaluate => found.score = Some(score),
                Event::Validation(score) => {
                    if let Some(record) = open.take() {
                        close(EpochRecord { validation: Some(score), ..record }, self.history, self.watch);
                    }
                }
                Event::Gradient { step, name, size } => self.watch.gradient(step, &name, size),
                Event::Best { epoch, loss } => {
                    best = Some(loss);
                    self.watch.best(epoch + 1, loss);
                }
                Event::Checkpoint { epoch, steps, stale } => {
                    let start = Start { epoch: epoch + 1, step: steps, best, stale };
                    self.checkpoint(epoch, start)?;
                }
                Event::Time(times) => found.times = Some(times),
                Event::End(text) => reason = Some(text),
                Event::Error(text) => return Err(Fault::input(format!("training failed: {text}"))),
            }
        }
        let status = child.wait().map_err(|e| Fault::input(format!("the training program was lost: {e}")))?;
        let complaints = complaints.join().unwrap_or_default();
        match reason {
            Some(reason) if status.success() => Ok(reason),
            _ => Err(Fault::input(format!("the training program stopped early ({status})\n{}", complaints.trim_end()))),
        }
    }

    fn checkpoint(&mut self, epoch: u64, start: Start) -> Outcome {
        let path = self.folder.join(format!("checkpoint-{epoch}.tensors"));
        let best = self.folder.join("best.tensors");
        let checkpoint = Checkpoint {
            start,
            tensors: read_tensors(&path, self.precision)?,
            best: if best.is_file() { Some(read_tensors(&best, self.precision)?) } else { None },
        };
        std::fs::remove_file(&path).at("remove", &path)?;
        self.watch.checkpoint(checkpoint, self.history)
    }
}

fn close(record: EpochRecord, history: &mut History, watch: &mut dyn Watch) {
    watch.epoch(&record);
    history.epochs.push(record);
}

fn read_tensors(path: &Path, precision: Precision) -> Outcome<Vec<Tensor>> {
    let bytes = std::fs::read(path).at("read", path)?;
    let unread = || Fault::input("the training program wrote tensors that cannot be read");
    weights::from_plain(&bytes, precision).ok_or_else(unread)
}

#[cfg(test)]
mod tests {
    use super::super::build::{SourceFile, build};
    use super::super::field::tests::{class, real};
    use super::*;

    /// A model as the generator writes it, but by hand: y = w x, squared loss, and the label
    /// as a metric.
    const MODEL: &str = include_str!("../../worker/example.rs");

    #[derive(Default)]
    struct Seen {
        steps: u64,
        epochs: Vec<EpochRecord>,
    }

    impl Watch for Seen {
        fn step(&mut self, step: u64, _: f64) {
            self.steps = step;
        }
        fn epoch(&mut self, record: &EpochRecord) {
            self.epochs.push(record.clone());
        }
    }

    fn program() -> (tempfile::TempDir, std::path::PathBuf) {
        let cache = tempfile::tempdir().unwrap();
        let runtime = ["error", "order", "train"].map(|name| {
            let path = format!("{}/../gdc-codegen/runtime/{name}.rs", env!("CARGO_MANIFEST_DIR"));
            (format!("{name}.rs"), std::fs::read_to_string(path).unwrap())
        });
        let mut files =
            vec![SourceFile { name: "main.rs", text: MODEL }, SourceFile { name: "gdc_worker.rs", text: SOURCE }];
        files.extend(runtime.iter().map(|(name, text)| SourceFile { name, text }));
        let program = build(&files, cache.path(), || ()).unwrap();
        (cache, program)
    }

    fn job() -> Job {
        Job {
            epochs: 3,
            steps: None,
            until: None,
            shuffle: false,
            seed: 1,
            drop_last: false,
            all_steps: true,
            gradients: true,
            ..Job::default()
        }
    }

    #[test]
    fn a_worker_trains_reports_and_writes() {
        let (_cache, program) = program();
        let fields = [real("x", &[]), class("k", 5), Field { name: "y".into(), ..real("y", &[]) }];
        let training = [Values::F32(vec![1.0, 2.0, 3.0]), Values::U32(vec![1, 2, 4]), Values::F32(vec![2.0, 4.0, 6.0])];
        let material = Material {
            fields: &fields,
            used: &[0, 1, 2],
            given: &[0, 1],
            training: &training,
            validation: Some(&training),
            init: None,
            precision: Precision::F32,
        };
        let (mut history, mut seen) = (History::default(), Seen::default());
        let trained = run(&program, &job(), &material, &mut history, &mut seen).unwrap();
        assert_eq!(trained.reason, "epochs");
        assert_eq!((seen.steps, history.steps.len(), history.epochs.len()), (6, 6, 3));
        assert_eq!(seen.epochs, history.epochs);
        // From w = 0: losses 4 and 16 in the first batch.
        assert_eq!(history.steps[0], 10.0);
        assert_eq!(trained.gradients.unwrap()[0].values, [-10.0]);
        let first = &history.epochs[0];
        assert!((first.training.metrics[0] - 7.0 / 3.0).abs() < 1e-6);
        assert!(history.epochs[2].validation.as_ref().unwrap().loss < first.training.loss);
        let w = trained.tensors[0].clone();
        assert!((w.values[0] - 2.0).abs() < 0.5, "{w:?}");

        // From the weights that came out, the loss goes on where it was.
        let material = Material { init: Some(&trained.tensors), validation: None, ..material };
        let mut again = History::default();
        run(&program, &Job { steps: Some(1), ..job() }, &material, &mut again, &mut Seen::default()).unwrap();
        assert_eq!(again.epochs.len(), 1);
        assert!(again.steps[0] < history.steps[5]);
        let until = Job { until: Some(100.0), ..job() };
        let trained = run(&program, &until, &material, &mut History::default(), &mut Seen::default()).unwrap();
        assert_eq!(trained.reason, "until");
    }

    #[test]
    fn what_a_worker_refuses_is_an_error_of_the_input() {
        let (_cache, program) = program();
        let fields = [real("x", &[])];
        let training = [Values::F32(vec![1.0, 2.0, 3.0])];
        let material = Material {
            fields: &fields,
            used: &[0],
            given: &[0],
            training: &training,
            validation: None,
            init: None,
            precision: Precision::F32,
        };
        let result = run(&program, &job(), &material, &mut History::default(), &mut Seen::default());
        let Err(Fault::Input(text)) = result else { panic!() };
        assert_eq!(text, "training failed: the train data do not fit the model");
    }
}
