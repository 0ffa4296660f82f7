//! Scheduled programs, run and held against the interpreter.

mod support;

use gdc_ir::*;
use support::build::M;
use support::compare::{check_predict, check_train};
use support::models::{mlp, quadratic, sigmoids};

#[test]
fn a_classifier_trains_like_the_interpreter() {
    for (batch, inputs, hidden, classes) in [(8, 5, 6, 3), (32, 20, 40, 10), (13, 7, 97, 20), (1, 3, 70, 4)] {
        check_train(&mlp(batch, inputs, hidden, classes));
    }
}

#[test]
fn small_models_become_straight_lines() {
    let programs = check_train(&quadratic());
    let kernels: Vec<_> = programs.train.routines.iter().flat_map(|r| &r.kernels).collect();
    assert_eq!(kernels.len(), 3);
    assert!(kernels.iter().all(|k| k.body.len() <= 3), "{kernels:?}");
    for (batch, inputs, hidden) in [(4, 2, 2), (100, 2, 4), (3, 2, 2), (32, 1, 1)] {
        let programs = check_train(&sigmoids(batch, inputs, hidden));
        let text = program_text::print_program(&programs.train);
        assert!(text.contains("unrolled"), "{text}");
        assert_eq!(text.contains("samples in lanes"), batch >= 4, "{text}");
        // Loss and gradients at once, unless a sweep over many samples would be long.
        assert_eq!(text.contains("routine sweep"), batch <= 16 || hidden == 1, "{text}");
    }
    check_train(&mlp(8, 2, 4, 3));
    check_train(&mlp(20, 2, 4, 3));
}

/// Run with `--nocapture` to read programs.
#[test]
fn show() {
    for model in [quadratic(), sigmoids(100, 2, 4), mlp(20, 2, 4, 3)] {
        println!("{}", program_text::print_program(&check_train(&model).train));
    }
}

#[test]
fn updates_read_old_values() {
    // Swap: a <- b, b <- a; c <- a + b by elements in reverse.
    let mut m = M::default();
    let i = m.var("i", 5);
    let (a, b, c) = (m.leaf("a", Leaf::Param, &[5]), m.leaf("b", Leaf::Param, &[5]), m.leaf("c", Leaf::Param, &[5]));
    let back = m.affine(&[(i, -1)], 4);
    let (ra, rb) = (m.read(a, &[i]), m.read_at(b, &[back], None));
    let sum = m.op(Op::Add, &[ra, rb]);
    let sum = m.map("sum", &[i], sum);
    let rc = m.read_at(c, &[back], None);
    let turned = m.map("turned", &[i], rc);
    m.update(a, b);
    m.update(b, a);
    m.update(c, sum);
    let d = m.leaf("d", Leaf::State, &[5]);
    m.update(d, turned);
    check_train(&m.0);
}

#[test]
fn an_update_that_reads_itself_elsewhere_goes_through_a_temporary() {
    let mut m = M::default();
    let i = m.var("i", 5);
    let a = m.leaf("a", Leaf::Param, &[5]);
    let back = m.affine(&[(i, -1)], 4);
    let ra = m.read_at(a, &[back], None);
    let turned = m.map("turned", &[i], ra);
    m.update(a, turned);
    check_train(&m.0);
}

#[test]
fn reshapes_are_read_in_place() {
    let mut m = M::default();
    let b = m.batch(3);
    let x = m.leaf("x", Leaf::Input, &[3, 4, 6]);
    let (p, q) = (m.var("p", 4), m.var("q", 6));
    let rx = m.read(x, &[b, p, q]);
    let double = m.op(Op::Add, &[rx, rx]);
    let y = m.map("y", &[b, p, q], double);
    let flat = m.reshape("flat", y, &[3, 24]);
    let other = m.reshape("other", flat, &[3, 2, 12]);
    let w = m.leaf("w", Leaf::Param, &[24, 5]);
    let (i, j) = (m.var("i", 24), m.var("j", 5));
    let z = m.contraction("z", &[b, j], &[i], (flat, &[b, i]), (w, &[i, j]));
    let (u, v) = (m.var("u", 2), m.var("v", 12));
    let ro = m.read(other, &[b, u, v]);
    let t = m.map("t", &[b, v, u], ro);
    let seen = m.reshape("seen", x, &[3, 24]);
    let s = m.contraction("s", &[b, j], &[i], (seen, &[b, i]), (w, &[i, j]));
    let z2 = m.reshape("z2", z, &[15]);
    for (name, node) in [("z", z2), ("t", t), ("s", s), ("y", y), ("x", x), ("again", other)] {
        m.0.outputs.push(Named { name: format!("out.{name}"), node });
    }
    check_predict(&m.0);
}

#[test]
fn borders_scatters_and_integer_places() {
    let mut m = M::default();
    let b = m.batch(2);
    let x = m.leaf("x", Leaf::Input, &[2, 7]);
    let token = m.int_leaf("token", Leaf::Input, &[2], (0, 4));
    let k = m.leaf("k", Leaf::Param, &[3]);
    let (p, i) = (m.var("p", 4), m.var("i", 3));
    let zero = m.real(0.0);
    let (ib, place) = (m.index(b), m.affine(&[(p, 2), (i, 1)], -1));
    let (rx, rk) = (m.read_at(x, &[ib, place], Some(zero)), m.read(k, &[i]));
    let body = m.op(Op::Mul, &[rx, rk]);
    let y = m.sum("y", &[b, p], &[i], body);
    // The gradient by x as a gather with a divisibility test.
    let h = m.var("h", 7);
    let lifted = m.affine(&[(h, 1), (i, -1)], 1);
    let two = m.0.graph.exprs.int(2);
    let (half, rest) = (m.op(Op::IntDiv, &[lifted, two]), m.op(Op::IntMod, &[lifted, two]));
    let ry = m.read_at(y, &[ib, half], Some(zero));
    let nil = m.0.graph.exprs.int(0);
    let even = m.op(Op::Eq, &[rest, nil]);
    let product = m.op(Op::Mul, &[ry, rk]);
    let body = m.op(Op::Select, &[even, product, zero]);
    let dx = m.sum("dx", &[b, h], &[i], body);
    // The same as a scatter.
    let ryp = m.read(y, &[b, p]);
    let body = m.op(Op::Mul, &[ryp, rk]);
    let dx2 = m.scatter("dx2", &[2, 7], &[b, p, i], &[ib, place], body);
    let rt = m.read(token, &[b]);
    let counts =
        m.scatter("counts", &[4, 4], &[b, p], &[rt, m.0.graph.exprs.as_affine(place).map_or(nil, |_| nil)], ryp);
    let table = m.leaf("table", Leaf::Param, &[4, 5]);
    let j = m.var("j", 5);
    let ij = m.index(j);
    let row = m.read_at(table, &[rt, ij], None);
    let rows = m.map("rows", &[b, j], row);
    let three = m.0.graph.exprs.int(3);
    let less = m.op(Op::Sub, &[rt, three]);
    let less = m.op(Op::ToReal, &[less]);
    let less = m.map("less", &[b], less);
    for (name, node) in [("y", y), ("dx", dx), ("dx2", dx2), ("counts", counts), ("rows", rows), ("less", less)] {
        m.0.outputs.push(Named { name: format!("out.{name}"), node });
    }
    check_predict(&m.0);
}

#[test]
fn all_reductions() {
    let mut m = M::default();
    let b = m.batch(3);
    let x = m.leaf("x", Leaf::Input, &[3, 4, 5]);
    let (p, q) = (m.var("p", 4), m.var("q", 5));
    let rx = m.read(x, &[b, p, q]);
    let zero = m.real(0.0);
    let positive = m.op(Op::Lt, &[zero, rx]);
    for red in [Red::Sum, Red::Prod, Red::Max, Red::Min, Red::Argmax, Red::Argmin, Red::Lse, Red::Any, Red::All] {
        let body = if red.operand() == Ty::Bool { positive } else { rx };
        let y = m.reduce(red.name(), &[b], red, &[p, q], body);
        m.0.outputs.push(Named { name: format!("out.{}", red.name()), node: y });
    }
    check_predict(&m.0);
}

#[test]
fn flattened_inputs_are_read_without_division() {
    let mut m = M::default();
    let b = m.batch(16);
    let image = m.leaf("image", Leaf::Input, &[16, 6, 20]);
    let flat = m.reshape("flat", image, &[16, 120]);
    let w = m.leaf("w", Leaf::Param, &[120, 24]);
    let (i, j) = (m.var("i", 120), m.var("j", 24));
    let z = m.contraction("z", &[b, j], &[i], (flat, &[b, i]), (w, &[i, j]));
    let dw = m.contraction("dw", &[i, j], &[b], (flat, &[b, i]), (z, &[b, j]));
    let r = m.read(flat, &[b, i]);
    let twice = m.op(Op::Add, &[r, r]);
    let twice = m.map("twice", &[b, i], twice);
    let dx = m.contraction("dx", &[b, i], &[j], (z, &[b, j]), (w, &[i, j]));
    for (name, node) in [("dw", dw), ("twice", twice), ("dx", dx)] {
        m.0.outputs.push(Named { name: format!("out.{name}"), node });
    }
    let text = program_text::print_program(&check_predict(&m.0).predict);
    assert!(!text.contains("div(") && !text.contains(" % "), "{text}");
    assert!(!text.contains("scalar loops"), "{text}");
}

/// A convolution of few channels with its gradients, the one by its input guarded as a whole.
fn convolution(batch: usize) -> Model {
    let mut m = M::default();
    let b = m.batch(batch);
    let (wide, narrow) = (12, 10);
    let image = m.leaf("image", Leaf::Input, &[batch, wide, wide, 2]);
    let weight = m.leaf("weight", Leaf::SampleWeight, &[batch]);
    let k = m.leaf("k", Leaf::Param, &[3, 3, 2, 4]);
    let (p, q, f) = (m.var("p", narrow), m.var("q", narrow), m.var("f", 4));
    let (i, j, c) = (m.var("i", 3), m.var("j", 3), m.var("c", 2));
    let (ib, ic) = (m.index(b), m.index(c));
    let (row, column) = (m.affine(&[(p, 1), (i, 1)], 0), m.affine(&[(q, 1), (j, 1)], 0));
    let (rx, rk) = (m.read_at(image, &[ib, row, column, ic], None), m.read(k, &[i, j, c, f]));
    let body = m.op(Op::Mul, &[rx, rk]);
    let y = m.sum("y", &[b, p, q, f], &[i, j, c], body);
    let (ry, rw) = (m.read(y, &[b, p, q, f]), m.read(weight, &[b]));
    let square = m.op(Op::Mul, &[ry, ry]);
    let square = m.op(Op::Mul, &[rw, square]);
    m.0.loss = Some(m.sum("loss", &[], &[b, p, q, f], square));
    let lse = m.reduce("lse", &[b, p], Red::Lse, &[q, f], ry);
    let rl = m.read(lse, &[b, p]);
    let mean = m.op(Op::Mul, &[rw, rl]);
    let mean = m.sum("mean.lse", &[], &[b, p], mean);
    m.0.metrics.push(Named { name: "mean".into(), node: mean });
    let two = m.real(2.0);
    let dy = m.op(Op::Mul, &[rw, ry]);
    let dy = m.op(Op::Mul, &[two, dy]);
    let dy = m.map("d.y", &[b, p, q, f], dy);
    let rdy = m.read(dy, &[b, p, q, f]);
    let body = m.op(Op::Mul, &[rdy, rx]);
    let dk = m.sum("d.k", &[i, j, c, f], &[b, p, q], body);
    m.gradient(k, dk);
    m.update(k, dk);
    // The gradient by the image, as the differentiator states it.
    let (u, v) = (m.var("u", wide), m.var("v", wide));
    let (up, vp) = (m.affine(&[(u, 1), (i, -1)], 0), m.affine(&[(v, 1), (j, -1)], 0));
    let (iff, zero) = (m.index(f), m.real(0.0));
    let inside = [up, vp].map(|at| {
        let (none, end) = (m.0.graph.exprs.int(0), m.0.graph.exprs.int(narrow as i64));
        let (from, to) = (m.op(Op::Le, &[none, at]), m.op(Op::Lt, &[at, end]));
        m.op(Op::And, &[from, to])
    });
    let inside = m.op(Op::And, &inside);
    let (rdy, rk) = (m.read_at(dy, &[ib, up, vp, iff], Some(zero)), m.read(k, &[i, j, c, f]));
    let body = m.op(Op::Mul, &[rdy, rk]);
    let body = m.op(Op::Select, &[inside, body, zero]);
    let dx = m.sum("d.image", &[b, u, v, c], &[i, j, f], body);
    let rdx = m.read(dx, &[b, u, v, c]);
    let total = m.op(Op::Mul, &[rdx, rdx]);
    let total = m.sum("total", &[c], &[b, u, v], total);
    let moved = m.leaf("moved", Leaf::State, &[2]);
    m.update(moved, total);
    m.0
}

#[test]
fn convolutions_run_with_samples_or_channels_in_lanes() {
    for (batch, turned) in [(3, false), (16, true), (20, true)] {
        let text = program_text::print_program(&check_train(&convolution(batch)).train);
        assert_eq!(text.contains("samples in lanes"), turned, "{text}");
        let border = text.contains("border written out") || text.contains("beyond a border skipped");
        assert_eq!(border, turned, "{text}");
    }
}

/// `y[b, j] = sum[i](x[b, i] * w[j, i])`: the lanes run along the first axis of `w`.
fn product_with_turned(batch: usize, width: usize, depth: usize) -> Model {
    let mut m = M::default();
    let b = m.batch(batch);
    let x = m.leaf("x", Leaf::Input, &[batch, depth]);
    let weight = m.leaf("weight", Leaf::SampleWeight, &[batch]);
    let w = m.leaf("w", Leaf::Param, &[width, depth]);
    let (i, j) = (m.var("i", depth), m.var("j", width));
    let (rx, rw) = (m.read(x, &[b, i]), m.read(w, &[j, i]));
    let body = m.op(Op::Mul, &[rx, rw]);
    let y = m.sum("y", &[b, j], &[i], body);
    let (ry, share) = (m.read(y, &[b, j]), m.read(weight, &[b]));
    let square = m.op(Op::Mul, &[ry, ry]);
    let square = m.op(Op::Mul, &[share, square]);
    m.0.loss = Some(m.sum("loss", &[], &[b, j], square));
    m.0
}

#[test]
fn operands_are_turned_over_panel_by_panel() {
    // Whole blocks; edges in each direction; a last row by itself; too few rows for a panel.
    for (batch, width, depth, panels) in [(32, 64, 48, true), (41, 33, 70, true), (33, 50, 7, true), (8, 64, 48, false)]
    {
        let text = program_text::print_program(&check_train(&product_with_turned(batch, width, depth)).train);
        assert_eq!(text.contains("turned over on the way"), panels, "{text}");
        assert_eq!(text.contains("w.t"), !panels, "{text}");
    }
}
