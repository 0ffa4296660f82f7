//! `network!`: the text of a spec rebuilt from tokens and handed to the compiler, and its errors
//! put where the user's tokens are. Users get the macro, and its documentation, from `gdc`.

mod emit;
mod expand;
mod file;
mod literal;
mod message;
mod rebuild;
mod site;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

// The documentation is where users meet the macro: at its place in `gdc`, where its example runs.
#[allow(missing_docs)]
#[proc_macro]
pub fn network(spec: TokenStream) -> TokenStream {
    expand::network(spec.into(), &gdc_driver::compile).into()
}
