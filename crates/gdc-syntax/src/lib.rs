//! The front of gdc: sources, spans, diagnostics, the syntax tree and its parser.

pub mod ast;
pub mod diagnostic;
pub mod source;

pub use diagnostic::{Code, Diagnostic, Diagnostics, Reported, Severity};
pub use source::{FileId, SourceMap, Span};
