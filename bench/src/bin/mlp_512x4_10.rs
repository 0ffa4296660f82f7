//! Times the generated code of `specs/mlp_512x4_10.gd`.

use gdc_bench::{Work, fill, integers, rows, run};
use std::hint::black_box;

#[path = "../../generated/mlp_512x4_10.rs"]
mod generated;

fn main() {
    let mut trainer = generated::DeepTrainer::boxed(0);
    fill(&mut trainer.model);
    let workspace = generated::DeepTrainer::WORKSPACE_BYTES;
    let x = rows::<512>(1, 128);
    let y = integers(2, 128, 10);
    run(Work { name: "mlp_512x4_10", runner: "gdc", multiply_adds: 128.0 * (11.0 * 512.0 * 512.0 + 3.0 * 5120.0), workspace }, || {
        trainer.step(black_box(&x), &y).unwrap_or(f32::NAN)
    });
    let work = Work { name: "mlp_512x4_10.predict", runner: "gdc", multiply_adds: 4.0 * 512.0 * 512.0 + 5120.0, workspace: 0 };
    run(work, || trainer.model.predict(black_box(&x[0]))[0]);
}
