//! Register tiles: reductions whose results lie side by side in lanes.
//!
//! In `sum[K](a * b)` the factors without the last output axis are `a`, one number for all
//! lanes; those with it are `b`, loaded once and used for every row of the tile. Each output
//! element is one chain over K in order, or, in a tile of one row, a number of chains that depends
//! on the model alone; so its bits depend neither on the size of the tile nor on the machine.

use crate::borders;
use crate::emit::{Emit, Env};
use crate::group::Group;
use crate::guards::factors;
use crate::int::Int;
use crate::map::{elements, is_batch};
use crate::nest;
use crate::panel;
use crate::split::axes;
use gdc_ir::program::{BufferId, Elem, Index, LANES, Local, LocalTy, Place, Stmt, Value};
use gdc_ir::{ExprId, NodeId, NodeKind, Op, Red, Var};

/// Fewer results than this side by side are not worth lanes.
pub(crate) const NARROWEST: usize = 4;

/// Fewer chains of additions than this wait for each other.
pub(crate) const ENOUGH: usize = 8;
/// More registers than this do not fit beside the operands.
const MOST: usize = 30;

/// A reduction to tile, taken apart.
struct Contraction {
    head: NodeId,
    op: Red,
    over: Vec<Var>,
    axes: Vec<Var>,
    /// Independent of the lane.
    a: Vec<ExprId>,
    /// Dependent on it.
    b: Vec<ExprId>,
    /// The axis that is blocked into rows, and one that could be taken along.
    rows: [Option<usize>; 2],
    /// The axis that lies in the lanes.
    lane: usize,
}

impl Contraction {
    /// The variables for which a tile has more than one value.
    fn own_vars(&self) -> Vec<Var> {
        [Some(self.lane), self.rows[0], self.rows[1]].into_iter().flatten().map(|k| self.axes[k]).collect()
    }

    /// How many chains of additions a result takes. Those of a single row are few, and each would
    /// wait for itself at every turn: then the turns are dealt out to several, which are joined at
    /// the end.
    fn chains(&self, emit: &Emit<'_>, spot: &Spot) -> usize {
        let (turns, inner) = self.turns(emit);
        let Some(last) = turns.last().filter(|v| inner.is_empty() && !emit.splits.contains_key(v)) else { return 1 };
        let extent = emit.plan.graph.exprs.extent(*last);
        if spot.rows != [1, 1] || spot.columns.vectors >= ENOUGH {
            return 1;
        }
        let enough = (ENOUGH / spot.columns.vectors).next_power_of_two();
        let fits = |&n: &usize| n <= enough && extent.is_multiple_of(n) && extent / n > 1;
        [8, 4, 2].into_iter().find(fits).unwrap_or(1)
    }

    /// The turns of the reduction, those that tests of borders need and those inside of these.
    fn turns(&self, emit: &Emit<'_>) -> (Vec<Var>, Vec<Var>) {
        borders::split(emit, self.op, &self.over, &self.a, &self.b, &self.own_vars())
    }
}

/// Some columns of the result: `count` blocks from `from` on, each of `vectors` vectors, the
/// last with `valid` lanes in use.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Columns {
    from: usize,
    count: usize,
    vectors: usize,
    valid: usize,
}

/// Where a tile stands.
struct Spot {
    /// The place of its first element in each axis.
    base: Vec<Int>,
    /// Rows, and as many of the second row axis for each.
    rows: [usize; 2],
    columns: Columns,
    /// The copy of the operand's columns that it reads, if there is one.
    panel: Option<BufferId>,
}

impl Spot {
    /// The registers of the tile; an extent of 1 is left out.
    fn register_dims(&self) -> Vec<usize> {
        [self.rows[0], self.rows[1], self.columns.vectors].into_iter().filter(|&n| n > 1).collect()
    }

    /// Which of them holds a vector of a row.
    fn register(&self, r: &[Int; 2], v: &Int) -> Vec<Index> {
        let all = [(self.rows[0], &r[0]), (self.rows[1], &r[1]), (self.columns.vectors, v)];
        all.into_iter().filter(|(n, _)| *n > 1).map(|(_, i)| i.index()).collect()
    }

    /// The place of a row and vector, at the lane at hand.
    fn point(&self, c: &Contraction, emit: &Emit<'_>, r: &[Int; 2], v: &Int) -> Vec<Int> {
        let mut point = self.base.clone();
        for (row, r) in c.rows.iter().zip(r) {
            if let Some(k) = row {
                point[*k] = point[*k].plus(r, 1);
            }
        }
        let column = &mut point[c.lane];
        *column = column.plus(v, LANES as i64);
        if let Some(lane) = emit.lane {
            *column = column.plus(&Int::var(lane.var), 1);
        }
        point
    }
}

/// Writes a group that begins with a reduction as register tiles; `None` where that is not
/// possible. The answer says what was done.
pub(crate) fn tile(emit: &mut Emit<'_>, group: &Group, lane: usize) -> Option<String> {
    let contraction = take_apart(emit, group, lane)?;
    let axes = axes(emit, group);
    emit.lane_is_batch = is_batch(emit, group, lane);
    let width = axes[lane].inner();
    if axes[lane].still.is_some() {
        return None;
    }
    if emit.real != Elem::F32 || width < NARROWEST {
        return None;
    }
    let columns = columns(width, contraction.rows[0].is_some());
    let vectors = columns.iter().map(|c| c.vectors).max()?;
    let height = contraction.rows[0].map_or(1, |k| axes[k].inner());
    let rows = rows(height, vectors);
    // Too few rows to keep the machine busy take a second row axis along, whole.
    let second = contraction.rows[1].filter(|&k| {
        rows * vectors < ENOUGH && rows * axes[k].inner() * vectors <= MOST && height.is_multiple_of(rows)
    });
    let contraction = Contraction { rows: [contraction.rows[0], second], ..contraction };
    let rows_2 = second.map_or(1, |k| axes[k].inner());
    let kept: Vec<usize> = [Some(lane), contraction.rows[0], second].into_iter().flatten().collect();
    emit.turns = emit.plan.turns(contraction.head);
    // Whether the columns of B serve one row of tiles and are then done with.
    let once = (0..axes.len()).all(|k| kept.contains(&k) || emit.plan.graph.exprs.extent(contraction.axes[k]) == 1)
        && emit.time.is_none();
    let (mut possible, mut copied) = (true, None);
    emit.repeat_axes(&axes, &kept, |emit, start| {
        for &columns in &columns {
            emit.repeat(&axes[lane].name, columns.count, |emit, block| {
                let mut start = start.clone();
                let step = (columns.vectors * LANES) as i64;
                start[lane] = start[lane].plus(&block, step).shifted(columns.from as i64);
                let whole = height / rows;
                let (panel, how) = panelled(emit, &contraction, &start, columns, if once { whole } else { 0 }, whole);
                copied = how.or(copied);
                let spot = |row: Int, rows: usize| {
                    let mut base = start.clone();
                    if let Some(k) = contraction.rows[0] {
                        base[k] = base[k].plus(&row, 1);
                    }
                    Spot { base, rows: [rows, rows_2], columns, panel }
                };
                let row_name = contraction.rows[0].map_or("", |k| axes[k].name.as_str());
                if whole > 0 {
                    emit.repeat(row_name, whole, |emit, k| {
                        possible &= one_tile(emit, group, &contraction, &spot(k.scaled(rows as i64), rows)).is_some();
                    });
                }
                if height % rows > 0 {
                    let row = Int::constant((whole * rows) as i64);
                    possible &= one_tile(emit, group, &contraction, &spot(row, height % rows)).is_some();
                }
            });
        }
    });
    possible.then(|| {
        let mut reason = reason(emit, &contraction, rows * rows_2, vectors, &axes[lane].name);
        let (_, inner) = contraction.turns(emit);
        if !inner.is_empty() {
            reason.push_str(", places beyond a border skipped");
        }
        if let Some(how) = copied {
            reason.push_str(how);
        }
        reason
    })
}

/// A copy of the columns that many tiles are about to use, where that pays, and why: the columns
/// of so many tiles that need them alone, or of all that need them.
fn panelled(
    emit: &mut Emit<'_>,
    c: &Contraction,
    start: &[Int],
    columns: Columns,
    alone: usize,
    tiles: usize,
) -> (Option<BufferId>, Option<&'static str>) {
    let at = |emit: &Emit<'_>, v: &Int| -> Env {
        let mut start = start.to_vec();
        start[c.lane] = start[c.lane].plus(v, LANES as i64);
        if let Some(lane) = emit.lane {
            start[c.lane] = start[c.lane].plus(&Int::var(lane.var), 1);
        }
        c.axes.iter().copied().zip(start).collect()
    };
    let exprs = &emit.plan.graph.exprs;
    let rows: Vec<Var> = c.rows.iter().flatten().map(|&k| c.axes[k]).collect();
    let with_rows = c.b.iter().any(|&e| exprs.free_vars(e).iter().any(|v| rows.contains(v)));
    if with_rows || c.rows[0].is_none() {
        return (None, None);
    }
    let Columns { vectors, valid, .. } = columns;
    if let Some(panel) = emit.attempt(|emit| panel::turned(emit, &c.b, &c.over, [alone, vectors, valid], at)) {
        return (Some(panel), Some(", columns of B turned over on the way"));
    }
    if !panel::pays(emit, &c.b, &c.over, at, tiles, vectors * LANES) {
        return (None, None);
    }
    let panel = emit.attempt(|emit| panel::copy(emit, &c.b, &c.over, vectors, valid, at));
    (panel, panel.map(|_| ", columns of B copied side by side, since its rows would evict each other"))
}

fn reason(emit: &Emit<'_>, c: &Contraction, rows: usize, vectors: usize, lane_name: &str) -> String {
    let turns = emit.plan.turns(c.head);
    let work = match (c.op, c.a.is_empty()) {
        (Red::Sum, false) => "multiply-adds",
        (Red::Sum, true) => "additions",
        _ => "steps",
    };
    let operands = if c.a.is_empty() { "contiguous" } else { "B contiguous" };
    format!("tile {rows}x{} of {turns} {work}: {operands} along {lane_name}", vectors * LANES)
}

/// Finds operands and rows.
fn take_apart(emit: &Emit<'_>, group: &Group, lane: usize) -> Option<Contraction> {
    let plan = emit.plan;
    let &head = group.members.first()?;
    let NodeKind::Compute { axes, reduce: Some(reduce), body } = &plan.graph.node(head).kind else { return None };
    if !matches!(reduce.op, Red::Sum | Red::Prod | Red::Max | Red::Min) {
        return None;
    }
    let exprs = &plan.graph.exprs;
    let lane_var = *axes.get(lane)?;
    let factors = if reduce.op == Red::Sum { factors(exprs, *body) } else { vec![*body] };
    let has = |e: ExprId, v: Var| exprs.free_vars(e).contains(&v);
    let (b, a): (Vec<ExprId>, Vec<ExprId>) = factors.into_iter().partition(|&e| has(e, lane_var));
    if b.is_empty() {
        return None;
    }
    let blockable = |&k: &usize| {
        let v = axes[k];
        let still = emit.time.as_ref().is_some_and(|(time, _)| *time == k);
        !still && exprs.extent(v) > 1 && a.iter().any(|&e| has(e, v)) && !b.iter().any(|&e| has(e, v))
    };
    let mut rows: Vec<usize> = (0..axes.len()).filter(|&k| k != lane).filter(blockable).collect();
    // Of axes that are long enough the innermost, whose rows lie closest together.
    rows.sort_by_key(|&k| std::cmp::Reverse((exprs.extent(axes[k]).min(ENOUGH), k)));
    let rows = [rows.first().copied(), rows.get(1).copied()];
    let over = nest::turning_order(emit, &reduce.over, &b);
    Some(Contraction { head, op: reduce.op, over, axes: axes.clone(), a, b, rows, lane })
}

/// How the columns are cut: two or three vectors side by side where there are rows to reuse
/// them, more where there are none.
fn columns(width: usize, has_rows: bool) -> Vec<Columns> {
    let vectors = width.div_ceil(LANES);
    let valid = width - (vectors - 1) * LANES;
    let one =
        |from: usize, count: usize, n: usize, valid: usize| Columns { from: from * LANES, count, vectors: n, valid };
    let most = if has_rows { 3 } else { 8 };
    if vectors <= most {
        return vec![one(0, 1, vectors, valid)];
    }
    let step = if has_rows { 2 } else { 4 };
    // The last block takes the odd vector along and holds the partial one.
    let last = match vectors % step {
        0 if valid == LANES => 0,
        0 => step,
        odd => step + odd,
    };
    let whole = (vectors - last) / step;
    let mut out = vec![one(0, whole, step, LANES)];
    if last > 0 {
        out.push(one(whole * step, 1, last, valid));
    }
    out
}

/// Rows per tile: as many as registers hold, and dividing the whole if that costs little.
fn rows(height: usize, vectors: usize) -> usize {
    let most = match vectors {
        1 => 16,
        2 | 3 => 8,
        _ => 4,
    };
    if height <= most {
        return height;
    }
    (most.div_ceil(2)..=most).rev().find(|r| height.is_multiple_of(*r)).unwrap_or(most)
}

/// Writes one tile: zero, accumulate, epilogue, store.
fn one_tile(emit: &mut Emit<'_>, group: &Group, c: &Contraction, spot: &Spot) -> Option<()> {
    let name = emit.plan.graph.node(c.head).name.clone();
    let chains = c.chains(emit, spot);
    let dims: Vec<usize> = [chains].into_iter().filter(|&n| n > 1).chain(spot.register_dims()).collect();
    let acc = emit.build.local(&name, LocalTy::Lanes, &dims);
    emit.out.push(Stmt::Var { local: acc, init: Value::Splat(Box::new(nest::start(c.op))) });
    let mut possible = true;
    let (mut outer, inner) = c.turns(emit);
    let last = if chains > 1 { outer.pop() } else { None };
    let assumed = emit.assumed.len();
    nest::turns(emit, &outer, &Env::new(), |emit, env, _| {
        let mut place = env.clone();
        place.extend(c.axes.iter().copied().zip(spot.base.iter().cloned()));
        let test = if inner.is_empty() { None } else { borders::test(emit, &c.a, &c.b, &place) };
        let body = emit.nested(|emit| {
            nest::turns(emit, &inner, env, |emit, env, _| {
                let Some(last) = last else {
                    possible = accumulate(emit, c, spot, &Sums { acc, chain: None }, env).is_some();
                    return;
                };
                let (name, extent) = {
                    let var = emit.plan.graph.exprs.var(last);
                    (var.name.clone(), var.extent)
                };
                emit.repeat(&name, extent / chains, |emit, block| {
                    emit.repeat("chain", chains, |emit, chain| {
                        let mut env = env.clone();
                        env.insert(last, block.scaled(chains as i64).plus(&chain, 1));
                        let sums = Sums { acc, chain: Some(chain.index()) };
                        possible = accumulate(emit, c, spot, &sums, &env).is_some();
                    });
                });
            });
        });
        match test {
            Some(condition) => emit.out.push(Stmt::If { condition, body }),
            None => emit.out.extend(body),
        }
    });
    emit.assumed.truncate(assumed);
    if !possible {
        return None;
    }
    each_row(emit, spot, |emit, r| {
        each_vector(emit, spot.columns, |emit, v| {
            let place = spot.register(r, &v);
            let total = joined(c.op, acc, chains, &place);
            let total = if chains > 1 { emit.bind(&name, LocalTy::Lanes, total) } else { total };
            emit.values.clear();
            emit.values.insert(c.head, total);
            emit.point = spot.point(c, emit, r, &v);
            possible &= elements(emit, &group.members).is_some();
        });
    });
    possible.then_some(())
}

/// Where a turn adds to.
struct Sums {
    acc: Local,
    /// Which chain of several it is.
    chain: Option<Index>,
}

/// The chains of a result joined, pair by pair.
fn joined(op: Red, acc: Local, chains: usize, place: &[Index]) -> Value {
    if chains == 1 {
        return Value::Local(acc, place.to_vec());
    }
    let one = |k: usize| {
        let at = std::iter::once(Index::constant(k as i64)).chain(place.iter().cloned());
        Value::Local(acc, at.collect())
    };
    let mut all: Vec<Value> = (0..chains).map(one).collect();
    while all.len() > 1 {
        let half = all.split_off(all.len() / 2);
        all = all.into_iter().zip(half).map(|(a, b)| nest::combine(op, a, b)).collect();
    }
    all.pop().unwrap_or(nest::start(op))
}

/// One turn of the reduction.
fn accumulate(emit: &mut Emit<'_>, c: &Contraction, spot: &Spot, sums: &Sums, env: &Env) -> Option<()> {
    let mut possible = true;
    let zero = [Int::default(), Int::default()];
    let environment = |emit: &Emit<'_>, r: &[Int; 2], v: &Int| {
        let mut env = env.clone();
        env.extend(c.axes.iter().copied().zip(spot.point(c, emit, r, v)));
        env
    };
    // With one row there is nothing to keep the loaded vectors for.
    let kept =
        (spot.rows != [1, 1]).then(|| load_b(emit, c, spot, |emit, v| environment(emit, &zero, v), &mut possible));
    each_row(emit, spot, |emit, r| {
        let row_env = environment(emit, r, &Int::default());
        let a = c.a.iter().map(|&e| emit.scalar(e, &row_env)).collect::<Vec<_>>();
        let a = a.into_iter().reduce(|a, b| Value::Op(Op::Mul, vec![a, b]));
        let a = a.map(|a| emit.bind("a", LocalTy::Lanes, Value::Splat(Box::new(a))));
        each_vector(emit, spot.columns, |emit, v| {
            let b = match kept {
                Some(b) if spot.columns.vectors == 1 => Some(Value::Local(b, Vec::new())),
                Some(b) => Some(Value::Local(b, vec![v.index()])),
                None => {
                    let env = environment(emit, r, &v);
                    operand(emit, c, spot, &env, &v)
                }
            };
            let Some(b) = b else {
                possible = false;
                return;
            };
            let at: Vec<Index> = sums.chain.iter().cloned().chain(spot.register(r, &v)).collect();
            let so_far = Value::Local(sums.acc, at.clone());
            let value = match (c.op, &a) {
                (Red::Sum, Some(a)) => Value::MulAdd(Box::new([a.clone(), b, so_far])),
                (op, _) => nest::combine(op, so_far, b),
            };
            emit.set(Place::Local(sums.acc, at), value);
        });
    });
    possible.then_some(())
}

/// The vectors of B that all rows share, in a local array, or in one local if there is one.
fn load_b(
    emit: &mut Emit<'_>,
    c: &Contraction,
    spot: &Spot,
    environment: impl Fn(&Emit<'_>, &Int) -> Env,
    possible: &mut bool,
) -> Local {
    if spot.columns.vectors == 1 {
        return emit.with_lanes(spot.columns.valid, |emit| {
            let env = environment(emit, &Int::default());
            let value = operand(emit, c, spot, &env, &Int::default());
            *possible &= value.is_some();
            let local = emit.build.local("row", LocalTy::Lanes, &[]);
            emit.out.push(Stmt::Let { local, value: value.unwrap_or(Value::Real(0.0)) });
            local
        });
    }
    let b = emit.build.local("rows", LocalTy::Lanes, &[spot.columns.vectors]);
    emit.out.push(Stmt::Var { local: b, init: Value::Splat(Box::new(Value::Real(0.0))) });
    each_vector(emit, spot.columns, |emit, v| {
        let env = environment(emit, &v);
        match operand(emit, c, spot, &env, &v) {
            Some(value) => emit.set(Place::Local(b, vec![v.index()]), value),
            None => *possible = false,
        }
    });
    b
}

/// One vector of B.
fn operand(emit: &mut Emit<'_>, c: &Contraction, spot: &Spot, env: &Env, v: &Int) -> Option<Value> {
    match spot.panel {
        Some(panel) => Some(panel::read(panel, &c.over, env, v)),
        None => product(emit, &c.b, env),
    }
}

/// Row by row.
fn each_row(emit: &mut Emit<'_>, spot: &Spot, mut body: impl FnMut(&mut Emit<'_>, &[Int; 2])) {
    emit.repeat("r", spot.rows[0], |emit, r| {
        emit.repeat("s", spot.rows[1], |emit, s| body(emit, &[r, s]));
    });
}

/// The product of factors in lanes.
pub(crate) fn product(emit: &mut Emit<'_>, factors: &[ExprId], env: &Env) -> Option<Value> {
    let mut parts = Vec::new();
    for &e in factors {
        parts.push(emit.vector(e, env)?);
    }
    parts.into_iter().reduce(|a, b| Value::Op(Op::Mul, vec![a, b]))
}

/// Vector by vector: a loop over the full ones, then the partial one.
fn each_vector(emit: &mut Emit<'_>, columns: Columns, mut body: impl FnMut(&mut Emit<'_>, Int)) {
    let full = if columns.valid == LANES { columns.vectors } else { columns.vectors - 1 };
    if full > 0 {
        emit.repeat("v", full, |emit, v| emit.with_lanes(LANES, |emit| body(emit, v)));
    }
    if full < columns.vectors {
        emit.with_lanes(columns.valid, |emit| body(emit, Int::constant(full as i64)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(width: usize, has_rows: bool) -> usize {
        let mut next = 0;
        for c in columns(width, has_rows) {
            assert_eq!(c.from, next);
            next += ((c.count * c.vectors) - 1) * LANES + c.valid;
            assert!(c.valid == LANES || c.count == 1);
            assert!(c.vectors <= if has_rows { 3 } else { 8 });
        }
        next
    }

    #[test]
    fn columns_cover_the_width() {
        for width in 1..700 {
            assert_eq!(covered(width, true), width);
            assert_eq!(covered(width, false), width);
        }
    }

    #[test]
    fn rows_divide_or_fill() {
        assert_eq!(rows(32, 2), 8);
        assert_eq!(rows(100, 2), 5);
        assert_eq!(rows(7, 2), 7);
        assert_eq!(rows(13, 2), 8);
        assert_eq!(rows(24, 1), 12);
    }
}
