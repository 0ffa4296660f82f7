//! Which tensors live in which buffers, and in what shape.
//!
//! A reshape has no buffer: it is read from its source's. A temporary is stored in the
//! coarsest shape that all its views allow, so that every place of every view is affine.

use crate::build::Build;
use crate::group::Group;
use crate::int::Int;
use crate::plan::{Plan, Target};
use gdc_ir::program::{Buffer, BufferId, BufferRole, Elem};
use gdc_ir::{Leaf, Model, NodeId, NodeKind, Precision, Ty};
use std::collections::{BTreeMap, BTreeSet};

/// Where tensors are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Storage {
    buffers: BTreeMap<NodeId, BufferId>,
    batch_last: BTreeSet<NodeId>,
    along: BTreeMap<NodeId, Stepped>,
}

/// How a tensor that is computed step by step, or carried from step to step, is stored: the
/// steps are the first axis of its buffer.
#[derive(Clone, Debug)]
struct Stepped {
    /// The tensor's own shape.
    shape: Vec<usize>,
    /// Its axis of steps; that of the buffer for what enters the first step.
    axis: usize,
    slot: Slot,
}

/// Where the steps are.
#[derive(Clone, Copy, Debug)]
enum Slot {
    /// Each at its own place, so many further on.
    Each(i64),
    /// The tensor is one step, at this place.
    At(i64),
    /// Only the step at hand is stored.
    Current,
}

impl Storage {
    /// The buffer of a tensor, unless it is nowhere stored. Ask for the source of a reshape.
    pub fn buffer(&self, node: NodeId) -> Option<BufferId> {
        self.buffers.get(&node).copied()
    }

    /// Whether a tensor is stored with the batch as its last axis.
    pub fn batch_is_last(&self, node: NodeId) -> bool {
        self.batch_last.contains(&node)
    }

    /// Whether a tensor is stored in another order of axes than it was computed in, or is a
    /// part of its buffer.
    pub fn is_stepped(&self, node: NodeId) -> bool {
        self.along.contains_key(&node)
    }

    /// Whether any tensor is computed step by step.
    pub fn some_is_stepped(&self) -> bool {
        !self.along.is_empty()
    }

    /// The place in its buffer of an element of a tensor that is computed step by step.
    pub fn stepped_place(&self, node: NodeId, mut at: Vec<Int>) -> Vec<Int> {
        let Some(Stepped { axis, slot, .. }) = self.along.get(&node) else { return at };
        match slot {
            Slot::Each(by) => {
                let step = at.remove(*axis).shifted(*by);
                at.insert(0, step);
            }
            Slot::At(step) => at.insert(0, Int::constant(*step)),
            Slot::Current => {
                at.remove(*axis);
            }
        }
        at
    }

    /// Whether any tensor is.
    pub fn some_batch_is_last(&self) -> bool {
        !self.batch_last.is_empty()
    }

    /// The shape in which a tensor is stored, with the batch, if any, as the first axis, and the
    /// steps, if any, where they were computed.
    pub fn batch_first_shape(&self, node: NodeId, buffer: BufferId, build: &Build) -> Vec<usize> {
        if let Some(stepped) = self.along.get(&node) {
            return stepped.shape.clone();
        }
        let mut shape = build.program.buffer(buffer).shape.clone();
        if self.batch_is_last(node) {
            shape.rotate_right(1);
        }
        shape
    }

    /// Makes the buffers of a program.
    pub fn new(plan: &Plan, model: &Model, groups: &[Group], build: &mut Build) -> Storage {
        let mut storage = Storage::default();
        storage.leaves(plan, model, build);
        for root in &plan.roots {
            let source = plan.source(root.node);
            let id = match root.target {
                Target::Leaf(leaf) => storage.buffers.get(&leaf).copied(),
                Target::Fresh(BufferRole::Loss) if build.program.buffers.iter().any(|b| b.role == BufferRole::Loss) => {
                    build.program.buffers().find(|(_, b)| b.role == BufferRole::Loss).map(|(id, _)| id)
                }
                Target::Fresh(role) => Some(role_buffer(plan, root.node, &root.name, role, build)),
                Target::Gradient(leaf) => storage
                    .buffers
                    .get(&leaf)
                    .copied()
                    .map(|param| role_buffer(plan, root.node, &root.name, BufferRole::Gradient(param), build)),
            };
            storage.buffers.extend(id.map(|id| (source, id)));
        }
        storage.recurrences(plan, build);
        storage.steps(plan, groups, build);
        let views = views(plan);
        let batch_last = build.program.precision == Precision::F32 && plan.prefers_batch_last();
        for id in stored(plan, groups) {
            if storage.buffers.contains_key(&id) {
                continue;
            }
            let node = plan.graph.node(id);
            let unrolled = groups.iter().any(|g| g.unrolled && g.members.contains(&id));
            let mut shape = match views.get(&id) {
                Some(views) if !unrolled => coarsest(&node.shape, views),
                _ => node.shape.clone(),
            };
            let own_axis = shape.first() == node.shape.first();
            if (unrolled || batch_last) && node.per_sample && shape.len() > 1 && own_axis {
                shape.rotate_left(1);
                storage.batch_last.insert(id);
            }
            let elem = element(plan, id, build.program.precision);
            let (name, role) = (node.name.clone(), BufferRole::Temp);
            // Of places that were found, such as an argmax: what lies inside is then known.
            let range = gdc_ir::ranges::node_interval(&plan.graph, id).filter(|_| node.ty == Ty::Int);
            let range = range.map(|(low, high)| (low, high.saturating_add(1)));
            let buffer = build.buffer(Buffer { name, shape, elem, role, range });
            storage.buffers.insert(id, buffer);
        }
        storage
    }

    /// One buffer for each recurrence, what its first step begins with, and what its steps leave.
    fn recurrences(&mut self, plan: &Plan, build: &mut Build) {
        for (&id, carried) in &plan.carried {
            let (axis, reverse) = (carried.axis, carried.reverse);
            let next = plan.graph.node(carried.next);
            let mut shape = next.shape.clone();
            let steps = shape.remove(axis);
            shape.insert(0, steps + 1);
            let elem = element(plan, carried.next, build.program.precision);
            let (name, role) = (format!("{}.steps", next.name), BufferRole::Temp);
            let buffer = build.buffer(Buffer { name, shape, elem, role, range: None });
            let slots = match reverse {
                false => [(id, Slot::Each(0)), (carried.next, Slot::Each(1)), (carried.first, Slot::At(0))],
                true => [(id, Slot::Each(1)), (carried.next, Slot::Each(0)), (carried.first, Slot::At(steps as i64))],
            };
            for (node, slot) in slots {
                let shape = plan.graph.node(node).shape.clone();
                self.along.insert(node, Stepped { shape, axis, slot });
                self.buffers.insert(node, buffer);
            }
        }
    }

    /// The buffers of what else is computed step by step: of all steps if anything outside of
    /// the loop reads them, else of one.
    fn steps(&mut self, plan: &Plan, groups: &[Group], build: &mut Build) {
        let scan_of = |id: NodeId| plan.loop_of.get(&id).map(|(scan, _)| *scan);
        let all = groups.iter().flat_map(|g| &g.members);
        let kept: BTreeSet<NodeId> = all
            .flat_map(|&id| plan.effective_reads(id).iter().map(move |r| (scan_of(id), r.node)))
            .filter(|&(scan, read)| scan != scan_of(read))
            .map(|(_, read)| read)
            .collect();
        for id in stored(plan, groups) {
            let Some(&(_, axis)) = plan.loop_of.get(&id).filter(|_| !self.buffers.contains_key(&id)) else { continue };
            let node = plan.graph.node(id);
            let mut shape = node.shape.clone();
            let steps = shape.remove(axis);
            let slot = if kept.contains(&id) { Slot::Each(0) } else { Slot::Current };
            let mut name = format!("{}.step", node.name);
            if let Slot::Each(_) = slot {
                shape.insert(0, steps);
                name.push('s');
            }
            let elem = element(plan, id, build.program.precision);
            let role = BufferRole::Temp;
            let buffer = build.buffer(Buffer { name, shape, elem, role, range: None });
            self.along.insert(id, Stepped { shape: node.shape.clone(), axis, slot });
            self.buffers.insert(id, buffer);
        }
    }

    /// The buffers of what comes from outside, in declared order, used or not.
    fn leaves(&mut self, plan: &Plan, model: &Model, build: &mut Build) {
        let whole = plan.routines != ["init"];
        let training = plan.routines.contains(&"update");
        let streaming = plan.routines == ["step"];
        let mut list: Vec<NodeId> = Vec::new();
        if whole {
            list.extend(&model.inputs);
        }
        if training {
            list.extend(model.targets.iter().chain(&model.sample_weight).chain(&model.counter));
        }
        list.extend(model.params.iter().map(|k| k.node));
        let needed = plan.graph.reachable(plan.roots.iter().map(|r| r.node));
        let states = model.states.iter().map(|k| k.node);
        list.extend(states.filter(|s| training || streaming || !whole || needed.contains(s)));
        list.extend(needed.into_iter().filter(|&id| plan.graph.node(id).leaf().is_some()));
        for id in list {
            let node = plan.graph.node(id);
            let Some(leaf) = node.leaf() else { continue };
            if self.buffers.contains_key(&id) {
                continue;
            }
            let role = match leaf {
                Leaf::Input => BufferRole::Input,
                Leaf::Target => BufferRole::Target,
                Leaf::Param => BufferRole::Param,
                Leaf::State => BufferRole::State,
                Leaf::SampleWeight => BufferRole::SampleWeight,
                Leaf::Counter => BufferRole::Counter,
            };
            let elem = match leaf {
                Leaf::Counter => Elem::U64,
                _ => element(plan, id, build.program.precision),
            };
            let range = if node.ty == Ty::Int && leaf != Leaf::Counter { node.range } else { None };
            let (name, shape) = (node.name.clone(), node.shape.clone());
            self.buffers.insert(id, build.buffer(Buffer { name, shape, elem, role, range }));
        }
    }
}

/// A buffer of the shape of the root itself, which may be a view of what fills it.
fn role_buffer(plan: &Plan, root: NodeId, name: &str, role: BufferRole, build: &mut Build) -> BufferId {
    let node = plan.graph.node(root);
    let elem = element(plan, plan.source(root), build.program.precision);
    let range = if node.ty == Ty::Int { node.range } else { None };
    build.buffer(Buffer { name: name.to_owned(), shape: node.shape.clone(), elem, role, range })
}

/// The type in which a tensor is stored.
fn element(plan: &Plan, id: NodeId, precision: Precision) -> Elem {
    let node = plan.graph.node(id);
    match (node.ty, precision) {
        (Ty::Bool, _) => Elem::Bool,
        (Ty::Int, _) if node.range.is_some_and(|(low, _)| low < 0) => Elem::I32,
        (Ty::Int, _) => Elem::U32,
        (Ty::Real, _) if plan.step.contains(&id) => Elem::F64,
        (Ty::Real, Precision::F32) => Elem::F32,
        (Ty::Real, Precision::F64) => Elem::F64,
    }
}

/// The statements whose values are needed outside of their groups, ascending.
fn stored(plan: &Plan, groups: &[Group]) -> BTreeSet<NodeId> {
    let mut stored: BTreeSet<NodeId> = plan.roots.iter().map(|r| plan.source(r.node)).collect();
    for (g, group) in groups.iter().enumerate() {
        let inside = |id: NodeId| groups[g].members.contains(&id);
        for &id in &group.members {
            let fixed = matches!(plan.graph.node(id).kind, NodeKind::Scatter { .. } | NodeKind::Literal(_));
            if fixed {
                stored.insert(id);
            }
            let beside = |r: &crate::plan::ReadFact| r.identity || (group.unrolled && r.fixed);
            let outside = |r: &crate::plan::ReadFact| !(beside(r) && inside(r.node));
            stored.extend(plan.effective_reads(id).iter().filter(|r| outside(r)).map(|r| r.node));
        }
    }
    let leaf = |id: &NodeId| plan.graph.node(*id).leaf().is_some();
    stored.retain(|id| !leaf(id));
    stored
}

/// The shapes under which each statement is seen through reshapes.
fn views(plan: &Plan) -> BTreeMap<NodeId, Vec<Vec<usize>>> {
    let mut views: BTreeMap<NodeId, Vec<Vec<usize>>> = BTreeMap::new();
    let needed = plan.graph.reachable(plan.roots.iter().map(|r| r.node));
    for id in needed {
        if let NodeKind::Reshape(_) = plan.graph.node(id).kind {
            views.entry(plan.source(id)).or_default().push(plan.graph.node(id).shape.clone());
        }
    }
    views
}

/// The places, counted in elements from the last axis, at which a shape has an axis begin.
fn cuts(shape: &[usize]) -> BTreeSet<usize> {
    let mut stride = 1;
    let mut cuts = BTreeSet::from([1]);
    for &n in shape.iter().rev() {
        stride *= n.max(1);
        cuts.insert(stride);
    }
    cuts
}

/// A shape that all views refine. Axes of extent 1 are kept where there are no views.
fn coarsest(shape: &[usize], views: &[Vec<usize>]) -> Vec<usize> {
    if views.is_empty() || shape.contains(&0) {
        return shape.to_vec();
    }
    let mut common = cuts(shape);
    for view in views {
        let other = cuts(view);
        common.retain(|c| other.contains(c));
    }
    let common: Vec<usize> = common.into_iter().collect();
    let mut out: Vec<usize> = common.windows(2).map(|w| w[1] / w[0]).collect();
    out.reverse();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_merge_axes() {
        assert_eq!(coarsest(&[32, 8, 8], &[vec![32, 64]]), [32, 64]);
        assert_eq!(coarsest(&[32, 64], &[vec![32, 4, 16]]), [32, 64]);
        assert_eq!(coarsest(&[6, 4], &[vec![2, 12]]), [24]);
        assert_eq!(coarsest(&[2, 3], &[]), [2, 3]);
    }
}
