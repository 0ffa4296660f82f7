//! Kernels by routine: their functions, the module that holds them, and calls to them.

use crate::kernel::{Function, doc_lines, function, mentions};
use crate::layout::{Layout, owned};
use crate::names::{Namer, ident, local};
use crate::{Context, Runtime, alike, sections};
use gdc_ir::graph::Loc;
use gdc_ir::program::{Buffer, BufferId, Program, Programs};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::{BTreeMap, BTreeSet};

/// A routine of a program.
pub(crate) struct Routine {
    pub(crate) name: Ident,
    pub(crate) functions: Vec<Function>,
    /// Whether it runs for each part of a step.
    pub(crate) of_part: bool,
    /// The shares of each part in sums over all samples.
    pub(crate) partial: Vec<BufferId>,
}

/// All kernels as functions.
pub(crate) struct Functions {
    pub(crate) init: Vec<Function>,
    pub(crate) train: Vec<Routine>,
    pub(crate) predict: Vec<Function>,
    /// Of each entry point.
    pub(crate) entries: Vec<Vec<Function>>,
    /// What a stream carries at first, and a step of it.
    pub(crate) stream: Option<(Vec<Function>, Vec<Function>)>,
    /// What else the functions compute, by their names.
    also: BTreeMap<String, Vec<String>>,
}

/// How a function that calls kernels holds a buffer.
pub(crate) enum Access {
    /// A place: a field or a variable.
    Place(TokenStream),
    /// A variable that is a reference already.
    Reference(Ident),
    /// A field that is a reference already, or a number.
    Held(TokenStream),
    /// A number.
    Value(TokenStream),
}

impl Functions {
    pub(crate) fn new(programs: &Programs, layout: &Layout, origin: &dyn Fn(Loc) -> Option<String>) -> Self {
        let mut namer =
            FunctionNamer { names: Namer::reserving(&["rt"]), origin, made: BTreeMap::new(), also: BTreeMap::new() };
        let all_owned = |program: &Program| owned(program, usize::MAX);
        let init = namer.all(&programs.init, "init", &all_owned(&programs.init));
        let of_name = |name: &str| programs.train.routines.iter().find(|r| r.name == name);
        let train = routine_names(&programs.train)
            .into_iter()
            .map(|name| Routine {
                name: ident(&local(name)),
                functions: namer.routine(&programs.train, name, name, &layout.owned),
                of_part: programs.train.parts > 0 && of_name(name).is_some_and(|r| r.is_of_a_part()),
                partial: of_name(name).map(|r| r.partial.clone()).unwrap_or_default(),
            })
            .collect();
        let predict = namer.all(&programs.predict, "predict", &all_owned(&programs.predict));
        let entries = programs.entries.iter();
        let entries = entries.map(|(name, program)| namer.all(program, name, &all_owned(program))).collect();
        let stream = programs.stream.as_ref().map(|stream| {
            let mut all = |program, prefix| namer.all(program, prefix, &all_owned(program));
            (all(&stream.start, "start"), all(&stream.step, "step"))
        });
        Functions { init, train, predict, entries, stream, also: namer.also }
    }

    /// The functions, each once, with their documentation.
    fn items(&self) -> impl Iterator<Item = TokenStream> {
        let train = self.train.iter().flat_map(|r| &r.functions);
        let stream = self.stream.iter().flat_map(|(start, step)| start.iter().chain(step));
        let points = self.predict.iter().chain(self.entries.iter().flatten()).chain(stream);
        let all = self.init.iter().chain(train).chain(points);
        all.filter(|f| !f.item.is_empty()).map(|f| {
            let mut docs = f.docs.clone();
            let mut item = &f.item;
            if let Some(also) = self.also.get(&f.name.to_string()) {
                docs.extend([String::new(), " The same computes:".to_owned(), String::new()]);
                docs.extend(also.iter().map(|name| format!(" * `{name}`")));
                item = &f.apart;
            }
            let docs = doc_lines(&docs);
            quote!(#docs #item)
        })
    }
}

/// Makes functions with names of their own.
struct FunctionNamer<'a> {
    names: Namer,
    origin: &'a dyn Fn(Loc) -> Option<String>,
    /// The functions by what they do.
    made: BTreeMap<String, Function>,
    /// What else they compute, by their names.
    also: BTreeMap<String, Vec<String>>,
}

impl FunctionNamer<'_> {
    /// The kernels of one routine.
    fn routine(&mut self, program: &Program, routine: &str, prefix: &str, owned: &BTreeSet<BufferId>) -> Vec<Function> {
        let routines = program.routines.iter().filter(|r| r.name == routine);
        routines
            .flat_map(|r| &r.kernels)
            .map(|kernel| {
                let key = alike::key(program, kernel, owned);
                if let Some(made) = self.made.get(&key) {
                    self.also.entry(made.name.to_string()).or_default().push(kernel.name.clone());
                    return made.for_another(kernel, owned);
                }
                // `init_w` and `update_w` say it all.
                let suffix = match prefix {
                    "init" => ".init",
                    "start" => ".start",
                    "update" => ".next",
                    _ => "",
                };
                let of = kernel.name.strip_suffix(suffix).unwrap_or(&kernel.name);
                let name = ident(&self.names.unique(&local(&format!("{prefix}.{of}"))));
                let function = function(program, kernel, name, owned, self.origin);
                self.made.insert(key, function.for_another(kernel, owned));
                function
            })
            .collect()
    }

    /// The kernels of all routines.
    fn all(&mut self, program: &Program, prefix: &str, owned: &BTreeSet<BufferId>) -> Vec<Function> {
        routine_names(program).into_iter().flat_map(|r| self.routine(program, r, prefix, owned)).collect()
    }
}

/// The names of the routines, each once.
fn routine_names(program: &Program) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for routine in &program.routines {
        if !names.contains(&routine.name.as_str()) {
            names.push(&routine.name);
        }
    }
    names
}

impl Context<'_> {
    /// The module of the kernels.
    pub(crate) fn kernels(&self) -> TokenStream {
        let items: TokenStream = self.functions.items().collect();
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
            Runtime::StandAlone | Runtime::Hosted => quote!(super::rt),
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
            // Loops over fixed arrays are what lints of style for people warn of.
            #[allow(dead_code, non_snake_case, unused_assignments, clippy::all)]
            mod #name {
                #import
                #items
            }
        }
    }

    /// The runtime, as far as the items need it.
    pub(crate) fn runtime_module(&self, items: &TokenStream) -> TokenStream {
        let sections: [(&str, &[&str]); 7] = [
            ("parts", &["part", "add", "pieces_of"]),
            ("each", &["each"]),
            (
                "real",
                &[
                    "mul_add", "abs", "sqrt", "min", "max", "at_least", "at_most", "floor", "ceil", "round", "sign",
                    "select", "powi",
                ],
            ),
            ("math", &["exp", "expm1", "ln", "ln_1p", "tanh", "sigmoid", "softplus", "erf", "sin", "cos", "pow"]),
            ("random", &["fold", "uniform", "normal", "uniform_f64", "normal_f64"]),
            ("lanes", &["dispatch", "Simd"]),
            ("places", &["F32x16"]),
        ];
        let needed = sections.iter().filter(|(_, names)| names.iter().any(|n| mentions(items, n)));
        let always = ["error", "train", "batch"].into_iter();
        let mut wanted: Vec<&str> = always.chain(needed.map(|(s, _)| *s)).collect();
        if self.runtime == Runtime::Hosted {
            wanted.push("hosted_root");
            wanted.extend(wanted.contains(&"each").then_some("pool"));
        }
        sections::module(&wanted).parse().unwrap_or_default()
    }

    /// The call of a kernel.
    pub(crate) fn call(
        &self,
        program: &Program,
        f: &Function,
        access: &dyn Fn(BufferId, &Buffer) -> Access,
    ) -> TokenStream {
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
                Access::Value(value) | Access::Held(value) => value,
            }
        });
        let piece = f.piece.then(|| quote!(piece));
        let arguments = arguments.chain(piece);
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
