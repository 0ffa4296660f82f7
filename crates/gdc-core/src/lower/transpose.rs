//! The way back of a stated derivative, made a way there: what is stated is a linear map `V` from
//! the cotangent of a function's value to that of an argument `x`, and what differentiation walks
//! back through is its transpose, from `x` to the value.
//!
//! The transpose is found by differentiation itself: `sum(V(dy) * u)` is linear in `dy`, and its
//! derivative by `dy` is the transpose at `u`. It is then written with each of its terms `k * r`
//! as `stated(0, r, k)`, which is worth 0 and has the derivative `k` by `r`. So the value of the
//! function stays what it is, the walk back takes every term the other way, which is `V` again,
//! and what comes out is made of the factors `k` as they were stated, to be differentiated again.

use super::stated::degree;
use super::value::Tensor;
use super::{Lowered, Lowerer};
use crate::build::{Build, rewrite, substitute};
use crate::differentiate::gradient;
use gdc_ir::{Expr, ExprId, Graph, Node, NodeId, NodeKind, Op, Red, Reduce, Ty, Var};
use gdc_syntax::Span;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is stated holds its cotangent otherwise than as a factor of every term.
pub(super) struct NotLinear;

impl Lowerer<'_> {
    /// The transpose of `stated`, which depends on the node `cotangent`, at the node of an argument:
    /// a node of the shape of `cotangent`, worth 0. `own` are the argument's axes that the language
    /// sees, the last of `places`. None where nothing stated depends on the cotangent.
    pub(super) fn transposed(
        &mut self,
        cotangent: NodeId,
        stated: &Tensor,
        (argument, places): (NodeId, &[Var]),
        own: &[Var],
        span: Span,
    ) -> Lowered<Result<Option<NodeId>, NotLinear>> {
        // sum(V(dy) * u), with a node of the argument's shape for u.
        let zero = self.graph().exprs.real(0.0);
        let kind = NodeKind::Compute { axes: places.to_vec(), reduce: None, body: zero };
        let u = self.stand_in("u", kind, places.to_vec(), span)?;
        let mut map = HashMap::new();
        for (&from, &to) in stated.axes.iter().zip(own) {
            map.insert(from, self.graph().exprs.index(to));
        }
        let at_own = substitute(&mut self.graph().exprs, stated.expr, &map);
        let read = self.read_at(u, places);
        let product = self.graph().exprs.op(Op::Mul, &[at_own, read]);
        let mut over = self.lead(product, own);
        over.extend(own);
        let kind = match over.is_empty() {
            true => NodeKind::Compute { axes: Vec::new(), reduce: None, body: product },
            false => NodeKind::Compute { axes: Vec::new(), reduce: Some(Reduce { op: Red::Sum, over }), body: product },
        };
        let total = self.stand_in("stated", kind, Vec::new(), span)?;
        if !is_linear(&self.model.graph, cotangent, total) {
            return Ok(Err(NotLinear));
        }
        let transpose = gradient(self.graph(), total, &[cotangent]).into_iter().flatten().next();
        let Some(transpose) = transpose else { return Ok(Ok(None)) };
        let name = self.path_to("stated");
        Ok(Ok(Some(hang(self.graph(), u, argument, transpose, &name))))
    }
}

/// The nodes on the way from one to another, both among them, in order.
fn between(graph: &Graph, from: NodeId, to: NodeId) -> Vec<NodeId> {
    let needed = graph.reachable([to]);
    let mut on_the_way = BTreeSet::from([from]);
    loop {
        let before = on_the_way.len();
        for &id in &needed {
            if graph.inputs(id).iter().any(|i| on_the_way.contains(i)) {
                on_the_way.insert(id);
            }
        }
        if on_the_way.len() == before {
            return on_the_way.into_iter().collect();
        }
    }
}

/// Whether a read is one of these nodes, and zero outside of it.
fn reads(graph: &Graph, e: ExprId, nodes: &[NodeId]) -> bool {
    match graph.exprs.get(e) {
        Expr::Read { node, otherwise, .. } => {
            nodes.binary_search(node).is_ok() && otherwise.is_none_or(|o| graph.exprs.as_real(o) == Some(0.0))
        }
        _ => false,
    }
}

/// Whether `to` is a sum of terms that each hold `from` as a factor.
fn is_linear(graph: &Graph, from: NodeId, to: NodeId) -> bool {
    let nodes = between(graph, from, to);
    let linear = |body: ExprId| {
        let mut symbol = |e: ExprId| reads(graph, e, &nodes);
        // A read that is not zero outside, or whose place depends on it, is no factor.
        let mut hidden = false;
        graph.exprs.walk(body, &mut |e| {
            if let Expr::Read { node, at, otherwise } = graph.exprs.get(e) {
                let mine = nodes.binary_search(node).is_ok();
                let inside = at
                    .iter()
                    .chain(otherwise)
                    .any(|&p| graph.exprs.read_nodes(p).iter().any(|n| nodes.binary_search(n).is_ok()));
                hidden |= inside || (mine && !reads(graph, e, &nodes));
            }
        });
        !hidden && degree(&graph.exprs, body, &mut symbol) == Some(1)
    };
    nodes.iter().filter(|&&id| id != from).all(|&id| match &graph.node(id).kind {
        NodeKind::Leaf(_) | NodeKind::Literal(_) => false,
        NodeKind::Reshape(_) => true,
        NodeKind::Compute { reduce, body, .. } => reduce.as_ref().is_none_or(|r| r.op == Red::Sum) && linear(*body),
        NodeKind::Scatter { body, .. } => linear(*body),
        NodeKind::Recurrence { init, .. } => nodes.binary_search(init).is_ok() || is_zero(graph, *init),
    })
}

fn is_zero(graph: &Graph, id: NodeId) -> bool {
    match &graph.node(id).kind {
        NodeKind::Compute { body, .. } => graph.exprs.as_real(*body) == Some(0.0),
        NodeKind::Literal(values) => values.iter().all(|&v| v == 0.0),
        _ => false,
    }
}

/// The nodes from `u` to `transpose` anew with `argument` for `u`, each term `k * r` as
/// `stated(0, r, k)`.
fn hang(graph: &mut Graph, u: NodeId, argument: NodeId, transpose: NodeId, name: &str) -> NodeId {
    let nodes = between(graph, u, transpose);
    let mut new: BTreeMap<NodeId, NodeId> = BTreeMap::from([(u, argument)]);
    let mut open = Vec::new();
    for &id in nodes.iter().filter(|&&id| id != u) {
        let renamed = |n: NodeId| new.get(&n).copied().unwrap_or(n);
        let Node { kind, shape, per_sample, origin, .. } = graph.node(id).clone();
        let kind = match kind {
            NodeKind::Leaf(_) | NodeKind::Literal(_) => kind,
            NodeKind::Reshape(source) => NodeKind::Reshape(renamed(source)),
            NodeKind::Recurrence { init, next, axis, reverse } => {
                let own = NodeId(graph.len() as u32);
                open.push((own, next));
                NodeKind::Recurrence { init: renamed(init), next: own, axis, reverse }
            }
            NodeKind::Compute { axes, reduce, body } => {
                NodeKind::Compute { axes, reduce, body: as_stated(graph, body, &nodes, &new) }
            }
            NodeKind::Scatter { domain, at, body } => {
                NodeKind::Scatter { domain, at, body: as_stated(graph, body, &nodes, &new) }
            }
        };
        let node = Node { name: name.to_owned(), kind, shape, ty: Ty::Real, range: None, per_sample, origin };
        let id_new = graph.add(node);
        new.insert(id, id_new);
    }
    for (recurrence, next) in open {
        graph.close(recurrence, new.get(&next).copied().unwrap_or(next));
    }
    new.get(&transpose).copied().unwrap_or(transpose)
}

/// A sum of terms `k * r`, the reads `r` being of `nodes`, as that of `stated(0, r, k)`.
fn as_stated(graph: &mut Graph, body: ExprId, nodes: &[NodeId], new: &BTreeMap<NodeId, NodeId>) -> ExprId {
    let mut found = BTreeSet::new();
    graph.exprs.walk(body, &mut |e| {
        if reads(graph, e, nodes) {
            found.insert(e);
        }
    });
    let (zero, one) = (graph.exprs.real(0.0), graph.exprs.real(1.0));
    let mut sum = zero;
    for &read in &found {
        let k = rewrite(&mut graph.exprs, body, &mut HashMap::new(), &mut |_, e| match e == read {
            true => Some(one),
            false => found.contains(&e).then_some(zero),
        });
        let Expr::Read { node, at, otherwise } = graph.exprs.get(read).clone() else { continue };
        let node = new.get(&node).copied().unwrap_or(node);
        let exprs = &mut graph.exprs;
        let read = exprs.read(node, Ty::Real, at.to_vec(), otherwise);
        let term = exprs.op(Op::Stated, &[zero, read, k]);
        sum = exprs.add(sum, term);
    }
    sum
}
