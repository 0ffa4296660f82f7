//! Metrics that are functions of sums over the samples, such as precision: over the samples of
//! several batches each sum is added up first, and the function is applied once.
//!
//! A metric that is a mean over the samples needs none of this, and one that is something else,
//! such as a sum of what depends on another sum, is left to be averaged over the batches.

use crate::sample::one_sample_of;
use gdc_ir::{Entry, Expr, ExprId, Graph, Leaf, Model, Named, Node, NodeId, NodeKind, Op, Precision, Red};
use std::collections::BTreeSet;
use std::ops::ControlFlow::{Break, Continue};

/// A metric in two stages.
#[derive(Clone, Debug)]
pub struct Total {
    /// The metric's name.
    pub metric: String,
    /// The sums, one number each, which add up over batches.
    pub sums: Vec<NodeId>,
    /// The function of these sums, in f64: its inputs are called `sum.0`, `sum.1` and so on.
    pub function: Model,
}

/// The metrics of a model, after all passes, that are to be had in two stages.
pub fn totals(model: &Model) -> Vec<Total> {
    model.metrics.iter().filter_map(|metric| total(model, metric)).collect()
}

fn total(model: &Model, metric: &Named) -> Option<Total> {
    let graph = &model.graph;
    let mut sums = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![metric.node];
    while let Some(id) = open.pop() {
        let node = graph.node(id);
        if !seen.insert(id) {
            continue;
        }
        if is_sum(graph, id) {
            sums.insert(id);
            continue;
        }
        // Of nothing else than numbers that are the same for all samples.
        let plain = matches!(&node.kind, NodeKind::Compute { reduce: None, .. } | NodeKind::Literal(_));
        if !plain || node.per_sample || !node.shape.is_empty() || draws(graph, node) {
            return None;
        }
        open.extend(graph.inputs(id));
    }
    if sums.is_empty() || is_mean(graph, metric.node, &sums) {
        return None;
    }
    let sums: Vec<NodeId> = sums.into_iter().collect();
    let function = function(model, metric, &sums);
    Some(Total { metric: metric.name.clone(), sums, function })
}

fn draws(graph: &Graph, node: &Node) -> bool {
    let NodeKind::Compute { body, .. } = &node.kind else { return false };
    graph.exprs.any(*body, |e| match graph.exprs.get(e) {
        Expr::Random { .. } => Break(()),
        _ => Continue(graph.exprs.children(e)),
    })
}

/// Whether a node is one number that adds up over batches: a sum over the samples of what depends
/// on nothing but each sample, where the weights of samples only say which there are.
fn is_sum(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    let NodeKind::Compute { reduce: Some(reduce), body, .. } = &node.kind else { return false };
    let over_samples = reduce.over.iter().any(|&v| graph.exprs.var(v).batch);
    let apart = |i: NodeId| {
        let input = graph.node(i);
        input.leaf().is_some() || input.per_sample || !mixes(graph, i)
    };
    node.shape.is_empty()
        && !node.per_sample
        && reduce.op == Red::Sum
        && over_samples
        && only_asks_for_weights(graph, *body)
        && graph.reachable(graph.inputs(id)).into_iter().all(|i| apart(i) && !reduces_samples(graph, i))
}

/// Whether a node runs over samples, others than its own.
fn reduces_samples(graph: &Graph, id: NodeId) -> bool {
    let runs = |vars: &[gdc_ir::Var]| vars.iter().any(|&v| graph.exprs.var(v).batch);
    let node = graph.node(id);
    match &node.kind {
        NodeKind::Compute { axes, reduce, .. } => {
            reduce.as_ref().is_some_and(|r| runs(&r.over)) || axes.iter().skip(1).any(|&v| runs(&[v]))
        }
        // A scatter of each sample begins with its place.
        NodeKind::Scatter { domain, .. } => {
            domain.iter().filter(|v| graph.exprs.var(**v).batch).count() > usize::from(node.per_sample)
        }
        _ => false,
    }
}

/// Whether a shared node is made of samples.
fn mixes(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    !node.per_sample && graph.inputs(id).iter().any(|&i| graph.node(i).per_sample)
}

/// Whether an expression reads the weights of samples in comparisons alone, and samples at their
/// own places.
fn only_asks_for_weights(graph: &Graph, body: ExprId) -> bool {
    let exprs = &graph.exprs;
    !exprs.any(body, |e| match exprs.get(e) {
        Expr::Op(Op::Lt | Op::Le | Op::Eq, args) if args.iter().any(|a| is_weight(graph, *a)) => Continue(Vec::new()),
        Expr::Read { .. } if is_weight(graph, e) => Break(()),
        Expr::Read { node, at, .. } if graph.node(*node).per_sample => {
            let own = at.first().and_then(|&p| exprs.as_var(p)).is_some_and(|v| exprs.var(v).batch);
            if own { Continue(at.iter().skip(1).copied().collect()) } else { Break(()) }
        }
        Expr::Int(a) if a.terms.iter().any(|&(v, _)| exprs.var(v).batch) => Break(()),
        Expr::Random { .. } => Break(()),
        _ => Continue(exprs.children(e)),
    })
}

fn is_weight(graph: &Graph, e: ExprId) -> bool {
    matches!(graph.exprs.get(e), Expr::Read { node, .. } if graph.node(*node).leaf() == Some(Leaf::SampleWeight))
}

/// Whether a metric is a sum divided by the number of samples.
fn is_mean(graph: &Graph, id: NodeId, sums: &BTreeSet<NodeId>) -> bool {
    let NodeKind::Compute { body, .. } = &graph.node(id).kind else { return false };
    let read = |e: ExprId| match graph.exprs.get(e) {
        Expr::Read { node, .. } => Some(*node),
        _ => None,
    };
    let Expr::Op(Op::Div, args) = graph.exprs.get(*body) else { return false };
    let [Some(_), Some(count)] = [args.first(), args.get(1)].map(|a| a.and_then(|a| read(*a))) else { return false };
    // What counts the samples reads nothing of them.
    sums.contains(&count) && graph.inputs(count).iter().all(|&i| graph.node(i).leaf() == Some(Leaf::SampleWeight))
}

/// The metric as a function of its sums.
fn function(model: &Model, metric: &Named, sums: &[NodeId]) -> Model {
    let mut graph = model.graph.clone();
    let nodes = graph.take_nodes();
    for (i, mut node) in nodes.into_iter().enumerate() {
        if sums.contains(&NodeId(i as u32)) {
            node.kind = NodeKind::Leaf(Leaf::Input);
        }
        graph.add(node);
    }
    let inputs = sums.iter().enumerate().map(|(k, &node)| Named { name: format!("sum.{k}"), node });
    let entry = Entry { name: metric.name.clone(), inputs: inputs.collect(), output: metric.node };
    let whole = Model { graph, params: Vec::new(), ..model.clone() };
    Model { precision: Precision::F64, ..one_sample_of(&whole, &entry) }
}
