//! Trains a generated model for `gdc train`: reads the numbers that `gdc` wrote into a folder,
//! says on standard output how it goes, and writes the trained tensors into the folder.
//!
//! It knows the model only by the traits of the runtime, and needs nothing but `std`.

use super::rt;
use std::io::{BufWriter, Stdout, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Between two reports of a step's loss, where not every step is asked for.
const PAUSE: Duration = Duration::from_millis(100);

type Anything = Box<dyn std::error::Error + Send + Sync>;

/// A model that can be trained and written down.
pub trait Model: rt::Trainer + rt::NamedTensors {}

impl<T: rt::Trainer + rt::NamedTensors> Model for T {}

/// What the command line asks for.
#[derive(Default)]
struct Job {
    folder: PathBuf,
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
struct Data {
    reals: Vec<f32>,
    integers: Vec<u32>,
    samples: usize,
}

impl Data {
    fn read<M: Model>(folder: &Path, name: &str) -> Result<Data, Anything> {
        let words = |kind: &str| std::fs::read(folder.join(format!("{name}.{kind}")));
        let bytes = |c: &[u8]| [c[0], c[1], c[2], c[3]];
        let reals: Vec<f32> = words("reals")?.chunks_exact(4).map(|c| f32::from_le_bytes(bytes(c))).collect();
        let integers: Vec<u32> = words("integers")?.chunks_exact(4).map(|c| u32::from_le_bytes(bytes(c))).collect();
        // A model without inputs and targets has one sample, made of nothing.
        let samples = match (M::REALS, M::INTEGERS) {
            (0, 0) => 1,
            (0, width) => integers.len() / width,
            (width, _) => reals.len() / width,
        };
        if (samples * M::REALS, samples * M::INTEGERS) != (reals.len(), integers.len()) {
            return Err(format!("the {name} data do not fit the model").into());
        }
        Ok(Data { reals, integers, samples })
    }

    /// Copies the samples that stand at some places of an order to the trainer's first places.
    fn load<M: Model>(&self, model: &mut M, order: &rt::Order, places: std::ops::Range<usize>) -> Result<(), Anything> {
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
struct Means {
    samples: usize,
    sums: Vec<f64>,
    batch: Vec<f32>,
}

impl Means {
    fn new<M: Model>() -> Means {
        Means { samples: 0, sums: vec![0.0; 1 + M::METRICS], batch: vec![0.0; M::METRICS] }
    }

    /// Adds the metrics of the places that are loaded.
    fn add_metrics<M: Model>(&mut self, model: &mut M, samples: usize) {
        if !self.batch.is_empty() {
            model.metrics_loaded(samples, &mut self.batch);
            for (sum, value) in self.sums[1..].iter_mut().zip(&self.batch) {
                *sum += f64::from(*value) * samples as f64;
            }
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
        let words: Vec<String> = self.sums.iter().map(|s| (s / self.samples as f64).to_string()).collect();
        words.join(" ")
    }
}

/// Where events go: standard output, a line each.
struct Events {
    out: BufWriter<Stdout>,
    every_step: bool,
    last: Instant,
}

impl Events {
    fn step(&mut self, step: u64, loss: f64) -> std::io::Result<()> {
        let pause_is_over = self.last.elapsed() >= PAUSE;
        if self.every_step || pause_is_over {
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
    let data = Data::read::<M>(&job.folder, "train")?;
    let validation = if job.validate { Some(Data::read::<M>(&job.folder, "validation")?) } else { None };
    let mut model = Box::new(new(job.seed));
    if job.init {
        load(&mut *model, &std::fs::read(job.folder.join("init.tensors"))?)?;
    }
    let out = BufWriter::new(std::io::stdout());
    let mut events = Events { out, every_step: job.all_steps, last: Instant::now() };
    let reason = train(&mut *model, &data, validation.as_ref(), &job, &mut events)?;
    save(&job.folder.join("weights.tensors"), |visit| model.tensors(visit))?;
    events.line(format_args!("end {reason}"))?;
    Ok(())
}

/// The same loop as the runtime's `fit`, with a word about each step and epoch.
fn train<M: Model>(
    model: &mut M,
    data: &Data,
    validation: Option<&Data>,
    job: &Job,
    events: &mut Events,
) -> Result<&'static str, Anything> {
    let batch = M::BATCH.max(1);
    let visited = match data.samples % batch {
        left if job.drop_last && left < data.samples => data.samples - left,
        _ => data.samples,
    };
    let limit = job.steps.unwrap_or(u64::MAX);
    let mut steps = 0;
    for epoch in 0..job.epochs {
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
            // Metrics are of the same parameters as the loss: those before the update.
            means.add_metrics(model, size);
            let loss = f64::from(model.step_loaded(size));
            means.add_loss(size, loss);
            steps += 1;
            events.step(steps, loss)?;
        }
        events.line(format_args!("epoch {epoch} {steps} {}", means.words()))?;
        if let Some(validation) = validation {
            events.line(format_args!("validation {}", evaluate(model, validation)?.words()))?;
        }
        if job.until.is_some_and(|until| means.loss() < until) {
            return Ok("until");
        }
        if steps >= limit {
            return Ok("steps");
        }
    }
    Ok("epochs")
}

fn evaluate<M: Model>(model: &mut M, data: &Data) -> Result<Means, Anything> {
    let order = rt::Order::sequential(data.samples);
    let mut means = Means::new::<M>();
    while means.samples < data.samples {
        let size = (data.samples - means.samples).min(M::BATCH.max(1));
        data.load(model, &order, means.samples..means.samples + size)?;
        means.add_metrics(model, size);
        means.add_loss(size, f64::from(model.loss_loaded(size)));
    }
    Ok(means)
}

/// Writes tensors: for each a line `NAME EXTENT ...` and then its numbers as little-endian f32.
fn save(path: &Path, tensors: impl FnOnce(&mut rt::Visit<'_>)) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    tensors(&mut |name, shape, values| {
        bytes.extend(name.as_bytes());
        shape.iter().for_each(|extent| bytes.extend(format!(" {extent}").bytes()));
        bytes.push(b'\n');
        values.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
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
            if tensor == name && rest.len() >= 4 * values.len() {
                for (value, c) in values.iter_mut().zip(rest.chunks_exact(4)) {
                    *value = f32::from_le_bytes([c[0], c[1], c[2], c[3]]);
                }
                used = Some(4 * values.len());
            }
        });
        bytes = &rest[used.ok_or_else(|| format!("the initial weights `{name}` do not fit the model"))?..];
    }
    Ok(())
}
