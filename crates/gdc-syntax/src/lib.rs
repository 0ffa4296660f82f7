//! The front of gdc: sources, spans, diagnostics, the syntax tree and its parser.

pub mod ast;
mod build;
pub mod codes;
pub mod diagnostic;
mod lex;
pub mod parse;
pub mod scan;
pub mod source;

pub use diagnostic::{Code, Diagnostic, Diagnostics, Reported, Severity};
pub use source::{FileId, SourceMap, Span};
