//! Logarithms of sums of exponentials, with the maximum apart: `lse(z) = m + log(s)`, where `m` is
//! the greatest `z` and `s` the sum of `exp(z - m)`, between 1 and the number of terms. Beside
//! logits of 1e4, a sum `m + log(s)` has lost the digits of `log(s)`; so whatever reads it
//! subtracts `m` first.

use crate::build::Build;
use crate::rebuild::{Rebuild, Replacement};
use gdc_ir::{Expr, ExprId, Exprs, Model, Node, NodeId, NodeKind, Op, Precision, Red, Reduce, Ty, Var};
use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow::{Break, Continue};

/// The nodes `m` and `s` for each node that is an `lse`.
type Parts = HashMap<NodeId, (NodeId, NodeId)>;

/// Takes every `lse` apart, and what reads it.
pub fn take_maxima_apart(model: &mut Model) {
    let needed = model.graph.reachable(model.roots());
    let lowest = match model.precision {
        Precision::F32 => f64::from(f32::MIN),
        Precision::F64 => f64::MIN,
    };
    let mut rebuild = Rebuild::new(model);
    let mut parts = Parts::new();
    let mut infinite: BTreeSet<NodeId> = BTreeSet::new();
    for id in needed {
        let mut node = rebuild.old(id).clone();
        node.kind = rebuild.kind(&node.kind);
        if let NodeKind::Compute { body, .. } | NodeKind::Scatter { body, .. } = &mut node.kind {
            *body = apart(&mut rebuild.graph.exprs, *body, &parts, &mut HashMap::new());
        }
        let new = match node.kind.clone() {
            NodeKind::Compute { axes, reduce: Some(Reduce { op: Red::Lse, over }), body } => {
                let least = may_be_infinite(&rebuild.graph.exprs, body, &infinite).then_some(lowest);
                let (max, sum) = make_parts(&mut rebuild, &node, &axes, over, body, least);
                let exprs = &mut rebuild.graph.exprs;
                let at: Vec<ExprId> = axes.iter().map(|&v| exprs.index(v)).collect();
                let m = exprs.read(max, Ty::Real, at.clone(), None);
                let s = exprs.read(sum, Ty::Real, at, None);
                let log = exprs.op(Op::Log, &[s]);
                let body = exprs.add(m, log);
                let whole = rebuild.graph.add(Node { kind: NodeKind::Compute { axes, reduce: None, body }, ..node });
                parts.insert(whole, (max, sum));
                whole
            }
            // The greatest of no elements, or of elements left out, is not meant.
            NodeKind::Compute { reduce: Some(Reduce { op: Red::Max, .. }), .. } => rebuild.graph.add(node),
            NodeKind::Compute { body, .. } | NodeKind::Scatter { body, .. } => {
                let unbounded = may_be_infinite(&rebuild.graph.exprs, body, &infinite);
                let new = rebuild.graph.add(node);
                if unbounded {
                    infinite.insert(new);
                }
                new
            }
            NodeKind::Reshape(source) => {
                let new = rebuild.graph.add(node);
                if infinite.contains(&source) {
                    infinite.insert(new);
                }
                new
            }
            NodeKind::Recurrence { init, .. } => {
                let new = rebuild.graph.add(node);
                if infinite.contains(&init) {
                    infinite.insert(new);
                }
                new
            }
            NodeKind::Leaf(_) | NodeKind::Literal(_) => rebuild.graph.add(node),
        };
        rebuild.set(id, Replacement::Node(new));
    }
    rebuild.finish(model);
}

/// `m = max(e)` and `s = sum(exp(e - m))`. Where all `e` may be -inf, `m` is at least the lowest
/// number: -inf less itself would be NaN.
fn make_parts(
    rebuild: &mut Rebuild,
    of: &Node,
    axes: &[Var],
    over: Vec<Var>,
    body: ExprId,
    least: Option<f64>,
) -> (NodeId, NodeId) {
    let stem = of.name.strip_suffix(".lse").unwrap_or(&of.name).to_owned();
    let make = |rebuild: &mut Rebuild, suffix: &str, reduce: Option<Red>, body: ExprId| {
        let reduce = reduce.map(|op| Reduce { op, over: over.clone() });
        let kind = NodeKind::Compute { axes: axes.to_vec(), reduce, body };
        let node = rebuild.graph.add(Node { name: format!("{stem}.{suffix}"), kind, ..of.clone() });
        let exprs = &mut rebuild.graph.exprs;
        let at = axes.iter().map(|&v| exprs.index(v)).collect();
        (node, exprs.read(node, Ty::Real, at, None))
    };
    let (mut max, mut m) = make(rebuild, "max", Some(Red::Max), body);
    if let Some(least) = least {
        let least = rebuild.graph.exprs.real(least);
        let finite = rebuild.graph.exprs.op(Op::Max, &[least, m]);
        (max, m) = make(rebuild, "finite", None, finite);
    }
    let difference = rebuild.graph.exprs.sub(body, m);
    let exponential = rebuild.graph.exprs.op(Op::Exp, &[difference]);
    let (sum, _) = make(rebuild, "sum", Some(Red::Sum), exponential);
    (max, sum)
}

/// The expression with differences from an `lse` written by its parts.
fn apart(x: &mut Exprs, e: ExprId, parts: &Parts, memo: &mut HashMap<ExprId, ExprId>) -> ExprId {
    if let Some(&done) = memo.get(&e) {
        return done;
    }
    let result = match x.get(e).clone() {
        Expr::Op(op, args) => {
            let taken = match op {
                Op::Exp => exponential(x, args[0], parts, memo),
                Op::Sub => difference(x, args[0], args[1], parts, memo),
                _ => None,
            };
            match taken {
                Some(taken) => taken,
                None => {
                    let args: Vec<ExprId> = args.iter().map(|&a| apart(x, a, parts, memo)).collect();
                    x.op(op, &args)
                }
            }
        }
        Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) | Expr::Read { .. } | Expr::Random { .. } => e,
    };
    memo.insert(e, result);
    result
}

/// `exp(a - (m + log(s))) = exp(a - m) / s`
fn exponential(x: &mut Exprs, e: ExprId, parts: &Parts, memo: &mut HashMap<ExprId, ExprId>) -> Option<ExprId> {
    let Expr::Op(Op::Sub, args) = x.get(e).clone() else { return None };
    if taken_apart(x, args[0], parts).is_some() {
        return None;
    }
    let (m, s) = taken_apart(x, args[1], parts)?;
    let a = apart(x, args[0], parts, memo);
    let difference = x.sub(a, m);
    let above = x.op(Op::Exp, &[difference]);
    Some(x.div(above, s))
}

/// `a - (m + log(s)) = (a - m) - log(s)`, the other way round, and of two such sums.
fn difference(
    x: &mut Exprs,
    a: ExprId,
    b: ExprId,
    parts: &Parts,
    memo: &mut HashMap<ExprId, ExprId>,
) -> Option<ExprId> {
    let (left, right) = (taken_apart(x, a, parts), taken_apart(x, b, parts));
    let log = |x: &mut Exprs, s: ExprId| x.op(Op::Log, &[s]);
    match (left, right) {
        (None, None) => None,
        (Some((m, s)), None) => {
            let b = apart(x, b, parts, memo);
            let (difference, log) = (x.sub(m, b), log(x, s));
            Some(x.add(difference, log))
        }
        (None, Some((m, s))) => {
            let a = apart(x, a, parts, memo);
            let (difference, log) = (x.sub(a, m), log(x, s));
            Some(x.sub(difference, log))
        }
        (Some((m, s)), Some((n, t))) => {
            let (maxima, s, t) = (x.sub(m, n), log(x, s), log(x, t));
            let logs = x.sub(s, t);
            Some(x.add(maxima, logs))
        }
    }
}

/// The reads of `m` and `s` for a read of an `lse`.
fn taken_apart(x: &mut Exprs, e: ExprId, parts: &Parts) -> Option<(ExprId, ExprId)> {
    let Expr::Read { node, at, otherwise: None } = x.get(e).clone() else { return None };
    let &(max, sum) = parts.get(&node)?;
    Some((x.read(max, Ty::Real, at.to_vec(), None), x.read(sum, Ty::Real, at.to_vec(), None)))
}

/// Whether a value may be infinite because the spec says so, as a mask of logits does; not by
/// overflow.
fn may_be_infinite(x: &Exprs, root: ExprId, infinite: &BTreeSet<NodeId>) -> bool {
    x.any(root, |e| {
        Continue(match x.get(e) {
            Expr::Real(k) if k.get().is_infinite() => return Break(()),
            Expr::Read { node, .. } if infinite.contains(node) => return Break(()),
            Expr::Read { otherwise, .. } => otherwise.iter().copied().collect(),
            Expr::Op(Op::Exp | Op::Sigmoid | Op::Tanh | Op::Erf | Op::Softplus, _) => Vec::new(),
            Expr::Op(_, args) => args.iter().copied().filter(|&a| x.ty(a) == Ty::Real).collect(),
            Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) | Expr::Random { .. } => Vec::new(),
        })
    })
}
