//! One test per invariant: a valid model, broken in one way.

use super::*;
use crate::testing::node;
use crate::{Affine, Dist, Kept, Named, Node, Op, Red, Settings, Update};

/// Linear regression on three features with a batch of four, complete with one SGD update.
struct Base {
    model: Model,
    batch: Var,
    i: Var,
    x: NodeId,
    y: NodeId,
    w: NodeId,
    init: NodeId,
    counter: NodeId,
    predicted: NodeId,
    loss: NodeId,
    gradient: NodeId,
}

fn base() -> Base {
    let mut g = Graph::default();
    let batch = g.exprs.fresh("b", 4, true);
    let i = g.t_var("i", 3);
    let x = g.t_leaf("x", Leaf::Input, &[4, 3]);
    let y = g.t_leaf("y", Leaf::Target, &[4]);
    let w = g.t_leaf("w", Leaf::Param, &[3]);
    let weight = g.t_leaf("sample_weight", Leaf::SampleWeight, &[4]);
    let counter = g.t_leaf("t", Leaf::Counter, &[]);
    let zero = g.exprs.real(0.0);
    let init = g.t_map("w.init", &[i], zero);
    let (rx, rw) = (g.t_read(x, &[batch, i]), g.t_read(w, &[i]));
    let product = g.t_op(Op::Mul, &[rx, rw]);
    let predicted = g.t_reduce("predicted", &[batch], Red::Sum, &[i], product);
    let (rp, ry, rs) = (g.t_read(predicted, &[batch]), g.t_read(y, &[batch]), g.t_read(weight, &[batch]));
    let error = g.t_op(Op::Sub, &[rp, ry]);
    let weighted = g.t_op(Op::Mul, &[rs, error]);
    let square = g.t_op(Op::Mul, &[weighted, error]);
    let loss = g.t_reduce("loss", &[], Red::Sum, &[batch], square);
    let back = g.t_op(Op::Mul, &[weighted, rx]);
    let gradient = g.t_reduce("dw", &[i], Red::Sum, &[batch], back);
    let rg = g.t_read(gradient, &[i]);
    let next = g.t_op(Op::Sub, &[rw, rg]);
    let next = g.t_map("w.next", &[i], next);
    let model = Model {
        graph: g,
        inputs: vec![x],
        targets: vec![y],
        params: vec![Kept { node: w, init }],
        sample_weight: Some(weight),
        counter: Some(counter),
        loss: Some(loss),
        outputs: vec![Named { name: "p".into(), node: predicted }],
        gradients: vec![Update { target: w, value: gradient }],
        updates: vec![Update { target: w, value: next }],
        settings: Settings { batch: Some(4), ..Settings::default() },
        ..Model::default()
    };
    Base { model, batch, i, x, y, w, init, counter, predicted, loss, gradient }
}

/// Breaks the base model and expects a violation that says so.
#[track_caller]
fn broken(says: &str, change: impl FnOnce(&mut Base)) {
    let mut base = base();
    change(&mut base);
    let found = verify(&base.model).expect_err("the model should not verify");
    assert!(found.iter().any(|v| v.message.contains(says)), "no {says:?} in {found:#?}");
}

fn typed(name: &str, kind: NodeKind, shape: &[usize], ty: Ty, range: Option<(i64, i64)>) -> Node {
    Node { ty, range, ..node(name, kind, shape) }
}

#[test]
fn the_base_model_is_valid() {
    assert_eq!(verify(&base().model), Ok(()));
    assert_eq!(verify(&Model::default()), Ok(()));
}

#[test]
fn i1_reads_earlier_nodes() {
    broken("not an earlier node", |b| {
        b.model.graph.add(node("r", NodeKind::Reshape(NodeId(99)), &[1]));
    });
    broken("is a root but not a node", |b| b.model.loss = Some(NodeId(99)));
    broken("is a root but not a node", |b| b.model.updates[0].target = NodeId(99));
}

#[test]
fn i2_names() {
    let literal = || NodeKind::Literal(vec![0.0]);
    broken("has the name of", |b| {
        b.model.graph.push_unchecked(node("w", literal(), &[1]));
    });
    broken("has no name", |b| {
        b.model.graph.push_unchecked(node("", literal(), &[1]));
    });
}

#[test]
fn i3_literals() {
    broken("has 1 numbers for the shape [2]", |b| {
        b.model.graph.add(node("c", NodeKind::Literal(vec![0.0]), &[2]));
    });
    for (value, ty) in [(0.5, Ty::Int), (2.0, Ty::Bool), (7.0, Ty::Int)] {
        broken("of its range", |b| {
            let range = (ty == Ty::Int).then_some((0, 7));
            b.model.graph.add(typed("c", NodeKind::Literal(vec![value]), &[1], ty, range));
        });
    }
}

#[test]
fn i4_ranges() {
    broken("has the range 0..3, but is Real", |b| {
        b.model.graph.add(typed("c", NodeKind::Literal(vec![0.0]), &[1], Ty::Real, Some((0, 3))));
    });
    broken("has the range 3..3", |b| {
        b.model.graph.add(typed("c", NodeKind::Literal(vec![]), &[0], Ty::Int, Some((3, 3))));
    });
    broken("but computes 0..=2", |b| {
        let body = b.model.graph.exprs.index(b.i);
        let kind = NodeKind::Compute { axes: vec![b.i], reduce: None, body };
        b.model.graph.add(typed("k", kind, &[3], Ty::Int, Some((0, 2))));
    });
    broken("but computes 0..=2", |b| {
        let body = b.model.graph.t_read(b.w, &[b.i]);
        let reduce = Some(Reduce { op: Red::Argmax, over: vec![b.i] });
        let kind = NodeKind::Compute { axes: vec![], reduce, body };
        b.model.graph.add(typed("k", kind, &[], Ty::Int, Some((0, 2))));
    });
}

#[test]
fn i5_reshape() {
    broken("reshapes [4, 3] to [6]", |b| {
        b.model.graph.add(node("r", NodeKind::Reshape(b.x), &[6]));
    });
    broken("another type", |b| {
        b.model.graph.add(typed("r", NodeKind::Reshape(b.w), &[3], Ty::Bool, None));
    });
    broken("moves the batch axis", |b| {
        b.model.graph.add(node("r", NodeKind::Reshape(b.x), &[12]));
    });
    broken("moves the batch axis", |b| {
        b.model.graph.add(Node { per_sample: true, ..node("r", NodeKind::Reshape(b.x), &[2, 6]) });
    });
}

#[test]
fn i6_per_sample() {
    broken("is per sample, but has the shape []", |b| {
        let zero = b.model.graph.exprs.real(0.0);
        let kind = NodeKind::Compute { axes: vec![], reduce: None, body: zero };
        b.model.graph.add(Node { per_sample: true, ..node("s", kind, &[]) });
    });
    broken("first axis does not run over the batch", |b| {
        let k = b.model.graph.t_var("k", 4);
        let zero = b.model.graph.exprs.real(0.0);
        let kind = NodeKind::Compute { axes: vec![k], reduce: None, body: zero };
        b.model.graph.add(Node { per_sample: true, ..node("s", kind, &[4]) });
    });
    broken("first place does not run over the batch", |b| {
        let zero = b.model.graph.exprs.real(0.0);
        let at = vec![b.model.graph.exprs.index(b.i)];
        let kind = NodeKind::Scatter { domain: vec![b.i], at, body: zero };
        b.model.graph.add(Node { per_sample: true, ..node("s", kind, &[4]) });
    });
}

#[test]
fn i7_bound_variables() {
    broken("binds a variable twice", |b| {
        let zero = b.model.graph.exprs.real(0.0);
        b.model.graph.t_map("s", &[b.i, b.i], zero);
    });
    broken("binds a variable twice", |b| {
        let zero = b.model.graph.exprs.real(0.0);
        b.model.graph.t_reduce("s", &[b.i], Red::Sum, &[b.i], zero);
    });
    broken("reduces over nothing", |b| {
        let zero = b.model.graph.exprs.real(0.0);
        b.model.graph.t_reduce("s", &[b.i], Red::Sum, &[], zero);
    });
}

#[test]
fn i8_shapes() {
    broken("has axes of [3], but the shape [4]", |b| {
        let zero = b.model.graph.exprs.real(0.0);
        let kind = NodeKind::Compute { axes: vec![b.i], reduce: None, body: zero };
        b.model.graph.add(node("s", kind, &[4]));
    });
    broken("has 1 places for 2 axes", |b| {
        let zero = b.model.graph.exprs.real(0.0);
        let at = vec![b.model.graph.exprs.index(b.i)];
        b.model.graph.add(node("s", NodeKind::Scatter { domain: vec![b.i], at, body: zero }, &[3, 3]));
    });
}

#[test]
fn i9_free_variables() {
    broken("uses the variable k", |b| {
        let k = b.model.graph.t_var("k", 3);
        let body = b.model.graph.t_read(b.w, &[k]);
        b.model.graph.t_map("s", &[b.i], body);
    });
}

#[test]
fn i10_types_of_statements() {
    broken("reduces Bool, where Real is needed", |b| {
        let body = b.model.graph.exprs.bool(true);
        b.model.graph.t_reduce("s", &[], Red::Sum, &[b.i], body);
    });
    broken("is Real, but computes Int", |b| {
        let body = b.model.graph.exprs.index(b.i);
        let kind = NodeKind::Compute { axes: vec![b.i], reduce: None, body };
        b.model.graph.add(node("s", kind, &[3]));
    });
    broken("adds up what is not real", |b| {
        let at = b.model.graph.exprs.index(b.i);
        let kind = NodeKind::Scatter { domain: vec![b.i], at: vec![at], body: at };
        b.model.graph.add(node("s", kind, &[3]));
    });
    broken("adds at a place that is not an integer", |b| {
        let zero = b.model.graph.exprs.real(0.0);
        let kind = NodeKind::Scatter { domain: vec![b.i], at: vec![zero], body: zero };
        b.model.graph.add(node("s", kind, &[3]));
    });
}

#[test]
fn i11_operators() {
    broken("applies exp to [Int]", |b| {
        let k = b.model.graph.exprs.index(b.i);
        let body = b.model.graph.t_op(Op::Exp, &[k]);
        b.model.graph.t_map("s", &[b.i], body);
    });
    broken("applies add to [Real]", |b| {
        let w = b.model.graph.t_read(b.w, &[b.i]);
        let body = b.model.graph.t_op(Op::Add, &[w]);
        b.model.graph.t_map("s", &[b.i], body);
    });
}

#[test]
fn i12_reads() {
    broken("reads w at 0 places for 1 axes", |b| {
        let body = b.model.graph.t_read(b.w, &[]);
        b.model.graph.t_map("s", &[], body);
    });
    broken("reads w at a place that is not an integer", |b| {
        let zero = b.model.graph.exprs.real(0.0);
        let body = b.model.graph.t_read_at(b.w, &[zero], None);
        b.model.graph.t_map("s", &[], body);
    });
    broken("reads w as another type", |b| {
        let (at, yes) = (b.model.graph.exprs.index(b.i), b.model.graph.exprs.bool(true));
        let body = b.model.graph.t_read_at(b.w, &[at], Some(yes));
        b.model.graph.t_map("s", &[b.i], body);
    });
}

#[test]
fn i13_places() {
    let shifted = |b: &mut Base| b.model.graph.exprs.affine(Affine { terms: vec![(b.i, 1)], constant: -1 });
    broken("reads axis 0 of w (0..3) at -1..=1", |b| {
        let at = shifted(b);
        let body = b.model.graph.t_read_at(b.w, &[at], None);
        b.model.graph.t_map("s", &[b.i], body);
    });
    broken("at a place of unknown range", |b| {
        let label = b.model.graph.add(typed("label", NodeKind::Leaf(Leaf::Target), &[4], Ty::Int, None));
        let at = b.model.graph.t_read(label, &[b.batch]);
        let body = b.model.graph.t_read_at(b.w, &[at], None);
        b.model.graph.t_map("s", &[b.batch], body);
    });
    let mut b = base();
    let at = shifted(&mut b);
    let zero = b.model.graph.exprs.real(0.0);
    let body = b.model.graph.t_read_at(b.w, &[at], Some(zero));
    b.model.graph.t_map("s", &[b.i], body);
    let read = b.model.graph.t_read(b.w, &[b.i]);
    let best = b.model.graph.t_reduce("best", &[], Red::Argmax, &[b.i], read);
    let at = b.model.graph.t_read(best, &[]);
    let body = b.model.graph.t_read_at(b.w, &[at], None);
    b.model.graph.t_map("s", &[], body);
    assert_eq!(verify(&b.model), Ok(()));
}

#[test]
fn i14_draws() {
    broken("draws at an element that is not an integer", |b| {
        let zero = b.model.graph.exprs.real(0.0);
        let draw = Expr::Random { dist: Dist::Uniform, site: 1, element: zero };
        let body = b.model.graph.exprs.intern(draw, Ty::Real);
        b.model.graph.t_map("s", &[b.i], body);
    });
}

#[test]
fn i15_counter() {
    broken("reads the counter, but is not a step scalar", |b| {
        let t = b.model.graph.t_read(b.counter, &[]);
        let body = b.model.graph.t_op(Op::ToReal, &[t]);
        b.model.graph.t_map("s", &[b.i], body);
    });
    let mut b = base();
    let t = b.model.graph.t_read(b.counter, &[]);
    let body = b.model.graph.t_op(Op::ToReal, &[t]);
    b.model.graph.t_map("rate", &[], body);
    let i = b.model.graph.exprs.index(b.i);
    let element = b.model.graph.t_op(Op::Add, &[t, i]);
    let draw = Expr::Random { dist: Dist::Normal, site: 1, element };
    let body = b.model.graph.exprs.intern(draw, Ty::Real);
    b.model.graph.t_map("noise", &[b.i], body);
    assert_eq!(verify(&b.model), Ok(()));
}

#[test]
fn i16_lists() {
    broken("is a leaf that the list of Param lacks", |b| {
        b.model.graph.t_leaf("w2", Leaf::Param, &[3]);
    });
    broken("is in the list of Input, but is no such leaf", |b| b.model.inputs.push(b.y));
    broken("is in the list of Input twice", |b| b.model.inputs.push(b.x));
}

#[test]
fn i17_leaves() {
    let add = |b: &mut Base, node: Node| {
        let leaf = node.leaf();
        let id = b.model.graph.add(node);
        match leaf {
            Some(Leaf::Input) => b.model.inputs.push(id),
            _ => b.model.params.push(Kept { node: id, init: b.init }),
        }
    };
    broken("but per sample is false", |b| add(b, node("z", NodeKind::Leaf(Leaf::Input), &[4])));
    broken("but Int of shape [4] and range None", |b| {
        let leaf = typed("z", NodeKind::Leaf(Leaf::Input), &[4], Ty::Int, None);
        add(b, Node { per_sample: true, ..leaf });
    });
    broken("but Bool of shape [3]", |b| {
        add(b, typed("z", NodeKind::Leaf(Leaf::Param), &[3], Ty::Bool, None));
    });
}

#[test]
fn i18_scalars() {
    broken("is a loss or metric", |b| b.model.loss = Some(b.predicted));
    broken("is a loss or metric", |b| b.model.metrics.push(Named { name: "m".into(), node: b.counter }));
}

#[test]
fn i19_initial_values() {
    broken("but its initial value loss", |b| b.model.params[0].init = b.loss);
    broken("has an initial value that reads x (Input)", |b| b.model.params[0].init = b.gradient);
    let mut b = base();
    let average = b.model.graph.t_leaf("average", Leaf::State, &[3]);
    b.model.states.push(Kept { node: average, init: b.w });
    assert_eq!(verify(&b.model), Ok(()));
}

#[test]
fn i20_next_values() {
    broken("but its update loss", |b| b.model.updates[0].value = b.loss);
    broken("has two values as update", |b| b.model.updates.push(b.model.updates[0].clone()));
    broken("has a value as update, but is none of", |b| {
        b.model.updates.push(Update { target: b.predicted, value: b.predicted });
    });
    broken("has a per-sample gradient", |b| b.model.gradients[0].value = b.predicted);
}

#[test]
fn i21_outputs() {
    broken("is a target that an output needs", |b| {
        b.model.outputs.push(Named { name: "z".into(), node: b.y });
    });
    broken("reads other samples: predicted[0]", |b| {
        let at = b.model.graph.exprs.int(0);
        let body = b.model.graph.t_read_at(b.predicted, &[at], None);
        let first = b.model.graph.t_map("first", &[b.batch], body);
        b.model.outputs.push(Named { name: "z".into(), node: first });
    });
}
