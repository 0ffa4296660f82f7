//! Like terms: a sum in which an atom appears more than once becomes one with each atom
//! once, so that `x - 0.2*(x - 3)` is `0.8*x + 0.6`.

use crate::build::Build;
use crate::rebuild::{Rebuild, Replacement};
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
            if matches!(op, Op::Add | Op::Sub) && x.ty(rebuilt) == Ty::Real { merged_sum(x, rebuilt) } else { rebuilt }
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
