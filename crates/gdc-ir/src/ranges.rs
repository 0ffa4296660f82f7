//! The range of an integer expression by interval arithmetic over what its parts can be.

use crate::expr::{Expr, ExprId};
use crate::graph::{Graph, NodeId, NodeKind};
use crate::ops::{Op, Red};
use std::collections::BTreeMap;

/// Least and greatest value, both included.
pub type Interval = (i64, i64);

/// The least and greatest value of an integer expression, `None` where nothing is known.
/// It may be wider than what really occurs, never narrower.
pub fn int_interval(graph: &Graph, root: ExprId) -> Option<Interval> {
    let exprs = &graph.exprs;
    let mut known: BTreeMap<ExprId, Option<Interval>> = BTreeMap::new();
    exprs.walk(root, &mut |id| {
        let of = |e: &ExprId| known.get(e).copied().flatten();
        let interval = match exprs.get(id) {
            Expr::Int(affine) => Some(exprs.interval(affine)),
            Expr::Read { node, otherwise: None, .. } => node_interval(graph, *node),
            Expr::Read { node, otherwise: Some(e), .. } => {
                node_interval(graph, *node).zip(of(e)).map(|(a, b)| union(a, b))
            }
            Expr::Op(op, args) => operator(*op, &args.iter().map(of).collect::<Vec<_>>()),
            Expr::Real(_) | Expr::Bool(_) | Expr::Random { .. } => None,
        };
        known.insert(id, interval);
    });
    known.remove(&root).flatten()
}

/// The least and greatest element of an integer tensor: its stated range, or where an
/// `argmax` can point.
pub fn node_interval(graph: &Graph, id: NodeId) -> Option<Interval> {
    let node = graph.node(id);
    match (&node.kind, node.range) {
        (_, Some((low, high))) => Some((low, high.saturating_sub(1))),
        (NodeKind::Compute { reduce: Some(r), .. }, None) if matches!(r.op, Red::Argmax | Red::Argmin) => {
            let places = r.over.iter().map(|&v| graph.exprs.extent(v) as i64);
            Some((0, places.fold(1i64, i64::saturating_mul).saturating_sub(1)))
        }
        (NodeKind::Compute { reduce: None, body, .. }, None) => int_body(graph, *body),
        (NodeKind::Reshape(source), None) => node_interval(graph, *source),
        (NodeKind::Leaf(crate::Leaf::Counter), None) => Some((0, i64::MAX)),
        _ => None,
    }
}

/// A body's interval where that takes no other node: chains of nodes are not followed, so
/// that the work stays small; passes state ranges.
fn int_body(graph: &Graph, body: ExprId) -> Option<Interval> {
    if graph.exprs.read_nodes(body).is_empty() { int_interval(graph, body) } else { None }
}

fn operator(op: Op, args: &[Option<Interval>]) -> Option<Interval> {
    match (op, args) {
        (Op::Neg, &[Some(a)]) => Some((a.1.saturating_neg(), a.0.saturating_neg())),
        (Op::Abs, &[Some(a)]) => {
            let (x, y) = (a.0.saturating_abs(), a.1.saturating_abs());
            let low = if a.0 <= 0 && 0 <= a.1 { 0 } else { x.min(y) };
            Some((low, x.max(y)))
        }
        (Op::Detach, &[a]) => a,
        (Op::Add, &[Some(a), Some(b)]) => Some((a.0.saturating_add(b.0), a.1.saturating_add(b.1))),
        (Op::Sub, &[Some(a), Some(b)]) => Some((a.0.saturating_sub(b.1), a.1.saturating_sub(b.0))),
        (Op::Mul, &[Some(a), Some(b)]) => Some(corners(a, b, |x, y| x.saturating_mul(y))),
        (Op::Min, &[Some(a), Some(b)]) => Some((a.0.min(b.0), a.1.min(b.1))),
        (Op::Max, &[Some(a), Some(b)]) => Some((a.0.max(b.0), a.1.max(b.1))),
        (Op::Select, &[_, Some(a), Some(b)]) => Some(union(a, b)),
        // Floor division is monotonic in each argument while the divisor keeps its sign.
        (Op::IntDiv, &[Some(a), Some(b)]) if b.0 > 0 => Some(corners(a, b, i64::div_euclid)),
        // The remainder has the sign of the divisor.
        (Op::IntMod, &[Some(a), Some(b)]) if b.0 > 0 => Some(if 0 <= a.0 && a.1 < b.0 { a } else { (0, b.1 - 1) }),
        (Op::IntMod, &[None, Some(b)]) if b.0 > 0 => Some((0, b.1 - 1)),
        (
            Op::Neg
            | Op::Add
            | Op::Sub
            | Op::Mul
            | Op::Div
            | Op::Pow
            | Op::Min
            | Op::Max
            | Op::Abs
            | Op::Sign
            | Op::Floor
            | Op::Ceil
            | Op::Round
            | Op::Sqrt
            | Op::Exp
            | Op::Expm1
            | Op::Log
            | Op::Log1p
            | Op::Sin
            | Op::Cos
            | Op::Tanh
            | Op::Sigmoid
            | Op::Softplus
            | Op::Erf
            | Op::Eq
            | Op::Ne
            | Op::Lt
            | Op::Le
            | Op::And
            | Op::Or
            | Op::Not
            | Op::Select
            | Op::ToReal
            | Op::IntDiv
            | Op::IntMod
            | Op::Detach
            | Op::Stated,
            _,
        ) => None,
    }
}

fn union(a: Interval, b: Interval) -> Interval {
    (a.0.min(b.0), a.1.max(b.1))
}

/// The interval of a function that is monotonic in each argument.
fn corners(a: Interval, b: Interval, f: impl Fn(i64, i64) -> i64) -> Interval {
    let all = [f(a.0, b.0), f(a.0, b.1), f(a.1, b.0), f(a.1, b.1)];
    all.iter().fold((i64::MAX, i64::MIN), |(low, high), &x| (low.min(x), high.max(x)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Affine;

    #[test]
    fn intervals_of_operators() {
        let mut g = Graph::default();
        let i = g.t_var("i", 10);
        let shifted = g.exprs.affine(Affine { terms: vec![(i, 1)], constant: -4 });
        let three = g.exprs.int(3);
        let mut of = |op, args: &[ExprId]| {
            let e = g.t_op(op, args);
            int_interval(&g, e)
        };
        assert_eq!(of(Op::Neg, &[shifted]), Some((-5, 4)));
        assert_eq!(of(Op::Abs, &[shifted]), Some((0, 5)));
        assert_eq!(of(Op::Mul, &[shifted, shifted]), Some((-20, 25)));
        assert_eq!(of(Op::IntDiv, &[shifted, three]), Some((-2, 1)));
        assert_eq!(of(Op::IntMod, &[shifted, three]), Some((0, 2)));
        assert_eq!(of(Op::IntDiv, &[three, shifted]), None);
        assert_eq!(of(Op::Max, &[shifted, three]), Some((3, 5)));
    }
}
