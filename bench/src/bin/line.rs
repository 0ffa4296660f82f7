//! Times the generated code of `specs/line.gd`.

use gdc_bench::{Work, numbers, run, run_many};
use std::hint::black_box;

#[path = "../../generated/line.rs"]
mod generated;

fn main() {
    let mut trainer = generated::LineTrainer::boxed(0);
    let workspace = generated::LineTrainer::WORKSPACE_BYTES;
    let (x, y) = (numbers(1, 100), numbers(2, 100));
    run(Work { name: "line", runner: "gdc", workspace, ..Work::default() }, || {
        trainer.step(black_box(&x), &y).unwrap_or(f32::NAN)
    });
    run_many(Work { name: "line.loop", runner: "gdc", ..Work::default() }, 1000, || {
        trainer.repeat(black_box(&x), &y, 1000).unwrap_or(f32::NAN)
    });
}
