//! The front of gdc: sources, spans, diagnostics, the syntax tree and its parser.

pub mod ast;
mod build;
mod check;
pub mod codes;
pub mod diagnostic;
pub mod dump;
pub mod examples;
mod expect;
pub mod format;
mod hints;
mod lex;
pub mod parse;
mod recover;
pub mod render;
pub mod scan;
mod scene;
pub mod similar;
pub mod source;
pub mod words;

pub use diagnostic::{Code, Diagnostic, Diagnostics, Reported, Severity};
pub use source::{FileId, SourceMap, Span};
