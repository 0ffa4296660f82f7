//! Inlining and sharing: statements that only rename or do cheap work for one reader are
//! put into it, equal statements become one, and what nothing needs disappears.

use crate::build::substitute;
use crate::rebuild::{Rebuild, Replacement};
use crate::scans::equal_recurrences;
use crate::unit::unit_axes;
use gdc_ir::{Expr, ExprId, Exprs, Graph, Leaf, Model, Node, NodeId, NodeKind, Op, Var};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Expressions are not inlined into ones deeper than this, so that later walks stay shallow.
const MAX_DEPTH: u32 = 200;

/// What costs at least this (in additions) for each element is not inlined into a reduction.
const DEAR: u32 = 8;

/// Inlines, shares and drops.
pub fn fuse(model: &mut Model) {
    let roots = model.roots();
    let needed = model.graph.reachable(roots.iter().copied());
    let uses = Uses::count(&model.graph, &needed);
    let mut fixed: BTreeSet<NodeId> = roots.into_iter().collect();
    let carried: BTreeSet<NodeId> = needed.iter().filter_map(|&id| next_of(&model.graph, id)).collect();
    fixed.extend(&carried);
    let initial: BTreeSet<NodeId> = model.params.iter().chain(&model.states).map(|k| k.init).collect();
    let gradients: BTreeSet<NodeId> = model.gradients.iter().map(|g| g.value).collect();
    let equal = equal_recurrences(&mut model.graph, &needed);
    let mut depths = Depths::default();
    let mut rebuild = Rebuild::new(model);
    let mut seen: HashMap<Key, NodeId> = HashMap::new();
    let mut canonical = Canonical::default();
    // Nodes that are called what a root is called.
    let mut claimed = BTreeSet::new();
    for id in needed {
        if let Some(same) = equal.get(&id).and_then(|&first| rebuild.new_node(first)) {
            rebuild.set(id, Replacement::Node(same));
            continue;
        }
        let node = rebuild.old(id).clone();
        let kind = rebuild.kind(&node.kind);
        let kind = unit_axes(&mut rebuild.graph.exprs, kind);
        if let NodeKind::Compute { axes, reduce: None, body } = &kind
            && !fixed.contains(&id)
            && !counts_steps(&rebuild.graph, *body)
            && !uses.need_node(id)
            && (is_trivial(&rebuild.graph.exprs, *body)
                || (uses.inlines(id, &node) && depths.of(&rebuild.graph.exprs, *body) < MAX_DEPTH))
        {
            rebuild.set(id, Replacement::Body(axes.clone(), *body));
            continue;
        }
        // A gradient, or what a step leaves, that only renames another node is that node.
        if (gradients.contains(&id) || carried.contains(&id))
            && let Some(same) = renamed(&rebuild.graph, &kind)
            && (gradients.contains(&id) || matches!(rebuild.graph.node(same).kind, NodeKind::Compute { .. }))
        {
            if gradients.contains(&id) {
                claim(&mut rebuild.graph, &mut claimed, same, node.name);
            }
            rebuild.set(id, Replacement::Node(same));
            continue;
        }
        // Initial values are not shared: each is computed straight into its own place.
        let key = if initial.contains(&id) { None } else { canonical.key(&mut rebuild.graph.exprs, &kind, &node) };
        // A leaf is only ever itself; two states with equal initial values are two states.
        let new = match key.as_ref().and_then(|k| seen.get(k)) {
            Some(&same) => {
                if gradients.contains(&id) {
                    claim(&mut rebuild.graph, &mut claimed, same, node.name);
                }
                same
            }
            None => {
                let new = rebuild.graph.add(Node { kind, ..node });
                if fixed.contains(&id) {
                    claimed.insert(new);
                }
                if let Some(key) = key {
                    seen.insert(key, new);
                }
                new
            }
        };
        let small = match &rebuild.graph.node(new).kind {
            NodeKind::Compute { axes, reduce: None, body } if axes.is_empty() => Some(*body),
            _ => None,
        };
        // The gradient of a scalar parameter is so cheap that its update had better merge it.
        let small = small.filter(|&b| gradients.contains(&id) && cost(&rebuild.graph.exprs, b) < DEAR);
        rebuild.set(id, small.map_or(Replacement::Node(new), |b| Replacement::Scalar(new, b)));
    }
    rebuild.finish(model);
}

/// Gives a node the name of a gradient that is the same tensor, unless it has a root's name.
fn claim(graph: &mut Graph, claimed: &mut BTreeSet<NodeId>, node: NodeId, name: String) {
    if claimed.insert(node) {
        graph.rename(node, name);
    }
}

/// What the steps of a recurrence leave.
fn next_of(graph: &Graph, id: NodeId) -> Option<NodeId> {
    match graph.node(id).kind {
        NodeKind::Recurrence { next, .. } => Some(next),
        _ => None,
    }
}

/// The computed node that a statement copies element for element.
fn renamed(graph: &Graph, kind: &NodeKind) -> Option<NodeId> {
    let NodeKind::Compute { axes, reduce: None, body } = kind else { return None };
    let Expr::Read { node, at, otherwise: None } = graph.exprs.get(*body) else { return None };
    let from = graph.node(*node);
    let same =
        |((&e, &v), &n): ((&ExprId, &Var), &usize)| graph.exprs.as_var(e) == Some(v) && graph.exprs.extent(v) == n;
    let whole = at.len() == axes.len() && at.iter().zip(axes).zip(&from.shape).all(same);
    (whole && from.leaf().is_none()).then_some(*node)
}

/// Once-per-step scalars stay statements of their own, which are computed in f64: within another
/// statement they would be computed in the precision of that. A mere name for one is no loss.
fn counts_steps(graph: &Graph, body: ExprId) -> bool {
    let reads = graph.exprs.read_nodes(body);
    let reads_counter = reads.iter().any(|&n| graph.node(n).leaf() == Some(Leaf::Counter));
    let every_step = !reads.is_empty() && reads.iter().all(|&n| graph.is_step_scalar(n));
    reads_counter || (every_step && graph.exprs.free_vars(body).is_empty() && !is_trivial(&graph.exprs, body))
}

/// How often nodes are read, and by what.
struct Uses {
    readers: BTreeMap<NodeId, Vec<Option<Reader>>>,
    /// The cost of one element.
    costs: BTreeMap<NodeId, u32>,
}

/// A statement that reads a node at every point that it visits; `None` in its place stands
/// for a reader that needs the node itself.
#[derive(Clone, Copy)]
struct Reader {
    points: usize,
    reduces: bool,
}

impl Uses {
    fn count(graph: &Graph, nodes: &[NodeId]) -> Self {
        let mut readers: BTreeMap<NodeId, Vec<Option<Reader>>> = BTreeMap::new();
        let mut costs = BTreeMap::new();
        for &id in nodes {
            let extent = |vars: &[Var]| vars.iter().map(|&v| graph.exprs.extent(v)).product::<usize>();
            match &graph.node(id).kind {
                NodeKind::Leaf(_) | NodeKind::Literal(_) => {}
                NodeKind::Reshape(source) => readers.entry(*source).or_default().push(None),
                NodeKind::Recurrence { init, next, .. } => {
                    readers.entry(*init).or_default().push(None);
                    readers.entry(*next).or_default().push(None);
                }
                NodeKind::Compute { axes, reduce, body } => {
                    let points = extent(axes) * reduce.as_ref().map_or(1, |r| extent(&r.over));
                    costs.insert(id, cost(&graph.exprs, *body));
                    let reader = Reader { points, reduces: reduce.is_some() };
                    count_reads(&graph.exprs, *body, Some(reader), &mut readers);
                }
                NodeKind::Scatter { domain, at, body } => {
                    for &e in at.iter().chain([body]) {
                        count_reads(
                            &graph.exprs,
                            e,
                            Some(Reader { points: extent(domain), reduces: false }),
                            &mut readers,
                        );
                    }
                }
            }
        }
        Uses { readers, costs }
    }

    /// Whether a reader needs the node itself: a reshape or recurrence, or a read that can fall outside.
    fn need_node(&self, id: NodeId) -> bool {
        self.readers.get(&id).is_some_and(|all| all.iter().any(Option::is_none))
    }

    /// Whether computing a node at its one reader costs no more than storing it.
    fn inlines(&self, id: NodeId, node: &Node) -> bool {
        match self.readers.get(&id).map(Vec::as_slice) {
            // Dear work keeps its own statement beside a sum, which may be a contraction.
            Some([Some(r)]) => {
                r.points <= node.len() && !(r.reduces && self.costs.get(&id).is_some_and(|&c| c >= DEAR))
            }
            _ => false,
        }
    }
}

fn count_reads(
    exprs: &Exprs,
    body: ExprId,
    reader: Option<Reader>,
    readers: &mut BTreeMap<NodeId, Vec<Option<Reader>>>,
) {
    exprs.walk(body, &mut |e| {
        if let Expr::Read { node, otherwise, .. } = exprs.get(e) {
            // A padded read needs a node that can be read outside its range.
            let reader = if otherwise.is_some() { None } else { reader };
            readers.entry(*node).or_default().push(reader);
        }
    });
}

/// The cost of an expression, in additions.
pub fn cost(exprs: &Exprs, root: ExprId) -> u32 {
    let mut cost = 0u32;
    exprs.walk(root, &mut |e| {
        if let Expr::Op(op, _) = exprs.get(e) {
            cost = cost.saturating_add(op.facts().cost);
        }
    });
    cost
}

/// Whether an expression is worth nothing by itself: a constant or a renamed, perhaps scaled read.
fn is_trivial(exprs: &Exprs, e: ExprId) -> bool {
    match exprs.get(e) {
        Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) => true,
        Expr::Read { otherwise: None, at, .. } => at.iter().all(|&i| exprs.as_affine(i).is_some()),
        Expr::Read { .. } | Expr::Random { .. } => false,
        Expr::Op(Op::ToReal | Op::Detach | Op::Neg, args) => is_trivial(exprs, args[0]),
        Expr::Op(Op::Mul, args) => exprs.as_real(args[0]).is_some() && is_trivial(exprs, args[1]),
        Expr::Op(..) => false,
    }
}

/// Remembered depths of expressions.
#[derive(Default)]
struct Depths {
    known: HashMap<ExprId, u32>,
}

impl Depths {
    fn of(&mut self, exprs: &Exprs, root: ExprId) -> u32 {
        let mut order = Vec::new();
        exprs.walk(root, &mut |e| order.push(e));
        for e in order {
            if !self.known.contains_key(&e) {
                let deepest = exprs.children(e).iter().filter_map(|c| self.known.get(c)).max();
                let depth = deepest.map_or(0, |d| d + 1);
                self.known.insert(e, depth);
            }
        }
        self.known.get(&root).copied().unwrap_or(0)
    }
}

/// A statement up to the names of its index variables.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Key {
    shape: Vec<usize>,
    reduce: Option<(gdc_ir::Red, Vec<usize>)>,
    scatter: Option<Vec<ExprId>>,
    reshape: Option<NodeId>,
    body: Option<ExprId>,
    per_sample: bool,
}

/// Standard index variables, one for each place in a statement and extent.
#[derive(Default)]
pub(crate) struct Canonical {
    vars: HashMap<(usize, usize, bool), Var>,
}

impl Canonical {
    fn rename(&mut self, exprs: &mut Exprs, vars: &[Var]) -> HashMap<Var, ExprId> {
        let mut map = HashMap::new();
        for (i, &v) in vars.iter().enumerate() {
            let (extent, batch) = (exprs.extent(v), exprs.var(v).batch);
            let standard =
                *self.vars.entry((i, extent, batch)).or_insert_with(|| exprs.fresh(format!("i{i}"), extent, batch));
            map.insert(v, exprs.index(standard));
        }
        map
    }

    /// What equal statements have in common; none for what is only ever itself.
    pub(crate) fn key(&mut self, exprs: &mut Exprs, kind: &NodeKind, node: &Node) -> Option<Key> {
        let mut key = Key {
            shape: node.shape.clone(),
            reduce: None,
            scatter: None,
            reshape: None,
            body: None,
            per_sample: node.per_sample,
        };
        match kind {
            NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Recurrence { .. } => return None,
            NodeKind::Reshape(source) => key.reshape = Some(*source),
            NodeKind::Compute { axes, reduce, body } => {
                let over: &[Var] = reduce.as_ref().map_or(&[], |r| &r.over);
                let vars: Vec<Var> = axes.iter().chain(over).copied().collect();
                let map = self.rename(exprs, &vars);
                key.body = Some(substitute(exprs, *body, &map));
                key.reduce = reduce.as_ref().map(|r| (r.op, r.over.iter().map(|&v| exprs.extent(v)).collect()));
            }
            NodeKind::Scatter { domain, at, body } => {
                let map = self.rename(exprs, domain);
                key.body = Some(substitute(exprs, *body, &map));
                key.scatter = Some(at.iter().map(|&e| substitute(exprs, e, &map)).collect());
            }
        }
        Some(key)
    }
}
