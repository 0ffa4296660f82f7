//! Operators as Rust expressions: on scalars as people write them, on lanes by the functions of
//! the runtime.

use crate::code::{Code, IntTy, Kind, Prec};
use crate::scope::Scope;
use gdc_ir::ops::Op;
use gdc_ir::program::{Elem, Value};
use proc_macro2::TokenStream;
use quote::quote;

impl Scope<'_> {
    /// An operator on values.
    pub(crate) fn op(&self, op: Op, args: &[Value], real: Elem) -> Code {
        if matches!(op, Op::Eq | Op::Ne | Op::Lt | Op::Le)
            && let [a, b] = args
            && let Some(code) = crate::linear::compare(self, op, a, b)
        {
            return code;
        }
        let mut codes: Vec<Code> = args.iter().map(|a| self.value_as(a, real)).collect();
        let lanes = codes.iter().any(|c| matches!(c.kind, Kind::Lanes | Kind::Mask));
        if lanes {
            // A choice by a scalar condition between lanes stays an `if`.
            let first = usize::from(op == Op::Select && codes[0].kind == Kind::Bool);
            for code in &mut codes[first..] {
                *code = self.lanes(code);
            }
        }
        match (op, codes.as_slice()) {
            (Op::Pow, [a, b]) => self.pow(a, b, &args[1]),
            (Op::Mul, [a, b]) if args[0] == args[1] && a.prec == Prec::Atom => infix(quote!(*), a, b, Prec::Product),
            (_, [a]) => self.unary(op, a, real),
            // A constant reads better on the right.
            (Op::Lt | Op::Le, [a, b]) if is_constant(&args[0]) && !is_constant(&args[1]) => greater(op, b, a),
            // Beside a constant, only one side can be NaN, which is one instruction instead of three.
            (Op::Max | Op::Min, [a, b]) if is_constant(&args[0]) && !matches!(a.kind, Kind::Int(_)) => limit(op, b, a),
            (Op::Max | Op::Min, [a, b]) if is_constant(&args[1]) && !matches!(a.kind, Kind::Int(_)) => limit(op, a, b),
            (_, [a, b]) => self.binary(op, a, b),
            (Op::Select, [c, a, b]) => self.select(c, a, b),
            _ => Code::real(f64::NAN, real), // the verifier refuses a wrong number of arguments
        }
    }

    fn unary(&self, op: Op, a: &Code, real: Elem) -> Code {
        let kind = a.kind;
        match op {
            Op::Neg => {
                if let Some(value) = a.literal {
                    return Code::int(value.saturating_neg());
                }
                match kind {
                    Kind::Int(ty) if !ty.signed() => a.cast(Kind::Int(IntTy::I64)).prefix(quote!(-)),
                    _ => a.prefix(quote!(-)),
                }
            }
            Op::Not => a.prefix(quote!(!)),
            Op::ToReal => self.to_real(a, real),
            Op::Detach | Op::Stated => a.clone(),
            Op::Abs => match kind {
                Kind::Int(ty) if ty.signed() => {
                    let a = a.at(Prec::Atom);
                    Code::atom(quote!(#a.abs()), kind)
                }
                Kind::Int(_) => a.clone(),
                _ => call("abs", &[a]),
            },
            Op::Sqrt
            | Op::Exp
            | Op::Expm1
            | Op::Sin
            | Op::Cos
            | Op::Tanh
            | Op::Sigmoid
            | Op::Softplus
            | Op::Erf
            | Op::Sign
            | Op::Floor
            | Op::Ceil
            | Op::Round => call(op.facts().name, &[a]),
            Op::Log => call("ln", &[a]),
            Op::Log1p => call("ln_1p", &[a]),
            Op::Add
            | Op::Sub
            | Op::Mul
            | Op::Div
            | Op::Pow
            | Op::Min
            | Op::Max
            | Op::Eq
            | Op::Ne
            | Op::Lt
            | Op::Le
            | Op::And
            | Op::Or
            | Op::Select
            | Op::IntDiv
            | Op::IntMod => a.clone(),
        }
    }

    fn binary(&self, op: Op, a: &Code, b: &Code) -> Code {
        if let (Kind::Int(x), Kind::Int(y)) = (a.kind, b.kind) {
            return int_binary(op, a, b, x, y);
        }
        let vector = matches!(a.kind, Kind::Lanes | Kind::Mask);
        match op {
            Op::Add => infix(quote!(+), a, b, Prec::Sum),
            Op::Sub => infix(quote!(-), a, b, Prec::Sum),
            Op::Mul => infix(quote!(*), a, b, Prec::Product),
            Op::Div => infix(quote!(/), a, b, Prec::Product),
            Op::Min => call("min", &[a, b]),
            Op::Max => call("max", &[a, b]),
            Op::Eq | Op::Ne if a.kind == Kind::Mask => {
                let (both, either) = (a.infix_mask(quote!(&), b), a.infix_mask(quote!(|), b));
                let other = if op == Op::Eq { &either } else { &both }.prefix(quote!(!));
                if op == Op::Eq { both.infix_mask(quote!(|), &other) } else { either.infix_mask(quote!(&), &other) }
            }
            Op::Eq | Op::Ne | Op::Lt | Op::Le if vector => Code { kind: Kind::Mask, ..call(op.facts().name, &[a, b]) },
            Op::Eq => compare(quote!(==), a, b),
            Op::Ne => compare(quote!(!=), a, b),
            Op::Lt => compare(quote!(<), a, b),
            Op::Le => compare(quote!(<=), a, b),
            Op::And if vector => infix(quote!(&), a, b, Prec::Bits),
            Op::Or if vector => infix(quote!(|), a, b, Prec::Bits),
            Op::And => infix(quote!(&&), a, b, Prec::And),
            Op::Or => infix(quote!(||), a, b, Prec::Or),
            Op::Neg
            | Op::Pow
            | Op::Abs
            | Op::Sign
            | Op::Floor
            | Op::Ceil
            | Op::Round
            | Op::Sqrt
            | Op::Exp
            | Op::Expm1
            | Op::Log
            | Op::Log1p
            | Op::Sin
            | Op::Cos
            | Op::Tanh
            | Op::Sigmoid
            | Op::Softplus
            | Op::Erf
            | Op::Not
            | Op::Select
            | Op::ToReal
            | Op::IntDiv
            | Op::IntMod
            | Op::Detach
            | Op::Stated => a.clone(),
        }
    }

    /// A power: with a small integer exponent by multiplication.
    fn pow(&self, a: &Code, b: &Code, exponent: &Value) -> Code {
        let constant = match exponent {
            Value::Real(x) => Some(*x),
            Value::Splat(inner) => match **inner {
                Value::Real(x) => Some(x),
                _ => None,
            },
            _ => None,
        };
        match constant {
            Some(x) if x == 2.0 && a.prec == Prec::Atom && a.is_short() => infix(quote!(*), a, a, Prec::Product),
            Some(x) if x.trunc() == x && x.abs() <= 64.0 => {
                let (n, x) = (Code::int(x as i64).tokens, &a.tokens);
                Code::atom(quote!(rt::powi(#x, #n)), a.kind)
            }
            _ => call("pow", &[a, b]),
        }
    }

    fn select(&self, c: &Code, a: &Code, b: &Code) -> Code {
        if c.kind == Kind::Mask && a.kind == Kind::Mask {
            let (yes, no) = (c.infix_mask(quote!(&), a), c.prefix(quote!(!)).infix_mask(quote!(&), b));
            return yes.infix_mask(quote!(|), &no);
        }
        if c.kind == Kind::Mask {
            let [a, b] = [a, b].map(|x| self.lanes(x).tokens);
            let c = &c.tokens;
            return Code::atom(quote!(rt::select(#c, #a, #b)), Kind::Lanes);
        }
        let kind = match (a.kind, b.kind) {
            (Kind::Int(x), Kind::Int(y)) => Kind::Int(x.common(y)),
            (kind, _) => kind,
        };
        let [a, b] = [a, b].map(|x| if matches!(kind, Kind::Int(_)) { x.cast(kind) } else { x.clone() });
        let chains = b.prec == Prec::If;
        let (c, a, b) = (&c.tokens, a.tokens, b.tokens);
        let tokens = if chains { quote!(if #c { #a } else #b) } else { quote!(if #c { #a } else { #b }) };
        Code::new(tokens, Prec::If, kind)
    }
}

/// `max(a, k)` or `min(a, k)` of a constant.
fn limit(op: Op, a: &Code, k: &Code) -> Code {
    call(if op == Op::Max { "at_least" } else { "at_most" }, &[a, k])
}

/// Whether a value is a number other than NaN, or one in all lanes.
fn is_constant(value: &Value) -> bool {
    match value {
        Value::Real(x) => !x.is_nan(),
        Value::Splat(inner) => is_constant(inner),
        _ => false,
    }
}

/// `a > b` for `b < a`, `a >= b` for `b <= a`.
fn greater(op: Op, a: &Code, b: &Code) -> Code {
    let strict = op == Op::Lt;
    if a.kind == Kind::Lanes {
        return Code { kind: Kind::Mask, ..call(if strict { "gt" } else { "ge" }, &[a, b]) };
    }
    compare(if strict { quote!(>) } else { quote!(>=) }, a, b)
}

fn infix(op: TokenStream, a: &Code, b: &Code, prec: Prec) -> Code {
    a.infix(op, b, prec, a.kind)
}

fn compare(op: TokenStream, a: &Code, b: &Code) -> Code {
    a.infix(op, b, Prec::Compare, Kind::Bool)
}

/// `rt::name(a, b)`
fn call(name: &str, args: &[&Code]) -> Code {
    let name = crate::names::ident(name);
    let tokens = args.iter().map(|a| &a.tokens);
    let kind = args.first().map_or(Kind::Lanes, |a| a.kind);
    Code::atom(quote!(rt::#name(#(#tokens),*)), kind)
}

fn int_binary(op: Op, a: &Code, b: &Code, x: IntTy, y: IntTy) -> Code {
    // A difference of naturals can be negative.
    let ty = match (op, literal_ty(a, b, x, y)) {
        (Op::Sub, _) => IntTy::I64,
        // Places are made of these, and may be larger than what they are made of.
        (Op::Add | Op::Mul, IntTy::U32) => IntTy::Usize,
        (_, ty) => ty,
    };
    let kind = Kind::Int(ty);
    let [a, b] = [a, b].map(|c| c.cast(kind));
    let euclid = |verb: TokenStream, sign: TokenStream| {
        if ty.signed() {
            let (a, b) = (a.at(Prec::Atom), &b.tokens);
            Code::atom(quote!(#a.#verb(#b)), kind)
        } else {
            infix(sign, &a, &b, Prec::Product)
        }
    };
    let order = |verb: TokenStream| {
        let (a, b) = (&a.tokens, &b.tokens);
        Code::atom(quote!(::core::cmp::#verb(#a, #b)), kind)
    };
    match op {
        Op::Add => infix(quote!(+), &a, &b, Prec::Sum),
        Op::Sub => infix(quote!(-), &a, &b, Prec::Sum),
        Op::Mul => infix(quote!(*), &a, &b, Prec::Product),
        Op::IntDiv => euclid(quote!(div_euclid), quote!(/)),
        Op::IntMod => euclid(quote!(rem_euclid), quote!(%)),
        Op::Min => order(quote!(min)),
        Op::Max => order(quote!(max)),
        Op::Eq => compare(quote!(==), &a, &b),
        Op::Ne => compare(quote!(!=), &a, &b),
        Op::Lt => compare(quote!(<), &a, &b),
        Op::Le => compare(quote!(<=), &a, &b),
        Op::Neg
        | Op::Div
        | Op::Pow
        | Op::Abs
        | Op::Sign
        | Op::Floor
        | Op::Ceil
        | Op::Round
        | Op::Sqrt
        | Op::Exp
        | Op::Expm1
        | Op::Log
        | Op::Log1p
        | Op::Sin
        | Op::Cos
        | Op::Tanh
        | Op::Sigmoid
        | Op::Softplus
        | Op::Erf
        | Op::And
        | Op::Or
        | Op::Not
        | Op::Select
        | Op::ToReal
        | Op::Detach
        | Op::Stated => a,
    }
}

/// The common type; a literal that is no negative takes the other's.
fn literal_ty(a: &Code, b: &Code, x: IntTy, y: IntTy) -> IntTy {
    match (a.literal, b.literal) {
        (Some(v), None) if v >= 0 => y,
        (None, Some(v)) if v >= 0 => x,
        _ => x.common(y),
    }
}

impl Code {
    /// `self op other` on masks.
    fn infix_mask(&self, op: TokenStream, other: &Code) -> Code {
        self.infix(op, other, Prec::Bits, Kind::Mask)
    }

    /// Whether writing it twice is easy on the reader and the machine: a name, perhaps
    /// indexed, but no call.
    pub(crate) fn is_short(&self) -> bool {
        let text = self.tokens.to_string();
        !text.contains('(') && text.len() < 24
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Form;
    use gdc_ir::program::{Buffer, BufferId, BufferRole, Index, LANES, Program};

    /// The text of a value over the `[16]` buffers `x`, `y` and the integers `n`.
    fn text(value: &Value) -> String {
        let buffer =
            |name: &str, elem| Buffer { name: name.into(), shape: vec![16], elem, role: BufferRole::Temp, range: None };
        let program = Program {
            buffers: vec![buffer("x", Elem::F32), buffer("y", Elem::F32), buffer("n", Elem::U32)],
            ..Program::default()
        };
        let mut scope = Scope::new(&program, "k", Elem::F32);
        for id in 0..3 {
            scope.add_buffer(BufferId(id), Form::Ref);
        }
        scope.value(value).tokens.to_string().replace(' ', "")
    }

    fn scalar(buffer: u32) -> Value {
        Value::Load(BufferId(buffer), vec![Index::constant(3)])
    }

    fn vector(buffer: u32) -> Value {
        Value::LoadLanes(BufferId(buffer), vec![Index::constant(0)], LANES)
    }

    fn op(op: Op, args: &[Value]) -> Value {
        Value::Op(op, args.to_vec())
    }

    fn splat(x: f64) -> Value {
        Value::Splat(Box::new(Value::Real(x)))
    }

    #[test]
    fn scalars_read_like_arithmetic() {
        let square = op(Op::Pow, &[scalar(0), Value::Real(2.0)]);
        assert_eq!(text(&square), "x[3]*x[3]");
        assert_eq!(text(&op(Op::Pow, &[scalar(0), Value::Real(-3.0)])), "rt::powi(x[3],-3)");
        assert_eq!(text(&op(Op::Pow, &[scalar(0), Value::Real(0.5)])), "rt::pow(x[3],0.5)");
        assert_eq!(text(&op(Op::Lt, &[Value::Real(0.0), scalar(0)])), "x[3]>0.0");
        assert_eq!(text(&op(Op::Neg, &[op(Op::Add, &[scalar(0), scalar(1)])])), "-(x[3]+y[3])");
        let inner = op(Op::Select, &[Value::Bool(true), scalar(0), scalar(1)]);
        let outer = op(Op::Select, &[Value::Bool(false), scalar(0), inner]);
        assert_eq!(text(&outer), "iffalse{x[3]}elseiftrue{x[3]}else{y[3]}");
    }

    #[test]
    fn integers_are_cast_once() {
        assert_eq!(text(&op(Op::ToReal, &[scalar(2)])), "n[3]asf32");
        let product = op(Op::Mul, &[scalar(2), Value::Int(Index::constant(2))]);
        assert_eq!(text(&product), "n[3]asusize*2");
        let difference = op(Op::Sub, &[scalar(2), Value::Int(Index::constant(2))]);
        assert_eq!(text(&difference), "n[3]asi64-2");
        let same = op(Op::Eq, &[scalar(2), Value::Int(Index::constant(2))]);
        assert_eq!(text(&same), "n[3]==2");
    }

    #[test]
    fn lanes_and_masks_combine() {
        let positive = |b| op(Op::Lt, &[splat(0.0), vector(b)]);
        let zero = "F32x16::splat(simd,0.0)";
        let (x, y) = ("F32x16::load(simd,x)", "F32x16::load(simd,y)");
        assert_eq!(text(&positive(0)), format!("rt::gt({x},{zero})"));
        let same = op(Op::Eq, &[positive(0), positive(1)]);
        let (a, b) = (format!("rt::gt({x},{zero})"), format!("rt::gt({y},{zero})"));
        assert_eq!(text(&same), format!("({a}&{b})|!({a}|{b})"));
        // A number among lanes stands in all of them.
        assert_eq!(text(&op(Op::Add, &[vector(0), Value::Real(1.0)])), format!("{x}+F32x16::splat(simd,1.0)"));
    }
}
