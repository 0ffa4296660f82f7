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
            if reduce.is_none() && matches!(exprs.get(*body), Expr::Op(Op::Sigmoid | Op::Exp, _)) {
                found = Some((axes.clone(), *body));
            }
        }
        let new = rebuild.graph.add(node);
        known.extend(found.map(|f| (new, f)));
        rebuild.set(id, Replacement::Node(new));
    }
    rebuild.finish(model);
}

/// `log(p[i])` and `log(1 - p[i])` with the body of `p` in its place.
fn logarithm(x: &mut Exprs, e: ExprId, known: &Known) -> Option<ExprId> {
    let Expr::Op(Op::Log, args) = x.get(e).clone() else { return None };
    if let Some(inside) = body_of(x, args[0], known) {
        return Some(x.op(Op::Log, &[inside]));
    }
    let Expr::Op(Op::Sub, parts) = x.get(args[0]).clone() else { return None };
    let inside = body_of(x, parts[1], known).filter(|&b| matches!(x.get(b), Expr::Op(Op::Sigmoid, _)))?;
    let rest = x.sub(parts[0], inside);
    (x.as_real(parts[0]) == Some(1.0)).then(|| x.op(Op::Log, &[rest]))
}

fn body_of(x: &mut Exprs, read: ExprId, known: &Known) -> Option<ExprId> {
    let Expr::Read { node, at, otherwise: None } = x.get(read).clone() else { return None };
    let (axes, body) = known.get(&node)?;
    let places = axes.iter().copied().zip(at.iter().copied()).collect();
    Some(substitute(x, *body, &places))
}
