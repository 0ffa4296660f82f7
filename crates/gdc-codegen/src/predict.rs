//! `predict` and entry points: results for one sample, with all temporaries on the stack.

use crate::Context;
use crate::kernel::Function;
use crate::kernel::sample_type;
use crate::layout::{Field, given_names};
use crate::model::allow_names;
use crate::names::{Namer, field, ident, local};
use crate::routines::Access;
use crate::types::{buffer_type, shape_words, zero};
use gdc_ir::program::{Buffer, BufferId, BufferRole, Elem, Program};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::BTreeMap;

/// What is computed for one sample: `predict`, an entry point, or a step of a stream.
pub(crate) struct Point<'a> {
    pub(crate) name: &'a str,
    pub(crate) program: &'a Program,
    pub(crate) functions: &'a [Function],
    pub(crate) doc: String,
    /// The type that several outputs share.
    pub(crate) output: &'a Ident,
    /// Where the parameters are.
    pub(crate) model: TokenStream,
    /// The fields of `self` that are kept from one call to the next.
    pub(crate) kept: Vec<(BufferId, Field)>,
}

impl Point<'_> {
    /// The type of what it gives.
    pub(crate) fn returns(&self, outputs: &[(BufferId, &Buffer, Field)]) -> TokenStream {
        match outputs {
            [(_, buffer, _)] => buffer_type(buffer),
            _ => {
                let name = self.output;
                quote!(#name)
            }
        }
    }

    /// The name of the method, with this at its end.
    pub(crate) fn method(&self, suffix: &str) -> Ident {
        method(self.name, suffix)
    }
}

pub(crate) fn method(name: &str, suffix: &str) -> Ident {
    ident(&local(&format!("{name}{suffix}")))
}

/// The name of the method of an entry point.
pub fn entry_method(name: &str) -> String {
    method(name, "").to_string()
}

/// An input of `predict`.
pub(crate) struct Given<'a> {
    pub(crate) name: Ident,
    pub(crate) buffer: &'a Buffer,
    /// Of one sample.
    pub(crate) ty: TokenStream,
}

/// The names of what `predict` gives in the struct that it returns, in the order of the
/// program's output buffers. A single output is returned without a struct.
pub fn output_fields(program: &Program) -> Vec<String> {
    let mut names = Namer::default();
    let outputs = program.buffers.iter().filter(|b| b.role == BufferRole::Output);
    outputs.map(|b| ident(&names.unique(&field(&b.name))).to_string()).collect()
}

impl Context<'_> {
    /// The inputs of `predict`, in order.
    pub(crate) fn predict_inputs<'p>(&self, predict: &'p Program) -> Vec<(BufferId, Given<'p>)> {
        let names = given_names(predict);
        predict
            .buffers()
            .filter(|(_, b)| b.role == BufferRole::Input)
            .filter_map(|(id, buffer)| {
                Some((id, Given { name: names.get(&id)?.clone(), buffer, ty: sample_type(buffer, false) }))
            })
            .collect()
    }

    /// The outputs, in order, with a field name for each.
    pub(crate) fn outputs<'p>(&self, predict: &'p Program) -> Vec<(BufferId, &'p Buffer, Field)> {
        let mut names = Namer::default();
        predict
            .buffers()
            .filter(|(_, b)| b.role == BufferRole::Output)
            .map(|(id, b)| {
                let name = ident(&names.unique(&field(&b.name)));
                let (path, elem, shape) = (b.name.clone(), b.elem, b.shape.clone());
                (id, b, Field { path, name, elem, shape, learnt: false, later: Vec::new() })
            })
            .collect()
    }

    /// The type that several outputs share.
    pub(crate) fn output(&self) -> TokenStream {
        let types = &self.layout.types;
        self.output_type(&self.programs.predict, &types.output, &format!("{}::predict", types.model))
    }

    /// The type that the several outputs of a program share, which a method gives.
    pub(crate) fn output_type(&self, program: &Program, name: &Ident, method: &str) -> TokenStream {
        let outputs = self.outputs(program);
        if outputs.len() < 2 {
            return TokenStream::new();
        }
        let doc = format!(" What [`{method}`] gives.");
        let fields: Vec<Field> = outputs.into_iter().map(|(_, _, f)| f).collect();
        let allow = allow_names(name, &fields);
        let members = fields.iter().map(|f| {
            let (field, ty) = (&f.name, f.ty());
            let doc = format!(" `{}`: {}.", f.path, shape_words(&f.shape));
            quote!(#[doc = #doc] pub #field: #ty,)
        });
        quote! {
            #[doc = #doc]
            #allow
            #[allow(dead_code)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::cmp::PartialEq)]
            pub struct #name { #(#members)* }
        }
    }

    /// `predict` and `predict_batch`, and the same for each entry point.
    pub(crate) fn predict(&self) -> TokenStream {
        let predict = Point {
            name: "predict",
            program: &self.programs.predict,
            functions: &self.functions.predict,
            doc: " The outputs for one sample.".to_owned(),
            output: &self.layout.types.output,
            model: quote!(self),
            kept: Vec::new(),
        };
        let entries = self.programs.entries.iter().zip(&self.functions.entries);
        let entries = entries.map(|((name, program), functions)| Point {
            name,
            program,
            functions,
            doc: format!(" The entry point `{name}`, for one sample."),
            output: &self.layout.types.output,
            model: quote!(self),
            kept: Vec::new(),
        });
        std::iter::once(predict).chain(entries).map(|point| self.point(&point)).collect()
    }

    fn point(&self, point: &Point<'_>) -> TokenStream {
        let outputs = self.outputs(point.program);
        if outputs.is_empty() {
            return TokenStream::new();
        }
        let inputs = self.predict_inputs(point.program);
        let rt = &self.rt;
        let returns = point.returns(&outputs);
        let parameters: TokenStream = inputs.iter().map(|(_, g)| parameter(g)).collect();
        let names: Vec<&Ident> = inputs.iter().map(|(_, g)| &g.name).collect();
        let functions = point.functions;
        let heavy = functions.iter().any(|f| f.heavy);
        let simd = functions.iter().any(|f| f.simd);
        let body = self.predict_body(point, &inputs, &outputs);
        let generic = simd.then(|| quote!(<S: #rt::Simd>));
        let simd_parameter = simd.then(|| quote!(simd: S,));
        let simd_argument = simd.then(|| quote!(simd,));
        let (method, one, doc) = (point.method(""), point.method("_one"), &point.doc);
        let run = self.dispatch(heavy, quote!(self.#one(#simd_argument #(#names),*)));
        let checks = self.checks(&inputs);
        let (result, run) = if checks.is_empty() {
            (quote!(#returns), run)
        } else {
            let run = quote!(#checks ::core::result::Result::Ok(#run));
            (quote!(::core::result::Result<#returns, #rt::Error>), run)
        };
        let errors = (!checks.is_empty()).then(outside_range);
        let batch = self.predict_batch(point, &inputs, &returns, heavy, &simd_argument);
        quote! {
            #[doc = #doc]
            #errors
            pub fn #method(&self, #parameters) -> #result { #run }
            #batch
            #[doc = " One sample, on the instruction set chosen by the caller."]
            #[inline(always)]
            fn #one #generic(&self, #simd_parameter #parameters) -> #returns { #body }
        }
    }

    /// Variables, the calls of the kernels, and the outputs.
    pub(crate) fn predict_body(
        &self,
        point: &Point<'_>,
        inputs: &[(BufferId, Given<'_>)],
        outputs: &[(BufferId, &Buffer, Field)],
    ) -> TokenStream {
        let predict = point.program;
        let mut names = Namer::reserving(&["simd", "self", "model"]);
        let mut places: BTreeMap<BufferId, Ident> = BTreeMap::new();
        for (id, given) in inputs {
            names.unique(&given.name.to_string());
            places.insert(*id, given.name.clone());
        }
        let functions = point.functions;
        let used = |id: BufferId| functions.iter().any(|f| f.arguments.iter().any(|(a, _)| *a == id));
        let mut variables = TokenStream::new();
        for (id, b) in predict.buffers() {
            let temporary = matches!(
                b.role,
                BufferRole::Temp
                    | BufferRole::SampleWeight
                    | BufferRole::Loss
                    | BufferRole::Metric
                    | BufferRole::Evaluation
            );
            if b.role == BufferRole::Output || (temporary && used(id)) {
                let name = ident(&names.unique(&local(&b.name)));
                let (ty, zero) = (buffer_type(b), zero(b.elem, &b.shape));
                let written = functions.iter().any(|f| f.arguments.contains(&(id, true)));
                let mutable = written.then(|| quote!(mut));
                // The kernels say the type.
                let ty = (!used(id)).then(|| quote!(: #ty));
                variables.extend(quote!(let #mutable #name #ty = #zero;));
                places.insert(id, name);
            }
        }
        let access = |id: BufferId, b: &Buffer| match (b.role, places.get(&id)) {
            (BufferRole::Input, Some(name)) if b.shape.is_empty() => Access::Value(quote!(#name)),
            (BufferRole::Input, Some(name)) => Access::Reference(name.clone()),
            (BufferRole::Counter, _) => Access::Value(quote!(0)),
            (_, Some(name)) => Access::Place(quote!(#name)),
            (_, None) => {
                if let Some((_, kept)) = point.kept.iter().find(|(k, _)| *k == id) {
                    let field = &kept.name;
                    return Access::Place(quote!(self.#field));
                }
                let model = &point.model;
                let field = self.layout.model_field(&b.name).map_or_else(|| ident("missing"), |f| f.name.clone());
                Access::Place(quote!(#model.#field))
            }
        };
        let calls: TokenStream = functions.iter().map(|f| self.call(predict, f, &access)).collect();
        let seed = functions.iter().any(|f| f.seed).then(|| quote!(let seed = 0;));
        let unused = inputs.iter().filter(|(id, _)| !used(*id)).map(|(_, g)| {
            let name = &g.name;
            quote!(let _ = #name;)
        });
        let result = match outputs {
            [(id, ..)] => {
                let name = places.get(id);
                quote!(#name)
            }
            _ => {
                let ty = point.output;
                let fields = outputs.iter().map(|(id, _, f)| {
                    let field = &f.name;
                    let place = places.get(id);
                    if place == Some(field) { quote!(#field,) } else { quote!(#field: #place,) }
                });
                quote!(#ty { #(#fields)* })
            }
        };
        quote!(#(#unused)* #seed #variables #calls #result)
    }

    /// Checks of integer inputs of one sample.
    pub(crate) fn checks(&self, inputs: &[(BufferId, Given<'_>)]) -> TokenStream {
        inputs
            .iter()
            .map(|(_, g)| {
                let name = &g.name;
                let values = if g.buffer.shape.is_empty() {
                    quote!(::core::slice::from_ref(&#name))
                } else if g.buffer.shape.len() == 1 {
                    quote!(#name)
                } else {
                    crate::model::flat(&quote!(#name), g.buffer.shape.len(), false)
                };
                self.check_range(g.buffer, &values, &g.buffer.shape)
            })
            .collect()
    }

    /// `rt::in_range(...)?` for integers with a range.
    pub(crate) fn check_range(&self, buffer: &Buffer, values: &TokenStream, sample: &[usize]) -> TokenStream {
        let Some((low, high)) = buffer.range else { return TokenStream::new() };
        if !matches!(buffer.elem, Elem::U32 | Elem::I32) {
            return TokenStream::new();
        }
        let rt = &self.rt;
        let (name, width) = (&buffer.name, proc_macro2::Literal::usize_unsuffixed(crate::types::count(sample)));
        let (low, high) = (crate::code::Code::int(low).tokens, crate::code::Code::int(high).tokens);
        quote!(#rt::in_range(#name, #width, #values, #low..#high)?;)
    }

    fn predict_batch(
        &self,
        point: &Point<'_>,
        inputs: &[(BufferId, Given<'_>)],
        returns: &TokenStream,
        heavy: bool,
        simd: &Option<TokenStream>,
    ) -> TokenStream {
        let Some((_, first)) = inputs.first() else { return TokenStream::new() };
        let rt = &self.rt;
        let parameters = inputs.iter().map(|(_, g)| {
            let (name, ty) = (&g.name, &g.ty);
            quote!(#name: &[#ty],)
        });
        let lead = &first.name;
        let lengths = inputs.iter().skip(1).map(|(_, g)| {
            let (name, text) = (&g.name, &g.buffer.name);
            quote!(#rt::same_length(#text, #lead.len(), #name.len())?;)
        });
        let ranges = inputs.iter().map(|(_, g)| {
            let name = &g.name;
            let values = crate::model::flat(&quote!(#name), g.buffer.shape.len() + 1, false);
            let values = if g.buffer.shape.is_empty() { quote!(#name) } else { values };
            self.check_range(g.buffer, &values, &g.buffer.shape)
        });
        let names: Vec<&Ident> = inputs.iter().map(|(_, g)| &g.name).collect();
        let (pattern, all) = zipped(&names);
        let values = inputs.iter().map(|(_, g)| {
            let name = &g.name;
            if g.buffer.shape.is_empty() { quote!(*#name) } else { quote!(#name) }
        });
        let (method, one) = (point.method("_batch"), point.method("_one"));
        let body = quote! {
            for (#pattern, out) in ::core::iter::zip(#all, out) {
                *out = self.#one(#simd #(#values),*);
            }
        };
        let body = if heavy {
            let run = self.dispatch(true, quote!({ #body }));
            quote!(#run;)
        } else {
            body
        };
        quote! {
            #[doc = " The outputs for many samples, in their order."]
            #[doc = ""]
            #[doc = " # Errors"]
            #[doc = ""]
            #[doc = " The lengths differ, or an integer is outside its range."]
            pub fn #method(&self, #(#parameters)* out: &mut [#returns]) -> ::core::result::Result<(), #rt::Error> {
                #(#lengths)*
                #rt::same_length("out", #lead.len(), out.len())?;
                #(#ranges)*
                #body
                ::core::result::Result::Ok(())
            }
        }
    }
}

/// What documentation says of methods that check integers.
pub(crate) fn outside_range() -> TokenStream {
    quote! {
        #[doc = ""]
        #[doc = " # Errors"]
        #[doc = ""]
        #[doc = " An integer is outside its range."]
    }
}

/// A parameter for one sample: numbers by value, tensors by reference.
pub(crate) fn parameter(g: &Given<'_>) -> TokenStream {
    let (name, ty) = (&g.name, &g.ty);
    if g.buffer.shape.is_empty() { quote!(#name: #ty,) } else { quote!(#name: &#ty,) }
}

/// `((a, b), c)` and `zip(zip(a, b), c)`.
pub(crate) fn zipped(names: &[&Ident]) -> (TokenStream, TokenStream) {
    let mut names = names.iter();
    let first = names.next();
    names.fold((quote!(#first), quote!(#first)), |(pattern, all), name| {
        (quote!((#pattern, #name)), quote!(::core::iter::zip(#all, #name)))
    })
}
