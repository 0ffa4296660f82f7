//! The invariants of a model's roots: what its lists of nodes must hold.

use super::Checker;
use crate::expr::{Expr, ExprId};
use crate::graph::{Kept, Leaf, Model, NodeId, NodeKind, Update};
use crate::ops::Ty;
use std::collections::BTreeSet;

/// Checks invariants 16 to 21.
pub(super) fn check(c: &mut Checker<'_>) {
    let model = c.model;
    leaves(c);
    for id in model.loss.into_iter().chain(model.metrics.iter().map(|m| m.node)) {
        let node = c.graph.node(id);
        if !node.shape.is_empty() || node.ty != Ty::Real {
            let message = format!("is a loss or metric, but is {:?} of shape {:?}", node.ty, node.shape);
            c.report(id, message);
        }
    }
    inits(c, &model.params, &[]);
    inits(c, &model.states, &[Leaf::Param]);
    next_values(c, &model.gradients, &[Leaf::Param], "gradient");
    next_values(c, &model.updates, &[Leaf::Param, Leaf::State], "update");
    outputs(c);
}

/// The list of a model in which a leaf of this kind stands.
fn listed(model: &Model, leaf: Leaf) -> Vec<NodeId> {
    let kept = |list: &[Kept]| list.iter().map(|k| k.node).collect();
    match leaf {
        Leaf::Input => {
            let entries = model.entries.iter().flat_map(|e| e.inputs.iter().map(|i| i.node));
            model.inputs.iter().copied().chain(entries).collect()
        }
        Leaf::Target => model.targets.clone(),
        Leaf::Param => kept(&model.params),
        Leaf::State => kept(&model.states),
        Leaf::SampleWeight => model.sample_weight.into_iter().collect(),
        Leaf::Counter => model.counter.into_iter().collect(),
    }
}

/// 16 and 17.
fn leaves(c: &mut Checker<'_>) {
    let kinds = [Leaf::Input, Leaf::Target, Leaf::Param, Leaf::State, Leaf::SampleWeight, Leaf::Counter];
    for kind in kinds {
        let list = listed(c.model, kind);
        let mut seen = BTreeSet::new();
        for &id in &list {
            if c.graph.node(id).leaf() != Some(kind) {
                c.report(id, format_args!("is in the list of {kind:?}, but is no such leaf"));
            }
            if !seen.insert(id) {
                c.report(id, format_args!("is in the list of {kind:?} twice"));
            }
        }
        let graph = c.graph;
        for (id, node) in graph.nodes().filter(|(_, n)| n.leaf() == Some(kind)) {
            if !seen.contains(&id) {
                c.report(id, format_args!("is a leaf that the list of {kind:?} lacks"));
            }
            let (per_sample, fits) = match kind {
                Leaf::Input | Leaf::Target => (true, node.ty != Ty::Int || node.range.is_some()),
                Leaf::Param => (false, node.ty == Ty::Real),
                Leaf::State => (false, true),
                Leaf::SampleWeight => (true, node.ty == Ty::Real && node.shape.len() == 1),
                Leaf::Counter => (false, node.ty == Ty::Int && node.shape.is_empty()),
            };
            if node.per_sample != per_sample {
                c.report(id, format_args!("is {kind:?}, but per sample is {}", node.per_sample));
            }
            if !fits {
                let (ty, shape) = (node.ty, &node.shape);
                c.report(id, format_args!("is {kind:?}, but {ty:?} of shape {shape:?} and range {:?}", node.range));
            }
        }
    }
}

/// 19.
fn inits(c: &mut Checker<'_>, list: &[Kept], may_read: &[Leaf]) {
    for kept in list {
        same_shape(c, kept.node, kept.init, "initial value");
        for id in c.graph.reachable([kept.init]) {
            if let Some(leaf) = c.graph.node(id).leaf()
                && !may_read.contains(&leaf)
            {
                let read = &c.graph.node(id).name;
                c.report(kept.node, format_args!("has an initial value that reads {read} ({leaf:?})"));
            }
        }
    }
}

/// 20.
fn next_values(c: &mut Checker<'_>, list: &[Update], of: &[Leaf], what: &str) {
    let mut seen = BTreeSet::new();
    for update in list {
        if !c.graph.node(update.target).leaf().is_some_and(|leaf| of.contains(&leaf)) {
            c.report(update.target, format_args!("has a value as {what}, but is none of {of:?}"));
        }
        if !seen.insert(update.target) {
            c.report(update.target, format_args!("has two values as {what}"));
        }
        if c.graph.node(update.value).per_sample {
            c.report(update.target, format_args!("has a per-sample {what}"));
        }
        same_shape(c, update.target, update.value, what);
    }
}

fn same_shape(c: &mut Checker<'_>, leaf: NodeId, value: NodeId, what: &str) {
    let (a, b) = (c.graph.node(leaf), c.graph.node(value));
    if a.shape != b.shape || a.ty != b.ty {
        let message = format!(
            "is {:?} of shape {:?}, but its {what} {} is {:?} of shape {:?}",
            a.ty, a.shape, b.name, b.ty, b.shape
        );
        c.report(leaf, message);
    }
}

/// 21.
fn outputs(c: &mut Checker<'_>) {
    let graph = c.graph;
    let entries = c.model.entries.iter().map(|e| e.output);
    for id in graph.reachable(c.model.outputs.iter().map(|o| o.node).chain(entries)) {
        let node = graph.node(id);
        if node.leaf() == Some(Leaf::Target) {
            c.report(id, "is a target that an output needs");
        }
        if !node.per_sample {
            continue;
        }
        let (own, roots) = match &node.kind {
            NodeKind::Compute { axes, body, .. } => (axes.first().copied(), vec![*body]),
            NodeKind::Scatter { at, body, .. } => {
                (at.first().and_then(|&e| graph.exprs.as_var(e)), at.iter().copied().chain([*body]).collect())
            }
            NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Reshape(_) | NodeKind::Recurrence { .. } => continue,
        };
        let mut elsewhere: Option<ExprId> = None;
        for root in roots {
            graph.exprs.walk(root, &mut |e| {
                if let Expr::Read { node, at, .. } = graph.exprs.get(e)
                    && graph.node(*node).per_sample
                    && at.first().and_then(|&p| graph.exprs.as_var(p)) != own
                {
                    elsewhere = elsewhere.or(Some(e));
                }
            });
        }
        if let Some(e) = elsewhere {
            let read = crate::text::expression(graph, e);
            c.report(id, format_args!("is needed by an output, but reads other samples: {read}"));
        }
    }
}
