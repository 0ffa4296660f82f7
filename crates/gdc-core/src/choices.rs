//! The local simplifications of choices, comparisons and truth values.

use crate::build::Build;
use crate::rules::{is, parts};
use gdc_ir::{Expr, ExprId, Exprs, Op, Ty};

/// `select(c, a, 0)` or `select(c, 0, a)`, taken apart.
pub(crate) fn masked(x: &Exprs, id: ExprId) -> Option<(ExprId, ExprId, ExprId)> {
    let p = parts(x, id, Op::Select)?;
    (is(x, p[1], 0.0) || is(x, p[2], 0.0)).then(|| (p[0], p[1], p[2]))
}

/// `select(c, a, 0) + select(c, b, d) = select(c, a + b, d)`, for all places of the zero, and the
/// same of differences.
pub(crate) fn same_choice(x: &mut Exprs, op: Op, a: ExprId, b: ExprId) -> Option<ExprId> {
    let (left, right) = (parts(x, a, Op::Select)?, parts(x, b, Op::Select)?);
    if left[0] != right[0] || (masked(x, a).is_none() && masked(x, b).is_none()) {
        return None;
    }
    let (then, otherwise) = (x.op(op, &[left[1], right[1]]), x.op(op, &[left[2], right[2]]));
    Some(x.select(left[0], then, otherwise))
}

/// The rules of comparisons.
pub(crate) fn comparison_rules(x: &mut Exprs, op: Op, a: ExprId, b: ExprId) -> Option<ExprId> {
    // a == a is true of integers, a < a is false
    if a == b && x.ty(a) == Ty::Int {
        return Some(x.bool(matches!(op, Op::Eq | Op::Le)));
    }
    if !matches!(op, Op::Lt | Op::Le) {
        // a - b == 0 = (a == b), a constant last
        let (difference, _) = [(a, b), (b, a)].into_iter().find(|&(_, zero)| is(x, zero, 0.0))?;
        let p = parts(x, difference, Op::Sub)?;
        let constant_first = x.as_real(p[0]).is_some();
        return Some(if constant_first { x.op(op, &[p[1], p[0]]) } else { x.op(op, &p) });
    }
    // k < max(j, a) = k < a and max(j, a) < k = a < k where the constant j < k, the same of <=,
    // and of min where k < j
    for (constant, other, left) in [(a, b, true), (b, a, false)] {
        let Some(k) = x.as_real(constant) else { continue };
        for bound in [Op::Max, Op::Min] {
            let Some(p) = parts(x, other, bound) else { continue };
            for (limit, inner) in [(p[0], p[1]), (p[1], p[0])] {
                if x.as_real(limit).is_some_and(|j| if bound == Op::Max { j < k } else { k < j }) {
                    return Some(if left { x.op(op, &[a, inner]) } else { x.op(op, &[inner, b]) });
                }
            }
        }
    }
    None
}

/// The rules of choices.
pub(crate) fn select_rules(x: &mut Exprs, c: ExprId, a: ExprId, b: ExprId) -> Option<ExprId> {
    // select(true, a, b) = a
    if let &Expr::Bool(truth) = x.get(c) {
        return Some(if truth { a } else { b });
    }
    // select(c, a, a) = a
    if a == b {
        return Some(a);
    }
    // select(!c, a, b) = select(c, b, a)
    if let Some(p) = parts(x, c, Op::Not) {
        return Some(x.select(p[0], b, a));
    }
    // select(c, select(c, a, d), b) = select(c, a, b), and the same on the other side
    if let Some(p) = parts(x, a, Op::Select)
        && p[0] == c
    {
        return Some(x.select(c, p[1], b));
    }
    if let Some(p) = parts(x, b, Op::Select)
        && p[0] == c
    {
        return Some(x.select(c, a, p[2]));
    }
    // select(c, select(d, a, b), b) = select(c && d, a, b), of a constant b
    if let Some(p) = parts(x, a, Op::Select)
        && p[2] == b
        && x.as_real(b).is_some()
    {
        let both = x.and(c, p[0]);
        return Some(x.select(both, p[1], b));
    }
    // select(c, a, select(d, a, b)) = select(c || d, a, b), of a constant a
    if let Some(p) = parts(x, b, Op::Select)
        && p[1] == a
        && x.as_real(a).is_some()
    {
        let either = x.op(Op::Or, &[c, p[0]]);
        return Some(x.select(either, a, p[2]));
    }
    None
}

/// The rules of `&&` and `||`.
pub(crate) fn logic_rules(x: &mut Exprs, op: Op, a: ExprId, b: ExprId) -> Option<ExprId> {
    if a == b {
        return Some(a); // a && a = a
    }
    for (k, other) in [(a, b), (b, a)] {
        if let &Expr::Bool(truth) = x.get(k) {
            // true && a = a, false && a = false, and the duals
            return Some(if truth == (op == Op::And) { other } else { k });
        }
    }
    None
}
