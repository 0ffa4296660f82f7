//! What every rewriting pass shares: a new graph is built from the nodes that the roots
//! need, in order, while reads of old nodes become what the pass decided.

use gdc_ir::{Expr, ExprId, Exprs, Graph, Kept, Model, Node, NodeId, NodeKind, Update, Var};
use std::collections::{BTreeSet, HashMap};

/// What reads of an old node become.
#[derive(Clone)]
pub enum Replacement {
    /// Reads of a new node.
    Node(NodeId),
    /// Its body, with places put in for its axes.
    Body(Vec<Var>, ExprId),
    /// The body of a scalar, while the node stays for the roots that name it.
    Scalar(NodeId, ExprId),
}

/// A pass in progress.
pub struct Rebuild {
    old: Vec<Node>,
    /// The graph being built. It keeps the old expressions, which old reads still need.
    pub graph: Graph,
    map: Vec<Option<Replacement>>,
    memo: HashMap<ExprId, ExprId>,
    /// The recurrences of the new graph that are closed.
    closed: BTreeSet<NodeId>,
}

impl Rebuild {
    /// Takes the graph out of a model.
    pub fn new(model: &mut Model) -> Self {
        let mut graph = std::mem::take(&mut model.graph);
        let old = graph.take_nodes();
        let map = vec![None; old.len()];
        Rebuild { old, graph, map, memo: HashMap::new(), closed: BTreeSet::new() }
    }

    /// A node of the old graph.
    pub fn old(&self, id: NodeId) -> &Node {
        &self.old[id.0 as usize]
    }

    /// States what an old node becomes. Nodes are handled in order, so everything that it
    /// reads has been stated before.
    pub fn set(&mut self, id: NodeId, replacement: Replacement) {
        self.map[id.0 as usize] = Some(replacement);
    }

    /// The new node of an old one; `None` if it was replaced by its body.
    pub fn new_node(&self, id: NodeId) -> Option<NodeId> {
        match &self.map[id.0 as usize] {
            Some(Replacement::Node(n) | Replacement::Scalar(n, _)) => Some(*n),
            _ => None,
        }
    }

    /// An old expression with its reads replaced.
    pub fn expr(&mut self, e: ExprId) -> ExprId {
        let (map, memo) = (&self.map, &mut self.memo);
        replace_reads(&mut self.graph.exprs, e, map, memo)
    }

    /// An old node's kind with its reads replaced.
    pub fn kind(&mut self, kind: &NodeKind) -> NodeKind {
        match kind {
            NodeKind::Leaf(_) | NodeKind::Literal(_) => kind.clone(),
            NodeKind::Reshape(source) => NodeKind::Reshape(self.new_node(*source).unwrap_or(*source)),
            // What its steps leave comes later, and is renamed at the end.
            NodeKind::Recurrence { init, next, axis, reverse } => NodeKind::Recurrence {
                init: self.new_node(*init).unwrap_or(*init),
                next: *next,
                axis: *axis,
                reverse: *reverse,
            },
            NodeKind::Compute { axes, reduce, body } => {
                NodeKind::Compute { axes: axes.clone(), reduce: reduce.clone(), body: self.expr(*body) }
            }
            NodeKind::Scatter { domain, at, body } => {
                let at = at.iter().map(|&e| self.expr(e)).collect();
                NodeKind::Scatter { domain: domain.clone(), at, body: self.expr(*body) }
            }
        }
    }

    /// Recurrences step through what the nodes that they lead to are now, if these are known: from
    /// here on, old nodes can become something else.
    pub fn close(&mut self) {
        let closed: Vec<(NodeId, NodeId)> = self
            .graph
            .nodes()
            .filter(|(id, _)| !self.closed.contains(id))
            .filter_map(|(id, node)| match node.kind {
                NodeKind::Recurrence { next, .. } => Some((id, self.new_node(next)?)),
                _ => None,
            })
            .collect();
        for (id, next) in closed {
            self.graph.close(id, next);
            self.closed.insert(id);
        }
        self.memo.clear();
    }

    /// Puts the new graph into the model and renames its roots.
    pub fn finish(mut self, model: &mut Model) {
        self.close();
        let of = |id: NodeId| match &self.map[id.0 as usize] {
            Some(Replacement::Node(n) | Replacement::Scalar(n, _)) => *n,
            // Roots are never replaced by their bodies.
            Some(Replacement::Body(..)) | None => id,
        };
        let kept = |list: &mut Vec<Kept>| {
            for k in list {
                *k = Kept { node: of(k.node), init: of(k.init) };
            }
        };
        let updates = |list: &mut Vec<Update>| {
            for u in list {
                *u = Update { target: of(u.target), value: of(u.value) };
            }
        };
        for id in model.inputs.iter_mut().chain(&mut model.targets).chain(&mut model.frozen) {
            *id = of(*id);
        }
        kept(&mut model.params);
        kept(&mut model.states);
        let scalars = model.sample_weight.iter_mut().chain(&mut model.counter).chain(&mut model.loss);
        for id in scalars.chain(&mut model.evaluation) {
            *id = of(*id);
        }
        for named in model.outputs.iter_mut().chain(&mut model.metrics).chain(&mut model.held) {
            named.node = of(named.node);
        }
        for checkpoint in &mut model.checkpoints {
            checkpoint.inputs.iter_mut().chain(&mut checkpoint.results).for_each(|n| *n = of(*n));
        }
        for entry in &mut model.entries {
            entry.inputs.iter_mut().for_each(|i| i.node = of(i.node));
            entry.output = of(entry.output);
        }
        updates(&mut model.gradients);
        updates(&mut model.updates);
        model.graph = self.graph;
    }
}

fn replace_reads(x: &mut Exprs, e: ExprId, map: &[Option<Replacement>], memo: &mut HashMap<ExprId, ExprId>) -> ExprId {
    gdc_ir::rewrite(x, e, memo, |x, old, new| {
        let ty = x.ty(old);
        match new {
            Expr::Read { node, at, otherwise } => match &map[node.0 as usize] {
                Some(Replacement::Body(axes, body)) => {
                    let places = axes.iter().copied().zip(at).collect();
                    crate::build::substitute(x, *body, &places)
                }
                Some(Replacement::Scalar(_, body)) => *body,
                Some(Replacement::Node(new)) => crate::build::Build::read(x, *new, ty, at.into_vec(), otherwise),
                None => crate::build::Build::read(x, node, ty, at.into_vec(), otherwise),
            },
            new => crate::build::made(x, new, ty),
        }
    })
}
