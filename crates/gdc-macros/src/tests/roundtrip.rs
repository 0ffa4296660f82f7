//! Text to tokens to text keeps every token: for the specs of this repository, and for token
//! streams that are made up.

use super::specs;
use crate::rebuild::rebuild;
use gdc_syntax::{Diagnostics, SourceMap, parse::parse_file};
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use proptest::prelude::*;
use std::fs;
use std::path::Path;

/// Each token as a word; joint punctuation as one. Fragments are what is in them.
fn words(tokens: TokenStream) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut glue = false;
    for token in tokens {
        let glued = std::mem::replace(&mut glue, false);
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                out.push(open.to_string());
                out.extend(words(group.stream()));
                out.push(close.to_string());
            }
            TokenTree::Punct(punct) => {
                glue = punct.spacing() == Spacing::Joint;
                match out.last_mut().filter(|_| glued) {
                    Some(last) => last.push(punct.as_char()),
                    None => out.push(punct.as_char().to_string()),
                }
            }
            other => out.push(other.to_string()),
        }
    }
    out.retain(|word| !word.is_empty());
    out
}

#[test]
fn every_spec_keeps_its_tokens() {
    let specs = specs();
    assert!(specs.len() > 10, "the specs are found");
    for path in specs {
        let text = fs::read_to_string(&path).unwrap();
        let tokens: TokenStream = text.parse().unwrap_or_else(|e| panic!("{path:?}: {e}"));
        let rebuilt = rebuild(tokens.clone()).text;
        let again: TokenStream = rebuilt.parse().unwrap();
        assert_eq!(words(again), words(tokens), "{path:?}");
    }
}

/// The syntax tree of a text, without the places of its nodes.
fn tree(text: &str, path: &Path) -> String {
    let mut sources = SourceMap::default();
    let file = sources.add("spec", text);
    let mut diagnostics = Diagnostics::default();
    let parsed = parse_file(text, file, &mut diagnostics);
    let tree = parsed.unwrap_or_else(|_| panic!("{path:?}: {:?}", diagnostics.as_slice()));
    let tree = format!("{tree:?}");
    // A span prints as `file:start..end`.
    let mut pieces = tree.split("0:").map(|piece| piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'));
    let first = pieces.next().unwrap_or("").to_string();
    pieces.fold(first, |all, piece| all + piece)
}

#[test]
fn every_spec_keeps_its_meaning() {
    for path in specs() {
        let text = fs::read_to_string(&path).unwrap();
        let rebuilt = rebuild(text.parse().unwrap()).text;
        assert_eq!(tree(&rebuilt, &path), tree(&text, &path), "{path:?}");
    }
}

/// Operators of the language, one of which may stand anywhere in a stream that is made up.
const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "^", "@", "=", "==", "!=", "<", "<=", ">", ">=", "<-", "->", "|>", "&&", "||", "!", ".",
    "..", "...", "..=", ",", ";", ":", "+=",
];

fn operator() -> impl Strategy<Value = Vec<TokenTree>> {
    proptest::sample::select(OPERATORS).prop_map(|operator| {
        let last = operator.len() - 1;
        let spacing = |i| {
            if i < last { Spacing::Joint } else { Spacing::Alone }
        };
        operator.chars().enumerate().map(|(i, c)| Punct::new(c, spacing(i)).into()).collect()
    })
}

fn leaf() -> impl Strategy<Value = Vec<TokenTree>> {
    prop_oneof![
        "[a-zα-ω][a-z0-9_]{0,6}".prop_map(|name| vec![Ident::new(&name, Span::call_site()).into()]),
        (0u32..1000).prop_map(|n| vec![Literal::u32_unsuffixed(n).into()]),
        (0.0..1e9f64).prop_map(|x| vec![Literal::f64_unsuffixed(x).into()]),
        ".{0,8}".prop_map(|text| vec![Literal::string(&text).into()]),
        operator(),
    ]
}

fn stream() -> impl Strategy<Value = TokenStream> {
    let join = |parts: Vec<Vec<TokenTree>>| parts.into_iter().flatten().collect::<TokenStream>();
    let flat = proptest::collection::vec(leaf(), 0..8).prop_map(join);
    flat.prop_recursive(4, 64, 6, move |inner| {
        let group = (0..4usize, inner).prop_map(|(kind, inside)| {
            let kinds = [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
            vec![TokenTree::Group(Group::new(kinds[kind], inside))]
        });
        proptest::collection::vec(prop_oneof![leaf(), group], 0..8).prop_map(join)
    })
}

/// The tokens that no parentheses were added to.
fn without_parentheses(words: Vec<String>) -> Vec<String> {
    words.into_iter().filter(|word| word != "(" && word != ")").collect()
}

proptest! {
    #[test]
    fn any_stream_keeps_its_tokens(tokens in stream()) {
        let rebuilt = rebuild(tokens.clone()).text;
        let again: TokenStream = rebuilt.parse().unwrap();
        // Rebuilding is stable, and only macro fragments get parentheses that were not there.
        prop_assert_eq!(rebuild(again.clone()).text, rebuilt);
        prop_assert_eq!(without_parentheses(words(again)), without_parentheses(words(tokens)));
    }

    #[test]
    fn every_range_of_any_stream_is_somewhere(tokens in stream(), a in 0usize..200, n in 0usize..50) {
        let rebuilt = rebuild(tokens);
        prop_assert_eq!(rebuilt.spans(a..a + n).is_none(), rebuilt.text.is_empty());
    }
}
