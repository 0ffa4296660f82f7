//! `checkpoint(e)`: the same values and gradients to the bit, from less memory.

#![allow(clippy::expect_used, clippy::panic)]

mod support;

use gdc_interp::{Batch, Session, Tensor};
use gdc_ir::program::{Buffer, BufferId, BufferRole};
use gdc_ir::{Model, NodeKind};
use support::compare::check_train;

fn compile(text: &str) -> gdc_driver::Output {
    compile_both(text).0
}

/// The model, and as it is before anything is computed again.
fn compile_both(text: &str) -> (gdc_driver::Output, Model) {
    let source = gdc_driver::Source { name: "m".to_owned(), text: text.to_owned(), folder: None };
    let mut before = Model::default();
    let mut observe = |_: &'static str, model: &Model| before = model.clone();
    let output = gdc_driver::compile_observed(&source, &gdc_driver::Options::default(), &mut observe);
    let output = output.unwrap_or_else(|failure| {
        let messages: Vec<&str> = failure.diagnostics.iter().map(|d| d.message.as_str()).collect();
        panic!("{text}\n{}", messages.join("\n"))
    });
    (output, before)
}

/// Bodies with `CHECKPOINT` around what is computed again, between `x: [6, 8]` and `y: [6, 8]`.
const BODIES: &[(&str, &str)] = &[
    ("one", "let h = CHECKPOINT(x |> dense(40) |> tanh |> dense(8) as low |> sigmoid);"),
    (
        "blocks",
        "let a = x |> dense(8); for i in 0..4 { a <- CHECKPOINT(a |> dense(40) as up |> gelu |> dense(8) as down |> tanh); } \
         let h = a;",
    ),
    (
        "residual",
        "let a = x |> dense(8); for i in 0..3 { a <- a + CHECKPOINT(a |> layer_norm |> dense(40) as up |> relu |> dense(8) as down); } \
         let h = a;",
    ),
    ("attention", "let h = CHECKPOINT(x |> multi_head_attention(2, causal = true));"),
    ("dropped", "let h = CHECKPOINT(x |> dense(20) |> tanh |> dropout(0.3) |> dense(8) as low |> tanh);"),
    ("recurrent", "let h = CHECKPOINT(x |> gru(12) |> dense(8));"),
    (
        "within a scan",
        "let h = scan (s = zeros([8])) over xt in x { \
             s <- CHECKPOINT((s + xt) |> dense(20) as up |> tanh |> dense(8) as down |> tanh); yield s; };",
    ),
    ("within each other", "let h = CHECKPOINT(CHECKPOINT(x |> dense(20) |> tanh) |> dense(8) as low |> tanh);"),
    (
        "two of one",
        "let s = x |> dense(8) |> tanh; let h = CHECKPOINT(s |> dense(9) |> tanh |> dense(8) as b) + CHECKPOINT(exp(s) * 0.1);",
    ),
    ("statistics", "let h = CHECKPOINT(x |> dense(8) |> batch_norm |> tanh);"),
    ("nothing inside", "let s = x |> dense(8); let h = CHECKPOINT(s);"),
];

fn source(body: &str, with: &str) -> String {
    format!(
        "model M {{ input x: [6, 8]; target y: [6, 8]; {} output out = h; loss mse(h, y); optimizer sgd(lr = 0.1); \
         train {{ batch = 3; }} }}",
        body.replace("CHECKPOINT", with)
    )
}

#[test]
fn the_gradients_are_the_same_to_the_bit() {
    for (name, body) in BODIES {
        let (again, before) = compile_both(&source(body, "checkpoint"));
        let plain = compile(&source(body, ""));
        let numbers = |seed: u64| support::compare::noise(seed, 3 * 48);
        let batch = || {
            let tensor = |seed| Tensor::real(&[3, 6, 8], numbers(seed)).expect("fits");
            Batch::of(3).with("x", tensor(1)).with("y", tensor(2))
        };
        let gradients = |model: &Model| {
            let mut session = Session::new(model, 5).expect("a session");
            let loss = session.step(&batch()).expect("a step");
            (loss, session.gradients(&batch()).expect("gradients"))
        };
        assert_eq!(gradients(&again.model), gradients(&before), "{name}");
        // Without the mark, statements may be fused across where it stands.
        for ((parameter, a), b) in gradients(&again.model).1.iter().zip(gradients(&plain.model).1.values()) {
            let close = a.to_vec().iter().zip(b.to_vec()).all(|(a, b)| (a - b).abs() <= 1e-13 * (1.0 + b.abs()));
            assert!(close, "{name}: {parameter} is {a:?}, not {b:?}");
        }
        let copies = again.model.graph.nodes().filter(|(_, n)| n.name.contains(".again")).count();
        assert_eq!(copies > 0, *name != "nothing inside", "{name}: {copies}");
        check_train(&again.model);
    }
}

/// What the backward pass reads of the forward pass, but for parameters and inputs, is what the
/// checkpoints are worth.
#[test]
fn the_backward_pass_reads_nothing_of_the_inside() {
    let body = BODIES.iter().find(|(name, _)| *name == "blocks").expect("there").1;
    let model = compile(&source(body, "checkpoint")).model;
    let forward = model.graph.reachable(model.loss.into_iter().chain(model.outputs.iter().map(|o| o.node)));
    let all = model.graph.reachable(model.roots());
    let inside = ["up", "down", "gelu", "tanh", "erf"];
    for id in all.into_iter().filter(|id| !forward.contains(id)) {
        for read in model.graph.inputs(id).into_iter().filter(|r| forward.contains(r)) {
            let node = model.graph.node(read);
            let computed = !matches!(node.kind, NodeKind::Leaf(_) | NodeKind::Literal(_)) && node.per_sample;
            assert!(
                !computed || !inside.iter().any(|p| node.name.contains(p)),
                "{} reads {}",
                model.graph.node(id).name,
                node.name
            );
        }
    }
}

/// The bytes of all temporaries of training.
fn workspace(text: &str) -> usize {
    let train = compile(text).programs.train;
    let temporary = |(id, b): &(BufferId, &Buffer)| b.role == BufferRole::Temp && train.place(*id) == *id;
    train.buffers().filter(temporary).map(|(_, b)| 4 * b.shape.iter().product::<usize>()).sum()
}

#[test]
fn memory_shrinks() {
    let deep = |with: &str| {
        format!(
            "model Deep {{ input x: [64]; target y: [64]; let a = x |> dense(64); \
             for i in 0..12 {{ a <- {with}(a |> dense(256) as up |> gelu |> dense(256) as middle |> gelu |> dense(64) as down); }} \
             loss mse(a, y); optimizer sgd(lr = 0.1); train {{ batch = 64; }} }}"
        )
    };
    let (plain, again) = (workspace(&deep("")), workspace(&deep("checkpoint")));
    println!("deep: {plain} bytes, {again} with checkpoints");
    assert!(again * 2 < plain, "{plain} and {again}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../specs/real/shakespeare.gd");
    let text = std::fs::read_to_string(path).expect("readable");
    let blocks = text.replace("gelu_tanh);", "gelu_tanh) |> checkpoint;");
    assert_ne!(blocks, text);
    let (plain, again) = (workspace(&text), workspace(&blocks));
    println!("a Transformer: {plain} bytes, {again} with checkpoints");
    assert!(again * 10 < plain * 8, "{plain} and {again}");
}
