//! Times the generated code of `specs/mlp_2_4_1.gd`.

use gdc_bench::{Work, fill, rows, run};
use std::hint::black_box;

#[path = "../../generated/mlp_2_4_1.rs"]
mod generated;

fn main() {
    let mut trainer = generated::Sigmoid241Trainer::boxed(0);
    fill(&mut trainer.model);
    let workspace = generated::Sigmoid241Trainer::WORKSPACE_BYTES;
    let x = rows::<2>(1, 100);
    let y = rows::<1>(2, 100);
    run(Work { name: "mlp_2_4_1", runner: "gdc", multiply_adds: 100.0 * (3.0 * 8.0 + 3.0 * 4.0 - 8.0), workspace }, || {
        trainer.step(black_box(&x), &y).unwrap_or(f32::NAN)
    });
    let work = Work { name: "mlp_2_4_1.predict", runner: "gdc", multiply_adds: 12.0, workspace: 0 };
    run(work, || trainer.model.predict(black_box(&x[0]))[0]);
}
