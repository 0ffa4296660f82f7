//! Times the generated code of `specs/digits.gd`.

use gdc_bench::{Work, fill, integers, rows, run};
use std::hint::black_box;

#[path = "../../generated/digits.rs"]
mod generated;

fn main() {
    let mut trainer = generated::DigitsTrainer::boxed(0);
    fill(&mut trainer.model);
    let workspace = generated::DigitsTrainer::WORKSPACE_BYTES;
    let x: Vec<[[f32; 8]; 8]> = rows::<8>(1, 32 * 8).as_chunks::<8>().0.to_vec();
    let y = integers(2, 32, 10);
    run(Work { name: "digits", runner: "gdc", multiply_adds: 32.0 * (2.0 * 4096.0 + 3.0 * 640.0), workspace }, || {
        trainer.step(black_box(&x), &y).unwrap_or(f32::NAN)
    });
    let work = Work { name: "digits.predict", runner: "gdc", multiply_adds: 4096.0 + 640.0, workspace: 0 };
    run(work, || trainer.model.predict(black_box(&x[0]))[0]);
}
