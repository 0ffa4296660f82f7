//! Statements in lanes, each lane one element, with its own reduction if it is one.

use crate::emit::{Emit, Env, Lane};
use crate::group::Group;
use crate::int::Int;
use crate::nest;
use crate::split::{Axis, axes};
use crate::tile::{ENOUGH, NARROWEST};
use gdc_ir::program::{Elem, LANES, LocalTy, Place, Stmt, Value};
use gdc_ir::{ExprId, NodeId, NodeKind, Op, Red, Reduce};

/// The members of a group that are not known yet at the place at hand, in lanes, and the
/// stores of all.
pub(crate) fn elements(emit: &mut Emit<'_>, members: &[NodeId]) -> Option<()> {
    let plan = emit.plan;
    let mut stores = Vec::new();
    for &id in members {
        let mut value = emit.values.get(&id).cloned();
        if value.is_none() {
            let NodeKind::Compute { axes, reduce, body } = &plan.graph.node(id).kind else { return None };
            let env: Env = axes.iter().copied().zip(emit.point.iter().cloned()).collect();
            let mut computed = match reduce {
                None => emit.vector(*body, &env)?,
                Some(r) => lanewise(emit, r, *body, &env)?,
            };
            if emit.bound.contains(&id) {
                computed = emit.bind(&plan.graph.node(id).name, LocalTy::Lanes, computed);
                emit.values.insert(id, computed.clone());
            }
            value = Some(computed);
        }
        if let Some(buffer) = emit.storage.buffer(id) {
            let place = emit.point.clone();
            let place = emit.stored_place(id, buffer, place);
            // A load from there would do: so will a store.
            let Some(Value::LoadLanes(buffer, at, valid)) = emit.contiguous(buffer, place) else { return None };
            stores.push(Stmt::Set { place: Place::Lanes(buffer, at, valid), value: value? });
        }
    }
    emit.out.extend(stores);
    Some(())
}

/// Whether an axis of a group runs over the samples.
pub(crate) fn is_batch(emit: &Emit<'_>, group: &Group, axis: usize) -> bool {
    axis == 0 && group.members.iter().all(|&id| emit.plan.graph.node(id).per_sample)
}

/// A reduction of which every lane does its own.
fn lanewise(emit: &mut Emit<'_>, reduce: &Reduce, body: ExprId, env: &Env) -> Option<Value> {
    let splat = |x: f64| Value::Splat(Box::new(Value::Real(x)));
    let pass = |emit: &mut Emit<'_>, op: Red, below: Option<&Value>| {
        let Value::Real(start) = nest::start(op) else { return None };
        let total = emit.variable("total", LocalTy::Lanes, splat(start));
        let mut possible = true;
        nest::turns(emit, &reduce.over, env, |emit, env, _| {
            let Some(value) = emit.vector(body, env) else {
                possible = false;
                return;
            };
            let value = match below {
                Some(top) => Value::Op(Op::Exp, vec![Value::Op(Op::Sub, vec![value, top.clone()])]),
                None => value,
            };
            let value = nest::combine(op, Value::Local(total, Vec::new()), value);
            emit.set(Place::Local(total, Vec::new()), value);
        });
        possible.then_some(Value::Local(total, Vec::new()))
    };
    match reduce.op {
        Red::Sum | Red::Prod | Red::Max | Red::Min => pass(emit, reduce.op, None),
        Red::Lse => {
            let top = pass(emit, Red::Max, None)?;
            let nothing = Value::Op(Op::Eq, vec![top.clone(), splat(f64::NEG_INFINITY)]);
            let top = emit.bind("top", LocalTy::Lanes, Value::Op(Op::Select, vec![nothing, splat(0.0), top]));
            let total = pass(emit, Red::Sum, Some(&top))?;
            Some(Value::Op(Op::Add, vec![top, Value::Op(Op::Log, vec![total])]))
        }
        Red::Argmax | Red::Argmin | Red::Any | Red::All => None,
    }
}

/// Writes a group in lanes along an axis, each lane with its own reductions.
pub(crate) fn map(emit: &mut Emit<'_>, group: &Group, lane_axis: usize) -> Option<String> {
    let axes = axes(emit, group);
    let (name, width) = (axes.get(lane_axis)?.name.clone(), axes[lane_axis].inner());
    if axes[lane_axis].still.is_some() {
        return None;
    }
    emit.lane_is_batch = is_batch(emit, group, lane_axis);
    // Exponentials and logarithms cost so much more than copies that these always pay.
    let costly = |&id: &NodeId| {
        let kind = &emit.plan.graph.node(id).kind;
        matches!(kind, NodeKind::Compute { reduce: Some(Reduce { op: Red::Lse, .. }), .. })
    };
    emit.turns = if width >= ENOUGH && group.members.iter().any(costly) { usize::MAX } else { 0 };
    if emit.real != Elem::F32 || width < NARROWEST {
        return None;
    }
    let mut possible = true;
    let parts = crate::segments::parts(emit, group, &axes);
    for axes in &parts {
        possible &= map_part(emit, group, axes, lane_axis);
    }
    let cut = if parts.len() > 1 { format!(", in {} parts without tests", parts.len()) } else { String::new() };
    possible.then(|| format!("lanes along {name}{cut}"))
}

/// The loops over some axes, with the last in lanes.
fn map_part(emit: &mut Emit<'_>, group: &Group, axes: &[Axis], lane_axis: usize) -> bool {
    let (name, width) = (axes[lane_axis].name.clone(), axes[lane_axis].inner());
    let mut possible = true;
    emit.repeat_axes(axes, &[lane_axis], |emit, start| {
        let mut block = |emit: &mut Emit<'_>, from: Int, valid: usize| {
            emit.with_lanes(valid, |emit| {
                emit.values.clear();
                emit.point = start.clone();
                let column = emit.point[lane_axis].plus(&from, 1);
                emit.point[lane_axis] = emit.lane.map_or(column.clone(), |lane| column.plus(&Int::var(lane.var), 1));
                possible &= elements(emit, &group.members).is_some();
            });
        };
        if width / LANES > 0 {
            emit.repeat(&name, width / LANES, |emit, k| block(emit, k.scaled(LANES as i64), LANES));
        }
        if !width.is_multiple_of(LANES) {
            block(emit, Int::constant((width / LANES * LANES) as i64), width % LANES);
        }
    });
    possible
}

impl Emit<'_> {
    /// Writes with a lane axis of so many lanes.
    pub fn with_lanes<T>(&mut self, valid: usize, body: impl FnOnce(&mut Self) -> T) -> T {
        let var = self.build.loop_var("lane", valid);
        let outer = self.lane.replace(Lane { var, valid });
        let result = body(self);
        self.lane = outer;
        result
    }
}
