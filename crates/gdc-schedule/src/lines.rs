//! Along which loops a kernel can be cut into pieces.

use gdc_ir::program::{BufferId, Index, Kernel, LANES, Local, LoopVar, Place, Program, Stmt, Value};
use gdc_ir::program_walk::{Access, Loops, accesses};
use std::collections::{BTreeMap, BTreeSet};

/// Where a kernel can be cut.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    /// The loops over rows of what it writes, with their extents.
    pub loops: BTreeMap<LoopVar, usize>,
    /// Buffers of which a piece needs its own rows only.
    pub aligned: BTreeSet<BufferId>,
}

/// Where a kernel can be cut into so many pieces; `None` if it cannot. What it keeps in `own`
/// temporaries is nobody else's.
pub(crate) fn lines(program: &Program, kernel: &Kernel, pieces: usize, own: &BTreeSet<BufferId>) -> Option<Lines> {
    let loops = cut_loops(program, kernel, pieces, own)?;
    let mut out: BTreeSet<BufferId> = BTreeSet::new();
    let mut seen: BTreeSet<BufferId> = BTreeSet::new();
    let (mut written, mut possible) = (BTreeSet::new(), true);
    // For each temporary: the loop that its uses are in, if they are in one.
    let mut within: BTreeMap<BufferId, Option<LoopVar>> = BTreeMap::new();
    let mut filled_inside = BTreeSet::new();
    accesses(&kernel.body, &mut |access, around| {
        let id = access.buffer;
        let mut cut = around.iter().filter(|(v, _)| loops.contains_key(v));
        let (first, more) = (cut.next().copied(), cut.next().is_some());
        if own.contains(&id) {
            // What a turn keeps for itself it begins by writing.
            let begun = seen.insert(id);
            possible &= !begun || !access.read;
            let inside = first.map(|(v, _)| v);
            possible &= *within.entry(id).or_insert(inside) == inside || !filled_inside.contains(&id);
            if access.written && inside.is_some() {
                possible &= within.get(&id) == Some(&inside);
                filled_inside.insert(id);
            }
            return;
        }
        possible &= !more || !access.written;
        if access.written {
            written.insert(id);
        }
        if !first.is_some_and(|f| keeps_rows(program, &access, around, f)) {
            out.insert(id);
        }
        seen.insert(id);
    });
    let aligned: BTreeSet<BufferId> = seen.difference(&out).copied().filter(|id| !own.contains(id)).collect();
    if !possible || !written.is_subset(&aligned) || carried_over(&kernel.body, &loops) {
        return None;
    }
    Some(Lines { loops, aligned })
}

/// The loops over the rows of everything that a kernel writes for others.
fn cut_loops(
    program: &Program,
    kernel: &Kernel,
    pieces: usize,
    own: &BTreeSet<BufferId>,
) -> Option<BTreeMap<LoopVar, usize>> {
    let (mut loops, mut possible) = (BTreeMap::new(), true);
    accesses(&kernel.body, &mut |access, around| {
        if !access.written || own.contains(&access.buffer) {
            return;
        }
        let fits = |l: &&(LoopVar, usize)| l.1.is_multiple_of(pieces) && keeps_rows(program, &access, around, **l);
        match around.iter().find(fits) {
            Some(&(var, extent)) => {
                loops.insert(var, extent);
            }
            None => possible = false,
        }
    });
    let mut all = Vec::new();
    vars(&kernel.body, &mut all);
    let once = |v: &LoopVar| all.iter().filter(|w| *w == v).count() == 1;
    (possible && !loops.is_empty() && loops.keys().all(once)).then_some(loops)
}

/// Whether a use of a buffer at each turn of a loop stays inside of rows that belong to that turn,
/// as many for each turn, which together are all.
fn keeps_rows(program: &Program, access: &Access<'_>, around: &Loops, (var, extent): (LoopVar, usize)) -> bool {
    let shape = &program.buffer(access.buffer).shape;
    let (Some(&rows), Some(Index::Affine { terms, constant })) = (shape.first(), access.at.first()) else {
        return false;
    };
    let Some(&(_, each)) = terms.iter().find(|(v, _)| *v == var) else { return false };
    if each <= 0 || each * extent as i64 != rows as i64 {
        return false;
    }
    let (mut low, mut high) = (*constant, *constant);
    for (v, by) in terms.iter().filter(|(v, _)| *v != var) {
        let Some((_, n)) = around.iter().find(|(w, _)| w == v) else { return false };
        let far = by * (*n as i64 - 1);
        low += far.min(0);
        high += far.max(0);
    }
    if shape.len() == 1 {
        high += access.lanes as i64 - 1;
    }
    low >= 0 && high < each
}

fn vars(body: &[Stmt], all: &mut Vec<LoopVar>) {
    for stmt in body {
        match stmt {
            Stmt::For { var, body, .. } => {
                all.push(*var);
                vars(body, all);
            }
            Stmt::If { body, .. } => vars(body, all),
            Stmt::Let { .. } | Stmt::Var { .. } | Stmt::Set { .. } | Stmt::Add { .. } | Stmt::Transpose(_) => {}
        }
    }
}

/// Whether a local from outside of the loops is changed inside: a turn then needs the one before.
pub(crate) fn carried_over(body: &[Stmt], loops: &BTreeMap<LoopVar, usize>) -> bool {
    fn walk(body: &[Stmt], loops: &BTreeMap<LoopVar, usize>, inside: bool, outer: &mut BTreeSet<Local>) -> bool {
        body.iter().any(|stmt| match stmt {
            Stmt::For { var, body, .. } => walk(body, loops, inside || loops.contains_key(var), outer),
            Stmt::If { body, .. } => walk(body, loops, inside, outer),
            Stmt::Var { local, .. } | Stmt::Let { local, .. } => {
                if !inside {
                    outer.insert(*local);
                }
                false
            }
            Stmt::Set { place: Place::Local(local, _), .. }
            | Stmt::Add { place: Place::Local(local, _), .. }
            | Stmt::Transpose(local) => inside && outer.contains(local),
            Stmt::Set { .. } | Stmt::Add { .. } => false,
        })
    }
    walk(body, loops, false, &mut BTreeSet::new())
}

/// The operations inside of some loops, and those around them.
pub(crate) fn work_inside(body: &[Stmt], loops: &BTreeMap<LoopVar, usize>) -> (f64, f64) {
    let (mut inside, mut outside) = (0.0, 0.0);
    for stmt in body {
        match stmt {
            Stmt::For { var, extent, body } => {
                let (a, b) = work_inside(body, loops);
                let (a, b) = if loops.contains_key(var) { (a + b, 0.0) } else { (a, b) };
                inside += a * *extent as f64;
                outside += b * *extent as f64;
            }
            Stmt::If { condition, body } => {
                let (a, b) = work_inside(body, loops);
                inside += a;
                outside += b + operations(condition);
            }
            Stmt::Let { value, .. } | Stmt::Var { init: value, .. } => outside += operations(value),
            Stmt::Set { value, .. } | Stmt::Add { value, .. } => outside += 1.0 + operations(value),
            Stmt::Transpose(_) => outside += (4 * LANES) as f64,
        }
    }
    (inside, outside)
}

/// What a value costs, in operations of registers.
fn operations(value: &Value) -> f64 {
    match value {
        Value::Real(_) | Value::Bool(_) | Value::Int(_) | Value::Local(..) | Value::Iota(_) => 0.0,
        Value::Load(..) | Value::LoadLanes(..) => 1.0,
        Value::Splat(inner) | Value::Narrow(inner) => operations(inner),
        Value::Horizontal(_, inner) => 8.0 + operations(inner),
        Value::Op(op, args) => f64::from(op.facts().cost.max(1)) + args.iter().map(operations).sum::<f64>(),
        Value::MulAdd(parts) => 1.0 + parts.iter().map(operations).sum::<f64>(),
        Value::Random { .. } => 30.0,
    }
}
