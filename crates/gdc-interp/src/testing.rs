//! Models built by hand for the tests of this crate.

use gdc_ir::{
    Affine, Expr, ExprId, Graph, Kept, Leaf, Model, Named, Node, NodeId, NodeKind, Op, Red, Reduce, Settings, Ty,
    Update, Var,
};

/// Builds graphs with few words.
#[derive(Default)]
pub struct Build {
    pub g: Graph,
}

impl Build {
    pub fn var(&mut self, name: &str, extent: usize) -> Var {
        self.g.exprs.fresh(name, extent, false)
    }

    pub fn batch(&mut self, extent: usize) -> Var {
        self.g.exprs.fresh("b", extent, true)
    }

    pub fn node(&mut self, name: &str, kind: NodeKind, shape: &[usize], ty: Ty) -> NodeId {
        let per_sample = match &kind {
            NodeKind::Leaf(l) => matches!(l, Leaf::Input | Leaf::Target | Leaf::SampleWeight),
            NodeKind::Compute { axes, .. } => axes.first().is_some_and(|&v| self.g.exprs.var(v).batch),
            NodeKind::Literal(_) | NodeKind::Scatter { .. } | NodeKind::Reshape(_) | NodeKind::Recurrence { .. } => {
                false
            }
        };
        let shape = shape.to_vec();
        self.g.add(Node { name: name.to_owned(), kind, shape, ty, range: None, per_sample, origin: None })
    }

    pub fn leaf(&mut self, name: &str, leaf: Leaf, shape: &[usize]) -> NodeId {
        let ty = if leaf == Leaf::Counter { Ty::Int } else { Ty::Real };
        self.node(name, NodeKind::Leaf(leaf), shape, ty)
    }

    pub fn labels(&mut self, name: &str, leaf: Leaf, shape: &[usize], below: i64) -> NodeId {
        let per_sample = leaf == Leaf::Target;
        let (kind, shape) = (NodeKind::Leaf(leaf), shape.to_vec());
        let range = Some((0, below));
        self.g.add(Node { name: name.to_owned(), kind, shape, ty: Ty::Int, range, per_sample, origin: None })
    }

    pub fn literal(&mut self, name: &str, values: &[f64]) -> NodeId {
        self.node(name, NodeKind::Literal(values.to_vec()), &[values.len()], Ty::Real)
    }

    pub fn read(&mut self, node: NodeId, at: &[Var]) -> ExprId {
        let at: Vec<ExprId> = at.iter().map(|&v| self.g.exprs.index(v)).collect();
        self.read_at(node, &at, None)
    }

    pub fn read_at(&mut self, node: NodeId, at: &[ExprId], otherwise: Option<ExprId>) -> ExprId {
        let ty = self.g.node(node).ty;
        self.g.exprs.intern(Expr::Read { node, at: at.into(), otherwise }, ty)
    }

    pub fn affine(&mut self, terms: &[(Var, i64)], constant: i64) -> ExprId {
        let mut terms = terms.to_vec();
        terms.sort();
        self.g.exprs.affine(Affine { terms, constant })
    }

    pub fn real(&mut self, value: f64) -> ExprId {
        self.g.exprs.real(value)
    }

    pub fn op(&mut self, op: Op, args: &[ExprId]) -> ExprId {
        self.g.exprs.intern(Expr::Op(op, args.into()), Ty::Real)
    }

    pub fn map(&mut self, name: &str, axes: &[Var], body: ExprId) -> NodeId {
        self.compute(name, axes, None, body)
    }

    pub fn reduce(&mut self, name: &str, axes: &[Var], op: Red, over: &[Var], body: ExprId) -> NodeId {
        self.compute(name, axes, Some(Reduce { op, over: over.to_vec() }), body)
    }

    fn compute(&mut self, name: &str, axes: &[Var], reduce: Option<Reduce>, body: ExprId) -> NodeId {
        let shape: Vec<usize> = axes.iter().map(|&v| self.g.exprs.extent(v)).collect();
        let ty = reduce.as_ref().map_or(self.g.exprs.ty(body), |r| r.op.result());
        self.node(name, NodeKind::Compute { axes: axes.to_vec(), reduce, body }, &shape, ty)
    }
}

/// `(x - 3)^2` from 1, by gradient descent at rate 0.1.
pub fn quadratic() -> Model {
    let mut b = Build::default();
    let x = b.leaf("x", Leaf::Param, &[]);
    let one = b.real(1.0);
    let init = b.map("x.init", &[], one);
    let (rx, three, two, rate) = (b.read(x, &[]), b.real(3.0), b.real(2.0), b.real(0.1));
    let error = b.op(Op::Sub, &[rx, three]);
    let square = b.op(Op::Mul, &[error, error]);
    let loss = b.map("loss", &[], square);
    let slope = b.op(Op::Mul, &[two, error]);
    let gradient = b.map("dx", &[], slope);
    let rg = b.read(gradient, &[]);
    let moved = b.op(Op::Mul, &[rate, rg]);
    let next = b.op(Op::Sub, &[rx, moved]);
    let next = b.map("x.next", &[], next);
    Model {
        name: "Quadratic".into(),
        graph: b.g,
        params: vec![Kept { node: x, init }],
        loss: Some(loss),
        gradients: vec![Update { target: x, value: gradient }],
        updates: vec![Update { target: x, value: next }],
        ..Model::default()
    }
}

/// `y = relu(x w + c)` on `[4, 3] x [3, 2]`, mean squared error, plain gradient descent, with
/// the number of updates as a state and the mean target as a metric.
pub fn dense() -> Model {
    let mut b = Build::default();
    let (n, i, j) = (b.batch(4), b.var("i", 3), b.var("j", 2));
    let x = b.leaf("x", Leaf::Input, &[4, 3]);
    let y = b.leaf("y", Leaf::Target, &[4, 2]);
    let w = b.leaf("w", Leaf::Param, &[3, 2]);
    let c = b.leaf("c", Leaf::Param, &[2]);
    let weight = b.leaf("sample_weight", Leaf::SampleWeight, &[4]);
    let counter = b.leaf("t", Leaf::Counter, &[]);
    // w[i, j] = 0.3 i - 0.5 j + 0.2, c = [0.1, 0.2]
    let (ri, rj) = (b.g.exprs.index(i), b.g.exprs.index(j));
    let (ri, rj) = (b.op(Op::ToReal, &[ri]), b.op(Op::ToReal, &[rj]));
    let (k3, k5, k2) = (b.real(0.3), b.real(-0.5), b.real(0.2));
    let (a, d) = (b.op(Op::Mul, &[k3, ri]), b.op(Op::Mul, &[k5, rj]));
    let a = b.op(Op::Add, &[a, d]);
    let a = b.op(Op::Add, &[a, k2]);
    let w_init = b.map("w.init", &[i, j], a);
    let c_init = b.literal("c.init", &[0.1, 0.2]);

    let (rx, rw, rc) = (b.read(x, &[n, i]), b.read(w, &[i, j]), b.read(c, &[j]));
    let product = b.op(Op::Mul, &[rx, rw]);
    let s = b.reduce("s", &[n, j], Red::Sum, &[i], product);
    let rs = b.read(s, &[n, j]);
    let z = b.op(Op::Add, &[rs, rc]);
    let zero = b.real(0.0);
    let positive = b.op(Op::Lt, &[zero, z]);
    let relu = b.op(Op::Select, &[positive, z, zero]);
    let h = b.map("h", &[n, j], relu);
    let (rh, ry, rq) = (b.read(h, &[n, j]), b.read(y, &[n, j]), b.read(weight, &[n]));
    let error = b.op(Op::Sub, &[rh, ry]);
    let weighted = b.op(Op::Mul, &[rq, error]);
    let square = b.op(Op::Mul, &[weighted, error]);
    let loss = b.reduce("loss", &[], Red::Sum, &[n, j], square);
    let two = b.real(2.0);
    let slope = b.op(Op::Mul, &[two, weighted]);
    let slope = b.op(Op::Select, &[positive, slope, zero]);
    let dz = b.map("dz", &[n, j], slope);
    let rdz = b.read(dz, &[n, j]);
    let product = b.op(Op::Mul, &[rx, rdz]);
    let dw = b.reduce("dw", &[i, j], Red::Sum, &[n], product);
    let dc = b.reduce("dc", &[j], Red::Sum, &[n], rdz);
    let mut updates = Vec::new();
    for (p, g, axes) in [(w, dw, vec![i, j]), (c, dc, vec![j])] {
        let (rp, rg, rate) = (b.read(p, &axes), b.read(g, &axes), b.real(0.1));
        let moved = b.op(Op::Mul, &[rate, rg]);
        let next = b.op(Op::Sub, &[rp, moved]);
        updates.push(Update { target: p, value: b.map("next", &axes, next) });
    }
    let steps = b.leaf("steps", Leaf::State, &[]);
    let steps_init = b.map("steps.init", &[], zero);
    let rt = b.read(counter, &[]);
    let (real, one) = (b.op(Op::ToReal, &[rt]), b.real(1.0));
    let count = b.op(Op::Add, &[real, one]);
    updates.push(Update { target: steps, value: b.map("steps.next", &[], count) });
    let product = b.op(Op::Mul, &[rq, ry]);
    let mean = b.reduce("mean", &[], Red::Sum, &[n, j], product);
    Model {
        name: "Dense".into(),
        graph: b.g,
        inputs: vec![x],
        targets: vec![y],
        params: vec![Kept { node: w, init: w_init }, Kept { node: c, init: c_init }],
        states: vec![Kept { node: steps, init: steps_init }],
        sample_weight: Some(weight),
        counter: Some(counter),
        loss: Some(loss),
        outputs: vec![Named { name: "h".into(), node: h }],
        metrics: vec![Named { name: "mean_target".into(), node: mean }],
        gradients: vec![Update { target: w, value: dw }, Update { target: c, value: dc }],
        updates,
        settings: Settings { batch: Some(4), ..Settings::default() },
        ..Model::default()
    }
}

/// `lse(z) - z[label]` with the logits as parameters: `dz = exp(z - lse) - (k == label)`.
pub fn cross_entropy() -> Model {
    let mut b = Build::default();
    let (n, k) = (b.batch(2), b.var("k", 3));
    let label = b.labels("label", Leaf::Target, &[2], 3);
    let z = b.leaf("z", Leaf::Param, &[3]);
    let weight = b.leaf("sample_weight", Leaf::SampleWeight, &[2]);
    let init = b.literal("z.init", &[0.5, -1.0, 2.0]);
    let rz = b.read(z, &[k]);
    let lse = b.reduce("lse", &[], Red::Lse, &[k], rz);
    let (rl, rlabel, rq) = (b.read(lse, &[]), b.read(label, &[n]), b.read(weight, &[n]));
    let picked = b.read_at(z, &[rlabel], None);
    let each = b.op(Op::Sub, &[rl, picked]);
    let each = b.op(Op::Mul, &[rq, each]);
    let loss = b.reduce("loss", &[], Red::Sum, &[n], each);
    let shifted = b.op(Op::Sub, &[rz, rl]);
    let p = b.op(Op::Exp, &[shifted]);
    let rk = b.g.exprs.index(k);
    let is = b.op(Op::Eq, &[rk, rlabel]);
    let is = b.op(Op::ToReal, &[is]);
    let slope = b.op(Op::Sub, &[p, is]);
    let slope = b.op(Op::Mul, &[rq, slope]);
    let dz = b.reduce("dz", &[k], Red::Sum, &[n], slope);
    Model {
        name: "CrossEntropy".into(),
        graph: b.g,
        targets: vec![label],
        params: vec![Kept { node: z, init }],
        sample_weight: Some(weight),
        loss: Some(loss),
        gradients: vec![Update { target: z, value: dz }],
        ..Model::default()
    }
}
