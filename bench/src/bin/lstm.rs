//! Times the generated code of `specs/lstm.gd`.

use gdc_bench::{Work, fill, rows, run};
use std::hint::black_box;

#[path = "../../generated/lstm.rs"]
mod generated;

fn main() {
    let mut trainer = generated::LstmTrainer::boxed(0);
    fill(&mut trainer.model);
    let workspace = generated::LstmTrainer::WORKSPACE_BYTES;
    let flat = rows::<16>(1, 32 * 32);
    let x: Vec<[[f32; 16]; 32]> = flat.as_chunks::<32>().0.to_vec();
    let y = rows::<1>(2, 32);
    // A step of one sample: both products forward, backward and for the weights, but for the
    // inputs' derivative, which nothing asks for.
    let (inputs, carried) = (16.0 * 256.0, 64.0 * 256.0);
    let multiply_adds = 32.0 * (32.0 * (2.0 * inputs + 3.0 * carried) + 3.0 * 64.0);
    run(Work { name: "lstm", runner: "gdc", multiply_adds, workspace }, || {
        trainer.step(black_box(&x), &y).unwrap_or(f32::NAN)
    });
    let work =
        Work { name: "lstm.predict", runner: "gdc", multiply_adds: 32.0 * (inputs + carried) + 64.0, workspace: 0 };
    run(work, || trainer.model.predict(black_box(&x[0]))[0]);
}
