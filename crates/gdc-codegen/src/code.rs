//! Pieces of expressions: tokens with what is needed to put them into others with no more
//! parentheses and casts than Rust asks for.

use gdc_ir::program::Elem;
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// How tightly an expression binds; an operand that binds less tightly than its place asks
/// for gets parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Prec {
    /// `if c { a } else { b }`
    If,
    /// `a || b`
    Or,
    /// `a && b`
    And,
    /// `a < b`
    Compare,
    /// `a | b` and `a & b` on masks, which are never mixed without parentheses
    Bits,
    /// `a + b`
    Sum,
    /// `a * b`
    Product,
    /// `a as T`
    Cast,
    /// `-a`
    Unary,
    /// Names, literals, calls, indexing.
    Atom,
}

/// The Rust type of an integer expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IntTy {
    Usize,
    U32,
    U64,
    I32,
    I64,
}

impl IntTy {
    pub(crate) fn tokens(self) -> TokenStream {
        match self {
            IntTy::Usize => quote!(usize),
            IntTy::U32 => quote!(u32),
            IntTy::U64 => quote!(u64),
            IntTy::I32 => quote!(i32),
            IntTy::I64 => quote!(i64),
        }
    }

    pub(crate) fn signed(self) -> bool {
        matches!(self, IntTy::I32 | IntTy::I64)
    }

    /// A type that holds the values of both.
    pub(crate) fn common(self, other: IntTy) -> IntTy {
        if self == other {
            self
        } else if self.signed() || other.signed() {
            IntTy::I64
        } else if self == IntTy::U64 || other == IntTy::U64 {
            IntTy::U64
        } else {
            IntTy::Usize
        }
    }
}

/// The type of an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `f32` or `f64`.
    Real(Elem),
    /// 16 lanes.
    Lanes,
    /// 16 truth values.
    Mask,
    Bool,
    Int(IntTy),
}

/// An expression.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) tokens: TokenStream,
    pub(crate) prec: Prec,
    pub(crate) kind: Kind,
    /// The value of an integer literal, which fits any integer type.
    pub(crate) literal: Option<i64>,
    /// Whether the last token ends a type, so that a `<` after it would open generics.
    pub(crate) ends_in_type: bool,
}

impl Code {
    pub(crate) fn new(tokens: TokenStream, prec: Prec, kind: Kind) -> Self {
        Code { tokens, prec, kind, literal: None, ends_in_type: false }
    }

    pub(crate) fn atom(tokens: TokenStream, kind: Kind) -> Self {
        Code::new(tokens, Prec::Atom, kind)
    }

    /// An integer literal.
    pub(crate) fn int(value: i64) -> Self {
        let magnitude = Literal::u64_unsuffixed(value.unsigned_abs());
        let (tokens, prec, ty) = if value < 0 {
            (quote!(-#magnitude), Prec::Unary, IntTy::I64)
        } else {
            (quote!(#magnitude), Prec::Atom, IntTy::Usize)
        };
        Code { literal: Some(value), ..Code::new(tokens, prec, Kind::Int(ty)) }
    }

    /// A real literal, the shortest that reads back as the same number of type `elem`.
    pub(crate) fn real(value: f64, elem: Elem) -> Self {
        let ty = real_ty(elem);
        let special = if value.is_nan() {
            Some(quote!(#ty::NAN))
        } else if value.is_infinite() || (elem == Elem::F32 && (value as f32).is_infinite()) {
            Some(if value > 0.0 { quote!(#ty::INFINITY) } else { quote!(#ty::NEG_INFINITY) })
        } else {
            None
        };
        if let Some(tokens) = special {
            return Code::atom(tokens, Kind::Real(elem));
        }
        let text = match elem {
            Elem::F64 => format!("{:?}", value.abs()),
            Elem::F32 | Elem::U32 | Elem::I32 | Elem::U64 | Elem::Bool => {
                format!("{:?}", (value as f32).abs())
            }
        };
        let magnitude: TokenStream = text.parse().unwrap_or_default();
        if value < 0.0 {
            Code::new(quote!(-#magnitude), Prec::Unary, Kind::Real(elem))
        } else {
            Code::atom(magnitude, Kind::Real(elem))
        }
    }

    /// The tokens, in parentheses if they bind less tightly than `least`.
    pub(crate) fn at(&self, least: Prec) -> TokenStream {
        let tokens = &self.tokens;
        if self.prec < least { quote!((#tokens)) } else { quote!(#tokens) }
    }

    /// As the left side of an operator whose first character is `<`.
    pub(crate) fn before_less(&self, least: Prec) -> TokenStream {
        let tokens = &self.tokens;
        if self.ends_in_type { quote!((#tokens)) } else { self.at(least) }
    }

    /// `self op right`, an operator that associates to the left.
    pub(crate) fn infix(&self, op: TokenStream, right: &Code, prec: Prec, kind: Kind) -> Code {
        let tighter = match prec {
            Prec::Sum => Prec::Product,
            Prec::Product => Prec::Cast,
            Prec::Bits => Prec::Sum,
            Prec::Compare => Prec::Bits,
            Prec::And => Prec::Compare,
            Prec::Or => Prec::And,
            Prec::If | Prec::Cast | Prec::Unary | Prec::Atom => Prec::Atom,
        };
        // Comparisons do not associate at all, and masks read better with parentheses.
        let least = if matches!(prec, Prec::Compare | Prec::Bits) { tighter } else { prec };
        let (a, b) = (self.before_less_if(prec == Prec::Compare, least), right.at(tighter));
        let mut code = Code::new(quote!(#a #op #b), prec, kind);
        code.ends_in_type = right.ends_in_type && right.prec >= tighter;
        code
    }

    fn before_less_if(&self, condition: bool, least: Prec) -> TokenStream {
        if condition { self.before_less(least) } else { self.at(least) }
    }

    /// `-self` or `!self`.
    pub(crate) fn prefix(&self, op: TokenStream) -> Code {
        let operand = self.at(Prec::Unary);
        Code::new(quote!(#op #operand), Prec::Unary, self.kind)
    }

    /// `self as T`, or itself where it is of that type.
    pub(crate) fn cast(&self, kind: Kind) -> Code {
        if self.kind == kind {
            return self.clone();
        }
        let ty = match kind {
            Kind::Int(ty) => {
                if let Some(value) = self.literal {
                    return Code { kind, ..Code::int(value) };
                }
                ty.tokens()
            }
            Kind::Real(elem) => {
                if let Some(value) = self.literal {
                    return Code::real(value as f64, elem);
                }
                real_ty(elem)
            }
            Kind::Lanes | Kind::Mask | Kind::Bool => return self.clone(),
        };
        let operand = self.at(Prec::Cast);
        let mut code = Code::new(quote!(#operand as #ty), Prec::Cast, kind);
        code.ends_in_type = true;
        code
    }
}

/// `f32` or `f64`.
pub(crate) fn real_ty(elem: Elem) -> TokenStream {
    match elem {
        Elem::F64 => quote!(f64),
        Elem::F32 | Elem::U32 | Elem::I32 | Elem::U64 | Elem::Bool => quote!(f32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Code {
        Code::atom(text.parse().unwrap(), Kind::Real(Elem::F32))
    }

    #[test]
    fn parentheses_stand_only_where_needed() {
        let kind = Kind::Real(Elem::F32);
        let sum = name("a").infix(quote!(+), &name("b"), Prec::Sum, kind);
        let product = sum.infix(quote!(*), &name("c"), Prec::Product, kind);
        assert_eq!(product.tokens.to_string(), "(a + b) * c");
        let left = sum.infix(quote!(-), &name("c"), Prec::Sum, kind);
        assert_eq!(left.tokens.to_string(), "a + b - c");
        let right = name("c").infix(quote!(-), &sum, Prec::Sum, kind);
        assert_eq!(right.tokens.to_string(), "c - (a + b)");
        let cast = name("i").cast(Kind::Int(IntTy::Usize));
        let less = cast.infix(quote!(<), &name("n"), Prec::Compare, Kind::Bool);
        assert_eq!(less.tokens.to_string(), "(i as usize) < n");
    }

    #[test]
    fn literals_are_the_shortest() {
        let text = |v, e| Code::real(v, e).tokens.to_string();
        assert_eq!(text(0.1, Elem::F32), "0.1");
        assert_eq!(text(f64::from(0.1_f32), Elem::F64), "0.10000000149011612");
        assert_eq!(text(1e-8, Elem::F32), "1e-8");
        assert_eq!(text(-2.0, Elem::F64), "- 2.0");
        assert_eq!(text(f64::NEG_INFINITY, Elem::F32), "f32 :: NEG_INFINITY");
        assert_eq!(text(1e300, Elem::F32), "f32 :: INFINITY");
    }
}
