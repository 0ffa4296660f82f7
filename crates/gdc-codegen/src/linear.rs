//! Integer arithmetic without a sign: sums of multiples of loop variables and other naturals,
//! rearranged so that nothing below zero is ever formed.

use crate::code::{Code, IntTy, Kind, Prec};
use crate::scope::Scope;
use gdc_ir::ops::Op;
use gdc_ir::program::{Index, LoopVar, Value};
use quote::quote;

/// One term: a loop variable or some other natural.
#[derive(Clone, Debug)]
enum Atom {
    Var(LoopVar),
    Other(Code),
}

impl Atom {
    fn same(&self, other: &Atom) -> bool {
        match (self, other) {
            (Atom::Var(a), Atom::Var(b)) => a == b,
            (Atom::Other(a), Atom::Other(b)) => a.tokens.to_string() == b.tokens.to_string(),
            (Atom::Var(_), Atom::Other(_)) | (Atom::Other(_), Atom::Var(_)) => false,
        }
    }

    fn code(&self, scope: &Scope<'_>) -> Code {
        match self {
            Atom::Var(v) => {
                let name = scope.var_name(*v);
                Code::atom(quote!(#name), Kind::Int(IntTy::Usize))
            }
            Atom::Other(code) => code.clone(),
        }
    }
}

/// `constant + sum of coefficient * atom`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Linear {
    terms: Vec<(Atom, i64)>,
    constant: i64,
}

impl Linear {
    pub(crate) fn affine(terms: &[(LoopVar, i64)], constant: i64) -> Self {
        Linear { terms: terms.iter().map(|&(v, c)| (Atom::Var(v), c)).collect(), constant }
    }

    /// Whether no part is negative.
    pub(crate) fn is_natural(&self) -> bool {
        self.constant >= 0 && self.terms.iter().all(|(_, c)| *c > 0)
    }

    fn is_zero(&self) -> bool {
        self.terms.is_empty() && self.constant == 0
    }

    fn add(&mut self, other: &Linear, scale: i64) -> Option<()> {
        for (atom, c) in &other.terms {
            let c = c.checked_mul(scale)?;
            match self.terms.iter_mut().find(|(a, _)| a.same(atom)) {
                Some((_, d)) => *d = d.checked_add(c)?,
                None => self.terms.push((atom.clone(), c)),
            }
        }
        self.terms.retain(|(_, c)| *c != 0);
        self.constant = self.constant.checked_add(other.constant.checked_mul(scale)?)?;
        Some(())
    }

    /// The linear form of an integer value all of whose atoms are natural.
    fn of(scope: &Scope<'_>, value: &Value) -> Option<Linear> {
        match value {
            Value::Int(Index::Affine { terms, constant }) => Some(Linear::affine(terms, *constant)),
            Value::Int(Index::Value(inner)) => Linear::of(scope, inner),
            Value::Op(op @ (Op::Add | Op::Sub), args) if args.len() == 2 => {
                let mut sum = Linear::of(scope, &args[0])?;
                sum.add(&Linear::of(scope, &args[1])?, if *op == Op::Add { 1 } else { -1 })?;
                Some(sum)
            }
            Value::Load(..) | Value::Local(..) | Value::Op(..) => {
                let code = scope.value(value);
                match code.kind {
                    Kind::Int(ty) if !ty.signed() => Some(Linear { terms: vec![(Atom::Other(code), 1)], constant: 0 }),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What is positive, and what is negative with its sign turned.
    fn split(self) -> (Linear, Linear) {
        let (mut left, mut right) = (Linear::default(), Linear::default());
        for (atom, c) in self.terms {
            if c > 0 { left.terms.push((atom, c)) } else { right.terms.push((atom, c.saturating_neg())) }
        }
        if self.constant > 0 {
            left.constant = self.constant;
        } else {
            right.constant = self.constant.saturating_neg();
        }
        (left, right)
    }

    /// The smallest unsigned type for all its atoms.
    fn ty(&self, scope: &Scope<'_>) -> Option<IntTy> {
        self.terms
            .iter()
            .map(|(a, _)| match a.code(scope).kind {
                Kind::Int(ty) => ty,
                _ => IntTy::Usize,
            })
            .reduce(IntTy::common)
    }

    /// Positive parts first, so that a sum which is not negative never passes below zero.
    pub(crate) fn code(&self, scope: &Scope<'_>, ty: IntTy) -> Code {
        let kind = Kind::Int(ty);
        let term = |atom: &Atom, c: i64| {
            let atom = atom.code(scope).cast(kind);
            if c == 1 { atom } else { Code::int(c).infix(quote!(*), &atom, Prec::Product, kind) }
        };
        let mut sum: Option<Code> = None;
        let mut push = |code: Code, negative: bool| {
            sum = Some(match sum.take() {
                None if negative => code.prefix(quote!(-)),
                None => code,
                Some(s) if negative => s.infix(quote!(-), &code, Prec::Sum, kind),
                Some(s) => s.infix(quote!(+), &code, Prec::Sum, kind),
            });
        };
        for (atom, c) in self.terms.iter().filter(|(_, c)| *c > 0) {
            push(term(atom, *c), false);
        }
        if self.constant > 0 {
            push(Code::int(self.constant).cast(kind), false);
        }
        for (atom, c) in self.terms.iter().filter(|(_, c)| *c < 0) {
            push(term(atom, c.saturating_neg()), true);
        }
        if self.constant < 0 {
            push(Code::int(self.constant.saturating_neg()).cast(kind), true);
        }
        sum.unwrap_or_else(|| Code::int(0).cast(kind))
    }
}

/// A comparison of two integers by unsigned arithmetic alone: what is negative on one side is
/// moved to the other. `None` where a part has a signed type, or is no integer.
pub(crate) fn compare(scope: &Scope<'_>, op: Op, a: &Value, b: &Value) -> Option<Code> {
    let mut difference = Linear::of(scope, a)?;
    difference.add(&Linear::of(scope, b)?, -1)?;
    let ty = difference.ty(scope);
    let (mut left, mut right) = difference.split();
    let Some(ty) = ty else {
        let (l, r) = (left.constant, right.constant);
        let holds = match op {
            Op::Eq => l == r,
            Op::Ne => l != r,
            Op::Lt => l < r,
            _ => l <= r,
        };
        return Some(Code::atom(quote!(#holds), Kind::Bool));
    };
    let mut strict = op == Op::Lt;
    if matches!(op, Op::Lt | Op::Le) {
        if strict && right.is_zero() {
            return Some(Code::atom(quote!(false), Kind::Bool));
        }
        if !strict && left.is_zero() {
            return Some(Code::atom(quote!(true), Kind::Bool));
        }
        // `a < b + 1` is `a <= b`, and `a + 1 <= b` is `a < b`.
        if strict && right.constant == 1 && !right.terms.is_empty() {
            (right.constant, strict) = (0, false);
        } else if !strict && left.constant == 1 && !left.terms.is_empty() {
            (left.constant, strict) = (0, true);
        }
    }
    let flip = left.terms.is_empty();
    let (l, r) = if flip {
        (right.code(scope, ty), left.code(scope, ty))
    } else {
        (left.code(scope, ty), right.code(scope, ty))
    };
    let sign = match (op, strict, flip) {
        (Op::Eq, ..) => quote!(==),
        (Op::Ne, ..) => quote!(!=),
        (_, true, false) => quote!(<),
        (_, true, true) => quote!(>),
        (_, false, false) if right.is_zero() => quote!(==),
        (_, false, false) => quote!(<=),
        (_, false, true) => quote!(>=),
    };
    Some(l.infix(sign, &r, Prec::Compare, Kind::Bool))
}
