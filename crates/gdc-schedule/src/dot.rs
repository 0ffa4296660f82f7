//! Tiles of dot products: long sums over the samples, 16 at a time, of which few are wanted.
//!
//! A convolution's weights have few elements, each the sum over all samples and positions.
//! Where samples lie side by side, both operands are loaded in lanes; the lanes are added up
//! at the very end.

use crate::emit::{Emit, Env};
use crate::group::Group;
use crate::guards::factors;
use crate::int::Int;
use crate::nest;
use crate::split::axes;
use gdc_ir::program::{BufferId, Elem, Index, LANES, LocalTy, Place, Stmt, Value};
use gdc_ir::{ExprId, NodeId, NodeKind, Op, Red, Var};

/// Sums that are shorter than this do not repay adding up the lanes.
const LONG: usize = 1024;
/// The most rows and columns of a tile.
const ROWS: usize = 4;
const COLUMNS: usize = 6;

/// A sum of products, taken apart.
struct Dot {
    head: NodeId,
    axes: Vec<Var>,
    /// What is summed over besides the samples, and the samples.
    over: Vec<Var>,
    batch: Var,
    /// The factors with the row axis, and the others.
    a: Vec<ExprId>,
    b: Vec<ExprId>,
    row: usize,
    column: usize,
}

/// Writes a group that begins with a long sum over samples; `None` where that is not possible.
pub(crate) fn dot(emit: &mut Emit<'_>, group: &Group) -> Option<String> {
    let dot = take_apart(emit, group)?;
    let axes = axes(emit, group);
    let (rows, height) = (divisor(axes[dot.row].inner(), ROWS), axes[dot.row].inner());
    let (columns, width) = (divisor(axes[dot.column].inner(), COLUMNS), axes[dot.column].inner());
    let node = emit.plan.graph.node(dot.head);
    let shape: Vec<usize> = node.shape.iter().copied().chain([LANES]).collect();
    let partial = emit.temporary(&format!("{}.lanes", node.name), shape, Elem::F32);
    // Samples lie in the buffers as they are; only what comes from outside must be turned.
    emit.lane_is_batch = true;
    emit.turns = emit.plan.turns(dot.head);
    let mut possible = true;
    emit.repeat_axes(&axes, &[dot.row, dot.column], |emit, start| {
        emit.repeat(&axes[dot.row].name, height / rows, |emit, i| {
            emit.repeat(&axes[dot.column].name, width / columns, |emit, j| {
                let mut start = start;
                start[dot.row] = start[dot.row].plus(&i, rows as i64);
                start[dot.column] = start[dot.column].plus(&j, columns as i64);
                possible = one_tile(emit, &dot, &start, [rows, columns], partial).is_some();
            });
        });
    });
    if !possible {
        return None;
    }
    let turns = emit.plan.turns(dot.head);
    let reason = format!("tile {rows}x{columns} of {turns} multiply-adds: samples in lanes");
    let equation = gdc_ir::text::equation(&emit.plan.graph, dot.head);
    emit.before(partial, format!("{equation}, each lane for itself"), reason);
    add_up(emit, group, &dot, partial);
    Some("the lanes of the kernel before, added up".to_owned())
}

/// Adds up lanes, with the epilogue. This is apart from the tile, whose registers compilers
/// would otherwise keep in memory.
fn add_up(emit: &mut Emit<'_>, group: &Group, dot: &Dot, partial: BufferId) {
    let axes = axes(emit, group);
    emit.repeat_axes(&axes, &[], |emit, point| {
        let mut at = Emit::indices(&point);
        at.push(Index::constant(0));
        emit.point = point;
        emit.values.clear();
        let mut stores = Vec::new();
        for &id in &group.members {
            let value = if id == dot.head {
                Value::Horizontal(Red::Sum, Box::new(Value::LoadLanes(partial, at.clone(), LANES)))
            } else {
                nest::member(emit, id)
            };
            nest::finish(emit, id, value, &mut stores);
        }
        emit.out.extend(stores);
    });
}

/// The greatest divisor that is no greater than a limit.
fn divisor(n: usize, limit: usize) -> usize {
    (1..=limit.min(n)).rev().find(|k| n.is_multiple_of(*k)).unwrap_or(1)
}

fn take_apart(emit: &Emit<'_>, group: &Group) -> Option<Dot> {
    let plan = emit.plan;
    let &head = group.members.first()?;
    let node = plan.graph.node(head);
    let NodeKind::Compute { axes, reduce: Some(reduce), body } = &node.kind else { return None };
    let exprs = &plan.graph.exprs;
    let (batch, over): (Vec<Var>, Vec<Var>) = reduce.over.iter().partition(|&&v| exprs.var(v).batch);
    let &[batch] = batch.as_slice() else { return None };
    let long = plan.turns(head) >= LONG.saturating_mul(node.len());
    if !long || reduce.op != Red::Sum || node.per_sample || emit.real != Elem::F32 {
        return None;
    }
    let has = |e: ExprId, k: usize| exprs.free_vars(e).contains(&axes[k]);
    let all = factors(exprs, *body);
    let extent = |k: usize| exprs.extent(axes[k]);
    let with = |k: usize| all.iter().filter(|&&e| has(e, k)).count();
    // Rows are of one operand alone, columns of the other.
    let rows = (0..axes.len()).filter(|&k| with(k) == 1 && extent(k) > 1);
    let row = rows.max_by_key(|&k| (extent(k).min(ROWS), k))?;
    let (a, b): (Vec<ExprId>, Vec<ExprId>) = all.iter().copied().partition(|&e| has(e, row));
    let in_b = |k: usize| b.iter().any(|&e| has(e, k)) && !a.iter().any(|&e| has(e, k));
    let column = (0..axes.len()).filter(|&k| in_b(k)).max_by_key(|&k| (divisor(extent(k), COLUMNS), k))?;
    Some(Dot { head, axes: axes.clone(), over, batch, a, b, row, column })
}

/// Zero, accumulate, store the lanes.
fn one_tile(
    emit: &mut Emit<'_>,
    dot: &Dot,
    start: &[Int],
    [rows, columns]: [usize; 2],
    partial: BufferId,
) -> Option<()> {
    let plan = emit.plan;
    let splat = |x: f64| Value::Splat(Box::new(Value::Real(x)));
    let name = &plan.graph.node(dot.head).name;
    let register = |i: &Int, j: &Int| -> Vec<Index> {
        [(rows, i), (columns, j)].into_iter().filter(|(n, _)| *n > 1).map(|(_, i)| i.index()).collect()
    };
    let dims: Vec<usize> = [rows, columns].into_iter().filter(|n| *n > 1).collect();
    let acc = emit.build.local(name, LocalTy::Lanes, &dims);
    emit.out.push(Stmt::Var { local: acc, init: splat(0.0) });
    let place = |i: &Int, j: &Int| {
        let mut at = start.to_vec();
        at[dot.row] = at[dot.row].plus(i, 1);
        at[dot.column] = at[dot.column].plus(j, 1);
        at
    };
    let samples = plan.graph.exprs.extent(dot.batch);
    let zero = Int::default();
    let mut possible = true;
    nest::turns(emit, &dot.over, &Env::new(), |emit, env, _| {
        let mut block = |emit: &mut Emit<'_>, from: Int, valid: usize| {
            emit.with_lanes(valid, |emit| {
                let mut env = env.clone();
                env.extend(emit.lane.map(|lane| (dot.batch, from.plus(&Int::var(lane.var), 1))));
                let at = |i: &Int, j: &Int| {
                    let mut env = env.clone();
                    env.extend(dot.axes.iter().copied().zip(place(i, j)));
                    env
                };
                let a_dims = if rows > 1 { vec![rows] } else { Vec::new() };
                let a = emit.build.local("a", LocalTy::Lanes, &a_dims);
                emit.out.push(Stmt::Var { local: a, init: splat(0.0) });
                let a_at = |i: &Int| if rows > 1 { vec![i.index()] } else { Vec::new() };
                emit.repeat("r", rows, |emit, i| match product(emit, &dot.a, &at(&i, &zero)) {
                    Some(value) => emit.set(Place::Local(a, a_at(&i)), nest::masked(value, valid, Red::Sum)),
                    None => possible = false,
                });
                emit.repeat("s", columns, |emit, j| {
                    let Some(b) = product(emit, &dot.b, &at(&zero, &j)) else {
                        possible = false;
                        return;
                    };
                    let b = emit.bind("row", LocalTy::Lanes, nest::masked(b, valid, Red::Sum));
                    emit.repeat("r", rows, |emit, i| {
                        let total = register(&i, &j);
                        let so_far = Value::Local(acc, total.clone());
                        let value = Value::MulAdd(Box::new([Value::Local(a, a_at(&i)), b.clone(), so_far]));
                        emit.set(Place::Local(acc, total), value);
                    });
                });
            });
        };
        if samples >= LANES {
            emit.repeat("b", samples / LANES, |emit, k| block(emit, k.scaled(LANES as i64), LANES));
        }
        if !samples.is_multiple_of(LANES) {
            block(emit, Int::constant((samples / LANES * LANES) as i64), samples % LANES);
        }
    });
    if !possible {
        return None;
    }
    emit.repeat("r", rows, |emit, i| {
        emit.repeat("s", columns, |emit, j| {
            let mut at = Emit::indices(&place(&i, &j));
            at.push(Index::constant(0));
            emit.set(Place::Lanes(partial, at, LANES), Value::Local(acc, register(&i, &j)));
        });
    });
    Some(())
}

/// The product of factors in lanes.
fn product(emit: &mut Emit<'_>, factors: &[ExprId], env: &Env) -> Option<Value> {
    let mut parts = Vec::new();
    for &e in factors {
        parts.push(emit.vector(e, env)?);
    }
    parts.into_iter().reduce(|a, b| Value::Op(Op::Mul, vec![a, b]))
}
