//! Loops cut where a test of their own index changes its answer, so that each part runs without
//! the test: the pieces of a concatenation, the inside and the borders of a padded tensor.

use crate::emit::Emit;
use crate::group::Group;
use crate::split::Axis;
use gdc_ir::{Affine, Expr, ExprId, NodeKind, Op, Var};
use std::collections::BTreeSet;

/// More parts than this are not worth their code.
const MOST: usize = 9;

/// The axes of each part of a group's loops; one part, as given, where there is nothing to cut.
pub(crate) fn parts(emit: &Emit<'_>, group: &Group, axes: &[Axis]) -> Vec<Vec<Axis>> {
    let mut all = vec![axes.to_vec()];
    for (k, axis) in axes.iter().enumerate() {
        let whole = axis.still.is_none() && axis.factors.len() == 1;
        let cuts = if whole { cuts(emit, group, k) } else { BTreeSet::new() };
        if cuts.is_empty() {
            continue;
        }
        if all.len() * (cuts.len() + 1) > MOST {
            return vec![axes.to_vec()];
        }
        let ends: Vec<i64> = [0].into_iter().chain(cuts).chain([axis.inner() as i64]).collect();
        let cut = |axes: &Vec<Axis>| -> Vec<Vec<Axis>> {
            let part = |w: &[i64]| {
                let mut axes = axes.clone();
                (axes[k].from, axes[k].factors) = (w[0], vec![(w[1] - w[0]) as usize]);
                axes
            };
            ends.windows(2).map(part).collect()
        };
        all = all.iter().flat_map(cut).collect();
    }
    all
}

/// Where along an axis the answer of some test changes.
fn cuts(emit: &Emit<'_>, group: &Group, k: usize) -> BTreeSet<i64> {
    let graph = &emit.plan.graph;
    let exprs = &graph.exprs;
    let mut found = BTreeSet::new();
    for &id in &group.members {
        let NodeKind::Compute { axes, reduce: None, body } = &graph.node(id).kind else { return BTreeSet::new() };
        let Some(&var) = axes.get(k) else { continue };
        let extent = exprs.extent(var) as i64;
        let mut cut = |at: Option<i64>| found.extend(at.filter(|&c| c > 0 && c < extent));
        exprs.walk(*body, &mut |e| match exprs.get(e) {
            Expr::Read { node, at, otherwise: Some(_) } => {
                for (&place, &n) in at.iter().zip(&graph.node(*node).shape) {
                    cut(affine(emit, place).and_then(|a| turns_at(&a, var)));
                    let beyond = affine(emit, place).and_then(|a| a.add_scaled(&Affine::constant(n as i64), -1));
                    cut(beyond.and_then(|a| turns_at(&a, var)));
                }
            }
            Expr::Op(op @ (Op::Lt | Op::Le | Op::Eq | Op::Ne), args) => {
                let (Some(a), Some(b)) = (affine(emit, args[0]), affine(emit, args[1])) else { return };
                // a < b is b - a >= 1, and a <= b is b - a >= 0.
                let Some(d) = b.add_scaled(&a, -1) else { return };
                let one_less = d.add_scaled(&Affine::constant(1), -1);
                if matches!(op, Op::Le | Op::Eq | Op::Ne) {
                    cut(turns_at(&d, var));
                }
                if matches!(op, Op::Lt | Op::Eq | Op::Ne) {
                    cut(one_less.and_then(|d| turns_at(&d, var)));
                }
            }
            _ => {}
        });
    }
    found
}

fn affine(emit: &Emit<'_>, e: ExprId) -> Option<Affine> {
    emit.plan.graph.exprs.as_affine(e).cloned()
}

/// The first index at which the sign of a form that depends on it alone is another than before.
fn turns_at(form: &Affine, var: Var) -> Option<i64> {
    match form.terms.as_slice() {
        // v + c >= 0 from -c on
        [(v, 1)] if *v == var => Some(-form.constant),
        // c - v >= 0 up to c
        [(v, -1)] if *v == var => Some(form.constant + 1),
        _ => None,
    }
}
