//! Plain loop nests: what is always possible.

use crate::emit::{Emit, Env};
use crate::group::Group;
use crate::int::Int;
use crate::split::{Axis, axes};
use gdc_ir::program::{BufferId, Elem, Index, LANES, LocalTy, Place, Stmt, Value};
use gdc_ir::{Expr, ExprId, NodeId, NodeKind, Op, Red, Var};
use std::collections::BTreeMap;

/// Shorter reductions are not worth lanes, or not half as long ones of costly functions.
const SHORTEST: usize = 8;
/// What costs as much as so many additions is costly.
const COSTLY: u32 = 12;
/// How many elements of a constant one kernel stores.
pub(crate) const LITERALS: usize = 200;

/// Loops over the shape of a group, all members in the innermost.
pub(crate) fn nest(emit: &mut Emit<'_>, group: &Group) {
    let axes = axes(emit, group);
    emit.batch_inside = group.members.iter().any(|&id| emit.storage.batch_is_last(id));
    emit.repeat_axes(&axes, &[], |emit, point| {
        emit.batch_inside = false;
        emit.point = point;
        let mut stores = Vec::new();
        for &id in &group.members {
            let value = member(emit, id);
            finish(emit, id, value, &mut stores);
        }
        // Stored only now: a member may still have read what these replace.
        emit.out.extend(stores);
    });
}

/// Makes a member's value at the place at hand known to later ones, and notes its store.
pub(crate) fn finish(emit: &mut Emit<'_>, id: NodeId, value: Value, stores: &mut Vec<Stmt>) {
    let node = emit.plan.graph.node(id);
    let mut value = value;
    if emit.bound.contains(&id) {
        value = emit.bind(&node.name, Emit::local_ty(node.ty), value);
        emit.values.insert(id, value.clone());
    }
    if let Some(buffer) = emit.storage.buffer(id) {
        let at = emit.stored_place(id, buffer, emit.point.clone());
        stores.push(Stmt::Set { place: Place::Element(buffer, Emit::indices(&at)), value });
    }
}

/// The value of one statement at the place at hand.
pub(crate) fn member(emit: &mut Emit<'_>, id: NodeId) -> Value {
    let plan = emit.plan;
    let NodeKind::Compute { axes, reduce, body } = &plan.graph.node(id).kind else {
        return Value::Real(0.0);
    };
    let env: Env = axes.iter().copied().zip(emit.point.iter().cloned()).collect();
    match reduce {
        None => emit.scalar(*body, &env),
        Some(r) => reduction(emit, &plan.graph.node(id).name, r.op, &r.over, *body, &env),
    }
}

/// The order in which a reduction takes its turns: with what is read along outer axes of the
/// `operands` outermost, so that memory is read in its order; and with the samples last where
/// they lie side by side in memory, or where steps are stored before them.
pub(crate) fn turning_order(emit: &Emit<'_>, over: &[Var], operands: &[ExprId]) -> Vec<Var> {
    let mut over = over.to_vec();
    let exprs = &emit.plan.graph.exprs;
    let mut depth: BTreeMap<Var, usize> = BTreeMap::new();
    for &operand in operands {
        exprs.walk(operand, &mut |e| {
            let Expr::Read { at, .. } = exprs.get(e) else { return };
            for (k, i) in at.iter().enumerate() {
                for v in exprs.free_vars(*i) {
                    let d = depth.entry(v).or_default();
                    *d = (*d).max(k);
                }
            }
        });
    }
    over.sort_by_key(|v| depth.get(v).copied().unwrap_or(0));
    if emit.storage.some_batch_is_last() || emit.storage.some_is_stepped() {
        over.sort_by_key(|&v| emit.plan.graph.exprs.var(v).batch);
    }
    over
}

fn reduction(emit: &mut Emit<'_>, name: &str, op: Red, over: &[Var], body: ExprId, env: &Env) -> Value {
    // The place that argmax gives depends on the order of its variables.
    let reordered = turning_order(emit, over, &[]);
    let over = if matches!(op, Red::Argmax | Red::Argmin) { over } else { reordered.as_slice() };
    if let Some(value) = emit.attempt(|emit| in_lanes(emit, op, over, body, env)) {
        return value;
    }
    match op {
        Red::Argmax | Red::Argmin => place_of_best(emit, op, over, body, env),
        Red::Lse => log_sum_exp(emit, over, body, env),
        Red::Sum | Red::Prod | Red::Max | Red::Min | Red::Any | Red::All => {
            let ty = Emit::local_ty(op.result());
            let total = emit.variable(name, ty, start(op));
            let place = Place::Local(total, Vec::new());
            turns(emit, over, env, |emit, env, _| {
                let value = emit.scalar(body, env);
                match op {
                    Red::Sum => emit.out.push(Stmt::Add { place, value }),
                    _ => {
                        let so_far = Value::Local(total, Vec::new());
                        emit.set(place, combine(op, so_far, value));
                    }
                }
            });
            Value::Local(total, Vec::new())
        }
    }
}

/// The value of a reduction over nothing.
pub(crate) fn start(op: Red) -> Value {
    match op {
        Red::Sum => Value::Real(0.0),
        Red::Prod => Value::Real(1.0),
        Red::Max | Red::Argmax | Red::Lse => Value::Real(f64::NEG_INFINITY),
        Red::Min | Red::Argmin => Value::Real(f64::INFINITY),
        Red::Any => Value::Bool(false),
        Red::All => Value::Bool(true),
    }
}

/// One more value taken into a reduction, or two of them joined.
pub(crate) fn combine(op: Red, a: Value, b: Value) -> Value {
    let op = match op {
        Red::Sum | Red::Lse => Op::Add,
        Red::Prod => Op::Mul,
        Red::Max | Red::Argmax => Op::Max,
        Red::Min | Red::Argmin => Op::Min,
        Red::Any => Op::Or,
        Red::All => Op::And,
    };
    Value::Op(op, vec![a, b])
}

/// Loops over variables; the body is given where they stand, and their integers.
pub(crate) fn turns(emit: &mut Emit<'_>, over: &[Var], env: &Env, body: impl FnOnce(&mut Emit<'_>, &Env, &[Int])) {
    let exprs = &emit.plan.graph.exprs;
    let axis = |&v: &Var| {
        let factors = emit.splits.get(&v).cloned().unwrap_or_else(|| vec![exprs.extent(v)]);
        Axis { name: exprs.var(v).name.clone(), factors, still: None, from: 0 }
    };
    let axes: Vec<Axis> = over.iter().map(axis).collect();
    emit.repeat_axes(&axes, &[], |emit, at| {
        let mut env = env.clone();
        env.extend(over.iter().copied().zip(at.iter().cloned()));
        body(emit, &env, &at);
    });
}

fn place_of_best(emit: &mut Emit<'_>, op: Red, over: &[Var], body: ExprId, env: &Env) -> Value {
    let best = emit.variable("best", LocalTy::Real, start(op));
    let place = emit.variable("place", LocalTy::Int, Value::Int(Index::constant(0)));
    let extents: Vec<usize> = over.iter().map(|&v| emit.plan.graph.exprs.extent(v)).collect();
    turns(emit, over, env, |emit, env, at| {
        let value = emit.scalar(body, env);
        let value = emit.bind("t", LocalTy::Real, value);
        let flat = at.iter().zip(&extents).fold(Int::default(), |flat, (i, &n)| flat.scaled(n as i64).plus(i, 1));
        let so_far = Value::Local(best, Vec::new());
        let pair = if op == Red::Argmax { vec![so_far, value.clone()] } else { vec![value.clone(), so_far] };
        let body = vec![
            Stmt::Set { place: Place::Local(best, Vec::new()), value },
            Stmt::Set { place: Place::Local(place, Vec::new()), value: flat.value() },
        ];
        emit.out.push(Stmt::If { condition: Value::Op(Op::Lt, pair), body });
    });
    Value::Local(place, Vec::new())
}

/// In two passes: the greatest, then the sum of exponentials of what lies below it.
fn log_sum_exp(emit: &mut Emit<'_>, over: &[Var], body: ExprId, env: &Env) -> Value {
    let top = emit.variable("top", LocalTy::Real, start(Red::Max));
    turns(emit, over, env, |emit, env, _| {
        let value = emit.scalar(body, env);
        let value = combine(Red::Max, Value::Local(top, Vec::new()), value);
        emit.set(Place::Local(top, Vec::new()), value);
    });
    let top = finite_or_zero(Value::Local(top, Vec::new()));
    let top = emit.bind("top", LocalTy::Real, top);
    let total = emit.variable("total", LocalTy::Real, Value::Real(0.0));
    turns(emit, over, env, |emit, env, _| {
        let value = emit.scalar(body, env);
        let below = Value::Op(Op::Sub, vec![value, top.clone()]);
        let value = Value::Op(Op::Exp, vec![below]);
        emit.out.push(Stmt::Add { place: Place::Local(total, Vec::new()), value });
    });
    let log = Value::Op(Op::Log, vec![Value::Local(total, Vec::new())]);
    Value::Op(Op::Add, vec![top, log])
}

/// Whether an expression, what is inlined in it included, has a function that takes as long as
/// adding up some lanes.
fn costly(emit: &Emit<'_>, body: ExprId) -> bool {
    let plan = emit.plan;
    let exprs = &plan.graph.exprs;
    plan.cost(body) >= COSTLY
        || exprs.read_nodes(body).iter().any(|id| match plan.graph.node(*id).kind {
            NodeKind::Compute { body, .. } if plan.inlined.contains(id) => costly(emit, body),
            _ => false,
        })
}

/// A reduction with its innermost variable in lanes, joined at the end by a fixed tree.
fn in_lanes(emit: &mut Emit<'_>, op: Red, over: &[Var], body: ExprId, env: &Env) -> Option<Value> {
    let (&inner, outer) = over.split_last()?;
    let shortest = if costly(emit, body) { SHORTEST / 2 } else { SHORTEST };
    if emit.real != Elem::F32 || emit.plan.graph.exprs.extent(inner) < shortest {
        return None;
    }
    match op {
        Red::Sum | Red::Prod | Red::Max | Red::Min => {
            lane_pass(emit, op, outer, inner, env, |emit, env| emit.vector(body, env))
        }
        Red::Lse => {
            let top = lane_pass(emit, Red::Max, outer, inner, env, |emit, env| emit.vector(body, env))?;
            let top = emit.bind("top", LocalTy::Real, top);
            let top = emit.bind("top", LocalTy::Real, finite_or_zero(top));
            let total = lane_pass(emit, Red::Sum, outer, inner, env, |emit, env| {
                let value = emit.vector(body, env)?;
                let below = Value::Op(Op::Sub, vec![value, Value::Splat(Box::new(top.clone()))]);
                Some(Value::Op(Op::Exp, vec![below]))
            })?;
            Some(Value::Op(Op::Add, vec![top, Value::Op(Op::Log, vec![total])]))
        }
        Red::Argmax | Red::Argmin | Red::Any | Red::All => None,
    }
}

/// Reduces `value` over all turns, 16 of the inner variable at a time.
fn lane_pass(
    emit: &mut Emit<'_>,
    op: Red,
    outer: &[Var],
    inner: Var,
    env: &Env,
    mut value: impl FnMut(&mut Emit<'_>, &Env) -> Option<Value>,
) -> Option<Value> {
    let (name, extent) = {
        let var = emit.plan.graph.exprs.var(inner);
        (var.name.clone(), var.extent)
    };
    emit.reduced_in_lanes = true;
    if outer.is_empty() && extent <= LANES {
        return emit.with_lanes(extent, |emit| {
            let mut env = env.clone();
            env.extend(emit.lane.map(|lane| (inner, Int::var(lane.var))));
            let value = value(emit, &env)?;
            Some(Value::Horizontal(op, Box::new(masked(value, extent, op))))
        });
    }
    let total = emit.variable("total", LocalTy::Lanes, Value::Splat(Box::new(start(op))));
    let mut possible = true;
    turns(emit, outer, env, |emit, env, _| {
        let mut block = |emit: &mut Emit<'_>, from: Int, valid: usize| {
            emit.with_lanes(valid, |emit| {
                let mut env = env.clone();
                env.extend(emit.lane.map(|lane| (inner, from.plus(&Int::var(lane.var), 1))));
                let Some(value) = value(emit, &env) else {
                    possible = false;
                    return;
                };
                let value = combine(op, Value::Local(total, Vec::new()), masked(value, valid, op));
                emit.set(Place::Local(total, Vec::new()), value);
            });
        };
        if extent >= LANES {
            emit.repeat(&name, extent / LANES, |emit, k| block(emit, k.scaled(LANES as i64), LANES));
        }
        if !extent.is_multiple_of(LANES) {
            block(emit, Int::constant((extent / LANES * LANES) as i64), extent % LANES);
        }
    });
    possible.then(|| Value::Horizontal(op, Box::new(Value::Local(total, Vec::new()))))
}

/// Lanes with what a reduction starts from in those that are not in use.
pub(crate) fn masked(value: Value, valid: usize, op: Red) -> Value {
    if valid == LANES {
        return value;
    }
    let splat = |v: Value| Value::Splat(Box::new(v));
    let used = Value::Op(Op::Lt, vec![Value::Iota(Index::constant(0)), splat(Value::Real(valid as f64))]);
    Value::Op(Op::Select, vec![used, value, splat(start(op))])
}

/// Zero in place of minus infinity, so that the log-sum-exp of nothing but minus infinity is
/// that again, and not the difference of two infinities.
pub(crate) fn finite_or_zero(top: Value) -> Value {
    let nothing = Value::Op(Op::Eq, vec![top.clone(), Value::Real(f64::NEG_INFINITY)]);
    Value::Op(Op::Select, vec![nothing, Value::Real(0.0), top])
}

/// Fills a buffer with one number.
pub(crate) fn fill(emit: &mut Emit<'_>, buffer: BufferId, value: f64) {
    let shape = emit.build.program.buffer(buffer).shape.clone();
    let dims: Vec<(String, usize)> = shape.into_iter().map(|n| ("i".to_owned(), n)).collect();
    emit.repeat_all(&dims, |emit, at| {
        emit.set(Place::Element(buffer, Emit::indices(&at)), Value::Real(value));
    });
}

/// Zeros in the part of a buffer that a statement fills: in a loop over steps, that of the step.
fn fill_node(emit: &mut Emit<'_>, id: NodeId, buffer: BufferId) {
    let shape = emit.plan.graph.node(id).shape.clone();
    let axis = |(k, &n): (usize, &usize)| match &emit.time {
        Some((time, step)) if *time == k => {
            Axis { name: "t".to_owned(), factors: Vec::new(), still: Some(step.clone()), from: 0 }
        }
        _ => Axis { name: "i".to_owned(), factors: vec![n], still: None, from: 0 },
    };
    let axes: Vec<Axis> = shape.iter().enumerate().map(axis).collect();
    emit.repeat_axes(&axes, &[], |emit, point| {
        let at = emit.stored_place(id, buffer, point);
        emit.set(Place::Element(buffer, Emit::indices(&at)), Value::Real(0.0));
    });
}

/// Zeros, then sums at computed places.
pub(crate) fn scatter(emit: &mut Emit<'_>, id: NodeId) {
    let plan = emit.plan;
    let NodeKind::Scatter { domain, at, body } = &plan.graph.node(id).kind else { return };
    let Some(buffer) = emit.storage.buffer(id) else { return };
    if emit.storage.is_stepped(id) {
        fill_node(emit, id, buffer);
    } else {
        fill(emit, buffer, 0.0);
    }
    let mut domain = domain.clone();
    let mut start = Env::new();
    if let Some((axis, step)) = &emit.time
        && let Some(var) = at.get(*axis).and_then(|&e| plan.graph.exprs.as_var(e))
    {
        start.insert(var, step.clone());
        domain.retain(|&v| v != var);
    }
    // Samples do not meet, so their order is free.
    let sample = at.first().and_then(|&e| plan.graph.exprs.as_var(e));
    if emit.storage.batch_is_last(id) && sample.is_some() && sample == domain.first().copied() {
        domain.rotate_left(1);
    }
    turns(emit, &domain, &start, |emit, env, _| {
        let place: Vec<Int> = at.iter().map(|&e| emit.int(e, env)).collect();
        let inside = emit.inside(id, &place);
        let add = emit.nested(|emit| {
            let value = emit.scalar(*body, env);
            let place = emit.stored_place(id, buffer, place);
            emit.out.push(Stmt::Add { place: Place::Element(buffer, Emit::indices(&place)), value });
        });
        match inside {
            Value::Bool(true) => emit.out.extend(add),
            Value::Bool(false) => {}
            condition => emit.out.push(Stmt::If { condition, body: add }),
        }
    });
}

/// Stores some of the elements of a constant.
pub(crate) fn literal(emit: &mut Emit<'_>, id: NodeId, from: usize) {
    let plan = emit.plan;
    let node = plan.graph.node(id);
    let NodeKind::Literal(values) = &node.kind else { return };
    let Some(buffer) = emit.storage.buffer(id) else { return };
    for (k, &value) in values.iter().enumerate().skip(from).take(LITERALS) {
        let mut at = vec![Int::default(); node.shape.len()];
        let mut rest = k;
        for (i, &n) in at.iter_mut().zip(&node.shape).rev() {
            *i = Int::constant((rest % n.max(1)) as i64);
            rest /= n.max(1);
        }
        let at = emit.stored_place(id, buffer, at);
        let value = match node.ty {
            gdc_ir::Ty::Real => Value::Real(value),
            gdc_ir::Ty::Int => Value::Int(Index::constant(value as i64)),
            gdc_ir::Ty::Bool => Value::Bool(value != 0.0),
        };
        emit.set(Place::Element(buffer, Emit::indices(&at)), value);
    }
}
