//! Counts that the generated documentation and constants state.

use crate::layout::{Layout, Spot};
use crate::types::{buffer_bytes, count};
use gdc_ir::ops::{Op, Signature};
use gdc_ir::program::{BufferRole, Kernel, LANES, LocalTy, Place, Program, Programs, Stmt, Value};

/// The number of learnt numbers.
pub fn parameters(programs: &Programs) -> usize {
    let mut seen = std::collections::BTreeSet::new();
    programs
        .all()
        .flat_map(|(_, p)| &p.buffers)
        .filter(|b| b.role == BufferRole::Param && seen.insert(b.name.as_str()))
        .map(|b| count(&b.shape))
        .fold(0, usize::saturating_add)
}

/// Bytes that training needs besides the model: gradients, the optimizer's state, what a step
/// computes, and room for a batch.
pub fn workspace_bytes(programs: &Programs) -> usize {
    let layout = Layout::new(programs);
    let kept = |b: &gdc_ir::program::Buffer| layout.model_field(&b.name).is_some();
    programs
        .train
        .buffers()
        .filter(|(id, _)| programs.train.place(*id) == *id)
        .filter(|(id, b)| match b.role {
            BufferRole::Param | BufferRole::Counter => false,
            BufferRole::State => !kept(b),
            BufferRole::Input
            | BufferRole::Target
            | BufferRole::SampleWeight
            | BufferRole::Gradient(_)
            | BufferRole::Output
            | BufferRole::Metric
            | BufferRole::Evaluation
            | BufferRole::Loss
            | BufferRole::Temp => !layout.owned.contains(id),
        })
        .map(|(id, b)| {
            let of_part = matches!(layout.train.get(&id), Some(Spot::Part(_) | Spot::Gradient(_) | Spot::Given(_)));
            let times = if of_part { programs.train.parts.max(1) } else { 1 };
            buffer_bytes(b).saturating_mul(times)
        })
        .fold(0, usize::saturating_add)
}

/// Arithmetic operations on reals in one full step, a multiplication with an addition counted
/// as two and a function as one.
pub fn operations_per_step(programs: &Programs) -> u64 {
    program_operations(&programs.train, &|name| !name.starts_with("metrics"))
}

/// The same of `predict`.
pub fn operations_of_predict(programs: &Programs) -> u64 {
    program_operations(&programs.predict, &|_| true)
}

fn program_operations(program: &Program, counts: &dyn Fn(&str) -> bool) -> u64 {
    program
        .routines
        .iter()
        .filter(|r| counts(&r.name))
        .map(|r| {
            let times = if r.is_of_a_part() { program.parts.max(1) as u64 } else { 1 };
            let pieces = |k: &Kernel| k.cut.as_ref().map_or(1, |c| c.pieces as u64);
            let kernel = |k: &Kernel| stmts(program, &k.body).saturating_mul(pieces(k));
            r.kernels.iter().map(kernel).fold(0, u64::saturating_add).saturating_mul(times)
        })
        .fold(0, u64::saturating_add)
}

fn stmts(program: &Program, body: &[Stmt]) -> u64 {
    body.iter()
        .map(|stmt| match stmt {
            Stmt::For { extent, body, .. } => stmts(program, body).saturating_mul(*extent as u64),
            Stmt::Let { value, .. } | Stmt::Var { init: value, .. } | Stmt::Set { value, .. } => {
                value_cost(program, value).0
            }
            Stmt::Add { place, value } => {
                let lanes = match place {
                    Place::Lanes(_, _, valid) => *valid as u64,
                    Place::Local(local, _) if program.local(*local).ty == LocalTy::Lanes => LANES as u64,
                    Place::Local(..) | Place::Element(..) => 1,
                };
                value_cost(program, value).0.saturating_add(lanes)
            }
            Stmt::Transpose(_) => 0,
            Stmt::If { condition, body } => value_cost(program, condition).0.saturating_add(stmts(program, body)),
        })
        .fold(0, u64::saturating_add)
}

/// Operations in a value, and how many lanes it has.
fn value_cost(program: &Program, value: &Value) -> (u64, u64) {
    let many = |values: &[Value], own: u64| {
        values
            .iter()
            .map(|v| value_cost(program, v))
            .fold((0, 1), |(cost, lanes), (c, l)| (cost + c, lanes.max(l)))
            .with(own)
    };
    match value {
        Value::Real(_) | Value::Bool(_) | Value::Int(_) | Value::Load(..) => (0, 1),
        Value::Local(local, _) => (0, if program.local(*local).ty == LocalTy::Lanes { LANES as u64 } else { 1 }),
        Value::LoadLanes(_, _, valid) => (0, *valid as u64),
        Value::Splat(inner) => (value_cost(program, inner).0, 1),
        Value::Iota(_) => (0, LANES as u64),
        Value::Op(op, args) => many(args, counted(*op)),
        Value::MulAdd(parts) => many(parts.as_slice(), 2),
        Value::Horizontal(_, inner) => (value_cost(program, inner).0 + LANES as u64 - 1, 1),
        Value::Narrow(inner) => value_cost(program, inner),
        Value::Random { .. } => (1, 1),
    }
}

/// How many operations an operator counts for.
fn counted(op: Op) -> u64 {
    match op.facts().signature {
        Signature::Real | Signature::Number | Signature::Choice => u64::from(!matches!(op, Op::Detach | Op::Stated)),
        Signature::Compare | Signature::Logic | Signature::Convert | Signature::Int => 0,
    }
}

/// Adds an operator's own cost, once per lane.
trait With {
    fn with(self, own: u64) -> (u64, u64);
}

impl With for (u64, u64) {
    fn with(self, own: u64) -> (u64, u64) {
        (self.0.saturating_add(own.saturating_mul(self.1)), self.1)
    }
}
