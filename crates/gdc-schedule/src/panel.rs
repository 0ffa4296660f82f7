//! Panels: the columns of an operand that a tile is about to use many times, copied side by
//! side.
//!
//! Rows that are a multiple of 2 KiB apart share a few sets of the first cache and evict each
//! other before a tile comes back to them. Where many tiles use the same columns, a copy of
//! these is read in their stead. Columns that lie along another axis than the last are turned
//! over on the way, so that no turned copy of the whole operand is made.

use crate::emit::{Emit, Env};
use crate::int::Int;
use crate::nest;
use crate::tile::product;
use gdc_ir::program::{BufferId, Elem, Index, LANES, LoopVar, Place, Value};
use gdc_ir::{Expr, ExprId, Var};

/// Rows so many bytes apart are in each other's way.
const STRIDE: i64 = 2048;
/// Fewer rows fit beside each other all the same.
const DEEPEST: usize = 32;
/// A panel that fewer tiles use does not repay the copy.
const REUSE: usize = 4;
/// A greater panel would not stay in the second cache.
const LARGEST: usize = 1 << 18;

/// Whether the rows of an operand are in each other's way, at the place
/// that `place` gives for a vector. `tiles` use the same columns.
pub(crate) fn pays(
    emit: &mut Emit<'_>,
    operand: &[ExprId],
    over: &[Var],
    place: impl Fn(&Emit<'_>, &Int) -> Env,
    tiles: usize,
    width: usize,
) -> bool {
    let exprs = &emit.plan.graph.exprs;
    let depth: usize = over.iter().map(|&v| exprs.extent(v)).product();
    let bytes = depth.saturating_mul(width * 4);
    if tiles < REUSE || depth <= DEEPEST || bytes > LARGEST {
        return false;
    }
    let Some(&inner) = over.last() else { return false };
    let mut found = false;
    emit.attempt(|emit| {
        nest::turns(emit, over, &Env::new(), |emit, turn, at| {
            emit.with_lanes(LANES, |emit| {
                let row = at.last().and_then(|i| i.terms.first()).map(|(v, _)| *v);
                let mut env = place(emit, &Int::default());
                env.extend(turn.clone());
                let value = product(emit, operand, &env);
                if let (Some(Value::LoadLanes(buffer, at, _)), Some(row)) = (value, row) {
                    found = stride(emit, buffer, &at, row) % STRIDE == 0;
                }
            });
        });
        None::<()>
    });
    found && exprs.extent(inner) > DEEPEST
}

/// How many bytes a place moves with a loop variable.
fn stride(emit: &Emit<'_>, buffer: BufferId, at: &[Index], var: LoopVar) -> i64 {
    let (mut bytes, mut size) = (0, 4);
    for (index, &n) in at.iter().zip(&emit.build.program.buffer(buffer).shape).rev() {
        if let Index::Affine { terms, .. } = index {
            bytes += size * terms.iter().find(|(v, _)| *v == var).map_or(0, |(_, c)| *c);
        }
        size = size.saturating_mul(n as i64);
    }
    bytes
}

/// Copies the columns of an operand, `vectors` of lanes from the place that `place` gives for
/// each, and returns the buffer; `None` where they cannot be read in lanes.
pub(crate) fn copy(
    emit: &mut Emit<'_>,
    operand: &[ExprId],
    over: &[Var],
    vectors: usize,
    valid: usize,
    place: impl Fn(&Emit<'_>, &Int) -> Env,
) -> Option<BufferId> {
    let exprs = &emit.plan.graph.exprs;
    let mut shape: Vec<usize> = over.iter().map(|&v| exprs.extent(v)).collect();
    shape.push(vectors * LANES);
    let panel = shared(emit, shape);
    let mut possible = true;
    nest::turns(emit, over, &Env::new(), |emit, turn, at| {
        for k in 0..vectors {
            let valid = if k + 1 == vectors { valid } else { LANES };
            let v = Int::constant(k as i64);
            emit.with_lanes(valid, |emit| {
                let mut env = place(emit, &v);
                env.extend(turn.clone());
                let Some(value) = product(emit, operand, &env) else {
                    possible = false;
                    return;
                };
                let to = place_in(at, &v);
                emit.set(Place::Lanes(panel, to, LANES), value);
            });
        }
    });
    possible.then_some(panel)
}

/// Copies columns that lie along another axis than the last of their buffer, turned over: the
/// buffer then is read along its rows, once. `None` where they are read in another way. `tiles`
/// use the same columns, and nothing else does.
pub(crate) fn turned(
    emit: &mut Emit<'_>,
    operand: &[ExprId],
    over: &[Var],
    [tiles, vectors, valid]: [usize; 3],
    place: impl Fn(&Emit<'_>, &Int) -> Env,
) -> Option<BufferId> {
    let (&[read], &[inner]) = (operand, over) else { return None };
    let exprs = &emit.plan.graph.exprs;
    let depth = exprs.extent(inner);
    let Expr::Read { at, .. } = exprs.get(read) else { return None };
    if at.iter().filter(|&&i| exprs.free_vars(i).contains(&inner)).count() != 1 {
        return None;
    }
    let split = emit.splits.contains_key(&inner);
    if split || tiles < REUSE || depth.saturating_mul(vectors * LANES * 4) > LARGEST {
        return None;
    }
    let panel = shared(emit, vec![depth, vectors * LANES]);
    let whole = depth / LANES;
    for (from, count, rows) in [(0, whole, LANES), (whole * LANES, 1, depth % LANES)] {
        if count * rows == 0 {
            continue;
        }
        let name = emit.plan.graph.exprs.var(inner).name.clone();
        let mut possible = true;
        emit.repeat(&name, count, |emit, block| {
            let row = block.scaled(LANES as i64).shifted(from as i64);
            for k in 0..vectors {
                let columns = if k + 1 == vectors { valid } else { LANES };
                let v = Int::constant(k as i64);
                let source = emit.with_lanes(columns, |emit| {
                    let mut env = place(emit, &v);
                    env.insert(inner, row.clone());
                    emit.across(read, &env)
                });
                let Some((buffer, source, axis)) = source.filter(|(_, at, _)| at.last() == Some(&row)) else {
                    possible = false;
                    return;
                };
                crate::pack::turn_block(emit, [buffer, panel], [columns, rows], |r, c| {
                    let mut from = source.clone();
                    from[axis] = from[axis].plus(r, 1);
                    (from, vec![row.plus(c, 1), v.scaled(LANES as i64).plus(r, 1)])
                });
            }
        });
        if !possible {
            return None;
        }
    }
    Some(panel)
}

/// Vector `v` of a panel's row.
pub(crate) fn read(panel: BufferId, over: &[Var], env: &Env, v: &Int) -> Value {
    let at: Vec<Int> = over.iter().map(|k| env.get(k).cloned().unwrap_or_default()).collect();
    Value::LoadLanes(panel, place_in(&at, v), LANES)
}

fn place_in(at: &[Int], v: &Int) -> Vec<Index> {
    at.iter().map(Int::index).chain([v.scaled(LANES as i64).index()]).collect()
}

/// Panels of one shape share their memory: each is done with when the next one is made.
fn shared(emit: &mut Emit<'_>, shape: Vec<usize>) -> BufferId {
    let name = shape.iter().fold("panel".to_owned(), |name, n| format!("{name}.{n}"));
    let known = emit.build.program.buffers().find(|(_, b)| b.name == name && b.shape == shape).map(|(id, _)| id);
    let panel = known.unwrap_or_else(|| emit.temporary(&name, shape, Elem::F32));
    emit.build.program.scratch.insert(panel);
    panel
}
