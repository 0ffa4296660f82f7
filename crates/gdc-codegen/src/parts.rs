//! A step in parts: what each part of a batch computes, on whichever thread, and the sums over
//! the parts.

use crate::Context;
use crate::kernel::{Function, mentions};
use crate::layout::{Spot, aligned, zeros};
use crate::model::flat;
use crate::routines::Routine;
use crate::workspace::member;
use gdc_ir::program::BufferId;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

impl Context<'_> {
    /// The most threads, as the spec says it; 0 for as many as there are.
    pub(crate) fn threads(&self) -> usize {
        self.programs.settings.threads.and_then(|t| t.most).unwrap_or(0)
    }

    /// What the functions of a part take besides the model and the samples: the workspace is not
    /// theirs.
    pub(crate) fn shared(&self, functions: &[&Function], of_part: bool) -> Vec<(Ident, TokenStream)> {
        if !of_part {
            return Vec::new();
        }
        let spots = |wanted: &dyn Fn(&Spot) -> bool| {
            let arguments = functions.iter().flat_map(|f| &f.arguments);
            arguments.filter_map(|(id, _)| self.layout.train.get(id)).any(wanted)
        };
        let mut shared = Vec::new();
        if spots(&|s| matches!(s, Spot::State(_))) {
            let ty = &self.layout.types.state;
            shared.push((format_ident!("state"), quote!(&#ty)));
        }
        if spots(&|s| matches!(s, Spot::Counter)) {
            shared.push((format_ident!("steps"), quote!(u64)));
        }
        if functions.iter().any(|f| f.seed) {
            shared.push((format_ident!("seed"), quote!(u64)));
        }
        shared
    }

    /// The struct of a part, with its routines.
    pub(crate) fn part(&self) -> TokenStream {
        if self.programs.train.parts == 0 {
            return TokenStream::new();
        }
        let (name, model, fields) = (&self.layout.types.part, &self.layout.types.model, &self.layout.part);
        let mut members: TokenStream = fields.iter().map(member).collect();
        let mut values = zeros(fields);
        if self.layout.gradients {
            members.extend(quote!(gradients: #model,));
            values.extend(quote!(gradients: #model::ZERO,));
        }
        if self.weight_field().is_some() {
            members.extend(quote!(samples: usize,));
            values.extend(quote!(samples: 0,));
        }
        let (align, weigh, routines) = (aligned(fields), self.weigh(), self.routines(true));
        quote! {
            #[doc = " What a part of a step computes, which needs nothing of the others."]
            #[allow(dead_code)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #align
            struct #name { #members }
            #[allow(dead_code)]
            impl #name {
                const ZERO: Self = Self { #values };
                #weigh
                #routines
            }
        }
    }

    /// Runs some routines: those of the parts on threads, then the others on the sums.
    pub(crate) fn run_parts(&self, routines: &[&Routine]) -> TokenStream {
        let rt = &self.rt;
        let (of_parts, once): (Vec<&Routine>, Vec<&Routine>) = routines.iter().copied().partition(|r| r.of_part);
        let functions: Vec<&Function> = of_parts.iter().flat_map(|r| &r.functions).collect();
        let calls: TokenStream = of_parts
            .iter()
            .filter(|r| !r.functions.is_empty())
            .map(|r| {
                let own: Vec<&Function> = r.functions.iter().collect();
                let call = self.routine_call(&r.name, &own, false, true);
                quote!(part.#call;)
            })
            .collect();
        let size = Literal::usize_unsuffixed(self.programs.train.batch.unwrap_or(1));
        let weigh = self.weight_field().map(|_| quote!(part.weigh(samples, index * #size);));
        let given: Vec<&Ident> = self.routine_given(&functions).into_iter().map(|s| &s.name).collect();
        let samples = given.iter().map(|name| {
            quote! {
                let ::core::option::Option::Some(#name) = #rt::part(#name, index) else { return };
            }
        });
        let shared = self.shared(&functions, true);
        let captured = shared.iter().map(|(name, _)| match name.to_string().as_str() {
            "state" => quote!(let state = &self.state;),
            _ => quote!(let #name = self.#name;),
        });
        let model = mentions(&calls, "model").then(|| quote!(let model = &*model;));
        let index = if given.is_empty() && weigh.is_none() { quote!(_) } else { quote!(index) };
        let sums = of_parts.iter().filter(|r| !r.partial.is_empty()).map(|r| {
            let name = format_ident!("add_{}", r.name);
            quote!(self.#name();)
        });
        let after: Vec<&Routine> = once.into_iter().filter(|r| !r.functions.is_empty()).collect();
        let after = self.run(&after);
        quote! {
            {
                #model
                #(#captured)*
                #rt::each(&mut self.parts, self.threads, |#index, part| {
                    #(#samples)*
                    #weigh
                    #calls
                });
            }
            #(#sums)*
            #after
        }
    }

    /// Adds to what the first part has in sums over the samples what the others have.
    pub(crate) fn sums(&self) -> TokenStream {
        self.functions.train.iter().filter(|r| r.of_part && !r.partial.is_empty()).map(|r| self.sum(r)).collect()
    }

    fn sum(&self, routine: &Routine) -> TokenStream {
        let rt = &self.rt;
        let name = format_ident!("add_{}", routine.name);
        let doc = format!(" The sums of `{}` over all parts, in their order, to those of the first.", routine.name);
        let place = |id: BufferId| match self.layout.train.get(&id) {
            Some(Spot::Part(f)) => Some(quote!(#f)),
            Some(Spot::Gradient(f)) => Some(quote!(gradients.#f)),
            _ => None,
        };
        let adds = routine.partial.iter().filter_map(|&id| {
            let (place, rank) = (place(id)?, self.programs.train.buffer(id).shape.len());
            if rank == 0 {
                return Some(quote!(first.#place += other.#place;));
            }
            let (to, from) = (flat(&quote!(first.#place), rank, true), flat(&quote!(other.#place), rank, false));
            Some(quote!(#rt::add(#to, #from);))
        });
        quote! {
            #[doc = #doc]
            fn #name(&mut self) {
                let [first, others @ ..] = &mut self.parts;
                for other in others {
                    #(#adds)*
                }
            }
        }
    }
}
