//! Intermediate statements without their axes of extent 1.
//!
//! A convolution of one group computes `y[b, p, q, 1, f]`, and what follows reads it through a
//! reshape to `[b, p, q, f]`. Without the axis there is no reshape between them, so the one
//! can ride in the other's epilogue.

use gdc_ir::{Affine, Expr, ExprId, Graph, NodeId, NodeKind, Var, rewrite};
use std::collections::{BTreeMap, BTreeSet, HashMap};

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
        let mut rewriter = Rewriter { graph, narrower: &narrower, same: &same, zero: BTreeSet::new() };
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
}

impl Rewriter<'_> {
    fn rewritten(&mut self, root: ExprId) -> ExprId {
        rewrite(self.graph, root, &mut HashMap::new(), |graph, old, new| {
            let ty = graph.exprs.ty(old);
            let new = match new {
                Expr::Int(affine) => {
                    let terms = affine.terms.iter().filter(|(v, _)| !self.zero.contains(v)).copied().collect();
                    return graph.exprs.affine(Affine { terms, constant: affine.constant });
                }
                Expr::Read { node, at, otherwise } => {
                    let mut at = at.into_vec();
                    if let Some(stay) = self.narrower.get(&node) {
                        let mut stay = stay.iter();
                        at.retain(|_| stay.next().copied().unwrap_or(true));
                    }
                    let node = self.same.get(&node).copied().unwrap_or(node);
                    Expr::Read { node, at: at.into(), otherwise }
                }
                new => new,
            };
            graph.exprs.intern(new, ty)
        })
    }
}
