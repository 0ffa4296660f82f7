//! Derivatives as a person would write them down: the statements of small models after all
//! passes, read by people before they were frozen. `INSTA_UPDATE=always cargo test -p gdc-core
//! --test textbook` writes them anew.

#![allow(clippy::expect_used, clippy::panic)] // a test that fails says so by panicking

use gdc_core::compile_model;
use gdc_core::library::Library;
use gdc_ir::{NodeKind, text};
use gdc_syntax::{Diagnostics, SourceMap, ast, parse};

/// The equations of a model, without initial values and with nothing of where they came from.
fn equations(body: &str) -> String {
    let source = format!("model M {{ {body} train {{ batch = 8; }} }}");
    let (mut sources, mut diagnostics) = (SourceMap::default(), Diagnostics::default());
    let file = sources.add("textbook.gd", source.as_str());
    let file = parse::parse_file(&source, file, &mut diagnostics).expect("the spec can be parsed");
    let model = file.items.iter().find_map(|i| match &i.kind {
        ast::ItemKind::Model(m) => Some(m.clone()),
        _ => None,
    });
    let mut library = Library::new(file.items);
    let model = model.expect("there is a model");
    let model = compile_model(&model, &[], &mut library, &mut sources, &mut diagnostics, &mut |_, _| {});
    let model = model.unwrap_or_else(|_| panic!("{:#?}", diagnostics.as_slice()));
    assert!(gdc_ir::verify::verify(&model).is_ok());
    let initial: Vec<_> = model.params.iter().chain(&model.states).map(|k| k.init).collect();
    let needed = model.graph.reachable(model.roots());
    assert_eq!(needed.len(), model.graph.len(), "no node is dead");
    let computed = needed.into_iter().filter(|id| !initial.contains(id)).filter(|&id| {
        let kind = &model.graph.node(id).kind;
        !matches!(kind, NodeKind::Leaf(_) | NodeKind::Literal(_))
    });
    let lines: Vec<String> = computed.map(|id| text::equation(&model.graph, id)).collect();
    for line in &lines {
        for idle in [" * 1)", " * 1 ", " + 0)", " + 0 ", "(1 * ", "(0 + "] {
            assert!(!line.contains(idle), "{line}");
        }
    }
    lines.join("\n")
}

macro_rules! textbook {
    ($($name:ident: $body:literal;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(equations($body));
        }
    )*};
}

textbook! {
    a_quadratic_is_one_multiply_add: "param x = 1.0; loss (x - 3)^2; optimizer sgd(lr = 0.1);";
    softmax_with_cross_entropy: "input x: [5]; target label: in 0..3; let z = dense(x, 3); output p = softmax(z);
        loss cross_entropy(z, label); metric a = accuracy(z, label); optimizer sgd(lr = 0.1);";
    cross_entropy_alone: "input x: [5]; target label: in 0..3; let z = dense(x, 3); output z2 = z;
        loss cross_entropy(z, label); optimizer sgd(lr = 0.1);";
    sigmoid_with_binary_cross_entropy: "input x: [5]; target y: [1]; let z = dense(x, 1); output p = sigmoid(z);
        loss mean(binary_cross_entropy(y, z)); optimizer sgd(lr = 0.1);";
    probabilities_with_binary_cross_entropy: "input x: [5]; target y: [1]; let p = x |> dense(1) |> sigmoid;
        output q = p; loss mean(binary_cross_entropy_of(p, y)); optimizer sgd(lr = 0.1);";
    activations_from_their_results: "input x: [5]; target y: [4]; let r = x |> dense(6) |> relu;
        let t = r |> dense(5) |> tanh; let s = t |> dense(4) |> sigmoid; let l = s |> dense(4) |> leaky_relu;
        let c = l |> dense(4) |> relu6; loss half_mse(c, y); optimizer sgd(lr = 0.1);";
    layer_normalisation: "input x: [5]; target y: [4]; let h = x |> dense(4) |> layer_norm; loss half_mse(h, y);
        optimizer sgd(lr = 0.1);";
    batch_normalisation: "input x: [5]; target y: [4]; let h = x |> dense(4) |> batch_norm; loss half_mse(h, y);
        optimizer sgd(lr = 0.1);";
    attention: "input x: [6, 4]; target y: [6, 4]; let h = x |> attention(2); loss half_mse(h, y);
        optimizer sgd(lr = 0.1);";
    huber_and_absolute_errors: "input x: [5]; target y: [2]; let z = dense(x, 2); loss huber(z, y); loss mae(z, y);
        optimizer sgd(lr = 0.1);";
    adam_with_weight_decay: "input x: [5]; target y: [2]; let z = dense(x, 2, bias = false); loss mse(z, y);
        optimizer adamw(lr = cosine(0.1, steps = 100));";
    a_penalty_is_not_summed_over_samples: "input x: [5]; target y: [2]; let z = dense(x, 2, bias = false);
        loss mse(z, y) + l2_penalty(z.dense.w, 0.01); optimizer momentum(lr = 0.1);";
}
