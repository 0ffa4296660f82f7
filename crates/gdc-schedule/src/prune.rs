//! Takes away locals that nothing uses: where a test is known to fail, what it guarded was
//! computed for nothing.

use gdc_ir::program::{Local, Stmt};
use gdc_ir::uses::Uses;
use std::collections::BTreeSet;

/// Removes every immutable local that no value uses, until there is none.
pub(crate) fn prune(body: &mut Vec<Stmt>) {
    loop {
        if !remove(body, &Uses::of(body).locals) {
            return;
        }
    }
}

fn remove(body: &mut Vec<Stmt>, used: &BTreeSet<Local>) -> bool {
    let before = body.len();
    body.retain(|stmt| !matches!(stmt, Stmt::Let { local, .. } if !used.contains(local)));
    let mut removed = body.len() < before;
    for stmt in body {
        if let Stmt::For { body, .. } | Stmt::If { body, .. } = stmt {
            removed |= remove(body, used);
        }
    }
    removed
}
