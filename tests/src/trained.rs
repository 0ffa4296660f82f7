//! Generated trainers of any model behind one trait, so that a test is one loop over them.

use crate::compare::Tensors;
use crate::data::Flat;
use gdc::rt::{self, Epoch, Fit, FitOptions, Float};
use std::ops::{ControlFlow, Range};

/// A trainer of which only the runtime's traits are known.
pub trait Trained {
    /// How many samples a step takes at most.
    fn batch(&self) -> usize;
    /// Puts some samples into the first places of the next batch, in their order.
    fn load(&mut self, data: &Flat, samples: Range<usize>) -> Result<(), rt::Error>;
    /// One update from the first places; their mean loss before it.
    fn step(&mut self, samples: usize) -> f64;
    /// The mean loss of the first places.
    fn loss(&mut self, samples: usize) -> f64;
    /// The metrics of the first places.
    fn metrics(&mut self, samples: usize) -> Vec<f64>;
    /// The derivatives of the mean loss of the first places.
    fn gradients(&mut self, samples: usize) -> Tensors;
    /// Trains as the runtime does it; also what each epoch came to.
    fn fit(&mut self, data: &Flat, options: &FitOptions) -> Result<(Fit, Vec<Epoch>), rt::Error>;
    /// The mean loss of all samples.
    fn evaluate(&mut self, data: &Flat) -> Result<f64, rt::Error>;
    /// Parameters and the optimizer's state.
    fn tensors(&self) -> Tensors;
    /// Sets one of them.
    fn set(&mut self, name: &str, values: &[f64]);
}

impl<T: rt::Trainer> Trained for T {
    fn batch(&self) -> usize {
        T::BATCH
    }

    fn load(&mut self, data: &Flat, samples: Range<usize>) -> Result<(), rt::Error> {
        for (slot, sample) in samples.enumerate() {
            let reals = numbers(&data.reals[sample * T::REALS..(sample + 1) * T::REALS]);
            let integers = &data.integers[sample * T::INTEGERS..(sample + 1) * T::INTEGERS];
            self.load_flat(slot, &reals, integers)?;
        }
        Ok(())
    }

    fn step(&mut self, samples: usize) -> f64 {
        self.step_loaded(samples).to_f64()
    }

    fn loss(&mut self, samples: usize) -> f64 {
        self.loss_loaded(samples).to_f64()
    }

    fn metrics(&mut self, samples: usize) -> Vec<f64> {
        let mut values = vec![T::Real::default(); T::METRICS];
        self.metrics_loaded(samples, &mut values);
        values.into_iter().map(Float::to_f64).collect()
    }

    fn gradients(&mut self, samples: usize) -> Tensors {
        let mut found = Tensors::default();
        self.gradients_loaded(samples, &mut |name, shape, values| found.add(name, shape, values));
        found
    }

    fn fit(&mut self, data: &Flat, options: &FitOptions) -> Result<(Fit, Vec<Epoch>), rt::Error> {
        let mut history = Vec::new();
        let fit = rt::fit_flat(self, &numbers(&data.reals), &data.integers, options, |epoch| {
            history.push(*epoch);
            ControlFlow::Continue(())
        })?;
        Ok((fit, history))
    }

    fn evaluate(&mut self, data: &Flat) -> Result<f64, rt::Error> {
        rt::evaluate_flat(self, &numbers(&data.reals), &data.integers)
    }

    fn tensors(&self) -> Tensors {
        let mut found = Tensors::default();
        rt::NamedTensors::tensors(self, &mut |name, shape, values| found.add(name, shape, values));
        found
    }

    fn set(&mut self, name: &str, values: &[f64]) {
        let mut known = false;
        self.tensors_mut(&mut |tensor, _, places| {
            if tensor == name {
                assert_eq!(places.len(), values.len(), "the elements of {name}");
                for (place, value) in places.iter_mut().zip(values) {
                    *place = T::Real::from_f64(*value);
                }
                known = true;
            }
        });
        assert!(known, "the model has a tensor {name}");
    }
}

/// Data as a model takes them.
fn numbers<R: Float>(data: &[f32]) -> Vec<R> {
    data.iter().map(|&v| R::from_f64(f64::from(v))).collect()
}
