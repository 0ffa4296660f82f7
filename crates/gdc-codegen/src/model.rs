//! The model: its parameters, how they begin, and `predict`.

use crate::kernel::{doc_lines, mentions};
use crate::layout::{Field, aligned, zeros};
use crate::names::{is_camel, is_snake};
use crate::routines::Access;
use crate::types::{buffer_type, shape_words, zero};
use crate::{Context, Runtime, cost};
use gdc_ir::program::{Buffer, BufferId, BufferRole};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;
use std::collections::BTreeSet;

impl Context<'_> {
    /// The model's type with all that it can do.
    pub(crate) fn model(&self) -> TokenStream {
        let types = &self.layout.types;
        let name = &types.model;
        let fields = &self.layout.model;
        let docs = self.model_docs();
        let allow = allow_names(name, fields);
        let align = aligned(fields);
        let members = fields.iter().map(|f| {
            let (field, ty) = (&f.name, f.ty());
            let what = if f.learnt { "" } else { " Kept by training." };
            let doc = format!(" `{}`: {}.{what}", f.path, shape_words(&f.shape));
            quote!(#[doc = #doc] pub #field: #ty,)
        });
        let zeros = zeros(fields);
        let operations = cost::operations_of_predict(self.programs);
        let operations = (operations > 0).then(|| {
            let n = Literal::u64_unsuffixed(operations);
            quote! {
                #[doc = " Arithmetic operations of `predict`."]
                pub const OPERATIONS: u64 = #n;
            }
        });
        let parameters = Literal::usize_unsuffixed(cost::parameters(self.programs));
        let (new, init) = (self.new_docs(), self.init());
        let predict = self.predict();
        let (output, impls) = (self.output(), self.model_impls());
        quote! {
            #docs
            #allow
            #[allow(dead_code)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::cmp::PartialEq)]
            #align
            pub struct #name { #(#members)* }
            #output
            #[allow(dead_code)]
            impl #name {
                #[doc = " The number of parameters."]
                pub const PARAMS: usize = #parameters;
                #operations
                #[doc = " All zeros: a place to load weights into."]
                pub const ZERO: Self = Self { #zeros };
                #new
                pub fn new(seed: u64) -> Self {
                    let mut model = Self::ZERO;
                    model.init(seed);
                    model
                }
                #init
                #predict
            }
            #impls
        }
    }

    fn model_docs(&self) -> TokenStream {
        let mut lines: Vec<String> = self
            .programs
            .docs
            .iter()
            .map(|line| format!(" {}", line.trim().replace(']', "\\]").replace('[', "\\[")))
            .collect();
        if lines.is_empty() {
            lines.push(format!(" The parameters of the model `{}`.", self.programs.name));
        }
        doc_lines(&lines)
    }

    fn new_docs(&self) -> TokenStream {
        doc_lines(&[" Initial values, the same for the same seed on every machine.".to_owned()])
    }

    /// `init`: initial values, in place.
    fn init(&self) -> TokenStream {
        let wanted = |b: &Buffer| self.layout.model_field(&b.name).is_some();
        let body = self.init_calls(&wanted, &quote!(self));
        let seed = seed_parameter(&body);
        quote! {
            #[doc = " Puts initial values in place of all parameters."]
            pub fn init(&mut self, #seed: u64) { #body }
        }
    }

    /// The calls of the initialiser that the wanted fields need. `model` holds the model.
    pub(crate) fn init_calls(&self, wanted: &dyn Fn(&Buffer) -> bool, model: &TokenStream) -> TokenStream {
        let init = &self.programs.init;
        let mut needed: BTreeSet<BufferId> = init.buffers().filter(|(_, b)| wanted(b)).map(|(id, _)| id).collect();
        let mut calls = Vec::new();
        let mut lanes = false;
        let mut variables: BTreeSet<BufferId> = BTreeSet::new();
        let access = |id: BufferId, buffer: &Buffer| {
            if let Some(field) = self.layout.model_field(&buffer.name) {
                let name = &field.name;
                Access::Place(quote!(#model.#name))
            } else if let Some(field) = self.layout.state_field(&buffer.name) {
                let name = &field.name;
                Access::Place(quote!(self.state.#name))
            } else if buffer.role == BufferRole::Counter {
                Access::Value(quote!(0))
            } else {
                Access::Place(variable(id, buffer))
            }
        };
        for f in self.functions.init.iter().rev() {
            if !f.arguments.iter().any(|(id, unique)| *unique && needed.contains(id)) {
                continue;
            }
            for (id, _) in &f.arguments {
                let buffer = init.buffer(*id);
                if buffer.role == BufferRole::Temp {
                    needed.insert(*id);
                    variables.insert(*id);
                }
            }
            lanes |= f.simd;
            calls.push(self.call(init, f, &access));
        }
        calls.reverse();
        let variables = variables.iter().map(|id| {
            let buffer = init.buffer(*id);
            let (name, ty, zero) = (variable(*id, buffer), buffer_type(buffer), zero(buffer.elem, &buffer.shape));
            quote!(let mut #name: #ty = #zero;)
        });
        // Kernels on lanes need an instruction set.
        let calls = match lanes {
            true => {
                let run = self.dispatch(true, quote!({ #(#calls)* }));
                quote!(#run;)
            }
            false => quote!(#(#calls)*),
        };
        quote!(#(#variables)* #calls)
    }

    /// The traits of the model, and what needs a heap.
    fn model_impls(&self) -> TokenStream {
        let name = &self.layout.types.model;
        let tensors = self.named_tensors(name, &self.layout.model);
        let boxed = self.boxed(name);
        quote!(#tensors #boxed)
    }

    /// The list of named tensors of a type.
    pub(crate) fn named_tensors(&self, name: &Ident, fields: &[Field]) -> TokenStream {
        let (rt, tensors) = (&self.rt, self.tensor_list(name, fields));
        quote!(#rt::named_tensors! { #tensors })
    }

    /// `Model of f32 { w: "h.w" [64, 10], }`
    pub(crate) fn tensor_list(&self, name: &Ident, fields: &[Field]) -> TokenStream {
        let number = self.number();
        let real = fields.iter().filter(|f| f.elem == self.precision());
        let tensors = real.map(|f| {
            let (field, path, shape) = (&f.name, &f.path, shape_literal(&f.shape));
            quote!(#field: #path [#shape],)
        });
        quote!(#name of #number { #(#tensors)* })
    }

    /// `boxed`, for models that are larger than a stack.
    pub(crate) fn boxed(&self, name: &Ident) -> TokenStream {
        if self.runtime != Runtime::Crate {
            return TokenStream::new();
        }
        let rt = &self.rt;
        quote! {
            #rt::with_alloc! {
                #[allow(dead_code)]
                impl #name {
                    #[doc = " Like `new`, on the heap: nothing of it ever stands on the stack."]
                    pub fn boxed(seed: u64) -> #rt::Box<Self> {
                        static ZERO: #rt::Zeros<#name> = #rt::Zeros::new(#name::ZERO);
                        let mut boxed = ZERO.boxed();
                        boxed.init(seed);
                        boxed
                    }
                }
            }
        }
    }
}

/// `seed`, or `_seed` where nothing is drawn.
pub(crate) fn seed_parameter(body: &TokenStream) -> TokenStream {
    if mentions(body, "seed") { quote!(seed) } else { quote!(_seed) }
}

/// A variable for a temporary of the initialiser.
fn variable(id: BufferId, buffer: &Buffer) -> TokenStream {
    let name = crate::names::ident(&format!("{}_{}", crate::names::local(&buffer.name), id.0));
    quote!(#name)
}

/// Attributes for names that are not in Rust's own style.
pub(crate) fn allow_names(name: &Ident, fields: &[Field]) -> TokenStream {
    let camel = is_camel(&name.to_string());
    let snake = fields.iter().all(|f| is_snake(&f.name.to_string()));
    let camel = (!camel).then(|| quote!(#[allow(non_camel_case_types)]));
    let snake = (!snake).then(|| quote!(#[allow(non_snake_case)]));
    quote!(#camel #snake)
}

/// `64, 10`
pub(crate) fn shape_literal(shape: &[usize]) -> TokenStream {
    let extents = shape.iter().map(|&n| Literal::usize_unsuffixed(n));
    quote!(#(#extents),*)
}

/// A tensor of any rank as a flat slice.
pub(crate) fn flat(place: &TokenStream, rank: usize, unique: bool) -> TokenStream {
    match (rank, unique) {
        (0, false) => quote!(::core::slice::from_ref(&#place)),
        (0, true) => quote!(::core::slice::from_mut(&mut #place)),
        (1, false) => quote!(&#place),
        (1, true) => quote!(&mut #place),
        (_, false) => (1..rank).fold(place.clone(), |flat, _| quote!(#flat.as_flattened())),
        (_, true) => (1..rank).fold(place.clone(), |flat, _| quote!(#flat.as_flattened_mut())),
    }
}
