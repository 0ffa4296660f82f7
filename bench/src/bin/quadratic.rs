//! Times the generated code of `specs/quadratic.gd`.

use gdc_bench::{Work, run};

#[path = "../../generated/quadratic.rs"]
mod generated;

fn main() {
    let mut trainer = generated::QuadraticTrainer::boxed(0);
    let workspace = generated::QuadraticTrainer::WORKSPACE_BYTES;
    run(Work { name: "quadratic", runner: "gdc", workspace, ..Work::default() }, || trainer.step());
}
