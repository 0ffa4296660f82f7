//! Streaming forms: one time after the other they give what a prediction gives of the whole
//! sequence, and their programs give what the interpreter does.

#![allow(clippy::expect_used, clippy::panic)]

mod support;

use gdc_core::stream::one_step;
use gdc_interp::{Batch, Session, Stream, Tensor};
use gdc_ir::text::print_model;
use std::collections::BTreeMap;
use support::compare::check_stream;

/// What a model of 7 times does between `input x: [t, 3]` and `output`s.
const BODIES: &[(&str, &str)] = &[
    ("rnn", "output y = x |> rnn(4);"),
    ("lstm", "output y = x |> lstm(5, forget = 1.0);"),
    ("gru", "output y = x |> gru(4) |> dense(2);"),
    (
        "stacked",
        "let h = x |> lstm(4) as low |> gru(3) as high; output y = h |> dense(2) |> softmax; output h_too = h;",
    ),
    ("last", "output y = x |> gru(4, last = true) |> dense(2);"),
    ("two lasts", "let h = x |> rnn(4); output y = h[t - 1] |> dense(2); output all = h;"),
    ("norm", "output y = x |> dense(6) |> layer_norm |> gru(4) |> tanh;"),
    ("statistics", "output y = x |> dense(6) |> batch_norm |> rnn(3);"),
    ("residual", "let h = x |> dense(4); output y = h + (h |> gru(4));"),
    ("causal", "output y = x |> conv1d(4, kernel = 3, padding = causal) |> relu |> dense(2);"),
    (
        "dilated",
        "let h = x |> conv1d(4, kernel = 2, padding = causal, dilation = 2) as one |> tanh; \
                 output y = h |> conv1d(3, kernel = 3, padding = causal, dilation = 3) as two;",
    ),
    ("past", "let d[i, j] = x[i, j] - (x[i - 1, j] else 0.5) + 0.1 * (x[i - 3, j] else 0.5); output y = d |> rnn(2);"),
    ("two pasts", "let d[i in 0..t, j] = (x[i - 1, j] else 0) * (x[i - 2, j] else 1); output y = d;"),
    (
        "learnt start",
        "param h0: [4] = normal(0, 1); param w: [4, 4] = normal(0, 0.4); \
                      output y = scan (h = tanh(h0)) over xt in x |> dense(4) { h <- tanh(xt + h @ w); yield h; };",
    ),
    ("average", "output y = scan (m = zeros([3])) over xt in x { m <- 0.9 * m + 0.1 * xt; yield m; };"),
    ("before", "output y = scan (m = zeros([3])) over xt in x { let old = m; m <- 0.9 * m + xt; yield old; };"),
    ("mapped", "let by[k in 0..3, i, j in 0..2] = x[i, k] * (j + 1); let h = by |> rnn(3); output y = h;"),
    ("within", "let w[i] = scan (s = 0.0) over k in 0..3 { s <- tanh(s + x[i, k]); }; output y = w;"),
    (
        "tokens",
        "let e = z |> embedding(4); let p[i in 0..t] = z[i - 1] else 4; \
                let m[i, j] = e[i, j] + 0.1 * p[i]; output y = m |> gru(3);",
    ),
    (
        "after a scan",
        "let h = x |> lstm(20) as low |> batch_norm; \
                      output y = h |> conv1d(6, kernel = 3, padding = causal, dilation = 2) |> relu |> gru(17) as up;",
    ),
    ("even", "let e[i in 0..t, j in 0..3] = 0.5 * j; let f = exp(e); output y = x * f |> rnn(2);"),
    ("pointwise", "output y = x |> dense(2) |> sigmoid;"),
];

fn compile(text: &str) -> gdc_driver::Output {
    let source = gdc_driver::Source { name: "m".to_owned(), text: text.to_owned(), folder: None };
    gdc_driver::compile(&source, &gdc_driver::Options::default()).unwrap_or_else(|failure| {
        let messages: Vec<&str> = failure.diagnostics.iter().map(|d| d.message.as_str()).collect();
        panic!("{text}\n{}", messages.join("\n"))
    })
}

fn source(body: &str) -> String {
    format!(
        "model M {{ const t = 7; input x: [t, 3]; input z: [t] in 0..5; {body} param unused = 0.0; loss unused^2; stream t; \
         optimizer sgd(); train {{ batch = 2; }} }}"
    )
}

/// Numbers in -1..1.
fn noise(n: usize) -> Vec<f64> {
    (0..n).map(|k| ((k * 7919 + 13) % 1009) as f64 / 504.5 - 1.0).collect()
}

/// The rows of a tensor.
fn rows(values: &[f64], count: usize) -> impl Iterator<Item = &[f64]> {
    values.chunks(values.len() / count)
}

fn close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-12 * (1.0 + b.abs()))
}

#[test]
fn steps_are_the_whole_sequence() {
    for (name, body) in BODIES {
        let output = compile(&source(body));
        let step = one_step(&output.model).unwrap_or_else(|_| panic!("{name}")).expect("a stream");
        let session = Session::new(&output.model, 3).expect("a session");
        let x = noise(21);
        let given = Tensor::real(&[1, 7, 3], x.clone()).expect("fits");
        let z = [1, 4, 0, 2, 2, 3, 1];
        let tokens = Tensor::int(&[1, 7], z.to_vec()).expect("fits");
        let whole = session.predict(&Batch::of(1).with("x", given).with("z", tokens)).expect("a prediction");
        check_stream(&step, output.programs.stream.as_ref().expect("a stream"));
        let mut stream = Stream::start(&step, &session).expect("a stream");
        for (t, row) in rows(&x, 7).enumerate() {
            let given = Tensor::real(&[3], row.to_vec()).expect("fits");
            let given = BTreeMap::from([("x".to_owned(), given), ("z".to_owned(), Tensor::integer(z[t]))]);
            let found = stream.step(&given).unwrap_or_else(|e| panic!("{name}: {e:?}\n{}", print_model(&step)));
            for (output, found) in found {
                let all = &whole[&output];
                let wanted = all.to_vec();
                // One that is mapped over something else first has the times as its second axis.
                let wanted: Vec<f64> = match (*name, all.shape()) {
                    ("mapped", _) => wanted.chunks(21).flat_map(|of| of[3 * t..3 * t + 3].to_vec()).collect(),
                    (_, [_, 7, ..]) => rows(&wanted, 7).nth(t).expect("a row").to_vec(),
                    _ if t == 6 => wanted,
                    _ => continue,
                };
                assert!(close(&found.to_vec(), &wanted), "{name}, {output} at {t}: {found:?}, not {wanted:?}");
            }
        }
    }
}

/// A sequence that ends earlier ends with what the stream gives then: the last time is the one at
/// hand.
#[test]
fn the_last_time_is_the_one_at_hand() {
    let long = compile(&source("output y = x |> gru(4, last = true) |> dense(2);"));
    let short = compile(&source("output y = x |> gru(4, last = true) |> dense(2);").replace("t = 7", "t = 4"));
    let step = one_step(&long.model).expect("no obstacle").expect("a stream");
    let session = Session::new(&long.model, 3).expect("a session");
    let mut stream = Stream::start(&step, &session).expect("a stream");
    let x = noise(12);
    let mut found = Vec::new();
    for row in rows(&x, 4) {
        let given = Tensor::real(&[3], row.to_vec()).expect("fits");
        let given = BTreeMap::from([("x".to_owned(), given), ("z".to_owned(), Tensor::integer(0))]);
        found = stream.step(&given).expect("a step")["y"].to_vec();
    }
    let session = Session::new(&short.model, 3).expect("a session");
    let given = Tensor::real(&[1, 4, 3], x).expect("fits");
    let given = Batch::of(1).with("x", given).with("z", Tensor::int(&[1, 4], vec![0; 4]).expect("fits"));
    let whole = session.predict(&given).expect("a prediction");
    assert!(close(&found, &whole["y"].to_vec()));
}
