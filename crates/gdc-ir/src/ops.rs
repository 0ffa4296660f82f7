//! The scalar operators: one enum, and one row of facts for each.
//!
//! A new operator is added here, and the compiler then points to every place that must
//! learn it: nothing matches over [`Op`] with a catch-all arm.

/// A scalar operator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)] // the table below says what each is
pub enum Op {
    Neg,
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
    Abs,
    Sign,
    Floor,
    Ceil,
    Round,
    Sqrt,
    Exp,
    Expm1,
    Log,
    Log1p,
    Sin,
    Cos,
    Tanh,
    Sigmoid,
    Softplus,
    Erf,
    Eq,
    Ne,
    Lt,
    Le,
    And,
    Or,
    Not,
    Select,
    ToReal,
    IntDiv,
    IntMod,
    Detach,
    Stated,
}

/// The type of a scalar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Ty {
    /// A real number, `f32` or `f64` in generated code.
    Real,
    /// An integer: an index, a label.
    Int,
    /// A truth value.
    Bool,
}

/// What an operator takes and gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signature {
    /// Reals to a real.
    Real,
    /// All arguments of one type, real or integer, and the same type back.
    Number,
    /// Two of one type, any type, to a truth value.
    Compare,
    /// Truth values to a truth value.
    Logic,
    /// A truth value and two of one type, to that type.
    Choice,
    /// An integer or truth value (false is 0) to a real.
    Convert,
    /// Integers to an integer.
    Int,
}

/// How an operator is written in equations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notation {
    /// `a + b`, with its precedence (higher binds tighter).
    Infix(&'static str, u8),
    /// `-a`
    Prefix(&'static str, u8),
    /// `name(a, b)`
    Call,
    /// `if c { a } else { b }`
    If,
    /// Shown as its argument.
    Silent,
}

/// What is known about an operator.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Its name in the text form.
    pub name: &'static str,
    /// How many arguments it takes.
    pub arity: usize,
    /// The types it takes and gives.
    pub signature: Signature,
    /// How equations show it.
    pub notation: Notation,
    /// Its cost relative to one addition, for deciding what to recompute.
    pub cost: u32,
}

macro_rules! facts {
    ($($op:ident $name:literal $arity:literal $signature:ident $notation:expr, $cost:literal;)*) => {
        impl Op {
            /// Every operator, in table order.
            pub const ALL: &'static [Op] = &[$(Op::$op),*];

            /// This operator's row.
            pub const fn facts(self) -> Facts {
                match self {
                    $(Op::$op => Facts {
                        name: $name, arity: $arity, signature: Signature::$signature,
                        notation: $notation, cost: $cost,
                    },)*
                }
            }
        }
    };
}

use Notation::{Call, If, Infix, Prefix, Silent};

facts! {
//  op       name       arity signature notation       cost
    Neg      "neg"      1 Number  Prefix("-", 7),       1;
    Add      "add"      2 Number  Infix("+", 5),        1;
    Sub      "sub"      2 Number  Infix("-", 5),        1;
    Mul      "mul"      2 Number  Infix("*", 6),        1;
    Div      "div"      2 Real    Infix("/", 6),        8;
    Pow      "pow"      2 Real    Infix("^", 8),        30;
    Min      "min"      2 Number  Call,                 1;
    Max      "max"      2 Number  Call,                 1;
    Abs      "abs"      1 Number  Call,                 1;
    Sign     "sign"     1 Real    Call,                 2;
    Floor    "floor"    1 Real    Call,                 1;
    Ceil     "ceil"     1 Real    Call,                 1;
    Round    "round"    1 Real    Call,                 1;
    Sqrt     "sqrt"     1 Real    Call,                 8;
    Exp      "exp"      1 Real    Call,                 12;
    Expm1    "expm1"    1 Real    Call,                 15;
    Log      "log"      1 Real    Call,                 14;
    Log1p    "log1p"    1 Real    Call,                 16;
    Sin      "sin"      1 Real    Call,                 16;
    Cos      "cos"      1 Real    Call,                 16;
    Tanh     "tanh"     1 Real    Call,                 16;
    Sigmoid  "sigmoid"  1 Real    Call,                 16;
    Softplus "softplus" 1 Real    Call,                 30;
    Erf      "erf"      1 Real    Call,                 24;
    Eq       "eq"       2 Compare Infix("==", 4),       1;
    Ne       "ne"       2 Compare Infix("!=", 4),       1;
    Lt       "lt"       2 Compare Infix("<", 4),        1;
    Le       "le"       2 Compare Infix("<=", 4),       1;
    And      "and"      2 Logic   Infix("&&", 3),       1;
    Or       "or"       2 Logic   Infix("||", 2),       1;
    Not      "not"      1 Logic   Prefix("!", 7),       1;
    Select   "select"   3 Choice  If,                   1;
    ToReal   "real"     1 Convert Silent,               1;
    IntDiv   "div"      2 Int     Call,                 4;
    IntMod   "mod"      2 Int     Infix("%", 6),        4;
    Detach   "detach"   1 Number  Silent,               0;
    // stated(v, x, k) is v, with the derivative k by x on top of that of v.
    Stated   "stated"   3 Real    Silent,               0;
}

impl Op {
    /// The type of the result, given the arguments' types; `None` where they do not fit.
    pub fn result(self, args: &[Ty]) -> Option<Ty> {
        let facts = self.facts();
        if args.len() != facts.arity {
            return None;
        }
        let all = |t: Ty| args.iter().all(|&a| a == t);
        match facts.signature {
            Signature::Real => all(Ty::Real).then_some(Ty::Real),
            Signature::Number => (args[0] != Ty::Bool && all(args[0])).then_some(args[0]),
            Signature::Compare => all(args[0]).then_some(Ty::Bool),
            Signature::Logic => all(Ty::Bool).then_some(Ty::Bool),
            Signature::Choice => (args[0] == Ty::Bool && args[1] == args[2]).then_some(args[1]),
            Signature::Convert => (args[0] != Ty::Real).then_some(Ty::Real),
            Signature::Int => all(Ty::Int).then_some(Ty::Int),
        }
    }

    /// Whether swapping the two arguments changes nothing.
    pub fn commutes(self) -> bool {
        matches!(self, Op::Add | Op::Mul | Op::Min | Op::Max | Op::Eq | Op::Ne | Op::And | Op::Or)
    }
}

/// A reduction over index variables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Red {
    /// The sum; 0 over nothing.
    Sum,
    /// The product; 1 over nothing.
    Prod,
    /// The greatest value.
    Max,
    /// The least value.
    Min,
    /// The place of the greatest value, row-major over the reduced axes; the first of equals.
    Argmax,
    /// The place of the least value; the first of equals.
    Argmin,
    /// `log(sum(exp(x)))`, finite wherever its value is.
    Lse,
    /// Whether any holds.
    Any,
    /// Whether all hold.
    All,
}

impl Red {
    /// Its name in the language and in equations.
    pub const fn name(self) -> &'static str {
        match self {
            Red::Sum => "sum",
            Red::Prod => "prod",
            Red::Max => "max",
            Red::Min => "min",
            Red::Argmax => "argmax",
            Red::Argmin => "argmin",
            Red::Lse => "lse",
            Red::Any => "any",
            Red::All => "all",
        }
    }

    /// The type of what is reduced.
    pub const fn operand(self) -> Ty {
        match self {
            Red::Any | Red::All => Ty::Bool,
            Red::Sum | Red::Prod | Red::Max | Red::Min | Red::Argmax | Red::Argmin | Red::Lse => Ty::Real,
        }
    }

    /// The type of the result.
    pub const fn result(self) -> Ty {
        match self {
            Red::Any | Red::All => Ty::Bool,
            Red::Argmax | Red::Argmin => Ty::Int,
            Red::Sum | Red::Prod | Red::Max | Red::Min | Red::Lse => Ty::Real,
        }
    }
}
