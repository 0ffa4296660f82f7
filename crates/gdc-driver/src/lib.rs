//! `compile()`: the one door that the macro and the program share.

use gdc_ir::program::Programs;
use gdc_syntax::{Diagnostic, FileId, SourceMap, Span};
use proc_macro2::TokenStream;
use std::path::PathBuf;

/// Where a source and its imports come from.
pub struct Source {
    /// The name that messages show: a path, or `<network>`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// The folder that `import "x.gd";` of this source is relative to; none: it may import nothing.
    pub folder: Option<PathBuf>,
}

/// How generated code names the runtime.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Runtime {
    /// `::gdc::rt`
    #[default]
    Crate,
    /// A private module pasted into the file, which then needs nothing but `core`.
    StandAlone,
}

/// What to generate.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How the runtime is named.
    pub runtime: Runtime,
    /// Which model of the source; its only one, or else its last one, where absent.
    pub model: Option<String>,
}

/// A compiled model.
pub struct Output {
    /// The module's items.
    pub tokens: TokenStream,
    /// The tensor graph after all passes.
    pub model: gdc_ir::Model,
    /// The loop programs.
    pub programs: Programs,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
    /// All texts, for rendering.
    pub sources: SourceMap,
}

/// Why nothing was generated.
pub struct Failure {
    /// At least one error, and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// All texts, for rendering.
    pub sources: SourceMap,
    /// The file of the source given to [`compile`].
    pub root: FileId,
    /// The names of the models of the source, for stubs that keep rustc quiet.
    pub models: Vec<String>,
}

#[allow(unused)]
fn placeholder(_: Span) {}
