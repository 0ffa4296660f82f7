//! Walks over the statements of loop programs: which buffers they use, where, and inside which
//! loops; and changing the places.

use crate::program::{BufferId, Index, Kernel, LoopVar, Place, Stmt, Value};
use std::collections::BTreeMap;

/// One use of a buffer.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Which.
    pub buffer: BufferId,
    /// Where.
    pub at: &'a [Index],
    /// How many elements from there along the last axis.
    pub lanes: usize,
    /// Whether it is set or added to.
    pub written: bool,
    /// Whether it is looked at: by what is added to, too.
    pub read: bool,
}

/// The loops around a statement, outermost first, with their extents.
pub type Loops = [(LoopVar, usize)];

/// Calls `visit` with every use of a buffer and the loops around it: those of a statement's
/// value before what it writes.
pub fn accesses<'a>(body: &'a [Stmt], visit: &mut dyn FnMut(Access<'a>, &Loops)) {
    walk(body, &mut Vec::new(), visit);
}

impl Kernel {
    /// The buffers that it uses, and whether it writes them.
    pub fn buffers(&self) -> BTreeMap<BufferId, bool> {
        let mut all = BTreeMap::new();
        accesses(&self.body, &mut |access, _| *all.entry(access.buffer).or_default() |= access.written);
        all
    }
}

fn walk<'a>(body: &'a [Stmt], loops: &mut Vec<(LoopVar, usize)>, visit: &mut dyn FnMut(Access<'a>, &Loops)) {
    for stmt in body {
        match stmt {
            Stmt::For { var, extent, body } => {
                loops.push((*var, *extent));
                walk(body, loops, visit);
                loops.pop();
            }
            Stmt::Let { value: v, .. } | Stmt::Var { init: v, .. } => value(v, loops, visit),
            Stmt::Set { place, value: v } | Stmt::Add { place, value: v } => {
                value(v, loops, visit);
                let read = matches!(stmt, Stmt::Add { .. });
                match place {
                    Place::Local(_, at) => indices(at, loops, visit),
                    Place::Element(id, at) => {
                        indices(at, loops, visit);
                        visit(Access { buffer: *id, at, lanes: 1, written: true, read }, loops);
                    }
                    Place::Lanes(id, at, valid) => {
                        indices(at, loops, visit);
                        visit(Access { buffer: *id, at, lanes: *valid, written: true, read }, loops);
                    }
                }
            }
            Stmt::Transpose(_) => {}
            Stmt::If { condition, body } => {
                value(condition, loops, visit);
                walk(body, loops, visit);
            }
        }
    }
}

fn indices<'a>(at: &'a [Index], loops: &Loops, visit: &mut dyn FnMut(Access<'a>, &Loops)) {
    for index in at {
        if let Index::Value(v) = index {
            value(v, loops, visit);
        }
    }
}

fn value<'a>(v: &'a Value, loops: &Loops, visit: &mut dyn FnMut(Access<'a>, &Loops)) {
    match v {
        Value::Real(_) | Value::Bool(_) => {}
        Value::Int(i) | Value::Iota(i) | Value::Random { element: i, .. } => {
            indices(std::slice::from_ref(i), loops, visit);
        }
        Value::Local(_, at) => indices(at, loops, visit),
        Value::Load(id, at) => {
            indices(at, loops, visit);
            visit(Access { buffer: *id, at, lanes: 1, written: false, read: true }, loops);
        }
        Value::LoadLanes(id, at, valid) => {
            indices(at, loops, visit);
            visit(Access { buffer: *id, at, lanes: *valid, written: false, read: true }, loops);
        }
        Value::Splat(inner) | Value::Horizontal(_, inner) | Value::Narrow(inner) => value(inner, loops, visit),
        Value::Op(_, args) => args.iter().for_each(|a| value(a, loops, visit)),
        Value::MulAdd(parts) => parts.iter().for_each(|p| value(p, loops, visit)),
    }
}

/// What changes places.
pub trait Change {
    /// A place in a buffer, whose indices have been changed already but for [`Change::place`].
    fn place(&mut self, buffer: &mut BufferId, at: &mut Vec<Index>);
    /// An affine index, or an integer that is a value; those of buffers come to [`Change::place`].
    fn index(&mut self, index: &mut Index);
}

/// Changes every place in some statements.
pub fn change(body: &mut [Stmt], by: &mut dyn Change) {
    for stmt in body {
        match stmt {
            Stmt::For { body, .. } => change(body, by),
            Stmt::Let { value: v, .. } | Stmt::Var { init: v, .. } => change_value(v, by),
            Stmt::Set { place, value: v } | Stmt::Add { place, value: v } => {
                change_value(v, by);
                match place {
                    Place::Local(_, at) => change_indices(at, by),
                    Place::Element(id, at) | Place::Lanes(id, at, _) => change_place(id, at, by),
                }
            }
            Stmt::Transpose(_) => {}
            Stmt::If { condition, body } => {
                change_value(condition, by);
                change(body, by);
            }
        }
    }
}

fn change_place(id: &mut BufferId, at: &mut Vec<Index>, by: &mut dyn Change) {
    for index in at.iter_mut() {
        if let Index::Value(v) = index {
            change_value(v, by);
        }
    }
    by.place(id, at);
}

fn change_indices(at: &mut [Index], by: &mut dyn Change) {
    for index in at {
        match index {
            Index::Value(v) => change_value(v, by),
            Index::Affine { .. } => by.index(index),
        }
    }
}

fn change_value(v: &mut Value, by: &mut dyn Change) {
    match v {
        Value::Real(_) | Value::Bool(_) => {}
        Value::Int(i) | Value::Iota(i) | Value::Random { element: i, .. } => {
            change_indices(std::slice::from_mut(i), by);
        }
        Value::Local(_, at) => change_indices(at, by),
        Value::Load(id, at) | Value::LoadLanes(id, at, _) => change_place(id, at, by),
        Value::Splat(inner) | Value::Horizontal(_, inner) | Value::Narrow(inner) => change_value(inner, by),
        Value::Op(_, args) => args.iter_mut().for_each(|a| change_value(a, by)),
        Value::MulAdd(parts) => parts.iter_mut().for_each(|p| change_value(p, by)),
    }
}
