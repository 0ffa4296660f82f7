//! Holds the standard library to values computed by PyTorch (`tests/fixtures`), to finite
//! differences, and to staying finite, with the interpreter and in f64.

#![allow(clippy::unwrap_used, clippy::panic)] // what fails here fails the test

mod activations;
mod initial;
mod losses;
mod metrics;
mod optimizers;
mod schedules;
mod spec;
mod tensors;

use gdc_core::library::Library;

/// Every entry of these files has its values held by the tests beside this one: by a fixture
/// that names it, or by a test that does.
#[test]
fn every_entry_is_tested() {
    let held: String = [
        include_str!("../../../../tests/fixtures/functions.json"),
        include_str!("../../../../tests/fixtures/schedules.json"),
        include_str!("../../../../tests/fixtures/joined.json"),
        include_str!("../../../../tests/fixtures/optimizers.json"),
        include_str!("initial.rs"),
        include_str!("losses.rs"),
        include_str!("metrics.rs"),
    ]
    .concat();
    // What only others are made of.
    let parts = ["root", "times_log", "within", "half_cosine", "updates_since"];
    let files = ["activations", "shapes", "losses", "metrics", "schedules", "initializers"];
    for (file, text) in Library::std_files() {
        if !files.iter().any(|f| file == format!("std/{f}.gd")) {
            continue;
        }
        for (_, name, _) in gdc_syntax::scan::items(text) {
            let found = |before: &str, after: &str| held.contains(&format!("{before}{name}{after}"));
            let tested = found("\"", "\"") || found("", "(");
            assert!(tested || parts.contains(&name), "{file}: nothing tests `{name}`");
        }
    }
}
