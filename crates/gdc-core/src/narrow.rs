//! `sum[v](if v < k { e } else { 0 }) = sum[v in 0..k](e)`: a sum runs only where its terms are
//! not zero whatever is read, as far as the index itself decides that.

use crate::build::substitute;
use gdc_ir::{Affine, Expr, ExprId, Exprs, Op, Var};
use std::collections::HashMap;

/// Longer sums are left as they are.
const LONGEST: usize = 1 << 12;

/// The sum over `over` of `body` with shorter ranges, where there are any: what it runs over now,
/// and of what. Nothing is left to run over where one term remains.
pub fn narrowed(x: &mut Exprs, over: &[Var], body: ExprId) -> Option<(Vec<Var>, ExprId)> {
    let (mut kept, mut body, mut changed) = (Vec::new(), body, false);
    for &v in over {
        let extent = x.extent(v);
        let places = if extent <= LONGEST && asks(x, body, v) {
            (0..extent as i64).filter(|&value| counts(x, body, v, value, &mut HashMap::new())).collect()
        } else {
            Vec::new()
        };
        let (Some(&first), Some(&last)) = (places.first(), places.last()) else {
            kept.push(v);
            continue;
        };
        let length = (last - first + 1) as usize;
        if length == extent {
            kept.push(v);
            continue;
        }
        let mut place = Affine::constant(first);
        if length > 1 {
            let name = x.var(v).name.clone();
            let shorter = x.fresh(name, length, false);
            place.terms.push((shorter, 1));
            kept.push(shorter);
        }
        let place = x.affine(place);
        body = substitute(x, body, &HashMap::from([(v, place)]));
        changed = true;
    }
    changed.then_some((kept, body))
}

/// Whether a choice in `e` depends on nothing but `v`.
fn asks(x: &Exprs, e: ExprId, v: Var) -> bool {
    if x.var(v).batch {
        return false;
    }
    let mut found = false;
    x.walk(e, &mut |part| {
        if let Expr::Op(Op::Select, args) = x.get(part) {
            found |= truth(x, args[0], v, 0).is_some();
        }
    });
    found
}

/// Whether a term can be other than zero where `v` has this value; `known` keeps what was found of
/// its parts.
fn counts(x: &Exprs, e: ExprId, v: Var, value: i64, known: &mut HashMap<ExprId, bool>) -> bool {
    if let Some(&found) = known.get(&e) {
        return found;
    }
    let mut part = |a: ExprId| counts(x, a, v, value, known);
    let found = match x.get(e) {
        Expr::Real(_) => x.as_real(e) != Some(0.0),
        Expr::Op(Op::Select, args) => match truth(x, args[0], v, value) {
            Some(true) => part(args[1]),
            Some(false) => part(args[2]),
            None => part(args[1]) || part(args[2]),
        },
        Expr::Op(Op::Mul, args) => args.iter().all(|&a| part(a)),
        Expr::Op(Op::Add | Op::Sub | Op::Neg, args) => args.iter().any(|&a| part(a)),
        _ => true,
    };
    known.insert(e, found);
    found
}

/// A condition on `v` alone, where it has this value.
fn truth(x: &Exprs, condition: ExprId, v: Var, value: i64) -> Option<bool> {
    let Expr::Op(op, args) = x.get(condition) else { return None };
    let integer = |i: usize| {
        let a = x.as_affine(args[i])?;
        match a.terms.as_slice() {
            [] => Some(a.constant),
            &[(w, c)] if w == v => c.checked_mul(value)?.checked_add(a.constant),
            _ => None,
        }
    };
    let part = |i: usize| truth(x, args[i], v, value);
    match op {
        Op::Lt => Some(integer(0)? < integer(1)?),
        Op::Le => Some(integer(0)? <= integer(1)?),
        Op::Eq => Some(integer(0)? == integer(1)?),
        Op::Ne => Some(integer(0)? != integer(1)?),
        Op::Not => part(0).map(|t| !t),
        Op::And => match (part(0), part(1)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Op::Or => match (part(0), part(1)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        _ => None,
    }
}
