//! What can be computed for one sample alone: outputs and entry points look at no other sample
//! of a batch and draw nothing.

use super::selection::span_of;
use super::{Lowered, Lowerer};
use crate::codes;
use gdc_ir::{Expr, ExprId, Leaf, NodeId, NodeKind, Var};
use gdc_syntax::{Diagnostic, Span};
use std::collections::BTreeSet;

/// Why something cannot be predicted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    Draws,
    OtherSamples,
}

impl Lowerer<'_> {
    /// Reports an output or entry point that is no function of one sample.
    pub(super) fn check_predictable(&mut self, what: &str, node: NodeId, span: Span) -> Lowered<()> {
        let reached = self.model.graph.reachable([node]);
        let found = reached.into_iter().rev().find_map(|id| self.reason(id).map(|r| (id, r)));
        let Some((id, reason)) = found else { return Ok(()) };
        let place = span_of(self.model.graph.node(id).origin);
        let d = match reason {
            Reason::Draws => Diagnostic::error(codes::PREDICTION, span, format!("{what} depends on random numbers"))
                .secondary(place, "drawn here")
                .help("draw them under `if training { ... }`, and say after `else` what a prediction takes"),
            Reason::OtherSamples => {
                Diagnostic::error(codes::PREDICTION, span, format!("{what} depends on other samples of the batch"))
                    .secondary(place, "they are looked at here")
                    .note("a prediction is made for one sample")
                    .help("do so under `if training { ... }`, and keep what a prediction needs in a `state`")
            }
        };
        Err(self.report(d))
    }

    fn reason(&self, id: NodeId) -> Option<Reason> {
        let graph = &self.model.graph;
        let (own, roots): (Option<Var>, Vec<ExprId>) = match &graph.node(id).kind {
            NodeKind::Leaf(Leaf::SampleWeight) => return Some(Reason::OtherSamples),
            NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Reshape(_) | NodeKind::Recurrence { .. } => {
                return None;
            }
            NodeKind::Compute { axes, body, .. } => (axes.first().copied(), vec![*body]),
            NodeKind::Scatter { at, body, .. } => {
                let own = at.first().and_then(|&e| graph.exprs.as_var(e));
                (own, at.iter().skip(1).copied().chain([*body]).collect())
            }
        };
        let own = own.filter(|&v| graph.exprs.var(v).batch);
        let mut seen = BTreeSet::new();
        roots.into_iter().find_map(|e| self.reason_in(e, own, &mut seen))
    }

    fn reason_in(&self, e: ExprId, own: Option<Var>, seen: &mut BTreeSet<ExprId>) -> Option<Reason> {
        if !seen.insert(e) {
            return None;
        }
        let graph = &self.model.graph;
        match graph.exprs.get(e) {
            Expr::Random { .. } => Some(Reason::Draws),
            // Its own place among the samples.
            Expr::Int(a) if a.terms.iter().any(|(v, _)| graph.exprs.var(*v).batch) => Some(Reason::OtherSamples),
            Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) => None,
            Expr::Read { node, at, otherwise } => {
                let skip = usize::from(graph.node(*node).per_sample);
                if skip == 1 && (own.is_none() || at.first().and_then(|&p| graph.exprs.as_var(p)) != own) {
                    return Some(Reason::OtherSamples);
                }
                at.iter().skip(skip).chain(otherwise).find_map(|&p| self.reason_in(p, own, seen))
            }
            Expr::Op(_, args) => args.iter().find_map(|&a| self.reason_in(a, own, seen)),
        }
    }
}
