//! The samples of one batch: how they are given, checked and copied.

use crate::Context;
use crate::kernel::sample_type;
use crate::layout::{Field, aligned, given_names, zeros};
use crate::model::flat;
use crate::types::count;
use gdc_ir::program::{Buffer, BufferId, BufferRole, Elem, Program};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

/// An input or target of training.
pub(crate) struct Sampled<'a> {
    pub(crate) id: BufferId,
    pub(crate) name: Ident,
    pub(crate) buffer: &'a Buffer,
    /// The type of one sample.
    pub(crate) ty: TokenStream,
    /// The shape of one sample.
    pub(crate) shape: &'a [usize],
    /// Samples in a batch.
    pub(crate) batch: Literal,
    /// Samples in a part of one; those of a batch where it has no parts.
    pub(crate) part: Literal,
}

impl Sampled<'_> {
    /// `image: &[[[f32; 8]; 8]]`
    pub(crate) fn slice_parameter(&self) -> TokenStream {
        let (name, ty) = (&self.name, &self.ty);
        quote!(#name: &[#ty],)
    }

    /// `image: &[[[f32; 8]; 8]; 32]`
    pub(crate) fn array_parameter(&self) -> TokenStream {
        let (name, ty, batch) = (&self.name, &self.ty, &self.batch);
        quote!(#name: &[#ty; #batch],)
    }

    /// The same of a part of a batch.
    pub(crate) fn part_parameter(&self) -> TokenStream {
        let (name, ty, part) = (&self.name, &self.ty, &self.part);
        quote!(#name: &[#ty; #part],)
    }

    /// The same for a function that does not look at it.
    pub(crate) fn unused_parameter(&self) -> TokenStream {
        let (name, ty, batch) = (format_ident!("_{}", self.name), &self.ty, &self.batch);
        quote!(#name: &[#ty; #batch],)
    }

    fn is_real(&self) -> bool {
        matches!(self.buffer.elem, Elem::F32 | Elem::F64)
    }

    fn width(&self) -> usize {
        count(self.shape)
    }
}

/// Inputs, then targets.
pub(crate) fn sampled(program: &Program) -> Vec<Sampled<'_>> {
    let names = given_names(program);
    let batched = program.batch.is_some();
    let of = |role: BufferRole| {
        program.buffers().filter(move |(_, b)| b.role == role).filter_map(|(id, buffer)| {
            let shape = if batched { buffer.shape.get(1..).unwrap_or(&[]) } else { buffer.shape.as_slice() };
            let batch = Literal::usize_unsuffixed(program.samples().unwrap_or(1));
            let part = Literal::usize_unsuffixed(program.batch.unwrap_or(1));
            let (name, ty) = (names.get(&id)?.clone(), sample_type(buffer, batched));
            Some(Sampled { id, name, buffer, ty, shape, batch, part })
        })
    };
    of(BufferRole::Input).chain(of(BufferRole::Target)).collect()
}

/// `(a, b)`, or `a` alone.
pub(crate) fn tuple(parts: &[TokenStream]) -> TokenStream {
    match parts {
        [one] => one.clone(),
        many => quote!((#(#many),*)),
    }
}

/// `&'a [[[f32; 8]; 8]; 32]` for each.
pub(crate) fn references(sampled: &[Sampled<'_>]) -> Vec<TokenStream> {
    sampled
        .iter()
        .map(|s| {
            let (ty, batch) = (&s.ty, &s.batch);
            quote!(&'a [#ty; #batch])
        })
        .collect()
}

impl Context<'_> {
    /// Inputs, then targets.
    pub(crate) fn functions_given(&self) -> &[Sampled<'_>] {
        &self.sampled
    }

    /// The struct that partial batches are copied to, and what checks samples.
    pub(crate) fn batch(&self) -> TokenStream {
        let sampled = self.functions_given();
        let Some(first) = sampled.first() else { return TokenStream::new() };
        let rt = &self.rt;
        let (name, batch) = (&self.layout.types.batch, self.batch_literal());
        let fields: Vec<Field> = sampled
            .iter()
            .map(|s| Field {
                path: s.buffer.name.clone(),
                name: s.name.clone(),
                elem: s.buffer.elem,
                shape: [&[self.batch_size()], s.shape].concat(),
                learnt: false,
                later: Vec::new(),
            })
            .collect();
        let (align, zeros) = (aligned(&fields), zeros(&fields));
        let members = sampled.iter().map(|s| {
            let (name, ty) = (&s.name, &s.ty);
            quote!(#name: [#ty; #batch],)
        });
        let parameters: Vec<TokenStream> = sampled.iter().map(Sampled::slice_parameter).collect();
        let lead = &first.name;
        let names: Vec<&Ident> = sampled.iter().map(|s| &s.name).collect();
        let lengths = sampled.iter().skip(1).map(|s| {
            let (name, text) = (&s.name, &s.buffer.name);
            quote!(#rt::same_length(#text, samples, #name.len())?;)
        });
        let ranges = sampled.iter().map(|s| {
            let name = &s.name;
            let values =
                if s.shape.is_empty() { quote!(#name) } else { flat(&quote!(#name), s.shape.len() + 1, false) };
            self.check_range(s.buffer, &values, s.shape)
        });
        let lanes = self.lanes();
        let repeats = sampled.iter().map(|s| {
            let name = &s.name;
            quote!(#rt::repeat_first(&mut self.#name, samples);)
        });
        quote! {
            #[doc = " Room for the samples of one batch."]
            #[allow(dead_code)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #align
            struct #name { #(#members)* }
            #[allow(dead_code)]
            impl #name {
                const ZERO: Self = Self { #zeros };
                #[doc = " The number of samples, if they are what the model takes."]
                fn check(#(#parameters)*) -> ::core::result::Result<usize, #rt::Error> {
                    let samples = #lead.len();
                    #(#lengths)*
                    if samples == 0 {
                        return ::core::result::Result::Err(#rt::Error::Empty);
                    }
                    #(#ranges)*
                    ::core::result::Result::Ok(samples)
                }
                #[doc = " The same for the samples of one step."]
                fn check_step(#(#parameters)*) -> ::core::result::Result<usize, #rt::Error> {
                    let batch = #batch;
                    let given = #lead.len();
                    if given > batch {
                        return ::core::result::Result::Err(#rt::Error::TooManySamples { given, batch });
                    }
                    Self::check(#(#names),*)
                }
                #lanes
                #[doc = " Fills up the places after the samples loaded."]
                fn complete(&mut self, samples: usize) { #(#repeats)* }
            }
        }
    }

    /// `lanes`: a whole batch as it is, another one completed here.
    fn lanes(&self) -> TokenStream {
        let (rt, sampled) = (&self.rt, self.functions_given());
        let parameters = sampled.iter().map(|s| {
            let (name, ty) = (&s.name, &s.ty);
            quote!(#name: &'a [#ty],)
        });
        let names: Vec<TokenStream> = sampled
            .iter()
            .map(|s| {
                let n = &s.name;
                quote!(#n)
            })
            .collect();
        let some: Vec<TokenStream> = names.iter().map(|n| quote!(::core::option::Option::Some(#n))).collect();
        let chunks: Vec<TokenStream> = names.iter().map(|n| quote!(#n.first_chunk())).collect();
        let own: Vec<TokenStream> = names.iter().map(|n| quote!(&self.#n)).collect();
        let (pattern, whole, given, own) = (tuple(&some), tuple(&chunks), tuple(&names), tuple(&own));
        let ty = self.batch_types();
        quote! {
            #[doc = " All lanes of a batch: a full one as it is, else a copy whose missing"]
            #[doc = " lanes repeat the first sample."]
            fn lanes<'a>(&'a mut self, #(#parameters)*) -> #ty {
                if let #pattern = #whole {
                    return #given;
                }
                #(#rt::copy_samples(&mut self.#names, #names);)*
                #own
            }
        }
    }

    /// `load_flat`: one sample from numbers in a row.
    pub(crate) fn load_flat(&self) -> TokenStream {
        let (rt, number) = (&self.rt, self.number());
        let fill = |real: bool, from: &str| -> TokenStream {
            let from = crate::names::ident(from);
            self.functions_given()
                .iter()
                .filter(|s| s.is_real() == real)
                .map(|s| {
                    let (name, text) = (&s.name, &s.buffer.name);
                    let place = flat(&quote!(self.batch.#name[slot]), s.shape.len(), true);
                    let convert = match s.buffer.elem {
                        Elem::I32 => quote!(|x| x as i32),
                        Elem::F32 | Elem::F64 | Elem::U32 | Elem::U64 | Elem::Bool => quote!(|x| x),
                    };
                    quote!(#rt::take_numbers(#text, #place, &mut #from, #convert)?;)
                })
                .collect()
        };
        let (reals, integers) = (fill(true, "reals"), fill(false, "integers"));
        let pattern = |text: &str, used: bool| {
            let name = crate::names::ident(text);
            let unused = format_ident!("_{text}");
            if used { quote!(mut #name) } else { quote!(#unused) }
        };
        let slot = if reals.is_empty() && integers.is_empty() { quote!(_slot) } else { quote!(slot) };
        let (p, q) = (pattern("reals", !reals.is_empty()), pattern("integers", !integers.is_empty()));
        let checks: TokenStream = self.functions_given().iter().map(|s| self.check_sample(s, &quote!(0))).collect();
        quote! {
            fn load_flat(&mut self, #slot: usize, #p: &[#number], #q: &[u32]) -> ::core::result::Result<(), #rt::Error> {
                #reals
                #integers
                #checks
                ::core::result::Result::Ok(())
            }
        }
    }

    /// Checks the integers of the sample at place `slot`.
    pub(crate) fn check_sample(&self, s: &Sampled<'_>, sample: &TokenStream) -> TokenStream {
        let Some((low, high)) = s.buffer.range else { return TokenStream::new() };
        if s.is_real() {
            return TokenStream::new();
        }
        let (rt, name, text) = (&self.rt, &s.name, &s.buffer.name);
        let values = flat(&quote!(self.batch.#name[slot]), s.shape.len(), false);
        let (low, high) = (crate::code::Code::int(low).tokens, crate::code::Code::int(high).tokens);
        quote!(#rt::sample_in_range(#text, #sample, #values, #low..#high)?;)
    }

    /// Numbers per sample: reals, integers.
    pub(crate) fn widths(&self) -> (usize, usize) {
        let sum = |real: bool| self.functions_given().iter().filter(|s| s.is_real() == real).map(Sampled::width).sum();
        (sum(true), sum(false))
    }
}
