//! Symbolic reverse-mode differentiation, from tensor graph to tensor graph.
//!
//! The rules are those of the design: for `y[I] = sum[R](e)` and each read `x[f]` in `e`,
//! `dx[f] += dy[I] * (de/dread)` over I and R. The places `f` are then solved for index
//! variables, so that the accumulation becomes a sum; where that is impossible it stays a
//! scatter. What results are again statements, so it can be applied again.

use crate::build::{Build, rewrite, substitute};
use crate::derivatives::Rules;
use gdc_ir::ranges::int_interval;
use gdc_ir::{Affine, Expr, ExprId, Graph, Model, Node, NodeId, NodeKind, Op, Red, Reduce, Ty, Update, Var};
use std::collections::{BTreeMap, BTreeSet, HashMap};

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

/// How a reduction passes its cotangent on: a factor for each term, the variables that
/// still run, and for max and min the places that stand for the others.
struct ReductionRule {
    factor: ExprId,
    domain: Vec<Var>,
    places: HashMap<Var, ExprId>,
}

fn reduction_rule(
    graph: &mut Graph,
    node: NodeId,
    axes: &[Var],
    reduce: Option<&Reduce>,
    body: ExprId,
) -> Option<ReductionRule> {
    let one = graph.exprs.real(1.0);
    let Some(reduce) = reduce else {
        return Some(ReductionRule { factor: one, domain: Vec::new(), places: HashMap::new() });
    };
    let over = reduce.over.clone();
    match reduce.op {
        Red::Sum => Some(ReductionRule { factor: one, domain: over, places: HashMap::new() }),
        // d lse = exp(e - y)
        Red::Lse => {
            let y = read_axes(graph, node, axes);
            let difference = graph.exprs.sub(body, y);
            let factor = graph.exprs.op(Op::Exp, &[difference]);
            Some(ReductionRule { factor, domain: over, places: HashMap::new() })
        }
        Red::Max | Red::Min => Some(extremum_rule(graph, node, axes, reduce, body)),
        Red::Prod => Some(ReductionRule {
            factor: product_of_others(graph, node, axes, &over, body),
            domain: over,
            places: HashMap::new(),
        }),
        Red::Argmax | Red::Argmin | Red::Any | Red::All => None,
    }
}

/// Only the first extreme element counts: the reduced indices are where it is.
fn extremum_rule(graph: &mut Graph, node: NodeId, axes: &[Var], reduce: &Reduce, body: ExprId) -> ReductionRule {
    let op = if reduce.op == Red::Max { Red::Argmax } else { Red::Argmin };
    let count: usize = reduce.over.iter().map(|&v| graph.exprs.extent(v)).product();
    let from = graph.node(node);
    let place = Node {
        name: format!("{}.{}", from.name, op.name()),
        kind: NodeKind::Compute { axes: axes.to_vec(), reduce: Some(Reduce { op, over: reduce.over.clone() }), body },
        shape: from.shape.clone(),
        ty: Ty::Int,
        range: Some((0, count as i64)),
        per_sample: from.per_sample,
        origin: from.origin,
    };
    let place = graph.add(place);
    let flat = read_axes(graph, place, axes);
    let mut places = HashMap::new();
    let mut stride = 1i64;
    for (k, &v) in reduce.over.iter().enumerate().rev() {
        let extent = graph.exprs.extent(v) as i64;
        let (d, m) = (graph.exprs.int(stride), graph.exprs.int(extent));
        let mut index = flat;
        if stride > 1 {
            index = graph.exprs.op(Op::IntDiv, &[index, d]);
        }
        if k > 0 {
            index = graph.exprs.op(Op::IntMod, &[index, m]);
        }
        places.insert(v, index);
        stride *= extent;
    }
    let factor = graph.exprs.real(1.0);
    ReductionRule { factor, domain: Vec::new(), places }
}

/// The product of all other terms, right also where one of them is zero.
fn product_of_others(graph: &mut Graph, node: NodeId, axes: &[Var], over: &[Var], body: ExprId) -> ExprId {
    let mut map = HashMap::new();
    let mut others = Vec::new();
    let mut same = graph.exprs.bool(true);
    for &v in over {
        let info = graph.exprs.var(v).clone();
        let other = graph.exprs.fresh(info.name, info.extent, false);
        let (a, b) = (graph.exprs.index(v), graph.exprs.index(other));
        map.insert(v, b);
        others.push(other);
        let equal = graph.exprs.op(Op::Eq, &[a, b]);
        same = graph.exprs.and(same, equal);
    }
    let one = graph.exprs.real(1.0);
    let renamed = substitute(&mut graph.exprs, body, &map);
    let term = graph.exprs.select(same, one, renamed);
    let mut all: Vec<Var> = axes.to_vec();
    all.extend(over);
    let from = graph.node(node);
    let product = Node {
        name: format!("{}.others", from.name),
        shape: all.iter().map(|&v| graph.exprs.extent(v)).collect(),
        kind: NodeKind::Compute { axes: all.clone(), reduce: Some(Reduce { op: Red::Prod, over: others }), body: term },
        ty: Ty::Real,
        range: None,
        per_sample: from.per_sample,
        origin: from.origin,
    };
    let product = graph.add(product);
    read_axes(graph, product, &all)
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

/// Scatter to gather: `x[at] += value` over `domain` as a sum for each element of `x`, by
/// solving each coordinate for one variable; a scatter where that cannot be done.
fn gather(graph: &mut Graph, into: NodeId, domain: &[Var], at: &[ExprId], value: ExprId) -> Source {
    let affine: Vec<Option<Affine>> = at.iter().map(|&e| graph.exprs.as_affine(e).cloned()).collect();
    let solvable: BTreeSet<Var> = affine.iter().flatten().flat_map(|a| a.terms.iter().map(|(v, _)| *v)).collect();
    let gathered = affine.iter().any(Option::is_none);
    // A gathered place becomes a guard only when nothing remains to sum (`k == label`).
    if gathered && domain.iter().any(|v| !solvable.contains(v)) {
        return Source::Scatter { domain: domain.to_vec(), at: at.to_vec(), body: value };
    }
    let axes = fresh_axes(graph, into);
    // Coordinates with fewer variables first: they leave less choice.
    let mut order: Vec<usize> = (0..at.len()).collect();
    order.sort_by_key(|&i| affine[i].as_ref().map_or(usize::MAX, |a| a.terms.len()));
    // Coordinates that are the same everywhere need no variable; what is summed for them is
    // summed once.
    let long = |i: usize| graph.exprs.extent(axes[i]) > 1;
    let constant = |i: &usize| long(*i) && affine[*i].as_ref().is_some_and(|a| a.as_constant().is_some());
    let (fixed, order): (Vec<usize>, Vec<usize>) = order.into_iter().partition(constant);
    let mut solver = Solver { graph, domain, solution: HashMap::new(), guard: Vec::new() };
    for &i in &order {
        solver.coordinate(axes[i], at[i]);
    }
    let (solution, guards) = (solver.solution, solver.guard);
    let reduce: Vec<Var> = domain.iter().copied().filter(|v| !solution.contains_key(v)).collect();
    let mut body = resolve(graph, value, &solution);
    let mut guard = graph.exprs.bool(true);
    for g in guards {
        let g = resolve(graph, g, &solution);
        guard = graph.exprs.and(guard, g);
    }
    body = pad_reads(graph, body);
    guard = pad_reads(graph, guard);
    let zero = graph.exprs.real(0.0);
    body = graph.exprs.select(guard, body, zero);
    let mut here = graph.exprs.bool(true);
    for &i in &fixed {
        let axis = graph.exprs.index(axes[i]);
        let equal = graph.exprs.op(Op::Eq, &[axis, at[i]]);
        here = graph.exprs.and(here, equal);
    }
    if !fixed.is_empty() && !reduce.is_empty() {
        let kept: Vec<Var> = (0..axes.len()).filter(|i| !fixed.contains(i)).map(|i| axes[i]).collect();
        let slice = slice_of(graph, into, &kept, reduce, body);
        let body = read_axes(graph, slice, &kept);
        let body = graph.exprs.select(here, body, zero);
        return Source::Statement(Contribution { axes, reduce: Vec::new(), body });
    }
    body = graph.exprs.select(here, body, zero);
    let (axes, reduce, body) = rename_solved(graph, axes, reduce, body, &solution);
    Source::Statement(Contribution { axes, reduce, body })
}

/// The sum for the one place of an axis at which a tensor was read, without that axis.
fn slice_of(graph: &mut Graph, into: NodeId, axes: &[Var], over: Vec<Var>, body: ExprId) -> NodeId {
    let node = graph.node(into);
    let (name, origin) = (format!("d.{}.part", node.name), node.origin);
    let per_sample = axes.first().is_some_and(|&v| graph.exprs.var(v).batch);
    let shape = axes.iter().map(|&v| graph.exprs.extent(v)).collect();
    let reduce = Some(Reduce { op: Red::Sum, over });
    let kind = NodeKind::Compute { axes: axes.to_vec(), reduce, body };
    graph.add(Node { name, kind, shape, ty: Ty::Real, range: None, per_sample, origin })
}

/// A solved place can lie outside where the guard does not hold: such reads give zero there.
/// A place can itself be read at such a place (the index of a maximum), so from outside in.
fn pad_reads(graph: &mut Graph, mut body: ExprId) -> ExprId {
    loop {
        let padded = pad_outermost(graph, body);
        if padded == body {
            return body;
        }
        body = padded;
    }
}

fn pad_outermost(graph: &mut Graph, body: ExprId) -> ExprId {
    let shapes: Vec<Vec<usize>> = graph.nodes().map(|(_, n)| n.shape.clone()).collect();
    let mut outside = BTreeSet::new();
    graph.exprs.walk(body, &mut |e| {
        if let Expr::Read { node, at, otherwise: None } = graph.exprs.get(e) {
            let inside = at
                .iter()
                .zip(&shapes[node.0 as usize])
                .all(|(&i, &n)| int_interval(graph, i).is_none_or(|(low, high)| low >= 0 && high < n as i64));
            if !inside {
                outside.insert(e);
            }
        }
    });
    if outside.is_empty() {
        return body;
    }
    rewrite(&mut graph.exprs, body, &mut HashMap::new(), &mut |x, e| {
        if !outside.contains(&e) {
            return None;
        }
        let ty = x.ty(e);
        let zero = if ty == Ty::Int { x.int(0) } else { x.real(0.0) };
        match x.get(e).clone() {
            Expr::Read { node, at, .. } => Some(x.read(node, ty, at.to_vec(), Some(zero))),
            _ => None,
        }
    })
}

/// Substitutes until no solved variable is left; solutions may name variables solved later.
fn resolve(graph: &mut Graph, mut e: ExprId, solution: &HashMap<Var, ExprId>) -> ExprId {
    for _ in 0..=solution.len() {
        let next = substitute(&mut graph.exprs, e, solution);
        if next == e {
            break;
        }
        e = next;
    }
    e
}

/// An axis that simply is a variable of the statement keeps that variable's name.
fn rename_solved(
    graph: &mut Graph,
    axes: Vec<Var>,
    reduce: Vec<Var>,
    body: ExprId,
    solution: &HashMap<Var, ExprId>,
) -> (Vec<Var>, Vec<Var>, ExprId) {
    let mut map = HashMap::new();
    let mut renamed = Vec::with_capacity(axes.len());
    for &axis in &axes {
        let index = graph.exprs.index(axis);
        let old = solution.iter().filter(|(_, e)| **e == index).map(|(v, _)| *v).min();
        let info = graph.exprs.var(axis).clone();
        match old {
            Some(v)
                if graph.exprs.extent(v) == info.extent
                    && graph.exprs.var(v).batch == info.batch
                    && !renamed.contains(&v) =>
            {
                map.insert(axis, graph.exprs.index(v));
                renamed.push(v);
            }
            _ => renamed.push(axis),
        }
    }
    let body = substitute(&mut graph.exprs, body, &map);
    (renamed, reduce, body)
}

struct Solver<'g> {
    graph: &'g mut Graph,
    domain: &'g [Var],
    solution: HashMap<Var, ExprId>,
    guard: Vec<ExprId>,
}

impl Solver<'_> {
    /// Makes `axis == place` true: by solving it for one variable, or as a guard.
    fn coordinate(&mut self, axis: Var, place: ExprId) {
        let place = resolve(self.graph, place, &self.solution);
        let target = self.graph.exprs.index(axis);
        let affine = self.graph.exprs.as_affine(place).cloned();
        let choice = affine.as_ref().and_then(|a| self.choose(a));
        let (Some(affine), Some((var, coefficient))) = (affine, choice) else {
            let equal = self.graph.exprs.op(Op::Eq, &[target, place]);
            self.guard.push(equal);
            return;
        };
        // axis = coefficient * var + rest, so var = (axis - rest) / coefficient
        let rest = Affine {
            terms: affine.terms.iter().copied().filter(|(v, _)| *v != var).collect(),
            constant: affine.constant,
        };
        let rest = self.graph.exprs.affine(rest);
        let mut number = self.graph.exprs.op(Op::Sub, &[target, rest]);
        if coefficient < 0 {
            number = self.graph.exprs.op(Op::Neg, &[number]);
        }
        let step = coefficient.abs();
        if step != 1 {
            let (divisor, zero) = (self.graph.exprs.int(step), self.graph.exprs.int(0));
            let remainder = self.graph.exprs.op(Op::IntMod, &[number, divisor]);
            let exact = self.graph.exprs.op(Op::Eq, &[remainder, zero]);
            self.guard.push(exact);
            number = self.graph.exprs.op(Op::IntDiv, &[number, divisor]);
        }
        let extent = self.graph.exprs.extent(var) as i64;
        let inside = within(self.graph, number, extent);
        self.guard.push(inside);
        self.solution.insert(var, number);
    }

    /// The variable to solve for: the one of the largest extent leaves the smallest sum; of
    /// equals, one with coefficient 1 needs no divisibility guard.
    fn choose(&self, affine: &Affine) -> Option<(Var, i64)> {
        affine
            .terms
            .iter()
            .copied()
            .filter(|(v, _)| self.domain.contains(v) && !self.solution.contains_key(v))
            .max_by_key(|&(v, c)| (self.graph.exprs.extent(v), c.abs() == 1, std::cmp::Reverse(v)))
    }
}
