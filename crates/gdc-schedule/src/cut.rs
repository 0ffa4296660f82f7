//! Cutting kernels into pieces that threads can share: along which loops, into how many, and
//! which kernels then need not wait for each other.
//!
//! A kernel is cut along loops that run over the rows, the first axis, of what it writes: a piece
//! does some turns of them, and everything around them. No number is computed otherwise than
//! without pieces, so threads change no bit. What a piece of a kernel needs of another kernel is
//! often the same rows, such as those of the same samples; such kernels form a stage, and a
//! thread runs a piece through all of it. Only between stages threads wait for each other.

use crate::lines::{Lines, lines, work_inside};
use gdc_ir::program::{
    Buffer, BufferId, BufferRole, Cut, Elem, Index, Kernel, LANES, LoopVar, NameInfo, Program, Stmt,
};
use gdc_ir::program_walk::{Change, change};
use std::collections::{BTreeMap, BTreeSet};

/// The most pieces of a kernel.
const MOST: usize = 8;
/// A temporary of a kernel alone is a variable of its function up to so many bytes.
const VARIABLE: usize = 4096;
/// The least share of a step that is worth cutting.
const LEAST: f64 = 0.5;
/// What a piece does again are copies, which wait for memory: an operation of theirs takes so
/// many times as long as others. Found by timing steps in 2, 4 and 8 pieces.
const AGAIN: f64 = 20.0;
/// What each piece reads of a tensor as a whole comes from farther away than what it has at hand:
/// an operation of so many for each vector, where it is more than stays at hand anyway.
const FAR: f64 = 12.0;
/// So many elements stay at hand.
const NEAR: usize = 8192;
/// So much more than a whole step one in pieces may take on one thread, where there is a choice.
const DEAREST: f64 = 1.06;

/// What can be said of a way to cut a program, in operations.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shares {
    /// Of kernels that are not cut.
    pub serial: f64,
    /// Shared by the pieces.
    pub shared: f64,
    /// Done by each piece again.
    pub again: f64,
}

impl Shares {
    /// How long a step takes on so many threads.
    fn time(self, pieces: usize, threads: usize) -> f64 {
        let turns = pieces.div_ceil(threads.max(1)) as f64;
        self.serial + turns * (self.shared / pieces as f64 + self.again)
    }

    /// How much more work there is in pieces.
    fn cost(self, pieces: usize) -> f64 {
        let whole = self.serial + self.shared + self.again;
        if whole > 0.0 { 1.0 + (pieces - 1) as f64 * self.again / whole } else { 1.0 }
    }

    /// How much of the work without pieces can be shared.
    pub fn share(self) -> f64 {
        let whole = self.serial + self.shared + self.again;
        if whole > 0.0 { (self.shared + self.again) / whole } else { 0.0 }
    }
}

/// The best number of pieces for a program, with what it comes to; `None` if there is too little
/// to share. `threads` are the most that will be there.
pub(crate) fn pieces(program: &Program, threads: Option<usize>) -> Option<(usize, Shares)> {
    let own = own(program);
    // On how many threads a step may run, and how much that counts.
    let likely: Vec<(usize, f64)> = match threads {
        Some(n) => vec![(1, 0.5), (n, 1.0)],
        None => vec![(1, 0.5), (2, 1.0), (4, 0.5), (8, 0.25)],
    };
    let cost = |(n, shares): &(usize, Shares)| likely.iter().map(|(t, w)| w * shares.time(*n, *t)).sum::<f64>();
    let ways = (2..=MOST).map(|n| (n, shares(program, n, &own)));
    let ways: Vec<(usize, Shares)> = ways.filter(|(_, shares)| shares.share() >= LEAST).collect();
    let dear = |(n, shares): &(usize, Shares)| shares.cost(*n) > DEAREST;
    let all_dear = ways.iter().all(dear);
    ways.into_iter().filter(|w| all_dear || !dear(w)).min_by(|a, b| cost(a).total_cmp(&cost(b)))
}

fn shares(program: &Program, pieces: usize, own: &BTreeSet<BufferId>) -> Shares {
    let mut shares = Shares::default();
    for kernel in program.routines.iter().filter(|r| r.name != "metrics").flat_map(|r| &r.kernels) {
        let Some(lines) = worthwhile(program, kernel, pieces, own) else {
            shares.serial += work_inside(&kernel.body, &BTreeMap::new()).1;
            continue;
        };
        let (inside, outside) = work_inside(&kernel.body, &lines.loops);
        let whole = kernel.buffers().into_keys().filter(|id| !lines.aligned.contains(id) && !own.contains(id));
        let elements = whole.map(|id| program.buffer(id).shape.iter().product::<usize>()).filter(|n| *n > NEAR);
        shares.shared += inside;
        shares.again += AGAIN * outside + FAR * (elements.sum::<usize>() / LANES) as f64;
    }
    shares
}

/// Where a kernel is cut, if pieces do more of it than each of them does again.
fn worthwhile(program: &Program, kernel: &Kernel, pieces: usize, own: &BTreeSet<BufferId>) -> Option<Lines> {
    let lines = lines(program, kernel, pieces, own)?;
    let (inside, outside) = work_inside(&kernel.body, &lines.loops);
    (inside > AGAIN * outside).then_some(lines)
}

/// Temporaries whose content no kernel leaves to another: of one kernel, or said to be so.
fn own(program: &Program) -> BTreeSet<BufferId> {
    let mut users: BTreeMap<BufferId, usize> = BTreeMap::new();
    for kernel in program.routines.iter().flat_map(|r| &r.kernels) {
        for id in kernel.buffers().into_keys() {
            *users.entry(id).or_default() += 1;
        }
    }
    let alone = users.into_iter().filter(|&(id, n)| n == 1 && program.buffer(id).role == BufferRole::Temp);
    alone.map(|(id, _)| id).chain(program.scratch.iter().copied()).collect()
}

/// Cuts a program's kernels into so many pieces where that is possible, and orders those of each
/// routine by stages.
pub(crate) fn cut(program: &mut Program, pieces: usize) {
    let own = own(program);
    let piece = LoopVar(program.loop_vars.len() as u32);
    program.loop_vars.push(NameInfo { name: "piece".to_owned() });
    let mut copies = BTreeMap::new();
    let mut stage = 0;
    for r in 0..program.routines.len() {
        let kernels = std::mem::take(&mut program.routines[r].kernels);
        let marked: Vec<(Kernel, Option<Lines>)> =
            kernels.into_iter().map(|k| (k.clone(), worthwhile(program, &k, pieces, &own))).collect();
        let mut out = Vec::new();
        for (together, list) in stages(marked, &own) {
            if !together {
                out.extend(list.into_iter().map(|(k, _)| k));
                continue;
            }
            let written: BTreeSet<BufferId> =
                list.iter().flat_map(|(k, _)| k.buffers()).filter(|(_, w)| *w).map(|(id, _)| id).collect();
            for (kernel, lines) in list {
                let Some(lines) = lines else { continue };
                let rows =
                    kernel.buffers().into_keys().filter(|id| written.contains(id) && !own.contains(id)).collect();
                let cut = Cut { pieces, piece, rows, stage };
                out.push(in_pieces(program, kernel, &lines, cut, &own, &mut copies));
            }
            stage += 1;
        }
        program.routines[r].kernels = out;
    }
}

type Marked = (Kernel, Option<Lines>);

/// The kernels of a routine in an order of evaluation, as runs of those that are cut and need
/// not wait for each other, and of those that are not cut.
fn stages(kernels: Vec<Marked>, own: &BTreeSet<BufferId>) -> Vec<(bool, Vec<Marked>)> {
    let buffers: Vec<BTreeMap<BufferId, bool>> = kernels.iter().map(|(k, _)| k.buffers()).collect();
    let mut level = vec![0usize; kernels.len()];
    for b in 0..kernels.len() {
        for a in 0..b {
            let shared = buffers[b].iter().filter(|(id, _)| !own.contains(id));
            let mut conflicts = shared.filter(|(id, w)| buffers[a].get(id).is_some_and(|v| *v || **w)).peekable();
            if conflicts.peek().is_none() {
                continue;
            }
            let together = match (&kernels[a].1, &kernels[b].1) {
                (Some(first), Some(then)) => {
                    conflicts.all(|(id, _)| first.aligned.contains(id) && then.aligned.contains(id))
                }
                (None, None) => true,
                _ => false,
            };
            level[b] = level[b].max(level[a] + usize::from(!together));
        }
    }
    let mut runs: BTreeMap<(usize, bool), Vec<Marked>> = BTreeMap::new();
    for (kernel, level) in kernels.into_iter().zip(level) {
        runs.entry((level, kernel.1.is_some())).or_default().push(kernel);
    }
    runs.into_iter().map(|((_, cut), list)| (cut, list)).collect()
}

/// One piece of a kernel.
fn in_pieces(
    program: &mut Program,
    mut kernel: Kernel,
    lines: &Lines,
    mut cut: Cut,
    own: &BTreeSet<BufferId>,
    copies: &mut BTreeMap<BufferId, BufferId>,
) -> Kernel {
    // What is too large for a variable is there once for each piece.
    for (id, written) in kernel.buffers() {
        if !written || !own.contains(&id) || is_variable(program, id) {
            continue;
        }
        let Buffer { name, shape, elem, .. } = program.buffer(id).clone();
        let copy = *copies.entry(id).or_insert_with(|| {
            let (name, shape) = (format!("{name}.pieces"), [vec![cut.pieces], shape].concat());
            program.buffers.push(Buffer { name, shape, elem, role: BufferRole::Temp, range: None });
            BufferId(program.buffers.len() as u32 - 1)
        });
        program.scratch.insert(copy);
        cut.rows.insert(copy);
    }
    shorten(&mut kernel.body, &lines.loops, cut.pieces);
    let turns = lines.loops.iter().map(|(v, n)| (*v, (n / cut.pieces) as i64)).collect();
    change(&mut kernel.body, &mut Shift { turns, cut: &cut, copies });
    kernel.reason += &format!("; in {} pieces", cut.pieces);
    kernel.cut = Some(cut);
    kernel
}

/// Whether the generated function has a temporary as a variable of its own.
fn is_variable(program: &Program, id: BufferId) -> bool {
    let bytes = match program.buffer(id).elem {
        Elem::F64 | Elem::U64 => 8,
        Elem::F32 | Elem::U32 | Elem::I32 => 4,
        Elem::Bool => 1,
    };
    !program.scratch.contains(&id) && program.buffer(id).shape.iter().product::<usize>() * bytes <= VARIABLE
}

/// Gives loops the turns of one piece.
fn shorten(body: &mut [Stmt], loops: &BTreeMap<LoopVar, usize>, pieces: usize) {
    for stmt in body {
        match stmt {
            Stmt::For { var, extent, body } => {
                if loops.contains_key(var) {
                    *extent /= pieces;
                }
                shorten(body, loops, pieces);
            }
            Stmt::If { body, .. } => shorten(body, loops, pieces),
            Stmt::Let { .. } | Stmt::Var { .. } | Stmt::Set { .. } | Stmt::Add { .. } | Stmt::Transpose(_) => {}
        }
    }
}

/// Counts turns from the first of a piece.
struct Shift<'a> {
    /// The turns of a piece, for each loop that is cut.
    turns: BTreeMap<LoopVar, i64>,
    cut: &'a Cut,
    copies: &'a BTreeMap<BufferId, BufferId>,
}

impl Change for Shift<'_> {
    fn place(&mut self, buffer: &mut BufferId, at: &mut Vec<Index>) {
        if let Some(copy) = self.copies.get(buffer).filter(|c| self.cut.rows.contains(c)) {
            *buffer = *copy;
            at.insert(0, Index::constant(0));
        }
        let skip = usize::from(self.cut.rows.contains(buffer));
        at.iter_mut().skip(skip).for_each(|index| self.index(index));
    }

    fn index(&mut self, index: &mut Index) {
        let Index::Affine { terms, .. } = index else { return };
        let by: i64 = terms.iter().filter_map(|(v, c)| Some(self.turns.get(v)? * c)).sum();
        if by != 0 {
            terms.push((self.cut.piece, by));
            terms.sort_unstable();
        }
    }
}

/// Why a program cannot be cut, in words: where its time goes that cannot be shared.
pub(crate) fn obstacle(program: &Program) -> Option<String> {
    let own = own(program);
    let all = program.routines.iter().filter(|r| r.name != "metrics").flat_map(|r| &r.kernels);
    let uncut = all.filter(|k| worthwhile(program, k, 2, &own).is_none());
    let work = |k: &&Kernel| work_inside(&k.body, &BTreeMap::new()).1;
    let greatest = uncut.max_by(|a, b| work(a).total_cmp(&work(b)))?;
    Some(format!("most of a step cannot be shared between threads, such as `{}`", greatest.name))
}
