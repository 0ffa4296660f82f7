//! `gdc explain` as a user runs it: the formulas that a textbook has.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod common;

use common::gdc;
use std::path::{Path, PathBuf};

fn specs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs")
}

fn explain(spec: &str, more: &[&str]) -> String {
    let words: Vec<&str> = ["explain", spec].into_iter().chain(more.iter().copied()).collect();
    let (code, out, err) = gdc(&specs(), &words);
    assert_eq!(code, 0, "{err}");
    out
}

fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|l| l.trim() == *line), "`{line}` is missing:\n{text}");
    }
}

#[test]
fn the_parabola_is_that_of_the_first_chapter() {
    has(&explain("quadratic.gd", &[]), &["L = (x − 3)²", "∂L/∂x = 2·(x − 3)", "x ← 0.8·x + 0.6"]);
}

#[test]
fn the_line_has_the_derivatives_of_least_squares() {
    let lines =
        ["L = 0.5/n·Σ[b] (y\u{302}⁽ᵇ⁾ − y⁽ᵇ⁾)²", "∂L/∂w = 1/n·Σ[b] (y\u{302}⁽ᵇ⁾ − y⁽ᵇ⁾)·x⁽ᵇ⁾", "w ← w − 0.5·∂L/∂w"];
    has(&explain("linear_regression.gd", &[]), &lines);
}

#[test]
fn the_logistic_unit_has_its_short_derivative_and_says_how() {
    let text = explain("logistic_unit.gd", &[]);
    let lines = [
        "z⁽ᵇ⁾ⱼ = Σᵢ x⁽ᵇ⁾ᵢ·wᵢⱼ + bⱼ",
        "p⁽ᵇ⁾ⱼ = σ(z⁽ᵇ⁾ⱼ)",
        "∂L/∂z⁽ᵇ⁾ᵢ = (p⁽ᵇ⁾ᵢ − y⁽ᵇ⁾ᵢ)/n",
        "∂L/∂wᵢⱼ = Σ[b] ∂L/∂z⁽ᵇ⁾ⱼ·x⁽ᵇ⁾ᵢ",
        "log(1 + exp(u))′ = σ(u)",
    ];
    has(&text, &lines);
    assert!(text.contains("parameters                  3 (12 B)"), "{text}");
}

#[test]
fn a_hidden_layer_has_backpropagation() {
    let lines = [
        "h.z⁽ᵇ⁾ⱼ = Σᵢ x⁽ᵇ⁾ᵢ·h.wᵢⱼ",
        "∂L/∂h.z⁽ᵇ⁾ᵢ = ∂L/∂z⁽ᵇ⁾₀·z.wᵢ₀·(1 − h⁽ᵇ⁾ᵢ²)",
        "tanh′(u) = 1 − tanh(u)²",
        "h.w.mᵢⱼ ← 0.9·h.w.mᵢⱼ + 0.1·∂L/∂h.wᵢⱼ",
        "and likewise h.b, z.w, z.b",
    ];
    has(&explain("xor.gd", &[]), &lines);
}

#[test]
fn softmax_and_its_derivative_are_recognised_by_their_form() {
    let text = explain("digits.gd", &[]);
    let lines = [
        "probs.sum⁽ᵇ⁾ = Σᵢ exp(logits⁽ᵇ⁾ᵢ − probs.max⁽ᵇ⁾)",
        "probs⁽ᵇ⁾ᵢ = exp(logits⁽ᵇ⁾ᵢ − probs.max⁽ᵇ⁾)/probs.sum⁽ᵇ⁾",
        "∂L/∂logits⁽ᵇ⁾ᵢ = (probs⁽ᵇ⁾ᵢ − [i = label⁽ᵇ⁾])/n",
    ];
    has(&text, &lines);
    let row = text.lines().find(|l| l.starts_with("h.dense ")).unwrap();
    assert!(row.split_whitespace().collect::<Vec<_>>().starts_with(&["h.dense", "layer", "[64]", "4,160"]), "{row}");
}

#[test]
fn latex_and_html_are_whole_and_balanced() {
    for spec in ["quadratic.gd", "xor.gd", "digits.gd", "iris.gd", "two_layer_sigmoid.gd"] {
        let latex = explain(spec, &["--format", "latex"]);
        assert_eq!(latex.matches("\\begin{").count(), latex.matches("\\end{").count());
        assert_eq!(latex.matches('{').count() - latex.matches("\\{").count(), latex.matches('}').count());
        assert_eq!(
            latex.matches("\\left").count() - latex.matches("\\leftarrow").count(),
            latex.matches("\\right").count()
        );
        let page = explain(spec, &["--format", "html"]);
        for tag in
            ["math", "mrow", "mfrac", "msub", "msup", "msubsup", "munder", "mtable", "svg", "table", "details", "g"]
        {
            let open = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(open, page.matches(&format!("</{tag}>")).count(), "{spec} {tag}");
        }
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
        // Self-contained: nothing is fetched.
        assert!(!page.contains("src=") && !page.contains("href="));
    }
    let latex = explain("logistic_unit.gd", &["--format", "latex"]);
    assert!(latex.contains("z^{(b)}_{j} &= \\sum_{i} x^{(b)}_{i} \\, w_{ij} + b_{j}"), "{latex}");
    assert!(latex.contains("\\frac{\\partial L}{\\partial w_{ij}} &= \\sum_{b}"), "{latex}");
}

#[test]
fn it_is_written_to_a_file_and_faults_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let spec = specs().join("xor.gd");
    let (code, out, err) = gdc(folder.path(), &["explain", spec.to_str().unwrap(), "-o", "x.txt"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
    assert!(std::fs::read_to_string(folder.path().join("x.txt")).unwrap().starts_with("model Xor"));
    let (code, _, err) = gdc(&specs(), &["explain", "wrong/logistic_shape.gd"]);
    assert_eq!(code, 1);
    assert!(err.contains("error[E"), "{err}");
}

#[test]
fn a_recurrence_is_read_at_the_step_before_and_its_derivative_at_the_one_after() {
    let text = explain("sunspots_lstm.gd", &[]);
    let lines = [
        "h.h⁽ᵇ⁾[−1, j] = 0",
        "h.z⁽ᵇ⁾ₜᵢ = h.reshape⁽ᵇ⁾ₜ₀·h.wx₀ᵢ + Σⱼ h.h⁽ᵇ⁾[t − 1, j]·h.whⱼᵢ + h.bᵢ",
        "∂L/∂h.whᵢⱼ = Σ[b,t] ∂L/∂h.z⁽ᵇ⁾ₜⱼ·h.h⁽ᵇ⁾[t − 1, i]",
        "∂L/∂h.h.before⁽ᵇ⁾[24, j] = 0",
    ];
    has(&text, &lines);
    assert!(!text.contains("carried("), "{text}");
}

#[test]
fn what_would_be_too_long_written_out_is_written_once() {
    let chain = "let h = x * w; for i in 0..26 { h <- STEP; }";
    let models = [
        format!("{} let g = checkpoint(h); loss sum(g);", chain.replace("STEP", "h * h + x")),
        format!("{} loss sum(h);", chain.replace("STEP", "f(h) + x")),
    ];
    for model in models {
        let text = format!(
            "fn f(z) {{ derivative(dy) = dy; z * z }}\n\
             model M {{ input x: [4]; param w: [4] = ones; {model} optimizer sgd(); }}"
        );
        let folder = common::folder(&[("chain.gd", &text)]);
        let (code, out, err) = gdc(folder.path(), &["explain", "chain.gd"]);
        assert_eq!(code, 0, "{err}");
        assert!(out.lines().all(|line| line.chars().count() < 20_000), "{out:.2000}");
    }
}

/// Dropout and a running mean do one thing in training and another after it.
#[test]
fn training_and_predicting_are_told_apart_and_so_are_entry_points_and_the_stream() {
    let folder = common::folder(&[("m.gd", STREAMED)]);
    let path = folder.path();
    let (code, text, err) = common::gdc(path, &["explain", "m.gd"]);
    assert_eq!(code, 0, "{err}");
    let of = |title: &str| {
        let start = text.find(&format!("\n{title}\n\n")).unwrap_or_else(|| panic!("no {title} in {text}"));
        let rest = &text[start + title.len() + 3..];
        rest.split("\n\n").next().unwrap().to_owned()
    };
    let (both, training, predicting) =
        (of("Forward"), of("Forward, only while training"), of("Forward, only while predicting and evaluating"));
    assert!(both.contains("h⁽ᵇ⁾") && !both.contains("noisy"), "{both}");
    assert!(training.contains("U[") && training.contains("(noisy⁽ᵇ⁾ⱼ − y⁽ᵇ⁾ⱼ)²"), "{training}");
    assert_eq!(predicting, "  L = 0.25/n·Σ[b] Σⱼ (h⁽ᵇ⁾ⱼ − y⁽ᵇ⁾ⱼ)²");
    let entry = of("Entry point half(z: [3])");
    assert!(entry.contains("half = ") && !text.replace(&entry, "").contains("half ="), "{text}");
    let stream = of("Stream: one step, given x");
    assert!(stream.contains("carried from one time to the next: ") && stream.contains('←'), "{stream}");
    // A changed entry point is another function, and the change is shown.
    std::fs::write(path.join("n.gd"), STREAMED.replace("sum(z) / 2", "sum(z) / 3")).unwrap();
    let (code, text, err) = common::gdc(path, &["diff", "m.gd", "n.gd"]);
    assert_eq!(code, 0, "{err}");
    assert!(text.contains("Different function: entry point `half` differs by"), "{text}");
    assert!(text.contains("Entry point half(z: [3])\n\n  - half"), "{text}");
    std::fs::write(path.join("n.gd"), STREAMED.replace("    stream t;\n", "")).unwrap();
    let text = common::gdc(path, &["diff", "m.gd", "n.gd"]).1;
    assert!(text.contains("Same function") && text.contains("Stream: one step, given x\n\n  - "), "{text}");
}

const STREAMED: &str = "model Streamed {
    const t = 4;
    input  x: [t];
    target y: [t];
    param w = 0.5;
    let all = scan (h = 0) over xt in x { h <- tanh(w * h + xt); yield h; };
    let noisy = dropout(all, 0.1);
    output p = noisy;
    loss mse(noisy, y);
    entry half(z: [3]) -> [] = w * sum(z) / 2;
    stream t;
    optimizer sgd(lr = 0.1);
    train { batch = 2; }
}
";
