//! Models with gradients written by hand.

use super::build::M;
use gdc_ir::*;

/// Dense, relu, dense, cross-entropy, with Adam.
pub fn mlp(batch: usize, inputs: usize, hidden: usize, classes: usize) -> Model {
    let mut m = M::default();
    let (b, i) = (m.batch(batch), m.var("i", inputs));
    let (j, k) = (m.var("j", hidden), m.var("k", classes));
    let x = m.leaf("x", Leaf::Input, &[batch, inputs]);
    let label = m.int_leaf("label", Leaf::Target, &[batch], (0, classes as i64));
    let weight = m.leaf("weight", Leaf::SampleWeight, &[batch]);
    let t = m.leaf("t", Leaf::Counter, &[]);
    let w1 = m.leaf("h.dense.w", Leaf::Param, &[inputs, hidden]);
    let b1 = m.leaf("h.dense.b", Leaf::Param, &[hidden]);
    let w2 = m.leaf("logits.dense.w", Leaf::Param, &[hidden, classes]);
    let b2 = m.leaf("logits.dense.b", Leaf::Param, &[classes]);

    let y1 = m.contraction("h.dense.y", &[b, j], &[i], (x, &[b, i]), (w1, &[i, j]));
    let (ry, rb) = (m.read(y1, &[b, j]), m.read(b1, &[j]));
    let pre = m.op(Op::Add, &[ry, rb]);
    let pre = m.map("h.dense", &[b, j], pre);
    let (rp, zero) = (m.read(pre, &[b, j]), m.real(0.0));
    let relu = m.op(Op::Max, &[rp, zero]);
    let h = m.map("h", &[b, j], relu);
    let y2 = m.contraction("logits.dense.y", &[b, k], &[j], (h, &[b, j]), (w2, &[j, k]));
    let (ry, rb) = (m.read(y2, &[b, k]), m.read(b2, &[k]));
    let z = m.op(Op::Add, &[ry, rb]);
    let z = m.map("logits", &[b, k], z);
    let rz = m.read(z, &[b, k]);
    let lse = m.reduce("lse", &[b], Red::Lse, &[k], rz);
    let (rl, ib) = (m.read(label, &[b]), m.index(b));
    let at_label = m.read_at(z, &[ib, rl], None);
    let (rlse, rw) = (m.read(lse, &[b]), m.read(weight, &[b]));
    let nll = m.op(Op::Sub, &[rlse, at_label]);
    let nll = m.op(Op::Mul, &[rw, nll]);
    let loss = m.sum("loss", &[], &[b], nll);
    m.0.loss = Some(loss);

    let best = m.reduce("best", &[b], Red::Argmax, &[k], rz);
    let rbest = m.read(best, &[b]);
    let hit = m.op(Op::Eq, &[rbest, rl]);
    let hit = m.op(Op::ToReal, &[hit]);
    let hit = m.op(Op::Mul, &[hit, rw]);
    let accuracy = m.sum("accuracy.mean", &[], &[b], hit);
    m.0.metrics.push(Named { name: "accuracy".into(), node: accuracy });

    let below = m.op(Op::Sub, &[rz, rlse]);
    let p = m.op(Op::Exp, &[below]);
    let ik = m.index(k);
    let is_label = m.op(Op::Eq, &[ik, rl]);
    let is_label = m.op(Op::ToReal, &[is_label]);
    let dz = m.op(Op::Sub, &[p, is_label]);
    let dz = m.op(Op::Mul, &[rw, dz]);
    let dz = m.map("d.logits", &[b, k], dz);
    let dw2 = m.contraction("d.logits.dense.w", &[j, k], &[b], (h, &[b, j]), (dz, &[b, k]));
    let rdz = m.read(dz, &[b, k]);
    let db2 = m.sum("d.logits.dense.b", &[k], &[b], rdz);
    let dh = m.contraction("d.h", &[b, j], &[k], (dz, &[b, k]), (w2, &[j, k]));
    let rdh = m.read(dh, &[b, j]);
    let live = m.op(Op::Lt, &[zero, rp]);
    let dpre = m.op(Op::Select, &[live, rdh, zero]);
    let dpre = m.map("d.h.dense", &[b, j], dpre);
    let dw1 = m.contraction("d.h.dense.w", &[i, j], &[b], (x, &[b, i]), (dpre, &[b, j]));
    let rdpre = m.read(dpre, &[b, j]);
    let db1 = m.sum("d.h.dense.b", &[j], &[b], rdpre);
    for (w, dw) in [(w1, dw1), (b1, db1), (w2, dw2), (b2, db2)] {
        m.gradient(w, dw);
        adam(&mut m, t, w, dw);
    }
    m.0.name = "Mlp".into();
    m.0
}

/// One parameter's Adam.
pub fn adam(m: &mut M, t: NodeId, w: NodeId, dw: NodeId) {
    let (name, shape) = (m.0.graph.node(w).name.clone(), m.shape(w));
    let rt = m.read(t, &[]);
    let (one, rt) = (m.real(1.0), m.op(Op::ToReal, &[rt]));
    let step = m.op(Op::Add, &[rt, one]);
    let mut correction = |beta: f64, which: &str| {
        let beta = m.real(beta);
        let power = m.op(Op::Pow, &[beta, step]);
        let one_less = m.op(Op::Sub, &[one, power]);
        m.map(&format!("adam.{which}"), &[], one_less)
    };
    let (c1, c2) = (correction(0.9, "c1"), correction(0.999, "c2"));
    let first = m.leaf(&format!("{name}.m"), Leaf::State, &shape);
    let second = m.leaf(&format!("{name}.v"), Leaf::State, &shape);
    let axes: Vec<Var> = shape.iter().map(|&n| m.var("i", n)).collect();
    let (rw, rg) = (m.read(w, &axes), m.read(dw, &axes));
    let mut moment = |state: NodeId, beta: f64, value: ExprId, name: String| {
        let (rs, keep, add) = (m.read(state, &axes), m.real(beta), m.real(1.0 - beta));
        let (kept, added) = (m.op(Op::Mul, &[keep, rs]), m.op(Op::Mul, &[add, value]));
        let next = m.op(Op::Add, &[kept, added]);
        let next = m.map(&name, &axes, next);
        m.update(state, next);
        m.read(next, &axes)
    };
    let next_first = moment(first, 0.9, rg, format!("{name}.m.next"));
    let square = {
        let exprs = &mut m.0.graph.exprs;
        exprs.intern(Expr::Op(Op::Mul, [rg, rg].into()), Ty::Real)
    };
    let mut moment = |state: NodeId, beta: f64, value: ExprId, name: String| {
        let (rs, keep, add) = (m.read(state, &axes), m.real(beta), m.real(1.0 - beta));
        let (kept, added) = (m.op(Op::Mul, &[keep, rs]), m.op(Op::Mul, &[add, value]));
        let next = m.op(Op::Add, &[kept, added]);
        let next = m.map(&name, &axes, next);
        m.update(state, next);
        m.read(next, &axes)
    };
    let next_second = moment(second, 0.999, square, format!("{name}.v.next"));
    let (rc1, rc2) = (m.read(c1, &[]), m.read(c2, &[]));
    let (top, bottom) = (m.op(Op::Div, &[next_first, rc1]), m.op(Op::Div, &[next_second, rc2]));
    let (root, tiny) = (m.op(Op::Sqrt, &[bottom]), m.real(1e-8));
    let bottom = m.op(Op::Add, &[root, tiny]);
    let (quotient, rate) = (m.op(Op::Div, &[top, bottom]), m.real(1e-3));
    let change = m.op(Op::Mul, &[rate, quotient]);
    let next = m.op(Op::Sub, &[rw, change]);
    let next = m.map(&format!("{name}.next"), &axes, next);
    m.update(w, next);
}

/// `(x - 3)^2` by gradient descent.
pub fn quadratic() -> Model {
    let mut m = M::default();
    let x = m.leaf("x", Leaf::Param, &[]);
    let (rx, three, two) = (m.read(x, &[]), m.real(3.0), m.real(2.0));
    let d = m.op(Op::Sub, &[rx, three]);
    let square = m.op(Op::Mul, &[d, d]);
    m.0.loss = Some(m.map("loss", &[], square));
    let dx = m.op(Op::Mul, &[two, d]);
    let dx = m.map("d.x", &[], dx);
    m.gradient(x, dx);
    let (g, rate) = (m.read(dx, &[]), m.real(0.1));
    let change = m.op(Op::Mul, &[rate, g]);
    let next = m.op(Op::Sub, &[rx, change]);
    let next = m.map("x.next", &[], next);
    m.update(x, next);
    m.0
}

/// Dense, sigmoid, dense, sigmoid, mean squared error, with gradient descent.
pub fn sigmoids(batch: usize, inputs: usize, hidden: usize) -> Model {
    let mut m = M::default();
    let (b, i, j) = (m.batch(batch), m.var("i", inputs), m.var("j", hidden));
    let x = m.leaf("x", Leaf::Input, &[batch, inputs]);
    let want = m.leaf("want", Leaf::Target, &[batch]);
    let weight = m.leaf("weight", Leaf::SampleWeight, &[batch]);
    let w1 = m.leaf("w1", Leaf::Param, &[inputs, hidden]);
    let b1 = m.leaf("b1", Leaf::Param, &[hidden]);
    let w2 = m.leaf("w2", Leaf::Param, &[hidden]);
    let y1 = m.contraction("y1", &[b, j], &[i], (x, &[b, i]), (w1, &[i, j]));
    let (ry, rb) = (m.read(y1, &[b, j]), m.read(b1, &[j]));
    let sum = m.op(Op::Add, &[ry, rb]);
    let s = m.op(Op::Sigmoid, &[sum]);
    let h = m.map("h", &[b, j], s);
    let y2 = m.contraction("y2", &[b], &[j], (h, &[b, j]), (w2, &[j]));
    let ry = m.read(y2, &[b]);
    let s = m.op(Op::Sigmoid, &[ry]);
    let p = m.map("p", &[b], s);
    let (rp, rt, rw) = (m.read(p, &[b]), m.read(want, &[b]), m.read(weight, &[b]));
    let e = m.op(Op::Sub, &[rp, rt]);
    let square = m.op(Op::Mul, &[e, e]);
    let square = m.op(Op::Mul, &[rw, square]);
    m.0.loss = Some(m.sum("loss", &[], &[b], square));
    let (one, two) = (m.real(1.0), m.real(2.0));
    let rest = m.op(Op::Sub, &[one, rp]);
    let slope = m.op(Op::Mul, &[rp, rest]);
    let two_e = m.op(Op::Mul, &[two, e]);
    let two_e = m.op(Op::Mul, &[rw, two_e]);
    let dy2 = m.op(Op::Mul, &[two_e, slope]);
    let dy2 = m.map("d.y2", &[b], dy2);
    let dw2 = m.contraction("d.w2", &[j], &[b], (dy2, &[b]), (h, &[b, j]));
    let (rd, rw2, rh) = (m.read(dy2, &[b]), m.read(w2, &[j]), m.read(h, &[b, j]));
    let rest = m.op(Op::Sub, &[one, rh]);
    let slope = m.op(Op::Mul, &[rh, rest]);
    let dh = m.op(Op::Mul, &[rd, rw2]);
    let dy1 = m.op(Op::Mul, &[dh, slope]);
    let dy1 = m.map("d.y1", &[b, j], dy1);
    let dw1 = m.contraction("d.w1", &[i, j], &[b], (x, &[b, i]), (dy1, &[b, j]));
    let rdy1 = m.read(dy1, &[b, j]);
    let db1 = m.sum("d.b1", &[j], &[b], rdy1);
    for (w, dw) in [(w1, dw1), (b1, db1), (w2, dw2)] {
        m.gradient(w, dw);
        let shape = m.shape(w);
        let axes: Vec<Var> = shape.iter().map(|&n| m.var("i", n)).collect();
        let (rw, rg, rate) = (m.read(w, &axes), m.read(dw, &axes), m.real(0.1));
        let change = m.op(Op::Mul, &[rate, rg]);
        let next = m.op(Op::Sub, &[rw, change]);
        let next = m.map(&format!("next.{}", w.0), &axes, next);
        m.update(w, next);
    }
    m.0
}
