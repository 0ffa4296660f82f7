//! The trait that the training loop runs on, and the names under which a trainer is saved.

use crate::Context;
use crate::batch::tuple;
use crate::types::elem_type;
use gdc_ir::graph::Precision;
use gdc_ir::program::Elem;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

impl Context<'_> {
    /// The named tensors of a trainer: the model's, then the optimizer's.
    pub(crate) fn trainer_tensors(&self) -> TokenStream {
        let (rt, name, number) = (&self.rt, &self.layout.types.trainer, self.number());
        let kept = !self.layout.state.is_empty();
        let state = kept.then(|| quote!(#rt::NamedTensors::tensors(&self.workspace.state, visit);));
        let state_mut = kept.then(|| quote!(#rt::NamedTensors::tensors_mut(&mut self.workspace.state, visit);));
        quote! {
            impl #rt::NamedTensors for #name {
                type Real = #number;
                fn zero() -> Self { Self::ZERO }
                fn tensors(&self, visit: &mut #rt::Visit<'_, #number>) {
                    #rt::NamedTensors::tensors(&self.model, visit);
                    #state
                }
                fn tensors_mut(&mut self, visit: &mut #rt::VisitMut<'_, #number>) {
                    #rt::NamedTensors::tensors_mut(&mut self.model, visit);
                    #state_mut
                }
            }
        }
    }

    /// The trait that the training loop runs on.
    pub(crate) fn training(&self) -> TokenStream {
        let (rt, name, number) = (&self.rt, &self.layout.types.trainer, self.number());
        let sampled = self.functions_given();
        let batch = self.batch_literal();
        let (reals, integers) = self.widths();
        let (reals, integers) = (Literal::usize_unsuffixed(reals), Literal::usize_unsuffixed(integers));
        let slices: Vec<TokenStream> = sampled
            .iter()
            .map(|s| {
                let ty = &s.ty;
                quote!(&'a [#ty])
            })
            .collect();
        let (data, loading) = (tuple(&slices), self.loading());
        let load_flat = self.load_flat();
        let places: Vec<TokenStream> = sampled
            .iter()
            .map(|s| {
                let name = &s.name;
                quote!(&self.batch.#name,)
            })
            .collect();
        let (samples, complete, count) = if sampled.is_empty() {
            (quote!(_samples), quote!(), quote!())
        } else {
            (quote!(samples), quote!(self.batch.complete(samples);), quote!(samples))
        };
        let model = self.step_model();
        let step = self.as_number(quote!(self.workspace.step(#model, #(#places)* #count)), self.loss_elem());
        let loss = self.as_number(quote!(self.workspace.loss(&self.model, #(#places)* #count)), self.loss_elem());
        let given = quote!(#(#places)* #count);
        let metrics = self.metrics_loaded(&samples, &complete, &given);
        let gradients = self.gradients_loaded(&samples, &complete, &given);
        let totals = self.totals_loaded();
        quote! {
            impl #rt::Trainer for #name {
                type Data<'a> = #data;
                const BATCH: usize = #batch;
                const REALS: usize = #reals;
                const INTEGERS: usize = #integers;
                #loading
                #load_flat
                fn step_loaded(&mut self, #samples: usize) -> #number {
                    #complete
                    #step
                }
                fn loss_loaded(&mut self, #samples: usize) -> #number {
                    #complete
                    #loss
                }
                #metrics
                #totals
                #gradients
            }
        }
    }

    /// `METRICS` and `metrics_loaded`, for callers that know nothing of the model.
    fn metrics_loaded(&self, samples: &TokenStream, complete: &TokenStream, given: &TokenStream) -> TokenStream {
        if !self.has_metrics() {
            return TokenStream::new();
        }
        let (evaluated, number) = (self.evaluated(), self.number());
        // The first is the loss.
        let metrics = evaluated.get(1..).unwrap_or(&[]);
        let n = Literal::usize_unsuffixed(metrics.len());
        let values = metrics.iter().map(|(_, f)| {
            let name = self.result(f);
            self.as_number(quote!(self.workspace.#name), f.elem)
        });
        quote! {
            const METRICS: usize = #n;
            fn metrics_loaded(&mut self, #samples: usize, values: &mut [#number]) {
                #complete
                self.workspace.evaluate(&self.model, #given);
                for (value, metric) in ::core::iter::zip(values, [#(#values),*]) {
                    *value = metric;
                }
            }
        }
    }

    /// `gradients_loaded`, likewise.
    fn gradients_loaded(&self, samples: &TokenStream, complete: &TokenStream, given: &TokenStream) -> TokenStream {
        if !self.layout.gradients {
            return TokenStream::new();
        }
        let (rt, place, number) = (&self.rt, self.gradients_place(), self.number());
        quote! {
            fn gradients_loaded(&mut self, #samples: usize, visit: &mut #rt::Visit<'_, #number>) {
                #complete
                self.workspace.gradients(&self.model, #given);
                #rt::NamedTensors::tensors(&self.workspace.#place, visit);
            }
        }
    }

    /// The elements that the model's numbers have in files and in the traits.
    pub(crate) fn precision(&self) -> Elem {
        match self.programs.train.precision {
            Precision::F32 => Elem::F32,
            Precision::F64 => Elem::F64,
        }
    }

    /// Their type.
    pub(crate) fn number(&self) -> TokenStream {
        elem_type(self.precision())
    }

    /// A loss or metric as such a number.
    fn as_number(&self, value: TokenStream, elem: Elem) -> TokenStream {
        let number = self.number();
        if elem == self.precision() { value } else { quote!(#value as #number) }
    }

    /// `samples` and `load`.
    fn loading(&self) -> TokenStream {
        let (rt, batch, sampled) = (&self.rt, &self.layout.types.batch, self.functions_given());
        if sampled.is_empty() {
            return quote! {
                fn samples(_data: Self::Data<'_>) -> ::core::result::Result<usize, #rt::Error> {
                    ::core::result::Result::Ok(1)
                }
                fn load(&mut self, _slot: usize, _data: Self::Data<'_>, _sample: usize) -> ::core::result::Result<(), #rt::Error> {
                    ::core::result::Result::Ok(())
                }
            };
        }
        let names: Vec<&Ident> = sampled.iter().map(|s| &s.name).collect();
        let tokens: Vec<TokenStream> = names.iter().map(|n| quote!(#n)).collect();
        let pattern = tuple(&tokens);
        let checks = sampled.iter().map(|s| self.check_sample(s, &quote!(sample)));
        quote! {
            fn samples(#pattern: Self::Data<'_>) -> ::core::result::Result<usize, #rt::Error> {
                #batch::check(#(#names),*)
            }
            fn load(&mut self, slot: usize, #pattern: Self::Data<'_>, sample: usize) -> ::core::result::Result<(), #rt::Error> {
                #(#rt::copy_sample(&mut self.batch.#names, slot, #names, sample);)*
                #(#checks)*
                ::core::result::Result::Ok(())
            }
        }
    }
}
