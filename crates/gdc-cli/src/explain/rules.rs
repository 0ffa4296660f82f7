//! How each derivative was found: which statements read a tensor, and by which rules.

use super::math::{self, Equation};
use super::names::{Names, of_partial};
use gdc_ir::graph::Model;
use gdc_ir::{Expr, ExprId, Graph, NodeId, NodeKind, Red};
use std::collections::BTreeSet;

/// How the derivative by one tensor came about.
pub struct Derivation {
    /// The tensor, as the graph names it.
    pub of: String,
    /// As it came from the rules.
    pub found: Equation,
    /// After simplification, where it is still a tensor of its own.
    pub simplified: Option<Equation>,
    /// The statements that read the tensor, with the rules that were applied to each.
    pub steps: Vec<(Equation, Vec<String>)>,
}

/// All derivations, in the order in which they were made: from the loss backwards.
pub fn derivations(raw: &Model, simplified: &Model, names: &Names) -> Vec<Derivation> {
    let graph = &raw.graph;
    let raw_names = Names::new(raw, false);
    let mut all = Vec::new();
    for (id, node) in graph.nodes() {
        let Some(of) = of_partial(graph, &node.name).and_then(|name| graph.find(name)) else { continue };
        // The derivative of the loss by itself, 1, is where it begins.
        if Some(of) == raw.loss {
            continue;
        }
        let Some(found) = math::equation(raw, &raw_names, id) else { continue };
        let steps = graph.nodes().filter(|(reader, r)| {
            graph.inputs(*reader).contains(&of)
                && of_partial(graph, &r.name).is_none()
                && graph.find(&format!("d.{}", r.name)).is_some()
        });
        let steps = steps
            .filter_map(|(reader, _)| Some((math::equation(raw, &raw_names, reader)?, rules(graph, reader, of))))
            .collect();
        let simplified = simplified.graph.find(&node.name).and_then(|id| math::equation(simplified, names, id));
        all.push(Derivation { of: graph.node(of).name.clone(), found, simplified, steps });
    }
    all
}

/// The rules by which the cotangent of `reader` goes on to `of`, outermost first.
fn rules(graph: &Graph, reader: NodeId, of: NodeId) -> Vec<String> {
    let mut rules = Vec::new();
    let body = match &graph.node(reader).kind {
        NodeKind::Leaf(_) | NodeKind::Literal(_) => return rules,
        NodeKind::Reshape(_) => {
            rules.push("reshape: the same elements under the other shape".to_owned());
            return rules;
        }
        NodeKind::Recurrence { .. } => {
            rules.push("recurrence: a step's derivative is carried to the step before it".to_owned());
            return rules;
        }
        NodeKind::Compute { reduce, body, .. } => {
            rules.extend(reduce.iter().map(|r| reduction(r.op).to_owned()));
            *body
        }
        NodeKind::Scatter { body, .. } => {
            rules.push("scatter: each term reads the derivative at the place to which it was added".to_owned());
            *body
        }
    };
    let (leads, reads) = paths(graph, body, of);
    let mut order = Vec::new();
    graph.exprs.walk(body, &mut |e| order.push(e));
    for e in order.into_iter().rev().filter(|e| leads.contains(e)) {
        if let Expr::Op(op, _) = graph.exprs.get(e)
            && let Some(rule) = gdc_driver::derivative_rule(*op)
            && !rules.iter().any(|r| r == rule)
        {
            rules.push(rule.to_owned());
        }
    }
    if reads > 1 {
        rules.push(format!("total derivative: the sum over its {reads} occurrences"));
    }
    rules
}

/// The expressions between the body and the reads of a node, and how many reads there are.
fn paths(graph: &Graph, body: ExprId, of: NodeId) -> (BTreeSet<ExprId>, usize) {
    let (mut leads, mut reads) = (BTreeSet::new(), 0);
    graph.exprs.walk(body, &mut |e| {
        let here = matches!(graph.exprs.get(e), Expr::Read { node, .. } if *node == of);
        reads += usize::from(here);
        if here || graph.exprs.children(e).iter().any(|c| leads.contains(c)) {
            leads.insert(e);
        }
    });
    (leads, reads)
}

fn reduction(op: Red) -> &'static str {
    match op {
        Red::Sum => "sum: every term receives the derivative of the sum",
        Red::Prod => "product over an index: ∂/∂xᵢ Π x = the product of the others",
        Red::Max => "maximum: only the first greatest element receives it",
        Red::Min => "minimum: only the first least element receives it",
        Red::Lse => "∂ log Σ exp(x) / ∂xᵢ = exp(xᵢ − log Σ exp(x)), the softmax",
        Red::Argmax | Red::Argmin | Red::Any | Red::All => "constant almost everywhere: its derivative is 0",
    }
}
