//! Kernels that differ only in the buffers they work on, such as those of equal blocks of a
//! model: one function serves all of them. A loop over samples that does for each what a kernel
//! of `predict` does for its one is a loop of calls of that.

use gdc_ir::program::{BufferId, Index, Kernel, Local, LoopVar, Place, Program, Stmt, Value};
use gdc_ir::uses::Uses;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A text that two kernels share if and only if one function serves both: buffers, loop variables
/// and locals are numbered as they appear, so that their names do not count.
pub(crate) fn key(program: &Program, kernel: &Kernel, owned: &BTreeSet<BufferId>) -> String {
    let mut key = Key::new(program, None);
    key.kernel(kernel, &kernel.body, owned);
    key.text
}

/// A kernel that is a loop over samples, seen as what it does for one of them.
pub(crate) struct OfSample {
    /// The key of a kernel that does it.
    pub(crate) key: String,
    /// How many samples there are.
    pub(crate) samples: usize,
    /// The buffers whose first axis the loop runs over.
    pub(crate) buffers: BTreeSet<BufferId>,
}

/// Turns of a sample's loops below which calling a function for each sample would show.
const WORTH_A_CALL: usize = 64;

/// What a kernel does for one sample, if it is a loop whose turns have their own first place of
/// some buffers, read nothing else of these, and do not depend on the sample otherwise.
pub(crate) fn of_sample(program: &Program, kernel: &Kernel, owned: &BTreeSet<BufferId>) -> Option<OfSample> {
    let [Stmt::For { var, extent, body }] = kernel.body.as_slice() else { return None };
    if turns(body) < WORTH_A_CALL || kernel.cut.is_some() {
        return None;
    }
    let mut key = Key::new(program, Some(*var));
    key.kernel(kernel, body, owned);
    let both = key.of_sample.iter().any(|id| key.whole.contains(id) || owned.contains(id));
    let found = !key.mentions_sample && !both && !key.of_sample.is_empty();
    found.then_some(OfSample { key: key.text, samples: *extent, buffers: key.of_sample })
}

/// How many statements are run.
fn turns(body: &[Stmt]) -> usize {
    let all = body.iter().map(|stmt| match stmt {
        Stmt::For { extent, body, .. } => extent.saturating_mul(turns(body)),
        Stmt::If { body, .. } => 1 + turns(body),
        Stmt::Let { .. } | Stmt::Var { .. } | Stmt::Set { .. } | Stmt::Add { .. } | Stmt::Transpose(_) => 1,
    });
    all.fold(0, usize::saturating_add)
}

struct Key<'a> {
    program: &'a Program,
    text: String,
    /// The variable of a loop over samples around what is looked at.
    sample: Option<LoopVar>,
    /// Whether it stands anywhere but as the first place in a buffer.
    mentions_sample: bool,
    /// Buffers that are read or written at its place, and those at others.
    of_sample: BTreeSet<BufferId>,
    whole: BTreeSet<BufferId>,
    buffers: BTreeMap<BufferId, usize>,
    sites: BTreeMap<u64, usize>,
    vars: BTreeMap<LoopVar, usize>,
    locals: BTreeMap<Local, usize>,
}

impl<'a> Key<'a> {
    fn new(program: &'a Program, sample: Option<LoopVar>) -> Self {
        let (buffers, vars, locals) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (of_sample, whole) = (BTreeSet::new(), BTreeSet::new());
        let (text, sites) = (String::new(), BTreeMap::new());
        Key { program, text, sample, mentions_sample: false, of_sample, whole, buffers, sites, vars, locals }
    }

    fn kernel(&mut self, kernel: &Kernel, body: &[Stmt], owned: &BTreeSet<BufferId>) {
        self.put(format_args!("{:?} {:?}", self.program.precision, kernel.real));
        let uses = Uses::of(body);
        for &id in &uses.buffers {
            self.buffers.insert(id, self.buffers.len());
        }
        self.stmts(body);
        for &id in &uses.buffers {
            let b = self.program.buffer(id);
            let shape = self.program.shape_in(kernel, id);
            let shape = shape.get(usize::from(self.of_sample.contains(&id))..);
            let facts = (b.elem, shape, b.range, owned.contains(&id), uses.written.contains(&id));
            self.put(format_args!(" {facts:?}"));
        }
        if let Some(cut) = &kernel.cut {
            self.put(format_args!(" {}", cut.pieces));
        }
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

    /// The places in a buffer, without that of the sample.
    fn places(&mut self, id: BufferId, at: &[Index], lanes: bool) {
        self.buffer(id);
        match (self.sample, at) {
            (Some(sample), [Index::Affine { terms, constant: 0 }, rest @ ..])
                if *terms == [(sample, 1)] && !(lanes && rest.is_empty()) =>
            {
                self.of_sample.insert(id);
                self.indices(rest);
            }
            _ => {
                self.whole.insert(id);
                self.indices(at);
            }
        }
    }

    fn var(&mut self, var: LoopVar) {
        self.mentions_sample |= self.sample == Some(var);
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
            Place::Element(id, at) => self.places(*id, at, false),
            Place::Lanes(id, at, valid) => {
                self.places(*id, at, true);
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
            Value::Load(id, at) => self.places(*id, at, false),
            Value::LoadLanes(id, at, valid) => {
                self.places(*id, at, true);
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
                // Sites are arguments.
                let next = self.sites.len();
                let k = *self.sites.entry(*site).or_insert(next);
                self.put(format_args!("{dist:?}{k}"));
                self.index(element);
            }
        }
        self.text.push(')');
    }
}
