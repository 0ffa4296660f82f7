//! Tests of borders, moved from the statement to the reads that need them.
//!
//! A gradient that gathers is guarded as a whole: `if 0 <= i - k && i - k < n { y[i - k] *
//! w[k] } else { 0 }`. Here it becomes `(y[i - k] else 0) * w[k]`, which can be a contraction
//! over a copy of `y` with its border written out.

use gdc_ir::{Affine, Expr, ExprId, Exprs, Graph, Node, NodeKind, Op, Ty, rewrite};
use std::collections::HashMap;

/// Gives every read that may fall outside a value there, and drops the tests that this makes
/// needless.
pub(crate) fn guard_reads(graph: &mut Graph) {
    for node in graph.take_nodes() {
        let mut rewritten = |e: ExprId| rewrite(graph, e, &mut HashMap::new(), part);
        let kind = match &node.kind {
            NodeKind::Compute { axes, reduce, body } => {
                let body = rewritten(*body);
                NodeKind::Compute { axes: axes.clone(), reduce: reduce.clone(), body }
            }
            NodeKind::Scatter { domain, at, body } => {
                let body = rewritten(*body);
                NodeKind::Scatter { domain: domain.clone(), at: at.clone(), body }
            }
            kind @ (NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Reshape(_) | NodeKind::Recurrence { .. }) => {
                kind.clone()
            }
        };
        graph.add(Node { kind, ..node });
    }
}

/// One expression, its parts being done.
fn part(graph: &mut Graph, old: ExprId, new: Expr) -> ExprId {
    let ty = graph.exprs.ty(old);
    let new = match new {
        Expr::Read { node, at, otherwise: None } if may_be_outside(graph, node, &at) => {
            let otherwise = Some(zero(graph, ty));
            Expr::Read { node, at, otherwise }
        }
        Expr::Op(Op::Select, ref args) => {
            if let &[condition, value, other] = args.as_ref()
                && graph.exprs.as_real(other) == Some(0.0)
                && says_it_all(graph, condition, value)
            {
                return value;
            }
            new
        }
        new => new,
    };
    graph.exprs.intern(new, ty)
}

fn zero(graph: &mut Graph, ty: Ty) -> ExprId {
    match ty {
        Ty::Real => graph.exprs.real(0.0),
        Ty::Int => graph.exprs.int(0),
        Ty::Bool => graph.exprs.bool(false),
    }
}

fn may_be_outside(graph: &Graph, node: gdc_ir::NodeId, at: &[ExprId]) -> bool {
    let shape = &graph.node(node).shape;
    at.iter().zip(shape).any(|(&e, &n)| {
        let range = gdc_ir::ranges::int_interval(graph, e);
        // What is unknown came from outside, and was checked there.
        range.is_some_and(|(low, high)| low < 0 || high >= n as i64)
    })
}

/// Whether a product is zero wherever a condition fails, because one of its factors is
/// read as zero there.
fn says_it_all(graph: &Graph, condition: ExprId, value: ExprId) -> bool {
    let exprs = &graph.exprs;
    let Some(tests) = inequalities(exprs, condition) else { return false };
    let bounds_of = |factor: ExprId| -> Option<Vec<Affine>> {
        let Expr::Read { node, at, otherwise: Some(zero) } = exprs.get(factor) else { return None };
        if exprs.as_real(*zero) != Some(0.0) {
            return None;
        }
        let mut bounds = Vec::new();
        for (&e, &n) in at.iter().zip(&graph.node(*node).shape) {
            let place = exprs.as_affine(e)?;
            bounds.push(place.clone());
            bounds.push(Affine::constant(n as i64 - 1).add_scaled(place, -1)?);
        }
        Some(bounds)
    };
    let implied = |bounds: &Vec<Affine>| tests.iter().all(|t| exprs.interval(t).0 >= 0 || bounds.contains(t));
    factors(exprs, value).into_iter().filter_map(bounds_of).any(|b| implied(&b))
}

/// A conjunction as affine forms that are not negative where it holds.
fn inequalities(exprs: &Exprs, condition: ExprId) -> Option<Vec<Affine>> {
    match exprs.get(condition) {
        Expr::Bool(true) => Some(Vec::new()),
        Expr::Op(Op::And, args) => {
            let mut all = Vec::new();
            for &a in args.iter() {
                all.extend(inequalities(exprs, a)?);
            }
            Some(all)
        }
        Expr::Op(op @ (Op::Le | Op::Lt), args) => {
            let (a, b) = (exprs.as_affine(args[0])?, exprs.as_affine(args[1])?);
            let mut d = b.add_scaled(a, -1)?;
            d.constant -= i64::from(*op == Op::Lt);
            Some(vec![d])
        }
        _ => None,
    }
}

/// The factors of a product.
pub(crate) fn factors(exprs: &Exprs, e: ExprId) -> Vec<ExprId> {
    let mut out = Vec::new();
    let mut stack = vec![e];
    while let Some(e) = stack.pop() {
        match exprs.get(e) {
            Expr::Op(Op::Mul, args) => stack.extend(args.iter().rev()),
            _ => out.push(e),
        }
    }
    out
}
