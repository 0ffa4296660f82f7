//! Tests of single statements.

use super::*;
use crate::testing::Build;
use gdc_ir::{Affine, Dist, Expr, Leaf, NodeKind, Op, Red};

fn real(shape: &[usize], values: &[f64]) -> Tensor {
    Tensor::real(shape, values.to_vec()).unwrap()
}

fn run(b: &Build, root: NodeId, leaves: &[(NodeId, Tensor)]) -> Result<Vec<f64>, Error> {
    let mut bindings = Bindings::default();
    for (id, value) in leaves {
        bindings.bind(*id, value.clone());
    }
    Ok(evaluate(&b.g, [root], &bindings)?.get(root).unwrap().to_vec())
}

#[test]
fn points_in_row_major_order() {
    let mut points = Vec::new();
    for_each_point(&[2, 3], |p| {
        points.push(p.to_vec());
        Ok(())
    })
    .unwrap();
    assert_eq!(points, [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
    let count = |extents: &[usize]| {
        let mut n = 0;
        for_each_point(extents, |_| {
            n += 1;
            Ok(())
        })
        .unwrap();
        n
    };
    assert_eq!((count(&[]), count(&[4, 0])), (1, 0));
}

#[test]
fn a_contraction() {
    let mut b = Build::default();
    let (i, j, k) = (b.var("i", 2), b.var("j", 2), b.var("k", 3));
    let (x, w) = (b.leaf("x", Leaf::Param, &[2, 3]), b.leaf("w", Leaf::Param, &[3, 2]));
    let (rx, rw) = (b.read(x, &[i, k]), b.read(w, &[k, j]));
    let body = b.op(Op::Mul, &[rx, rw]);
    let y = b.reduce("y", &[i, j], Red::Sum, &[k], body);
    let leaves =
        [(x, real(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])), (w, real(&[3, 2], &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0]))];
    assert_eq!(run(&b, y, &leaves).unwrap(), [4.0, 5.0, 10.0, 11.0]);
}

#[test]
fn a_strided_convolution_with_padding() {
    let mut b = Build::default();
    let (p, i) = (b.var("p", 3), b.var("i", 3));
    let (x, k) = (b.leaf("x", Leaf::Param, &[5]), b.leaf("k", Leaf::Param, &[3]));
    let (at, zero) = (b.affine(&[(p, 2), (i, 1)], -1), b.real(0.0));
    let (rx, rk) = (b.read_at(x, &[at], Some(zero)), b.read(k, &[i]));
    let body = b.op(Op::Mul, &[rx, rk]);
    let y = b.reduce("y", &[p], Red::Sum, &[i], body);
    let leaves = [(x, real(&[5], &[1.0, 2.0, 3.0, 4.0, 5.0])), (k, real(&[3], &[1.0, 10.0, 100.0]))];
    // (0 1 2), (2 3 4), (4 5 0)
    assert_eq!(run(&b, y, &leaves).unwrap(), [210.0, 432.0, 54.0]);
    let unguarded = b.read_at(x, &[at], None);
    let y = b.reduce("z", &[p], Red::Sum, &[i], unguarded);
    let found = run(&b, y, &leaves);
    assert_eq!(found, Err(Error::Outside { name: "z".into(), point: vec![0] }));
}

#[test]
fn a_scatter_adds_and_drops() {
    let mut b = Build::default();
    let (p, i) = (b.var("p", 3), b.var("i", 2));
    let (x, k) = (b.leaf("x", Leaf::Param, &[3]), b.leaf("k", Leaf::Param, &[2]));
    let (rx, rk) = (b.read(x, &[p]), b.read(k, &[i]));
    let body = b.op(Op::Mul, &[rx, rk]);
    // y[2p + i - 1] += x[p] k[i]: the places -1, 0, 1, 2, 3, 4 of 4
    let at = vec![b.affine(&[(p, 2), (i, 1)], -1)];
    let y = b.node("y", NodeKind::Scatter { domain: vec![p, i], at, body }, &[4], Ty::Real);
    let leaves = [(x, real(&[3], &[1.0, 2.0, 3.0])), (k, real(&[2], &[1.0, 10.0]))];
    assert_eq!(run(&b, y, &leaves).unwrap(), [10.0, 2.0, 20.0, 3.0]);
    let token = b.labels("token", Leaf::Input, &[3], 4);
    let at = vec![b.read(token, &[p])];
    let z = b.node("z", NodeKind::Scatter { domain: vec![p], at, body: rx }, &[4], Ty::Real);
    let leaves = [(x, real(&[3], &[1.0, 2.0, 3.0])), (token, Tensor::int(&[3], vec![2, 0, 2]).unwrap())];
    assert_eq!(run(&b, z, &leaves).unwrap(), [2.0, 0.0, 4.0, 0.0]);
}

#[test]
fn argmax_counts_row_major_and_takes_the_first() {
    let mut b = Build::default();
    let (i, j) = (b.var("i", 2), b.var("j", 3));
    let x = b.leaf("x", Leaf::Param, &[2, 3]);
    let rx = b.read(x, &[i, j]);
    let best = b.reduce("best", &[], Red::Argmax, &[i, j], rx);
    let row = b.reduce("row", &[i], Red::Argmin, &[j], rx);
    let leaves = [(x, real(&[2, 3], &[1.0, 0.0, 0.0, 2.0, 7.0, 7.0]))];
    assert_eq!(run(&b, best, &leaves).unwrap(), [4.0]);
    assert_eq!(run(&b, row, &leaves).unwrap(), [1.0, 0.0]);
}

#[test]
fn lse_at_large_values() {
    let mut b = Build::default();
    let k = b.var("k", 2);
    for at in [1e4, -1e4] {
        let z = b.literal("z", &[at, at - 1.0]);
        let rz = b.read(z, &[k]);
        let y = b.reduce("y", &[], Red::Lse, &[k], rz);
        let found = run(&b, y, &[]).unwrap()[0];
        assert!((found - (at + (-1.0f64).exp().ln_1p())).abs() < 1e-11);
    }
}

#[test]
fn an_unchosen_branch_can_be_anything() {
    let mut b = Build::default();
    let i = b.var("i", 3);
    let x = b.leaf("x", Leaf::Param, &[2]);
    let (ri, one, zero) = (b.affine(&[(i, 1)], 0), b.affine(&[], 1), b.real(0.0));
    let past = b.affine(&[(i, 1)], -1);
    let read = b.read_at(x, &[past], None);
    let log = b.op(Op::Log, &[read]);
    let inside = b.op(Op::Le, &[one, ri]);
    let body = b.op(Op::Select, &[inside, log, zero]);
    let y = b.map("y", &[i], body);
    let leaves = [(x, real(&[2], &[1.0, 1.0]))];
    assert_eq!(run(&b, y, &leaves).unwrap(), [0.0, 0.0, 0.0]);
}

#[test]
fn reshape_reads_row_major() {
    let mut b = Build::default();
    let x = b.leaf("x", Leaf::Param, &[2, 3]);
    let y = b.node("y", NodeKind::Reshape(x), &[3, 2], Ty::Real);
    let (i, j) = (b.var("i", 3), b.var("j", 2));
    let ry = b.read(y, &[i, j]);
    let z = b.map("z", &[j, i], ry);
    let leaves = [(x, real(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))];
    assert_eq!(run(&b, z, &leaves).unwrap(), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
}

#[test]
fn draws_are_those_of_the_runtime() {
    let mut b = Build::default();
    let i = b.var("i", 4);
    let element = b.affine(&[(i, 1)], 0);
    let draw = Expr::Random { dist: Dist::Uniform, site: 5, element };
    let body = b.g.exprs.intern(draw, Ty::Real);
    let y = b.map("y", &[i], body);
    let values = evaluate(&b.g, [y], &Bindings::new(7, Precision::F64)).unwrap();
    let expected: Vec<f64> = (0..4).map(|e| crate::uniform(Precision::F64, 7, 5, e)).collect();
    assert_eq!(values.get(y).unwrap().to_vec(), expected);
}

#[test]
fn deep_and_shared_expressions_take_no_stack_and_no_time() {
    let mut b = Build::default();
    let mut e = b.real(1.0);
    let half = b.real(0.5);
    for _ in 0..20_000 {
        let sum = b.op(Op::Add, &[e, e]);
        e = b.op(Op::Mul, &[sum, half]);
    }
    let y = b.map("y", &[], e);
    assert_eq!(run(&b, y, &[]).unwrap(), [1.0]);
}

#[test]
fn what_is_given_must_fit() {
    let mut b = Build::default();
    let x = b.leaf("x", Leaf::Param, &[2]);
    let label = b.labels("label", Leaf::Target, &[1], 3);
    let int = |x| Tensor::int(&[1], vec![x]).unwrap();
    assert_eq!(run(&b, x, &[]), Err(Error::Unbound("x".into())));
    let found = run(&b, x, &[(x, real(&[3], &[0.0; 3]))]);
    assert_eq!(found, Err(Error::Shape { name: "x".into(), expected: vec![2], found: vec![3] }));
    let found = run(&b, label, &[(label, int(3))]);
    assert_eq!(found, Err(Error::Range { name: "label".into(), value: 3 }));
    assert_eq!(run(&b, label, &[(label, real(&[1], &[0.0]))]), Err(Error::Type("label".into())));
    let k = b.var("k", 2);
    let body = b.g.exprs.affine(Affine::var(k));
    let y = b.map("y", &[], body);
    assert!(matches!(run(&b, y, &[]), Err(Error::Malformed(_))));
    let text = b.g.exprs.bool(true);
    let y = b.reduce("s", &[], Red::Sum, &[k], text);
    assert!(matches!(run(&b, y, &[]), Err(Error::Malformed(_))));
}

#[test]
fn the_layout_of_what_is_given_does_not_matter() {
    let mut b = Build::default();
    let (i, j) = (b.var("i", 2), b.var("j", 3));
    let x = b.leaf("x", Leaf::Param, &[2, 3]);
    let read = b.read(x, &[i, j]);
    let y = b.map("y", &[j, i], read);
    let rows = ndarray::arr2(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).reversed_axes().into_dyn();
    assert_eq!(run(&b, y, &[(x, rows.into())]).unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}
