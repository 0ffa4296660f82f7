//! Tests of the text form.

use super::*;
use crate::testing::node;
use crate::{Graph, Leaf, NodeKind, Op, Red};

fn scalars(graph: &mut Graph) -> (ExprId, ExprId, ExprId) {
    let mut make = |name| {
        let id = graph.t_leaf(name, Leaf::Param, &[]);
        graph.t_read(id, &[])
    };
    (make("a"), make("b"), make("c"))
}

#[test]
fn a_contraction_reads_like_the_language() {
    let mut g = Graph::default();
    let b = g.exprs.fresh("b", 32, true);
    let (i, j) = (g.t_var("i", 784), g.t_var("j", 64));
    let x = g.t_leaf("x", Leaf::Input, &[32, 784]);
    let w = g.t_leaf("h.dense.w", Leaf::Param, &[784, 64]);
    let (rx, rw) = (g.t_read(x, &[b, i]), g.t_read(w, &[i, j]));
    let body = g.t_op(Op::Mul, &[rx, rw]);
    let y = g.t_reduce("h.dense.y", &[b, j], Red::Sum, &[i], body);
    assert_eq!(equation(&g, y), "h.dense.y[b, j] = sum[i](x[b, i] * h.dense.w[i, j])");
    assert_eq!(equation(&g, x), "input x: [32, 784]");
}

#[test]
fn parentheses_are_only_where_the_order_needs_them() {
    let mut g = Graph::default();
    let (a, b, c) = scalars(&mut g);
    let mut check = |op, args: &[ExprId], text: &str| {
        let e = g.t_op(op, args);
        assert_eq!(expression(&g, e), text);
        e
    };
    let sum = check(Op::Add, &[a, b], "a + b");
    let product = check(Op::Mul, &[a, b], "a * b");
    check(Op::Mul, &[sum, c], "(a + b) * c");
    check(Op::Add, &[product, c], "a * b + c");
    check(Op::Sub, &[c, sum], "c - (a + b)");
    check(Op::Sub, &[sum, c], "a + b - c");
    let pow = check(Op::Pow, &[a, b], "a^b");
    check(Op::Pow, &[a, pow], "a^a^b");
    check(Op::Pow, &[pow, c], "(a^b)^c");
    let neg = check(Op::Neg, &[a], "-a");
    check(Op::Neg, &[neg], "-(-a)");
    check(Op::Neg, &[pow], "-a^b");
    check(Op::Neg, &[product], "-(a * b)");
    check(Op::Pow, &[neg, b], "(-a)^b");
    check(Op::Mul, &[b, neg], "b * -a");
    let less = check(Op::Lt, &[b, neg], "b < (-a)");
    let equal = check(Op::Eq, &[a, b], "a == b");
    let both = check(Op::And, &[less, equal], "b < (-a) && a == b");
    check(Op::Or, &[both, equal], "b < (-a) && a == b || a == b");
    check(Op::Not, &[equal], "!(a == b)");
    let choice = check(Op::Select, &[equal, a, b], "if a == b { a } else { b }");
    check(Op::Mul, &[choice, c], "(if a == b { a } else { b }) * c");
    check(Op::Exp, &[sum], "exp(a + b)");
    check(Op::Detach, &[sum], "a + b");
    check(Op::Max, &[sum, c], "max(a + b, c)");
}

#[test]
fn numbers_are_short() {
    for (value, text) in [
        (1.0, "1"),
        (-0.5, "-0.5"),
        (1e-8, "1e-8"),
        (0.1, "0.1"),
        (1e20, "1e20"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
    ] {
        assert_eq!(number(value), text);
    }
}

#[test]
fn affine_places_and_what_lies_outside() {
    let mut g = Graph::default();
    let (p, i) = (g.t_var("p", 4), g.t_var("i", 3));
    let x = g.t_leaf("x", Leaf::Param, &[8]);
    let at = g.exprs.affine(Affine { terms: vec![(p, 2), (i, 1)], constant: -1 });
    let zero = g.exprs.real(0.0);
    let read = g.t_read_at(x, &[at], Some(zero));
    assert_eq!(expression(&g, read), "x[2*p + i - 1] else 0");
    let k = g.t_leaf("k", Leaf::Param, &[3]);
    let rk = g.t_read(k, &[i]);
    let body = g.t_op(Op::Mul, &[rk, read]);
    let y = g.t_reduce("y", &[p], Red::Sum, &[i], body);
    assert_eq!(equation(&g, y), "y[p] = sum[i](k[i] * (x[2*p + i - 1] else 0))");
    for (terms, constant, text) in [
        (vec![(i, -1)], 7, "7 - i"),
        (vec![(i, -1)], 0, "-i"),
        (vec![(p, 3)], 0, "3*p"),
        (vec![], -2, "-2"),
        (vec![(p, -2), (i, 1)], -1, "i - 2*p - 1"),
    ] {
        let e = g.exprs.affine(Affine { terms, constant });
        assert_eq!(expression(&g, e), text);
    }
}

#[test]
fn variables_of_one_statement_have_different_names() {
    let mut g = Graph::default();
    let (i, i2) = (g.t_var("i", 3), g.t_var("i", 4));
    let w = g.t_leaf("w", Leaf::Param, &[3, 4]);
    let s = g.t_leaf("i3", Leaf::Param, &[]);
    let (rw, rs) = (g.t_read(w, &[i, i2]), g.t_read(s, &[]));
    let body = g.t_op(Op::Add, &[rw, rs]);
    let y = g.t_map("y", &[i, i2], body);
    assert_eq!(equation(&g, y), "y[i, i2] = w[i, i2] + i3");
    let clash = g.t_leaf("j", Leaf::Param, &[]);
    let j = g.t_var("j", 3);
    let (rj, ri) = (g.t_read(clash, &[]), g.t_read(w, &[j, i2]));
    let body = g.t_op(Op::Mul, &[rj, ri]);
    let z = g.t_map("z", &[j, i2], body);
    assert_eq!(equation(&g, z), "z[j2, i] = j * w[j2, i]");
}

#[test]
fn scatter_reshape_and_literal() {
    let mut g = Graph::default();
    let (t, j) = (g.t_var("t", 5), g.t_var("j", 2));
    let mut tokens = node("tokens", NodeKind::Leaf(Leaf::Input), &[5]);
    (tokens.ty, tokens.range) = (Ty::Int, Some((0, 7)));
    let tokens = g.add(tokens);
    let dy = g.t_leaf("dy", Leaf::Param, &[5, 2]);
    let (at0, at1) = (g.t_read(tokens, &[t]), g.exprs.index(j));
    let body = g.t_read(dy, &[t, j]);
    let kind = NodeKind::Scatter { domain: vec![t, j], at: vec![at0, at1], body };
    let d = g.add(node("dtable", kind, &[7, 2]));
    assert_eq!(equation(&g, d), "dtable[tokens[t], j] += dy[t, j] over [t, j]");
    let flat = g.add(node("flat", NodeKind::Reshape(d), &[14]));
    assert_eq!(equation(&g, flat), "flat = reshape(dtable)");
    let c = g.add(node("c", NodeKind::Literal(vec![1.0, 0.5]), &[2]));
    assert_eq!(equation(&g, c), "c = [1, 0.5]");
    assert_eq!(equation(&g, tokens), "input tokens: [5] in 0..7");
}

#[test]
fn a_deep_and_shared_expression_stays_short() {
    let mut g = Graph::default();
    let (mut e, _, _) = scalars(&mut g);
    for _ in 0..40 {
        e = g.t_op(Op::Add, &[e, e]);
    }
    let text = expression(&g, e);
    assert!(text.starts_with("t39 + t39 where t1 = a + a, t2 = t1 + t1"), "{text}");
    let (_, one, mut chain) = scalars(&mut g);
    for _ in 0..5000 {
        chain = g.t_op(Op::Add, &[chain, one]);
    }
    assert!(expression(&g, chain).len() < 50_000);
}

#[test]
fn a_model_prints_its_nodes_and_roots() {
    let mut g = Graph::default();
    let x = g.t_leaf("x", Leaf::Param, &[]);
    let one = g.exprs.real(1.0);
    let init = g.t_map("x.init", &[], one);
    let rx = g.t_read(x, &[]);
    let body = g.t_op(Op::Mul, &[rx, rx]);
    let loss = g.t_map("loss", &[], body);
    let i = g.t_var("i", 3);
    let ri = g.exprs.index(i);
    let real = g.t_op(Op::ToReal, &[ri]);
    let s = g.t_reduce("s", &[], Red::Sum, &[i], real);
    let model = Model {
        name: "Square".into(),
        docs: vec![" Minimise.".into()],
        graph: g,
        params: vec![crate::Kept { node: x, init }],
        loss: Some(loss),
        metrics: vec![crate::Named { name: "six".into(), node: s }],
        ..Model::default()
    };
    let text = "\
/// Minimise.
model Square (f32, 4 nodes)

param x: []
x.init = 1
loss = x * x
s = sum[i: 3](i)

init x = x.init
loss = loss
metric six = s
train { shuffle = false; drop_last = false; seed = 0; }
";
    assert_eq!(print_model(&model), text);
}
