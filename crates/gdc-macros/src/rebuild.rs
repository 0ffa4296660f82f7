//! From tokens back to the text of a spec, with a map from its bytes to the tokens' spans.
//!
//! `TokenStream::to_string` would lose the grouping of macro fragments, and the text behind a
//! span is the wrong one inside `macro_rules!`; so the text is made from the tokens alone.

use crate::literal;
use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};
use std::ops::Range;
use std::vec::IntoIter;

/// A spec's text, and where each piece of it stands in the user's code.
#[derive(Default)]
pub struct Rebuilt {
    /// One blank between tokens, none within an operator; doc comments on lines of their own.
    pub text: String,
    /// In the order of the text, without overlaps.
    pieces: Vec<Piece>,
}

struct Piece {
    bytes: Range<usize>,
    span: Span,
}

/// A delimited group that is being written: what is left of it, and what closes it.
struct Open {
    rest: IntoIter<TokenTree>,
    close: &'static str,
    span: Span,
}

/// Writes `tokens` as text. Any token stream is accepted: what is no `gd` is the parser's to say.
pub fn rebuild(tokens: TokenStream) -> Rebuilt {
    let mut out = Rebuilt::default();
    let whole = Open { rest: trees(tokens), close: "", span: Span::call_site() };
    // A stack of our own: nesting is the user's, and deep recursion would end the compiler.
    let mut stack = vec![whole];
    let mut glue = false;
    while let Some(open) = stack.last_mut() {
        if let Some(doc) = Doc::take(&mut open.rest) {
            out.doc(&doc);
            glue = false;
            continue;
        }
        let glued = std::mem::replace(&mut glue, false);
        match open.rest.next() {
            None => {
                out.piece(open.close, open.span, false);
                stack.pop();
            }
            Some(TokenTree::Group(group)) => stack.push(out.open(&group)),
            Some(TokenTree::Ident(ident)) => out.piece(&ident.to_string(), ident.span(), glued),
            Some(TokenTree::Literal(value)) => out.piece(&value.to_string(), value.span(), false),
            Some(TokenTree::Punct(punct)) => {
                let text = punct.as_char();
                out.piece(text.encode_utf8(&mut [0; 4]), punct.span(), glued);
                let operator = matches!(open.rest.as_slice(), [TokenTree::Punct(_), ..]);
                // `'a` must stay one; a slash never begins an operator, but may a comment.
                glue = punct.spacing() == Spacing::Joint && (text == '\'' || text != '/' && operator);
            }
        }
    }
    out
}

impl Rebuilt {
    /// The spans of the first and the last token that `bytes` touches. An empty or blank range
    /// is taken for the token that follows it, or the last one; `None` if there is no token.
    pub fn spans(&self, bytes: Range<usize>) -> Option<(Span, Span)> {
        let last = self.pieces.len().checked_sub(1)?;
        let from = self.pieces.partition_point(|p| p.bytes.end <= bytes.start).min(last);
        let to = self.pieces.partition_point(|p| p.bytes.start < bytes.end).saturating_sub(1);
        Some((self.pieces[from].span, self.pieces[to.max(from)].span))
    }

    fn piece(&mut self, text: &str, span: Span, glued: bool) {
        if text.is_empty() {
            return;
        }
        if !glued && !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push(' ');
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.pieces.push(Piece { bytes: start..self.text.len(), span });
    }

    fn open(&mut self, group: &Group) -> Open {
        let rest = trees(group.stream());
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None if is_operand(rest.as_slice()) => ("", ""),
            Delimiter::None => ("(", ")"),
        };
        let mut spans = (group.span_open(), group.span_close());
        if let (Delimiter::None, [first, .., last]) = (group.delimiter(), rest.as_slice()) {
            // The fragment itself is at `$name` in the macro; the user wrote what is in it.
            spans = (first.span(), last.span());
        }
        self.piece(open, spans.0, false);
        Open { rest, close, span: spans.1 }
    }

    fn doc(&mut self, doc: &Doc) {
        let mark = if doc.inner { "//!" } else { "///" };
        for line in doc.text.split('\n') {
            // A fourth slash would make it an ordinary comment.
            let gap = if line.starts_with('/') { " " } else { "" };
            self.piece(&format!("{mark}{gap}{}", line.trim_end()), doc.span, false);
            self.text.push('\n');
        }
    }
}

/// What a doc comment has become by the time that a macro sees it: `#[doc = "text"]`.
struct Doc {
    text: String,
    /// `//!` rather than `///`.
    inner: bool,
    span: Span,
}

impl Doc {
    /// Takes a doc attribute off the front, if there is one.
    fn take(rest: &mut IntoIter<TokenTree>) -> Option<Doc> {
        let (inner, group) = match rest.as_slice() {
            [TokenTree::Punct(hash), TokenTree::Group(group), ..] if hash.as_char() == '#' => (false, group),
            [TokenTree::Punct(hash), TokenTree::Punct(bang), TokenTree::Group(group), ..]
                if hash.as_char() == '#' && bang.as_char() == '!' =>
            {
                (true, group)
            }
            _ => return None,
        };
        if group.delimiter() != Delimiter::Bracket {
            return None;
        }
        let mut inside = trees(group.stream());
        // `#[$m]` of a macro with `$m:meta` has the attribute as one fragment.
        if let [TokenTree::Group(fragment)] = inside.as_slice() {
            inside = trees(fragment.stream());
        }
        let [TokenTree::Ident(name), TokenTree::Punct(equals), value] = inside.as_slice() else {
            return None;
        };
        if name != "doc" || equals.as_char() != '=' {
            return None;
        }
        let text = literal::string(value)?.replace("\r\n", "\n").replace('\r', " ");
        let doc = Doc { text, inner, span: value.span() };
        rest.nth(if inner { 2 } else { 1 });
        Some(doc)
    }
}

/// Whether a macro fragment needs no parentheses to stay one operand: it is a single token, or
/// calls, indices and fields after one. `x |> $layer` wants a call there, not a parenthesis.
fn is_operand(tokens: &[TokenTree]) -> bool {
    let Some((first, mut rest)) = tokens.split_first() else {
        return true;
    };
    if !rest.is_empty() && matches!(first, TokenTree::Punct(_)) {
        return false;
    }
    loop {
        rest = match rest {
            [] => return true,
            [TokenTree::Group(g), tail @ ..]
                if matches!(g.delimiter(), Delimiter::Parenthesis | Delimiter::Bracket) =>
            {
                tail
            }
            [TokenTree::Punct(dot), TokenTree::Ident(_) | TokenTree::Literal(_), tail @ ..] if dot.as_char() == '.' => {
                tail
            }
            _ => return false,
        };
    }
}

fn trees(tokens: TokenStream) -> IntoIter<TokenTree> {
    tokens.into_iter().collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::{Literal, Punct};
    use quote::quote;

    fn text(spec: &str) -> String {
        rebuild(spec.parse().unwrap()).text
    }

    fn fragment(tokens: TokenStream) -> Group {
        Group::new(Delimiter::None, tokens)
    }

    #[test]
    fn one_blank_between_tokens_and_none_within_operators() {
        assert_eq!(text("let y[j]=sum[i](x[i]*w[i,j]);"), "let y [ j ] = sum [ i ] ( x [ i ] * w [ i , j ] ) ;");
        assert_eq!(text("x<-a|>f && b..=c...d"), "x <- a |> f && b ..= c ... d");
        assert_eq!(text("model M { // comment\n a /* b */ }"), "model M { a }");
        assert_eq!(text("r#loop 'a 4k \"a b\" 1.5e-3"), "r#loop 'a 4k \"a b\" 1.5e-3");
        assert_eq!(text(""), "");
    }

    #[test]
    fn doc_comments_stand_on_lines_of_their_own() {
        assert_eq!(text("/// A \"b\" \\ c\nmodel M { /// d\n x }"), "/// A \"b\" \\ c\nmodel M { /// d\nx }");
        assert_eq!(text("/** a\n * b */ x"), "/// a\n/// * b\nx");
        assert_eq!(text("//! inner\nx"), "//! inner\nx");
        assert_eq!(text("#[doc = \"/ a\\nb\"] x"), "/// / a\n///b\nx");
        assert_eq!(text("#[doc(hidden)] x"), "# [ doc ( hidden ) ] x");
        let meta = fragment(quote!(doc = "a"));
        assert_eq!(rebuild(quote!(#[#meta] x)).text, "///a\nx");
    }

    #[test]
    fn macro_fragments_stay_one_operand() {
        for (inside, expected) in [
            (quote!(a + b), "x * ( a + b )"),
            (quote!(-1), "x * ( - 1 )"),
            (quote!(a), "x * a"),
            (quote!(a.b(c)[d].e), "x * a . b ( c ) [ d ] . e"),
            (quote!((a + b)), "x * ( a + b )"),
            (quote!(0..n), "x * ( 0 .. n )"),
            (quote!(if a { b } else { c }), "x * ( if a { b } else { c } )"),
            (quote!(), "x *"),
        ] {
            let inner = fragment(inside);
            assert_eq!(rebuild(quote!(x * #inner)).text, expected);
            let outer = fragment(quote!(#inner));
            assert_eq!(rebuild(quote!(x * #outer)).text, expected);
        }
        // Rust has no negative literals: a macro that makes one makes two tokens.
        let negative = Literal::i32_unsuffixed(-1);
        assert_eq!(rebuild(quote!(x < #negative)).text, "x < - 1");
    }

    #[test]
    fn slashes_never_meet() {
        let slash = TokenTree::Punct(Punct::new('/', Spacing::Joint));
        let star = TokenTree::Punct(Punct::new('*', Spacing::Joint));
        let tokens: TokenStream = [slash.clone(), slash, star].into_iter().collect();
        assert_eq!(rebuild(tokens).text, "/ / *");
    }

    #[test]
    fn deep_nesting_is_only_long() {
        let mut tokens = quote!(x);
        for _ in 0..100_000 {
            tokens = TokenTree::Group(Group::new(Delimiter::Parenthesis, tokens)).into();
        }
        assert_eq!(rebuild(tokens).text.len(), 400_001);
    }

    #[test]
    fn every_range_has_the_tokens_that_it_touches() {
        // Tokens are told apart by their columns, which the test's own features switch on.
        let rebuilt = rebuild("let yy = a + bb ;".parse().unwrap());
        let at = |range| {
            let (first, last) = rebuilt.spans(range).unwrap();
            (first.start().column, last.end().column)
        };
        assert_eq!(at(4..6), (4, 6));
        assert_eq!(at(9..15), (9, 15));
        assert_eq!(at(12..12), (13, 15));
        assert_eq!(at(6..6), (7, 8));
        assert_eq!(at(5..5), (4, 6));
        assert_eq!(at(17..17), (16, 17));
        assert_eq!(at(90..99), (16, 17));
        assert!(rebuild(TokenStream::new()).spans(0..0).is_none());
    }
}
