//! Kernels by routine: their functions, the module that holds them, and calls to them.

use crate::code::Code;
use crate::kernel::{Function, doc_lines, filled, function, mentions};
use crate::layout::{Layout, owned};
use crate::names::{Namer, ident, local};
use crate::{Context, Runtime, alike, sections};
use gdc_ir::graph::Loc;
use gdc_ir::program::{Buffer, BufferId, Elem, Kernel, Program, Programs};
use proc_macro2::{Ident, Literal, TokenStream};
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
    /// Of each metric that is a function of sums.
    pub(crate) totals: Vec<Vec<Function>>,
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
        // What one sample takes is known first: routines over many samples may call it for each.
        let predict = namer.all(&programs.predict, "predict", &all_owned(&programs.predict));
        let entries = programs.entries.iter();
        let entries = entries.map(|(name, program)| namer.all(program, name, &all_owned(program))).collect();
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
        let totals = programs.totals.metrics.iter();
        let totals = totals.map(|(name, _, p)| namer.all(p, &format!("total.{name}"), &all_owned(p))).collect();
        let stream = programs.stream.as_ref().map(|stream| {
            let mut all = |program, prefix| namer.all(program, prefix, &all_owned(program));
            (all(&stream.start, "start"), all(&stream.step, "step"))
        });
        Functions { init, train, predict, entries, totals, stream, also: namer.also }
    }

    /// The functions, each once, with their documentation.
    fn items(&self) -> impl Iterator<Item = TokenStream> {
        let train = self.train.iter().flat_map(|r| &r.functions);
        let stream = self.stream.iter().flat_map(|(start, step)| start.iter().chain(step));
        let stream = self.totals.iter().flatten().chain(stream);
        let points = self.predict.iter().chain(self.entries.iter().flatten()).chain(stream);
        let all = self.init.iter().chain(train).chain(points);
        all.filter(|f| !f.item.is_empty()).map(|f| {
            let item = &f.item;
            let Some(also) = self.also.get(&f.name.to_string()) else {
                let docs = doc_lines(&f.docs);
                return quote!(#docs #[inline(always)] #item);
            };
            let mut docs = f.docs.clone();
            docs.push(String::new());
            docs.extend(filled_lines(&format!("The same computes {}.", also.join(", "))));
            let docs = doc_lines(&docs);
            // What several kernels call is compiled once for each instruction set.
            if f.simd { quote!(apart! { #docs #item }) } else { quote!(#docs #[inline(always)] #item) }
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
    /// The function of another kernel that does what this one does, or does it for one sample.
    fn known(&mut self, program: &Program, kernel: &Kernel, owned: &BTreeSet<BufferId>, key: &str) -> Option<Function> {
        let name = &kernel.name;
        if let Some(made) = self.made.get(key) {
            self.also.entry(made.name.to_string()).or_default().push(format!("`{name}`"));
            return Some(made.for_another(kernel, owned));
        }
        program.batch?;
        let of = alike::of_sample(program, kernel, owned)?;
        let made = self.made.get(&of.key)?;
        self.also.entry(made.name.to_string()).or_default().push(format!("`{name}` for a sample"));
        Some(Function { samples: Some((of.samples, of.buffers)), ..made.for_another(kernel, owned) })
    }

    /// The kernels of one routine.
    fn routine(&mut self, program: &Program, routine: &str, prefix: &str, owned: &BTreeSet<BufferId>) -> Vec<Function> {
        let routines = program.routines.iter().filter(|r| r.name == routine);
        routines
            .flat_map(|r| &r.kernels)
            .map(|kernel| {
                if let Some((buffer, number)) = filled(program, kernel).filter(|_| routine == "init") {
                    return Function::filling(ident("fill"), buffer, number);
                }
                let key = alike::key(program, kernel, owned);
                if let Some(function) = self.known(program, kernel, owned, &key) {
                    return function;
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

/// A text as lines of documentation.
fn filled_lines(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines.last().is_some_and(|line| !line.is_empty() && line.len() + word.len() > 90);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines
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
        if mentions(&items, "apart") {
            types.push(quote!(apart));
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

    /// The call of a kernel, for one sample (`sample`) where it takes one.
    pub(crate) fn call(
        &self,
        program: &Program,
        f: &Function,
        access: &dyn Fn(BufferId, &Buffer) -> Access,
    ) -> TokenStream {
        let (module, name) = (&self.layout.types.kernels, &f.name);
        let of_sample = |id: BufferId| f.samples.as_ref().is_some_and(|(_, buffers)| buffers.contains(&id));
        let simd = f.simd.then(|| quote!(simd,));
        let sites = f.sites.iter().map(|site| crate::value::site_literal(*site));
        let seed = f.seed.then(|| quote!(seed, #(#sites,)*));
        let arguments = f.arguments.iter().map(|&(id, unique)| {
            let buffer = program.buffer(id);
            if of_sample(id) {
                let path = match access(id, buffer) {
                    Access::Place(path) | Access::Value(path) | Access::Held(path) => path,
                    Access::Reference(name) => quote!(#name),
                };
                return match (unique, buffer.shape.len()) {
                    (true, _) => quote!(&mut #path[sample]),
                    (false, 1) => quote!(#path[sample]),
                    (false, _) => quote!(&#path[sample]),
                };
            }
            match access(id, buffer) {
                Access::Place(path) if unique => quote!(&mut #path),
                Access::Place(path) if buffer.shape.is_empty() => path,
                Access::Place(path) => quote!(&#path),
                Access::Reference(name) if buffer.shape.is_empty() => quote!(*#name),
                Access::Reference(name) => quote!(#name),
                Access::Value(value) | Access::Held(value) => value,
            }
        });
        if let Some(number) = f.fill {
            let (rt, elem) = (&self.rt, f.arguments.first().map_or(Elem::F32, |(id, _)| program.buffer(*id).elem));
            let number = Code::real(number, elem).tokens;
            return quote!(#rt::fill(#(#arguments,)* #number););
        }
        let piece = f.piece.then(|| quote!(piece));
        let arguments = arguments.chain(piece);
        quote!(#module::#name(#simd #seed #(#arguments),*);)
    }

    /// The calls of kernels, in order. Those that run for each sample share a loop as long as
    /// nothing that they write is of several samples: what one leaves, the next finds in the cache.
    pub(crate) fn calls(
        &self,
        program: &Program,
        functions: &[&Function],
        access: &dyn Fn(BufferId, &Buffer) -> Access,
    ) -> TokenStream {
        let samples = |f: &Function| {
            let (samples, of) = f.samples.as_ref()?;
            f.arguments.iter().all(|(id, unique)| !unique || of.contains(id)).then_some(*samples)
        };
        let runs = functions.chunk_by(|a, b| samples(a).is_some() && samples(a) == samples(b));
        runs.map(|run| {
            let calls: TokenStream = run.iter().map(|f| self.call(program, f, access)).collect();
            match run.first().and_then(|f| f.samples.as_ref()) {
                Some((samples, _)) => {
                    let samples = Literal::usize_unsuffixed(*samples);
                    quote!(for sample in 0..#samples { #calls })
                }
                None => calls,
            }
        })
        .collect()
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
