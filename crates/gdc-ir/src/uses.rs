//! What statements of a loop program read, write and name.

use crate::program::{BufferId, Index, Kernel, Local, LoopVar, Place, Stmt, Value};
use std::collections::BTreeSet;

/// What stands in a list of statements.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    /// Buffers, in order of first appearance.
    pub buffers: Vec<BufferId>,
    /// Those written to.
    pub written: BTreeSet<BufferId>,
    /// Those whose elements are looked at.
    pub read: BTreeSet<BufferId>,
    /// Locals whose values are used.
    pub locals: BTreeSet<Local>,
    /// Locals that are set or added to.
    pub assigned: BTreeSet<Local>,
    /// Loop variables in indices.
    pub vars: BTreeSet<LoopVar>,
    /// Whether there is a loop.
    pub loops: bool,
    /// The sites of random draws, in order of first appearance.
    pub sites: Vec<u64>,
}

impl Uses {
    /// What stands in a kernel.
    #[must_use]
    pub fn of_kernel(kernel: &Kernel) -> Self {
        Uses::of(&kernel.body)
    }

    /// What stands in a list of statements.
    #[must_use]
    pub fn of(body: &[Stmt]) -> Self {
        let mut uses = Uses::default();
        uses.stmts(body);
        uses
    }

    fn stmts(&mut self, body: &[Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::For { body, .. } => {
                    self.loops = true;
                    self.stmts(body);
                }
                Stmt::Let { value, .. } | Stmt::Var { init: value, .. } => self.value(value),
                Stmt::Set { place, value } => {
                    self.value(value);
                    self.place(place, false);
                }
                Stmt::Add { place, value } => {
                    self.value(value);
                    self.place(place, true);
                }
                Stmt::Transpose(local) => {
                    self.assigned.insert(*local);
                    self.locals.insert(*local);
                }
                Stmt::If { condition, body } => {
                    self.value(condition);
                    self.stmts(body);
                }
            }
        }
    }

    fn buffer(&mut self, id: BufferId) {
        if !self.buffers.contains(&id) {
            self.buffers.push(id);
        }
    }

    fn place(&mut self, place: &Place, adds: bool) {
        match place {
            Place::Local(local, at) => {
                self.assigned.insert(*local);
                self.indices(at);
            }
            Place::Element(id, at) | Place::Lanes(id, at, _) => {
                self.buffer(*id);
                self.written.insert(*id);
                if adds {
                    self.read.insert(*id);
                }
                self.indices(at);
            }
        }
    }

    fn indices(&mut self, at: &[Index]) {
        for index in at {
            self.index(index);
        }
    }

    fn index(&mut self, index: &Index) {
        match index {
            Index::Affine { terms, .. } => self.vars.extend(terms.iter().map(|(v, _)| *v)),
            Index::Value(value) => self.value(value),
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Real(_) | Value::Bool(_) => {}
            Value::Int(index) | Value::Iota(index) => self.index(index),
            Value::Local(local, at) => {
                self.locals.insert(*local);
                self.indices(at);
            }
            Value::Load(id, at) | Value::LoadLanes(id, at, _) => {
                self.buffer(*id);
                self.read.insert(*id);
                self.indices(at);
            }
            Value::Splat(inner) | Value::Horizontal(_, inner) | Value::Narrow(inner) => self.value(inner),
            Value::Op(_, args) => args.iter().for_each(|a| self.value(a)),
            Value::MulAdd(parts) => parts.iter().for_each(|a| self.value(a)),
            Value::Random { site, element, .. } => {
                if !self.sites.contains(site) {
                    self.sites.push(*site);
                }
                self.index(element);
            }
        }
    }
}
