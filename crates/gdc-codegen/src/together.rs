//! Steps of small models: all routines of a step in one function, which chooses the instruction
//! set once, for one step or for many on the same samples.

use crate::Context;
use crate::kernel::Function;
use crate::workspace::{Entry, LARGEST_PART};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

impl Context<'_> {
    /// The kernels of a step, if they are few enough to be one function: those of a model whose
    /// loss and gradients are computed in one sweep.
    pub(crate) fn together(&self) -> Option<Vec<&Function>> {
        let routines = self.entry_routines(Entry::Step);
        let functions: Vec<&Function> = routines.into_iter().flat_map(|r| &r.functions).collect();
        let statements: usize = functions.iter().map(|f| f.statements).sum();
        (self.swept() && statements <= LARGEST_PART).then_some(functions)
    }

    /// Whether there is a function for many steps: a step is one function, and changes the model.
    pub(crate) fn repeats(&self) -> bool {
        self.together().is_some_and(|functions| self.model_use(&functions) == Some(true))
    }

    /// What `step` runs where a step is one function, or what `repeat` does.
    pub(crate) fn run_together(&self, functions: &[&Function], entry: Entry) -> TokenStream {
        let call = self.routine_call(&format_ident!("step_on"), functions, true, false);
        let heavy = functions.iter().any(|f| f.heavy);
        if entry != Entry::Repeat {
            let run = self.dispatch(heavy, quote!(self.#call));
            return quote!(#run;);
        }
        // Here, and not where the model lies, the parameters can be kept in registers.
        let run = self.dispatch(
            heavy,
            quote! {{
                let model = &mut trained;
                for _ in 0..times {
                    self.#call;
                    self.steps += 1;
                }
            }},
        );
        quote! {
            let mut trained = *model;
            #run;
            *model = trained;
        }
    }

    /// That function.
    pub(crate) fn step_together(&self) -> TokenStream {
        let Some(functions) = self.together() else { return TokenStream::new() };
        let signature = self.signature(&format_ident!("step_on"), &functions, true, false);
        let body = self.part_body(&functions, false);
        quote! {
            #[doc = " All of a step, on the instruction set of `simd`."]
            #[inline(always)]
            #signature { #body }
        }
    }
}
