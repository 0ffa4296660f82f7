//! Small models: all loops but the batch's unrolled into straight lines.
//!
//! The values of a sample stay in locals from statement to statement; sums over the batch are
//! kept in locals and stored once, after the loop. Where possible 16 samples go side by side
//! in lanes, and then what is stored per sample has the batch as its last axis.

use crate::emit::{Emit, Env};
use crate::group::Group;
use crate::int::Int;
use crate::nest;
use crate::plan::{Form, Plan, SWEEP};
use crate::tile::NARROWEST;
use gdc_ir::program::{Elem, LANES, Local, LocalTy, Place, Stmt, Value, lane_axis};
use gdc_ir::{ExprId, Model, NodeId, NodeKind, Op, Red, Ty, Var};
use std::collections::{BTreeMap, BTreeSet};

/// The greatest number of multiply-adds and the like per sample, forward and backward.
const WORK: usize = 256;
/// The greatest number of statements of a kernel.
const STATEMENTS: usize = 250;
/// A sum is cut by a `let` after so many terms.
const TERMS: usize = 8;
/// The most additions, or what costs as much, of one sweep for a sample. Processors look some 500
/// instructions ahead, and begin with the next samples while functions of these are on their way:
/// of a longer sweep they do not see the end. Two shorter ones are faster then.
const LONGEST: usize = 100;
/// Fewer samples than this are not worth lanes.
const FEWEST: usize = 4;

/// Whether the elements of a statement can lie side by side in lanes.
fn fits_lanes(plan: &Plan, id: NodeId) -> bool {
    let node = plan.graph.node(id);
    let NodeKind::Compute { axes, body, .. } = &node.kind else { return false };
    let along = lane_axis(&node.shape).and_then(|k| axes.get(k));
    node.ty == Ty::Real && along.is_some_and(|&v| plan.graph.exprs.extent(v) >= NARROWEST) && !plan.has_random(*body)
}

/// The statements of a routine to unroll into one kernel; none if it is too large, or if
/// something stands in the way.
pub(crate) fn unrollable(plan: &Plan, routine: usize) -> BTreeSet<NodeId> {
    let none = BTreeSet::new();
    let name = plan.routines[routine];
    // Steps stay a loop.
    if !plan.carried.is_empty() {
        return none;
    }
    if !matches!(name, "forward" | "backward" | "predict" | SWEEP) || work(plan) > WORK {
        return none;
    }
    let computed = |id: &&NodeId| !plan.inlined.contains(id) && !plan.step.contains(id);
    let here: Vec<NodeId> =
        plan.routine_of.iter().filter(|(_, r)| **r == routine).map(|(id, _)| id).filter(computed).copied().collect();
    let whole = batch_extent(plan, &here).is_none();
    // One sample has no others to go beside it in lanes: its own results do.
    if name == "predict" && here.iter().any(|&id| plan.graph.node(id).len() >= NARROWEST && fits_lanes(plan, id)) {
        return none;
    }
    let chosen: BTreeSet<NodeId> =
        here.iter().copied().filter(|&id| whole || plan.graph.node(id).per_sample || over_batch(plan, id)).collect();
    let statements: usize = chosen.iter().map(|&id| elements_per_sample(plan, id)).sum();
    let fits = statements > 0 && statements <= STATEMENTS && chosen.iter().all(|&id| can_unroll(plan, id));
    if fits && in_one_sweep(plan, &here, &chosen) { chosen } else { none }
}

/// Whether loss and gradients of a model are small enough to be computed in one sweep over the
/// samples.
pub(crate) fn can_sweep(model: &Model) -> bool {
    // Each parameter takes part in some operation, so that most models need no plan to be refused.
    let params: usize = model.params.iter().map(|k| model.graph.node(k.node).len()).sum();
    if params > WORK || model.evaluation.is_some() || model.gradients.is_empty() || model.loss.is_none() {
        return false;
    }
    let mut plan = Plan::train(model, &BTreeSet::new(), Form::Swept);
    plan.inline_cheap();
    let Some(routine) = plan.routines.iter().position(|r| *r == SWEEP) else { return false };
    let chosen = unrollable(&plan, routine);
    let statements: usize = chosen.iter().map(|&id| elements_per_sample(&plan, id)).sum();
    let batch = batch_extent(&plan, &chosen.iter().copied().collect::<Vec<_>>()).unwrap_or(1);
    !chosen.is_empty()
        && (statements <= STATEMENTS / 2 || !written_twice(batch))
        && (batch <= LANES || cost_per_sample(&plan, &chosen, batch) <= LONGEST)
}

/// What the statements cost for a sample, in additions.
fn cost_per_sample(plan: &Plan, chosen: &BTreeSet<NodeId>, batch: usize) -> usize {
    let cost = |&id: &NodeId| match plan.graph.node(id).kind {
        NodeKind::Compute { body, .. } => plan.turns(id) / batch.max(1) * (plan.cost(body) as usize + 1),
        _ => 0,
    };
    chosen.iter().map(cost).sum()
}

/// Whether the samples that remain after blocks of 16 are written out by themselves.
fn written_twice(batch: usize) -> bool {
    batch > LANES && !batch.is_multiple_of(LANES)
}

/// The work of forward and backward pass for one sample.
fn work(plan: &Plan) -> usize {
    let swept = plan.routines.contains(&SWEEP);
    let counted = |r: usize| match plan.routines[r] {
        "forward" => !swept,
        name => matches!(name, "backward" | "predict" | SWEEP),
    };
    let nodes: Vec<NodeId> = plan.routine_of.iter().filter(|(_, r)| counted(**r)).map(|(id, _)| *id).collect();
    let batch = batch_extent(plan, &nodes).unwrap_or(1).max(1);
    nodes
        .iter()
        .map(|&id| {
            let turns = plan.turns(id);
            if plan.graph.node(id).per_sample || over_batch(plan, id) { turns / batch } else { turns }
        })
        .sum()
}

/// The number of samples, if any of the statements has a batch axis.
fn batch_extent(plan: &Plan, nodes: &[NodeId]) -> Option<usize> {
    nodes.iter().find_map(|&id| batch_var(plan, id)).map(|v| plan.graph.exprs.extent(v))
}

/// The variable of a statement that runs over the samples.
fn batch_var(plan: &Plan, id: NodeId) -> Option<Var> {
    let NodeKind::Compute { axes, reduce, .. } = &plan.graph.node(id).kind else { return None };
    let over = reduce.iter().flat_map(|r| &r.over);
    axes.iter().chain(over).copied().find(|&v| plan.graph.exprs.var(v).batch)
}

/// Whether a statement reduces over the samples.
fn over_batch(plan: &Plan, id: NodeId) -> bool {
    match &plan.graph.node(id).kind {
        NodeKind::Compute { reduce: Some(r), .. } => r.over.iter().any(|&v| plan.graph.exprs.var(v).batch),
        _ => false,
    }
}

fn elements_per_sample(plan: &Plan, id: NodeId) -> usize {
    let node = plan.graph.node(id);
    if node.per_sample { node.shape.iter().skip(1).product() } else { node.len() }
}

/// Whether a statement alone is of a form that can be unrolled.
fn can_unroll(plan: &Plan, id: NodeId) -> bool {
    let node = plan.graph.node(id);
    let NodeKind::Compute { axes, reduce, body } = &node.kind else { return false };
    let batch_axes = axes.iter().filter(|&&v| plan.graph.exprs.var(v).batch).count();
    let reduction = reduce.as_ref().is_none_or(|r| match r.op {
        Red::Sum | Red::Prod | Red::Max | Red::Min => true,
        Red::Lse => !over_batch(plan, id),
        Red::Argmax | Red::Argmin | Red::Any | Red::All => false,
    });
    batch_axes == usize::from(node.per_sample)
        && !(node.per_sample && over_batch(plan, id))
        && reduction
        && node.ty != Ty::Int
        && !plan.has_random(*body)
        && plan.turns(id) > 0
}

/// Whether one sweep over the samples computes all: no sample needs what all samples gave.
fn in_one_sweep(plan: &Plan, here: &[NodeId], chosen: &BTreeSet<NodeId>) -> bool {
    // Statements of this routine that depend on a reduction over the samples, or that lie
    // outside of the sweep behind one of its statements.
    let mut late: BTreeSet<NodeId> = BTreeSet::new();
    for &id in here {
        let reads = plan.effective_reads(id);
        let behind = reads.iter().any(|r| late.contains(&r.node));
        let outside = !chosen.contains(&id);
        // Other samples' values are not there yet when a sample's turn comes.
        if !outside && reads.iter().any(|r| !r.own && chosen.contains(&r.node)) {
            return false;
        }
        let after = outside && reads.iter().any(|r| chosen.contains(&r.node));
        if chosen.contains(&id) && behind {
            return false;
        }
        if behind || after || over_batch(plan, id) {
            late.insert(id);
        }
    }
    true
}

/// One member in the sweep.
struct Sweep<'g> {
    members: &'g [NodeId],
    /// The running reductions over the samples: one local per element.
    totals: BTreeMap<(NodeId, Vec<i64>), Local>,
    lanes: bool,
}

/// Writes an unrolled group; the answer says what was done.
pub(crate) fn unroll(emit: &mut Emit<'_>, group: &Group) -> String {
    let batch = batch_extent(emit.plan, &group.members);
    let work: usize = group.members.iter().map(|&id| emit.plan.turns(id)).sum();
    let size = work / batch.unwrap_or(1).max(1);
    let Some(batch) = batch else {
        let mut sweep = Sweep { members: &group.members, totals: BTreeMap::new(), lanes: false };
        turn(emit, &mut sweep);
        return format!("unrolled: {size} operations");
    };
    if batch >= FEWEST && emit.real == Elem::F32 {
        emit.turns = usize::MAX;
        if emit.attempt(|emit| sweep_lanes(emit, group, batch)).is_some() {
            return format!("unrolled: {size} operations per sample, samples in lanes");
        }
        emit.turns = 0;
    }
    let mut sweep = Sweep { members: &group.members, totals: BTreeMap::new(), lanes: false };
    start_totals(emit, &mut sweep);
    emit.repeat("b", batch, |emit, b| {
        emit.batch = Some(b);
        turn(emit, &mut sweep);
    });
    store_totals(emit, &sweep);
    format!("unrolled: {size} operations per sample")
}

/// 16 samples at a time.
fn sweep_lanes(emit: &mut Emit<'_>, group: &Group, batch: usize) -> Option<()> {
    let per_sample: usize = group.members.iter().map(|&id| elements_per_sample(emit.plan, id)).sum();
    if written_twice(batch) && per_sample > STATEMENTS / 2 {
        return None;
    }
    let mut sweep = Sweep { members: &group.members, totals: BTreeMap::new(), lanes: true };
    start_totals(emit, &mut sweep);
    let mut possible = true;
    let mut block = |emit: &mut Emit<'_>, from: Int, valid: usize| {
        emit.with_lanes(valid, |emit| {
            emit.batch = emit.lane.map(|lane| from.plus(&Int::var(lane.var), 1));
            emit.known.clear();
            possible &= turn(emit, &mut sweep).is_some();
        });
    };
    if batch >= LANES {
        emit.repeat("b", batch / LANES, |emit, b| block(emit, b.scaled(LANES as i64), LANES));
    }
    if !batch.is_multiple_of(LANES) {
        block(emit, Int::constant((batch / LANES * LANES) as i64), batch % LANES);
    }
    store_totals(emit, &sweep);
    possible.then_some(())
}

/// All places of some extents, row-major.
fn places(extents: &[usize]) -> Vec<Vec<i64>> {
    extents.iter().fold(vec![Vec::new()], |all, &n| {
        let with = |at: &Vec<i64>, k: usize| at.iter().copied().chain([k as i64]).collect();
        all.iter().flat_map(|at| (0..n).map(move |k| with(at, k))).collect()
    })
}

/// What the element of a tensor at a place is called.
fn element_name(tensor: &str, at: &[i64]) -> String {
    at.iter().fold(tensor.to_owned(), |name, k| format!("{name}.{k}"))
}

fn start_totals(emit: &mut Emit<'_>, sweep: &mut Sweep<'_>) {
    let plan = emit.plan;
    for &id in sweep.members {
        let node = plan.graph.node(id);
        let NodeKind::Compute { reduce: Some(reduce), .. } = &node.kind else { continue };
        if !over_batch(plan, id) {
            continue;
        }
        for at in places(&node.shape) {
            let start = nest::start(reduce.op);
            let name = element_name(&node.name, &at);
            let total = if sweep.lanes {
                emit.variable(&name, LocalTy::Lanes, Value::Splat(Box::new(start)))
            } else {
                emit.variable(&name, LocalTy::Real, start)
            };
            sweep.totals.insert((id, at), total);
        }
    }
}

fn store_totals(emit: &mut Emit<'_>, sweep: &Sweep<'_>) {
    for ((id, at), &total) in &sweep.totals {
        let NodeKind::Compute { reduce: Some(reduce), .. } = &emit.plan.graph.node(*id).kind else { continue };
        let total = Value::Local(total, Vec::new());
        let value = if sweep.lanes { Value::Horizontal(reduce.op, Box::new(total)) } else { total };
        if let Some(buffer) = emit.storage.buffer(*id) {
            let at = at.iter().map(|&k| Int::constant(k)).collect();
            let at = emit.stored_place(*id, buffer, at);
            emit.set(Place::Element(buffer, Emit::indices(&at)), value);
        }
    }
}

/// All members for the sample, or the 16, at hand.
fn turn(emit: &mut Emit<'_>, sweep: &mut Sweep<'_>) -> Option<()> {
    let plan = emit.plan;
    for &id in sweep.members {
        let node = plan.graph.node(id);
        let NodeKind::Compute { axes, reduce, body } = &node.kind else { return None };
        let shape = if node.per_sample { &node.shape[1..] } else { &node.shape[..] };
        for at in places(shape) {
            let mut place: Vec<Int> = at.iter().map(|&k| Int::constant(k)).collect();
            if node.per_sample {
                place.splice(0..0, emit.batch.clone());
            }
            let mut env: Env = axes.iter().copied().zip(place.iter().cloned()).collect();
            match reduce {
                Some(r) if over_batch(plan, id) => {
                    let total = *sweep.totals.get(&(id, at))?;
                    let batch = |v: &&Var| plan.graph.exprs.var(**v).batch;
                    env.extend(r.over.iter().filter(batch).copied().zip(emit.batch.clone()));
                    let rest: Vec<Var> = r.over.iter().filter(|v| !batch(v)).copied().collect();
                    let value = reduced(emit, sweep.lanes, r.op, &rest, *body, &env)?;
                    add_to_total(emit, sweep.lanes, r.op, total, value);
                }
                Some(r) => {
                    let value = reduced(emit, sweep.lanes && node.per_sample, r.op, &r.over, *body, &env)?;
                    know(emit, sweep, id, at, place, value)?;
                }
                None => {
                    let value = evaluated(emit, sweep.lanes && node.per_sample, *body, &env)?;
                    know(emit, sweep, id, at, place, value)?;
                }
            }
        }
    }
    Some(())
}

/// Takes a value into a total, but not what unused lanes hold.
fn add_to_total(emit: &mut Emit<'_>, lanes: bool, op: Red, total: Local, value: Value) {
    let valid = emit.lane.map_or(LANES, |l| l.valid);
    let value = if lanes { nest::masked(value, valid, op) } else { value };
    let place = Place::Local(total, Vec::new());
    let so_far = Value::Local(total, Vec::new());
    match (op, value) {
        (Red::Sum, Value::Op(Op::Mul, args)) if lanes => {
            if let Ok([a, b]) = <[Value; 2]>::try_from(args) {
                emit.set(place, Value::MulAdd(Box::new([a, b, so_far])));
            }
        }
        (Red::Sum, value) if !lanes => emit.out.push(Stmt::Add { place, value }),
        (op, value) => emit.set(place, nest::combine(op, so_far, value)),
    }
}

/// Binds a member's element to a local, and stores it if it is needed elsewhere.
fn know(emit: &mut Emit<'_>, sweep: &Sweep<'_>, id: NodeId, at: Vec<i64>, place: Vec<Int>, value: Value) -> Option<()> {
    let node = emit.plan.graph.node(id);
    let lanes = sweep.lanes && node.per_sample;
    if lanes && node.ty != Ty::Real {
        return None;
    }
    let ty = if lanes { LocalTy::Lanes } else { Emit::local_ty(node.ty) };
    let mut value = value;
    if emit.bound.contains(&id) {
        value = emit.bind(&element_name(&node.name, &at), ty, value);
    }
    if let Some(buffer) = emit.storage.buffer(id) {
        let place = emit.stored_place(id, buffer, place);
        let place = if lanes {
            let Some(Value::LoadLanes(buffer, at, valid)) = emit.contiguous(buffer, place) else { return None };
            Place::Lanes(buffer, at, valid)
        } else {
            Place::Element(buffer, Emit::indices(&place))
        };
        emit.set(place, value.clone());
    }
    emit.known.insert((id, at), value);
    Some(())
}

fn evaluated(emit: &mut Emit<'_>, lanes: bool, body: ExprId, env: &Env) -> Option<Value> {
    if lanes { emit.vector(body, env) } else { Some(emit.scalar(body, env)) }
}

/// A reduction written out term by term.
fn reduced(emit: &mut Emit<'_>, lanes: bool, op: Red, over: &[Var], body: ExprId, env: &Env) -> Option<Value> {
    let exprs = &emit.plan.graph.exprs;
    let extents: Vec<usize> = over.iter().map(|&v| exprs.extent(v)).collect();
    let ty = if lanes { LocalTy::Lanes } else { LocalTy::Real };
    let mut terms = Vec::new();
    for at in places(&extents) {
        let mut env = env.clone();
        env.extend(over.iter().copied().zip(at.into_iter().map(Int::constant)));
        terms.push(evaluated(emit, lanes, body, &env)?);
    }
    if op != Red::Lse {
        return Some(chain(emit, lanes, op, terms));
    }
    let terms: Vec<Value> = terms.into_iter().map(|t| emit.bind("t", ty, t)).collect();
    let top = chain(emit, lanes, Red::Max, terms.clone());
    let top = emit.bind("top", ty, top);
    let top = emit_finite(emit, lanes, ty, top);
    let below = |t: Value| Value::Op(Op::Exp, vec![Value::Op(Op::Sub, vec![t, top.clone()])]);
    let total = chain(emit, lanes, Red::Sum, terms.into_iter().map(below).collect());
    Some(Value::Op(Op::Add, vec![top.clone(), Value::Op(Op::Log, vec![total])]))
}

fn emit_finite(emit: &mut Emit<'_>, lanes: bool, ty: LocalTy, top: Value) -> Value {
    let number = |x: f64| if lanes { Value::Splat(Box::new(Value::Real(x))) } else { Value::Real(x) };
    let nothing = Value::Op(Op::Eq, vec![top.clone(), number(f64::NEG_INFINITY)]);
    emit.bind("top", ty, Value::Op(Op::Select, vec![nothing, number(0.0), top]))
}

/// Terms joined one after the other, with a `let` now and then.
fn chain(emit: &mut Emit<'_>, lanes: bool, op: Red, terms: Vec<Value>) -> Value {
    let ty = if lanes { LocalTy::Lanes } else { LocalTy::Real };
    let mut total: Option<Value> = None;
    for (k, term) in terms.into_iter().enumerate() {
        total = Some(match (total, term) {
            (None, term) => term,
            (Some(total), Value::Op(Op::Mul, args)) if lanes && op == Red::Sum => match <[Value; 2]>::try_from(args) {
                Ok([a, b]) => Value::MulAdd(Box::new([a, b, total])),
                Err(args) => Value::Op(Op::Add, vec![total, Value::Op(Op::Mul, args)]),
            },
            (Some(total), term) => nest::combine(op, total, term),
        });
        if k % TERMS == TERMS - 1 {
            total = total.map(|t| emit.bind("t", ty, t));
        }
    }
    let start = || if lanes { Value::Splat(Box::new(nest::start(op))) } else { nest::start(op) };
    total.unwrap_or_else(start)
}
