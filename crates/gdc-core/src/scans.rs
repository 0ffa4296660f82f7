//! Equal scans are one: two recurrences that begin alike and whose steps leave the same are the
//! same tensor.
//!
//! Whether the steps leave the same can be asked only of what they read, which is the recurrences
//! themselves. So all that may be equal are taken to be, and told apart again as long as their
//! steps differ; what is never told apart is equal, step by step.

use crate::fuse::{Canonical, Key};
use gdc_ir::rewrite::redirect;
use gdc_ir::{Expr, Graph, NodeId, NodeKind, Op};
use std::collections::{BTreeMap, HashMap};

/// For each recurrence that equals an earlier one, that one.
pub fn equal_recurrences(graph: &mut Graph, needed: &[NodeId]) -> BTreeMap<NodeId, NodeId> {
    let mut classes = alike(graph, needed);
    loop {
        if classes.values().all(|members| members.len() < 2) {
            return BTreeMap::new();
        }
        let firsts = firsts(&classes);
        let same = representatives(graph, needed, &firsts);
        let of = |id: NodeId| same.get(&id).copied().unwrap_or(id);
        let mut finer: BTreeMap<(u32, NodeId, NodeId), Vec<NodeId>> = BTreeMap::new();
        for (&class, members) in &classes {
            for &id in members {
                if let NodeKind::Recurrence { init, next, .. } = graph.node(id).kind {
                    finer.entry((class, of(init), of(next))).or_default().push(id);
                }
            }
        }
        let settled = finer.len() == classes.len();
        classes = finer.into_values().enumerate().map(|(i, members)| (i as u32, members)).collect();
        if settled {
            return firsts.into_iter().filter(|(id, first)| id != first).collect();
        }
    }
}

/// The recurrences that look alike from outside, by the number of their class.
fn alike(graph: &Graph, needed: &[NodeId]) -> BTreeMap<u32, Vec<NodeId>> {
    let mut classes: BTreeMap<_, Vec<NodeId>> = BTreeMap::new();
    for &id in needed {
        if let NodeKind::Recurrence { next, axis, reverse, .. } = graph.node(id).kind {
            let node = graph.node(id);
            let look = (node.shape.clone(), axis, reverse, node.per_sample, operators(graph, next));
            classes.entry(look).or_default().push(id);
        }
    }
    classes.into_values().enumerate().map(|(i, members)| (i as u32, members)).collect()
}

/// The operators of a statement: equal ones have equal ones.
fn operators(graph: &Graph, id: NodeId) -> Vec<Op> {
    let NodeKind::Compute { body, .. } = graph.node(id).kind else { return Vec::new() };
    let mut found = Vec::new();
    graph.exprs.walk(body, &mut |e| {
        if let Expr::Op(op, _) = graph.exprs.get(e) {
            found.push(*op);
        }
    });
    found.sort_unstable();
    found.dedup();
    found
}

/// The first of each recurrence's class.
fn firsts(classes: &BTreeMap<u32, Vec<NodeId>>) -> BTreeMap<NodeId, NodeId> {
    let mut firsts = BTreeMap::new();
    for members in classes.values() {
        for &id in members {
            firsts.insert(id, members[0]);
        }
    }
    firsts
}

/// For each node the first that equals it, if the recurrences of a class are equal.
fn representatives(
    graph: &mut Graph,
    needed: &[NodeId],
    firsts: &BTreeMap<NodeId, NodeId>,
) -> BTreeMap<NodeId, NodeId> {
    let mut same: BTreeMap<NodeId, NodeId> = firsts.clone();
    let mut seen: HashMap<Key, NodeId> = HashMap::new();
    let mut canonical = Canonical::default();
    let mut memo = HashMap::new();
    for &id in needed {
        let node = graph.node(id).clone();
        let kind = match &node.kind {
            NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Recurrence { .. } => continue,
            NodeKind::Reshape(source) => NodeKind::Reshape(same.get(source).copied().unwrap_or(*source)),
            NodeKind::Compute { axes, reduce, body } => {
                let body = redirect(graph, *body, &same, &mut memo);
                NodeKind::Compute { axes: axes.clone(), reduce: reduce.clone(), body }
            }
            NodeKind::Scatter { domain, at, body } => {
                let at = at.iter().map(|&e| redirect(graph, e, &same, &mut memo)).collect();
                let body = redirect(graph, *body, &same, &mut memo);
                NodeKind::Scatter { domain: domain.clone(), at, body }
            }
        };
        if let Some(key) = canonical.key(&mut graph.exprs, &kind, &node) {
            let first = *seen.entry(key).or_insert(id);
            same.insert(id, first);
        }
    }
    same
}
