//! From a spec that fails to a small one that fails alike: statements go, expressions become parts
//! of themselves, sizes become 1 or 2, as long as it still fails.

use crate::spec::{Expr, Part, Size, Spec};
use std::collections::BTreeSet;

/// The smallest spec found for which `fails` holds. At most `tries` are tried.
pub fn shrink(spec: &Spec, tries: usize, fails: &mut dyn FnMut(&Spec) -> bool) -> Spec {
    let mut best = spec.clone();
    let mut left = tries;
    loop {
        let before = best.text();
        for candidates in [without_statements, with_smaller_sizes, with_smaller_expressions] {
            let mut at = 0;
            // Candidates are made anew after each success, from the place reached on.
            while let Some(candidate) = candidates(&best, at) {
                if left == 0 {
                    return best;
                }
                match candidate {
                    Some(candidate) => {
                        left -= 1;
                        if fails(&candidate) {
                            best = candidate;
                        } else {
                            at += 1;
                        }
                    }
                    None => at += 1,
                }
            }
        }
        if best.text() == before {
            return best;
        }
    }
}

/// The spec without the statement that is `at` from the end, and all that use it. `Some(None)`: it
/// has to stay.
fn without_statements(spec: &Spec, at: usize) -> Option<Option<Spec>> {
    let index = spec.stmts.len().checked_sub(at + 1)?;
    if spec.stmts[index].needed {
        return Some(None);
    }
    let mut gone: BTreeSet<String> = spec.stmts[index].defines.iter().cloned().collect();
    let mut kept = Vec::new();
    for (k, stmt) in spec.stmts.iter().enumerate() {
        if k == index || stmt.uses().iter().any(|name| gone.contains(name)) {
            if stmt.needed {
                return Some(None);
            }
            gone.extend(stmt.defines.iter().cloned());
        } else {
            kept.push(stmt.clone());
        }
    }
    Some(Some(Spec { stmts: kept, ..spec.clone() }))
}

/// The batch and then each size at 1, 2, half of itself.
fn with_smaller_sizes(spec: &Spec, at: usize) -> Option<Option<Spec>> {
    let (which, how) = (at / 4, at % 4);
    let smaller = |n: usize| [1, 2, n / 2, n.saturating_sub(1)][how];
    let better = |n: usize| (1..n).contains(&smaller(n)).then(|| smaller(n));
    if which == 0 {
        return Some(better(spec.batch).map(|batch| Spec { batch, ..spec.clone() }));
    }
    let size = spec.sizes.get(which - 1)?;
    let Size::Base(n) = size else { return Some(None) };
    Some(better(*n).map(|n| {
        let mut spec = spec.clone();
        spec.sizes[which - 1] = Size::Base(n);
        spec
    }))
}

/// Each expression of each statement as one of its parts, or a number.
fn with_smaller_expressions(spec: &Spec, at: usize) -> Option<Option<Spec>> {
    const WAYS: usize = 6;
    let (mut place, way) = (at / WAYS, at % WAYS);
    for (s, stmt) in spec.stmts.iter().enumerate() {
        for (p, part) in stmt.parts.iter().enumerate() {
            let Part::Expr(e) = part else { continue };
            if place >= e.len() {
                place -= e.len();
                continue;
            }
            let replaced: Vec<Expr> = e.smaller(place);
            return Some(replaced.into_iter().nth(way).map(|new| {
                let mut spec = spec.clone();
                spec.stmts[s].parts[p] = Part::Expr(new);
                spec
            }));
        }
    }
    None
}
