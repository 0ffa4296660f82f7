//! From loop programs to Rust: the items of one module, as tokens.
//!
//! [`generate`] decides names and syntax and nothing else. What it emits compiles without
//! warnings under `#![no_std]`, `#![no_implicit_prelude]`, `#![forbid(unsafe_code)]` and
//! `#![deny(warnings)]`, in a module, in a function body and out of a macro alike: types at
//! the caller's place, kernels in one private module that names nothing around it.

mod alike;
mod batch;
mod code;
mod cost;
mod kernel;
mod layout;
mod linear;
mod model;
mod names;
mod operator;
mod parts;
mod pieces;
mod predict;
#[cfg(feature = "print")]
mod print;
mod routines;
mod scope;
mod stmt;
mod stream;
mod together;
mod totals;
mod trainer;
mod training;
mod types;
mod value;
mod workspace;

#[path = "../runtime/sections.rs"]
mod sections;

use gdc_ir::graph::Loc;
use gdc_ir::program::Programs;
use proc_macro2::TokenStream;
use quote::quote;

pub use cost::{operations_of_predict, operations_per_step, parameters, workspace_bytes};
pub use predict::{entry_method, output_fields};
#[cfg(feature = "print")]
pub use print::{header, print};

/// How generated code names the runtime.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Runtime {
    /// `::gdc::rt`
    #[default]
    Crate,
    /// A module `rt` pasted beside the code, which then needs nothing but `core`.
    StandAlone,
    /// The same for a program with `std`, whose square roots are the machine's own.
    Hosted,
}

/// How to generate.
pub struct Options<'a> {
    /// How the runtime is named.
    pub runtime: Runtime,
    /// Shows a place of the spec, such as `digits.gd:7`.
    pub origin: &'a dyn Fn(Loc) -> Option<String>,
}

impl Default for Options<'_> {
    /// On the runtime of crate `gdc`, without places.
    fn default() -> Self {
        Options { runtime: Runtime::Crate, origin: &|_| None }
    }
}

/// What all parts of the generator look at.
pub(crate) struct Context<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) layout: layout::Layout,
    pub(crate) runtime: Runtime,
    /// The path of the runtime.
    pub(crate) rt: TokenStream,
    pub(crate) functions: routines::Functions,
    /// Inputs and targets of training.
    pub(crate) sampled: Vec<batch::Sampled<'a>>,
}

/// The name of the type that trains the model of a name.
pub fn trainer_name(model: &str) -> String {
    format!("{}Trainer", names::type_name(model))
}

/// The name of the type that streams the model of a name.
pub fn stream_name(model: &str) -> String {
    format!("{}Stream", names::type_name(model))
}

/// The type of a model, and its fields: the dotted names in the spec, and those in Rust.
pub fn model_fields(programs: &Programs) -> (String, Vec<(String, String)>) {
    let layout = layout::Layout::new(programs);
    let fields = layout.model.iter().map(|f| (f.path.clone(), f.name.to_string()));
    (layout.types.model.to_string(), fields.collect())
}

/// The items of a model: its type, its trainer, and their kernels.
pub fn generate(programs: &Programs, options: &Options<'_>) -> TokenStream {
    let layout = layout::Layout::new(programs);
    let functions = routines::Functions::new(programs, &layout, options.origin);
    let sampled = batch::sampled(&programs.train);
    let rt = match options.runtime {
        Runtime::Crate => quote!(::gdc::rt),
        Runtime::StandAlone | Runtime::Hosted => quote!(rt),
    };
    let context = Context { programs, layout, runtime: options.runtime, rt, functions, sampled };
    let mut items = context.model();
    items.extend(context.stream());
    items.extend(context.trainer());
    items.extend(context.batch());
    items.extend(context.workspace());
    items.extend(context.kernels());
    if options.runtime != Runtime::Crate {
        let runtime = context.runtime_module(&items);
        items.extend(runtime);
    }
    items
}
