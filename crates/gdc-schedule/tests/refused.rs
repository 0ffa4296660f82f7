//! What has no streaming form says so, where it is.

#![allow(clippy::expect_used, clippy::panic)]

use gdc_driver::{Options, Source, compile};

/// A body, what is said of it, and the text at which.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "let h = x |> bidirectional(rnn(4)); output y = h;",
        "`h.bidirectional.backwards.sum` runs backwards in time",
        "x |> bidirectional(rnn(4))",
    ),
    ("output y = mean(x, axis = 0);", "needs all 7 times at once", "mean(x, axis = 0)"),
    ("let h = x |> conv1d(2, kernel = 3, padding = same); output y = h;", "needs later times", "x |> conv1d(2,"),
    ("let h = x |> conv1d(2, kernel = 3); output y = h;", "has another number of times than the 7", "x |> conv1d(2,"),
    (
        "let h = x |> conv1d(2, kernel = 3, stride = 2, padding = causal); output y = h;",
        "number of times",
        "x |> conv1d(2,",
    ),
    ("let h[i, j] = x[i, j] * i; output y = h;", "depends on the number of the time", "x[i, j] * i"),
    ("param p: [t, 3]; output y = x + p;", "depends on the number of the time", "x + p"),
    ("output y = x |> flatten |> dense(2);", "axis of times", "x |> flatten |> dense(2)"),
    ("output y = x[0] * 2;", "looks at a time that is no fixed number", "x[0] * 2"),
    (
        "let h = x |> rnn(2); let d[i, j] = h[i, j] - h[t - 1, j]; output y = d;",
        "needs later times",
        "h[i, j] - h[t - 1, j]",
    ),
    ("let r[i in 0..t, j] = x[t - 1 - i, j] * 2; output y = r;", "runs backwards in time", "x[t - 1 - i, j] * 2"),
    (
        "input c: [2]; output y = scan (h = c) over xt in x { h <- tanh(h + xt[..2]); yield h; };",
        "begins with what depends on an input",
        "h",
    ),
    (
        "output y = scan (h = sum(x, axis = 0)) over xt in x { h <- tanh(h + xt); yield h; };",
        "needs all 7 times at once",
        "",
    ),
    ("let s = softmax(x @ transpose(x)) @ x; output y = s;", "`s.z` looks at a time", "x @ transpose(x)"),
];

fn fails(text: &str) -> (String, String, String) {
    let source = Source { name: "spec.gd".to_owned(), text: text.to_owned(), folder: None };
    let Err(failure) = compile(&source, &Options::default()) else { panic!("{text} compiles") };
    let d = failure.diagnostics.iter().find(|d| d.code.to_string().starts_with('E')).expect("an error");
    let at = if d.span.file == failure.root { &text[d.span.start as usize..d.span.end as usize] } else { "elsewhere" };
    (format!("{}", d.code), d.message.clone(), at.to_owned())
}

#[test]
fn what_needs_the_sequence_is_named() {
    for (body, message, at) in REFUSED {
        let text = format!(
            "model M {{ const t = 7; input x: [t, 3]; {body} param unused = 0.0; loss unused^2; stream t; optimizer sgd(); }}"
        );
        let (code, found, place) = fails(&text);
        assert_eq!(code, "E0409", "{body}: {found}");
        assert!(found.contains(message), "{body}: {found}");
        assert!(place.starts_with(at), "{body}: {found} at {place}");
    }
}

#[test]
fn the_axis_must_be_there() {
    let model = |inputs: &str, rest: &str| {
        format!("model M {{ const t = 7; {inputs} param w = 0.0; loss w^2; {rest} optimizer sgd(); }}")
    };
    let cases = [
        (model("input x: [7, 3]; output y = x * 2;", "stream t;"), "E0409", "no input has `t` as its first axis", "t"),
        (model("input x: [3, t]; output y = x * 2;", "stream t;"), "E0409", "`t` is not the first axis here", "[3, t]"),
        (model("input x: [t];", "stream t;"), "E0409", "this model has none", "stream t;"),
        (model("input x: [1]; output y = x * 2;", "stream 1;"), "E0409", "one time is no stream", "1"),
        (model("input x: [t]; output y = x * 2;", "stream t; stream t;"), "E0401", "one streaming form", "stream t;"),
    ];
    for (text, code, message, at) in cases {
        let found = fails(&text);
        assert_eq!(found.0, code, "{text}: {}", found.1);
        assert!(found.1.contains(message), "{text}: {}", found.1);
        assert_eq!(found.2, at, "{text}: {}", found.1);
    }
}
