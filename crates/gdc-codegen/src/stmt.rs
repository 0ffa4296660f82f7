//! Statements of a kernel.

use crate::code::{Code, IntTy, Kind, Prec};
use crate::scope::Scope;
use crate::value::{Row, elem_kind};
use gdc_ir::ops::Op;
use gdc_ir::program::{BufferId, Elem, Index, LANES, Local, LocalTy, Place, Stmt, Value};
use gdc_ir::uses::Uses;
use proc_macro2::{Literal, TokenStream};
use quote::quote;

impl Scope<'_> {
    /// A block's statements. `uses` is of the whole kernel.
    pub(crate) fn stmts(&mut self, body: &[Stmt], uses: &Uses) -> TokenStream {
        let mark = self.namer.enter();
        let tokens = body.iter().map(|s| self.stmt(s, uses)).collect();
        self.namer.leave(mark);
        tokens
    }

    fn stmt(&mut self, stmt: &Stmt, uses: &Uses) -> TokenStream {
        match stmt {
            Stmt::For { var, extent, body } => {
                let mark = self.namer.enter();
                let name = self.add_var(*var);
                let extent = Literal::usize_unsuffixed(*extent);
                let body_tokens = self.stmts(body, uses);
                self.namer.leave(mark);
                if Uses::of(body).vars.contains(var) {
                    quote!(for #name in 0..#extent { #body_tokens })
                } else {
                    quote!(for _ in 0..#extent { #body_tokens })
                }
            }
            Stmt::Let { local, value } => {
                if !uses.locals.contains(local) {
                    return TokenStream::new();
                }
                let value = self.for_local(*local, value).tokens;
                let name = self.add_local(*local);
                quote!(let #name = #value;)
            }
            Stmt::Var { local, init } => {
                if !uses.locals.contains(local) && !uses.assigned.contains(local) {
                    return TokenStream::new();
                }
                let init = self.for_local(*local, init).tokens;
                let init = nested(&init, &self.program.local(*local).dims);
                let name = self.add_local(*local);
                let mutable = uses.assigned.contains(local).then(|| quote!(mut));
                quote!(let #mutable #name = #init;)
            }
            Stmt::Set { place, value } => self.set(place, value),
            Stmt::Add { place, value } => self.add(place, value),
            Stmt::Transpose(local) => {
                let name = self.local_name(*local);
                quote!(#name = rt::transpose(#name);)
            }
            Stmt::If { condition, body } => {
                let condition = self.value(condition).tokens;
                let body = self.stmts(body, uses);
                quote!(if #condition { #body })
            }
        }
    }

    /// A value of the type that a local has.
    fn for_local(&self, local: Local, value: &Value) -> Code {
        let code = self.value(value);
        match self.program.local(local).ty {
            LocalTy::Lanes => self.lanes(&code),
            LocalTy::Int => code.cast(Kind::Int(IntTy::Usize)),
            LocalTy::Real => code.cast(Kind::Real(self.real)),
            LocalTy::Bool => code,
        }
    }

    /// A value of the type that a buffer's elements have.
    fn for_buffer(&self, buffer: BufferId, value: &Value) -> Code {
        let code = self.value(value);
        let elem = self.program.buffer(buffer).elem;
        match (elem, code.kind) {
            (Elem::F32 | Elem::F64, Kind::Bool) => self.to_real(&code, elem),
            _ => code.cast(elem_kind(elem)),
        }
    }

    fn set(&self, place: &Place, value: &Value) -> TokenStream {
        if let Some((op, rest)) = self.assigning(place, value) {
            return self.assign(place, quote!(#op), rest);
        }
        match place {
            Place::Lanes(buffer, at, valid) => self.store(*buffer, at, *valid, &self.lanes(&self.value(value))),
            Place::Local(..) | Place::Element(..) => self.assign(place, quote!(=), value),
        }
    }

    fn add(&self, place: &Place, value: &Value) -> TokenStream {
        match place {
            Place::Lanes(buffer, at, valid) => {
                let old = self.value(&Value::LoadLanes(*buffer, at.clone(), *valid));
                let sum = old.infix(quote!(+), &self.lanes(&self.value(value)), Prec::Sum, Kind::Lanes);
                self.store(*buffer, at, *valid, &sum)
            }
            Place::Local(..) | Place::Element(..) => match value {
                Value::Op(Op::Neg, args) if args.len() == 1 => self.assign(place, quote!(-=), &args[0]),
                _ => self.assign(place, quote!(+=), value),
            },
        }
    }

    /// `place op value;`
    fn assign(&self, place: &Place, op: TokenStream, value: &Value) -> TokenStream {
        let (place, value) = match place {
            Place::Local(local, at) => {
                let (name, at) = (self.local_name(*local), self.brackets(at, &self.program.local(*local).dims));
                (quote!(#name #at), self.for_local(*local, value))
            }
            Place::Element(buffer, at) | Place::Lanes(buffer, at, _) => {
                (self.place(*buffer, at), self.for_buffer(*buffer, value))
            }
        };
        let value = value.tokens;
        quote!(#place #op #value;)
    }

    /// `p = p + e` as `p += e`, and so on.
    fn assigning<'v>(&self, place: &Place, value: &'v Value) -> Option<(TokenStream, &'v Value)> {
        let Value::Op(op, args) = value else { return None };
        let [first, second] = args.as_slice() else { return None };
        let same = |value: &Value| match (place, value) {
            (Place::Local(a, i), Value::Local(b, j)) => a == b && i == j,
            (Place::Element(a, i), Value::Load(b, j)) => {
                a == b && i == j && elem_kind(self.program.buffer(*a).elem) == Kind::Real(self.real)
            }
            _ => false,
        };
        let sign = match op {
            Op::Add => quote!(+=),
            Op::Sub => quote!(-=),
            Op::Mul => quote!(*=),
            Op::Div => quote!(/=),
            _ => return None,
        };
        if same(first) {
            Some((sign, second))
        } else if op.commutes() && same(second) {
            Some((sign, first))
        } else {
            None
        }
    }

    fn store(&self, buffer: BufferId, at: &[Index], valid: usize, value: &Code) -> TokenStream {
        let Row { row, at, whole } = self.row(buffer, at, true);
        let whole = at.literal == Some(0) && whole == Some(valid);
        let (value, at) = (value.at(Prec::Atom), at.tokens);
        let n = Literal::usize_unsuffixed(valid);
        match (valid >= LANES, whole) {
            (true, true) => quote!(#value.store(#row);),
            (true, false) => quote!(#value.store_at(#row, #at);),
            (false, true) => quote!(#value.store_head(#row);),
            (false, false) => quote!(#value.store_head_at::<#n>(#row, #at);),
        }
    }
}

/// `[[element; 2]; 8]` for the dims `[8, 2]`.
pub(crate) fn nested(element: &TokenStream, dims: &[usize]) -> TokenStream {
    dims.iter().rev().fold(element.clone(), |inner, &n| {
        let n = Literal::usize_unsuffixed(n);
        quote!([#inner; #n])
    })
}
