//! The likeliest mistakes, out of habits from Keras, PyTorch, NumPy and Rust: each ends in an error
//! (or warning) whose help says what to write, and what it says compiles.
//!
//! The messages as people see them are in one snapshot, to be read after every change:
//! `INSTA_UPDATE=always cargo test -p gdc-driver --test mistakes`.

#![allow(clippy::expect_used, clippy::panic)] // a test that fails says so by panicking

use gdc_driver::{Options, Source, compile};
use gdc_syntax::{Diagnostic, render};
use std::fmt::Write;

/// What is wrong, what the help has to say (a part of it), and the same with that advice taken.
/// Each is a part of a model, or whole where it holds one.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("let a = x ** 2;", "x ^ 2", "let a = x ^ 2;"),
    ("let a = x[-1];", "[3]", "let a = x[3];"),
    ("let a = x.shape;", "size(x)", "let a = size(x);"),
    ("let a = self.w;", "named directly", "param w = 1.0; let a = w;"),
    ("let a = x.relu();", "x |> relu", "let a = x |> relu;"),
    ("let a = relu(x)", "`;`", "let a = relu(x);"),
    ("let a = if x[0] < -1 { 0 } else { 1 };", "(-", "let a = if x[0] < (-1) { 0 } else { 1 };"),
    ("let a = map(|v| v * 2, x);", "fn name(x)", "fn twice(v) = v * 2;\n// in a model:\nlet a = twice(x);"),
    ("import numpy;\n// in a model:\nlet a = exp(x);", "import \"", "let a = exp(x);"),
    ("let a = x |> Dense(10);", "dense", "let a = x |> dense(10);"),
    ("let a = x |> dense(10, activation = relu);", "|> relu", "let a = x |> dense(10) |> relu;"),
    ("let a = x |> dense(10, activation = 'relu');", "without quotes", "let a = x |> dense(10) |> relu;"),
    ("input z: [None, 4];", "batch", "input z: [4];"),
    ("param v: [2.5];", "whole", "param v: [2];"),
    ("let a = x |> dense(unit = 3);", "units", "let a = x |> dense(units = 3);"),
    ("let a = x |> dense(3, use_bias = false);", "bias", "let a = x |> dense(3, bias = false);"),
    ("optimizer sgd(lr = \"0.1\");", "without quotes", "optimizer sgd(lr = 0.1);"),
    ("let a = x |> softmx;", "softmax", "let a = x |> softmax;"),
    ("optimizer Adam(lr = 0.1);", "adam", "optimizer adam(lr = 0.1);"),
    ("optimizer adan(lr = 0.1);", "adam", "optimizer adam(lr = 0.1);"),
    ("optimizer sgd(learning_rate = 0.1);", "lr", "optimizer sgd(lr = 0.1);"),
    ("loss cross_entropy(softmax(x |> dense(10)), label);", "logits", "loss cross_entropy(x |> dense(10), label);"),
    ("loss cross_entropy(x |> dense(4), y);", "in 0..", "loss cross_entropy(x |> dense(10), label);"),
    ("loss mse(x |> dense(3), y);", "4", "loss mse(x |> dense(4), y);"),
    ("loss (x - y)^2;", "mean(", "loss mean((x - y)^2);"),
    ("for i in range(4) { let a = i; }", "0..4", "let h = x; for i in 0..4 { h <- 2 * h; }"),
    ("let a = if x[0] > 0 and x[1] > 0 { 1 } else { 0 };", "&&", "let a = if x[0] > 0 && x[1] > 0 { 1 } else { 0 };"),
    ("let a = if not x[0] > 0 { 1 } else { 0 };", "!", "let a = if !(x[0] > 0) { 1 } else { 0 };"),
    ("let a = x; a += 1;", "<-", "let a = x + 1;"),
    ("let a = x; a = 2 * x;", "<-", "let a = 2 * x;"),
    ("param w: [3, 4]; let a = x @ w;", "transpose", "param w: [3, 4]; let a = x @ transpose(w);"),
    ("param w: [4, 3]; let a = w.T;", "transpose", "param w: [4, 3]; let a = transpose(w);"),
    ("let a = x[1:3];", "x[1..3]", "let a = x[1..3];"),
    ("param one: [1]; let a = x * one;", "[0]", "param one: [1]; let a = x * one[0];"),
    ("let a = image.mean(0);", "mean", "let a[j] = mean[i](image[i, j]);"),
    ("let a = x |> dense(3, bias = True);", "true", "let a = x |> dense(3, bias = true);"),
    ("let a = x |> dense(3, bias = False);", "false", "let a = x |> dense(3, bias = false);"),
    ("# a comment\nlet a = x;", "//", "// a comment\nlet a = x;"),
    ("let a = np.exp(x);", "exp(x)", "let a = exp(x);"),
    ("let a = torch.relu(x);", "relu(x)", "let a = relu(x);"),
    ("let mut a = x;", "mut", "let a = x;"),
    ("let a: f32 = 1.0;", "a type", "let a = 1.0;"),
    ("let a = 1.0f32;", "precision", "let a = 1.0;"),
    ("let a = x[0] ? 1 : 2;", "if c", "let a = if x[0] > 0 { 1 } else { 2 };"),
    ("return x;", "last expression", "output p = x;"),
    ("let a = sum[i] x[i];", "sum[i](", "let a = sum[i](x[i]);"),
    ("let a[i] = x[i + 1];", "in 0..", "let a[i in 0..3] = x[i + 1];"),
    ("let a[i in 0..4] = x[i + 1];", "else 0", "let a[i in 0..4] = x[i + 1] else 0;"),
    ("let h = x |> dense(4) |> dense(4);", "as", "let h = x |> dense(4) |> dense(4) as second;"),
    ("let a = x(0);", "x[i]", "let a = x[0];"),
    ("let a = pow(x, 2);", "x^2", "let a = x^2;"),
    ("let a = x.reshape(2, 2);", "reshape", "let a = reshape(x, [2, 2]);"),
    ("output p = x + y;", "target", "output p = x;"),
    ("let a = x; let a = 2 * a;", "name", "let a = x; let b = 2 * a;"),
    ("train { lr = 0.1; }", "optimizer", "train { epochs = 3; } optimizer sgd(lr = 0.1);"),
    ("let a = (x[0] > 0) + 1;", "if", "let a = (if x[0] > 0 { 1 } else { 0 }) + 1;"),
    ("let a = if x[0] > 0 { 1 };", "else", "let a = if x[0] > 0 { 1 } else { 0 };"),
    ("model M { input x: [4]; param w = 1.0; loss mean(w * x); }", "optimizer", "let a = x;"),
    ("model M { input x: [4]; param w = 1.0; output p = w * x; optimizer sgd(); }", "loss", "let a = x;"),
    ("model M { param v = 1.0; param w = 1.0; loss w^2; optimizer sgd(); }", "take it out", "let a = x;"),
    (
        "model M { input x: [8, 4]; param w = 1.0; loss mean(w * x); optimizer sgd(); train { batch = 8; } }",
        "batch",
        "let a = x;",
    ),
    ("class Net { }", "model Name", "let a = x;"),
    ("def f(x): return x", "fn", "fn f(x) = x;\n// in a model:\nlet a = f(x);"),
];

/// A whole source of a part of one.
fn source(part: &str) -> String {
    if part.contains("model M") || part.starts_with("class") || part.starts_with("def") {
        return part.to_owned();
    }
    let (items, body) = part.split_once("// in a model:\n").unwrap_or(("", part));
    let has = |word: &str| body.contains(&format!("{word} "));
    let loss = if has("loss") { "" } else { "param scale = 0.5;\n    loss mean((x * scale)^2);" };
    let optimizer = if has("optimizer") { "" } else { "optimizer sgd();" };
    format!(
        "{items}model Habits {{\n    input x: [4];\n    input image: [8, 8];\n    target y: [4];\n    target label: in 0..10;\n    {}\n    {loss}\n    {optimizer}\n}}\n",
        body.replace('\n', "\n    ")
    )
}

/// What is said of a source, as shown and as data.
fn said(text: &str) -> (String, Vec<Diagnostic>) {
    let source = Source { name: "habits.gd".to_owned(), text: text.to_owned(), folder: None };
    let (diagnostics, sources) = match compile(&source, &Options::default()) {
        Ok(output) => (output.warnings, output.sources),
        Err(failure) => (failure.diagnostics, failure.sources),
    };
    (render::render(&diagnostics, &sources, false), diagnostics)
}

/// Where in the library a definition stands changes with every entry before it.
fn without_library_lines(text: &str) -> String {
    let mut out = String::new();
    let mut library = false;
    for line in text.lines() {
        let gutter = line.find('|').filter(|_| !line.trim_start().starts_with('='));
        match (line.split_once("::: std/"), gutter) {
            (Some((_, place)), _) => {
                library = true;
                let _ = writeln!(out, "::: std/{}", place.split(':').next().unwrap_or_default());
            }
            (None, Some(at)) if library => {
                let _ = writeln!(out, "{}", &line[at..]);
            }
            // The width of the gutter follows the greatest line number.
            (None, _) => {
                library &= gutter.is_some();
                let _ = writeln!(out, "{}", line.trim_start());
            }
        }
    }
    out
}

#[test]
fn likely_mistakes_are_told_what_to_write() {
    let (mut shown, mut wrong) = (String::new(), String::new());
    for (part, advice, right) in MISTAKES {
        let (text, diagnostics) = said(&source(part));
        let _ = write!(shown, "==== {part}\n{}", without_library_lines(&text));
        let helps: Vec<&str> =
            diagnostics.iter().flat_map(|d| d.help.iter().chain(&d.notes)).map(String::as_str).collect();
        let told = helps.iter().any(|h| h.contains(advice)) || diagnostics.iter().any(|d| d.message.contains(advice));
        if diagnostics.is_empty() {
            let _ = writeln!(wrong, "{part}\n  is taken without a word");
        } else if helps.is_empty() || !told {
            let _ = writeln!(wrong, "{part}\n  is not told `{advice}`: {:?} {helps:?}", diagnostics[0].message);
        }
        let errors = |d: &Diagnostic| d.severity == gdc_syntax::Severity::Error;
        if let Some(d) = said(&source(right)).1.into_iter().find(errors) {
            let _ = writeln!(wrong, "{right}\n  is advised and does not compile: {}", d.message);
        }
    }
    assert!(MISTAKES.len() >= 50);
    assert!(wrong.is_empty(), "{wrong}");
    insta::assert_snapshot!("mistakes", shown);
}
