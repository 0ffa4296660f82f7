//! Values as Rust expressions.

use crate::code::{Code, IntTy, Kind, Prec};
use crate::linear::Linear;
use crate::scope::{Form, Scope};
use gdc_ir::expr::Dist;
use gdc_ir::ops::Red;
use gdc_ir::program::{BufferId, Elem, Index, LANES, Local, LocalTy, Value, lane_axis};
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use std::collections::BTreeMap;

/// Where lanes lie.
pub(crate) struct Row {
    /// A reference to an array, or to a slice where axes of extent 1 are in between.
    pub(crate) row: TokenStream,
    /// The place of the first lane in it.
    pub(crate) at: Code,
    /// The length of the array, if it is one.
    pub(crate) whole: Option<usize>,
}

impl Scope<'_> {
    /// A value, its reals of the kernel's type.
    pub(crate) fn value(&self, value: &Value) -> Code {
        self.value_as(value, self.real)
    }

    /// A value, its real literals and loads of type `real`.
    pub(crate) fn value_as(&self, value: &Value, real: Elem) -> Code {
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

    /// The row that lanes lie in, as a shared or unique reference, and where in it.
    pub(crate) fn row(&self, buffer: BufferId, at: &[Index], unique: bool) -> Row {
        let name = self.buffer_name(buffer);
        let shape = &self.program.buffer(buffer).shape;
        let (outer, first, units) = self.lane_place(shape, at);
        let length = lane_axis(shape).map_or(1, |k| shape[k]);
        let outer = self.brackets(outer, shape);
        let flat = if unique { quote!(.as_flattened_mut()) } else { quote!(.as_flattened()) };
        let flat: TokenStream = std::iter::repeat_n(flat, units).collect();
        let row = match (units, outer.is_empty() && self.form(buffer) != Form::Owned, unique) {
            (0, true, _) => quote!(#name),
            (0, false, true) => quote!(&mut #name #outer),
            (0, false, false) => quote!(&#name #outer),
            _ => quote!(#name #outer #flat),
        };
        Row { row, at: first, whole: (units == 0).then_some(length) }
    }

    /// The place of lanes: the indices before the axis of lanes, the one along it, and how many
    /// axes of extent 1 follow.
    fn lane_place<'i>(&self, shape: &[usize], at: &'i [Index]) -> (&'i [Index], Code, usize) {
        match lane_axis(shape).and_then(|k| Some((at.get(..k)?, at.get(k)?))) {
            Some((outer, first)) => (outer, self.index(first), at.len() - 1 - outer.len()),
            None => (at, Code::int(0), 0),
        }
    }

    fn load_lanes(&self, buffer: BufferId, at: &[Index], valid: usize) -> Code {
        let elem = self.program.buffer(buffer).elem;
        if !matches!(elem, Elem::F32) {
            return self.load_other_lanes(buffer, at, valid);
        }
        if valid < LANES
            && let Some((row, at)) = self.flat(buffer, at)
        {
            let (at, n) = (at.tokens, Literal::usize_unsuffixed(valid));
            return Code::atom(quote!(F32x16::load_some_at::<#n>(simd, #row, #at)), Kind::Lanes);
        }
        let Row { row, at, whole } = self.row(buffer, at, false);
        let whole = at.literal == Some(0) && whole == Some(valid);
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

    /// All elements of a buffer of several rows as a slice, and the place in it.
    fn flat(&self, buffer: BufferId, at: &[Index]) -> Option<(TokenStream, Code)> {
        let shape = &self.program.buffer(buffer).shape;
        if lane_axis(shape).is_none_or(|k| shape[..k].iter().all(|&n| n == 1)) {
            return None;
        }
        let mut stride = 1;
        let (mut terms, mut constant) = (BTreeMap::new(), 0);
        for (index, &n) in at.iter().zip(shape).rev() {
            let Index::Affine { terms: own, constant: from } = index else { return None };
            for (var, c) in own {
                *terms.entry(*var).or_insert(0) += stride * c;
            }
            constant += stride * from;
            stride *= n as i64;
        }
        let terms: Vec<_> = terms.into_iter().filter(|(_, c)| *c != 0).collect();
        let (name, flat) = (self.buffer_name(buffer), vec![quote!(.as_flattened()); shape.len() - 1]);
        Some((quote!(#name #(#flat)*), Linear::affine(&terms, constant).code(self, IntTy::Usize)))
    }

    /// Lanes from a buffer of integers or truth values.
    fn load_other_lanes(&self, buffer: BufferId, at: &[Index], valid: usize) -> Code {
        let name = self.buffer_name(buffer);
        let shape = &self.program.buffer(buffer).shape;
        let (outer, start, units) = self.lane_place(shape, at);
        let outer = self.brackets(outer, shape);
        let inner: TokenStream = std::iter::repeat_n(quote!([0]), units).collect();
        let lane = Code::atom(quote!(lane), Kind::Int(IntTy::Usize));
        let place = if start.literal == Some(0) {
            lane.clone()
        } else {
            start.infix(quote!(+), &lane, Prec::Sum, Kind::Int(IntTy::Usize))
        };
        let place = place.tokens;
        let element = Code::atom(quote!(#name #outer [#place] #inner), elem_kind(self.program.buffer(buffer).elem));
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
        let site = self.site_name(site);
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

/// A site of random draws as an argument.
pub(crate) fn site_literal(site: u64) -> TokenStream {
    if site < 1000 { site.to_string() } else { format!("{site:#x}") }.parse().unwrap_or_default()
}
