//! Examples of the language: blocks tagged `gd`.
//!
//! * `gd` compiles without errors and warnings;
//! * `gd,fails=E0201` fails, and this is the code of its first error;
//! * `gd,warns=W0001` compiles with this warning first.
//!
//! Since readers do not see the tags, the first line says the same: `// wrong: E0201`, or
//! `// warning: W0001`.
//!
//! An example with a `model`, or one tagged `gd,whole`, is a whole source. Others are parts of
//! one:
//!
//! * before a line `// in a model:` stand definitions, after it statements of a model; without
//!   such a line all are statements;
//! * the model has the inputs and targets of [`GIVEN`], where the example does not use the name
//!   for something else;
//! * without a `loss` it has one of a parameter of its own, and without an `optimizer` it has
//!   `optimizer sgd();`. That the example's own parameters then have no use is no warning.

use super::markdown::Block;
use gdc_driver::{Options, Source};
use gdc_syntax::render::render;

/// Codes that no short example can have: limits, and mistakes of gdc.
pub const WITHOUT_EXAMPLE: &[&str] = &["E0007", "E0008", "E0018", "E0099", "E0901"];

/// What every example that is a part of a model can use.
pub const GIVEN: &[(&str, &str)] = &[
    ("x", "input x: [4];"),
    ("image", "input image: [8, 8];"),
    ("words", "input words: [6] in 0..20;"),
    ("y", "target y: [4];"),
    ("label", "target label: in 0..10;"),
];

/// Ends the definitions of an example.
const IN_A_MODEL: &str = "// in a model:";

/// Whether a block does what its tags say.
pub fn check(block: &Block) -> Result<(), String> {
    let text = if is_whole(block) { block.text.clone() } else { around(&block.text) };
    let source = Source { name: "example.gd".to_owned(), text: text.clone(), folder: None };
    let (diagnostics, sources) = match gdc_driver::compile(&source, &Options::default()) {
        Ok(output) => (output.warnings, output.sources),
        Err(failure) => (failure.diagnostics, failure.sources),
    };
    let counts = |code: &str| is_whole(block) || code != "W0003";
    let found = diagnostics.iter().map(|d| d.code.0).find(|code| counts(code));
    let wanted = block.tag("fails").or_else(|| block.tag("warns"));
    let said = match (block.tag("fails"), block.tag("warns")) {
        (Some(code), _) => format!("// wrong: {code}\n"),
        (None, Some(code)) => format!("// warning: {code}\n"),
        (None, None) => String::new(),
    };
    if !block.text.starts_with(&said) {
        return Err(format!("the first line is not `{}`", said.trim()));
    }
    if found == wanted {
        return Ok(());
    }
    let shown = render(&diagnostics, &sources, false);
    Err(format!("{} is wanted, and this is what came:\n{text}\n{shown}", wanted.unwrap_or("nothing")))
}

fn is_whole(block: &Block) -> bool {
    block.info.split(',').any(|tag| tag == "whole") || block.text.lines().any(|line| line.starts_with("model "))
}

/// The source that an example is a part of.
fn around(text: &str) -> String {
    let (definitions, statements) = text.split_once(IN_A_MODEL).unwrap_or(("", text));
    let has = |word: &str| statements.lines().any(|line| line.trim_start().starts_with(word));
    let mut body = String::new();
    for (name, declaration) in GIVEN {
        let roles = ["input", "target", "param", "let", "const", "state"];
        if !roles.iter().any(|role| has(&format!("{role} {name}"))) {
            body.push_str(&format!("    {declaration}\n"));
        }
    }
    body.push_str(statements);
    if !has("loss ") {
        body.push_str("    param of_example = 1.0;\n    loss of_example^2;\n");
    }
    if !has("optimizer ") {
        body.push_str("    optimizer sgd();\n");
    }
    format!("{definitions}model Example {{\n{body}}}\n")
}
