//! Intermediate statements without their axes of extent 1.
//!
//! A convolution of one group computes `y[b, p, q, 1, f]`, and what follows reads it through a
//! reshape to `[b, p, q, f]`. Without the axis there is no reshape between them, so the one
//! can ride in the other's epilogue.

use gdc_ir::{Affine, Expr, ExprId, Graph, NodeId, NodeKind, Var};
use std::collections::{BTreeMap, BTreeSet};

/// Takes axes of extent 1 off every statement but those that are `kept` as they are, which
/// the outside sees, and reads through reshapes that this makes needless.
pub(crate) fn squeeze(graph: &mut Graph, kept: &BTreeSet<NodeId>) {
    // What a scan carries has the axes of what each step leaves; these stay as they are.
    if graph.nodes().any(|(_, n)| matches!(n.kind, NodeKind::Recurrence { .. })) {
        return;
    }
    let samples = graph.nodes().any(|(_, n)| n.per_sample);
    let guarded = guarded(graph);
    let old = graph.take_nodes();
    let mut narrower: BTreeMap<NodeId, Vec<bool>> = BTreeMap::new();
    let mut same: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for (k, node) in old.iter().enumerate() {
        let id = NodeId(k as u32);
        let mut rewriter =
            Rewriter { graph, narrower: &narrower, same: &same, zero: BTreeSet::new(), done: BTreeMap::new() };
        let mut new = node.clone();
        match &node.kind {
            NodeKind::Compute { axes, reduce, body } => {
                let exprs = &rewriter.graph.exprs;
                let stays =
                    |(k, &v): (usize, &Var)| exprs.extent(v) != 1 || exprs.var(v).batch || guarded.contains(&(id, k));
                let stay: Vec<bool> = axes.iter().enumerate().map(stays).collect();
                let narrow = !kept.contains(&id) && node.per_sample == samples && stay.contains(&false);
                let mut axes = axes.clone();
                if narrow {
                    rewriter.zero = axes.iter().zip(&stay).filter(|(_, s)| !**s).map(|(v, _)| *v).collect();
                    axes.retain(|v| !rewriter.zero.contains(v));
                    new.shape = axes.iter().map(|&v| rewriter.graph.exprs.extent(v)).collect();
                }
                let body = rewriter.rewritten(*body);
                new.kind = NodeKind::Compute { axes, reduce: reduce.clone(), body };
                if narrow {
                    narrower.insert(id, stay);
                }
            }
            NodeKind::Scatter { domain, at, body } => {
                let at = at.iter().map(|&e| rewriter.rewritten(e)).collect();
                let body = rewriter.rewritten(*body);
                new.kind = NodeKind::Scatter { domain: domain.clone(), at, body };
            }
            NodeKind::Reshape(source) => {
                let source = same.get(source).copied().unwrap_or(*source);
                new.kind = NodeKind::Reshape(source);
                if !kept.contains(&id) && graph.node(source).shape == node.shape {
                    same.insert(id, source);
                }
            }
            NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Recurrence { .. } => {}
        }
        graph.add(new);
    }
}

/// Axes that some read might leave, which are needed to say so.
fn guarded(graph: &Graph) -> BTreeSet<(NodeId, usize)> {
    let mut found = BTreeSet::new();
    let exprs = &graph.exprs;
    let zero = |e: ExprId| {
        let units = |a: &Affine| a.constant == 0 && a.terms.iter().all(|(v, _)| exprs.extent(*v) == 1);
        exprs.as_affine(e).is_some_and(units)
    };
    for (_, node) in graph.nodes() {
        let roots: Vec<ExprId> = match &node.kind {
            NodeKind::Compute { body, .. } => vec![*body],
            NodeKind::Scatter { at, body, .. } => at.iter().copied().chain([*body]).collect(),
            NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Reshape(_) | NodeKind::Recurrence { .. } => Vec::new(),
        };
        for root in roots {
            exprs.walk(root, &mut |e| {
                if let Expr::Read { node, at, otherwise: Some(_) } = exprs.get(e) {
                    found.extend(at.iter().enumerate().filter(|(_, i)| !zero(**i)).map(|(k, _)| (*node, k)));
                }
            });
        }
    }
    found
}

struct Rewriter<'a> {
    /// The nodes so far.
    graph: &'a mut Graph,
    /// Which axes statements have kept.
    narrower: &'a BTreeMap<NodeId, Vec<bool>>,
    /// What reshapes are the same as.
    same: &'a BTreeMap<NodeId, NodeId>,
    /// Variables that are 0.
    zero: BTreeSet<Var>,
    done: BTreeMap<ExprId, ExprId>,
}

impl Rewriter<'_> {
    fn rewritten(&mut self, root: ExprId) -> ExprId {
        let mut order = Vec::new();
        self.graph.exprs.walk(root, &mut |id| order.push(id));
        for id in order {
            let new = self.part(id);
            self.done.insert(id, new);
        }
        self.rewrite_of(root)
    }

    /// What an expression that was handled became.
    fn rewrite_of(&self, id: ExprId) -> ExprId {
        self.done.get(&id).copied().unwrap_or(id)
    }

    /// One expression, its parts being done.
    fn part(&mut self, id: ExprId) -> ExprId {
        let ty = self.graph.exprs.ty(id);
        match self.graph.exprs.get(id).clone() {
            Expr::Real(_) | Expr::Bool(_) => id,
            Expr::Random { dist, site, element } => {
                let element = self.rewrite_of(element);
                self.graph.exprs.intern(Expr::Random { dist, site, element }, ty)
            }
            Expr::Int(affine) => {
                let terms = affine.terms.iter().filter(|(v, _)| !self.zero.contains(v)).copied().collect();
                self.graph.exprs.affine(Affine { terms, constant: affine.constant })
            }
            Expr::Op(op, args) => {
                let args: Vec<ExprId> = args.iter().map(|&a| self.rewrite_of(a)).collect();
                self.graph.exprs.intern(Expr::Op(op, args.into()), ty)
            }
            Expr::Read { node, at, otherwise } => {
                let mut at: Vec<ExprId> = at.iter().map(|&e| self.rewrite_of(e)).collect();
                let otherwise = otherwise.map(|e| self.rewrite_of(e));
                if let Some(stay) = self.narrower.get(&node) {
                    let mut stay = stay.iter();
                    at.retain(|_| stay.next().copied().unwrap_or(true));
                }
                let node = self.same.get(&node).copied().unwrap_or(node);
                self.graph.exprs.intern(Expr::Read { node, at: at.into(), otherwise }, ty)
            }
        }
    }
}
