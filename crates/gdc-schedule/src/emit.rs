//! Expressions of the graph as scalar values of a kernel.

use crate::build::Build;
use crate::int::Int;
use crate::pack::Packed;
use crate::plan::Plan;
use crate::storage::Storage;
use gdc_ir::program::{Elem, Index, Local, LocalTy, LoopVar, Place, Stmt, Value};
use gdc_ir::{Expr, ExprId, NodeId, NodeKind, Op, Ty, Var};
use std::collections::{BTreeMap, BTreeSet};

/// The integers for which index variables stand.
pub(crate) type Env = BTreeMap<Var, Int>;

/// Values nested more deeply than this are cut by a `let`.
const DEPTH: usize = 10;

/// The lane axis of a vector kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane {
    /// Stands for the lane, 0 to 15.
    pub var: LoopVar,
    /// How many lanes are in use.
    pub valid: usize,
}

/// The writer of one kernel.
pub(crate) struct Emit<'a> {
    pub plan: &'a Plan,
    pub storage: &'a Storage,
    pub build: &'a mut Build,
    /// The kernel's number type.
    pub real: Elem,
    /// The statement list being written.
    pub out: Vec<Stmt>,
    /// The place at hand.
    pub point: Vec<Int>,
    /// The values at the place at hand that are in locals.
    pub values: BTreeMap<NodeId, Value>,
    /// In an unrolled kernel, the sample at hand.
    pub batch: Option<Int>,
    /// In an unrolled kernel, elements in locals: the sample's, or what all samples share.
    pub known: BTreeMap<(NodeId, Vec<i64>), Value>,
    /// The lane axis, in the vector part of a kernel.
    pub lane: Option<Lane>,
    /// Whether the lanes of this kernel are samples.
    pub lane_is_batch: bool,
    /// Whether loops over a group's shape have the batch, the first axis, innermost.
    pub batch_inside: bool,
    /// Variables whose loops are split.
    pub splits: BTreeMap<Var, Vec<usize>>,
    /// Whether some reduction runs in lanes.
    pub reduced_in_lanes: bool,
    /// The members whose values go into locals, because later ones read them or because
    /// what they read is about to be overwritten.
    pub bound: BTreeSet<NodeId>,
    /// Tests that hold where this is written.
    pub assumed: Vec<Value>,
    /// How often the innermost statement runs, where copies of operands are allowed.
    pub turns: usize,
    /// The copies made for this kernel.
    pub packed: Vec<Packed>,
    /// In a loop over steps: the axis of the group that runs over them, and the step at hand.
    pub time: Option<(usize, Int)>,
    /// What the loop writes, so that a copy made before it would be no copy.
    pub varying: BTreeSet<gdc_ir::program::BufferId>,
}

impl<'a> Emit<'a> {
    pub fn new(plan: &'a Plan, storage: &'a Storage, build: &'a mut Build, real: Elem) -> Self {
        Emit {
            plan,
            storage,
            build,
            real,
            out: Vec::new(),
            point: Vec::new(),
            values: BTreeMap::new(),
            batch: None,
            known: BTreeMap::new(),
            lane: None,
            lane_is_batch: false,
            batch_inside: false,
            splits: BTreeMap::new(),
            reduced_in_lanes: false,
            bound: BTreeSet::new(),
            assumed: Vec::new(),
            turns: 0,
            packed: Vec::new(),
            time: None,
            varying: BTreeSet::new(),
        }
    }

    /// Writes what `body` writes into a list of its own.
    pub fn nested(&mut self, body: impl FnOnce(&mut Self)) -> Vec<Stmt> {
        let outer = std::mem::take(&mut self.out);
        body(self);
        std::mem::replace(&mut self.out, outer)
    }

    /// A loop; none for an extent of 1. The body is given the loop variable as an integer.
    pub fn repeat(&mut self, name: &str, extent: usize, body: impl FnOnce(&mut Self, Int)) {
        if extent == 1 {
            return body(self, Int::constant(0));
        }
        let var = self.build.loop_var(name, extent);
        let body = self.nested(|e| body(e, Int::var(var)));
        self.out.push(Stmt::For { var, extent, body });
    }

    /// Nested loops, outermost first.
    pub fn repeat_all(&mut self, dims: &[(String, usize)], body: impl FnOnce(&mut Self, Vec<Int>)) {
        let vars: Vec<Option<LoopVar>> =
            dims.iter().map(|(name, extent)| (*extent != 1).then(|| self.build.loop_var(name, *extent))).collect();
        let place = vars.iter().map(|v| v.map_or(Int::constant(0), Int::var)).collect();
        let mut inner = self.nested(|emit| body(emit, place));
        for (var, (_, extent)) in vars.into_iter().zip(dims).rev() {
            if let Some(var) = var {
                inner = vec![Stmt::For { var, extent: *extent, body: inner }];
            }
        }
        self.out.extend(inner);
    }

    /// An immutable local.
    pub fn bind(&mut self, name: &str, ty: LocalTy, value: Value) -> Value {
        if matches!(value, Value::Local(_, ref at) if at.is_empty()) {
            return value;
        }
        let local = self.build.local(name, ty, &[]);
        self.out.push(Stmt::Let { local, value });
        Value::Local(local, Vec::new())
    }

    /// A mutable local.
    pub fn variable(&mut self, name: &str, ty: LocalTy, init: Value) -> Local {
        let local = self.build.local(name, ty, &[]);
        self.out.push(Stmt::Var { local, init });
        local
    }

    /// `place = value`
    pub fn set(&mut self, place: Place, value: Value) {
        self.out.push(Stmt::Set { place, value });
    }

    /// What kind of local holds values of a type.
    pub fn local_ty(ty: Ty) -> LocalTy {
        match ty {
            Ty::Real => LocalTy::Real,
            Ty::Int => LocalTy::Int,
            Ty::Bool => LocalTy::Bool,
        }
    }

    /// An expression as a scalar, with `let`s for parts that occur more than once.
    pub fn scalar(&mut self, root: ExprId, env: &Env) -> Value {
        let exprs = &self.plan.graph.exprs;
        if exprs.ty(root) == Ty::Int {
            return self.int(root, env).value();
        }
        let (order, uses) = evaluation_order(exprs, root);
        let mut done: BTreeMap<ExprId, (Value, usize)> = BTreeMap::new();
        for id in order {
            let mut depth = 0;
            for child in exprs.children(id) {
                depth = depth.max(done.get(&child).map_or(0, |(_, d)| *d) + 1);
            }
            let value = self.scalar_part(id, env, &done);
            let shared = uses.get(&id).is_some_and(|n| *n > 1);
            let trivial = matches!(value, Value::Real(_) | Value::Bool(_) | Value::Local(..));
            let entry = if !trivial && id != root && (shared || depth > DEPTH) {
                let ty = Self::local_ty(exprs.ty(id));
                (self.bind("t", ty, value), 0)
            } else {
                (value, depth)
            };
            done.insert(id, entry);
        }
        done.remove(&root).map_or(Value::Real(0.0), |(v, _)| v)
    }

    /// One real or truth value, given its parts.
    fn scalar_part(&mut self, id: ExprId, env: &Env, done: &BTreeMap<ExprId, (Value, usize)>) -> Value {
        let plan = self.plan;
        let exprs = &plan.graph.exprs;
        let part = |e: &ExprId| done.get(e).map_or(Value::Real(0.0), |(v, _)| v.clone());
        match exprs.get(id) {
            Expr::Real(bits) => Value::Real(bits.get()),
            Expr::Bool(b) => Value::Bool(*b),
            Expr::Int(_) => self.int(id, env).value(),
            Expr::Read { node, at, otherwise } => {
                let at: Vec<Int> = at.iter().map(|&e| self.int(e, env)).collect();
                if let Some(Value::Real(fill)) = otherwise.as_ref().map(part)
                    && self.inside(*node, &at) != Value::Bool(true)
                    && let Some((copy, at)) = self.padded(*node, &at, fill)
                {
                    return Value::Load(copy, Self::indices(&at));
                }
                self.read(*node, at, otherwise.as_ref().map(part))
            }
            Expr::Random { dist, site, element } => {
                let element = self.int(*element, env).index();
                Value::Random { dist: *dist, site: *site, element }
            }
            Expr::Op(op, args) => {
                if args.iter().any(|&a| exprs.ty(a) == Ty::Int) {
                    let ints: Vec<Int> = args.iter().map(|&a| self.int(a, env)).collect();
                    return match ints.as_slice() {
                        [a] => a.real(self.build),
                        [a, b] => a.compare(*op, b, self.build),
                        _ => Value::Real(0.0),
                    };
                }
                simplified(*op, args.iter().map(part).collect())
            }
        }
    }

    /// The element of a tensor, or `otherwise` where the place is outside.
    pub fn read(&mut self, node: NodeId, at: Vec<Int>, otherwise: Option<Value>) -> Value {
        let inside = match otherwise {
            None => Value::Bool(true),
            Some(_) => self.inside(node, &at),
        };
        match (otherwise, inside) {
            (None, _) | (_, Value::Bool(true)) => self.element(node, at),
            (Some(other), Value::Bool(false)) => other,
            (Some(other), condition) => {
                let value = self.element(node, at);
                Value::Op(Op::Select, vec![condition, value, other])
            }
        }
    }

    /// Whether a place lies in a tensor.
    pub fn inside(&self, node: NodeId, at: &[Int]) -> Value {
        let mut all = Value::Bool(true);
        for (i, &n) in at.iter().zip(&self.plan.graph.node(node).shape) {
            let [from, to] =
                self.within(i, n).map(|test| if self.assumed.contains(&test) { Value::Bool(true) } else { test });
            all = simplified(Op::And, vec![all, simplified(Op::And, vec![from, to])]);
        }
        all
    }

    /// Whether a place is no less than 0, and whether it is less than an extent.
    pub fn within(&self, i: &Int, extent: usize) -> [Value; 2] {
        let from = Int::constant(0).compare(Op::Le, i, self.build);
        let to = i.compare(Op::Lt, &Int::constant(extent as i64), self.build);
        [from, to]
    }

    /// The element of a tensor at a place inside.
    fn element(&mut self, node: NodeId, at: Vec<Int>) -> Value {
        let plan = self.plan;
        if at == self.point
            && let Some(value) = self.values.get(&node)
        {
            return value.clone();
        }
        let kind = &plan.graph.node(node).kind;
        if plan.inlined.contains(&node) {
            match kind {
                NodeKind::Compute { axes, body, .. } => {
                    let env: Env = axes.iter().copied().zip(at).collect();
                    return self.scalar(*body, &env);
                }
                NodeKind::Literal(values) => return Value::Real(values.first().copied().unwrap_or(0.0)),
                NodeKind::Leaf(_) | NodeKind::Scatter { .. } | NodeKind::Reshape(_) | NodeKind::Recurrence { .. } => {}
            }
        }
        let (buffer, at) = match self.located(node, at) {
            Located::Known(value) => return value,
            Located::Nowhere => return Value::Real(0.0),
            Located::Stored(buffer, at) => (buffer, at),
        };
        let load = Value::Load(buffer, at.iter().map(Int::index).collect());
        let narrow = self.build.program.buffer(buffer).elem == Elem::F64 && self.real == Elem::F32;
        if narrow { Value::Narrow(Box::new(load)) } else { load }
    }

    /// Where an element of a tensor, which may be a view of another, is.
    pub fn located(&mut self, node: NodeId, at: Vec<Int>) -> Located {
        let plan = self.plan;
        let source = plan.source(node);
        let seen = &plan.graph.node(node).shape;
        let buffer = self.storage.buffer(source);
        // As it is stored may be closer to how it is seen than as it was computed is.
        if let Some(buffer) = buffer
            && self.known.is_empty()
        {
            return Located::Stored(buffer, self.place_in(source, buffer, at, seen));
        }
        let at = self.rearranged(at, seen, &plan.graph.node(source).shape);
        if let Some(value) = self.known_at(source, &at) {
            return Located::Known(value.clone());
        }
        match buffer {
            Some(buffer) => Located::Stored(buffer, self.stored_place(source, buffer, at)),
            None => Located::Nowhere,
        }
    }

    /// The value of an element that an unrolled kernel holds in a local.
    pub fn known_at(&self, node: NodeId, at: &[Int]) -> Option<&Value> {
        let rest = match (&self.batch, self.plan.graph.node(node).per_sample) {
            (Some(batch), true) => at.strip_prefix(std::slice::from_ref(batch))?,
            _ => at,
        };
        let rest = rest.iter().map(Int::as_constant).collect::<Option<Vec<i64>>>()?;
        self.known.get(&(node, rest))
    }

    /// Where in a tensor's buffer an element lies.
    pub fn stored_place(&mut self, node: NodeId, buffer: gdc_ir::program::BufferId, at: Vec<Int>) -> Vec<Int> {
        let shape = &self.plan.graph.node(node).shape;
        self.place_in(node, buffer, at, shape)
    }

    /// Where in a tensor's buffer lies what is seen at a place of some shape.
    fn place_in(&mut self, node: NodeId, buffer: gdc_ir::program::BufferId, at: Vec<Int>, seen: &[usize]) -> Vec<Int> {
        let stored = self.storage.batch_first_shape(node, buffer, self.build);
        let mut at = self.rearranged(at, seen, &stored);
        if self.storage.is_stepped(node) {
            return self.storage.stepped_place(node, at);
        }
        if self.storage.batch_is_last(node) && !at.is_empty() {
            at.rotate_left(1);
        }
        at
    }

    /// The place in row-major order of one shape as a place of another.
    pub fn rearranged(&mut self, at: Vec<Int>, from: &[usize], to: &[usize]) -> Vec<Int> {
        if from == to {
            return at;
        }
        let mut out = Vec::new();
        for (from_axes, to_axes) in crate::views::matching(from, to) {
            if let Some(parts) = renamed(&at[from_axes.clone()], &from[from_axes.clone()], &to[to_axes.clone()]) {
                out.extend(parts);
                continue;
            }
            let mut flat = Int::default();
            for k in from_axes {
                flat = flat.scaled(from[k] as i64).plus(&at[k], 1);
            }
            let mut parts = Vec::new();
            for k in to_axes.rev() {
                let n = to[k] as i64;
                let (_, high) = flat.range(self.build);
                if high < n {
                    parts.push(flat);
                    flat = Int::default();
                } else {
                    let divisor = Int::constant(n);
                    parts.push(self.divided(Op::IntMod, &flat, &divisor));
                    flat = self.divided(Op::IntDiv, &flat, &divisor);
                }
            }
            parts.reverse();
            out.extend(parts);
        }
        out
    }

    /// An index list as indices.
    pub fn indices(at: &[Int]) -> Vec<Index> {
        at.iter().map(Int::index).collect()
    }
}

/// A place where two shapes differ by axes of extent 1 alone, so that even one outside, as
/// guarded reads have them, stays what it is.
pub(crate) fn renamed(at: &[Int], from: &[usize], to: &[usize]) -> Option<Vec<Int>> {
    let long = |shape: &[usize]| shape.iter().copied().filter(|&n| n != 1).collect::<Vec<_>>();
    let units_at_zero = at.iter().zip(from).all(|(i, &n)| n != 1 || *i == Int::default());
    if long(from) != long(to) || !units_at_zero {
        return None;
    }
    let mut kept = at.iter().zip(from).filter(|(_, n)| **n != 1).map(|(i, _)| i.clone());
    Some(to.iter().map(|&n| if n == 1 { Int::default() } else { kept.next().unwrap_or_default() }).collect())
}

/// Where an element is.
pub(crate) enum Located {
    /// In a local.
    Known(Value),
    /// In a buffer.
    Stored(gdc_ir::program::BufferId, Vec<Int>),
    /// Nowhere, which cannot be of what a statement reads.
    Nowhere,
}

/// The real and truth-valued parts of an expression, parts first, and how often each is used.
pub(crate) fn evaluation_order(exprs: &gdc_ir::Exprs, root: ExprId) -> (Vec<ExprId>, BTreeMap<ExprId, usize>) {
    let mut order = Vec::new();
    let mut uses = BTreeMap::new();
    exprs.walk(root, &mut |id| {
        if exprs.ty(id) != Ty::Int {
            order.push(id);
            for child in exprs.children(id) {
                *uses.entry(child).or_insert(0) += 1;
            }
        }
    });
    (order, uses)
}

/// An operator on values, where truth values that are known decide.
pub(crate) fn simplified(op: Op, mut args: Vec<Value>) -> Value {
    match (op, args.as_slice()) {
        (Op::Detach, [a]) | (Op::Stated, [a, ..]) => a.clone(),
        (Op::And, [Value::Bool(true), b]) => b.clone(),
        (Op::And, [a, Value::Bool(true)]) => a.clone(),
        (Op::And, [Value::Bool(false), _] | [_, Value::Bool(false)]) => Value::Bool(false),
        (Op::Or, [Value::Bool(false), b]) => b.clone(),
        (Op::Or, [a, Value::Bool(false)]) => a.clone(),
        (Op::Or, [Value::Bool(true), _] | [_, Value::Bool(true)]) => Value::Bool(true),
        (Op::Not, [Value::Bool(b)]) => Value::Bool(!b),
        (Op::Select, [Value::Bool(c), ..]) => args.swap_remove(if *c { 1 } else { 2 }),
        _ => Value::Op(op, args),
    }
}
