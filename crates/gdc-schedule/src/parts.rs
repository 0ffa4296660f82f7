//! Cutting a step into parts of the batch that do not depend on each other, so that threads can
//! share them: whether a model allows it, into how many, and what belongs to which phase.
//!
//! A part computes everything that belongs to its samples, and its share of every sum over them.
//! What follows from those sums (the loss, gradients with penalties, updates) is computed once,
//! after the shares have been added up in the order of the parts. So the order of all sums is
//! fixed by the number of parts, which depends on the model alone and never on the threads.

use gdc_ir::{Expr, ExprId, Graph, Leaf, Model, NodeId, NodeKind, Red, Var};
use std::collections::BTreeSet;
use std::ops::ControlFlow::{Break, Continue};

/// The most parts of a batch.
const MOST: usize = 8;
/// A part of a batch that is large enough fills the lanes.
const FULL: usize = gdc_ir::program::LANES;
/// The most parts of a batch that is too small to fill the lanes with each.
const MOST_OF_FEW: usize = 4;
/// Multiply-adds and the like of a step below which threads cost more than they save: about
/// 50 microseconds of one thread.
const WORTHWHILE: usize = 2_000_000;
/// Adding up gradients and the like, for one number, costs as much as so many multiply-adds.
const ADDING: usize = 16;

/// The most threads that a step is worth, `None` for as many as there are.
///
/// # Errors
/// Why one has to do, if the model asks for more.
pub(crate) fn asked(model: &Model) -> Result<Option<usize>, Option<String>> {
    let Some(threads) = model.settings.threads.filter(|t| t.most != Some(1)) else { return Err(None) };
    let work = work(&model.graph, &step_roots(model));
    if threads.most.is_none() && work < WORTHWHILE {
        return Err(Some(format!("a step of about {work} multiply-adds is too short to share between threads")));
    }
    Ok(threads.most)
}

/// Into how many parts the batch of a model that asks for threads is cut; 0 if it is not, and
/// then why not.
pub(crate) fn parts(model: &Model) -> (usize, Option<String>) {
    let Some(batch) = model.settings.batch else {
        return (0, Some("the model takes no samples that threads could share".to_owned()));
    };
    let roots = step_roots(model);
    let phases = match Phases::new(&model.graph, &model.roots()) {
        Ok(phases) => phases,
        Err(reason) => return (0, Some(reason)),
    };
    let work = work(&model.graph, &roots);
    let summed: usize = model
        .graph
        .reachable(roots)
        .into_iter()
        .filter(|id| phases.sums.contains(id))
        .fold(0, |sum, id| sum + model.graph.node(id).len());
    let divisors = |least: usize, most: usize| (2..=most).rev().filter(move |n| batch % n == 0 && batch / n >= least);
    let fits = |n: &usize| (n - 1).saturating_mul(summed).saturating_mul(ADDING) <= work / 4;
    let full = divisors(FULL, MOST).find(fits).or_else(|| divisors(FULL, MOST).next_back());
    match full.or_else(|| divisors(1, MOST_OF_FEW).next()).or_else(|| divisors(1, MOST).next_back()) {
        Some(n) => (n, None),
        None => (0, Some(format!("a batch of {batch} has no parts of equal size"))),
    }
}

/// What a step of training computes.
fn step_roots(model: &Model) -> Vec<NodeId> {
    let updates = model.gradients.iter().chain(&model.updates).map(|u| u.value);
    model.loss.into_iter().chain(updates).collect()
}

/// Evaluations of the bodies of reductions.
fn work(graph: &Graph, roots: &[NodeId]) -> usize {
    let extents = |vars: &[Var]| vars.iter().map(|&v| graph.exprs.extent(v)).fold(1, usize::saturating_mul);
    let turns = |id: NodeId| match &graph.node(id).kind {
        NodeKind::Compute { axes, reduce: Some(r), .. } => extents(axes).saturating_mul(extents(&r.over)),
        NodeKind::Scatter { domain, .. } => extents(domain),
        NodeKind::Compute { .. }
        | NodeKind::Leaf(_)
        | NodeKind::Literal(_)
        | NodeKind::Reshape(_)
        | NodeKind::Recurrence { .. } => 0,
    };
    graph.reachable(roots.iter().copied()).into_iter().map(turns).fold(0, usize::saturating_add)
}

/// What is computed when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phases {
    /// Sums over the samples.
    pub sums: BTreeSet<NodeId>,
    /// What depends on such sums.
    pub after: BTreeSet<NodeId>,
}

impl Phases {
    /// Of everything that `roots` need.
    ///
    /// # Errors
    /// Why the samples of a batch cannot be computed apart from each other.
    pub fn new(graph: &Graph, roots: &[NodeId]) -> Result<Phases, String> {
        let mut phases = Phases::default();
        for id in graph.reachable(roots.iter().copied()) {
            let node = graph.node(id);
            let sum = over_samples(graph, id);
            let behind = graph.inputs(id).iter().any(|i| phases.sums.contains(i) || phases.after.contains(i));
            let recurs = matches!(node.kind, NodeKind::Recurrence { .. });
            if behind && (node.per_sample || sum || recurs) {
                return Err(format!("the samples of a batch depend on each other in `{}`", node.name));
            }
            if mixes(graph, id) {
                let name = &node.name;
                return Err(format!("`{name}` reads other samples than its own, or depends on its place in the batch"));
            }
            if behind {
                phases.after.insert(id);
            }
            if sum {
                let adds = match &node.kind {
                    NodeKind::Compute { reduce, .. } => reduce.as_ref().is_some_and(|r| r.op == Red::Sum),
                    _ => true,
                };
                if !adds {
                    return Err(format!("`{}` is no sum over the samples of a batch", node.name));
                }
                phases.sums.insert(id);
            }
        }
        Ok(phases)
    }
}

/// Whether a shared node reduces over the samples.
fn over_samples(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    let runs = |vars: &[Var]| vars.iter().any(|&v| graph.exprs.var(v).batch);
    !node.per_sample
        && match &node.kind {
            NodeKind::Compute { reduce: Some(r), .. } => runs(&r.over),
            NodeKind::Scatter { domain, .. } => runs(domain),
            NodeKind::Compute { .. }
            | NodeKind::Leaf(_)
            | NodeKind::Literal(_)
            | NodeKind::Reshape(_)
            | NodeKind::Recurrence { .. } => false,
        }
}

/// Whether a statement reads other samples than its own, or does more with the place of its
/// sample than to read there.
fn mixes(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    let batch = |v: &Var| graph.exprs.var(*v).batch;
    let (own, roots): (bool, Vec<ExprId>) = match &node.kind {
        NodeKind::Compute { axes, reduce, body } => {
            let inner = axes.iter().skip(usize::from(node.per_sample)).any(batch);
            let reduces = node.per_sample && reduce.as_ref().is_some_and(|r| r.over.iter().any(batch));
            (inner || reduces, vec![*body])
        }
        NodeKind::Scatter { domain, at, body } => {
            // A scatter of each sample begins with the sample's place.
            let own = usize::from(node.per_sample && at.first().and_then(|&e| graph.exprs.as_var(e)).is_some());
            let several = domain.iter().filter(|v| batch(v)).count() > 1;
            (several, at.iter().skip(own).copied().chain([*body]).collect())
        }
        NodeKind::Reshape(source) => (graph.node(*source).per_sample != node.per_sample, Vec::new()),
        NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Recurrence { .. } => (false, Vec::new()),
    };
    own || roots.into_iter().any(|e| place_matters(graph, e))
}

/// Whether an expression uses the place of a sample otherwise than to read what belongs to it.
fn place_matters(graph: &Graph, root: ExprId) -> bool {
    let exprs = &graph.exprs;
    let is_sample = |v: Var| exprs.var(v).batch;
    exprs.any(root, |e| match exprs.get(e) {
        Expr::Int(a) if a.terms.iter().any(|&(v, _)| is_sample(v)) => Break(()),
        Expr::Read { node, at, otherwise } => {
            let read = graph.node(*node);
            let samples = read.per_sample || read.leaf() == Some(Leaf::SampleWeight);
            match at.first().filter(|_| samples) {
                Some(&first) if !exprs.as_var(first).is_some_and(is_sample) => Break(()),
                _ => Continue(at.iter().skip(usize::from(samples)).chain(otherwise).copied().collect()),
            }
        }
        Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) | Expr::Op(..) | Expr::Random { .. } => {
            Continue(exprs.children(e))
        }
    })
}
