//! What a hostile or unlucky author might write: each ends in a diagnostic (or compiles), within a
//! second or two, and says which.

#![allow(clippy::expect_used, clippy::panic)] // a test that fails says so by panicking

use gdc_driver::{Options, Source, compile};
use std::time::{Duration, Instant};

/// The codes of the errors of a source; empty if it compiles.
fn codes_in(text: &str, folder: Option<std::path::PathBuf>) -> Vec<&'static str> {
    let source = Source { name: "horror.gd".to_owned(), text: text.to_owned(), folder };
    let start = Instant::now();
    let codes = match compile(&source, &Options::default()) {
        Ok(_) => Vec::new(),
        Err(failure) => {
            let errors = failure.diagnostics.iter().filter(|d| d.severity == gdc_syntax::Severity::Error);
            errors.map(|d| d.code.0).collect()
        }
    };
    assert!(start.elapsed() < Duration::from_secs(20), "{:?} for {text:.200}", start.elapsed());
    codes
}

fn codes(text: &str) -> Vec<&'static str> {
    codes_in(text, None)
}

/// Statements in a model that is right otherwise.
fn model(statements: &str) -> String {
    format!("model M {{ input x: [4]; param w: [4] = ones; {statements} loss mean((x * w)^2); optimizer sgd(); }}")
}

#[track_caller]
fn refused(statements: &str, code: &str) {
    let found = codes(&model(statements));
    assert!(found.contains(&code), "{code} of {statements:.200}: {found:?}");
}

#[test]
fn sizes_beyond_measure() {
    for shape in ["[4000000000, 4000000000]", "[4000000000000, 2]", "[100000, 100000]"] {
        refused(&format!("param h: {shape};"), "E0206");
    }
    refused("param h: [99999999999999999999];", "E0005");
    refused("input h: [4000000000, 4000000000];", "E0206");
    refused("let h[i in 0..4000000000, j in 0..4000000000] = x[0] * w[1]; loss mean(h);", "E0206");
    refused("let h = x |> dense(4000000000);", "E0206");
    refused("const n = 9000000000000000 * 9000000000000000; param h: [n];", "E0205");
    refused("for i in 0..4000000000 { let h = 1; }", "E0206");
    refused("train { batch = 4000000000; }", "E0206");
}

#[test]
fn sizes_of_nothing() {
    for statements in [
        "param h: [0];",
        "input h: [3, 0];",
        "let h = x |> dense(0);",
        "param h: [2 - 5];",
        "let h = x[2..2];",
        "let h[i in 0..0] = x[i];",
        "let h = sum[i in 3..1](x[i]);",
        "train { batch = 0; }",
    ] {
        let found = codes(&model(statements));
        assert!(!found.is_empty(), "{statements}");
    }
}

#[test]
fn numbers_past_all_types() {
    refused("let h = x * 1e999;", "E0005");
    refused("let h = x * 99999999999999999999999999999999999999999999999999999;", "E0005");
    // Past f32, though not past f64: a constant of generated code would be infinite.
    refused("let h = x * 1e39;", "E0305");
    assert_eq!(codes(&model("precision f64; let h = x * 1e39;")), [""; 0]);
    assert_eq!(codes(&model("let h = x * 1e-300;")), [""; 0]);
}

#[test]
fn definitions_that_lead_to_themselves() {
    for items in [
        "fn f(z) = f(z);",
        "fn f(z) = g(z); fn g(z) = f(z);",
        "layer f(z: [n]) -> [n] { z |> f }",
        "layer f(z: [n]) -> [n] { z |> g } layer g(z: [n]) -> [n] { z |> f |> g }",
        "fn f(z, k = f(1.0)) = z + k;",
        "layer f(z: [n], inner: layer = f) -> [n] { z |> inner }",
    ] {
        let found = codes(&format!("{items} {}", model("let h = f(x);")));
        assert!(found.contains(&"E0108"), "{items}: {found:?}");
    }
    let found = codes(
        "optimizer o(lr = 0.1) for w, g { w <- o(lr)(w, g); }
         model M { param v = 1.0; loss v^2; optimizer o(); }",
    );
    assert!(found.contains(&"E0108"), "{found:?}");
}

#[test]
fn definitions_that_call_others_twice() {
    // Each calls the next twice: 2^40 calls, were they all made.
    let mut items = String::from("fn f0(z) = z;");
    for i in 1..40 {
        items.push_str(&format!("fn f{i}(z) = f{}(z) + f{}(z + 1);", i - 1, i - 1));
    }
    assert!(!codes(&format!("{items} {}", model("let h = f39(x); loss mean(h);"))).is_empty());
}

#[test]
fn values_that_use_others_twice() {
    for step in [
        "h * h + x",
        "tanh(h) * h",
        "(if h > 0 { h } else { sin(h) }) + x",
        "max(h, x) * h + 1",
        "h / (1 + h)",
        "sqrt(1 + h^2) - h",
        "softplus(h) - x * h",
    ] {
        assert_eq!(
            codes(&model(&format!("let h = x * w; for i in 0..24 {{ h <- {step}; }} loss sum(h);"))),
            Vec::<&str>::new(),
            "{step}"
        );
    }
    let chain = "let h = x * w; for i in 0..24 { h <- h * h + x; }";
    for rest in [
        "loss sum(h); train { batch = 64; threads = 2; }",
        "loss sum[i](if i == 2 { h[i] } else { 0 });",
        "let g = checkpoint(h); loss sum(g);",
        "let g = grad(sum(h), x); loss sum(g);",
        "loss lse(h); metric m = h[0] > 0;",
    ] {
        assert_eq!(codes(&model(&format!("{chain} {rest}"))), Vec::<&str>::new(), "{rest}");
    }
}

#[test]
fn imports_in_a_circle() {
    let folder = std::env::temp_dir().join(format!("gdc-horrors-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    write("a.gd", "import \"b.gd\"; fn a(z) = b(z);");
    write("b.gd", "import \"a.gd\"; import \"b.gd\"; fn b(z) = z + 1;");
    write("c.gd", "import \"a.gd\"; fn b2(z) = a(z); fn c(z) = c(z);");
    let source = |first: &str, statements: &str| format!("import \"{first}\"; {}", model(statements));
    for first in ["a.gd", "b.gd", "c.gd"] {
        let found = codes_in(&source(first, "let h = a(x);"), Some(folder.clone()));
        assert!(found.contains(&"E0109"), "{first}: {found:?}");
    }
    for wrong in ["../../../../../../etc/passwd", "nowhere.gd", ".", ""] {
        assert!(!codes_in(&source(wrong, ""), Some(folder.clone())).is_empty(), "{wrong}");
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn deep_and_long() {
    let deep = |open: &str, close: &str, n: usize| model(&format!("let h = {}x{};", open.repeat(n), close.repeat(n)));
    assert_eq!(codes(&deep("(", ")", 50)), [""; 0]);
    for (open, close) in [("(", ")"), ("tanh(", ")"), ("{ ", " }"), ("-", ""), ("if 1 > 2 { ", " } else { 1 }")] {
        for n in [60, 200, 5_000, 100_000] {
            let found = codes(&deep(open, close, n));
            // One level more in a chain without brackets, such as signs, is no level of brackets.
            let most = if close.is_empty() { 200 } else { 60 };
            // The longest texts are too long before they are too deep.
            assert!(n <= most || found == ["E0007"] || found == ["E0008"], "{n} times {open}: {found:?}");
        }
    }
    let chain = |n: usize| (1..n).map(|i| format!("let h{i} = tanh(h{});", i - 1)).collect::<String>();
    assert_eq!(codes(&model(&format!("let h0 = x; {} loss mean(h399);", chain(400)))), [""; 0]);
}

#[test]
fn a_megabyte() {
    let within = |unit: &str| unit.repeat((1 << 20) / unit.len() - 200);
    // Nothing but comments; statements without end; one name; one number; one text; brackets.
    assert_eq!(codes(&format!("{} {}", within("// a comment\n"), model(""))), [""; 0]);
    for text in [
        model(&within("let h = 1; ")),
        model(&format!("let {} = 1;", within("h"))),
        model(&format!("let h = {};", within("9"))),
        format!("import \"{}\";", within("a")),
        within("[("),
        within("model M { "),
        within("fn f(x) = x; "),
        within("λ"),
        "x".repeat(1 << 21),
    ] {
        codes(&text);
    }
}

/// Time that grows with the square of a length shows long before a megabyte: a sixteenth of one
/// takes a second at most.
#[test]
fn the_same_over_and_over() {
    let items = [
        "r#\"\n",
        "\\\"\n",
        "///\n",
        "/// a\nfn ",
        "#[doc=r#\"",
        "{",
        ")",
        "−",
        "'",
        "1f32 ",
        "x·y ",
        "r#let ",
        "//! a\n",
        "import \"a.gd\";",
        "fn f(x) = x\n",
        "const a = 1;",
        "model M { loss 1; }",
        "else ",
        "fn f() = f();",
    ];
    let statements = [
        "let h = x\n",
        "loss sum(x);",
        "h <- x;",
        "{ x };",
        "param p: [3];",
        "metric a = 1;",
        "output o = x;",
        "let a = x |> dense(3);",
        "optimizer sgd();",
        "transform clip(1);",
        "for i in 0..1000 { let h = 1; }",
        "x + ",
    ];
    let many = |unit: &str| unit.repeat((1 << 16) / unit.len());
    let sources = items.iter().map(|u| many(u)).chain(statements.iter().map(|u| model(&many(u))));
    for text in sources {
        let start = Instant::now();
        codes(&text);
        // A machine that is busy with other things is given its time.
        assert!(start.elapsed() < Duration::from_secs(8), "{:?} for {text:.100}", start.elapsed());
    }
}

#[test]
fn letters_of_all_kinds() {
    // Latin a and Cyrillic a are two names; composed and decomposed letters are one.
    assert_eq!(codes(&model("let a = x; let \u{430} = a * 2;")), [""; 0]);
    refused("let \u{e9} = x; let e\u{301} = x;", "E0102");
    for text in ["\u{200b}", "\u{202e}", "\u{feff}\u{feff}", "\0", "\u{1f600}", "x\u{300}\u{300}", "١", "ℵ", "\u{2028}"]
    {
        codes(&model(&format!("let {text} = x;")));
        codes(&model(&format!("let h = {text};")));
    }
    let minus = codes(&model("let h = x \u{2212} 1;"));
    assert_eq!(minus, ["E0004"]);
}

#[test]
fn names_of_the_library_and_of_the_compiler() {
    // A definition of the source takes the place of one of the library, also one that others call.
    assert_eq!(
        codes(&format!("fn relu(z) = z * 2; fn tanh2(z) = relu(z); {}", model("let h = tanh2(relu(x));"))),
        [""; 0]
    );
    for name in ["relu", "dense", "softmax", "sgd", "mse", "pi", "inf", "t", "step", "training", "exp", "grad", "size"]
    {
        codes(&model(&format!("let {name} = x; let h = {name} * 2;")));
        codes(&model(&format!("param {name}: [3];")));
        codes(&format!("fn {name}(z) = z; {}", model(&format!("let h = {name}(x);"))));
        codes(&format!("layer {name}(z: [n]) -> [n] {{ z }} {}", model(&format!("let h = {name}(x);"))));
        codes(&model(&format!("let h = x; {name} <- h;")));
    }
}
