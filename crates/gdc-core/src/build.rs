//! Making expressions: every operator goes through [`Build::op`], which applies the local
//! simplifications. Each rule is one equation, goes one way and never makes code worse.

use crate::rules::rules;
use gdc_ir::{Affine, Expr, ExprId, Exprs, NodeId, Op, Ty, Var};
use std::collections::HashMap;

/// Smart constructors on the arena of expressions.
pub trait Build {
    /// An operator applied to arguments, simplified.
    fn op(&mut self, op: Op, args: &[ExprId]) -> ExprId;
    /// The element of `node` (of type `ty`) at `at`.
    fn read(&mut self, node: NodeId, ty: Ty, at: Vec<ExprId>, otherwise: Option<ExprId>) -> ExprId;

    /// `a + b`
    fn add(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.op(Op::Add, &[a, b])
    }
    /// `a - b`
    fn sub(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.op(Op::Sub, &[a, b])
    }
    /// `a * b`
    fn mul(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.op(Op::Mul, &[a, b])
    }
    /// `a / b`
    fn div(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.op(Op::Div, &[a, b])
    }
    /// `-a`
    fn neg(&mut self, a: ExprId) -> ExprId {
        self.op(Op::Neg, &[a])
    }
    /// `if c { a } else { b }`
    fn select(&mut self, c: ExprId, a: ExprId, b: ExprId) -> ExprId {
        self.op(Op::Select, &[c, a, b])
    }
    /// `a && b`
    fn and(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.op(Op::And, &[a, b])
    }
}

impl Build for Exprs {
    fn op(&mut self, op: Op, args: &[ExprId]) -> ExprId {
        if let Some(value) = fold(self, op, args) {
            return value;
        }
        if let Some(value) = integer(self, op, args) {
            return value;
        }
        if let Some(value) = rules(self, op, args) {
            return value;
        }
        self.intern(Expr::Op(op, args.into()), Ty::Real)
    }

    fn read(&mut self, node: NodeId, ty: Ty, at: Vec<ExprId>, otherwise: Option<ExprId>) -> ExprId {
        self.intern(Expr::Read { node, at: at.into(), otherwise }, ty)
    }
}

/// The value of an operator on real constants, with the meaning it has at run time.
pub fn evaluate(op: Op, a: &[f64]) -> Option<f64> {
    let x = *a.first()?;
    let y = a.get(1).copied().unwrap_or(0.0);
    Some(match op {
        Op::Neg => -x,
        Op::Add => x + y,
        Op::Sub => x - y,
        Op::Mul => x * y,
        Op::Div => x / y,
        Op::Pow => x.powf(y),
        Op::Min => x.min(y),
        Op::Max => x.max(y),
        Op::Abs => x.abs(),
        Op::Sign => {
            if x == 0.0 {
                0.0
            } else {
                x.signum()
            }
        }
        Op::Floor => x.floor(),
        Op::Ceil => x.ceil(),
        Op::Round => x.round_ties_even(),
        Op::Sqrt => x.sqrt(),
        Op::Exp => x.exp(),
        Op::Expm1 => x.exp_m1(),
        Op::Log => x.ln(),
        Op::Log1p => x.ln_1p(),
        Op::Sin => x.sin(),
        Op::Cos => x.cos(),
        Op::Tanh => x.tanh(),
        Op::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Op::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Op::Detach => x,
        Op::Stated => return None,
        // No constant folding for these: erf has no value here, the rest are not real.
        Op::Erf
        | Op::Eq
        | Op::Ne
        | Op::Lt
        | Op::Le
        | Op::And
        | Op::Or
        | Op::Not
        | Op::Select
        | Op::ToReal
        | Op::IntDiv
        | Op::IntMod => return None,
    })
}

/// An operator whose arguments are all constants.
fn fold(x: &mut Exprs, op: Op, args: &[ExprId]) -> Option<ExprId> {
    let reals: Option<Vec<f64>> = args.iter().map(|&a| x.as_real(a)).collect();
    if let Some(reals) = reals {
        let truth = match op {
            Op::Eq => Some(reals[0] == reals[1]),
            Op::Ne => Some(reals[0] != reals[1]),
            Op::Lt => Some(reals[0] < reals[1]),
            Op::Le => Some(reals[0] <= reals[1]),
            _ => None,
        };
        if let Some(truth) = truth {
            return Some(x.bool(truth));
        }
        return evaluate(op, &reals).map(|v| x.real(decimal(op, &reals, v)));
    }
    match (op, x.get(args[0])) {
        (Op::ToReal, Expr::Int(a)) => {
            let value = a.as_constant()?;
            Some(x.real(value as f64))
        }
        (Op::ToReal, &Expr::Bool(b)) => Some(x.real(f64::from(u8::from(b)))),
        _ => None,
    }
}

/// `value`, which is a sum, difference or product of two constants, without the binary rounding
/// of decimals: of numbers as people write them, `1 - 0.9` is `0.1`. Where a number is no short
/// decimal, the value as it is.
fn decimal(op: Op, args: &[f64], value: f64) -> f64 {
    let &[a, b] = args else { return value };
    let (Some(i), Some(j)) = (decimals(a), decimals(b)) else { return value };
    let places = match op {
        Op::Add | Op::Sub => i.max(j),
        Op::Mul => i + j,
        _ => return value,
    };
    // The exact result has so many places; the rounded one must be nearer to it than to others.
    let error = a.abs().max(b.abs()).max(value.abs()) * f64::EPSILON;
    if places > 20 || error > 0.1 * 10f64.powi(-(places as i32)) {
        return value;
    }
    format!("{value:.places$}").parse().unwrap_or(value)
}

/// The places after the point of the shortest decimal that reads back as this number.
fn decimals(x: f64) -> Option<usize> {
    let text = format!("{x:e}");
    let (digits, exponent) = text.split_once('e')?;
    let fraction = digits.split_once('.').map_or(0, |(_, f)| f.len());
    usize::try_from(fraction as i64 - exponent.parse::<i64>().ok()?).map_or(Some(0), Some)
}

fn all_int(x: &Exprs, args: &[ExprId]) -> bool {
    args.iter().all(|&a| x.ty(a) == Ty::Int)
}

/// Integer arithmetic: stays affine where it can; comparisons by interval arithmetic.
fn integer(x: &mut Exprs, op: Op, args: &[ExprId]) -> Option<ExprId> {
    if !all_int(x, args) {
        return None;
    }
    let affine: Option<Vec<Affine>> = args.iter().map(|&a| x.as_affine(a).cloned()).collect();
    let affine = affine?;
    let constant = affine.get(1).and_then(Affine::as_constant);
    match op {
        Op::Add => Some(x.affine(affine[0].add_scaled(&affine[1], 1)?)),
        Op::Sub => Some(x.affine(affine[0].add_scaled(&affine[1], -1)?)),
        Op::Neg => Some(x.affine(affine[0].scaled(-1)?)),
        Op::Detach => Some(args[0]),
        Op::Mul => match (affine[0].as_constant(), constant) {
            (_, Some(k)) => Some(x.affine(affine[0].scaled(k)?)),
            (Some(k), _) => Some(x.affine(affine[1].scaled(k)?)),
            _ => None,
        },
        Op::IntDiv => Some(split(x, &affine[0], constant?)?.0).map(|q| x.affine(q)),
        Op::IntMod => Some(split(x, &affine[0], constant?)?.1).map(|r| x.affine(r)),
        Op::Min | Op::Max => {
            let (a, b) = (affine[0].as_constant()?, constant?);
            Some(x.int(if op == Op::Min { a.min(b) } else { a.max(b) }))
        }
        Op::Abs => Some(x.int(affine[0].as_constant()?.checked_abs()?)),
        Op::Eq | Op::Ne | Op::Lt | Op::Le => {
            let (low, high) = x.interval(&affine[0].add_scaled(&affine[1], -1)?);
            let truth = match op {
                Op::Eq if low > 0 || high < 0 => Some(false),
                Op::Eq if low == 0 && high == 0 => Some(true),
                Op::Ne if low > 0 || high < 0 => Some(true),
                Op::Ne if low == 0 && high == 0 => Some(false),
                Op::Lt if high < 0 => Some(true),
                Op::Lt if low >= 0 => Some(false),
                Op::Le if high <= 0 => Some(true),
                Op::Le if low > 0 => Some(false),
                _ => None,
            };
            truth.map(|t| x.bool(t))
        }
        _ => None,
    }
}

/// `(d*q + r) div d = q` and `(d*q + r) mod d = r`, where `r` lies in `0..d`.
fn split(x: &Exprs, a: &Affine, d: i64) -> Option<(Affine, Affine)> {
    if d <= 0 {
        return None;
    }
    let (mut q, mut r) = (Affine::default(), Affine::default());
    for &(v, c) in &a.terms {
        let part = if c % d == 0 { (&mut q, c / d) } else { (&mut r, c) };
        part.0.terms.push((v, part.1));
    }
    q.constant = a.constant.div_euclid(d);
    r.constant = a.constant.rem_euclid(d);
    let (low, high) = x.interval(&r);
    (low >= 0 && high < d).then_some((q, r))
}

/// The expression as the functions of [`Build`] make it, which decide what is known.
pub fn made(x: &mut Exprs, new: Expr, ty: Ty) -> ExprId {
    match new {
        Expr::Op(op, args) => x.op(op, &args),
        Expr::Read { node, at, otherwise } => x.read(node, ty, at.into_vec(), otherwise),
        other => x.intern(other, ty),
    }
}

/// Rebuilds an expression from its parts up. `replace` is asked first at each part, before
/// its own parts are looked at; what it gives is final.
pub fn rewrite(
    x: &mut Exprs,
    root: ExprId,
    memo: &mut HashMap<ExprId, ExprId>,
    replace: &mut dyn FnMut(&mut Exprs, ExprId) -> Option<ExprId>,
) -> ExprId {
    if let Some(&done) = memo.get(&root) {
        return done;
    }
    let result = match replace(x, root) {
        Some(new) => new,
        None => {
            let ty = x.ty(root);
            let new = x.get(root).clone().with_parts(|e| rewrite(x, e, memo, replace));
            made(x, new, ty)
        }
    };
    memo.insert(root, result);
    result
}

/// Puts integer expressions in the place of index variables.
pub fn substitute(x: &mut Exprs, root: ExprId, map: &HashMap<Var, ExprId>) -> ExprId {
    if map.is_empty() {
        return root;
    }
    rewrite(x, root, &mut HashMap::new(), &mut |x, id| {
        let affine = x.as_affine(id)?.clone();
        if !affine.terms.iter().any(|(v, _)| map.contains_key(v)) {
            return Some(id);
        }
        let mut sum: Option<ExprId> = (affine.constant != 0).then(|| x.int(affine.constant));
        for (v, c) in affine.terms {
            let value = match map.get(&v) {
                Some(&e) => e,
                None => x.index(v),
            };
            let term = if c == 1 {
                value
            } else {
                let c = x.int(c);
                x.mul(c, value)
            };
            sum = Some(match sum {
                Some(s) => x.add(s, term),
                None => term,
            });
        }
        Some(match sum {
            Some(s) => s,
            None => x.int(0),
        })
    })
}
