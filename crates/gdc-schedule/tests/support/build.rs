//! Shorthands for building models by hand.

use gdc_ir::*;

/// A model that grows.
#[derive(Clone, Default)]
pub struct M(pub Model);

impl M {
    pub fn node(&mut self, name: &str, kind: NodeKind, shape: &[usize], ty: Ty, per_sample: bool) -> NodeId {
        let (name, shape) = (name.to_owned(), shape.to_vec());
        self.0.graph.add(Node { name, kind, shape, ty, range: None, per_sample, origin: None })
    }

    /// A leaf, entered in the model's list; parameters and states start at 0.
    pub fn leaf(&mut self, name: &str, leaf: Leaf, shape: &[usize]) -> NodeId {
        let per_sample = matches!(leaf, Leaf::Input | Leaf::Target | Leaf::SampleWeight);
        let ty = if leaf == Leaf::Counter { Ty::Int } else { Ty::Real };
        let node = self.node(name, NodeKind::Leaf(leaf), shape, ty, per_sample);
        match leaf {
            Leaf::Input => self.0.inputs.push(node),
            Leaf::Target => self.0.targets.push(node),
            Leaf::SampleWeight => self.0.sample_weight = Some(node),
            Leaf::Counter => self.0.counter = Some(node),
            Leaf::Param | Leaf::State => {
                let axes: Vec<Var> = shape.iter().map(|&n| self.var("i", n)).collect();
                let zero = self.real(0.0);
                let init = self.map(&format!("{name}.init"), &axes, zero);
                let list = if leaf == Leaf::Param { &mut self.0.params } else { &mut self.0.states };
                list.push(Kept { node, init });
            }
        }
        node
    }

    /// An integer input or target.
    pub fn int_leaf(&mut self, name: &str, leaf: Leaf, shape: &[usize], range: (i64, i64)) -> NodeId {
        let kind = NodeKind::Leaf(leaf);
        let (name, shape) = (name.to_owned(), shape.to_vec());
        let node = Node { name, kind, shape, ty: Ty::Int, range: Some(range), per_sample: true, origin: None };
        let node = self.0.graph.add(node);
        if leaf == Leaf::Input {
            self.0.inputs.push(node)
        } else {
            self.0.targets.push(node)
        }
        node
    }

    pub fn var(&mut self, name: &str, extent: usize) -> Var {
        self.0.graph.exprs.fresh(name, extent, false)
    }

    pub fn batch(&mut self, extent: usize) -> Var {
        self.0.settings.batch = Some(extent);
        self.0.graph.exprs.fresh("b", extent, true)
    }

    pub fn real(&mut self, x: f64) -> ExprId {
        self.0.graph.exprs.real(x)
    }

    pub fn index(&mut self, v: Var) -> ExprId {
        self.0.graph.exprs.index(v)
    }

    pub fn affine(&mut self, terms: &[(Var, i64)], constant: i64) -> ExprId {
        let mut sum = Affine::constant(constant);
        for &(v, c) in terms {
            sum = sum.add_scaled(&Affine::var(v), c).expect("small");
        }
        self.0.graph.exprs.affine(sum)
    }

    pub fn read(&mut self, node: NodeId, at: &[Var]) -> ExprId {
        let at: Vec<ExprId> = at.iter().map(|&v| self.index(v)).collect();
        self.read_at(node, &at, None)
    }

    pub fn read_at(&mut self, node: NodeId, at: &[ExprId], otherwise: Option<ExprId>) -> ExprId {
        let ty = self.0.graph.node(node).ty;
        self.0.graph.exprs.intern(Expr::Read { node, at: at.into(), otherwise }, ty)
    }

    pub fn op(&mut self, op: Op, args: &[ExprId]) -> ExprId {
        self.0.graph.exprs.intern(Expr::Op(op, args.into()), Ty::Real)
    }

    pub fn map(&mut self, name: &str, axes: &[Var], body: ExprId) -> NodeId {
        self.compute(name, axes, None, body)
    }

    pub fn reduce(&mut self, name: &str, axes: &[Var], op: Red, over: &[Var], body: ExprId) -> NodeId {
        self.compute(name, axes, Some(Reduce { op, over: over.to_vec() }), body)
    }

    pub fn sum(&mut self, name: &str, axes: &[Var], over: &[Var], body: ExprId) -> NodeId {
        self.reduce(name, axes, Red::Sum, over, body)
    }

    fn compute(&mut self, name: &str, axes: &[Var], reduce: Option<Reduce>, body: ExprId) -> NodeId {
        let exprs = &self.0.graph.exprs;
        let shape: Vec<usize> = axes.iter().map(|&v| exprs.extent(v)).collect();
        let ty = reduce.as_ref().map_or(exprs.ty(body), |r| r.op.result());
        let per_sample = axes.first().is_some_and(|&v| exprs.var(v).batch);
        self.node(name, NodeKind::Compute { axes: axes.to_vec(), reduce, body }, &shape, ty, per_sample)
    }

    pub fn reshape(&mut self, name: &str, source: NodeId, shape: &[usize]) -> NodeId {
        let (ty, per_sample) = (self.0.graph.node(source).ty, self.0.graph.node(source).per_sample);
        self.node(name, NodeKind::Reshape(source), shape, ty, per_sample)
    }

    pub fn scatter(&mut self, name: &str, shape: &[usize], domain: &[Var], at: &[ExprId], body: ExprId) -> NodeId {
        let kind = NodeKind::Scatter { domain: domain.to_vec(), at: at.to_vec(), body };
        self.node(name, kind, shape, Ty::Real, false)
    }

    /// `sum[over](a * b)` at bare variables.
    pub fn contraction(
        &mut self,
        name: &str,
        axes: &[Var],
        over: &[Var],
        a: (NodeId, &[Var]),
        b: (NodeId, &[Var]),
    ) -> NodeId {
        let (a, b) = (self.read(a.0, a.1), self.read(b.0, b.1));
        let body = self.op(Op::Mul, &[a, b]);
        self.sum(name, axes, over, body)
    }

    pub fn gradient(&mut self, target: NodeId, value: NodeId) {
        self.0.gradients.push(Update { target, value });
    }

    pub fn update(&mut self, target: NodeId, value: NodeId) {
        self.0.updates.push(Update { target, value });
    }

    pub fn shape(&self, node: NodeId) -> Vec<usize> {
        self.0.graph.node(node).shape.clone()
    }
}
