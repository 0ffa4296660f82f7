//! From text to the syntax tree.

use crate::ast;
use crate::build::{Builder, Built};
use crate::check;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::lex;
use crate::recover;
use crate::source::{FileId, Span};
use gdc_grammar::{GdParser, Rule};
use pest::Parser;
use pest::iterators::Pair;
use std::num::NonZeroUsize;
use std::sync::Once;

/// The longest source, in bytes.
pub const MAX_LENGTH: usize = 1 << 20;

/// Calls inside pest that one parse may make: about three times what the longest
/// source needs. The limit is pest's and one for the whole process.
const MAX_CALLS: Option<NonZeroUsize> = NonZeroUsize::new(300_000_000);

/// Parses a whole source.
///
/// # Errors
///
/// [`Reported`] if anything was found wrong; `diagnostics` then says what.
pub fn parse_file(text: &str, file: FileId, diagnostics: &mut Diagnostics) -> Result<ast::File, Reported> {
    tree(Rule::file, text, 0, file, diagnostics, |builder, pair| builder.file(pair))
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
    tree(Rule::single_item, text, offset, file, diagnostics, |builder, pair| builder.single_item(pair))
}

fn tree<T>(
    rule: Rule,
    text: &str,
    offset: usize,
    file: FileId,
    diagnostics: &mut Diagnostics,
    build: impl FnOnce(&mut Builder<'_>, Pair<'_, Rule>) -> Built<T>,
) -> Result<T, Reported> {
    static LIMIT: Once = Once::new();
    LIMIT.call_once(|| pest::set_call_limit(MAX_CALLS));
    if text.len() > MAX_LENGTH {
        let message = format!("the source has {} bytes, more than {MAX_LENGTH}", text.len());
        let span = Span::new(file, offset, offset);
        return Err(diagnostics.push(Diagnostic::error(codes::E0008, span, message)));
    }
    let checked = check::check(text, &lex::tokens(text), file, offset, diagnostics);
    if checked.fatal {
        return Err(Reported);
    }
    let Some(repaired) = checked.repaired else {
        let tree = parse(rule, text, offset, file, diagnostics, build)?;
        return if checked.reported { Err(Reported) } else { Ok(tree) };
    };
    // What is found in the repaired text is shown in the text as it was written.
    let mut found = Diagnostics::default();
    let tree = parse(rule, &repaired, offset, file, &mut found, build);
    diagnostics.absorb(found, |diagnostic| on_boundaries(diagnostic, text, offset));
    if checked.reported { Err(Reported) } else { tree }
}

/// Parses what is known to hold no wrong token.
fn parse<T>(
    rule: Rule,
    text: &str,
    offset: usize,
    file: FileId,
    diagnostics: &mut Diagnostics,
    build: impl FnOnce(&mut Builder<'_>, Pair<'_, Rule>) -> Built<T>,
) -> Result<T, Reported> {
    let Some(pair) = GdParser::parse(rule, text).ok().and_then(|mut pairs| pairs.next()) else {
        recover::report(text, rule, file, offset, diagnostics);
        return Err(Reported);
    };
    let mut builder = Builder::new(file, offset, diagnostics);
    let tree = build(&mut builder, pair);
    builder.finish()?;
    tree
}

/// Widens the spans of a diagnostic to whole characters of `text`.
fn on_boundaries(mut diagnostic: Diagnostic, text: &str, offset: usize) -> Diagnostic {
    let widen = |span: &mut Span| {
        let (mut start, mut end) = (span.start as usize, span.end as usize);
        while start > offset && !text.is_char_boundary(start - offset) {
            start -= 1;
        }
        while end > offset && end - offset < text.len() && !text.is_char_boundary(end - offset) {
            end += 1;
        }
        *span = Span::new(span.file, start, end);
    };
    widen(&mut diagnostic.span);
    diagnostic.secondary.iter_mut().for_each(|label| widen(&mut label.span));
    diagnostic
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump;

    const SOURCE: &str = "layer conv(x: [h, c], k: (kh, kw) = 1, id: in 0..v) -> [..., c] {
    let y[p in 0..h, q] = sum[i, j](w[i, j] * x[p*2 + i - 1, q] else -inf);
    let z[p*2 + i]: [h] += x[p] else drop;
    if b != 1 && h.0.1.w >= 2 || !c { reshape(y, [h]) + 1e-3 } else { y[.., 1..] }
}
model M {
    let z = x |> conv(3) as c |> relu;
    h <- -h ^ 2;
    optimizer adam(lr = 1e-3) for *.w, h.0;
    train { until = mean_loss <= 1e-3; }
}
/** Doc. */ fn f(x) = x == 1; derivative(dy) = dy;";

    fn tree(text: &str) -> String {
        let mut diagnostics = Diagnostics::default();
        let file = parse_file(text, FileId(0), &mut diagnostics);
        assert_eq!(diagnostics.as_slice(), [], "{text}");
        dump::dump(&file.unwrap())
    }

    #[test]
    fn blanks_between_any_two_tokens_change_nothing() {
        let tokens = lex::tokens(SOURCE);
        let spread: Vec<&str> = tokens.iter().map(|t| t.text(SOURCE)).collect();
        let spread = spread.join(" ");
        assert!(spread.contains("| >") && spread.contains("< -"));
        assert_eq!(tree(&spread), tree(SOURCE));
        assert_eq!(tree(&spread.replace(' ', "\n\t")), tree(SOURCE));
    }

    #[test]
    fn an_item_alone_is_the_item_in_its_file() {
        let mut diagnostics = Diagnostics::default();
        let file = parse_file(SOURCE, FileId(3), &mut diagnostics).unwrap();
        for (item, (_, _, range)) in file.items.iter().zip(crate::scan::items(SOURCE)) {
            let text = &SOURCE[range.clone()];
            let alone = parse_item(text, range.start, FileId(3), &mut diagnostics);
            assert_eq!(alone.as_ref(), Ok(item));
        }
    }
}
