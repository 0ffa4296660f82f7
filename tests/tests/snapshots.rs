//! What is generated, in pieces that a person can read.
//!
//! `INSTA_UPDATE=always cargo test -p gdc-tests --test snapshots` writes them anew; read every
//! line of what changed before you keep it.

use gdc_codegen::{header, print};
use gdc_tests::spec;
use insta::assert_snapshot;

/// The kernels of a spec whose names begin so, without their indentation.
fn kernels(text: &str, name: &str) -> String {
    let output = spec::compile(text);
    let rust = print(output.tokens, &header(&output.programs, "spec.gd")).unwrap();
    let (_, module) = rust.split_once("_kernels {\n").unwrap();
    let all = module.trim_end().trim_end_matches('}').split("\n\n");
    let chosen = all.filter(|kernel| kernel.contains(&format!("fn {name}")));
    let lines = chosen.flat_map(|kernel| kernel.trim_end().lines().chain([""]));
    let text: String = lines.map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect();
    assert!(!text.is_empty(), "there is no kernel {name} in\n{rust}");
    text
}

/// The statements of the tensor graph of a spec, without its leaves.
fn graph(text: &str) -> String {
    let graph = gdc_ir::text::print_model(&spec::compile(text).model);
    let statements = graph.split("\n\n").nth(1).unwrap().lines().filter(|line| line.contains(" = "));
    statements.map(|line| format!("{line}\n")).collect()
}

const QUADRATIC: &str = "
model Quadratic {
    param x = 1.0;
    loss (x - 3)^2;
    optimizer sgd(lr = 0.1);
    train { steps = 100; }
}";

const LINE: &str = "
model Line {
    input  x: [];
    target y: [];
    param w = 0.0;
    param b = 0.0;
    output y_hat = w * x + b;
    loss   (y_hat - y)^2 / 2;
    optimizer sgd(lr = 0.5);
    train { batch = 32; epochs = 1; }
}";

const UNIT: &str = "
model Unit {
    input  x: [2];
    target y: [];
    param w: [2] = zeros;
    let z = sum[i](x[i] * w[i]);
    output p = sigmoid(z);
    loss   binary_cross_entropy(logits = z, y);
    optimizer sgd(lr = 0.5);
    train { batch = 32; epochs = 1; }
}";

const CLASSES: &str = "
model Classes {
    input  x: [64];
    target label: in 0..10;
    let logits = x |> dense(10);
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    optimizer sgd(lr = 0.1);
    train { batch = 32; epochs = 1; }
}";

const LAYER: &str = "
model Layer {
    input  x: [64];
    target y: [64];
    let h = x |> dense(64) |> relu;
    loss mse(h, y);
    optimizer adam(lr = cosine(1e-2, steps = 100));
    train { batch = 32; epochs = 1; }
}";

const WORDS: &str = "
model Words {
    input  token: in 0..50;
    target y: [32];
    param table: [50, 32] = normal(0, 0.02);
    let e[j] = table[token, j];
    loss   mse(e, y);
    optimizer sgd(lr = 0.1);
    train { batch = 32; epochs = 1; }
}";

#[test]
fn a_whole_small_model() {
    assert_snapshot!(kernels(QUADRATIC, ""));
}

#[test]
fn statements_over_the_batch() {
    assert_snapshot!(kernels(LINE, "forward") + &kernels(LINE, "sweep"));
}

#[test]
fn a_tile_of_a_contraction() {
    assert_snapshot!(kernels(LAYER, "backward_d_h_dense_w"));
}

#[test]
fn ten_columns_in_lanes() {
    assert_snapshot!(kernels(CLASSES, "forward_logits<"));
}

#[test]
fn the_gradient_of_softmax_and_cross_entropy() {
    assert_snapshot!(kernels(CLASSES, "backward_d_logits<"));
}

#[test]
fn an_update_by_adam() {
    assert_snapshot!(kernels(LAYER, "update_h_dense_b"));
}

#[test]
fn a_schedule_in_double_precision() {
    assert_snapshot!(kernels(LAYER, "update_per_step"));
}

#[test]
fn initial_values() {
    assert_snapshot!(kernels(CLASSES, "init"));
}

#[test]
fn reading_and_adding_at_computed_places() {
    assert_snapshot!(kernels(WORDS, "forward_loss") + &kernels(WORDS, "backward_d_table"));
}

#[test]
fn the_graph_of_a_quadratic() {
    assert_snapshot!(graph(QUADRATIC));
}

#[test]
fn the_graph_of_a_logistic_unit() {
    assert_snapshot!(graph(UNIT));
}

#[test]
fn the_graph_of_softmax_and_cross_entropy() {
    assert_snapshot!(graph(CLASSES));
}
