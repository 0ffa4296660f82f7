//! Shorthands with which this crate's tests build graphs by hand.

use crate::{Expr, ExprId, Graph, Leaf, Node, NodeId, NodeKind, Op, Red, Reduce, Ty, Var};

/// A node of real numbers that is not per sample.
pub fn node(name: &str, kind: NodeKind, shape: &[usize]) -> Node {
    Node {
        name: name.to_owned(),
        kind,
        shape: shape.to_vec(),
        ty: Ty::Real,
        range: None,
        per_sample: false,
        origin: None,
    }
}

impl Graph {
    /// A leaf of real numbers; inputs, targets and sample weights are per sample.
    pub fn t_leaf(&mut self, name: &str, leaf: Leaf, shape: &[usize]) -> NodeId {
        let mut node = node(name, NodeKind::Leaf(leaf), shape);
        node.per_sample = matches!(leaf, Leaf::Input | Leaf::Target | Leaf::SampleWeight);
        if leaf == Leaf::Counter {
            node.ty = Ty::Int;
        }
        self.add(node)
    }

    /// A variable that is not the batch.
    pub fn t_var(&mut self, name: &str, extent: usize) -> Var {
        self.exprs.fresh(name, extent, false)
    }

    /// A read at bare variables.
    pub fn t_read(&mut self, node: NodeId, at: &[Var]) -> ExprId {
        let at = at.iter().map(|&v| self.exprs.index(v)).collect();
        let ty = self.node(node).ty;
        self.exprs.intern(Expr::Read { node, at, otherwise: None }, ty)
    }

    /// A read at expressions.
    pub fn t_read_at(&mut self, node: NodeId, at: &[ExprId], otherwise: Option<ExprId>) -> ExprId {
        let ty = self.node(node).ty;
        self.exprs.intern(Expr::Read { node, at: at.into(), otherwise }, ty)
    }

    /// An operator.
    pub fn t_op(&mut self, op: Op, args: &[ExprId]) -> ExprId {
        self.exprs.intern(Expr::Op(op, args.into()), Ty::Real)
    }

    /// `name[axes] = body`.
    pub fn t_map(&mut self, name: &str, axes: &[Var], body: ExprId) -> NodeId {
        self.t_compute(name, axes, None, body)
    }

    /// `name[axes] = red[over](body)`.
    pub fn t_reduce(&mut self, name: &str, axes: &[Var], red: Red, over: &[Var], body: ExprId) -> NodeId {
        self.t_compute(name, axes, Some(Reduce { op: red, over: over.to_vec() }), body)
    }

    fn t_compute(&mut self, name: &str, axes: &[Var], reduce: Option<Reduce>, body: ExprId) -> NodeId {
        let shape: Vec<usize> = axes.iter().map(|&v| self.exprs.extent(v)).collect();
        let ty = reduce.as_ref().map_or(self.exprs.ty(body), |r| r.op.result());
        let per_sample = axes.first().is_some_and(|&v| self.exprs.var(v).batch);
        let kind = NodeKind::Compute { axes: axes.to_vec(), reduce, body };
        self.add(Node { ty, per_sample, ..node(name, kind, &shape) })
    }
}
