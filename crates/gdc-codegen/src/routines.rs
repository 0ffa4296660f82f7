//! Kernels by routine: their functions, the module that holds them, and calls to them.

use crate::kernel::{Function, function, mentions};
use crate::layout::{Layout, owned};
use crate::names::{Namer, ident, local};
use crate::{Context, Runtime, sections};
use gdc_ir::graph::Loc;
use gdc_ir::program::{Buffer, BufferId, Program, Programs};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::BTreeSet;

/// A routine of a program.
pub(crate) struct Routine {
    pub(crate) name: Ident,
    pub(crate) functions: Vec<Function>,
}

/// All kernels as functions.
pub(crate) struct Functions {
    pub(crate) init: Vec<Function>,
    pub(crate) train: Vec<Routine>,
    pub(crate) predict: Vec<Function>,
}

/// How a function that calls kernels holds a buffer.
pub(crate) enum Access {
    /// A place: a field or a variable.
    Place(TokenStream),
    /// A variable that is a reference already.
    Reference(Ident),
    /// A number.
    Value(TokenStream),
}

impl Functions {
    pub(crate) fn new(programs: &Programs, layout: &Layout, origin: &dyn Fn(Loc) -> Option<String>) -> Self {
        let mut names = Namer::reserving(&["rt"]);
        let mut list = |program: &Program, prefix: &str, name: &str, owned: &BTreeSet<BufferId>| -> Vec<Function> {
            let kernels = program.routines.iter().filter(|r| r.name == name).flat_map(|r| &r.kernels);
            kernels
                .map(|k| {
                    let name = ident(&names.unique(&local(&format!("{prefix}.{}", k.name))));
                    function(program, k, name, owned, origin)
                })
                .collect()
        };
        let everything = |program: &Program| -> Vec<String> {
            let mut names: Vec<String> = Vec::new();
            for routine in &program.routines {
                if !names.contains(&routine.name) {
                    names.push(routine.name.clone());
                }
            }
            names
        };
        let flat = |program: &Program, list: &mut dyn FnMut(&Program, &str, &str, &BTreeSet<BufferId>) -> Vec<Function>,
                    prefix: &str| {
            let owned = owned(program, usize::MAX);
            everything(program).iter().flat_map(|r| list(program, prefix, r, &owned)).collect::<Vec<_>>()
        };
        let init = flat(&programs.init, &mut list, "init");
        let train = everything(&programs.train)
            .iter()
            .map(|r| Routine { name: ident(&local(r)), functions: list(&programs.train, r, r, &layout.owned) })
            .collect();
        let predict = flat(&programs.predict, &mut list, "predict");
        Functions { init, train, predict }
    }

    fn items(&self) -> impl Iterator<Item = &TokenStream> {
        let train = self.train.iter().flat_map(|r| &r.functions);
        self.init.iter().chain(train).chain(&self.predict).map(|f| &f.item)
    }
}

impl Context<'_> {
    /// The module of the kernels.
    pub(crate) fn kernels(&self) -> TokenStream {
        let items: TokenStream = self.functions.items().cloned().collect();
        if items.is_empty() {
            return items;
        }
        let mut types: Vec<TokenStream> = Vec::new();
        if mentions(&items, "rt") {
            types.push(quote!(self));
        }
        if mentions(&items, "F32x16") {
            types.push(quote!(F32x16));
        }
        if mentions(&items, "Mask16") {
            types.push(quote!(Mask16));
        }
        let path = match self.runtime {
            Runtime::Crate => quote!(::gdc::rt),
            Runtime::StandAlone => quote!(super::rt),
        };
        let import = match types.as_slice() {
            [] => TokenStream::new(),
            [_] if mentions(&items, "rt") => quote!(use #path;),
            many => quote!(use #path::{#(#many),*};),
        };
        let name = &self.layout.types.kernels;
        let doc = format!(" What [`{}`] computes, one loop nest at a time.", self.layout.types.model);
        quote! {
            #[doc = #doc]
            #[allow(
                dead_code,
                non_snake_case,
                unused_assignments,
                clippy::approx_constant,
                clippy::collapsible_if,
                clippy::eq_op,
                clippy::manual_memcpy,
                clippy::needless_range_loop,
                clippy::suboptimal_flops,
                clippy::too_many_arguments
            )]
            mod #name {
                #import
                #items
            }
        }
    }

    /// The text of the runtime, as far as the code needs it.
    pub(crate) fn runtime_module(&self) -> TokenStream {
        let mut wanted = vec!["error", "train", "lanes", "math", "random", "batch"];
        let kernels: TokenStream = self.functions.items().cloned().collect();
        if mentions(&kernels, "F32x16") {
            wanted.push("places");
        }
        sections::module(&wanted).parse().unwrap_or_default()
    }

    /// The call of a kernel.
    pub(crate) fn call(&self, program: &Program, f: &Function, access: &dyn Fn(BufferId, &Buffer) -> Access) -> TokenStream {
        let (module, name) = (&self.layout.types.kernels, &f.name);
        let simd = f.simd.then(|| quote!(simd,));
        let seed = f.seed.then(|| quote!(seed,));
        let arguments = f.arguments.iter().map(|&(id, unique)| {
            let buffer = program.buffer(id);
            match access(id, buffer) {
                Access::Place(path) if unique => quote!(&mut #path),
                Access::Place(path) if buffer.shape.is_empty() => path,
                Access::Place(path) => quote!(&#path),
                Access::Reference(name) if buffer.shape.is_empty() => quote!(*#name),
                Access::Reference(name) => quote!(#name),
                Access::Value(value) => value,
            }
        });
        quote!(#module::#name(#simd #seed #(#arguments),*);)
    }

    /// `dispatch!(level(), simd => body)`, where the instruction set matters.
    pub(crate) fn dispatch(&self, heavy: bool, body: TokenStream) -> TokenStream {
        if !heavy {
            return body;
        }
        let rt = &self.rt;
        let simd = if mentions(&body, "simd") { quote!(simd) } else { quote!(_simd) };
        quote!(#rt::dispatch!(#rt::level(), #simd => #body))
    }
}
