//! The verifier of loop programs. What it holds a program to:
//!
//! 1. Buffers, loop variables and locals exist, and names of buffers are not shared.
//! 2. A loop variable is used inside its loop, a local after its definition and inside the
//!    block that defines it, and it is defined once.
//! 3. An index has a place for each axis, and lies inside it wherever the loop variables
//!    stand, unless tests around it say so: then generated code has no panicking path.
//! 4. Lanes are of `f32`, 1 to 16 of them, and do not go beyond the last axis.
//! 5. Integers that are computed are never negative.
//! 6. Operators have arguments that fit; lanes and scalars do not mix.
//! 7. What is stored has the type of the place; only locals that are `Var` are set.
//! 8. Inputs, targets, weights and the counter are never written.
//! 9. A kernel in pieces writes nothing but rows of the piece at hand, and what any kernel of a
//!    stage writes, all of it see by their own rows alone.

use crate::ops::{Op, Red, Signature};
use crate::program::{
    BufferId, BufferRole, Elem, Index, Kernel, LANES, Local, LocalTy, LoopVar, Place, Program, Programs, Stmt, Value,
    lane_axis,
};
use std::collections::{BTreeMap, BTreeSet};

/// A broken invariant: a mistake of the scheduler, not of a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The kernel that breaks it.
    pub kernel: String,
    /// What is wrong.
    pub message: String,
}

/// Verifies all programs of a model.
///
/// # Errors
/// Everything that is broken.
pub fn verify_programs(programs: &Programs) -> Result<(), Vec<Violation>> {
    let broken: Vec<Violation> = programs.all().filter_map(|(_, p)| verify_program(p).err()).flatten().collect();
    if broken.is_empty() { Ok(()) } else { Err(broken) }
}

/// Verifies one program.
///
/// # Errors
/// Everything that is broken.
pub fn verify_program(program: &Program) -> Result<(), Vec<Violation>> {
    let mut broken = Vec::new();
    let mut names = BTreeSet::new();
    for buffer in &program.buffers {
        if !names.insert(buffer.name.as_str()) {
            let message = format!("two buffers are called {}", buffer.name);
            broken.push(Violation { kernel: String::new(), message });
        }
    }
    for kernel in program.routines.iter().flat_map(|r| &r.kernels) {
        let mut verifier = Verifier::new(program, kernel);
        if let Some(cut) = &kernel.cut {
            verifier.loops.insert(cut.piece, cut.pieces);
        }
        verifier.block(&kernel.body);
        broken.append(&mut verifier.broken);
    }
    for routine in &program.routines {
        stages(program, &routine.kernels, &mut broken);
    }
    if broken.is_empty() { Ok(()) } else { Err(broken) }
}

/// What a stage writes belongs to pieces, for all kernels of it.
fn stages(program: &Program, kernels: &[Kernel], broken: &mut Vec<Violation>) {
    let stage = |k: &Kernel| k.cut.as_ref().map(|c| (c.stage, c.pieces));
    for run in kernels.chunk_by(|a, b| stage(a).is_some() && stage(a) == stage(b)) {
        let written: BTreeSet<BufferId> = run
            .iter()
            .filter(|k| k.cut.is_some())
            .flat_map(|k| k.buffers())
            .filter(|(_, written)| *written)
            .map(|(id, _)| program.place(id))
            .collect();
        for kernel in run {
            let Some(cut) = &kernel.cut else { continue };
            let verifier = Verifier::new(program, kernel);
            for id in kernel.buffers().into_keys() {
                if written.contains(&program.place(id)) && !cut.rows.contains(&id) && !verifier.is_own(id) {
                    let message = format!("{} is written in pieces, and seen as a whole", program.buffer(id).name);
                    broken.push(Violation { kernel: kernel.name.clone(), message });
                }
            }
        }
    }
}

/// The kinds of values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Real,
    Bool,
    Int,
    Lanes,
    Mask,
}

/// `constant + sum of coefficient * part`, where a part is a loop variable or an integer that
/// is computed otherwise, by its text, with its range.
#[derive(Clone, Default)]
struct Linear {
    parts: BTreeMap<String, (i64, (i64, i64))>,
    constant: i64,
}

impl Linear {
    /// `self + scale * other`
    fn plus(mut self, other: &Linear, scale: i64) -> Linear {
        for (part, (c, range)) in &other.parts {
            let entry = self.parts.entry(part.clone()).or_insert((0, *range));
            entry.0 = entry.0.saturating_add(c.saturating_mul(scale));
        }
        self.parts.retain(|_, (c, _)| *c != 0);
        self.constant = self.constant.saturating_add(other.constant.saturating_mul(scale));
        self
    }

    fn constant(constant: i64) -> Linear {
        Linear { parts: BTreeMap::new(), constant }
    }

    /// Least and greatest value.
    fn range(&self) -> (i64, i64) {
        self.parts.values().fold((self.constant, self.constant), |(low, high), (c, (l, h))| {
            let (a, b) = (l.saturating_mul(*c), h.saturating_mul(*c));
            (low.saturating_add(a.min(b)), high.saturating_add(a.max(b)))
        })
    }

    /// How much more it is than the other, if it is the other but for a constant.
    fn beyond(&self, other: &Linear) -> Option<i64> {
        let difference = self.clone().plus(other, -1);
        difference.parts.is_empty().then_some(difference.constant)
    }
}

struct Verifier<'a> {
    program: &'a Program,
    kernel: &'a Kernel,
    /// The loops around, with their extents.
    loops: BTreeMap<LoopVar, usize>,
    /// The locals in scope, and whether they can be set.
    locals: BTreeMap<Local, bool>,
    defined: BTreeSet<Local>,
    /// Where the immutable integers among them lie, as far as it is known.
    ints: BTreeMap<Local, (i64, i64)>,
    /// Affine forms that are not negative here, because a test said so.
    facts: Vec<Linear>,
    broken: Vec<Violation>,
}

impl<'a> Verifier<'a> {
    fn new(program: &'a Program, kernel: &'a Kernel) -> Self {
        Verifier {
            program,
            kernel,
            loops: BTreeMap::new(),
            locals: BTreeMap::new(),
            defined: BTreeSet::new(),
            ints: BTreeMap::new(),
            facts: Vec::new(),
            broken: Vec::new(),
        }
    }

    fn report(&mut self, message: String) {
        self.broken.push(Violation { kernel: self.kernel.name.clone(), message });
    }

    fn block(&mut self, body: &[Stmt]) {
        let outside = self.locals.clone();
        for stmt in body {
            self.stmt(stmt);
        }
        self.locals = outside;
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::For { var, extent, body } => {
                if var.0 as usize >= self.program.loop_vars.len() {
                    self.report(format!("loop variable {} does not exist", var.0));
                }
                if self.loops.insert(*var, *extent).is_some() {
                    self.report(format!("loop variable {} runs in two nested loops", var.0));
                }
                self.block(body);
                self.loops.remove(var);
            }
            Stmt::Let { local, value } => self.define(*local, value, false),
            Stmt::Var { local, init } => self.define(*local, init, true),
            Stmt::Set { place, value } | Stmt::Add { place, value } => {
                let wanted = self.place(place);
                let found = self.value(value);
                if let (Some(wanted), Some(found)) = (wanted, found)
                    && wanted != found
                {
                    self.report(format!("stores {found:?} as {wanted:?}"));
                }
            }
            Stmt::Transpose(local) => {
                if self.locals.get(local) != Some(&true) {
                    self.report(format!("transposes local {}, which is not a variable here", local.0));
                }
                let fits = self.program.locals.get(local.0 as usize);
                if !fits.is_some_and(|l| l.ty == LocalTy::Lanes && l.dims == [LANES]) {
                    self.report(format!("transposes local {}, which is not 16 times 16", local.0));
                }
            }
            Stmt::If { condition, body } => {
                self.expect(condition, Kind::Bool, "a condition");
                self.assuming(condition, |v| v.block(body));
            }
        }
    }

    fn define(&mut self, local: Local, value: &Value, mutable: bool) {
        let found = self.value(value);
        let Some(info) = self.program.locals.get(local.0 as usize) else {
            return self.report(format!("local {} does not exist", local.0));
        };
        if found.is_some_and(|f| f != kind_of(info.ty)) {
            self.report(format!("{} is {:?}, given {found:?}", info.name, info.ty));
        }
        if !mutable && !info.dims.is_empty() {
            self.report(format!("{} is an array and cannot be immutable", info.name));
        }
        if !self.defined.insert(local) {
            self.report(format!("{} is defined twice", info.name));
        }
        if !mutable
            && info.ty == LocalTy::Int
            && let Some(range) = self.int_range(value)
        {
            self.ints.insert(local, range);
        }
        self.locals.insert(local, mutable);
    }

    /// Verifies under a condition.
    fn assuming(&mut self, condition: &Value, body: impl FnOnce(&mut Self)) {
        let before = self.facts.len();
        self.learn(condition);
        body(self);
        self.facts.truncate(before);
    }

    fn place(&mut self, place: &Place) -> Option<Kind> {
        match place {
            Place::Local(local, at) => {
                if self.locals.get(local) == Some(&false) {
                    self.report(format!("sets local {}, which is immutable", local.0));
                }
                self.local(*local, at)
            }
            Place::Element(buffer, at) => {
                self.written(*buffer);
                self.element(*buffer, at)
            }
            Place::Lanes(buffer, at, valid) => {
                self.written(*buffer);
                self.lanes(*buffer, at, *valid)
            }
        }
    }

    fn written(&mut self, buffer: BufferId) {
        let Some(b) = self.program.buffers.get(buffer.0 as usize) else { return };
        if matches!(b.role, BufferRole::Input | BufferRole::Target | BufferRole::SampleWeight | BufferRole::Counter) {
            self.report(format!("writes {}", b.name));
        }
        if self.kernel.cut.as_ref().is_some_and(|c| !c.rows.contains(&buffer)) && !self.is_own(buffer) {
            self.report(format!("a piece writes {}, of which it has no rows", b.name));
        }
    }

    /// Whether a buffer is a temporary that no other kernel names: each piece has its own.
    fn is_own(&self, buffer: BufferId) -> bool {
        let users = self.program.routines.iter().flat_map(|r| &r.kernels).filter(|k| k.buffers().contains_key(&buffer));
        self.program.buffer(buffer).role == BufferRole::Temp && users.count() == 1
    }

    fn local(&mut self, local: Local, at: &[Index]) -> Option<Kind> {
        let Some(info) = self.program.locals.get(local.0 as usize) else {
            self.report(format!("local {} does not exist", local.0));
            return None;
        };
        if !self.locals.contains_key(&local) {
            self.report(format!("{} is used where it is not defined", info.name));
        }
        self.indices(&info.name, at, &info.dims);
        Some(kind_of(info.ty))
    }

    fn element(&mut self, buffer: BufferId, at: &[Index]) -> Option<Kind> {
        let Some(b) = self.program.buffers.get(buffer.0 as usize) else {
            self.report(format!("buffer {} does not exist", buffer.0));
            return None;
        };
        let shape = self.program.shape_in(self.kernel, buffer);
        self.indices(&b.name, at, &shape);
        Some(match b.elem {
            Elem::F32 | Elem::F64 => Kind::Real,
            Elem::Bool => Kind::Bool,
            Elem::U32 | Elem::I32 | Elem::U64 => Kind::Int,
        })
    }

    fn lanes(&mut self, buffer: BufferId, at: &[Index], valid: usize) -> Option<Kind> {
        let Some(b) = self.program.buffers.get(buffer.0 as usize) else {
            self.report(format!("buffer {} does not exist", buffer.0));
            return None;
        };
        if b.elem != Elem::F32 || self.kernel.real != Elem::F32 {
            self.report(format!("lanes of {} are not f32", b.name));
        }
        if !(1..=LANES).contains(&valid) {
            self.report(format!("{valid} lanes of {}", b.name));
        }
        let mut shape = self.program.shape_in(self.kernel, buffer);
        match lane_axis(&b.shape).and_then(|k| shape.get_mut(k)) {
            // The first lane must leave room for the others.
            Some(n) => *n = (*n + 1).saturating_sub(valid.max(1)),
            None => self.report(format!("lanes of {}, which has no axis", b.name)),
        }
        self.indices(&b.name, at, &shape);
        Some(Kind::Lanes)
    }

    fn indices(&mut self, name: &str, at: &[Index], shape: &[usize]) {
        if at.len() != shape.len() {
            return self.report(format!("{name} has {} axes, not {}", shape.len(), at.len()));
        }
        for (axis, (index, &n)) in at.iter().zip(shape).enumerate() {
            let inside = self.index_range(index).is_some_and(|(low, high)| low >= 0 && high < n as i64);
            if inside {
                continue;
            }
            let place = self.linear(index);
            let room = Linear::constant(n as i64 - 1).plus(&place, -1);
            if !self.not_negative(&place) || !self.not_negative(&room) {
                self.report(format!("{name}: axis {axis} of {n} is read or written at {index:?}"));
            }
        }
    }

    /// Whether a form is never negative, by ranges or by a test around.
    fn not_negative(&self, form: &Linear) -> bool {
        self.least(form) >= 0
    }

    /// The least value of a form: by ranges, or because it is more than what a test around says is
    /// not negative.
    fn least(&self, form: &Linear) -> i64 {
        let known = self.facts.iter().filter_map(|fact| form.beyond(fact));
        known.fold(form.range().0, i64::max)
    }

    /// The least and greatest value of an integer under the tests around.
    fn bounds(&mut self, value: &Value) -> (i64, i64) {
        let form = self.linear_value(value);
        let negative = Linear::default().plus(&form, -1);
        (self.least(&form), self.least(&negative).saturating_neg())
    }

    fn linear(&mut self, index: &Index) -> Linear {
        match index {
            Index::Value(value) => self.linear_value(value),
            Index::Affine { terms, constant } => {
                let part = |(v, c): &(LoopVar, i64)| {
                    let last = self.loops.get(v).map_or(i64::MAX / 4, |n| n.saturating_sub(1) as i64);
                    (format!("loop {}", v.0), (*c, (0, last)))
                };
                Linear { parts: terms.iter().map(part).collect(), constant: *constant }
            }
        }
    }

    fn linear_value(&mut self, value: &Value) -> Linear {
        match value {
            Value::Int(index) => self.linear(index),
            Value::Op(op @ (Op::Add | Op::Sub), args) if args.len() == 2 => {
                let b = self.linear_value(&args[1]);
                self.linear_value(&args[0]).plus(&b, if *op == Op::Add { 1 } else { -1 })
            }
            Value::Op(Op::Mul, args) if args.len() == 2 => {
                let (a, b) = (self.linear_value(&args[0]), self.linear_value(&args[1]));
                match (a.parts.is_empty(), b.parts.is_empty()) {
                    (_, true) => Linear::default().plus(&a, b.constant),
                    (true, _) => Linear::default().plus(&b, a.constant),
                    _ => self.opaque(value),
                }
            }
            _ => self.opaque(value),
        }
    }

    fn opaque(&mut self, value: &Value) -> Linear {
        let range = self.int_range(value).unwrap_or((i64::MIN / 4, i64::MAX / 4));
        Linear { parts: BTreeMap::from([(format!("{value:?}"), (1, range))]), constant: 0 }
    }

    /// Notes what is not negative where a condition holds.
    fn learn(&mut self, condition: &Value) {
        let Value::Op(op, args) = condition else { return };
        match (op, args.as_slice()) {
            (Op::And, [a, b]) => {
                self.learn(a);
                self.learn(b);
            }
            (Op::Le | Op::Lt, [a, b]) if self.is_int(a) && self.is_int(b) => {
                let (a, b) = (self.linear_value(a), self.linear_value(b));
                let strict = Linear::constant(-i64::from(*op == Op::Lt));
                self.facts.push(strict.plus(&b, 1).plus(&a, -1));
            }
            (Op::Eq, [a, b]) if self.is_int(a) && self.is_int(b) => {
                let (a, b) = (self.linear_value(a), self.linear_value(b));
                self.facts.push(b.clone().plus(&a, -1));
                self.facts.push(a.plus(&b, -1));
            }
            _ => {}
        }
    }

    /// Whether a value is an integer, as far as its outermost part says.
    fn is_int(&self, value: &Value) -> bool {
        match value {
            Value::Int(_) => true,
            Value::Load(b, _) => self
                .program
                .buffers
                .get(b.0 as usize)
                .is_some_and(|b| matches!(b.elem, Elem::U32 | Elem::I32 | Elem::U64)),
            Value::Local(l, _) => self.program.locals.get(l.0 as usize).is_some_and(|l| l.ty == LocalTy::Int),
            Value::Op(op, args) => match op.facts().signature {
                Signature::Int => true,
                Signature::Number => args.iter().all(|a| self.is_int(a)),
                Signature::Choice => args.iter().skip(1).all(|a| self.is_int(a)),
                Signature::Real | Signature::Compare | Signature::Logic | Signature::Convert => false,
            },
            _ => false,
        }
    }

    fn index_range(&mut self, index: &Index) -> Option<(i64, i64)> {
        match index {
            Index::Affine { terms, .. } => {
                for (v, _) in terms {
                    if !self.loops.contains_key(v) {
                        self.report(format!("loop variable {} is used outside of its loop", v.0));
                    }
                }
                Some(self.linear(index).range())
            }
            Index::Value(value) => {
                self.expect(value, Kind::Int, "an index");
                self.int_range(value)
            }
        }
    }

    /// The least and greatest value of an integer, `None` where nothing is known.
    fn int_range(&mut self, value: &Value) -> Option<(i64, i64)> {
        match value {
            Value::Int(index) => self.index_range(index),
            Value::Load(buffer, _) => {
                let b = self.program.buffers.get(buffer.0 as usize)?;
                match (b.range, b.elem) {
                    (Some((low, high)), _) => Some((low, high - 1)),
                    (None, _) => Some((0, i64::MAX / 4)),
                }
            }
            // What is found in a loop, as the place of a maximum is, is not followed.
            Value::Local(local, _) => Some(self.ints.get(local).copied().unwrap_or((0, 0))),
            Value::Op(Op::Select, args) => {
                let (a, b) = (self.int_range(&args[1])?, self.int_range(&args[2])?);
                Some((a.0.min(b.0), a.1.max(b.1)))
            }
            Value::Op(op, args) => {
                let [x, y] = args.as_slice() else { return None };
                // What is known of the parts may take the tests around.
                self.int_range(x)?;
                self.int_range(y)?;
                let (a, b) = (self.bounds(x), self.bounds(y));
                match op {
                    Op::Add => Some((a.0.saturating_add(b.0), a.1.saturating_add(b.1))),
                    Op::Sub => Some((a.0.saturating_sub(b.1), a.1.saturating_sub(b.0))),
                    Op::Mul if a.0 >= 0 && b.0 >= 0 => Some((a.0.saturating_mul(b.0), a.1.saturating_mul(b.1))),
                    Op::IntDiv if a.0 >= 0 && b.0 > 0 => Some((a.0 / b.1, a.1 / b.0)),
                    Op::IntMod if a.0 >= 0 && b.0 > 0 => Some((0, a.1.min(b.1 - 1))),
                    Op::Min => Some((a.0.min(b.0), a.1.min(b.1))),
                    Op::Max => Some((a.0.max(b.0), a.1.max(b.1))),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn expect(&mut self, value: &Value, wanted: Kind, what: &str) {
        if let Some(found) = self.value(value)
            && found != wanted
        {
            self.report(format!("{what} is {found:?}, not {wanted:?}"));
        }
    }

    /// The kind of a value, `None` where it was reported.
    fn value(&mut self, value: &Value) -> Option<Kind> {
        match value {
            Value::Real(_) => Some(Kind::Real),
            Value::Bool(_) => Some(Kind::Bool),
            Value::Int(index) => {
                let range = self.index_range(index);
                let form = self.linear(index);
                if range.is_none_or(|(low, _)| low < 0) && !self.not_negative(&form) {
                    self.report(format!("an integer can be negative: {index:?}"));
                }
                Some(Kind::Int)
            }
            Value::Local(local, at) => self.local(*local, at),
            Value::Load(buffer, at) => self.element(*buffer, at),
            Value::LoadLanes(buffer, at, valid) => self.lanes(*buffer, at, *valid),
            Value::Splat(v) => {
                self.expect(v, Kind::Real, "what is splat");
                Some(Kind::Lanes)
            }
            Value::Iota(index) => {
                self.index_range(index);
                Some(Kind::Lanes)
            }
            Value::Op(op, args) => self.operator(*op, args),
            Value::MulAdd(parts) => {
                let kinds: Vec<Option<Kind>> = parts.iter().map(|p| self.value(p)).collect();
                let first = kinds.first().copied().flatten()?;
                if kinds.iter().any(|k| *k != Some(first)) || !matches!(first, Kind::Real | Kind::Lanes) {
                    self.report(format!("multiply-add of {kinds:?}"));
                }
                Some(first)
            }
            Value::Horizontal(red, v) => {
                self.expect(v, Kind::Lanes, "what is reduced across lanes");
                if !matches!(red, Red::Sum | Red::Prod | Red::Max | Red::Min) {
                    self.report(format!("{} across lanes", red.name()));
                }
                Some(Kind::Real)
            }
            Value::Narrow(v) => {
                self.expect(v, Kind::Real, "what is narrowed");
                Some(Kind::Real)
            }
            Value::Random { element, .. } => {
                self.index_range(element);
                Some(Kind::Real)
            }
        }
    }

    fn operator(&mut self, op: Op, args: &[Value]) -> Option<Kind> {
        let kinds: Vec<Kind> = match (op, args) {
            // Only the chosen side is evaluated.
            (Op::Select, [condition, a, b]) => {
                let first = self.value(condition)?;
                let mut second = None;
                self.assuming(condition, |v| second = v.value(a));
                vec![first, second?, self.value(b)?]
            }
            _ => args.iter().map(|a| self.value(a)).collect::<Option<_>>()?,
        };
        let result = result(op, &kinds);
        if result.is_none() {
            self.report(format!("{} of {kinds:?}", op.facts().name));
        }
        result
    }
}

fn kind_of(ty: LocalTy) -> Kind {
    match ty {
        LocalTy::Real => Kind::Real,
        LocalTy::Lanes => Kind::Lanes,
        LocalTy::Bool => Kind::Bool,
        LocalTy::Int => Kind::Int,
    }
}

/// What an operator gives, `None` where its arguments do not fit.
fn result(op: Op, kinds: &[Kind]) -> Option<Kind> {
    use Kind::{Bool, Int, Lanes, Mask, Real};
    if kinds.len() != op.facts().arity {
        return None;
    }
    let first = kinds[0];
    let same = kinds.iter().all(|&k| k == first);
    match op.facts().signature {
        Signature::Real => (same && matches!(first, Real | Lanes)).then_some(first),
        Signature::Number => (same && matches!(first, Real | Lanes | Int)).then_some(first),
        Signature::Compare => same.then_some(if matches!(first, Lanes | Mask) { Mask } else { Bool }),
        Signature::Logic => (same && matches!(first, Bool | Mask)).then_some(first),
        Signature::Choice => match (first, kinds[1], kinds[2]) {
            (Bool, a, b) if a == b => Some(a),
            (Mask, Lanes, Lanes) => Some(Lanes),
            _ => None,
        },
        Signature::Convert => matches!(first, Int | Bool).then_some(Real),
        Signature::Int => (same && first == Int).then_some(Int),
    }
}

#[cfg(test)]
#[path = "program_verify_tests.rs"]
mod tests;
