//! The training loop on a trainer written by hand, and what needs a heap, from
//! a module with the settings that generated code must bear.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]
#![deny(warnings)]
#![forbid(unsafe_code)]

use gdc::rt::{self, Epoch, Error, FitOptions, NamedTensors, Stop, Trainer};
use std::ops::ControlFlow;

/// Code as the macro leaves it in a user's crate: without a prelude.
#[no_implicit_prelude]
mod generated {
    use ::gdc::rt;

    /// Half of the squared distance from the mean of the targets.
    #[::core::prelude::v1::derive(Clone, Copy)]
    pub struct Mean {
        pub w: f32,
        pub loaded: [f32; 4],
    }

    pub static ZERO: Mean = Mean { w: 0.0, loaded: [0.0; 4] };

    #[inline(always)]
    fn total<S: rt::Simd>(simd: S, values: &[f32; 4]) -> f32 {
        rt::F32x16::load_head(simd, values).sum()
    }

    impl Mean {
        pub fn total(&self) -> f32 {
            rt::dispatch!(rt::level(), simd => total(simd, &self.loaded))
        }

        rt::with_alloc! {
            pub fn boxed() -> rt::Box<Self> {
                rt::boxed(&ZERO)
            }
        }
    }
}

use generated::Mean;

impl Trainer for Mean {
    type Data<'a> = &'a [f32];
    const BATCH: usize = 4;
    const REALS: usize = 1;
    const INTEGERS: usize = 0;

    fn samples(data: &[f32]) -> Result<usize, Error> {
        Ok(data.len())
    }
    fn load(&mut self, slot: usize, data: &[f32], sample: usize) -> Result<(), Error> {
        self.load_flat(slot, &data[sample..=sample], &[]).map_err(|error| match error {
            Error::OutOfRange { name, value, low, high, .. } => Error::OutOfRange { name, sample, value, low, high },
            other => other,
        })
    }
    fn load_flat(&mut self, slot: usize, reals: &[f32], _: &[u32]) -> Result<(), Error> {
        if reals[0] < -100.0 {
            return Err(Error::OutOfRange { name: "y", sample: slot, value: reals[0] as i64, low: -100, high: 100 });
        }
        self.loaded[slot] = reals[0];
        Ok(())
    }
    fn step_loaded(&mut self, samples: usize) -> f32 {
        let loss = self.loss_loaded(samples);
        let sum: f32 = self.loaded[..samples].iter().map(|y| self.w - y).sum();
        self.w -= 0.1 * sum / samples as f32;
        loss
    }
    fn loss_loaded(&mut self, samples: usize) -> f32 {
        let sum: f32 = self.loaded[..samples].iter().map(|y| (self.w - y) * (self.w - y) / 2.0).sum();
        sum / samples as f32
    }
}

impl NamedTensors for Mean {
    type Real = f32;
    fn zero() -> Self {
        generated::ZERO
    }
    fn tensors(&self, visit: &mut rt::Visit<'_>) {
        visit("w", &[], &[self.w]);
    }
    fn tensors_mut(&mut self, visit: &mut rt::VisitMut<'_>) {
        visit("w", &[], core::slice::from_mut(&mut self.w));
    }
}

const DATA: [f32; 10] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];

fn quiet(_: &Epoch) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn an_epoch_visits_every_sample_once() {
    let mut trainer = *Mean::boxed();
    let options = FitOptions { epochs: 2, shuffle: false, ..FitOptions::default() };
    let fit = rt::fit(&mut trainer, &DATA, &options, quiet).unwrap();
    assert_eq!((fit.stop, fit.last.epoch, fit.last.steps), (Stop::Epochs, 1, 6));
    assert_eq!(trainer.loaded, [9.0, 10.0, 7.0, 8.0]);
    assert_eq!(trainer.total(), 34.0);
    // The same steps by hand: batches of 4, 4 and 2, losses before each step.
    let mut by_hand = generated::ZERO;
    let mut mean = 0.0;
    for _ in 0..2 {
        mean = 0.0;
        for batch in DATA.chunks(4) {
            by_hand.loaded[..batch.len()].copy_from_slice(batch);
            mean += f64::from(by_hand.step_loaded(batch.len())) * batch.len() as f64 / 10.0;
        }
    }
    assert_eq!(trainer.w, by_hand.w);
    assert!((fit.last.mean_loss - mean).abs() < 1e-6);
}

#[test]
fn each_reason_to_stop() {
    let run = |options: FitOptions, limit: u64| {
        let mut trainer = generated::ZERO;
        let on_epoch = |epoch: &Epoch| match epoch.epoch + 1 < limit {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        };
        rt::fit(&mut trainer, &DATA, &options, on_epoch).unwrap()
    };
    let many = FitOptions { epochs: 100, ..FitOptions::default() };
    assert_eq!(run(many, 7).stop, Stop::Callback);
    assert_eq!(run(many, 7).last.epoch, 6);
    let fit = run(FitOptions { steps: Some(5), ..many }, 99);
    assert_eq!((fit.stop, fit.last.steps, fit.last.epoch), (Stop::Steps, 5, 1));
    let fit = run(FitOptions { steps: Some(0), ..many }, 99);
    assert_eq!((fit.stop, fit.last.steps), (Stop::Steps, 0));
    let fit = run(FitOptions { until: Some(6.0), ..many }, 99);
    assert!(fit.stop == Stop::Until && fit.last.mean_loss < 6.0 && fit.last.epoch > 0);
    assert_eq!(run(FitOptions { epochs: 0, ..many }, 99).stop, Stop::Epochs);
    let fit = run(FitOptions { drop_last: true, epochs: 3, ..many }, 99);
    assert_eq!(fit.last.steps, 6);
}

#[test]
fn a_small_only_batch_is_not_dropped() {
    let options = FitOptions { drop_last: true, ..FitOptions::default() };
    let fit = rt::fit(&mut generated::ZERO.clone(), &DATA[..3], &options, quiet).unwrap();
    assert_eq!(fit.last.steps, 1);
}

#[test]
fn flat_and_own_data_train_alike() {
    let options = FitOptions { epochs: 5, seed: 3, ..FitOptions::default() };
    let (mut own, mut flat) = (generated::ZERO, generated::ZERO);
    let (fit, history) = rt::fit_history(&mut own, &DATA, &options).unwrap();
    assert_eq!(rt::fit_flat(&mut flat, &DATA, &[], &options, quiet), Ok(fit));
    assert_eq!(own.w, flat.w);
    assert_eq!(history.len(), 5);
    assert_eq!(history[4], fit.last);
    assert_eq!(rt::evaluate(&mut own, &DATA), rt::evaluate_flat(&mut flat, &DATA, &[]));
    let exact: f32 = DATA.iter().map(|y| (own.w - y) * (own.w - y) / 20.0).sum();
    assert!((rt::evaluate(&mut own, &DATA).unwrap() - f64::from(exact)).abs() < 1e-5);
}

#[test]
fn errors_name_what_is_wrong() {
    let mut trainer = generated::ZERO;
    let options = FitOptions { shuffle: false, ..FitOptions::default() };
    assert_eq!(rt::fit(&mut trainer, &[], &options, quiet), Err(Error::Empty));
    let bad = [1.0, 1.0, 1.0, 1.0, 1.0, -101.0];
    let error = rt::fit_flat(&mut trainer, &bad, &[], &options, quiet).unwrap_err();
    assert_eq!(error.to_string(), "`y` is -101 in sample 5, outside its range -100..100");
    let error = rt::fit_flat(&mut trainer, &DATA, &[1], &options, quiet).unwrap_err();
    assert_eq!(error.to_string(), "`integers` has length 1, but 0 is needed");
    let error = Error::TooManySamples { given: 9, batch: 4 };
    assert_eq!(error.to_string(), "9 samples were given, but the model takes at most 4 at a time");
}

#[test]
fn tensors_can_be_read_and_written() {
    let mut trainer = generated::ZERO;
    trainer.tensors_mut(&mut |name, shape, values| {
        assert_eq!((name, shape), ("w", &[][..]));
        values[0] = 3.0;
    });
    let mut seen = 0.0;
    trainer.tensors(&mut |_, _, values| seen = values[0]);
    assert_eq!(seen, 3.0);
}

/// Far larger than the stack of the thread that makes it.
#[test]
fn a_box_never_stands_on_the_stack() {
    #[derive(Clone, Copy)]
    struct Large([[f32; 1024]; 4096]);
    static ZERO: Large = Large([[1.0; 1024]; 4096]);
    let small_stack = std::thread::Builder::new().stack_size(64 * 1024);
    let sum = small_stack.spawn(|| {
        let mut large = rt::boxed(&ZERO);
        large.0[4095][1023] = 2.0;
        large.0.as_flattened().iter().map(|x| f64::from(*x)).sum::<f64>()
    });
    assert_eq!(sum.unwrap().join().unwrap(), 4_194_305.0);
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Nothing;
    static NOTHING: Nothing = Nothing;
    assert_eq!(*rt::boxed(&NOTHING), Nothing);
}
