//! Times the generated code of `specs/transformer.gd`.

use gdc_bench::{Work, fill, integers, run};
use std::hint::black_box;

#[path = "../../generated/transformer.rs"]
mod generated;

fn main() {
    let mut trainer = generated::DecoderTrainer::boxed(0);
    fill(&mut trainer.model);
    let workspace = generated::DecoderTrainer::WORKSPACE_BYTES;
    let tokens = integers(1, 8 * 64, 65).as_chunks::<64>().0.to_vec();
    let next = integers(2, 8 * 64, 65).as_chunks::<64>().0.to_vec();
    let places = vec![core::array::from_fn(|i| i as u32); 8];
    // Per token: four projections and two dense layers in each block, attention, the head.
    let dense = 2.0 * (4.0 * 64.0 * 64.0 + 8.0 * 64.0 * 64.0) + 65.0 * 64.0;
    let attention = 2.0 * 2.0 * 64.0 * 64.0;
    let multiply_adds = 3.0 * 8.0 * 64.0 * (dense + attention);
    run(Work { name: "transformer", runner: "gdc", multiply_adds, workspace }, || {
        trainer.step(black_box(&tokens), &places, &next).unwrap_or(f32::NAN)
    });
}
