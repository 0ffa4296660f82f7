//! The gradients of every spec against differences of its loss, in double precision, at random
//! parameters and data.

use gdc_interp::{Batch, CheckOptions, Session, Tensor, gradient_check, uniform};
use gdc_ir::{Model, NodeId, Precision, Ty};
use gdc_tests::spec;
use gdc_tests::systems::specs;

/// Numbers in -1..1 that are the same each time.
fn noise(seed: u64, count: usize) -> Vec<f64> {
    (0..count as u64).map(|i| 2.0 * uniform(Precision::F64, seed, 0, i) - 1.0).collect()
}

/// Random values of a leaf of a model: labels within their range, real numbers of size 1.
fn values(model: &Model, id: NodeId) -> Tensor {
    let node = model.graph.node(id);
    let noise = noise(u64::from(id.0), node.len());
    match (node.ty, node.range) {
        (Ty::Int, Some((low, high))) => {
            let place = |x: &f64| low + ((x + 1.0) / 2.0 * (high - low) as f64) as i64;
            Tensor::int(&node.shape, noise.iter().map(place).collect()).unwrap()
        }
        _ => Tensor::real(&node.shape, noise.iter().map(|x| 2.0 * x).collect()).unwrap(),
    }
}

#[test]
fn gradients_are_differences() {
    for system in specs() {
        // A few samples show as much as many, and sooner.
        let text = spec::text(&system.path).replace("batch = 32", "batch = 5");
        let model = spec::compile(&text).model;
        let mut session = Session::new(&model, 0).unwrap();
        for param in &model.params {
            session.set(&model.graph.node(param.node).name, values(&model, param.node)).unwrap();
        }
        let mut batch = Batch::of(model.settings.batch.unwrap_or(0));
        for &id in model.inputs.iter().chain(&model.targets) {
            batch = batch.with(model.graph.node(id).name.as_str(), values(&model, id));
        }
        // The optimizers are compared on one and the same loss.
        // Of a recurrence each element takes all steps of all samples twice.
        let slow = model.graph.nodes().any(|(_, n)| matches!(n.kind, gdc_ir::NodeKind::Recurrence { .. }));
        let limit = if slow || system.name().starts_with("optimizers/") { 10 } else { 200 };
        let options = CheckOptions { limit, ..CheckOptions::default() };
        let report = gradient_check(&model, &session, &batch, options).unwrap();
        println!("{} (loss {:.3}):\n{report}", system.name(), report.loss);
        assert_eq!(report.params.len(), model.params.len(), "{}: every parameter", system.name());
        assert!(report.worst() < 1e-7, "{}:\n{report}", system.name());
        assert!(50 * report.kinks() <= report.compared(), "{}: too many kinks\n{report}", system.name());
    }
}
