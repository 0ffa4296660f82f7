//! Would anybody notice a wrong derivative? Each rule that differentiation follows is falsified
//! in turn (a wrong sign, a dropped term, a factor, swapped arguments, a swapped or shifted
//! index), and the comparison with finite differences must notice every one. Run with
//! `--nocapture` to see the list.

#![allow(clippy::expect_used, clippy::panic)] // what fails here fails the test

use gdc_core::build::Build;
use gdc_core::derivatives::{Places, Rules, partials};
use gdc_core::library::Library;
use gdc_core::{differentiate, fuse, lower};
use gdc_interp::{Batch, CheckOptions, Session, Tensor, gradient_check};
use gdc_ir::{ExprId, Exprs, Model, Op, Red};
use gdc_syntax::{Diagnostics, SourceMap, ast, parse};

/// The model with gradients by the rules given.
fn differentiated(rules: &Rules<'_>) -> Model {
    let text = include_str!("models/zoo.gd");
    let (mut sources, mut diagnostics) = (SourceMap::default(), Diagnostics::default());
    let file = sources.add("zoo.gd", text);
    let file = parse::parse_file(text, file, &mut diagnostics).expect("the zoo can be parsed");
    let model = file.items.iter().find_map(|i| match &i.kind {
        ast::ItemKind::Model(m) => Some(m.clone()),
        _ => None,
    });
    let mut library = Library::new(file.items);
    let model = model.expect("there is a model");
    let lowered = lower::lower(&model, &[], &mut library, &mut sources, &mut diagnostics);
    let mut graph = lowered.expect("the zoo can be lowered").take_model();
    fuse::fuse(&mut graph);
    differentiate::differentiate_by(rules, &mut graph);
    graph
}

/// The largest relative error of the gradients; infinite where there is none to compare.
fn error(model: &Model) -> f64 {
    if model.gradients.len() < model.params.len() || gdc_ir::verify::verify(model).is_err() {
        return f64::INFINITY;
    }
    let numbers = |n: usize, seed: usize| (0..n).map(|i| ((i * 37 + seed * 101) as f64 * 0.618).sin() * 1.3).collect();
    let mut session = Session::new(model, 5).expect("the zoo can be initialised");
    for (k, kept) in model.params.iter().enumerate() {
        let node = model.graph.node(kept.node);
        let old = session.get(&node.name).expect("a parameter has a value").to_vec();
        let moved: Vec<f64> = numbers(old.len(), k + 50);
        let moved = old.iter().zip(moved).map(|(a, b)| a + 0.2 * b).collect();
        session.set(&node.name, Tensor::real(&node.shape, moved).expect("it fits")).expect("it exists");
    }
    let x = Tensor::real(&[2, 3, 3], numbers(18, 1)).expect("it fits");
    match gradient_check(model, &session, &Batch::of(2).with("x", x), CheckOptions::default()) {
        Ok(report) if report.compared() > 0 && report.worst().is_finite() => report.worst(),
        _ => f64::INFINITY,
    }
}

/// The operators with a derivative, and how many arguments have one.
fn differentiable() -> Vec<(Op, usize)> {
    let mut model = differentiated(&Rules::TRUE);
    let x = &mut model.graph.exprs;
    let (a, b, c) = (x.real(0.3), x.real(0.7), x.bool(true));
    let mut found = Vec::new();
    for &op in Op::ALL {
        let args = if op == Op::Select { [c, a, b] } else { [a, b, b] };
        let table = partials(x, op, a, &args[..op.facts().arity]);
        found.extend(table.iter().enumerate().filter(|(_, p)| p.is_some()).map(|(i, _)| (op, i)));
    }
    found
}

/// A table with one entry changed; `None` drops it.
type Change<'c> = &'c dyn Fn(&mut Exprs, ExprId) -> Option<ExprId>;

#[test]
fn every_false_rule_is_noticed() {
    let honest = error(&differentiated(&Rules::TRUE));
    assert!(honest < 1e-7, "the true rules: {honest:e}");
    let mut survivors = Vec::new();
    let mut count = 0;
    let mut tried = |what: String, rules: &Rules<'_>| {
        let error = error(&differentiated(rules));
        let killed = error > 1e-5;
        println!("{} {what} (error {error:.1e})", if killed { "killed  " } else { "SURVIVED" });
        count += 1;
        if !killed {
            survivors.push(what);
        }
    };
    let changes: [(&str, Change<'_>); 3] = [
        ("a wrong sign", &|x, p| Some(x.neg(p))),
        ("a dropped term", &|_, _| None),
        ("a wrong factor", &|x, p| {
            let k = x.real(1.25);
            Some(x.mul(k, p))
        }),
    ];
    for (op, i) in differentiable() {
        for (name, change) in &changes {
            let table = |x: &mut Exprs, o: Op, y: ExprId, args: &[ExprId]| {
                let mut table = partials(x, o, y, args);
                if let Some(Some(partial)) = table.get(i).filter(|_| o == op).copied() {
                    table[i] = change(x, partial);
                }
                table
            };
            tried(format!("{}, argument {i}: {name}", op.facts().name), &Rules { partials: &table, ..Rules::TRUE });
        }
    }
    // Of a sum, both arguments have the same derivative.
    for op in [Op::Sub, Op::Mul, Op::Div, Op::Pow, Op::Min, Op::Max, Op::Select] {
        let table = |x: &mut Exprs, o: Op, y: ExprId, args: &[ExprId]| {
            let mut table = partials(x, o, y, args);
            let last = table.len() - 1;
            if o == op {
                table.swap(last - 1, last);
            }
            table
        };
        tried(format!("{}: swapped arguments", op.facts().name), &Rules { partials: &table, ..Rules::TRUE });
    }
    for red in [Red::Sum, Red::Lse, Red::Max, Red::Min, Red::Prod] {
        for (name, change) in &changes {
            let factor = |x: &mut Exprs, r: Red, f: ExprId| {
                let zero = x.real(0.0);
                if r == red { change(x, f).unwrap_or(zero) } else { f }
            };
            tried(format!("{}: {name}", red.name()), &Rules { factor: &factor, ..Rules::TRUE });
        }
    }
    let places: [(&str, &Places<'_>); 2] = [
        ("a swapped index", &|_, mut at| {
            let last = at.len();
            if last > 1 {
                at.swap(last - 2, last - 1);
            }
            at
        }),
        ("a shifted index", &|x, mut at| {
            let one = x.int(1);
            if let Some(last) = at.last_mut() {
                *last = x.add(*last, one);
            }
            at
        }),
    ];
    for (name, places) in places {
        tried(format!("reads: {name}"), &Rules { places, ..Rules::TRUE });
    }
    println!("{} of {count} mutants killed", count - survivors.len());
    assert!(survivors.is_empty(), "nobody noticed: {survivors:#?}");
}
