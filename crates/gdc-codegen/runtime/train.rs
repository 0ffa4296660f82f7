//! The training loop that all generated trainers share: epochs over samples,
//! batch by batch, until one of the reasons to stop holds.

use super::{Error, Order};
use ::core::ops::ControlFlow;
use ::core::prelude::rust_2021::*;

/// A real number of a model: `f32`, or `f64` where the model says
/// `precision f64`.
pub trait Float: Copy + Default + PartialOrd + ::core::fmt::Debug + Send + Sync + 'static {
    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// The same number, exactly.
    fn to_f64(self) -> f64;
}

impl Float for f32 {
    fn from_f64(value: f64) -> f32 {
        value as f32
    }
    fn to_f64(self) -> f64 {
        self as f64
    }
}

impl Float for f64 {
    fn from_f64(value: f64) -> f64 {
        value
    }
    fn to_f64(self) -> f64 {
        self
    }
}

/// What a generated trainer offers to the loop: places for one batch of
/// samples, and a step over those that are loaded.
pub trait Trainer: NamedTensors {
    /// All samples: slices of every input and target, side by side.
    type Data<'a>: Copy;
    /// How many samples a step takes at most.
    const BATCH: usize;
    /// Real numbers per sample: all real inputs, then all real targets, in
    /// the order of their declaration.
    const REALS: usize;
    /// Integers per sample: all integer inputs, then all integer targets.
    const INTEGERS: usize;

    /// The number of samples; an error if the slices disagree about it.
    fn samples(data: Self::Data<'_>) -> Result<usize, Error>;
    /// Copies one sample to place `slot < BATCH`, checking its integers.
    fn load(&mut self, slot: usize, data: Self::Data<'_>, sample: usize) -> Result<(), Error>;
    /// Copies one sample, given as [`REALS`](Self::REALS) and
    /// [`INTEGERS`](Self::INTEGERS) numbers, to place `slot`, checking it.
    fn load_flat(&mut self, slot: usize, reals: &[Self::Real], integers: &[u32]) -> Result<(), Error>;
    /// One update from the first `1..=BATCH` places; their mean loss before it.
    fn step_loaded(&mut self, samples: usize) -> Self::Real;
    /// The mean loss of the first `1..=BATCH` places, with nothing changed.
    fn loss_loaded(&mut self, samples: usize) -> Self::Real;

    /// How many metrics the model has.
    const METRICS: usize = 0;
    /// The metrics of the first `1..=BATCH` places in the order of their
    /// declaration, as many as `values` has room for, with nothing changed.
    fn metrics_loaded(&mut self, _samples: usize, _values: &mut [Self::Real]) {}
    /// How many sums over the samples there are that metrics are functions of.
    const TOTALS: usize = 0;
    /// Adds these sums over the places that `metrics_loaded` has just seen, as
    /// many as there is room for.
    fn add_totals(&self, _totals: &mut [f64]) {}
    /// Of sums over several batches, the metrics that are functions of them; the
    /// others, which are means, are left alone.
    fn metrics_of_totals(_totals: &[f64], _metrics: &mut [f64]) {}
    /// Visits the derivatives of the mean loss of the first `1..=BATCH` places
    /// by the parameters, under the parameters' names, with nothing changed.
    fn gradients_loaded(&mut self, _samples: usize, _visit: &mut Visit<'_, Self::Real>) {}
}

/// Called with the name, shape and values of a tensor.
pub type Visit<'a, R = f32> = dyn FnMut(&str, &[usize], &[R]) + 'a;
/// Called with the name, shape and changeable values of a tensor.
pub type VisitMut<'a, R = f32> = dyn FnMut(&str, &[usize], &mut [R]) + 'a;

/// The parameters, or the whole state, of a model: for saving and loading.
pub trait NamedTensors {
    /// What the tensors, data and losses are made of.
    type Real: Float;
    /// All zeros: a place to load into.
    fn zero() -> Self
    where
        Self: Sized;
    /// Calls `visit` for each tensor, in the order of declaration.
    fn tensors(&self, visit: &mut Visit<'_, Self::Real>);
    /// The same with values that `visit` can change.
    fn tensors_mut(&mut self, visit: &mut VisitMut<'_, Self::Real>);
}

/// How long to train, and in which order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FitOptions {
    /// Stop after this many passes over the data.
    pub epochs: u64,
    /// Stop after this many steps, if given.
    pub steps: Option<u64>,
    /// Stop after an epoch whose mean loss is below this, if given.
    pub until: Option<f64>,
    /// Visit the samples in a new random order in each epoch.
    pub shuffle: bool,
    /// What the random orders are made of, together with the epoch.
    pub seed: u64,
    /// Leave out a last batch that is not full, unless it is the only one.
    pub drop_last: bool,
}

impl Default for FitOptions {
    /// One epoch, shuffled, with seed 0, of all samples.
    fn default() -> Self {
        FitOptions { epochs: 1, steps: None, until: None, shuffle: true, seed: 0, drop_last: false }
    }
}

/// One pass over the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Its number, from 0.
    pub epoch: u64,
    /// Steps taken so far, in all epochs.
    pub steps: u64,
    /// The mean loss of its samples, each as it was before its own step.
    pub mean_loss: f64,
}

/// Why training stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// All epochs are done.
    Epochs,
    /// All steps are done.
    Steps,
    /// The mean loss is below the threshold.
    Until,
    /// The callback said so.
    Callback,
}

/// How training went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// The last epoch; the steps of this call are in it.
    pub last: Epoch,
    /// Why it was the last.
    pub stop: Stop,
}

/// Trains on `data` and calls `on_epoch` after each epoch, which can stop it
/// with [`ControlFlow::Break`].
///
/// # Errors
///
/// No samples, lengths that disagree, or an integer outside its range; steps
/// before the batch with the error have taken place.
pub fn fit<T: Trainer>(
    trainer: &mut T,
    data: T::Data<'_>,
    options: &FitOptions,
    on_epoch: impl FnMut(&Epoch) -> ControlFlow<()>,
) -> Result<Fit, Error> {
    let samples = T::samples(data)?;
    let load = |trainer: &mut T, slot, sample| trainer.load(slot, data, sample);
    epochs(trainer, samples, load, options, on_epoch)
}

/// [`fit`] for callers that know nothing of the model: sample after sample,
/// [`T::REALS`](Trainer::REALS) and [`T::INTEGERS`](Trainer::INTEGERS) of each.
///
/// # Errors
///
/// As for [`fit`].
pub fn fit_flat<T: Trainer>(
    trainer: &mut T,
    reals: &[T::Real],
    integers: &[u32],
    options: &FitOptions,
    on_epoch: impl FnMut(&Epoch) -> ControlFlow<()>,
) -> Result<Fit, Error> {
    let samples = flat_samples::<T>(reals, integers)?;
    let load = |trainer: &mut T, slot, sample| load_flat(trainer, slot, sample, reals, integers);
    epochs(trainer, samples, load, options, on_epoch)
}

/// The mean loss over all of `data`, with nothing changed.
///
/// # Errors
///
/// As for [`fit`].
pub fn evaluate<T: Trainer>(trainer: &mut T, data: T::Data<'_>) -> Result<f64, Error> {
    let samples = T::samples(data)?;
    let load = |trainer: &mut T, slot, sample| trainer.load(slot, data, sample);
    mean_loss(trainer, samples, load)
}

/// [`evaluate`] of samples given as in [`fit_flat`].
///
/// # Errors
///
/// As for [`fit`].
pub fn evaluate_flat<T: Trainer>(trainer: &mut T, reals: &[T::Real], integers: &[u32]) -> Result<f64, Error> {
    let samples = flat_samples::<T>(reals, integers)?;
    let load = |trainer: &mut T, slot, sample| load_flat(trainer, slot, sample, reals, integers);
    mean_loss(trainer, samples, load)
}

/// The loop. `load` copies a sample to a place of the trainer.
fn epochs<T: Trainer>(
    trainer: &mut T,
    samples: usize,
    load: impl Fn(&mut T, usize, usize) -> Result<(), Error>,
    options: &FitOptions,
    mut on_epoch: impl FnMut(&Epoch) -> ControlFlow<()>,
) -> Result<Fit, Error> {
    if samples == 0 {
        return Err(Error::Empty);
    }
    let step_limit = options.steps.unwrap_or(u64::MAX);
    // A model without samples of its own is one batch in every epoch.
    let visited = match samples % T::BATCH.max(1) {
        left if options.drop_last && left < samples => samples - left,
        _ => samples,
    };
    let mut last = Epoch { epoch: 0, steps: 0, mean_loss: f64::NAN };
    for epoch in 0..options.epochs {
        let order = match options.shuffle {
            true => Order::shuffled(samples, options.seed, epoch),
            false => Order::sequential(samples),
        };
        let (mut sum, mut seen) = (0.0_f64, 0);
        while seen < visited && last.steps < step_limit {
            let size = (visited - seen).min(T::BATCH.max(1));
            for slot in 0..size {
                load(trainer, slot, order.get(seen + slot))?;
            }
            sum += trainer.step_loaded(size).to_f64() * size as f64;
            seen += size;
            last.steps += 1;
        }
        if seen == 0 {
            return Ok(Fit { last, stop: Stop::Steps });
        }
        last = Epoch { epoch, steps: last.steps, mean_loss: sum / seen as f64 };
        let told = on_epoch(&last);
        let stop = if options.until.is_some_and(|limit| last.mean_loss < limit) {
            Stop::Until
        } else if told.is_break() {
            Stop::Callback
        } else if last.steps >= step_limit {
            Stop::Steps
        } else {
            continue;
        };
        return Ok(Fit { last, stop });
    }
    Ok(Fit { last, stop: Stop::Epochs })
}

/// The mean loss of all samples, batch by batch in their own order.
fn mean_loss<T: Trainer>(
    trainer: &mut T,
    samples: usize,
    load: impl Fn(&mut T, usize, usize) -> Result<(), Error>,
) -> Result<f64, Error> {
    if samples == 0 {
        return Err(Error::Empty);
    }
    let (mut sum, mut seen) = (0.0_f64, 0);
    while seen < samples {
        let size = (samples - seen).min(T::BATCH.max(1));
        for slot in 0..size {
            load(trainer, slot, seen + slot)?;
        }
        sum += trainer.loss_loaded(size).to_f64() * size as f64;
        seen += size;
    }
    Ok(sum / samples as f64)
}

/// How many samples flat data hold; one if a sample is made of nothing.
fn flat_samples<T: Trainer>(reals: &[T::Real], integers: &[u32]) -> Result<usize, Error> {
    let samples = match (T::REALS, T::INTEGERS) {
        (0, 0) => 1,
        (0, width) => integers.len() / width,
        (width, _) => reals.len() / width,
    };
    let check = |name, expected, found| match expected == found {
        true => Ok(()),
        false => Err(Error::LengthMismatch { name, expected, found }),
    };
    check("reals", samples * T::REALS, reals.len())?;
    check("integers", samples * T::INTEGERS, integers.len())?;
    Ok(samples)
}

/// Copies sample number `sample` of flat data to place `slot`.
fn load_flat<T: Trainer>(
    trainer: &mut T,
    slot: usize,
    sample: usize,
    reals: &[T::Real],
    integers: &[u32],
) -> Result<(), Error> {
    let reals = reals.get(sample * T::REALS..(sample + 1) * T::REALS).unwrap_or(&[]);
    let integers = integers.get(sample * T::INTEGERS..(sample + 1) * T::INTEGERS).unwrap_or(&[]);
    trainer.load_flat(slot, reals, integers).map_err(|error| match error {
        // The trainer knows the place in the batch, the caller that in the data.
        Error::OutOfRange { name, value, low, high, .. } => Error::OutOfRange { name, sample, value, low, high },
        other => other,
    })
}
