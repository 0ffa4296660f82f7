//! Expressions of the graph as values of 16 lanes.
//!
//! What does not depend on the lane is computed as a scalar and given to all lanes. Where
//! lanes cannot be formed (a gather by lane, a draw), the answer is `None`, and the caller
//! falls back on scalars.

use crate::emit::{Emit, Env, Located, evaluation_order, simplified};
use crate::int::Int;
use gdc_ir::program::{Elem, Index, LocalTy, LoopVar, Value, lane_axis};
use gdc_ir::{Expr, ExprId, NodeId, NodeKind, Op, Ty};
use std::collections::BTreeMap;

/// Integers up to here are exact in `f32`.
const EXACT: i64 = 1 << 24;

/// A part of an expression.
#[derive(Clone)]
enum Part {
    /// The same in all lanes: a scalar.
    Uniform(Value),
    /// Real numbers.
    Lanes(Value),
    /// Truth values.
    Mask(Value),
}

impl Emit<'_> {
    /// Writes what `body` writes, or nothing if it gives up.
    pub fn attempt<T>(&mut self, body: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let (written, values, point, lane) = (self.out.len(), self.values.clone(), self.point.clone(), self.lane);
        let (locals, packed) = (self.build.program.locals.len(), self.packed.len());
        let (buffers, turns) = (self.build.program.buffers.len(), self.turns);
        let (inputs, known, batch) = (self.build.packed.len(), self.known.clone(), self.batch.clone());
        let result = body(self);
        if result.is_none() {
            self.out.truncate(written);
            self.build.program.locals.truncate(locals);
            (self.values, self.point, self.lane) = (values, point, lane);
            self.packed.truncate(packed);
            self.build.program.buffers.truncate(buffers);
            self.build.program.scratch.retain(|b| (b.0 as usize) < buffers);
            self.build.packed.truncate(inputs);
            (self.turns, self.known, self.batch) = (turns, known, batch);
        }
        result
    }

    /// Whether an integer depends on the lane.
    pub fn varies(&self, int: &Int) -> bool {
        let Some(lane) = self.lane else { return false };
        int.coefficient(lane.var) != 0 || int.atoms.iter().any(|(a, _)| mentions(&a.value, lane.var))
    }

    /// An expression in lanes.
    pub fn vector(&mut self, root: ExprId, env: &Env) -> Option<Value> {
        let part = self.vector_part(root, env)?;
        lanes(part)
    }

    fn vector_part(&mut self, root: ExprId, env: &Env) -> Option<Part> {
        let plan = self.plan;
        let exprs = &plan.graph.exprs;
        let varying = self.varying(root, env);
        if !varying.get(&root).copied().unwrap_or(false) {
            return Some(Part::Uniform(self.scalar(root, env)));
        }
        let (order, uses) = evaluation_order(exprs, root);
        let mut done: BTreeMap<ExprId, Part> = BTreeMap::new();
        for id in order {
            if !varying.get(&id).copied().unwrap_or(false) {
                continue;
            }
            for child in exprs.children(id) {
                let uniform = !varying.get(&child).copied().unwrap_or(false);
                if uniform && exprs.ty(child) != Ty::Int && !done.contains_key(&child) {
                    let value = self.scalar(child, env);
                    done.insert(child, Part::Uniform(value));
                }
            }
            let mut part = self.varying_part(id, env, &done)?;
            if let Part::Lanes(value) = &part
                && id != root
                && uses.get(&id).is_some_and(|n| *n > 1)
            {
                part = Part::Lanes(self.bind("t", LocalTy::Lanes, value.clone()));
            }
            done.insert(id, part);
        }
        done.remove(&root)
    }

    /// Which parts of an expression depend on the lane.
    fn varying(&self, root: ExprId, env: &Env) -> BTreeMap<ExprId, bool> {
        let exprs = &self.plan.graph.exprs;
        let mut varying: BTreeMap<ExprId, bool> = BTreeMap::new();
        exprs.walk(root, &mut |id| {
            let own = match exprs.get(id) {
                Expr::Int(a) => a.terms.iter().any(|(v, _)| env.get(v).is_some_and(|i| self.varies(i))),
                _ => false,
            };
            let children = exprs.children(id);
            varying.insert(id, own || children.iter().any(|c| varying.get(c).copied().unwrap_or(false)));
        });
        varying
    }

    /// One part that depends on the lane, given its parts.
    fn varying_part(&mut self, id: ExprId, env: &Env, done: &BTreeMap<ExprId, Part>) -> Option<Part> {
        let plan = self.plan;
        let exprs = &plan.graph.exprs;
        match exprs.get(id) {
            Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) | Expr::Random { .. } => None,
            Expr::Read { node, at, otherwise } => {
                let at: Vec<Int> = at.iter().map(|&e| self.int(e, env)).collect();
                let Some(o) = otherwise else { return self.element_part(*node, at) };
                match self.inside(*node, &at) {
                    Value::Bool(true) => self.element_part(*node, at),
                    Value::Bool(false) => exprs.as_real(*o).map(|fill| Part::Uniform(Value::Real(fill))),
                    _ => {
                        let fill = exprs.as_real(*o)?;
                        self.padded_lanes(*node, &at, fill).map(Part::Lanes)
                    }
                }
            }
            Expr::Op(op, args) if args.iter().any(|&a| exprs.ty(a) == Ty::Int) => {
                if exprs.ty(id) == Ty::Int {
                    return None;
                }
                let ints: Vec<Int> = args.iter().map(|&a| self.int(a, env)).collect();
                if let ([a, b], Op::Eq | Op::Ne | Op::Lt | Op::Le) = (ints.as_slice(), op)
                    && let known @ Value::Bool(_) = a.compare(*op, b, self.build)
                {
                    return Some(Part::Uniform(known));
                }
                let mut parts = Vec::new();
                for int in &ints {
                    parts.push(self.int_lanes(int)?);
                }
                match op {
                    Op::ToReal => parts.pop().map(Part::Lanes),
                    _ => Some(Part::Mask(Value::Op(*op, parts))),
                }
            }
            Expr::Op(op, args) => {
                let parts = args.iter().map(|a| done.get(a).cloned()).collect::<Option<Vec<Part>>>()?;
                operator(*op, parts, exprs.ty(id))
            }
        }
    }

    /// An integer as real lanes.
    fn int_lanes(&mut self, int: &Int) -> Option<Value> {
        let lane = self.lane?;
        let (low, high) = int.range(self.build);
        if low < -EXACT || high > EXACT {
            return None;
        }
        let rest = int.without(lane.var);
        if self.varies(&rest) {
            return None;
        }
        let splat = |v: Value| Value::Splat(Box::new(v));
        match int.coefficient(lane.var) {
            0 => Some(splat(rest.real(self.build))),
            1 if rest.atoms.is_empty() && rest.range(self.build).0 >= 0 => Some(Value::Iota(rest.index())),
            c => {
                let lanes = Value::Iota(Index::constant(0));
                let scaled = Value::Op(Op::Mul, vec![lanes, splat(Value::Real(c as f64))]);
                Some(Value::Op(Op::Add, vec![scaled, splat(rest.real(self.build))]))
            }
        }
    }

    /// The elements of a tensor at places inside.
    fn element_part(&mut self, node: NodeId, at: Vec<Int>) -> Option<Part> {
        let plan = self.plan;
        if at == self.point
            && let Some(value) = self.values.get(&node)
        {
            return Some(Part::Lanes(value.clone()));
        }
        if plan.inlined.contains(&node)
            && let NodeKind::Compute { axes, body, .. } = &plan.graph.node(node).kind
        {
            let env: Env = axes.iter().copied().zip(at).collect();
            return self.vector_part(*body, &env);
        }
        match self.located(node, at) {
            Located::Known(value) => Some(Part::Lanes(value)),
            Located::Stored(buffer, at) => self.load_lanes(buffer, at).map(Part::Lanes),
            Located::Nowhere => None,
        }
    }

    /// Lanes from a buffer: along its last axis, or from a transposed copy.
    pub fn load_lanes(&mut self, buffer: gdc_ir::program::BufferId, at: Vec<Int>) -> Option<Value> {
        let lane = self.lane?;
        if self.build.program.buffer(buffer).elem != Elem::F32 {
            return None;
        }
        let along: Vec<usize> = (0..at.len()).filter(|&k| self.varies(&at[k])).collect();
        let &[axis] = along.as_slice() else { return None };
        let last = lane_axis(&self.build.program.buffer(buffer).shape);
        if at[axis].coefficient(lane.var) != 1 || self.varies(&at[axis].without(lane.var)) {
            return None;
        }
        if Some(axis) != last {
            let (buffer, at) = self.transposed(buffer, at, axis)?;
            return self.load_lanes(buffer, at);
        }
        self.contiguous(buffer, at)
    }

    /// Lanes along the axis of a buffer whose elements lie side by side.
    pub fn contiguous(&self, buffer: gdc_ir::program::BufferId, at: Vec<Int>) -> Option<Value> {
        let lane = self.lane?;
        let axis = lane_axis(&self.build.program.buffer(buffer).shape)?;
        let along = at.get(axis)?;
        let fits = self.build.program.buffer(buffer).elem == Elem::F32
            && along.coefficient(lane.var) == 1
            && along.atoms.is_empty()
            && !at.iter().enumerate().any(|(k, i)| k != axis && self.varies(i));
        let at: Vec<Index> = at.iter().map(|i| i.without(lane.var).index()).collect();
        fits.then_some(Value::LoadLanes(buffer, at, lane.valid))
    }
}

/// An operator on parts of which one depends on the lane.
fn operator(op: Op, mut parts: Vec<Part>, ty: Ty) -> Option<Part> {
    if op == Op::Detach || op == Op::Stated {
        return parts.into_iter().next();
    }
    if op == Op::ToReal {
        let mask = mask(parts.pop()?)?;
        let number = |x: f64| Value::Splat(Box::new(Value::Real(x)));
        return Some(Part::Lanes(Value::Op(Op::Select, vec![mask, number(1.0), number(0.0)])));
    }
    if let Some(part) = decided(op, &parts) {
        return Some(part);
    }
    let mut args = Vec::new();
    for (k, part) in parts.into_iter().enumerate() {
        let condition = op == Op::Select && k == 0;
        let logical = matches!(op, Op::And | Op::Or | Op::Not);
        if condition || logical || matches!(part, Part::Mask(_)) {
            args.push(mask(part)?);
        } else {
            args.push(lanes(part)?);
        }
    }
    match ty {
        Ty::Real => Some(Part::Lanes(simplified(op, args))),
        Ty::Bool if op != Op::Select => Some(Part::Mask(simplified(op, args))),
        Ty::Bool | Ty::Int => None,
    }
}

/// What an operator gives where a truth value or a zero among its arguments decides it.
fn decided(op: Op, parts: &[Part]) -> Option<Part> {
    let truth = |part: &Part| match part {
        Part::Uniform(Value::Bool(b)) => Some(*b),
        _ => None,
    };
    let zero = |part: &Part| matches!(part, Part::Uniform(Value::Real(x)) if *x == 0.0);
    match (op, parts) {
        (Op::Select, [c, a, b]) => truth(c).map(|c| if c { a.clone() } else { b.clone() }),
        (Op::Not, [a]) => truth(a).map(|a| Part::Uniform(Value::Bool(!a))),
        (Op::And | Op::Or, [a, b]) => {
            let (known, other) = match (truth(a), truth(b)) {
                (Some(known), _) => (known, b),
                (_, Some(known)) => (known, a),
                _ => return None,
            };
            Some(if known == (op == Op::And) { other.clone() } else { Part::Uniform(Value::Bool(known)) })
        }
        // What was read as zero outside is a factor that stands for a test.
        (Op::Mul, [a, b]) if zero(a) || zero(b) => Some(Part::Uniform(Value::Real(0.0))),
        (Op::Add, [a, b]) if zero(a) => Some(b.clone()),
        (Op::Add | Op::Sub, [a, b]) if zero(b) => Some(a.clone()),
        _ => None,
    }
}

fn lanes(part: Part) -> Option<Value> {
    match part {
        Part::Uniform(v) => Some(Value::Splat(Box::new(v))),
        Part::Lanes(v) => Some(v),
        Part::Mask(_) => None,
    }
}

/// A mask; from a scalar truth value by comparing numbers.
fn mask(part: Part) -> Option<Value> {
    match part {
        Part::Mask(v) => Some(v),
        Part::Lanes(_) => None,
        Part::Uniform(v) => {
            let number = Value::Op(Op::Select, vec![v, Value::Real(1.0), Value::Real(0.0)]);
            let splat = |v: Value| Value::Splat(Box::new(v));
            Some(Value::Op(Op::Lt, vec![splat(Value::Real(0.0)), splat(number)]))
        }
    }
}

/// Whether a value contains a loop variable.
pub(crate) fn mentions(value: &Value, var: LoopVar) -> bool {
    let index = |i: &Index| match i {
        Index::Affine { terms, .. } => terms.iter().any(|(v, _)| *v == var),
        Index::Value(v) => mentions(v, var),
    };
    match value {
        Value::Real(_) | Value::Bool(_) => false,
        Value::Int(i) | Value::Iota(i) | Value::Random { element: i, .. } => index(i),
        Value::Local(_, at) | Value::Load(_, at) | Value::LoadLanes(_, at, _) => at.iter().any(index),
        Value::Splat(v) | Value::Horizontal(_, v) | Value::Narrow(v) => mentions(v, var),
        Value::Op(_, args) => args.iter().any(|a| mentions(a, var)),
        Value::MulAdd(parts) => parts.iter().any(|p| mentions(p, var)),
    }
}
