//! Fusion: which statements share a loop nest.
//!
//! A group's members have one shape and read each other only at the place at hand. The
//! first may be a reduction or a scatter; what follows is elementwise and rides in its
//! epilogue. Groups are in an order of evaluation.

use crate::plan::{Plan, Target};
use crate::unroll::unrollable;
use gdc_ir::{Leaf, NodeId, NodeKind};
use std::collections::{BTreeMap, BTreeSet};

/// Statements that share a loop nest.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub routine: usize,
    /// In order of evaluation.
    pub members: Vec<NodeId>,
    pub shape: Vec<usize>,
    /// Whether they are once-per-step scalars.
    pub step: bool,
    /// Whether they are written out in straight lines; their shapes then differ.
    pub unrolled: bool,
    /// The loop over steps that they stand in, and which of their axes runs over the steps.
    pub scan: Option<(usize, usize)>,
}

/// All groups, routine after routine, and the leaves whose updates must be deferred first,
/// because another update needs their old value later. If there are any, the groups are in
/// no good order.
pub(crate) fn groups(plan: &Plan) -> (Vec<Group>, BTreeSet<NodeId>) {
    let (mut out, mut deferred) = (Vec::new(), BTreeSet::new());
    for routine in 0..plan.routines.len() {
        let formed = form(plan, routine);
        match order(plan, &formed) {
            Ok(ordered) => out.extend(ordered),
            Err(leaves) => {
                out.extend(formed);
                deferred.extend(leaves);
            }
        }
    }
    (out, deferred)
}

/// Forms the groups of a routine, greedily and in order of evaluation.
fn form(plan: &Plan, routine: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut group_of: BTreeMap<NodeId, usize> = BTreeMap::new();
    // What members of each group read at the place at hand.
    let mut beside: Vec<BTreeSet<NodeId>> = Vec::new();
    let unrolled = unrollable(plan, routine);
    let here = plan.order.iter().copied().filter(|id| plan.routine_of.get(id) == Some(&routine));
    let here: Vec<NodeId> = here.filter(|id| !plan.inlined.contains(id) && !unrolled.contains(id)).collect();
    let late = later(plan, &here, &unrolled);
    // Once-per-step scalars need nothing else, and come first, so that they stand in nobody's way.
    let (scalars, others): (Vec<NodeId>, Vec<NodeId>) = here.into_iter().partition(|id| plan.step.contains(id));
    for id in scalars.into_iter().chain(others) {
        let node = plan.graph.node(id);
        let step = plan.step.contains(&id);
        let reads = plan.effective_reads(id);
        let scan = plan.loop_of.get(&id).copied();
        // A recurrence that is no part of this loop shows elements of other statements.
        let elsewhere: Vec<NodeId> = reads.iter().flat_map(|r| plan.shown_by(id, r.node)).collect();
        let joins = joinable(plan, id).then(|| {
            let needed = reads.iter().map(|r| &r.node).chain(&elsewhere);
            let latest = needed.filter_map(|n| group_of.get(n)).max().copied();
            let fits = |&g: &usize| {
                let group: &Group = &groups[g];
                group.shape == node.shape
                    && group.step == step
                    && group.members.iter().all(|m| late.contains(m) == late.contains(&id))
                    && group.scan == scan
                    && elsewhere.iter().all(|n| group_of.get(n) != Some(&g))
                    && group.members.iter().all(|m| first_state(plan, *m) == first_state(plan, id))
                    && !holds_scatter(plan, group)
                    && reads.iter().all(|r| r.identity || group_of.get(&r.node) != Some(&g))
            };
            // A companion that reads the same tensor here, no earlier than what is needed.
            let companion = || {
                let from = latest.map_or(0, |g| g + 1);
                (from..groups.len()).rev().find(|&g| {
                    fits(&g)
                        && !has_reduction(plan, &groups[g])
                        && (node.shape.is_empty() || reads.iter().any(|r| r.identity && beside[g].contains(&r.node)))
                })
            };
            latest.filter(fits).or_else(companion)
        });
        let g = joins.flatten().unwrap_or_else(|| {
            let (members, shape) = (Vec::new(), node.shape.clone());
            groups.push(Group { routine, members, shape, step, unrolled: false, scan });
            beside.push(BTreeSet::new());
            groups.len() - 1
        });
        groups[g].members.push(id);
        beside[g].extend(reads.iter().filter(|r| r.identity).map(|r| r.node));
        group_of.insert(id, g);
    }
    if !unrolled.is_empty() {
        let members = plan.order.iter().copied().filter(|id| unrolled.contains(id)).collect();
        groups.push(Group { routine, members, shape: Vec::new(), step: false, unrolled: true, scan: None });
    }
    groups
}

/// Whether a statement gives a state its initial value. A model without its trainer has no states,
/// and is given initial values by nests that know of none.
fn first_state(plan: &Plan, id: NodeId) -> bool {
    let state = |leaf| plan.graph.node(leaf).leaf() == Some(Leaf::State);
    plan.reads_new && plan.roots.iter().any(|r| r.node == id && matches!(r.target, Target::Leaf(leaf) if state(leaf)))
}

/// Those of the statements that need what is unrolled. They cannot share a nest with those that
/// what is unrolled may need.
fn later(plan: &Plan, here: &[NodeId], unrolled: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let mut late = BTreeSet::new();
    for &id in here {
        if plan.effective_reads(id).iter().any(|r| unrolled.contains(&r.node) || late.contains(&r.node)) {
            late.insert(id);
        }
    }
    late
}

/// Whether a statement can ride with others.
fn joinable(plan: &Plan, id: NodeId) -> bool {
    matches!(plan.graph.node(id).kind, NodeKind::Compute { reduce: None, .. }) && !plan.apart.contains(&id)
}

fn holds_scatter(plan: &Plan, group: &Group) -> bool {
    let fixed = |&id: &NodeId| matches!(plan.graph.node(id).kind, NodeKind::Scatter { .. } | NodeKind::Literal(_));
    group.members.iter().any(fixed) || group.members.iter().any(|id| plan.apart.contains(id))
}

fn has_reduction(plan: &Plan, group: &Group) -> bool {
    let reduces = |&id: &NodeId| matches!(plan.graph.node(id).kind, NodeKind::Compute { reduce: Some(_), .. });
    group.members.iter().any(reduces)
}

/// Orders groups so that a leaf is written after every read of its old value (or, for
/// initial values, before every read), otherwise leaving them as they stand.
fn order(plan: &Plan, groups: &[Group]) -> Result<Vec<Group>, BTreeSet<NodeId>> {
    let mut writer: BTreeMap<NodeId, usize> = BTreeMap::new();
    let mut group_of: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (g, group) in groups.iter().enumerate() {
        for &id in &group.members {
            group_of.insert(id, g);
        }
    }
    let leaf_of: BTreeMap<NodeId, NodeId> = plan
        .roots
        .iter()
        .filter_map(|r| match r.target {
            Target::Leaf(leaf) => Some((leaf, r.node)),
            Target::Fresh(_) | Target::Gradient(_) => None,
        })
        .collect();
    for (&leaf, node) in &leaf_of {
        if let Some(&g) = group_of.get(node) {
            writer.insert(leaf, g);
        }
    }
    // The groups of a loop go together: they are one unit, named by its first group.
    let unit = |g: usize| match groups[g].scan {
        Some((scan, _)) => groups.iter().position(|h| h.scan.is_some_and(|(s, _)| s == scan)).unwrap_or(g),
        None => g,
    };
    let mut before: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); groups.len()];
    let mut deferred = BTreeSet::new();
    for (g, group) in groups.iter().enumerate() {
        let u = unit(g);
        for &id in &group.members {
            for read in plan.effective_reads(id) {
                for node in plan.shown_by(id, read.node).into_iter().chain([read.node]) {
                    if let Some(p) = group_of.get(&node).map(|&p| unit(p)).filter(|&p| p != u) {
                        before[u].insert(p);
                    }
                }
                let kept = matches!(plan.graph.node(read.node).leaf(), Some(Leaf::Param | Leaf::State));
                let Some(&w) = writer.get(&read.node).filter(|_| kept) else { continue };
                if w == g {
                    if !read.identity {
                        deferred.insert(read.node);
                    }
                } else if plan.reads_new {
                    before[u].insert(unit(w));
                } else {
                    before[unit(w)].insert(u);
                }
            }
        }
    }
    if !deferred.is_empty() && !plan.reads_new {
        return Err(deferred);
    }
    let mut done = vec![false; groups.len()];
    let mut sequence = Vec::new();
    while sequence.len() < groups.len() {
        let ready = (0..groups.len()).find(|&g| !done[g] && unit(g) == g && before[g].iter().all(|&p| done[p]));
        let Some(g) = ready else {
            // A circle: some leaf of it must keep its old value for longer.
            let stuck = writer.iter().filter(|(_, g)| !done[**g]).map(|(leaf, _)| *leaf);
            return Err(stuck.collect());
        };
        for h in (g..groups.len()).filter(|&h| unit(h) == g) {
            done[h] = true;
            sequence.push(groups[h].clone());
        }
    }
    Ok(sequence)
}
