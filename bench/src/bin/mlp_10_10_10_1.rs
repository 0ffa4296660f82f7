//! Times the generated code of `specs/mlp_10_10_10_1.gd`.

use gdc_bench::{Work, fill, rows, run};
use std::hint::black_box;

#[path = "../../generated/mlp_10_10_10_1.rs"]
mod generated;

fn main() {
    let mut trainer = generated::NarrowTrainer::boxed(0);
    fill(&mut trainer.model);
    let workspace = generated::NarrowTrainer::WORKSPACE_BYTES;
    let x = rows::<10>(1, 32);
    let y = rows::<1>(2, 32);
    run(Work { name: "mlp_10_10_10_1", runner: "gdc", multiply_adds: 32.0 * (3.0 * 210.0 - 100.0), workspace }, || {
        trainer.step(black_box(&x), &y).unwrap_or(f32::NAN)
    });
    let work = Work { name: "mlp_10_10_10_1.predict", runner: "gdc", multiply_adds: 210.0, workspace: 0 };
    run(work, || trainer.model.predict(black_box(&x[0]))[0]);
}
