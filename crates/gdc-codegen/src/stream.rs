//! The streaming form: the type that holds what is carried from one time to the next, and its
//! step.

use crate::Context;
use crate::kernel::Function;
use crate::layout::{Field, aligned, zeros};
use crate::model::allow_names;
use crate::names::{Namer, field, ident, local};
use crate::predict::{Point, outside_range, parameter};
use crate::routines::Access;
use crate::types::{buffer_type, shape_words, zero};
use gdc_ir::program::{Buffer, BufferId, BufferRole, Program, Stream};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::BTreeMap;

impl Context<'_> {
    /// The type of the stream, for models that ask for one.
    pub(crate) fn stream(&self) -> TokenStream {
        let (Some(stream), Some((start, step))) = (&self.programs.stream, &self.functions.stream) else {
            return TokenStream::new();
        };
        let types = &self.layout.types;
        let (name, model) = (&types.stream, &types.model);
        let kept = carried(stream);
        let fields: Vec<Field> = kept.iter().map(|(_, f)| f.clone()).collect();
        let doc = format!(" [`{model}`] one time at a time: what it carries from one time to the next.");
        let (allow, align, zeros) = (allow_names(name, &fields), aligned(&fields), zeros(&fields));
        let members = fields.iter().map(|f| {
            let (field, ty) = (&f.name, f.ty());
            let doc = format!(" `{}`: {}.", f.path, shape_words(&f.shape));
            quote!(#[doc = #doc] pub #field: #ty,)
        });
        let output = self.output_type(&stream.step, &types.stream_output, &format!("{name}::step"));
        let reset = self.reset(&stream.start, start, &fields);
        let step = self.step(&stream.step, step, kept);
        quote! {
            #[doc = #doc]
            #allow
            #[allow(dead_code)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::cmp::PartialEq)]
            #align
            pub struct #name { #(#members)* }
            #output
            #[allow(dead_code)]
            impl #name {
                #[doc = " Before the first time."]
                pub fn start(model: &#model) -> Self {
                    let mut stream = Self { #zeros };
                    stream.reset(model);
                    stream
                }
                #reset
                #step
            }
        }
    }

    /// `reset`: everything as it is before the first time.
    fn reset(&self, start: &Program, functions: &[Function], fields: &[Field]) -> TokenStream {
        let model = &self.layout.types.model;
        let mut names = Namer::reserving(&["simd", "self", "model"]);
        let mut variables: BTreeMap<BufferId, Ident> = BTreeMap::new();
        let used = |id: BufferId| functions.iter().any(|f| f.arguments.iter().any(|(a, _)| *a == id));
        let mut declared = TokenStream::new();
        for (id, b) in start.buffers().filter(|(id, b)| b.role == BufferRole::Temp && used(*id)) {
            let name = ident(&names.unique(&local(&b.name)));
            let (ty, zero) = (buffer_type(b), zero(b.elem, &b.shape));
            declared.extend(quote!(let mut #name: #ty = #zero;));
            variables.insert(id, name);
        }
        let access = |id: BufferId, b: &Buffer| {
            let own = fields.iter().find(|f| b.role == BufferRole::State && f.path == b.name);
            match (variables.get(&id), own, self.layout.model_field(&b.name)) {
                (Some(name), ..) => Access::Place(quote!(#name)),
                (None, Some(Field { name, .. }), _) => Access::Place(quote!(self.#name)),
                (None, None, Some(Field { name, .. })) => Access::Place(quote!(model.#name)),
                (None, None, None) => Access::Value(quote!(0)),
            }
        };
        let calls: TokenStream = functions.iter().map(|f| self.call(start, f, &access)).collect();
        let parameter = if crate::kernel::mentions(&calls, "model") { quote!(model) } else { quote!(_model) };
        let calls = if functions.iter().any(|f| f.simd) {
            let run = self.dispatch(true, quote!({ #calls }));
            quote!(#run;)
        } else {
            calls
        };
        quote! {
            #[doc = " Back to before the first time."]
            pub fn reset(&mut self, #parameter: &#model) { #declared #calls }
        }
    }

    /// `step`: the outputs at the next time.
    fn step(&self, program: &Program, functions: &[Function], kept: Vec<(BufferId, Field)>) -> TokenStream {
        let point = Point {
            name: "step",
            program,
            functions,
            doc: " The outputs at the next time, for the inputs at that time.".to_owned(),
            output: &self.layout.types.stream_output,
            model: quote!(model),
            kept,
        };
        let (rt, model) = (&self.rt, &self.layout.types.model);
        let (outputs, inputs) = (self.outputs(program), self.predict_inputs(program));
        let returns = point.returns(&outputs);
        let parameters: TokenStream = inputs.iter().map(|(_, g)| parameter(g)).collect();
        let names: Vec<&Ident> = inputs.iter().map(|(_, g)| &g.name).collect();
        let body = self.predict_body(&point, &inputs, &outputs);
        let reads = if crate::kernel::mentions(&body, "model") { quote!() } else { quote!(let _ = model;) };
        let simd = functions.iter().any(|f| f.simd);
        let generic = simd.then(|| quote!(<S: #rt::Simd>));
        let simd_parameter = simd.then(|| quote!(simd: S,));
        let simd_argument = simd.then(|| quote!(simd,));
        let (method, one, doc) = (point.method(""), point.method("_one"), &point.doc);
        let heavy = functions.iter().any(|f| f.heavy);
        let run = self.dispatch(heavy, quote!(self.#one(#simd_argument model, #(#names),*)));
        let checks = self.checks(&inputs);
        let errors = (!checks.is_empty()).then(outside_range);
        let (result, run) = if checks.is_empty() {
            (quote!(#returns), run)
        } else {
            let run = quote!(#checks ::core::result::Result::Ok(#run));
            (quote!(::core::result::Result<#returns, #rt::Error>), run)
        };
        quote! {
            #[doc = #doc]
            #errors
            pub fn #method(&mut self, model: &#model, #parameters) -> #result { #run }
            #[doc = " One time, on the instruction set chosen by the caller."]
            #[inline(always)]
            fn #one #generic(&mut self, #simd_parameter model: &#model, #parameters) -> #returns { #reads #body }
        }
    }
}

/// What is carried, as fields.
fn carried(stream: &Stream) -> Vec<(BufferId, Field)> {
    let mut names = Namer::default();
    stream.carried().map(|(id, b)| (id, Field::new(b, ident(&names.unique(&field(&b.name)))))).collect()
}
