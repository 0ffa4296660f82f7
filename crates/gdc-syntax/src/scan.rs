//! Finds the items of a source without parsing it, so that a library can be
//! indexed and only what is used of it be parsed.

use crate::lex::{self, Kind, Token};
use crate::words::ITEM_WORDS;
use std::ops::Range;

/// A run of tokens that is an item, or that is none.
pub(crate) struct Chunk {
    /// The word that begins it; `None` where no item begins.
    pub(crate) kind: Option<&'static str>,
    /// Its tokens, with the documentation before.
    pub(crate) tokens: Range<usize>,
    /// Where its first token after the documentation is.
    pub(crate) head: usize,
}

/// The top-level items of `text`: which word begins each (`"model"`, `"layer"`,
/// `"fn"`, `"optimizer"`, `"transform"`, `"const"`, `"import"`), the name it
/// defines, and its bytes with the documentation before it.
///
/// The name of an `import` is its path with the quotes; that of a `const` over a
/// tuple is empty. Wrong sources give what can be found in them.
pub fn items(text: &str) -> Vec<(&str, &str, Range<usize>)> {
    let tokens = lex::tokens(text);
    chunks(text, &tokens)
        .into_iter()
        .filter_map(|chunk| {
            let kind = chunk.kind?;
            let first = tokens.get(chunk.tokens.start)?;
            let last = tokens.get(chunk.tokens.end.checked_sub(1)?)?;
            let name = tokens.get(chunk.head + 1).filter(|t| matches!(t.kind, Kind::Word | Kind::Str));
            Some((kind, name.map_or("", |t| t.text(text)), first.start..last.end))
        })
        .collect()
}

/// The tokens of a text with their bytes, documentation among them and comments not; operators
/// are single characters.
pub fn tokens(text: &str) -> Vec<(&str, Range<usize>)> {
    lex::tokens(text).iter().map(|t| (t.text(text), t.range())).collect()
}

/// Cuts all of `tokens` into items and what lies between them.
pub(crate) fn chunks(text: &str, tokens: &[Token]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let start = at;
        while tokens.get(at).is_some_and(|t| t.kind == Kind::Doc) {
            at += 1;
        }
        let head = at;
        let kind = tokens.get(at).and_then(|t| item_word(text, t));
        at = match kind {
            Some(word) => end_of_item(text, tokens, at, word),
            None => next_item(text, tokens, at),
        };
        chunks.push(Chunk { kind, tokens: start..at, head });
    }
    chunks
}

fn item_word(text: &str, token: &Token) -> Option<&'static str> {
    if token.kind != Kind::Word {
        return None;
    }
    let word = token.text(text);
    ITEM_WORDS.into_iter().find(|w| *w == word)
}

/// One past the last token of the item whose word stands at `head`.
fn end_of_item(text: &str, tokens: &[Token], head: usize, word: &str) -> usize {
    let mut depth = 0usize;
    // Whether the item ends in `;` rather than in the brace of its block.
    let mut by_semicolon = matches!(word, "const" | "import");
    let mut at = head + 1;
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Open(_) => depth += 1,
            Kind::Close(_) => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.kind == Kind::Close('}') && !by_semicolon {
                    return after_derivative(text, tokens, at + 1, word);
                }
            }
            Kind::Punct('=') if depth == 0 => by_semicolon = true,
            Kind::Punct(';') if depth == 0 => {
                return after_derivative(text, tokens, at + 1, word);
            }
            // An item whose end is missing does not swallow the next one.
            Kind::Word if depth == 0 && item_word(text, token).is_some() => return at,
            Kind::Doc if depth == 0 && documents_item(text, tokens, at) => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Whether documentation begins at `at` that stands before an item.
fn documents_item(text: &str, tokens: &[Token], at: usize) -> bool {
    if at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|t| t.kind == Kind::Doc) {
        return false;
    }
    let next = tokens.iter().skip(at).find(|t| t.kind != Kind::Doc);
    next.is_some_and(|t| item_word(text, t).is_some())
}

/// A function may be followed by its stated derivative.
fn after_derivative(text: &str, tokens: &[Token], at: usize, word: &str) -> usize {
    if word != "fn" || !tokens.get(at).is_some_and(|t| t.is_word(text, "derivative")) {
        return at;
    }
    end_of_item(text, tokens, at, "const")
}

/// The first token at or after `at`, outside of brackets, that begins an item.
fn next_item(text: &str, tokens: &[Token], at: usize) -> usize {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(at) {
        match token.kind {
            Kind::Open(_) => depth += 1,
            Kind::Close(_) => depth = depth.saturating_sub(1),
            Kind::Doc if depth == 0 && i > at && documents_item(text, tokens, i) => return i,
            Kind::Word if depth == 0 && item_word(text, token).is_some() => return i,
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_file;
    use crate::{Diagnostics, FileId};

    const SOURCE: &str = "import \"a.gd\"; // layer no(x) {}
/// Doubles.
/** Twice. */
fn double(x, f: fn) = { x } + x; derivative(dy) = 2 * dy;
layer l(x: [n], cell: layer) -> [n] in 0..4 { if true { x } else { \"}\"; x } }
const k = { 3 };
const (a, b) = (1, 2);
optimizer sgd(lr = 0.1) for w, g { w <- w - lr * g; }
transform clip(limit) for w: [...], g { g <- g; }
model M { layer e = l(1); const c = 2; optimizer sgd(); }";

    #[test]
    fn finds_what_the_parser_finds() {
        let source = SOURCE.replace("\"}\"; ", "");
        let mut diagnostics = Diagnostics::default();
        let file = parse_file(&source, FileId(0), &mut diagnostics);
        assert_eq!(diagnostics.as_slice(), []);
        let parsed: Vec<(String, usize)> = file
            .unwrap()
            .items
            .iter()
            .map(|i| {
                let name = i.kind.name().map_or(String::new(), |n| n.text.clone());
                (name, i.span.end as usize)
            })
            .collect();
        let scanned: Vec<(String, usize)> = items(&source)
            .into_iter()
            .map(|(kind, name, range)| (if kind == "import" { "" } else { name }.to_owned(), range.end))
            .collect();
        assert_eq!(scanned, parsed);
    }

    #[test]
    fn a_range_holds_the_documentation() {
        let (kind, name, range) = items(SOURCE).swap_remove(1);
        assert_eq!((kind, name), ("fn", "double"));
        assert!(SOURCE[range.clone()].starts_with("/// Doubles."));
        assert!(SOURCE[range].ends_with("2 * dy;"));
    }

    #[test]
    fn a_missing_end_does_not_swallow_the_next_item() {
        let names: Vec<&str> = items("const a = 1 fn f(x) = x; def g(x) {} fn h(x) = x").iter().map(|i| i.1).collect();
        assert_eq!(names, ["a", "f", "h"]);
    }
}
