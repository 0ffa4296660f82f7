//! Axes of extent 1.

use crate::build::{Build, substitute};
use crate::rebuild::{Rebuild, Replacement};
use gdc_ir::{Expr, ExprId, Exprs, Model, NodeKind, Red, Var};
use std::collections::HashMap;

/// Whether an axis has one place only. Not that of a batch of one sample: which tensors differ
/// between samples must still be seen from their indices.
pub fn is_unit(exprs: &Exprs, v: Var) -> bool {
    exprs.extent(v) == 1 && !exprs.var(v).batch
}

/// An index of extent 1 is 0, and a reduction over it is none.
pub fn unit_axes(exprs: &mut Exprs, kind: NodeKind) -> NodeKind {
    let NodeKind::Compute { axes, reduce, body } = kind else { return kind };
    let over = reduce.iter().flat_map(|r| &r.over).copied();
    let units: Vec<Var> = axes.iter().copied().chain(over).filter(|&v| is_unit(exprs, v)).collect();
    if units.is_empty() {
        return NodeKind::Compute { axes, reduce, body };
    }
    let zero = exprs.int(0);
    let body = substitute(exprs, body, &units.iter().map(|&v| (v, zero)).collect());
    let reduce = match reduce {
        // The place of the only element would be 0, an integer: these keep their index.
        Some(r) if matches!(r.op, Red::Argmax | Red::Argmin) => Some(r),
        Some(mut r) => {
            r.over.retain(|v| !units.contains(v));
            (!r.over.is_empty()).then_some(r)
        }
        None => None,
    };
    NodeKind::Compute { axes, reduce, body }
}

/// The other way round, once nothing needs to be recognised any more: in a statement with an
/// axis of extent 1, reads of such axes are at that axis, so that a statement over `[8, 1]`
/// is seen to read other tensors of that shape element for element.
pub fn name_unit_places(model: &mut Model) {
    let needed = model.graph.reachable(model.roots());
    let mut rebuild = Rebuild::new(model);
    for id in needed {
        let mut node = rebuild.old(id).clone();
        node.kind = rebuild.kind(&node.kind);
        if let NodeKind::Compute { axes, body, .. } = &mut node.kind {
            let unit = axes.iter().copied().rfind(|&v| is_unit(&rebuild.graph.exprs, v));
            if let Some(unit) = unit {
                let graph = &mut rebuild.graph;
                let shapes: Vec<Vec<usize>> = graph.nodes().map(|(_, n)| n.shape.clone()).collect();
                *body = place(&mut graph.exprs, *body, unit, &shapes, &mut HashMap::new());
            }
        }
        let new = rebuild.graph.add(node);
        rebuild.set(id, Replacement::Node(new));
    }
    rebuild.finish(model);
}

fn place(x: &mut Exprs, e: ExprId, unit: Var, shapes: &[Vec<usize>], memo: &mut HashMap<ExprId, ExprId>) -> ExprId {
    if let Some(&done) = memo.get(&e) {
        return done;
    }
    let result = match x.get(e).clone() {
        Expr::Read { node, at, otherwise } => {
            let ty = x.ty(e);
            let extents = shapes.get(node.0 as usize).cloned().unwrap_or_default();
            let mut places = Vec::with_capacity(at.len());
            for (&i, extent) in at.iter().zip(extents) {
                places.push(if extent == 1 && x.as_int(i) == Some(0) {
                    x.index(unit)
                } else {
                    place(x, i, unit, shapes, memo)
                });
            }
            let otherwise = otherwise.map(|o| place(x, o, unit, shapes, memo));
            x.read(node, ty, places, otherwise)
        }
        Expr::Op(op, args) => {
            let args: Vec<ExprId> = args.iter().map(|&a| place(x, a, unit, shapes, memo)).collect();
            x.op(op, &args)
        }
        Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) | Expr::Random { .. } => e,
    };
    memo.insert(e, result);
    result
}
