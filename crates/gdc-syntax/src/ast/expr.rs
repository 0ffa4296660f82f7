//! Expressions as written.

use super::*;

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
