//! Times the generated code of `specs/mlp_784_128_10.gd`.

use gdc_bench::{Work, fill, integers, rows, run};
use std::hint::black_box;

#[path = "../../generated/mlp_784_128_10.rs"]
mod generated;

fn main() {
    let mut trainer = generated::MlpTrainer::boxed(0);
    fill(&mut trainer.model);
    let workspace = generated::MlpTrainer::WORKSPACE_BYTES;
    let x = rows::<784>(1, 64);
    let y = integers(2, 64, 10);
    run(Work { name: "mlp_784_128_10", runner: "gdc", multiply_adds: 64.0 * (2.0 * 784.0 * 128.0 + 3.0 * 1280.0), workspace }, || {
        trainer.step(black_box(&x), &y).unwrap_or(f32::NAN)
    });
    let work = Work { name: "mlp_784_128_10.predict", runner: "gdc", multiply_adds: 784.0 * 128.0 + 1280.0, workspace: 0 };
    run(work, || trainer.model.predict(black_box(&x[0]))[0]);
}
