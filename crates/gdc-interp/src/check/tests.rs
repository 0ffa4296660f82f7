//! The check passes what is right, and finds what is wrong.

use super::*;
use crate::testing::{Build, cross_entropy, dense, quadratic};
use gdc_ir::{Kept, Leaf, Op, Red, Update};

fn check(model: &Model, batch: &Batch) -> Report {
    let session = Session::new(model, 0).unwrap();
    gradient_check(model, &session, batch, CheckOptions::default()).unwrap()
}

fn samples() -> Batch {
    let x = vec![1.0, 2.0, -1.0, 0.5, 0.0, 1.0, -2.0, 1.0, 1.0];
    let y = vec![1.0, 0.0, 0.5, 0.5, -1.0, 2.0];
    Batch::of(3).with("x", Tensor::real(&[3, 3], x).unwrap()).with("y", Tensor::real(&[3, 2], y).unwrap())
}

/// A model of parameters alone: a loss and gradients that `build` makes of them.
fn of_params(init: &[f64], build: impl FnOnce(&mut Build, NodeId) -> (NodeId, NodeId)) -> Model {
    let mut b = Build::default();
    let p = b.leaf("p", Leaf::Param, &[init.len()]);
    let init = b.literal("p.init", init);
    let (loss, gradient) = build(&mut b, p);
    Model {
        graph: b.g,
        params: vec![Kept { node: p, init }],
        loss: Some(loss),
        gradients: vec![Update { target: p, value: gradient }],
        ..Model::default()
    }
}

#[test]
fn right_gradients_pass() {
    let report = check(&quadratic(), &Batch::none());
    assert!(report.worst() < 1e-10, "{report}");
    let report = check(&dense(), &samples());
    assert!(report.worst() < 1e-9 && report.kinks() == 0, "{report}");
    assert_eq!(report.compared(), 8);
    let labels = Batch::of(2).with("label", Tensor::int(&[2], vec![2, 0]).unwrap());
    let report = check(&cross_entropy(), &labels);
    assert!(report.worst() < 1e-9, "{report}");
}

#[test]
fn a_wrong_gradient_is_found() {
    let mut model = dense();
    let gradient = model.gradients[1].value;
    let mut b = Build { g: model.graph };
    let j = b.var("j", 2);
    let (read, factor) = (b.read(gradient, &[j]), b.real(1.01));
    let body = b.op(Op::Mul, &[read, factor]);
    model.gradients[1].value = b.map("wrong", &[j], body);
    model.graph = b.g;
    let report = check(&model, &samples());
    let c = &report.params[1];
    assert!(c.worst > 0.009 && c.worst < 0.011, "{report}");
    assert!(report.params[0].worst < 1e-9);
    assert!(report.to_string().contains("c: 2 of 2 compared, largest relative error 9.9e-3 at"), "{report}");
}

#[test]
fn kinks_are_reported_and_not_compared() {
    // sum of |p| at 0, near 0 and far from it
    let model = of_params(&[0.0, 3e-4, -1.0], |b, p| {
        let i = b.var("i", 3);
        let read = b.read(p, &[i]);
        let abs = b.op(Op::Abs, &[read]);
        let loss = b.reduce("loss", &[], Red::Sum, &[i], abs);
        let sign = b.op(Op::Sign, &[read]);
        (loss, b.map("dp", &[i], sign))
    });
    let report = check(&model, &Batch::none());
    assert_eq!(report.params[0].kinks, [0]);
    assert_eq!(report.params[0].compared, 2);
    assert!(report.worst() < 1e-9, "{report}");
}

#[test]
fn kinks_at_any_place_between_the_widths_are_seen() {
    for k in 1..40 {
        let at = k as f64 * 1e-4 / 4.0;
        let model = of_params(&[at], |b, p| {
            let i = b.var("i", 1);
            let (read, zero) = (b.read(p, &[i]), b.real(0.0));
            let relu = b.op(Op::Max, &[read, zero]);
            let square = b.op(Op::Mul, &[read, read]);
            let body = b.op(Op::Add, &[relu, square]);
            let loss = b.reduce("loss", &[], Red::Sum, &[i], body);
            let (two, one) = (b.real(2.0), b.real(1.0));
            let slope = b.op(Op::Mul, &[two, read]);
            let slope = b.op(Op::Add, &[slope, one]);
            (loss, b.map("dp", &[i], slope))
        });
        let report = check(&model, &Batch::none());
        assert!(report.worst() < 1e-7 && report.kinks() == 0, "{at}: {report}");
    }
}

#[test]
fn what_is_detached_is_held_fixed() {
    // p * detach(p^2), through a node: the derivative is p^2
    let model = of_params(&[1.5], |b, p| {
        let i = b.var("i", 1);
        let read = b.read(p, &[i]);
        let square = b.op(Op::Mul, &[read, read]);
        let square = b.map("square", &[i], square);
        let rs = b.read(square, &[i]);
        let fixed = b.op(Op::Detach, &[rs]);
        let body = b.op(Op::Mul, &[read, fixed]);
        let loss = b.reduce("loss", &[], Red::Sum, &[i], body);
        (loss, b.map("dp", &[i], rs))
    });
    let report = check(&model, &Batch::none());
    assert!(report.worst() < 1e-10, "{report}");
}

#[test]
fn large_parameters_are_sampled() {
    let model = of_params(&[0.5; 300], |b, p| {
        let i = b.var("i", 300);
        let read = b.read(p, &[i]);
        let sin = b.op(Op::Sin, &[read]);
        let loss = b.reduce("loss", &[], Red::Sum, &[i], sin);
        let cos = b.op(Op::Cos, &[read]);
        (loss, b.map("dp", &[i], cos))
    });
    let report = check(&model, &Batch::none());
    assert_eq!((report.params[0].elements, report.compared()), (300, 64));
    assert!(report.worst() < 1e-9, "{report}");
    assert_eq!(choose(300, 3, 1).len(), 3);
    assert_ne!(choose(300, 3, 1), choose(300, 3, 2));
}

#[test]
fn a_gradient_that_is_no_number_is_infinitely_wrong() {
    let model = of_params(&[0.0], |b, p| {
        let i = b.var("i", 1);
        let read = b.read(p, &[i]);
        let square = b.op(Op::Mul, &[read, read]);
        let loss = b.reduce("loss", &[], Red::Sum, &[i], square);
        let nan = b.op(Op::Div, &[read, read]);
        (loss, b.map("dp", &[i], nan))
    });
    assert_eq!(check(&model, &Batch::none()).worst(), f64::INFINITY);
}
