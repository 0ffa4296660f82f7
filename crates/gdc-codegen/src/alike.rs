//! Kernels that differ only in the buffers they work on, such as those of equal blocks of a
//! model: one function serves all of them.

use gdc_ir::program::{BufferId, Index, Kernel, Local, LoopVar, Place, Program, Stmt, Value};
use gdc_ir::uses::Uses;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A text that two kernels share if and only if one function serves both: buffers, loop variables
/// and locals are numbered as they appear, so that their names do not count.
pub(crate) fn key(program: &Program, kernel: &Kernel, owned: &BTreeSet<BufferId>) -> String {
    let mut key = Key::new(program);
    let uses = Uses::of_kernel(kernel);
    let _ = write!(key.text, "{:?} {:?}", program.precision, kernel.real);
    for &id in &uses.buffers {
        let b = program.buffer(id);
        let shape = program.shape_in(kernel, id);
        let facts = (b.elem, shape, b.range, owned.contains(&id), uses.written.contains(&id));
        let _ = write!(key.text, " {facts:?}");
        key.buffers.insert(id, key.buffers.len());
    }
    if let Some(cut) = &kernel.cut {
        let _ = write!(key.text, " {}", cut.pieces);
    }
    key.stmts(&kernel.body);
    key.text
}

struct Key<'a> {
    program: &'a Program,
    text: String,
    buffers: BTreeMap<BufferId, usize>,
    vars: BTreeMap<LoopVar, usize>,
    locals: BTreeMap<Local, usize>,
}

impl<'a> Key<'a> {
    fn new(program: &'a Program) -> Self {
        let (buffers, vars, locals) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Key { program, text: String::new(), buffers, vars, locals }
    }

    fn put(&mut self, what: std::fmt::Arguments<'_>) {
        let _ = self.text.write_fmt(what);
    }

    fn stmts(&mut self, body: &[Stmt]) {
        self.text.push('{');
        for stmt in body {
            match stmt {
                Stmt::For { var, extent, body } => {
                    self.var(*var);
                    self.put(format_args!("for {extent}"));
                    self.stmts(body);
                }
                Stmt::Let { local, value } => {
                    self.text.push('l');
                    self.local(*local);
                    self.value(value);
                }
                Stmt::Var { local, init } => {
                    self.text.push('v');
                    self.local(*local);
                    self.value(init);
                }
                Stmt::Set { place, value } => {
                    self.text.push('=');
                    self.place(place);
                    self.value(value);
                }
                Stmt::Add { place, value } => {
                    self.text.push('+');
                    self.place(place);
                    self.value(value);
                }
                Stmt::Transpose(local) => {
                    self.text.push('t');
                    self.local(*local);
                }
                Stmt::If { condition, body } => {
                    self.text.push('?');
                    self.value(condition);
                    self.stmts(body);
                }
            }
        }
        self.text.push('}');
    }

    fn buffer(&mut self, id: BufferId) {
        let next = self.buffers.len();
        let k = *self.buffers.entry(id).or_insert(next);
        self.put(format_args!("b{k}"));
    }

    fn var(&mut self, var: LoopVar) {
        let next = self.vars.len();
        let k = *self.vars.entry(var).or_insert(next);
        self.put(format_args!("i{k}"));
    }

    fn local(&mut self, local: Local) {
        let next = self.locals.len();
        let known = self.locals.contains_key(&local);
        let k = *self.locals.entry(local).or_insert(next);
        self.put(format_args!("x{k}"));
        if !known {
            let info = self.program.local(local);
            let (ty, dims) = (info.ty, info.dims.clone());
            self.put(format_args!(":{ty:?}{dims:?}"));
        }
    }

    fn place(&mut self, place: &Place) {
        match place {
            Place::Local(local, at) => {
                self.local(*local);
                self.indices(at);
            }
            Place::Element(id, at) => {
                self.buffer(*id);
                self.indices(at);
            }
            Place::Lanes(id, at, valid) => {
                self.buffer(*id);
                self.indices(at);
                self.put(format_args!("..{valid}"));
            }
        }
    }

    fn indices(&mut self, at: &[Index]) {
        self.text.push('[');
        for index in at {
            self.index(index);
            self.text.push(',');
        }
        self.text.push(']');
    }

    fn index(&mut self, index: &Index) {
        match index {
            Index::Affine { terms, constant } => {
                self.put(format_args!("{constant}"));
                for (var, by) in terms {
                    self.put(format_args!("+{by}"));
                    self.var(*var);
                }
            }
            Index::Value(value) => self.value(value),
        }
    }

    fn value(&mut self, value: &Value) {
        self.text.push('(');
        match value {
            Value::Real(x) => self.put(format_args!("r{:x}", x.to_bits())),
            Value::Bool(b) => self.put(format_args!("{b}")),
            Value::Int(index) => {
                self.text.push('n');
                self.index(index);
            }
            Value::Local(local, at) => {
                self.local(*local);
                self.indices(at);
            }
            Value::Load(id, at) => {
                self.buffer(*id);
                self.indices(at);
            }
            Value::LoadLanes(id, at, valid) => {
                self.buffer(*id);
                self.indices(at);
                self.put(format_args!("..{valid}"));
            }
            Value::Splat(inner) => {
                self.text.push('s');
                self.value(inner);
            }
            Value::Iota(index) => {
                self.text.push('j');
                self.index(index);
            }
            Value::Op(op, args) => {
                self.put(format_args!("{op:?}"));
                args.iter().for_each(|a| self.value(a));
            }
            Value::MulAdd(parts) => {
                self.text.push('m');
                parts.iter().for_each(|a| self.value(a));
            }
            Value::Horizontal(red, inner) => {
                self.put(format_args!("h{red:?}"));
                self.value(inner);
            }
            Value::Narrow(inner) => {
                self.text.push('w');
                self.value(inner);
            }
            Value::Random { dist, site, element } => {
                self.put(format_args!("{dist:?}{site}"));
                self.index(element);
            }
        }
        self.text.push(')');
    }
}
