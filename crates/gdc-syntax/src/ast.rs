//! The syntax tree: what was written, faithfully, every node with its byte span.
//!
//! Parentheses around one expression leave no node of their own. Names keep their
//! spelling in NFC. Nothing here knows what a name means.

use crate::source::Span;

/// An identifier as written (NFC).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// The spelling.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// One source text.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct File {
    /// In source order.
    pub items: Vec<Item>,
}

/// A top-level definition.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// Lines of `///` comments, without the slashes and one leading blank.
    pub docs: Vec<String>,
    /// Which definition.
    pub kind: ItemKind,
    /// From its keyword to its end.
    pub span: Span,
}

/// The kinds of top-level definitions.
#[derive(Clone, PartialEq, Debug)]
pub enum ItemKind {
    /// `import "path.gd";`
    Import {
        /// The text between the quotes.
        path: String,
        /// Of the string.
        span: Span,
    },
    /// `model Name { ... }`
    Model(Model),
    /// `layer name(x: [n], units: int) -> [units] { ... }`
    Layer(Function),
    /// `fn name(z) = e;` or `fn name(z) { ... }`
    Fn(Function),
    /// `optimizer name(lr = 0.1) for w, g { ... }`
    Optimizer(Optimizer),
    /// `transform name(limit) for w, g { ... }`
    Transform(Optimizer),
    /// `const name = e;`
    Const {
        /// One name, or several for a tuple.
        pattern: Pattern,
        /// Its value.
        value: Expr,
    },
}

impl ItemKind {
    /// The names that the item defines: several for `const (a, b) = ...;`.
    pub fn names(&self) -> &[Name] {
        match self {
            ItemKind::Const { pattern, .. } => pattern.names(),
            other => other.name().map(std::slice::from_ref).unwrap_or_default(),
        }
    }

    /// The name that the item defines, if it defines one.
    pub fn name(&self) -> Option<&Name> {
        match self {
            ItemKind::Import { .. } => None,
            ItemKind::Model(m) => Some(&m.name),
            ItemKind::Layer(f) | ItemKind::Fn(f) => Some(&f.name),
            ItemKind::Optimizer(o) | ItemKind::Transform(o) => Some(&o.name),
            ItemKind::Const { pattern: Pattern::Name(n), .. } => Some(n),
            ItemKind::Const { .. } => None,
        }
    }
}

/// A network.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    /// Its name, which becomes the name of the Rust struct.
    pub name: Name,
    /// Compile-time parameters; mostly empty.
    pub params: Vec<Param>,
    /// Its statements; a model's block has no value.
    pub body: Block,
}

/// A layer or a function.
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub params: Vec<Param>,
    /// The shape it says it returns.
    pub result: Option<Type>,
    /// `= e;` is a block with only a value.
    pub body: Block,
}

/// An optimizer or a transform of gradients.
#[derive(Clone, PartialEq, Debug)]
pub struct Optimizer {
    /// Its name.
    pub name: Name,
    /// Its hyper-parameters.
    pub params: Vec<Param>,
    /// The name that stands for a parameter.
    pub weight: Name,
    /// `[...]` or `[n, k]`: binds the whole tensor rather than one element.
    pub weight_type: Option<Type>,
    /// The name that stands for its gradient.
    pub gradient: Name,
    /// Its statements.
    pub body: Block,
}

/// One parameter of a function, layer, optimizer or model.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    /// Its name; a tuple where it is written as one.
    pub pattern: Pattern,
    /// What it takes; `None` is one number.
    pub kind: Option<ParamKind>,
    /// Its default.
    pub default: Option<Expr>,
    /// The whole parameter.
    pub span: Span,
}

/// What a parameter takes.
#[derive(Clone, PartialEq, Debug)]
pub enum ParamKind {
    /// `int`: an integer known at compile time.
    Int(Span),
    /// `bool`: a truth value known at compile time.
    Bool(Span),
    /// `layer`: a layer, perhaps with some of its arguments.
    Layer(Span),
    /// `fn`: a function.
    Fn(Span),
    /// `(kh, kw)`: a tuple of integers; one integer stands for all.
    Tuple(Vec<Name>, Span),
    /// A tensor or an integer range.
    Type(Type),
}

/// The type of a value.
#[derive(Clone, PartialEq, Debug)]
pub struct Type {
    /// Which.
    pub kind: TypeKind,
    /// Where.
    pub span: Span,
}

/// The kinds of types.
#[derive(Clone, PartialEq, Debug)]
pub enum TypeKind {
    /// `[n, 4*k]`, `[...]`, `[]`, with `in a..b` for integers; `in a..b` alone has no `shape`.
    Tensor {
        /// The axes; `None` where only a range is written.
        shape: Option<Vec<Dim>>,
        /// The range of an integer tensor, an expression of kind [`ExprKind::Range`].
        range: Option<Box<Expr>>,
    },
    /// `([n], [n])`
    Tuple(Vec<Type>),
}

/// One axis of a type.
#[derive(Clone, PartialEq, Debug)]
pub enum Dim {
    /// `...`: any number of axes.
    Rest(Span),
    /// A size; a bare name in a parameter's type binds it.
    Size(Expr),
}

/// What a `let` or `const` binds.
#[derive(Clone, PartialEq, Debug)]
pub enum Pattern {
    /// One name.
    Name(Name),
    /// `(a, b)`
    Tuple(Vec<Name>, Span),
}

impl Pattern {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Pattern::Name(n) => n.span,
            Pattern::Tuple(_, s) => *s,
        }
    }

    /// The names that it binds.
    pub fn names(&self) -> &[Name] {
        match self {
            Pattern::Name(n) => std::slice::from_ref(n),
            Pattern::Tuple(names, _) => names,
        }
    }
}

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

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// Which.
    pub kind: ExprKind,
    /// Where; for one in parentheses, with them.
    pub span: Span,
}

/// Prefix operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnaryOp {
    /// `-a`
    Neg,
    /// `!a`
    Not,
}

/// Infix operators, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BinaryOp {
    /// `a || b`
    Or,
    /// `a && b`
    And,
    /// `a == b`
    Eq,
    /// `a != b`
    Ne,
    /// `a < b`
    Lt,
    /// `a <= b`
    Le,
    /// `a > b`
    Gt,
    /// `a >= b`
    Ge,
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`
    Div,
    /// `a % b`
    Rem,
    /// `a @ b`
    MatMul,
    /// `a ^ b`, to the right
    Pow,
}

/// The reductions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // each is its own name
pub enum ReduceOp {
    Sum,
    Mean,
    Prod,
    Max,
    Min,
    Argmax,
    Argmin,
    Any,
    All,
    /// log-sum-exp
    Lse,
}

/// The kinds of expressions.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// `1`, `2.5`, `1e-3`, `4_000`
    Number {
        /// Its value.
        value: f64,
        /// Written without point and exponent.
        integer: bool,
    },
    /// `true`, `false`
    Bool(bool),
    /// `"text"`
    Str(String),
    /// `x`
    Name(Name),
    /// `[1.0, 2.0]`
    List(Vec<Expr>),
    /// `(a, b)`; also `()`.
    Tuple(Vec<Expr>),
    /// `{ let a = ...; a }`
    Block(Block),
    /// `-a`
    Unary {
        /// Which.
        op: UnaryOp,
        /// Of what.
        operand: Box<Expr>,
    },
    /// `a + b`
    Binary {
        /// Which.
        op: BinaryOp,
        /// Where the operator stands.
        op_span: Span,
        /// Left side.
        left: Box<Expr>,
        /// Right side.
        right: Box<Expr>,
    },
    /// `a..b`, `a..`, `..b`, `..`, `a..=b`
    Range {
        /// First.
        start: Option<Box<Expr>>,
        /// Last, or one past it.
        end: Option<Box<Expr>>,
        /// `..=`
        inclusive: bool,
    },
    /// `x |> call`
    Pipe {
        /// What becomes the first argument.
        value: Box<Expr>,
        /// A call, a name, or either with `as label`.
        call: Box<Expr>,
    },
    /// `if c { a } else { b }`
    If {
        /// The condition.
        condition: Box<Expr>,
        /// If it holds.
        then: Block,
        /// If not; `else if` is a block with only a value.
        otherwise: Option<Block>,
    },
    /// `sum[i in 0..n](e if c)`
    Reduce {
        /// Which.
        op: ReduceOp,
        /// The reduced indices.
        binders: Vec<Binder>,
        /// What is reduced.
        body: Box<Expr>,
        /// Only where this holds.
        condition: Option<Box<Expr>>,
    },
    /// `scan (h = h0) over xt in x { ... }`
    Scan {
        /// What is carried, with its initial value.
        carries: Vec<(Name, Expr)>,
        /// The step's binders.
        over: Vec<Binder>,
        /// One step.
        body: Block,
    },
    /// `f(a, name = b)`
    Call {
        /// What is called.
        callee: Box<Expr>,
        /// In order.
        args: Vec<Arg>,
    },
    /// `x[i, 1..3, ..] else 0`
    Index {
        /// What is read.
        base: Box<Expr>,
        /// The places.
        at: Vec<Place>,
        /// The value outside.
        otherwise: Option<Box<Expr>>,
    },
    /// `a.b` or `a.0`
    Field {
        /// Of what.
        base: Box<Expr>,
        /// The name, or a tuple's position as text.
        name: Name,
    },
    /// `dense(120) as c5`
    As {
        /// The call.
        base: Box<Expr>,
        /// Its label.
        label: Name,
    },
}

/// One argument of a call.
#[derive(Clone, PartialEq, Debug)]
pub struct Arg {
    /// `name =`
    pub name: Option<Name>,
    /// Its value.
    pub value: Expr,
}

/// One place of a read.
#[derive(Clone, PartialEq, Debug)]
pub enum Place {
    /// An index, or a slice where the expression is a [`ExprKind::Range`].
    At(Expr),
    /// `...`
    Rest(Span),
}
