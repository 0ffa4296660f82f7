//! Checkpoints: what the backward pass needs of the inside of `checkpoint(e)` is computed again
//! from what `e` reads, so that it need not be kept (Griewank and Walther, 2000; Chen et al.,
//! 2016).
//!
//! This comes last, so that no other pass finds out that something is computed twice.

use crate::rebuild::{Rebuild, Replacement};
use gdc_ir::{Checkpoint, Graph, Model, Node, NodeId, NodeKind};
use std::collections::{BTreeMap, BTreeSet};

/// Gives every checkpoint's inside a second copy, right before the first statement of the backward
/// pass that needs it, which it and all after it read.
pub fn compute_again(model: &mut Model) {
    if model.checkpoints.is_empty() {
        return;
    }
    let checkpoints = std::mem::take(&mut model.checkpoints);
    let (forward, backward) = directions(model, &checkpoints);
    let insides = insides(model, &checkpoints, &forward);
    let wanted = wanted(&model.graph, &insides, &backward);
    let mut rebuild = Rebuild::new(model);
    let add = |rebuild: &mut Rebuild, id: NodeId, name: Option<String>| {
        let mut node: Node = rebuild.old(id).clone();
        node.kind = rebuild.kind(&node.kind);
        node.name = name.unwrap_or(node.name);
        let new = rebuild.graph.add(node);
        rebuild.set(id, Replacement::Node(new));
    };
    for &id in &forward {
        add(&mut rebuild, id, None);
    }
    let mut made = BTreeSet::new();
    for (id, needs) in backward {
        for inside in needs.iter().filter_map(|n| insides.get(n)).filter(|&&k| made.insert(k)) {
            rebuild.close();
            for &again in wanted.get(inside).into_iter().flatten() {
                let name = format!("{}.again", rebuild.old(again).name);
                add(&mut rebuild, again, Some(name));
            }
            rebuild.close();
        }
        add(&mut rebuild, id, None);
    }
    rebuild.finish(model);
}

/// The statements that a prediction, the loss or a metric needs, and those that only the rest
/// needs, with what they read.
fn directions(model: &Model, checkpoints: &[Checkpoint]) -> (Vec<NodeId>, Vec<(NodeId, Vec<NodeId>)>) {
    let graph = &model.graph;
    let mut roots: Vec<NodeId> = model.loss.iter().chain(&model.evaluation).copied().collect();
    roots.extend(model.outputs.iter().chain(&model.metrics).chain(&model.held).map(|n| n.node));
    roots.extend(model.entries.iter().flat_map(|e| e.inputs.iter().map(|i| i.node).chain([e.output])));
    roots.extend(model.inputs.iter().chain(&model.targets));
    roots.extend(model.params.iter().chain(&model.states).flat_map(|k| [k.node, k.init]));
    roots.extend(model.sample_weight.iter().chain(&model.counter));
    roots.extend(checkpoints.iter().flat_map(|c| c.inputs.iter().chain(&c.results)));
    let forward = graph.reachable(roots);
    let all = graph.reachable(model.roots());
    let only = all.into_iter().filter(|id| forward.binary_search(id).is_err());
    let backward = only.map(|id| (id, graph.inputs(id))).collect();
    (forward, backward)
}

/// What stands inside of which checkpoint; of those inside of each other, the outer one counts.
fn insides(model: &Model, checkpoints: &[Checkpoint], forward: &[NodeId]) -> BTreeMap<NodeId, usize> {
    let graph = &model.graph;
    let outputs = model.outputs.iter().chain(&model.metrics).map(|n| n.node).chain(model.loss).chain(model.evaluation);
    let kept: BTreeSet<NodeId> = outputs.collect();
    let mut found: Vec<(usize, BTreeSet<NodeId>)> =
        checkpoints.iter().map(|c| inside(graph, c, model.sample_weight.is_some())).enumerate().collect();
    found.sort_by_key(|(_, nodes)| std::cmp::Reverse(nodes.len()));
    let mut insides = BTreeMap::new();
    for (k, nodes) in found {
        for id in nodes.into_iter().filter(|id| !kept.contains(id) && forward.binary_search(id).is_ok()) {
            insides.entry(id).or_insert(k);
        }
    }
    insides
}

/// The statements between what a checkpoint reads and what it is worth. What is the same for all
/// samples is no memory to speak of.
fn inside(graph: &Graph, checkpoint: &Checkpoint, samples: bool) -> BTreeSet<NodeId> {
    let mut inside = BTreeSet::new();
    let mut open: Vec<NodeId> = checkpoint.results.iter().flat_map(|&r| graph.inputs(r)).collect();
    while let Some(id) = open.pop() {
        let node = graph.node(id);
        let outside = checkpoint.inputs.contains(&id) || checkpoint.results.contains(&id);
        let fixed = matches!(node.kind, NodeKind::Leaf(_) | NodeKind::Literal(_));
        if outside || fixed || (samples && !node.per_sample) || !inside.insert(id) {
            continue;
        }
        open.extend(graph.inputs(id));
    }
    inside
}

/// What of each inside is computed again: what the backward pass reads, and what that needs.
fn wanted(
    graph: &Graph,
    insides: &BTreeMap<NodeId, usize>,
    backward: &[(NodeId, Vec<NodeId>)],
) -> BTreeMap<usize, BTreeSet<NodeId>> {
    let mut wanted: BTreeMap<usize, BTreeSet<NodeId>> = BTreeMap::new();
    let mut open: Vec<NodeId> = backward.iter().flat_map(|(_, needs)| needs).copied().collect();
    while let Some(id) = open.pop() {
        let Some(k) = insides.get(&id) else { continue };
        if wanted.entry(*k).or_default().insert(id) {
            open.extend(graph.inputs(id).into_iter().filter(|i| insides.get(i) == Some(k)));
        }
    }
    wanted
}
