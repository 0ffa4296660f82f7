//! Statements as written.

use super::*;

/// Statements, and perhaps a value: a last expression without `;`.
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// In order.
    pub statements: Vec<Stmt>,
    /// What the block is worth.
    pub value: Option<Box<Expr>>,
    /// With its braces; for `= e;` the span of `e`.
    pub span: Span,
}

/// One statement.
#[derive(Clone, PartialEq, Debug)]
pub struct Stmt {
    /// Its `///` lines.
    pub docs: Vec<String>,
    /// Which.
    pub kind: StmtKind,
    /// From its keyword to its `;` or `}`.
    pub span: Span,
}

/// What a declaration declares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Given per sample.
    Input,
    /// Given per sample in training only.
    Target,
    /// Learnt.
    Param,
    /// Kept from step to step.
    State,
}

/// The kinds of statements.
#[derive(Clone, PartialEq, Debug)]
pub enum StmtKind {
    /// `input x: [2];`, `target y: in 0..10;`, `param w: [n] = zeros;`, `state m = 0;`
    Declare {
        /// Which of the four.
        role: Role,
        /// Its name.
        name: Name,
        /// Its type.
        ty: Option<Type>,
        /// Its initial value.
        init: Option<Expr>,
    },
    /// `layer enc = encoder(32);`
    UseLayer {
        /// The shared layer's name.
        name: Name,
        /// The layer, with its arguments.
        value: Expr,
    },
    /// `const k = 2 * n;`
    Const {
        /// What is bound.
        pattern: Pattern,
        /// Its value.
        value: Expr,
    },
    /// `let y[i, j]: [n, m] = e;`, or `+=` for the scatter form.
    Let {
        /// What is bound.
        pattern: Pattern,
        /// `Some` in index notation; in the scatter form these are computed places.
        indices: Option<Vec<IndexBinder>>,
        /// A stated type.
        ty: Option<Type>,
        /// `+=`
        accumulate: bool,
        /// The right side.
        value: Expr,
    },
    /// `loss e;` or `loss name = e;`
    Loss {
        /// Its name, where several are told apart.
        name: Option<Name>,
        /// Its value.
        value: Expr,
    },
    /// `output p = e;`
    Output {
        /// Its name.
        name: Name,
        /// Its value.
        value: Expr,
    },
    /// `metric accuracy = e;`
    Metric {
        /// Its name.
        name: Name,
        /// Its value.
        value: Expr,
    },
    /// `optimizer adam(lr = 1e-3) with clip(1.0) for *.bias;`
    Optimizer {
        /// The optimizer's call.
        value: Expr,
        /// Its transforms, in order.
        with: Vec<Expr>,
        /// The parameters it updates; all where empty.
        selectors: Vec<Selector>,
    },
    /// `transform clip_global_norm(1.0);`
    Transform {
        /// The transform's call.
        value: Expr,
    },
    /// `freeze base, *.bias;`
    Freeze {
        /// The parameters that stay.
        selectors: Vec<Selector>,
    },
    /// `train { batch = 32; }`
    Train {
        /// In order.
        settings: Vec<Setting>,
    },
    /// `assert params < 10_000;`, `assert workspace < 8 KiB;`
    Assert {
        /// What must hold.
        value: Expr,
        /// The unit of the number at its end: `KiB`.
        unit: Option<Name>,
    },
    /// `stream t;`
    Stream {
        /// The axis.
        value: Expr,
    },
    /// `precision f64;`
    Precision {
        /// `f32` or `f64`.
        value: Name,
    },
    /// `entry generate(z: [8]) -> [784] = e;`
    Entry(Function),
    /// `after { ... }`
    After {
        /// What runs after the update.
        body: Block,
    },
    /// `derivative(dy) = e;`
    Derivative {
        /// The names of the cotangents.
        params: Vec<Name>,
        /// The derivative with respect to each argument.
        value: Expr,
    },
    /// `yield e;`
    Yield {
        /// What this step adds.
        value: Expr,
    },
    /// `for i in 0..4 { ... }`
    For {
        /// The turn's number.
        pattern: Pattern,
        /// What is walked.
        over: Expr,
        /// Once per turn.
        body: Block,
    },
    /// `name <- e;`
    Update {
        /// What gets a next value.
        name: Name,
        /// That value.
        value: Expr,
    },
    /// An expression for its effect: an `if` or block that holds updates.
    Expr(Expr),
}

impl StmtKind {
    /// Whether such a statement stands only in a model.
    pub fn is_of_a_model(&self) -> bool {
        match self {
            Self::Declare { role, .. } => matches!(role, Role::Input | Role::Target),
            Self::Loss { .. }
            | Self::Output { .. }
            | Self::Metric { .. }
            | Self::Optimizer { .. }
            | Self::Transform { .. }
            | Self::Freeze { .. }
            | Self::Train { .. }
            | Self::Stream { .. }
            | Self::Precision { .. }
            | Self::Entry(_) => true,
            Self::Let { .. }
            | Self::Const { .. }
            | Self::Update { .. }
            | Self::Expr(_)
            | Self::For { .. }
            | Self::UseLayer { .. }
            | Self::Yield { .. }
            | Self::After { .. }
            | Self::Assert { .. }
            | Self::Derivative { .. } => false,
        }
    }
}

/// One index on the left of a `let`.
#[derive(Clone, PartialEq, Debug)]
pub enum IndexBinder {
    /// `j` or `j in 0..n`
    Bind(Binder),
    /// A computed place of the scatter form, `p*s + i`.
    Place(Expr),
    /// `...`: all remaining axes.
    Rest(Span),
}

/// An index with its range.
#[derive(Clone, PartialEq, Debug)]
pub struct Binder {
    /// Its name.
    pub name: Name,
    /// `in a..b`; from a bare read where absent.
    pub range: Option<Expr>,
}

/// A path of names in which `*` stands for any part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selector {
    /// The parts between dots; `*` is the text `*`.
    pub parts: Vec<Name>,
    /// The whole path.
    pub span: Span,
}

/// `name = e;` in `train { ... }`.
#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    /// Its name.
    pub name: Name,
    /// Its value.
    pub value: Expr,
}
