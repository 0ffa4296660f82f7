//! The syntax tree: what was written, faithfully, every node with its byte span.
//!
//! Parentheses around one expression leave no node of their own. Names keep their
//! spelling in NFC. Nothing here knows what a name means.

use crate::source::Span;

mod expr;
mod stmt;

pub use expr::*;
pub use stmt::*;

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
