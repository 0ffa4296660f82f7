//! From text to the syntax tree.

use crate::ast;
use crate::build::{Builder, Built};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::source::{FileId, Span};
use gdc_grammar::{GdParser, Rule};
use pest::Parser;

/// Parses a whole source.
///
/// # Errors
///
/// [`Reported`] if anything was found wrong; `diagnostics` then says what.
pub fn parse_file(
    text: &str,
    file: FileId,
    diagnostics: &mut Diagnostics,
) -> Result<ast::File, Reported> {
    tree(text, 0, file, diagnostics, Rule::file, |b, pair| {
        b.file(pair)
    })
}

/// Parses one item that was cut out of a source at `offset`; spans are those of the source.
///
/// # Errors
///
/// [`Reported`] if anything was found wrong; `diagnostics` then says what.
pub fn parse_item(
    text: &str,
    offset: usize,
    file: FileId,
    diagnostics: &mut Diagnostics,
) -> Result<ast::Item, Reported> {
    tree(
        text,
        offset,
        file,
        diagnostics,
        Rule::single_item,
        |b, pair| b.single_item(pair),
    )
}

fn tree<T>(
    text: &str,
    offset: usize,
    file: FileId,
    diagnostics: &mut Diagnostics,
    rule: Rule,
    build: impl FnOnce(&mut Builder<'_>, pest::iterators::Pair<'_, Rule>) -> Built<T>,
) -> Result<T, Reported> {
    let mut pairs = match GdParser::parse(rule, text) {
        Ok(pairs) => pairs,
        Err(error) => {
            let at = match error.location {
                pest::error::InputLocation::Pos(p) | pest::error::InputLocation::Span((p, _)) => p,
            };
            let span = Span::new(file, offset + at, offset + at);
            let message = format!("syntax error: {}", error.variant.message());
            return Err(diagnostics.push(Diagnostic::error(codes::E0001, span, message)));
        }
    };
    let mut builder = Builder::new(file, offset, diagnostics);
    let Some(pair) = pairs.next() else {
        return Err(Reported);
    };
    let tree = build(&mut builder, pair);
    builder.finish()?;
    tree
}
