//! Chooses the shape of loops for each group.

use crate::apart::MARK;
use crate::build::Build;
use crate::dot;
use crate::emit::Emit;
use crate::group::Group;
use crate::int::Int;
use crate::nest;
use crate::plan::{Plan, Target};
use crate::split::splits;
use crate::storage::Storage;
use crate::unroll;
use crate::{map, tile};
use gdc_ir::order::Loop;
use gdc_ir::program::{BufferId, Elem, Kernel, Stmt};
use gdc_ir::{NodeId, NodeKind, Precision};
use std::collections::{BTreeMap, BTreeSet};

/// The kernels that compute a group, in order. The last is the group's own; in a loop over
/// steps it is one step, and the others come before the loop.
pub(crate) fn kernels(
    plan: &Plan,
    storage: &Storage,
    build: &mut Build,
    group: &Group,
    step: Option<&Step>,
) -> Vec<Kernel> {
    let Some(&first) = group.members.first() else { return Vec::new() };
    let real = match build.program.precision {
        Precision::F32 if !group.step => Elem::F32,
        Precision::F32 | Precision::F64 => Elem::F64,
    };
    let mut emit = Emit::new(plan, storage, build, real);
    emit.bound = bound(plan, group);
    if let (Some(step), Some((_, axis))) = (step, group.scan) {
        emit.time = Some((axis, step.at.clone()));
        emit.varying = step.written.clone();
    }
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
        NodeKind::Compute { .. } | NodeKind::Leaf(_) | NodeKind::Reshape(_) | NodeKind::Recurrence { .. } => {
            let reason = computed(&mut emit, group);
            let packed = std::mem::take(&mut emit.packed);
            out.extend(packed.into_iter().map(|p| p.kernel));
            out.push(kernel(&mut emit, group, reason));
        }
    }
    out
}

/// A step of a loop, while its kernels are written.
pub(crate) struct Step {
    /// Which step it is.
    pub at: Int,
    /// What the steps write.
    pub written: BTreeSet<BufferId>,
}

/// The kernels that compute the groups of a loop over steps: copies that all steps read, and
/// the loop itself as one kernel.
pub(crate) fn steps(plan: &Plan, storage: &Storage, build: &mut Build, groups: &[&Group], scan: usize) -> Vec<Kernel> {
    let Some(Loop { steps, reverse, .. }) = plan.loops.get(scan) else { return Vec::new() };
    let var = build.loop_var("t", *steps);
    let at = if *reverse { Int::constant(*steps as i64 - 1).plus(&Int::var(var), -1) } else { Int::var(var) };
    let written = groups.iter().flat_map(|g| &g.members).filter_map(|&id| storage.buffer(id)).collect();
    let step = Step { at, written };
    let (mut out, mut each) = (Vec::new(), Vec::new());
    for group in groups {
        let mut list = kernels(plan, storage, build, group, Some(&step));
        each.extend(list.pop());
        out.extend(list);
    }
    let (Some(last), Some(origin)) = (each.last(), each.iter().map(|k| k.origin).min()) else { return out };
    let reasons: Vec<&str> = each.iter().map(|k| k.reason.as_str()).collect();
    let order = if *reverse { " backwards" } else { "" };
    let (name, real) = (last.name.clone(), last.real);
    let reason = format!("{steps} steps{order}, each: {}", reasons.join("; "));
    let equations = each.iter().flat_map(|k| k.equations.clone()).collect();
    let body = vec![Stmt::For { var, extent: *steps, body: each.into_iter().flat_map(|k| k.body).collect() }];
    out.push(Kernel { name, equations, origin, reason, real, cut: None, body });
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
    // The axis along which elements lie side by side: steps are stored first, and an axis of one
    // place keeps nothing apart.
    let still = |k: &usize| emit.time.as_ref().is_some_and(|(time, _)| time == k);
    let along = (0..group.shape.len()).rev().filter(|k| !still(k));
    let last = along.clone().find(|&k| group.shape[k] != 1).or(along.clone().next()).unwrap_or(0);
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
        if let Some(reason) = emit.attempt(|e| map::map(e, group, axis)) {
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
    let equations = group.members.iter().map(|&id| gdc_ir::text::equation(graph, id).replace(MARK, "")).collect();
    let origin = group.members.iter().find_map(|&id| graph.node(id).origin);
    let mut body = std::mem::take(&mut emit.out);
    crate::prune::prune(&mut body);
    let name = graph.node(head).name.replace(MARK, "");
    Kernel { name, equations, origin, reason, real: emit.real, cut: None, body }
}

/// The member that names the kernel: the last that is stored.
fn head(emit: &Emit<'_>, group: &Group) -> NodeId {
    let stored = group.members.iter().rev().find(|&&id| emit.storage.buffer(id).is_some());
    stored.or(group.members.first()).copied().unwrap_or(NodeId(0))
}
