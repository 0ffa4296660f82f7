//! Functions of the library against PyTorch, values and derivatives: by generated code in single
//! precision, and by the interpreter of the same models in double precision.
//!
//! The functions stand in a few models of `cases/functions`. The loss of one sample is the
//! function that the input `which` names, and the gradient of its own parameter, which is zero,
//! is its derivative. (Each function by itself is held to the same values in `gdc-core`.)

use gdc_interp::Session;
use gdc_ir::Model;
use gdc_tests::compare::Worst;
use gdc_tests::data::Data;
use gdc_tests::systems::{System, functions};
use gdc_tests::{fixtures, spec};
use serde_json::Value;

/// One sample, and what a function makes of it.
struct Case {
    /// The function, as in the fixtures.
    name: String,
    /// Inputs and targets by their names in the models.
    columns: Vec<(&'static str, Vec<f64>)>,
    value: f64,
    /// None where the fixtures have no derivative.
    gradient: Option<Vec<f64>>,
}

/// All cases of the fixtures.
fn expected() -> Vec<Case> {
    let all = fixtures::json("functions.json");
    let mut cases = Vec::new();
    activations(&all, &mut cases);
    normalisers(&all["normalisers"], &mut cases);
    for part in ["losses", "more_losses"] {
        losses(&all[part], &mut cases);
    }
    cases
}

fn activations(all: &Value, cases: &mut Vec<Case>) {
    let points = fixtures::numbers(&all["activations"]["points"]);
    let names = all["activations"].as_object().unwrap().iter().filter(|(name, _)| *name != "points");
    let named = names.map(|(name, function)| (name.clone(), function));
    let variants = all["variants"].as_array().unwrap().iter();
    let variants = variants.map(|function| (format!("{}_variant", function["name"].as_str().unwrap()), function));
    for (name, function) in named.chain(variants) {
        let (values, gradients) = (fixtures::numbers(&function["value"]), fixtures::numbers(&function["gradient"]));
        for ((x, value), gradient) in points.iter().zip(values).zip(gradients) {
            let columns = vec![("x", vec![*x])];
            cases.push(Case { name: name.clone(), columns, value, gradient: Some(vec![gradient]) });
        }
    }
}

/// The sum of the values weighed with the cotangent; and each value alone.
fn normalisers(part: &Value, cases: &mut Vec<Case>) {
    let cotangent = fixtures::numbers(&part["cotangent"]);
    for (name, list) in part.as_object().unwrap().iter().filter(|(name, _)| *name != "cotangent") {
        for case in list.as_array().unwrap() {
            let (z, values) = (fixtures::numbers(&case["z"]), fixtures::numbers(&case["value"]));
            let value = values.iter().zip(&cotangent).map(|(v, c)| v * c).sum();
            let gradient = Some(fixtures::numbers(&case["gradient"]));
            let columns = vec![("a", z.clone()), ("b", cotangent.clone())];
            cases.push(Case { name: name.clone(), columns, value, gradient });
            for (i, &value) in values.iter().enumerate() {
                let mut one = vec![0.0; values.len()];
                one[i] = 1.0;
                let columns = vec![("a", z.clone()), ("b", one)];
                cases.push(Case { name: name.clone(), columns, value, gradient: None });
            }
        }
    }
}

fn losses(part: &Value, cases: &mut Vec<Case>) {
    for (name, function) in part.as_object().unwrap() {
        for case in function["cases"].as_array().unwrap() {
            let arguments = case.as_object().unwrap();
            let by = function["by"].as_str();
            let by = by.or_else(|| ["y_hat", "logits", "p"].into_iter().find(|a| arguments.contains_key(*a)));
            let column = |argument: &str| match argument {
                "value" | "gradient" => None,
                "label" => Some("label"),
                _ => Some(if by == Some(argument) { "a" } else { "b" }),
            };
            let columns = arguments.iter().filter_map(|(k, v)| Some((column(k)?, fixtures::numbers(v))));
            cases.push(Case {
                name: name.clone(),
                columns: columns.collect(),
                value: fixtures::numbers(&case["value"])[0],
                gradient: Some(fixtures::numbers(&case["gradient"])),
            });
        }
    }
}

/// A model of several functions.
struct Group {
    system: System,
    model: Model,
    /// Its parameters, one for each function.
    params: Vec<String>,
}

impl Group {
    fn all() -> Vec<Group> {
        let group = |system: System| {
            let model = spec::compile(&spec::text(&system.path)).model;
            let params = model.params.iter().map(|p| model.graph.node(p.node).name.clone()).collect();
            Group { system, model, params }
        };
        functions().into_iter().map(group).collect()
    }

    /// The sample, if the function is one of the group's.
    fn data(&self, case: &Case) -> Option<Data> {
        let which = self.params.iter().position(|p| p.strip_prefix("d_") == Some(case.name.as_str()))?;
        let mut data = Data { samples: 1, ..Data::default() };
        data.columns.extend(case.columns.iter().map(|(name, values)| ((*name).to_owned(), values.clone())));
        data.columns.insert("which".to_owned(), vec![which as f64]);
        Some(data)
    }
}

/// Errors are relative to the right number, but for numbers below this size to this size.
fn floor(case: &Case, what: &str) -> f64 {
    let inputs = case.columns.iter().flat_map(|(_, values)| values);
    let largest = inputs.fold(1.0, |a: f64, b| a.max(b.abs()));
    match (case.name.as_str(), what) {
        // The derivative is made of the value, as y (1 - y) or 1 - y^2 or y + 1, and loses there
        // what the value had far from 0. So it does in PyTorch.
        ("elu" | "elu_variant" | "celu" | "celu_variant" | "selu" | "sigmoid" | "tanh" | "softsign", "gradient") => 1.0,
        // (1 + erf) and (1 + tanh) cancel far below 0.
        ("gelu" | "gelu_tanh", _) => 1.0,
        // 1 - p cancels in PyTorch's own.
        ("binary_focal", _) => 1.0,
        // 1 - p cancels.
        ("binary_cross_entropy_of", "value") => 1.0,
        // 1 - the cosine cancels.
        ("cosine_distance", _) => 1.0,
        // p - q are differences of logarithms, each as good as its last place; times a logit.
        ("kl_divergence_logits" | "kl_divergence_logits_by_p", _) => largest * largest,
        // Sums of terms of either sign, such as p - 1; however large the logits are.
        (name, _) if LOGITS.contains(&name) => 1.0,
        // Below are numbers that single precision holds with fewer digits, or not at all.
        _ => 1e-30,
    }
}

/// Functions of logits that subtract them from their lse.
const LOGITS: &[&str] = &[
    "softmax",
    "log_softmax",
    "cross_entropy",
    "cross_entropy_smoothed",
    "weighted_cross_entropy",
    "weighted_cross_entropy_smoothed",
    "focal",
    "focal_half",
    "binary_cross_entropy",
];

fn see(worst: &mut Worst, what: &str, case: &Case, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (f, e) in found.iter().zip(expected) {
        let error = if f == e { 0.0 } else { (f - e).abs() / e.abs().max(floor(case, what)) };
        worst.see(error, || format!("the {what} at {:?} is {f:e} and not {e:e}", case.columns));
    }
}

/// Runs every case and fails if a value or derivative is further off than the limit.
fn hold(limit: f64, mut run: impl FnMut(&Group, &Data, &str) -> (f64, Vec<f64>)) {
    let groups = Group::all();
    let cases = expected();
    let mut wrong = Vec::new();
    for same in cases.chunk_by(|a, b| a.name == b.name) {
        let name = same[0].name.as_str();
        let (mut values, mut gradients) = (Worst::default(), Worst::default());
        for case in same {
            let found = groups.iter().find_map(|g| Some((g, g.data(case)?)));
            let (group, data) = found.unwrap_or_else(|| panic!("{name} is missing in tests/cases/functions"));
            let (value, gradient) = run(group, &data, &format!("d_{name}"));
            see(&mut values, "value", case, &[value], &[case.value]);
            if let Some(expected) = &case.gradient {
                see(&mut gradients, "gradient", case, &gradient, expected);
            }
        }
        for worst in [values, gradients] {
            println!("{name:32} {worst}");
            if worst.error > limit {
                wrong.push(format!("{name}: {worst}"));
            }
        }
    }
    assert!(wrong.is_empty(), "above {limit:e}:\n{}", wrong.join("\n"));
}

#[test]
fn the_interpreter_computes_every_function() {
    hold(1e-10, |group, data, param| {
        let session = Session::new(&group.model, 0).unwrap();
        let batch = data.batch(&group.model, 0..1);
        let gradients = spec::tensors(&session.gradients(&batch).unwrap());
        (session.loss(&batch).unwrap(), gradients.values(param).to_vec())
    });
}

#[test]
fn generated_code_computes_every_function() {
    hold(1e-6, |group, data, param| {
        let mut trainer = group.system.from_spec();
        trainer.load(&data.flat(&group.model), 0..1).unwrap();
        (trainer.loss(1), trainer.gradients(1).values(param).to_vec())
    });
}

#[test]
fn nan_is_not_hidden() {
    let mut cases = expected();
    cases.retain(|case| case.columns.iter().any(|(column, _)| *column == "x"));
    cases.dedup_by(|a, b| a.name == b.name);
    assert!(cases.len() > 20, "there are activations");
    for mut case in cases {
        case.columns = vec![("x", vec![f64::NAN])];
        for group in Group::all() {
            let Some(data) = group.data(&case) else { continue };
            let session = Session::new(&group.model, 0).unwrap();
            let exact = session.loss(&data.batch(&group.model, 0..1)).unwrap();
            let mut trainer = group.system.from_spec();
            trainer.load(&data.flat(&group.model), 0..1).unwrap();
            let generated = trainer.loss(1);
            assert!(exact.is_nan() && generated.is_nan(), "{}: {exact} and {generated}", case.name);
        }
    }
}

#[test]
fn what_is_finite_is_finite_in_single_precision() {
    let mut cases = expected();
    cases.retain(|case| case.columns.iter().any(|(column, _)| *column == "x"));
    cases.dedup_by(|a, b| a.name == b.name);
    assert!(cases.len() > 20, "there are activations");
    // Every third power of two that single precision has, of both signs; but for the largest
    // number, whose double it does not have (gelu is z (1 + erf) / 2).
    let sizes = (-149..127).step_by(3).map(|k| 2f64.powi(k));
    let points: Vec<f64> = sizes.flat_map(|x| [x, -x]).collect();
    let groups = Group::all();
    let mut wrong = Vec::new();
    for mut case in cases {
        let param = format!("d_{}", case.name);
        for &x in &points {
            case.columns = vec![("x", vec![x])];
            let Some((group, data)) = groups.iter().find_map(|g| Some((g, g.data(&case)?))) else { continue };
            let session = Session::new(&group.model, 0).unwrap();
            let batch = data.batch(&group.model, 0..1);
            let exact = spec::tensors(&session.gradients(&batch).unwrap()).values(&param)[0];
            let mut trainer = group.system.from_spec();
            trainer.load(&data.flat(&group.model), 0..1).unwrap();
            let found = trainer.gradients(1).values(&param)[0];
            for (what, exact, found) in
                [("value", session.loss(&batch).unwrap(), trainer.loss(1)), ("derivative", exact, found)]
            {
                let far = (exact - found).abs() > 1e-6 * exact.abs().max(1.0);
                if exact.abs() < f64::from(f32::MAX) && (far || !found.is_finite()) {
                    wrong.push(format!("{}: the {what} at {x:e} is {found:e} and not {exact:e}", case.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong numbers:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn batches_of_any_size_agree_with_the_interpreter() {
    let mut cases = expected();
    // What is large is for the tests above; here it would hide what is small.
    cases.retain(|case| case.columns.iter().all(|(_, values)| values.iter().all(|v| v.abs() <= 10.0)));
    for group in Group::all() {
        let all: Vec<Data> = cases.iter().filter_map(|case| group.data(case)).collect();
        let mut trainer = group.system.from_spec();
        let session = Session::new(&group.model, 0).unwrap();
        let mut worst = Worst { floor: 1.0, ..Worst::default() };
        for (run, size) in [1, 2, 3, 7, 8, 9, 15, 16, 17, 24, 31, 32].into_iter().enumerate() {
            // Neighbours are of one function: samples from all over make a batch. A function that
            // is not chosen may be outside of its domain, which both then say.
            let mut data = Data::default();
            (0..size).for_each(|i| data.append(&all[(run * 101 + i * 37) % all.len()]));
            let batch = data.batch(&group.model, 0..size);
            trainer.load(&data.flat(&group.model), 0..size).unwrap();
            worst.see_all("loss", &[trainer.loss(size)], &[session.loss(&batch).unwrap()]);
            let gradients = spec::tensors(&session.gradients(&batch).unwrap());
            worst.see_tensors(&trainer.gradients(size), &gradients);
        }
        println!("{:20} {worst}", group.system.name());
        assert!(worst.error < 1e-6, "{}: {worst}", group.system.name());
    }
}
