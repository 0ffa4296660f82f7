//! The macro and the program are one compiler: for each spec of this repository the tokens that
//! come out of `network! { text }` are those that `gdc compile` prints.

use super::{source, specs};
use crate::expand::network;
use gdc_driver::{Options, Source, compile};
use gdc_syntax::Severity;
use std::fs;

#[test]
fn macro_and_program_give_the_same_tokens() {
    let mut generated = 0;
    for path in specs() {
        let text = fs::read_to_string(&path).unwrap();
        if !text.contains("model ") {
            continue;
        }
        // The macro knows no folder outside of the compiler.
        let at_home = |given: &Source, options: &Options| compile(&source(&path, given.text.clone()), options);
        let expanded = network(text.parse().unwrap(), &at_home).to_string();
        match compile(&source(&path, text), &Options::default()) {
            Ok(output) => {
                generated += 1;
                let tokens = output.tokens.to_string();
                assert!(expanded.contains(&tokens), "{path:?} differs");
                assert_eq!(expanded.matches("deprecated").count(), output.warnings.len());
            }
            Err(failure) => {
                let errors = failure.diagnostics.iter().filter(|d| d.severity == Severity::Error);
                let errors: Vec<_> = errors.map(|d| d.code.0).collect();
                assert_eq!(expanded.matches("compile_error").count(), errors.len(), "{path:?}");
                for code in errors {
                    assert!(expanded.contains(&format!("[{code}]")), "{path:?}: {code}");
                }
            }
        }
    }
    assert!(generated > 5, "most specs are right");
}
