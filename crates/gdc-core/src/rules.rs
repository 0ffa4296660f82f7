//! The local simplifications of real operators. Each rule is one equation above the lines
//! that apply it, goes one way, and never makes code worse. Those of choices and comparisons
//! stand in `choices.rs`.

use crate::build::Build;
use crate::choices::{comparison_rules, logic_rules, masked, same_choice, select_rules};
use gdc_ir::{Expr, ExprId, Exprs, Op, Ty};

pub(crate) fn parts(x: &Exprs, id: ExprId, op: Op) -> Option<Vec<ExprId>> {
    match x.get(id) {
        Expr::Op(o, args) if *o == op => Some(args.to_vec()),
        _ => None,
    }
}

pub(crate) fn is(x: &Exprs, id: ExprId, value: f64) -> bool {
    x.as_real(id) == Some(value)
}

/// The value of an operator by one of the rules; `None` where none applies.
pub fn rules(x: &mut Exprs, op: Op, args: &[ExprId]) -> Option<ExprId> {
    let a = args[0];
    match op {
        Op::Add => add_rules(x, a, args[1]),
        Op::Sub => sub_rules(x, a, args[1]),
        Op::Mul => mul_rules(x, a, args[1]),
        Op::Div => div_rules(x, a, args[1]),
        Op::Neg => neg_rules(x, a),
        Op::Pow => pow_rules(x, a, args[1]),
        Op::Log => log_rules(x, a),
        Op::Log1p => log1p_rules(x, a),
        // exp(log(a)) = a
        Op::Exp => parts(x, a, Op::Log).map(|p| p[0]),
        Op::Select => select_rules(x, a, args[1], args[2]),
        Op::And | Op::Or => logic_rules(x, op, a, args[1]),
        Op::Not => match x.get(a) {
            // !!a = a
            &Expr::Bool(b) => Some(x.bool(!b)),
            _ => parts(x, a, Op::Not).map(|p| p[0]),
        },
        // max(a, a) = a
        Op::Min | Op::Max => (a == args[1]).then_some(a),
        // abs(abs(a)) = abs(a), abs(-a) = abs(a)
        Op::Abs => match parts(x, a, Op::Neg) {
            Some(p) => Some(x.op(Op::Abs, &p)),
            None => parts(x, a, Op::Abs).map(|_| a),
        },
        // detach(detach(a)) = detach(a)
        Op::Detach => parts(x, a, Op::Detach).map(|_| a),
        Op::Eq | Op::Ne | Op::Lt | Op::Le => comparison_rules(x, op, a, args[1]),
        Op::Sign
        | Op::Floor
        | Op::Ceil
        | Op::Round
        | Op::Sqrt
        | Op::Expm1
        | Op::Sin
        | Op::Cos
        | Op::Tanh
        | Op::Sigmoid
        | Op::Softplus
        | Op::Erf
        | Op::IntDiv
        | Op::IntMod
        | Op::Stated => None,
        // A truth value as a number is a choice of 1 and 0, which other rules know.
        Op::ToReal => (x.ty(a) == Ty::Bool).then(|| {
            let (one, zero) = (x.real(1.0), x.real(0.0));
            x.select(a, one, zero)
        }),
    }
}

fn add_rules(x: &mut Exprs, a: ExprId, b: ExprId) -> Option<ExprId> {
    if x.ty(a) != Ty::Real {
        return None;
    }
    // 0 + a = a
    if is(x, a, 0.0) {
        return Some(b);
    }
    if is(x, b, 0.0) {
        return Some(a);
    }
    if let Some(both) = same_choice(x, Op::Add, a, b) {
        return Some(both);
    }
    // a + (-b) = a - b
    if let Some(p) = parts(x, b, Op::Neg) {
        return Some(x.sub(a, p[0]));
    }
    if let Some(p) = parts(x, a, Op::Neg) {
        return Some(x.sub(b, p[0]));
    }
    // a + (-k)*b = a - k*b
    if let Some(p) = parts(x, b, Op::Mul)
        && x.as_real(p[0]).is_some_and(|k| k < 0.0)
    {
        let positive = x.neg(b);
        return Some(x.sub(a, positive));
    }
    // a + select(c, -k, 0) = a - select(c, k, 0), the constant last
    for (m, other) in [(b, a), (a, b)] {
        if let Some((_, d, _)) = masked(x, m)
            && x.as_real(d).is_some_and(|k| k < 0.0)
        {
            let positive = x.neg(m);
            return Some(x.sub(other, positive));
        }
    }
    // (a - b) + b = a
    for (difference, other) in [(a, b), (b, a)] {
        if let Some(p) = parts(x, difference, Op::Sub)
            && p[1] == other
        {
            return Some(p[0]);
        }
    }
    like_terms(x, a, b, 1.0).or_else(|| common_factor(x, Op::Add, a, b))
}

fn sub_rules(x: &mut Exprs, a: ExprId, b: ExprId) -> Option<ExprId> {
    if x.ty(a) != Ty::Real {
        return None;
    }
    // a - a = 0
    if a == b {
        return Some(x.real(0.0));
    }
    // a - 0 = a, 0 - a = -a
    if is(x, b, 0.0) {
        return Some(a);
    }
    if is(x, a, 0.0) {
        return Some(x.neg(b));
    }
    if let Some(both) = same_choice(x, Op::Sub, a, b) {
        return Some(both);
    }
    // a - (-b) = a + b
    if let Some(p) = parts(x, b, Op::Neg) {
        return Some(x.add(a, p[0]));
    }
    // (a + b) - b = a
    if let Some(p) = parts(x, a, Op::Add) {
        if p[1] == b {
            return Some(p[0]);
        }
        if p[0] == b {
            return Some(p[1]);
        }
    }
    // a - (a - b) = b
    if let Some(p) = parts(x, b, Op::Sub)
        && p[0] == a
    {
        return Some(p[1]);
    }
    // exp(a) - 1 = expm1(a), 1 - exp(a) = -expm1(a)
    if is(x, b, 1.0)
        && let Some(p) = parts(x, a, Op::Exp)
    {
        return Some(x.op(Op::Expm1, &p));
    }
    if is(x, a, 1.0)
        && let Some(p) = parts(x, b, Op::Exp)
    {
        let rest = x.op(Op::Expm1, &p);
        return Some(x.neg(rest));
    }
    like_terms(x, a, b, -1.0).or_else(|| common_factor(x, Op::Sub, a, b))
}

/// `k*a`, taken apart; 1 where there is no constant factor.
fn coefficient(x: &Exprs, a: ExprId) -> (f64, ExprId) {
    match parts(x, a, Op::Mul) {
        Some(p) => match x.as_real(p[0]) {
            Some(k) => (k, p[1]),
            None => (1.0, a),
        },
        None => (1.0, a),
    }
}

/// `j*a + k*a = (j + k)*a`
fn like_terms(x: &mut Exprs, a: ExprId, b: ExprId, sign: f64) -> Option<ExprId> {
    let ((j, base), (k, other)) = (coefficient(x, a), coefficient(x, b));
    if base != other || x.as_real(base).is_some() {
        return None;
    }
    let factor = x.real(j + sign * k);
    Some(x.mul(factor, base))
}

/// The factors that `e` can be seen as a product with: `e = factor * rest`.
fn factorings(x: &mut Exprs, e: ExprId) -> Vec<(ExprId, ExprId)> {
    if let Some(p) = parts(x, e, Op::Mul) {
        return vec![(p[0], p[1]), (p[1], p[0])];
    }
    // select(c, w, 0) = w * select(c, 1, 0), and with -w in its place
    if let Some((c, d, zero)) = masked(x, e).filter(|m| !is(x, m.1, 0.0)) {
        let (base, unit) = match parts(x, d, Op::Neg) {
            Some(p) => (p[0], -1.0),
            None => (d, 1.0),
        };
        if x.as_real(base).is_none() {
            let unit = x.real(unit);
            let mask = x.select(c, unit, zero);
            return vec![(base, mask)];
        }
    }
    Vec::new()
}

/// `w*a + w*b = w*(a + b)` and `w*a - w*b = w*(a - b)`, for a factor that is no constant.
fn common_factor(x: &mut Exprs, op: Op, a: ExprId, b: ExprId) -> Option<ExprId> {
    let (left, right) = (factorings(x, a), factorings(x, b));
    for &(w, rest_a) in left.iter().filter(|(w, _)| x.as_real(*w).is_none()) {
        for &(v, rest_b) in &right {
            if w == v {
                let sum = x.op(op, &[rest_a, rest_b]);
                return Some(x.mul(w, sum));
            }
        }
    }
    None
}

fn mul_rules(x: &mut Exprs, a: ExprId, b: ExprId) -> Option<ExprId> {
    if x.ty(a) != Ty::Real {
        return None;
    }
    // 0 * a = 0, 1 * a = a, -1 * a = -a; constants stand on the left
    for (k, other) in [(a, b), (b, a)] {
        match x.as_real(k) {
            Some(0.0) => return Some(k),
            Some(1.0) => return Some(other),
            Some(-1.0) => return Some(x.neg(other)),
            Some(_) if k == b => return Some(x.mul(b, a)),
            _ => {}
        }
    }
    // (-a) * b = -(a * b)
    for (n, other) in [(a, b), (b, a)] {
        if let Some(p) = parts(x, n, Op::Neg) {
            let product = if n == a { x.mul(p[0], other) } else { x.mul(other, p[0]) };
            return Some(x.neg(product));
        }
    }
    // |a| * |a| = a * a, |a| * sign(a) = a
    for (m, other) in [(a, b), (b, a)] {
        if let Some(p) = parts(x, m, Op::Abs) {
            if other == m {
                return Some(x.mul(p[0], p[0]));
            }
            if parts(x, other, Op::Sign).is_some_and(|s| s == p) {
                return Some(p[0]);
            }
        }
    }
    // g * select(c, d, 0) = select(c, g*d, 0), so that no 0 * inf appears
    for (m, other) in [(b, a), (a, b)] {
        if let Some((c, d, e)) = masked(x, m) {
            let (d, e) = (x.mul(other, d), x.mul(other, e));
            return Some(x.select(c, d, e));
        }
    }
    // j * (k * a) = (j*k) * a, and constants are pulled out of products
    for (p, other) in [(b, a), (a, b)] {
        let (k, base) = coefficient(x, p);
        if k != 1.0 {
            let k = x.real(k);
            return Some(if x.as_real(other).is_some() {
                let k = x.mul(k, other);
                x.mul(k, base)
            } else {
                let product = if p == b { x.mul(other, base) } else { x.mul(base, other) };
                x.mul(k, product)
            });
        }
    }
    // k * (j / a) = (k*j) / a, a * (1 / b) = a / b
    for (d, other) in [(b, a), (a, b)] {
        if let Some(p) = parts(x, d, Op::Div) {
            let both = x.as_real(p[0]).is_some() && x.as_real(other).is_some();
            if both || is(x, p[0], 1.0) {
                let numerator = x.mul(other, p[0]);
                return Some(x.div(numerator, p[1]));
            }
        }
    }
    None
}

fn div_rules(x: &mut Exprs, a: ExprId, b: ExprId) -> Option<ExprId> {
    // a / 1 = a, 0 / a = 0
    if is(x, b, 1.0) || is(x, a, 0.0) {
        return Some(a);
    }
    // (-a) / b = -(a / b)
    if let Some(p) = parts(x, a, Op::Neg) {
        let quotient = x.div(p[0], b);
        return Some(x.neg(quotient));
    }
    // select(c, a, 0) / b = select(c, a / b, 0)
    if let Some((c, d, e)) = masked(x, a) {
        let (d, e) = (x.div(d, b), x.div(e, b));
        return Some(x.select(c, d, e));
    }
    if let Some(k) = x.as_real(b) {
        // (j*a) / k = (j/k) * a
        let (j, base) = coefficient(x, a);
        if j != 1.0 && k != 0.0 {
            let factor = x.real(j / k);
            return Some(x.mul(factor, base));
        }
        // a / k = a * (1/k) where 1/k is exact
        if k != 0.0 && k.abs().log2().fract() == 0.0 && (1.0 / k).is_finite() {
            let factor = x.real(1.0 / k);
            return Some(x.mul(factor, a));
        }
        return None;
    }
    // 1 / (1 + exp(-a)) = sigmoid(a)
    if is(x, a, 1.0)
        && let Some(p) = parts(x, b, Op::Add)
    {
        for (one, e) in [(p[0], p[1]), (p[1], p[0])] {
            if is(x, one, 1.0)
                && let Some(inner) = parts(x, e, Op::Exp)
            {
                let z = x.neg(inner[0]);
                return Some(x.op(Op::Sigmoid, &[z]));
            }
        }
    }
    None
}

fn neg_rules(x: &mut Exprs, a: ExprId) -> Option<ExprId> {
    if x.ty(a) != Ty::Real {
        return None;
    }
    // -(-a) = a
    if let Some(p) = parts(x, a, Op::Neg) {
        return Some(p[0]);
    }
    // -(a - b) = b - a
    if let Some(p) = parts(x, a, Op::Sub) {
        return Some(x.sub(p[1], p[0]));
    }
    // -(k*a) = (-k)*a
    if let Some(p) = parts(x, a, Op::Mul)
        && let Some(k) = x.as_real(p[0])
    {
        let k = x.real(-k);
        return Some(x.mul(k, p[1]));
    }
    // -select(c, a, 0) = select(c, -a, 0)
    if let Some((c, d, e)) = masked(x, a) {
        let (d, e) = (x.neg(d), x.neg(e));
        return Some(x.select(c, d, e));
    }
    None
}

fn pow_rules(x: &mut Exprs, a: ExprId, b: ExprId) -> Option<ExprId> {
    let k = x.as_real(b)?;
    if k == 0.0 {
        return Some(x.real(1.0)); // a^0 = 1
    }
    if k == 1.0 {
        return Some(a); // a^1 = a
    }
    if k == 2.0 {
        return Some(x.mul(a, a)); // a^2 = a*a
    }
    if k == 3.0 {
        let square = x.mul(a, a);
        return Some(x.mul(square, a)); // a^3 = a*a*a
    }
    if k == 4.0 {
        let square = x.mul(a, a);
        return Some(x.mul(square, square)); // a^4 = (a*a)*(a*a)
    }
    if k == 0.5 {
        return Some(x.op(Op::Sqrt, &[a])); // a^(1/2) = sqrt(a)
    }
    if k == -1.0 || k == -2.0 || k == -0.5 {
        let k = x.real(-k);
        let (one, power) = (x.real(1.0), x.op(Op::Pow, &[a, k]));
        return Some(x.div(one, power)); // a^(-k) = 1 / a^k
    }
    None
}

fn log1p_rules(x: &mut Exprs, a: ExprId) -> Option<ExprId> {
    // log1p(exp(a)) = softplus(a)
    if let Some(p) = parts(x, a, Op::Exp) {
        return Some(x.op(Op::Softplus, &p));
    }
    let negative = parts(x, a, Op::Neg)?;
    // log1p(-sigmoid(a)) = -softplus(a)
    if let Some(p) = parts(x, negative[0], Op::Sigmoid) {
        let s = x.op(Op::Softplus, &p);
        return Some(x.neg(s));
    }
    // log1p(-exp(a)) = log(-expm1(a))
    if let Some(p) = parts(x, negative[0], Op::Exp) {
        let rest = x.op(Op::Expm1, &p);
        let rest = x.neg(rest);
        return Some(x.op(Op::Log, &[rest]));
    }
    None
}

fn log_rules(x: &mut Exprs, a: ExprId) -> Option<ExprId> {
    // log(exp(a)) = a
    if let Some(p) = parts(x, a, Op::Exp) {
        return Some(p[0]);
    }
    // log(sigmoid(a)) = -softplus(-a)
    if let Some(p) = parts(x, a, Op::Sigmoid) {
        let z = x.neg(p[0]);
        let s = x.op(Op::Softplus, &[z]);
        return Some(x.neg(s));
    }
    // log(1 - sigmoid(a)) = -softplus(a)
    if let Some(p) = parts(x, a, Op::Sub)
        && is(x, p[0], 1.0)
        && let Some(q) = parts(x, p[1], Op::Sigmoid)
    {
        let s = x.op(Op::Softplus, &q);
        return Some(x.neg(s));
    }
    // log(1 - a) = log1p(-a), which keeps the digits of a small a
    if let Some(p) = parts(x, a, Op::Sub)
        && is(x, p[0], 1.0)
    {
        let negative = x.neg(p[1]);
        return Some(x.op(Op::Log1p, &[negative]));
    }
    // log(1 + a) = log1p(a)
    if let Some(p) = parts(x, a, Op::Add) {
        for (one, other) in [(p[0], p[1]), (p[1], p[0])] {
            if is(x, one, 1.0) {
                return Some(x.op(Op::Log1p, &[other]));
            }
        }
    }
    None
}
