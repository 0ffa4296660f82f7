//! Metrics that are functions of sums over the samples: the sums are added up over batches, and
//! the functions applied once.

use crate::Context;
use crate::predict::{Point, parameter};
use gdc_ir::program::Elem;
use proc_macro2::{Literal, TokenStream};
use quote::quote;

impl Context<'_> {
    /// The functions, private to the trainer.
    pub(crate) fn totals(&self) -> TokenStream {
        let metrics = self.programs.totals.metrics.iter().zip(&self.functions.totals);
        let all = metrics.map(|((name, _, program), functions)| {
            let point = Point {
                name: &format!("total_{name}"),
                program,
                functions,
                doc: format!(" The metric `{name}` of sums over the samples."),
                output: &self.layout.types.output,
                model: quote!(self),
                kept: Vec::new(),
            };
            let (inputs, outputs) = (self.predict_inputs(program), self.outputs(program));
            let (method, doc, returns) = (point.method(""), &point.doc, point.returns(&outputs));
            let parameters: TokenStream = inputs.iter().map(|(_, g)| parameter(g)).collect();
            let body = self.predict_body(&point, &inputs, &outputs);
            quote! {
                #[doc = #doc]
                fn #method(#parameters) -> #returns { #body }
            }
        });
        all.collect()
    }

    /// The call of a metric's function of `totals`; none for what is a mean.
    pub(crate) fn total_of(&self, metric: &str) -> Option<TokenStream> {
        let (name, places, _) = self.programs.totals.metrics.iter().find(|(name, ..)| name == metric)?;
        let method = crate::predict::method(&format!("total_{name}"), "");
        let arguments = places.iter().map(|&k| {
            let k = Literal::usize_unsuffixed(k);
            quote!(totals[#k])
        });
        Some(quote!(Self::#method(#(#arguments),*)))
    }

    /// The fields of the workspace that hold the sums, as f64.
    fn totals_held(&self) -> impl Iterator<Item = (Literal, TokenStream)> {
        self.programs.totals.sums.iter().enumerate().filter_map(|(k, name)| {
            let field = self.workspace_field(name)?;
            let name = self.result(field);
            let wide = if field.elem == Elem::F64 { quote!() } else { quote!(as f64) };
            Some((Literal::usize_unsuffixed(k), quote!(self.workspace.#name #wide)))
        })
    }

    /// `totals[0] += ...;` for the sums that the workspace holds.
    pub(crate) fn totals_added(&self) -> TokenStream {
        if self.programs.totals.metrics.is_empty() {
            return TokenStream::new();
        }
        self.totals_held().map(|(k, value)| quote!(totals[#k] += #value;)).collect()
    }

    /// What the trait of the training loop has for them.
    pub(crate) fn totals_loaded(&self) -> TokenStream {
        if self.programs.totals.metrics.is_empty() {
            return TokenStream::new();
        }
        let n = Literal::usize_unsuffixed(self.programs.totals.sums.len());
        let added = self.totals_added();
        let evaluated = self.evaluated();
        let set = evaluated.get(1..).unwrap_or(&[]).iter().enumerate().filter_map(|(k, (f, _))| {
            let (k, call) = (Literal::usize_unsuffixed(k), self.total_of(&f.path)?);
            Some(quote! {
                if let ::core::option::Option::Some(metric) = metrics.get_mut(#k) {
                    *metric = #call;
                }
            })
        });
        quote! {
            const TOTALS: usize = #n;
            fn add_totals(&self, totals: &mut [f64]) {
                let ::core::option::Option::Some(totals) = totals.first_chunk_mut::<#n>() else { return };
                #added
            }
            fn metrics_of_totals(totals: &[f64], metrics: &mut [f64]) {
                let ::core::option::Option::Some(totals) = totals.first_chunk::<#n>() else { return };
                #(#set)*
            }
        }
    }
}
