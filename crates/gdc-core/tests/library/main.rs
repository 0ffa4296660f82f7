//! Holds the standard library to values computed by PyTorch (`tests/fixtures`), to finite
//! differences, and to staying finite, with the interpreter and in f64.

#![allow(clippy::unwrap_used, clippy::panic)] // what fails here fails the test

mod activations;
mod batches;
mod initial;
mod layers;
mod losses;
mod metrics;
mod optimizers;
mod schedules;
mod spec;
mod tensors;

use gdc_core::library::Library;

/// Every entry of the library has its values held by the tests beside this one: by a fixture
/// that names it, or by a test that does.
#[test]
fn every_entry_is_tested() {
    let held: String = [
        include_str!("../../../../tests/fixtures/functions.json"),
        include_str!("../../../../tests/fixtures/schedules.json"),
        include_str!("../../../../tests/fixtures/joined.json"),
        include_str!("../../../../tests/fixtures/optimizers.json"),
        include_str!("../../../../tests/fixtures/tensor_optimizers.json"),
        include_str!("../../../../tests/fixtures/layers.json"),
        include_str!("../../../../tests/fixtures/recurrent.json"),
        include_str!("batches.rs"),
        include_str!("initial.rs"),
        include_str!("losses.rs"),
        include_str!("metrics.rs"),
        include_str!("schedules.rs"),
    ]
    .concat();
    // What only others are made of.
    let parts = ["root", "times_log", "within", "half_cosine", "updates_since", "lr_of_size", "recurrent_uniform"];
    let inner =
        ["both", "strides", "windows", "covered", "lies_in", "whitened", "into_heads", "hits", "share", "odd_quintic"];
    for (file, text) in Library::std_files() {
        for (_, name, _) in gdc_syntax::scan::items(text) {
            let found = |before: &str, after: &str| held.contains(&format!("{before}{name}{after}"));
            let tested = found("\"", "\"") || found("", "(") || found("= ", ",");
            assert!(tested || parts.contains(&name) || inner.contains(&name), "{file}: nothing tests `{name}`");
        }
    }
}

/// What a source defines takes the place of an entry in that source, not inside of the library.
#[test]
fn the_library_keeps_to_itself() {
    let text = "fn share(a, b) = 7.0;
    fn relu(z) = 100 * z;
    model Own {
        param x = 2.0;
        let mine = share(1.0, 2.0) + relu(x);
        let theirs = sum(reshape(x * [1.0, 1.0], [1, 2]) |> feed_forward(3));
        loss mine + theirs;
        metric precision = precision(1.0, x);
        optimizer sgd(lr = 0.1);
    }";
    let model = spec::compile(text);
    let mut session = gdc_interp::Session::new(&model, 0).unwrap();
    for name in ["theirs.feed_forward.up.w", "theirs.feed_forward.down.w"] {
        let shape = session.get(name).unwrap().shape().to_vec();
        session.set(name, gdc_interp::Tensor::real(&shape, vec![-1.0; 6]).unwrap()).unwrap();
    }
    let none = gdc_interp::Batch::none();
    assert_eq!(session.metrics(&none).unwrap()["precision"], 1.0);
    // Hidden units are all negative: nothing of them is left by the library's own relu.
    assert_eq!(session.step(&none).unwrap(), 207.0);
}
