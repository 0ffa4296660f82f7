//! Budgets of a model, `assert params < 10_000;`, against what was compiled.

use gdc_ir::program::Programs;
use gdc_ir::{Budget, Model, Quantity};
use gdc_syntax::{Diagnostic, Diagnostics, FileId, Reported, Span};
use proc_macro2::{TokenStream, TokenTree};

/// Reports every budget that the model does not keep.
pub fn check(
    model: &Model,
    programs: &Programs,
    tokens: &TokenStream,
    diagnostics: &mut Diagnostics,
) -> Result<(), Reported> {
    let mut failed = false;
    for budget in &model.budgets {
        let value = measure(budget.quantity, programs, tokens) as f64;
        if value < budget.least || value > budget.most {
            diagnostics.push(diagnostic(budget, value));
            failed = true;
        }
    }
    if failed { Err(Reported) } else { Ok(()) }
}

fn measure(quantity: Quantity, programs: &Programs, tokens: &TokenStream) -> u64 {
    match quantity {
        Quantity::Params => gdc_codegen::parameters(programs) as u64,
        Quantity::Workspace => gdc_codegen::workspace_bytes(programs) as u64,
        Quantity::Flops => gdc_codegen::operations_of_predict(programs),
        Quantity::StepFlops => {
            gdc_codegen::operations_per_step(programs) / programs.train.samples().unwrap_or(1).max(1) as u64
        }
        Quantity::Code => bytes(tokens),
        Quantity::Unsafe => uses_of_unsafe(tokens),
    }
}

/// The length of the code: its tokens with one blank between any two of them, so that macro
/// and program count the same.
fn bytes(tokens: &TokenStream) -> u64 {
    tokens
        .clone()
        .into_iter()
        .map(|tree| match tree {
            TokenTree::Group(g) => bytes(&g.stream()) + 4,
            TokenTree::Ident(i) => i.to_string().len() as u64 + 1,
            TokenTree::Punct(_) => 2,
            TokenTree::Literal(l) => l.to_string().len() as u64 + 1,
        })
        .sum()
}

fn uses_of_unsafe(tokens: &TokenStream) -> u64 {
    tokens
        .clone()
        .into_iter()
        .map(|tree| match tree {
            TokenTree::Group(g) => uses_of_unsafe(&g.stream()),
            TokenTree::Ident(i) => u64::from(i == "unsafe"),
            TokenTree::Punct(_) | TokenTree::Literal(_) => 0,
        })
        .sum()
}

fn diagnostic(budget: &Budget, value: f64) -> Diagnostic {
    let span = Span { file: FileId(budget.origin.0), start: budget.origin.1, end: budget.origin.2 };
    let what = match budget.quantity {
        Quantity::Params => format!("the model has {value} parameters"),
        Quantity::Workspace => format!("training works on {value} bytes besides the model"),
        Quantity::Flops => format!("a prediction takes {value} operations"),
        Quantity::StepFlops => format!("a step takes {value} operations per sample"),
        Quantity::Code => format!("the generated code has {value} bytes"),
        Quantity::Unsafe => format!("the generated code says `unsafe` {value} times"),
    };
    let bound = if value > budget.most {
        format!("at most {} are allowed", budget.most)
    } else {
        format!("at least {} are wanted", budget.least)
    };
    Diagnostic::error(gdc_core::codes::ASSERTION, span, what).label(bound)
}
