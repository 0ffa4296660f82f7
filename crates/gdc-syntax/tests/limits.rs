//! Whatever the text, parsing ends soon, without a panic and without an overflow of
//! the small stack of a test's thread, and says something wherever it fails.

use gdc_syntax::{Diagnostics, FileId, codes, parse};

fn codes_of(text: &str) -> Vec<&'static str> {
    let mut diagnostics = Diagnostics::default();
    let result = parse::parse_file(text, FileId(0), &mut diagnostics);
    assert_eq!(result.is_err(), diagnostics.has_errors(), "an error is always said: {text:.80}");
    for d in diagnostics.as_slice() {
        let (start, end) = (d.span.start as usize, d.span.end as usize);
        assert!(start <= end && text.get(start..end).is_some(), "{:?} in {text:.80}", d.span);
    }
    let mut codes: Vec<_> = diagnostics.as_slice().iter().map(|d| d.code.0).collect();
    codes.dedup();
    codes
}

fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("fn f(x) = {}{inner}{};", open.repeat(times), close.repeat(times))
}

#[test]
fn nesting_is_accepted_up_to_the_limit_and_refused_beyond() {
    let forms = [
        ("(", "x", ")"),
        ("[", "x", "]"),
        ("f(", "x", ")"),
        ("x[", "0", "]"),
        ("{ ", "x", " }"),
        ("x + (", "x", ") * 2"),
        ("{ let a = ", "x", "; a }"),
        ("sum[i in 0..2](", "x", ")"),
        ("if x { 1 } else { ", "2", " }"),
        ("{ if x { a <- ", "2", "; } x }"),
    ];
    for (open, inner, close) in forms {
        assert_eq!(codes_of(&nested(open, inner, close, 20)), [""; 0], "{open}");
        assert_eq!(codes_of(&nested(open, inner, close, 2000)), ["E0007"], "{open}");
    }
    assert_eq!(codes_of(&nested("(", "x", ")", 64)), [""; 0]);
}

#[test]
fn chains_without_brackets_are_bounded_too() {
    for unit in ["-", "!", "x + ", "x ^ ", "x |> ", "x && ", "x .. "] {
        let text = format!("fn f(x) = {}x;", unit.repeat(2_000));
        assert_eq!(codes_of(&text), ["E0007"], "{unit}");
    }
    for unit in ["(x)", "[0]", ".a", " as b"] {
        let text = format!("fn f(x) = x{};", unit.repeat(2_000));
        assert_eq!(codes_of(&text), ["E0007"], "{unit}");
    }
    assert_eq!(codes_of(&format!("fn f(x) = {}0;", "x[0] else ".repeat(1000))), ["E0007"]);
    assert_eq!(codes_of(&format!("fn f(x) = {}{{ 0 }};", "if x { 1 } else ".repeat(1000))), ["E0007"]);
    assert_eq!(codes_of(&format!("fn f(x) = {}x;", "x + ".repeat(200))), [""; 0]);
}

#[test]
fn nesting_with_an_error_inside_is_not_exponential() {
    for (open, close) in [("{ if x { ", " } }"), ("(", ")"), ("f(a = (", "))"), ("{ let a = ", "; a }")] {
        let codes = codes_of(&nested(open, "x y", close, 20));
        assert_eq!(codes, ["E0001"], "{open}");
    }
}

#[test]
fn a_source_has_a_largest_size() {
    let text = "// a comment that is long\n".repeat(50_000);
    assert_eq!(codes_of(&text), [codes::E0008.0]);
    let text = "fn f(x) = x;\n".repeat(1_000);
    assert_eq!(codes_of(&text), [""; 0]);
}

/// A source that uses most rules, to be damaged.
const SOURCE: &str = "import \"a.gd\";
/// Doc.
layer conv(x: [h, c], k: (kh, kw) = 1, b: bool = true) -> [..., c] {
    param w: [h, c] = zeros;
    let y[p in 0..h, q] = sum[i, j](w[i, j] * x[p*2 + i - 1, q] else 0);
    if b { reshape(y, [h]) + 1e-3 } else { y[.., 1..] }
}
model M { input x: [2, 3]; target t: in 0..4; let z = x |> conv(3) as c |> relu;
    scan (h = 0) over i in 0..3 { h <- -h ^ 2; yield h; }
    loss cross_entropy(z, t); optimizer adam(lr = 1e-3) with clip(1.0) for *.w, c;
    train { batch = 3; until = mean_loss < 1e-3; } }
optimizer sgd(lr = 0.1) for w: [...], g { state m = 0; after { m <- w; } w <- w - lr * g; }
";

/// A small generator of numbers, so that the test is the same everywhere.
fn next(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

#[test]
fn damaged_sources_are_refused_without_a_panic() {
    assert_eq!(codes_of(SOURCE), [""; 0]);
    let pieces = [
        "", " ", ";", "{", "}", "(", ")", "[", "]", "let", "<-", "|", "\"", "/*", "///", "−", "1.0f32", "..", "else",
        "=", "é", "²", "#", "'", "\u{feff}", "r#x", "0.", "\\", "_", "//!",
    ];
    let mut seed = 1;
    for _ in 0..150 {
        let mut text: Vec<char> = SOURCE.chars().collect();
        for _ in 0..1 + next(&mut seed) % 3 {
            let at = next(&mut seed) % text.len();
            let cut = next(&mut seed) % 6;
            let piece = pieces[next(&mut seed) % pieces.len()];
            text.splice(at..(at + cut).min(text.len()), piece.chars());
        }
        codes_of(&text.into_iter().collect::<String>());
    }
}

#[test]
fn every_prefix_of_a_source_is_refused_without_a_panic() {
    for (at, _) in SOURCE.char_indices().step_by(7) {
        codes_of(&SOURCE[..at]);
    }
}
