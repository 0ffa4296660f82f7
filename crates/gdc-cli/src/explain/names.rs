//! What the tensors of a model are called in formulas, and which need no name.

use super::math::{Math, Symbol};
use gdc_ir::graph::{Leaf, Model};
use gdc_ir::{Expr, ExprId, Graph, NodeId, NodeKind};
use std::collections::{BTreeMap, BTreeSet};

/// What has more parts than this, written out, is written once.
const LONGEST: usize = 256;

/// Names for the nodes of one graph.
pub struct Names {
    /// Layer paths and what stands for them: `h.dense` is `h` where it is the only one in `h`.
    short: BTreeMap<String, String>,
    inlined: BTreeSet<NodeId>,
    /// What derivatives are found by.
    partials: BTreeSet<NodeId>,
    /// The next values of parameters and states, and whose they are.
    next: BTreeMap<NodeId, NodeId>,
    /// The loss, and that of the model as it predicts where that is another one.
    losses: Vec<NodeId>,
}

impl Names {
    /// Names for a model at some stage; `inline` writes intermediate results where they are used.
    pub fn new(model: &Model, inline: bool) -> Names {
        let graph = &model.graph;
        let partials: BTreeSet<NodeId> =
            graph.nodes().filter(|(_, n)| of_partial(graph, &n.name).is_some()).map(|(id, _)| id).collect();
        let losses = model.loss.into_iter().chain(model.evaluation).collect();
        let next = model.updates.iter().map(|u| (u.value, u.target)).collect();
        let mut names = Names { short: short_paths(model), inlined: BTreeSet::new(), partials, next, losses };
        if inline {
            names.inlined = inlined(model, &names);
        }
        names
    }

    /// Whether a node is written where it is used.
    pub fn is_inlined(&self, node: NodeId) -> bool {
        self.inlined.contains(&node)
    }

    /// An element of a node. The loss is L; the next value of a parameter or state has a prime.
    pub fn symbol(&self, graph: &Graph, id: NodeId, mut at: Vec<Math>) -> Math {
        let node = graph.node(id);
        let full = match self.next.get(&id) {
            Some(&target) if !self.partials.contains(&id) => graph.node(target).name.as_str(),
            _ => node.name.as_str(),
        };
        let partial = self.partials.contains(&id);
        let full = if partial { full.strip_prefix("d.").unwrap_or(full) } else { full };
        let per_sample = node.per_sample || node.leaf() == Some(Leaf::SampleWeight);
        let sample = (per_sample && !at.is_empty()).then(|| Box::new(at.remove(0)));
        let (layer, mut base) =
            if self.losses.contains(&id) { (String::new(), "L".to_owned()) } else { self.parts(full) };
        if self.next.contains_key(&id) && !partial {
            base.push('′');
        }
        Math::Symbol(Symbol { base, layer, partial, sample, at })
    }

    /// A dotted name as layer and base.
    pub fn parts(&self, full: &str) -> (String, String) {
        let Some((layer, base)) = full.rsplit_once('.') else { return (String::new(), full.to_owned()) };
        (self.layer(layer), base.to_owned())
    }

    /// The name in the graph of a symbol.
    pub fn long(&self, symbol: &Symbol) -> String {
        let of = |(long, short): (&String, &String)| match symbol.layer.strip_prefix(short.as_str()) {
            Some(rest) if rest.is_empty() || rest.starts_with('.') => Some(format!("{long}{rest}.{}", symbol.base)),
            _ => None,
        };
        let plain =
            if symbol.layer.is_empty() { symbol.base.clone() } else { format!("{}.{}", symbol.layer, symbol.base) };
        self.short.iter().find_map(of).unwrap_or(plain)
    }

    /// The short form of a path, by its longest known part.
    fn layer(&self, path: &str) -> String {
        let mut best: Option<(&str, &str)> = None;
        for (long, short) in &self.short {
            let within = path == long || path.strip_prefix(long.as_str()).is_some_and(|rest| rest.starts_with('.'));
            if within && best.is_none_or(|(known, _)| known.len() < long.len()) {
                best = Some((long, short));
            }
        }
        match best {
            Some((long, short)) => format!("{short}{}", &path[long.len()..]),
            None => path.to_owned(),
        }
    }
}

/// The name of the node that a name `d.NAME` is the derivative by.
pub fn of_partial<'n>(graph: &Graph, full: &'n str) -> Option<&'n str> {
    let of = full.strip_prefix("d.")?;
    let known = |name: &str| graph.find(name).is_some();
    // Derivatives by what was since fused away keep their name; a term ends in `.term`.
    (known(of) || known(of.split('.').next().unwrap_or(of)) || of.contains("loss")).then_some(of)
}

/// `h.dense` is called `h` where no other layer of `h` has parameters, and no name clashes.
fn short_paths(model: &Model) -> BTreeMap<String, String> {
    let graph = &model.graph;
    let all: BTreeSet<&str> = graph.nodes().map(|(_, n)| n.name.as_str()).collect();
    let layers: BTreeSet<&str> =
        model.params.iter().filter_map(|p| graph.node(p.node).name.rsplit_once('.').map(|(layer, _)| layer)).collect();
    let mut short = BTreeMap::new();
    for &layer in &layers {
        let Some((first, _)) = layer.split_once('.') else { continue };
        let inside = format!("{first}.");
        if layers.iter().filter(|l| l.starts_with(&inside) || **l == first).count() != 1 {
            continue;
        }
        let prefix = format!("{layer}.");
        let clashes = all
            .iter()
            .filter_map(|name| name.strip_prefix(&prefix))
            .any(|rest| all.contains(format!("{first}.{rest}").as_str()));
        if !clashes {
            short.insert(layer.to_owned(), first.to_owned());
        }
    }
    short
}

/// Nodes that one other node reads in one place, that are no result of their own, whose name
/// the user did not give, and by which no derivative is taken; and the terms of derivatives.
fn inlined(model: &Model, names: &Names) -> BTreeSet<NodeId> {
    let graph = &model.graph;
    let mut roots: BTreeSet<NodeId> = model.roots().into_iter().collect();
    // What only a term is the derivative by has no derivative of its own.
    roots.extend(graph.nodes().filter_map(|(_, n)| graph.find(n.name.strip_prefix("d.")?)));
    let mut reads: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (id, node) in graph.nodes() {
        for input in graph.inputs(id) {
            let times = match &node.kind {
                NodeKind::Compute { body, .. } => occurrences(graph, *body, input),
                NodeKind::Leaf(_)
                | NodeKind::Literal(_)
                | NodeKind::Scatter { .. }
                | NodeKind::Reshape(_)
                | NodeKind::Recurrence { .. } => 2,
            };
            *reads.entry(input).or_default() += times;
        }
    }
    // What is written where it is used, and how many parts that has written out.
    let mut parts: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (id, node) in graph.nodes() {
        let NodeKind::Compute { body, .. } = node.kind else { continue };
        let may = reads.get(&id) == Some(&1)
            && !roots.contains(&id)
            && (!names.partials.contains(&id) || node.name.contains(".term"))
            && node.name.contains('.');
        let long = written(graph, body, &parts);
        if may && long <= LONGEST {
            parts.insert(id, long);
        }
    }
    parts.into_keys().collect()
}

/// The parts of an expression written out, with those of what is written where it is used.
fn written(graph: &Graph, body: ExprId, parts: &BTreeMap<NodeId, usize>) -> usize {
    let mut known: BTreeMap<ExprId, usize> = BTreeMap::new();
    graph.exprs.walk(body, &mut |e| {
        let of_parts = graph.exprs.children(e).into_iter().filter_map(|c| known.get(&c).copied());
        let read = match graph.exprs.get(e) {
            Expr::Read { node, .. } => parts.get(node).copied().unwrap_or(0),
            _ => 0,
        };
        let all = of_parts.fold(read.saturating_add(1), usize::saturating_add);
        known.insert(e, all);
    });
    known.get(&body).copied().unwrap_or(1)
}

/// How many different elements of a node an expression reads.
fn occurrences(graph: &Graph, body: ExprId, node: NodeId) -> usize {
    let mut count = 0;
    graph.exprs.walk(body, &mut |e| {
        if let Expr::Read { node: read, otherwise, .. } = graph.exprs.get(e)
            && *read == node
        {
            // What lies outside has no formula of its own.
            count += if otherwise.is_some() { 2 } else { 1 };
        }
    });
    count
}
