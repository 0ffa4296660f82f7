//! Kernels in pieces: the structs that hold what a piece sees, and the functions that give pieces
//! to threads.

use crate::Context;
use crate::kernel::Function;
use crate::layout::Spot;
use crate::names::{Namer, ident, local};
use crate::routines::{Access, Routine};
use crate::types::{array_type, elem_type};
use crate::workspace::{parts, routine_doc};
use gdc_ir::program::{Buffer, BufferId, Cut};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use std::collections::BTreeMap;

/// Kernels of a routine that run one after the other, or in pieces side by side.
struct Run<'f> {
    name: Ident,
    functions: Vec<&'f Function>,
    cut: Option<&'f Cut>,
}

/// What a piece holds.
struct Held {
    name: Ident,
    /// Its type, with the lifetime `'a`.
    ty: TokenStream,
    /// How it is made ready before the pieces are.
    ready: TokenStream,
    /// Whether it is rows of the piece.
    rows: bool,
}

impl Context<'_> {
    /// Whether threads share a step.
    pub(crate) fn shares_steps(&self) -> bool {
        self.programs.train.parts > 0 || self.programs.train.is_cut()
    }

    /// How many threads can have work at the same time.
    pub(crate) fn most_threads(&self) -> usize {
        let kernels = self.programs.train.routines.iter().flat_map(|r| &r.kernels);
        kernels.filter_map(|k| k.cut.as_ref()).map(|c| c.pieces).fold(self.programs.train.parts, usize::max)
    }

    /// The kernels of a routine, those of each stage together.
    fn runs<'f>(&self, routine: &'f Routine) -> Vec<Run<'f>> {
        let stage = |f: &Function| f.cut.as_ref().map(|c| c.stage);
        let runs = routine.functions.chunk_by(|a, b| stage(a) == stage(b));
        runs.enumerate()
            .map(|(k, run)| Run {
                name: format_ident!("{}_{}", routine.name, k + 1),
                functions: run.iter().collect(),
                cut: run.first().and_then(|f| f.cut.as_ref()),
            })
            .collect()
    }

    /// A routine some of whose kernels are in pieces.
    pub(crate) fn routine_in_pieces(&self, routine: &Routine) -> TokenStream {
        let all: Vec<&Function> = routine.functions.iter().collect();
        let (mut body, mut items) = (TokenStream::new(), TokenStream::new());
        for run in self.runs(routine) {
            let call = self.routine_call(&run.name, &run.functions, false, false);
            body.extend(quote!(self.#call;));
            items.extend(match run.cut {
                None => self.straight(&run.name, " What one thread does.", &run.functions, false),
                Some(cut) => self.sharing(&run, cut),
            });
        }
        let doc = routine_doc(&routine.name.to_string());
        let signature = self.signature(&routine.name, &all, false, false);
        quote! {
            #[doc = #doc]
            #signature { #body }
            #items
        }
    }

    /// The type of the pieces of a run.
    fn piece_type(&self, run: &Run<'_>) -> Ident {
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().map_or(String::new(), |first| first.to_uppercase().collect::<String>() + letters.as_str())
        };
        let name: String = run.name.to_string().split('_').map(capital).collect();
        format_ident!("{}{}", self.layout.types.model, name)
    }

    /// The function that makes the pieces of a run and gives them to threads.
    fn sharing(&self, run: &Run<'_>, cut: &Cut) -> TokenStream {
        let (rt, ty, pieces) = (&self.rt, self.piece_type(run), Literal::usize_unsuffixed(cut.pieces));
        let held = self.held(run);
        let ready = held.iter().map(|h| &h.ready);
        let fields = held.iter().map(|h| {
            let name = &h.name;
            if h.rows { quote!(#name: ::core::iter::Iterator::next(&mut #name)?) } else { quote!(#name) }
        });
        let signature = self.signature(&run.name, &run.functions, false, false);
        quote! {
            #[doc = " What threads share: each piece runs all of these kernels, on rows of its own."]
            #signature {
                #(#ready)*
                let mut pieces: [_; #pieces] = ::core::array::from_fn(|_| {
                    ::core::option::Option::Some(#ty { #(#fields),* })
                });
                #rt::each(&mut pieces, self.threads, |index, piece| {
                    if let ::core::option::Option::Some(piece) = piece {
                        piece.run(index);
                    }
                });
            }
        }
    }

    /// What the pieces of a run hold.
    fn held(&self, run: &Run<'_>) -> Vec<Held> {
        let train = &self.programs.train;
        let mut namer = Namer::reserving(&["model", "pieces", "index", "piece", "simd", "seed", "run"]);
        for given in self.functions_given() {
            namer.unique(&given.name.to_string());
        }
        let mut held: BTreeMap<BufferId, Held> = BTreeMap::new();
        for f in &run.functions {
            for &(id, _) in &f.arguments {
                if held.contains_key(&id) {
                    continue;
                }
                let buffer = train.buffer(id);
                let rows = f.cut.as_ref().filter(|c| c.rows.contains(&id));
                let name = match self.layout.train.get(&id) {
                    Some(Spot::Given(name)) => name.clone(),
                    _ => ident(&namer.unique(&local(&buffer.name))),
                };
                held.insert(id, self.hold(name, id, buffer, rows));
            }
        }
        let mut held: Vec<Held> = held.into_values().collect();
        if run.functions.iter().any(|f| f.seed) {
            let ready = quote!(let seed = self.seed;);
            held.push(Held { name: format_ident!("seed"), ty: quote!(u64), ready, rows: false });
        }
        held
    }

    fn hold(&self, name: Ident, id: BufferId, buffer: &Buffer, rows: Option<&Cut>) -> Held {
        let (rt, access) = (&self.rt, self.access(id, buffer, false));
        let whole = array_type(buffer.elem, &buffer.shape);
        let (ty, ready) = match (rows, access, buffer.shape.split_first()) {
            (Some(cut), Access::Place(path), Some((n, rest))) => {
                let mine = array_type(buffer.elem, &[&[n / cut.pieces], rest].concat());
                (quote!(&'a mut #mine), quote!(let mut #name = #rt::pieces_of(&mut #path);))
            }
            (_, Access::Place(path), None) => (elem_type(buffer.elem), quote!(let #name = #path;)),
            (_, Access::Place(path), Some(_)) => (quote!(&'a #whole), quote!(let #name = &#path;)),
            (_, Access::Reference(given), None) => (elem_type(buffer.elem), quote!(let #name = *#given;)),
            (_, Access::Reference(_), Some(_)) => (quote!(&'a #whole), quote!()),
            (_, Access::Value(value) | Access::Held(value), _) => (whole, quote!(let #name = #value;)),
        };
        Held { name, ty, ready, rows: rows.is_some() }
    }

    /// The structs of all pieces, with what they run.
    pub(crate) fn pieces(&self) -> TokenStream {
        let routines = self.functions.train.iter();
        let runs = routines.flat_map(|r| self.runs(r)).filter(|r| r.cut.is_some());
        runs.map(|run| self.piece(&run)).collect()
    }

    fn piece(&self, run: &Run<'_>) -> TokenStream {
        let (ty, held, train) = (self.piece_type(run), self.held(run), &self.programs.train);
        let members = held.iter().map(|h| {
            let (name, ty) = (&h.name, &h.ty);
            quote!(#name: #ty)
        });
        let names: BTreeMap<BufferId, Ident> = {
            let mut ids: Vec<BufferId> = run.functions.iter().flat_map(|f| &f.arguments).map(|(id, _)| *id).collect();
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().zip(held.iter().map(|h| h.name.clone())).collect()
        };
        let access = |id: BufferId, _: &Buffer| {
            let name = names.get(&id);
            Access::Held(quote!(self.#name))
        };
        let (mut calls, mut items) = (TokenStream::new(), TokenStream::new());
        let all = parts(&run.functions);
        for (k, part) in all.iter().enumerate() {
            let name = if all.len() == 1 { format_ident!("run_on") } else { format_ident!("run_{}_on", k + 1) };
            let seed = part.iter().any(|f| f.seed).then(|| quote!(let seed = self.seed;));
            let body = self.calls(train, part, &access);
            let (heavy, simd) = (part.iter().any(|f| f.heavy), part.iter().any(|f| f.simd));
            let given = simd.then(|| quote!(simd: S,));
            let rt = &self.rt;
            let generic = simd.then(|| quote!(<S: #rt::Simd>));
            let argument = simd.then(|| quote!(simd,));
            let call = self.dispatch(heavy, quote!(self.#name(#argument piece)));
            calls.extend(quote!(#call;));
            items.extend(quote! {
                #[doc = " The same, on the instruction set of `simd`."]
                #[inline(always)]
                fn #name #generic(&mut self, #given piece: usize) { #seed #body }
            });
        }
        let doc = format!(" What a piece of `{}` sees.", run.name);
        quote! {
            #[doc = #doc]
            #[allow(dead_code)]
            struct #ty<'a> { #(#members),* }
            #[allow(dead_code, unused_variables)]
            impl #ty<'_> {
                #[doc = " The kernels of a piece."]
                fn run(&mut self, piece: usize) { #calls }
                #items
            }
        }
    }
}
