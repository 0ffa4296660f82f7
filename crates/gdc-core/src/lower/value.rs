//! What names stand for while a model is lowered.

use gdc_ir::{ExprId, Op, Red, Var};
use gdc_syntax::{Span, ast};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A value of the language.
#[derive(Clone)]
pub enum Value {
    /// A number, truth value or tensor, delayed: see [`Tensor`].
    Tensor(Tensor),
    /// Several values.
    Tuple(Vec<Value>),
    /// The named values of a model that was called as a layer.
    Record(Rc<Record>),
    /// What a model that is called as a layer lacks there: a target, or what reads one.
    Absent,
    /// Something that can be called, with the arguments it was given so far.
    Func(Rc<Func>),
    /// What an earlier error left undefined; using it reports nothing more.
    Poison,
}

impl Value {
    /// What it is, for messages.
    pub fn describe(&self) -> &'static str {
        match self {
            Value::Tensor(t) if t.axes.is_empty() => "a number",
            Value::Tensor(_) => "a tensor",
            Value::Tuple(_) => "a tuple",
            Value::Record(_) => "what a model gives",
            Value::Absent => "something that reads a target",
            Value::Func(f) => f.callee.describe(),
            Value::Poison => "nothing",
        }
    }
}

/// A tensor as a function of index variables: at the places `axes` its element is `expr`.
///
/// The other free variables of `expr` are the axes over which the enclosing calls are
/// mapped (the batch first) and the indices bound around it. Nothing is computed until a
/// `let`, a reduction or an argument turns it into a node.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// The axes that the language sees here.
    pub axes: Vec<Var>,
    /// The element.
    pub expr: ExprId,
    /// For integers, `low..high`.
    pub range: Option<(i64, i64)>,
}

impl Tensor {
    /// A single number.
    pub fn scalar(expr: ExprId) -> Self {
        Tensor { axes: Vec::new(), expr, range: None }
    }
}

/// What a model gives that is called as a layer.
pub struct Record {
    /// The model's name.
    pub model: String,
    /// Its lets, parameters and outputs by name.
    pub fields: BTreeMap<String, Value>,
    /// The names of its outputs; where there is one, the record stands for it.
    pub outputs: Vec<String>,
}

/// What a [`Func`] calls.
#[derive(Clone)]
pub enum Callee {
    /// A `layer` item.
    Layer(Rc<ast::Function>),
    /// A `fn` item.
    Fn(Rc<ast::Function>),
    /// A `model` item, called as a layer: what it is called with are its inputs.
    Model(Rc<ast::Model>, Rc<ast::Function>),
    /// An `optimizer` item.
    Optimizer(Rc<ast::Optimizer>),
    /// A `transform` item.
    Transform,
    /// Something that the compiler itself knows.
    Builtin(Builtin),
    /// A number or tuple where a function is wanted: the function that always gives it, or
    /// that gives the tuple's element at its first argument.
    Given(Rc<Value>),
}

impl Callee {
    /// What it is, for messages.
    pub fn describe(&self) -> &'static str {
        match self {
            Callee::Layer(_) => "a layer",
            Callee::Model(..) => "a model",
            Callee::Fn(_) | Callee::Builtin(_) | Callee::Given(_) => "a function",
            Callee::Optimizer(_) => "an optimizer",
            Callee::Transform => "a transform",
        }
    }
}

/// A callee with arguments bound before the call.
#[derive(Clone)]
pub struct Func {
    /// The name it was found under.
    pub name: String,
    /// What is called.
    pub callee: Callee,
    /// Arguments given so far.
    pub args: Vec<Bound>,
    /// `as label`
    pub label: Option<ast::Name>,
    /// For a shared layer: the path under which its parameters are made once.
    pub shared: Option<String>,
    /// A call that was given where a function is wanted, such as `init = uniform(-1, 1)`.
    pub given: bool,
}

/// An evaluated argument.
#[derive(Clone)]
pub struct Bound {
    /// `name =`
    pub name: Option<ast::Name>,
    /// Its value.
    pub value: Value,
    /// Where it was written.
    pub span: Span,
}

/// Statistics over the batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Across {
    /// The mean.
    Mean,
    /// The sum.
    Sum,
    /// The greatest value.
    Max,
    /// How many values there are.
    Count,
}

/// The structural operations that cannot be written in the language itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Builtin {
    /// A scalar operator, applied to every element.
    Scalar(Op),
    /// `max(a, b)` is the operator, `max(x)` the reduction.
    Extremum(Op, Red),
    /// A reduction over all axes of a tensor; `true` divides by their number.
    Whole(Red, bool),
    /// Integer division, rounding down.
    Div,
    /// `reshape(x, [n, m])`
    Reshape,
    /// `size(x)`: the number of elements
    Size,
    /// `across_mean(x)` and its like: over the samples and all mapped axes.
    Across(Across),
    /// `across(x)`: the values of all samples.
    AcrossTensor,
    /// `grad(e, x)`
    Grad,
    /// `leaf(e)`
    Leaf,
    /// `checkpoint(e)`: computed again for the derivative.
    Checkpoint,
    /// A uniform draw in [0, 1) for each element of the parameter being initialised.
    UnitUniform,
    /// A standard normal draw for each element of the parameter being initialised.
    UnitNormal,
}

/// The compiler's own names.
pub fn builtin(name: &str) -> Option<Builtin> {
    use Builtin::{Extremum, Scalar, Whole};
    Some(match name {
        "exp" => Scalar(Op::Exp),
        "expm1" => Scalar(Op::Expm1),
        "log" => Scalar(Op::Log),
        "log1p" => Scalar(Op::Log1p),
        "sqrt" => Scalar(Op::Sqrt),
        "abs" => Scalar(Op::Abs),
        "sign" => Scalar(Op::Sign),
        "floor" => Scalar(Op::Floor),
        "ceil" => Scalar(Op::Ceil),
        "round" => Scalar(Op::Round),
        "sin" => Scalar(Op::Sin),
        "cos" => Scalar(Op::Cos),
        "tanh" => Scalar(Op::Tanh),
        "sigmoid" => Scalar(Op::Sigmoid),
        "softplus" => Scalar(Op::Softplus),
        "erf" => Scalar(Op::Erf),
        "detach" => Scalar(Op::Detach),
        "max" => Extremum(Op::Max, Red::Max),
        "min" => Extremum(Op::Min, Red::Min),
        "sum" => Whole(Red::Sum, false),
        "mean" => Whole(Red::Sum, true),
        "prod" => Whole(Red::Prod, false),
        "lse" => Whole(Red::Lse, false),
        "argmax" => Whole(Red::Argmax, false),
        "argmin" => Whole(Red::Argmin, false),
        "any" => Whole(Red::Any, false),
        "all" => Whole(Red::All, false),
        "div" => Builtin::Div,
        "reshape" => Builtin::Reshape,
        "size" => Builtin::Size,
        "across" => Builtin::AcrossTensor,
        "across_mean" => Builtin::Across(Across::Mean),
        "across_sum" => Builtin::Across(Across::Sum),
        "across_max" => Builtin::Across(Across::Max),
        "across_count" => Builtin::Across(Across::Count),
        "grad" => Builtin::Grad,
        "leaf" => Builtin::Leaf,
        "checkpoint" => Builtin::Checkpoint,
        "unit_uniform" => Builtin::UnitUniform,
        "unit_normal" => Builtin::UnitNormal,
        _ => return None,
    })
}

/// Names that are values without being defined.
pub const VALUES: &[&str] = &["pi", "inf", "training", "t", "step"];

/// The names of all builtins, for suggestions.
pub const BUILTIN_NAMES: &[&str] = &[
    "exp",
    "expm1",
    "log",
    "log1p",
    "sqrt",
    "abs",
    "sign",
    "floor",
    "ceil",
    "round",
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "softplus",
    "erf",
    "detach",
    "max",
    "min",
    "sum",
    "mean",
    "prod",
    "lse",
    "argmax",
    "argmin",
    "any",
    "all",
    "div",
    "reshape",
    "size",
    "grad",
    "leaf",
    "checkpoint",
    "across",
    "across_mean",
    "across_sum",
    "across_max",
    "across_count",
    "sample_index",
    "training",
];

/// What a name is bound to.
#[derive(Clone)]
pub struct Binding {
    /// Its value.
    pub value: Value,
    /// Where it was bound.
    pub span: Span,
    /// Whether `<-` may give it a next value.
    pub mutable: bool,
    /// The leaf, for a `state` of a model or layer.
    pub state: Option<gdc_ir::NodeId>,
}
