//! Times the generated code of `specs/logistic.gd`.

use gdc_bench::{Work, fill, rows, run, run_many};
use std::hint::black_box;

#[path = "../../generated/logistic.rs"]
mod generated;

fn main() {
    let mut trainer = generated::LogisticTrainer::boxed(0);
    fill(&mut trainer.model);
    let workspace = generated::LogisticTrainer::WORKSPACE_BYTES;
    let x = rows::<2>(1, 4);
    let y = rows::<1>(2, 4);
    run(Work { name: "logistic", runner: "gdc", multiply_adds: 0.0, workspace }, || {
        trainer.step(black_box(&x), &y).unwrap_or(f32::NAN)
    });
    run_many(Work { name: "logistic.loop", runner: "gdc", ..Work::default() }, 1000, || {
        trainer.repeat(black_box(&x), &y, 1000).unwrap_or(f32::NAN)
    });
    let work = Work { name: "logistic.predict", runner: "gdc", multiply_adds: 0.0, workspace: 0 };
    run(work, || trainer.model.predict(black_box(&x[0]))[0]);
}
