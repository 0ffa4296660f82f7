//! The tokens that tell rustc of errors, warnings and files.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The first and the last token of a place; rustc underlines from one to the other.
pub type Place = (Span, Span);

/// An error at `place`.
pub fn error(place: Place, message: &str) -> TokenStream {
    // Written in two halves, because stable Rust cannot join two spans.
    let (first, last) = place;
    let head = quote_spanned!(first=> ::core::compile_error!);
    let body = quote_spanned!(last=> { #message });
    quote!(#head #body)
}

/// The errors of a compilation. What the spec would have defined becomes a type that is known to
/// be wrong: then rustc says nothing about the code that uses it, and what is said is the cause.
pub fn errors(errors: &[(Place, String)], models: &[String]) -> TokenStream {
    let mut rest = errors.iter().map(|(place, message)| error(*place, message));
    let mut names = models.iter().flat_map(|model| type_names(model));
    let mut out = TokenStream::new();
    if let Some(first) = names.next()
        && let Some(error) = rest.next()
    {
        // An array of a wrong length is only wrong in part; what it would iterate over is wholly.
        out.extend(quote! {
            pub type #first = <[(); #error] as ::core::iter::IntoIterator>::Item;
            #(pub type #names = #first;)*
        });
    }
    out.extend(rest);
    out
}

/// The types that a model defines.
fn type_names(model: &str) -> Vec<Ident> {
    let names = ["", "Trainer", "Evaluation"].map(|suffix| format!("{model}{suffix}"));
    names.iter().filter_map(|name| identifier(name)).collect()
}

/// `name` as an identifier, raw because it may be a keyword; `None` where Rust has none such, and
/// for names beyond ASCII, for which nothing here can tell.
fn identifier(name: &str) -> Option<Ident> {
    let word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let begins = name.starts_with(|c: char| !c.is_ascii_digit());
    let taken = matches!(name, "_" | "self" | "Self" | "super" | "crate");
    (word && begins && !taken).then(|| Ident::new_raw(name, Span::call_site()))
}

/// A warning at `place`. Stable Rust lets a macro warn in one way only: by using a thing that is
/// deprecated. So `#[allow(deprecated)]` on the module silences it and `deny(warnings)` denies it.
pub fn warning(place: Place, code: &str, message: &str) -> TokenStream {
    let (first, last) = place;
    let Some(mut name) = identifier(code) else {
        return TokenStream::new();
    };
    let at = first.join(last).unwrap_or(first);
    name.set_span(at);
    quote! {
        const _: () = {
            #[deprecated(note = #message)]
            #[allow(dead_code)]
            const #name: () = ();
            #name
        };
    }
}

/// Makes cargo build again when one of these files changes.
pub fn watch(files: &BTreeSet<PathBuf>) -> TokenStream {
    let paths = files.iter().filter_map(|file| Path::to_str(file));
    quote! {
        #(const _: &[::core::primitive::u8] = ::core::include_bytes!(#paths);)*
    }
}
