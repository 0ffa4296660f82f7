//! A model as the generator writes it, but by hand, for the tests of the worker: `y = w x` with
//! the squared error and, as a metric, the mean of an integer input.

#[path = "."]
mod rt {
    #[path = "error.rs"]
    mod error;
    #[path = "order.rs"]
    mod order;
    #[path = "train.rs"]
    mod train;
    pub use self::{error::*, order::*, train::*};

    /// Stands in for the runtime's mixing of numbers.
    pub fn fold(a: u64, b: u64) -> u64 {
        (a ^ b.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}
mod gdc_worker;

struct Example {
    w: [f32; 1],
    places: [(f32, u32, f32); 2],
    gradient: [f32; 1],
    updates: u64,
}

impl Example {
    fn loss(&mut self, samples: usize) -> f32 {
        let (w, n) = (self.w[0], samples as f32);
        let places = &self.places[..samples];
        self.gradient[0] = places.iter().map(|(x, _, y)| 2.0 * (w * x - y) * x / n).sum();
        places.iter().map(|(x, _, y)| (w * x - y) * (w * x - y) / n).sum()
    }
}

impl rt::Trainer for Example {
    type Data<'a> = ();
    const BATCH: usize = 2;
    const REALS: usize = 2;
    const INTEGERS: usize = 1;

    fn samples(_: ()) -> Result<usize, rt::Error> {
        Ok(0)
    }
    fn load(&mut self, _: usize, _: (), _: usize) -> Result<(), rt::Error> {
        Ok(())
    }
    fn load_flat(&mut self, slot: usize, reals: &[f32], integers: &[u32]) -> Result<(), rt::Error> {
        self.places[slot] = (reals[0], integers[0], reals[1]);
        Ok(())
    }
    fn step_loaded(&mut self, samples: usize) -> f32 {
        let loss = self.loss(samples);
        self.w[0] -= 0.05 * self.gradient[0];
        self.updates += 1;
        loss
    }
    fn loss_loaded(&mut self, samples: usize) -> f32 {
        self.loss(samples)
    }
    const METRICS: usize = 1;
    fn metrics_loaded(&mut self, samples: usize, values: &mut [f32]) {
        values[0] = self.places[..samples].iter().map(|p| p.1 as f32).sum::<f32>() / samples as f32;
    }
    fn gradients_loaded(&mut self, samples: usize, visit: &mut rt::Visit<'_>) {
        self.loss(samples);
        visit("w", &[], &self.gradient);
    }
}

impl rt::NamedTensors for Example {
    type Real = f32;
    fn zero() -> Self {
        new(0)
    }
    fn tensors(&self, visit: &mut rt::Visit<'_>) {
        visit("w", &[], &self.w);
    }
    fn tensors_mut(&mut self, visit: &mut rt::VisitMut<'_>) {
        visit("w", &[], &mut self.w);
    }
}

impl gdc_worker::Model for Example {
    const POINTS: &'static [(usize, usize, usize)] = &[(1, 1, 1)];
    fn set_updates(&mut self, updates: u64) {
        self.updates = updates;
    }
    fn predict_flat(&self, _: usize, reals: &[f32], _: &[u32], out: &mut [f32]) {
        out[0] = self.w[0] * reals[0];
    }
}

fn new(_: u64) -> Example {
    Example { w: [0.0], places: [(0.0, 0, 0.0); 2], gradient: [0.0], updates: 0 }
}

fn main() -> std::process::ExitCode {
    gdc_worker::main(new)
}
