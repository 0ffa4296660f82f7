//! Sums that skip what lies beyond a border.
//!
//! The gradient of a convolution reads `dy[i - k]` wherever that is inside. Where the test
//! depends on outer loops alone, it stands around the inner ones: then nothing is added for
//! places outside, and no copy with a border is needed.

use crate::emit::{Emit, Env, simplified};
use gdc_ir::program::Value;
use gdc_ir::{Expr, ExprId, NodeId, Op, Red, Var};

/// Fewer turns inside than this do not repay a test.
const ENOUGH: usize = 4;

/// A place of a read that may lie outside of an axis of so many elements.
struct Border {
    place: ExprId,
    extent: usize,
}

/// The turns of a sum of products, those that tests of borders need first. The second part is
/// empty where there are no such tests, or where they would stand in the way.
pub(crate) fn split(
    emit: &Emit<'_>,
    op: Red,
    over: &[Var],
    a: &[ExprId],
    b: &[ExprId],
    own: &[Var],
) -> (Vec<Var>, Vec<Var>) {
    let exprs = &emit.plan.graph.exprs;
    let whole = (over.to_vec(), Vec::new());
    let borders = borders(emit, a, b);
    let tested = |v: &Var| borders.iter().any(|border| exprs.free_vars(border.place).contains(v));
    let affine = borders.iter().all(|border| exprs.as_affine(border.place).is_some());
    if op != Red::Sum || borders.is_empty() || !affine || own.iter().any(tested) {
        return whole;
    }
    let (outer, inner): (Vec<Var>, Vec<Var>) = over.iter().copied().partition(tested);
    let turns: usize = inner.iter().map(|&v| exprs.extent(v)).product();
    let splits = outer.iter().any(|v| emit.splits.contains_key(v));
    if turns < ENOUGH || splits { whole } else { (outer, inner) }
}

/// The test that all factors lie inside, which from here on is taken as given; `None` where
/// there is nothing to test.
pub(crate) fn test(emit: &mut Emit<'_>, a: &[ExprId], b: &[ExprId], env: &Env) -> Option<Value> {
    let mut all = Value::Bool(true);
    for border in borders(emit, a, b) {
        let place = emit.int(border.place, env);
        for test in emit.within(&place, border.extent) {
            if test != Value::Bool(true) && !emit.assumed.contains(&test) {
                emit.assumed.push(test.clone());
                all = simplified(Op::And, vec![all, test]);
            }
        }
    }
    (all != Value::Bool(true)).then_some(all)
}

/// Where factors that are zero outside may be outside.
fn borders(emit: &Emit<'_>, a: &[ExprId], b: &[ExprId]) -> Vec<Border> {
    let exprs = &emit.plan.graph.exprs;
    let mut found = Vec::new();
    for &factor in a.iter().chain(b) {
        if let Expr::Read { node, at, otherwise: Some(zero) } = exprs.get(factor)
            && exprs.as_real(*zero) == Some(0.0)
        {
            found.extend(outside(emit, *node, at));
        }
    }
    found
}

fn outside(emit: &Emit<'_>, node: NodeId, at: &[ExprId]) -> Vec<Border> {
    let graph = &emit.plan.graph;
    let extents = graph.node(node).shape.iter();
    let borders = at.iter().zip(extents).map(|(&place, &extent)| Border { place, extent });
    borders
        .filter(|border| {
            let range = gdc_ir::ranges::int_interval(graph, border.place);
            range.is_none_or(|(low, high)| low < 0 || high >= border.extent as i64)
        })
        .collect()
}
