//! The verifier of the tensor graph. What it holds a model to:
//!
//! Nodes
//! 1. A node reads only earlier nodes, but for what a recurrence's steps leave.
//! 2. Names are neither empty nor shared.
//! 3. A literal has one number per element; integers are whole and truth values 0 or 1.
//! 4. Only integers have a range, it is not empty, and what the node computes lies in it.
//! 5. A reshape keeps the elements' number, type and range, and whether it is per sample,
//!    and then also the extent of the batch.
//! 6. A per-sample node has a first axis, the same extent in all of them; a computed one's
//!    first variable runs over the batch.
//! 22. A recurrence has the shape and type of what its steps leave, and those of its first
//!     value but for the axis of steps, which is not the batch. Nodes that depend on each other
//!     read each other at one and the same step, along one axis each.
//!
//! Statements
//! 7. Variables that a statement binds are distinct; a reduction binds at least one.
//! 8. The extents of the axes are the node's shape; a scatter has a place for each axis.
//! 9. Every variable of a body is bound by its statement.
//! 10. A body's type is what the reduction takes (a real for a scatter), and the node's type
//!     is what it gives.
//!
//! Expressions
//! 11. An operator has arguments that fit its signature.
//! 12. A read has one integer place per axis, the type of the node it reads, and so has
//!     what it yields outside.
//! 13. A place lies inside its axis wherever the variables stand, unless the read says what
//!     it yields outside. For a place that is not affine, the range of what it reads says so.
//! 14. A draw's element is an integer.
//! 15. The counter is read by step scalars and by the elements of draws alone.
//!
//! Roots (in `verify/roots.rs`)
//! 16. Lists hold leaves of their kind, and every leaf is in its list, once.
//! 17. Inputs, targets and the sample weight are per sample, other leaves are not; integer
//!     inputs and targets have a range; parameters are real; the counter is one integer.
//! 18. The loss and the metrics are single real numbers.
//! 19. An initial value has its leaf's shape and type; a parameter's reads no leaf, a
//!     state's reads only parameters.
//! 20. A gradient belongs to a parameter, an update to a parameter or state, at most one to
//!     each, not per sample, with its shape and type.
//! 21. An output needs no target, and what it needs reads per-sample tensors at its own
//!     sample alone (so that one sample can be predicted without a batch).

mod roots;

use crate::expr::{Expr, ExprId, Var};
use crate::graph::{Graph, Leaf, Model, NodeId, NodeKind, Reduce};
use crate::ops::Ty;
use crate::order::Tangle;
use crate::ranges::{Interval, int_interval};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A broken invariant: a mistake of a pass, not of a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The node that breaks it, if it is one node's.
    pub node: Option<NodeId>,
    /// A sentence that names the node and says what is wrong.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Checks a model. All violations are returned, in order of nodes, then of roots.
pub fn verify(model: &Model) -> Result<(), Vec<Violation>> {
    let mut checker = Checker { model, graph: &model.graph, found: Vec::new() };
    // What comes later follows the edges, so they must hold.
    checker.edges();
    if checker.found.is_empty() {
        checker.nodes();
        roots::check(&mut checker);
    }
    if checker.found.is_empty() { Ok(()) } else { Err(checker.found) }
}

struct Checker<'a> {
    model: &'a Model,
    graph: &'a Graph,
    found: Vec<Violation>,
}

impl Checker<'_> {
    fn report(&mut self, node: NodeId, message: impl fmt::Display) {
        let name = &self.graph.node(node).name;
        self.found.push(Violation { node: Some(node), message: format!("{name} ({node:?}) {message}") });
    }

    /// 1, and that the roots exist.
    fn edges(&mut self) {
        for (id, _) in self.graph.nodes() {
            if let NodeKind::Recurrence { init, next, .. } = self.graph.node(id).kind {
                if init >= id || next == id || next.0 as usize >= self.graph.len() {
                    self.report(id, format_args!("carries {next:?}, beginning with {init:?}"));
                }
            } else if let Some(later) = self.graph.inputs(id).into_iter().find(|&input| input >= id) {
                self.report(id, format_args!("reads {later:?}, which is not an earlier node"));
            }
        }
        let model = self.model;
        let targets = model.gradients.iter().chain(&model.updates).map(|u| u.target);
        for root in model.roots().into_iter().chain(targets) {
            if root.0 as usize >= self.graph.len() {
                let message = format!("{root:?} is a root but not a node");
                self.found.push(Violation { node: None, message });
            }
        }
    }

    fn nodes(&mut self) {
        let mut names: BTreeMap<&str, NodeId> = BTreeMap::new();
        let graph = self.graph;
        let batch = graph.nodes().find(|(_, n)| n.per_sample).and_then(|(_, n)| n.shape.first().copied());
        for (id, node) in graph.nodes() {
            if node.name.is_empty() {
                self.report(id, "has no name");
            }
            if let Some(other) = names.insert(&node.name, id) {
                self.report(id, format_args!("has the name of {other:?}"));
            }
            if let Some((low, high)) = node.range
                && (node.ty != Ty::Int || low >= high)
            {
                self.report(id, format_args!("has the range {low}..{high}, but is {:?}", node.ty));
            }
            if node.per_sample && (node.shape.is_empty() || node.shape.first().copied() != batch) {
                self.report(id, format_args!("is per sample, but has the shape {:?}", node.shape));
            }
            match &node.kind {
                NodeKind::Leaf(_) => {}
                NodeKind::Literal(values) => self.literal(id, values),
                NodeKind::Reshape(source) => self.reshape(id, *source),
                NodeKind::Recurrence { init, next, axis, .. } => self.recurrence(id, *init, *next, *axis),
                NodeKind::Compute { axes, reduce, body } => self.compute(id, axes, reduce.as_ref(), *body),
                NodeKind::Scatter { domain, at, body } => self.scatter(id, domain, at, *body),
            }
        }
        let all: Vec<NodeId> = graph.nodes().map(|(id, _)| id).collect();
        match crate::order::parts(graph, &all) {
            Ok(_) => {}
            Err(Tangle::OtherStep(id)) => self.report(id, "depends on itself at another step"),
            Err(Tangle::OtherLoop(id)) => self.report(id, "has other steps than the loop that it is in"),
        }
    }

    /// 3 and, for literals, 4.
    fn literal(&mut self, id: NodeId, values: &[f64]) {
        let node = self.graph.node(id);
        if values.len() != node.len() {
            let message = format!("has {} numbers for the shape {:?}", values.len(), node.shape);
            self.report(id, message);
        }
        let fits = |&v: &f64| match node.ty {
            Ty::Real => true,
            Ty::Int => v.fract() == 0.0 && node.range.is_none_or(|(low, high)| low as f64 <= v && v < high as f64),
            Ty::Bool => v == 0.0 || v == 1.0,
        };
        if let Some(v) = values.iter().find(|v| !fits(v)) {
            self.report(id, format_args!("holds {v}, which is no {:?} of its range", node.ty));
        }
    }

    /// 22.
    fn recurrence(&mut self, id: NodeId, init: NodeId, next: NodeId, axis: usize) {
        let (node, first, left) = (self.graph.node(id), self.graph.node(init), self.graph.node(next));
        let mut shape = node.shape.clone();
        if axis >= shape.len() || (node.per_sample && axis == 0) {
            return self.report(id, format_args!("has the shape {shape:?}, but steps along axis {axis}"));
        }
        shape.remove(axis);
        if first.shape != shape || first.per_sample != node.per_sample {
            let message = format!("has the shape {:?}, but begins with {:?}", node.shape, first.shape);
            self.report(id, message);
        }
        if left.shape != node.shape || left.per_sample != node.per_sample {
            let message = format!("has the shape {:?}, but its steps leave {:?}", node.shape, left.shape);
            self.report(id, message);
        }
        if [first, left].iter().any(|n| n.ty != node.ty) || node.ty != Ty::Real {
            self.report(id, "carries what is not real");
        }
    }

    /// 5.
    fn reshape(&mut self, id: NodeId, source: NodeId) {
        let (node, from) = (self.graph.node(id), self.graph.node(source));
        if node.len() != from.len() {
            let message = format!("reshapes {:?} to {:?}", from.shape, node.shape);
            self.report(id, message);
        }
        if node.ty != from.ty || node.range != from.range {
            self.report(id, "has another type or range than what it reshapes");
        }
        if node.per_sample != from.per_sample || (node.per_sample && node.shape.first() != from.shape.first()) {
            self.report(id, "moves the batch axis of what it reshapes");
        }
    }

    fn compute(&mut self, id: NodeId, axes: &[Var], reduce: Option<&Reduce>, body: ExprId) {
        let node = self.graph.node(id);
        let exprs = &self.graph.exprs;
        let extents: Vec<usize> = axes.iter().map(|&v| exprs.extent(v)).collect();
        if extents != node.shape {
            let message = format!("has axes of {extents:?}, but the shape {:?}", node.shape);
            self.report(id, message);
        }
        if node.per_sample && !axes.first().is_some_and(|&v| exprs.var(v).batch) {
            self.report(id, "is per sample, but its first axis does not run over the batch");
        }
        if axes.iter().skip(usize::from(node.per_sample)).any(|&v| exprs.var(v).batch) {
            self.report(id, "has an axis over the batch that is not the first of a per-sample node");
        }
        let over = reduce.map_or(&[][..], |r| &r.over);
        if reduce.is_some() && over.is_empty() {
            self.report(id, "reduces over nothing");
        }
        let bound: Vec<Var> = axes.iter().chain(over).copied().collect();
        self.statement(id, &bound, &[body]);
        let found = exprs.ty(body);
        let (takes, gives) = reduce.map_or((found, found), |r| (r.op.operand(), r.op.result()));
        if found != takes {
            self.report(id, format_args!("reduces {found:?}, where {takes:?} is needed"));
        }
        if node.ty != gives {
            self.report(id, format_args!("is {:?}, but computes {gives:?}", node.ty));
        }
        if let Some((low, high)) = node.range
            && node.ty == Ty::Int
        {
            let computed = match reduce {
                None => int_interval(self.graph, body),
                // Both reductions to integers give a place.
                Some(_) => {
                    let places = over.iter().map(|&v| exprs.extent(v) as i64);
                    Some((0, places.fold(1, i64::saturating_mul).saturating_sub(1)))
                }
            };
            if !node.is_empty() && !inside(computed, low, high) {
                let message = format!("has the range {low}..{high}, but computes {}", shown(computed));
                self.report(id, message);
            }
        }
    }

    fn scatter(&mut self, id: NodeId, domain: &[Var], at: &[ExprId], body: ExprId) {
        let node = self.graph.node(id);
        let exprs = &self.graph.exprs;
        if at.len() != node.shape.len() {
            let message = format!("has {} places for {} axes", at.len(), node.shape.len());
            self.report(id, message);
        }
        if at.iter().any(|&e| exprs.ty(e) != Ty::Int) {
            self.report(id, "adds at a place that is not an integer");
        }
        let own = at.first().and_then(|&e| exprs.as_var(e));
        if node.per_sample && !own.is_some_and(|v| exprs.var(v).batch) {
            self.report(id, "is per sample, but its first place does not run over the batch");
        }
        if exprs.ty(body) != Ty::Real || node.ty != Ty::Real {
            self.report(id, "adds up what is not real");
        }
        let mut roots = at.to_vec();
        roots.push(body);
        self.statement(id, domain, &roots);
    }

    /// 7, 9, and the expressions of a statement.
    fn statement(&mut self, id: NodeId, bound: &[Var], roots: &[ExprId]) {
        let exprs = &self.graph.exprs;
        let set: BTreeSet<Var> = bound.iter().copied().collect();
        if set.len() != bound.len() {
            self.report(id, "binds a variable twice");
        }
        let mut parts: BTreeSet<ExprId> = BTreeSet::new();
        let mut elements: BTreeSet<ExprId> = BTreeSet::new();
        for &root in roots {
            if let Some(v) = exprs.free_vars(root).into_iter().find(|v| !set.contains(v)) {
                let name = &exprs.var(v).name;
                self.report(id, format_args!("uses the variable {name} ({v:?}), which it does not bind"));
            }
            exprs.walk(root, &mut |e| {
                parts.insert(e);
            });
        }
        // A statement with an empty range runs nowhere, so no place of it is outside.
        let runs = bound.iter().all(|&v| exprs.extent(v) > 0);
        for &part in &parts {
            self.expression(id, part, runs);
            if let Expr::Random { element, .. } = exprs.get(part) {
                exprs.walk(*element, &mut |e| {
                    elements.insert(e);
                });
            }
        }
        let reads_counter = |e: &&ExprId| match exprs.get(**e) {
            Expr::Read { node, .. } => self.graph.node(*node).leaf() == Some(Leaf::Counter),
            _ => false,
        };
        let outside_draws = parts.iter().filter(|e| !elements.contains(e)).find(reads_counter).is_some();
        if outside_draws && !self.graph.is_step_scalar(id) {
            self.report(id, "reads the counter, but is not a step scalar");
        }
    }

    /// 11 to 14, for one expression without its parts.
    fn expression(&mut self, id: NodeId, part: ExprId, runs: bool) {
        let exprs = &self.graph.exprs;
        match exprs.get(part) {
            Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) => {}
            Expr::Op(op, args) => {
                let types: Vec<Ty> = args.iter().map(|&a| exprs.ty(a)).collect();
                if op.result(&types) != Some(exprs.ty(part)) {
                    let message = format!("applies {} to {types:?} giving {:?}", op.facts().name, exprs.ty(part));
                    self.report(id, message);
                }
            }
            Expr::Random { element, .. } => {
                if exprs.ty(*element) != Ty::Int {
                    self.report(id, "draws at an element that is not an integer");
                }
            }
            Expr::Read { node, at, otherwise } => {
                let from = self.graph.node(*node);
                if at.len() != from.shape.len() {
                    let message = format!("reads {} at {} places for {} axes", from.name, at.len(), from.shape.len());
                    self.report(id, message);
                    return;
                }
                if exprs.ty(part) != from.ty || otherwise.is_some_and(|e| exprs.ty(e) != from.ty) {
                    self.report(id, format_args!("reads {} as another type than {:?}", from.name, from.ty));
                }
                for (axis, (&place, &extent)) in at.iter().zip(&from.shape).enumerate() {
                    if exprs.ty(place) != Ty::Int {
                        self.report(id, format_args!("reads {} at a place that is not an integer", from.name));
                    } else if otherwise.is_none() && runs {
                        let found = int_interval(self.graph, place);
                        if !inside(found, 0, extent as i64) {
                            let (name, found) = (&from.name, shown(found));
                            self.report(id, format_args!("reads axis {axis} of {name} (0..{extent}) at {found}"));
                        }
                    }
                }
            }
        }
    }
}

fn inside(found: Option<Interval>, low: i64, high: i64) -> bool {
    found.is_some_and(|(a, b)| low <= a && b < high)
}

fn shown(found: Option<Interval>) -> String {
    found.map_or("a place of unknown range".to_owned(), |(low, high)| format!("{low}..={high}"))
}

#[cfg(test)]
mod tests;
