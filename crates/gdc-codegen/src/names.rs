//! Names: from dotted paths and hints to Rust identifiers that are valid, unique and read
//! like the spec.

use proc_macro2::{Ident, Span};
use std::collections::BTreeSet;

/// Keywords of every edition, in use or reserved, that `r#` makes usable.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Words that no identifier can be, with or without `r#`.
const NEVER: &[&str] = &["self", "Self", "super", "crate", "_", ""];

/// Types and modules that generated code names without a path: a model of such a name would hide them.
const TYPES: &[&str] = &[
    "bool", "f32", "f64", "i32", "i64", "u32", "u64", "usize", "str", "char", "u8", "i8", "u16", "i16", "u128", "i128",
    "isize", "S",
];

/// An identifier token for a valid name; keywords become raw.
pub(crate) fn ident(name: &str) -> Ident {
    if KEYWORDS.contains(&name) { Ident::new_raw(name, Span::call_site()) } else { Ident::new(name, Span::call_site()) }
}

/// A valid identifier that differs from `text` as little as possible: whatever cannot stand
/// in an identifier, the dots of a path among it, becomes an underscore.
pub(crate) fn field(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        name.push(if unicode_ident::is_xid_continue(c) { c } else { '_' });
    }
    let first_fits = name.chars().next().is_some_and(|c| unicode_ident::is_xid_start(c) || c == '_');
    if !first_fits {
        name.insert(0, '_');
    }
    if NEVER.contains(&name.as_str()) {
        name.push_str(if name == "_" { "v" } else { "_" });
    }
    name
}

/// Like [`field`], in small letters and without doubled or outer underscores: for names that
/// only the generated code sees.
pub(crate) fn local(text: &str) -> String {
    let lower: String = field(text).chars().flat_map(char::to_lowercase).collect();
    let parts: Vec<&str> = lower.split('_').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "v".to_owned() } else { field(&parts.join("_")) }
}

/// `CamelCase` as `camel_case`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut previous_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && previous_lower {
            out.push('_');
        }
        out.push(c);
        previous_lower = c.is_lowercase() || c.is_numeric();
    }
    local(&out)
}

/// The name of a type for a model.
pub(crate) fn type_name(text: &str) -> String {
    let mut name = field(text);
    if TYPES.contains(&name.as_str()) {
        name.push_str("Model");
    }
    name
}

/// Whether rustc's `non_snake_case` accepts a name.
pub(crate) fn is_snake(name: &str) -> bool {
    let inner = name.trim_matches('_');
    !inner.contains("__") && !inner.chars().any(char::is_uppercase)
}

/// Whether rustc's `non_camel_case_types` accepts a name, on the safe side.
pub(crate) fn is_camel(name: &str) -> bool {
    !name.contains('_') && !name.chars().next().is_some_and(char::is_lowercase)
}

/// Hands out names that differ from each other, in nested scopes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Namer {
    taken: BTreeSet<String>,
    order: Vec<String>,
}

impl Namer {
    /// A namer that never gives the names listed.
    pub(crate) fn reserving(names: &[&str]) -> Self {
        let mut namer = Namer::default();
        for name in names {
            namer.take(name);
        }
        namer
    }

    fn take(&mut self, name: &str) -> bool {
        let new = self.taken.insert(name.to_owned());
        if new {
            self.order.push(name.to_owned());
        }
        new
    }

    /// The name itself, or with the least number appended that makes it new.
    pub(crate) fn unique(&mut self, name: &str) -> String {
        if self.take(name) {
            return name.to_owned();
        }
        let mut k = 2;
        loop {
            let numbered = format!("{name}_{k}");
            if self.take(&numbered) {
                return numbered;
            }
            k += 1;
        }
    }

    /// A mark to [`leave`](Namer::leave) to.
    pub(crate) fn enter(&self) -> usize {
        self.order.len()
    }

    /// Frees all names given since the mark.
    pub(crate) fn leave(&mut self, mark: usize) {
        for name in self.order.drain(mark..) {
            self.taken.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_identifiers() {
        assert_eq!(field("h.0.block.up.w"), "h_0_block_up_w");
        assert_eq!(field("0"), "_0");
        assert_eq!(field("self"), "self_");
        assert_eq!(field(""), "_v");
        assert_eq!(field("α.β"), "α_β");
        assert_eq!(local("dL/dW"), "dl_dw");
        assert_eq!(local("__"), "v");
        assert_eq!(snake("LeNet5"), "le_net5");
        assert_eq!(type_name("f32"), "f32Model");
        assert_eq!(ident("type").to_string(), "r#type");
    }

    #[test]
    fn names_are_unique_in_their_scope() {
        let mut namer = Namer::reserving(&["simd"]);
        assert_eq!(namer.unique("simd"), "simd_2");
        let mark = namer.enter();
        assert_eq!(namer.unique("i"), "i");
        assert_eq!(namer.unique("i"), "i_2");
        namer.leave(mark);
        assert_eq!(namer.unique("i"), "i");
    }
}
