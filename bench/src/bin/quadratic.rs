//! Times the generated code of `specs/quadratic.gd`.

use gdc_bench::{Work, run, run_many};

#[path = "../../generated/quadratic.rs"]
mod generated;

fn main() {
    let mut trainer = generated::QuadraticTrainer::boxed(0);
    let workspace = generated::QuadraticTrainer::WORKSPACE_BYTES;
    run(Work { name: "quadratic", runner: "gdc", workspace, ..Work::default() }, || trainer.step());
    run_many(Work { name: "quadratic.loop", runner: "gdc", ..Work::default() }, 1000, || trainer.repeat(1000));
}
