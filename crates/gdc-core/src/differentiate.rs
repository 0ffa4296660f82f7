//! Symbolic reverse-mode differentiation, from tensor graph to tensor graph.
//!
//! The rules are those of the design: for `y[I] = sum[R](e)` and each read `x[f]` in `e`,
//! `dx[f] += dy[I] * (de/dread)` over I and R. The places `f` are then solved for index
//! variables, so that the accumulation becomes a sum; where that is impossible it stays a
//! scatter. What results are again statements, so it can be applied again.

use crate::build::{Build, substitute};
use crate::derivatives::Rules;
use gdc_ir::{Expr, ExprId, Graph, Model, Node, NodeId, NodeKind, Op, Red, Reduce, Ty, Update, Var};
use std::collections::{BTreeMap, BTreeSet, HashMap};

mod gathers;
mod reductions;

use gathers::gather;
use reductions::reduction_rule;

/// Adds `dL/dp` for every parameter that the loss depends on.
pub fn differentiate(model: &mut Model) {
    differentiate_by(&Rules::TRUE, model);
}

/// The same by given rules, which are false ones in tests of the tests.
pub fn differentiate_by(rules: &Rules<'_>, model: &mut Model) {
    let Some(loss) = model.loss else { return };
    let wanted: Vec<NodeId> = model.params.iter().map(|k| k.node).filter(|p| !model.frozen.contains(p)).collect();
    let gradients = gradient_by(rules, &mut model.graph, loss, &wanted);
    for (&param, value) in wanted.iter().zip(gradients) {
        if let Some(value) = value {
            let name = format!("d.{}", model.graph.node(param).name);
            model.graph.rename(value, name);
            model.gradients.push(Update { target: param, value });
        }
    }
}

/// The derivative of a scalar by each of `wanted`; `None` where it does not depend on it.
pub fn gradient(graph: &mut Graph, of: NodeId, wanted: &[NodeId]) -> Vec<Option<NodeId>> {
    gradient_by(&Rules::TRUE, graph, of, wanted)
}

fn gradient_by(rules: &Rules<'_>, graph: &mut Graph, of: NodeId, wanted: &[NodeId]) -> Vec<Option<NodeId>> {
    let mut walk = Walk { rules, active: active_nodes(graph, of, wanted), guarded: BTreeSet::new() };
    let one = graph.exprs.real(1.0);
    let seed = Contribution { axes: Vec::new(), reduce: Vec::new(), body: one };
    let mut pending: BTreeMap<NodeId, Vec<Source>> = BTreeMap::from([(of, vec![Source::Statement(seed)])]);
    let mut done: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    let backward = backward_recurrences(graph, &mut walk, &mut pending);
    // Ids ascend in order of evaluation, so the last pending one has all its cotangents.
    while let Some((node, sources)) = pending.pop_last() {
        let cotangent = accumulate(graph, node, sources);
        done.insert(node, cotangent);
        if let Some(&carrier) = backward.get(&node) {
            graph.close(carrier, cotangent);
        }
        for (input, source) in adjoint(graph, node, cotangent, &mut walk) {
            pending.entry(input).or_default().push(source);
        }
    }
    wanted.iter().map(|w| done.get(w).copied()).collect()
}

/// What the walk back through the graph knows.
pub(crate) struct Walk<'r> {
    rules: &'r Rules<'r>,
    /// The real nodes between the parameters and the loss.
    pub(crate) active: BTreeSet<NodeId>,
    /// Those of which the cotangent is zero where a branch is not taken.
    pub(crate) guarded: BTreeSet<NodeId>,
}

/// The real nodes between `wanted` and `of`.
fn active_nodes(graph: &Graph, of: NodeId, wanted: &[NodeId]) -> BTreeSet<NodeId> {
    let mut active: BTreeSet<NodeId> = wanted.iter().copied().collect();
    let needed = graph.reachable([of]);
    let real = |id: &&NodeId| graph.node(**id).ty == Ty::Real;
    // Once, or until what recurrences carry is settled.
    loop {
        let before = active.len();
        for &id in needed.iter().filter(real) {
            if graph.inputs(id).iter().any(|i| active.contains(i)) {
                active.insert(id);
            }
        }
        let recurs = |id: &NodeId| matches!(graph.node(*id).kind, NodeKind::Recurrence { .. });
        if active.len() == before || !needed.iter().any(recurs) {
            return active;
        }
    }
}

/// For each recurrence `h` that steps through `n`, one that runs the other way and carries the
/// cotangent of `h`: at step t it is what flows into `n[t]` from the step after it. It is closed
/// once the cotangent of `h` is known.
fn backward_recurrences(
    graph: &mut Graph,
    walk: &mut Walk<'_>,
    pending: &mut BTreeMap<NodeId, Vec<Source>>,
) -> BTreeMap<NodeId, NodeId> {
    let mut backward = BTreeMap::new();
    // A branch that a later step does not take can make the cotangent of an earlier one zero.
    let chooses = walk.active.iter().any(|&id| walk.chooses(graph, id));
    for id in walk.active.clone() {
        let NodeKind::Recurrence { next, axis, reverse, .. } = graph.node(id).kind else { continue };
        if next == id || !walk.active.contains(&next) {
            continue;
        }
        if chooses {
            walk.guarded.insert(next);
        }
        let zero = graph.exprs.real(0.0);
        let (mut axes, shape) = (fresh_axes(graph, id), graph.node(id).shape.clone());
        axes.remove(axis);
        let mut first = shape.clone();
        first.remove(axis);
        let start = add(graph, id, ".last", NodeKind::Compute { axes, reduce: None, body: zero }, &first);
        let own = NodeId(graph.len() as u32);
        let kind = NodeKind::Recurrence { init: start, next: own, axis, reverse: !reverse };
        let carrier = add(graph, next, ".after", kind, &shape);
        pending.entry(next).or_default().push(Source::Node(carrier));
        // Nothing but the way back may read the recurrence, and then its cotangent is zero.
        pending.entry(id).or_default();
        backward.insert(id, carrier);
    }
    backward
}

/// `cotangent[axes] += sum[reduce](body)`
#[derive(Clone)]
struct Contribution {
    axes: Vec<Var>,
    reduce: Vec<Var>,
    body: ExprId,
}

/// One term of a cotangent.
enum Source {
    /// A statement.
    Statement(Contribution),
    /// A node of the same shape.
    Node(NodeId),
    /// `cotangent[at] += body` over the domain.
    Scatter { domain: Vec<Var>, at: Vec<ExprId>, body: ExprId },
}

/// The cotangent of a node as one node: the sum of its terms. Terms without a reduction are
/// added in one expression.
fn accumulate(graph: &mut Graph, of: NodeId, sources: Vec<Source>) -> NodeId {
    let shape = graph.node(of).shape.clone();
    let mut nodes = Vec::new();
    let mut plain: Option<(Vec<Var>, ExprId)> = None;
    let suffix = if sources.len() > 1 { ".term" } else { "" };
    for source in sources {
        match source {
            Source::Node(node) => nodes.push(node),
            Source::Scatter { domain, at, body } => {
                nodes.push(add(graph, of, suffix, NodeKind::Scatter { domain, at, body }, &shape));
            }
            Source::Statement(c) if c.reduce.is_empty() => {
                plain = Some(match plain {
                    None => (c.axes, c.body),
                    Some((axes, sum)) => {
                        let map = renaming(graph, &c.axes, &axes);
                        let body = substitute(&mut graph.exprs, c.body, &map);
                        (axes, graph.exprs.add(sum, body))
                    }
                });
            }
            Source::Statement(c) => {
                let reduce = Some(Reduce { op: Red::Sum, over: c.reduce });
                let kind = NodeKind::Compute { axes: c.axes, reduce, body: c.body };
                nodes.push(add(graph, of, suffix, kind, &shape));
            }
        }
    }
    if let (None, [node]) = (&plain, nodes.as_slice()) {
        return *node;
    }
    let (axes, mut sum) = match plain {
        Some((axes, body)) => (axes, Some(body)),
        None => (fresh_axes(graph, of), None),
    };
    for node in nodes {
        let term = read_axes(graph, node, &axes);
        sum = Some(match sum {
            Some(s) => graph.exprs.add(s, term),
            None => term,
        });
    }
    let body = match sum {
        Some(s) => s,
        None => graph.exprs.real(0.0),
    };
    add(graph, of, "", NodeKind::Compute { axes, reduce: None, body }, &shape)
}

fn add(graph: &mut Graph, of: NodeId, suffix: &str, kind: NodeKind, shape: &[usize]) -> NodeId {
    let node = graph.node(of);
    let (name, per_sample, origin) = (format!("d.{}{suffix}", node.name), node.per_sample, node.origin);
    graph.add(Node { name, kind, shape: shape.to_vec(), ty: Ty::Real, range: None, per_sample, origin })
}

fn fresh_axes(graph: &mut Graph, of: NodeId) -> Vec<Var> {
    const NAMES: [&str; 6] = ["i", "j", "k", "l", "m", "n"];
    let node = graph.node(of);
    let (shape, batch) = (node.shape.clone(), node.per_sample);
    let axis = |i: usize| if batch && i == 0 { "b" } else { NAMES[(i - usize::from(batch)) % 6] };
    shape.iter().enumerate().map(|(i, &n)| graph.exprs.fresh(axis(i), n, batch && i == 0)).collect()
}

fn renaming(graph: &mut Graph, from: &[Var], to: &[Var]) -> HashMap<Var, ExprId> {
    from.iter().zip(to).filter(|(a, b)| a != b).map(|(&a, &b)| (a, graph.exprs.index(b))).collect()
}

fn read_axes(graph: &mut Graph, node: NodeId, axes: &[Var]) -> ExprId {
    let ty = graph.node(node).ty;
    let at = axes.iter().map(|&v| graph.exprs.index(v)).collect();
    graph.exprs.read(node, ty, at, None)
}

/// What a node's cotangent adds to those of its inputs.
fn adjoint(graph: &mut Graph, node: NodeId, cotangent: NodeId, walk: &mut Walk<'_>) -> Vec<(NodeId, Source)> {
    match graph.node(node).kind.clone() {
        NodeKind::Leaf(_) | NodeKind::Literal(_) => Vec::new(),
        NodeKind::Reshape(source) if walk.active.contains(&source) => {
            if walk.guarded.contains(&node) {
                walk.guarded.insert(source);
            }
            let shape = graph.node(source).shape.clone();
            let back = add(graph, source, "", NodeKind::Reshape(cotangent), &shape);
            vec![(source, Source::Node(back))]
        }
        NodeKind::Reshape(_) => Vec::new(),
        // The first step is the initial value; what the other steps pass on is carried backwards.
        NodeKind::Recurrence { init, axis, reverse, .. } if walk.active.contains(&init) => {
            if walk.guarded.contains(&node) {
                walk.guarded.insert(init);
            }
            let axes = fresh_axes(graph, init);
            let steps = graph.node(node).shape[axis] as i64;
            let first = graph.exprs.int(if reverse { steps - 1 } else { 0 });
            let mut at: Vec<ExprId> = axes.iter().map(|&v| graph.exprs.index(v)).collect();
            at.insert(axis, first);
            let body = graph.exprs.read(cotangent, Ty::Real, at, None);
            vec![(init, Source::Statement(Contribution { axes, reduce: Vec::new(), body }))]
        }
        NodeKind::Recurrence { .. } => Vec::new(),
        NodeKind::Compute { axes, reduce, body } => {
            let weight = read_axes(graph, cotangent, &axes);
            statement_adjoint(graph, node, &axes, reduce.as_ref(), body, weight, walk)
        }
        // The adjoint of a scatter is a gather: each point reads where it added.
        NodeKind::Scatter { domain, at, body } => {
            let zero = graph.exprs.real(0.0);
            let weight = graph.exprs.read(cotangent, Ty::Real, at, Some(zero));
            statement_adjoint(graph, node, &domain, None, body, weight, walk)
        }
    }
}

fn statement_adjoint(
    graph: &mut Graph,
    node: NodeId,
    axes: &[Var],
    reduce: Option<&Reduce>,
    body: ExprId,
    weight: ExprId,
    walk: &mut Walk<'_>,
) -> Vec<(NodeId, Source)> {
    let Some(mut rule) = reduction_rule(graph, node, axes, reduce, body) else { return Vec::new() };
    if let Some(reduce) = reduce {
        rule.factor = (walk.rules.factor)(&mut graph.exprs, reduce.op, rule.factor);
    }
    let seed = graph.exprs.mul(weight, rule.factor);
    let reads = read_partials(graph, body, seed, walk);
    let mut domain = axes.to_vec();
    domain.extend(&rule.domain);
    let mut result = Vec::new();
    for (read, value) in reads {
        let Expr::Read { node: source, at, .. } = graph.exprs.get(read).clone() else { continue };
        let value = substitute(&mut graph.exprs, value, &rule.places);
        let at: Vec<ExprId> = at.iter().map(|&e| substitute(&mut graph.exprs, e, &rule.places)).collect();
        let at = (walk.rules.places)(&mut graph.exprs, at);
        let value = walk.guard(graph, (node, body, weight), source, value);
        result.push((source, gather(graph, source, &domain, &at, value)));
    }
    result
}

/// `seed * d body / d read` for every read of an active node, in one reverse sweep.
fn read_partials(graph: &mut Graph, body: ExprId, seed: ExprId, walk: &Walk<'_>) -> Vec<(ExprId, ExprId)> {
    let mut order = Vec::new();
    graph.exprs.walk(body, &mut |id| order.push(id));
    let mut leads: BTreeSet<ExprId> = BTreeSet::new();
    for &id in &order {
        let here = match graph.exprs.get(id) {
            Expr::Read { node, .. } => walk.active.contains(node),
            _ => false,
        };
        if here || graph.exprs.children(id).iter().any(|c| leads.contains(c)) {
            leads.insert(id);
        }
    }
    let mut weights: HashMap<ExprId, ExprId> = HashMap::from([(body, seed)]);
    let mut result = Vec::new();
    let accumulate = |graph: &mut Graph, weights: &mut HashMap<ExprId, ExprId>, to: ExprId, term: ExprId| {
        let sum = match weights.get(&to) {
            Some(&old) => graph.exprs.add(old, term),
            None => term,
        };
        weights.insert(to, sum);
    };
    for &id in order.iter().rev() {
        if !leads.contains(&id) {
            continue;
        }
        let Some(&weight) = weights.get(&id) else { continue };
        if graph.exprs.as_real(weight) == Some(0.0) {
            continue;
        }
        match graph.exprs.get(id).clone() {
            Expr::Op(op, args) => {
                for (&arg, partial) in args.iter().zip((walk.rules.partials)(&mut graph.exprs, op, id, &args)) {
                    if let Some(partial) = partial.filter(|_| leads.contains(&arg)) {
                        let term = graph.exprs.mul(weight, partial);
                        accumulate(graph, &mut weights, arg, term);
                    }
                }
            }
            Expr::Read { node, at, otherwise } => {
                if walk.active.contains(&node) {
                    let inside = inside_guard(graph, node, &at, otherwise.is_some());
                    let zero = graph.exprs.real(0.0);
                    let guarded = graph.exprs.select(inside, weight, zero);
                    result.push((id, guarded));
                }
                if let Some(outside) = otherwise.filter(|e| leads.contains(e)) {
                    let inside = inside_guard(graph, node, &at, true);
                    let zero = graph.exprs.real(0.0);
                    let term = graph.exprs.select(inside, zero, weight);
                    accumulate(graph, &mut weights, outside, term);
                }
            }
            Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) | Expr::Random { .. } => {}
        }
    }
    result
}

/// Whether a padded read falls inside.
fn inside_guard(graph: &mut Graph, node: NodeId, at: &[ExprId], padded: bool) -> ExprId {
    let mut guard = graph.exprs.bool(true);
    if padded {
        for (i, &index) in at.iter().enumerate() {
            let extent = graph.node(node).shape[i] as i64;
            let inside = within(graph, index, extent);
            guard = graph.exprs.and(guard, inside);
        }
    }
    guard
}

/// `0 <= index && index < extent`, as far as it is not known.
fn within(graph: &mut Graph, index: ExprId, extent: i64) -> ExprId {
    let (zero, extent) = (graph.exprs.int(0), graph.exprs.int(extent));
    let low = graph.exprs.op(Op::Le, &[zero, index]);
    let high = graph.exprs.op(Op::Lt, &[index, extent]);
    graph.exprs.and(low, high)
}
