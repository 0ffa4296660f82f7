//! One benchmark for each pattern of kernels, by criterion: `cargo bench -p gdc-bench-kernels`, after
//! `generate.sh GDC --patterns`. With `-- --test` each runs once.

use criterion::{Criterion, criterion_group, criterion_main};
use gdc_bench::{fill, integers, numbers, rows};
use std::hint::black_box;

/// The generated code of a pattern.
macro_rules! pattern {
    ($name:ident, $path:literal) => {
        #[allow(dead_code)]
        #[path = $path]
        mod $name;
    };
}

pattern!(elementwise, "../../generated/pattern_elementwise.rs");
pattern!(reduction, "../../generated/pattern_reduction.rs");
pattern!(transcendental, "../../generated/pattern_transcendental.rs");
pattern!(product, "../../generated/pattern_product.rs");
pattern!(convolution, "../../generated/pattern_convolution.rs");
pattern!(gather, "../../generated/pattern_gather.rs");
pattern!(recurrence, "../../generated/pattern_recurrence.rs");
pattern!(update, "../../generated/pattern_update.rs");

/// What one sample takes, without training.
fn forward(c: &mut Criterion) {
    let model = elementwise::Elementwise::boxed(0);
    let x: [f32; 4096] = rows(1, 4096)[0];
    c.bench_function("elementwise", |b| b.iter(|| model.predict(black_box(&x))));
    let model = reduction::Reduction::new(0);
    let x: Vec<[f32; 256]> = rows(1, 64 * 256);
    let x: &[[f32; 256]; 64] = x.first_chunk().unwrap_or(&[[0.0; 256]; 64]);
    c.bench_function("reduction", |b| b.iter(|| model.predict(black_box(x)).squares));
    let model = transcendental::Transcendental::new(0);
    let x: [f32; 2048] = rows(1, 2048)[0];
    c.bench_function("transcendental and softmax", |b| b.iter(|| model.predict(black_box(&x))));
}

/// Times the forward pass (`loss`), and both passes (`gradients`), of a trainer.
macro_rules! passes {
    ($c:ident, $name:literal, $trainer:ident, $x:expr, $y:expr) => {
        let mut trainer = $trainer;
        fill(&mut trainer.model);
        let (x, y) = (&$x, &$y);
        $c.bench_function(concat!($name, ", forward"), |b| b.iter(|| trainer.loss(black_box(x), y)));
        $c.bench_function(concat!($name, ", forward and backward"), |b| {
            b.iter(|| trainer.gradients(black_box(x), y).is_ok())
        });
    };
}

/// Batches, forward alone and with the gradients.
fn both(c: &mut Criterion) {
    let trainer = product::ProductTrainer::boxed(0);
    passes!(c, "product", trainer, rows::<256>(1, 64 * 256), rows::<256>(2, 64 * 256));
    let trainer = convolution::ConvolutionTrainer::boxed(0);
    let flat = rows::<4>(1, 24 * 16 * 16 * 4);
    let x: Vec<[[[f32; 4]; 16]; 16]> = flat.as_chunks::<16>().0.as_chunks::<16>().0.to_vec();
    passes!(c, "convolution", trainer, x, rows::<16>(2, 24 * 16));
    let trainer = gather::GatherTrainer::boxed(0);
    let id = integers(1, 32 * 16, 512).as_chunks::<16>().0.to_vec();
    passes!(c, "gather and scatter", trainer, id, rows::<64>(2, 32 * 64));
    let trainer = recurrence::RecurrenceTrainer::boxed(0);
    let x: Vec<[[f32; 8]; 24]> = rows::<8>(1, 16 * 24 * 8).as_chunks::<24>().0.to_vec();
    passes!(c, "scan", trainer, x, rows::<32>(2, 16 * 32));
}

/// A step whose gradient is next to nothing.
fn steps(c: &mut Criterion) {
    let mut trainer = update::UpdateTrainer::boxed(0);
    trainer.model.w.copy_from_slice(&numbers(1, 16384));
    c.bench_function("update", |b| b.iter(|| black_box(&mut trainer).step()));
}

criterion_group!(patterns, forward, both, steps);
criterion_main!(patterns);
