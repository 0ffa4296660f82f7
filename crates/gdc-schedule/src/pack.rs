//! Copies of operands that let a kernel read lanes: transposed, or with their border written
//! out. Each is made by a kernel of its own right before the kernel that reads it, and only
//! where the reads by far outnumber the elements.

use crate::emit::{Emit, Env, Located, renamed};
use crate::int::Int;
use gdc_ir::program::{Buffer, BufferId, BufferRole, Elem, Kernel, LANES, LocalTy, Place, Stmt, Value};
use gdc_ir::{Expr, ExprId, NodeId};

/// How many reads an element must have for a copy to be worth it.
const REUSE: usize = 6;

/// The side of a block that is transposed at once.
const BLOCK: usize = LANES;

/// Blocks of fewer rows or columns are not worth turning over in lanes.
const NARROW: usize = 4;

/// A copy that was made for the kernel at hand.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    of: BufferId,
    how: How,
    copy: BufferId,
    pub kernel: Kernel,
}

#[derive(Clone, PartialEq, Debug)]
enum How {
    /// The axis of this number moved to the end.
    Last(usize),
    /// No copy, but a result on the way.
    Filled,
    /// So many elements more before and after each axis, of this value.
    Padded(Vec<(usize, usize)>, u64),
}

impl Emit<'_> {
    /// Whether copying a buffer pays.
    fn worth_packing(&self, buffer: BufferId) -> bool {
        if self.varying.contains(&buffer) {
            return false;
        }
        let len: usize = self.build.program.buffer(buffer).shape.iter().product();
        self.turns >= REUSE.saturating_mul(len)
    }

    /// The buffer with an axis moved to the end, and the place in it.
    pub fn transposed(&mut self, buffer: BufferId, mut at: Vec<Int>, axis: usize) -> Option<(BufferId, Vec<Int>)> {
        let input = matches!(self.build.program.buffer(buffer).role, BufferRole::Input | BufferRole::Target);
        if !(self.worth_packing(buffer) || input && self.lane_is_batch) {
            return None;
        }
        let moved = at.remove(axis);
        at.push(moved);
        let how = How::Last(axis);
        if let Some(copy) = self.existing(buffer, &how) {
            return Some((copy, at));
        }
        let Buffer { name, mut shape, elem, .. } = self.build.program.buffer(buffer).clone();
        let source_shape = shape.clone();
        let n = shape.remove(axis);
        shape.push(n);
        let copy = self.temporary(&format!("{name}.t"), shape, elem);
        let outer = std::mem::take(&mut self.out);
        self.transpose(buffer, copy, &source_shape, axis);
        let body = std::mem::replace(&mut self.out, outer);
        let reason = format!("transposed, so that axis {axis} is contiguous for the next kernel");
        self.remember(buffer, how, copy, format!("{name}.t = {name} with axis {axis} last"), reason, body);
        Some((copy, at))
    }

    /// The place of a read whose lanes lie along another axis than the last, for lane 0, and that
    /// axis; none where there is a turned copy already.
    pub fn across(&mut self, read: ExprId, env: &Env) -> Option<(BufferId, Vec<Int>, usize)> {
        let Expr::Read { node, at, otherwise: None } = self.plan.graph.exprs.get(read) else { return None };
        let at = at.iter().map(|&e| self.int(e, env)).collect();
        if self.plan.inlined.contains(node) || self.storage.is_stepped(*node) || self.plan.source(*node) != *node {
            return None;
        }
        let (Located::Stored(buffer, mut at), lane) = (self.located(*node, at), self.lane?) else { return None };
        let along: Vec<usize> = (0..at.len()).filter(|&k| self.varies(&at[k])).collect();
        let &[axis] = along.as_slice() else { return None };
        at[axis] = at[axis].plus(&Int::var(lane.var), -1);
        let turned = axis + 1 < at.len() && !self.varies(&at[axis]) && at.iter().all(|i| i.atoms.is_empty());
        let Buffer { shape, elem, .. } = self.build.program.buffer(buffer);
        let plain = *elem == Elem::F32 && *shape == self.plan.graph.node(*node).shape;
        (turned && plain && self.existing(buffer, &How::Last(axis)).is_none()).then_some((buffer, at, axis))
    }

    /// Lanes of a tensor that is read beyond its border.
    pub fn padded_lanes(&mut self, node: NodeId, at: &[Int], fill: f64) -> Option<Value> {
        let (buffer, at) = self.padded(node, at, fill)?;
        self.load_lanes(buffer, at)
    }

    /// Copies with an axis moved to the end, in blocks, so that both what is read and what is
    /// written stays in the cache.
    fn transpose(&mut self, from: BufferId, to: BufferId, shape: &[usize], axis: usize) {
        let last = shape.len() - 1;
        let rest: Vec<(String, usize)> =
            (0..shape.len()).filter(|&k| k != axis && k != last).map(|k| ("i".to_owned(), shape[k])).collect();
        let parts = |n: usize| [(0, n / BLOCK, BLOCK), (n / BLOCK * BLOCK, 1, n % BLOCK)];
        let lanes = self.real == Elem::F32 && self.build.program.buffer(from).elem == Elem::F32;
        self.repeat_all(&rest, |emit, rest| {
            for (from_row, row_blocks, rows) in parts(shape[axis]) {
                for (from_column, column_blocks, columns) in parts(shape[last]) {
                    if row_blocks * rows * column_blocks * columns == 0 {
                        continue;
                    }
                    // The place in the source of a row and column, and the same in the copy.
                    let places = |row: Int, column: Int| {
                        let mut others = rest.iter().cloned();
                        let mut source: Vec<Int> = (0..last)
                            .map(|k| if k == axis { row.clone() } else { others.next().unwrap_or_default() })
                            .collect();
                        source.push(column);
                        let mut target = source.clone();
                        let moved = target.remove(axis);
                        target.push(moved);
                        (source, target)
                    };
                    let dims = [row_blocks, column_blocks].map(|n| ("i".to_owned(), n));
                    emit.repeat_all(&dims, |emit, at| {
                        let row = at[0].scaled(rows as i64).shifted(from_row as i64);
                        let column = at[1].scaled(columns as i64).shifted(from_column as i64);
                        if lanes && rows.min(columns) >= NARROW {
                            turn_block(emit, [from, to], [rows, columns], |r, c| {
                                places(row.plus(r, 1), column.plus(c, 1))
                            });
                        } else {
                            let dims = [columns, rows].map(|n| ("i".to_owned(), n));
                            emit.repeat_all(&dims, |emit, at| {
                                let (source, target) = places(row.plus(&at[1], 1), column.plus(&at[0], 1));
                                let value = Value::Load(from, Emit::indices(&source));
                                emit.set(Place::Element(to, Emit::indices(&target)), value);
                            });
                        }
                    });
                }
            }
        });
    }

    /// A tensor with its border written out, and the place in it.
    pub fn padded(&mut self, node: NodeId, at: &[Int], fill: f64) -> Option<(BufferId, Vec<Int>)> {
        let source = self.plan.source(node);
        if self.plan.inlined.contains(&node) || at.iter().any(|i| !i.atoms.is_empty()) {
            return None;
        }
        let buffer = self.storage.buffer(source)?;
        let Buffer { name, shape, elem, .. } = self.build.program.buffer(buffer).clone();
        // A place beside the steps is inside of the buffer, but outside of the tensor.
        if self.storage.is_stepped(source) {
            return None;
        }
        if elem != self.real || !self.worth_packing(buffer) {
            return None;
        }
        let stored = self.storage.batch_first_shape(source, buffer, self.build);
        let mut at = renamed(at, &self.plan.graph.node(node).shape, &stored)?;
        if self.storage.batch_is_last(source) && !at.is_empty() {
            at.rotate_left(1);
        }
        let mut borders = Vec::new();
        for (i, &n) in at.iter().zip(&shape) {
            let (low, high) = i.range(self.build);
            let before = usize::try_from(-low.min(0)).ok()?;
            let after = usize::try_from((high - n as i64 + 1).max(0)).ok()?;
            borders.push((before, after));
        }
        let padded: Vec<usize> = shape.iter().zip(&borders).map(|(n, (a, b))| n + a + b).collect();
        let len: usize = shape.iter().product();
        if padded.iter().product::<usize>() > len.saturating_mul(4) {
            return None;
        }
        let place: Vec<Int> = at.iter().zip(&borders).map(|(i, (a, _))| i.shifted(*a as i64)).collect();
        let how = How::Padded(borders.clone(), fill.to_bits());
        if let Some(copy) = self.existing(buffer, &how) {
            return Some((copy, place));
        }
        let copy = self.temporary(&format!("{name}.padded"), padded, elem);
        let outer = std::mem::take(&mut self.out);
        crate::nest::fill(self, copy, fill);
        let dims: Vec<(String, usize)> = shape.iter().map(|&n| ("i".to_owned(), n)).collect();
        self.repeat_all(&dims, |emit, from| {
            let to: Vec<Int> = from.iter().zip(&borders).map(|(i, (a, _))| i.shifted(*a as i64)).collect();
            let value = Value::Load(buffer, Emit::indices(&from));
            emit.set(Place::Element(copy, Emit::indices(&to)), value);
        });
        let body = std::mem::replace(&mut self.out, outer);
        let reason = "border written out, so that the next kernel need not test for it".to_owned();
        self.remember(buffer, how, copy, format!("{name}.padded = {name} in a border"), reason, body);
        Some((copy, place))
    }

    /// Makes what has been written so far a kernel of its own, which fills a buffer.
    pub fn before(&mut self, filled: BufferId, equation: String, reason: String) {
        let body = std::mem::take(&mut self.out);
        self.remember(filled, How::Filled, filled, equation, reason, body);
    }

    fn existing(&self, of: BufferId, how: &How) -> Option<BufferId> {
        let mut all = self.packed.iter().chain(&self.build.packed);
        all.find(|p| p.of == of && p.how == *how).map(|p| p.copy)
    }

    /// A new temporary.
    pub fn temporary(&mut self, name: &str, shape: Vec<usize>, elem: Elem) -> BufferId {
        let name = name.to_owned();
        self.build.buffer(Buffer { name, shape, elem, role: BufferRole::Temp, range: None })
    }

    fn remember(&mut self, of: BufferId, how: How, copy: BufferId, equation: String, reason: String, body: Vec<Stmt>) {
        let name = self.build.program.buffer(copy).name.clone();
        let kernel = Kernel { name, equations: vec![equation], origin: None, reason, real: self.real, cut: None, body };
        let packed = Packed { of, how, copy, kernel };
        let given = matches!(self.build.program.buffer(of).role, BufferRole::Input | BufferRole::Target);
        if given || self.build.packed.iter().any(|p| p.copy == of) {
            self.build.packed.push(packed.clone());
        }
        self.packed.push(packed);
    }
}

/// Turns a block of at most 16 rows and columns over in registers.
pub(crate) fn turn_block(
    emit: &mut Emit<'_>,
    [from, to]: [BufferId; 2],
    [rows, columns]: [usize; 2],
    places: impl Fn(&Int, &Int) -> (Vec<Int>, Vec<Int>),
) {
    let zero = Int::default();
    let block = emit.build.local("block", LocalTy::Lanes, &[LANES]);
    emit.out.push(Stmt::Var { local: block, init: Value::Splat(Box::new(Value::Real(0.0))) });
    emit.repeat("r", rows, |emit, r| {
        let (source, _) = places(&r, &zero);
        let row = Value::LoadLanes(from, Emit::indices(&source), columns);
        emit.set(Place::Local(block, vec![r.index()]), row);
    });
    emit.out.push(Stmt::Transpose(block));
    emit.repeat("r", columns, |emit, c| {
        let (_, target) = places(&zero, &c);
        let place = Place::Lanes(to, Emit::indices(&target), rows);
        emit.set(place, Value::Local(block, vec![c.index()]));
    });
}
