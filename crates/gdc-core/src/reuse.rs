//! Common subexpressions across statements: where a part of a statement is what another
//! statement computes as a whole, it is read from there. A costly function that is a part of
//! several statements, such as the one of an activation whose derivative needs it again, becomes
//! a statement itself, and is kept from the forward pass to the backward.

use crate::build::{Build, substitute};
use crate::fuse::cost;
use crate::rebuild::{Rebuild, Replacement};
use crate::tests_of_results::{Test, tests_of};
use gdc_ir::{Expr, ExprId, Exprs, Graph, Model, Node, NodeId, NodeKind, Ty, Var};
use std::collections::{BTreeMap, HashMap};

/// A part cheaper than this (in additions) is computed again.
const WORTH: u32 = 2;

/// A function of at least this cost is kept where several statements compute it: more than
/// storing and loading its value costs.
const COSTLY: u32 = 16;

/// Reads equal parts instead of computing them again.
pub fn reuse(model: &mut Model) {
    let needed = model.graph.reachable(model.roots());
    let mut shared = Shared::default();
    let mut rebuild = Rebuild::new(model);
    // First pass over the statements: what each computes as a whole, in old names.
    for &id in &needed {
        let node = rebuild.old(id).clone();
        if let NodeKind::Compute { axes, reduce: None, body } = &node.kind {
            shared.announce(&mut rebuild.graph.exprs, &node, axes, *body);
        }
    }
    for template in costly_parts(&mut rebuild, &mut shared, &needed) {
        if let NodeKind::Compute { axes, body, .. } = &template.kind {
            shared.announce(&mut rebuild.graph.exprs, &template, axes, *body);
        }
    }
    for id in needed {
        let mut node = rebuild.old(id).clone();
        // Parts are recognised in old names, so they are replaced before reads are renamed.
        if let NodeKind::Compute { axes, reduce, body } = node.kind.clone() {
            let whole = reduce.is_none();
            let mut search =
                Search { rebuild: &mut rebuild, shared: &mut shared, own: whole.then_some(body), memo: HashMap::new() };
            let new_body = search.expr(body);
            let known = if whole { shared.made(&mut rebuild.graph.exprs, &axes, body) } else { None };
            if let Some(made) = known {
                rebuild.set(id, Replacement::Node(made));
                continue;
            }
            node.kind = NodeKind::Compute { axes: axes.clone(), reduce, body: new_body };
            let new = rebuild.graph.add(node);
            if whole {
                shared.register(&mut rebuild.graph.exprs, &axes, body, new);
            }
            rebuild.set(id, Replacement::Node(new));
            continue;
        }
        node.kind = rebuild.kind(&node.kind);
        let new = rebuild.graph.add(node);
        rebuild.set(id, Replacement::Node(new));
    }
    rebuild.finish(model);
}

/// Statements for the costly functions that are parts of several statements.
fn costly_parts(rebuild: &mut Rebuild, shared: &mut Shared, needed: &[NodeId]) -> Vec<Node> {
    let mut found: BTreeMap<ExprId, (Option<Node>, NodeId)> = BTreeMap::new();
    let mut several = Vec::new();
    for &id in needed {
        let node = rebuild.old(id).clone();
        let NodeKind::Compute { axes, reduce: None, body } = &node.kind else { continue };
        let mut parts = Vec::new();
        rebuild.graph.exprs.walk(*body, &mut |e| parts.push(e));
        for e in parts {
            let exprs = &rebuild.graph.exprs;
            let Expr::Op(op, _) = *exprs.get(e) else { continue };
            let carried = |&n: &NodeId| matches!(rebuild.old(n).kind, NodeKind::Recurrence { .. });
            if op.facts().cost < COSTLY || e == *body || exprs.read_nodes(e).iter().any(carried) {
                continue;
            }
            let (key, appearance) = shared.key(&mut rebuild.graph.exprs, e);
            if appearance.len() != long_axes(&rebuild.graph.exprs, axes) {
                continue;
            }
            let kind = NodeKind::Compute { axes: axes.clone(), reduce: None, body: e };
            let name = format!("{}.{}", node.name, op.facts().name);
            let (template, first) = found
                .entry(key)
                .or_insert_with(|| (Some(Node { name, kind, range: None, ty: Ty::Real, ..node.clone() }), id));
            if *first != id {
                several.extend(template.take());
            }
        }
    }
    several
}

/// A statement known by its canonical body.
struct Entry {
    /// For each variable in order of appearance in the canonical body: the axis it stands on.
    /// Axes of extent 1 have no variable.
    order: Vec<usize>,
    template: Node,
    node: Option<NodeId>,
}

#[derive(Default)]
struct Shared {
    entries: HashMap<ExprId, Entry>,
    /// Tests that a statement's result answers as well, by their canonical form: the canonical
    /// form of the statement, and how its result is tested.
    tests: HashMap<ExprId, (ExprId, Test)>,
    vars: HashMap<(usize, usize, bool), Var>,
    keys: HashMap<ExprId, (ExprId, Vec<Var>)>,
}

impl Shared {
    /// The expression with its variables renamed in order of appearance, and these variables.
    fn key(&mut self, exprs: &mut Exprs, e: ExprId) -> (ExprId, Vec<Var>) {
        if let Some(known) = self.keys.get(&e) {
            return known.clone();
        }
        let mut order: Vec<Var> = Vec::new();
        exprs.walk(e, &mut |part| {
            if let Expr::Int(a) = exprs.get(part) {
                for (v, _) in &a.terms {
                    if !order.contains(v) {
                        order.push(*v);
                    }
                }
            }
        });
        let mut map = HashMap::new();
        for (i, &v) in order.iter().enumerate() {
            let (extent, batch) = (exprs.extent(v), exprs.var(v).batch);
            let standard =
                *self.vars.entry((i, extent, batch)).or_insert_with(|| exprs.fresh(format!("i{i}"), extent, batch));
            map.insert(v, exprs.index(standard));
        }
        let key = (substitute(exprs, e, &map), order);
        self.keys.insert(e, key.clone());
        key
    }

    fn announce(&mut self, exprs: &mut Exprs, node: &Node, axes: &[Var], body: ExprId) {
        if exprs.ty(body) != Ty::Real {
            return;
        }
        let tests = tests_of(exprs, body);
        if tests.is_empty() && cost(exprs, body) < WORTH {
            return;
        }
        let (key, appearance) = self.key(exprs, body);
        if appearance.len() != long_axes(exprs, axes) {
            return; // constant along an axis
        }
        let order: Option<Vec<usize>> = appearance.iter().map(|v| axes.iter().position(|a| a == v)).collect();
        let Some(order) = order else { return };
        self.entries.entry(key).or_insert(Entry { order, template: node.clone(), node: None });
        for (test, result) in tests {
            let (test, same) = self.key(exprs, test);
            if same == appearance {
                self.tests.entry(test).or_insert((key, result));
            }
        }
    }

    /// The node that already computes this whole statement, axis for axis.
    fn made(&mut self, exprs: &mut Exprs, axes: &[Var], body: ExprId) -> Option<NodeId> {
        let (key, appearance) = self.key(exprs, body);
        let entry = self.entries.get(&key)?;
        let same = appearance.len() == long_axes(exprs, axes)
            && entry.template.shape.len() == axes.len()
            && entry.order.iter().zip(&appearance).all(|(&i, v)| axes.get(i) == Some(v));
        entry.node.filter(|_| same)
    }

    fn register(&mut self, exprs: &mut Exprs, axes: &[Var], body: ExprId, new: NodeId) {
        let (key, appearance) = self.key(exprs, body);
        if let Some(entry) = self.entries.get_mut(&key)
            && entry.node.is_none()
            && appearance.len() == long_axes(exprs, axes)
            && entry.template.shape.len() == axes.len()
            && entry.order.iter().zip(&appearance).all(|(&i, v)| axes.get(i) == Some(v))
        {
            entry.node = Some(new);
        }
    }
}

struct Search<'s> {
    rebuild: &'s mut Rebuild,
    shared: &'s mut Shared,
    /// The whole body, which is not read from itself.
    own: Option<ExprId>,
    memo: HashMap<ExprId, ExprId>,
}

impl Search<'_> {
    fn expr(&mut self, e: ExprId) -> ExprId {
        if let Some(&done) = self.memo.get(&e) {
            return done;
        }
        let result = self.expr_anew(e);
        self.memo.insert(e, result);
        result
    }

    fn expr_anew(&mut self, e: ExprId) -> ExprId {
        let Expr::Op(op, args) = self.rebuild.graph.exprs.get(e).clone() else {
            return self.rebuild.expr(e);
        };
        if self.own != Some(e)
            && self.rebuild.graph.exprs.ty(e) == Ty::Real
            && cost(&self.rebuild.graph.exprs, e) >= WORTH
        {
            let (key, appearance) = self.shared.key(&mut self.rebuild.graph.exprs, e);
            if self.shared.entries.contains_key(&key) {
                return self.read(key, &appearance, e);
            }
        }
        if let Some(test) = self.test_of_result(e) {
            return test;
        }
        let args: Vec<ExprId> = args.iter().map(|&a| self.expr(a)).collect();
        self.rebuild.graph.exprs.op(op, &args)
    }

    /// `e <= 0` as `y <= 0`, where a statement is `y = max(0, e)`: what the maximum was taken of
    /// need then not be kept.
    fn test_of_result(&mut self, e: ExprId) -> Option<ExprId> {
        if self.shared.tests.is_empty() || self.rebuild.graph.exprs.ty(e) != Ty::Bool {
            return None;
        }
        let (key, appearance) = self.shared.key(&mut self.rebuild.graph.exprs, e);
        let (whole, test) = self.shared.tests.get(&key).copied()?;
        if let Some(own) = self.own
            && self.shared.key(&mut self.rebuild.graph.exprs, own).0 == whole
        {
            return None;
        }
        let result = self.read(whole, &appearance, e);
        Some(test.of(&mut self.rebuild.graph.exprs, result))
    }

    /// A read of the statement that computes it; made here if its place is only later.
    fn read(&mut self, key: ExprId, appearance: &[Var], e: ExprId) -> ExprId {
        let Some(entry) = self.shared.entries.get(&key) else { return e };
        let (order, template, made) = (entry.order.clone(), entry.template.clone(), entry.node);
        let mut at_vars: Vec<Option<Var>> = vec![None; template.shape.len()];
        for (&axis, &v) in order.iter().zip(appearance) {
            at_vars[axis] = Some(v);
        }
        let node = match made {
            Some(node) => node,
            None => {
                let NodeKind::Compute { axes, body, .. } = &template.kind else { return e };
                let mut inner =
                    Search { rebuild: self.rebuild, shared: self.shared, own: Some(*body), memo: HashMap::new() };
                let new_body = inner.expr(*body);
                let kind = NodeKind::Compute { axes: axes.clone(), reduce: None, body: new_body };
                let node = self.rebuild.graph.add(Node { kind, ..template.clone() });
                if let Some(entry) = self.shared.entries.get_mut(&key) {
                    entry.node = Some(node);
                }
                node
            }
        };
        let graph: &mut Graph = &mut self.rebuild.graph;
        let mut at = Vec::with_capacity(at_vars.len());
        for v in at_vars {
            at.push(match v {
                Some(v) => graph.exprs.index(v),
                None => graph.exprs.int(0),
            });
        }
        graph.exprs.read(node, Ty::Real, at, None)
    }
}

/// How many axes have more than one place.
fn long_axes(exprs: &Exprs, axes: &[Var]) -> usize {
    axes.iter().filter(|&&v| exprs.extent(v) > 1).count()
}
