//! How sums, means, maxima, minima and products pass their cotangents on.

use super::read_axes;
use crate::build::{Build, substitute};
use gdc_ir::{ExprId, Graph, Node, NodeId, NodeKind, Op, Red, Reduce, Ty, Var};
use std::collections::HashMap;

/// How a reduction passes its cotangent on: a factor for each term, the variables that
/// still run, and for max and min the places that stand for the others.
pub(super) struct ReductionRule {
    pub(super) factor: ExprId,
    pub(super) domain: Vec<Var>,
    pub(super) places: HashMap<Var, ExprId>,
}

pub(super) fn reduction_rule(
    graph: &mut Graph,
    node: NodeId,
    axes: &[Var],
    reduce: Option<&Reduce>,
    body: ExprId,
) -> Option<ReductionRule> {
    let one = graph.exprs.real(1.0);
    let Some(reduce) = reduce else {
        return Some(ReductionRule { factor: one, domain: Vec::new(), places: HashMap::new() });
    };
    let over = reduce.over.clone();
    match reduce.op {
        Red::Sum => Some(ReductionRule { factor: one, domain: over, places: HashMap::new() }),
        // d lse = exp(e - y)
        Red::Lse => {
            let y = read_axes(graph, node, axes);
            let difference = graph.exprs.sub(body, y);
            let factor = graph.exprs.op(Op::Exp, &[difference]);
            Some(ReductionRule { factor, domain: over, places: HashMap::new() })
        }
        Red::Max | Red::Min => Some(extremum_rule(graph, node, axes, reduce, body)),
        Red::Prod => Some(ReductionRule {
            factor: product_of_others(graph, node, axes, &over, body),
            domain: over,
            places: HashMap::new(),
        }),
        Red::Argmax | Red::Argmin | Red::Any | Red::All => None,
    }
}

/// Only the first extreme element counts: the reduced indices are where it is.
fn extremum_rule(graph: &mut Graph, node: NodeId, axes: &[Var], reduce: &Reduce, body: ExprId) -> ReductionRule {
    let op = if reduce.op == Red::Max { Red::Argmax } else { Red::Argmin };
    let count: usize = reduce.over.iter().map(|&v| graph.exprs.extent(v)).product();
    let from = graph.node(node);
    let place = Node {
        name: format!("{}.{}", from.name, op.name()),
        kind: NodeKind::Compute { axes: axes.to_vec(), reduce: Some(Reduce { op, over: reduce.over.clone() }), body },
        shape: from.shape.clone(),
        ty: Ty::Int,
        range: Some((0, count as i64)),
        per_sample: from.per_sample,
        origin: from.origin,
    };
    let place = graph.add(place);
    let flat = read_axes(graph, place, axes);
    let mut places = HashMap::new();
    let mut stride = 1i64;
    for (k, &v) in reduce.over.iter().enumerate().rev() {
        let extent = graph.exprs.extent(v) as i64;
        let (d, m) = (graph.exprs.int(stride), graph.exprs.int(extent));
        let mut index = flat;
        if stride > 1 {
            index = graph.exprs.op(Op::IntDiv, &[index, d]);
        }
        if k > 0 {
            index = graph.exprs.op(Op::IntMod, &[index, m]);
        }
        places.insert(v, index);
        stride *= extent;
    }
    let factor = graph.exprs.real(1.0);
    ReductionRule { factor, domain: Vec::new(), places }
}

/// The product of all other terms, right also where one of them is zero.
fn product_of_others(graph: &mut Graph, node: NodeId, axes: &[Var], over: &[Var], body: ExprId) -> ExprId {
    let mut map = HashMap::new();
    let mut others = Vec::new();
    let mut same = graph.exprs.bool(true);
    for &v in over {
        let info = graph.exprs.var(v).clone();
        let other = graph.exprs.fresh(info.name, info.extent, false);
        let (a, b) = (graph.exprs.index(v), graph.exprs.index(other));
        map.insert(v, b);
        others.push(other);
        let equal = graph.exprs.op(Op::Eq, &[a, b]);
        same = graph.exprs.and(same, equal);
    }
    let one = graph.exprs.real(1.0);
    let renamed = substitute(&mut graph.exprs, body, &map);
    let term = graph.exprs.select(same, one, renamed);
    let mut all: Vec<Var> = axes.to_vec();
    all.extend(over);
    let from = graph.node(node);
    let product = Node {
        name: format!("{}.others", from.name),
        shape: all.iter().map(|&v| graph.exprs.extent(v)).collect(),
        kind: NodeKind::Compute { axes: all.clone(), reduce: Some(Reduce { op: Red::Prod, over: others }), body: term },
        ty: Ty::Real,
        range: None,
        per_sample: from.per_sample,
        origin: from.origin,
    };
    let product = graph.add(product);
    read_axes(graph, product, &all)
}
