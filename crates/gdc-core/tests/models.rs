//! Whole models that use the language widely: each pass leaves a valid graph, and the
//! gradients agree with finite differences in f64, before and after simplification.

#![allow(clippy::expect_used, clippy::panic)] // what fails here fails the test

use gdc_core::compile_model;
use gdc_core::library::Library;
use gdc_interp::{Batch, CheckOptions, Session, Tensor, gradient_check};
use gdc_ir::{Model, Ty};
use gdc_syntax::{Diagnostics, SourceMap, ast, parse};

fn compile(name: &str, text: &str) -> Model {
    let (mut sources, mut diagnostics) = (SourceMap::default(), Diagnostics::default());
    let file = sources.add(name, text);
    let parsed = parse::parse_file(text, file, &mut diagnostics);
    let result = parsed.and_then(|file| {
        let found = file.items.iter().find_map(|i| match &i.kind {
            ast::ItemKind::Model(m) => Some(m.clone()),
            _ => None,
        });
        let mut library = Library::new(file.items);
        let model = found.expect("the source has a model");
        compile_model(&model, &[], &mut library, &mut sources, &mut diagnostics, &mut |pass, graph| {
            if let Err(violations) = gdc_ir::verify::verify(graph) {
                panic!("{name} after {pass}: {violations:#?}");
            }
        })
    });
    let messages: Vec<String> = diagnostics.as_slice().iter().map(|d| gdc_syntax::render::short(d, &sources)).collect();
    result.unwrap_or_else(|_| panic!("{name}: {messages:#?}"))
}

/// Numbers that are as good as random for this purpose.
fn numbers(count: usize, seed: usize) -> Vec<f64> {
    (0..count).map(|i| ((i * 37 + seed * 101) as f64 * 0.618).sin() * 1.3).collect()
}

fn batch(model: &Model, samples: usize) -> Batch {
    let mut batch = Batch::of(samples);
    for (k, &id) in model.inputs.iter().chain(&model.targets).enumerate() {
        let node = model.graph.node(id);
        let mut shape = node.shape.clone();
        shape[0] = samples;
        let count = shape.iter().product();
        let value = match (node.ty, node.range) {
            (Ty::Int, Some((low, high))) => {
                let values = (0..count as i64).map(|i| low + (i * 7 + 3) % (high - low)).collect();
                Tensor::int(&shape, values)
            }
            _ => Tensor::real(&shape, numbers(count, k)),
        };
        batch = batch.with(node.name.clone(), value.expect("the values fit the shape"));
    }
    batch
}

/// Moves every parameter away from its initial value, so that biases and gains count.
fn disturb(session: &mut Session<'_>, model: &Model) {
    for (k, kept) in model.params.iter().enumerate() {
        let node = model.graph.node(kept.node);
        let old = session.get(&node.name).expect("every parameter has a value").to_vec();
        let moved = old.iter().zip(numbers(old.len(), k + 50)).map(|(a, b)| a + 0.2 * b).collect();
        let value = Tensor::real(&node.shape, moved).expect("the values fit the shape");
        session.set(&node.name, value).expect("the parameter exists");
    }
}

fn check(name: &str, text: &str) {
    let model = compile(name, text);
    for samples in [model.settings.batch.unwrap_or(1), 1] {
        let mut session = Session::new(&model, 5).expect("the model can be initialised");
        disturb(&mut session, &model);
        let batch = batch(&model, samples);
        let report = gradient_check(&model, &session, &batch, CheckOptions::default()).expect("the model can be run");
        assert!(report.compared() > report.kinks() * 10, "{name}: too many kinks\n{report}");
        assert!(report.worst() < 1e-7, "{name}:\n{report}");
        for _ in 0..3 {
            let loss = session.step(&batch).expect("a step can be taken");
            assert!(loss.is_finite(), "{name}: the loss is {loss}");
        }
    }
}

macro_rules! models {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            check(stringify!($name), include_str!(concat!("models/", stringify!($name), ".gd")));
        }
    )*};
}

models! {
    attention checkpointed composed contrastive convolution curvature delays equal_scans lists memory mixture nested_scans normalised norms oscillator pooling recurrent residual
    sensitivity stated stated_tensors updates
}

/// What `grad` of `grad` says is how the gradient changes along the vector.
#[test]
fn products_with_the_hessian_are_differences_of_gradients() {
    let model = compile("curvature", include_str!("models/curvature.gd"));
    let session = Session::new(&model, 5).expect("the model can be initialised");
    let (x, v) = (numbers(3, 1), numbers(3, 2));
    let at = |far: f64| {
        let moved = x.iter().zip(&v).map(|(x, v)| x + far * v).collect();
        let tensor = |values| Tensor::real(&[1, 3], values).expect("the values fit the shape");
        let batch = Batch::of(1).with("x", tensor(moved)).with("v", tensor(v.clone()));
        session.predict(&batch).expect("the model can be run")
    };
    let (far, near) = (1e-5, at(0.0));
    let (ahead, behind) = (at(far), at(-far));
    let ends = ahead["gradient"].to_vec().into_iter().zip(behind["gradient"].to_vec());
    for (product, (a, b)) in near["product"].to_vec().into_iter().zip(ends) {
        let difference = (a - b) / (2.0 * far);
        assert!(product.abs() > 1e-3 && (product - difference).abs() < 1e-8, "{product} and {difference}");
    }
}

#[test]
fn the_straight_through_estimator_passes_the_gradient_of_a_linear_layer() {
    let model = compile("quantised", include_str!("models/quantised.gd"));
    let session = Session::new(&model, 5).expect("the model can be initialised");
    let batch = batch(&model, 2);
    let gradients = session.gradients(&batch).expect("the model can be run");
    let w = gradients["w"].to_vec();
    assert!(w.iter().all(|g| g.is_finite() && g.abs() > 1e-6), "{w:?}");
}

#[test]
fn a_partial_batch_is_a_batch_of_its_own_size() {
    let text = include_str!("models/contrastive.gd");
    let (large, small) =
        (compile("contrastive", text), compile("contrastive", &text.replace("batch = 6", "batch = 4")));
    let mut values = Vec::new();
    for model in [&large, &small] {
        let session = Session::new(model, 5).expect("the model can be initialised");
        let batch = batch(model, 4);
        let gradients = session.gradients(&batch).expect("the model can be run");
        values.push((session.loss(&batch).expect("the model can be run"), gradients));
    }
    assert!((values[0].0 - values[1].0).abs() < 1e-12, "{} and {}", values[0].0, values[1].0);
    for (name, gradient) in &values[0].1 {
        let same = gradient.to_vec().iter().zip(values[1].1[name].to_vec()).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(same, "{name}");
    }
}

/// Gradients where a branch that is not taken holds what is infinite or has an infinite slope, in
/// the branch itself, in a sum, and in statements that only the branch needs.
#[test]
fn branches_that_are_not_taken_contribute_nothing() {
    for inside in [
        "sqrt(w[0])",
        "sum(sqrt(w))",
        "sum[i](x[i] * sqrt(w[i] * x[i]))",
        "sum(x / w)",
        "sum(log(w))",
        "sum(w^0.5) + sum(exp(2000 * (1 - w)))",
        "rootsum",
        "sum(far)",
        "prod(far)",
        "lse(log(w))",
    ] {
        let text = format!(
            "model M {{ input flag: []; input x: [3]; param w: [3] = 0.0;
               let root[i] = sqrt(w[i] * x[i]); let rootsum = sum(root);
               let halves[i] = x[i] / w[i]; let far = halves * 2;
               loss if flag > 0 {{ {inside} }} else {{ sum(w * x) }};
               optimizer sgd(lr = 0.1); train {{ batch = 2; }} }}"
        );
        let model = compile(inside, &text);
        let mut session = Session::new(&model, 5).expect("the model can be initialised");
        let x = Tensor::real(&[2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).expect("it fits");
        let flag = |v: f64| Tensor::real(&[2], vec![v, v]).expect("it fits");
        let gradients = session.gradients(&Batch::of(2).with("x", x.clone()).with("flag", flag(0.0)));
        let gradients = gradients.expect("the model can be run")["w"].to_vec();
        assert_eq!(gradients, [2.5, 3.5, 4.5], "{inside}");
        // The branch that is taken has its own derivative.
        session.set("w", Tensor::real(&[3], vec![0.9, 1.1, 1.3]).expect("it fits")).expect("it exists");
        let batch = Batch::of(2).with("x", x).with("flag", flag(1.0));
        let report = gradient_check(&model, &session, &batch, CheckOptions::default()).expect("it can be run");
        assert!(report.worst() < 1e-6 && report.compared() > 0, "{inside}: {report}");
    }
}

/// The weights of the samples add up to 1 over the batch, and over the axis that `across` makes.
#[test]
fn means_over_samples_weigh_one() {
    check(
        "across",
        "model M { input x: [2]; param w = 0.7; let a = across(x[0]); loss (mean[i](a[i] - w))^2 + sum(x) * w;
           loss sum[j](mean[i](x[j] * w - 2 * w * a[i] - w)); optimizer sgd(lr = 0.01); train { batch = 4; } }",
    );
}

/// What is stated is what is used, also where it is not the derivative, and whatever the function
/// is mapped over.
#[test]
fn a_stated_derivative_of_a_tensor_replaces_the_true_one() {
    let text = "model M { input x: [2, 3]; param w: [3] = 0.4; param m: [2, 3] = 0.1;
         loss sum(rounded(m + w)) + sum(rounded(x * w));
         optimizer sgd(lr = 0.1); train { batch = 2; } }
         fn rounded(x: [n]) -> [n] { derivative(dy) = { let d[i in 0..n] = 2 * dy[n - 1 - i]; d }; round(x) }";
    let model = compile("rounded", text);
    let session = Session::new(&model, 5).expect("the model can be initialised");
    let x = Tensor::real(&[2, 2, 3], (1..=12).map(f64::from).collect()).expect("it fits");
    let gradients = session.gradients(&Batch::of(2).with("x", x)).expect("the model can be run");
    assert_eq!(gradients["m"].to_vec(), [2.0; 6]);
    // Twice 2 for `m + w`; twice the sum over both rows of the mean of x over the samples.
    assert_eq!(gradients["w"].to_vec(), [4.0 + 22.0, 4.0 + 26.0, 4.0 + 30.0]);
}

/// The two calls of the layer carry one pair of tensors, and of the other scans three differ.
#[test]
fn equal_scans_are_computed_once() {
    let model = compile("equal_scans", include_str!("models/equal_scans.gd"));
    let forward = |n: &gdc_ir::Node| matches!(n.kind, gdc_ir::NodeKind::Recurrence { reverse: false, .. });
    let names: Vec<&str> = model.graph.nodes().filter(|(_, n)| forward(n)).map(|(_, n)| n.name.as_str()).collect();
    assert_eq!(names, ["cell.h.before", "cell.c.before", "c.s.before", "f.s.before", "g.s.before"]);
}

/// Written out by hand, the steps of a scan inside of another are the same numbers.
#[test]
fn nested_scans_take_their_steps_in_order() {
    let inner = [
        "let g = scan (g = h) over d in x { g <- 0.5 * g * g + d * e; };",
        "let g = h; for i in 0..4 { g <- 0.5 * g * g + x[i] * e; }",
    ];
    let losses = inner.map(|inner| {
        let text = format!(
            "model M {{ input x: [4]; param w = 0.3;
               let a = scan (h = w) over e in x {{ {inner} h <- g; }};
               loss (a - 1)^2; optimizer sgd(lr = 0.01); train {{ batch = 2; }} }}"
        );
        let model = compile("nested", &text);
        let session = Session::new(&model, 5).expect("the model can be initialised");
        let batch = batch(&model, 2);
        let gradient = session.gradients(&batch).expect("the model can be run")["w"].to_vec();
        (session.loss(&batch).expect("the model can be run"), gradient)
    });
    assert!((losses[0].0 - losses[1].0).abs() < 1e-12, "{losses:?}");
    assert!((losses[0].1[0] - losses[1].1[0]).abs() < 1e-12 && losses[0].1[0].abs() > 1e-6, "{losses:?}");
}
