//! Runs a generated model for `gdc`: reads the numbers that `gdc` wrote into a folder, trains,
//! evaluates, predicts or takes the time, says on standard output how it goes, and writes the
//! resulting tensors into the folder.
//!
//! It knows the model only by the traits of the runtime and one of its own, and needs nothing
//! but `std`.

use super::rt;
use super::rt::Float as _;
use std::io::{BufWriter, Stdout, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Between two reports of a step's loss, where not every step is asked for.
const PAUSE: Duration = Duration::from_millis(100);

type Anything = Box<dyn std::error::Error + Send + Sync>;

/// A model that can be trained and written down, as the glue beside it presents it.
pub trait Model: rt::Trainer {
    /// What can be predicted: how many real numbers and integers of one sample it takes, and how
    /// many numbers it gives.
    const POINTS: &'static [(usize, usize, usize)];
    /// Goes on from that many updates.
    fn set_updates(&mut self, updates: u64);
    /// All that a point gives for one sample, one number after the other.
    fn predict_flat(&self, _point: usize, _reals: &[Self::Real], _integers: &[u32], _out: &mut [Self::Real]) {}
}

/// What is to be done.
#[derive(Clone, Copy, Default, PartialEq)]
enum Mode {
    #[default]
    Train,
    Evaluate,
    Predict,
    Bench,
}

/// What the command line asks for.
#[derive(Default)]
struct Job {
    mode: Mode,
    point: usize,
    folder: PathBuf,
    first_epoch: u64,
    first_step: u64,
    best: Option<f64>,
    stale: u64,
    keep_best: bool,
    patience: Option<u64>,
    min_delta: f64,
    checkpoint_every: Option<u64>,
    watch: bool,
    seconds: f64,
    epochs: u64,
    steps: Option<u64>,
    until: Option<f64>,
    shuffle: bool,
    seed: u64,
    drop_last: bool,
    init: bool,
    validate: bool,
    all_steps: bool,
    gradients: bool,
}

impl Job {
    /// `FOLDER key=value ...`, as `gdc` writes it.
    fn from_arguments() -> Result<Job, Anything> {
        let mut arguments = std::env::args_os().skip(1);
        let folder = arguments.next().ok_or("no folder is named")?.into();
        let mut job = Job { folder, ..Job::default() };
        for argument in arguments {
            let text = argument.to_string_lossy();
            let (key, value) = text.split_once('=').ok_or("an argument is no key=value")?;
            job.set(key, value).map_err(|e| format!("{key}={value}: {e}"))?;
        }
        Ok(job)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), Anything> {
        match key {
            "mode" => {
                self.mode = match value {
                    "train" => Mode::Train,
                    "evaluate" => Mode::Evaluate,
                    "predict" => Mode::Predict,
                    "bench" => Mode::Bench,
                    _ => return Err("no such mode".into()),
                }
            }
            "point" => self.point = value.parse()?,
            "first_epoch" => self.first_epoch = value.parse()?,
            "first_step" => self.first_step = value.parse()?,
            "best" => self.best = Some(value.parse()?),
            "stale" => self.stale = value.parse()?,
            "keep_best" => self.keep_best = value.parse()?,
            "patience" => self.patience = Some(value.parse()?),
            "min_delta" => self.min_delta = value.parse()?,
            "checkpoint_every" => self.checkpoint_every = Some(value.parse()?),
            "watch" => self.watch = value.parse()?,
            "seconds" => self.seconds = value.parse()?,
            "epochs" => self.epochs = value.parse()?,
            "steps" => self.steps = Some(value.parse()?),
            "until" => self.until = Some(value.parse()?),
            "shuffle" => self.shuffle = value.parse()?,
            "seed" => self.seed = value.parse()?,
            "drop_last" => self.drop_last = value.parse()?,
            "init" => self.init = value.parse()?,
            "validate" => self.validate = value.parse()?,
            "all_steps" => self.all_steps = value.parse()?,
            "gradients" => self.gradients = value.parse()?,
            _ => return Err("no such key".into()),
        }
        Ok(())
    }
}

/// The numbers of a data set, sample after sample.
struct Data<R> {
    reals: Vec<R>,
    integers: Vec<u32>,
    samples: usize,
}

impl<R: rt::Float> Data<R> {
    /// Samples of `widths` reals and integers.
    fn read(folder: &Path, name: &str, widths: (usize, usize)) -> Result<Data<R>, Anything> {
        let words = |kind: &str| std::fs::read(folder.join(format!("{name}.{kind}")));
        let bytes = |c: &[u8]| [c[0], c[1], c[2], c[3]];
        let reals: Vec<R> = words("reals")?.chunks_exact(size_of::<R>()).map(number).collect();
        let integers: Vec<u32> = words("integers")?.chunks_exact(4).map(|c| u32::from_le_bytes(bytes(c))).collect();
        // A model without inputs and targets has one sample, made of nothing.
        let samples = match widths {
            (0, 0) => 1,
            (0, width) => integers.len() / width,
            (width, _) => reals.len() / width,
        };
        if (samples * widths.0, samples * widths.1) != (reals.len(), integers.len()) {
            return Err(format!("the {name} data do not fit the model").into());
        }
        Ok(Data { reals, integers, samples })
    }

    /// Copies the samples that stand at some places of an order to the trainer's first places.
    fn load<M: Model<Real = R>>(&self, model: &mut M, order: &rt::Order, places: std::ops::Range<usize>) -> Result<(), Anything> {
        for (slot, place) in places.enumerate() {
            let i = order.get(place);
            let reals = &self.reals[i * M::REALS..(i + 1) * M::REALS];
            let integers = &self.integers[i * M::INTEGERS..(i + 1) * M::INTEGERS];
            model.load_flat(slot, reals, integers).map_err(|e| format!("sample {i}: {e}"))?;
        }
        Ok(())
    }
}

/// The mean loss and metrics of samples.
struct Means<R> {
    samples: usize,
    sums: Vec<f64>,
    batch: Vec<R>,
    totals: Vec<f64>,
    of_totals: fn(&[f64], &mut [f64]),
}

impl<R: rt::Float> Means<R> {
    fn new<M: Model<Real = R>>() -> Means<R> {
        let (sums, batch) = (vec![0.0; 1 + M::METRICS], vec![R::default(); M::METRICS]);
        Means { samples: 0, sums, batch, totals: vec![0.0; M::TOTALS], of_totals: M::metrics_of_totals }
    }

    /// Adds the metrics of the places that are loaded.
    fn add_metrics<M: Model<Real = R>>(&mut self, model: &mut M, samples: usize) {
        if !self.batch.is_empty() {
            model.metrics_loaded(samples, &mut self.batch);
            for (sum, value) in self.sums[1..].iter_mut().zip(&self.batch) {
                *sum += value.to_f64() * samples as f64;
            }
            model.add_totals(&mut self.totals);
        }
    }

    fn add_loss(&mut self, samples: usize, loss: f64) {
        self.samples += samples;
        self.sums[0] += loss * samples as f64;
    }

    fn loss(&self) -> f64 {
        self.sums[0] / self.samples as f64
    }

    /// The loss and the metrics, with blanks between.
    fn words(&self) -> String {
        let mut means: Vec<f64> = self.sums.iter().map(|s| s / self.samples as f64).collect();
        (self.of_totals)(&self.totals, &mut means[1..]);
        let words: Vec<String> = means.iter().map(f64::to_string).collect();
        words.join(" ")
    }
}

/// Where events go: standard output, a line each.
struct Events {
    out: BufWriter<Stdout>,
    every_step: bool,
    last: Instant,
    /// Whether every loss was finite.
    sound: bool,
}

impl Events {
    fn step(&mut self, step: u64, loss: f64) -> std::io::Result<()> {
        let pause_is_over = self.last.elapsed() >= PAUSE;
        // The first loss that is no number is told at once.
        let breaks = self.sound && !loss.is_finite();
        self.sound &= loss.is_finite();
        if self.every_step || pause_is_over || breaks {
            writeln!(self.out, "step {step} {loss}")?;
        }
        if pause_is_over {
            self.out.flush()?;
            self.last = Instant::now();
        }
        Ok(())
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) -> std::io::Result<()> {
        self.out.write_fmt(line)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

/// The whole program for one model, of which `new` makes a trainer from a seed.
pub fn main<M: Model + 'static>(new: fn(u64) -> M) -> ExitCode {
    // Trainers are plain arrays and may pass over the stack on their way to the heap.
    let stack = 4 * std::mem::size_of::<M>() + (64 << 20);
    let thread = std::thread::Builder::new().stack_size(stack).spawn(move || run(new));
    let result = match thread.map(|t| t.join()) {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => return ExitCode::FAILURE,
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error {}", error.to_string().replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn run<M: Model>(new: fn(u64) -> M) -> Result<(), Anything> {
    let job = Job::from_arguments()?;
    let mut model = Box::new(new(job.seed));
    if job.init {
        load(&mut *model, &std::fs::read(job.folder.join("init.tensors"))?)?;
    }
    let out = BufWriter::new(std::io::stdout());
    let mut events = Events { out, every_step: job.all_steps, last: Instant::now(), sound: true };
    let whole = (M::REALS, M::INTEGERS);
    match job.mode {
        Mode::Predict => {
            predict(&*model, &job)?;
            events.line(format_args!("end predicted"))?;
        }
        Mode::Evaluate => {
            let data = Data::read(&job.folder, "train", whole)?;
            events.line(format_args!("validation {}", evaluate(&mut *model, &data)?.words()))?;
            predict(&*model, &job)?;
            events.line(format_args!("end evaluated"))?;
        }
        Mode::Bench => {
            let data = Data::read(&job.folder, "train", whole)?;
            bench(&mut *model, &data, &job, &mut events)?;
            events.line(format_args!("end timed"))?;
        }
        Mode::Train => {
            let data = Data::read(&job.folder, "train", whole)?;
            let validation = match job.validate {
                true => Some(Data::read(&job.folder, "validation", whole)?),
                false => None,
            };
            model.set_updates(job.first_step);
            let reason = train(&mut *model, &data, validation.as_ref(), &job, &mut events)?;
            save(&job.folder.join("weights.tensors"), |visit| model.tensors(visit))?;
            events.line(format_args!("end {reason}"))?;
        }
    }
    Ok(())
}

/// Writes the outputs of every sample, as little-endian numbers of the model's precision.
fn predict<M: Model>(model: &M, job: &Job) -> Result<(), Anything> {
    let (reals, integers, predicted) = M::POINTS.get(job.point).copied().unwrap_or_default();
    let data = Data::<M::Real>::read(&job.folder, "given", (reals, integers))?;
    let mut bytes = Vec::with_capacity(size_of::<M::Real>() * data.samples * predicted);
    let mut out = vec![M::Real::default(); predicted];
    for i in 0..data.samples {
        let sample = &data.reals[i * reals..(i + 1) * reals];
        model.predict_flat(job.point, sample, &data.integers[i * integers..(i + 1) * integers], &mut out);
        out.iter().for_each(|v| put(&mut bytes, *v));
    }
    std::fs::write(job.folder.join("predicted.reals"), bytes)?;
    Ok(())
}

/// Takes the time of steps, of losses alone and of predictions: the median, in nanoseconds, of
/// rounds that are long enough to be timed.
fn bench<M: Model>(model: &mut M, data: &Data<M::Real>, job: &Job, events: &mut Events) -> Result<(), Anything> {
    let size = data.samples.min(M::BATCH.max(1));
    data.load(model, &rt::Order::sequential(data.samples), 0..size)?;
    let share = job.seconds / 3.0;
    let step = median(share, || drop(std::hint::black_box(model.step_loaded(size))));
    let loss = median(share, || drop(std::hint::black_box(model.loss_loaded(size))));
    let (reals, integers, predicted) = M::POINTS.first().copied().unwrap_or_default();
    let given = Data::<M::Real>::read(&job.folder, "given", (reals, integers))?;
    let (reals, integers) = (&given.reals[..reals], &given.integers[..integers]);
    let mut out = vec![M::Real::default(); predicted];
    let predict = match predicted {
        0 => 0.0,
        _ => median(share, || {
            model.predict_flat(0, std::hint::black_box(reals), integers, &mut out);
            std::hint::black_box(&out);
        }),
    };
    events.line(format_args!("time {size} {step} {loss} {predict} {}", peak::<M::Real>()))?;
    Ok(())
}

/// A round of calls is this long where one call is not longer: much shorter than the slices of
/// time that a busy machine gives to a program, so that most rounds are not interrupted, and much
/// longer than the clock's own error.
const ROUND: f64 = 100e-6;

/// The nanoseconds of one call, as the median of many rounds.
fn median(seconds: f64, mut call: impl FnMut()) -> f64 {
    let mut calls = 1u32;
    let round = |calls: u32, call: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed().as_secs_f64()
    };
    while round(calls, &mut call) < ROUND.min(seconds / 20.0) && calls < 1 << 30 {
        calls *= 2;
    }
    let start = Instant::now();
    let mut rounds = Vec::new();
    // Warm for a tenth of the time.
    while start.elapsed().as_secs_f64() < seconds || rounds.len() < 10 {
        let time = round(calls, &mut call) / f64::from(calls) * 1e9;
        if start.elapsed().as_secs_f64() > seconds / 10.0 {
            rounds.push(time);
        }
    }
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

/// Multiplications and additions per nanosecond that one core does at most, as measured: long
/// independent chains of multiply-adds that stay in registers.
fn peak<R: 'static>() -> f64 {
    macro_rules! measured {
        ($number:ty, $lanes:literal) => {{
            const TURNS: usize = 100_000;
            let mut best = 0.0_f64;
            for _ in 0..10 {
                let mut sums: [[$number; $lanes]; 12] = [[1.0; $lanes]; 12];
                let factor: $number = std::hint::black_box(0.999);
                let start = Instant::now();
                for _ in 0..TURNS {
                    for chain in &mut sums {
                        for lane in chain {
                            *lane = lane.mul_add(factor, 0.5);
                        }
                    }
                }
                let seconds = start.elapsed().as_secs_f64();
                std::hint::black_box(&sums);
                best = best.max((TURNS * 12 * $lanes * 2) as f64 / seconds / 1e9);
            }
            best
        }};
    }
    if size_of::<R>() == 8 { measured!(f64, 8) } else { measured!(f32, 16) }
}

/// The lowest loss of an epoch so far, and for how many epochs there was no lower one.
struct Best {
    loss: Option<f64>,
    stale: u64,
}

impl Best {
    /// Whether a loss is a new best.
    fn take(&mut self, loss: f64, min_delta: f64) -> bool {
        let better = loss.is_finite() && self.loss.is_none_or(|best| loss < best - min_delta);
        if better {
            (self.loss, self.stale) = (Some(loss), 0);
        } else {
            self.stale += 1;
        }
        better
    }
}

/// The same loop as the runtime's `fit`, with a word about each step and epoch.
fn train<M: Model>(
    model: &mut M,
    data: &Data<M::Real>,
    validation: Option<&Data<M::Real>>,
    job: &Job,
    events: &mut Events,
) -> Result<&'static str, Anything> {
    let batch = M::BATCH.max(1);
    let visited = match data.samples % batch {
        left if job.drop_last && left < data.samples => data.samples - left,
        _ => data.samples,
    };
    let limit = job.steps.unwrap_or(u64::MAX);
    let mut steps = job.first_step;
    let mut best = Best { loss: job.best, stale: job.stale };
    let mut watch = Watch { sound: job.watch, loss: f64::INFINITY };
    for epoch in job.first_epoch..job.epochs {
        let order = match job.shuffle {
            true => rt::Order::shuffled(data.samples, job.seed, epoch),
            false => rt::Order::sequential(data.samples),
        };
        let mut means = Means::new::<M>();
        while means.samples < visited && steps < limit {
            let size = (visited - means.samples).min(batch);
            data.load(model, &order, means.samples..means.samples + size)?;
            if steps == 0 && job.gradients {
                save(&job.folder.join("gradients.tensors"), |visit| model.gradients_loaded(size, visit))?;
            }
            if job.watch && means.samples == 0 && (visited > 10 * batch || epoch % 10 == 0) {
                watch.look(model, size, steps + 1, events)?;
            }
            // Metrics are of the same parameters as the loss: those before the update.
            means.add_metrics(model, size);
            let loss = model.step_loaded(size).to_f64();
            means.add_loss(size, loss);
            steps += 1;
            events.step(steps, loss)?;
            watch.after(model, size, (steps, loss), events)?;
        }
        if means.samples == 0 {
            return Ok("steps");
        }
        events.line(format_args!("epoch {epoch} {steps} {}", means.words()))?;
        let mut score = means.loss();
        if let Some(validation) = validation {
            let means = evaluate(model, validation)?;
            score = means.loss();
            events.line(format_args!("validation {}", means.words()))?;
        }
        if best.take(score, job.min_delta) && job.keep_best {
            save(&job.folder.join("best.tensors"), |visit| model.tensors(visit))?;
            events.line(format_args!("best {epoch} {score}"))?;
        }
        if job.checkpoint_every.is_some_and(|n| (epoch + 1) % n == 0) {
            save(&job.folder.join(format!("checkpoint-{epoch}.tensors")), |visit| model.tensors(visit))?;
            events.line(format_args!("checkpoint {epoch} {steps} {}", best.stale))?;
        }
        if job.until.is_some_and(|until| means.loss() < until) {
            return Ok("until");
        }
        if steps >= limit {
            return Ok("steps");
        }
        if job.patience.is_some_and(|n| best.stale >= n) {
            return Ok("patience");
        }
    }
    Ok("epochs")
}

/// Looks at the gradients of a batch.
struct Watch {
    /// Whether it looks, and everything has been finite so far.
    sound: bool,
    /// What a loss is compared with.
    loss: f64,
}

/// After a loss that is this many times the least one, the gradients are looked at again.
const GROWN: f64 = 100.0;

impl Watch {
    /// Looks at the gradients after a step whose loss is no number, once, or has grown: what
    /// explodes is seen while it still has a size.
    fn after<M: Model>(
        &mut self,
        model: &mut M,
        size: usize,
        (step, loss): (u64, f64),
        events: &mut Events,
    ) -> std::io::Result<()> {
        let broken = !loss.is_finite();
        if self.sound && (broken || loss > GROWN * self.loss) {
            self.look(model, size, step, events)?;
            self.loss = loss;
        }
        self.sound &= !broken;
        self.loss = self.loss.min(loss);
        Ok(())
    }

    /// Reports the Euclidean norm and the largest element of each parameter's gradient, for the
    /// samples that are loaded.
    fn look<M: Model>(&mut self, model: &mut M, size: usize, step: u64, events: &mut Events) -> std::io::Result<()> {
        let mut lines = Vec::new();
        model.gradients_loaded(size, &mut |name, _, values| {
            let square: f64 = values.iter().map(|v| v.to_f64() * v.to_f64()).sum();
            let mean = (square / values.len().max(1) as f64).sqrt();
            lines.push(format!("gradient {step} {name} {mean}"));
        });
        lines.iter().try_for_each(|line| events.line(format_args!("{line}")))
    }
}

fn evaluate<M: Model>(model: &mut M, data: &Data<M::Real>) -> Result<Means<M::Real>, Anything> {
    let order = rt::Order::sequential(data.samples);
    let mut means = Means::new::<M>();
    while means.samples < data.samples {
        let size = (data.samples - means.samples).min(M::BATCH.max(1));
        data.load(model, &order, means.samples..means.samples + size)?;
        means.add_metrics(model, size);
        means.add_loss(size, model.loss_loaded(size).to_f64());
    }
    Ok(means)
}

/// A little-endian number of as many bytes as the type has.
fn number<R: rt::Float>(bytes: &[u8]) -> R {
    match *bytes {
        [a, b, c, d] => R::from_f64(f64::from(f32::from_le_bytes([a, b, c, d]))),
        [a, b, c, d, e, f, g, h] => R::from_f64(f64::from_le_bytes([a, b, c, d, e, f, g, h])),
        _ => R::default(),
    }
}

/// Adds such a number.
fn put<R: rt::Float>(bytes: &mut Vec<u8>, value: R) {
    match size_of::<R>() {
        8 => bytes.extend(value.to_f64().to_le_bytes()),
        _ => bytes.extend((value.to_f64() as f32).to_le_bytes()),
    }
}

/// Writes tensors: for each a line `NAME EXTENT ...` and then its little-endian numbers.
fn save<R: rt::Float>(path: &Path, tensors: impl FnOnce(&mut rt::Visit<'_, R>)) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    tensors(&mut |name, shape, values| {
        bytes.extend(name.as_bytes());
        shape.iter().for_each(|extent| bytes.extend(format!(" {extent}").bytes()));
        bytes.push(b'\n');
        values.iter().for_each(|v| put(&mut bytes, *v));
    });
    std::fs::write(path, bytes)
}

/// Sets the tensors that `bytes` holds, in the format of [`save`], and leaves the others.
fn load<M: Model>(model: &mut M, mut bytes: &[u8]) -> Result<(), Anything> {
    while let Some(end) = bytes.iter().position(|&b| b == b'\n') {
        let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let rest = &bytes[end + 1..];
        let name = line.split(' ').next().unwrap_or("");
        let mut used = None;
        model.tensors_mut(&mut |tensor, _, values| {
            let width = size_of::<M::Real>();
            if tensor == name && rest.len() >= width * values.len() {
                values.iter_mut().zip(rest.chunks_exact(width)).for_each(|(value, bytes)| *value = number(bytes));
                used = Some(width * values.len());
            }
        });
        bytes = &rest[used.ok_or_else(|| format!("the initial weights `{name}` do not fit the model"))?..];
    }
    Ok(())
}
