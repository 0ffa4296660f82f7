//! Branches that are not taken, seen from further away: where a branch reads a statement, such as
//! `if n > 0 { sum(sqrt(x)) } else { 0 }`, that statement's cotangent is zero when the branch is
//! not taken. Zero times a derivative that is infinite there would be NaN, so such a cotangent
//! passes nothing on: `g * d` becomes `if g == 0 { 0 } else { g * d }` where `d` may be infinite.

use crate::build::Build;
use crate::choices::masked;
use crate::differentiate::Walk;
use gdc_ir::{Expr, ExprId, Graph, Leaf, NodeId, NodeKind, Op, Red, Ty};
use std::ops::ControlFlow::{Break, Continue};

/// How far a bound is followed through statements.
const DEPTH: usize = 4;

impl Walk<'_> {
    /// The term that a statement (its node, body and cotangent) adds to the cotangent of `source`,
    /// guarded if it needs that; and remembers whether that cotangent is guarded now.
    pub(crate) fn guard(
        &mut self,
        graph: &mut Graph,
        (node, body, weight): (NodeId, ExprId, ExprId),
        source: NodeId,
        value: ExprId,
    ) -> ExprId {
        let inherited = self.guarded.contains(&node);
        if inherited || (has_choice(graph, body) && is_guarded(graph, value)) {
            self.guarded.insert(source);
        }
        if !inherited || !may_be_infinite(graph, value, DEPTH) {
            return value;
        }
        let exprs = &mut graph.exprs;
        let zero = exprs.real(0.0);
        let nothing = exprs.op(Op::Eq, &[weight, zero]);
        exprs.select(nothing, zero, value)
    }
}

impl Walk<'_> {
    /// Whether a statement chooses by what it reads.
    pub(crate) fn chooses(&self, graph: &Graph, id: NodeId) -> bool {
        match graph.node(id).kind {
            NodeKind::Compute { body, .. } | NodeKind::Scatter { body, .. } => has_choice(graph, body),
            NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Reshape(_) | NodeKind::Recurrence { .. } => false,
        }
    }
}

/// Whether a body chooses by what it reads, other than draws.
fn has_choice(graph: &Graph, body: ExprId) -> bool {
    let mut found = false;
    graph.exprs.walk(body, &mut |e| {
        if let Expr::Op(Op::Select, args) = graph.exprs.get(e) {
            let reads = graph.exprs.read_nodes(args[0]);
            found |= !reads.is_empty() && !reads.iter().any(|&n| is_draw(graph, n));
        }
    });
    found
}

fn is_draw(graph: &Graph, node: NodeId) -> bool {
    let NodeKind::Compute { body, .. } = &graph.node(node).kind else { return false };
    let mut found = false;
    graph.exprs.walk(*body, &mut |e| found |= matches!(graph.exprs.get(e), Expr::Random { .. }));
    found
}

/// Whether a term is zero in one of the branches of a choice that reads something.
fn is_guarded(graph: &Graph, value: ExprId) -> bool {
    masked(&graph.exprs, value).is_some_and(|(c, ..)| !graph.exprs.read_nodes(c).is_empty())
}

/// Whether a derivative may be infinite where all that it reads are ordinary numbers; the reads of
/// statements are looked into as deep as `depth` says.
fn may_be_infinite(graph: &Graph, root: ExprId, depth: usize) -> bool {
    graph.exprs.any(root, |e| {
        let found = match graph.exprs.get(e) {
            Expr::Op(Op::Div, args) if is_positive(graph, args[1], DEPTH) => return Continue(vec![args[0]]),
            // exp(z - lse(z)) is at most 1.
            Expr::Op(Op::Exp, args) if is_below_lse(graph, args[0]) => false,
            Expr::Op(Op::Div | Op::Pow | Op::Log | Op::Log1p | Op::Exp | Op::Expm1, _) => true,
            Expr::Op(_, args) => return Continue(args.to_vec()),
            Expr::Read { node, .. } if depth == DEPTH => match &graph.node(*node).kind {
                NodeKind::Compute { reduce: None, body, .. } if !has_choice(graph, *body) => {
                    may_be_infinite(graph, *body, depth - 1)
                }
                _ => false,
            },
            Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) | Expr::Read { .. } | Expr::Random { .. } => false,
        };
        if found { Break(()) } else { Continue(Vec::new()) }
    })
}

fn is_below_lse(graph: &Graph, e: ExprId) -> bool {
    let Expr::Op(Op::Sub, args) = graph.exprs.get(e) else { return false };
    let Expr::Read { node, .. } = graph.exprs.get(args[1]) else { return false };
    let kind = &graph.node(*node).kind;
    matches!(kind, NodeKind::Compute { reduce: Some(r), .. } if r.op == Red::Lse)
}

/// Whether a value is known to be above zero, such as a variance with a small number added.
fn is_positive(graph: &Graph, e: ExprId, depth: usize) -> bool {
    if let Some(k) = graph.exprs.as_real(e) {
        return k != 0.0;
    }
    let not_negative = |e| is_not_negative(graph, e, depth);
    match graph.exprs.get(e) {
        Expr::Op(Op::Add, a) => {
            let above = |e| graph.exprs.as_real(e).map_or_else(|| is_positive(graph, e, depth), |k| k > 0.0);
            (above(a[0]) && not_negative(a[1])) || (not_negative(a[0]) && above(a[1]))
        }
        Expr::Op(Op::Max, a) => a.iter().any(|&e| graph.exprs.as_real(e).is_some_and(|k| k > 0.0)),
        Expr::Op(Op::Sqrt, a) => is_positive(graph, a[0], depth),
        Expr::Op(Op::Mul, a) => is_positive(graph, a[0], depth) && is_positive(graph, a[1], depth),
        _ => false,
    }
}

fn is_not_negative(graph: &Graph, e: ExprId, depth: usize) -> bool {
    if let Some(k) = graph.exprs.as_real(e) {
        return k >= 0.0;
    }
    match graph.exprs.get(e) {
        Expr::Op(Op::Abs | Op::Sqrt | Op::Exp | Op::Sigmoid | Op::Softplus, _) => true,
        Expr::Op(Op::Add | Op::Mul | Op::Div, a) if a[0] != a[1] => {
            is_not_negative(graph, a[0], depth) && is_not_negative(graph, a[1], depth)
        }
        Expr::Op(Op::Mul, _) => true,
        Expr::Op(Op::Max, a) => a.iter().any(|&e| is_not_negative(graph, e, depth)),
        Expr::Op(Op::ToReal, _) => graph.exprs.ty(graph.exprs.children(e)[0]) == Ty::Bool,
        Expr::Read { node, .. } if depth > 0 => match &graph.node(*node).kind {
            NodeKind::Leaf(leaf) => *leaf == Leaf::SampleWeight,
            NodeKind::Compute { reduce, body, .. } => {
                reduce.as_ref().is_none_or(|r| matches!(r.op, Red::Sum | Red::Max | Red::Min | Red::Prod))
                    && is_not_negative(graph, *body, depth - 1)
            }
            NodeKind::Literal(_) | NodeKind::Scatter { .. } | NodeKind::Reshape(_) | NodeKind::Recurrence { .. } => {
                false
            }
        },
        _ => false,
    }
}
