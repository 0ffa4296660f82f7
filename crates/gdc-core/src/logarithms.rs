//! Logarithms of probabilities that other statements compute: `log(p)` of a `p` that is a
//! sigmoid or a softmax is computed from what `p` is made of, so that it stays finite where `p`
//! rounds to 0 or 1.

use crate::build::{Build, rewrite, substitute};
use crate::rebuild::{Rebuild, Replacement};
use gdc_ir::{Expr, ExprId, Exprs, Model, NodeId, NodeKind, Op, Var};
use std::collections::{BTreeMap, HashMap};

/// Statements that are `sigmoid(a)` or `exp(a)`: their axes and that.
type Known = BTreeMap<NodeId, (Vec<Var>, ExprId)>;

/// Looks through reads of sigmoids and exponentials below a logarithm.
pub fn look_through_logarithms(model: &mut Model) {
    let needed = model.graph.reachable(model.roots());
    let mut rebuild = Rebuild::new(model);
    let mut known = Known::new();
    for id in needed {
        let mut node = rebuild.old(id).clone();
        node.kind = rebuild.kind(&node.kind);
        let mut found = None;
        if let NodeKind::Compute { axes, reduce, body } = &mut node.kind {
            let exprs = &mut rebuild.graph.exprs;
            *body = rewrite(exprs, *body, &mut HashMap::new(), &mut |x, e| logarithm(x, e, &known));
            // `1 - p` of such a `p` is one, too.
            let whole = probability(exprs, *body, &known).unwrap_or(*body);
            if reduce.is_none() && is_probability(exprs, whole) {
                found = Some((axes.clone(), whole));
            }
        }
        let new = rebuild.graph.add(node);
        known.extend(found.map(|f| (new, f)));
        rebuild.set(id, Replacement::Node(new));
    }
    rebuild.finish(model);
}

/// `sigmoid(a)`, `exp(a)`, or such a one taken from 1.
fn is_probability(x: &Exprs, e: ExprId) -> bool {
    match x.get(e) {
        Expr::Op(Op::Sigmoid | Op::Exp, _) => true,
        // 1 - exp(a) = -expm1(a)
        Expr::Op(Op::Neg, args) => matches!(x.get(args[0]), Expr::Op(Op::Expm1, _)),
        Expr::Op(Op::Sub, args) => x.as_real(args[0]) == Some(1.0) && is_probability(x, args[1]),
        _ => false,
    }
}

/// `log(p[i])`, `log(1 - p[i])` and the same of `log1p`, with the body of `p` in its place.
fn logarithm(x: &mut Exprs, e: ExprId, known: &Known) -> Option<ExprId> {
    let Expr::Op(op @ (Op::Log | Op::Log1p), args) = x.get(e).clone() else { return None };
    let inside = probability(x, args[0], known)?;
    Some(x.op(op, &[inside]))
}

/// `p[i]`, `-p[i]` or `1 - p[i]` by the body of `p`.
fn probability(x: &mut Exprs, e: ExprId, known: &Known) -> Option<ExprId> {
    match x.get(e).clone() {
        Expr::Read { node, at, otherwise: None } => {
            let (axes, body) = known.get(&node)?;
            let places = axes.iter().copied().zip(at.iter().copied()).collect();
            Some(substitute(x, *body, &places))
        }
        Expr::Op(Op::Neg, args) => {
            let inside = probability(x, args[0], known)?;
            Some(x.neg(inside))
        }
        Expr::Op(Op::Sub, args) if x.as_real(args[0]) == Some(1.0) => {
            let inside = probability(x, args[1], known)?;
            Some(x.sub(args[0], inside))
        }
        _ => None,
    }
}
