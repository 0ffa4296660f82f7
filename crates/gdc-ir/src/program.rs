//! The loop program: what the scheduler decided, ready to be printed as Rust.
//!
//! Buffers have fixed sizes; loops have constant bounds; every statement is scalar or acts on
//! 16 lanes; register tiles are local arrays of lanes. Nothing is left to decide for the
//! code generator except names and syntax.

use crate::expr::Dist;
use crate::graph::{Loc, Precision};
use crate::ops::{Op, Red};
use std::collections::BTreeSet;

/// The number of lanes of a vector statement.
pub const LANES: usize = 16;

/// A buffer of a [`Program`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BufferId(pub u32);

/// A loop variable of a [`Program`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LoopVar(pub u32);

/// A local value or register array of a [`Program`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Local(pub u32);

/// The type of a stored element.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Elem {
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `u32`: labels and other integers from outside, and places that argmax found. Their
    /// language range starts at 0.
    U32,
    /// `i32`: integers whose range has negative values.
    I32,
    /// `u64`: the counter of steps.
    U64,
    /// `bool`
    Bool,
}

/// What a buffer is to the outside, which decides where it lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BufferRole {
    /// Given per sample (in a batched program the first axis is the batch).
    Input,
    /// Given per sample, in training and evaluation.
    Target,
    /// `[batch]`: 1/n or 0.
    SampleWeight,
    /// Completed updates.
    Counter,
    /// A field of the model.
    Param,
    /// A field of the trainer that lives from step to step.
    State,
    /// The derivative of the loss by the parameter of this buffer.
    Gradient(BufferId),
    /// A result of `predict`.
    Output,
    /// A rank-0 result of `evaluate`.
    Metric,
    /// The rank-0 loss of training.
    Loss,
    /// The rank-0 loss as the model predicts, where that is another one: computed by the
    /// routine `metrics`, and what `loss` and `evaluate` report.
    Evaluation,
    /// Computed by one routine and read by that or a later one of the same step.
    Temp,
}

/// A fixed-size tensor in memory, row-major.
#[derive(Clone, PartialEq, Debug)]
pub struct Buffer {
    /// The dotted name of the node, unique in the program.
    pub name: String,
    /// Its extents as stored, outermost first.
    pub shape: Vec<usize>,
    /// Of what.
    pub elem: Elem,
    /// What it is to the outside.
    pub role: BufferRole,
    /// For integers from outside: values lie in `low..high`, checked on entry.
    pub range: Option<(i64, i64)>,
}

/// The axis along which elements of a shape lie side by side: the last one of more than one
/// place, or just the last. None of a number.
pub fn lane_axis(shape: &[usize]) -> Option<usize> {
    shape.iter().rposition(|&n| n != 1).or_else(|| shape.len().checked_sub(1))
}

/// A loop variable's or local's name, for the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameInfo {
    /// A hint; the printer makes it unique and valid.
    pub name: String,
}

/// The type of a local.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LocalTy {
    /// One number of the kernel's real type.
    Real,
    /// 16 of them (f32 only).
    Lanes,
    /// A truth value.
    Bool,
    /// An integer (`usize`).
    Int,
}

/// A local: one value, or an array of registers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalInfo {
    /// A hint.
    pub name: String,
    /// Of each element.
    pub ty: LocalTy,
    /// Empty for one value; `[8, 2]` for a tile of 8 rows of 2 vectors.
    pub dims: Vec<usize>,
}

/// An index into a buffer or a local array.
#[derive(Clone, PartialEq, Debug)]
pub enum Index {
    /// `constant + sum of coefficient * variable`; the scheduler guarantees that it is in
    /// range (or guards it with an [`Stmt::If`] or [`Op::Select`] around the load).
    Affine {
        /// Ascending by variable, no zero coefficient.
        terms: Vec<(LoopVar, i64)>,
        /// The constant part.
        constant: i64,
    },
    /// A computed integer (a label, a token): in range because it was checked on entry.
    Value(Box<Value>),
}

impl Index {
    /// A constant index.
    pub fn constant(constant: i64) -> Self {
        Index::Affine { terms: Vec::new(), constant }
    }

    /// A loop variable.
    pub fn var(var: LoopVar) -> Self {
        Index::Affine { terms: vec![(var, 1)], constant: 0 }
    }
}

/// A value. Scalars of the kernel's real type unless said otherwise; an operator whose
/// arguments include lanes is lane-wise, and then all its real arguments are lanes.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A real constant.
    Real(f64),
    /// A truth value.
    Bool(bool),
    /// An integer from loop variables (or a computed one).
    Int(Index),
    /// A local, or an element of a register array.
    Local(Local, Vec<Index>),
    /// One element.
    Load(BufferId, Vec<Index>),
    /// 16 lanes from consecutive elements along the axis of lanes (see [`lane_axis`]), starting
    /// at the given place; only the first `valid` (1..=16) count, the rest may be anything.
    LoadLanes(BufferId, Vec<Index>, usize),
    /// The same number in all lanes.
    Splat(Box<Value>),
    /// Lanes `i, i+1, ..., i+15` as reals.
    Iota(Index),
    /// An operator. In lanes, comparisons give masks and `Select` takes one.
    Op(Op, Vec<Value>),
    /// `a * b + c`; fused where the instruction set can.
    MulAdd(Box<[Value; 3]>),
    /// Reduces 16 lanes to a scalar (Sum, Prod, Max, Min) by a fixed halving tree.
    Horizontal(Red, Box<Value>),
    /// An f64 scalar as f32.
    Narrow(Box<Value>),
    /// A draw in the initialiser routine; the seed is the routine's argument.
    Random {
        /// Its distribution.
        dist: Dist,
        /// Its site.
        site: u64,
        /// Which element.
        element: Index,
    },
}

/// Where a value goes.
#[derive(Clone, PartialEq, Debug)]
pub enum Place {
    /// A mutable local, or an element of a register array.
    Local(Local, Vec<Index>),
    /// One element of a buffer.
    Element(BufferId, Vec<Index>),
    /// 16 consecutive elements along the last axis, of which the first `valid` are stored.
    Lanes(BufferId, Vec<Index>, usize),
}

/// A statement of a kernel.
#[derive(Clone, PartialEq, Debug)]
pub enum Stmt {
    /// `for var in 0..extent { body }`
    For {
        /// The variable.
        var: LoopVar,
        /// The number of turns.
        extent: usize,
        /// One turn.
        body: Vec<Stmt>,
    },
    /// An immutable local without dims.
    Let {
        /// Which.
        local: Local,
        /// Its value.
        value: Value,
    },
    /// A mutable local or register array, every element set to `init`.
    Var {
        /// Which.
        local: Local,
        /// The initial value of every element.
        init: Value,
    },
    /// `place = value`
    Set {
        /// Where.
        place: Place,
        /// What.
        value: Value,
    },
    /// `place += value`
    Add {
        /// Where.
        place: Place,
        /// What.
        value: Value,
    },
    /// An array of 16 registers of lanes, turned over: lane `j` of register `i` becomes lane `i`
    /// of register `j`.
    Transpose(Local),
    /// `if condition { body }`, for scalars.
    If {
        /// A scalar truth value.
        condition: Value,
        /// If it holds.
        body: Vec<Stmt>,
    },
}

/// A loop nest with what it computes: one block of generated code, or one function.
#[derive(Clone, PartialEq, Debug)]
pub struct Kernel {
    /// From the node it computes (dotted).
    pub name: String,
    /// The equations it computes, one per line, for the comment above it.
    pub equations: Vec<String>,
    /// The `.gd` place they came from.
    pub origin: Option<Loc>,
    /// How it is scheduled and why, in a few words: shown by `--emit program`.
    pub reason: String,
    /// Its number type: f64 for once-per-step scalars, else the model's.
    pub real: Elem,
    /// How threads share it, if they do.
    pub cut: Option<Cut>,
    /// Its statements.
    pub body: Vec<Stmt>,
}

/// A kernel in pieces that threads can share. All pieces together do what the whole kernel did,
/// in the same order for each number that it writes.
#[derive(Clone, PartialEq, Debug)]
pub struct Cut {
    /// How many there are.
    pub pieces: usize,
    /// Which of them it is, in the kernel's statements.
    pub piece: LoopVar,
    /// Buffers of which a piece holds its own rows only, as many as the other pieces: the first
    /// index counts from the first of them. What a piece writes is among these, or its own.
    pub rows: BTreeSet<BufferId>,
    /// Kernels of one stage, which stand side by side in their routine: a piece of one needs
    /// nothing of the others but the same piece.
    pub stage: usize,
}

/// A function of the generated code.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Routine {
    /// `forward`, `metrics`, `backward`, `update`, `predict` or `init`; `sweep` for loss and
    /// gradients at once, where a step needs no `forward`; `forward_total` and so on for what
    /// follows from the sums over all parts of a batch.
    pub name: String,
    /// In order.
    pub kernels: Vec<Kernel>,
    /// Sums over the samples of one part, to be added up over the parts, in their order, before
    /// what follows from them.
    pub partial: Vec<BufferId>,
}

impl Routine {
    /// Whether it runs for each part of a batch. What does not, runs once, on the sums.
    pub fn is_of_a_part(&self) -> bool {
        matches!(self.name.as_str(), "forward" | "metrics" | "backward")
    }
}

/// A set of routines over one set of buffers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Program {
    /// The model's name.
    pub name: String,
    /// The model's number type.
    pub precision: Precision,
    /// Samples per step, or per part of one; `None` where there is no batch axis.
    pub batch: Option<usize>,
    /// Into how many parts of `batch` samples a step is cut, each of which is computed apart, by
    /// whichever thread: 0 where it is not cut.
    pub parts: usize,
    /// All buffers.
    pub buffers: Vec<Buffer>,
    /// Temporaries that lie in the place of another one of their shape, which is no longer needed
    /// when they are first written.
    pub within: std::collections::BTreeMap<BufferId, BufferId>,
    /// Temporaries in which no kernel leaves anything for another one.
    pub scratch: BTreeSet<BufferId>,
    /// Names of loop variables.
    pub loop_vars: Vec<NameInfo>,
    /// Locals.
    pub locals: Vec<LocalInfo>,
    /// In order of a step.
    pub routines: Vec<Routine>,
}

impl Program {
    /// The buffer of an id.
    pub fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0 as usize]
    }

    /// The buffer in whose place a buffer lies: itself, or one that it follows.
    pub fn place(&self, id: BufferId) -> BufferId {
        self.within.get(&id).copied().unwrap_or(id)
    }

    /// The local of an id.
    pub fn local(&self, id: Local) -> &LocalInfo {
        &self.locals[id.0 as usize]
    }

    /// All buffers with their ids.
    pub fn buffers(&self) -> impl Iterator<Item = (BufferId, &Buffer)> {
        self.buffers.iter().enumerate().map(|(i, b)| (BufferId(i as u32), b))
    }

    /// Whether threads share kernels.
    pub fn is_cut(&self) -> bool {
        self.routines.iter().flat_map(|r| &r.kernels).any(|k| k.cut.is_some())
    }

    /// The shape of a buffer as a kernel sees it.
    pub fn shape_in(&self, kernel: &Kernel, id: BufferId) -> Vec<usize> {
        let mut shape = self.buffer(id).shape.clone();
        if let (Some(cut), Some(first)) = (kernel.cut.as_ref().filter(|c| c.rows.contains(&id)), shape.first_mut()) {
            *first /= cut.pieces.max(1);
        }
        shape
    }

    /// Samples per step, in all its parts.
    pub fn samples(&self) -> Option<usize> {
        self.batch.map(|n| n * self.parts.max(1))
    }

    /// The routine of a name.
    pub fn routine(&self, name: &str) -> Option<&Routine> {
        self.routines.iter().find(|r| r.name == name)
    }
}

/// Everything the code generator needs for one model. The three programs name the same
/// parameters by the same dotted names.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Programs {
    /// The model's name.
    pub name: String,
    /// Its doc comment.
    pub docs: Vec<String>,
    /// `init`: initial values of parameters and states.
    pub init: Program,
    /// `forward` (loss), `metrics`, `backward`, `update`; batched.
    pub train: Program,
    /// `predict` of one sample, without a batch axis; its temporaries are on the stack.
    pub predict: Program,
    /// Further entry points by name, each a program like `predict`.
    pub entries: Vec<(String, Program)>,
    /// The outputs one time at a time, if that is asked for.
    pub stream: Option<Stream>,
    /// Metrics of the samples of several batches that are no means.
    pub totals: Totals,
    /// `train { ... }`.
    pub settings: crate::graph::Settings,
    /// Why training runs on one thread although `train { ... }` speaks of threads.
    pub one_thread: Option<String>,
}

/// Metrics that are functions of sums over the samples.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Totals {
    /// The sums, one number each: buffers of the training program, by name, that are filled with
    /// the metrics and are none of them.
    pub sums: Vec<String>,
    /// By a metric's name: which sums, and the function of them, each input a number.
    pub metrics: Vec<(String, Vec<usize>, Program)>,
}

/// A model one time at a time: what it carries from one time to the next are the states of these
/// programs that `start` gives values to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Stream {
    /// `init`: what is carried before the first time. Reads parameters and nothing else.
    pub start: Program,
    /// `step`: the outputs at one time, from the inputs at that time and what is carried, which
    /// it replaces by what the next time needs.
    pub step: Program,
}

impl Stream {
    /// What is carried: buffers of `step`, in order.
    pub fn carried(&self) -> impl Iterator<Item = (BufferId, &Buffer)> {
        let starts = |b: &Buffer| self.start.buffers.iter().any(|s| s.role == BufferRole::State && s.name == b.name);
        self.step.buffers().filter(move |(_, b)| b.role == BufferRole::State && starts(b))
    }
}

impl Programs {
    /// Every program with a title: that of an entry point is its name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Program)> {
        let own = [("init", &self.init), ("train", &self.train), ("predict", &self.predict)];
        own.into_iter().chain(self.entries.iter().map(|(name, program)| (name.as_str(), program)))
    }

    /// What computes one sample: `predict`, then the entry points.
    pub fn predictions(&self) -> impl Iterator<Item = &Program> {
        std::iter::once(&self.predict).chain(self.entries.iter().map(|(_, program)| program))
    }
}
