//! Which metrics are functions of sums that add up over batches, and which are left to be
//! averaged.

#![allow(clippy::panic, reason = "tests may panic")]

use gdc_driver::{Options, Source, compile};

/// The metrics that are, each with the number of its sums.
fn totals(metrics: &str) -> Vec<(String, usize)> {
    let text = format!(
        "model M {{ input x: []; target y: []; input id: in 0..3; param w = 1.0; state s = 0;
        let z = w * x; output p = z; loss (z - y)^2; {metrics}
        optimizer sgd(); train {{ batch = 4; }} }}"
    );
    let output = match compile(&Source { name: "m.gd".into(), text, folder: None }, &Options::default()) {
        Ok(output) => output,
        Err(failure) => panic!("{:?}", failure.diagnostics),
    };
    output.programs.totals.metrics.iter().map(|(name, sums, _)| (name.clone(), sums.len())).collect()
}

#[test]
fn functions_of_sums_are_found() {
    assert_eq!(totals("metric a = precision(y, z);"), [("a".to_owned(), 2)]);
    assert_eq!(totals("metric a = sqrt(across_sum((z - y)^2) / across_count());"), [("a".to_owned(), 2)]);
    assert_eq!(totals("metric a = f1(y, z); metric b = recall(y, z);").len(), 2);
    assert_eq!(totals("metric a = across_sum(z) * across_sum(y) + 1;"), [("a".to_owned(), 2)]);
}

#[test]
fn means_and_what_is_no_function_of_sums_are_left() {
    for metric in [
        "(z > 0) == (y > 0.5)",
        "across_mean((z - y)^2)",
        "r_squared(z, y)",
        "across_max(z)",
        "w * w",
        "sqrt(across_mean((z - y)^2))",
        "across_sum(z) / across_max(y)",
        "across_sum(x) + w",
        "across_sum(x * across_mean(y))",
        "across(z)[0]",
        "across_sum(x * sample_index)",
        "s + across_sum(x)",
    ] {
        assert_eq!(totals(&format!("metric a = {metric};")), [], "{metric}");
    }
}
