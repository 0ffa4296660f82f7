//! Like terms: a sum in which an atom appears more than once becomes one with each atom
//! once, so that `x - 0.2*(x - 3)` is `0.8*x + 0.6`. Sums from which digits would cancel are
//! written so that they do not, and a choice decides equal choices in its branches.

use crate::build::{Build, rewrite};
use crate::product::Product;
use crate::rebuild::{Rebuild, Replacement};
use crate::rules::parts;
use gdc_ir::{Expr, ExprId, Exprs, Model, NodeKind, Op, Ty};
use std::collections::HashMap;

/// The most terms that are looked at in one sum.
const MAX_TERMS: usize = 64;

/// Merges like terms in every statement.
pub fn merge_like_terms(model: &mut Model) {
    let needed = model.graph.reachable(model.roots());
    let mut rebuild = Rebuild::new(model);
    let mut memo = HashMap::new();
    for id in needed {
        let mut node = rebuild.old(id).clone();
        node.kind = rebuild.kind(&node.kind);
        if let NodeKind::Compute { body, .. } = &mut node.kind {
            *body = merge(&mut rebuild.graph.exprs, *body, &mut memo);
        }
        let new = rebuild.graph.add(node);
        rebuild.set(id, Replacement::Node(new));
    }
    rebuild.finish(model);
}

/// The expression with like terms merged in all its sums.
pub fn merge(x: &mut Exprs, e: ExprId, memo: &mut HashMap<ExprId, ExprId>) -> ExprId {
    if let Some(&done) = memo.get(&e) {
        return done;
    }
    let result = match x.get(e).clone() {
        Expr::Op(op, args) => {
            let args: Vec<ExprId> = args.iter().map(|&a| merge(x, a, memo)).collect();
            let rebuilt = x.op(op, &args);
            match op {
                Op::Add | Op::Sub if x.ty(rebuilt) == Ty::Real => {
                    let merged = merged_sum(x, rebuilt);
                    apart_from_softplus(x, merged)
                }
                Op::Select => decided(x, rebuilt),
                _ => rebuilt,
            }
        }
        _ => e,
    };
    memo.insert(e, result);
    result
}

/// A sum rebuilt from its atoms, if that has fewer terms.
fn merged_sum(x: &mut Exprs, e: ExprId) -> ExprId {
    let mut sum = Sum::default();
    if !sum.collect(x, e, 1.0) || sum.atoms.len() + usize::from(sum.constants > 0) >= sum.seen {
        return e;
    }
    let mut result: Option<ExprId> = None;
    for (atom, coefficient) in sum.atoms {
        if coefficient == 0.0 {
            continue;
        }
        let k = x.real(coefficient);
        let term = x.mul(k, atom);
        result = Some(match result {
            Some(r) => x.add(r, term),
            None => term,
        });
    }
    let constant = x.real(sum.constant);
    match result {
        Some(r) => x.add(r, constant),
        None => constant,
    }
}

/// `softplus(a) - b*a = (max(0, a) - b*a) + softplus(-|a|)`: for large `a`, the first two cancel
/// without taking the digits of the last with them.
fn apart_from_softplus(x: &mut Exprs, e: ExprId) -> ExprId {
    let mut sum = Sum::default();
    if !sum.collect(x, e, 1.0) {
        return e;
    }
    let found = sum.atoms.iter().enumerate().find_map(|(i, &(atom, k))| {
        let a = parts(x, atom, Op::Softplus)?[0];
        let near = |&(term, _): &(ExprId, f64)| term != atom && has_factor(x, term, a);
        sum.atoms.iter().any(near).then_some((i, a, k))
    });
    let Some((place, a, k)) = found else { return e };
    let zero = x.real(0.0);
    let (above, size) = (x.op(Op::Max, &[zero, a]), x.op(Op::Abs, &[a]));
    let outward = x.neg(size);
    let tail = x.op(Op::Softplus, &[outward]);
    sum.atoms.remove(place);
    let (mut terms, rest): (Vec<_>, Vec<_>) = sum.atoms.iter().copied().partition(|&(term, _)| has_factor(x, term, a));
    terms.insert(0, (above, k));
    terms.extend(rest);
    terms.push((tail, k));
    let mut result = x.real(sum.constant);
    for (term, k) in terms {
        let k = x.real(k);
        let term = x.mul(k, term);
        result = x.add(result, term);
    }
    result
}

/// Whether a product has the factor `a`, or `-a`.
fn has_factor(x: &Exprs, product: ExprId, a: ExprId) -> bool {
    let same = |factor: ExprId| {
        factor == a
            || parts(x, a, Op::Neg).is_some_and(|p| p[0] == factor)
            || parts(x, factor, Op::Neg).is_some_and(|p| p[0] == a)
    };
    Product::of(x, product).is_some_and(|p| p.factors.iter().any(|&(factor, power)| power > 0 && same(factor)))
}

/// `select(c, a, b)` with `c` true in `a` and false in `b`, unless that makes more of it: what
/// both branches share would then be written once for each.
fn decided(x: &mut Exprs, e: ExprId) -> ExprId {
    let Some(choice) = parts(x, e, Op::Select) else { return e };
    let mut branches = [choice[1], choice[2]];
    for (branch, truth) in branches.iter_mut().zip([true, false]) {
        let mut found = false;
        x.walk(*branch, &mut |part| found |= part == choice[0]);
        if found {
            *branch =
                rewrite(x, *branch, &mut HashMap::new(), &mut |x, part| (part == choice[0]).then(|| x.bool(truth)));
        }
    }
    let new = x.select(choice[0], branches[0], branches[1]);
    if size(x, new) > size(x, e) { e } else { new }
}

/// The number of different parts of an expression.
fn size(x: &Exprs, e: ExprId) -> usize {
    let mut parts = 0;
    x.walk(e, &mut |_| parts += 1);
    parts
}

/// `constant + sum of coefficient * atom`, in order of first appearance.
#[derive(Default)]
struct Sum {
    atoms: Vec<(ExprId, f64)>,
    constant: f64,
    constants: usize,
    seen: usize,
}

impl Sum {
    /// Adds `factor * e`; `false` where the sum is too long.
    fn collect(&mut self, x: &Exprs, e: ExprId, factor: f64) -> bool {
        if self.seen > MAX_TERMS {
            return false;
        }
        match x.get(e) {
            Expr::Op(Op::Add, a) => self.collect(x, a[0], factor) && self.collect(x, a[1], factor),
            Expr::Op(Op::Sub, a) => self.collect(x, a[0], factor) && self.collect(x, a[1], -factor),
            Expr::Op(Op::Neg, a) => self.collect(x, a[0], -factor),
            Expr::Op(Op::Mul, a) => match x.as_real(a[0]) {
                Some(k) => self.collect(x, a[1], factor * k),
                None => self.atom(e, factor),
            },
            Expr::Real(k) => {
                self.constant += factor * k.get();
                self.constants += 1;
                self.seen += 1;
                true
            }
            _ => self.atom(e, factor),
        }
    }

    fn atom(&mut self, e: ExprId, factor: f64) -> bool {
        self.seen += 1;
        match self.atoms.iter_mut().find(|(a, _)| *a == e) {
            Some((_, k)) => *k += factor,
            None => self.atoms.push((e, factor)),
        }
        true
    }
}
