//! The derived pest parser of the gd language; `gd.pest` beside this crate's
//! manifest is the grammar and its reference.
//!
//! Nothing here makes a syntax tree: `gdc-syntax` does that, and turns pest's
//! failures into diagnostics.

#[allow(missing_docs)] // the rules are described in the grammar
mod derived {
    use pest_derive::Parser;

    /// Parses gd source text into pest pairs.
    #[derive(Parser)]
    #[grammar = "gd.pest"]
    pub struct GdParser;
}

pub use derived::{GdParser, Rule};
