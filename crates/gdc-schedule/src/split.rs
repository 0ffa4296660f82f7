//! Index variables that stand for several axes of what is stored.
//!
//! A dense layer over a flattened image reads `image[b, i div 28, i % 28]`. Its loop over `i`
//! becomes one over rows and one over columns, so that no place needs a division. The same goes
//! for what asks `i div 2` and `i % 2`, as the derivative of a maximum over windows does.

use crate::build::Build;
use crate::emit::Emit;
use crate::group::Group;
use crate::int::Int;
use crate::plan::Plan;
use crate::storage::Storage;
use crate::views::matching;
use gdc_ir::{Affine, Expr, ExprId, Exprs, NodeId, NodeKind, Op, Var};
use std::collections::BTreeMap;

/// The loops of an axis, outermost first.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub name: String,
    /// Their extents; one, unless the axis is split. None for an axis that stands still.
    pub factors: Vec<usize>,
    /// Where the axis stands still.
    pub still: Option<Int>,
    /// Where its loops begin: they are cut into parts.
    pub from: i64,
}

impl Axis {
    /// The extent of the innermost loop.
    pub fn inner(&self) -> usize {
        self.factors.last().copied().unwrap_or(1)
    }
}

/// The variables of a group to split, with the extents to split them into.
pub(crate) fn splits(plan: &Plan, storage: &Storage, build: &Build, group: &Group) -> BTreeMap<Var, Vec<usize>> {
    let (mut found, mut divided) = (BTreeMap::new(), Vec::new());
    let mut look = |node: NodeId, at: &[Option<Var>]| {
        let source = plan.source(node);
        let Some(buffer) = storage.buffer(source) else { return };
        let stored = storage.batch_first_shape(source, buffer, build);
        for (seen_axes, stored_axes) in matching(&plan.graph.node(node).shape, &stored) {
            let factors: Vec<usize> = stored[stored_axes].iter().copied().filter(|&n| n > 1).collect();
            let var = if seen_axes.len() == 1 { at[seen_axes.start] } else { None };
            if let Some(var) = var
                && let Some(factors) = covering(factors, plan.graph.exprs.extent(var))
            {
                found.entry(var).or_insert(factors);
            }
        }
    };
    for &id in &group.members {
        let NodeKind::Compute { axes, body, .. } = &plan.graph.node(id).kind else { continue };
        let exprs = &plan.graph.exprs;
        exprs.walk(*body, &mut |e| {
            if let Expr::Read { node, at, otherwise: None } = exprs.get(e) {
                let at: Vec<Option<Var>> = at.iter().map(|&i| exprs.as_var(i)).collect();
                look(*node, &at);
            }
        });
        divided.push((axes, *body));
        let at: Vec<Option<Var>> = axes.iter().map(|&v| Some(v)).collect();
        look(id, &at);
    }
    for (axes, body) in divided {
        for (var, divisor) in divisors(&plan.graph.exprs, body) {
            let extent = plan.graph.exprs.extent(var);
            if axes.contains(&var) && extent > divisor && extent.is_multiple_of(divisor) {
                found.entry(var).or_insert_with(|| vec![extent / divisor, divisor]);
            }
        }
    }
    found
}

/// The variables that are divided by a constant, and the first such constant of each.
fn divisors(exprs: &Exprs, body: ExprId) -> BTreeMap<Var, usize> {
    let mut found = BTreeMap::new();
    exprs.walk(body, &mut |e| {
        if let Expr::Op(Op::IntDiv | Op::IntMod, args) = exprs.get(e)
            && let Some(var) = exprs.as_var(args[0])
            && let Some(divisor) = exprs.as_affine(args[1]).and_then(Affine::as_constant)
            && let Ok(divisor @ 2..) = usize::try_from(divisor)
        {
            found.entry(var).or_insert(divisor);
        }
    });
    found
}

/// The loops that visit the first `extent` places of axes; none if they end within a row.
fn covering(mut factors: Vec<usize>, extent: usize) -> Option<Vec<usize>> {
    let (first, rest) = factors.split_first_mut()?;
    let row: usize = rest.iter().product();
    *first = extent / row;
    (!rest.is_empty() && extent.is_multiple_of(row) && *first > 1).then_some(factors)
}

/// The axes of a group's shape, split where some member needs it.
pub(crate) fn axes(emit: &Emit<'_>, group: &Group) -> Vec<Axis> {
    let graph = &emit.plan.graph;
    let vars = |k: usize| {
        group.members.iter().filter_map(move |&id| match &graph.node(id).kind {
            NodeKind::Compute { axes, .. } => axes.get(k).copied(),
            _ => None,
        })
    };
    let axis = |(k, &n): (usize, &usize)| {
        let name = vars(k).next().map_or(String::new(), |v| graph.exprs.var(v).name.clone());
        if let Some((_, step)) = emit.time.as_ref().filter(|(axis, _)| *axis == k) {
            return Axis { name, factors: Vec::new(), still: Some(step.clone()), from: 0 };
        }
        let factors = vars(k).find_map(|v| emit.splits.get(&v)).cloned().unwrap_or_else(|| vec![n]);
        Axis { name, factors, still: None, from: 0 }
    };
    group.shape.iter().enumerate().map(axis).collect()
}

impl Emit<'_> {
    /// Loops over axes, outermost first, but the batch innermost where that is how the group
    /// is stored. For those that are `kept` the innermost loop is left to the body, which is
    /// given the place where it starts.
    pub fn repeat_axes(&mut self, axes: &[Axis], kept: &[usize], body: impl FnOnce(&mut Self, Vec<Int>)) {
        let mut order: Vec<usize> = (0..axes.len()).collect();
        if self.batch_inside && !order.is_empty() {
            order.rotate_left(1);
        }
        let loops = |k: usize| {
            let n = axes[k].factors.len();
            &axes[k].factors[..if kept.contains(&k) { n - 1 } else { n }]
        };
        let dims: Vec<(String, usize)> =
            order.iter().flat_map(|&k| loops(k).iter().map(move |&n| (axes[k].name.clone(), n))).collect();
        let counts: Vec<usize> = order.iter().map(|&k| loops(k).len()).collect();
        self.repeat_all(&dims, |emit, at| {
            let mut at = at.into_iter();
            let mut place = vec![Int::default(); axes.len()];
            for (&k, &count) in order.iter().zip(&counts) {
                let mut flat = Int::default();
                for (n, i) in axes[k].factors.iter().zip(at.by_ref().take(count)) {
                    flat = flat.scaled(*n as i64).plus(&i, 1);
                }
                let scale = if kept.contains(&k) { axes[k].inner() } else { 1 };
                let place_k = axes[k].still.clone().unwrap_or_else(|| flat.scaled(scale as i64));
                place[k] = place_k.shifted(axes[k].from);
            }
            body(emit, place);
        });
    }
}
