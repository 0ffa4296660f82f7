//! Values as Rust expressions.

use crate::code::{Code, IntTy, Kind, Prec};
use crate::linear::Linear;
use crate::scope::{Form, Scope};
use gdc_ir::expr::Dist;
use gdc_ir::ops::{Op, Red};
use gdc_ir::program::{BufferId, Elem, Index, LANES, Local, LocalTy, Value};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

impl Scope<'_> {
    /// A value, its reals of the kernel's type.
    pub(crate) fn value(&self, value: &Value) -> Code {
        self.value_as(value, self.real)
    }

    /// A value, its real literals and loads of type `real`.
    fn value_as(&self, value: &Value, real: Elem) -> Code {
        match value {
            Value::Real(x) => Code::real(*x, real),
            Value::Bool(b) => Code::atom(quote!(#b), Kind::Bool),
            Value::Int(index) => self.int(index),
            Value::Local(local, at) => self.local(*local, at, real),
            Value::Load(buffer, at) => {
                let code = self.load(*buffer, at);
                if matches!(code.kind, Kind::Real(_)) { code.cast(Kind::Real(real)) } else { code }
            }
            Value::LoadLanes(buffer, at, valid) => self.load_lanes(*buffer, at, *valid),
            Value::Splat(inner) => self.splat(&self.value_as(inner, Elem::F32)),
            Value::Iota(start) => self.iota(start),
            Value::Op(op, args) => self.op(*op, args, real),
            Value::MulAdd(parts) => self.mul_add(parts, real),
            Value::Horizontal(red, inner) => {
                let operand = self.lanes(&self.value_as(inner, real)).at(Prec::Atom);
                let verb = match red {
                    Red::Prod => quote!(product),
                    Red::Max => quote!(max),
                    Red::Min => quote!(min),
                    Red::Sum | Red::Argmax | Red::Argmin | Red::Lse | Red::Any | Red::All => quote!(sum),
                };
                Code::atom(quote!(#operand.#verb()), Kind::Real(Elem::F32)).cast(Kind::Real(real))
            }
            Value::Narrow(inner) => {
                let wide = self.value_as(inner, Elem::F64);
                wide.cast(Kind::Real(Elem::F32)).cast(Kind::Real(real))
            }
            Value::Random { dist, site, element } => self.random(*dist, *site, element, real),
        }
    }

    /// An index: a `usize`.
    pub(crate) fn index(&self, index: &Index) -> Code {
        match index {
            Index::Affine { terms, constant } => {
                let linear = Linear::affine(terms, *constant);
                linear.code(self, IntTy::Usize)
            }
            Index::Value(value) => self.value(value).cast(Kind::Int(IntTy::Usize)),
        }
    }

    /// An integer value, which unlike an index can be negative.
    fn int(&self, index: &Index) -> Code {
        match index {
            Index::Affine { terms, constant } => {
                let linear = Linear::affine(terms, *constant);
                let ty = if linear.is_natural() { IntTy::Usize } else { IntTy::I64 };
                linear.code(self, ty)
            }
            Index::Value(value) => self.value(value),
        }
    }

    fn local(&self, local: Local, at: &[Index], real: Elem) -> Code {
        let name = self.local_name(local);
        let at = self.brackets(at, &self.program.local(local).dims);
        let kind = match self.program.local(local).ty {
            LocalTy::Real => Kind::Real(self.real),
            LocalTy::Lanes => Kind::Lanes,
            LocalTy::Bool => Kind::Bool,
            LocalTy::Int => Kind::Int(IntTy::Usize),
        };
        let code = Code::atom(quote!(#name #at), kind);
        if matches!(kind, Kind::Real(_)) { code.cast(Kind::Real(real)) } else { code }
    }

    /// `[i][j]`
    pub(crate) fn brackets(&self, at: &[Index], extents: &[usize]) -> TokenStream {
        let indices = at.iter().enumerate().map(|(axis, index)| {
            let code = self.index(index);
            match (index, extents.get(axis)) {
                // In range as well, but only the checks on entry know it.
                (Index::Value(_), Some(&extent)) if extent > 0 && code.literal.is_none() => {
                    let (place, n) = (code.tokens, Literal::usize_unsuffixed(extent));
                    quote!(rt::within::<#n>(#place))
                }
                _ => code.tokens,
            }
        });
        quote!(#([#indices])*)
    }

    fn load(&self, buffer: BufferId, at: &[Index]) -> Code {
        let kind = elem_kind(self.program.buffer(buffer).elem);
        Code::new(self.place(buffer, at), self.place_prec(buffer, at), kind)
    }

    /// An element of a buffer as a place expression.
    pub(crate) fn place(&self, buffer: BufferId, at: &[Index]) -> TokenStream {
        let name = self.buffer_name(buffer);
        if at.is_empty() && self.form(buffer) == Form::RefMut {
            return quote!(*#name);
        }
        let at = self.brackets(at, &self.program.buffer(buffer).shape);
        quote!(#name #at)
    }

    fn place_prec(&self, buffer: BufferId, at: &[Index]) -> Prec {
        if at.is_empty() && self.form(buffer) == Form::RefMut { Prec::Unary } else { Prec::Atom }
    }

    /// The row that lanes lie in, as a shared or unique reference, with the place in it and
    /// the length of the row.
    pub(crate) fn row(&self, buffer: BufferId, at: &[Index], unique: bool) -> (TokenStream, Code, usize) {
        let name = self.buffer_name(buffer);
        let (outer, last) = match at.split_last() {
            Some((last, outer)) => (outer, self.index(last)),
            None => (at, Code::int(0)),
        };
        let row = if outer.is_empty() && self.form(buffer) != Form::Owned {
            quote!(#name)
        } else {
            let outer = self.brackets(outer, &self.program.buffer(buffer).shape);
            if unique { quote!(&mut #name #outer) } else { quote!(&#name #outer) }
        };
        let length = self.program.buffer(buffer).shape.last().copied().unwrap_or(1);
        (row, last, length)
    }

    fn load_lanes(&self, buffer: BufferId, at: &[Index], valid: usize) -> Code {
        let elem = self.program.buffer(buffer).elem;
        if !matches!(elem, Elem::F32) {
            return self.load_other_lanes(buffer, at, valid);
        }
        let (row, at, length) = self.row(buffer, at, false);
        let whole = at.literal == Some(0) && length == valid;
        let at = at.tokens;
        let tokens = if valid >= LANES {
            if whole { quote!(F32x16::load(simd, #row)) } else { quote!(F32x16::load_at(simd, #row, #at)) }
        } else if whole {
            quote!(F32x16::load_head(simd, #row))
        } else {
            let n = Literal::usize_unsuffixed(valid);
            quote!(F32x16::load_head_at::<#n>(simd, #row, #at))
        };
        Code::atom(tokens, Kind::Lanes)
    }

    /// Lanes from a buffer of integers or truth values.
    fn load_other_lanes(&self, buffer: BufferId, at: &[Index], valid: usize) -> Code {
        let name = self.buffer_name(buffer);
        let (outer, start) = match at.split_last() {
            Some((last, outer)) => (outer, self.index(last)),
            None => (at, Code::int(0)),
        };
        let outer = self.brackets(outer, &self.program.buffer(buffer).shape);
        let lane = Code::atom(quote!(lane), Kind::Int(IntTy::Usize));
        let place = if start.literal == Some(0) {
            lane.clone()
        } else {
            start.infix(quote!(+), &lane, Prec::Sum, Kind::Int(IntTy::Usize))
        };
        let place = place.tokens;
        let element = Code::atom(quote!(#name #outer [#place]), elem_kind(self.program.buffer(buffer).elem));
        let element = self.to_real(&element, Elem::F32).tokens;
        let body = if valid < LANES {
            let n = Literal::usize_unsuffixed(valid);
            quote!(if lane < #n { #element } else { 0.0 })
        } else {
            element
        };
        Code::atom(quote!(F32x16::from_fn(simd, |lane| #body)), Kind::Lanes)
    }

    /// The value in all lanes, if it is not lanes already.
    pub(crate) fn lanes(&self, code: &Code) -> Code {
        match code.kind {
            Kind::Lanes | Kind::Mask => code.clone(),
            Kind::Real(_) | Kind::Bool | Kind::Int(_) => self.splat(code),
        }
    }

    fn splat(&self, code: &Code) -> Code {
        match code.kind {
            Kind::Lanes | Kind::Mask => code.clone(),
            Kind::Bool => {
                let n = code.tokens.clone();
                Code::atom(quote!(Mask16::first(simd, if #n { 16 } else { 0 })), Kind::Mask)
            }
            Kind::Real(_) | Kind::Int(_) => {
                let value = code.cast(Kind::Real(Elem::F32)).tokens;
                Code::atom(quote!(F32x16::splat(simd, #value)), Kind::Lanes)
            }
        }
    }

    fn iota(&self, start: &Index) -> Code {
        let iota = Code::atom(quote!(F32x16::iota(simd)), Kind::Lanes);
        let start = self.int(start);
        if start.literal == Some(0) {
            return iota;
        }
        let start = self.splat(&start.cast(Kind::Real(Elem::F32)));
        start.infix(quote!(+), &iota, Prec::Sum, Kind::Lanes)
    }

    fn mul_add(&self, parts: &[Value; 3], real: Elem) -> Code {
        let [a, b, c] = [0, 1, 2].map(|i| self.value_as(&parts[i], real));
        if [&a, &b, &c].iter().any(|x| x.kind == Kind::Lanes) {
            let [a, b, c] = [a, b, c].map(|x| self.lanes(&x).tokens);
            return Code::atom(quote!(rt::mul_add(#a, #b, #c)), Kind::Lanes);
        }
        let kind = Kind::Real(real);
        a.infix(quote!(*), &b, Prec::Product, kind).infix(quote!(+), &c, Prec::Sum, kind)
    }

    fn random(&self, dist: Dist, site: u64, element: &Index, real: Elem) -> Code {
        let site: TokenStream =
            if site < 1000 { site.to_string() } else { format!("{site:#x}") }.parse().unwrap_or_default();
        let element = self.int(element).cast(Kind::Int(IntTy::U64)).tokens;
        let draw = match (dist, real) {
            (Dist::Uniform, Elem::F64) => quote!(uniform_f64),
            (Dist::Normal, Elem::F64) => quote!(normal_f64),
            (Dist::Uniform, Elem::F32 | Elem::U32 | Elem::I32 | Elem::U64 | Elem::Bool) => quote!(uniform),
            (Dist::Normal, Elem::F32 | Elem::U32 | Elem::I32 | Elem::U64 | Elem::Bool) => quote!(normal),
        };
        Code::atom(quote!(rt::#draw(seed, #site, #element)), Kind::Real(real))
    }

    /// An integer or truth value as a real.
    pub(crate) fn to_real(&self, code: &Code, real: Elem) -> Code {
        let tokens = &code.tokens;
        match code.kind {
            Kind::Bool => Code::new(quote!(if #tokens { 1.0 } else { 0.0 }), Prec::If, Kind::Real(real)),
            Kind::Mask => {
                Code::atom(quote!(rt::select(#tokens, F32x16::splat(simd, 1.0), F32x16::splat(simd, 0.0))), Kind::Lanes)
            }
            Kind::Int(_) | Kind::Real(_) => code.cast(Kind::Real(real)),
            Kind::Lanes => code.clone(),
        }
    }

    fn op(&self, op: Op, args: &[Value], real: Elem) -> Code {
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
            Op::Detach => a.clone(),
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
            | Op::Detach => a.clone(),
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

/// Whether a value is a number, or one in all lanes.
fn is_constant(value: &Value) -> bool {
    match value {
        Value::Real(_) => true,
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

/// The type that an element has once loaded.
pub(crate) fn elem_kind(elem: Elem) -> Kind {
    match elem {
        Elem::F32 | Elem::F64 => Kind::Real(elem),
        Elem::U32 => Kind::Int(IntTy::U32),
        Elem::I32 => Kind::Int(IntTy::I32),
        Elem::U64 => Kind::Int(IntTy::U64),
        Elem::Bool => Kind::Bool,
    }
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
        | Op::Detach => a,
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
    use gdc_ir::program::{Buffer, BufferRole, Program};

    /// The text of a value over the `[16]` buffers `x`, `y` and the integers `n`.
    fn text(value: &Value) -> String {
        let buffer =
            |name: &str, elem| Buffer { name: name.into(), shape: vec![16], elem, role: BufferRole::Temp, range: None };
        let program = Program {
            buffers: vec![buffer("x", Elem::F32), buffer("y", Elem::F32), buffer("n", Elem::U32)],
            ..Program::default()
        };
        let mut scope = Scope::new(&program, Elem::F32);
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
