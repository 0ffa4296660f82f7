//! Wrong specs of all kinds: whatever stands in the macro, what comes out is items, and a panic
//! is nowhere. Each case is a spec of this repository with a token left out, doubled or replaced.

use super::{source, specs};
use crate::expand::network;
use gdc_driver::{Options, Source, compile};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use proptest::prelude::*;
use std::fs;

/// What replaces a token; the last leaves it out.
const REPLACEMENTS: &[&str] =
    &["0", "1", "9999999999", "x", "h", "-", "0.5", "loss", "in", "[0]", "(2, 3)", ".", "sum", "true", ""];

#[derive(Clone, Copy, Debug)]
enum Change {
    Double,
    Replace(usize),
}

/// `tokens` with the token changed that comes after `skip` others; `skip` counts down.
fn change(tokens: TokenStream, skip: &mut usize, how: Change) -> TokenStream {
    let mut out = Vec::new();
    for token in tokens {
        let here = *skip == 0;
        *skip = skip.wrapping_sub(1);
        if here {
            match how {
                Change::Double => out.extend([token.clone(), token]),
                Change::Replace(i) => out.extend(REPLACEMENTS[i].parse::<TokenStream>().unwrap()),
            }
            continue;
        }
        out.push(match token {
            TokenTree::Group(group) => Group::new(group.delimiter(), change(group.stream(), skip, how)).into(),
            other => other,
        });
    }
    out.into_iter().collect()
}

fn size(tokens: TokenStream) -> usize {
    let inner = |token| if let TokenTree::Group(g) = token { size(g.stream()) } else { 0 };
    tokens.into_iter().map(|token| 1 + inner(token)).sum()
}

/// The items that a changed spec gives; the error says what is wrong with them.
fn expand(spec: usize, place: f64, how: Change) -> Result<(), String> {
    let specs: Vec<_> = specs().into_iter().filter(|path| !path.to_string_lossy().contains("std")).collect();
    let path = &specs[spec % specs.len()];
    let tokens: TokenStream = fs::read_to_string(path).unwrap().parse().unwrap();
    let mut skip = (place * size(tokens.clone()) as f64) as usize;
    let changed = change(tokens, &mut skip, how);
    let at_home = |given: &Source, options: &Options| compile(&source(path, given.text.clone()), options);
    let out = network(changed.clone(), &at_home);
    let text = out.to_string();
    if text.contains("this is a bug in gdc") {
        return Err(format!("{path:?} as\n{changed}\ngives\n{text}"));
    }
    syn::parse2::<syn::File>(out).map(|_| ()).map_err(|e| format!("{path:?} as\n{changed}\n: {e}"))
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_changed_spec_ends_in_a_panic(
        spec in 0usize..1000,
        place in 0.0..1.0f64,
        how in prop_oneof![
            Just(Change::Double),
            (0..REPLACEMENTS.len()).prop_map(Change::Replace),
        ],
    ) {
        expand(spec, place, how).map_err(TestCaseError::fail)?;
    }
}

#[test]
fn odd_groups_are_no_panic() {
    for delimiter in [Delimiter::None, Delimiter::Brace, Delimiter::Bracket, Delimiter::Parenthesis] {
        let mut tokens = TokenStream::new();
        for _ in 0..2_000 {
            tokens = TokenTree::Group(Group::new(delimiter, tokens)).into();
        }
        let out = network(tokens, &compile).to_string();
        assert!(out.contains("compile_error") && !out.contains("this is a bug in gdc"), "{out}");
    }
}
