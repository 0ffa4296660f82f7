//! The passes of gdc, from syntax tree to tensor graph, and its standard library.
//!
//! [`compile_model`] is the list of passes, in order.

pub mod build;
pub mod checkpoint;
mod choices;
pub mod codes;
pub mod derivatives;
pub mod detach;
pub mod differentiate;
pub mod fuse;
pub mod hoist;
pub mod library;
pub mod linear;
pub mod logarithms;
pub mod lower;
pub mod maxima;
mod narrow;
mod product;
mod rebuild;
pub mod reuse;
mod rules;
pub mod sample;
mod scans;
pub mod stream;
pub mod sums;
mod tests_of_results;
pub mod totals;
pub mod unit;
mod untaken;

use gdc_ir::Model;
use gdc_syntax::{Diagnostics, Reported, SourceMap, ast};
use library::Library;

/// Called after each pass with its name and what it left.
pub type Observer<'o> = &'o mut dyn FnMut(&'static str, &Model);

/// A model's tensor graph with its gradients and updates: the passes, in order.
///
/// # Errors
/// What is wrong with the model has been reported to `diagnostics`.
pub fn compile_model(
    model: &ast::Model,
    docs: &[String],
    library: &mut Library,
    sources: &mut SourceMap,
    diagnostics: &mut Diagnostics,
    observe: Observer<'_>,
) -> Result<Model, Reported> {
    // Names are resolved, calls expanded, shapes checked; every let and sum is a node.
    let mut lowerer = lower::lower(model, docs, library, sources, diagnostics)?;
    let mut graph = lowerer.take_model();
    observe("lower", &graph);
    // After this point no logarithm is taken of what a sigmoid or softmax rounded.
    logarithms::look_through_logarithms(&mut graph);
    // After this point no statement only renames, and no two are equal.
    fuse::fuse(&mut graph);
    observe("fuse", &graph);
    // After this point every parameter that the loss depends on has its gradient.
    differentiate::differentiate(&mut graph);
    observe("differentiate", &graph);
    // After this point every such parameter has its next value.
    let mut graph = lower::lower_updates(lowerer, graph)?;
    hoist::hoist(&mut graph);
    observe("update", &graph);
    detach::take_off_detach(&mut graph);
    // Simplification, one way: fewer statements, fewer terms, no work done twice.
    fuse::fuse(&mut graph);
    linear::merge_like_terms(&mut graph);
    sums::simplify_sums(&mut graph);
    reuse::reuse(&mut graph);
    // After this point no difference from a logarithm of a sum loses digits.
    maxima::take_maxima_apart(&mut graph);
    hoist::hoist(&mut graph);
    fuse::fuse(&mut graph);
    unit::name_unit_places(&mut graph);
    observe("simplify", &graph);
    // After this point the backward pass needs nothing of the inside of a checkpoint.
    checkpoint::compute_again(&mut graph);
    // Where training changes nothing after all (a dropout of rate 0), there is one loss.
    graph.evaluation = graph.evaluation.filter(|_| graph.evaluation != graph.loss);
    // What cannot be computed one time at a time is an error where that is asked for.
    if let Err(blocked) = stream::one_step(&graph) {
        return Err(diagnostics.push(blocked.diagnostic(model, sources)));
    }
    Ok(graph)
}
