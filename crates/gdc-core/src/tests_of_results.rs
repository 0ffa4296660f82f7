//! Tests of an argument that the result answers as well: where `y = max(0, z)`, `z <= 0` holds
//! just where `y <= 0` does. The backward pass of an activation then reads its result alone.

use crate::build::Build;
use crate::rules::parts;
use gdc_ir::{ExprId, Exprs, Op};

/// A comparison of a result with a constant.
#[derive(Clone, Copy)]
pub(crate) struct Test {
    op: Op,
    constant: ExprId,
    /// Whether the constant stands on the left.
    left: bool,
}

impl Test {
    /// The comparison of `result`.
    pub(crate) fn of(self, x: &mut Exprs, result: ExprId) -> ExprId {
        let (a, b) = if self.left { (self.constant, result) } else { (result, self.constant) };
        x.op(self.op, &[a, b])
    }
}

/// The tests of what a body is made of that its own value answers, each with the test of the
/// value. NaN passes all of these operators, and no test holds of it.
pub(crate) fn tests_of(x: &mut Exprs, body: ExprId) -> Vec<(ExprId, Test)> {
    // y = max(k, e): e <= k where y <= k; y = min(k, e): k <= e where k <= y
    if let Some((op, k, inner)) = limited(x, body) {
        let left = op == Op::Min;
        let mut tests = vec![answered(x, Test { op: Op::Le, constant: k, left }, inner)];
        // y = min(k, max(j, e)): e <= j where y <= j, as j < k, and so the other way round
        if let Some((other, j, innermost)) = limited(x, inner)
            && other != op
            && (x.as_real(j) < x.as_real(k)) == left
            && x.as_real(j) != x.as_real(k)
        {
            tests[0] = answered(x, Test { op: Op::Le, constant: k, left }, innermost);
            tests.push(answered(x, Test { op: Op::Le, constant: j, left: !left }, innermost));
        }
        return tests;
    }
    // y = select(0 < e, e, r) where r is not positive: 0 < e where 0 < y
    if let Some(choice) = parts(x, body, Op::Select)
        && let Some(test) = parts(x, choice[0], Op::Lt)
        && x.as_real(test[0]) == Some(0.0)
        && test[1] == choice[1]
        && !rises(x, choice[2], test[1])
    {
        return vec![(choice[0], Test { op: Op::Lt, constant: test[0], left: true })];
    }
    Vec::new()
}

fn answered(x: &mut Exprs, test: Test, argument: ExprId) -> (ExprId, Test) {
    (test.of(x, argument), test)
}

/// `max(k, e)` or `min(k, e)` as its operator, constant and the rest.
fn limited(x: &Exprs, e: ExprId) -> Option<(Op, ExprId, ExprId)> {
    for op in [Op::Max, Op::Min] {
        if let Some(p) = parts(x, e, op) {
            for (k, rest) in [(p[0], p[1]), (p[1], p[0])] {
                if x.as_real(k).is_some_and(|k| !k.is_nan()) {
                    return Some((op, k, rest));
                }
            }
        }
    }
    None
}

/// Whether `e` could be positive, or depend on anything else, where `below` is not positive.
fn rises(x: &Exprs, e: ExprId, below: ExprId) -> bool {
    if e == below {
        return false;
    }
    if let Some(k) = x.as_real(e) {
        return k > 0.0;
    }
    let scaled = parts(x, e, Op::Mul).and_then(|p| Some((x.as_real(p[0])?, p[1])));
    let divided = parts(x, e, Op::Div).and_then(|p| Some((x.as_real(p[1])?, p[0])));
    if let Some((k, inner)) = scaled.or(divided) {
        return k < 0.0 || rises(x, inner, below);
    }
    parts(x, e, Op::Expm1).is_none_or(|p| rises(x, p[0], below))
}
