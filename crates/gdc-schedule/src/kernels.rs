//! Chooses the shape of loops for each group.

use crate::build::Build;
use crate::dot;
use crate::emit::Emit;
use crate::group::Group;
use crate::nest;
use crate::plan::{Plan, Target};
use crate::split::splits;
use crate::storage::Storage;
use crate::tile;
use crate::unroll;
use gdc_ir::program::{Elem, Kernel};
use gdc_ir::{NodeId, NodeKind, Precision};
use std::collections::{BTreeMap, BTreeSet};

/// The kernels that compute a group, in order.
pub(crate) fn kernels(plan: &Plan, storage: &Storage, build: &mut Build, group: &Group) -> Vec<Kernel> {
    let Some(&first) = group.members.first() else { return Vec::new() };
    let real = match build.program.precision {
        Precision::F32 if !group.step => Elem::F32,
        Precision::F32 | Precision::F64 => Elem::F64,
    };
    let mut emit = Emit::new(plan, storage, build, real);
    emit.bound = bound(plan, group);
    emit.splits = if group.unrolled { BTreeMap::new() } else { splits(plan, storage, emit.build, group) };
    let mut out = Vec::new();
    match &plan.graph.node(first).kind {
        NodeKind::Scatter { .. } => {
            nest::scatter(&mut emit, first);
            out.push(kernel(&mut emit, group, "scalar: sums at computed places".to_owned()));
        }
        NodeKind::Literal(values) => {
            for from in (0..values.len()).step_by(nest::LITERALS) {
                nest::literal(&mut emit, first, from);
                out.push(kernel(&mut emit, group, "constants".to_owned()));
            }
        }
        NodeKind::Compute { .. } | NodeKind::Leaf(_) | NodeKind::Reshape(_) => {
            let reason = computed(&mut emit, group);
            let packed = std::mem::take(&mut emit.packed);
            out.extend(packed.into_iter().map(|p| p.kernel));
            out.push(kernel(&mut emit, group, reason));
        }
    }
    out
}

/// The members that need a local of their own.
fn bound(plan: &Plan, group: &Group) -> BTreeSet<NodeId> {
    let writes_leaf =
        |id: &NodeId| plan.roots.iter().any(|r| plan.source(r.node) == *id && matches!(r.target, Target::Leaf(_)));
    if group.members.len() > 1 && group.members.iter().any(writes_leaf) {
        return group.members.iter().copied().collect();
    }
    let reads = group.members.iter().flat_map(|&id| plan.effective_reads(id)).map(|r| r.node);
    reads.filter(|id| group.members.contains(id)).collect()
}

/// Writes a group in the best shape that is possible; the answer says which and why.
fn computed(emit: &mut Emit<'_>, group: &Group) -> String {
    if group.unrolled {
        return unroll::unroll(emit, group);
    }
    if group.step {
        nest::nest(emit, group);
        return "once per step, in f64".to_owned();
    }
    let last = group.shape.len().saturating_sub(1);
    let turned = group.members.iter().any(|&id| emit.storage.batch_is_last(id));
    let axes = if turned && last > 0 { vec![0, last] } else { vec![last] };
    if emit.storage.some_batch_is_last()
        && let Some(reason) = emit.attempt(|e| dot::dot(e, group))
    {
        return reason;
    }
    for &axis in &axes {
        if let Some(reason) = emit.attempt(|e| tile::tile(e, group, axis)) {
            return reason;
        }
    }
    for &axis in &axes {
        if let Some(reason) = emit.attempt(|e| tile::map(e, group, axis)) {
            return reason;
        }
    }
    emit.lane_is_batch = false;
    emit.reduced_in_lanes = false;
    nest::nest(emit, group);
    let reason = if emit.reduced_in_lanes { "scalar loops around reductions in lanes" } else { "scalar loops" };
    reason.to_owned()
}

/// Closes a kernel over the statements written so far.
pub(crate) fn kernel(emit: &mut Emit<'_>, group: &Group, reason: String) -> Kernel {
    let graph = &emit.plan.graph;
    let head = head(emit, group);
    let equations = group.members.iter().map(|&id| gdc_ir::text::equation(graph, id)).collect();
    let origin = group.members.iter().find_map(|&id| graph.node(id).origin);
    let body = std::mem::take(&mut emit.out);
    Kernel { name: graph.node(head).name.clone(), equations, origin, reason, real: emit.real, body }
}

/// The member that names the kernel: the last that is stored.
fn head(emit: &Emit<'_>, group: &Group) -> NodeId {
    let stored = group.members.iter().rev().find(|&&id| emit.storage.buffer(id).is_some());
    stored.or(group.members.first()).copied().unwrap_or(NodeId(0))
}
