//! `detach` and stated derivatives have done their work once everything is differentiated:
//! they are taken off.

use crate::build::Build;
use crate::rebuild::{Rebuild, Replacement};
use gdc_ir::{Expr, ExprId, Exprs, Model, NodeKind, Op};
use std::collections::HashMap;

/// Takes `detach` and stated derivatives off every expression, which lets `x + detach(y - x)` become `y`.
pub fn take_off_detach(model: &mut Model) {
    let needed = model.graph.reachable(model.roots());
    let mut rebuild = Rebuild::new(model);
    let mut memo = HashMap::new();
    for id in needed {
        let mut node = rebuild.old(id).clone();
        node.kind = rebuild.kind(&node.kind);
        if let NodeKind::Compute { body, .. } | NodeKind::Scatter { body, .. } = &mut node.kind {
            *body = strip(&mut rebuild.graph.exprs, *body, &mut memo);
        }
        let new = rebuild.graph.add(node);
        rebuild.set(id, Replacement::Node(new));
    }
    rebuild.finish(model);
}

fn strip(x: &mut Exprs, e: ExprId, memo: &mut HashMap<ExprId, ExprId>) -> ExprId {
    if let Some(&done) = memo.get(&e) {
        return done;
    }
    let result = match x.get(e).clone() {
        Expr::Op(Op::Detach | Op::Stated, args) => strip(x, args[0], memo),
        Expr::Op(op, args) => {
            let args: Vec<ExprId> = args.iter().map(|&a| strip(x, a, memo)).collect();
            x.op(op, &args)
        }
        Expr::Read { node, at, otherwise: Some(outside) } => {
            let ty = x.ty(e);
            let outside = strip(x, outside, memo);
            x.read(node, ty, at.to_vec(), Some(outside))
        }
        Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) | Expr::Read { .. } | Expr::Random { .. } => e,
    };
    memo.insert(e, result);
    result
}
