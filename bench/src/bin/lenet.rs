//! Times the generated code of `specs/lenet.gd`.

use gdc_bench::{Work, fill, integers, rows, run};
use std::hint::black_box;

#[path = "../../generated/lenet.rs"]
mod generated;

fn main() {
    let mut trainer = generated::LeNetTrainer::boxed(0);
    fill(&mut trainer.model);
    let workspace = generated::LeNetTrainer::WORKSPACE_BYTES;
    let flat = rows::<1>(1, 32 * 784);
    let x: Vec<[[[f32; 1]; 28]; 28]> = flat.as_chunks::<28>().0.as_chunks::<28>().0.to_vec();
    let y = integers(2, 32, 10);
    run(Work { name: "lenet", runner: "gdc", multiply_adds: 32.0 * (2.0 * 117_600.0 + 3.0 * 240_000.0 + 3.0 * 58_920.0), workspace }, || {
        trainer.step(black_box(&x), &y).unwrap_or(f32::NAN)
    });
    let work = Work { name: "lenet.predict", runner: "gdc", multiply_adds: 117_600.0 + 240_000.0 + 58_920.0, workspace: 0 };
    run(work, || trainer.model.predict(black_box(&x[0]))[0]);
}
